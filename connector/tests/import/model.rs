//! Whatever fails, and wherever the import stops, in the end each row is stored once and told truly.

use bytes::Bytes;
use proptest::prelude::*;

use crate::files::{Row, file};
use crate::rig::{Fate, Rig};

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
    Import {
        fates: Vec<Fate>,
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
        4 => prop::collection::vec(fate, 0..12).prop_map(|fates| Event::Import { fates }),
    ]
}

fn key(name: u8) -> String {
    format!("events/{name}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Claims SPL-18, SPL-39, SPL-47, SPL-48, SPL-49, SPL-50: deduplicated sums of the reports are the rows of the files,
    /// and the stored rows are the valid ones, once each.
    #[test]
    fn reports_and_rows_agree_with_the_model(events in prop::collection::vec(event(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::new();
            // Of the files that are there at the end, how many rows are good and bad; `None` for garbage.
            let mut model = std::collections::BTreeMap::new();
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
                    Event::Import { fates } => {
                        rig.bucket.inside.lock().unwrap().fates = fates;
                        let (mut importer, clock) = (rig.importer(), rig.clock.clone());
                        let pass = importer.once();
                        tokio::pin!(pass);
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
            rig.bucket.inside.lock().unwrap().fates.clear();
            rig.importer().once().await.unwrap();
            let again = rig.importer().once().await.unwrap();
            prop_assert_eq!(again.reports.len(), 0, "there was nothing more to say");

            let summary = rig.bucket.summary("my_statuses/");
            let stored = rig.stored();
            let told: u64 = summary.files.values().map(|file| file.rows_stored).sum();
            prop_assert_eq!(told, stored.len() as u64, "what is told to be stored is stored");
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
        })?;
    }
}
