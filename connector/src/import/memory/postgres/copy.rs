//! Rows as COPY takes them, in its binary form.

use std::error::Error;
use std::fmt;
use std::pin::Pin;

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio_postgres::CopyInSink;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::import::cells::{Cell, Cells, cells};
use crate::import::memory::signed;
use crate::import::profile::{ImportColumn, ImportType};
use crate::import::rows::CheckedRows;

/// A COPY that is under way; dropped, it stores nothing.
pub(super) struct Copying {
    writer: Pin<Box<BinaryCopyInWriter>>,
}

impl fmt::Debug for Copying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Copying")
    }
}

impl Copying {
    pub(super) fn new(sink: CopyInSink<Bytes>, columns: &[ImportColumn], has_rescue: bool) -> Self {
        let own = columns.iter().map(|column| match column.kind {
            ImportType::String => Type::TEXT,
            ImportType::Map => Type::JSON,
            ImportType::Long => Type::INT8,
            ImportType::Double => Type::FLOAT8,
        });
        let rescue = has_rescue.then_some(Type::JSON);
        let types: Vec<Type> = [Type::INT8, Type::INT8].into_iter().chain(own).chain(rescue).collect();
        Self { writer: Box::pin(BinaryCopyInWriter::new(sink, &types)) }
    }

    /// The stored ones of these rows, which fit.
    pub(super) async fn rows(
        &mut self,
        file: i64,
        rows: &CheckedRows,
        columns: &[ImportColumn],
    ) -> Result<(), tokio_postgres::Error> {
        let cells = cells(rows, columns).unwrap_or_default();
        let mut values: Vec<Cell<'_>> = Vec::with_capacity(cells.len() + 2);
        for place in rows.places() {
            values.clear();
            values.extend([Cell::Long(file), Cell::Long(signed(rows.number(place)))]);
            values.extend(cells.iter().map(|cells| cells.get(place)));
            self.writer.as_mut().write_raw(&values).await?;
        }
        Ok(())
    }

    /// Ends it; its rows are part of the transaction.
    pub(super) async fn finish(mut self) -> Result<u64, tokio_postgres::Error> {
        self.writer.as_mut().finish().await
    }
}

/// Why rows cannot be stored: they are not of their types, or a text has a character that the database has not.
pub(super) fn unfit(rows: &CheckedRows, columns: &[ImportColumn]) -> Option<String> {
    let cells = match cells(rows, columns) {
        Ok(cells) => cells,
        Err(detail) => return Some(detail),
    };
    for (column, cells) in columns.iter().zip(&cells) {
        let Cells::Text(texts) = cells else { continue };
        // Mostly there is none, which one look at all bytes tells.
        if memchr::memchr(0, texts.value_data()).is_none() {
            continue;
        }
        let is_hit = |place: &usize| matches!(cells.get(*place), Cell::Text(text) if text.contains('\0'));
        if let Some(place) = rows.places().find(is_hit) {
            return Some(format!(
                "column `{}` has the character U+0000 in row {}, which PostgreSQL cannot store; remove it from the file",
                column.name,
                rows.number(place).saturating_add(1)
            ));
        }
    }
    None
}

impl ToSql for Cell<'_> {
    fn to_sql(&self, _kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Text(text) => out.put_slice(text.as_bytes()),
            Self::Json(text) => out.put_slice(text.as_bytes()),
            Self::Long(long) => out.put_i64(*long),
            Self::Double(double) => out.put_f64(*double),
        }
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::TEXT | Type::JSON | Type::INT8 | Type::FLOAT8)
    }

    to_sql_checked!();
}
