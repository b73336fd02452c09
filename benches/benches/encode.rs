//! How fast do NDJSON lines become a Parquet file?
//!
//! Throughput is in bytes of NDJSON. The limit is what the memory can stream; the peers (pyarrow, DuckDB, Polars) are
//! measured on the same rows by their own programs.
#![expect(clippy::expect_used, clippy::panic, reason = "a bench that cannot run says so by panicking")]

use std::hint::black_box;

use bucketproof_connector::merge::{ChangeSet, Merge, merge};
use bucketproof_connector::names::DatasetName;
use bucketproof_connector::parquet_file::encode;
use bucketproof_connector::profile::{Dataset, VendorProfile};
use bucketproof_connector::rows::{LinesOrigin, decode_ndjson};
use bucketproof_fixtures::suprsend::Traffic;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const ORIGIN: LinesOrigin<'_> = LinesOrigin { source: "bench", lines_before: 0, bytes_before: 0 };
const ROWS_PER_BATCH: usize = 16_384;

fn ndjson_to_parquet(profile: &VendorProfile, dataset: &Dataset, lines: &[u8]) -> usize {
    let decoded = decode_ndjson(dataset, lines, ORIGIN).expect("the lines fit");
    let sequences = (0..decoded.batch.num_rows() as u64).collect();
    let changes = ChangeSet { rows: decoded.batch, sequences };
    let Ok(Merge::Changed(merged)) = merge(dataset, &[], &changes, ROWS_PER_BATCH) else {
        panic!("rows that are new change an empty hour");
    };
    encode(dataset, profile.encoding(), &merged.batches).expect("the rows encode").len()
}

fn encode_path(criterion: &mut Criterion) {
    let profile = VendorProfile::named("suprsend_s3_v2").expect("the embedded profile");
    let name = DatasetName::new("messages").expect("a name");
    let dataset = profile.dataset(&name).expect("the dataset");
    let lines = Traffic::new(7).requests(20_000).generate().messages.ndjson();

    let mut group = criterion.benchmark_group("encode");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(lines.len() as u64));
    group.bench_function("ndjson-to-parquet/messages", |bencher| {
        bencher.iter(|| ndjson_to_parquet(&profile, dataset, black_box(lines.as_bytes())));
    });
    group.bench_function("ndjson-to-columns/messages", |bencher| {
        bencher.iter(|| decode_ndjson(dataset, black_box(lines.as_bytes()), ORIGIN).expect("the lines fit"));
    });
    let columns = decode_ndjson(dataset, lines.as_bytes(), ORIGIN).expect("the lines fit").batch;
    group.bench_function("columns-to-parquet/messages", |bencher| {
        bencher.iter(|| {
            encode(dataset, profile.encoding(), std::slice::from_ref(black_box(&columns)))
                .expect("the rows encode")
        });
    });
    group.finish();
}

criterion_group!(benches, encode_path);
criterion_main!(benches);
