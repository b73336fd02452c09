//! Topics, their policies and subscriptions.

use bucketproof_emulator::Emulator;

use crate::fixture::{ADMIN, READER, VENDOR, listening};
use crate::wire::{Answer, Ask, Key, Signing, Wire};

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:events";

/// One signed request to SNS.
pub(crate) async fn ask(wire: &Wire, key: Key<'_>, parameters: &[(&str, &str)]) -> Answer {
    ask_in(wire, key, "us-east-1", parameters).await
}

async fn ask_in(wire: &Wire, key: Key<'_>, region: &str, parameters: &[(&str, &str)]) -> Answer {
    let ask = Ask::new("POST", "/").header("content-type", "application/x-www-form-urlencoded");
    let ask = ask.body(format!("Version=2010-03-31&{}", form(parameters)));
    wire.send(&wire.sign(&ask, &Signing { service: "sns", region, ..Signing::with(key) })).await
}

/// What a browser does with a URL out of a message.
pub(crate) async fn open(wire: &Wire, parameters: &[(&str, &str)]) -> Answer {
    wire.send(&Ask::new("GET", &format!("/?{}", form(parameters)))).await
}

fn form(parameters: &[(&str, &str)]) -> String {
    let encode = |value: &str| {
        percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

pub(crate) fn check(answer: &Answer, status: u16, code: &str, message: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", answer.text());
    let text = answer.element("Message").map(|text| text.replace("&quot;", "\"").replace("&#39;", "'"));
    assert_eq!(text.as_deref(), Some(message));
}

pub(crate) fn works(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
}

pub(crate) async fn create_topic(wire: &Wire) {
    works(&ask(wire, ADMIN, &[("Action", "CreateTopic"), ("Name", "events")]).await);
}

pub(crate) async fn set(wire: &Wire, name: &str, value: &str) -> Answer {
    let parameters = [
        ("Action", "SetTopicAttributes"),
        ("TopicArn", TOPIC),
        ("AttributeName", name),
        ("AttributeValue", value),
    ];
    ask(wire, ADMIN, &parameters).await
}

async fn with_topic() -> (Emulator, Wire) {
    let (emulator, wire) = listening().await;
    create_topic(&wire).await;
    (emulator, wire)
}

#[tokio::test]
async fn a_topic_is_made_once_shown_and_deleted() {
    let (_emulator, wire) = with_topic().await;
    let again = ask(&wire, ADMIN, &[("Action", "CreateTopic"), ("Name", "events")]).await;
    assert_eq!(again.element("TopicArn").as_deref(), Some(TOPIC));
    let named = [
        ("Action", "CreateTopic"),
        ("Name", "events"),
        ("Attributes.entry.1.key", "DisplayName"),
        ("Attributes.entry.1.value", "x"),
    ];
    let text = "Invalid parameter: Attributes Reason: Topic already exists with different attributes";
    check(&ask(&wire, ADMIN, &named).await, 400, "InvalidParameter", text);
    let tagged = [
        ("Action", "CreateTopic"),
        ("Name", "events"),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
    ];
    let text = "Invalid parameter: Tags Reason: Topic already exists with different tags";
    check(&ask(&wire, ADMIN, &tagged).await, 400, "InvalidParameter", text);
    for name in ["", "a.b", "a b", &"a".repeat(257), "é"] {
        let answer = ask(&wire, ADMIN, &[("Action", "CreateTopic"), ("Name", name)]).await;
        check(&answer, 400, "InvalidParameter", "Invalid parameter: Topic Name");
    }
    let listed = ask(&wire, ADMIN, &[("Action", "ListTopics")]).await;
    assert_eq!(listed.element("TopicArn").as_deref(), Some(TOPIC));
    let elsewhere = ask_in(&wire, ADMIN, "eu-west-1", &[("Action", "ListTopics")]).await;
    assert_eq!(elsewhere.element("TopicArn"), None);
    let shown = ask(&wire, ADMIN, &[("Action", "GetTopicAttributes"), ("TopicArn", TOPIC)]).await;
    assert!(shown.text().contains("__default_statement_ID"), "{}", shown.text());
    assert!(shown.text().contains("numMinDelayRetries"), "{}", shown.text());
    for _ in 0..2 {
        works(&ask(&wire, ADMIN, &[("Action", "DeleteTopic"), ("TopicArn", TOPIC)]).await);
    }
    let gone = ask(&wire, ADMIN, &[("Action", "GetTopicAttributes"), ("TopicArn", TOPIC)]).await;
    check(&gone, 404, "NotFound", "Topic does not exist");
}

#[tokio::test]
async fn requests_are_refused_in_the_words_of_the_service() {
    let (_emulator, wire) = with_topic().await;
    let get = |arn| [("Action", "GetTopicAttributes"), ("TopicArn", arn)];
    for (arn, elements) in [("x", 1), ("arn:aws", 2), ("arn:aws:sns:us-east-1:111122223333", 5)] {
        let text = format!(
            "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not {elements}"
        );
        check(&ask(&wire, ADMIN, &get(arn)).await, 400, "InvalidParameter", &text);
    }
    let elsewhere = ask_in(&wire, ADMIN, "eu-west-1", &get(TOPIC)).await;
    check(&elsewhere, 400, "InvalidParameter", "Invalid parameter: TopicArn");
    for (action, status, code) in
        [("CreatePlatformApplication", 501, "NotImplemented"), ("CreateTopics", 400, "InvalidAction")]
    {
        let answer = ask(&wire, ADMIN, &[("Action", action)]).await;
        assert_eq!(answer.outcome(), (status, code.to_owned()));
        assert!(answer.text().contains(action), "the action is named");
    }
    let fifo = [
        ("Action", "CreateTopic"),
        ("Name", "a.fifo"),
        ("Attributes.entry.1.key", "FifoTopic"),
        ("Attributes.entry.1.value", "true"),
    ];
    assert_eq!(ask(&wire, ADMIN, &fifo).await.outcome(), (501, "NotImplemented".to_owned()));
    let publish = |name, value| [("Action", "Publish"), ("TopicArn", TOPIC), ("Message", "m"), (name, value)];
    let long = "a".repeat(101);
    for (name, value, text) in [
        ("Subject", "", "Invalid parameter: Subject"),
        ("Subject", long.as_str(), "Invalid parameter: Subject"),
        ("Subject", "a\nb", "Invalid parameter: Subject"),
        (
            "MessageStructure",
            "json",
            "Invalid parameter: Message Structure - JSON message body failed to parse",
        ),
    ] {
        check(&ask(&wire, ADMIN, &publish(name, value)).await, 400, "InvalidParameter", text);
    }
    let empty = [("Action", "Publish"), ("TopicArn", TOPIC), ("Message", "")];
    check(&ask(&wire, ADMIN, &empty).await, 400, "InvalidParameter", "Invalid parameter: Empty message");
    let large = "a".repeat(262_145);
    let large = [("Action", "Publish"), ("TopicArn", TOPIC), ("Message", large.as_str())];
    check(&ask(&wire, ADMIN, &large).await, 400, "InvalidParameter", "Invalid parameter: Message too long");
}

#[tokio::test]
async fn topics_are_reached_as_policies_say() {
    let (emulator, wire) = with_topic().await;
    let publish = [("Action", "Publish"), ("TopicArn", TOPIC), ("Message", "m")];
    works(&ask(&wire, ADMIN, &publish).await);
    // The first policy lets in nobody whom the own account does not let in.
    let text = format!(
        "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: SNS:Publish on resource: {TOPIC} because \
         no identity-based policy allows the SNS:Publish action"
    );
    check(&ask(&wire, READER, &publish).await, 403, "AuthorizationError", &text);
    let text = format!(
        "User: arn:aws:iam::444455556666:user/vendor is not authorized to perform: SNS:Publish on resource: {TOPIC} because \
         no resource-based policy allows the SNS:Publish action"
    );
    check(&ask(&wire, VENDOR, &publish).await, 403, "AuthorizationError", &text);
    assert!(emulator.journal().denied().last().unwrap().explain().contains("topic policy"));
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"444455556666"}},"Action":"sns:Publish","Resource":"{TOPIC}"}}]}}"#
    );
    works(&set(&wire, "Policy", &policy).await);
    works(&ask(&wire, VENDOR, &publish).await);
    let subscribe = [
        ("Action", "Subscribe"),
        ("TopicArn", TOPIC),
        ("Protocol", "http"),
        ("Endpoint", "http://127.0.0.1:9/"),
    ];
    assert_eq!(ask(&wire, VENDOR, &subscribe).await.outcome(), (403, "AuthorizationError".to_owned()));
    let wildcard = policy.replace("sns:Publish", "SNS:*");
    let text = "Invalid parameter: Policy statement action out of service scope!";
    check(&set(&wire, "Policy", &wildcard).await, 400, "InvalidParameter", text);
    check(&set(&wire, "Policy", "{").await, 400, "InvalidParameter", "Invalid parameter: Policy Error: null");
    let stranger = policy.replace("444455556666", "999999999999");
    let text = "Invalid parameter: Policy Error: PrincipalNotFound";
    check(&set(&wire, "Policy", &stranger).await, 400, "InvalidParameter", text);
    works(&set(&wire, "Policy", "").await);
    assert_eq!(ask(&wire, VENDOR, &publish).await.outcome(), (403, "AuthorizationError".to_owned()));
}

#[tokio::test]
async fn permissions_are_statements_by_a_label() {
    let (_emulator, wire) = with_topic().await;
    let add = |action| {
        [
            ("Action", "AddPermission"),
            ("TopicArn", TOPIC),
            ("Label", "partner"),
            ("AWSAccountId.member.1", "444455556666"),
            ("ActionName.member.1", action),
        ]
    };
    let text = "Invalid parameter: Policy statement action out of service scope!";
    check(&ask(&wire, ADMIN, &add("Fly")).await, 400, "InvalidParameter", text);
    works(&ask(&wire, ADMIN, &add("Publish")).await);
    let text = "Invalid parameter: Statement already exists";
    check(&ask(&wire, ADMIN, &add("Publish")).await, 400, "InvalidParameter", text);
    let publish = [("Action", "Publish"), ("TopicArn", TOPIC), ("Message", "m")];
    works(&ask(&wire, VENDOR, &publish).await);
    let remove = [("Action", "RemovePermission"), ("TopicArn", TOPIC), ("Label", "partner")];
    works(&ask(&wire, ADMIN, &remove).await);
    assert_eq!(ask(&wire, VENDOR, &publish).await.status, 403);
}

#[tokio::test]
async fn subscriptions_wait_for_their_token() {
    let (_emulator, wire) = with_topic().await;
    let subscribe = |protocol, endpoint| {
        [("Action", "Subscribe"), ("TopicArn", TOPIC), ("Protocol", protocol), ("Endpoint", endpoint)]
    };
    let text = "Invalid parameter: Amazon SNS does not support this protocol string: carrier-pigeon";
    check(&ask(&wire, ADMIN, &subscribe("carrier-pigeon", "x")).await, 400, "InvalidParameter", text);
    let email = ask(&wire, ADMIN, &subscribe("email", "a@example.com")).await;
    assert_eq!(email.outcome(), (501, "NotImplemented".to_owned()));
    let text = "Invalid parameter: SQS endpoint ARN";
    check(&ask(&wire, ADMIN, &subscribe("sqs", "http://q")).await, 400, "InvalidParameter", text);
    let text = "Invalid parameter: Endpoint must match the specified protocol";
    check(&ask(&wire, ADMIN, &subscribe("https", "http://127.0.0.1/")).await, 400, "InvalidParameter", text);
    let pending = ask(&wire, ADMIN, &subscribe("http", "http://127.0.0.1:9/")).await;
    assert_eq!(pending.element("SubscriptionArn").as_deref(), Some("pending confirmation"));
    let list = [("Action", "ListSubscriptionsByTopic"), ("TopicArn", TOPIC)];
    let listed = ask(&wire, ADMIN, &list).await;
    assert_eq!(listed.element("SubscriptionArn").as_deref(), Some("PendingConfirmation"));
    let confirm = |topic, token| [("Action", "ConfirmSubscription"), ("TopicArn", topic), ("Token", token)];
    check(&open(&wire, &confirm("x", "y")).await, 400, "InvalidParameter", "Invalid parameter: Topic");
    check(&open(&wire, &confirm(TOPIC, "y")).await, 400, "InvalidParameter", "Invalid parameter: Token");
    let well_formed = "ab".repeat(140);
    check(&open(&wire, &confirm(TOPIC, &well_formed)).await, 400, "InvalidParameter", "Invalid token");
    // A queue of the own account is known to be wanted.
    let queue = "arn:aws:sqs:us-east-1:111122223333:q";
    let confirmed = ask(&wire, ADMIN, &subscribe("sqs", queue)).await.element("SubscriptionArn").unwrap();
    assert!(confirmed.starts_with(&format!("{TOPIC}:")));
    let again = ask(&wire, ADMIN, &subscribe("sqs", queue)).await.element("SubscriptionArn").unwrap();
    assert_eq!(again, confirmed);
    let set = |name, value| {
        [
            ("Action", "SetSubscriptionAttributes"),
            ("SubscriptionArn", confirmed.as_str()),
            ("AttributeName", name),
            ("AttributeValue", value),
        ]
    };
    for (name, value, text) in [
        ("Fake", "x", "Invalid parameter: AttributeName"),
        (
            "RawMessageDelivery",
            "test-ValUe",
            "Invalid parameter: RawMessageDelivery: Invalid value [test-ValUe]. Must be true or false.",
        ),
        (
            "RedrivePolicy",
            r#"{"deadLetterTargetArn":"fake"}"#,
            "Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn",
        ),
        (
            "FilterPolicyScope",
            "RandomValue",
            "Invalid parameter: FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or \
             MessageAttributes",
        ),
    ] {
        check(&ask(&wire, ADMIN, &set(name, value)).await, 400, "InvalidParameter", text);
    }
    works(&ask(&wire, ADMIN, &set("FilterPolicy", r#"{"a":["b"]}"#)).await);
    let unsubscribe = [("Action", "Unsubscribe"), ("SubscriptionArn", confirmed.as_str())];
    for _ in 0..2 {
        works(&ask(&wire, ADMIN, &unsubscribe).await);
    }
    let get = [("Action", "GetSubscriptionAttributes"), ("SubscriptionArn", confirmed.as_str())];
    check(&ask(&wire, ADMIN, &get).await, 404, "NotFound", "Subscription does not exist");
    let wrong = [("Action", "Unsubscribe"), ("SubscriptionArn", TOPIC)];
    check(&ask(&wire, ADMIN, &wrong).await, 400, "InvalidParameter", "Invalid parameter: SubscriptionId");
}

#[tokio::test]
async fn batches_are_held_to_their_limits() {
    let (_emulator, wire) = with_topic().await;
    let batch = |entries: &[(&str, &str)]| {
        let mut parameters =
            vec![("Action".to_owned(), "PublishBatch".to_owned()), ("TopicArn".to_owned(), TOPIC.to_owned())];
        for (index, (id, message)) in entries.iter().enumerate() {
            let prefix = format!("PublishBatchRequestEntries.member.{}", index + 1);
            parameters.push((format!("{prefix}.Id"), (*id).to_owned()));
            parameters.push((format!("{prefix}.Message"), (*message).to_owned()));
        }
        parameters
    };
    let send = async |entries: &[(&str, &str)]| {
        let parameters = batch(entries);
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        ask(&wire, ADMIN, &parameters).await
    };
    let half = send(&[("a", "m"), ("b", "")]).await;
    works(&half);
    assert!(half.text().contains("<Successful>") && half.text().contains("Invalid parameter: Empty message"));
    let code = |answer: Answer| answer.outcome().1;
    assert_eq!(code(send(&[("a", "m"), ("a", "m")]).await), "BatchEntryIdsNotDistinct");
    assert_eq!(code(send(&[("a.b", "m")]).await), "InvalidBatchEntryId");
    assert_eq!(code(send(&[("x", "m"); 11]).await), "TooManyEntriesInBatchRequest");
    let large = "a".repeat(140_000);
    assert_eq!(code(send(&[("a", &large), ("b", &large)]).await), "BatchRequestTooLong");
}
