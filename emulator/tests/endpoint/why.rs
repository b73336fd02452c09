//! Why a request was refused, as people read it: over services, and before anything was decided.

use bucketproof_emulator::{Emulator, Scenario};

use crate::fixture::{ADMIN, ROLE_ARN, emulator, listening, new_year};
use crate::wire::{Ask, Key, Signing};

/// The text about the last request that was denied, with its id taken out.
fn last(emulator: &Emulator) -> String {
    let denied = emulator.requests().denied();
    let entry = denied.last().expect("something was denied");
    entry.explain().replace(&entry.request_id, "[id]")
}

const KEY: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const WITH_KEY: &str = r#"
[[account]]
id = "111122223333"
name = "owner"
[[account.user]]
name = "writer"
policies = ['{"Version":"2012-10-17","Statement":[{"Sid":"Objects","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"Keys","Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}}]}']
[[account.user.access_key]]
id = "AKIAWRITERUSEREXAMPL"
secret = "writerSecret+/0"
[[account.bucket]]
name = "logs"
[[account.kms_key]]
id = "aaaaaaaa-0000-4000-8000-000000000001"
"#;

#[tokio::test]
async fn a_key_that_refuses_an_object_is_told_with_the_call_that_asked_for_it() {
    let scenario = Scenario::from_toml(WITH_KEY).unwrap();
    let emulator = Emulator::builder().scenario(scenario).clock(new_year()).seed(7).start().await.unwrap();
    let put =
        emulator.s3("writer").put_object().bucket("logs").key("k").server_side_encryption("aws:kms".into());
    put.ssekms_key_id(KEY).send().await.unwrap_err();
    let text = last(&emulator);
    for part in [
        "DENIED (implicit)  kms:GenerateDataKey on arn:aws:kms:us-east-1:111122223333:key/",
        "no match  statement `Keys`",
        "condition  fails     StringEquals kms:ViaService: `s3.us-east-1.amazonaws.com` against `s3.eu-west-1.amazonaws.com`",
        "it delegates, and no identity policy allows",
        "would be allowed but for: condition `kms:ViaService`",
        "\n  asked by PutObject (PUT /logs/k), answered 403 AccessDenied\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[tokio::test]
async fn trust_topics_and_queues_are_told_by_their_policies() {
    let emulator = emulator().await;
    emulator.actor("vendor").assume(ROLE_ARN, "wrong").await.unwrap_err();
    let text = last(&emulator);
    assert!(text.contains("condition  fails     StringEquals sts:ExternalId: `wrong` against"), "{text}");
    assert!(text.contains("asked by AssumeRole (POST /), answered 403 AccessDenied"), "{text}");

    let (emulator, wire) = listening().await;
    let call = async |key: Key<'_>, service: &'static str, body: &str| {
        let ask =
            Ask::new("POST", "/").header("content-type", "application/x-www-form-urlencoded").body(body);
        wire.send(&wire.sign(&ask, &Signing { service, ..Signing::with(key) })).await
    };
    call(ADMIN, "sns", "Action=CreateTopic&Name=t&Version=2010-03-31").await;
    let publish = "Action=Publish&TopicArn=arn:aws:sns:us-east-1:111122223333:t&Message=m&Version=2010-03-31";
    assert_eq!(call(crate::fixture::VENDOR, "sns", publish).await.status, 403);
    let text = last(&emulator);
    for part in [
        "topic policy of `t`",
        "condition  fails     StringEquals AWS:SourceOwner: the request has no such key",
        "asked by sns:Publish (POST /)",
    ] {
        let part = part.replace("sns:Publish", "Publish");
        assert!(text.contains(&part), "{part}\n{text}");
    }
}

#[tokio::test]
async fn what_was_refused_before_a_decision_is_told_with_what_to_look_at() {
    let (emulator, wire) = listening().await;
    wire.send_as(crate::fixture::WRITER, &Ask::new("GET", "/logs/closed")).await;
    wire.send_as(Key::new(ADMIN.id, "wrong"), &Ask::new("GET", "/logs/k")).await;
    let text = last(&emulator);
    assert_eq!(
        text,
        "request `[id]` was answered 403 (SignatureDoesNotMatch) before anything was decided\n  asked by a request (GET \
         /logs/k), answered 403 SignatureDoesNotMatch\n  the secret key is another one, or the request was changed on its \
         way: the answer has what was signed here\n"
    );
    // The command `why` and the admin API tell of the last refusal, and it is this one.
    let told = wire.send(&Ask::new("GET", "/_bucketproof/decisions")).await.text();
    assert!(told.contains("(SignatureDoesNotMatch) before anything was decided"), "{told}");
    wire.send_as(Key::new("AKIAUNKNOWNEXAMPLE00", "x"), &Ask::new("GET", "/logs/key")).await;
    assert!(last(&emulator).contains("nobody has this access key"), "{}", last(&emulator));
    let signed = wire.sign(&Ask::new("GET", "/logs/k"), &Signing::with(ADMIN));
    emulator.clock().advance(std::time::Duration::from_hours(1));
    wire.send(&signed).await;
    let text = last(&emulator);
    assert!(
        text.contains("(RequestTimeTooSkewed)")
            && text.contains("the emulator's clock showed 2026-01-01T01:00:00Z"),
        "{text}"
    );
}
