//! Topics and queues that keep their messages under a KMS key: who may use it, and what events make of it.

use serde_json::{Value, json};

use crate::fixture::{ADMIN, VENDOR, WRITER, listening};
use crate::kms::{ACCOUNT, Client};
use crate::notifications::{QUEUE, configure, put, queue_for, records, rule, topic_policy};
use crate::sns::{self, TOPIC, create_topic, set, works};
use crate::sqs;
use crate::wire::{Answer, Wire};

/// The account's statement, and one for a service.
fn key_policy(service: &str, actions: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }, "Action": "kms:*", "Resource": "*" },
        { "Effect": "Allow", "Principal": { "Service": service }, "Action": actions, "Resource": "*" },
    ] })
    .to_string()
}

async fn set_key_policy(wire: &Wire, key: &str, policy: &str) {
    let put = json!({ "KeyId": key, "PolicyName": "default", "Policy": policy });
    Client::new(wire, ADMIN).ask("PutKeyPolicy", put).await;
}

fn refuses_events(answer: &Answer, what: &str) {
    assert_eq!(answer.outcome(), (400, "InvalidArgument".to_owned()), "{}", answer.text());
    let text = format!(
        "Permissions on the destination {what} do not allow S3 to publish notifications from this bucket"
    );
    assert_eq!(answer.element("ArgumentValue1"), Some(text));
}

#[tokio::test]
async fn events_reach_an_encrypted_topic_only_if_its_key_lets_s3_in() {
    let (emulator, wire) = listening().await;
    create_topic(&wire).await;
    works(&set(&wire, "Policy", &topic_policy("logs").to_string()).await);
    let rules = rule("Topic", TOPIC, &["ObjectCreated:*"], "");
    works(&configure(&wire, "logs", &rules).await);
    // The policy of the key that AWS manages lets no service in, and cannot be changed.
    works(&set(&wire, "KmsMasterKeyId", "alias/aws/sns").await);
    refuses_events(&configure(&wire, "logs", &rules).await, "topic");
    let key = Client::new(&wire, ADMIN).create_key(json!({})).await;
    works(&set(&wire, "KmsMasterKeyId", &key).await);
    refuses_events(&configure(&wire, "logs", &rules).await, "topic");
    let explained = emulator.journal().denied().last().unwrap().explain();
    assert!(
        explained.contains("kms:GenerateDataKey on") && explained.contains("s3.amazonaws.com"),
        "{explained}"
    );
    for (service, actions) in [
        ("s3.amazonaws.com", json!(["kms:GenerateDataKey*"])),
        ("s3.amazonaws.com", json!(["kms:Decrypt"])),
        ("sns.amazonaws.com", json!(["kms:GenerateDataKey*", "kms:Decrypt"])),
    ] {
        set_key_policy(&wire, &key, &key_policy(service, &actions)).await;
        refuses_events(&configure(&wire, "logs", &rules).await, "topic");
    }
    let good = key_policy("s3.amazonaws.com", &json!(["kms:GenerateDataKey*", "kms:Decrypt"]));
    set_key_policy(&wire, &key, &good).await;
    works(&configure(&wire, "logs", &rules).await);

    // A queue under a key of its own needs SNS let in.
    let url = queue_for(&wire, "sns.amazonaws.com").await;
    let subscribe = [("Action", "Subscribe"), ("TopicArn", TOPIC), ("Protocol", "sqs"), ("Endpoint", QUEUE)];
    works(&sns::ask(&wire, ADMIN, &subscribe).await);
    let queue_key = Client::new(&wire, ADMIN).create_key(json!({})).await;
    let attributes = json!({ "QueueUrl": url, "Attributes": { "KmsMasterKeyId": queue_key } });
    sqs::json_of(&sqs::ask(&wire, ADMIN, "SetQueueAttributes", &attributes).await);
    emulator.deliver().await;
    assert_eq!(sqs::drain(&wire, &url).await, Vec::<String>::new());
    let open = key_policy("sns.amazonaws.com", &json!(["kms:GenerateDataKey", "kms:Decrypt"]));
    set_key_policy(&wire, &queue_key, &open).await;
    put(&wire, "/logs/a", "1").await;
    emulator.deliver().await;
    let bodies = sqs::drain(&wire, &url).await;
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(bodies[0].contains("ObjectCreated:Put"), "{bodies:?}");

    // A key that is switched off later loses events; the emulator tells why.
    Client::new(&wire, ADMIN).ask("DisableKey", json!({ "KeyId": key })).await;
    put(&wire, "/logs/b", "1").await;
    emulator.deliver().await;
    assert_eq!(sqs::drain(&wire, &url).await, Vec::<String>::new());
    let told = wire.send(&crate::wire::Ask::new("GET", "/_bucketproof/events")).await.text();
    assert!(told.contains(&format!("{key} is disabled.")), "{told}");
}

#[tokio::test]
async fn who_publishes_to_an_encrypted_topic_needs_its_key() {
    let (_emulator, wire) = listening().await;
    create_topic(&wire).await;
    let key = Client::new(&wire, ADMIN).create_key(json!({})).await;
    works(&set(&wire, "KmsMasterKeyId", &key).await);
    let shown = sns::ask(&wire, ADMIN, &[("Action", "GetTopicAttributes"), ("TopicArn", TOPIC)]).await;
    let shown: String = shown.text().split_whitespace().collect();
    assert!(shown.contains(&format!("<key>KmsMasterKeyId</key><value>{key}</value>")), "{shown}");
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "SNS:Publish", "Resource": TOPIC },
    ] });
    works(&set(&wire, "Policy", &policy.to_string()).await);
    let publish = [("Action", "Publish"), ("TopicArn", TOPIC), ("Message", "m")];
    works(&sns::ask(&wire, ADMIN, &publish).await);
    let refused = sns::ask(&wire, WRITER, &publish).await;
    assert_eq!(refused.outcome(), (400, "KMSAccessDenied".to_owned()));
    let message = refused.element("Message").unwrap();
    assert!(
        message.contains("kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:111122223333:key/"),
        "{message}"
    );
    // Under the key that AWS manages, whoever of the account may publish may use it; another account may not.
    works(&set(&wire, "KmsMasterKeyId", "alias/aws/sns").await);
    works(&sns::ask(&wire, WRITER, &publish).await);
    let refused = sns::ask(&wire, VENDOR, &publish).await;
    assert_eq!(refused.outcome().0, 400, "{}", refused.text());
    works(&set(&wire, "KmsMasterKeyId", &key).await);
    Client::new(&wire, ADMIN).ask("DisableKey", json!({ "KeyId": key })).await;
    let refused = sns::ask(&wire, ADMIN, &publish).await;
    assert_eq!(refused.outcome(), (400, "KMSDisabled".to_owned()));
    works(&set(&wire, "KmsMasterKeyId", "alias/nothing").await);
    assert_eq!(sns::ask(&wire, ADMIN, &publish).await.outcome(), (400, "KMSNotFound".to_owned()));
    works(&set(&wire, "KmsMasterKeyId", "").await);
    works(&sns::ask(&wire, WRITER, &publish).await);
}

#[tokio::test]
async fn who_sends_to_and_receives_from_an_encrypted_queue_needs_its_key() {
    let (emulator, wire) = listening().await;
    let url = queue_for(&wire, "s3.amazonaws.com").await;
    let key = Client::new(&wire, ADMIN).create_key(json!({})).await;
    let rules = rule("Queue", QUEUE, &["ObjectCreated:*"], "");
    let ask = async |who, action: &str, members: Value| {
        let mut body = json!({ "QueueUrl": url });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        sqs::ask(&wire, who, action, &body).await
    };
    let both = json!({ "Attributes": { "KmsMasterKeyId": key, "SqsManagedSseEnabled": "true" } });
    assert_eq!(ask(ADMIN, "SetQueueAttributes", both).await.status, 400);
    let attributes = json!({ "Attributes": { "KmsMasterKeyId": key } });
    sqs::json_of(&ask(ADMIN, "SetQueueAttributes", attributes).await);
    let shown = sqs::json_of(&ask(ADMIN, "GetQueueAttributes", json!({ "AttributeNames": ["All"] })).await);
    let shown = &shown["Attributes"];
    assert_eq!(
        (&shown["KmsMasterKeyId"], &shown["KmsDataKeyReusePeriodSeconds"], &shown["SqsManagedSseEnabled"]),
        (&json!(key), &json!("300"), &json!("false"))
    );
    refuses_events(&configure(&wire, "logs", &rules).await, "queue");
    let open = key_policy("s3.amazonaws.com", &json!(["kms:GenerateDataKey", "kms:Decrypt"]));
    set_key_policy(&wire, &key, &open).await;
    works(&configure(&wire, "logs", &rules).await);
    emulator.deliver().await;
    sqs::drain(&wire, &url).await;
    put(&wire, "/logs/a", "1").await;
    assert_eq!(records(&emulator, &wire, &url).await.len(), 1);

    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sqs:*", "Resource": QUEUE },
    ] });
    sqs::json_of(
        &ask(ADMIN, "SetQueueAttributes", json!({ "Attributes": { "Policy": policy.to_string() } })).await,
    );
    sqs::json_of(&ask(ADMIN, "SendMessage", json!({ "MessageBody": "m" })).await);
    for (action, members) in [("SendMessage", json!({ "MessageBody": "m" })), ("ReceiveMessage", json!({}))] {
        let refused = ask(WRITER, action, members).await;
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert!(refused.text().contains("KmsAccessDenied"), "{}", refused.text());
        assert_eq!(refused.header("x-amzn-query-error"), Some("KMS.AccessDeniedException;Sender"));
    }
}
