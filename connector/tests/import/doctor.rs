//! The doctor of inbound connections before an emulator on which one thing at a time is wrong.

use bucketproof_connector::config::{AuthConfig, KeyPlaces, SecretPlace};
use bucketproof_connector::doctor::{DoctorReport, Verdict};
use bucketproof_connector::import::{TopicDocuments, examine_import};
use bucketproof_connector::runner::StopSignal;
use bucketproof_connector::store::SnsTopic;

use crate::customer::{Customer, TOPIC, Wrong};
use crate::files::{Row, file};

/// The policy of the topic, as its owner reads it.
async fn topic_policy(customer: &Customer) -> String {
    let text = customer.sns(&[("Action", "GetTopicAttributes"), ("TopicArn", TOPIC)]).await;
    let (_, rest) = text.split_once("<key>Policy</key>").unwrap();
    let (_, rest) = rest.split_once("<value>").unwrap();
    rest.split_once("</value>").unwrap().0.replace("&quot;", "\"").replace("&#34;", "\"")
}

async fn examined(customer: &Customer) -> DoctorReport {
    let policy = topic_policy(customer).await;
    let connection = &customer.config.connections[0];
    let documents = TopicDocuments { policy: Some(&policy), ..TopicDocuments::default() };
    examine_import(&customer.config, connection, &customer.store(), documents, None).await.unwrap()
}

fn failed(report: &DoctorReport) -> Vec<(&str, &str)> {
    report.failures().map(|finding| (finding.check.as_str(), finding.message.as_str())).collect()
}

/// A customer whose subscription is confirmed.
async fn subscribed(wrong: Wrong) -> Customer {
    let mut customer = Customer::new(wrong).await;
    let (importer, stop) = (customer.importer(), StopSignal::new());
    customer.listen(&importer, &stop);
    customer.subscribe().await;
    stop.give();
    customer
}

/// Claims SPL-09, SPL-10, ENG-16: a chain as documented is well, and what lacks is named.
#[tokio::test]
async fn a_chain_as_documented_is_well() {
    let customer = subscribed(Wrong::default()).await;
    for with_file in [false, true] {
        if with_file {
            customer.put("events/f.parquet", file(&[Row::good(0)])).await;
        }
        let report = examined(&customer).await;
        assert_eq!(report.outcome, Verdict::Passed, "{report:#?}");
        assert_eq!(report.findings.len(), 10, "{report:#?}");
        // What needs an object is not judged before there is one; a doctor writes none.
        let unknown = report.findings.iter().filter(|finding| finding.verdict != Verdict::Passed);
        assert!(unknown.clone().all(|finding| finding.verdict == Verdict::NotPermittedToKnow), "{report:#?}");
        let unknown: Vec<_> = unknown.map(|finding| finding.check.as_str()).collect();
        let without_objects = ["reading of files", "ACL of reports"];
        assert_eq!(unknown, without_objects[usize::from(with_file)..], "{report:#?}");
    }
    assert!(customer.reports().await.is_empty(), "a doctor writes nothing");
}

/// Each lack is named: permissions, topic policy, notification and its filter, subscription.
#[tokio::test]
async fn each_link_that_is_missing_is_named() {
    for (action, check, named) in [
        ("s3:List*", "listing of files", "s3:ListBucket"),
        ("s3:Get*", "reading of files", "s3:GetObject"),
        ("s3:PutObject", "writing of reports", "s3:PutObject"),
        ("s3:PutObjectAcl", "ACL of reports", "s3:PutObjectAcl"),
    ] {
        let customer = subscribed(Wrong { action, ..Wrong::default() }).await;
        customer.put("events/f.parquet", file(&[Row::good(0)])).await;
        let report = examined(&customer).await;
        let found = report.failures().find(|finding| finding.check == check);
        let found = found.unwrap_or_else(|| panic!("without {action}: {report:#?}"));
        assert_eq!(found.action.as_deref(), Some(named), "{found:?}");
        assert!(found.help.as_ref().unwrap().contains(named), "{found:?}");
    }
    let customer = subscribed(Wrong { topic_policy: true, ..Wrong::default() }).await;
    let report = examined(&customer).await;
    let [(check, message)] = failed(&report)[..] else { panic!("{report:#?}") };
    assert!(check == "policy of the topic" && message.contains("may not publish"), "{message}");
    for (notification, check, words) in [
        ("events = [\"s3:ObjectCreated:Put\"]", "notification of the bucket", "s3:ObjectCreated:Copy"),
        ("events = [\"s3:ObjectRemoved:*\"]", "notification of the bucket", "s3:ObjectCreated:Put"),
        (
            "events = [\"s3:ObjectCreated:*\"]\nsuffix = \".parquet.gz\"",
            "filter of the notification",
            "`events/f.parquet`",
        ),
        (
            "events = [\"s3:ObjectCreated:*\"]\nprefix = \"other/\"",
            "filter of the notification",
            "prefix `other/`",
        ),
    ] {
        let customer = subscribed(Wrong { notification: Some(notification), ..Wrong::default() }).await;
        customer.put("events/f.parquet", file(&[Row::good(0)])).await;
        let report = examined(&customer).await;
        let [(found, message)] = failed(&report)[..] else { panic!("{notification}: {report:#?}") };
        assert!(found == check && message.contains(words), "{notification}: {found}: {message}");
    }
    // Without files the filter is judged by itself.
    let notification = Some("events = [\"s3:ObjectCreated:*\"]\nsuffix = \".csv\"");
    let customer = subscribed(Wrong { notification, ..Wrong::default() }).await;
    let report = examined(&customer).await;
    assert_eq!(failed(&report)[0].0, "filter of the notification");
    let notification = Some("events = [\"s3:ObjectCreated:*\"]\nprefix = \"events/day/\"");
    let customer = subscribed(Wrong { notification, ..Wrong::default() }).await;
    assert_eq!(examined(&customer).await.outcome, Verdict::Warning);
    // No notification, and nobody subscribed.
    let customer = Customer::new(Wrong::default()).await;
    let s3 = customer.emulator.s3("owner");
    let nothing = aws_sdk_s3::types::NotificationConfiguration::builder().build();
    s3.put_bucket_notification_configuration()
        .bucket(crate::rig::BUCKET)
        .notification_configuration(nothing)
        .send()
        .await
        .unwrap();
    let report = examined(&customer).await;
    let checks: Vec<&str> = failed(&report).iter().map(|(check, _)| *check).collect();
    assert_eq!(checks, ["notification of the bucket", "subscription"]);
    assert!(failed(&report)[0].1.contains("nowhere"));
}

/// A file that is encrypted with a key which the import may not use.
#[tokio::test]
async fn a_key_that_is_not_granted_is_named() {
    let customer = subscribed(Wrong::default()).await;
    let key = customer.emulator.kms("owner").create_key().send().await.unwrap();
    let key = key.key_metadata().unwrap().arn().unwrap().to_owned();
    let put = customer.emulator.s3("owner").put_object().bucket(crate::rig::BUCKET).key("events/f.parquet");
    put.server_side_encryption(aws_sdk_s3::types::ServerSideEncryption::AwsKms)
        .ssekms_key_id(&key)
        .body(file(&[Row::good(0)]).into())
        .send()
        .await
        .unwrap();
    let report = examined(&customer).await;
    let [finding] = report.failures().collect::<Vec<_>>()[..] else { panic!("{report:#?}") };
    assert_eq!(finding.check, "reading of files");
    assert_eq!(finding.action.as_deref(), Some("kms:Decrypt"), "{finding:?}");
    assert!(finding.help.as_ref().unwrap().contains("kms:Decrypt"));
}

/// What only the owner sees is not guessed.
#[tokio::test]
async fn without_its_policy_a_topic_is_not_judged() {
    let customer = subscribed(Wrong::default()).await;
    let connection = &customer.config.connections[0];
    let nothing = TopicDocuments::default();
    let report =
        examine_import(&customer.config, connection, &customer.store(), nothing, None).await.unwrap();
    let finding = report.findings.iter().find(|finding| finding.check == "policy of the topic").unwrap();
    assert_eq!(finding.verdict, Verdict::NotPermittedToKnow);
    assert!(finding.help.as_ref().unwrap().contains("get-topic-attributes"));
}

/// What a doctor learns that asks the topic itself, as the user who imports or as the owner of the topic.
async fn asked(customer: &Customer, is_owner: bool) -> DoctorReport {
    asked_with(customer, is_owner, TopicDocuments::default()).await
}

async fn asked_with(customer: &Customer, is_owner: bool, documents: TopicDocuments<'_>) -> DoctorReport {
    let mut connection = customer.config.connections[0].clone();
    if is_owner {
        let id = SecretPlace::Inline("AKIAOWNERUSEREXAMPLE".to_owned());
        let key =
            KeyPlaces { id, secret: SecretPlace::Environment("SECRET".to_owned()), session_token: None };
        connection.auth = AuthConfig::StaticKeys { key, created: None };
    }
    let secret = if is_owner { "ownerSecret" } else { "importerSecret" };
    let mut settings = connection.store_settings(|_| Some(secret.to_owned())).unwrap();
    settings.endpoint = Some(customer.emulator.endpoint_url());
    let client = Some(customer.emulator.http_client());
    let topic = SnsTopic::new(&settings, TOPIC, customer.emulator.clock(), client);
    examine_import(&customer.config, &connection, &customer.store(), documents, Some(&topic)).await.unwrap()
}

/// Lets the user who imports look at the topic, and S3 publish.
async fn open_topic(customer: &Customer) {
    let mut policy = customer.config.topic_policies(None, Some("111122223333")).unwrap()["events"].clone();
    policy["Statement"].as_array_mut().unwrap().push(serde_json::json!({
        "Sid": "look", "Effect": "Allow", "Principal": {"AWS": crate::customer::IMPORTER},
        "Action": ["SNS:GetTopicAttributes", "SNS:ListSubscriptionsByTopic"], "Resource": TOPIC,
    }));
    let text = policy.to_string();
    let change = [
        ("Action", "SetTopicAttributes"),
        ("TopicArn", TOPIC),
        ("AttributeName", "Policy"),
        ("AttributeValue", &text),
    ];
    customer.sns(&change).await;
}

async fn set_subscription(customer: &Customer, name: &str, value: &str) {
    let text = customer.sns(&[("Action", "ListSubscriptionsByTopic"), ("TopicArn", TOPIC)]).await;
    let (_, rest) = text.split_once("<SubscriptionArn>").unwrap();
    let arn = rest.split_once("</SubscriptionArn>").unwrap().0;
    let change = [
        ("Action", "SetSubscriptionAttributes"),
        ("SubscriptionArn", arn),
        ("AttributeName", name),
        ("AttributeValue", value),
    ];
    customer.sns(&change).await;
}

/// Claims SPL-10, SPL-16: a topic that may be asked tells its policy, its type, and the subscription with its filter.
#[tokio::test]
async fn a_topic_that_may_be_asked_is_asked() {
    let customer = subscribed(Wrong::default()).await;
    // The documented set-up lets the import see nothing of the topic; then what it noted itself counts.
    let report = asked(&customer, false).await;
    let finding = report.findings.iter().find(|finding| finding.check == "policy of the topic").unwrap();
    assert_eq!(finding.verdict, Verdict::NotPermittedToKnow, "{report:#?}");
    assert!(finding.message.contains("SNS:GetTopicAttributes"), "{finding:?}");
    assert!(failed(&report).is_empty(), "{report:#?}");
    open_topic(&customer).await;
    for is_owner in [false, true] {
        let report = asked(&customer, is_owner).await;
        assert_eq!(report.outcome, Verdict::Passed, "{report:#?}");
    }
    // A subscription has its own wrongs, which its owner sees.
    set_subscription(&customer, "FilterPolicy", "{\"kind\":[\"x\"]}").await;
    let report = asked(&customer, true).await;
    let found: Vec<&str> = failed(&report).iter().map(|(check, _)| *check).collect();
    assert_eq!(found, ["filter of the subscription"], "{report:#?}");
    set_subscription(&customer, "FilterPolicy", "{}").await;
    set_subscription(&customer, "RawMessageDelivery", "true").await;
    let report = asked(&customer, true).await;
    let found: Vec<&str> = failed(&report).iter().map(|(check, _)| *check).collect();
    assert_eq!(found, ["form of messages"], "{report:#?}");
}

/// A subscription that is not there, one that nobody confirmed, and a topic that does not exist.
#[tokio::test]
async fn what_lacks_of_a_topic_is_named() {
    let customer = Customer::new(Wrong::default()).await;
    open_topic(&customer).await;
    let message = |report: &DoctorReport| failed(report).iter().map(|(_, text)| *text).collect::<String>();
    assert!(message(&asked(&customer, false).await).contains("has no subscription of"));
    // Nobody listens, so it is never confirmed.
    let url = customer.endpoint_url();
    let subscribe =
        [("Action", "Subscribe"), ("TopicArn", TOPIC), ("Protocol", "http"), ("Endpoint", url.as_str())];
    customer.sns(&subscribe).await;
    assert!(message(&asked(&customer, false).await).contains("waits for its confirmation"));
    customer.sns(&[("Action", "DeleteTopic"), ("TopicArn", TOPIC)]).await;
    let report = asked(&customer, true).await;
    let found = failed(&report);
    assert!(found.iter().any(|(check, _)| *check == "type and region of the topic"), "{report:#?}");
}

const OWNER_ARN: &str = "arn:aws:iam::111122223333:root";

/// The policy of a key: its account's, with a statement more.
fn key_policy(more: Option<serde_json::Value>) -> String {
    let mut statements = vec![serde_json::json!({
        "Sid": "owner", "Effect": "Allow", "Principal": {"AWS": OWNER_ARN}, "Action": "kms:*", "Resource": "*",
    })];
    statements.extend(more);
    serde_json::json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// A statement that lets S3 do these things with the key, for the events of the bucket.
fn lets_s3(actions: &[&str], account: &str) -> serde_json::Value {
    serde_json::json!({
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": actions, "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{}", crate::rig::BUCKET)},
        },
    })
}

async fn new_key(customer: &Customer, policy: &str) -> String {
    let kms = customer.emulator.kms("owner");
    let made = kms.create_key().policy(policy).send().await.unwrap();
    made.key_metadata().unwrap().arn().unwrap().to_owned()
}

/// Whether a new file reaches the import by way of the topic, without a listing.
async fn is_announced(
    customer: &Customer,
    importer: &bucketproof_connector::import::Importer,
    key: &str,
) -> bool {
    customer.put(key, file(&[Row::good(0)])).await;
    customer.emulator.deliver().await;
    let path = customer.directory.path().join("state/inbox.sqlite");
    let database = rusqlite::Connection::open(path).unwrap();
    let _open = importer.inbox();
    let query = "SELECT count(*) FROM notice WHERE key = ?";
    database.query_row(query, [key], |row| row.get::<_, i64>(0)).unwrap() == 1
}

/// What the doctor says of a topic's key is what becomes of the events: they arrive exactly if it finds nothing.
#[tokio::test]
async fn a_topic_under_a_key_is_well_exactly_if_its_events_arrive() {
    let mut customer = Customer::new(Wrong::default()).await;
    let (importer, stop) = (customer.importer(), StopSignal::new());
    customer.listen(&importer, &stop);
    customer.subscribe().await;
    open_topic(&customer).await;
    let both = ["kms:GenerateDataKey*", "kms:Decrypt"];
    let own = "111122223333";
    for (number, (policy, denied)) in [
        (key_policy(Some(lets_s3(&both, own))), None),
        (key_policy(None), Some("kms:GenerateDataKey")),
        (key_policy(Some(lets_s3(&["kms:Decrypt"], own))), Some("kms:GenerateDataKey")),
        (key_policy(Some(lets_s3(&["kms:GenerateDataKey"], own))), Some("kms:Decrypt")),
        (key_policy(Some(lets_s3(&both, "999999999999"))), Some("kms:GenerateDataKey")),
    ]
    .into_iter()
    .enumerate()
    {
        let key = new_key(&customer, &policy).await;
        let change = [
            ("Action", "SetTopicAttributes"),
            ("TopicArn", TOPIC),
            ("AttributeName", "KmsMasterKeyId"),
            ("AttributeValue", key.as_str()),
        ];
        customer.sns(&change).await;
        // The key's policy is the owner's to see: without it nothing is said for sure.
        let report = asked(&customer, false).await;
        let finding = report.findings.iter().find(|own| own.check == "encryption of the topic").unwrap();
        assert_eq!(finding.verdict, Verdict::Warning, "{finding:?}");
        let help = finding.help.as_ref().unwrap();
        assert!(help.contains("--topic-key-policy") && help.contains(&key), "{help}");
        // The emulator keeps policies as they were given.
        let kms = customer.emulator.kms("owner");
        let shown = kms.get_key_policy().key_id(&key).policy_name("default").send().await.unwrap();
        let documents = TopicDocuments { key_policy: shown.policy(), ..TopicDocuments::default() };
        let report = asked_with(&customer, false, documents).await;
        let finding = report.findings.iter().find(|own| own.check == "encryption of the topic").unwrap();
        assert_eq!(finding.action.as_deref(), denied, "{number}: {finding:?}");
        let verdict = if denied.is_some() { Verdict::Failed } else { Verdict::Passed };
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        if let Some(action) = denied {
            assert_eq!(finding.resource.as_deref(), Some(key.as_str()));
            assert!(finding.help.as_ref().unwrap().contains(action), "{finding:?}");
        }
        let arrives = is_announced(&customer, &importer, &format!("events/{number}.parquet")).await;
        assert_eq!(arrives, denied.is_none(), "{number}: {finding:?}");
    }
    // The key that AWS manages never lets S3 in.
    let change = [
        ("Action", "SetTopicAttributes"),
        ("TopicArn", TOPIC),
        ("AttributeName", "KmsMasterKeyId"),
        ("AttributeValue", "alias/aws/sns"),
    ];
    customer.sns(&change).await;
    let report = asked(&customer, false).await;
    let finding = report.failures().find(|own| own.check == "encryption of the topic").unwrap();
    assert!(finding.message.contains("cannot let S3 use it"), "{finding:?}");
    assert!(!is_announced(&customer, &importer, "events/managed.parquet").await);
    // What is no policy is refused where it is wrong.
    let documents = TopicDocuments { key_policy: Some("{"), ..TopicDocuments::default() };
    let broken = asked_with(&customer, false, documents).await;
    assert!(failed(&broken).iter().any(|(check, _)| *check == "encryption of the topic"));
    stop.give();
}

/// A bucket under a key: files are read and reports written exactly if the doctor finds nothing; what lacks is named.
#[tokio::test]
async fn a_bucket_under_a_key_is_well_exactly_if_the_import_works() {
    let lets = |actions: &[&str]| {
        serde_json::json!({
            "Effect": "Allow", "Principal": {"AWS": crate::customer::IMPORTER}, "Action": actions, "Resource": "*",
        })
    };
    for (actions, check, denied) in [
        (&["kms:Decrypt", "kms:GenerateDataKey"][..], "", None),
        (&["kms:Decrypt"], "writing of reports", Some("kms:GenerateDataKey")),
        (&["kms:GenerateDataKey"], "reading of files", Some("kms:Decrypt")),
    ] {
        let customer = subscribed(Wrong::default()).await;
        let key = new_key(&customer, &key_policy(Some(lets(actions)))).await;
        let default = aws_sdk_s3::types::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(aws_sdk_s3::types::ServerSideEncryption::AwsKms)
            .kms_master_key_id(&key)
            .build()
            .unwrap();
        let rule = aws_sdk_s3::types::ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .build();
        let encryption =
            aws_sdk_s3::types::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
        let s3 = customer.emulator.s3("owner");
        let put = s3.put_bucket_encryption().bucket(crate::rig::BUCKET);
        put.server_side_encryption_configuration(encryption).send().await.unwrap();
        customer.put("events/f.parquet", file(&[Row::good(0)])).await;
        let report = examined(&customer).await;
        let summary = customer.importer().once().await;
        let Some(denied) = denied else {
            assert_eq!(report.outcome, Verdict::Passed, "{report:#?}");
            let summary = summary.unwrap();
            assert_eq!((summary.files_read, summary.reports.len()), (1, 1));
            continue;
        };
        let error = summary.unwrap_err();
        assert!(
            error.to_string().contains(denied) || error.help().contains(denied),
            "{error}; {}",
            error.help()
        );
        let finding = report.failures().find(|finding| finding.check == check);
        let finding = finding.unwrap_or_else(|| panic!("{denied}: {report:#?}"));
        assert_eq!(finding.action.as_deref(), Some(denied), "{finding:?}");
        assert!(finding.help.as_ref().unwrap().contains(denied), "{finding:?}");
    }
}
