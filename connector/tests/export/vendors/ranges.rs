//! Chosen ranges of days.

use std::time::Duration;

use bucketproof_connector::IntentMode;
use bucketproof_connector::engine::RangeError;
use bucketproof_connector::names::DatasetName;
use bucketproof_connector::profile::VendorProfile;
use bucketproof_connector::report::{Outcome, RangeReport};
use jiff::civil::{Date, date};

use super::killed::Bench;
use super::place::{NOW, Place};

fn bench(id: &str) -> Bench {
    let text = VendorProfile::embedded().find(|(known, _)| *known == id).unwrap().1;
    let mut bench = Bench::new(text);
    bench.clock = bucketproof_clock::Clock::manual("2026-03-10T12:00:00Z".parse().unwrap());
    bench
}

fn visit(id: &str, at: &str) -> String {
    format!("{{\"profile_id\":\"{id}\",\"paywall_showed_at\":\"{at}\"}}\n")
}

fn visits() -> Vec<DatasetName> {
    vec![DatasetName::new("paywall_visits").unwrap()]
}

async fn export(bench: &Bench, from: Date, to: Date) -> Result<RangeReport, RangeError> {
    bench.connection().export_range(from, to, &visits()).await
}

fn ids(bench: &Bench, key: &str) -> Vec<String> {
    let objects = bench.objects();
    let text = std::str::from_utf8(&objects[key]).unwrap().to_owned();
    assert!(text.starts_with("profile_id,customer_user_id,"), "{text}");
    text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

/// Claims ADA-14, ADA-Q03: both days belong to the range, from their first instant to their last, UTC.
#[tokio::test]
async fn a_range_holds_its_days_whole_and_nothing_else() {
    let bench = bench("adapty_s3");
    bench.write(
        &(visit("before", "2026-03-06T23:59:59.999999Z")
            + &visit("first", "2026-03-07T00:00:00Z")
            + &visit("zone", "2026-03-08T01:30:00+02:00")
            + &visit("last", "2026-03-08T23:59:59.999999Z")
            + &visit("after", "2026-03-09T00:00:00Z")),
    );
    let report = export(&bench, date(2026, 3, 7), date(2026, 3, 8)).await.unwrap();
    let own = &report.datasets[0];
    assert_eq!((own.rows_read, own.rows_written, own.rows_outside, own.rows_refused), (5, 3, 2, 0));
    let key = "paywall_visits/manual/2026-03-07_2026-03-08.csv";
    assert_eq!(own.object.as_ref().unwrap().key.as_str(), key);
    assert_eq!(ids(&bench, key), ["first", "zone", "last"]);
    assert_eq!(bench.objects().len(), 1, "one dataset was named");
    // One day alone.
    export(&bench, date(2026, 3, 6), date(2026, 3, 6)).await.unwrap();
    assert_eq!(ids(&bench, "paywall_visits/manual/2026-03-06_2026-03-06.csv"), ["before"]);
    // A day without rows has a file with a header, as an automatic one would.
    export(&bench, date(2026, 1, 1), date(2026, 1, 2)).await.unwrap();
    assert_eq!(ids(&bench, "paywall_visits/manual/2026-01-01_2026-01-02.csv"), Vec::<String>::new());
}

/// Claims ADA-Q04: a range neither takes rows from the automatic files nor changes them, and can be repeated.
#[tokio::test]
async fn ranges_and_automatic_files_leave_each_other_alone() {
    let bench = bench("adapty_s3");
    bench.write(&(visit("a", "2026-03-07T10:00:00Z") + "broken\n"));
    export(&bench, date(2026, 3, 7), date(2026, 3, 7)).await.unwrap();
    bench.connection().sync().await.unwrap();
    assert_eq!(ids(&bench, "paywall_visits/2026-03-07.csv"), ["a"], "the range took nothing away");
    let status = bench.connection().status().unwrap();
    let counts = &status.datasets[1];
    assert_eq!((counts.rows_read, counts.rows_written), (2, 1), "ranges are in no total");

    let before = bench.objects();
    let writes = bench.bucket.history().len();
    let again = export(&bench, date(2026, 3, 7), date(2026, 3, 7)).await.unwrap();
    assert_eq!(again.datasets[0].object.as_ref().unwrap().mode, IntentMode::Unchanged);
    assert_eq!(again.datasets[0].rows_refused, 1);
    assert_eq!((bench.objects(), bench.bucket.history().len()), (before, writes), "nothing changed");
    // More rows of that day: the same key, replaced.
    bench.write(&visit("b", "2026-03-07T09:00:00Z"));
    let again = export(&bench, date(2026, 3, 7), date(2026, 3, 7)).await.unwrap();
    assert_eq!(again.datasets[0].object.as_ref().unwrap().mode, IntentMode::Replace);
    assert_eq!(ids(&bench, "paywall_visits/manual/2026-03-07_2026-03-07.csv"), ["b", "a"]);
    assert_eq!(ids(&bench, "paywall_visits/2026-03-07.csv"), ["a"], "the automatic file waits for its sync");
    bench.connection().sync().await.unwrap();
    assert_eq!(ids(&bench, "paywall_visits/2026-03-07.csv"), ["b", "a"]);
}

/// Claims ADA-14.
#[tokio::test]
async fn ranges_that_make_no_sense_are_refused_by_name() {
    let bench = bench("adapty_s3");
    let error = export(&bench, date(2026, 3, 8), date(2026, 3, 7)).await.unwrap_err();
    assert_eq!(error.to_string(), "the range ends on 2026-03-07, before it begins on 2026-03-08");
    let error = export(&bench, date(2026, 3, 8), date(2026, 3, 10)).await.unwrap_err();
    assert!(error.to_string().starts_with("2026-03-10 is not over yet"), "{error}");
    assert!(error.help().contains("UTC"));
    bench.clock.advance(Duration::from_hours(12));
    export(&bench, date(2026, 3, 8), date(2026, 3, 10)).await.unwrap();
    let other = [DatasetName::new("elsewhere").unwrap()];
    let error =
        bench.connection().export_range(date(2026, 3, 7), date(2026, 3, 7), &other).await.unwrap_err();
    assert!(matches!(error, RangeError::NoDays { .. }), "{error}");
    let stream = self::bench("datafly_s3");
    let error = stream.connection().export_range(date(2026, 3, 7), date(2026, 3, 7), &[]).await.unwrap_err();
    assert_eq!(error.to_string(), "profile `datafly_s3` exports no chosen ranges");
}

/// Claims ADA-12, ADA-14: under exactly the documented policy, by the program's own words.
#[tokio::test]
async fn a_range_is_exported_under_the_documented_policy() {
    let text = VendorProfile::embedded().find(|(known, _)| *known == "adapty_s3").unwrap().1;
    let place = Place::documented(text).await;
    assert!(NOW.starts_with("2026-03-08"));
    place.write_rows(0..5);
    let report = place.connection().export_range(date(2026, 3, 7), date(2026, 3, 7), &[]).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done);
    assert!(report.datasets.iter().all(|dataset| dataset.rows_written == 5), "{report:#?}");
    let keys: Vec<String> = place.objects().await.into_keys().collect();
    assert_eq!(
        keys,
        ["events", "paywall_visits"].map(|name| format!("exports/{name}/manual/2026-03-07_2026-03-07.csv"))
    );
    assert!(place.emulator.journal().denied().is_empty());
}
