//! The columns of a dataset and the Arrow schema they make.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::vocabulary::{Mode, Partitioning};
use crate::names::DatasetName;
use crate::row_rules::{Misfit, RowChoice, RowKinds, RowRules};

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
    /// A list of integers of 64 bits.
    IntegerArray,
    /// A JSON object, kept as its source text.
    Object,
    /// An object of the fields that the column lists.
    Struct,
    /// A list of such objects.
    StructArray,
    /// A decimal number, kept as its digits; JSON may give it as a number or as a text.
    Decimal,
    /// An instant that JSON shows as a text of milliseconds since the epoch.
    Millis,
}

impl ColumnType {
    /// The Arrow type of a column without fields; Parquet's follows from it.
    fn plain_type(self) -> DataType {
        match self {
            Self::String | Self::Json | Self::Object | Self::Decimal => DataType::Utf8,
            Self::Datetime | Self::Millis => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Array | Self::ArrayJson => DataType::List(element_field()),
            Self::IntegerArray => DataType::List(integer_element_field()),
            // Their types come from their fields.
            Self::Struct | Self::StructArray => DataType::Null,
        }
    }

    /// Whether the column can be part of a natural key.
    pub(crate) fn can_be_key(self) -> bool {
        matches!(self, Self::String | Self::Datetime | Self::Millis | Self::Boolean | Self::Integer)
    }

    /// Whether the column holds instants.
    pub(crate) fn is_instant(self) -> bool {
        matches!(self, Self::Datetime | Self::Millis)
    }
}

/// The element of lists of integers, named as the Parquet format asks.
pub(crate) fn integer_element_field() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Int64, false))
}

/// The element of lists of texts, named as the Parquet format asks.
pub(crate) fn element_field() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, false))
}

/// The form that texts of a column have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextForm {
    /// No upper-case letter.
    LowerCase,
    /// An address of IPv4 or IPv6.
    IpAddress,
    /// Three upper-case letters, as ISO 4217 has them.
    CurrencyCode,
    /// Up to 64 bits in hexadecimal digits.
    Hexadecimal,
}

impl TextForm {
    /// Whether `text` has the form.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::LowerCase => !text.chars().any(char::is_uppercase),
            Self::IpAddress => text.parse::<std::net::IpAddr>().is_ok(),
            Self::CurrencyCode => text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
            Self::Hexadecimal => {
                (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
        }
    }

    /// What a column of the form takes, for people.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::LowerCase => "a text in lower case",
            Self::IpAddress => "an IP address",
            Self::CurrencyCode => "a currency code of three letters",
            Self::Hexadecimal => "up to 16 hexadecimal digits",
        }
    }
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
    /// The form of its texts, if the vendor documents one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<TextForm>,
    /// What the objects of a struct, or of a list of structs, hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Column>,
}

impl Column {
    /// The Arrow type; Parquet's follows from it.
    pub fn data_type(&self) -> DataType {
        match self.kind {
            ColumnType::Struct => DataType::Struct(fields_of(&self.fields)),
            ColumnType::StructArray => DataType::List(self.element()),
            plain => plain.plain_type(),
        }
    }

    /// The element of a list of structs, named as the Parquet format asks.
    pub(crate) fn element(&self) -> Arc<Field> {
        Arc::new(Field::new("element", DataType::Struct(fields_of(&self.fields)), false))
    }

    /// Columns of a Parquet file that hold it: each field is one.
    pub(crate) fn leaves(&self) -> usize {
        match self.kind {
            ColumnType::Struct | ColumnType::StructArray => self.fields.iter().map(Self::leaves).sum(),
            _ => 1,
        }
    }
}

/// The Arrow fields of `columns`.
pub(crate) fn fields_of(columns: &[Column]) -> Fields {
    columns.iter().map(|column| Field::new(&column.name, column.data_type(), column.nullable)).collect()
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
    pub(super) version_position: Option<usize>,
    pub(super) time_position: Option<usize>,
    pub(super) schema: SchemaRef,
    pub(super) mode: Mode,
    pub(super) layout: Layout,
    pub(super) partitioning: Partitioning,
    pub(super) optional_columns: Vec<Column>,
    pub(super) kinds: Option<RowKinds>,
    pub(super) rules: RowRules,
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

    /// Columns that come behind the others where a connection asks for them.
    pub fn optional_columns(&self) -> &[Column] {
        &self.optional_columns
    }

    /// The kinds of its rows, if the profile tells some apart.
    pub fn kinds(&self) -> Option<&RowKinds> {
        self.kinds.as_ref()
    }

    /// Which of its rows a connection exports.
    pub(crate) fn rules(&self) -> &RowRules {
        &self.rules
    }

    /// The dataset with those of its optional columns that `is_there` takes.
    #[must_use]
    pub fn with_optional(&self, is_there: impl Fn(&str) -> bool) -> Self {
        let mut dataset = self.clone();
        dataset.columns.extend(self.optional_columns.iter().filter(|column| is_there(&column.name)).cloned());
        dataset.schema = schema_of(&dataset.columns);
        dataset
    }

    /// The dataset as a connection has it: with the columns that it asks for, and the rows that it chooses.
    pub(crate) fn chosen(&self, choice: &RowChoice) -> Result<Self, Misfit> {
        let is_optional = |name: &String| self.optional_columns.iter().any(|column| column.name == *name);
        if let Some(unknown) = choice.columns.iter().find(|name| !is_optional(name)) {
            let names: Vec<&str> = self.optional_columns.iter().map(|column| column.name.as_str()).collect();
            let help = if names.is_empty() {
                "leave `columns` out: it has all that the vendor documents".to_owned()
            } else {
                format!("columns to ask for are {}", names.join(", "))
            };
            return Err(Misfit::new(format!("it has no column `{unknown}` to ask for"), help));
        }
        let has_identity = matches!(self.mode, Mode::Replace | Mode::Snapshot);
        if has_identity && (choice.kinds.is_some() || !choice.keep.is_empty()) {
            return Err(Misfit::new(
                "it replaces what it wrote, so that a row which is left out later would stay as it was",
                "choose the rows in the source",
            ));
        }
        let mut dataset = self.with_optional(|name| choice.columns.iter().any(|asked| asked == name));
        dataset.rules = RowRules::new(choice, &dataset.columns, self.kinds.as_ref())?;
        Ok(dataset)
    }

    /// How its objects come to be.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How keys are made.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How it is cut into partitions.
    pub fn partitioning(&self) -> Partitioning {
        self.partitioning
    }

    /// Key alternatives in order of preference; none if rows have no identity.
    pub fn keys(&self) -> &[KeyColumns] {
        &self.keys
    }

    /// The Arrow schema of the dataset's objects.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Name of the column whose greatest value wins, if versions are told apart.
    pub fn version_column(&self) -> Option<&str> {
        Some(self.columns.get(self.version_position?)?.name.as_str())
    }

    /// Name of the column that holds the row's time, if one does.
    pub fn time_column(&self) -> Option<&str> {
        Some(self.columns.get(self.time_position?)?.name.as_str())
    }

    /// The time of the first row, if rows have one.
    pub(crate) fn first_instant(&self, rows: &RecordBatch) -> Option<Timestamp> {
        let times =
            rows.columns().get(self.time_position?)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        Timestamp::from_microsecond(*times.values().first()?).ok()
    }

    pub(crate) fn key_positions(&self) -> &[KeyPositions] {
        &self.key_positions
    }

    pub(crate) fn version_position(&self) -> Option<usize> {
        self.version_position
    }

    pub(crate) fn time_position(&self) -> Option<usize> {
        self.time_position
    }
}

/// The Arrow schema of `columns`.
pub(super) fn schema_of(columns: &[Column]) -> SchemaRef {
    Arc::new(Schema::new(fields_of(columns)))
}
