use std::io::Read as _;

use super::{encode, encode_within};
use crate::content::Room;
use crate::profile::{Compression, Encoding, Format, VendorProfile};
use crate::rows::{LinesOrigin, decode_ndjson};

fn events(lines: &str) -> (VendorProfile, arrow_array::RecordBatch) {
    let profile = VendorProfile::named("permutive_stream").unwrap();
    let origin = LinesOrigin { source: "", lines_before: 0, bytes_before: 0 };
    let rows = decode_ndjson(&profile.datasets()[0], lines.as_bytes(), origin).unwrap();
    assert_eq!(rows.dead_letters, []);
    (profile, rows.batch)
}

fn line(id: usize) -> String {
    format!(
        "{{\"time\":\"1665851625945\",\"event_id\":\"e \\\"{id}\\\" \\u00e9\",\"user_id\":\"u\",\"event_name\":\"n\",\
         \"organization_id\":\"o\",\"project_id\":\"p\",\"segments\":[1,-{id}],\"properties\":{{\"a\" : [1.50]}}}}\n"
    )
}

/// Claims DAT-01, DAT-02, PER-05, PER-13, PER-14.
#[test]
fn lines_are_canonical_and_their_gzip_depends_on_rows_alone() {
    let lines: String = (0..50).map(line).collect();
    let (profile, rows) = events(&lines);
    let dataset = &profile.datasets()[0];
    let whole = encode(dataset, profile.encoding(), std::slice::from_ref(&rows)).unwrap();
    let parts = encode(dataset, profile.encoding(), &[rows.slice(0, 7), rows.slice(7, 43)]).unwrap();
    assert_eq!(whole, parts);
    assert_eq!(
        &whole[..10],
        [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255],
        "one member without name, time or system"
    );
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&whole[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 50);
    assert!(text.ends_with('\n'));
    assert_eq!(
        text.lines().nth(3).unwrap(),
        "{\"time\":\"1665851625945\",\"event_id\":\"e \\\"3\\\" é\",\"user_id\":\"u\",\"event_name\":\"n\",\
         \"organization_id\":\"o\",\"project_id\":\"p\",\"session_id\":null,\"view_id\":null,\"source_url\":null,\
         \"segments\":[1,-3],\"properties\":{\"a\" : [1.50]}}"
    );
    let plain = Encoding { compression: Compression::None, ..profile.encoding().clone() };
    assert_eq!(encode(dataset, &plain, &[rows]).unwrap(), text);
}

/// What is written is read again as the same rows.
#[test]
fn lines_are_a_fixed_point() {
    let (profile, rows) = events(&(0..9).map(line).collect::<String>());
    let plain =
        Encoding { format: Format::Ndjson, compression: Compression::None, ..profile.encoding().clone() };
    let text = encode(&profile.datasets()[0], &plain, &[rows]).unwrap();
    let (_, again) = events(std::str::from_utf8(&text).unwrap());
    assert_eq!(encode(&profile.datasets()[0], &plain, &[again]).unwrap(), text);
}

/// However the rows come and wherever the bytes are kept.
#[test]
fn rows_that_come_one_after_another_give_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let lines: String = (0..3_000).map(line).collect();
    let (profile, rows) = events(&lines);
    let dataset = &profile.datasets()[0];
    for (format, compression) in [
        (Format::Parquet, Compression::Snappy),
        (Format::Ndjson, Compression::Gzip),
        (Format::Ndjson, Compression::None),
        (Format::Csv, Compression::Gzip),
        (Format::Csv, Compression::None),
    ] {
        let encoding = Encoding { format, compression, row_group_rows: 700, ..profile.encoding().clone() };
        for rows in [rows.clone(), rows.slice(0, 0)] {
            let whole = encode(dataset, &encoding, std::slice::from_ref(&rows)).unwrap();
            for (step, memory) in [(1_100, u64::MAX), (90, 0)] {
                let room = Room::new(memory, directory.path().to_owned());
                let batches = (0..rows.num_rows())
                    .step_by(step)
                    .map(|from| Ok(rows.slice(from, step.min(rows.num_rows() - from))));
                let kept = encode_within(&room, dataset, &encoding, batches).unwrap();
                assert_eq!(kept.path().is_some(), memory == 0 && !kept.is_empty(), "{format:?}");
                assert!(kept.to_bytes().unwrap() == whole, "{format:?} {compression:?} in steps of {step}");
            }
        }
    }
    let lost = directory.path().join("a file");
    std::fs::write(&lost, "").unwrap();
    let error = encode_within(&Room::new(0, lost), dataset, profile.encoding(), std::iter::once(Ok(rows)));
    assert!(matches!(error, Err(super::EncodeError::Disk(_))), "{error:?}");
}
