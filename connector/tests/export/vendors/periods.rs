//! Objects of whole days.

use std::time::Duration;

use bucketproof_connector::IntentMode;
use bucketproof_connector::profile::VendorProfile;
use bucketproof_connector::report::{DatasetReport, SyncReport};
use jiff::Timestamp;

use super::killed::Bench;

fn bench(now: &str) -> Bench {
    let text = VendorProfile::embedded().find(|(known, _)| *known == "adapty_s3").unwrap().1;
    let mut bench = Bench::new(text);
    bench.clock = bucketproof_clock::Clock::manual(now.parse().unwrap());
    bench
}

fn visit(id: &str, at: &str) -> String {
    format!("{{\"profile_id\":\"{id}\",\"paywall_showed_at\":\"{at}\"}}\n")
}

async fn sync(bench: &Bench) -> SyncReport {
    let report = bench.connection().sync().await.unwrap();
    for dataset in &report.datasets {
        assert!(dataset.reconciles(), "{dataset:?}");
    }
    report
}

fn visits(report: &SyncReport) -> &DatasetReport {
    report.dataset("paywall_visits").unwrap()
}

/// The ids of the visits that a day's file holds.
fn day(bench: &Bench, day: &str) -> Option<Vec<String>> {
    let objects = bench.objects();
    let body = objects.get(&format!("paywall_visits/2026-03-{day}.csv"))?;
    let text = std::str::from_utf8(body).unwrap();
    assert!(text.starts_with("profile_id,customer_user_id,profile_country,"), "{text}");
    Some(text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect())
}

/// Claims ADA-01, ADA-02, ADA-03, ADA-30, ADA-Q09.
#[tokio::test]
async fn a_day_is_written_whole_after_four_on_the_next() {
    let bench = bench("2026-03-08T03:59:59Z");
    bench.write(
        &(visit("last", "2026-03-07T23:59:59.999999Z")
            + &visit("before", "2026-03-06T23:59:59.999999Z")
            + &visit("first", "2026-03-07T00:00:00Z")
            + &visit("elsewhere", "2026-03-08T00:30:00+01:00")
            + &visit("next", "2026-03-08T00:00:00Z")),
    );
    // The other dataset has rows of another shape: they are its dead letters, which is not the point here.
    let report = sync(&bench).await;
    assert_eq!(day(&bench, "07"), None, "before four");
    assert_eq!(day(&bench, "06"), Some(vec!["before".to_owned()]));
    assert_eq!((visits(&report).rows_written, visits(&report).rows_held), (1, 4));
    assert_eq!(bench.connection().status().unwrap().datasets[1].rows_held, 4);

    bench.clock.advance(Duration::from_secs(1));
    let report = sync(&bench).await;
    let ids = ["first", "elsewhere", "last"].map(str::to_owned).to_vec();
    assert_eq!(day(&bench, "07"), Some(ids));
    assert_eq!((visits(&report).rows_read, visits(&report).rows_written), (0, 3));
    assert_eq!((visits(&report).rows_held_before, visits(&report).rows_held), (4, 1));
    assert_eq!(day(&bench, "08"), None);
    let events = bench.objects()["events/2026-03-07.csv"].clone();
    assert_eq!(std::str::from_utf8(&events).unwrap().lines().count(), 1, "a header alone");
}

/// Claims ADA-32, ADA-33: days that were missed are made up for, one file per day, and a day's file is one.
#[tokio::test]
async fn days_that_were_missed_are_made_up_for() {
    let bench = bench("2026-03-08T04:00:00Z");
    bench.write(&visit("a", "2026-03-07T10:00:00Z"));
    sync(&bench).await;
    bench.clock.advance(Duration::from_hours(3 * 24));
    bench.write(&(visit("b", "2026-03-08T10:00:00Z") + &visit("d", "2026-03-10T10:00:00Z")));
    let report = sync(&bench).await;
    let keys: Vec<&str> = visits(&report).objects.iter().map(|object| object.key.as_str()).collect();
    let expected = ["08", "09", "10"].map(|day| format!("paywall_visits/2026-03-{day}.csv"));
    assert_eq!(keys, expected);
    assert_eq!(day(&bench, "09"), Some(Vec::new()), "the proof of a run");
    let before = bench.bucket.history().len();
    sync(&bench).await;
    assert_eq!(bench.bucket.history().len(), before);
}

/// Claims ADA-Q12, ENG-14.
#[tokio::test]
async fn late_rows_change_their_day_for_three_days_and_are_dead_letters_then() {
    let bench = bench("2026-03-08T04:00:00Z");
    bench.write(&visit("a", "2026-03-07T10:00:00Z"));
    sync(&bench).await;
    bench.clock.advance(Duration::from_hours(2 * 24));
    bench.write(&visit("late", "2026-03-07T09:00:00Z"));
    let report = sync(&bench).await;
    assert_eq!(day(&bench, "07"), Some(vec!["late".to_owned(), "a".to_owned()]));
    let object = visits(&report).objects.iter().find(|object| object.key.as_str().contains("-07")).unwrap();
    assert_eq!((object.mode, object.object_rows, object.rows_written), (IntentMode::Replace, 2, 1));

    bench.clock.advance(Duration::from_hours(2 * 24));
    let line = visit("too late", "2026-03-07T11:00:00Z");
    bench.write(&line);
    let report = sync(&bench).await;
    assert_eq!(day(&bench, "07").unwrap().len(), 2);
    assert_eq!((visits(&report).rows_read, visits(&report).rows_dead_lettered), (1, 1));
    let letters = std::fs::read_to_string(visits(&report).dead_letter_file.as_ref().unwrap()).unwrap();
    let letter: serde_json::Value = serde_json::from_str(letters.lines().last().unwrap()).unwrap();
    assert_eq!(
        letter["reason"],
        "the row belongs to the period from 2026-03-07T00:00:00Z, whose object is final"
    );
    assert_eq!((letter["line"].as_u64(), letter["raw"].as_str()), (Some(3), Some(line.trim_end())));
}

/// Claims ADA-01: the clock of no zone moves a run.
#[tokio::test]
async fn the_schedule_is_of_utc() {
    let bench = bench("2026-03-29T01:30:00Z");
    let schedule = bench.connection().schedule();
    let next = schedule.next(None, bench.clock.now()).unwrap();
    assert_eq!(next, "2026-03-29T04:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(schedule.next(None, next).unwrap(), "2026-03-30T04:00:00Z".parse::<Timestamp>().unwrap());
}
