//! The conditions that a vendor documents: what satisfies them, and what they are to refuse.

use bucketproof_authz::Context;
use serde_json::Value;

use super::judge::Judge;
use super::{Finding, KNOWN_ACTIONS, PROBE_NAME, Verdict, is_object_arn, is_of_bucket, matches_pattern};
use crate::profile::{Effect, PolicyStatement, VendorProfile, fill};
use crate::store::{DiagnosisKind, Encryption};

/// The condition key of the header that asks for a canned ACL.
pub(super) const ACL_KEY: &str = "s3:x-amz-acl";

/// One operator and key of a statement.
pub(super) struct Documented<'a> {
    pub(super) statement: &'a PolicyStatement,
    pub(super) operator: &'a str,
    pub(super) key: &'a str,
    pub(super) values: Vec<String>,
}

impl Documented<'_> {
    /// In words.
    pub(super) fn shown(&self) -> String {
        format!("`{}` on `{}`", self.operator, self.key)
    }

    /// An action that the statement is about and a resource as it is documented.
    pub(super) fn subject(&self, bucket: &str, prefix: &str) -> Option<(&'static str, String)> {
        let resources: Vec<String> =
            self.statement.resources.iter().map(|arn| fill(arn, bucket, prefix)).collect();
        // Writes first: they are what headers are about.
        ["s3:PutObject"].into_iter().chain(KNOWN_ACTIONS).find_map(|action| {
            let is_meant = self.statement.actions.iter().any(|pattern| matches_pattern(pattern, action));
            let resource = resources.iter().find(|arn| is_object_arn(arn) != is_of_bucket(action));
            is_meant.then_some(())?;
            Some((action, resource?.clone()))
        })
    }
}

/// Every condition of the documented policy.
pub(super) fn documented_conditions(profile: &VendorProfile) -> Vec<Documented<'_>> {
    let mut found = Vec::new();
    for statement in profile.statements() {
        let operators = statement.condition.as_ref().and_then(Value::as_object).into_iter().flatten();
        for (operator, keys) in operators {
            for (key, values) in keys.as_object().into_iter().flatten() {
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let values = match values {
                    Value::Array(values) => values.iter().map(text).collect(),
                    value => vec![text(value)],
                };
                found.push(Documented { statement, operator, key, values });
            }
        }
    }
    found
}

/// Whether the documented policy refuses writes without their ACL.
pub(crate) fn insists_on_acl(profile: &VendorProfile) -> bool {
    documented_conditions(profile).iter().any(|condition| condition.key.eq_ignore_ascii_case(ACL_KEY))
}

/// The condition keys that an export's own request for `action` has.
pub(super) fn own_context(profile: &VendorProfile, encryption: &Encryption, action: &str) -> Context {
    let mut context = Context::new();
    context.set("aws:SecureTransport", "true").set("aws:MultiFactorAuthPresent", "false");
    if let (Some(acl), "s3:PutObject" | "s3:PutObjectAcl") = (profile.acl(), action) {
        context.set(ACL_KEY, acl);
    }
    if action == "s3:PutObject" {
        match encryption {
            Encryption::BucketDefault => {}
            Encryption::SseS3 => {
                context.set("s3:x-amz-server-side-encryption", "AES256");
            }
            Encryption::SseKms { key_id } => {
                context.set("s3:x-amz-server-side-encryption", "aws:kms");
                if let Some(key) = key_id {
                    context.set("s3:x-amz-server-side-encryption-aws-kms-key-id", key.as_str());
                }
            }
        }
    }
    context
}

/// What the vendor's condition refuses and the given documents let through.
///
/// `page` answers by the vendor's documents, `given` by those of the bucket's owner.
pub(super) fn judge_conditions(
    profile: &VendorProfile,
    (bucket, prefix): (&str, &str),
    encryption: &Encryption,
    (page, given): (&Judge, &Judge),
    findings: &mut Vec<Finding>,
) {
    for condition in documented_conditions(profile) {
        let Some((action, resource)) = condition.subject(bucket, prefix) else { continue };
        let sample = resource.replace('*', PROBE_NAME);
        let own = own_context(profile, encryption, action);
        let with = |value: &str| {
            let mut context = own.clone();
            context.set(condition.key, value);
            context
        };
        let mut absent = own.clone();
        absent.remove(condition.key);
        // Without the key, with another value, and with each value: whichever the condition is about.
        let mut others = vec![absent, with("false"), with("bucketproof-another-value")];
        others.extend(condition.values.iter().map(|value| with(value)));
        let lets_through = others.into_iter().any(|context| {
            !page.ask(action, &sample, context.clone()).is_allowed()
                && given.ask(action, &sample, context).is_allowed()
        });
        let check = format!("condition {}", condition.shown());
        findings.push(if lets_through {
            missing(profile, &condition, (action, resource))
        } else {
            Finding::passed(check, format!("it holds for `{action}`"))
        });
    }
}

/// The finding that a condition is missing.
pub(super) fn missing(
    profile: &VendorProfile,
    condition: &Documented<'_>,
    (action, resource): (&str, String),
) -> Finding {
    let check = format!("condition {}", condition.shown());
    let shown = condition.shown();
    let effect = match condition.statement.effect {
        Effect::Allow => "allows",
        Effect::Deny => "denies",
    };
    let values: Vec<(&str, &str)> =
        vec![("action", action), ("resource", resource.as_str()), ("condition", shown.as_str())];
    let put = |text: &str| {
        values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    };
    let known = profile.doctor_message(DiagnosisKind::ConditionMissing);
    let message = known.map_or_else(
        || format!("the policy lacks the condition {shown} and so lets through what it is to refuse"),
        |known| put(&known.say),
    );
    let help = known.map_or_else(
        || format!("add it to the statement that {effect} `{action}` on `{resource}`"),
        |known| put(&known.help),
    );
    Finding {
        requirement: known.map(|known| known.requirement.clone()),
        action: Some(action.to_owned()),
        resource: Some(resource),
        ..Finding::new(check, Verdict::Failed, message)
    }
    .with_help(help)
}
