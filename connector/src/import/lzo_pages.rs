//! LZO inside Parquet: pages are unpacked here and handed on to the reader as if they had never been packed.
//!
//! The library that reads Parquet refuses the codec. It is told that such a column is not packed, and gets its pages from
//! one that unpacks them. Source: the format of Hadoop's block streams, as Parquet's writers in Java use it: a length of
//! plain bytes, then blocks of LZO1X with their lengths until there are so many, and again; all lengths big-endian.

use std::fs::File;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowGroups};
use parquet::arrow::{FieldLevels, ProjectionMask, parquet_to_arrow_field_levels};
use parquet::basic::Compression;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::serialized_reader::SerializedPageReader;

use super::lzo;

/// No instruction of LZO1X gives more bytes for one: a longer block cannot be true.
const RATIO_MAX: usize = 256;

/// Whether any column of a file is packed so.
pub(crate) fn is_used(metadata: &ParquetMetaData) -> bool {
    let mut columns = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    columns.any(|column| column.compression() == Compression::LZO)
}

/// The rows of a file, one row group at a time.
pub(crate) struct LzoBatches {
    file: Arc<File>,
    metadata: Arc<ParquetMetaData>,
    levels: FieldLevels,
    batch_rows: usize,
    next_group: usize,
    open: Option<ParquetRecordBatchReader>,
}

impl LzoBatches {
    /// The chosen columns; `limit` is how many bytes all pages may have, unpacked.
    pub(crate) fn open(
        file: File,
        metadata: &Arc<ParquetMetaData>,
        mask: ProjectionMask,
        batch_rows: usize,
        limit: u64,
    ) -> std::result::Result<Self, String> {
        let columns = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
        let sizes = columns.map(|column| u64::try_from(column.uncompressed_size()).unwrap_or(u64::MAX));
        let unpacked = sizes.fold(0_u64, u64::saturating_add);
        if unpacked > limit {
            return Err(format!(
                "the file unpacks to {unpacked} bytes, more than {limit}; split it, or raise `limits.unpacked_mib`"
            ));
        }
        let levels = parquet_to_arrow_field_levels(metadata.file_metadata().schema_descr(), mask, None)
            .map_err(|error| format!("the file cannot be read as Parquet: {error}"))?;
        let (file, metadata) = (Arc::new(file), Arc::clone(metadata));
        Ok(Self { file, metadata, levels, batch_rows, next_group: 0, open: None })
    }

    fn next_group(&mut self) -> Result<Option<ParquetRecordBatchReader>> {
        if self.next_group >= self.metadata.num_row_groups() {
            return Ok(None);
        }
        let (file, metadata) = (Arc::clone(&self.file), Arc::clone(&self.metadata));
        let group = Group { file, metadata, place: self.next_group };
        self.next_group += 1;
        ParquetRecordBatchReader::try_new_with_row_groups(&self.levels, &group, self.batch_rows, None)
            .map(Some)
    }
}

impl Iterator for LzoBatches {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.open.as_mut().and_then(Iterator::next) {
                return Some(batch);
            }
            match self.next_group() {
                Ok(Some(reader)) => self.open = Some(reader),
                Ok(None) => return None,
                Err(error) => {
                    self.next_group = usize::MAX;
                    self.open = None;
                    return Some(Err(error.into()));
                }
            }
        }
    }
}

/// A row group whose packed columns are said not to be.
struct Group {
    file: Arc<File>,
    metadata: Arc<ParquetMetaData>,
    place: usize,
}

impl Group {
    fn own(&self) -> Option<&RowGroupMetaData> {
        self.metadata.row_groups().get(self.place)
    }
}

impl RowGroups for Group {
    fn num_rows(&self) -> usize {
        self.own().map_or(0, |group| usize::try_from(group.num_rows()).unwrap_or_default())
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>> {
        let found = self.own().and_then(|group| group.columns().get(column));
        let column = found.ok_or_else(|| ParquetError::General(format!("there is no column {column}")))?;
        let file = Arc::clone(&self.file);
        let pages: Box<dyn PageReader> = if column.compression() == Compression::LZO {
            let plain = column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
            let pages = SerializedPageReader::new(file, &plain, self.num_rows(), None)?;
            let room = usize::try_from(column.uncompressed_size()).unwrap_or_default();
            Box::new(Unpacking { pages, room })
        } else {
            Box::new(SerializedPageReader::new(file, column, self.num_rows(), None)?)
        };
        Ok(Box::new(OneColumn(Some(pages))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(self.own().into_iter())
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

struct OneColumn(Option<Box<dyn PageReader>>);

impl Iterator for OneColumn {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take().map(Ok)
    }
}

impl PageIterator for OneColumn {}

/// Unpacks the pages of a column.
struct Unpacking {
    pages: SerializedPageReader<File>,
    /// Bytes that the pages still to come may have, by what the file says of the column.
    room: usize,
}

impl Unpacking {
    fn unpacked(&mut self, page: Page) -> Result<Page> {
        let mut page = page;
        match &mut page {
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => {
                *buf = self.plain(&Bytes::new(), buf)?;
            }
            Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, is_compressed, .. } => {
                let levels = (*def_levels_byte_len as usize).saturating_add(*rep_levels_byte_len as usize);
                if levels > buf.len() {
                    return Err(ParquetError::General("the levels of a page are cut off".to_owned()));
                }
                if *is_compressed {
                    *buf = self.plain(&buf.slice(..levels), &buf.slice(levels..))?;
                    *is_compressed = false;
                }
            }
        }
        Ok(page)
    }

    fn plain(&mut self, before: &[u8], packed: &[u8]) -> Result<Bytes> {
        let plain = unpack(before, packed, self.room).map_err(ParquetError::General)?;
        self.room = self.room.saturating_sub(plain.len());
        Ok(plain.into())
    }
}

impl Iterator for Unpacking {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Unpacking {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        match self.pages.get_next_page()? {
            Some(page) => self.unpacked(page).map(Some),
            None => Ok(None),
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

/// What stands before, and the plain bytes of a page, at most `room` in all.
fn unpack(before: &[u8], packed: &[u8], room: usize) -> std::result::Result<Vec<u8>, String> {
    let mut plain = before.to_vec();
    let mut rest = packed;
    while !rest.is_empty() {
        let whole = length(&mut rest)?;
        let end = plain.len().saturating_add(whole);
        if end > room {
            return Err("a page packed with LZO is longer than its column".to_owned());
        }
        while plain.len() < end {
            let count = length(&mut rest)?;
            let (block, behind) = rest.split_at_checked(count).ok_or("a page packed with LZO is cut off")?;
            rest = behind;
            // A block of nothing would go on for ever.
            if block.is_empty() {
                return Err("a page packed with LZO has an empty block".to_owned());
            }
            let size = (end - plain.len()).min(block.len().saturating_mul(RATIO_MAX));
            plain.extend(lzo::decompress(block, size).map_err(|error| error.to_string())?);
        }
    }
    Ok(plain)
}

/// A length before what it is of.
fn length(rest: &mut &[u8]) -> std::result::Result<usize, String> {
    let (length, behind) = rest.split_first_chunk::<4>().ok_or("a page packed with LZO is cut off")?;
    *rest = behind;
    Ok(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::unpack;

    fn packed(parts: &[Vec<u8>]) -> Vec<u8> {
        let mut page =
            u32::try_from(parts.iter().map(Vec::len).sum::<usize>()).unwrap().to_be_bytes().to_vec();
        for part in parts {
            let block = lzokay_native::compress(part).unwrap();
            page.extend(u32::try_from(block.len()).unwrap().to_be_bytes());
            page.extend(block);
        }
        page
    }

    proptest! {
        /// A page may have several blocks, and several runs of them.
        #[test]
        fn blocks_follow_each_other(
            runs in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 1..60), 1..4), 1..4),
        ) {
            let page: Vec<u8> = runs.iter().flat_map(|run| packed(run)).collect();
            let plain: Vec<u8> = runs.iter().flatten().flatten().copied().collect();
            prop_assert_eq!(unpack(&[], &page, plain.len()), Ok(plain.clone()));
            prop_assert!(unpack(&[], &page, plain.len() - 1).is_err());
            prop_assert!(unpack(&[], &page[..page.len() - 1], plain.len()).is_err());
        }

        #[test]
        fn no_bytes_do_harm(page in prop::collection::vec(any::<u8>(), 0..200), room in 0_usize..4000) {
            if let Ok(plain) = unpack(&[], &page, room) {
                prop_assert!(plain.len() <= room);
            }
        }
    }

    #[test]
    fn a_page_that_claims_to_be_huge_takes_no_memory() {
        let mut page = 0xffff_fff0_u32.to_be_bytes().to_vec();
        page.extend([0, 0, 0, 3, 17, 0, 0]);
        assert!(unpack(&[], &page, 1 << 20).unwrap_err().contains("longer than its column"));
        // Within its column a block gives no more than its bytes can.
        let mut page = (1_u32 << 30).to_be_bytes().to_vec();
        page.extend([0, 0, 0, 3, 17, 0, 0]);
        assert!(unpack(&[], &page, usize::MAX).is_err());
        assert!(unpack(&[], &[0, 0, 0, 9, 0, 0, 0, 0], 100).unwrap_err().contains("empty block"));
        assert!(unpack(&[], &[0, 0], 100).unwrap_err().contains("cut off"));
        assert_eq!(unpack(b"levels", &[], 100), Ok(b"levels".to_vec()));
    }
}
