//! Random schedules of pauses, toggles and selections, with runs that are killed or fail at any call or step.
//! `PROPTEST_CASES` sets how many.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::{Connection, RetryPolicy, pause, resume};
use bucketproof_connector::report::{DatasetReport, Outcome};
use bucketproof_connector::store::{Effect, FaultyStore, Operation, Store, StoreError, StoreFault};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::crash::KillAt;
use crate::rig::{Rig, fold, message};

const DATASETS: [&str; 2] = ["requests", "messages"];

#[derive(Clone, Debug)]
enum Event {
    /// Rows come into the source of a dataset.
    Rows(usize, Vec<(u32, u32)>),
    Minutes(u64),
    Pause,
    Resume,
    Toggle(bool),
    /// Which datasets are selected from now on: the first, the second, or both.
    Select(usize),
    Sync,
    /// A sync that meets a fault at a call.
    Faulty(u64, u8),
    /// A sync that is killed at a durable step.
    Killed(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let rows = prop::collection::vec((0_u32..8, 0_u32..6), 1..4);
    let event = prop_oneof![
        5 => (0_usize..2, rows).prop_map(|(dataset, rows)| Event::Rows(dataset, rows)),
        2 => (1_u64..40).prop_map(Event::Minutes),
        1 => Just(Event::Pause),
        2 => Just(Event::Resume),
        2 => any::<bool>().prop_map(Event::Toggle),
        2 => (0_usize..3).prop_map(Event::Select),
        3 => Just(Event::Sync),
        2 => (0_u64..8, 0_u8..5).prop_map(|(call, fault)| Event::Faulty(call, fault)),
        2 => (0_u64..20).prop_map(Event::Killed),
    ];
    prop::collection::vec(event, 3..24)
}

/// A key has its time for ever, and a version its content.
fn line(dataset: usize, (key, version): (u32, u32)) -> String {
    if dataset == 1 {
        return message(key, key * 20, version, &format!("v{version}"));
    }
    format!(
        "{{\"api_type\":\"event\",\"api_name\":\"a\",\"tenant_id\":\"t\",\"idempotency_key\":\"k-{key}\",\
         \"created_at\":\"2025-01-15T{:02}:{:02}:00Z\",\"updated_at\":\"2025-01-15T18:00:{version:02}Z\",\
         \"payload\":{{\"v\":{version}}}}}\n",
        14 + key / 3,
        key % 3 * 20,
    )
}

fn created(line: &str) -> Timestamp {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["created_at"].as_str().unwrap().parse().unwrap()
}

/// The connection as it is set up at the moment.
struct Switch {
    rig: Rig,
    forward: bool,
    enabled: bool,
    selected: Vec<&'static str>,
    paused: bool,
    /// All lines, by dataset.
    lines: [String; 2],
}

impl Switch {
    fn new(forward: bool) -> Self {
        let mut rig = Rig::new();
        rig.clock = Clock::manual("2025-01-15T14:30:00Z".parse().unwrap());
        for name in DATASETS {
            rig.write(&format!("{name}.ndjson"), "");
        }
        let selected = DATASETS.to_vec();
        Self { rig, forward, enabled: true, selected, paused: false, lines: Default::default() }
    }

    fn config(&self) -> Config {
        let mut text = format!(
            "profile = \"suprsend_s3_v2\"\nenabled = {}\ndatasets = {:?}\n{}\
             [bucket]\nname = \"notification-logs\"\nregion = \"eu-central-1\"\n\
             [auth]\nmode = \"static_keys\"\naccess_key_id = \"AKIDEXAMPLE\"\n\
             secret_access_key = {{ env = \"EXPORT_SECRET\" }}\n[state]\ndir = \"state\"\n",
            self.enabled,
            self.selected,
            if self.forward { "history = \"forward\"\n" } else { "" },
        );
        for name in &self.selected {
            writeln!(text, "[[source]]\ndataset = \"{name}\"\npath = \"{name}.ndjson\"").unwrap();
        }
        Config::parse(&text, self.rig.path("connector.toml").to_str().unwrap()).unwrap()
    }

    fn connection_over(&self, store: Arc<dyn Store>) -> Connection {
        let config = self.config();
        let profile = config.load_profile().unwrap();
        let retry =
            RetryPolicy { attempts_max: 3, pause: Duration::from_millis(1), ..RetryPolicy::default() };
        Connection::new(config, profile, store, self.rig.clock.clone(), Entropy::seeded(7))
            .unwrap()
            .with_retry(retry)
    }

    fn connection(&self) -> Connection {
        self.connection_over(self.rig.bucket.clone())
    }

    /// What is to be in the bucket once all is exported: the fold of the rows of each dataset, from its start on.
    fn expected(&self) -> BTreeMap<String, bytes::Bytes> {
        let status = self.connection().status().unwrap();
        let mut expected = BTreeMap::new();
        for (name, lines) in DATASETS.iter().zip(&self.lines) {
            let dataset = status.datasets.iter().find(|dataset| dataset.dataset.as_str() == *name).unwrap();
            let start: Option<Timestamp> = dataset.starts_at.as_ref().map(|start| start.parse().unwrap());
            assert_eq!(start.is_some(), self.forward, "{name}");
            let counts = |line: &&str| start.is_none_or(|start| created(line) >= start);
            let lines: String = lines.split_inclusive('\n').filter(counts).collect();
            expected.extend(fold(name, &lines));
        }
        expected
    }

    async fn play(&mut self, event: &Event) {
        let before = self.rig.objects();
        let stands_still = self.paused || !self.enabled;
        let store = Arc::new(FaultyStore::new(self.rig.bucket.clone()));
        match event {
            Event::Rows(dataset, rows) => {
                let text: String = rows.iter().map(|row| line(*dataset, *row)).collect();
                self.rig.append(&format!("{}.ndjson", DATASETS[*dataset]), &text);
                self.lines[*dataset].push_str(&text);
            }
            Event::Minutes(minutes) => self.rig.clock.advance(Duration::from_mins(*minutes)),
            Event::Pause => {
                let config = self.config();
                pause(&config, &config.load_profile().unwrap(), &self.rig.clock, &Entropy::seeded(1))
                    .unwrap();
                self.paused = true;
            }
            Event::Resume => {
                let config = self.config();
                resume(&config, &config.load_profile().unwrap(), &self.rig.clock, &Entropy::seeded(1))
                    .unwrap();
                self.paused = false;
            }
            Event::Toggle(enabled) => self.enabled = *enabled,
            Event::Select(which) => {
                self.selected = DATASETS.get(*which).map_or_else(|| DATASETS.to_vec(), |name| vec![*name]);
            }
            Event::Sync => {
                let report = self.connection_over(store.clone()).sync().await.unwrap();
                assert_eq!(matches!(report.outcome, Outcome::Paused | Outcome::Disabled), stands_still);
                assert!(report.datasets.iter().all(DatasetReport::reconciles));
            }
            Event::Faulty(call, fault) => {
                let lost = |effect| StoreError::Unavailable {
                    operation: Operation::Put,
                    message: "cut".to_owned(),
                    effect,
                };
                store.inject(
                    *call,
                    match fault {
                        0 => StoreFault::StopBefore,
                        1 => StoreFault::StopAfter,
                        2 => StoreFault::ErrorAfter(lost(Effect::Unknown)),
                        3 => StoreFault::ErrorBefore(lost(Effect::None)),
                        _ => StoreFault::Conflict,
                    },
                );
                let connection = self.connection_over(store.clone());
                tokio::select! {
                    outcome = connection.sync() => drop(outcome.unwrap()),
                    () = store.stopped() => {}
                }
            }
            Event::Killed(step) => {
                let connection = self.connection_over(store.clone()).with_steps(KillAt::new(*step));
                drop(tokio::spawn(async move { connection.sync().await.unwrap() }).await);
            }
        }
        if stands_still {
            assert_eq!(store.calls(), 0, "a call while the connection stands still");
        }
        for (key, object) in before {
            let is_selected = self.selected.iter().any(|name| key.contains(name));
            assert!(is_selected && !stands_still || self.rig.objects()[&key] == object, "{key} was written");
        }
    }
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: cases.unwrap_or(60), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    /// P5: after any schedule the bucket is as if the connection had never stood still, restricted to what the start of each
    /// dataset lets through. P3: with its state lost, it exports the same bytes again.
    ///
    /// Claims SUP-64, SUP-65, SUP-66, SUP-67, SUP-68, ENG-01, ENG-02.
    #[test]
    fn standing_still_leaves_no_trace(events in events(), forward in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut switch = Switch::new(forward);
            for event in &events {
                switch.play(event).await;
            }
            for event in [Event::Resume, Event::Toggle(true), Event::Select(2), Event::Sync] {
                switch.play(&event).await;
            }
            assert_eq!(switch.rig.objects(), switch.expected());
            let status = switch.connection().status().unwrap();
            for dataset in &status.datasets {
                assert_eq!(dataset.rows_read, dataset.rows_written + dataset.rows_deduplicated + dataset.rows_dead_lettered);
                assert_eq!(dataset.open_intents, 0);
            }
            assert!(status.gaps.iter().all(|gap| gap.filled_at.is_some()), "{:?}", status.gaps);
            let settled = switch.rig.objects();
            std::fs::rename(switch.rig.path("state"), switch.rig.path("lost")).unwrap();
            switch.play(&Event::Sync).await;
            assert_eq!(switch.rig.objects(), settled);
        });
    }
}
