//! How long does it take to copy a prepared world of 10,000 objects, and to put one back? The limit is one millisecond.
#![expect(clippy::expect_used, reason = "a bench that cannot run says so by panicking")]

use aws_sdk_s3::primitives::ByteStream;
use bucketproof_emulator::Emulator;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

async fn prepared() -> Emulator {
    let emulator = Emulator::builder().seed(7).start().await.expect("an emulator");
    let s3 = emulator.s3("administrator");
    s3.create_bucket().bucket("logs").send().await.expect("a bucket");
    for number in 0..10_000 {
        let put = s3.put_object().bucket("logs").key(format!("raw/{number:05}"));
        put.body(ByteStream::from_static(b"data")).send().await.expect("an object");
    }
    emulator
}

fn fork(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let emulator = runtime.block_on(prepared());
    let snapshot = emulator.snapshot();
    let mut group = criterion.benchmark_group("fork");
    group.bench_function("10,000 objects, forked", |bencher| {
        bencher.iter_batched(|| (), |()| emulator.fork(), BatchSize::SmallInput);
    });
    group.bench_function("10,000 objects, put back", |bencher| bencher.iter(|| emulator.restore(&snapshot)));
    group.finish();
}

criterion_group!(benches, fork);
criterion_main!(benches);
