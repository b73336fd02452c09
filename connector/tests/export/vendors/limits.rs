//! When an appended object is full.

use std::fmt::Write as _;

use bucketproof_connector::profile::{Mode, VendorProfile};

use super::killed::Bench;

fn text_of(id: &str) -> &'static str {
    VendorProfile::embedded().find(|(known, _)| *known == id).unwrap().1
}

/// Claims DAT-30, ENG-05, ENG-13, PER-19.
#[tokio::test]
async fn an_object_is_full_by_its_rows() {
    let bench = Bench::new(&text_of("datafly_s3").replace("rows = 10000", "rows = 10"));
    bench.write_rows(0..25);
    let report = bench.connection().sync().await.unwrap();
    let rows: Vec<u64> = report.datasets[0].objects.iter().map(|object| object.object_rows).collect();
    assert_eq!(rows, [10, 10, 5]);
    bench.assert_holds(0..25, "by rows");
}

/// Claims ENG-12, ENG-13: the bytes that count are those of the object.
#[tokio::test]
async fn an_object_is_full_by_its_compressed_bytes() {
    let bench = Bench::new(&text_of("datafly_s3").replace("mib = 16", "mib = 1"));
    // Texts that gzip cannot halve: hexadecimal digits of a generator.
    let mut state: u64 = 7;
    let mut lines = String::new();
    for id in 0..400 {
        let noise: String = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:08x}", state >> 32)
        })
        .take(1_500)
        .collect();
        writeln!(
            lines,
            "{{\"event_id\":\"e-{id}\",\"type\":\"track\",\"timestamp\":\"2026-03-08T00:00:00Z\",\
             \"received_at\":\"2026-03-08T00:00:00Z\",\"user_id\":\"{noise}\"}}"
        )
        .unwrap();
    }
    bench.write(&lines);
    let report = bench.connection().sync().await.unwrap();
    let objects = &report.datasets[0].objects;
    assert_eq!(objects.iter().map(|object| object.object_rows).sum::<u64>(), 400);
    let sizes: Vec<u64> = objects.iter().map(|object| object.body_bytes).collect();
    let limit = 1024 * 1024;
    assert!(sizes.iter().all(|size| *size <= limit), "{sizes:?}");
    let full = &sizes[1..sizes.len() - 1];
    assert!(!full.is_empty() && full.iter().all(|size| *size > limit / 2), "{sizes:?}");
}

#[tokio::test]
async fn an_object_can_be_one_row() {
    let bench = Bench::new(&text_of("permutive_stream").replace("rows = 100000", "rows = 1"));
    bench.write_rows(0..3);
    let report = bench.connection().sync().await.unwrap();
    let appended = report
        .datasets
        .iter()
        .filter(|report| bench.profile.dataset(&report.dataset).unwrap().mode() == Mode::Append);
    assert!(appended.map(|dataset| dataset.objects.len()).eq([3, 3]));
    bench.assert_holds(0..3, "row by row");
}

/// Claims DAT-30: rows that are all dead letters make no object.
#[tokio::test]
async fn no_row_no_object() {
    let bench = Bench::new(text_of("datafly_s3"));
    bench.write("not json\n{\"event_id\":1}\n");
    let report = bench.connection().sync().await.unwrap();
    let report = &report.datasets[0];
    assert_eq!((report.rows_read, report.rows_dead_lettered, report.objects.len()), (2, 2, 0));
    assert!(report.reconciles());
    assert!(bench.objects().is_empty());
}
