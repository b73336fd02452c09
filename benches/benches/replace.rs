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

use arrow_array::{RecordBatch, StringArray};
use bucketproof_connector::merge::ChangeSet;
use bucketproof_connector::names::DatasetName;
use bucketproof_connector::parquet_file::encode;
use bucketproof_connector::profile::VendorProfile;
use bucketproof_connector::splice::{Replaced, replace, rewrite};
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, criterion_group, criterion_main};

#[path = "../shared/hour.rs"]
mod hour;

use hour::{Hour, position, seen, with};

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
    let hour = Hour::new(dataset, count);
    let base = encode(dataset, profile.encoding(), &hour.batches).expect("the rows encode");
    let (recent, scattered) = (changes(hour.recent()), changes(hour.scattered()));
    let contiguous = changes(seen(dataset, &hour.pick(count / 2..count / 2 + count / 100)));
    // Rows that were not there, between all others: every row group must be built again, which is a rewrite.
    let between = hour.pick((0..count).step_by(100));
    let ids: StringArray = (0..between.num_rows()).map(|row| Some(format!("late-{row:x}"))).collect();
    let between = changes(with(&between, vec![(position(dataset, "message_id"), Arc::new(ids))]));
    drop(hour);

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
