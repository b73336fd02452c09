//! Events of buckets and messages of topics, on their way to queues and HTTP endpoints.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::fixture::{ADMIN, listening, listening_with};
use crate::sns::{self, TOPIC, create_topic, set, works};
use crate::sqs;
use crate::wire::{Answer, Ask, Wire};

pub(crate) const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:events";

/// The statement of a vendor's set-up page: S3 may publish, for one bucket of one account.
pub(crate) fn topic_policy(bucket: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "S3 Events Notification",
        "Effect": "Allow",
        "Principal": { "Service": "s3.amazonaws.com" },
        "Action": "SNS:Publish",
        "Resource": TOPIC,
        "Condition": {
            "StringEquals": { "aws:SourceAccount": "111122223333" },
            "ArnLike": { "aws:SourceArn": format!("arn:aws:s3:::{bucket}") },
        },
    }]})
}

/// Makes a queue that lets a service in, and answers its URL.
pub(crate) async fn queue_for(wire: &Wire, service: &str) -> String {
    let url = sqs::create(wire, "events").await;
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": service }, "Action": "sqs:SendMessage", "Resource": QUEUE,
    }]});
    let set = json!({ "QueueUrl": url, "Attributes": { "Policy": policy.to_string() } });
    sqs::json_of(&sqs::ask(wire, ADMIN, "SetQueueAttributes", &set).await);
    url
}

pub(crate) fn rule(kind: &str, arn: &str, events: &[&str], more: &str) -> String {
    let events: Vec<String> = events.iter().map(|event| format!("<Event>s3:{event}</Event>")).collect();
    let events = events.concat();
    format!("<{kind}Configuration><Id>rule</Id><{kind}>{arn}</{kind}>{events}{more}</{kind}Configuration>")
}

pub(crate) async fn configure(wire: &Wire, bucket: &str, rules: &str) -> Answer {
    let xml = format!("<NotificationConfiguration>{rules}</NotificationConfiguration>");
    wire.send_as(ADMIN, &Ask::new("PUT", &format!("/{bucket}?notification")).body(xml)).await
}

pub(crate) async fn put(wire: &Wire, target: &str, body: &str) {
    works(&wire.send_as(ADMIN, &Ask::new("PUT", target).body(body)).await);
}

/// The records of events that came into a queue: the last is that of the latest.
pub(crate) async fn records(emulator: &bucketproof_emulator::Emulator, wire: &Wire, url: &str) -> Vec<Value> {
    emulator.deliver().await;
    let bodies = sqs::drain(wire, url).await;
    bodies.iter().map(|body| serde_json::from_str::<Value>(body).unwrap()["Records"][0].clone()).collect()
}

/// A request that came to a subscriber.
#[derive(Clone, Debug)]
struct Received {
    head: String,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// An HTTP server that notes what comes and answers with the statuses it was told, the last one again and again.
struct Subscriber {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Subscriber {
    async fn answering(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?x=1", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&received);
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut bytes = Vec::new();
                let (head, length) = loop {
                    let mut buffer = [0; 4096];
                    let read = stream.read(&mut buffer).await.unwrap();
                    bytes.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    break (head.to_owned(), length.unwrap_or("0").parse::<usize>().unwrap());
                };
                while bytes.len() < head.len() + 4 + length {
                    let mut buffer = [0; 4096];
                    let read = stream.read(&mut buffer).await.unwrap();
                    bytes.extend_from_slice(&buffer[..read]);
                }
                let body = String::from_utf8(bytes[head.len() + 4..].to_vec()).unwrap();
                let count = {
                    let mut noted = noted.lock().unwrap();
                    noted.push(Received { head, body });
                    noted.len()
                };
                let status = statuses[(count - 1).min(statuses.len() - 1)];
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, received, task }
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn subscribe(wire: &Wire, protocol: &str, endpoint: &str, more: &[(&str, &str)]) -> Answer {
    let mut parameters =
        vec![("Action", "Subscribe"), ("TopicArn", TOPIC), ("Protocol", protocol), ("Endpoint", endpoint)];
    parameters.extend(more);
    let answer = sns::ask(wire, ADMIN, &parameters).await;
    works(&answer);
    answer
}

/// Subscribes an HTTP endpoint and confirms it as it is asked to; answers the ARN.
async fn subscribed(
    emulator: &bucketproof_emulator::Emulator,
    wire: &Wire,
    subscriber: &Subscriber,
) -> String {
    subscribe(wire, "http", &subscriber.url, &[]).await;
    emulator.deliver().await;
    let asked = subscriber.received().last().unwrap().json();
    let url = asked["SubscribeURL"].as_str().unwrap();
    let target = url.split_once(&wire.host()).unwrap().1;
    let confirmed = wire.send(&Ask::new("GET", target)).await;
    works(&confirmed);
    confirmed.element("SubscriptionArn").unwrap()
}

async fn publish(wire: &Wire, more: &[(&str, &str)]) {
    let mut parameters = vec![("Action", "Publish"), ("TopicArn", TOPIC), ("Message", "hello")];
    parameters.extend(more);
    works(&sns::ask(wire, ADMIN, &parameters).await);
}

/// Checks a signature as the documentation says, with another library than the signer's.
async fn verify(wire: &Wire, message: &Value) {
    let path = message["SigningCertURL"].as_str().unwrap().split_once(&wire.host()).unwrap().1.to_owned();
    let pem = wire.send(&Ask::new("GET", &path)).await.text();
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(base64).unwrap();
    // The public key stands behind the name of its kind: `rsaEncryption`, then a bit string.
    let name = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82];
    let at = der.windows(name.len()).position(|window| window == name).unwrap() + name.len();
    let length = usize::from(der[at]) * 256 + usize::from(der[at + 1]);
    let key = &der[at + 3..at + 2 + length];
    let names: &[&str] = match message["Type"].as_str().unwrap() {
        "Notification" => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        _ => &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
    };
    let text: String = names
        .iter()
        .filter_map(|name| Some(format!("{name}\n{}\n", message.get(*name)?.as_str()?)))
        .collect();
    let signature = STANDARD.decode(message["Signature"].as_str().unwrap()).unwrap();
    let algorithm = match message["SignatureVersion"].as_str().unwrap() {
        "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        _ => &RSA_PKCS1_2048_8192_SHA256,
    };
    let key = UnparsedPublicKey::new(algorithm, key);
    key.verify(text.as_bytes(), &signature).expect("the signature is that of the message");
    assert!(key.verify(format!("{text}x").as_bytes(), &signature).is_err());
}

#[tokio::test]
async fn an_http_subscriber_confirms_and_gets_signed_messages() {
    let (emulator, wire) = listening().await;
    create_topic(&wire).await;
    let subscriber = Subscriber::answering(&[200]).await;
    let arn = subscribed(&emulator, &wire, &subscriber).await;
    let asked = subscriber.received()[0].clone();
    assert!(asked.head.starts_with("POST /hook?x=1 HTTP/1.1"), "{}", asked.head);
    for (name, value) in [
        ("content-type", "text/plain; charset=UTF-8"),
        ("user-agent", "Amazon Simple Notification Service Agent"),
        ("accept-encoding", "gzip,deflate"),
        ("x-amz-sns-message-type", "SubscriptionConfirmation"),
        ("x-amz-sns-topic-arn", TOPIC),
    ] {
        assert_eq!(asked.header(name), Some(value));
    }
    assert_eq!(asked.header("x-amz-sns-subscription-arn"), None);
    verify(&wire, &asked.json()).await;

    publish(&wire, &[("Subject", "hi")]).await;
    works(&set(&wire, "SignatureVersion", "2").await);
    publish(
        &wire,
        &[
            ("MessageAttributes.entry.1.Name", "n"),
            ("MessageAttributes.entry.1.Value.DataType", "Number"),
            ("MessageAttributes.entry.1.Value.StringValue", "1"),
        ],
    )
    .await;
    emulator.deliver().await;
    let received = subscriber.received();
    let (first, second) = (received[1].json(), received[2].json());
    assert_eq!((&first["Subject"], &first["Message"]), (&json!("hi"), &json!("hello")));
    assert_eq!(received[1].header("x-amz-sns-subscription-arn"), Some(arn.as_str()));
    // Signed as the topic says when it is sent.
    assert_eq!((&first["SignatureVersion"], &second["SignatureVersion"]), (&json!("2"), &json!("2")));
    assert_eq!(second["MessageAttributes"]["n"], json!({ "Type": "Number", "Value": "1" }));
    for message in [&first, &second] {
        verify(&wire, message).await;
    }

    // The URL in a message ends the subscription, and the last message can bring it back.
    let target = first["UnsubscribeURL"].as_str().unwrap().split_once(&wire.host()).unwrap().1.to_owned();
    works(&wire.send(&Ask::new("GET", &target)).await);
    publish(&wire, &[]).await;
    emulator.deliver().await;
    let farewell = subscriber.received()[3].json();
    assert_eq!(farewell["Type"], "UnsubscribeConfirmation");
    verify(&wire, &farewell).await;
    assert_eq!(subscriber.received().len(), 4, "nothing more comes");
    let target = farewell["SubscribeURL"].as_str().unwrap().split_once(&wire.host()).unwrap().1.to_owned();
    let back = wire.send(&Ask::new("GET", &target)).await;
    assert_eq!(back.element("SubscriptionArn"), Some(arn));
    publish(&wire, &[]).await;
    emulator.deliver().await;
    assert_eq!(subscriber.received().len(), 5);
}

#[tokio::test]
async fn failed_deliveries_are_tried_again_on_the_clock_and_hold_up_nobody() {
    let (emulator, wire) = listening().await;
    create_topic(&wire).await;
    let dead_url = queue_for(&wire, "sns.amazonaws.com").await;
    let good = Subscriber::answering(&[200]).await;
    let broken = Subscriber::answering(&[200, 500]).await;
    let refusing = Subscriber::answering(&[200, 404]).await;
    subscribed(&emulator, &wire, &good).await;
    let arn = subscribed(&emulator, &wire, &broken).await;
    subscribed(&emulator, &wire, &refusing).await;
    let redrive = format!("{{\"deadLetterTargetArn\":\"{QUEUE}\"}}");
    let set_redrive = [
        ("Action", "SetSubscriptionAttributes"),
        ("SubscriptionArn", arn.as_str()),
        ("AttributeName", "RedrivePolicy"),
        ("AttributeValue", redrive.as_str()),
    ];
    works(&sns::ask(&wire, ADMIN, &set_redrive).await);
    publish(&wire, &[]).await;
    emulator.deliver().await;
    let counts = || (good.received().len(), broken.received().len(), refusing.received().len());
    assert_eq!(counts(), (2, 2, 2));
    emulator.deliver().await;
    assert_eq!(counts(), (2, 2, 2), "nothing is due");
    for tries in 3..=5 {
        emulator.clock().advance(Duration::from_secs(20));
        emulator.deliver().await;
        assert_eq!(counts(), (2, tries, 2));
    }
    let ids: Vec<_> = broken.received()[1..].iter().map(|one| one.json()["MessageId"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "it is the same message");
    emulator.clock().advance(Duration::from_secs(20));
    emulator.deliver().await;
    assert_eq!(counts(), (2, 5, 2), "three retries, then it is given up");
    assert_eq!(sqs::drain(&wire, &dead_url).await, ["hello"]);
}

#[tokio::test]
async fn queues_get_messages_raw_filtered_or_as_documents() {
    let (emulator, wire) = listening().await;
    create_topic(&wire).await;
    let url = queue_for(&wire, "sns.amazonaws.com").await;
    let answer = subscribe(&wire, "sqs", QUEUE, &[]).await;
    let arn = answer.element("SubscriptionArn").unwrap();
    publish(&wire, &[]).await;
    emulator.deliver().await;
    let document: Value = serde_json::from_str(&sqs::drain(&wire, &url).await[0]).unwrap();
    assert_eq!((&document["Type"], &document["Message"]), (&json!("Notification"), &json!("hello")));
    verify(&wire, &document).await;
    for (name, value) in [("RawMessageDelivery", "true"), ("FilterPolicy", r#"{"kind":["wanted"]}"#)] {
        let set = [
            ("Action", "SetSubscriptionAttributes"),
            ("SubscriptionArn", arn.as_str()),
            ("AttributeName", name),
            ("AttributeValue", value),
        ];
        works(&sns::ask(&wire, ADMIN, &set).await);
    }
    for kind in ["wanted", "other"] {
        let attribute = [
            ("MessageAttributes.entry.1.Name", "kind"),
            ("MessageAttributes.entry.1.Value.DataType", "String"),
            ("MessageAttributes.entry.1.Value.StringValue", kind),
        ];
        publish(&wire, &attribute).await;
    }
    publish(&wire, &[]).await;
    emulator.deliver().await;
    let ask_for = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"] });
    let received = sqs::json_of(&sqs::ask(&wire, ADMIN, "ReceiveMessage", &ask_for).await);
    let messages = received["Messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (&messages[0]["Body"], &messages[0]["MessageAttributes"]["kind"]["StringValue"]),
        (&json!("hello"), &json!("wanted"))
    );
    // A queue that stops letting SNS in gets nothing, and the journal tells why.
    let close = json!({ "QueueUrl": url, "Attributes": { "Policy": "" } });
    sqs::json_of(&sqs::ask(&wire, ADMIN, "SetQueueAttributes", &close).await);
    emulator.journal().clear();
    let attribute = [
        ("MessageAttributes.entry.1.Name", "kind"),
        ("MessageAttributes.entry.1.Value.DataType", "String"),
        ("MessageAttributes.entry.1.Value.StringValue", "wanted"),
    ];
    publish(&wire, &attribute).await;
    emulator.deliver().await;
    let denied = emulator.journal().denied();
    assert_eq!((denied.len(), denied[0].action.as_str()), (1, "sqs:SendMessage"));
}

/// Claims SPL-13: all object create events, filtered by prefix and suffix, go to the topic.
#[tokio::test]
async fn an_event_goes_by_way_of_a_topic_to_a_subscriber() {
    let (emulator, wire) = listening().await;
    create_topic(&wire).await;
    works(&set(&wire, "Policy", &topic_policy("logs").to_string()).await);
    let subscriber = Subscriber::answering(&[200]).await;
    subscribed(&emulator, &wire, &subscriber).await;
    let filter = "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>events/</Value></FilterRule><FilterRule>\
                  <Name>suffix</Name><Value>.snappy.parquet</Value></FilterRule></S3Key></Filter>";
    works(&configure(&wire, "logs", &rule("Topic", TOPIC, &["ObjectCreated:*"], filter)).await);
    for key in ["events/k.snappy.parquet", "events/k.json", "other/k.snappy.parquet"] {
        put(&wire, &format!("/logs/{key}"), "x").await;
    }
    emulator.deliver().await;
    let received = subscriber.received();
    assert_eq!(received.len(), 3);
    let (test, event) = (received[1].json(), received[2].json());
    assert_eq!(test["Subject"], "Amazon S3 Notification");
    assert!(test["Message"].as_str().unwrap().contains("s3:TestEvent"));
    let event: Value = serde_json::from_str(event["Message"].as_str().unwrap()).unwrap();
    assert_eq!(event["Records"][0]["s3"]["object"]["key"], "events/k.snappy.parquet");
}

#[tokio::test]
async fn what_was_not_delivered_survives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let (emulator, wire) = listening_with(|builder| builder.data_dir(folder.path())).await;
    create_topic(&wire).await;
    let url = queue_for(&wire, "sns.amazonaws.com").await;
    subscribe(&wire, "sqs", QUEUE, &[]).await;
    publish(&wire, &[]).await;
    drop((emulator, wire));
    let (emulator, wire) = listening_with(|builder| builder.data_dir(folder.path())).await;
    emulator.deliver().await;
    let document: Value = serde_json::from_str(&sqs::drain(&wire, &url).await[0]).unwrap();
    assert_eq!(document["Message"], "hello");
    verify(&wire, &document).await;
    publish(&wire, &[]).await;
    emulator.deliver().await;
    drop((emulator, wire));
    let (_emulator, wire) = listening_with(|builder| builder.data_dir(folder.path())).await;
    assert_eq!(sqs::drain(&wire, &url).await.len(), 1, "a message in a queue stays too");
}

#[tokio::test]
async fn a_served_emulator_delivers_by_itself_to_who_waits() {
    let (_emulator, wire) =
        listening_with(|builder| builder.clock(bucketproof_clock::Clock::system()).deliver_by_itself()).await;
    let url = queue_for(&wire, "s3.amazonaws.com").await;
    works(&configure(&wire, "logs", &rule("Queue", QUEUE, &["ObjectCreated:*"], "")).await);
    let ask_for = json!({ "QueueUrl": url, "WaitTimeSeconds": 20 });
    let received = sqs::json_of(&sqs::ask(&wire, ADMIN, "ReceiveMessage", &ask_for).await);
    assert!(received["Messages"][0]["Body"].as_str().unwrap().contains("s3:TestEvent"));
    // Who waits is answered as soon as something comes.
    let waiting = async { sqs::json_of(&sqs::ask(&wire, ADMIN, "ReceiveMessage", &ask_for).await) };
    let (received, ()) = tokio::join!(waiting, put(&wire, "/logs/k", "x"));
    assert!(received["Messages"][0]["Body"].as_str().unwrap().contains("ObjectCreated:Put"));
}

#[tokio::test]
async fn the_state_is_exported_as_a_scenario_that_makes_it_again() {
    let (emulator, wire) = listening().await;
    create_topic(&wire).await;
    works(&set(&wire, "Policy", &topic_policy("logs").to_string()).await);
    works(&set(&wire, "DisplayName", "shown").await);
    let url = queue_for(&wire, "sns.amazonaws.com").await;
    let filter = [("Attributes.entry.1.key", "FilterPolicy"), ("Attributes.entry.1.value", r#"{"a":["b"]}"#)];
    subscribe(&wire, "sqs", QUEUE, &filter).await;
    works(&configure(&wire, "logs", &rule("Topic", TOPIC, &["ObjectCreated:*"], "")).await);
    put(&wire, "/logs/a", "text").await;
    emulator.deliver().await;
    let exported = emulator.export_scenario();
    let again = bucketproof_emulator::Scenario::from_toml(&exported).expect("it is a scenario");
    let listen = "127.0.0.1:0".parse().unwrap();
    let second = bucketproof_emulator::Emulator::builder().scenario(again).clock(crate::fixture::new_year());
    let second = second.seed(8).listen(listen).start().await.unwrap();
    assert_eq!(second.export_scenario(), exported);
    let wire = Wire::to(second.address().unwrap(), second.clock().clone());
    assert_eq!(wire.send_as(ADMIN, &Ask::new("GET", "/logs/a")).await.text(), "text");
    let attribute = [
        ("MessageAttributes.entry.1.Name", "a"),
        ("MessageAttributes.entry.1.Value.DataType", "String"),
        ("MessageAttributes.entry.1.Value.StringValue", "b"),
    ];
    publish(&wire, &attribute).await;
    second.deliver().await;
    let url = format!(
        "http://{}/{}",
        wire.host(),
        url.split_once("/111122223333/").map(|(_, name)| format!("111122223333/{name}")).unwrap()
    );
    assert_eq!(sqs::drain(&wire, &url).await.len(), 1);
    // What a scenario cannot say is named.
    let versioned = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    works(&wire.send_as(ADMIN, &Ask::new("PUT", "/logs?versioning").body(versioned)).await);
    assert!(second.export_scenario().starts_with("# A scenario cannot say these"));
    let told = wire.send(&Ask::new("GET", "/_bucketproof/scenario")).await;
    assert_eq!(told.text(), second.export_scenario());
}
