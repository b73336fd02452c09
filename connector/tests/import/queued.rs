//! Announcements by way of a queue on the emulator: from S3 itself, and wrapped by SNS.

use std::sync::Arc;

use bucketproof_connector::import::{ImportError, Importer};
use bucketproof_connector::store::SqsQueue;

use crate::customer::{Customer, QUEUE, TOPIC, Wrong};
use crate::files::{Row, file};
use crate::rig::BUCKET;

fn url(customer: &Customer) -> String {
    format!("{}/111122223333/events", customer.emulator.endpoint_url())
}

fn importer(customer: &Customer) -> Importer {
    let connection = &customer.config.connections[0];
    let mut settings = connection.store_settings(|_| Some("importerSecret".to_owned())).unwrap();
    settings.transport = bucketproof_connector::store::Transport::AllowHttp;
    let clock = customer.emulator.clock();
    let queue =
        SqsQueue::new(&settings, &url(customer), clock, Some(customer.emulator.http_client())).unwrap();
    customer.importer().with_queue("events", Arc::new(queue))
}

async fn waiting(customer: &Customer) -> String {
    let headers =
        [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.GetQueueAttributes")];
    let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
    let body = serde_json::json!({ "QueueUrl": url(customer), "AttributeNames": names });
    let text = customer.call("sqs", &headers, body.to_string()).await;
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    let of = |name: &str| answer["Attributes"][name].as_str().unwrap().to_owned();
    format!("{} and {}", of(names[0]), of(names[1]))
}

/// Where the bucket's events go.
async fn send_to_queue(customer: &Customer) {
    use aws_sdk_s3::types::{Event, NotificationConfiguration, QueueConfiguration};
    let rule =
        QueueConfiguration::builder().queue_arn(QUEUE).events(Event::from("s3:ObjectCreated:*")).build();
    let configuration = NotificationConfiguration::builder().queue_configurations(rule.unwrap()).build();
    let s3 = customer.emulator.s3("owner");
    let put = s3.put_bucket_notification_configuration().bucket(BUCKET);
    put.notification_configuration(configuration).send().await.unwrap();
}

/// Nobody may list, so what is read was announced.
async fn without_listing() -> Customer {
    Customer::new(Wrong { action: "s3:List*", ..Wrong::default() }).await
}

#[tokio::test]
async fn events_of_a_queue_are_read_once_and_deleted() {
    let customer = without_listing().await;
    send_to_queue(&customer).await;
    for number in 0..12 {
        customer.put(&format!("events/{number:02} +.parquet"), file(&[Row::good(number)])).await;
    }
    customer.put("elsewhere/f.parquet", file(&[Row::good(0)])).await;
    customer.emulator.deliver().await;
    // With the test event of S3 itself.
    assert_eq!(waiting(&customer).await, "14 and 0");
    importer(&customer).once().await.unwrap_err();
    assert_eq!(customer.stored_files().len(), 12);
    assert!(customer.stored_files().contains(&"events/00 +.parquet".to_owned()));
    assert_eq!(waiting(&customer).await, "0 and 0");
    let again = importer(&customer).once().await.unwrap_err();
    assert!(again.to_string().contains("s3:ListBucket"), "{again}");
    assert_eq!(customer.stored_files().len(), 12);
}

#[tokio::test]
async fn a_queue_behind_a_topic_and_messages_that_are_none() {
    let customer = without_listing().await;
    let parameters = [("Action", "Subscribe"), ("TopicArn", TOPIC), ("Protocol", "sqs"), ("Endpoint", QUEUE)];
    customer.sns(&parameters).await;
    customer.put("events/f.parquet", file(&[Row::good(0)])).await;
    customer.emulator.deliver().await;
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.SendMessage")];
    let body = serde_json::json!({ "QueueUrl": url(&customer), "MessageBody": "hello" });
    customer.call("sqs", &headers, body.to_string()).await;
    importer(&customer).once().await.unwrap_err();
    assert_eq!(customer.stored_files(), ["events/f.parquet"]);
    assert_eq!(waiting(&customer).await, "0 and 1", "what is no event is left for a dead-letter queue");
}

/// A queue that refuses is named, and holds nothing up.
#[tokio::test]
async fn a_queue_that_refuses_is_named_and_files_are_found_anyway() {
    let customer = Customer::new(Wrong::default()).await;
    customer.put("events/f.parquet", file(&[Row::good(0)])).await;
    let headers =
        [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.SetQueueAttributes")];
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:ReceiveMessage","Resource":"*"}]}"#;
    let body = serde_json::json!({ "QueueUrl": url(&customer), "Attributes": { "Policy": policy } });
    customer.call("sqs", &headers, body.to_string()).await;
    let error = importer(&customer).once().await.unwrap_err();
    assert!(matches!(error, ImportError::Queue { .. }), "{error}");
    assert!(
        error.to_string().contains("sqs:ReceiveMessage") && error.help().contains("sqs:DeleteMessage"),
        "{error}"
    );
    assert_eq!(customer.stored_files(), ["events/f.parquet"]);
    assert_eq!(customer.reports().await.len(), 1);
}
