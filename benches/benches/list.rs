//! What does a page of a listing cost, and does it grow with the bucket?
//!
//! Pages of 1,000 keys in buckets of a thousand and of a million keys, inside the server, policies enforced, journal on. The
//! limit is the page itself: a page from the middle of a million keys, and one in which a delimiter folds all but a few of
//! them, should cost what the same page costs in the small bucket. `sdk/...` is the same page as the SDK sees it: most of
//! that is reading the document. With `--test` the large bucket has fewer keys.
#![expect(clippy::expect_used, reason = "a bench that cannot run says so by panicking")]

use std::time::Duration;

use bucketproof_emulator::Emulator;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::{Method, StatusCode};
use tokio::runtime::Runtime;

use signed::signed;

#[path = "../shared/signed.rs"]
mod signed;

/// Keys under one prefix: a delimiter makes a page of 1,000 prefixes of a million keys.
const KEYS_PER_PREFIX: usize = 1_000;
const USER: &str = "administrator";

/// An emulator whose bucket has so many keys.
async fn filled(count: usize) -> Emulator {
    let emulator = Emulator::builder().seed(7).start().await.expect("an emulator");
    emulator.s3(USER).create_bucket().bucket("logs").send().await.expect("a bucket");
    for number in 0..count {
        let target = format!("/logs/{:04}/{:04}", number / KEYS_PER_PREFIX, number % KEYS_PER_PREFIX);
        let put = signed(&emulator, USER, &Method::PUT, &target, Bytes::new());
        assert_eq!(emulator.send(put).await.expect("an answer").status(), StatusCode::OK);
    }
    emulator
}

fn list(criterion: &mut Criterion) {
    let is_smoke = std::env::args().any(|argument| argument == "--test");
    let large = if is_smoke { 10_000 } else { 1_000_000 };
    let runtime: Runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut group = criterion.benchmark_group("list");
    group.measurement_time(Duration::from_secs(10));
    for count in [1_000, large] {
        let emulator = runtime.block_on(filled(count));
        let middle = format!("{:04}%2F{:04}", count / KEYS_PER_PREFIX / 2, 0);
        let pages = [
            ("first page", "/logs?list-type=2".to_owned()),
            ("page from the middle", format!("/logs?list-type=2&start-after={middle}")),
            ("prefixes", "/logs?delimiter=%2F&list-type=2".to_owned()),
        ];
        for (name, target) in pages {
            let page = signed(&emulator, USER, &Method::GET, &target, Bytes::new());
            group.bench_function(BenchmarkId::new(name, format!("{count} keys")), |bencher| {
                bencher.iter(|| {
                    let answer = runtime.block_on(emulator.send(page.clone())).expect("an answer");
                    assert_eq!(answer.status(), StatusCode::OK);
                    answer
                });
            });
        }
        let page = emulator.s3(USER).list_objects_v2().bucket("logs");
        group.bench_function(BenchmarkId::new("sdk/first page", format!("{count} keys")), |bencher| {
            bencher.iter(|| runtime.block_on(page.clone().send()).expect("a page"));
        });
    }
    group.finish();
}

criterion_group!(benches, list);
criterion_main!(benches);
