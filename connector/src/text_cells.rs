//! The cells of a batch as writers of text see them: what all rows of a column have in common is told apart once.

use arrow_array::{BooleanArray, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;

use crate::column_view::ColumnView;
use crate::datetime::{Fraction, InstantWriter};
use crate::profile::{Column, ColumnType, Dataset};

/// Bytes looked at together.
const BLOCK_BYTES: usize = 64;

/// A column of a batch.
pub(crate) struct Field<'a> {
    pub(crate) view: ColumnView<'a>,
    pub(crate) column: &'a Column,
    nulls: Option<&'a NullBuffer>,
    pub(crate) cells: Cells<'a>,
}

/// The values, by how they are written.
pub(crate) enum Cells<'a> {
    Text(Texts<'a>),
    Instants(&'a [i64], InstantWriter),
    /// Instants in microseconds that are shown as milliseconds.
    Millis(&'a [i64]),
    Numbers(&'a [i64]),
    Truths(&'a BooleanArray),
    /// Lists and structs.
    Nested,
}

impl<'a> Field<'a> {
    /// All columns of `batch`; `None` if they are not the dataset's. `special` is not 0 for the bytes that a text cannot hold
    /// as it stands, `digits` how instants are written.
    pub(crate) fn all(
        dataset: &'a Dataset,
        batch: &'a RecordBatch,
        special: impl Fn(u8) -> u8 + Copy,
        digits: Fraction,
    ) -> Option<Vec<Self>> {
        let views = ColumnView::all(batch)?;
        if views.len() != dataset.columns().len() {
            return None;
        }
        let fields = views.into_iter().zip(dataset.columns()).map(|(view, column)| {
            let cells = match view {
                ColumnView::Text(array) => Cells::Text(Texts::new(array, special)),
                ColumnView::Time(array) if column.kind == ColumnType::Millis => Cells::Millis(array.values()),
                ColumnView::Time(array) => Cells::Instants(array.values(), InstantWriter::new(digits)),
                ColumnView::Number(array) => Cells::Numbers(array.values()),
                ColumnView::Truth(array) => Cells::Truths(array),
                ColumnView::List(_) | ColumnView::Struct(_) => Cells::Nested,
            };
            Self { nulls: view.nulls(), view, column, cells }
        });
        Some(fields.collect())
    }

    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }
}

/// Texts that lie one behind the other.
pub(crate) struct Texts<'a> {
    offsets: &'a [i32],
    bytes: &'a [u8],
    /// Whether none of them holds a special byte.
    pub(crate) is_plain: bool,
}

impl<'a> Texts<'a> {
    fn new(array: &'a StringArray, special: impl Fn(u8) -> u8 + Copy) -> Self {
        let (offsets, bytes) = (array.value_offsets(), array.value_data());
        let bound =
            |offset: Option<&i32>| offset.and_then(|at| usize::try_from(*at).ok()).unwrap_or_default();
        let own = bytes.get(bound(offsets.first())..bound(offsets.last())).unwrap_or_default();
        Self { offsets, bytes, is_plain: !has_special(own, special) }
    }

    /// The text of a row, as a place and a length within bytes that go on behind it.
    #[inline]
    pub(crate) fn place(&self, row: usize) -> (&'a [u8], usize, usize) {
        let offset = |row: usize| self.offsets.get(row).and_then(|at| usize::try_from(*at).ok());
        let start = offset(row).unwrap_or_default();
        (self.bytes, start, offset(row + 1).unwrap_or_default().saturating_sub(start))
    }

    /// The text of a row.
    #[inline]
    pub(crate) fn text(&self, row: usize) -> &'a [u8] {
        let (bytes, start, length) = self.place(row);
        bytes.get(start..start + length).unwrap_or_default()
    }
}

/// Whether a special byte is among `bytes`: whole blocks without a way out, so that their bytes are looked at together.
pub(crate) fn has_special(bytes: &[u8], special: impl Fn(u8) -> u8 + Copy) -> bool {
    let any = |block: &[u8]| block.iter().fold(0, |found, byte| found | special(*byte)) != 0;
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    blocks.iter().any(|block| any(block)) || any(rest)
}
