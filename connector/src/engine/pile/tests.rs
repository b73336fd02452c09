use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;

use super::{Pile, by_time};
use crate::content::Room;
use crate::object_file::encode;
use crate::profile::{Compression, Encoding, Format, VendorProfile};
use crate::rows::{LinesOrigin, decode_ndjson};

/// Rows whose times come in no order and often more than once.
fn rows(profile: &VendorProfile, ids: std::ops::Range<u64>) -> RecordBatch {
    let line = |id: u64| {
        let time = 1_665_851_625_945 + (id * 7_919) % 1_500;
        format!(
            "{{\"time\":\"{time}\",\"event_id\":\"e-{id}\",\"user_id\":\"u\",\"event_name\":\"n\",\
             \"organization_id\":\"o\",\"project_id\":\"p\",\"segments\":[{id}],\"properties\":{{\"a\":[{id}]}}}}\n"
        )
    };
    let lines: String = ids.map(line).collect();
    let origin = LinesOrigin { source: "", lines_before: 0, bytes_before: 0 };
    let rows = decode_ndjson(&profile.datasets()[0], lines.as_bytes(), origin).unwrap();
    assert_eq!(rows.dead_letters, []);
    rows.batch
}

#[test]
fn rows_come_into_their_order_by_stretches_as_they_do_at_once() {
    let profile = VendorProfile::named("permutive_stream").unwrap();
    let dataset = &profile.datasets()[0];
    let directory = tempfile::tempdir().unwrap();
    let parts: Vec<RecordBatch> =
        [0..2_500, 2_500..2_503, 2_503..7_000].map(|ids| rows(&profile, ids)).into();
    let all = concat_batches(&dataset.schema(), &parts).unwrap();
    let sorted = by_time(dataset, &all).unwrap();
    assert_ne!(sorted, all);
    for (format, compression) in [
        (Format::Parquet, Compression::Snappy),
        (Format::Csv, Compression::None),
        (Format::Ndjson, Compression::Gzip),
    ] {
        let encoding = Encoding { format, compression, row_group_rows: 400, ..profile.encoding().clone() };
        let expected = encode(dataset, &encoding, std::slice::from_ref(&sorted)).unwrap();
        for memory in [0, 30_000, u64::MAX] {
            let room = Room::new(memory, directory.path().to_owned());
            let mut pile = Pile::new(dataset, &room);
            for (at, part) in parts.iter().enumerate() {
                if at == 1 {
                    // As an earlier state may hold it: in the order in which the rows came.
                    let body = crate::parquet_file::encode(dataset, &encoding, std::slice::from_ref(part));
                    pile.add_body(&body.unwrap()).unwrap();
                } else {
                    pile.add(&encoding, part).unwrap();
                }
            }
            let stretches = pile.stretches().unwrap().len();
            assert_eq!(stretches > 2, memory < u64::MAX, "{stretches} stretches");
            let on_disk = pile.bodies.iter().filter(|body| body.content.path().is_some()).count();
            assert_eq!(on_disk > 0, memory < u64::MAX);
            let (body, count) = pile.encode(&encoding).unwrap();
            assert_eq!(count, 7_000);
            assert!(body.to_bytes().unwrap() == expected, "{format:?} within {memory} bytes");
            drop((pile, body));
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "files stay behind");
        }
    }
}

#[test]
fn no_rows_and_rows_of_one_time_have_an_order_too() {
    let profile = VendorProfile::named("permutive_stream").unwrap();
    let dataset = &profile.datasets()[0];
    let directory = tempfile::tempdir().unwrap();
    let room = Room::new(0, directory.path().to_owned());
    let (empty, count) = Pile::new(dataset, &room).encode(profile.encoding()).unwrap();
    assert_eq!(count, 0);
    assert_eq!(empty.to_bytes().unwrap(), encode(dataset, profile.encoding(), &[]).unwrap());
    let one_time = concat_batches(&dataset.schema(), &vec![rows(&profile, 0..1); 2_400]).unwrap();
    let mut pile = Pile::new(dataset, &room);
    pile.add(profile.encoding(), &one_time).unwrap();
    assert_eq!(pile.stretches().unwrap().len(), 2, "before that time, and from it on");
    let (body, _) = pile.encode(profile.encoding()).unwrap();
    let expected = encode(dataset, profile.encoding(), std::slice::from_ref(&one_time)).unwrap();
    assert!(body.to_bytes().unwrap() == expected);
}
