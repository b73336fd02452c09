//! Whatever fails, whatever is announced or not, and wherever the import stops, in the end each row is stored once and
//! told truly.

use std::collections::BTreeMap;
use std::sync::Arc;

use bucketproof_connector::import::{Endpoint, ImportConfig};
use bucketproof_connector::runner::StopSignal;
use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::net::TcpListener;

use crate::database::Server;
use crate::files::{Row, file};
use crate::rig::{BUCKET, Fate, Rig, config_text, created_time};
use crate::stand_in::{TOPIC, created_at, post};
use crate::targets::Target;

#[derive(Clone, Debug)]
enum Event {
    /// A file with that many good and bad rows.
    Put {
        name: u8,
        good: usize,
        bad: usize,
    },
    /// Something that is no Parquet.
    Garbage {
        name: u8,
    },
    Delete {
        name: u8,
    },
    /// A message about a file, as it is now or was once; it may come twice, late, or never.
    Announce {
        name: u8,
        version: u32,
        twice: bool,
        forged: bool,
    },
    /// Lists and reads, or reads only what was announced.
    /// It may end between two durable steps.
    Import {
        fates: Vec<Fate>,
        steps: Option<u32>,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let fate = prop_oneof![
        6 => Just(Fate::Well),
        2 => Just(Fate::Busy),
        2 => Just(Fate::AnswerLost),
        1 => Just(Fate::Crash),
        1 => Just(Fate::CrashAfter),
    ];
    prop_oneof![
        4 => (0..4_u8, 0..4_usize, 0..3_usize).prop_map(|(name, good, bad)| Event::Put { name, good, bad }),
        1 => (0..4_u8).prop_map(|name| Event::Garbage { name }),
        1 => (0..4_u8).prop_map(|name| Event::Delete { name }),
        3 => (0..4_u8, 1..4_u32, any::<bool>(), prop::bool::weighted(0.2)).prop_map(
            |(name, version, twice, forged)| Event::Announce { name, version, twice, forged }
        ),
        4 => (prop::collection::vec(fate, 0..12), prop::option::weighted(0.4, 0..24_u32))
            .prop_map(|(fates, steps)| Event::Import { fates, steps }),
    ]
}

/// As many as is usual, 500 in CI; for every target as many as `BUCKETPROOF_SCHEDULES` says: 10000 for a night.
fn schedules(usual: u32) -> u32 {
    std::env::var("BUCKETPROOF_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

fn key(name: u8) -> String {
    format!("events/{name}")
}

/// A configuration that hears of files by raw messages: signatures have tests of their own.
fn hearing(rig: &Rig, listener: &TcpListener) -> (ImportConfig, String) {
    let endpoint = format!(
        "[endpoint]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://{}\"\nallow_http = true\n[[connection]]",
        listener.local_addr().unwrap()
    );
    let target = rig.target.text(rig.directory.path());
    let text = config_text(&rig.connections)
        .replace("[[connection]]", &format!("{target}\n{endpoint}"))
        .replace("environments", &format!("topic_arn = \"{TOPIC}\"\nraw_delivery = true\nenvironments"));
    let path = rig.directory.path().join("import.toml");
    let config = ImportConfig::parse(&text, path.to_str().unwrap()).unwrap();
    let url = config.endpoint_urls()["events"].clone();
    (config, url)
}

/// A schedule, and then a pass without faults: what is stored and what is told are those of the model.
async fn agrees(events: Vec<Event>, rig: Rig) -> Result<(), TestCaseError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (config, url) = hearing(&rig, &listener);
    let stop = StopSignal::new();
    let inbox = rig.importer_of(&config).inbox();
    let endpoint = Endpoint::new(&config, inbox, rig.clock.clone()).unwrap();
    tokio::spawn(Arc::new(endpoint).serve(listener, stop.clone()));
    let mut number = 0;
    // Of the files that are there at the end, how many rows are good and bad; `None` for garbage.
    let mut model = BTreeMap::new();
    for event in events {
        match event {
            Event::Put { name, good, bad } => {
                let mut rows: Vec<Row> = (0..good).map(Row::good).collect();
                rows.extend((0..bad).map(|number| Row { environment: Some("nowhere"), ..Row::good(number) }));
                rig.bucket.put(&key(name), file(&rows));
                model.insert(key(name), Some((good as u64, bad as u64)));
            }
            Event::Garbage { name } => {
                rig.bucket.put(&key(name), Bytes::from_static(b"garbage"));
                model.insert(key(name), None);
            }
            Event::Delete { name } => {
                rig.bucket.inside.lock().unwrap().objects.remove(&key(name));
                model.remove(&key(name));
            }
            Event::Announce { name, version, twice, forged } => {
                number += 1;
                let message = if forged {
                    "{\"Records\":[{\"eventName\":\"ObjectCreated:Put\"}]}".to_owned()
                } else {
                    // The size is part of what is announced; a version that is gone had some size or other.
                    let bytes = rig.bucket.bytes_of(&key(name), version).unwrap_or(9);
                    let time = created_time(version).to_string();
                    // Nothing is announced before it is there; such a message tells of a file that never was.
                    let is_real = version <= rig.bucket.last_version(&key(name));
                    let etag = if is_real { version.to_string() } else { format!("never-{version}") };
                    created_at(BUCKET, &key(name), &etag, bytes, &time)
                };
                let headers = [
                    ("x-amz-sns-rawdelivery", "true"),
                    ("x-amz-sns-topic-arn", TOPIC),
                    ("x-amz-sns-message-id", &format!("m{number}")),
                ];
                for _ in 0..=u8::from(twice) {
                    let (status, text) = post(&url, &headers, message.as_bytes()).await;
                    prop_assert_eq!(status, 200, "{}", text);
                }
            }
            Event::Import { fates, steps } => {
                rig.bucket.inside.lock().unwrap().fates = fates;
                let steps = steps.unwrap_or(u32::MAX);
                // What an earlier crash left is finished when the import starts, which may crash as well.
                let started = std::panic::AssertUnwindSafe(|| rig.crashing(&config, steps));
                let Ok(mut importer) = std::panic::catch_unwind(started) else { continue };
                let clock = rig.clock.clone();
                // A crash ends the task, and with it all that the import had open.
                let mut pass = tokio::spawn(async move { drop(importer.once().await) });
                // Pauses between repetitions end when the clock moves.
                loop {
                    tokio::select! {
                        biased;
                        _outcome = &mut pass => break,
                        () = tokio::task::yield_now() => clock.advance(std::time::Duration::from_secs(1)),
                    }
                }
            }
        }
    }
    stop.give();
    rig.bucket.inside.lock().unwrap().fates.clear();
    rig.importer_of(&config).once().await.unwrap();
    let again = rig.importer_of(&config).once().await.unwrap();
    prop_assert_eq!(again.reports.len(), 0, "there was nothing more to say");

    let summary = rig.bucket.summary("my_statuses/");
    let stored = rig.target.stored(rig.directory.path()).await;
    let told: u64 = summary.files.values().map(|file| file.rows_stored).sum();
    prop_assert_eq!(told, stored.len() as u64, "what is told to be stored is stored");
    let mut by_file: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, file) in &stored {
        *by_file.entry(file).or_default() += 1;
    }
    for (file, status) in &summary.files {
        prop_assert_eq!(status.rows_stored, by_file.remove(file.as_str()).unwrap_or_default(), "{}", file);
    }
    prop_assert_eq!(by_file.len(), 0, "nothing is stored of files that nothing is told of");
    for (file, rows) in model {
        let Some(status) = summary.files.get(&file) else {
            return Err(TestCaseError::fail(format!("nothing is told of {file}")));
        };
        let last = status.entries.iter().map(|entry| entry.original_creation_time).max();
        let now: Vec<_> =
            status.entries.iter().filter(|entry| Some(entry.original_creation_time) == last).collect();
        let rows_where = |valid: bool| -> u64 {
            now.iter().filter(|entry| entry.valid == valid).map(|entry| entry.number_of_rows).sum()
        };
        match rows {
            None => prop_assert_eq!(&now[0].errors, &["INVALID_SCHEMA"]),
            Some(rows) => prop_assert_eq!((rows_where(true), rows_where(false)), rows),
        }
    }
    Ok(())
}

fn all_schedules(count: u32, target: impl Fn(u32) -> Target) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(count));
    let number = std::cell::Cell::new(0);
    let schedules = prop::collection::vec(event(), 1..14);
    let outcome = runner.run(&schedules, |events| {
        number.set(number.get() + 1);
        runtime.block_on(agrees(events, Rig::with(target(number.get()))))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Claims SPL-18, ENG-01, ENG-22, ENG-23, SPL-39, SPL-Q07, SPL-47, SPL-48, SPL-49, SPL-50: deduplicated sums of the reports are the rows of the files,
/// and the stored rows are the valid ones, once each, wherever the import ends.
#[test]
fn reports_and_rows_agree_with_the_model() {
    all_schedules(schedules(500), |_| Target::Sqlite);
}

/// Claims ENG-01: also where rows are files that follow a state.
#[test]
fn a_dataset_agrees_with_the_model() {
    all_schedules(schedules(500), |_| Target::Parquet);
}

/// Claims ENG-01: also where everything is in a server, whose sessions end with the import.
#[test]
fn a_server_agrees_with_the_model() {
    let Some(server) = Server::start(|_| String::new()) else { return };
    // Each schedule has a schema of its own, and each pass a session.
    all_schedules(schedules(100), |number| Target::Postgres {
        url: server.url(),
        schema: format!("schedule {number}"),
    });
}
