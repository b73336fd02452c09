//! Faults of events on their way: lost, twice, late, in another order; in Rust, in a scenario and by the admin API.

use std::time::Duration;

use bucketproof_emulator::{Emulator, Fault, Scenario};
use serde_json::{Value, json};

use crate::fixture::{ADMIN, listening, new_year};
use crate::notifications::{QUEUE, configure, put, queue_for, records, rule, topic_policy};
use crate::sns::{self, TOPIC, create_topic, set, works};
use crate::sqs;
use crate::wire::{Answer, Ask, Wire};

/// An emulator whose bucket `logs` tells a queue of new objects; the test message is taken.
async fn told() -> (Emulator, Wire, String) {
    let (emulator, wire) = listening().await;
    let url = queue_for(&wire, "s3.amazonaws.com").await;
    works(&configure(&wire, "logs", &rule("Queue", QUEUE, &["ObjectCreated:*"], "")).await);
    emulator.deliver().await;
    sqs::drain(&wire, &url).await;
    (emulator, wire, url)
}

fn keys(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["s3"]["object"]["key"].as_str().unwrap()).collect()
}

async fn put_all(wire: &Wire, keys: &[&str]) {
    for key in keys {
        put(wire, &format!("/logs/{key}"), "content").await;
    }
}

#[tokio::test]
async fn events_are_lost_and_doubled() {
    let (emulator, wire, url) = told().await;
    let lost = emulator.inject(Fault::on_events().bucket("logs").key_prefix("raw/").times(1).lose_event());
    let twice = emulator.inject(Fault::on_events().key_prefix("b c").duplicate_event());
    put_all(&wire, &["raw/1", "raw/2", "b%20c", "d"]).await;
    let told = records(&emulator, &wire, &url).await;
    assert_eq!(keys(&told), ["raw/2", "b+c", "d", "b+c"]);
    assert_eq!(told[1], told[3], "both are the same event, with the same sequencer");
    assert_eq!((lost.hits(), twice.hits()), (1, 1));
    drop((lost, twice));
    put_all(&wire, &["raw/1", "b%20c"]).await;
    assert_eq!(keys(&records(&emulator, &wire, &url).await), ["raw/1", "b+c"]);
    // Requests do not see it, and the test message of a configuration arrives.
    let lost = emulator.inject(Fault::on_events().lose_event());
    works(&configure(&wire, "logs", &rule("Queue", QUEUE, &["ObjectCreated:*"], "")).await);
    emulator.deliver().await;
    assert_eq!(sqs::drain(&wire, &url).await.len(), 1);
    assert_eq!(lost.hits(), 0);
}

#[tokio::test]
async fn events_come_late_on_the_clock_of_the_emulator() {
    let (emulator, wire, url) = told().await;
    let late = emulator.inject(Fault::on_events().times(1).delay_event(Duration::from_secs(90)));
    put_all(&wire, &["first", "second"]).await;
    assert_eq!(keys(&records(&emulator, &wire, &url).await), ["second"]);
    emulator.clock().advance(Duration::from_secs(89));
    assert_eq!(records(&emulator, &wire, &url).await.len(), 0);
    emulator.clock().advance(Duration::from_secs(1));
    let told = records(&emulator, &wire, &url).await;
    assert_eq!(keys(&told), ["first"]);
    assert_eq!(told[0]["eventTime"], "2026-01-01T00:00:00.000Z", "it tells when it happened");
    late.assert_hit();
}

/// What arrives, in its order, when the events of a minute are shuffled.
async fn shuffled(window: u64) -> Vec<String> {
    let (emulator, wire, url) = told().await;
    let fault = emulator.inject(Fault::on_events().reorder_events(Duration::from_secs(window)));
    put_all(&wire, &["1", "2", "3"]).await;
    if window > 0 {
        assert_eq!(records(&emulator, &wire, &url).await.len(), 0, "they wait for others");
        emulator.clock().advance(Duration::from_secs(window / 2));
    }
    put_all(&wire, &["4", "5", "6"]).await;
    if window > 0 {
        assert_eq!(records(&emulator, &wire, &url).await.len(), 0);
        emulator.clock().advance(Duration::from_secs(window / 2));
    }
    let told = records(&emulator, &wire, &url).await;
    assert_eq!(fault.hits(), 6);
    keys(&told).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn events_come_in_another_order_which_the_seed_draws() {
    for window in [0, 60] {
        let first = shuffled(window).await;
        let mut sorted = first.clone();
        sorted.sort();
        assert_eq!(sorted, ["1", "2", "3", "4", "5", "6"], "none is lost");
        assert_ne!(first, sorted, "window {window}");
        assert_eq!(shuffled(window).await, first, "the same seed, the same order");
    }
}

#[tokio::test]
async fn two_events_change_places() {
    let (emulator, wire, url) = told().await;
    let _fault = emulator.inject(Fault::on_events().reorder_events(Duration::ZERO));
    put_all(&wire, &["1", "2"]).await;
    assert_eq!(keys(&records(&emulator, &wire, &url).await), ["2", "1"]);
}

/// An event that goes through a topic meets the fault once; with the subscriber's name, the topic's message does.
#[tokio::test]
async fn a_fault_may_name_the_receiver() {
    let (emulator, wire) = listening().await;
    create_topic(&wire).await;
    works(&set(&wire, "Policy", &topic_policy("logs").to_string()).await);
    let url = queue_for(&wire, "sns.amazonaws.com").await;
    let subscribe = [
        ("Action", "Subscribe"),
        ("TopicArn", TOPIC),
        ("Protocol", "sqs"),
        ("Endpoint", QUEUE),
        ("Attributes.entry.1.key", "RawMessageDelivery"),
        ("Attributes.entry.1.value", "true"),
    ];
    works(&sns::ask(&wire, ADMIN, &subscribe).await);
    works(&configure(&wire, "logs", &rule("Topic", TOPIC, &["ObjectCreated:*"], "")).await);
    emulator.deliver().await;
    sqs::drain(&wire, &url).await;
    let by_bucket = emulator.inject(Fault::on_events().duplicate_event());
    put_all(&wire, &["a"]).await;
    assert_eq!(keys(&records(&emulator, &wire, &url).await), ["a", "a"]);
    assert_eq!(by_bucket.hits(), 1);
    drop(by_bucket);
    let by_queue =
        emulator.inject(Fault::on_events().destination(QUEUE).bucket("logs").key_prefix("b").lose_event());
    put_all(&wire, &["b", "c"]).await;
    assert_eq!(keys(&records(&emulator, &wire, &url).await), ["c"]);
    assert_eq!(by_queue.hits(), 1);
}

#[tokio::test]
async fn scenarios_and_the_admin_api_have_these_faults_too() {
    let (emulator, wire, url) = told().await;
    let inject = async |fault: Value| -> Answer {
        let ask = Ask::new("POST", "/_bucketproof/faults").header("host", &wire.host());
        wire.send(&ask.body(fault.to_string())).await
    };
    let fault = json!({ "name": "twice", "effect": "duplicate_event", "destination": QUEUE, "times": 1 });
    assert_eq!(inject(fault).await.status, 200);
    put_all(&wire, &["a", "b"]).await;
    assert_eq!(keys(&records(&emulator, &wire, &url).await), ["a", "b", "a"]);
    for (fault, hint) in [
        (json!({ "effect": "lose_event", "operation": "PutObject" }), "leave out `operation`"),
        (json!({ "effect": "delay_event" }), "needs the field `seconds`"),
        (json!({ "effect": "lose_event", "seconds": 1 }), "has no field `seconds`"),
        (json!({ "effect": "slow_down", "destination": QUEUE }), "has no field `destination`"),
    ] {
        let answer = inject(fault.clone()).await;
        assert_eq!(answer.status, 400, "{fault}");
        assert!(answer.text().contains(hint), "{fault}: {}", answer.text());
    }
    let scenario = Scenario::from_toml(
        "[[fault]]\neffect = 'reorder_events'\nseconds = 5\nbucket = 'logs'\n\
         [[fault]]\neffect = 'lose_event'\nprobability = 0.5\n\
         [[fault]]\neffect = 'delay_event'\nseconds = 2.5\n",
    )
    .unwrap();
    Emulator::builder().scenario(scenario).clock(new_year()).start().await.unwrap();
    let scenario = Scenario::from_toml("[[fault]]\neffect = 'lose_event'\nprincipal = 'x'\n").unwrap();
    let error = Emulator::builder().scenario(scenario).start().await.unwrap_err();
    assert!(error.to_string().contains("acts on events, not on requests"), "{error}");
}
