//! Objects that hold their source whole.

use std::sync::Arc;

use bucketproof_connector::IntentMode;
use bucketproof_connector::names::ObjectKey;
use bucketproof_connector::profile::VendorProfile;
use bucketproof_connector::report::{DatasetReport, SyncReport};
use bucketproof_connector::store::{FaultyStore, StoreFault};

use super::content::of_lines;
use super::killed::Bench;

const KEY: &str = "type=segment/part-00000.jsonl.gz";

fn bench() -> Bench {
    let text = VendorProfile::embedded().find(|(known, _)| *known == "permutive_stream").unwrap().1;
    Bench::new(text)
}

fn segments(ids: &[u32]) -> String {
    let line = |id: &u32| format!("{{\"id\":\"s-{id}\",\"code\":{id},\"name\":\"n\",\"workspace\":\"w\"}}\n");
    ids.iter().map(line).collect()
}

async fn sync(bench: &Bench) -> SyncReport {
    bench.connection().sync().await.unwrap()
}

fn segment(report: &SyncReport) -> &DatasetReport {
    report.dataset("segment").unwrap()
}

/// The codes that a reader finds.
fn codes(bench: &Bench) -> Vec<i64> {
    let dataset =
        bench.profile.datasets().iter().find(|dataset| dataset.name().as_str() == "segment").unwrap();
    let objects = bench.objects();
    let rows = of_lines(dataset, &super::content::unpacked(&objects[KEY]));
    rows.iter()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap()["code"].as_i64().unwrap())
        .collect()
}

/// Claims PER-18, PER-27: old rows are gone, and no mixed state was ever visible.
#[tokio::test]
async fn a_new_state_replaces_the_former_whole() {
    let bench = bench();
    for (ids, mode) in [(vec![1, 2, 3], IntentMode::Create), (vec![2, 9], IntentMode::Replace)] {
        bench.replace("segment", &segments(&ids));
        let report = sync(&bench).await;
        let report = segment(&report);
        assert!(report.reconciles());
        assert_eq!((report.rows_written, report.objects[0].mode), (ids.len() as u64, mode));
        assert_eq!(codes(&bench), ids.iter().map(|id| i64::from(*id)).collect::<Vec<_>>());
    }
    let versions = bench.bucket.history().len();
    assert_eq!(versions, 2);
    assert_eq!(segment(&sync(&bench).await).rows_read, 0, "nothing new");
    assert_eq!(bench.bucket.history().len(), versions);
    // The same length, another content: it counts as waiting.
    bench.replace("segment", &segments(&[3, 9]));
    let waiting =
        |bench: &Bench| bench.connection().status().unwrap().datasets[2].checkpoints[0].pending_bytes;
    assert!(waiting(&bench) > 0);
    sync(&bench).await;
    assert_eq!((codes(&bench), waiting(&bench)), (vec![3, 9], 0));
    // Somebody removed the object: it comes back.
    bench.bucket.remove_foreign(&ObjectKey::new(KEY).unwrap());
    sync(&bench).await;
    assert_eq!(codes(&bench), [3, 9]);
}

#[tokio::test]
async fn a_state_that_is_being_written_or_has_no_row_changes_nothing() {
    let bench = bench();
    bench.replace("segment", &segments(&[1, 2]));
    sync(&bench).await;
    let half = segments(&[5, 6]);
    bench.replace("segment", &half[..half.len() - 4]);
    let report = sync(&bench).await;
    assert_eq!(segment(&report).rows_read, 0);
    assert!(segment(&report).pending_bytes > 0);
    assert_eq!(codes(&bench), [1, 2]);
    bench.replace("segment", "{\"id\":5}\n");
    let report = sync(&bench).await;
    assert_eq!((segment(&report).rows_read, segment(&report).rows_dead_lettered), (1, 1));
    assert_eq!(codes(&bench), [1, 2], "the last good state stays");
}

/// Claims ENG-01, ENG-04: the source changed between the crash and the restart, so what was sealed is of the past.
#[tokio::test]
async fn a_state_that_was_sealed_gives_way_to_a_newer_one() {
    for fault in [StoreFault::StopBefore, StoreFault::StopAfter] {
        for call in 0..3 {
            let bench = bench();
            bench.replace("segment", &segments(&[1]));
            let store = Arc::new(FaultyStore::new(bench.bucket.clone()));
            store.inject(call, fault.clone());
            let connection = bench.connection_over(store.clone());
            tokio::select! {
                outcome = connection.sync() => panic!("not stopped: {outcome:?}"),
                () = store.stopped() => {}
            }
            drop(connection);
            bench.replace("segment", &segments(&[2, 3]));
            sync(&bench).await;
            assert_eq!(codes(&bench), [2, 3], "{fault:?} at {call}");
            assert_eq!(bench.connection().status().unwrap().datasets[2].open_intents, 0);
        }
    }
}

/// A state of several batches is not held whole: what does not fit is read a second time, to the same bytes.
#[tokio::test]
async fn a_state_of_several_batches_gives_the_same_object() {
    let ids: Vec<u32> = (0..30_000).collect();
    let bad = format!("{}{{\"id\":5}}\n{}", segments(&ids[..29_000]), segments(&ids[29_000..]));
    let made = async |state: &'static str| {
        let bench = bench().with_state(state);
        bench.replace("segment", &bad);
        let plan = bench.connection().plan().await.unwrap();
        let report = sync(&bench).await;
        let segment = segment(&report);
        assert!(segment.reconciles());
        assert_eq!((segment.rows_read, segment.rows_written), (30_001, 30_000));
        assert_eq!(segment.rows_dead_lettered, 1);
        let planned = plan.datasets.iter().find(|dataset| dataset.dataset.as_str() == "segment").unwrap();
        assert_eq!(planned.objects, segment.objects);
        assert_eq!(codes(&bench), ids.iter().map(|id| i64::from(*id)).collect::<Vec<_>>());
        bench.objects()[KEY].clone()
    };
    assert!(made("").await == made("batch_mib = 1").await, "other bytes");
}
