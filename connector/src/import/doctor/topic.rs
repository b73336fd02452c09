//! The topic of a connection and its subscription: what SNS says, or what the topic's owner printed.

use bucketproof_authz::{
    AccountId, Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Request,
    Resource, decide,
};

use super::TopicDocuments;
use crate::doctor::{Finding, Verdict};
use crate::import::config::{ImportConfig, InboundConnection};
use crate::import::inbox::{Inbox, Subscription};
use crate::state::StateError;
use crate::store::{SnsTopic, SubscriptionView, TopicError, TopicView};

/// The topic: where it is, of which type, and whether it lets S3 publish.
pub(super) async fn topic(
    connection: &InboundConnection,
    documents: TopicDocuments<'_>,
    sns: Option<&SnsTopic>,
    findings: &mut Vec<Finding>,
) {
    let Some(topic) = &connection.topic_arn else { return };
    let check = "type and region of the topic";
    let mut parts = topic.split(':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let view = match sns {
        Some(sns) => Some(sns.view().await),
        None => None,
    };
    if let Some(Err(error @ TopicError { is_missing: true, .. })) = &view {
        findings.push(
            Finding::new(check, Verdict::Failed, error.to_string())
                .with_help("compare `topic_arn` of the connection with the console; letter case counts"),
        );
        return;
    }
    let seen = view.as_ref().and_then(|view| view.as_ref().ok());
    // FIFO topics are refused with the configuration, as far as their names tell.
    findings.push(if seen.is_some_and(|seen| seen.is_fifo) {
        Finding::new(check, Verdict::Failed, format!("`{topic}` is of type FIFO"))
            .with_help("S3 does not send events to FIFO topics: make a topic of type Standard")
    } else if region == connection.bucket.region {
        Finding::passed(check, format!("Standard, in `{region}`"))
    } else {
        let message = format!("the topic is in `{region}`, the bucket in `{}`", connection.bucket.region);
        Finding::new(check, Verdict::Failed, message)
            .with_help("S3 sends events within a region only: make a topic in that of the bucket")
    });
    let key = seen.and_then(|seen| seen.key.as_deref());
    if key.is_some() || documents.key_policy.is_some() {
        findings.push(encryption(connection, account, key, documents.key_policy));
    }
    let check = "policy of the topic";
    let shown = seen.and_then(|seen: &TopicView| seen.policy.as_deref());
    let Some(text) = documents.policy.or(shown) else {
        let message = match &view {
            Some(Err(error)) if error.is_denied => {
                format!("only the owner of the topic can see its policy: {error}")
            }
            Some(Err(error)) => format!("the topic could not be asked: {error}"),
            _ => "only the owner of the topic can see its policy".to_owned(),
        };
        findings.push(Finding::new(check, Verdict::NotPermittedToKnow, message).with_help(format!(
            "give what `aws sns get-topic-attributes --topic-arn {topic}` prints as `Policy` with `--topic-policy`"
        )));
        return;
    };
    findings.push(publishing(connection, topic, account, text));
}

/// A topic whose messages are encrypted: S3 needs the key, which keys that AWS manages grant to nobody else.
fn encryption(
    connection: &InboundConnection,
    account: &str,
    key: Option<&str>,
    policy: Option<&str>,
) -> Finding {
    let check = "encryption of the topic";
    let shown = key.unwrap_or("whose policy was given");
    if shown.ends_with("alias/aws/sns") {
        let message = format!("messages are encrypted with `{shown}`, whose policy cannot let S3 use it");
        return Finding::new(check, Verdict::Failed, message)
            .with_help("encrypt the topic with a key of your own, or not at all");
    }
    let Some(policy) = policy else {
        let message =
            format!("messages are encrypted with the key `{shown}`, whose policy is not seen from here");
        return Finding::new(check, Verdict::Warning, message).with_help(format!(
            "the key's policy must allow `kms:GenerateDataKey*` and `kms:Decrypt` to the service `s3.amazonaws.com`; give what \
             `aws kms get-key-policy --policy-name default --output text --key-id {}` prints with `--topic-key-policy`",
            key.unwrap_or("KEY")
        ));
    };
    // The policy of a key is about that key alone, whatever its name.
    let region = &connection.bucket.region;
    let arn = key.filter(|key| key.starts_with("arn:")).map_or_else(
        || format!("arn:aws:kms:{region}:{account}:key/{}", key.unwrap_or("of-the-topic")),
        str::to_owned,
    );
    let policy = match Policy::parse(policy, PolicySource::new(PolicyKind::Key, &arn)) {
        Ok(policy) => policy,
        Err(error) => {
            let message = format!("{}:{}: {}", error.line(), error.column(), error.message());
            return Finding::new(check, Verdict::Failed, message).with_help(error.help());
        }
    };
    for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
        let context = [
            ("kms:ViaService", format!("sns.{region}.amazonaws.com")),
            ("kms:CallerAccount", account.to_owned()),
            ("kms:EncryptionContext:aws:sns:topicArn", connection.topic_arn.clone().unwrap_or_default()),
        ];
        if !service_may(connection, account, (action, &arn), &context, &policy) {
            let message = format!(
                "S3 may not use the key `{shown}` that messages are encrypted with: no event arrives"
            );
            return Finding {
                action: Some(action.to_owned()),
                resource: Some(arn),
                ..Finding::new(check, Verdict::Failed, message)
            }
            .with_help(format!(
                "the key's policy must allow `kms:GenerateDataKey*` and `kms:Decrypt` to the service `s3.amazonaws.com`; \
                 `{action}` is denied"
            ));
        }
    }
    Finding::passed(check, format!("S3 may use the key `{shown}`"))
}

/// Whether a policy lets S3 do something on behalf of the connection's bucket.
fn service_may(
    connection: &InboundConnection,
    account: &str,
    (action, arn): (&str, &str),
    more: &[(&str, String)],
    policy: &Policy,
) -> bool {
    let bucket = format!("arn:aws:s3:::{}", connection.bucket.name);
    let mut context = Context::new();
    context
        .set("aws:SecureTransport", "true")
        .set("aws:PrincipalIsAWSService", "true")
        .set("aws:PrincipalServiceName", "s3.amazonaws.com")
        .set("aws:SourceArn", bucket.as_str())
        .set("aws:SourceAccount", account);
    for (name, value) in more {
        context.set(*name, value.as_str());
    }
    let request = Request {
        principal: Principal::Service { name: "s3.amazonaws.com".to_owned() },
        ids: PrincipalIds::default(),
        action: action.to_owned(),
        resource: Resource { arn: arn.to_owned(), account: AccountId::new(account).ok() },
        context,
    };
    let policies = Policies { resource: Some(policy), ..Policies::default() };
    decide(&request, &policies).is_allowed()
}

/// Whether the topic's policy lets S3 publish.
fn publishing(connection: &InboundConnection, topic: &str, account: &str, text: &str) -> Finding {
    let check = "policy of the topic";
    let policy = match Policy::parse(text, PolicySource::new(PolicyKind::Topic, topic)) {
        Ok(policy) => policy,
        Err(error) => {
            let message = format!("{}:{}: {}", error.line(), error.column(), error.message());
            return Finding::new(check, Verdict::Failed, message).with_help(error.help());
        }
    };
    let bucket = format!("arn:aws:s3:::{}", connection.bucket.name);
    if service_may(connection, account, ("SNS:Publish", topic), &[], &policy) {
        Finding::passed(check, format!("S3 may publish events of `{bucket}`"))
    } else {
        let message = format!("S3 may not publish events of `{bucket}` of the account `{account}`");
        Finding {
            action: Some("SNS:Publish".to_owned()),
            resource: Some(topic.to_owned()),
            ..Finding::new(check, Verdict::Failed, message)
        }
        .with_help("`import policy --merge FILE` adds the statement and keeps what is there")
    }
}

/// The subscription of the connection's endpoint.
pub(super) async fn subscription(
    config: &ImportConfig,
    connection: &InboundConnection,
    sns: Option<&SnsTopic>,
    findings: &mut Vec<Finding>,
) -> Result<(), StateError> {
    let check = "subscription";
    let urls = config.endpoint_urls();
    let (Some(topic), Some(url)) = (&connection.topic_arn, urls.get(&connection.name)) else {
        let message = "the import has no endpoint for this connection: files are found by listing alone";
        findings.push(Finding::new(check, Verdict::Skipped, message));
        return Ok(());
    };
    let protocol = url.split_once("://").map_or("https", |(protocol, _)| protocol);
    let subscribe =
        format!("subscribe `{url}` to the topic by the protocol `{protocol}` while `import` runs");
    if let Some(sns) = sns
        && let Ok(found) = sns.subscription(url).await
    {
        listed(connection, url, found, &subscribe, findings);
        return Ok(());
    }
    // What the topic does not tell, the import has noted.
    let known = match Inbox::look(&config.state_dir)? {
        Some(inbox) => inbox.subscription(&connection.name, topic)?,
        None => Subscription::Pending,
    };
    findings.push(match known {
        Subscription::Confirmed { arn, .. } => Finding::passed(check, format!("`{arn}` is confirmed")),
        Subscription::Pending => {
            Finding::new(check, Verdict::Failed, "nobody has subscribed the endpoint yet")
                .with_help(subscribe)
        }
        Subscription::Ended { since, .. } => {
            Finding::new(check, Verdict::Failed, format!("the subscription was ended at {since}"))
                .with_help(subscribe)
        }
    });
    Ok(())
}

/// The subscription as SNS lists it.
fn listed(
    connection: &InboundConnection,
    url: &str,
    found: Option<SubscriptionView>,
    subscribe: &str,
    findings: &mut Vec<Finding>,
) {
    let check = "subscription";
    let Some(found) = found else {
        let message = format!("the topic has no subscription of `{url}`");
        findings.push(Finding::new(check, Verdict::Failed, message).with_help(subscribe));
        return;
    };
    let Some(arn) = found.arn else {
        let message = format!("the subscription of `{url}` waits for its confirmation");
        findings.push(Finding::new(check, Verdict::Failed, message).with_help(
            "the endpoint must be reachable from outside while `import` runs; then request the confirmation again",
        ));
        return;
    };
    findings.push(Finding::passed(check, format!("`{arn}` is confirmed")));
    if let Some(filter) = found.filter {
        let message =
            format!("only messages that pass {filter} are sent; other files wait for the next listing");
        findings.push(Finding::new("filter of the subscription", Verdict::Failed, message).with_help(
            "remove the subscription's filter policy; the bucket's notification has a filter of its own",
        ));
    }
    if found.is_raw && !connection.raw_delivery {
        let message = "messages are delivered raw, so they have no signature and are refused";
        findings.push(
            Finding::new("form of messages", Verdict::Failed, message)
                .with_help("switch raw message delivery of the subscription off"),
        );
    }
}
