//! What the AWS SDK for Rust sees of each kind of fault: the page `FAULTS.md` says it, and these tests hold it to that.

use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use bucketproof_clock::Clock;
use bucketproof_emulator::{Emulator, Fault, Op};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::fixture::{EXTERNAL_ID, ROLE_ARN, emulator};

const PAGE: &str = include_str!("../../FAULTS.md");

/// What is called under the fault.
#[derive(Clone, Copy, Debug)]
enum Call {
    Get,
    /// A write that must not overwrite.
    PutNew,
    PutBySession,
    Copy,
    DeleteTwo,
}

/// The fault of each row, and what meets it.
fn play(effect: &str) -> (Value, Call) {
    let (fields, call) = match effect {
        "refuse" => (json!({ "status": 500, "code": "InternalError" }), Call::Get),
        "ignore_header" => (json!({ "header": "If-None-Match", "operation": "PutObject" }), Call::PutNew),
        "expire_token" => (json!({ "operation": "PutObject" }), Call::PutBySession),
        "error_in_200" => (json!({ "operation": "CopyObject" }), Call::Copy),
        "fail_keys" => (json!({ "prefix": "keep", "operation": "DeleteObjects" }), Call::DeleteTwo),
        "throttle" => (json!({ "requests": 0, "seconds": 3600 }), Call::Get),
        "disabled_kms_key" => (json!({ "key": "arn:aws:kms:us-east-1:111122223333:key/k" }), Call::Get),
        "clock_skew" => (json!({ "seconds": 3600 }), Call::Get),
        "delay" => (json!({ "seconds": 0.1 }), Call::Get),
        "status" => (json!({ "status": 500 }), Call::Get),
        "body" => (json!({ "body": "another" }), Call::Get),
        "header" => (json!({ "header": "etag", "value": "\"other\"" }), Call::Get),
        "without_header" => (json!({ "header": "etag" }), Call::Get),
        "reset_after" | "stall_after" | "truncate" => (json!({ "bytes": 3 }), Call::Get),
        "slow_down" | "corrupt_body" | "drop_answer" => (json!({}), Call::Get),
        other => panic!("the effect `{other}` has no play; add one, and its row in FAULTS.md"),
    };
    let mut fault = fields;
    fault["effect"] = effect.into();
    (fault, call)
}

/// A row of the page: effect, fields, what it does, and what is seen: in Rust always and once, in Python always and once.
fn rows() -> Vec<Vec<&'static str>> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

async fn admin(emulator: &Emulator, method: &str, place: &str, body: &Value) -> Value {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1/_bucketproof/{place}"))
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let answer = emulator.send(request).await.unwrap();
    assert_eq!(answer.status(), 200, "{body}: {:?}", answer.body());
    serde_json::from_slice(answer.body()).unwrap()
}

fn failure<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(refusal) => match refusal.err().code() {
            Some(code) => format!("`{code}`"),
            None => "an error without a code".to_owned(),
        },
        SdkError::DispatchFailure(_) => "no answer".to_owned(),
        SdkError::TimeoutError(_) => "a timeout".to_owned(),
        _ => "an answer that cannot be read".to_owned(),
    }
}

/// What the client sees, in few words.
async fn call(emulator: &Emulator, call: Call) -> String {
    let s3 = emulator.s3("admin");
    match call {
        Call::Get => match s3.get_object().bucket("logs").key("k").send().await {
            Err(error) => failure(&error),
            Ok(got) => {
                let etag = got.e_tag.clone();
                match got.body.collect().await.map(aws_sdk_s3::primitives::AggregatedBytes::to_vec) {
                    Ok(body) if body == b"content" => match etag.as_deref() {
                        None => "the object without an entity tag".to_owned(),
                        Some("\"other\"") => "the object with another entity tag".to_owned(),
                        Some(_) => "the object".to_owned(),
                    },
                    Ok(body) => format!("another body of {} bytes", body.len()),
                    Err(error) => {
                        let text = format!("{error:?}");
                        if text.contains("ChecksumMismatch") {
                            "a wrong checksum".to_owned()
                        } else if text.contains("Throughput") || text.contains("throughput") {
                            "a stalled body".to_owned()
                        } else {
                            "a body that breaks off".to_owned()
                        }
                    }
                }
            }
        },
        Call::PutNew => {
            let put = s3.put_object().bucket("logs").key("k").if_none_match("*");
            match put.body(ByteStream::from_static(b"content")).send().await {
                Ok(_) => "an overwritten object".to_owned(),
                Err(error) => failure(&error),
            }
        }
        Call::PutBySession => {
            let session = emulator.actor("vendor").assume(ROLE_ARN, EXTERNAL_ID).await.unwrap();
            emulator.journal().clear();
            let put = session.s3().put_object().bucket("logs").key("k");
            match put.body(ByteStream::from_static(b"content")).send().await {
                Ok(_) => "a written object".to_owned(),
                Err(error) => failure(&error),
            }
        }
        Call::Copy => match s3.copy_object().bucket("logs").key("copy").copy_source("logs/k").send().await {
            Ok(_) => "a copy".to_owned(),
            Err(error) => failure(&error),
        },
        Call::DeleteTwo => {
            let object = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
            let delete = Delete::builder().objects(object("keep")).objects(object("drop")).build().unwrap();
            match s3.delete_objects().bucket("logs").delete(delete).send().await {
                Ok(answer) => match answer.errors() {
                    [] => "both keys deleted".to_owned(),
                    [one] => format!("`{}` for one of two keys", one.code().unwrap_or_default()),
                    _ => "errors for both keys".to_owned(),
                },
                Err(error) => failure(&error),
            }
        }
    }
}

/// What the client sees of a fault, and how often it asked.
async fn seen(effect: &str, once: bool) -> String {
    let emulator = emulator().await;
    let put = emulator.s3("admin").put_object().bucket("logs").key("k");
    put.body(ByteStream::from_static(b"content")).send().await.unwrap();
    emulator.journal().clear();
    let (mut fault, what) = play(effect);
    if once {
        fault["times"] = 1.into();
    }
    admin(&emulator, "POST", "faults", &fault).await;
    // Where the emulator's clock stands, nothing but the test can end a wait for bytes that never come.
    let real = Clock::system();
    let seen = tokio::select! {
        seen = call(&emulator, what) => seen,
        () = real.sleep(Duration::from_secs(5)) => "a stalled body".to_owned(),
    };
    let faults = admin(&emulator, "GET", "faults", &Value::Null).await;
    assert!(faults[0]["hits"].as_u64() >= Some(1), "{effect} never acted");
    let requests = emulator.requests();
    let attempts: Vec<_> = requests.iter().filter_map(|entry| entry.attempt).collect();
    assert_eq!(attempts.len(), requests.len(), "the SDK numbers its attempts");
    assert_eq!(attempts.iter().max().copied(), u32::try_from(requests.len()).ok(), "{effect}: {attempts:?}");
    assert!(!requests.clone().with_faults().is_empty(), "the journal tells of the fault");
    match requests.len() {
        1 => seen,
        attempts => format!("{seen}, {attempts} attempts"),
    }
}

/// Claims nothing that is not so: every cell of the page about Rust.
#[tokio::test]
async fn the_page_says_what_the_sdk_sees_of_each_fault() {
    let mut wrong = Vec::new();
    for row in rows() {
        let [effect, _, _, always, once, ..] = row.as_slice() else { panic!("{row:?}") };
        if *always == "-" {
            continue;
        }
        let name = effect.trim_matches('`');
        let found = (seen(name, false).await, seen(name, true).await);
        if (found.0.as_str(), found.1.as_str()) != (*always, *once) {
            wrong.push(format!("{effect} | {} | {}", found.0, found.1));
        }
    }
    assert!(wrong.is_empty(), "FAULTS.md should say\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_page_has_every_fault_with_its_fields() {
    let emulator = emulator().await;
    let described = admin(&emulator, "GET", "openapi.json", &Value::Null).await;
    let schema = &described["paths"]["/_bucketproof/faults"]["post"]["requestBody"]["content"]["application/json"]
        ["schema"];
    let known: Vec<_> = schema["properties"]["effect"]["enum"].as_array().unwrap().clone();
    let names: Vec<Value> = rows().iter().map(|row| row[0].trim_matches('`').into()).collect();
    assert_eq!(names, known, "the effects of FAULTS.md, in the order of the code");
    for row in rows() {
        assert_eq!(row.len(), 7, "{row:?}");
        let effect = row[0].trim_matches('`');
        let needed: Vec<&str> =
            row[1].split(", ").filter(|field| field.starts_with('`') && !field.ends_with('?')).collect();
        // Without its fields an effect is refused, and the refusal names the first of them.
        let request = http::Request::builder()
            .method("POST")
            .uri("http://127.0.0.1/_bucketproof/faults")
            .body(Bytes::from(json!({ "effect": effect }).to_string()))
            .unwrap();
        let text = String::from_utf8(emulator.send(request).await.unwrap().into_body().to_vec()).unwrap();
        let missing = text.split("needs the field ").nth(1).map(|rest| rest.trim_end().to_owned());
        assert_eq!(missing.is_some(), !needed.is_empty(), "{effect}: {text}");
        assert!(missing.is_none_or(|missing| needed.contains(&missing.as_str())), "{effect}: {text}");
    }
}

#[tokio::test]
async fn a_fault_that_never_fired_is_asserted_upon() {
    let emulator = emulator().await;
    let fault = emulator.inject(Fault::on(Op::PutObject).key_prefix("raw/").slow_down());
    emulator.s3("admin").list_buckets().send().await.unwrap();
    assert_eq!(fault.hits(), 0);
    fault.assert_never_hit();
    fault.assert_hits(0);
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| fault.assert_hit())).unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    assert!(told.contains("`PutObject: refused with 503 SlowDown` never acted; it met 0 requests"), "{told}");
    assert!(told.contains("the journal has no request for PutObject"), "{told}");
    let _refused = emulator.s3("admin").put_object().bucket("logs").key("raw/a").send().await;
    fault.assert_hits(3);
    let told =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| fault.assert_never_hit())).unwrap_err();
    assert!(told.downcast_ref::<String>().unwrap().contains("acted 3 times, and should have 0 times"));
}

/// What a test leaves behind is the same to the byte: journal, archive and state.
#[tokio::test]
async fn a_run_without_faults_leaves_the_same_bytes() {
    let run = async |with_fault: bool| {
        let emulator = emulator().await;
        let fault = with_fault.then(|| emulator.inject(Fault::on(Op::PutObject).times(1).slow_down()));
        let session = emulator.actor("vendor").assume(ROLE_ARN, EXTERNAL_ID).await.unwrap();
        for key in ["a", "b"] {
            let put = session.s3().put_object().bucket("logs").key(key);
            put.body(ByteStream::from_static(b"content")).send().await.unwrap();
        }
        emulator.s3("writer").get_object().bucket("logs").key("a").send().await.unwrap_err();
        emulator.kms("admin").create_key().send().await.unwrap();
        drop(fault);
        let journal = emulator.journal();
        [journal.to_json_lines(), journal.to_har(), emulator.export_scenario()]
    };
    let (first, spoiled, second) = (run(false).await, run(true).await, run(false).await);
    assert!(first == second, "two runs differ");
    assert_ne!(first[0], spoiled[0]);
}

/// Hundreds side by side in one process, without a port among them.
#[test]
fn hundreds_run_in_parallel_without_ports() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..300)
            .map(|number| {
                tokio::spawn(async move {
                    let emulator = emulator().await;
                    let fault = (number % 3 == 0)
                        .then(|| emulator.inject(Fault::on(Op::PutObject).times(1).slow_down()));
                    let s3 = emulator.s3("admin");
                    let put = s3.put_object().bucket("logs").key("k");
                    put.body(ByteStream::from(number.to_string().into_bytes())).send().await.unwrap();
                    let got = s3.get_object().bucket("logs").key("k").send().await.unwrap();
                    let body = got.body.collect().await.unwrap().to_vec();
                    assert_eq!(body, number.to_string().into_bytes());
                    assert!(emulator.address().is_none());
                    emulator.assert_no_denials();
                    emulator.requests().assert_count(if fault.is_some() { 3 } else { 2 });
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}
