//! What stands between a connection and its bucket: each documented permission asked for by its cheapest call, or by
//! reading the documents that were given instead of a bucket.
//!
//! A doctor works under the least policy of the profile: what that policy does not let it see is *not permitted to
//! know*, which is no failure. It writes nothing unless told to; then one object of a fixed name, [`PROBE_NAME`] below
//! the prefix, which it deletes again where deleting is documented.

mod conditions;
mod judge;
mod key_document;
mod live;
mod offline;
mod topic_document;
mod trust_document;

use serde::Serialize;

pub(crate) use conditions::insists_on_acl;
pub use live::{ProbeWrite, examine};
pub use offline::{Documents, examine_documents};
pub use topic_document::examine_topic;

use crate::profile::{Effect, VendorProfile, fill};
use crate::store::Diagnosis;

/// Name of the one object that a doctor may write, below the connection's prefix.
pub const PROBE_NAME: &str = "bucketproof-doctor-probe";

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As documented.
    Passed,
    /// Works, but something is to be seen to.
    Warning,
    /// Not as documented; exports fail or are unsafe.
    Failed,
    /// The documented policy does not let the doctor see.
    NotPermittedToKnow,
    /// Not examined, and why.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked.
    pub check: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The requirement that asks for it, as the profile names it.
    pub requirement: Option<String>,
    /// The action that is missing, if one is.
    pub action: Option<String>,
    /// The resource that it is missing on.
    pub resource: Option<String>,
}

impl Finding {
    pub(crate) fn new(check: impl Into<String>, verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            verdict,
            message: message.into(),
            help: None,
            requirement: None,
            action: None,
            resource: None,
        }
    }

    pub(crate) fn passed(check: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(check, Verdict::Passed, message)
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn diagnosed(check: impl Into<String>, diagnosis: Diagnosis) -> Self {
        let message = if diagnosis.cause == diagnosis.message {
            diagnosis.message
        } else {
            format!("{} ({})", diagnosis.message, diagnosis.cause)
        };
        Self {
            help: Some(diagnosis.help),
            requirement: diagnosis.requirement,
            action: diagnosis.action,
            resource: diagnosis.resource,
            ..Self::new(check, Verdict::Failed, message)
        }
    }
}

/// What a doctor found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    /// `failed` if one check failed.
    pub outcome: Verdict,
    /// The profile.
    pub profile: String,
    /// The bucket.
    pub bucket: String,
    /// The checks, in the order in which they were made.
    pub findings: Vec<Finding>,
}

impl DoctorReport {
    fn of(profile: &VendorProfile, bucket: &str, findings: Vec<Finding>) -> Self {
        Self::with(profile.id().to_string(), bucket, findings)
    }

    /// A report on `profile`, or on what stands for it.
    fn with(profile: String, bucket: &str, findings: Vec<Finding>) -> Self {
        let failed = findings.iter().any(|finding| finding.verdict == Verdict::Failed);
        let warned = findings.iter().any(|finding| finding.verdict == Verdict::Warning);
        let outcome = match (failed, warned) {
            (true, _) => Verdict::Failed,
            (false, true) => Verdict::Warning,
            (false, false) => Verdict::Passed,
        };
        Self { outcome, profile, bucket: bucket.to_owned(), findings }
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.verdict == Verdict::Failed)
    }
}

/// The actions that doctors know a cheap call for; what a documented pattern stands for.
const KNOWN_ACTIONS: [&str; 6] = [
    "s3:ListBucket",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:DeleteObject",
];

/// Whether an action is about a bucket rather than an object.
fn is_of_bucket(action: &str) -> bool {
    matches!(action, "s3:ListBucket" | "s3:GetBucketLocation")
}

/// The known actions that the vendor's documented policy allows on the bucket or its objects, each with the resource
/// as it is documented and filled in. Deny statements take nothing away here: they are conditions on how calls are made.
fn documented(profile: &VendorProfile, bucket: &str, prefix: &str) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for statement in profile.statements().iter().filter(|statement| statement.effect == Effect::Allow) {
        for action in KNOWN_ACTIONS {
            if !statement.actions.iter().any(|pattern| matches_pattern(pattern, action)) {
                continue;
            }
            let resource = statement
                .resources
                .iter()
                .map(|arn| fill(arn, bucket, prefix))
                .find(|arn| is_object_arn(arn) != is_of_bucket(action));
            if let Some(resource) = resource
                && !found.iter().any(|(known, _)| *known == action)
            {
                found.push((action, resource));
            }
        }
    }
    let order = |action: &str| KNOWN_ACTIONS.iter().position(|known| *known == action);
    found.sort_by_key(|(action, _)| order(action));
    found
}

/// Whether the documented policy lets exports use `action`.
pub(crate) fn documents(profile: &VendorProfile, action: &str) -> bool {
    documented(profile, "bucket", "").iter().any(|(known, _)| *known == action)
}

fn is_object_arn(arn: &str) -> bool {
    arn.strip_prefix("arn:aws:s3:::").is_some_and(|path| path.contains('/'))
}

/// Whether `action` matches a pattern with `*` and `?`, in any case, as in policies.
fn matches_pattern(pattern: &str, action: &str) -> bool {
    fn matches(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                matches(rest, text) || text.split_first().is_some_and(|(_, text)| matches(pattern, text))
            }
            (Some((b'?', rest)), Some((_, text))) => matches(rest, text),
            (Some((wanted, rest)), Some((found, text))) => {
                wanted.eq_ignore_ascii_case(found) && matches(rest, text)
            }
            _ => false,
        }
    }
    matches(pattern.as_bytes(), action.as_bytes())
}
