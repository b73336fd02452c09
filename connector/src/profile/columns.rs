//! The columns of a dataset and the Arrow schema they make.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::names::DatasetName;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// UTF-8 text.
    String,
    /// Any JSON value, kept as its source text.
    Json,
    /// An instant, microseconds since the epoch, UTC.
    Datetime,
    /// True or false.
    Boolean,
    /// 64 bits, signed.
    Integer,
    /// A list of texts.
    Array,
    /// A list of JSON values, each kept as its source text.
    ArrayJson,
}

impl ColumnType {
    /// The Arrow type; Parquet's follows from it.
    pub fn data_type(self) -> DataType {
        match self {
            Self::String | Self::Json => DataType::Utf8,
            Self::Datetime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Array | Self::ArrayJson => DataType::List(element_field()),
        }
    }

    /// Whether the column can be part of a natural key.
    pub(crate) fn can_be_key(self) -> bool {
        matches!(self, Self::String | Self::Datetime | Self::Boolean | Self::Integer)
    }
}

/// The element of both list types, named as the Parquet format asks.
pub(crate) fn element_field() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, false))
}

/// One column of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Name, unique within the dataset.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Whether a row may lack it.
    pub nullable: bool,
    /// One line for people.
    pub doc: String,
    /// The closed list of values, if the vendor documents one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
}

/// One way to identify a row: if all `present` columns are non-null, the `columns` together are its key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyColumns {
    /// Columns that must be non-null for this key to apply.
    pub present: Vec<String>,
    /// Columns of the key; a null is a value like any other here.
    pub columns: Vec<String>,
}

/// A key alternative by column position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyPositions {
    pub(crate) present: Vec<usize>,
    pub(crate) columns: Vec<usize>,
}

/// One table of a vendor: its columns, how rows are identified, and which version of a row wins.
#[derive(Clone, Debug)]
pub struct Dataset {
    pub(super) name: DatasetName,
    pub(super) columns: Vec<Column>,
    pub(super) keys: Vec<KeyColumns>,
    pub(super) key_positions: Vec<KeyPositions>,
    pub(super) version_position: usize,
    pub(super) time_position: usize,
    pub(super) schema: SchemaRef,
}

impl Dataset {
    /// The dataset's name.
    pub fn name(&self) -> &DatasetName {
        &self.name
    }

    /// Columns in file order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Key alternatives in order of preference.
    pub fn keys(&self) -> &[KeyColumns] {
        &self.keys
    }

    /// The Arrow schema of the dataset's objects.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Name of the column whose greatest value wins.
    pub fn version_column(&self) -> &str {
        self.columns.get(self.version_position).map_or("", |column| &column.name)
    }

    /// Name of the column that picks the partition.
    pub fn time_column(&self) -> &str {
        self.columns.get(self.time_position).map_or("", |column| &column.name)
    }

    pub(crate) fn key_positions(&self) -> &[KeyPositions] {
        &self.key_positions
    }

    pub(crate) fn version_position(&self) -> usize {
        self.version_position
    }

    pub(crate) fn time_position(&self) -> usize {
        self.time_position
    }
}

/// The Arrow schema of `columns`.
pub(super) fn schema_of(columns: &[Column]) -> SchemaRef {
    let fields: Vec<Field> = columns
        .iter()
        .map(|column| Field::new(&column.name, column.kind.data_type(), column.nullable))
        .collect();
    Arc::new(Schema::new(fields))
}
