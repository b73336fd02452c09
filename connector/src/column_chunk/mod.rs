//! Column chunks of text, written without the general writer's detours.
//!
//! Nearly all bytes of an event are text, so this is where time goes. Values are numbered, or laid side by side, as they
//! come; when the row group is full, its dictionary and its pages are made of them, with buffers that serve again for the
//! next one. Page headers, footers and all other columns are the Parquet library's. What readers get is the same either
//! way: tests hold the two against each other.

mod bounds;
mod compressor;
mod dictionary;
mod packing;

use std::ops::Range;

use arrow_array::{Array as _, StringArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, Buffer};
use bytes::Bytes;
use parquet::basic::{Compression as PageCompression, Encoding, PageType};
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, LevelHistogram, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use bounds::Bounds;
use compressor::{Compressor, Habit};
use dictionary::Dictionary;

/// Rows of a page, at most.
const PAGE_ROWS: usize = 20_000;
/// Bytes of the values of a page, at most, unless it is one value.
const PAGE_BYTES: usize = 1 << 20;
/// Bytes of a dictionary, at most; beyond it a chunk has none.
const DICTIONARY_BYTES: usize = 1 << 20;
/// Values after which a dictionary must have found repetitions.
const DICTIONARY_TRIAL: usize = 2_048;
/// Values below which a missing repetition means nothing.
const DICTIONARY_VALUES_MIN: usize = 64;

/// A column's part of a row group, ready to be appended to it.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) bytes: Bytes,
    pub(crate) closed: ColumnCloseResult,
}

/// How a column of text is to be written.
#[derive(Clone, Debug)]
pub(crate) struct TextColumn {
    pub(crate) descriptor: ColumnDescPtr,
    /// Whether values are likely to repeat.
    pub(crate) dictionary: bool,
    /// Whether readers are told the least and the greatest value.
    pub(crate) bounds: bool,
}

/// Compresses the pages of chunks, one after another.
pub(crate) struct PageMaker {
    compression: PageCompression,
    compressor: Compressor,
    page: Vec<u8>,
}

impl PageMaker {
    pub(crate) fn new(compression: PageCompression) -> Result<Self, ParquetError> {
        Ok(Self { compression, compressor: Compressor::new(compression)?, page: Vec::new() })
    }
}

/// A column's values as they come, row group after row group.
pub(crate) struct TextChunk {
    column: TextColumn,
    /// The pages written so far.
    open: Open,
    /// Bytes of the last chunk: the next one is about as large.
    last_bytes: usize,
    habit: Habit,
    rows: usize,
    nulls: usize,
    /// Which of the rows that wait have a value.
    validity: BooleanBufferBuilder,
    /// Whether values are numbered so far; otherwise they lie side by side.
    is_numbered: bool,
    dictionary: Dictionary,
    numbers: Vec<u32>,
    lengths: Vec<i64>,
    values: Vec<u8>,
    /// The least and the greatest of the values side by side.
    bounds: Bounds,
}

impl TextChunk {
    pub(crate) fn new(column: TextColumn) -> Self {
        let mut chunk = Self {
            column,
            open: Open::default(),
            last_bytes: 0,
            habit: Habit::default(),
            rows: 0,
            nulls: 0,
            validity: BooleanBufferBuilder::new(0),
            is_numbered: false,
            dictionary: Dictionary::default(),
            numbers: Vec::new(),
            lengths: Vec::new(),
            values: Vec::new(),
            bounds: Bounds::default(),
        };
        chunk.clear();
        chunk
    }

    fn clear(&mut self) {
        self.open = Open::with_capacity(self.last_bytes + self.last_bytes / 8);
        (self.rows, self.nulls) = (0, 0);
        self.validity.truncate(0);
        self.is_numbered = self.column.dictionary;
        self.dictionary.clear();
        self.numbers.clear();
        self.lengths.clear();
        self.values.clear();
        self.bounds = Bounds::default();
    }

    /// Adds the values of an array.
    pub(crate) fn add(&mut self, array: &StringArray, maker: &mut PageMaker) -> Result<(), ParquetError> {
        self.rows += array.len();
        self.nulls += array.null_count();
        match array.nulls() {
            Some(nulls) => self.validity.append_buffer(nulls.inner()),
            None => self.validity.append_n(array.len(), true),
        }
        let mut rows = 0..array.len();
        if self.is_numbered {
            let is_whole = array.null_count() == 0;
            for row in rows.by_ref() {
                if is_whole || array.is_valid(row) {
                    self.add_numbered(array.value(row));
                    if !self.is_numbered {
                        break;
                    }
                }
            }
        }
        self.add_side_by_side(array, rows);
        if !self.is_numbered && self.values.len() > PAGE_BYTES {
            self.write_pages(maker, self.encoding(), false)?;
        }
        Ok(())
    }

    /// Numbers a value, and ends numbering if it does not pay.
    #[inline]
    fn add_numbered(&mut self, text: &str) {
        let Some(number) = self.dictionary.number(text.as_bytes()) else {
            self.end_numbering();
            self.add_value(text.as_bytes());
            return;
        };
        self.numbers.push(number);
        let is_trial_over = self.numbers.len() == DICTIONARY_TRIAL;
        if is_trial_over && !self.repeats() || self.dictionary.page().len() > DICTIONARY_BYTES {
            self.end_numbering();
        }
    }

    /// Lays the values numbered so far side by side.
    fn end_numbering(&mut self) {
        self.is_numbered = false;
        for number in std::mem::take(&mut self.numbers) {
            let value = self.dictionary.value(number);
            self.lengths.push(length(value));
            self.values.extend_from_slice(value);
        }
        if self.column.bounds {
            for value in self.dictionary.values() {
                self.bounds.widen(value);
            }
        }
    }

    fn add_value(&mut self, value: &[u8]) {
        self.lengths.push(length(value));
        self.values.extend_from_slice(value);
        if self.column.bounds {
            self.bounds.widen(value);
        }
    }

    fn add_side_by_side(&mut self, array: &StringArray, rows: Range<usize>) {
        let is_whole = array.null_count() == 0;
        let before = self.lengths.len();
        let mut bytes = 0;
        for row in rows.clone().filter(|row| is_whole || array.is_valid(*row)) {
            let value = array.value(row).as_bytes();
            bytes += value.len();
            self.lengths.push(length(value));
            if self.column.bounds {
                self.bounds.widen(value);
            }
        }
        // Nulls have no bytes in the arrays made here; in those made elsewhere they may.
        let span = span(array, &rows);
        if span.len() == bytes {
            self.values.extend_from_slice(array.value_data().get(span).unwrap_or_default());
        } else if self.lengths.len() > before {
            for row in rows.filter(|row| array.is_valid(*row)) {
                self.values.extend_from_slice(array.value(row).as_bytes());
            }
        }
    }

    /// Whether at least half of the values were seen before.
    fn repeats(&self) -> bool {
        self.dictionary.len() * 2 <= self.numbers.len()
    }

    /// The chunk of all values since the last one.
    pub(crate) fn finish(&mut self, maker: &mut PageMaker) -> Result<Chunk, ParquetError> {
        if self.is_numbered && self.numbers.len() >= DICTIONARY_VALUES_MIN && !self.repeats() {
            self.end_numbering();
        }
        let chunk = self.close(maker);
        self.last_bytes = chunk.as_ref().map_or(0, |chunk| chunk.bytes.len());
        self.clear();
        chunk
    }

    fn close(&mut self, maker: &mut PageMaker) -> Result<Chunk, ParquetError> {
        let encoding = self.encoding();
        if encoding == Encoding::RLE_DICTIONARY {
            let page = maker.compressor.compress(self.dictionary.page(), &mut Habit::default())?;
            let page = Page::DictionaryPage {
                buf: page,
                num_values: count(self.dictionary.len())?,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            self.open.dictionary_page(CompressedPage::new(page, self.dictionary.page().len()))?;
        }
        self.write_pages(maker, encoding, true)?;
        let statistics = self.statistics();
        let open = std::mem::take(&mut self.open);
        open.close(
            &self.column,
            maker.compression,
            encoding,
            statistics,
            [self.nulls, self.rows - self.nulls],
        )
    }

    fn encoding(&self) -> Encoding {
        match (self.rows == self.nulls, self.is_numbered) {
            (true, _) => Encoding::PLAIN,
            (false, true) => Encoding::RLE_DICTIONARY,
            (false, false) => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        }
    }

    /// Writes pages of the values that wait: all, or those that no later value can belong to.
    fn write_pages(
        &mut self,
        maker: &mut PageMaker,
        encoding: Encoding,
        all: bool,
    ) -> Result<(), ParquetError> {
        let rows = self.validity.len();
        let validity = BooleanBuffer::new(Buffer::from_slice_ref(self.validity.as_slice()), 0, rows);
        // Where the next page begins: its row, its value, its byte.
        let (mut row, mut value, mut byte) = (0, 0, 0);
        while row < rows {
            let page = self.next_page(&validity, row, value);
            if !all && row + page.rows == rows {
                break;
            }
            maker.page.clear();
            if self.column.descriptor.max_def_level() > 0 {
                let bits = validity.slice(row, page.rows);
                packing::push_levels(&mut maker.page, bits.sliced().as_slice(), page.rows);
            }
            let of_page = value..value + page.values;
            match encoding {
                Encoding::RLE_DICTIONARY => {
                    let width = packing::width_of(self.dictionary.len().saturating_sub(1) as u64).max(1);
                    maker.page.push(u8::try_from(width).unwrap_or_default());
                    let numbers = self.numbers.get(of_page).unwrap_or_default();
                    packing::push_numbers(&mut maker.page, numbers, width);
                }
                Encoding::DELTA_LENGTH_BYTE_ARRAY => {
                    packing::push_deltas(&mut maker.page, self.lengths.get(of_page).unwrap_or_default());
                    let bytes = self.values.get(byte..byte + page.bytes);
                    maker.page.extend_from_slice(bytes.unwrap_or_default());
                }
                _ => {}
            }
            let data = Page::DataPage {
                buf: maker.compressor.compress(&maker.page, &mut self.habit)?,
                num_values: count(page.rows)?,
                encoding,
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            };
            self.open.data_page(CompressedPage::new(data, maker.page.len()), page.rows)?;
            (row, value, byte) = (row + page.rows, value + page.values, byte + page.bytes);
        }
        if !all && row > 0 {
            self.validity.truncate(0);
            self.validity.append_buffer(&validity.slice(row, rows - row));
            self.lengths.drain(..value);
            self.values.drain(..byte);
        }
        Ok(())
    }

    /// How much fits into the page that begins at a row, whose values begin at `value`: so many rows, or where values lie
    /// in the pages so many bytes, but at least one row.
    fn next_page(&self, validity: &BooleanBuffer, row: usize, value: usize) -> PageExtent {
        let rows = PAGE_ROWS.min(validity.len() - row);
        let values = validity.slice(row, rows).count_set_bits();
        if self.is_numbered {
            return PageExtent { rows, values, bytes: 0 };
        }
        let lengths = self.lengths.get(value..value + values).unwrap_or_default();
        let bytes: usize = lengths.iter().copied().filter_map(|length| usize::try_from(length).ok()).sum();
        if bytes <= PAGE_BYTES {
            return PageExtent { rows, values, bytes };
        }
        let mut page = PageExtent { rows: 0, values: 0, bytes: 0 };
        let mut lengths = lengths.iter().filter_map(|length| usize::try_from(*length).ok());
        for has_value in &validity.slice(row, rows) {
            let length = if has_value { lengths.next().unwrap_or_default() } else { 0 };
            if page.rows > 0 && page.bytes + length > PAGE_BYTES {
                break;
            }
            page.rows += 1;
            page.values += usize::from(has_value);
            page.bytes += length;
        }
        page
    }

    fn statistics(&self) -> Option<Statistics> {
        let nulls = self.nulls;
        if !self.column.bounds {
            return None;
        }
        if !self.is_numbered {
            return Some(self.bounds.statistics(nulls));
        }
        let mut bounds = Bounds::default();
        for value in self.dictionary.values() {
            bounds.widen(value);
        }
        Some(bounds.statistics(nulls))
    }
}

/// What a page holds.
struct PageExtent {
    rows: usize,
    values: usize,
    bytes: usize,
}

fn length(value: &[u8]) -> i64 {
    // Arrays of text hold less than 2 GiB.
    i64::try_from(value.len()).unwrap_or_default()
}

/// The bytes of rows within an array's values.
fn span(array: &StringArray, rows: &Range<usize>) -> Range<usize> {
    let offset = |row: usize| {
        let offset = array.value_offsets().get(row).copied().unwrap_or_default();
        usize::try_from(offset).unwrap_or_default()
    };
    offset(rows.start)..offset(rows.end)
}

/// A chunk being written.
struct Open {
    sink: TrackedWrite<Vec<u8>>,
    raw_bytes: usize,
    dictionary_offset: Option<u64>,
    data_offset: Option<u64>,
    pages: OffsetIndexBuilder,
    page_count: i32,
}

impl Default for Open {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Open {
    fn with_capacity(bytes: usize) -> Self {
        Self {
            sink: TrackedWrite::new(Vec::with_capacity(bytes)),
            raw_bytes: 0,
            dictionary_offset: None,
            data_offset: None,
            pages: OffsetIndexBuilder::new(),
            page_count: 0,
        }
    }

    fn write(&mut self, page: CompressedPage) -> Result<PageWriteSpec, ParquetError> {
        let written = SerializedPageWriter::new(&mut self.sink).write_page(page)?;
        self.raw_bytes += written.uncompressed_size;
        Ok(written)
    }

    fn dictionary_page(&mut self, page: CompressedPage) -> Result<(), ParquetError> {
        self.dictionary_offset = Some(self.write(page)?.offset);
        Ok(())
    }

    fn data_page(&mut self, page: CompressedPage, rows: usize) -> Result<(), ParquetError> {
        let written = self.write(page)?;
        self.data_offset.get_or_insert(written.offset);
        self.pages.append_row_count(signed(rows)?);
        let size = i32::try_from(written.compressed_size).map_err(|_| too_large())?;
        self.pages.append_offset_and_size(signed(written.offset)?, size);
        self.page_count += 1;
        Ok(())
    }

    fn close(
        self,
        column: &TextColumn,
        compression: PageCompression,
        encoding: Encoding,
        statistics: Option<Statistics>,
        histogram: [usize; 2],
    ) -> Result<Chunk, ParquetError> {
        let [nulls, values] = histogram;
        let stats = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let mut page_stats = vec![stats(PageType::DATA_PAGE, encoding, self.page_count)];
        let mut encodings = vec![Encoding::RLE, encoding];
        if self.dictionary_offset.is_some() {
            page_stats.insert(0, stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1));
            encodings.push(Encoding::PLAIN);
        }
        let bytes = Bytes::from(self.sink.into_inner()?);
        let mut metadata = ColumnChunkMetaData::builder(column.descriptor.clone())
            .set_compression(compression)
            .set_encodings(encodings)
            .set_page_encoding_stats(page_stats)
            .set_total_compressed_size(signed(bytes.len())?)
            .set_total_uncompressed_size(signed(self.raw_bytes)?)
            .set_num_values(signed(nulls + values)?)
            .set_data_page_offset(signed(self.data_offset.unwrap_or_default())?)
            .set_dictionary_page_offset(self.dictionary_offset.map(signed).transpose()?);
        if let Some(statistics) = statistics {
            metadata = metadata.set_statistics(statistics);
            if column.descriptor.max_def_level() > 0 {
                let histogram = LevelHistogram::from(vec![signed(nulls)?, signed(values)?]);
                metadata = metadata.set_definition_level_histogram(Some(histogram));
            }
        }
        let closed = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: (nulls + values) as u64,
            bloom_filter: None,
            metadata: metadata.build()?,
            column_index: None,
            offset_index: Some(self.pages.build()),
        };
        Ok(Chunk { bytes, closed })
    }
}

fn too_large() -> ParquetError {
    ParquetError::General("a page or chunk is too large".to_owned())
}

fn signed(number: impl TryInto<i64>) -> Result<i64, ParquetError> {
    number.try_into().map_err(|_| too_large())
}

fn count(number: usize) -> Result<u32, ParquetError> {
    u32::try_from(number).map_err(|_| too_large())
}

#[cfg(test)]
mod tests;
