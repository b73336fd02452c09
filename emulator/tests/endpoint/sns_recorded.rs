//! Situations that AWS was recorded in, with status, code and text.

use crate::fixture::{ADMIN, listening};
use crate::sns::{TOPIC, ask, check, create_topic, works};

/// Name, type and value of a message attribute, with the complaint; `S` and `B` begin the field that the value is in.
const ATTRIBUTES: &str = "\
attr1 | Invalid | S=v | The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.
attr1 | String |  | The message attribute 'attr1' must contain non-empty message attribute value for message attribute type 'String'.
attr1 | String | S= | The message attribute 'attr1' must contain non-empty message attribute value for message attribute type 'String'.
attr1 | Binary |  | The message attribute 'attr1' must contain non-empty message attribute value for message attribute type 'Binary'.
attr1 | Binary | S=v | The message attribute 'attr1' with type 'Binary' must use field 'Binary'.
attr1 | Number | B=dg | The message attribute 'attr1' with type 'Number' must use field 'String'.
attr1 | String | B=dg | The message attribute 'attr1' with type 'String' must use field 'String'.
attr^1 | String | S=v | Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.
.attr | String | S=v | Invalid message attribute name starting with character '.' was found.
attr. | String | S=v | Invalid message attribute name ending with character '.' was found.
a..b | String | S=v | Message attribute name can not have successive '.' character.
LONG | String | S=v | Length of message attribute name must be less than 256 bytes.
";

/// Status, code, text and parameters.
const SITUATIONS: &str = "\
404 | NotFound | Topic does not exist | Action=Publish&TopicArn=MISSING&Message=m
404 | NotFound | Topic does not exist | Action=GetTopicAttributes&TopicArn=MISSING
404 | NotFound | Topic does not exist | Action=RemovePermission&TopicArn=MISSING&Label=l
404 | NotFound | Topic does not exist | Action=AddPermission&TopicArn=MISSING&Label=l&AWSAccountId.member.1=444455556666&ActionName.member.1=Publish
404 | NotFound | Topic does not exist | Action=PublishBatch&TopicArn=MISSING&PublishBatchRequestEntries.member.1.Id=1&PublishBatchRequestEntries.member.1.Message=m
404 | NotFound | Topic does not exist | Action=Subscribe&TopicArn=MISSING&Protocol=http&Endpoint=http://h/
404 | NotFound | Subscription does not exist | Action=GetSubscriptionAttributes&SubscriptionArn=TOPIC:5f5c1c5e-0000-4000-8000-000000000000
404 | NotFound | Subscription does not exist | Action=SetSubscriptionAttributes&SubscriptionArn=TOPIC:5f5c1c5e-0000-4000-8000-000000000000&AttributeName=RawMessageDelivery&AttributeValue=true
400 | InvalidParameter | Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1 | Action=Publish&TopicArn=&Message=m
400 | InvalidParameter | Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 5 | Action=Subscribe&TopicArn=FIVE&Protocol=http&Endpoint=http://h/
400 | InvalidParameter | Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1 | Action=Unsubscribe&SubscriptionArn=x
400 | InvalidParameter | Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 5 | Action=Unsubscribe&SubscriptionArn=FIVE
400 | InvalidParameter | Invalid parameter: SubscriptionArn Reason: no value for required parameter | Action=Unsubscribe&SubscriptionArn=
400 | InvalidParameter | Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified | Action=Publish&TargetArn=arn:aws:sns:us-east-1:111122223333:endpoint/APNS/app/x&Message=m
400 | InvalidParameter | Invalid parameter: Message Structure - No default entry in JSON message body | Action=Publish&TopicArn=TOPIC&Message={\"sqs\":\"x\"}&MessageStructure=json
400 | InvalidParameter | Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type | Action=Publish&TopicArn=TOPIC&Message=m&MessageDeduplicationId=d
400 | InvalidParameter | Invalid parameter: Duplicated keys are not allowed. | Action=TagResource&ResourceArn=TOPIC&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=k&Tags.member.2.Value=w
400 | InvalidParameter | Invalid parameter: Token | Action=ConfirmSubscription&TopicArn=TOPIC&Token=wrong
400 | InvalidParameter | Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [wrongvalue]. Must be true or false. | Action=Subscribe&TopicArn=TOPIC&Protocol=http&Endpoint=http://h/&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=wrongvalue
400 | InvalidParameter | Invalid parameter: Attributes Reason: FilterPolicy: Filter policy can not have more than 5 keys | Action=Subscribe&TopicArn=TOPIC&Protocol=http&Endpoint=http://h/&Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value={\"a\":[1],\"b\":[1],\"c\":[1],\"d\":[1],\"e\":[1],\"f\":[1]}
400 | InvalidParameter | Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics | Action=Subscribe&TopicArn=TOPIC&Protocol=sqs&Endpoint=arn:aws:sqs:us-east-1:111122223333:q.fifo
400 | InvalidBatchEntryId | The Id of a batch entry in the batch request contains an impermissible character: msg@123#test | Action=PublishBatch&TopicArn=TOPIC&PublishBatchRequestEntries.member.1.Id=msg@123#test&PublishBatchRequestEntries.member.1.Message=m
400 | InvalidBatchEntryId | The Id of a batch entry in the batch request is too long: LONG | Action=PublishBatch&TopicArn=TOPIC&PublishBatchRequestEntries.member.1.Id=LONG&PublishBatchRequestEntries.member.1.Message=m
";

#[tokio::test]
async fn message_attributes_are_refused_as_recorded() {
    let (_emulator, wire) = listening().await;
    create_topic(&wire).await;
    let long = "a".repeat(257);
    for line in ATTRIBUTES.lines() {
        let [name, data_type, value, text] = line.split(" | ").collect::<Vec<_>>().try_into().unwrap();
        let name = if name == "LONG" { long.as_str() } else { name };
        for prefix in ["", "PublishBatchRequestEntries.member.1."] {
            let action = if prefix.is_empty() { "Publish" } else { "PublishBatch" };
            let own = |name: &str| format!("{prefix}{name}");
            let mut parameters = vec![
                ("Action".to_owned(), action),
                ("TopicArn".to_owned(), TOPIC),
                (own("Message"), "m"),
                (own("Id"), "id"),
                (own("MessageAttributes.entry.1.Name"), name),
                (own("MessageAttributes.entry.1.Value.DataType"), data_type),
            ];
            if let Some((field, value)) = value.split_once('=') {
                let field = if field == "S" { "StringValue" } else { "BinaryValue" };
                parameters.push((own(&format!("MessageAttributes.entry.1.Value.{field}")), value));
            }
            let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            check(&ask(&wire, ADMIN, &parameters).await, 400, "ParameterValueInvalid", text);
        }
    }
    let untyped = [
        ("Action", "Publish"),
        ("TopicArn", TOPIC),
        ("Message", "m"),
        ("MessageAttributes.entry.1.Name", "attr1"),
        ("MessageAttributes.entry.1.Value.StringValue", "v"),
    ];
    let text = "1 validation error detected: Value null at 'messageAttributes.attr1.member.dataType' failed to satisfy \
                constraint: Member must not be null";
    check(&ask(&wire, ADMIN, &untyped).await, 400, "ValidationError", text);
}

#[tokio::test]
async fn other_situations_are_answered_as_recorded() {
    let (_emulator, wire) = listening().await;
    create_topic(&wire).await;
    for line in SITUATIONS.lines() {
        let line = line
            .replace("MISSING", "arn:aws:sns:us-east-1:111122223333:missing")
            .replace("FIVE", "arn:aws:sns:us-east-1:111122223333")
            .replace("TOPIC", TOPIC)
            .replace("LONG", &"a".repeat(81));
        let [status, code, text, query] = line.split(" | ").collect::<Vec<_>>().try_into().unwrap();
        let parameters: Vec<_> = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
        check(&ask(&wire, ADMIN, &parameters).await, status.parse().unwrap(), code, text);
    }
    let subscribe = |value| {
        [
            ("Action", "Subscribe"),
            ("TopicArn", TOPIC),
            ("Protocol", "http"),
            ("Endpoint", "http://127.0.0.1:9/"),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", value),
        ]
    };
    works(&ask(&wire, ADMIN, &subscribe("true")).await);
    let text = "Invalid parameter: Attributes Reason: Subscription already exists with different attributes";
    check(&ask(&wire, ADMIN, &subscribe("false")).await, 400, "InvalidParameter", text);
}
