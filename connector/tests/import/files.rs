//! Parquet files as customers make them, right and wrong.

use std::sync::Arc;

use arrow_array::builder::{MapBuilder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

/// 2026-01-01T00:00:00Z.
pub(crate) const NEW_YEAR_MS: i64 = 1_767_225_600_000;

/// A row; what is `None` is null.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) environment: Option<&'static str>,
    pub(crate) key: Option<String>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) value: Option<f64>,
}

impl Row {
    pub(crate) fn good(number: usize) -> Self {
        Self {
            environment: Some("prod"),
            key: Some(format!("user-{number}")),
            timestamp: Some(NEW_YEAR_MS - 1000),
            value: number.is_multiple_of(2).then_some(1.5),
        }
    }
}

/// The seven columns of the vendor, in its order.
pub(crate) fn columns(rows: &[Row]) -> Vec<(&'static str, ArrayRef)> {
    let text = |of: fn(&Row) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let mut properties = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for (number, _) in rows.iter().enumerate() {
        properties.keys().append_value("plan");
        properties.values().append_option((number % 3 > 0).then_some("pro"));
        properties.append(number % 5 > 0).unwrap();
    }
    vec![
        ("environmentId", text(|row| row.environment.map(str::to_owned))),
        ("trafficTypeId", text(|_| Some("user".to_owned()))),
        ("eventTypeId", text(|_| Some("page.load".to_owned()))),
        ("key", text(|row| row.key.clone())),
        ("timestamp", Arc::new(rows.iter().map(|row| row.timestamp).collect::<Int64Array>())),
        ("value", Arc::new(rows.iter().map(|row| row.value).collect::<Float64Array>())),
        ("properties", Arc::new(properties.finish())),
    ]
}

pub(crate) fn batch(columns: Vec<(&'static str, ArrayRef)>) -> RecordBatch {
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<Field>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

/// A file of these columns.
pub(crate) fn parquet(columns: Vec<(&'static str, ArrayRef)>, compression: Compression) -> Bytes {
    let batch = batch(columns);
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    Bytes::from(writer.into_inner().unwrap())
}

pub(crate) fn file(rows: &[Row]) -> Bytes {
    parquet(columns(rows), Compression::SNAPPY)
}

/// One column in place of the vendor's.
pub(crate) fn with_column(name: &'static str, array: ArrayRef) -> Bytes {
    let rows: Vec<Row> = (0..array.len()).map(Row::good).collect();
    let mut columns = columns(&rows);
    let place = columns.iter().position(|(own, _)| *own == name).unwrap();
    columns[place] = (name, array);
    parquet(columns, Compression::UNCOMPRESSED)
}

pub(crate) fn without_column(name: &str) -> Bytes {
    let columns = columns(&[Row::good(0)]).into_iter().filter(|(own, _)| *own != name).collect();
    parquet(columns, Compression::UNCOMPRESSED)
}

/// Whether a type is that of a text, whatever its width.
pub(crate) fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
