use std::fmt::Write as _;
use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use proptest::prelude::*;

use super::{Replaced, Replacement, in_memory, replace, replace_within, rewrite};
use crate::content::{Content, Room};
use crate::merge::ChangeSet;
use crate::parquet_file::decode;
use crate::profile::{Compression, Dataset, Encoding, VendorProfile};
use crate::rows::{LinesOrigin, decode_ndjson};

/// A row in small numbers, so that keys, times and versions collide.
#[derive(Clone, Copy, Debug)]
struct Small {
    key: u16,
    /// Of the key's usual time by how much the row's differs.
    moved: u8,
    version: u8,
    content: u8,
}

fn dataset(name: &str) -> Dataset {
    let profile = VendorProfile::named("suprsend_s3_v2").unwrap();
    profile.datasets().iter().find(|dataset| dataset.name().as_str() == name).unwrap().clone()
}

fn encoding(row_group_rows: usize) -> Encoding {
    let profile = VendorProfile::named("suprsend_s3_v2").unwrap();
    Encoding { row_group_rows, ..profile.encoding().clone() }
}

/// Two keys in three are identified by their message id alone and can move in time; the third key holds its time.
fn message(row: Small) -> String {
    let identity = if row.key.is_multiple_of(3) {
        format!(
            "\"wf_execution_id\":\"w-{}\",\"node_id\":null,\"vendor_fallback_level\":{}",
            row.key % 7,
            row.key
        )
    } else {
        format!("\"message_id\":\"m-{:03}\"", (u32::from(row.key) * 7_919) % 1_000)
    };
    let second = u32::from(row.key) / 3 + u32::from(row.moved) * 40;
    let seen = match row.content {
        0 => "null".to_owned(),
        content => format!("\"2025-01-15T15:30:{content:02}Z\""),
    };
    format!(
        "{{{identity},\"created_at\":\"2025-01-15T14:{:02}:{:02}Z\",\"updated_at\":\"2025-01-15T15:00:{:02}Z\",\
         \"status\":\"s-{}\",\"seen_at\":{seen},\"webhook_data\":{{\"c\":{}}}}}\n",
        second / 60 % 60,
        second % 60,
        row.version,
        row.content % 2,
        row.content / 3
    )
}

/// Lists, and keys that hold their time.
fn request(row: Small) -> String {
    let second = row.key / 4;
    format!(
        "{{\"api_type\":\"event\",\"api_name\":\"a\",\"tenant_id\":\"t-{}\",\"idempotency_key\":\"k-{}\",\
         \"distinct_id_list\":{},\"errors\":[{{\"n\":{}}}],\
         \"created_at\":\"2025-01-15T14:{:02}:{:02}Z\",\"updated_at\":\"2025-01-15T15:00:{:02}Z\"}}\n",
        row.key % 2,
        row.key,
        if row.content == 0 { "null".to_owned() } else { format!("[\"u-{}\",\"\"]", row.content) },
        row.content / 2,
        second / 60 % 60,
        second % 60,
        row.version
    )
}

fn changes(dataset: &Dataset, rows: &[Small], line: fn(Small) -> String) -> ChangeSet {
    let mut lines = String::new();
    for row in rows {
        write!(lines, "{}", line(*row)).unwrap();
    }
    let origin = LinesOrigin { source: "", lines_before: 0, bytes_before: 0 };
    let decoded = decode_ndjson(dataset, lines.as_bytes(), origin).unwrap();
    assert_eq!(decoded.dead_letters, []);
    ChangeSet { rows: decoded.batch, sequences: (0..rows.len() as u64).collect() }
}

fn plain(keys: Range<u16>) -> Vec<Small> {
    keys.map(|key| Small { key, moved: 0, version: 1, content: (key % 5) as u8 }).collect()
}

fn rows(dataset: &Dataset, body: &Bytes) -> RecordBatch {
    concat_batches(&dataset.schema(), &decode(dataset, body.clone()).unwrap()).unwrap()
}

fn footer(body: &Bytes) -> ParquetMetaData {
    ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(body)
        .unwrap()
}

fn changed(outcome: Replaced) -> Replacement {
    match outcome {
        Replaced::Changed(replacement) => replacement,
        Replaced::Unchanged { .. } => panic!("nothing changed"),
    }
}

/// The bytes of a row group's chunks, without what lies between and behind them.
fn group_bytes(body: &Bytes, group: usize) -> Vec<Vec<u8>> {
    let footer = footer(body);
    let chunks = footer.row_group(group).columns().iter();
    let size = |bytes: u64| usize::try_from(bytes).unwrap();
    let range = |(from, length): (u64, u64)| size(from)..size(from + length);
    chunks.map(|chunk| body[range(chunk.byte_range())].to_vec()).collect()
}

/// Splices and rewrites; both must read the same, and what was copied must be the same bytes.
fn both(
    dataset: &Dataset,
    encoding: &Encoding,
    base: Option<&Bytes>,
    given: &ChangeSet,
) -> Option<Replacement> {
    let spliced = replace(dataset, encoding, base.cloned(), given).unwrap();
    let plain = rewrite(dataset, encoding, base.cloned(), given).unwrap();
    gradually(dataset, encoding, (base, given), &plain);
    let (spliced, plain) = match (spliced, plain) {
        (Replaced::Changed(spliced), Replaced::Changed(plain)) => (spliced, plain),
        (Replaced::Unchanged { deduplicated }, Replaced::Unchanged { deduplicated: expected }) => {
            assert_eq!(deduplicated, expected);
            return None;
        }
        (spliced, plain) => panic!("spliced: {spliced:?}\nrewritten: {plain:?}"),
    };
    assert_eq!(
        (spliced.object_rows, spliced.written, spliced.deduplicated),
        (plain.object_rows, plain.written, plain.deduplicated)
    );
    assert_eq!(rows(dataset, &spliced.body), rows(dataset, &plain.body));
    for group in footer(&spliced.body).row_groups() {
        let rows = usize::try_from(group.num_rows()).unwrap();
        assert!((1..=encoding.row_group_rows).contains(&rows), "{rows}");
    }
    if let Some(base) = base {
        for (from, to) in &spliced.copied {
            assert_eq!(group_bytes(base, *from), group_bytes(&spliced.body, *to), "row group {from} as {to}");
            let (old, new) = (footer(base), footer(&spliced.body));
            let (old, new) = (old.row_group(*from), new.row_group(*to));
            assert_eq!(old.sorting_columns(), new.sorting_columns());
            for (old, new) in old.columns().iter().zip(new.columns()) {
                assert_eq!(old.statistics(), new.statistics());
                assert_eq!(old.column_index_offset().is_some(), new.column_index_offset().is_some());
            }
        }
    }
    Some(spliced)
}

/// The same, of an object on disk: a few row groups at a time, and never all of them.
fn gradually(
    dataset: &Dataset,
    encoding: &Encoding,
    (base, given): (Option<&Bytes>, &ChangeSet),
    plain: &Replaced,
) {
    let directory = tempfile::tempdir().unwrap();
    let room = Room::new(0, directory.path().to_owned());
    let on_disk = base.map(|bytes| Content::within(&room, bytes).unwrap());
    let outcome = replace_within(dataset, encoding, on_disk, given, &room).unwrap();
    match (in_memory(outcome).unwrap(), plain) {
        (Replaced::Changed(found), Replaced::Changed(plain)) => {
            assert_eq!(
                (found.object_rows, found.written, found.deduplicated),
                (plain.object_rows, plain.written, plain.deduplicated)
            );
            assert_eq!(rows(dataset, &found.body), rows(dataset, &plain.body));
            let groups = footer(&found.body);
            let groups = groups.row_groups();
            assert!(
                groups
                    .iter()
                    .all(|group| usize::try_from(group.num_rows()).unwrap() <= encoding.row_group_rows)
            );
            let all: usize = groups.iter().map(|group| usize::try_from(group.num_rows()).unwrap()).sum();
            let full = all / encoding.row_group_rows;
            assert!(groups.len() <= full * 8 + 16, "{} row groups for {full}", groups.len());
            for (from, to) in &found.copied {
                assert_eq!(group_bytes(base.unwrap(), *from), group_bytes(&found.body, *to));
            }
        }
        (Replaced::Unchanged { deduplicated }, Replaced::Unchanged { deduplicated: expected }) => {
            assert_eq!(deduplicated, *expected);
        }
        (found, plain) => panic!("gradually: {found:?}\nrewritten: {plain:?}"),
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "files stay behind");
}

fn small(keys: u16) -> impl Strategy<Value = Small> {
    // Most rows stay in their places, as in real traffic; some move.
    (0..keys, prop_oneof![8 => Just(0_u8), 1 => 1_u8..4], 0_u8..5, 0_u8..7)
        .prop_map(|(key, moved, version, content)| Small { key, moved, version, content })
}

/// As many as `PROPTEST_CASES` says; by default few, as each is several encodings.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: cases.unwrap_or(32), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn splices_read_as_rewrites_do(
        row_group_rows in 8_usize..40,
        first in 40_u16..240,
        batches in prop::collection::vec(prop::collection::vec(small(260), 1..14), 1..6),
        lists in any::<bool>(),
    ) {
        let (dataset, line): (Dataset, fn(Small) -> String) =
            if lists { (dataset("requests"), request) } else { (dataset("messages"), message) };
        let encoding = encoding(row_group_rows);
        let given = changes(&dataset, &plain(0..first), line);
        let mut body = changed(replace(&dataset, &encoding, None, &given).unwrap()).body;
        for batch in batches {
            let given = changes(&dataset, &batch, line);
            if let Some(next) = both(&dataset, &encoding, Some(&body), &given) {
                body = next.body;
            }
        }
    }
}

fn hour(dataset: &Dataset, encoding: &Encoding, keys: Range<u16>) -> Bytes {
    changed(replace(dataset, encoding, None, &changes(dataset, &plain(keys), message)).unwrap()).body
}

#[test]
fn a_change_in_its_place_copies_all_other_row_groups_and_all_other_columns() {
    let (dataset, encoding) = (dataset("messages"), encoding(20));
    let base = hour(&dataset, &encoding, 0..200);
    let update = [Small { key: 33, moved: 0, version: 2, content: 3 }];
    let next = both(&dataset, &encoding, Some(&base), &changes(&dataset, &update, message)).unwrap();
    assert_eq!(next.copied.len(), 9);
    // Of 36 columns the version changes, and status, seen_at and webhook_data may.
    assert!((32..36).contains(&next.chunks_copied), "{} chunks", next.chunks_copied);
}

#[test]
fn new_rows_at_the_end_touch_the_last_row_group_alone_and_a_full_one_not_at_all() {
    let (dataset, encoding) = (dataset("messages"), encoding(20));
    let base = hour(&dataset, &encoding, 0..195);
    let tail = plain(198..230);
    let next = both(&dataset, &encoding, Some(&base), &changes(&dataset, &tail, message)).unwrap();
    let groups: Vec<i64> = footer(&next.body).row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(next.copied.len(), 9);
    assert_eq!(groups[9..], [16, 16, 15], "15 rows that were there and 32 more, cut evenly");

    let base = hour(&dataset, &encoding, 0..198);
    let full = hour(&dataset, &Encoding { row_group_rows: 18, ..encoding.clone() }, 0..198);
    let next = both(&dataset, &encoding, Some(&base), &changes(&dataset, &plain(210..213), message)).unwrap();
    assert_eq!(next.copied.len(), 9);
    let encoding = Encoding { row_group_rows: 18, ..encoding };
    let next = both(&dataset, &encoding, Some(&full), &changes(&dataset, &plain(210..213), message)).unwrap();
    assert_eq!(next.copied.len(), 11, "all, as the last one was full");
}

#[test]
fn a_row_that_moved_within_the_hour_leaves_no_old_version_behind() {
    let (dataset, encoding) = (dataset("messages"), encoding(20));
    let base = hour(&dataset, &encoding, 0..200);
    for moved in 1..4 {
        let update = [Small { key: 1, moved, version: 2, content: 3 }];
        let next = both(&dataset, &encoding, Some(&base), &changes(&dataset, &update, message)).unwrap();
        assert_eq!(next.object_rows, 200);
        assert!(next.copied.len() >= 5, "{:?}", next.copied);
    }
    let older = [Small { key: 1, moved: 3, version: 0, content: 3 }];
    assert!(both(&dataset, &encoding, Some(&base), &changes(&dataset, &older, message)).is_none());
}

#[test]
fn equal_times_across_row_groups_stay_in_the_order_of_their_keys() {
    let dataset = dataset("messages");
    // Three rows share each second, so that borders of row groups cut through seconds.
    let encoding = encoding(10);
    let base = hour(&dataset, &encoding, 0..50);
    for key in 0..50 {
        let update = [Small { key, moved: 0, version: 2, content: 6 }];
        both(&dataset, &encoding, Some(&base), &changes(&dataset, &update, message)).unwrap();
    }
    // All rows of one second, over several row groups, and one more between them.
    let one_second = |row: Small| message(row).replace("14:00:", "14:07:").replace("14:01:", "14:07:");
    let lines: String = plain(0..60).into_iter().map(one_second).collect::<String>().replace(":01Z", ":00Z");
    assert!(lines.contains("14:07:00Z"));
    let origin = LinesOrigin { source: "", lines_before: 0, bytes_before: 0 };
    let given = decode_ndjson(&dataset, lines.as_bytes(), origin).unwrap().batch;
    let sequences = (0..given.num_rows() as u64).collect();
    let base =
        changed(replace(&dataset, &encoding, None, &ChangeSet { rows: given, sequences }).unwrap()).body;
    let between = "{\"message_id\":\"m-500\",\"created_at\":\"2025-01-15T14:07:00Z\",\"updated_at\":\"2025-01-15T15:00:01Z\"}\n";
    let given = decode_ndjson(&dataset, between.as_bytes(), origin).unwrap().batch;
    both(&dataset, &encoding, Some(&base), &ChangeSet { rows: given, sequences: vec![0] }).unwrap();
}

#[test]
fn all_rows_changed_is_a_rewrite_and_none_is_no_change() {
    let (dataset, encoding) = (dataset("messages"), encoding(20));
    let base = hour(&dataset, &encoding, 0..200);
    let all: Vec<Small> = plain(0..200).into_iter().map(|row| Small { version: 2, ..row }).collect();
    let given = changes(&dataset, &all, message);
    let next = both(&dataset, &encoding, Some(&base), &given).unwrap();
    assert_eq!((next.copied.len(), next.chunks_copied), (0, 0));
    let again = rewrite(&dataset, &encoding, Some(base), &given).unwrap();
    assert_eq!(next.body, changed(again).body, "byte by byte");

    let none = ChangeSet { rows: RecordBatch::new_empty(dataset.schema()), sequences: Vec::new() };
    assert!(both(&dataset, &encoding, Some(&next.body), &none).is_none());
    assert!(both(&dataset, &encoding, Some(&next.body), &given).is_none(), "the same rows again");
    assert!(both(&dataset, &encoding, None, &given).is_some());
}

#[test]
fn many_small_changes_do_not_leave_many_small_row_groups() {
    let (dataset, encoding) = (dataset("messages"), encoding(20));
    let mut body = hour(&dataset, &encoding, 0..3);
    for key in 3..220 {
        let given = changes(&dataset, &plain(key..key + 1), message);
        body = changed(replace(&dataset, &encoding, Some(body), &given).unwrap()).body;
    }
    let groups = footer(&body).num_row_groups();
    assert!(groups <= 22, "{groups} row groups for 220 rows of 20 each");
    assert_eq!(rows(&dataset, &body).num_rows(), 220);
}

#[test]
fn objects_in_another_form_are_rewritten_in_ours() {
    let (dataset, encoding) = (dataset("messages"), encoding(20));
    let base = hour(&dataset, &encoding, 0..200);
    let given = changes(&dataset, &plain(210..211), message);

    // Another writer's file, with the same rows and without our settings.
    let all = rows(&dataset, &base);
    let mut writer = ArrowWriter::try_new(Vec::new(), all.schema(), None).unwrap();
    writer.write(&all.slice(0, 100)).unwrap();
    writer.flush().unwrap();
    writer.write(&all.slice(100, 100)).unwrap();
    let foreign = Bytes::from(writer.into_inner().unwrap());
    // An older layout: the last column was not there yet.
    let older = all.project(&(0..35).collect::<Vec<_>>()).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), older.schema(), None).unwrap();
    writer.write(&older).unwrap();
    let older = Bytes::from(writer.into_inner().unwrap());
    // Our own, compressed otherwise.
    let zstd = hour(&dataset, &Encoding { compression: Compression::Zstd, ..encoding.clone() }, 0..200);
    for base in [foreign, older, zstd] {
        let next = both(&dataset, &encoding, Some(&base), &given).unwrap();
        assert_eq!((next.copied.len(), next.object_rows), (0, 201));
    }
    let broken = base.slice(0..base.len() - 9);
    assert!(replace(&dataset, &encoding, Some(broken), &given).is_err());
    let empty = rewrite(&dataset, &encoding, Some(Bytes::new()), &given);
    assert!(empty.is_err(), "an object without bytes is no file");
}
