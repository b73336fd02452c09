//! An hour of messages, sorted as its object is, and what can happen to it.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_select::interleave::interleave_record_batch;
use bucketproof_connector::profile::Dataset;
use bucketproof_connector::rows::{LinesOrigin, decode_ndjson};
use bucketproof_fixtures::suprsend::Traffic;

/// Rows of a batch of the hour.
const STEP: usize = 50_000;
/// Rows that come after the hour's, at most: its times leave room for them.
const LATER: usize = 10_000;

const HOUR: i64 = 1_736_949_600_000_000;
const HOUR_MICROS: i64 = 3_600_000_000;

/// The rows of an hour.
pub(crate) struct Hour<'a> {
    dataset: &'a Dataset,
    traffic: RecordBatch,
    count: usize,
    pub(crate) batches: Vec<RecordBatch>,
}

impl<'a> Hour<'a> {
    pub(crate) fn new(dataset: &'a Dataset, count: usize) -> Self {
        let lines = Traffic::new(7).requests(30_000).generate().messages.ndjson();
        let origin = LinesOrigin { source: "bench", lines_before: 0, bytes_before: 0 };
        let traffic = decode_ndjson(dataset, lines.as_bytes(), origin).expect("the lines fit").batch;
        let batches = (0..count)
            .step_by(STEP)
            .map(|from| hour_rows(dataset, &traffic, from, (from + STEP).min(count), count + LATER));
        let batches = batches.collect();
        Self { dataset, traffic, count, batches }
    }

    /// Some of the rows.
    pub(crate) fn pick(&self, rows: impl Iterator<Item = usize>) -> RecordBatch {
        let all: Vec<&RecordBatch> = self.batches.iter().collect();
        let picks: Vec<(usize, usize)> = rows.map(|row| (row / STEP, row % STEP)).collect();
        interleave_record_batch(&all, &picks).expect("the rows gather")
    }

    /// One row in a hundred, half of them the last of the hour as they are later, half of them new behind those.
    pub(crate) fn recent(&self) -> RecordBatch {
        let (count, half) = (self.count, self.count / 200);
        let late = seen(self.dataset, &self.pick(count - half..count));
        let new = hour_rows(self.dataset, &self.traffic, count, count + half, count + LATER);
        let picks: Vec<(usize, usize)> =
            (0..half).map(|row| (0, row)).chain((0..half).map(|row| (1, row))).collect();
        interleave_record_batch(&[&late, &new], &picks).expect("the rows gather")
    }

    /// One row in a hundred everywhere, as it is later.
    pub(crate) fn scattered(&self) -> RecordBatch {
        seen(self.dataset, &self.pick((0..self.count).step_by(100)))
    }
}

pub(crate) fn position(dataset: &Dataset, name: &str) -> usize {
    dataset.columns().iter().position(|column| column.name == name).expect("the column")
}

pub(crate) fn with(rows: &RecordBatch, columns: Vec<(usize, ArrayRef)>) -> RecordBatch {
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
pub(crate) fn seen(dataset: &Dataset, rows: &RecordBatch) -> RecordBatch {
    let later = |name: &str| {
        let times = rows.column(position(dataset, "updated_at")).as_primitive::<TimestampMicrosecondType>();
        let times: TimestampMicrosecondArray = times.iter().map(|time| Some(time? + 300_000_000)).collect();
        (position(dataset, name), Arc::new(times.with_timezone("UTC")) as ArrayRef)
    };
    let status: StringArray = (0..rows.num_rows()).map(|_| Some("seen")).collect();
    let status = (position(dataset, "status"), Arc::new(status) as ArrayRef);
    with(rows, vec![later("updated_at"), later("seen_at"), status])
}
