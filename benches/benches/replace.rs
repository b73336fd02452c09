//! What does it cost to change 1 % of an hour of a million rows?
//!
//! The limit is a copy of the object; the peer is our own full rewrite, in the same run. Measured is CPU time of the
//! process, as the kernel accounts for it, so that neither a busy machine nor the number of threads counts. `recent` changes and adds rows
//! at the end of the hour, as live traffic does; `together` changes rows side by side in its middle; `scattered` changes one
//! row in a hundred everywhere; `between` adds one row in a hundred everywhere, where there is nothing to win. With `--test`
//! the hour has fewer rows.
//!
//! Seen on a busy machine of two cores, medians: recent 0.21 s against 2.25 s, together 0.21 s against 2.4 s, scattered
//! 0.53 s against 2.4 s.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that cannot run says so by panicking"
)]

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_select::interleave::interleave_record_batch;
use bucketproof_connector::merge::ChangeSet;
use bucketproof_connector::names::DatasetName;
use bucketproof_connector::parquet_file::encode;
use bucketproof_connector::profile::{Dataset, VendorProfile};
use bucketproof_connector::rows::{LinesOrigin, decode_ndjson};
use bucketproof_connector::splice::{Replaced, replace, rewrite};
use bucketproof_fixtures::suprsend::Traffic;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, criterion_group, criterion_main};

const HOUR: i64 = 1_736_949_600_000_000;
const HOUR_MICROS: i64 = 3_600_000_000;

/// CPU time of the process.
struct CpuTime(WallTime);

/// Nanoseconds, in the steps of 10 ms in which the kernel tells.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("the kernel accounts for processes");
    let (_, behind_name) = text.rsplit_once(')').expect("a name in brackets");
    let fields = behind_name.split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<u64>().expect("a count of ticks") * 10_000_000).sum()
}

impl Measurement for CpuTime {
    type Intermediate = u64;
    type Value = std::time::Duration;

    fn start(&self) -> u64 {
        cpu()
    }
    fn end(&self, start: u64) -> Self::Value {
        std::time::Duration::from_nanos(cpu() - start)
    }
    fn add(&self, a: &Self::Value, b: &Self::Value) -> Self::Value {
        *a + *b
    }
    fn zero(&self) -> Self::Value {
        std::time::Duration::ZERO
    }
    fn to_f64(&self, value: &Self::Value) -> f64 {
        self.0.to_f64(value)
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        self.0.formatter()
    }
}

fn position(dataset: &Dataset, name: &str) -> usize {
    dataset.columns().iter().position(|column| column.name == name).expect("the column")
}

fn with(rows: &RecordBatch, columns: Vec<(usize, ArrayRef)>) -> RecordBatch {
    let mut all = rows.columns().to_vec();
    for (at, column) in columns {
        *all.get_mut(at).expect("the column") = column;
    }
    RecordBatch::try_new(rows.schema(), all).expect("the columns fit")
}

/// Rows `from..to` of an hour of `count`: the traffic's contents, with ids and times of their own.
fn hour_rows(dataset: &Dataset, traffic: &RecordBatch, from: usize, to: usize, count: usize) -> RecordBatch {
    let (id, created, updated) =
        (position(dataset, "message_id"), position(dataset, "created_at"), position(dataset, "updated_at"));
    let picks: Vec<(usize, usize)> = (from..to).map(|row| (0, row % traffic.num_rows())).collect();
    let rows = interleave_record_batch(&[traffic], &picks).expect("the rows gather");
    let ids = rows.column(id).as_string::<i32>();
    let ids: StringArray = ids.iter().zip(from..).map(|(id, row)| Some(format!("{}-{row:x}", id?))).collect();
    let time = |row: usize| {
        HOUR + HOUR_MICROS * i64::try_from(row).expect("a count") / i64::try_from(count).expect("a count")
    };
    let times = |plus: i64| {
        let times: TimestampMicrosecondArray = (from..to).map(|row| Some(time(row) + plus)).collect();
        Arc::new(times.with_timezone("UTC")) as ArrayRef
    };
    with(&rows, vec![(id, Arc::new(ids)), (created, times(0)), (updated, times(60_000_000))])
}

/// The rows as they are some minutes later: seen.
fn seen(dataset: &Dataset, rows: &RecordBatch) -> RecordBatch {
    let later = |name: &str| {
        let times = rows.column(position(dataset, "updated_at")).as_primitive::<TimestampMicrosecondType>();
        let times: TimestampMicrosecondArray = times.iter().map(|time| Some(time? + 300_000_000)).collect();
        (position(dataset, name), Arc::new(times.with_timezone("UTC")) as ArrayRef)
    };
    let status: StringArray = (0..rows.num_rows()).map(|_| Some("seen")).collect();
    let status = (position(dataset, "status"), Arc::new(status) as ArrayRef);
    with(rows, vec![later("updated_at"), later("seen_at"), status])
}

fn changes(rows: RecordBatch) -> ChangeSet {
    let sequences = (0..rows.num_rows() as u64).collect();
    ChangeSet { rows, sequences }
}

fn hour_replace(criterion: &mut Criterion<CpuTime>) {
    let is_smoke = std::env::args().any(|argument| argument == "--test");
    let count: usize = if is_smoke { 40_000 } else { 1_000_000 };
    let profile = VendorProfile::named("suprsend_s3_v2").expect("the embedded profile");
    let name = DatasetName::new("messages").expect("a name");
    let dataset = profile.dataset(&name).expect("the dataset");
    let lines = Traffic::new(7).requests(30_000).generate().messages.ndjson();
    let origin = LinesOrigin { source: "bench", lines_before: 0, bytes_before: 0 };
    let traffic = decode_ndjson(dataset, lines.as_bytes(), origin).expect("the lines fit").batch;
    let step = 50_000;
    let batches: Vec<RecordBatch> = (0..count)
        .step_by(step)
        .map(|from| hour_rows(dataset, &traffic, from, (from + step).min(count), count + 10_000))
        .collect();
    let base = encode(dataset, profile.encoding(), &batches).expect("the rows encode");
    let all: Vec<&RecordBatch> = batches.iter().collect();
    let pick = |rows: &mut dyn Iterator<Item = usize>| {
        let picks: Vec<(usize, usize)> = rows.map(|row| (row / step, row % step)).collect();
        interleave_record_batch(&all, &picks).expect("the rows gather")
    };
    let half = count / 200;
    let late = seen(dataset, &pick(&mut (count - half..count)));
    let new = hour_rows(dataset, &traffic, count, count + half, count + 10_000);
    let picks: Vec<(usize, usize)> =
        (0..half).map(|row| (0, row)).chain((0..half).map(|row| (1, row))).collect();
    let recent = changes(interleave_record_batch(&[&late, &new], &picks).expect("the rows gather"));
    let scattered = changes(seen(dataset, &pick(&mut (0..count).step_by(100))));
    let contiguous = changes(seen(dataset, &pick(&mut (count / 2..count / 2 + count / 100))));
    // Rows that were not there, between all others: every row group must be built again, which is a rewrite.
    let between = pick(&mut (0..count).step_by(100));
    let ids: StringArray = (0..between.num_rows()).map(|row| Some(format!("late-{row:x}"))).collect();
    let between = changes(with(&between, vec![(position(dataset, "message_id"), Arc::new(ids))]));
    drop(batches);

    let mut group = criterion.benchmark_group("replace");
    group.sample_size(10);
    let cases =
        [("recent", &recent), ("together", &contiguous), ("scattered", &scattered), ("between", &between)];
    for (name, changes) in cases {
        let Ok(Replaced::Changed(spliced)) =
            replace(dataset, profile.encoding(), Some(base.clone()), changes)
        else {
            panic!("the hour changes");
        };
        println!(
            "{name}: {} rows of {count} change an object of {} bytes; {} row groups and {} column chunks copied, {} bytes then",
            changes.rows.num_rows(),
            base.len(),
            spliced.copied.len(),
            spliced.chunks_copied,
            spliced.body.len(),
        );
        group.bench_function(format!("{name}/splice"), |bencher| {
            bencher.iter(|| {
                replace(dataset, profile.encoding(), Some(black_box(base.clone())), changes).expect("splices")
            });
        });
        group.bench_function(format!("{name}/rewrite"), |bencher| {
            bencher.iter(|| {
                rewrite(dataset, profile.encoding(), Some(black_box(base.clone())), changes)
                    .expect("rewrites")
            });
        });
    }
    group.bench_function("copy", |bencher| bencher.iter(|| black_box(&base).to_vec()));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime(WallTime));
    targets = hour_replace
}
criterion_main!(benches);
