//! The rows of a Parquet file, each with what is wrong with it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, ArrayRef, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use jiff::Timestamp;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use super::config::ImportConfig;
use super::entries::Finding;
use super::json;
use super::lzo_pages::{self, LzoBatches};
use super::profile::{ImportColumn, ImportProfile, ImportRule};
use super::schema;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// What a decoder gives, also if it gives up on bytes that nobody has thought of: one bad file must not end an import.
pub(crate) fn guarded<T>(decode: impl FnOnce() -> T) -> Result<T, String> {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode));
    outcome.map_err(|_| "the decoder of Parquet gave up".to_owned())
}

/// Rows that are decoded at once; memory is bounded by a row group's pages and these.
const BATCH_ROWS: usize = 8192;
/// Different texts of one kind that details name; the others are told together, so that entries stay few.
const NAMED_MAX: usize = 20;
/// Characters of a text that a detail repeats.
const SHOWN_CHARS: usize = 64;

/// Rows that were decoded together, and what is wrong with them.
#[derive(Debug)]
pub(crate) struct CheckedRows {
    /// The profile's columns, in its order.
    pub(crate) columns: Vec<ArrayRef>,
    /// What the profile has no column for, as a JSON object for each row, if that is kept.
    pub(crate) rescued: Option<StringArray>,
    /// The place of the first in its file, from 0.
    pub(crate) first: u64,
    /// Whether each is stored: nothing is wrong with it.
    pub(crate) stored: Vec<bool>,
    /// What is wrong, by the place among these rows.
    pub(crate) wrong: BTreeMap<usize, Vec<Finding>>,
}

impl CheckedRows {
    /// The places among these rows of those that are stored.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.stored.iter().enumerate().filter(|(_, stored)| **stored).map(|(place, _)| place)
    }

    /// The place in the file of one of these rows.
    pub(crate) fn number(&self, place: usize) -> u64 {
        self.first.saturating_add(place as u64)
    }

    /// Leaves out rows that are stored already, by their places in the file.
    pub(crate) fn leave_out(&mut self, taken: &HashSet<u64>) {
        if taken.is_empty() {
            return;
        }
        for (number, stored) in (self.first..).zip(&mut self.stored) {
            *stored &= !taken.contains(&number);
        }
    }
}

/// Reads a file that has been checked to be of the schema.
pub(crate) struct RowReader<'a> {
    profile: &'a ImportProfile,
    environments: &'a BTreeSet<String>,
    window: std::ops::RangeInclusive<i64>,
    batches: Batches,
    named: BTreeSet<String>,
    keeps_others: bool,
    next: u64,
}

impl<'a> RowReader<'a> {
    /// Opens a file; what is wrong with the file as a whole is told in words.
    pub(crate) fn open(
        file: File,
        config: &'a ImportConfig,
        environments: &'a BTreeSet<String>,
        now: Timestamp,
    ) -> Result<Self, String> {
        let profile = &config.profile;
        // The schema is what Parquet says, not what some writer's hints make of it.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let packed = file.try_clone().map_err(|error| format!("a temporary file cannot be used: {error}"))?;
        let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new_with_options(file, options))
            .and_then(|builder| builder.map_err(|error| error.to_string()))
            .map_err(|problem| {
                format!(
                    "the file cannot be read as Parquet: {}",
                    problem.trim_start_matches("Parquet error: ")
                )
            })?;
        let metadata = Arc::clone(builder.metadata());
        let descriptor = metadata.file_metadata().schema_descr_ptr();
        let root = descriptor.root_schema();
        let keeps_others = config.rescue_column.is_some();
        let mut defects = schema::defects(root, &profile.columns);
        if keeps_others {
            defects.extend(schema::ambiguous(root));
        }
        if !defects.is_empty() {
            return Err(defects.join("; "));
        }
        let unpacked = metadata
            .row_groups()
            .iter()
            .map(|group| u64::try_from(group.total_byte_size()).unwrap_or(u64::MAX))
            .fold(0_u64, u64::saturating_add);
        if unpacked > config.unpacked_bytes_max {
            return Err(format!(
                "the file unpacks to {unpacked} bytes, more than {}; split it, or raise `limits.unpacked_mib`",
                config.unpacked_bytes_max
            ));
        }
        let wanted: Vec<usize> = root
            .get_fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| {
                keeps_others || profile.columns.iter().any(|column| column.name == field.name())
            })
            .map(|(place, _)| place)
            .collect();
        let mask = ProjectionMask::roots(&descriptor, wanted);
        let wrong = |error: ParquetError| format!("the file cannot be read as Parquet: {error}");
        let batches: Batches = if lzo_pages::is_used(&metadata) {
            Box::new(LzoBatches::open(packed, &metadata, mask, BATCH_ROWS, config.unpacked_bytes_max)?)
        } else {
            let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(wrong)?;
            Box::new(reader)
        };
        let window = profile.window(now);
        Ok(Self { profile, environments, window, batches, named: BTreeSet::new(), keeps_others, next: 0 })
    }

    /// The next rows; `None` behind the last.
    pub(crate) fn next_rows(&mut self) -> Option<Result<CheckedRows, String>> {
        let batches = &mut self.batches;
        let outcome = guarded(|| batches.next());
        let problem = match outcome {
            Ok(None) => return None,
            Ok(Some(Ok(batch))) => return Some(self.checked(&batch)),
            Ok(Some(Err(error))) => error.to_string(),
            Err(problem) => problem,
        };
        let problem =
            problem.trim_start_matches("Parquet argument error: ").trim_start_matches("Parquet error: ");
        Some(Err(format!("the file cannot be read to its end, so nothing of it is stored: {problem}")))
    }

    /// Checks column by column: where nothing is wrong, no row is looked at by itself.
    fn checked(&mut self, batch: &RecordBatch) -> Result<CheckedRows, String> {
        let mut missing: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        let mut wrong: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
        let mut columns = Vec::with_capacity(self.profile.columns.len());
        let profile = self.profile;
        for column in &profile.columns {
            let array = batch.column_by_name(&column.name);
            let array = array.ok_or_else(|| format!("column `{}` is missing", column.name))?;
            if column.required && array.null_count() > 0 {
                for place in (0..array.len()).filter(|place| array.is_null(*place)) {
                    missing.entry(place).or_default().push(&column.name);
                }
            }
            match column.rule {
                Some(ImportRule::Environment) => self.environments(column, array, &mut wrong),
                Some(ImportRule::Timestamp) => self.timestamps(column, array, &mut wrong),
                None => {}
            }
            columns.push(Arc::clone(array));
        }
        for (place, missing) in missing {
            let detail = format!("null in required {}: {}", fields(missing.len()), missing.join(", "));
            let finding = Finding { code: profile.codes.null.clone(), detail };
            wrong.entry(place).or_default().insert(0, finding);
        }
        let mut stored = vec![true; batch.num_rows()];
        for place in wrong.keys() {
            if let Some(stored) = stored.get_mut(*place) {
                *stored = false;
            }
        }
        let rescued = self.keeps_others.then(|| self.others(batch)).transpose()?;
        let first = self.next;
        self.next = self.next.saturating_add(batch.num_rows() as u64);
        Ok(CheckedRows { columns, rescued, first, stored, wrong })
    }

    fn environments(
        &mut self,
        column: &ImportColumn,
        array: &ArrayRef,
        wrong: &mut BTreeMap<usize, Vec<Finding>>,
    ) {
        let Some(texts) = array.as_string_opt::<i32>() else { return };
        // Neighbours mostly agree.
        let mut known = None;
        for (place, text) in texts.iter().enumerate() {
            let Some(id) = text else { continue };
            if known == Some(id) {
                continue;
            }
            if self.environments.contains(id) {
                known = Some(id);
                continue;
            }
            let alike = |own: &&String| own.eq_ignore_ascii_case(id.trim());
            let hint = self.environments.iter().find(alike);
            let hint = hint.map_or_else(String::new, |own| {
                format!("; `{own}` differs in letter case or in white space around it")
            });
            let detail = format!("{} is none of this connection's environments{hint}", self.name(column, id));
            let finding = Finding { code: self.profile.codes.environment.clone(), detail };
            wrong.entry(place).or_default().push(finding);
        }
    }

    fn timestamps(&self, column: &ImportColumn, array: &ArrayRef, wrong: &mut BTreeMap<usize, Vec<Finding>>) {
        let Some(longs) = array.as_primitive_opt::<Int64Type>() else { return };
        for (place, time) in longs.iter().enumerate() {
            let Some(time) = time.filter(|time| !self.window.contains(time)) else { continue };
            let detail = format!("{} {}", column.name, unlikely(time, &self.window));
            let finding = Finding { code: self.profile.codes.timestamp.clone(), detail };
            wrong.entry(place).or_default().push(finding);
        }
    }

    /// The values of all columns that the profile does not have, an object for each row; null, if there is none.
    fn others(&self, batch: &RecordBatch) -> Result<StringArray, String> {
        let schema = batch.schema_ref();
        let mut others = Vec::new();
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            if self.profile.columns.iter().any(|column| column.name == *field.name()) {
                continue;
            }
            if !json::is_supported(field.data_type()) {
                return Err(format!(
                    "column `{}` is of the type {}, which the rescue column cannot keep",
                    field.name(),
                    field.data_type()
                ));
            }
            others.push((field.name(), array));
        }
        let object = |place: usize| {
            let values = others.iter().filter(|(_, array)| !array.is_null(place));
            let object: serde_json::Map<String, serde_json::Value> =
                values.map(|(name, array)| ((*name).clone(), json::value(array, place))).collect();
            (!object.is_empty()).then(|| serde_json::Value::Object(object).to_string())
        };
        Ok((0..batch.num_rows()).map(object).collect())
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
