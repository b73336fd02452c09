//! The columns and rows of one file, Parquet or CSV, as values that a database takes.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, civil};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use rusqlite::types::Value;

use super::config::CsvDialect;
use super::profile::CatalogueFormat;
use crate::import::codec::{self, UnwrapError, Wrapping};
use crate::import::json;
use crate::import::lzo_pages::{self, LzoBatches};
use crate::import::rows::guarded;

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 4096;

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its type, in words.
    pub(super) kind: String,
}

/// Why a file cannot be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The file is wrong.
    File(String),
    /// This machine is at fault.
    Machine(std::io::Error),
}

impl From<UnwrapError> for ReadError {
    fn from(error: UnwrapError) -> Self {
        match error {
            UnwrapError::File(reason) => Self::File(reason),
            UnwrapError::Machine(error) => Self::Machine(error),
        }
    }
}

enum Rows {
    Parquet(Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>),
    Csv { records: csv::StringRecordsIntoIter<BufReader<File>>, null: String },
}

/// A file that is being read.
pub(super) struct TableReader {
    pub(super) columns: Vec<Column>,
    rows: Rows,
}

impl TableReader {
    pub(super) fn open(
        mut spool: File,
        (format, csv): (CatalogueFormat, &CsvDialect),
        bytes: u64,
        limit: u64,
    ) -> Result<Self, ReadError> {
        let mut first = Vec::with_capacity(16);
        spool.seek(SeekFrom::Start(0)).map_err(ReadError::Machine)?;
        (&mut spool).take(16).read_to_end(&mut first).map_err(ReadError::Machine)?;
        let wrapping = Wrapping::of(&first);
        let mut plain = match (format, wrapping) {
            (CatalogueFormat::Parquet, None) => return Err(ReadError::File(codec::describe(&first, bytes))),
            (CatalogueFormat::Csv, Some(Wrapping::None)) => {
                return Err(ReadError::File("the file is Parquet; the connection says CSV".to_owned()));
            }
            (_, None | Some(Wrapping::None)) => spool,
            (_, Some(wrapping)) => codec::unwrap(&mut spool, wrapping, limit)?,
        };
        plain.seek(SeekFrom::Start(0)).map_err(ReadError::Machine)?;
        match format {
            CatalogueFormat::Parquet => Self::parquet(plain, limit),
            CatalogueFormat::Csv => Self::csv(plain, csv),
        }
    }

    fn parquet(file: File, limit: u64) -> Result<Self, ReadError> {
        let wrong = |error: &dyn std::fmt::Display| {
            ReadError::File(format!("the file cannot be read as Parquet: {error}"))
        };
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let packed = file.try_clone().map_err(ReadError::Machine)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .map_err(|error| wrong(&error))?;
        let mut columns: Vec<Column> = Vec::new();
        for field in builder.schema().fields() {
            if !json::is_supported(field.data_type()) {
                return Err(ReadError::File(format!(
                    "column `{}` is of the type {}, which is not supported",
                    field.name(),
                    field.data_type()
                )));
            }
            columns.push(Column { name: field.name().clone(), kind: field.data_type().to_string() });
        }
        let rows: Box<dyn Iterator<Item = _> + Send> = if lzo_pages::is_used(builder.metadata()) {
            let all = ProjectionMask::all();
            let opened = LzoBatches::open(packed, builder.metadata(), all, BATCH_ROWS, limit);
            Box::new(opened.map_err(ReadError::File)?)
        } else {
            Box::new(builder.with_batch_size(BATCH_ROWS).build().map_err(|error| wrong(&error))?)
        };
        Self { columns, rows: Rows::Parquet(rows) }.checked()
    }

    /// RFC 4180 with a header, in the connection's dialect; what is not null is text.
    fn csv(file: File, dialect: &CsvDialect) -> Result<Self, ReadError> {
        let mut reader =
            csv::ReaderBuilder::new().delimiter(dialect.delimiter).from_reader(BufReader::new(file));
        let header =
            reader.headers().map_err(|error| ReadError::File(format!("the header is wrong: {error}")))?;
        if header.is_empty() {
            return Err(ReadError::File("the file is empty; CSV begins with a header".to_owned()));
        }
        // Programs on Windows begin files with a mark that is no part of the first name.
        let columns = header.iter().map(|name| Column {
            name: name.trim_start_matches('\u{feff}').to_owned(),
            kind: "text".to_owned(),
        });
        let columns = columns.collect();
        Self { columns, rows: Rows::Csv { records: reader.into_records(), null: dialect.null.clone() } }
            .checked()
    }

    fn checked(self) -> Result<Self, ReadError> {
        for (place, column) in self.columns.iter().enumerate() {
            if column.name.is_empty() {
                return Err(ReadError::File(format!("column {} has no name", place + 1)));
            }
            // The database does not tell names apart by their letter case.
            let same = |other: &&Column| other.name.eq_ignore_ascii_case(&column.name);
            if self.columns.iter().take(place).any(|other| same(&other)) {
                return Err(ReadError::File(format!("column `{}` occurs twice", column.name)));
            }
        }
        Ok(self)
    }

    /// The next rows; `None` behind the last.
    pub(super) fn next_rows(&mut self) -> Option<Result<Vec<Vec<Value>>, String>> {
        match &mut self.rows {
            Rows::Parquet(batches) => Some(match guarded(|| batches.next()).transpose()? {
                Err(problem) => Err(format!("the file cannot be read to its end: {problem}")),
                Ok(Err(error)) => Err(format!("the file cannot be read to its end: {error}")),
                Ok(Ok(batch)) => Ok((0..batch.num_rows())
                    .map(|place| batch.columns().iter().map(|array| value(array, place)).collect())
                    .collect()),
            }),
            Rows::Csv { records, null } => {
                let mut rows = Vec::new();
                for record in records.by_ref().take(BATCH_ROWS) {
                    let record = match record {
                        Ok(record) => record,
                        Err(error) => return Some(Err(format!("the file is no CSV: {error}"))),
                    };
                    let cell =
                        |text: &str| if text == *null { Value::Null } else { Value::Text(text.to_owned()) };
                    rows.push(record.iter().map(cell).collect());
                }
                (!rows.is_empty()).then_some(Ok(rows))
            }
        }
    }
}

fn integer<T: ArrowPrimitiveType>(array: &ArrayRef, place: usize) -> Option<Value>
where
    T::Native: Into<i64>,
{
    Some(Value::Integer(array.as_primitive_opt::<T>()?.value(place).into()))
}

fn stamp<T: ArrowPrimitiveType<Native = i64>>(
    array: &ArrayRef,
    place: usize,
    nanoseconds: i128,
    is_utc: bool,
) -> Option<Value> {
    let count = array.as_primitive_opt::<T>()?.value(place);
    let time = Timestamp::from_nanosecond(i128::from(count) * nanoseconds);
    // Of a time beyond the year 9999 the number is kept.
    let Ok(time) = time else { return Some(Value::Text(count.to_string())) };
    let text = if is_utc { time.to_string() } else { time.to_zoned(TimeZone::UTC).datetime().to_string() };
    Some(Value::Text(text))
}

fn value(array: &ArrayRef, place: usize) -> Value {
    if array.is_null(place) {
        return Value::Null;
    }
    let found = match array.data_type() {
        DataType::Boolean => array.as_boolean_opt().map(|flags| Value::Integer(flags.value(place).into())),
        DataType::Int8 => integer::<Int8Type>(array, place),
        DataType::Int16 => integer::<Int16Type>(array, place),
        DataType::Int32 => integer::<Int32Type>(array, place),
        DataType::Int64 => integer::<Int64Type>(array, place),
        DataType::UInt8 => integer::<UInt8Type>(array, place),
        DataType::UInt16 => integer::<UInt16Type>(array, place),
        DataType::UInt32 => integer::<UInt32Type>(array, place),
        // What does not fit is kept as its digits.
        DataType::UInt64 => array.as_primitive_opt::<UInt64Type>().map(|numbers| {
            let number = numbers.value(place);
            i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Integer)
        }),
        DataType::Float32 => {
            array.as_primitive_opt::<Float32Type>().map(|numbers| real(numbers.value(place).into()))
        }
        DataType::Float64 => {
            array.as_primitive_opt::<Float64Type>().map(|numbers| real(numbers.value(place)))
        }
        DataType::Utf8 => {
            array.as_string_opt::<i32>().map(|texts| Value::Text(texts.value(place).to_owned()))
        }
        DataType::Binary => {
            array.as_binary_opt::<i32>().map(|bytes| Value::Blob(bytes.value(place).to_vec()))
        }
        DataType::FixedSizeBinary(_) => {
            array.as_fixed_size_binary_opt().map(|bytes| Value::Blob(bytes.value(place).to_vec()))
        }
        DataType::Date32 => array.as_primitive_opt::<Date32Type>().map(|days| {
            let days = days.value(place);
            let date = civil::date(1970, 1, 1).checked_add(i64::from(days).days());
            Value::Text(date.map_or_else(|_| days.to_string(), |date| date.to_string()))
        }),
        DataType::Timestamp(unit, zone) => match unit {
            TimeUnit::Second => stamp::<TimestampSecondType>(array, place, 1_000_000_000, zone.is_some()),
            TimeUnit::Millisecond => {
                stamp::<TimestampMillisecondType>(array, place, 1_000_000, zone.is_some())
            }
            TimeUnit::Microsecond => stamp::<TimestampMicrosecondType>(array, place, 1_000, zone.is_some()),
            TimeUnit::Nanosecond => stamp::<TimestampNanosecondType>(array, place, 1, zone.is_some()),
        },
        DataType::Decimal128(..) => array
            .as_primitive_opt::<Decimal128Type>()
            .map(|numbers| Value::Text(numbers.value_as_string(place))),
        // Lists, structures, maps and what is left of the rest.
        _ => Some(match json::value(array, place) {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::String(text) => Value::Text(text),
            other => Value::Text(other.to_string()),
        }),
    };
    found.unwrap_or(Value::Null)
}

/// SQLite takes NaN for null; texts keep what numbers cannot.
fn real(number: f64) -> Value {
    if number.is_nan() { Value::Text("NaN".to_owned()) } else { Value::Real(number) }
}
