//! Rows that come after the object of their period became final.

use std::collections::BTreeMap;

use arrow_array::BooleanArray;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_select::filter::filter_record_batch;

use crate::dead_letter::{DeadLetter, RowProblem};
use crate::merge::MergeError;
use crate::profile::Dataset;
use crate::rows::DecodedRows;
use crate::source::Chunk;

/// Makes dead letters of the rows whose period is one of `finals`.
pub(super) fn reject(
    dataset: &Dataset,
    rows: &mut DecodedRows,
    chunk: &Chunk,
    finals: &BTreeMap<i64, String>,
) -> Result<(), MergeError> {
    if finals.is_empty() {
        return Ok(());
    }
    let unit = dataset.partitioning().unit;
    let times = rows
        .batch
        .columns()
        .get(dataset.time_position().unwrap_or(usize::MAX))
        .and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
        .ok_or_else(|| MergeError::Schema { dataset: dataset.name().to_string() })?;
    let period_of = |micros: i64| finals.get(&unit.slot_of_micros(micros));
    let keep: BooleanArray = times.values().iter().map(|micros| Some(period_of(*micros).is_none())).collect();
    if keep.true_count() == keep.len() {
        return Ok(());
    }
    let mut late: BTreeMap<u64, &String> = BTreeMap::new();
    for (line, micros) in rows.row_lines.iter().zip(times.values()) {
        if let Some(period) = period_of(*micros) {
            late.insert(*line, period);
        }
    }
    let mut byte_offset = chunk.range.bytes.start;
    for (raw, line) in chunk.bytes.split_inclusive(|byte| *byte == b'\n').zip(chunk.range.lines.start + 1..) {
        if let Some(period) = late.get(&line) {
            rows.dead_letters.push(DeadLetter {
                source: chunk.range.path.clone(),
                line,
                byte_offset,
                problem: RowProblem::PeriodIsFinal { period: (*period).clone() },
                raw: raw.trim_ascii_end().to_vec(),
            });
        }
        byte_offset += raw.len() as u64;
    }
    rows.batch = filter_record_batch(&rows.batch, &keep)?;
    rows.row_lines.retain(|line| !late.contains_key(line));
    Ok(())
}
