//! What the emulator remembers of each request, and the ways in which it goes wrong on purpose.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use crate::fixture::{ADMIN, WRITER, emulator, listening};
use crate::wire::{Ask, Key, Signing};

#[tokio::test]
async fn every_request_leaves_an_entry_also_those_of_strangers() {
    let (emulator, wire) = listening().await;
    let put = wire.send_as(ADMIN, &Ask::new("PUT", "/logs/a%20b?x-id=PutObject").body("data")).await;
    wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    wire.send_as(Key::new("AKIAUNKNOWNEXAMPLE00", "x"), &Ask::new("GET", "/logs/key")).await;
    wire.send(&Ask::new("PATCH", "/")).await;
    let entries = emulator.journal().entries();
    let [first, second, third, fourth] = entries.as_slice() else { panic!("{} entries", entries.len()) };
    assert_eq!(Some(first.request_id.as_str()), put.header("x-amz-request-id"));
    assert_eq!((first.method.as_str(), first.path.as_str()), ("PUT", "/logs/a%20b"));
    assert_eq!((first.bucket.as_deref(), first.key.as_deref()), (Some("logs"), Some("a b")));
    assert_eq!((first.operation, first.status, first.code.as_deref()), (Some(Op::PutObject), 200, None));
    assert_eq!((first.request_bytes, first.response_bytes), (4, 0));
    assert_eq!(first.principal.as_deref(), Some("arn:aws:iam::111122223333:user/admin"));
    assert_eq!(first.received_at.to_string(), "2026-01-01T00:00:00Z");
    assert!(first.decisions.iter().all(|recorded| recorded.decision.is_allowed()));
    assert_eq!((second.status, second.code.as_deref()), (403, Some("AccessDenied")));
    assert_eq!(second.decisions.last().unwrap().resource, "arn:aws:s3:::logs/closed");
    assert_eq!(
        (third.status, third.code.as_deref(), &third.principal),
        (403, Some("InvalidAccessKeyId"), &None)
    );
    assert_eq!((fourth.status, fourth.operation), (501, None));
    assert_eq!(emulator.journal().denied().len(), 1);
    assert!(emulator.journal().entry(&first.request_id).is_some());
    emulator.journal().clear();
    assert!(emulator.journal().entries().is_empty());
}

#[tokio::test]
async fn a_denial_is_explained() {
    let (emulator, wire) = listening().await;
    wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    let denied = emulator.journal().denied();
    let text = denied[0].explain().replace(&denied[0].request_id, "[request id]");
    insta::assert_snapshot!("denial", text);
}

/// Neither secrets nor signatures nor tokens may come to rest anywhere.
#[tokio::test]
async fn no_secret_is_remembered() {
    let (emulator, wire) = listening().await;
    let token = "IQoJb3JpZ2luX2Vj".repeat(8);
    let key = Key { token: Some(&token), ..ADMIN };
    let mut signatures = vec![ADMIN.secret.to_owned(), token.clone()];
    for signing in [
        Signing::with(key),
        Signing::presigned(key, 60),
        Signing::with(Key::new(ADMIN.id, "wrong")),
        Signing::presigned(ADMIN, 60),
    ] {
        let signed = wire.sign(&Ask::new("GET", "/logs/key").header("referer", "x"), &signing);
        let place = signed.find("authorization").map_or(signed.target.clone(), str::to_owned);
        signatures.push(place.rsplit("Signature=").next().unwrap()[..64].to_owned());
        wire.send(&signed).await;
    }
    let admin = wire.send(&Ask::new("GET", "/_bucketproof/requests")).await.text();
    let shown = format!("{admin}{:?}{emulator:?}", emulator.journal().entries());
    for secret in signatures {
        assert!(!shown.contains(&secret), "{secret}");
    }
}

#[tokio::test]
async fn the_admin_api_answers_other_languages() {
    let (emulator, wire) = listening().await;
    let get = async |place: &str| wire.send(&Ask::new("GET", &format!("/_bucketproof/{place}"))).await;
    assert_eq!(get("health").await.text(), r#"{"status":"ok"}"#);
    assert_eq!(
        (get("decisions").await.status, get("decisions").await.text()),
        (404, "no request was denied\n".into())
    );
    wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    let denied = get("decisions").await.text();
    assert!(denied.starts_with(&emulator.journal().denied()[0].explain()), "{denied}");
    let unknown = wire.send_as(Key::new("AKIAUNKNOWNEXAMPLE00", "x"), &Ask::new("GET", "/logs/key")).await;

    let requests: serde_json::Value = serde_json::from_slice(&get("requests").await.body).unwrap();
    assert_eq!(requests.as_array().unwrap().len(), 2, "asking about requests is none");
    assert_eq!(requests[0]["operation"], "GetObject");
    assert_eq!(requests[0]["decisions"][0]["action"], "s3:GetObject");
    assert_eq!(requests[0]["decisions"][0]["outcome"], "ImplicitlyDenied");
    let id = requests[0]["request_id"].as_str().unwrap();
    assert!(get(&format!("decisions?request={id}")).await.text().contains("s3:GetObject"));
    let id = unknown.header("x-amz-request-id").unwrap();
    let text = get(&format!("decisions?request={id}")).await.text();
    let undecided =
        format!("request `{id}` was answered 403 (InvalidAccessKeyId) before anything was decided\n");
    assert!(text.starts_with(&undecided), "{text}");
    assert_eq!(get("decisions").await.text(), text, "the last refusal");
    assert_eq!(get("decisions?request=none").await.status, 404);
    let elsewhere = get("missing").await;
    assert_eq!(
        (elsewhere.status, elsewhere.text().contains("`health`, `ready`, `reset`, `scenario`")),
        (404, true)
    );
    for method in ["PUT", "POST", "OPTIONS", "PATCH", "BREW"] {
        let answer = wire.send(&Ask::new(method, "/_bucketproof/requests").body("x")).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, DELETE")), "{method}");
    }
}

#[tokio::test]
async fn a_fault_acts_on_what_it_names_and_as_often_as_it_says() {
    let emulator = emulator().await;
    let s3 = emulator.s3("admin");
    let put = async |bucket: &str, key: &str| {
        s3.put_object()
            .bucket(bucket)
            .key(key)
            .send()
            .await
            .map(|_| ())
            .map_err(|e| e.code().map(str::to_owned))
    };
    s3.create_bucket().bucket("other").send().await.unwrap();
    let fault = Fault::on(Op::PutObject).bucket("logs").key_prefix("raw/").skip(1).times(2);
    let guard = emulator.inject(fault.refuse(StatusCode::BAD_REQUEST, "Teapot", "short and stout"));
    put("logs", "clean/a").await.unwrap();
    put("other", "raw/a").await.unwrap();
    s3.get_object().bucket("logs").key("clean/a").send().await.unwrap();
    put("logs", "raw/a").await.unwrap();
    assert_eq!(guard.hits(), 0);
    for _ in 0..2 {
        assert_eq!(put("logs", "raw/b").await.unwrap_err().as_deref(), Some("Teapot"));
    }
    assert_eq!(guard.hits(), 2);
    put("logs", "raw/c").await.unwrap();
    assert_eq!(guard.hits(), 2);
    let spoilt: Vec<_> = emulator
        .journal()
        .entries()
        .iter()
        .filter(|entry| !entry.faults.is_empty())
        .map(|entry| entry.faults.clone())
        .collect();
    assert_eq!(spoilt, [["PutObject: refused with 400 Teapot"], ["PutObject: refused with 400 Teapot"]]);
    let missing = s3.head_object().bucket("logs").key("raw/b").send().await.unwrap_err();
    assert!(missing.into_service_error().is_not_found(), "a refused write leaves nothing");
}

#[tokio::test]
async fn a_fault_ends_with_its_guard() {
    let emulator = emulator().await;
    let s3 = emulator.s3("admin");
    let guard = emulator.inject(Fault::on(Op::ListBuckets).slow_down().times(100));
    assert_eq!(s3.list_buckets().send().await.unwrap_err().code(), Some("SlowDown"));
    assert_eq!(guard.hits(), 3, "the client tried again");
    drop(guard);
    s3.list_buckets().send().await.unwrap();
}

#[tokio::test]
async fn every_effect_does_what_it_says() {
    let (emulator, wire) = listening().await;
    let put = Ask::new("PUT", "/logs/key").body("data");
    let get = Ask::new("GET", "/logs/key");
    wire.send_as(ADMIN, &put).await;

    let guard = emulator.inject(Fault::on(Op::GetObject).status(StatusCode::IM_A_TEAPOT));
    assert_eq!(wire.send_as(ADMIN, &get).await.status, 418);
    drop(guard);
    let guard = emulator.inject(Fault::on(Op::GetObject).body("other content"));
    let answer = wire.send_as(ADMIN, &get).await;
    assert_eq!((answer.text().as_str(), answer.header("content-length")), ("other content", Some("13")));
    drop(guard);
    let guard = emulator.inject(Fault::on(Op::GetObject).corrupt_body());
    assert_eq!(wire.send_as(ADMIN, &get).await.text(), "daua");
    drop(guard);
    let guard = emulator.inject(Fault::on(Op::GetObject).header("x-amz-storage-class", "GLACIER"));
    assert_eq!(wire.send_as(ADMIN, &get).await.header("x-amz-storage-class"), Some("GLACIER"));
    drop(guard);
    let guard = emulator.inject(Fault::on(Op::GetObject).without_header("etag"));
    assert_eq!(wire.send_as(ADMIN, &get).await.header("etag"), None);
    drop(guard);
    let guard = emulator.inject(Fault::on(Op::PutObject).ignore_header("If-None-Match"));
    assert_eq!(wire.send_as(ADMIN, &put.clone().header("if-none-match", "*")).await.status, 200);
    drop(guard);
    assert_eq!(wire.send_as(ADMIN, &put.header("if-none-match", "*")).await.status, 412);
    assert_eq!(wire.send_as(ADMIN, &get).await.text(), "data");
    let described: Vec<String> =
        emulator.journal().entries().iter().flat_map(|entry| entry.faults.clone()).collect();
    assert_eq!(
        described,
        [
            "GetObject: answered with status 418",
            "GetObject: answered with another body",
            "GetObject: one bit of the answer is flipped",
            "GetObject: answered with another `x-amz-storage-class`",
            "GetObject: answered without `etag`",
            "PutObject: the header `if-none-match` is ignored",
        ]
    );
}

#[tokio::test]
async fn a_lost_answer_is_a_broken_connection_after_the_deed() {
    let (emulator, wire) = listening().await;
    let put = Ask::new("PUT", "/logs/key").body("data");
    let guard = emulator.inject(Fault::on(Op::PutObject).drop_answer().times(2));
    let signed = wire.sign(&put, &Signing::with(ADMIN));
    assert!(wire.send_bytes(&signed.bytes(&wire.host())).await.is_empty());
    assert_eq!(wire.send_as(ADMIN, &Ask::new("GET", "/logs/key")).await.text(), "data");
    let config = emulator
        .s3("admin")
        .config()
        .to_builder()
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled());
    let s3 = aws_sdk_s3::Client::from_conf(config.build());
    let lost = s3
        .put_object()
        .bucket("logs")
        .key("two")
        .body(ByteStream::from_static(b"data"))
        .send()
        .await
        .unwrap_err();
    assert!(matches!(lost, aws_sdk_s3::error::SdkError::DispatchFailure(_)), "{lost:?}");
    assert_eq!(guard.hits(), 2);
    assert_eq!(wire.send_as(ADMIN, &Ask::new("GET", "/logs/two")).await.text(), "data");
}
