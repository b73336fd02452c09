//! Which rows of a dataset a connection exports, and what it does to their texts: chosen in the configuration, by the
//! kinds that the profile tells apart or by what columns hold.

mod kinds;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::filter_record_batch;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

pub use kinds::{RowKind, RowKinds};

use crate::names::DatasetName;
use crate::profile::{Column, ColumnType};

/// Signs with which a spreadsheet takes a text for a formula (OWASP, "CSV Injection").
const FORMULA_SIGNS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// What the configuration says of a dataset's rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowChoice {
    /// The dataset.
    pub dataset: DatasetName,
    /// The kinds of rows to export; all of them if nothing is said.
    pub kinds: Option<Vec<String>>,
    /// What must hold of a row, all of it.
    pub keep: Vec<Keep>,
    /// Columns that the vendor writes only where they are asked for.
    pub columns: Vec<String>,
    /// Whether texts that spreadsheets take for formulas get an apostrophe before them.
    pub escape_formulas: bool,
}

/// A condition that a row must meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Keep {
    /// The column.
    pub column: String,
    /// Where in a column of JSON the value lies, as a JSON pointer.
    pub path: Option<String>,
    /// The values that are kept.
    pub is: Vec<Value>,
    /// Whether rows without a value are kept.
    pub absent: bool,
}

/// Why a choice does not fit a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) problem: String,
    pub(crate) help: String,
}

impl Misfit {
    pub(crate) fn new(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { problem: problem.into(), help: help.into() }
    }
}

/// A choice, by the positions of a dataset's columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RowRules {
    keep: Vec<Rule>,
    escaped: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Rule {
    Kinds { at: usize, kinds: RowKinds, chosen: Vec<String> },
    Value { at: usize, keep: Keep },
}

impl RowRules {
    /// Refuses what the columns do not have.
    pub(crate) fn new(
        choice: &RowChoice,
        columns: &[Column],
        kinds: Option<&RowKinds>,
    ) -> Result<Self, Misfit> {
        let position = |name: &str| {
            columns.iter().position(|column| column.name == name).ok_or_else(|| {
                let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                Misfit::new(
                    format!("it has no column `{name}`"),
                    format!("its columns are {}", names.join(", ")),
                )
            })
        };
        let mut keep = Vec::new();
        if let Some(chosen) = &choice.kinds {
            let Some(kinds) = kinds else {
                return Err(Misfit::new(
                    "the profile tells no kinds of its rows apart",
                    "choose rows with `keep = [{ column = \"NAME\", is = [\"VALUE\"] }]`",
                ));
            };
            if let Some(unknown) = chosen.iter().find(|name| !kinds.names().any(|known| known == *name)) {
                let known: Vec<&str> = kinds.names().collect();
                return Err(Misfit::new(
                    format!("it has no rows of a kind `{unknown}`"),
                    format!("its kinds are {}", known.join(", ")),
                ));
            }
            let at = position(&kinds.column)?;
            keep.push(Rule::Kinds { at, kinds: kinds.clone(), chosen: chosen.clone() });
        }
        for one in &choice.keep {
            let at = position(&one.column)?;
            let kind = columns.get(at).map(|column| column.kind);
            let is_json = matches!(kind, Some(ColumnType::Json | ColumnType::Object));
            let is_plain =
                matches!(kind, Some(ColumnType::String | ColumnType::Boolean | ColumnType::Integer));
            if one.path.is_some() && !is_json {
                return Err(Misfit::new(
                    format!("column `{}` is no JSON, in which `path` could point", one.column),
                    "leave `path` out",
                ));
            }
            if one.path.is_none() && !is_plain {
                return Err(Misfit::new(
                    format!("values of column `{}` cannot be compared as they are", one.column),
                    "choose by a column of texts, integers or booleans, or by a `path` in one of JSON",
                ));
            }
            keep.push(Rule::Value { at, keep: one.clone() });
        }
        let texts = columns.iter().enumerate().filter(|(_, column)| column.kind == ColumnType::String);
        let escaped = if choice.escape_formulas { texts.map(|(at, _)| at).collect() } else { Vec::new() };
        Ok(Self { keep, escaped })
    }

    /// The rows that are exported, and how many are not.
    pub(crate) fn apply(&self, batch: RecordBatch) -> Result<(RecordBatch, u64), ArrowError> {
        let before = batch.num_rows();
        let batch = if self.keep.is_empty() { batch } else { self.kept(&batch)? };
        let left_out = (before - batch.num_rows()) as u64;
        if self.escaped.is_empty() {
            return Ok((batch, left_out));
        }
        let columns = batch.columns().iter().enumerate();
        let columns = columns.map(|(at, column)| match column.as_string_opt::<i32>() {
            Some(texts) if self.escaped.contains(&at) => escaped(texts),
            _ => Arc::clone(column),
        });
        Ok((RecordBatch::try_new(batch.schema(), columns.collect())?, left_out))
    }

    fn kept(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let kept = (0..batch.num_rows()).map(|row| Some(self.keep.iter().all(|rule| rule.holds(batch, row))));
        filter_record_batch(batch, &kept.collect::<BooleanArray>())
    }
}

impl Rule {
    fn holds(&self, batch: &RecordBatch, row: usize) -> bool {
        match self {
            Self::Kinds { at, kinds, chosen } => {
                let text = batch.columns().get(*at).and_then(|column| text(column, row)).unwrap_or_default();
                chosen.iter().any(|name| name == kinds.kind_of(text))
            }
            Self::Value { at, keep } => {
                let value =
                    batch.columns().get(*at).and_then(|column| value(column, row, keep.path.as_deref()));
                value.map_or(keep.absent, |value| keep.is.contains(&value))
            }
        }
    }
}

fn text(column: &ArrayRef, row: usize) -> Option<&str> {
    column.as_string_opt::<i32>().filter(|_| !column.is_null(row)).map(|texts| texts.value(row))
}

/// The value of a cell, or what lies at a path within it; a null is none.
fn value(column: &ArrayRef, row: usize, path: Option<&str>) -> Option<Value> {
    if column.is_null(row) {
        return None;
    }
    if let Some(path) = path {
        let json: Value = serde_json::from_str(text(column, row)?).ok()?;
        return json.pointer(path).filter(|value| !value.is_null()).cloned();
    }
    match column.data_type() {
        DataType::Boolean => Some(Value::from(column.as_boolean_opt()?.value(row))),
        DataType::Int64 => Some(Value::from(column.as_primitive_opt::<Int64Type>()?.value(row))),
        _ => text(column, row).map(Value::from),
    }
}

/// An apostrophe before texts that spreadsheets would take for formulas.
fn escaped(texts: &StringArray) -> ArrayRef {
    let escaped = texts.iter().map(|text| {
        text.map(|text| if text.starts_with(FORMULA_SIGNS) { format!("'{text}") } else { text.to_owned() })
    });
    Arc::new(escaped.collect::<StringArray>())
}

#[cfg(test)]
mod tests;
