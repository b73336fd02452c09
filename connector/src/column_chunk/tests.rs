use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression as PageCompression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;
use proptest::prelude::*;

use super::bounds::{raised, shortened};
use super::{PAGE_BYTES, PAGE_ROWS, PageMaker, TextChunk, TextColumn};

fn schema(nullable: bool) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, nullable)]))
}

/// A file of one row group that our writer made of `arrays` after one of the arrays `before`.
fn ours(
    before: &[StringArray],
    arrays: &[StringArray],
    (nullable, dictionary, compression): (bool, bool, PageCompression),
) -> Bytes {
    let schema = ArrowSchemaConverter::new().convert(&schema(nullable)).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut file =
        SerializedFileWriter::new(Vec::new(), schema.root_schema_ptr(), Arc::new(properties)).unwrap();
    let column = TextColumn { descriptor: schema.column(0), dictionary, bounds: true };
    let (mut maker, mut text) = (PageMaker::new(compression).unwrap(), TextChunk::new(column));
    for array in before {
        text.add(array, &mut maker).unwrap();
    }
    text.finish(&mut maker).unwrap();
    for array in arrays {
        text.add(array, &mut maker).unwrap();
    }
    let chunk = text.finish(&mut maker).unwrap();
    let mut group = file.next_row_group().unwrap();
    group.append_column(&chunk.bytes, chunk.closed).unwrap();
    group.close().unwrap();
    Bytes::from(file.into_inner().unwrap())
}

/// The same rows by way of the library's writer.
fn plain(arrays: &[StringArray], nullable: bool) -> Bytes {
    let mut writer = ArrowWriter::try_new(Vec::new(), schema(nullable), None).unwrap();
    for array in arrays {
        let column: ArrayRef = Arc::new(array.clone());
        writer.write(&RecordBatch::try_new(schema(nullable), vec![column]).unwrap()).unwrap();
    }
    Bytes::from(writer.into_inner().unwrap())
}

fn read(file: &Bytes, selection: Option<RowSelection>) -> Vec<Option<String>> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let mut builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options).unwrap();
    if let Some(selection) = selection {
        builder = builder.with_row_selection(selection);
    }
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    let texts = batches.iter().flat_map(|batch| batch.column(0).as_string::<i32>().iter());
    texts.map(|text| text.map(str::to_owned)).collect()
}

fn chunk(file: &Bytes) -> ColumnChunkMetaData {
    SerializedFileReader::new(file.clone()).unwrap().metadata().row_group(0).column(0).clone()
}

fn bounds(chunk: &ColumnChunkMetaData) -> (Option<Vec<u8>>, Option<Vec<u8>>, Option<u64>) {
    let Some(Statistics::ByteArray(found)) = chunk.statistics() else { panic!("no statistics") };
    let bytes = |bound: Option<&[u8]>| bound.map(<[u8]>::to_vec);
    (bytes(found.min_bytes_opt()), bytes(found.max_bytes_opt()), found.null_count_opt())
}

/// Cuts values into arrays that begin within their buffers, as slices do.
fn arrays(values: &[Option<String>], cut: usize) -> Vec<StringArray> {
    let whole = StringArray::from(values.to_vec());
    (0..values.len()).step_by(cut).map(|from| whole.slice(from, cut.min(values.len() - from))).collect()
}

fn value() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        2 => Just(None),
        4 => "[ab]{0,2}".prop_map(Some),
        2 => "[a-zé\u{10ffff}\u{d7ff}]{0,20}".prop_map(Some),
        1 => (0_usize..200).prop_map(|length| Some("\u{10ffff}".repeat(length))),
    ]
}

fn compression() -> impl Strategy<Value = PageCompression> {
    prop::sample::select(vec![
        PageCompression::UNCOMPRESSED,
        PageCompression::SNAPPY,
        PageCompression::ZSTD(ZstdLevel::default()),
        PageCompression::GZIP(GzipLevel::default()),
    ])
}

proptest! {
    /// Our writer of text and the library's write the same rows, with bounds as wide as the library's, and the index of
    /// pages leads to any of them.
    #[test]
    fn chunks_hold_what_the_plain_path_writes(
        base in prop::collection::vec(value(), 1..40),
        repeated in 1_usize..60,
        cut in 1_usize..500,
        nullable in any::<bool>(),
        dictionary in any::<bool>(),
        compression in compression(),
        from in 0_usize..2_400,
    ) {
        let mut values: Vec<Option<String>> = base.iter().flat_map(|value| vec![value.clone(); repeated]).collect();
        if !nullable {
            for value in &mut values {
                *value = Some(value.take().unwrap_or_default());
            }
        }
        let arrays = arrays(&values, cut);
        let settings = (nullable, dictionary, compression);
        let first = ours(&[], &arrays, settings);
        let again = ours(&arrays, &[StringArray::from(values.clone())], settings);
        prop_assert_eq!(&first, &again, "neither batches nor earlier chunks may show");
        let library = plain(&arrays, nullable);
        prop_assert_eq!(read(&first, None), values.clone());
        prop_assert_eq!(read(&library, None), values.clone());
        prop_assert_eq!(bounds(&chunk(&first)), bounds(&chunk(&library)));
        prop_assert_eq!(chunk(&first).num_values(), chunk(&library).num_values());
        let from = from.min(values.len());
        let selection = RowSelection::from(vec![RowSelector::skip(from), RowSelector::select(values.len() - from)]);
        prop_assert_eq!(read(&first, Some(selection)), values[from..].to_vec());
    }

    /// A shortened bound still bounds, and is text.
    #[test]
    fn shortened_bounds_bound(text in "[a-c\u{7f}\u{d7ff}\u{10ffff}]{0,90}") {
        let bytes = text.as_bytes();
        prop_assert!(shortened(bytes) <= bytes);
        prop_assert!(raised(bytes).as_slice() >= bytes);
        prop_assert!(std::str::from_utf8(shortened(bytes)).is_ok());
        prop_assert!(String::from_utf8(raised(bytes)).is_ok());
    }
}

fn written(values: &[Option<String>], dictionary: bool) -> Bytes {
    let file = ours(&[], &arrays(values, 1_000), (true, dictionary, PageCompression::SNAPPY));
    assert_eq!(read(&file, None), values);
    file
}

fn pages(file: &Bytes) -> usize {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options).unwrap();
    let index = builder.metadata().page_index_for_row_group(0).offset_index(0).unwrap().clone();
    index.page_locations().len()
}

#[test]
fn a_dictionary_stays_where_values_repeat_and_goes_where_they_do_not() {
    let has = |file: &Bytes, encoding| chunk(file).encodings().any(|found| found == encoding);
    let repeated: Vec<_> = (0..50_000).map(|row| Some(format!("value {}", row * 7 % 5_000))).collect();
    let file = written(&repeated, true);
    assert!(!has(&file, Encoding::RLE_DICTIONARY), "the first values are all different");
    let repeated: Vec<_> = (0..50_000).map(|row| Some(format!("value {}", row * 7 % 900))).collect();
    let file = written(&repeated, true);
    assert!(has(&file, Encoding::RLE_DICTIONARY) && chunk(&file).dictionary_page_offset().is_some());
    assert_eq!(pages(&file), 50_000_usize.div_ceil(PAGE_ROWS));
    let distinct: Vec<_> = (0..5_000).map(|row| Some(format!("value {row}"))).collect();
    let file = written(&distinct, true);
    assert!(has(&file, Encoding::DELTA_LENGTH_BYTE_ARRAY) && chunk(&file).dictionary_page_offset().is_none());
    // Values that repeat but are too large for a dictionary.
    let large: Vec<_> = (0..60).map(|row| Some(format!("{}", row % 20).repeat(100_000))).collect();
    assert!(has(&written(&large, true), Encoding::DELTA_LENGTH_BYTE_ARRAY));
}

#[test]
fn pages_are_cut_by_bytes_and_a_value_is_never_cut() {
    let large = |row: usize| Some("x".repeat(if row == 5 { 3 * PAGE_BYTES } else { PAGE_BYTES / 3 }));
    let values: Vec<_> = (0..12).map(large).collect();
    // Three, two before the largest, the largest alone, three, three.
    assert_eq!(pages(&written(&values, false)), 5);
    assert_eq!(pages(&written(&vec![None; PAGE_ROWS + 1], true)), 2);
}
