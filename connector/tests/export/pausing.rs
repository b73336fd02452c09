//! Pauses, toggles and selections: what is exported of the time in which a connection stood still.

use std::time::Duration;

use bucketproof_clock::Entropy;
use bucketproof_connector::GapReason;
use bucketproof_connector::engine::{pause, resume};
use bucketproof_connector::report::{ConnectionState, Outcome};

use crate::rig::{Rig, fold, message};

fn paused(rig: &Rig) -> String {
    let config = rig.config();
    pause(&config, &config.load_profile().unwrap(), &rig.clock, &Entropy::seeded(1)).unwrap()
}

fn resumed(rig: &Rig) -> Option<String> {
    let config = rig.config();
    resume(&config, &config.load_profile().unwrap(), &rig.clock, &Entropy::seeded(1)).unwrap()
}

/// Claims SUP-16, SUP-65: a run that was paused and resumed ends with the bytes of one that never was.
#[tokio::test]
async fn a_pause_is_made_up_for_after_the_resume() {
    let (rig, never_paused) = (Rig::new(), Rig::new());
    let parts: Vec<String> = (0..6).map(|part| message(part, part * 20, part, "sent")).collect();
    for (at, part) in parts.iter().enumerate() {
        for rig in [&rig, &never_paused] {
            rig.append("messages.ndjson", part);
            rig.clock.advance(Duration::from_mins(5));
        }
        if at == 2 {
            paused(&rig);
            let calls = rig.bucket.history().len();
            assert_eq!(rig.connection().status().unwrap().state, ConnectionState::Paused);
            assert_eq!(rig.connection().sync().await.unwrap().outcome, Outcome::Paused);
            assert_eq!(rig.connection().plan().await.unwrap().outcome, Outcome::Paused);
            assert_eq!(rig.bucket.history().len(), calls);
        }
        if at == 4 {
            assert_eq!(rig.connection().sync().await.unwrap().outcome, Outcome::Paused);
            assert!(resumed(&rig).is_some());
            let gap = rig.connection().status().unwrap().gaps.pop().unwrap();
            assert_eq!((gap.reason, gap.filled_at), (GapReason::Paused, None));
        }
        if !(2..4).contains(&at) {
            rig.sync().await;
        }
        never_paused.sync().await;
    }
    assert_eq!(rig.objects(), fold("messages", &parts.concat()));
    assert_eq!(rig.objects(), never_paused.objects());
    assert!(rig.connection().status().unwrap().gaps[0].filled_at.is_some());
    assert_eq!(resumed(&rig), None, "there is no pause to end");
}

/// Claims SUP-16: a pause that comes before the first sync, and one that is given twice.
#[tokio::test]
async fn a_pause_before_the_first_sync_holds_it_back() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    let since = paused(&rig);
    rig.clock.advance(Duration::from_mins(1));
    assert_eq!(paused(&rig), since);
    assert_eq!(rig.connection().sync().await.unwrap().outcome, Outcome::Paused);
    assert!(rig.objects().is_empty());
    assert_eq!(resumed(&rig), Some(since));
    rig.sync().await;
    assert_eq!(rig.objects().len(), 1);
}

/// Claims SUP-64, SUP-66: with `history = "forward"`, what lies before a dataset's first sync never appears.
#[tokio::test]
async fn forward_only_leaves_the_history_of_each_dataset_out() {
    let mut rig = Rig::new();
    let request = |minute: u32| {
        format!(
            "{{\"api_type\":\"event\",\"api_name\":\"a\",\"tenant_id\":\"t\",\"idempotency_key\":\"k-{minute}\",\
             \"created_at\":\"2025-01-15T{:02}:{:02}:00Z\",\"updated_at\":\"2025-01-15T19:00:00Z\",\
             \"status\":\"completed\"}}\n",
            14 + minute / 60,
            minute % 60
        )
    };
    let forward =
        |rig: &Rig| rig.config_text().replacen("enabled = true", "enabled = true\nhistory = \"forward\"", 1);
    // The clock stands at 16:00; minute 119 is 15:59, minute 120 is 16:00.
    rig.append("messages.ndjson", &(message(1, 119, 0, "old") + &message(2, 120, 0, "new")));
    rig.append("requests.ndjson", &(request(10) + &request(121)));
    let first = rig.sync_with(&forward(&rig)).await;
    let report = first.dataset("messages").unwrap();
    assert_eq!((report.rows_read, report.rows_written, report.rows_before_start), (1, 1, 1));
    assert_eq!(rig.objects(), fold("messages", &message(2, 120, 0, "new")));

    // A dataset that is added later starts for itself, at 16:30.
    rig.clock.advance(Duration::from_mins(30));
    rig.append("requests.ndjson", &request(150));
    rig.datasets = vec!["messages", "requests"];
    let second = rig.sync_with(&forward(&rig)).await;
    let report = second.dataset("requests").unwrap();
    assert_eq!((report.rows_written, report.rows_before_start), (1, 2));
    let status = rig.connection().status().unwrap();
    let starts: Vec<_> =
        status.datasets.iter().map(|dataset| dataset.starts_at.as_deref().unwrap()).collect();
    assert_eq!(starts, ["2025-01-15T16:30:00Z", "2025-01-15T16:00:00Z"], "in the profile's order");
}

/// Claims SUP-17, SUP-66, SUP-67, SUP-68, SUP-69.
#[tokio::test]
async fn a_dataset_that_leaves_keeps_its_objects_and_fills_its_gap_when_it_returns() {
    let mut rig = Rig::new();
    rig.datasets = vec!["messages", "requests"];
    rig.write("requests.ndjson", "");
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    rig.sync().await;
    let before = rig.objects();
    rig.datasets = vec!["requests"];
    rig.append("messages.ndjson", &message(2, 65, 0, "sent"));
    rig.sync().await;
    assert_eq!(rig.objects(), before, "a dataset that is not selected is neither written nor deleted");
    rig.clock.advance(Duration::from_mins(30));
    rig.datasets = vec!["messages", "requests"];
    rig.sync().await;
    assert_eq!(rig.objects(), fold("messages", &(message(1, 5, 0, "sent") + &message(2, 65, 0, "sent"))));
    let gaps = rig.connection().status().unwrap().gaps;
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].dataset.as_str(), gaps[0].reason), ("messages", GapReason::NotSelected));
    assert_eq!(
        (gaps[0].from.as_str(), gaps[0].to.as_str()),
        ("2025-01-15T16:00:00Z", "2025-01-15T16:30:00Z")
    );
    assert!(gaps[0].filled_at.is_some());
}

/// Claims SUP-60, SUP-76, SUP-Q18: switching the toggle off and on again is a pause.
#[tokio::test]
async fn a_toggle_that_was_off_is_a_pause() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    rig.sync().await;
    rig.append("messages.ndjson", &message(2, 6, 0, "sent"));
    let off = rig.config_text().replace("enabled = true", "enabled = false");
    let report = rig.sync_with(&off).await;
    assert_eq!((report.outcome, rig.bucket.history().len()), (Outcome::Disabled, 1));
    assert_eq!(rig.sync().await.dataset("messages").unwrap().rows_written, 1);
}
