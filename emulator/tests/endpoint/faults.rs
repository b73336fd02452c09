//! Every fault: what a client sees of it, in Rust, in a scenario and by the admin API.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use bucketproof_clock::Clock;
use bucketproof_emulator::{Emulator, Fault, Op, Scenario};
use serde_json::{Value, json};

use crate::fixture::{ADMIN, EXTERNAL_ID, ROLE_ARN, emulator, listening, new_year};
use crate::wire::{Answer, Ask, Wire};

async fn admin(wire: &Wire, method: &str, target: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    wire.send(&Ask::new(method, target).header("host", &wire.host()).body(body)).await
}

async fn put(wire: &Wire, key: &str) -> Answer {
    wire.send_as(ADMIN, &Ask::new("PUT", key).body("content")).await
}

async fn inject(wire: &Wire, fault: Value) -> Answer {
    admin(wire, "POST", "/_bucketproof/faults", &fault).await
}

/// The code of a refused PUT, or nothing.
async fn code(emulator: &Emulator, key: &str) -> Option<String> {
    let put =
        emulator.s3("admin").put_object().bucket("logs").key(key).body(ByteStream::from_static(b"data"));
    let config = aws_sdk_s3::config::Config::builder()
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled());
    let error = put.customize().config_override(config).send().await.err()?;
    Some(error.code().unwrap_or("none").to_owned())
}

#[tokio::test]
async fn a_fault_says_which_requests_it_meets() {
    let emulator = emulator().await;
    let every_third =
        emulator.inject(Fault::on(Op::PutObject).key_prefix("raw/").every(3).times(2).slow_down());
    let mut refused = Vec::new();
    for number in 1..=10 {
        if code(&emulator, "raw/k").await.is_some() {
            refused.push(number);
        }
        assert_eq!(code(&emulator, "other/k").await, None);
    }
    assert_eq!(refused, [3, 6]);
    assert_eq!(every_third.hits(), 2);
    every_third.assert_hit();
    drop(every_third);
    let of_nobody =
        emulator.inject(Fault::on_any().principal("arn:aws:iam::111122223333:user/wri*").slow_down());
    assert_eq!(code(&emulator, "k").await, None);
    assert_eq!(of_nobody.hits(), 0);
    drop(of_nobody);
    let of_admin =
        emulator.inject(Fault::on_any().principal("arn:aws:iam::111122223333:user/admin").slow_down());
    assert_eq!(code(&emulator, "k").await.as_deref(), Some("SlowDown"));
    of_admin.assert_hit();
}

#[tokio::test]
#[should_panic(expected = "never acted; it met 0 requests")]
async fn a_fault_that_never_met_its_request_proves_nothing() {
    let emulator = emulator().await;
    emulator.inject(Fault::on(Op::CopyObject).slow_down()).assert_hit();
}

#[tokio::test]
async fn chance_is_the_same_for_the_same_seed() {
    let run = async || {
        let emulator = emulator().await;
        let _half = emulator.inject(Fault::on(Op::PutObject).probability(0.5).slow_down());
        let mut hits = Vec::new();
        for _ in 0..40 {
            hits.push(code(&emulator, "k").await.is_some());
        }
        hits
    };
    let first = run().await;
    assert_eq!(first, run().await);
    let count = first.iter().filter(|hit| **hit).count();
    assert!((5..=35).contains(&count), "{count} of 40");
}

#[tokio::test]
async fn requests_are_throttled_per_prefix() {
    let emulator = emulator().await;
    let throttle = emulator.inject(Fault::on(Op::PutObject).throttle(2, Duration::from_secs(1)));
    for (key, expected) in [("a/1", None), ("a/2", None), ("a/3", Some("SlowDown")), ("b/1", None)] {
        assert_eq!(code(&emulator, key).await.as_deref(), expected, "{key}");
    }
    emulator.clock().advance(Duration::from_secs(1));
    assert_eq!(code(&emulator, "a/3").await, None);
    assert_eq!(throttle.hits(), 1);
}

#[tokio::test]
async fn the_wire_breaks_after_that_many_bytes() {
    let (emulator, wire) = listening().await;
    put(&wire, "/logs/k").await;
    let get = Ask::new("GET", "/logs/k");
    let reset = emulator.inject(Fault::on(Op::GetObject).times(1).reset_after(3));
    let answer = wire.send_as(ADMIN, &get).await;
    assert_eq!(
        (answer.status, answer.header("content-length"), answer.text().as_str()),
        (200, Some("7"), "con")
    );
    reset.assert_hit();
    let cut = emulator.inject(Fault::on(Op::GetObject).times(1).truncate(3));
    let answer = wire.send_as(ADMIN, &get).await;
    assert_eq!((answer.header("content-length"), answer.text().as_str()), (Some("3"), "con"));
    cut.assert_hit();
    let flipped = emulator.inject(Fault::on(Op::GetObject).times(1).corrupt_body());
    assert_eq!(wire.send_as(ADMIN, &get).await.text(), "conuent");
    flipped.assert_hit();
    let stall = emulator.inject(Fault::on(Op::GetObject).times(1).stall_after(3));
    let real = Clock::system();
    tokio::select! {
        answer = wire.send_as(ADMIN, &get) => panic!("the answer comes to its end: {answer:?}"),
        () = real.sleep(Duration::from_millis(300)) => {}
    }
    stall.assert_hit();
    // The SDK notices by itself that less came than was promised, and asks again.
    let once = emulator.inject(Fault::on(Op::GetObject).times(1).drop_answer());
    let got = emulator.s3("admin").get_object().bucket("logs").key("k").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), "content");
    once.assert_hit();
}

#[tokio::test]
async fn an_answer_waits_on_the_emulators_clock() {
    let emulator = emulator().await;
    let before = emulator.clock().now();
    let _slow = emulator.inject(Fault::on(Op::PutObject).delay(Duration::from_mins(5)));
    assert_eq!(code(&emulator, "k").await, None);
    assert_eq!(emulator.clock().now().duration_since(before).as_mins(), 5);
}

#[tokio::test]
async fn some_keys_of_many_fail() {
    let emulator = emulator().await;
    for key in ["keep/1", "drop/1"] {
        assert_eq!(code(&emulator, key).await, None);
    }
    let partial = emulator.inject(Fault::on(Op::DeleteObjects).fail_keys("keep/"));
    let object = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let delete = Delete::builder().objects(object("keep/1")).objects(object("drop/1")).build().unwrap();
    let s3 = emulator.s3("admin");
    let answer = s3.delete_objects().bucket("logs").delete(delete).send().await.unwrap();
    assert_eq!(answer.deleted()[0].key(), Some("drop/1"));
    assert_eq!(
        (answer.errors()[0].key(), answer.errors()[0].code()),
        (Some("keep/1"), Some("InternalError"))
    );
    partial.assert_hit();
    assert!(s3.head_object().bucket("logs").key("keep/1").send().await.is_ok());
}

#[tokio::test]
async fn a_session_expires_and_a_clock_goes_wrong_at_will() {
    let emulator = emulator().await;
    let role = emulator.actor("vendor").assume(ROLE_ARN, EXTERNAL_ID).await.unwrap();
    let put = async || {
        let sent =
            role.s3().put_object().bucket("logs").key("k").body(ByteStream::from_static(b"x")).send().await;
        sent.err().map(|error| error.code().unwrap_or_default().to_owned())
    };
    assert_eq!(put().await, None);
    let expired = emulator.inject(Fault::on(Op::PutObject).times(1).expire_token());
    assert_eq!(put().await.as_deref(), Some("ExpiredToken"));
    expired.assert_hit();
    let late = emulator.inject(Fault::on_any().clock_skew(3600));
    assert_eq!(code(&emulator, "k").await.as_deref(), Some("RequestTimeTooSkewed"));
    late.assert_hit();
    drop((late, expired));
    assert_eq!(code(&emulator, "k").await, None);
    let _disabled =
        emulator.inject(Fault::on(Op::PutObject).disabled_kms_key("arn:aws:kms:us-east-1:1:key/k"));
    assert_eq!(code(&emulator, "k").await.as_deref(), Some("KMS.DisabledException"));
}

/// A run without faults repeats itself byte for byte, also after a run with some.
#[tokio::test]
async fn a_run_without_faults_is_the_same_again() {
    let run = async |with_fault: bool| {
        let emulator = emulator().await;
        let fault = with_fault.then(|| emulator.inject(Fault::on(Op::PutObject).times(1).slow_down()));
        for key in ["a", "b"] {
            let _outcome = code(&emulator, key).await;
        }
        drop(fault);
        format!("{:?}", emulator.journal().entries())
    };
    let (first, spoiled, second) = (run(false).await, run(true).await, run(false).await);
    assert_eq!(first, second);
    assert_ne!(first, spoiled);
}

#[tokio::test]
async fn other_languages_inject_faults_and_move_the_clock() {
    let (_emulator, wire) = listening().await;
    let injected =
        inject(&wire, json!({"name": "busy", "operation": "PutObject", "effect": "slow_down", "times": 1}))
            .await;
    assert_eq!((injected.status, injected.text().as_str()), (200, "{\"id\":1}"));
    assert_eq!(put(&wire, "/logs/k").await.outcome(), (503, "SlowDown".to_owned()));
    assert_eq!(put(&wire, "/logs/k").await.status, 200);
    let listed = admin(&wire, "GET", "/_bucketproof/faults", &Value::Null).await;
    let listed: Value = serde_json::from_str(&listed.text()).unwrap();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["met"], &listed[0]["hits"]),
        (&"busy".into(), &2.into(), &1.into())
    );
    assert_eq!(admin(&wire, "DELETE", "/_bucketproof/faults/1", &Value::Null).await.status, 200);
    assert_eq!(admin(&wire, "DELETE", "/_bucketproof/faults/1", &Value::Null).await.status, 404);

    let moved = admin(&wire, "POST", "/_bucketproof/clock", &json!({"advance_seconds": 3600})).await;
    assert_eq!(moved.text(), "{\"now\":\"2026-01-01T01:00:00Z\",\"pace\":\"manual\"}");
    let set = admin(
        &wire,
        "POST",
        "/_bucketproof/clock",
        &json!({"set": "2026-02-01T00:00:00Z", "pace": "frozen"}),
    )
    .await;
    assert_eq!(set.text(), "{\"now\":\"2026-02-01T00:00:00Z\",\"pace\":\"frozen\"}");

    assert_eq!(admin(&wire, "POST", "/_bucketproof/reset", &Value::Null).await.status, 200);
    let journal = admin(&wire, "GET", "/_bucketproof/requests", &Value::Null).await;
    assert_eq!(journal.text(), "[]");
    let health = admin(&wire, "GET", "/_localstack/health", &Value::Null).await;
    assert!(health.text().contains("\"s3\": \"running\""), "{}", health.text());
    let api = admin(&wire, "GET", "/_bucketproof/openapi.json", &Value::Null).await;
    let api: Value = serde_json::from_str(&api.text()).unwrap();
    for path in api["paths"].as_object().unwrap().keys().filter(|path| !path.contains('{')) {
        let asked = admin(&wire, "GET", path, &Value::Null).await;
        let is_there =
            asked.status == 200 || ["decisions", "reset", "judge"].iter().any(|end| path.ends_with(end));
        assert!(is_there, "{path}: {}", asked.text());
    }
}

#[tokio::test]
async fn a_wrong_fault_is_told_what_would_be_right() {
    let (_emulator, wire) = listening().await;
    for (fault, told) in [
        (json!({"effect": "slow_dwn"}), "`slow_dwn` is no effect; the effects are refuse, slow_down"),
        (json!({"effect": "slow_down", "operation": "PutObjekt"}), "the operations are"),
        (json!({"effect": "slow_down", "often": 3}), "unknown field `often`"),
        (json!({"effect": "truncate"}), "the effect `truncate` needs the field `bytes`"),
        (json!({"effect": "truncate", "bytes": 1, "seconds": 1}), "has no field `seconds`; it has bytes"),
        (json!({"effect": "delay", "seconds": -1}), "field `seconds`: `-1`"),
        (json!({"effect": "slow_down", "probability": 2}), "it goes from 0 to 1"),
        (json!({"effect": "slow_down", "every": 0}), "the least is 1"),
        (json!({"effect": "refuse", "status": 42, "code": "X"}), "`42` is no status"),
        (
            json!({"effect": "error_in_200", "operation": "PutObject"}),
            "CompleteMultipartUpload, CopyObject, UploadPartCopy",
        ),
        (json!({"effect": "clock_skew", "seconds": 5, "operation": "PutObject"}), "leave out `operation`"),
        (json!(7), "the body is no fault"),
    ] {
        let answer = inject(&wire, fault.clone()).await;
        assert_eq!(answer.status, 400, "{fault}");
        assert!(answer.text().contains(told), "{fault}: {}", answer.text());
    }
    let clock = admin(&wire, "POST", "/_bucketproof/clock", &json!({"pace": "fast"})).await;
    assert!(clock.text().contains("there are `system`, `manual` and `frozen`"), "{}", clock.text());
    assert_eq!(admin(&wire, "DELETE", "/_bucketproof/clock", &Value::Null).await.status, 405);
}

const WITH_FAULT: &str = r#"
[[account]]
id = "111122223333"
name = "owner"
[[account.user]]
name = "admin"
policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}']
[[account.user.access_key]]
id = "AKIAADMINUSEREXAMPLE"
secret = "adminSecret+/0"
[[account.bucket]]
name = "logs"
[[fault]]
name = "first"
operation = "PutObject"
effect = "slow_down"
times = 1
"#;

#[tokio::test]
async fn a_scenario_may_begin_with_faults() {
    let start = async |clock: Clock| {
        let scenario = Scenario::from_toml(WITH_FAULT).unwrap();
        Emulator::builder().scenario(scenario).clock(clock).seed(7).start().await.unwrap()
    };
    let emulator = start(new_year()).await;
    assert_eq!(emulator.fault_hits("first"), Some(0));
    assert_eq!(code(&emulator, "k").await.as_deref(), Some("SlowDown"));
    assert_eq!(code(&emulator, "k").await, None);
    assert_eq!((emulator.fault_hits("first"), emulator.fault_hits("second")), (Some(1), None));
    emulator.reset().unwrap();
    assert_eq!(code(&emulator, "k").await.as_deref(), Some("SlowDown"));
    let wrong = Scenario::from_toml(&WITH_FAULT.replace("slow_down", "slow_dwn")).unwrap();
    let error = Emulator::builder().scenario(wrong).start().await.unwrap_err().to_string();
    assert!(error.contains("`slow_dwn` is no effect") && error.contains("scenario:13:1"), "{error}");
}
