//! The rows of a Parquet file, each with what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use jiff::Timestamp;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use parquet::basic::Compression;
use parquet::file::metadata::ColumnChunkMetaData;

use super::entries::Finding;
use super::profile::{ImportColumn, ImportProfile, ImportRule, ImportType};
use super::schema;

/// Rows that are decoded at once; memory is bounded by a row group's pages and these.
const BATCH_ROWS: usize = 4096;
/// Different texts of one kind that details name; the others are told together, so that entries stay few.
const NAMED_MAX: usize = 20;
/// Characters of a text that a detail repeats.
const SHOWN_CHARS: usize = 64;

/// A value of a row, as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ImportedValue {
    Null,
    Text(String),
    Long(i64),
    Double(f64),
}

/// A row and what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ImportedRow {
    /// In the order of the profile's columns; a map is a JSON object.
    pub(crate) values: Vec<ImportedValue>,
    pub(crate) findings: Vec<Finding>,
}

/// Reads a file that has been checked to be of the schema.
pub(crate) struct RowReader<'a> {
    profile: &'a ImportProfile,
    environments: &'a BTreeSet<String>,
    window: std::ops::RangeInclusive<i64>,
    batches: ParquetRecordBatchReader,
    named: BTreeSet<String>,
}

impl<'a> RowReader<'a> {
    /// Opens a file; what is wrong with the file as a whole is told in words.
    pub(crate) fn open(
        file: File,
        profile: &'a ImportProfile,
        environments: &'a BTreeSet<String>,
        now: Timestamp,
        unpacked_bytes_max: u64,
    ) -> Result<Self, String> {
        // The schema is what Parquet says, not what some writer's hints make of it.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .map_err(|error| format!("the file cannot be read as Parquet: {error}"))?;
        let metadata = builder.metadata();
        let descriptor = metadata.file_metadata().schema_descr_ptr();
        let defects = schema::defects(descriptor.root_schema(), &profile.columns);
        if !defects.is_empty() {
            return Err(defects.join("; "));
        }
        let is_lzo = |column: &ColumnChunkMetaData| column.compression() == Compression::LZO;
        if metadata.row_groups().iter().any(|group| group.columns().iter().any(is_lzo)) {
            return Err("the file uses LZO inside Parquet, which is not supported; write it with Snappy, Zstandard, gzip, \
                        LZ4 or Brotli inside, or pack the whole file with lzop"
                .to_owned());
        }
        let unpacked = metadata
            .row_groups()
            .iter()
            .map(|group| u64::try_from(group.total_byte_size()).unwrap_or(u64::MAX))
            .fold(0_u64, u64::saturating_add);
        if unpacked > unpacked_bytes_max {
            return Err(format!(
                "the file unpacks to {unpacked} bytes, more than {unpacked_bytes_max}; split it, or raise \
                 `limits.unpacked_mib`"
            ));
        }
        let roots = descriptor.root_schema().get_fields().iter().enumerate();
        let wanted: Vec<usize> = roots
            .filter(|(_, field)| profile.columns.iter().any(|column| column.name == field.name()))
            .map(|(place, _)| place)
            .collect();
        let mask = ProjectionMask::roots(&descriptor, wanted);
        let batches = builder
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|error| format!("the file cannot be read as Parquet: {error}"))?;
        let window = profile.window(now);
        Ok(Self { profile, environments, window, batches, named: BTreeSet::new() })
    }

    /// The next rows; `None` behind the last.
    pub(crate) fn next_rows(&mut self) -> Option<Result<Vec<ImportedRow>, String>> {
        let batch = match self.batches.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(format!("the file cannot be read to its end: {error}"))),
        };
        Some(self.rows(&batch))
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<ImportedRow>, String> {
        let mut rows: Vec<ImportedRow> = (0..batch.num_rows())
            .map(|_| ImportedRow {
                values: Vec::with_capacity(self.profile.columns.len()),
                findings: Vec::new(),
            })
            .collect();
        let mut missing: Vec<Vec<&str>> = vec![Vec::new(); rows.len()];
        for column in &self.profile.columns {
            let array = batch.column_by_name(&column.name);
            let array = array.ok_or_else(|| format!("column `{}` is missing", column.name))?;
            for ((place, row), missing) in rows.iter_mut().enumerate().zip(&mut missing) {
                let value = value(array, place, column.kind);
                if value == ImportedValue::Null && column.required {
                    missing.push(&column.name);
                } else if let Some(finding) = self.judge(column, &value) {
                    row.findings.push(finding);
                }
                row.values.push(value);
            }
        }
        for (row, missing) in rows.iter_mut().zip(missing) {
            if !missing.is_empty() {
                let detail = format!("null in required {}: {}", fields(missing.len()), missing.join(", "));
                row.findings.insert(0, Finding { code: self.profile.codes.null.clone(), detail });
            }
        }
        Ok(rows)
    }

    fn judge(&mut self, column: &ImportColumn, value: &ImportedValue) -> Option<Finding> {
        match (column.rule?, value) {
            (ImportRule::Environment, ImportedValue::Text(id)) if !self.environments.contains(id) => {
                let detail = format!("{} is none of this connection's environments", self.name(column, id));
                Some(Finding { code: self.profile.codes.environment.clone(), detail })
            }
            (ImportRule::Timestamp, ImportedValue::Long(time)) if !self.window.contains(time) => {
                let detail = format!("{} {}", column.name, unlikely(*time, &self.window));
                Some(Finding { code: self.profile.codes.timestamp.clone(), detail })
            }
            _ => None,
        }
    }

    /// A text as details name it: the first few by themselves, all others together.
    fn name(&mut self, column: &ImportColumn, text: &str) -> String {
        if !self.named.contains(text) {
            if self.named.len() >= NAMED_MAX {
                return format!("{} (one of further values)", column.name);
            }
            self.named.insert(text.to_owned());
        }
        let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
        if text.chars().nth(SHOWN_CHARS).is_some() {
            shown.push_str("...");
        }
        format!("{} `{shown}`", column.name)
    }
}

fn fields(count: usize) -> &'static str {
    if count == 1 { "field" } else { "fields" }
}

/// Why a number is no time in milliseconds, as far as its size tells.
fn unlikely(time: i64, window: &std::ops::RangeInclusive<i64>) -> String {
    let fits = |scaled: Option<i64>| scaled.is_some_and(|scaled| window.contains(&scaled));
    if fits(time.checked_mul(1000)) {
        "is in seconds, not in milliseconds: multiply it by 1000".to_owned()
    } else if fits(Some(time / 1000)) {
        "is in microseconds, not in milliseconds: divide it by 1000".to_owned()
    } else if fits(Some(time / 1_000_000)) {
        "is in nanoseconds, not in milliseconds: divide it by 1000000".to_owned()
    } else if time <= 0 {
        "is zero or negative, not a time in milliseconds".to_owned()
    } else if time > *window.end() {
        "is more than a day in the future".to_owned()
    } else {
        "is before the year 2000".to_owned()
    }
}

fn value(array: &ArrayRef, place: usize, kind: ImportType) -> ImportedValue {
    if array.is_null(place) {
        return ImportedValue::Null;
    }
    let found = match kind {
        ImportType::String => {
            array.as_string_opt::<i32>().map(|texts| ImportedValue::Text(texts.value(place).to_owned()))
        }
        ImportType::Long => {
            array.as_primitive_opt::<Int64Type>().map(|longs| ImportedValue::Long(longs.value(place)))
        }
        ImportType::Double => {
            array.as_primitive_opt::<Float64Type>().map(|doubles| ImportedValue::Double(doubles.value(place)))
        }
        ImportType::Map => map(array, place).map(ImportedValue::Text),
    };
    // The schema was checked, so every array is of its kind.
    found.unwrap_or(ImportedValue::Null)
}

/// A map as a JSON object, its members in order of their names; of several with one name the last counts.
fn map(array: &ArrayRef, place: usize) -> Option<String> {
    let entries = array.as_map_opt()?.value(place);
    let keys = entries.column(0).as_string_opt::<i32>()?;
    let values = entries.column(1).as_string_opt::<i32>()?;
    let members: BTreeMap<&str, Option<&str>> = keys.iter().flatten().zip(values.iter()).collect();
    serde_json::to_string(&members).ok()
}
