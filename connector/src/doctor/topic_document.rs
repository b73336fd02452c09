//! The policy of the topic that a bucket sends its events to.

use bucketproof_authz::{AccountId, Context, Policy, PolicyKind, PolicySource, Principal};

use super::judge::{Judge, obstacle};
use super::{DoctorReport, Finding, Verdict};

/// Another bucket, and another account, that are to publish nothing.
const OTHER_BUCKET: &str = "arn:aws:s3:::bucketproof-another-bucket";
const OTHER_ACCOUNT: &str = "999999999999";
const PUBLISH: &str = "SNS:Publish";
const SERVICE: &str = "s3.amazonaws.com";
const PRINT: &str = "`import policy --topic` prints the whole policy";

/// Compares the policy of a topic with what lets S3 publish the events of one bucket of one account, and no others.
///
/// `account` owns the bucket; that of the topic if not given.
pub fn examine_topic(text: &str, topic: &str, bucket: &str, account: Option<&str>) -> DoctorReport {
    let mut findings = Vec::new();
    judge_topic(text, topic, (bucket, account), &mut findings);
    DoctorReport::with(topic.to_owned(), bucket, findings)
}

fn judge_topic(
    text: &str,
    topic: &str,
    (bucket, account): (&str, Option<&str>),
    findings: &mut Vec<Finding>,
) {
    let check = "policy of the topic";
    let policy = match Policy::parse(text, PolicySource::new(PolicyKind::Topic, topic)) {
        Ok(policy) => policy,
        Err(error) => {
            let message = format!("{}:{}: {}", error.line(), error.column(), error.message());
            findings.push(Finding::new(check, Verdict::Failed, message).with_help(error.help()));
            return;
        }
    };
    let owner = topic.split(':').nth(4).unwrap_or_default();
    let account = account.unwrap_or(owner);
    let Ok(of_topic) = AccountId::new(owner) else {
        let message = format!("`{topic}` is no ARN of a topic");
        let finding = Finding::new(check, Verdict::Failed, message);
        findings.push(finding.with_help("write it as `arn:aws:sns:eu-central-1:123456789012:events`"));
        return;
    };
    let judge = Judge {
        principal: Principal::Service { name: SERVICE.to_owned() },
        account: of_topic,
        identity: Vec::new(),
        resource: Some(policy),
    };
    let bucket = format!("arn:aws:s3:::{bucket}");
    let publishes = |source: &str, account: &str| {
        let mut context = Context::new();
        context
            .set("aws:SecureTransport", "true")
            .set("aws:PrincipalIsAWSService", "true")
            .set("aws:PrincipalServiceName", SERVICE)
            .set("aws:SourceArn", source)
            .set("aws:SourceAccount", account);
        judge.ask(PUBLISH, topic, context)
    };
    let named = |finding: Finding| Finding {
        action: Some(PUBLISH.to_owned()),
        resource: Some(topic.to_owned()),
        ..finding
    };
    let decision = publishes(&bucket, account);
    if !decision.is_allowed() {
        let message = format!(
            "S3 may not publish events of `{bucket}` of the account `{account}`: {}",
            obstacle(&decision)
        );
        findings.push(named(Finding::new(check, Verdict::Failed, message)).with_help(PRINT));
        return;
    }
    findings.push(Finding::passed(check, format!("S3 may publish events of `{bucket}`")));
    // Whose events besides get through tells which condition is missing.
    let any_account = publishes(&bucket, OTHER_ACCOUNT).is_allowed();
    let any_bucket = publishes(OTHER_BUCKET, account).is_allowed();
    let anybody = publishes(OTHER_BUCKET, OTHER_ACCOUNT).is_allowed();
    let verdict = if anybody { Verdict::Failed } else { Verdict::Warning };
    for (is_missing, condition, who) in [
        (any_account, "`StringEquals` on `aws:SourceAccount`", "a bucket of that name in another account"),
        (any_bucket, "`ArnLike` on `aws:SourceArn`", "any bucket of the account"),
    ] {
        let check = format!("condition {condition}");
        findings.push(if is_missing {
            let who = if anybody { "any bucket of any account" } else { who };
            let message = format!("the condition {condition} is missing: {who} could publish to the topic");
            named(Finding::new(check, verdict, message)).with_help(PRINT)
        } else {
            Finding::passed(check, "it holds")
        });
    }
}
