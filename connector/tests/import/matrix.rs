//! Every column by every type, every wrapping by every codec, and files that are none.

use std::io::Write as _;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Date32Array, DictionaryArray, Float32Array,
    Float64Array, Int8Array, Int32Array, Int64Array, LargeStringArray, ListArray, StringArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, UInt64Array,
};
use bucketproof_connector::import::StatusEntry;
use bytes::Bytes;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};

use crate::files::{Row, columns, file, is_text, parquet, with_column, without_column};
use crate::rig::Rig;

/// The entries that an import of this one file reports.
async fn entries(body: Bytes) -> Vec<StatusEntry> {
    let rig = Rig::new();
    rig.bucket.put("events/f", body);
    rig.importer().once().await.unwrap();
    let report = rig.bucket.reports("my_statuses/").pop().unwrap();
    report["events/f"].clone()
}

async fn defect(body: Bytes) -> String {
    let entries = entries(body).await;
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(
        (entry.valid, entry.number_of_rows, entry.errors.as_slice()),
        (false, 1, &["INVALID_SCHEMA".to_owned()][..])
    );
    entry.errors_details[0].clone()
}

/// Arrays of one element of many types, with a name.
fn all_types() -> Vec<ArrayRef> {
    let maps = columns(&[Row::good(1)]).pop().unwrap().1;
    vec![
        Arc::new(StringArray::from(vec!["prod"])),
        Arc::new(LargeStringArray::from(vec!["prod"])),
        Arc::new(BinaryArray::from(vec![b"prod".as_slice()])),
        Arc::new(BooleanArray::from(vec![true])),
        Arc::new(Int8Array::from(vec![1])),
        Arc::new(Int32Array::from(vec![1])),
        Arc::new(Int64Array::from(vec![1_767_225_600_000])),
        Arc::new(UInt64Array::from(vec![1])),
        Arc::new(Float32Array::from(vec![1.0])),
        Arc::new(Float64Array::from(vec![1.0])),
        Arc::new(Date32Array::from(vec![1])),
        Arc::new(TimestampMillisecondArray::from(vec![1_767_225_600_000])),
        Arc::new(TimestampMicrosecondArray::from(vec![1])),
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])])),
        Arc::new(["prod"].into_iter().collect::<DictionaryArray<Int32Type>>()),
        maps,
    ]
}

/// Claims SPL-03, SPL-06, SPL-22.
#[tokio::test]
async fn a_column_has_its_type_or_the_file_is_refused() {
    use arrow_schema::DataType;
    for name in ["environmentId", "trafficTypeId", "eventTypeId", "key", "timestamp", "value", "properties"] {
        for array in all_types() {
            let kind = array.data_type().clone();
            // Arrow writes a dictionary of texts as texts.
            let is_string = is_text(&kind) || matches!(kind, DataType::Dictionary(..));
            let fits = match name {
                "timestamp" => kind == DataType::Int64,
                "value" => kind == DataType::Float64,
                "properties" => matches!(kind, DataType::Map(..)),
                _ => is_string,
            };
            let entries = entries(with_column(name, array)).await;
            let found = entries.iter().all(|entry| entry.valid);
            assert_eq!(found, fits, "{name} as {kind}: {entries:?}");
            if !fits {
                let detail = &entries[0].errors_details[0];
                assert!(
                    detail.contains(&format!("column `{name}` is ")) && detail.contains(", not a"),
                    "{detail}"
                );
            }
        }
    }
}

/// Claims SPL-07.
#[tokio::test]
async fn a_missing_column_is_named() {
    for name in ["environmentId", "trafficTypeId", "eventTypeId", "key", "timestamp", "value", "properties"] {
        assert_eq!(defect(without_column(name)).await, format!("column `{name}` is missing"));
    }
    let mut renamed = columns(&[Row::good(0)]);
    renamed[0].0 = "EnvironmentId";
    let detail = defect(parquet(renamed, Compression::SNAPPY)).await;
    assert_eq!(detail, "column `environmentId` is missing; `EnvironmentId` differs in letter case");
}

/// Claims SPL-Q16: other columns and another order change nothing.
#[tokio::test]
async fn order_and_further_columns_do_not_matter() {
    let mut shuffled = columns(&[Row::good(0)]);
    shuffled.reverse();
    shuffled.push(("more", Arc::new(Int32Array::from(vec![1]))));
    let entries = entries(parquet(shuffled, Compression::SNAPPY)).await;
    assert!(entries.len() == 1 && entries[0].valid, "{entries:?}");
}

fn wrapped(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(body).unwrap();
    let mut snappy = snap::write::FrameEncoder::new(Vec::new());
    snappy.write_all(body).unwrap();
    vec![
        ("nothing", body.to_vec()),
        ("gzip", gzip.finish().unwrap()),
        ("bzip2", bzip2.finish().unwrap()),
        ("Snappy frames", snappy.into_inner().unwrap()),
        ("lzop", lzop(body)),
    ]
}

/// A file as lzop writes it: blocks of 256 KiB, packed by another writer of LZO1X.
fn lzop(body: &[u8]) -> Vec<u8> {
    let mut file = b"\x89LZO\0\r\n\x1a\n\x10\x40\x20\xa0\x09\x40\x01\x05\0\0\0\0\0\0\x81\xa4\0\0\0\0\0\0\0\0\x03abc\0\0\0\0".to_vec();
    for block in body.chunks(256 * 1024) {
        let packed = lzokay_native::compress(block).unwrap();
        let packed = if packed.len() < block.len() { packed } else { block.to_vec() };
        file.extend(u32::try_from(block.len()).unwrap().to_be_bytes());
        file.extend(u32::try_from(packed.len()).unwrap().to_be_bytes());
        file.extend(packed);
    }
    file.extend([0; 4]);
    file
}

/// Claims SPL-02, SPL-Q08.
#[tokio::test]
async fn every_wrapping_goes_with_every_codec() {
    let rows: Vec<Row> = (0..500).map(Row::good).collect();
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4_RAW,
        Compression::LZ4,
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZO,
    ];
    for codec in codecs {
        let body = match codec {
            // No library writes it: pages are packed anew, by a writer of LZO1X that is not the reader's.
            Compression::LZO => crate::lzo::packed(&parquet(columns(&rows), Compression::UNCOMPRESSED)),
            codec => parquet(columns(&rows), codec),
        };
        for (wrapping, body) in wrapped(&body) {
            let found = entries(Bytes::from(body)).await;
            let outcome: Vec<(bool, u64)> =
                found.iter().map(|entry| (entry.valid, entry.number_of_rows)).collect();
            assert_eq!(outcome, [(true, 500)], "{codec} in {wrapping}: {found:?}");
        }
    }
}

/// Claims SPL-01, SPL-Q04.
#[tokio::test]
async fn what_is_no_parquet_is_told_what_it_is() {
    let good = file(&[Row::good(0)]);
    let check = async |body: &[u8], text: &str| {
        let detail = defect(Bytes::copy_from_slice(body)).await;
        assert!(detail.contains(text), "{detail}");
    };
    check(b"", "the file is empty").await;
    check(b"x", "begins with the bytes 78").await;
    check(b"{\"a\":1}\n", ", JSON").await;
    check(b"PK\x03\x04rest", ", a ZIP archive").await;
    check(b"PAREncrypted", "encrypted Parquet").await;
    check(b"ARROW1\0\0rest", ", an Arrow or Feather file").await;
    check(b"environmentId,key\nprod,a\n", ", text, perhaps CSV").await;
    check(b"PAR1", "is cut off, or was still being written").await;
    check(b"PAR1PAR1", "is cut off, or was still being written").await;
    check(&good[..good.len() - 10], "is cut off, or was still being written").await;
    // Both ends are well, and the footer between them is not.
    let mut footer = good.to_vec();
    let end = footer.len() - 8;
    footer[end - 40..end].fill(0xff);
    check(&footer, "cannot be read as Parquet").await;
    let (_, once) = wrapped(&good).swap_remove(1);
    let (_, twice) = wrapped(&once).swap_remove(1);
    check(&twice, "what was packed is packed once more, by gzip").await;
    let (_, empty) = wrapped(b"").swap_remove(1);
    check(&empty, "unpacked, the file is empty").await;
    let (_, json) = wrapped(b"{}").swap_remove(1);
    check(&json, "unpacked, the file is not Parquet").await;
    check(b"\x1f\x8bnot gzip at all", "the gzip around the file is damaged or cut off").await;
    let (_, gzip) = wrapped(&good).swap_remove(1);
    check(&gzip[..gzip.len() / 2], "the gzip around the file is damaged or cut off").await;
    let (_, lzop) = wrapped(&good).swap_remove(4);
    check(&lzop[..lzop.len() - 30], "the lzop around the file is damaged or cut off").await;
    // A byte within a page: what was read before it is not stored either.
    let mut damaged = file(&(0..5000).map(Row::good).collect::<Vec<_>>()).to_vec();
    let middle = damaged.len() / 2;
    damaged[middle - 200..middle].fill(0xff);
    check(&damaged, "the file cannot be read to its end").await;
}

/// A small file that unpacks to a large one is refused before it fills the disk.
#[tokio::test]
async fn a_bomb_does_not_go_off() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        gzip.write_all(&vec![0; 1024 * 1024]).unwrap();
    }
    let rig = Rig::new();
    rig.bucket.put("events/bomb", Bytes::from(gzip.finish().unwrap()));
    let text = crate::rig::config_text(&[("events", "my_statuses")])
        .replace("[state]", "[limits]\nunpacked_mib = 16\n[state]");
    let path = rig.directory.path().join("import.toml");
    let config = bucketproof_connector::import::ImportConfig::parse(&text, path.to_str().unwrap()).unwrap();
    let store: Arc<dyn bucketproof_connector::import::InboundStore> = rig.bucket.clone();
    let stores = [("events".to_owned(), store)].into();
    let entropy = bucketproof_clock::Entropy::seeded(7);
    let mut importer =
        bucketproof_connector::import::Importer::new(config, stores, rig.clock.clone(), entropy).unwrap();
    assert_eq!(importer.once().await.unwrap().files_refused, 1);
    let report = rig.bucket.reports("my_statuses/").pop().unwrap();
    assert!(report["events/bomb"][0].errors_details[0].contains("unpacks to more than 16777216 bytes"));
}
