//! Reading an import's file: decoding and checking it, against decoding alone.

#![expect(clippy::expect_used, reason = "a bench that cannot run says so by panicking")]

use std::fs::File;
use std::hint::black_box;
use std::sync::Arc;

use arrow_array::builder::{MapBuilder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use bucketproof_connector::import::{ImportConfig, check_file};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

const ROWS: u32 = 1_000_000;

const CONFIG: &str = r#"
profile = "split_events_import"
[state]
dir = "state"
[[connection]]
name = "events"
status_folder = "my_statuses"
environments = ["prod", "staging"]
[connection.bucket]
name = "customer-events"
region = "us-east-1"
[connection.auth]
mode = "static_keys"
access_key_id = "AKIAIMPORTEREXAMPLE0"
secret_access_key = { env = "IMPORT_SECRET" }
"#;

/// A million events, as a customer's exporter writes them: Snappy inside, groups of a hundred thousand.
fn events() -> RecordBatch {
    let environments = (0..ROWS).map(|row| Some(if row % 7 == 0 { "staging" } else { "prod" }));
    let types = (0..ROWS).map(|row| Some(format!("page.load.{}", row % 50)));
    let mut properties = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for row in 0..ROWS {
        properties.keys().append_value("plan");
        properties.values().append_value(if row % 3 == 0 { "pro" } else { "free" });
        properties.append(row % 5 > 0).expect("a map");
    }
    RecordBatch::try_from_iter(vec![
        ("environmentId", Arc::new(environments.collect::<StringArray>()) as ArrayRef),
        ("trafficTypeId", Arc::new((0..ROWS).map(|_| Some("user")).collect::<StringArray>())),
        ("eventTypeId", Arc::new(types.collect::<StringArray>())),
        ("key", Arc::new((0..ROWS).map(|row| Some(format!("user-{row}"))).collect::<StringArray>())),
        (
            "timestamp",
            Arc::new((0..ROWS).map(|row| 1_767_225_600_000 + i64::from(row)).collect::<Int64Array>()),
        ),
        (
            "value",
            Arc::new((0..ROWS).map(|row| (row % 2 == 0).then_some(f64::from(row))).collect::<Float64Array>()),
        ),
        ("properties", Arc::new(properties.finish())),
    ])
    .expect("columns of one length")
}

fn import(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let named = std::env::var_os("BUCKETPROOF_BENCH_FILE").map(std::path::PathBuf::from);
    let path = named.unwrap_or_else(|| directory.path().join("events.parquet"));
    let batch = events();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(100_000))
        .build();
    let file = File::create(&path).expect("a file");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a footer");
    let config = ImportConfig::parse(CONFIG, "import.toml").expect("a configuration");
    let connection = config.connections.first().expect("a connection");
    let now = "2026-01-02T00:00:00Z".parse().expect("a time");

    let mut group = criterion.benchmark_group("import");
    group.throughput(Throughput::Elements(u64::from(ROWS))).sample_size(10);
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            let file = File::open(&path).expect("the file");
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
            let reader = reader.with_batch_size(8192).build().expect("a reader");
            black_box(reader.map(|batch| batch.expect("rows").num_rows()).sum::<usize>())
        });
    });
    group.bench_function("decode and check", |bencher| {
        bencher.iter(|| {
            let file = File::open(&path).expect("the file");
            let entries = check_file(file, &config, connection, now, now).expect("entries");
            assert_eq!(entries.iter().map(|entry| entry.number_of_rows).sum::<u64>(), u64::from(ROWS));
            assert!(entries.iter().all(|entry| entry.valid));
        });
    });
    group.finish();
}

criterion_group!(benches, import);
criterion_main!(benches);
