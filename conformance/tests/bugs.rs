//! More than twenty deliberate bugs of an endpoint, a policy or a connector. Each is let loose on the part of the suite that it
//! concerns, and at least one check must notice. None of them is reachable outside of tests: they are the falsifiers'
//! means, put to checks that do not expect them.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::sync::Arc;
use std::time::Duration;

use bucketproof_conformance::check::Check;
use bucketproof_conformance::context::{CheckContext, ScenarioSource};
use bucketproof_conformance::falsifier::{DecisionChange, Falsifier, TextEdit};
use bucketproof_conformance::inventory::Inventory;
use bucketproof_conformance::outcome::Outcome;
use bucketproof_conformance::runner::{self, Event, Settings};
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

/// A bug, and the beginning of the ids of the checks that it is let loose on.
struct Bug {
    what: &'static str,
    change: Falsifier,
    on: &'static str,
    /// A check that must be among those that notice.
    noticed_by: &'static str,
}

#[expect(clippy::too_many_lines, reason = "a table of bugs")]
fn bugs() -> Vec<Bug> {
    let fault = Falsifier::Fault;
    let profile = |find, replace| Falsifier::ProfileEdit(TextEdit::new(find, replace));
    let trust = |find, replace| Falsifier::PolicyEdit {
        file: "policies/suprsend-trust.json".into(),
        edit: TextEdit::new(find, replace),
    };
    let bug = |what, change, on, noticed_by| Bug { what, change, on, noticed_by };
    // What an endpoint does that does not look at a part of a request is what it does without that part.
    let unseen = |find, replace| Falsifier::RequestEdit(TextEdit::new(find, replace));
    // The second attempt asks whether the endpoint keeps conditions at all.
    let lost = || Fault::on(Op::PutObject).skip(2).times(1).refuse(StatusCode::OK, "Ignored", "");
    vec![
        bug(
            "a Deny is ignored",
            Falsifier::Decision(DecisionChange::DeniesIgnored),
            "s3.policy.decision.",
            "s3.policy.decision.deny-wins-over-two-allows",
        ),
        bug(
            "an Allow is ignored",
            Falsifier::Decision(DecisionChange::AllowsIgnored),
            "kms.decision.",
            "kms.decision.grant-to-a-role",
        ),
        bug(
            "conditions are ignored",
            Falsifier::Decision(DecisionChange::ConditionsIgnored),
            "iam.operator.",
            "iam.operator.ip-address",
        ),
        bug(
            "the month is not padded",
            profile("month={t:%m}", "month={t:%-m}"),
            "suprsend_s3_v2.",
            "suprsend_s3_v2.layout.documented-keys",
        ),
        bug(
            "objects have other names",
            profile("{dataset}.parquet", "x{dataset}.parquet"),
            "suprsend_s3_v2.",
            "suprsend_s3_v2.layout.documented-keys",
        ),
        bug(
            "the partition is by the time of the last change",
            profile("time_column = \"created_at\"", "time_column = \"updated_at\""),
            "suprsend_s3_v2.content",
            "suprsend_s3_v2.content.fold",
        ),
        bug(
            "the first version of a row wins",
            profile("version = \"updated_at\"", "version = \"created_at\""),
            "suprsend_s3_v2.content",
            "suprsend_s3_v2.content.fold",
        ),
        bug(
            "the second write is acknowledged and lost",
            fault(lost()),
            "suprsend_s3_v2.content",
            "suprsend_s3_v2.content.fold",
        ),
        bug(
            "a row is lost when the answer to its write is",
            fault(Fault::on(Op::PutObject).skip(3).refuse(StatusCode::OK, "Ignored", "")),
            "suprsend_s3_v2.content.lost-answer",
            "suprsend_s3_v2.content.lost-answer",
        ),
        bug(
            "a splice loses a row group",
            Falsifier::RowGroupLost,
            "suprsend_s3_v2.content",
            "suprsend_s3_v2.content.row-groups",
        ),
        bug(
            "a stale write replaces a newer object",
            fault(Fault::on(Op::PutObject).ignore_header("if-match")),
            "s3.put-object.",
            "s3.put-object.if-match.stale-etag",
        ),
        bug(
            "a conditional completion overwrites",
            fault(Fault::on(Op::CompleteMultipartUpload).ignore_header("if-none-match")),
            "s3.multipart.",
            "s3.multipart.if-none-match",
        ),
        bug(
            "a bit of each object is flipped",
            fault(Fault::on(Op::GetObject).corrupt_body()),
            "s3.",
            "s3.multipart.part-replaced",
        ),
        bug(
            "a wrong checksum is accepted",
            fault(Fault::on(Op::PutObject).ignore_header("x-amz-checksum-sha256")),
            "s3.checksum",
            "s3.checksum.sha256.wrong",
        ),
        bug(
            "ranges are ignored",
            fault(Fault::on(Op::GetObject).ignore_header("range")),
            "s3.get-object.",
            "s3.get-object.range.suffix",
        ),
        bug(
            "a delete is acknowledged and forgotten",
            fault(Fault::on(Op::DeleteObject).refuse(StatusCode::NO_CONTENT, "Ignored", "")),
            "s3.",
            "s3.version.delete-marker",
        ),
        bug(
            "objects carry another ETag",
            fault(Fault::on(Op::HeadObject).header("etag", "\"0\"")),
            "s3.",
            "s3.multipart.round-trip",
        ),
        bug(
            "listings lose their end",
            fault(
                Fault::on(Op::ListObjectsV2)
                    .body("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"),
            ),
            "s3.list-objects-v2.",
            "s3.list-objects-v2.pages",
        ),
        bug(
            "unsigned and foreign requests are let in",
            fault(Fault::on(Op::GetObject).status(StatusCode::OK)),
            "auth.",
            "auth.anonymous.denied",
        ),
        bug("nothing ever expires", Falsifier::ClockStands, "auth.", "auth.session.expired"),
        bug(
            "the endpoint's clock is an hour ahead",
            Falsifier::ClockAhead(Duration::from_hours(1)),
            "auth.",
            "auth.presigned.get",
        ),
        bug(
            "a role is assumed without its external id",
            trust("StringEquals", "StringEqualsIfExists"),
            "suprsend_s3_v2.access",
            "suprsend_s3_v2.access.external-id.missing",
        ),
        bug(
            "a report takes the place of another",
            fault(Fault::on(Op::PutObject).ignore_header("if-none-match")),
            "split_events_import.",
            "split_events_import.report.immutable",
        ),
        bug(
            "the import's file is damaged on the way",
            fault(Fault::on(Op::GetObject).corrupt_body()),
            "split_events_import.",
            "split_events_import.files.codecs",
        ),
        bug(
            "writes forget the owner of the bucket",
            profile("acl = \"bucket-owner-full-control\"", ""),
            "permutive_batch.",
            "permutive_batch.headers.acl",
        ),
        bug(
            "days are padded where the page has them bare",
            profile("day={t:%-d}", "day={t:%d}"),
            "permutive_batch.",
            "permutive_batch.layout.key",
        ),
        bug(
            "the key's policy does not let the vendor encrypt",
            profile("\"kms:GenerateDataKey\"", "\"kms:Verify\""),
            "split_impressions_export.",
            "split_impressions_export.access.key-policy",
        ),
        bug(
            "objects are not packed",
            profile("compression = \"gzip\"", "compression = \"none\""),
            "datafly_s3.",
            "datafly_s3.format.json-gz",
        ),
        bug(
            "a misspelt column is put right",
            profile("name = \"profile_county\"", "name = \"profile_country\""),
            "adapty_s3.",
            "adapty_s3.schema.events",
        ),
        bug(
            "the prefix of an event filter is ignored",
            unseen("<Value>raw/</Value>", "<Value></Value>"),
            "events.filter",
            "events.filter",
        ),
        bug("events are lost", fault(Fault::on_events().lose_event()), "events.", "events.put.record"),
        bug(
            "events are told twice",
            fault(Fault::on_events().duplicate_event()),
            "events.",
            "events.failed-put",
        ),
        bug(
            "a signature for another service is accepted",
            unseen("sign-service: sts", "sign-service: s3"),
            "auth.sigv4.wrong-service",
            "auth.sigv4.wrong-service",
        ),
        bug(
            "a signature for a region that there is not is accepted",
            unseen("sign-region: aws-global", "sign-region: {region}"),
            "auth.sigv4.wrong-region",
            "auth.sigv4.wrong-region",
        ),
        bug(
            "a header of AWS that is not signed is accepted",
            unseen("unsigned x-amz-meta-stray", "x-amz-meta-stray"),
            "auth.sigv4.unsigned-header",
            "auth.sigv4.unsigned-header",
        ),
        bug(
            "a bucket of another region is served instead of redirected",
            fault(Fault::on(Op::ListObjectsV2).status(StatusCode::OK)),
            "s3.bucket.",
            "s3.bucket.other-region",
        ),
        bug(
            "the ETag under a key of KMS is the MD5",
            fault(Fault::on(Op::HeadObject).header("etag", "\"5ebe2294ecd0e0f08eab7690d2a6ee69\"")),
            "s3.encryption.kms.etag",
            "s3.encryption.kms.etag",
        ),
        bug(
            "notifications are signed over their fields in another order",
            unseen("Timestamp TopicArn", "TopicArn Timestamp"),
            "sns.delivery.signature",
            "sns.delivery.signature",
        ),
        bug(
            "a filter of a subscription is ignored",
            fault(Fault::on(Op::SetSubscriptionAttributes).refuse(StatusCode::OK, "Ignored", "")),
            "sns.filter.",
            "sns.filter.attributes",
        ),
        bug(
            "Object Lock does not stop a delete",
            fault(Fault::on(Op::DeleteObject).refuse(StatusCode::NO_CONTENT, "Ignored", "")),
            "s3.lock.",
            "s3.lock.compliance.no-bypass",
        ),
        bug(
            "lifecycle rules never run",
            Falsifier::ClockStands,
            "s3.lifecycle.",
            "s3.lifecycle.expires.days",
        ),
        bug(
            "an ACL in a header is ignored",
            fault(Fault::on(Op::PutObject).ignore_header("x-amz-acl")),
            "s3.acl.",
            "s3.acl.ownership.full-control",
        ),
        bug(
            "the owner that a request expects is ignored",
            fault(Fault::on(Op::GetObject).ignore_header("x-amz-expected-bucket-owner")),
            "s3.policy.",
            "s3.policy.expected-owner.wrong",
        ),
        bug(
            "another customer's key reads an object",
            fault(Fault::on(Op::GetObject).status(StatusCode::OK)),
            "s3.encryption.",
            "s3.encryption.customer-key.get.other-key",
        ),
        bug(
            "the size that a form's policy allows is ignored",
            unseen("[\"content-length-range\",1,5]", "[\"content-length-range\",1,500]"),
            "s3.post.policy.too-large",
            "s3.post.policy.too-large",
        ),
        bug(
            "a policy that is deleted stays in force",
            fault(Fault::on(Op::DeleteUserPolicy).refuse(StatusCode::OK, "Ignored", "")),
            "iam.",
            "iam.policy.put-is-in-force",
        ),
        bug(
            "the first write of an export is acknowledged and not made",
            fault(Fault::on(Op::PutObject).times(1).refuse(StatusCode::OK, "Ignored", "")),
            "engine.",
            "engine.no-news.adapty_s3",
        ),
    ]
}

/// The checks that fail under a bug.
async fn noticed(bug: &Bug) -> Vec<String> {
    let inventory = Inventory::collect().unwrap();
    let on = inventory.checks().iter().filter(|check| check.id.as_str().starts_with(bug.on));
    let on: Vec<Arc<Check>> = on.cloned().collect();
    assert!(!on.is_empty(), "{}: no check begins with `{}`", bug.what, bug.on);
    let scenario = Arc::new(ScenarioSource::embedded());
    let context = |_: &_| CheckContext::new(Arc::clone(&scenario)).falsified_by(bug.change.clone());
    let mut failed = Vec::new();
    runner::run(&on, context, &Settings::default(), |event| {
        if let Event::CheckFinished { id, outcome: Outcome::Failed(_), .. } = event {
            failed.push(id.as_str().to_owned());
        }
    })
    .await;
    failed.sort();
    failed
}

/// The list of the README, a line a bug.
#[test]
fn the_readme_lists_the_bugs() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let lines: Vec<String> =
        bugs().iter().map(|bug| format!("- {}: `{}`", bug.what, bug.noticed_by)).collect();
    let section = readme.split("\n## Deliberate bugs\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let listed: Vec<&str> = section.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(listed, lines, "put this into the README:\n{}", lines.join("\n"));
}

/// Shown with `--nocapture`: each bug with the checks that notice it.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_deliberate_bugs_are_noticed() {
    let bugs = bugs();
    assert!(bugs.len() >= 20);
    let mut missed = Vec::new();
    for bug in &bugs {
        let failed = noticed(bug).await;
        println!(
            "{}: {} checks, such as {}",
            bug.what,
            failed.len(),
            failed.first().map_or("none", String::as_str)
        );
        if !failed.iter().any(|id| id == bug.noticed_by) {
            missed.push(format!("{}: not by `{}`, but by {failed:?}", bug.what, bug.noticed_by));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
