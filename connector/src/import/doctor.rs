//! What stands between an inbound connection and its files: topic, notification, subscription, permissions.
//!
//! It asks with what the vendor documents (`s3:Get*` on the bucket covers its notification) and writes nothing. What only
//! the owner of the topic can see is judged from the document that the owner prints.

mod topic;

use super::config::{ImportConfig, InboundConnection};
use super::engine::ImportError;
use super::store::{FoundFile, InboundStore as _};
use crate::doctor::{DoctorReport, Finding, PROBE_NAME, Verdict};
use crate::names::ObjectKey;
use crate::state::StateError;
use crate::store::{NotificationRule, Probed, S3Store, SnsTopic, StoreError};

/// What announces a file, however it came to be.
const CREATIONS: [&str; 4] = [
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
];
/// Keys that a finding names.
const NAMED_MAX: usize = 3;

/// What the owner of a topic prints, where who imports cannot see it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TopicDocuments<'a> {
    /// The policy of the topic.
    pub policy: Option<&'a str>,
    /// The policy of the KMS key that its messages are encrypted with.
    pub key_policy: Option<&'a str>,
}

/// Examines a connection; `documents` are those of its topic. `sns` is the topic itself, which is asked as far as it lets who
/// imports ask.
pub async fn examine_import(
    config: &ImportConfig,
    connection: &InboundConnection,
    store: &S3Store,
    documents: TopicDocuments<'_>,
    sns: Option<&SnsTopic>,
) -> Result<DoctorReport, StateError> {
    let mut findings = Vec::new();
    let is_reachable = region(connection, store, &mut findings).await;
    if is_reachable {
        let files = list(connection, store, &mut findings).await;
        read(connection, store, files.as_deref(), &mut findings).await;
        status(connection, store, &mut findings).await;
        notification(connection, store, files.as_deref().unwrap_or_default(), &mut findings).await;
    }
    topic::topic(connection, documents, sns, &mut findings).await;
    topic::subscription(config, connection, sns, &mut findings).await?;
    let failed = findings.iter().any(|finding| finding.verdict == Verdict::Failed);
    let warned = findings.iter().any(|finding| finding.verdict == Verdict::Warning);
    let outcome = match (failed, warned) {
        (true, _) => Verdict::Failed,
        (false, true) => Verdict::Warning,
        (false, false) => Verdict::Passed,
    };
    let (profile, bucket) = (config.profile.id.clone(), connection.bucket.name.to_string());
    Ok(DoctorReport { outcome, profile, bucket, findings })
}

/// A refusal with the words that an import would have for it.
fn diagnosed(check: &str, connection: &InboundConnection, error: StoreError) -> Finding {
    let (action, resource) = match &error {
        StoreError::Denied { action, resource, .. } => (Some(action.clone()), Some(resource.clone())),
        _ => (None, None),
    };
    let key_action = action.clone().filter(|action| action.starts_with("kms:"));
    let error = ImportError::Store { connection: connection.name.clone(), source: error };
    let help = key_action.map_or_else(
        || error.help(),
        |action| format!("the policy of the key must allow `{action}` to who imports"),
    );
    Finding { action, resource, ..Finding::new(check, Verdict::Failed, error.to_string()) }.with_help(help)
}

async fn region(connection: &InboundConnection, store: &S3Store, findings: &mut Vec<Finding>) -> bool {
    let check = "bucket and region";
    if let Err(error) = store.assume().await {
        findings.push(diagnosed(check, connection, error));
        return false;
    }
    let finding = match store.probe_region().await {
        Probed::Allowed(region) => Finding::passed(check, format!("the bucket exists in `{region}`")),
        Probed::Refused(error @ StoreError::Denied { .. }) => {
            Finding::new(check, Verdict::NotPermittedToKnow, format!("the answer names no region: {error}"))
        }
        Probed::Refused(error) => diagnosed(check, connection, error),
        Probed::NoObject => Finding::new(check, Verdict::NotPermittedToKnow, "the answer names no region"),
    };
    let is_reachable = finding.verdict != Verdict::Failed;
    findings.push(finding);
    is_reachable
}

/// The files of the first page of the listing, if there can be one.
async fn list(
    connection: &InboundConnection,
    store: &S3Store,
    findings: &mut Vec<Finding>,
) -> Option<Vec<FoundFile>> {
    let check = "listing of files";
    match store.list_files(&connection.data_prefix, None).await {
        Ok(page) => {
            let files: Vec<_> = page.files.into_iter().filter(|file| connection.wants(&file.key)).collect();
            let more = if page.next.is_some() { " or more" } else { "" };
            let place = &connection.data_prefix;
            findings.push(Finding::passed(check, format!("{}{more} files below `{place}`", files.len())));
            Some(files)
        }
        Err(error) => {
            findings.push(diagnosed(check, connection, error));
            None
        }
    }
}

/// Reads a byte of a file, which takes the key of an encrypted one, too.
async fn read(
    connection: &InboundConnection,
    store: &S3Store,
    files: Option<&[FoundFile]>,
    findings: &mut Vec<Finding>,
) {
    let check = "reading of files";
    let Some(files) = files else {
        let message = "without a listing a file that is not there cannot be told from one that is denied";
        findings.push(Finding::new(check, Verdict::NotPermittedToKnow, message));
        return;
    };
    if let Some(file) = files.iter().find(|file| file.bytes > 0) {
        findings.push(match store.read_file(file.reference(), 0..1).await {
            Ok(_) => Finding::passed(check, format!("`{}` can be read", file.key)),
            Err(error) => diagnosed(check, connection, error),
        });
        return;
    }
    let Ok(key) = ObjectKey::new(format!("{}{PROBE_NAME}", connection.data_prefix)) else { return };
    findings.push(match store.probe_get(&key).await {
        Probed::Allowed(_) => Finding::passed(check, "there is no file yet; one could be read"),
        Probed::NoObject => {
            Finding::new(check, Verdict::NotPermittedToKnow, "there is no file yet that could be read")
        }
        Probed::Refused(error) => diagnosed(check, connection, error),
    });
}

/// Asks for reports without writing one: the body is not that of the digest that is claimed.
async fn status(connection: &InboundConnection, store: &S3Store, findings: &mut Vec<Finding>) {
    let Ok(key) = ObjectKey::new(format!("{}/{PROBE_NAME}", connection.status_folder)) else { return };
    for (check, probed) in [
        ("writing of reports", store.probe_blind_put(&key).await),
        ("ACL of reports", store.probe_acl(&key).await),
    ] {
        findings.push(match probed {
            Probed::Allowed(_) => {
                Finding::passed(check, format!("allowed below `{}/`", connection.status_folder))
            }
            Probed::NoObject => Finding::new(
                check,
                Verdict::NotPermittedToKnow,
                "there is no report yet that it could be tried on",
            ),
            Probed::Refused(StoreError::Denied { action, .. }) if action == "s3:ListBucket" => Finding::new(
                check,
                Verdict::NotPermittedToKnow,
                "nothing can be learned without `s3:ListBucket`",
            ),
            Probed::Refused(error) => diagnosed(check, connection, error),
        });
    }
}

async fn notification(
    connection: &InboundConnection,
    store: &S3Store,
    files: &[FoundFile],
    findings: &mut Vec<Finding>,
) {
    let check = "notification of the bucket";
    let Some(topic) = &connection.topic_arn else {
        let message = "the connection names no topic: files are found by listing alone";
        findings.push(Finding::new(check, Verdict::Skipped, message));
        return;
    };
    let rules = match store.notification_rules().await {
        Ok(rules) => rules,
        Err(error @ StoreError::Denied { .. }) => {
            findings.push(Finding::new(check, Verdict::NotPermittedToKnow, error.to_string()));
            return;
        }
        Err(error) => {
            findings.push(diagnosed(check, connection, error));
            return;
        }
    };
    let own: Vec<&NotificationRule> = rules.iter().filter(|rule| rule.target == *topic).collect();
    let print = "`import policy --notification` prints the whole configuration";
    if own.is_empty() {
        let others: Vec<String> = rules.iter().map(|rule| format!("`{}`", rule.target)).collect();
        let others =
            if others.is_empty() { "nowhere".to_owned() } else { format!("to {}", others.join(", ")) };
        let message = format!("the bucket sends its events {others}, not to `{topic}`");
        findings.push(Finding::new(check, Verdict::Failed, message).with_help(print));
        return;
    }
    let missing: Vec<&str> = CREATIONS
        .into_iter()
        .filter(|event| !own.iter().any(|rule| rule.events.iter().any(|own| covers(own, event))))
        .collect();
    findings.push(if missing.is_empty() {
        Finding::passed(check, format!("events go to `{topic}`"))
    } else {
        let message =
            format!("nothing is sent for {}: such files wait for the next listing", missing.join(", "));
        Finding::new(check, Verdict::Failed, message).with_help("choose all object create events")
    });
    findings.push(filter(connection, &own, files).with_help(print));
}

/// Whether an event of a rule stands for another.
fn covers(own: &str, event: &str) -> bool {
    own == event || own.strip_suffix('*').is_some_and(|prefix| event.starts_with(prefix))
}

/// Whether the filters of the notification let the connection's files through.
fn filter(connection: &InboundConnection, rules: &[&NotificationRule], files: &[FoundFile]) -> Finding {
    let check = "filter of the notification";
    let passed_over: Vec<String> = files
        .iter()
        .filter(|file| !rules.iter().any(|rule| rule.matches(&file.key)))
        .map(|file| format!("`{}`", file.key))
        .collect();
    let shown: Vec<String> =
        rules.iter().map(|rule| format!("prefix `{}` and suffix `{}`", rule.prefix, rule.suffix)).collect();
    let shown = shown.join(", or ");
    if !passed_over.is_empty() {
        let named = passed_over.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
        let message = format!(
            "{} files of the connection are not announced by {shown}: {named}{}",
            passed_over.len(),
            if passed_over.len() > NAMED_MAX { ", ..." } else { "" }
        );
        return Finding::new(check, Verdict::Failed, message);
    }
    let suffix = connection.suffix.as_deref().unwrap_or_default();
    let is_whole = rules
        .iter()
        .any(|rule| connection.data_prefix.starts_with(&rule.prefix) && suffix.ends_with(&rule.suffix));
    // Nothing below the prefix could ever pass.
    let is_apart = rules.iter().all(|rule| {
        let prefixes = connection.data_prefix.starts_with(&rule.prefix)
            || rule.prefix.starts_with(&connection.data_prefix);
        let suffixes = suffix.ends_with(&rule.suffix) || rule.suffix.ends_with(suffix);
        !(prefixes && suffixes)
    });
    if is_apart {
        let message = format!("no file of the connection can pass {shown}");
        return Finding::new(check, Verdict::Failed, message);
    }
    if is_whole {
        return Finding::passed(check, format!("all files of the connection pass {shown}"));
    }
    let message = format!("only files that pass {shown} are announced; others wait for the next listing");
    Finding::new(check, Verdict::Warning, message)
}
