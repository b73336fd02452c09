//! The object to be replaced: its footer, and rows of it on demand.

use std::ops::Range;
use std::sync::Arc;

use crate::content::Content;
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::arrow::{ArrowSchemaConverter, ProjectionMask};
use parquet::basic::{Compression as PageCompression, Encoding as ValueEncoding};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use parquet::schema::types::SchemaDescriptor;

use super::ReplaceError;
use crate::parquet_file::{CREATED_BY, DecodeError, align};
use crate::profile::{Column, ColumnType, Compression, Dataset, Encoding};

/// One row group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) rows: usize,
    /// The least time of its rows.
    pub(super) first: i64,
    /// The greatest time of its rows.
    pub(super) last: i64,
}

/// An object that can be spliced.
pub(super) struct Base {
    pub(super) bytes: Content,
    pub(super) groups: Vec<Group>,
    pub(super) schema: SchemaRef,
    pub(super) row_group_rows: usize,
    metadata: ArrowReaderMetadata,
    /// The chunks of each column of the dataset.
    leaves: Vec<Range<usize>>,
}

impl Base {
    /// Reads the footer. `None` if the object must be rewritten because its form is another than ours.
    pub(super) fn open(
        dataset: &Dataset,
        encoding: &Encoding,
        bytes: &Content,
    ) -> Result<Option<Self>, ReplaceError> {
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(bytes)?;
        let file = metadata.file_metadata();
        let schema = dataset.schema();
        let expected = schema_of(&schema)?;
        let leaves = leaves(dataset.columns());
        let time = dataset.time_position().and_then(|at| leaves.get(at)).map(|chunks| chunks.start);
        let (Some(time), Some(_)) = (time, dataset.version_position()) else { return Ok(None) };
        let is_ours = file.created_by() == Some(CREATED_BY)
            && file.schema_descr().root_schema() == expected.root_schema()
            && metadata.row_groups().iter().all(|group| is_encoded_so(group, encoding.compression));
        if !is_ours || metadata.num_row_groups() < 2 {
            return Ok(None);
        }
        let groups: Option<Vec<Group>> =
            metadata.row_groups().iter().map(|group| bounds(group, time)).collect();
        let is_sorted =
            |groups: &Vec<Group>| groups.windows(2).all(|pair| matches!(pair, [a, b] if a.last <= b.first));
        let Some(groups) = groups.filter(is_sorted) else { return Ok(None) };
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), options)?;
        let row_group_rows = encoding.row_group_rows.max(1);
        Ok(Some(Self { bytes: bytes.clone(), groups, schema, row_group_rows, metadata, leaves }))
    }

    /// Whether the rows of row groups `group` and the next one may stand in one order only together.
    pub(super) fn shares_time_with_next(&self, group: usize) -> bool {
        match (self.groups.get(group), self.groups.get(group + 1)) {
            (Some(this), Some(next)) => this.last >= next.first,
            _ => false,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.groups.iter().map(|group| group.rows).sum()
    }

    /// The chunks of column `column`.
    pub(super) fn chunks(&self, column: usize) -> Range<usize> {
        self.leaves.get(column).cloned().unwrap_or_default()
    }

    /// The least and the greatest value of a column of texts in a row group, as far as its statistics say.
    pub(super) fn text_bounds(&self, group: usize, column: usize) -> Option<(&[u8], &[u8])> {
        let group = self.metadata.metadata().row_groups().get(group)?;
        let Statistics::ByteArray(bounds) = group.columns().get(self.chunks(column).start)?.statistics()?
        else {
            return None;
        };
        Some((bounds.min_opt()?.data(), bounds.max_opt()?.data()))
    }

    /// Columns of a row group, in the order of `columns`, which ascends; all of its rows, or the ascending `rows`.
    pub(super) fn read(
        &self,
        group: usize,
        columns: &[usize],
        rows: Option<&[usize]>,
    ) -> Result<RecordBatch, ReplaceError> {
        let all = self.groups.get(group).map_or(0, |group| group.rows);
        let schema: SchemaRef = Arc::new(self.schema.project(columns)?);
        let leaves = columns.iter().flat_map(|column| self.chunks(*column));
        let mask = ProjectionMask::leaves(self.metadata.parquet_schema(), leaves);
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), self.metadata.clone())
                .with_row_groups(vec![group])
                .with_projection(mask)
                .with_batch_size(all.max(1));
        if let Some(rows) = rows {
            builder = builder.with_row_selection(selection(rows, all));
        }
        let batches = builder
            .build()?
            .map(|batch| align(&schema, &batch?))
            .collect::<Result<Vec<RecordBatch>, DecodeError>>()?;
        match batches.as_slice() {
            [only] => Ok(only.clone()),
            several => Ok(concat_batches(&schema, several)?),
        }
    }

    /// How the values of a column without a dictionary were written; the next file keeps to it.
    pub(super) fn without_dictionary(&self, column: usize) -> Option<ValueEncoding> {
        let chunk = self.chunks(column).start;
        let chunks = || {
            let groups = self.metadata.metadata().row_groups().iter();
            groups.filter_map(move |group| group.columns().get(chunk))
        };
        if chunks().any(|chunk| chunk.dictionary_page_offset().is_some()) {
            return None;
        }
        let mut found = chunks().flat_map(|chunk| chunk.encodings().collect::<Vec<_>>());
        found.find(|encoding| {
            matches!(encoding, ValueEncoding::DELTA_LENGTH_BYTE_ARRAY | ValueEncoding::DELTA_BINARY_PACKED)
        })
    }

    /// A chunk as its writer closed it, to be appended to another file.
    pub(super) fn closed(&self, group: usize, chunk: usize) -> Option<ColumnCloseResult> {
        let metadata = self.metadata.metadata().row_groups().get(group)?.columns().get(chunk)?.clone();
        let pages = self.metadata.metadata().page_index_for_row_group(group);
        Some(ColumnCloseResult {
            bytes_written: u64::try_from(metadata.compressed_size()).ok()?,
            rows_written: self.groups.get(group)?.rows as u64,
            bloom_filter: None,
            column_index: pages.column_index(chunk).cloned(),
            offset_index: pages.offset_index(chunk).cloned(),
            metadata,
        })
    }

    /// All columns of the dataset.
    pub(super) fn all_columns(&self) -> Vec<usize> {
        (0..self.schema.fields().len()).collect()
    }
}

/// The Parquet schema of a dataset's objects.
pub(super) fn schema_of(schema: &Schema) -> Result<SchemaDescriptor, ParquetError> {
    ArrowSchemaConverter::new().schema_root("schema").convert(schema)
}

fn leaves(columns: &[Column]) -> Vec<Range<usize>> {
    let mut next = 0;
    columns
        .iter()
        .map(|column| {
            let start = next;
            next += column.leaves();
            start..next
        })
        .collect()
}

/// Whether all chunks of a row group are compressed in the encoding's way.
fn is_encoded_so(group: &RowGroupMetaData, compression: Compression) -> bool {
    group.columns().iter().all(|chunk| {
        matches!(
            (chunk.compression(), compression),
            (PageCompression::SNAPPY, Compression::Snappy)
                | (PageCompression::ZSTD(_), Compression::Zstd)
                | (PageCompression::GZIP(_), Compression::Gzip)
                | (PageCompression::UNCOMPRESSED, Compression::None)
        ) && chunk.bloom_filter_offset().is_none()
    })
}

fn bounds(group: &RowGroupMetaData, time: usize) -> Option<Group> {
    let rows = usize::try_from(group.num_rows()).ok().filter(|rows| *rows > 0)?;
    let Statistics::Int64(times) = group.columns().get(time)?.statistics()? else { return None };
    Some(Group { rows, first: *times.min_opt()?, last: *times.max_opt()? })
}

fn selection(rows: &[usize], all: usize) -> RowSelection {
    let mut selectors = Vec::with_capacity(rows.len() * 2 + 1);
    let mut next = 0;
    for row in rows {
        if *row > next {
            selectors.push(RowSelector::skip(row - next));
        }
        selectors.push(RowSelector::select(1));
        next = row + 1;
    }
    if all > next {
        selectors.push(RowSelector::skip(all - next));
    }
    RowSelection::from(selectors)
}

/// Whether a column holds texts whose bounds are those of its keys' bytes.
pub(super) fn is_text(dataset: &Dataset, column: usize) -> bool {
    dataset.columns().get(column).is_some_and(|column| column.kind == ColumnType::String)
}
