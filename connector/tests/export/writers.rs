//! Two connections write the same hours at the same time, with requests that arrive long after they were given up.
//! `PROPTEST_CASES` sets how many schedules.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use async_trait::async_trait;
use bucketproof_connector::names::{BucketName, ObjectKey};
use bucketproof_connector::store::{
    Effect, FaultyStore, MemoryStore, ObjectHead, Operation, PutOutcome, PutRequest, Store, StoreError,
    StoreFault, StoredObject,
};
use proptest::prelude::*;

use crate::rig::{Rig, fold, message, rows};

/// Lets other work go first before each call, as often as it is told: so the calls of two syncs mix in any order.
#[derive(Debug)]
struct Paced {
    inner: Arc<FaultyStore<MemoryStore>>,
    pattern: Mutex<VecDeque<u8>>,
}

impl Paced {
    async fn turn(&self) {
        let yields = self.pattern.lock().unwrap().pop_front().unwrap_or(0);
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Store for Paced {
    fn bucket(&self) -> &BucketName {
        self.inner.bucket()
    }

    async fn list_probe(&self, prefix: &str) -> Result<(), StoreError> {
        self.turn().await;
        self.inner.list_probe(prefix).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<StoredObject>, StoreError> {
        self.turn().await;
        self.inner.get(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, StoreError> {
        self.turn().await;
        self.inner.head(key).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutOutcome, StoreError> {
        self.turn().await;
        self.inner.put(request).await
    }

    async fn refresh_credentials(&self) {
        self.inner.refresh_credentials().await;
    }
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Late,
    LateAndKilled,
    Lost,
    Killed,
    Conflict,
}

impl Fault {
    fn of_store(self) -> StoreFault {
        let lost = || StoreError::Unavailable {
            operation: Operation::Put,
            message: "cut".to_owned(),
            effect: Effect::Unknown,
        };
        match self {
            Self::Late | Self::LateAndKilled => StoreFault::Late(lost()),
            Self::Lost => StoreFault::ErrorAfter(lost()),
            Self::Killed => StoreFault::StopAfter,
            Self::Conflict => StoreFault::Conflict,
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    /// Rows come into a writer's source.
    Rows(usize, Vec<(u8, u8)>),
    /// Both sync at once; a writer's call may meet a fault.
    Sync([Option<(u64, Fault)>; 2], [Vec<u8>; 2]),
    /// A write that was given up arrives.
    Arrives(usize, usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let fault = prop_oneof![
        3 => Just(Fault::Late),
        1 => Just(Fault::LateAndKilled),
        1 => Just(Fault::Lost),
        1 => Just(Fault::Killed),
        1 => Just(Fault::Conflict),
    ];
    let faults = || prop::option::weighted(0.6, (0_u64..8, fault.clone()));
    let pattern = || prop::collection::vec(0_u8..4, 0..16);
    let event = prop_oneof![
        3 => (0_usize..2, prop::collection::vec((0_u8..6, 0_u8..5), 1..4)).prop_map(|(writer, rows)| Event::Rows(writer, rows)),
        3 => (faults(), faults(), pattern(), pattern()).prop_map(|(a, b, c, d)| Event::Sync([a, b], [c, d])),
        2 => (0_usize..2, 0_usize..4).prop_map(|(writer, which)| Event::Arrives(writer, which)),
    ];
    prop::collection::vec(event, 2..14)
}

/// The content is a function of key and version, so that equal versions are equal rows.
fn line((key, version): (u8, u8)) -> String {
    let (id, version) = (u32::from(key), u32::from(version));
    message(id, (id * 29) % 120, version, &format!("s-{id}-{version}"))
}

/// Versions by key in one object.
fn versions(body: &bytes::Bytes) -> BTreeMap<String, i64> {
    let mut versions = BTreeMap::new();
    for batch in rows("messages", body) {
        let keys = batch.column_by_name("message_id").unwrap().as_string::<i32>().clone();
        let times =
            batch.column_by_name("updated_at").unwrap().as_primitive::<TimestampMicrosecondType>().clone();
        for (row, key) in keys.iter().enumerate() {
            assert!(versions.insert(key.unwrap().to_owned(), times.value(row)).is_none(), "a key twice");
        }
    }
    versions
}

/// No reader ever saw a row go back or vanish.
fn assert_forward(bucket: &MemoryStore) {
    let mut last: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for write in bucket.history() {
        let next = versions(&write.object.body);
        let before = last.insert(write.key.to_string(), next.clone()).unwrap_or_default();
        for (key, version) in before {
            assert!(next.get(&key).is_some_and(|next| *next >= version), "{}: `{key}` went back", write.key);
        }
    }
}

async fn run(events: &[Event]) {
    let mut rigs = [Rig::new(), Rig::new()];
    let bucket = rigs[0].bucket.clone();
    rigs[1].bucket = bucket.clone();
    for rig in &rigs {
        rig.write("messages.ndjson", "");
    }
    let stores: [_; 2] = std::array::from_fn(|_| Arc::new(FaultyStore::new(bucket.clone())));
    let mut all = String::new();
    for event in events {
        match event {
            Event::Rows(writer, rows) => {
                let lines: String = rows.iter().copied().map(line).collect();
                rigs[*writer].append("messages.ndjson", &lines);
                all.push_str(&lines);
            }
            Event::Sync(faults, patterns) => {
                for (store, fault) in stores.iter().zip(faults) {
                    if let Some((call, fault)) = fault {
                        store.inject(store.calls() + call, fault.of_store());
                        if matches!(fault, Fault::LateAndKilled) {
                            store.inject(store.calls() + call + 1, StoreFault::StopBefore);
                        }
                    }
                }
                let sync = async |writer: usize| {
                    let pattern = Mutex::new(patterns[writer].clone().into());
                    let store = Arc::new(Paced { inner: stores[writer].clone(), pattern });
                    let connection = rigs[writer].connection_over(store);
                    tokio::select! {
                        // A fault may use up the attempts, which is an answer like another.
                        outcome = connection.sync() => drop(outcome),
                        () = stores[writer].stopped() => {}
                    }
                };
                tokio::join!(sync(0), sync(1));
            }
            Event::Arrives(writer, which) => drop(stores[*writer].deliver(*which).await),
        }
        assert_forward(&bucket);
    }
    // Faults that were never met are gone with these; what was given up arrives before, between and after the last syncs.
    drop(stores[0].deliver(0).await);
    rigs[0].sync().await;
    rigs[1].sync().await;
    let settled = rigs[0].objects();
    assert_eq!(settled, fold("messages", &all), "the fold of both sources");
    for store in &stores {
        while let Some(outcome) = store.deliver(0).await {
            assert_ne!(outcome.ok().map(|outcome| matches!(outcome, PutOutcome::Written(_))), Some(true));
        }
    }
    assert_eq!(rigs[0].objects(), settled, "nothing that comes late changes anything");
    assert_forward(&bucket);
    for rig in &rigs {
        let report = rig.sync().await;
        assert!(report.datasets[0].objects.is_empty(), "{report:?}");
    }
}

/// As many as `PROPTEST_CASES` says; by default what CI has time for.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: cases.unwrap_or(100), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    /// Claims ENG-01, ENG-03, ENG-04, SUP-09.
    #[test]
    fn two_writers_and_late_requests_lose_nothing_and_take_nothing_back(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&events));
    }
}
