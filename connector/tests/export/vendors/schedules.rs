//! Random schedules over every profile: rows arrive, runs fail at a call or are killed at a call or a durable step, hours
//! pass. `PROPTEST_CASES` sets how many.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bucketproof_connector::names::{BucketName, ObjectKey};
use bucketproof_connector::profile::{Effect as PolicyEffect, KeyPrefix, Mode, VendorProfile};
use bucketproof_connector::store::{
    Effect, FaultyStore, MemoryStore, ObjectHead, Operation, PutOutcome, PutRequest, Store, StoreError,
    StoreFault, StoredObject,
};
use proptest::prelude::*;

use super::content::{content_of, expected_of};
use super::killed::{Bench, KillAt};
use super::place::{ROWS_FROM, all_profiles};

#[derive(Clone, Debug)]
enum Event {
    /// Rows arrive in every source.
    Rows(u32),
    /// Minutes pass.
    Minutes(u64),
    /// Somebody sets the clock, by so many minutes on or back.
    Jump(i64),
    /// A write that was given up arrives after all.
    Arrives(usize),
    /// A run, undisturbed.
    Run,
    /// A run that meets a fault at a call.
    Faulty(u64, Fault),
    /// A run that is killed at a durable step.
    Killed(u64),
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    StopBefore,
    StopAfter,
    ErrorBefore,
    ErrorAfter,
    Throttled,
    Conflict,
    Expired,
    Late,
}

impl Fault {
    fn of_store(self) -> StoreFault {
        let unavailable =
            |effect| StoreError::Unavailable { operation: Operation::Put, message: "503".to_owned(), effect };
        match self {
            Self::StopBefore => StoreFault::StopBefore,
            Self::StopAfter => StoreFault::StopAfter,
            Self::ErrorBefore => StoreFault::ErrorBefore(unavailable(Effect::Unknown)),
            Self::ErrorAfter => StoreFault::ErrorAfter(unavailable(Effect::Unknown)),
            Self::Throttled => StoreFault::ErrorBefore(unavailable(Effect::None)),
            Self::Conflict => StoreFault::Conflict,
            Self::Late => StoreFault::Late(unavailable(Effect::Unknown)),
            Self::Expired => StoreFault::ErrorBefore(StoreError::Expired { operation: Operation::Put }),
        }
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let fault = prop_oneof![
        Just(Fault::StopBefore),
        Just(Fault::StopAfter),
        Just(Fault::ErrorBefore),
        Just(Fault::ErrorAfter),
        Just(Fault::Throttled),
        Just(Fault::Conflict),
        Just(Fault::Expired),
        Just(Fault::Late),
    ];
    let event = prop_oneof![
        3 => (1_u32..9).prop_map(Event::Rows),
        1 => (1_u64..200).prop_map(Event::Minutes),
        1 => (-360_i64..360).prop_map(Event::Jump),
        1 => (0_usize..4).prop_map(Event::Arrives),
        1 => Just(Event::Run),
        3 => (0_u64..9, fault).prop_map(|(call, fault)| Event::Faulty(call, fault)),
        2 => (0_u64..25).prop_map(Event::Killed),
    ];
    proptest::collection::vec(event, 1..9)
}

/// The actions that an export asks for, and the keys that it asks them of.
#[derive(Debug)]
struct Watched {
    inner: Arc<FaultyStore<MemoryStore>>,
    used: Arc<Mutex<BTreeSet<(&'static str, String)>>>,
}

impl Watched {
    fn uses(&self, operation: Operation, key: &str) {
        self.used.lock().unwrap().insert((operation.action(), key.to_owned()));
    }
}

#[async_trait]
impl Store for Watched {
    fn bucket(&self) -> &BucketName {
        self.inner.bucket()
    }

    async fn list_probe(&self, prefix: &str) -> Result<(), StoreError> {
        self.uses(Operation::List, prefix);
        self.inner.list_probe(prefix).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<StoredObject>, StoreError> {
        self.uses(Operation::Get, key.as_str());
        self.inner.get(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, StoreError> {
        self.uses(Operation::Head, key.as_str());
        self.inner.head(key).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutOutcome, StoreError> {
        self.uses(Operation::Put, request.key.as_str());
        if request.acl.is_some() {
            self.used.lock().unwrap().insert(("s3:PutObjectAcl", request.key.to_string()));
        }
        self.inner.put(request).await
    }

    async fn refresh_credentials(&self) {
        self.inner.refresh_credentials().await;
    }
}

/// Whether the vendor documents a permission of `action` on objects, or on the bucket, whichever it is about.
fn is_documented(profile: &VendorProfile, action: &str) -> bool {
    let matches = |pattern: &String| match pattern.split_once('*') {
        Some((start, end)) => action.starts_with(start) && action.ends_with(end),
        None => pattern == action,
    };
    let is_of_objects = action != "s3:ListBucket";
    profile.statements().iter().any(|statement| {
        statement.effect == PolicyEffect::Allow
            && statement.actions.iter().any(matches)
            && statement.resources.iter().any(|arn| arn.contains('/') == is_of_objects)
    })
}

/// What a schedule leaves behind besides objects.
#[derive(Default)]
struct Traces {
    used: Arc<Mutex<BTreeSet<(&'static str, String)>>>,
    /// The stores in which writes may wait that were given up.
    stores: Vec<Arc<FaultyStore<MemoryStore>>>,
}

async fn run(bench: &Bench, event: &Event, rows: &mut u32, traces: &mut Traces) {
    let connection_over = |store: Arc<FaultyStore<MemoryStore>>| {
        bench.connection_over(Arc::new(Watched { inner: store, used: traces.used.clone() }))
    };
    match event {
        Event::Rows(count) => {
            bench.write_rows(*rows..*rows + count);
            *rows += count;
        }
        Event::Minutes(minutes) => bench.clock.advance(Duration::from_mins(*minutes)),
        Event::Jump(minutes) => {
            let now = bench.clock.now() + jiff::SignedDuration::from_mins(*minutes);
            bench.clock.set(now);
        }
        Event::Arrives(which) => {
            if let Some(store) = which.checked_rem(traces.stores.len()).map(|at| &traces.stores[at]) {
                drop(store.deliver(0).await);
            }
        }
        Event::Run => {
            connection_over(Arc::new(FaultyStore::new(bench.bucket.clone()))).sync().await.unwrap();
        }
        Event::Faulty(call, fault) => {
            let store = Arc::new(FaultyStore::new(bench.bucket.clone()));
            store.inject(*call, fault.of_store());
            let connection = connection_over(store.clone());
            traces.stores.push(store.clone());
            tokio::select! {
                outcome = connection.sync() => { outcome.unwrap(); }
                () = store.stopped() => {}
            }
        }
        Event::Killed(step) => {
            let connection = bench.connection().with_steps(KillAt::new(*step));
            let killed = tokio::spawn(async move { connection.sync().await.map(|_| ()) }).await;
            assert!(killed.is_err() || killed.unwrap().is_ok());
        }
    }
    // Whatever was begun is gone on with in another hour.
    if matches!(event, Event::Faulty(..) | Event::Killed(_)) {
        bench.clock.advance(Duration::from_mins(61));
    }
}

/// P1: what a reader saw at any time are rows that had arrived, none of them twice, and an object that is replaced never
/// goes back.
fn assert_history(bench: &Bench, rows: u32) {
    let format = bench.profile.encoding().format;
    let all = expected_of(&bench.profile, &(0..rows), ROWS_FROM.parse().unwrap());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for version in bench.bucket.history() {
        let key = version.key.to_string();
        let object = [(key.clone(), version.object.body)].into();
        for (dataset, found) in content_of(&bench.profile, &KeyPrefix::default(), format, &object) {
            let mut distinct = found.clone();
            distinct.dedup();
            assert_eq!(distinct.len(), found.len(), "{key}: a row twice");
            assert!(
                found.iter().all(|row| all[&dataset].binary_search(row).is_ok()),
                "{key}: a row from nowhere"
            );
            let name = bucketproof_connector::names::DatasetName::new(dataset.as_str()).unwrap();
            let mode = bench.profile.dataset(&name).unwrap().mode();
            let before = seen.insert(key.clone(), found.len());
            match mode {
                Mode::Append => assert_eq!(before, None, "{key}: appended and written again"),
                _ => assert!(before.is_none_or(|before| before <= found.len()), "{key}: went back"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Claims ENG-01, ENG-02, ENG-04, ENG-11, ENG-15: P1 as above; P2: in the end every row is there once and the counts
    /// reconcile; P3: one more run changes nothing; P4: writes that arrive late change nothing; P7: nothing is asked for but
    /// what the vendor's page allows. Clocks that are set and credentials that expire are among the faults.
    #[test]
    fn every_schedule_ends_as_one_undisturbed_run(which in 0_usize..64, events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let profiles = all_profiles();
            let (text, _) = &profiles[which % profiles.len()];
            let bench = Bench::new(text);
            let (mut rows, mut traces, mut latest) = (0, Traces::default(), bench.clock.now());
            for event in &events {
                run(&bench, event, &mut rows, &mut traces).await;
                latest = latest.max(bench.clock.now());
            }
            // Something in every source, so that nothing is absent because nothing came; and a clock that is right again.
            run(&bench, &Event::Rows(1), &mut rows, &mut traces).await;
            bench.clock.set(latest);
            run(&bench, &Event::Run, &mut rows, &mut traces).await;
            for store in &traces.stores {
                while let Some(outcome) = store.deliver(0).await {
                    assert!(!matches!(outcome, Ok(PutOutcome::Written(_))), "a late write took effect");
                }
            }
            for (action, key) in traces.used.lock().unwrap().iter() {
                assert!(is_documented(&bench.profile, action), "{}: {action} of `{key}`", bench.profile.id());
            }
            bench.assert_holds(0..rows, "at the end");
            assert_history(&bench, rows);
            let status = bench.connection().status().unwrap();
            for dataset in &status.datasets {
                let accounted = dataset.rows_written + dataset.rows_deduplicated + dataset.rows_dead_lettered;
                assert_eq!(dataset.rows_read, accounted + dataset.rows_held, "{dataset:?}");
            }
            let before = bench.bucket.history().len();
            bench.connection().sync().await.unwrap();
            assert_eq!(bench.bucket.history().len(), before, "a run without news wrote");
        });
    }
}
