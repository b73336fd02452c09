//! Whether reports come in time, who is told if not, and what is said of files that went before they were read.

use std::time::Duration;

use bucketproof_clock::Clock;
use bucketproof_connector::import::{ImportMetrics, Reporting, ReportingState, StatusEntry};
use bucketproof_connector::runner::StopSignal;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::database::Server;
use crate::files::{Row, file};
use crate::program::{run, shown};
use crate::rig::{Fate, Rig, config_text};
use crate::targets::{Target, targets};

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn reporting(rig: &Rig) -> Reporting {
    rig.config("").connection_views(rig.clock.now()).unwrap()[0].reporting
}

/// What the importer says over HTTP.
async fn asked(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// Claims SPL-Q14: a file whose report takes longer than an hour is an alarm in the state of its connection, in the metrics
/// and in the health of the import, until it is told; and it counts afterwards.
#[tokio::test]
async fn a_report_that_takes_longer_than_an_hour_is_an_alarm() {
    let server = Server::start(|_| String::new());
    for target in targets(server.as_ref()) {
        let rig = Rig::with(target.clone());
        // It has lain there for days, and waits from the first import on.
        rig.bucket.put("events/old", file(&[Row::good(0)]));
        let metrics = ImportMetrics::new(rig.config(""), rig.clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), StopSignal::new());
        tokio::spawn(metrics.clone().serve(listener, stop.clone()));
        let mut importer = rig.importer().with_metrics(metrics);
        let nothing = Reporting { alarm_after_minutes: 60, ..Reporting::default() };
        assert_eq!(reporting(&rig), nothing);
        // The listing, the reading; and the report is refused. Fates are drawn from the end.
        rig.bucket.inside.lock().unwrap().fates = vec![Fate::Crash, Fate::Well, Fate::Well];
        importer.once().await.unwrap_err();
        let since = rig.clock.now();
        let waiting =
            Reporting { state: ReportingState::Waiting, files_waiting: 1, since: Some(since), ..nothing };
        assert_eq!(reporting(&rig), waiting, "{target:?}");
        rig.clock.advance(minutes(60));
        assert_eq!(reporting(&rig), waiting, "an hour is what it may take");
        // Nobody need be at work for the alarm.
        rig.clock.advance(Duration::from_millis(1));
        let late = Reporting { state: ReportingState::Late, missed: 1, ..waiting };
        assert_eq!(reporting(&rig), late);
        let health = asked(address, "/health").await;
        assert!(health.starts_with("HTTP/1.1 503"), "{health}");
        let text = asked(address, "/metrics").await;
        for line in [
            "bucketproof_import_report_alarm{connection=\"events\"} 1\n",
            "bucketproof_import_report_alarms_total{connection=\"events\"} 1\n",
            "bucketproof_import_files_waiting{connection=\"events\"} 1\n",
            "bucketproof_import_report_wait_seconds{connection=\"events\"} 3600\n",
            "bucketproof_import_rows_total{outcome=\"stored\"} 1\n",
            "bucketproof_import_reports_total 0\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        // A second file waits with the first; the alarm is still one.
        rig.bucket.put("events/new", file(&[Row::good(1)]));
        rig.bucket.inside.lock().unwrap().fates =
            vec![Fate::Crash, Fate::Crash, Fate::Well, Fate::Well, Fate::Crash];
        importer.once().await.unwrap_err();
        assert_eq!(reporting(&rig), Reporting { files_waiting: 2, ..late });
        // The connection works again: all is told, and the alarm ends.
        rig.bucket.inside.lock().unwrap().fates.clear();
        importer.once().await.unwrap();
        assert_eq!(reporting(&rig), Reporting { missed: 1, ..nothing });
        let health = asked(address, "/health").await;
        assert!(health.starts_with("HTTP/1.1 200") && health.ends_with("ok\n"), "{health}");
        let text = asked(address, "/metrics").await;
        assert!(text.contains("bucketproof_import_report_alarm{connection=\"events\"} 0\n"), "{text}");
        assert!(text.contains("bucketproof_import_report_alarms_total{connection=\"events\"} 1\n"), "{text}");
        // A file that is found and told of in one pass, too late: nobody was there before.
        rig.clock
            .set(crate::rig::created_time(1).checked_add(jiff::SignedDuration::from_hours(24 * 30)).unwrap());
        rig.bucket.put("events/down", file(&[Row::good(2)]));
        importer.once().await.unwrap();
        assert_eq!(reporting(&rig).missed, 2);
        assert_eq!(reporting(&rig).state, ReportingState::Told);
        stop.give();
    }
}

/// Claims SPL-Q14: the alarm can be set otherwise, and a file that cannot be read waits as well.
#[tokio::test]
async fn the_alarm_can_be_set_and_counts_files_that_are_not_read() {
    let rig = Rig::new();
    rig.bucket.put("events/f", file(&[Row::good(0)]));
    let config = rig.config("[status]\nalarm_after_minutes = 20");
    rig.bucket.inside.lock().unwrap().fates = vec![Fate::Crash, Fate::Well];
    rig.importer_of(&config).once().await.unwrap_err();
    let state = || config.connection_views(rig.clock.now()).unwrap()[0].reporting.state;
    rig.clock.advance(minutes(20));
    assert_eq!(state(), ReportingState::Waiting);
    rig.clock.advance(minutes(1));
    assert_eq!(state(), ReportingState::Late);
    let text = config_text(&[("events", "my_statuses")]);
    let text = text.replacen("[state]", "[status]\nalarm_after_minutes = 15\n[state]", 1);
    let error = bucketproof_connector::import::ImportConfig::parse(&text, "i.toml").unwrap_err().to_string();
    assert!(error.contains("reports come within 15 minutes"), "{error}");
}

/// Claims SPL-Q14: `import status` shows the alarm.
#[tokio::test]
async fn the_program_shows_the_alarm() {
    let rig = Rig::new();
    rig.clock.set(Clock::system().now().checked_sub(jiff::SignedDuration::from_hours(2)).unwrap());
    rig.bucket.put("events/f", file(&[Row::good(0)]));
    rig.bucket.inside.lock().unwrap().fates = vec![Fate::Crash, Fate::Well, Fate::Well];
    rig.importer().once().await.unwrap_err();
    std::fs::write(rig.directory.path().join("i.toml"), config_text(&[("events", "my_statuses")])).unwrap();
    let (code, text, _) = shown(&run(rig.directory.path(), &["import", "status", "--config", "i.toml"]));
    assert_eq!(code, 0);
    assert!(
        text.contains("reports       ALARM: 1 files wait for their report, the oldest since 2"),
        "{text}"
    );
    assert!(text.contains("longer than 60 minutes (late 1 times so far)"), "{text}");
    let (_, json, _) = shown(&run(rig.directory.path(), &["import", "show", "--config", "i.toml", "--json"]));
    let views: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(views[0]["reporting"]["state"], "late");
    assert_eq!(views[0]["reporting"]["files_waiting"], 1);
}

/// A file that is listed, and is gone before it is read: what reports say of it, and of the file that is back.
async fn gone(target: Target, more: &str) -> (Rig, Vec<StatusEntry>) {
    // A server keeps what an earlier import has stored in a schema.
    let target = match target {
        Target::Postgres { url, schema } => {
            Target::Postgres { url, schema: format!("{schema} {}", more.len()) }
        }
        target => target,
    };
    let rig = Rig::with(target);
    let body = file(&[Row::good(0), Row::good(1)]);
    rig.bucket.put("events/f", body.clone());
    let mut importer = rig.importer_of(&rig.config(more));
    rig.bucket.inside.lock().unwrap().fates = vec![Fate::Crash, Fate::Well];
    importer.once().await.unwrap_err();
    rig.bucket.inside.lock().unwrap().objects.remove("events/f");
    let summary = importer.once().await.unwrap();
    assert_eq!((summary.files_gone, summary.files_read, summary.files_refused), (1, 0, 0));
    assert_eq!(importer.counts().await.unwrap()["events"].gone, 1);
    // Gone is gone: nothing is asked for again.
    let again = importer.once().await.unwrap();
    assert_eq!((again.files_gone, again.reports.len()), (0, 0));
    // Somebody restores the same version.
    rig.bucket.inside.lock().unwrap().objects.insert("events/f".to_owned(), (body, 1));
    let summary = importer.once().await.unwrap();
    assert_eq!((summary.files_found, summary.files_read, summary.rows_stored), (1, 1, 2));
    let reports = rig.bucket.reports("my_statuses/");
    let entries = reports.iter().flat_map(|report| report["events/f"].clone()).collect();
    (rig, entries)
}

/// Claims ENG-22: that a file was deleted before it was read is on record; a report tells of it if that is wanted, and what is
/// told of the file once it is back has ids of its own.
#[tokio::test]
async fn a_file_that_went_before_it_was_read_is_told_of_if_that_is_wanted() {
    let server = Server::start(|_| String::new());
    for target in targets(server.as_ref()) {
        let (_, entries) = gone(target.clone(), "").await;
        assert_eq!((entries.len(), entries[0].valid, entries[0].entry_id), (1, true, 1), "{target:?}");
        let (rig, entries) = gone(target.clone(), "[status]\ngone_files = \"report\"").await;
        let [first, second] = entries.as_slice() else { panic!("{target:?}: {entries:?}") };
        assert_eq!(
            (first.valid, first.entry_id, first.errors.as_slice()),
            (false, 1, &["INVALID_SCHEMA".to_owned()][..])
        );
        assert!(first.errors_details[0].contains("deleted or replaced before it was read"), "{first:?}");
        assert_eq!((second.valid, second.entry_id, second.number_of_rows), (true, 2, 2));
        let summary = rig.bucket.summary("my_statuses/");
        assert_eq!((summary.duplicates, summary.files["events/f"].rows_stored), (0, 2));
        assert_eq!(rig.target.stored(rig.directory.path()).await.len(), 2);
    }
    // A file that was replaced is another file, and both are told of.
    let rig = Rig::new();
    let mut importer =
        rig.importer_of(&rig.config("[status]\ngone_files = \"report\"\ninvalid_schema_valid = true"));
    rig.bucket.put("events/f", file(&[Row::good(0)]));
    rig.bucket.inside.lock().unwrap().fates = vec![Fate::Crash, Fate::Well];
    importer.once().await.unwrap_err();
    rig.bucket.put("events/f", file(&[Row::good(1), Row::good(2)]));
    rig.bucket.put("events/bad", Bytes::from_static(b"garbage"));
    let summary = importer.once().await.unwrap();
    assert_eq!((summary.files_gone, summary.files_read, summary.files_refused), (1, 1, 1));
    let report = rig.bucket.reports("my_statuses/").pop().unwrap();
    let valid: Vec<bool> = report["events/f"].iter().map(|entry| entry.valid).collect();
    assert_eq!(valid, [false, true], "a file that is gone is not called valid");
    assert!(report["events/bad"][0].valid, "as it was asked for");
}
