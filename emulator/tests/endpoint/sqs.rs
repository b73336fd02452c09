//! Queues: made, filled, emptied, and who may.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::{ADMIN, READER, VENDOR, listening};
use crate::wire::{Answer, Ask, Key, Signing, Wire};

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:events";

/// One signed request to SQS.
pub(crate) async fn ask(wire: &Wire, key: Key<'_>, action: &str, body: &Value) -> Answer {
    let ask = Ask::new("POST", "/")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", &format!("AmazonSQS.{action}"))
        .body(body.to_string());
    wire.send(&wire.sign(&ask, &Signing { service: "sqs", ..Signing::with(key) })).await
}

pub(crate) fn json_of(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    if answer.body.is_empty() { Value::Null } else { serde_json::from_slice(&answer.body).unwrap() }
}

/// Makes a queue and answers its URL.
pub(crate) async fn create(wire: &Wire, name: &str) -> String {
    let made = json_of(&ask(wire, ADMIN, "CreateQueue", &json!({ "QueueName": name })).await);
    made["QueueUrl"].as_str().unwrap().to_owned()
}

/// Receives up to ten messages and deletes them: their bodies.
pub(crate) async fn drain(wire: &Wire, url: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let ask_for = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
        let received = json_of(&ask(wire, ADMIN, "ReceiveMessage", &ask_for).await);
        let Some(messages) = received["Messages"].as_array() else { return bodies };
        for message in messages {
            bodies.push(message["Body"].as_str().unwrap().to_owned());
            let receipt = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
            json_of(&ask(wire, ADMIN, "DeleteMessage", &receipt).await);
        }
    }
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("x-amzn-query-error"), Some(format!("{code};Sender").as_str()));
}

#[tokio::test]
async fn messages_are_received_hidden_and_deleted() {
    let (emulator, wire) = listening().await;
    let url = create(&wire, "events").await;
    assert!(url.starts_with(&format!("http://{}/111122223333/", wire.host())), "{url}");
    let message = json!({
        "QueueUrl": url,
        "MessageBody": "This is a test message",
        "MessageAttributes": { "my_attribute": { "DataType": "String", "StringValue": "v" } },
    });
    let sent = json_of(&ask(&wire, ADMIN, "SendMessage", &message).await);
    assert_eq!(sent["MD5OfMessageBody"], "fafb00f5732ab283681e124bf8747ed1");
    let receive = json!({
        "QueueUrl": url, "AttributeNames": ["All"], "MessageAttributeNames": ["All"], "VisibilityTimeout": 10,
    });
    let first = json_of(&ask(&wire, ADMIN, "ReceiveMessage", &receive).await);
    let first = &first["Messages"][0];
    assert_eq!(first["MessageId"], sent["MessageId"]);
    assert_eq!(first["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(first["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(json_of(&ask(&wire, ADMIN, "ReceiveMessage", &receive).await), json!({}));
    emulator.clock().advance(Duration::from_secs(10));
    let second = json_of(&ask(&wire, ADMIN, "ReceiveMessage", &receive).await);
    assert_eq!(second["Messages"][0]["Attributes"]["ApproximateReceiveCount"], "2");
    let delete = json!({ "QueueUrl": url, "ReceiptHandle": first["ReceiptHandle"] });
    json_of(&ask(&wire, ADMIN, "DeleteMessage", &delete).await);
    emulator.clock().advance(Duration::from_secs(10));
    assert_eq!(json_of(&ask(&wire, ADMIN, "ReceiveMessage", &receive).await), json!({}));
    let entries =
        json!([{ "Id": "a", "MessageBody": "1" }, { "Id": "b", "MessageBody": "2", "DelaySeconds": 5 }]);
    let batch = json!({ "QueueUrl": url, "Entries": entries });
    let sent = json_of(&ask(&wire, ADMIN, "SendMessageBatch", &batch).await);
    assert_eq!(sent["Successful"].as_array().unwrap().len(), 2);
    let count = json!({ "QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages", "QueueArn"] });
    let counted = json_of(&ask(&wire, ADMIN, "GetQueueAttributes", &count).await);
    assert_eq!(counted["Attributes"], json!({ "ApproximateNumberOfMessages": "1", "QueueArn": QUEUE }));
    json_of(&ask(&wire, ADMIN, "PurgeQueue", &json!({ "QueueUrl": url })).await);
    let counted = json_of(&ask(&wire, ADMIN, "GetQueueAttributes", &count).await);
    assert_eq!(counted["Attributes"]["ApproximateNumberOfMessages"], "0");
}

#[tokio::test]
async fn what_is_received_too_often_goes_to_the_dead_letter_queue() {
    let (emulator, wire) = listening().await;
    let dead = create(&wire, "dead").await;
    let redrive =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:dead","maxReceiveCount":"1"}"#;
    let make = json!({ "QueueName": "events", "Attributes": { "RedrivePolicy": redrive } });
    let url = json_of(&ask(&wire, ADMIN, "CreateQueue", &make).await)["QueueUrl"].clone();
    json_of(&ask(&wire, ADMIN, "SendMessage", &json!({ "QueueUrl": url, "MessageBody": "m" })).await);
    let receive = json!({ "QueueUrl": url });
    assert!(json_of(&ask(&wire, ADMIN, "ReceiveMessage", &receive).await)["Messages"].is_array());
    emulator.clock().advance(Duration::from_secs(30));
    assert_eq!(json_of(&ask(&wire, ADMIN, "ReceiveMessage", &receive).await), json!({}));
    assert_eq!(drain(&wire, &dead).await, ["m"]);
}

#[tokio::test]
async fn queues_are_reached_as_policies_say() {
    let (_emulator, wire) = listening().await;
    let url = create(&wire, "events").await;
    let send = json!({ "QueueUrl": url, "MessageBody": "m" });
    let denied = ask(&wire, READER, "SendMessage", &send).await;
    refused(&denied, 403, "AccessDenied");
    assert!(
        denied.text().contains(&format!("not authorized to perform: sqs:sendmessage on resource: {QUEUE}"))
    );
    refused(&ask(&wire, VENDOR, "SendMessage", &send).await, 403, "AccessDenied");
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": "444455556666" }, "Action": "sqs:SendMessage", "Resource": QUEUE,
    }]});
    let set = json!({ "QueueUrl": url, "Attributes": { "Policy": policy.to_string() } });
    json_of(&ask(&wire, ADMIN, "SetQueueAttributes", &set).await);
    json_of(&ask(&wire, VENDOR, "SendMessage", &send).await);
    refused(&ask(&wire, VENDOR, "ReceiveMessage", &json!({ "QueueUrl": url })).await, 403, "AccessDenied");
    let broken = json!({ "QueueUrl": url, "Attributes": { "Policy": "{" } });
    refused(&ask(&wire, ADMIN, "SetQueueAttributes", &broken).await, 400, "InvalidAttributeValue");
}

#[tokio::test]
async fn requests_are_refused_in_the_words_of_the_service() {
    let (_emulator, wire) = listening().await;
    let url = create(&wire, "events").await;
    let missing = url.replace("events", "missing");
    let no_queue = "AWS.SimpleQueueService.NonExistentQueue";
    refused(&ask(&wire, ADMIN, "ReceiveMessage", &json!({ "QueueUrl": missing })).await, 400, no_queue);
    refused(&ask(&wire, ADMIN, "GetQueueUrl", &json!({ "QueueName": "missing" })).await, 400, no_queue);
    let lacking = ask(&wire, ADMIN, "SendMessage", &json!({ "QueueUrl": url })).await;
    refused(&lacking, 400, "MissingParameter");
    assert!(
        lacking.text().contains("The request must contain the parameter MessageBody."),
        "{}",
        lacking.text()
    );
    for (attributes, status, code) in [
        (json!({ "VisibilityTimeout": "43201" }), 400, "InvalidAttributeValue"),
        (json!({ "Colour": "red" }), 400, "InvalidAttributeName"),
        (json!({ "FifoQueue": "true" }), 501, "NotImplemented"),
        (json!({ "KmsDataKeyReusePeriodSeconds": "59" }), 400, "InvalidAttributeValue"),
        (json!({ "DelaySeconds": "7" }), 400, "QueueAlreadyExists"),
    ] {
        let first = json!({ "QueueName": "other", "Attributes": { "DelaySeconds": "5" } });
        json_of(&ask(&wire, ADMIN, "CreateQueue", &first).await);
        let make = json!({ "QueueName": "other", "Attributes": attributes });
        refused(&ask(&wire, ADMIN, "CreateQueue", &make).await, status, code);
    }
    let receive = json!({ "QueueUrl": url, "MaxNumberOfMessages": 11 });
    refused(&ask(&wire, ADMIN, "ReceiveMessage", &receive).await, 400, "InvalidParameterValue");
    refused(&ask(&wire, ADMIN, "StartMessageMoveTask", &json!({})).await, 501, "NotImplemented");
    refused(&ask(&wire, ADMIN, "Fly", &json!({})).await, 400, "InvalidAction");
    let query = Ask::new("POST", "/").header("content-type", "application/x-www-form-urlencoded");
    let query = query.body("Action=ListQueues&Version=2012-11-05");
    let answer = wire.send(&wire.sign(&query, &Signing { service: "sqs", ..Signing::with(ADMIN) })).await;
    assert_eq!(answer.status, 501);
    assert!(answer.text().contains("query protocol"));
}
