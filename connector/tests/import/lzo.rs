//! LZO inside Parquet. No library writes it, so files are made by packing the pages of others anew, with a packer of LZO1X
//! that is not ours, in the framing of Hadoop's streams. A file of a writer in Java could not be had.

use std::io::Write as _;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, StringArray};
use bucketproof_connector::import::StatusEntry;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter as _};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};

use crate::files::{Row, batch, columns};
use crate::rig::Rig;

/// Blocks of a page, each with its length, behind the length of all.
fn framed(plain: &[u8]) -> Vec<u8> {
    let mut page = u32::try_from(plain.len()).unwrap().to_be_bytes().to_vec();
    for block in plain.chunks(1000) {
        let packed = lzokay_native::compress(block).unwrap();
        page.extend(u32::try_from(packed.len()).unwrap().to_be_bytes());
        page.extend(packed);
    }
    page
}

/// The page with what its plain form has of bytes.
fn packed_page(page: Page) -> (Page, usize) {
    let mut page = page;
    let size = page.buffer().len();
    match &mut page {
        Page::DictionaryPage { buf, .. } | Page::DataPage { buf, .. } => *buf = framed(buf).into(),
        Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, is_compressed, .. } => {
            let levels = (*def_levels_byte_len + *rep_levels_byte_len) as usize;
            let mut whole = buf[..levels].to_vec();
            whole.extend(framed(&buf[levels..]));
            (*buf, *is_compressed) = (whole.into(), true);
        }
    }
    (page, size)
}

/// A file that is not packed, with its pages packed.
pub(crate) fn packed(plain: &Bytes) -> Bytes {
    packed_by(plain, &packed_page)
}

fn packed_by(plain: &Bytes, pack: &dyn Fn(Page) -> (Page, usize)) -> Bytes {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(plain).unwrap();
    let mut file = TrackedWrite::new(Vec::new());
    file.write_all(b"PAR1").unwrap();
    let mut groups = Vec::new();
    for group in metadata.row_groups() {
        let mut chunks = Vec::new();
        for chunk in group.columns() {
            let rows = usize::try_from(group.num_rows()).unwrap();
            let pages = SerializedPageReader::new(Arc::new(plain.clone()), chunk, rows, None).unwrap();
            let start = file.bytes_written();
            let (mut dictionary, mut data, mut size) = (None, None, 0);
            for page in pages {
                let (page, bytes) = pack(page.unwrap());
                let at = i64::try_from(file.bytes_written()).unwrap();
                match page {
                    Page::DictionaryPage { .. } => dictionary = Some(at),
                    _ => data = data.or(Some(at)),
                }
                let page = CompressedPage::new(page, bytes);
                size += SerializedPageWriter::new(&mut file).write_page(page).unwrap().uncompressed_size;
            }
            let length = i64::try_from(file.bytes_written() - start).unwrap();
            let chunk = chunk.clone().into_builder().set_compression(Compression::LZO);
            let chunk = chunk.set_data_page_offset(data.unwrap()).set_dictionary_page_offset(dictionary);
            let chunk = chunk.set_total_compressed_size(length);
            let chunk = chunk.set_total_uncompressed_size(i64::try_from(size).unwrap());
            let chunk = chunk.set_column_index_offset(None).set_column_index_length(None);
            chunks.push(chunk.set_offset_index_offset(None).set_offset_index_length(None).build().unwrap());
        }
        groups.push(group.clone().into_builder().set_column_metadata(chunks).build().unwrap());
    }
    let metadata = ParquetMetaData::new(metadata.file_metadata().clone(), groups);
    let mut footer = Vec::new();
    ParquetMetaDataWriter::new(&mut footer, &metadata).finish().unwrap();
    file.write_all(&footer).unwrap();
    Bytes::from(file.into_inner().unwrap())
}

/// Rows in groups of 300, dictionaries and plain pages, in both versions of pages.
fn plain(version: WriterVersion, rows: &[Row]) -> Bytes {
    let batch = batch(columns(rows));
    let properties = WriterProperties::builder()
        .set_writer_version(version)
        .set_max_row_group_row_count(Some(300))
        .set_data_page_row_count_limit(100)
        .set_write_batch_size(50)
        .set_column_dictionary_enabled("key".into(), false)
        .set_column_encoding("key".into(), Encoding::PLAIN)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    Bytes::from(writer.into_inner().unwrap())
}

async fn imported(body: Bytes) -> (Rig, Vec<StatusEntry>) {
    let rig = Rig::new();
    rig.bucket.put("events/f.parquet", body);
    rig.importer().once().await.unwrap();
    let report = rig.bucket.reports("my_statuses/").pop().unwrap();
    let entries = report["events/f.parquet"].clone();
    (rig, entries)
}

/// Every column of every row, as text.
fn texts(rig: &Rig) -> Vec<String> {
    let database = rusqlite::Connection::open(rig.directory.path().join("state/import.sqlite")).unwrap();
    let query = "SELECT concat_ws('|', row, environmentId, trafficTypeId, eventTypeId, key, timestamp, \
                 ifnull(value, 'null'), ifnull(properties, 'null')) FROM event ORDER BY row";
    let mut select = database.prepare(query).unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Claims SPL-Q08: both versions of pages, dictionaries, several groups and blocks give the rows of the plain file.
#[tokio::test]
async fn pages_packed_with_lzo_give_the_rows_of_the_plain_file() {
    let mut rows: Vec<Row> = (0..1000).map(Row::good).collect();
    rows[400].environment = Some("nowhere");
    rows[700].value = Some(f64::INFINITY);
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        let plain = plain(version, &rows);
        let (expected_rig, expected) = imported(plain.clone()).await;
        let (rig, entries) = imported(packed(&plain)).await;
        assert_eq!(entries, expected);
        assert_eq!(entries.iter().map(|entry| entry.number_of_rows).sum::<u64>(), 1000);
        assert_eq!((texts(&rig).len(), texts(&rig)), (999, texts(&expected_rig)));
    }
}

/// A column that is packed so beside others that are not wanted.
#[tokio::test]
async fn other_columns_may_be_packed_so_too() {
    let mut all = columns(&[Row::good(0)]);
    all.insert(0, ("before", Arc::new(Int32Array::from(vec![1])) as ArrayRef));
    all.push(("behind", Arc::new(StringArray::from(vec!["x"]))));
    let body = packed(&crate::files::parquet(all, Compression::UNCOMPRESSED));
    let (rig, entries) = imported(body).await;
    assert!(entries[0].valid, "{entries:?}");
    assert_eq!(rig.stored().len(), 1);
}

/// What spoils a page, and words of what is said of it.
type Spoiler = (fn(&mut Vec<u8>), &'static str);

/// Pages that lie about themselves refuse the file in words and store nothing.
#[tokio::test]
async fn damaged_pages_refuse_the_file() {
    let rows: Vec<Row> = (0..600).map(Row::good).collect();
    let plain = plain(WriterVersion::PARQUET_1_0, &rows);
    let spoiled = |spoil: fn(&mut Vec<u8>)| {
        packed_by(&plain, &|page| {
            let (mut page, size) = packed_page(page);
            if let Page::DataPage { buf, .. } = &mut page {
                let mut bytes = buf.to_vec();
                spoil(&mut bytes);
                *buf = bytes.into();
            }
            (page, size)
        })
    };
    let spoilers: [Spoiler; 5] = [
        (|page| page.truncate(page.len() - 3), "cut off"),
        (|page| page[..4].fill(0xff), "longer than its column"),
        (|page| page[4..8].fill(0xff), "cut off"),
        (|page| page[4..8].fill(0), "empty block"),
        (|page| page.truncate(2), "cut off"),
    ];
    for (spoil, words) in spoilers {
        let (rig, entries) = imported(spoiled(spoil)).await;
        assert_eq!(entries[0].errors, ["INVALID_SCHEMA"]);
        let detail = &entries[0].errors_details[0];
        assert!(detail.contains("cannot be read to its end") && detail.contains(words), "{words}: {detail}");
        assert!(rig.stored().is_empty());
    }
    // Whatever byte is wrong: an entry, and no rows beside a refusal.
    let body = packed(&plain);
    for at in (4..body.len() - 2000).step_by(997) {
        let mut bytes = body.to_vec();
        bytes[at] ^= 0x55;
        let (rig, entries) = imported(bytes.into()).await;
        let stored: u64 = entries.iter().filter(|entry| entry.valid).map(|entry| entry.number_of_rows).sum();
        assert_eq!(rig.stored().len() as u64, stored, "byte {at}");
    }
}
