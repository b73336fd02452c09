//! Policy documents, of every profile, judged without a bucket.

use std::collections::BTreeSet;

use bucketproof_connector::doctor::{DoctorReport, Documents, Verdict, examine_documents, examine_topic};
use bucketproof_connector::names::BucketName;
use bucketproof_connector::policy::{identity_policy_below, key_identity_policy, key_policy, trust_policy};
use bucketproof_connector::profile::{KeyPrefix, PolicyAttachment, VendorProfile};
use serde_json::{Value, json};

use super::place::{BUCKET, PREFIX, all_profiles, for_vendor};

const EXPORTER: &str = "arn:aws:iam::444455556666:user/exporter";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0f0f0f0f-0000-4000-8000-000000000000";

fn prefix(profile: &VendorProfile) -> KeyPrefix {
    profile.prefix_of(&KeyPrefix::new(PREFIX).unwrap())
}

/// The documented policy as its owner has it, and where it is given to the doctor.
fn access(profile: &VendorProfile, policy: &Value) -> Documents {
    let base = Documents { prefix: prefix(profile), ..Documents::default() };
    match profile.policy_attachment() {
        PolicyAttachment::Identity => {
            Documents { identity: Some(("p.json".to_owned(), policy.to_string())), ..base }
        }
        PolicyAttachment::Bucket => Documents {
            bucket: Some(("p.json".to_owned(), for_vendor(&policy.to_string()))),
            principal: Some(EXPORTER.to_owned()),
            ..base
        },
    }
}

fn documented(profile: &VendorProfile) -> Value {
    let bucket = BucketName::new(BUCKET).unwrap();
    serde_json::from_str(&identity_policy_below(profile, &bucket, &prefix(profile))).unwrap()
}

fn failures(report: &DoctorReport) -> BTreeSet<(String, String)> {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    report.failures().map(|finding| (text(&finding.action), text(&finding.resource))).collect()
}

/// Each action with its resource, as the doctor names them.
fn allowed(profile: &VendorProfile) -> BTreeSet<(String, String)> {
    let nothing = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": ["s3:GetObjectTagging"], "Resource": ["arn:aws:s3:::customer-exports/*"] },
    ] });
    failures(&examine_documents(profile, BUCKET, &access(profile, &nothing)))
}

/// Takes a text out of a list of every statement.
fn without(policy: &Value, member: &str, gone: &str) -> Value {
    let mut policy = policy.clone();
    let statements = policy["Statement"].as_array_mut().unwrap();
    for statement in &mut *statements {
        let list = statement[member].as_array_mut().unwrap();
        list.retain(|value| value != gone);
    }
    statements.retain(|statement| !statement[member].as_array().unwrap().is_empty());
    policy
}

/// Claims PER-35, PER-44, PER-45, SPL-59, SUP-75.
#[test]
fn each_action_and_resource_that_a_document_lacks_is_named_and_nothing_else() {
    for (_, profile) in all_profiles() {
        let policy = documented(&profile);
        let whole = examine_documents(&profile, BUCKET, &access(&profile, &policy));
        assert_eq!(whole.failures().count(), 0, "{}: {whole:#?}", profile.id());
        let allowed = allowed(&profile);
        assert!(allowed.len() >= 2, "{}", profile.id());
        for (action, resource) in &allowed {
            // Patterns are taken apart, so that one action can be dropped.
            let rest: Vec<Value> = allowed
                .iter()
                .filter(|(other, _)| other != action)
                .map(|(action, resource)| {
                    let known = profile.statements().iter().find(|known| known.actions.contains(action));
                    let mut statement =
                        json!({ "Effect": "Allow", "Action": [action], "Resource": [resource] });
                    if let Some(condition) = known.and_then(|known| known.condition.clone()) {
                        statement["Condition"] = condition;
                    }
                    statement
                })
                .collect();
            let policy = json!({ "Version": "2012-10-17", "Statement": rest });
            let report = examine_documents(&profile, BUCKET, &access(&profile, &policy));
            let expected = BTreeSet::from([(action.clone(), resource.clone())]);
            assert_eq!(failures(&report), expected, "{}: {report:#?}", profile.id());
            assert!(report.failures().all(|finding| finding.requirement.is_some()), "{report:#?}");
            let help = report.failures().next().unwrap().help.clone().unwrap();
            assert!(help.contains(action.as_str()) && help.contains(resource.as_str()), "{help}");
        }
        let resources: BTreeSet<&String> = allowed.iter().map(|(_, resource)| resource).collect();
        for dropped in resources {
            let report = examine_documents(
                &profile,
                BUCKET,
                &access(&profile, &without(&policy, "Resource", dropped)),
            );
            let gone: BTreeSet<_> =
                allowed.iter().filter(|(_, resource)| resource == dropped).cloned().collect();
            assert_eq!(failures(&report), gone, "{}, {dropped}: {report:#?}", profile.id());
        }
    }
}

/// Claims PER-46, PER-51: a condition that is missing, and one that is misspelt so that it refuses the export itself.
#[test]
fn conditions_that_are_missing_or_wrong_are_named() {
    let profile = VendorProfile::named("permutive_batch").unwrap();
    let mut open = documented(&profile);
    open["Statement"][0].as_object_mut().unwrap().remove("Condition");
    let report = examine_documents(&profile, BUCKET, &access(&profile, &open));
    let failed: Vec<_> = report.failures().collect();
    assert_eq!(failed.len(), 1, "{report:#?}");
    assert_eq!(failed[0].check, "condition `StringEquals` on `s3:x-amz-acl`");
    assert_eq!(failed[0].requirement.as_deref(), Some("PER-46"));
    assert_eq!(failed[0].action.as_deref(), Some("s3:PutObject"));

    let mut wrong = documented(&profile);
    wrong["Statement"][0]["Condition"] = json!({ "StringEquals": { "s3:x-amz-acl": "private" } });
    let report = examine_documents(&profile, BUCKET, &access(&profile, &wrong));
    let named: Vec<_> = report.failures().map(|finding| finding.action.clone().unwrap()).collect();
    // The documented condition refuses the other ACL, which this one lets through: that is a third failure.
    assert_eq!(named[..2], ["s3:PutObject", "s3:PutObjectAcl"], "{report:#?}");
    let message = &report.failures().next().unwrap().message;
    assert!(
        message.contains("its condition `StringEquals` on `s3:x-amz-acl` asks for `private`"),
        "{message}"
    );
    let shape = for_vendor(&documented(&profile).to_string()).replace("StringEquals", "StringEqual");
    let documents = Documents { bucket: Some(("p.json".to_owned(), shape)), ..Documents::default() };
    let report = examine_documents(&profile, BUCKET, &documents);
    let message = &report.failures().next().unwrap().message;
    assert!(message.starts_with("p.json:1:") && message.contains("StringEqual"), "{message}");
}

/// Claims SPL-61: a policy that covers more than the write location works, and is to be narrowed.
#[test]
fn a_policy_of_more_than_the_write_location_is_to_be_narrowed() {
    let profile = VendorProfile::named("split_impressions_export").unwrap();
    let bucket = BucketName::new(BUCKET).unwrap();
    let wide: Value =
        serde_json::from_str(&identity_policy_below(&profile, &bucket, &KeyPrefix::default())).unwrap();
    let report = examine_documents(&profile, BUCKET, &access(&profile, &wide));
    assert_eq!((report.outcome, report.failures().count()), (Verdict::Warning, 0), "{report:#?}");
    let warned = report.findings.iter().find(|finding| finding.check == "resource of the prefix").unwrap();
    assert_eq!(
        warned.help.as_deref(),
        Some("narrow the resource to `arn:aws:s3:::customer-exports/exports/*`")
    );
    let narrow = documented(&profile);
    assert_eq!(examine_documents(&profile, BUCKET, &access(&profile, &narrow)).outcome, Verdict::Passed);
    // The location moved, the policy did not.
    let moved = Documents { prefix: KeyPrefix::new("other").unwrap(), ..access(&profile, &narrow) };
    let report = examine_documents(&profile, BUCKET, &moved);
    let message = &report.failures().next().unwrap().message;
    assert!(message.contains("its resource is `arn:aws:s3:::customer-exports/exports/*`"), "{message}");
}

/// Claims SPL-62, PER-54: each action that the key's policy lacks, and whom it is for.
#[test]
fn each_action_that_the_policy_of_a_key_lacks_is_named() {
    let mut judged = 0;
    for (_, profile) in all_profiles() {
        let Some(policy) = profile.key_policy().filter(|policy| !policy.statements.is_empty()) else {
            continue;
        };
        judged += 1;
        let text = key_policy(&profile, "111122223333", EXPORTER).unwrap();
        let whole: Value = serde_json::from_str(&text).unwrap();
        let documents = |key: &Value, principal: &str| Documents {
            key: Some(("k.json".to_owned(), key.to_string())),
            principal: Some(principal.to_owned()),
            account: Some("111122223333".to_owned()),
            ..Documents::default()
        };
        let report = examine_documents(&profile, BUCKET, &documents(&whole, EXPORTER));
        assert_eq!(report.outcome, Verdict::Passed, "{}: {report:#?}", profile.id());
        let actions: BTreeSet<&str> = policy.vendor_actions().collect();
        for dropped in &actions {
            let mut lacking = whole.clone();
            lacking["Statement"][1]["Action"].as_array_mut().unwrap().retain(|action| action != dropped);
            let report = examine_documents(&profile, BUCKET, &documents(&lacking, EXPORTER));
            let named: Vec<_> = report.failures().map(|finding| finding.action.clone().unwrap()).collect();
            assert_eq!(named, [*dropped], "{}: {report:#?}", profile.id());
            assert!(report.failures().all(|finding| finding.requirement.is_some()));
        }
        let stranger = "arn:aws:iam::444455556666:user/another";
        let report = examine_documents(&profile, BUCKET, &documents(&whole, stranger));
        assert_eq!(report.failures().count(), actions.len(), "{report:#?}");
        let mut ownerless = whole.clone();
        ownerless["Statement"].as_array_mut().unwrap().remove(0);
        let report = examine_documents(&profile, BUCKET, &documents(&ownerless, EXPORTER));
        assert_eq!(report.outcome, Verdict::Warning, "{report:#?}");
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.check == "owner of the key" && finding.verdict == Verdict::Warning)
        );
    }
    assert_eq!(judged, 3, "Split and both of Permutive's");
}

/// Claims PER-54, DAT-Q05: a key in one's own account may leave the decision to the policies of users; then theirs count.
#[test]
fn a_key_that_trusts_its_account_is_judged_together_with_the_users_policy() {
    let profile = VendorProfile::named("permutive_stream").unwrap();
    let user = "arn:aws:iam::111122223333:user/permutive-streaming";
    let delegating = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "kms:*", "Resource": "*" },
    ] });
    let examined = |identity: &Value| {
        let documents = Documents {
            identity: Some(("p.json".to_owned(), identity.to_string())),
            key: Some(("k.json".to_owned(), delegating.to_string())),
            principal: Some(user.to_owned()),
            prefix: prefix(&profile),
            ..Documents::default()
        };
        let report = examine_documents(&profile, BUCKET, &documents);
        report.failures().map(|finding| finding.action.clone().unwrap()).collect::<Vec<_>>()
    };
    let alone = documented(&profile);
    assert_eq!(examined(&alone), ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]);
    let with_key: Value = serde_json::from_str(&key_identity_policy(&profile, KEY).unwrap()).unwrap();
    let mut both = alone.clone();
    let mut statement = with_key["Statement"][0].clone();
    statement["Resource"] = json!("*");
    both["Statement"].as_array_mut().unwrap().push(statement);
    assert_eq!(examined(&both), Vec::<String>::new());
    let datafly = VendorProfile::named("datafly_s3").unwrap();
    let statement = key_identity_policy(&datafly, KEY).unwrap();
    assert!(statement.contains("kms:GenerateDataKey") && statement.contains(KEY), "{statement}");
}

/// Claims SUP-54, SUP-56: a trust policy that anybody may use, and one that compares the external id loosely.
#[test]
fn trust_policies_are_judged_by_who_may_assume_the_role() {
    let profile = VendorProfile::named("suprsend_s3_v2").unwrap();
    let whole = trust_policy(&profile, "Ab-12").unwrap();
    let examined = |text: &str| {
        let trust = Some(("t.json".to_owned(), text.to_owned()));
        let documents = Documents { trust, external_id: Some("Ab-12".to_owned()), ..Documents::default() };
        let report = examine_documents(&profile, BUCKET, &documents);
        report
            .failures()
            .map(|finding| (finding.check.clone(), finding.requirement.clone().unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    let named = |list: &[(&str, &str)]| {
        list.iter().map(|(check, id)| ((*check).to_owned(), (*id).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(examined(&whole), []);
    let anybody = whole.replace("arn:aws:iam::924219879248:root", "*");
    assert_eq!(examined(&anybody), named(&[("role of strangers", "")]));
    let loose = whole.replace("StringEquals", "StringLike").replace("\"Ab-12\"", "\"*\"");
    assert_eq!(examined(&loose), named(&[("external id exactly", "SUP-56")]));
    let other = whole.replace("sts:AssumeRole", "sts:TagSession");
    assert_eq!(examined(&other), named(&[("role with external id", "SUP-74")]));
}

/// A policy of the bucket that denies what the policy of the user allows.
#[test]
fn a_deny_of_the_bucket_is_found_beside_the_policy_of_the_user() {
    let profile = VendorProfile::named("datafly_s3").unwrap();
    let deny = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "OnlyKms", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
        "Condition": { "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } },
    }] });
    let mut documents = access(&profile, &documented(&profile));
    documents.bucket = Some(("b.json".to_owned(), deny.to_string()));
    let report = examine_documents(&profile, BUCKET, &documents);
    let failed: Vec<_> = report.failures().collect();
    assert_eq!(failed.len(), 1, "{report:#?}");
    assert!(failed[0].message.contains("statement `OnlyKms` (line 1) denies it"), "{}", failed[0].message);
    documents.encryption = bucketproof_connector::store::Encryption::SseKms { key_id: None };
    assert_eq!(examine_documents(&profile, BUCKET, &documents).failures().count(), 0);
}

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:events";

/// The policy of a topic with its conditions, after a change of its statement; checks that did not pass.
fn examined_topic(change: impl FnOnce(&mut Value)) -> Vec<(String, Verdict, String)> {
    let mut policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "S3 Events Notification", "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
        "Action": "SNS:Publish", "Resource": TOPIC,
        "Condition": {
            "StringEquals": { "aws:SourceAccount": "111122223333" },
            "ArnLike": { "aws:SourceArn": format!("arn:aws:s3:::{BUCKET}") },
        },
    }] });
    change(&mut policy["Statement"][0]);
    let report = examine_topic(&policy.to_string(), TOPIC, BUCKET, None);
    let wrong = report.findings.into_iter().filter(|finding| finding.verdict != Verdict::Passed);
    wrong.map(|finding| (finding.check, finding.verdict, finding.message)).collect()
}

/// Each element of a topic's policy that is dropped or wrong is named, from the document alone.
#[test]
fn each_element_of_the_policy_of_a_topic_is_named_when_it_is_missing() {
    assert_eq!(examined_topic(|_| {}), []);
    for (member, value, words) in [
        ("Action", json!("SNS:Subscribe"), "no statement that allows names the action"),
        ("Resource", json!("arn:aws:sns:us-east-1:111122223333:other"), "its resource is"),
        ("Principal", json!({ "Service": "s3.example.com" }), "its principal is"),
    ] {
        let found = examined_topic(|statement| statement[member] = value);
        let [(check, Verdict::Failed, message)] = &found[..] else { panic!("{member}: {found:?}") };
        assert!(check == "policy of the topic" && message.contains(words), "{member}: {message}");
    }
    let wrong_bucket = examined_topic(|statement| {
        statement["Condition"]["ArnLike"]["aws:SourceArn"] = json!("arn:aws:s3:::another");
    });
    assert!(
        wrong_bucket[0].2.contains("its condition `ArnLike` on `aws:SourceArn` asks for"),
        "{wrong_bucket:?}"
    );
    for (operator, key) in [("StringEquals", "aws:SourceAccount"), ("ArnLike", "aws:SourceArn")] {
        let found = examined_topic(|statement| {
            statement["Condition"].as_object_mut().unwrap().remove(operator);
        });
        let [(check, Verdict::Warning, _)] = &found[..] else { panic!("{key}: {found:?}") };
        assert_eq!(*check, format!("condition `{operator}` on `{key}`"));
    }
    let open = examined_topic(|statement| {
        statement.as_object_mut().unwrap().remove("Condition");
    });
    assert_eq!(open.len(), 2);
    let told = |message: &str| message.contains("any bucket of any account could publish");
    assert!(open.iter().all(|(_, verdict, message)| *verdict == Verdict::Failed && told(message)));
    assert_eq!(examine_topic("{", TOPIC, BUCKET, None).failures().count(), 1);
    assert_eq!(examine_topic("{}", "events", BUCKET, None).failures().count(), 1);
}
