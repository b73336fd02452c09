//! Changed rows beside their hour's object, and their way into it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use bucketproof_connector::store::{Effect, FaultyStore, Operation, StoreError, StoreFault};
use jiff::SignedDuration;
use proptest::prelude::*;

use crate::rig::{Rig, fold, key, message, rows};

const TAIL: &str = "year=2025/month=01/day=15/hour=14/_messages.tail.parquet";

/// Rows enough that a few changes are a small share.
fn hour() -> String {
    (0..40).map(|id| message(id, id, 0, "sent")).collect()
}

fn tailed() -> Rig {
    let mut rig = Rig::new();
    rig.extra = "[[source]]\ndataset = \"messages\"\npath = \"messages.ndjson\"\n\
                 [tail]\ndatasets = [\"messages\"]\nquiet = \"30m\"\n"
        .to_owned();
    rig
}

/// What a reader of the hour and its tail makes of both: per key the greatest version, of equal ones the tail's.
fn both(rig: &Rig) -> BTreeMap<String, (i64, String)> {
    let mut found: BTreeMap<String, (i64, String)> = BTreeMap::new();
    let objects = rig.objects();
    let (tails, wholes): (Vec<_>, Vec<_>) = objects.into_iter().partition(|(key, _)| key.contains("/_"));
    for (_, body) in wholes.into_iter().chain(tails) {
        for batch in rows("messages", &body) {
            let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
            let (ids, states) = (text("message_id"), text("status"));
            let updated = batch.column_by_name("updated_at").unwrap();
            let versions = updated.as_primitive::<TimestampMicrosecondType>();
            for row in 0..batch.num_rows() {
                let next = (versions.value(row), states.value(row).to_owned());
                let known = found.entry(ids.value(row).to_owned()).or_insert_with(|| next.clone());
                if known.0 <= next.0 {
                    *known = next;
                }
            }
        }
    }
    found
}

fn of(objects: &BTreeMap<String, bytes::Bytes>) -> BTreeMap<String, (i64, String)> {
    let rig = Rig::new();
    for (key, body) in objects {
        rig.bucket
            .put_foreign(&bucketproof_connector::names::ObjectKey::new(key.as_str()).unwrap(), body.clone());
    }
    both(&rig)
}

fn tail_rows(rig: &Rig) -> usize {
    let objects = rig.objects();
    let body = objects.get(TAIL).cloned();
    body.map_or(0, |body| rows("messages", &body).iter().map(arrow_array::RecordBatch::num_rows).sum())
}

#[tokio::test]
async fn changed_rows_go_to_the_tail_and_into_their_hour_once_it_is_quiet() {
    let rig = tailed();
    let mut all = hour();
    rig.write("messages.ndjson", &all);
    rig.sync().await;
    let whole = rig.bucket.objects()[&key(14)].clone();
    for change in [message(3, 3, 5, "seen"), message(3, 3, 6, "clicked") + &message(9, 9, 6, "seen")] {
        rig.append("messages.ndjson", &change);
        all.push_str(&change);
        let report = rig.sync().await;
        let object = &report.datasets[0].objects[0];
        assert_eq!(object.key.as_str(), TAIL);
        assert_eq!(rig.bucket.objects()[&key(14)], whole, "the hour itself was written");
        assert_eq!(both(&rig), of(&fold("messages", &all)));
    }
    assert_eq!(tail_rows(&rig), 2);
    // The hour is left in peace for as long as the configuration says.
    rig.clock.advance(SignedDuration::from_mins(29).unsigned_abs());
    rig.sync().await;
    assert_eq!(tail_rows(&rig), 2);
    rig.clock.advance(SignedDuration::from_mins(1).unsigned_abs());
    let report = rig.sync().await;
    assert_eq!(report.datasets[0].objects.len(), 1, "the hour alone is reported, not the emptied tail");
    assert_eq!(tail_rows(&rig), 0);
    let mut objects = rig.objects();
    objects.remove(TAIL).unwrap();
    assert_eq!(objects, fold("messages", &all), "the bytes of an hour that never had a tail");
    assert!(rig.sync().await.datasets[0].objects.is_empty());
    let status = rig.connection().status().unwrap();
    let totals = &status.datasets[0];
    assert_eq!(totals.rows_read, totals.rows_written + totals.rows_deduplicated);
}

#[tokio::test]
async fn a_tail_that_is_no_longer_small_is_merged_at_once() {
    let rig = tailed();
    let mut all = hour();
    rig.write("messages.ndjson", &all);
    rig.sync().await;
    for ids in [0..3, 3..9] {
        let change: String = ids.map(|id| message(id, id, 7, "seen")).collect();
        rig.append("messages.ndjson", &change);
        all.push_str(&change);
        rig.sync().await;
        assert_eq!(both(&rig), of(&fold("messages", &all)));
    }
    assert_eq!(tail_rows(&rig), 0);
    assert_eq!(rig.objects()[key(14).as_str()], fold("messages", &all)[key(14).as_str()]);
}

#[tokio::test]
async fn tails_are_merged_once_their_dataset_has_none_any_longer() {
    let mut rig = tailed();
    let all = hour() + &message(3, 3, 5, "seen");
    rig.write("messages.ndjson", &hour());
    rig.sync().await;
    rig.write("messages.ndjson", &all);
    rig.sync().await;
    assert_eq!(tail_rows(&rig), 1);
    rig.extra = String::new();
    rig.sync().await;
    assert_eq!(
        (tail_rows(&rig), &rig.objects()[key(14).as_str()]),
        (0, &fold("messages", &all)[key(14).as_str()])
    );
}

#[tokio::test]
async fn a_plan_foretells_the_tail_and_other_modes_have_none() {
    let rig = tailed();
    rig.write("messages.ndjson", &hour());
    rig.sync().await;
    rig.append("messages.ndjson", &message(3, 3, 5, "seen"));
    let plan = rig.connection().plan().await.unwrap();
    let report = rig.sync().await;
    assert_eq!(plan.datasets[0].objects, report.datasets[0].objects);
    let text = rig.config_text().replace("suprsend_s3_v2", "datafly_s3").replace("messages", "events");
    let config = bucketproof_connector::config::Config::parse(&text, "c.toml").unwrap();
    let profile = config.load_profile().unwrap();
    let (clock, entropy) = (rig.clock.clone(), bucketproof_clock::Entropy::seeded(1));
    let refused =
        bucketproof_connector::engine::Connection::new(config, profile, rig.bucket.clone(), clock, entropy);
    assert!(refused.unwrap_err().to_string().contains("`events` has no tail"));
}

#[derive(Clone, Debug)]
enum Event {
    Rows(Vec<(u32, u32)>),
    /// A sync whose call may be lost, come late or never return.
    Sync(Option<(u64, u8)>),
    Minutes(u16),
    Arrives(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let rows = prop::collection::vec((0_u32..42, 0_u32..30), 1..4);
    prop::collection::vec(
        prop_oneof![
            3 => rows.prop_map(Event::Rows),
            4 => prop::option::weighted(0.6, (0_u64..12, 0_u8..5)).prop_map(Event::Sync),
            1 => (10_u16..40).prop_map(Event::Minutes),
            1 => (0_usize..3).prop_map(Event::Arrives),
        ],
        2..14,
    )
}

async fn run(events: &[Event]) {
    let rig = tailed();
    let mut all = hour();
    rig.write("messages.ndjson", &all);
    rig.sync().await;
    let store = Arc::new(FaultyStore::new(rig.bucket.clone()));
    let mut seen = both(&rig);
    for event in events {
        match event {
            Event::Rows(rows) => {
                // Content is a function of key and version.
                let lines: String = rows
                    .iter()
                    .map(|(id, version)| message(*id, *id, *version, &format!("s-{version}")))
                    .collect();
                rig.append("messages.ndjson", &lines);
                all.push_str(&lines);
            }
            Event::Minutes(minutes) => {
                rig.clock.advance(SignedDuration::from_mins(i64::from(*minutes)).unsigned_abs());
            }
            Event::Arrives(which) => drop(store.deliver(*which).await),
            Event::Sync(fault) => {
                if let Some((call, fault)) = fault {
                    let lost = StoreError::Unavailable {
                        operation: Operation::Put,
                        message: "cut".to_owned(),
                        effect: Effect::Unknown,
                    };
                    let fault = match fault {
                        0 => StoreFault::Late(lost),
                        1 => StoreFault::ErrorAfter(lost),
                        2 => StoreFault::StopBefore,
                        3 => StoreFault::StopAfter,
                        _ => StoreFault::Conflict,
                    };
                    store.inject(store.calls() + call, fault);
                }
                let connection = rig.connection_over(store.clone());
                tokio::select! {
                    outcome = connection.sync() => drop(outcome),
                    () = store.stopped() => {}
                }
            }
        }
        let next = both(&rig);
        for (key, version) in &seen {
            assert!(next[key].0 >= version.0, "`{key}` went back");
        }
        seen = next;
    }
    rig.sync().await;
    rig.clock.advance(SignedDuration::from_mins(31).unsigned_abs());
    rig.sync().await;
    let expected = fold("messages", &all);
    let settled = |rig: &Rig| {
        let mut objects = rig.objects();
        objects.remove(TAIL);
        (objects, tail_rows(rig))
    };
    assert_eq!(settled(&rig), (expected.clone(), 0));
    while store.deliver(0).await.is_some() {}
    assert_eq!(settled(&rig), (expected, 0), "nothing that comes late changes anything");
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: cases.unwrap_or(60), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    /// Claims ENG-01, ENG-02, ENG-04.
    #[test]
    fn tails_under_faults_lose_nothing_and_end_as_a_plain_replace(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&events));
    }
}
