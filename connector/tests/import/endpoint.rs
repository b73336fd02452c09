//! The endpoint: what it believes, what it refuses, and with which words.

use std::sync::Arc;

use bucketproof_connector::import::{Endpoint, ImportConfig, Importer};
use bucketproof_connector::runner::StopSignal;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::files::{Row, file};
use crate::rig::{BUCKET, Fate, Rig, config_text};
use crate::stand_in::{NOW, StandIn, TOPIC, authority, created, notification, post, send};

/// An import whose endpoint listens.
struct Door {
    rig: Rig,
    sns: StandIn,
    url: String,
    importer: Importer,
    stop: StopSignal,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.stop.give();
    }
}

impl Door {
    async fn open(of_stand_in: &str, of_connection: &str) -> Self {
        let (rig, sns) = (Rig::new(), StandIn::start().await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        std::fs::write(rig.directory.path().join("anchor.pem"), authority()).unwrap();
        let endpoint = format!(
            "[endpoint]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://{}/\"\nallow_http = true\nbody_kib_max = 64\n\
             [endpoint.stand_in]\nhost = \"{}\"\n{of_stand_in}\n[[connection]]",
            listener.local_addr().unwrap(),
            sns.host
        );
        let text = config_text(&rig.connections)
            .replace("[[connection]]", &endpoint)
            .replace("environments", &format!("topic_arn = \"{TOPIC}\"\n{of_connection}\nenvironments"));
        let path = rig.directory.path().join("import.toml");
        let config = ImportConfig::parse(&text, path.to_str().unwrap()).unwrap();
        let url = config.endpoint_urls()["events"].clone();
        let importer = rig.importer_of(&config);
        let endpoint = Endpoint::new(&config, importer.inbox(), rig.clock.clone()).unwrap();
        let stop = StopSignal::new();
        tokio::spawn(Arc::new(endpoint).serve(listener, stop.clone()));
        Self { rig, sns, url, importer, stop }
    }

    async fn trusting() -> Self {
        Self::open("allow_http = true\ntrust_anchor = \"anchor.pem\"", "").await
    }

    async fn post(&self, message: &Value) -> (u16, String) {
        post(&self.url, &[], message.to_string().as_bytes()).await
    }

    /// Posts what should be refused, and says with which status and words.
    async fn refused(&self, message: &Value, status: u16, words: &str) {
        let (code, text) = self.post(message).await;
        assert!(code == status && text.contains(words), "{code} {text}, not {status} {words}");
    }

    fn put(&self, name: &str) -> String {
        let body = file(&[Row::good(0)]);
        let bytes = body.len();
        self.rig.bucket.put(&format!("events/{name}"), body);
        created(BUCKET, &format!("events/{name}"), "1", bytes)
    }

    /// Reads what was announced while the bucket cannot be listed; how many files were read.
    async fn read_announced(&mut self) -> u64 {
        self.rig.bucket.inside.lock().unwrap().fates = vec![Fate::Well, Fate::Well, Fate::Well, Fate::Crash];
        self.importer.once().await.unwrap_err();
        self.rig.bucket.inside.lock().unwrap().fates.clear();
        self.rig.stored().len() as u64
    }
}

fn with(mut message: Value, name: &str, value: &str) -> Value {
    message[name] = value.into();
    message
}

/// Claims SPL-17, SPL-18: signatures of both versions are believed, and each message counts once.
#[tokio::test]
async fn a_signed_message_is_kept_and_its_file_read_without_a_listing() {
    let mut door = Door::trusting().await;
    for (number, (version, certificate)) in
        [("1", "good.pem"), ("2", "good.pem"), ("2", "region.pem")].into_iter().enumerate()
    {
        let event = door.put(&format!("a b+{number}=ü.parquet"));
        let message = door.sns.signed(notification(&format!("m{number}"), &event), version, certificate);
        assert_eq!(door.post(&message).await, (200, "1 files noted, 0 passed over".to_owned()));
        let again = door.post(&message).await;
        assert_eq!(again, (200, "the message came before; nothing is done twice".to_owned()));
    }
    // Without a subject the signature is over less.
    let event = door.put("plain.parquet");
    let mut bare = notification("m4", &event);
    bare.as_object_mut().unwrap().remove("Subject");
    assert_eq!(door.post(&door.sns.signed(bare, "1", "good.pem")).await.0, 200);
    assert_eq!(door.read_announced().await, 4);
    let certificates = door.sns.asked.lock().unwrap().clone();
    assert_eq!(certificates, ["/good.pem", "/region.pem"], "each is fetched once");
}

/// Claims SPL-17: unsigned, stale, oversized, foreign and forged messages are refused, and the reason is told.
#[tokio::test]
async fn what_is_not_of_the_topic_is_refused_with_its_reason() {
    let mut door = Door::trusting().await;
    let event = door.put("f.parquet");
    let plain = notification("m", &event);
    let good = door.sns.signed(plain.clone(), "1", "good.pem");
    door.refused(&plain, 403, "not signed").await;
    door.refused(
        &with(good.clone(), "Message", &created(BUCKET, "events/x", "1", 1)),
        403,
        "the signature is not",
    )
    .await;
    door.refused(&with(good.clone(), "MessageId", "other"), 403, "the signature is not").await;
    door.refused(&with(good.clone(), "Subject", "other"), 403, "the signature is not").await;
    door.refused(&with(good.clone(), "SignatureVersion", "2"), 403, "the signature is not").await;
    door.refused(&with(good.clone(), "SignatureVersion", "3"), 400, "neither 1 nor 2").await;
    door.refused(&with(good.clone(), "Signature", "%%%"), 403, "the signature is not").await;
    door.refused(&door.sns.signed_by_a_stranger(plain.clone()), 403, "the signature is not").await;
    let foreign = with(plain.clone(), "TopicArn", "arn:aws:sns:us-east-1:999999999999:events");
    door.refused(&door.sns.signed(foreign, "1", "good.pem"), 403, "is not that of the connection").await;
    for url in ["http://evil.example/good.pem", "https://sns.us-east-1.amazonaws.com/good.pem", "good.pem"] {
        door.refused(&with(good.clone(), "SigningCertURL", url), 403, "does not lead to SNS").await;
    }
    for stamp in ["2025-12-31T22:54:59.000Z", "2026-01-01T01:05:01.000Z"] {
        let stale = door.sns.signed(with(plain.clone(), "Timestamp", stamp), "1", "good.pem");
        door.refused(&stale, 403, "more than 65 minutes from now").await;
    }
    for (certificate, words) in [
        ("expired.pem", "it is valid from"),
        ("future.pem", "it is valid from"),
        ("name.pem", "not made out to SNS"),
        ("stranger.pem", "its chain does not hold"),
        ("text.pem", "there is no certificate in it"),
        ("missing.pem", "404"),
    ] {
        door.refused(&door.sns.signed(plain.clone(), "2", certificate), 403, words).await;
    }
    let huge = notification("m", &"x".repeat(65 * 1024));
    door.refused(&door.sns.signed(huge, "1", "good.pem"), 413, "more than 65536 bytes").await;
    for (body, words) in
        [("", "EOF"), ("hello", "expected value"), ("{\"Type\":\"Other\"}", "unknown variant")]
    {
        let (status, text) = post(&door.url, &[], body.as_bytes()).await;
        assert!(status == 400 && text.contains(words), "{status} {text}");
    }
    assert_eq!(send("GET", &door.url, &[], b"").await.0, 405);
    let (status, text) = post(&format!("{}x", door.url), &[], good.to_string().as_bytes()).await;
    assert!(status == 404 && text.contains("there is no connection"), "{text}");
    let raw =
        [("x-amz-sns-rawdelivery", "true"), ("x-amz-sns-topic-arn", TOPIC), ("x-amz-sns-message-id", "r")];
    let (status, text) = post(&door.url, &raw, event.as_bytes()).await;
    assert!(status == 403 && text.contains("raw_delivery = true"), "{text}");
    assert_eq!(door.read_announced().await, 0, "nothing of all that is believed");
    assert_eq!(door.post(&good).await.0, 200);
}

/// What SNS should try again is answered so.
#[tokio::test]
async fn what_fails_for_now_is_to_be_sent_again() {
    let door = Door::trusting().await;
    *door.sns.status.lock().unwrap() = 500;
    let message = door.sns.signed(notification("m", &created(BUCKET, "events/f", "1", 1)), "1", "good.pem");
    door.refused(&message, 503, "cannot be fetched: the answer is 500").await;
    *door.sns.status.lock().unwrap() = 200;
    assert_eq!(door.post(&message).await.0, 200);
}

/// Without an anchor a certificate alone is believed for the host it comes from, but no chain that does not hold.
#[tokio::test]
async fn a_chain_that_comes_along_must_hold() {
    let door = Door::open("allow_http = true", "").await;
    let plain = notification("m", &created(BUCKET, "events/f", "1", 1));
    door.refused(&door.sns.signed(plain.clone(), "1", "broken-chain.pem"), 403, "its chain does not hold")
        .await;
    assert_eq!(door.post(&door.sns.signed(plain, "1", "stranger.pem")).await.0, 200);
    let encrypted = Door::open("", "").await;
    let message = encrypted.sns.signed(notification("m", "x"), "1", "good.pem");
    encrypted.refused(&message, 403, "is not encrypted").await;
}

fn question(door: &Door, url: &str) -> Value {
    let asked = json!({
        "Type": "SubscriptionConfirmation", "MessageId": "s", "Token": "t", "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe", "SubscribeURL": url, "Timestamp": NOW,
    });
    door.sns.signed(asked, "1", "good.pem")
}

/// Claims SPL-16: a subscription is confirmed at SNS alone, for the topic of the connection alone.
#[tokio::test]
async fn a_subscription_is_confirmed_where_sns_is() {
    let door = Door::trusting().await;
    let place = format!("http://{}/?Action=ConfirmSubscription", door.sns.host);
    let url = format!("{place}&TopicArn={TOPIC}&Token=t");
    assert_eq!(door.post(&question(&door, &url)).await, (200, "the subscription is confirmed".to_owned()));
    assert!(
        door.sns
            .asked
            .lock()
            .unwrap()
            .contains(&format!("/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t"))
    );
    for wrong in [
        format!("http://evil.example/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t"),
        format!("{place}&TopicArn={TOPIC}x&Token=t"),
        format!("http://{}/?Action=DeleteTopic&TopicArn={TOPIC}", door.sns.host),
    ] {
        door.refused(&question(&door, &wrong), 403, "`SubscribeURL` does not lead to SNS").await;
    }
    let mut bare = question(&door, &url);
    bare.as_object_mut().unwrap().remove("SubscribeURL");
    door.refused(&door.sns.signed(bare, "1", "good.pem"), 400, "no `SubscribeURL`").await;
    *door.sns.status.lock().unwrap() = 500;
    door.refused(&question(&door, &url), 503, "cannot be confirmed: the answer is 500").await;
    *door.sns.status.lock().unwrap() = 200;
    // The end of a subscription is noted and not undone.
    let ended = with(with(question(&door, &url), "Type", "UnsubscribeConfirmation"), "MessageId", "u");
    let asked = door.sns.asked.lock().unwrap().len();
    let (status, text) = door.post(&door.sns.signed(ended, "2", "good.pem")).await;
    assert_eq!((status, text.as_str()), (200, "noted that the subscription was ended"));
    assert_eq!(door.sns.asked.lock().unwrap().len(), asked);
}

/// Claims SPL-15, and that what is of no use is passed over without complaint.
#[tokio::test]
async fn tests_and_news_of_others_are_passed_over() {
    let mut door = Door::trusting().await;
    let mut number = 0;
    for (message, words) in [
        (r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#.to_owned(), "the connection works"),
        (created("another-bucket", "events/f", "1", 1), "0 files noted, 1 passed over"),
        (created(BUCKET, "elsewhere/f", "1", 1), "0 files noted, 1 passed over"),
        (created(BUCKET, "events/folder/", "1", 0), "0 files noted, 1 passed over"),
        ("hello".to_owned(), "not an event of S3"),
    ] {
        number += 1;
        let message = door.sns.signed(notification(&format!("m{number}"), &message), "1", "good.pem");
        let (status, text) = door.post(&message).await;
        assert!(status == 200 && text.contains(words), "{status} {text}");
    }
    assert_eq!(door.read_announced().await, 0);
}

/// Raw messages have no signature; who believes them says so.
#[tokio::test]
async fn raw_messages_are_believed_only_if_the_configuration_says_so() {
    let mut door = Door::open("allow_http = true", "raw_delivery = true").await;
    let event = door.put("raw.parquet");
    let id = ("x-amz-sns-message-id", "r");
    let raw = [("x-amz-sns-rawdelivery", "true"), ("x-amz-sns-topic-arn", TOPIC), id];
    assert_eq!(
        post(&door.url, &raw[..2], event.as_bytes()).await,
        (400, "not a message of SNS: it has no id".to_owned())
    );
    let foreign = [raw[0], ("x-amz-sns-topic-arn", "arn:aws:sns:us-east-1:9:x"), id];
    assert_eq!(post(&door.url, &foreign, event.as_bytes()).await.0, 403);
    assert_eq!(post(&door.url, &raw, event.as_bytes()).await.1, "1 files noted, 0 passed over");
    assert_eq!(
        post(&door.url, &raw, event.as_bytes()).await.1,
        "the message came before; nothing is done twice"
    );
    assert_eq!(door.read_announced().await, 1);
}
