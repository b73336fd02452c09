//! What does a page of a listing cost, and does it grow with the bucket?
//!
//! Pages of 1,000 keys in buckets of a thousand and of a million keys, by the SDK over memory, policies enforced, journal
//! on. The limit is the page
//! itself: a page from the middle of a million keys, and one in which a delimiter folds all but a few of them, should cost
//! what the same page costs in the small bucket. With `--test` the large bucket has fewer keys.
#![expect(clippy::expect_used, reason = "a bench that cannot run says so by panicking")]

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use bucketproof_emulator::Emulator;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::{Request, StatusCode};
use tokio::runtime::Runtime;

const PAGE: i32 = 1_000;
/// Keys under one prefix: a delimiter makes a page of 1,000 prefixes of a million keys.
const KEYS_PER_PREFIX: usize = 1_000;

/// An emulator whose bucket has so many keys.
async fn filled(count: usize) -> (Emulator, Client) {
    let emulator = Emulator::builder().seed(7).start().await.expect("an emulator");
    let s3 = emulator.s3("administrator");
    s3.create_bucket().bucket("logs").send().await.expect("a bucket");
    for number in 0..count {
        let key = format!("{:04}/{:04}", number / KEYS_PER_PREFIX, number % KEYS_PER_PREFIX);
        let put = s3.put_object().bucket("logs").key(key);
        let put = put.presigned(lasting()).await.expect("a URL").uri().to_owned();
        let put = Request::put(put).body(Bytes::new()).expect("a request");
        assert_eq!(emulator.send(put).await.expect("an answer").status(), StatusCode::OK);
    }
    (emulator, s3)
}

fn lasting() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_hours(1)).expect("an hour")
}

fn list(criterion: &mut Criterion) {
    let is_smoke = std::env::args().any(|argument| argument == "--test");
    let large = if is_smoke { 10_000 } else { 1_000_000 };
    let runtime: Runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut group = criterion.benchmark_group("list");
    for count in [1_000, large] {
        // It serves for as long as it is there.
        let (_emulator, s3) = runtime.block_on(filled(count));
        let middle = format!("{:04}/{:04}", count / KEYS_PER_PREFIX / 2, 0);
        let page = || s3.list_objects_v2().bucket("logs").max_keys(PAGE);
        let pages = [
            ("first page", page()),
            ("page from the middle", page().start_after(&middle)),
            ("prefixes", page().delimiter("/")),
        ];
        for (name, page) in pages {
            group.bench_function(BenchmarkId::new(name, format!("{count} keys")), |bencher| {
                bencher.iter(|| runtime.block_on(page.clone().send()).expect("a page"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, list);
criterion_main!(benches);
