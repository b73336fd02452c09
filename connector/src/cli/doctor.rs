//! `doctor`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Complaint, Exit, Target, block_on, load_config, open_store, print_json};
use crate::doctor::{
    DoctorReport, Documents, ProbeWrite, Verdict, examine, examine_documents, examine_topic,
};
use crate::names::BucketName;
use crate::profile::{KeyPrefix, VendorProfile};

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// The connection's configuration.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["profile", "topic_policy"])]
    config: Option<PathBuf>,
    /// Judge this identity policy instead of asking the bucket.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Judge this trust policy instead of asking STS.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Judge this policy of the bucket instead of asking the bucket.
    #[arg(long, value_name = "FILE")]
    bucket_policy: Option<PathBuf>,
    /// Judge this policy of the KMS key instead of asking KMS.
    #[arg(long, value_name = "FILE")]
    key_policy: Option<PathBuf>,
    /// Judge this policy of a topic that the bucket's events go to; needs no profile.
    #[arg(long, value_name = "FILE", requires_all = ["topic", "bucket"], conflicts_with_all = ["config", "profile"])]
    topic_policy: Option<PathBuf>,
    /// ARN of the topic, with `--topic-policy`.
    #[arg(long, value_name = "ARN", requires = "topic_policy")]
    topic: Option<String>,
    /// ARN of who exports, whom policies of buckets and keys name.
    #[arg(long, value_name = "ARN")]
    principal: Option<String>,
    /// The account that owns bucket and key, if policies depend on it.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// A profile's id, instead of a configuration, with policies to judge.
    #[arg(long, value_name = "ID", conflicts_with = "config", requires = "bucket")]
    profile: Option<String>,
    /// The bucket, with `--profile` or `--topic-policy`.
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    /// Where objects go below the bucket's root, with `--profile`.
    #[arg(long, value_name = "FOLDERS", requires = "profile")]
    prefix: Option<String>,
    /// The external id that the trust policy asks for, with `--profile`.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Write the probe object even if the documented policy does not let the doctor delete it again.
    #[arg(long)]
    write_probe: bool,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(arguments: &DoctorArguments) -> Result<(), Complaint> {
    let is_offline = [&arguments.policy, &arguments.trust, &arguments.bucket_policy, &arguments.key_policy]
        .into_iter()
        .any(Option::is_some);
    let report = if let (Some(path), Some(topic), Some(bucket)) =
        (&arguments.topic_policy, &arguments.topic, &arguments.bucket)
    {
        let (_, text) = document(path)?;
        examine_topic(&text, topic, bucket, arguments.account.as_deref())
    } else if is_offline {
        offline(arguments)?
    } else {
        let config = arguments.config.clone().ok_or_else(|| {
            Complaint::usage(
                "a profile alone has no bucket to ask, and no documents are given",
                "add `--policy`, `--trust`, `--bucket-policy` or `--key-policy` with a FILE, or give `--config`",
            )
        })?;
        let (config, profile, store) = open_store(&Target { config, json: arguments.json })?;
        let write = if arguments.write_probe { ProbeWrite::Allowed } else { ProbeWrite::IfItCanBeDeleted };
        block_on(examine(&config, &profile, &store, write))?
            .map_err(|error| Complaint::usage(error, "correct `bucket.prefix`"))?
    };
    if arguments.json {
        print_json(&report)?;
    } else {
        super::print(&text(&report))?;
    }
    if report.outcome != Verdict::Failed {
        return Ok(());
    }
    Err(Complaint {
        exit: Exit::No,
        message: format!("{} checks failed", report.failures().count()),
        help: "each failed check says what to do".to_owned(),
        diagnosis: None,
    })
}

fn offline(arguments: &DoctorArguments) -> Result<DoctorReport, Complaint> {
    let (profile, bucket, mut documents) = subject(arguments)?;
    let read = |path: &Option<PathBuf>| path.as_deref().map(document).transpose();
    documents.identity = read(&arguments.policy)?;
    documents.trust = read(&arguments.trust)?;
    documents.bucket = read(&arguments.bucket_policy)?;
    documents.key = read(&arguments.key_policy)?;
    documents.principal.clone_from(&arguments.principal);
    documents.account.clone_from(&arguments.account);
    if arguments.external_id.is_some() {
        documents.external_id.clone_from(&arguments.external_id);
    }
    Ok(examine_documents(&profile, bucket.as_str(), &documents))
}

/// What documents are about: by a profile's id, or by a configuration.
fn subject(arguments: &DoctorArguments) -> Result<(VendorProfile, BucketName, Documents), Complaint> {
    if let (Some(id), Some(bucket)) = (&arguments.profile, &arguments.bucket) {
        let profile = VendorProfile::named(id).map_err(|error| Complaint::usage(&error, error.help()))?;
        let bucket = BucketName::new(bucket.as_str())
            .map_err(|error| Complaint::usage(error, "copy the name from the S3 console"))?;
        let prefix = KeyPrefix::new(arguments.prefix.as_deref().unwrap_or_default())
            .map_err(|error| Complaint::usage(error, "write the folders alone: `exports/notifications`"))?;
        let prefix = profile.prefix_of(&prefix);
        return Ok((profile, bucket, Documents { prefix, ..Documents::default() }));
    }
    let config = arguments
        .config
        .clone()
        .ok_or_else(|| Complaint::usage("no configuration", "give `--config FILE`"))?;
    let config = load_config(&Target { config, json: arguments.json })?;
    let profile = config.load_profile().map_err(|error| Complaint::usage(&error, error.help()))?;
    let documents = Documents {
        external_id: config.auth.external_id().map(|id| id.expose().to_owned()),
        prefix: profile.prefix_of(&config.bucket.prefix),
        region: Some(config.bucket.region.clone()),
        encryption: config.encryption.clone(),
        ..Documents::default()
    };
    Ok((profile, config.bucket.name.clone(), documents))
}

fn document(path: &Path) -> Result<(String, String), Complaint> {
    let shown = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((shown, text)),
        Err(error) => {
            Err(Complaint::usage(format!("document `{shown}` cannot be read: {error}"), "check the path"))
        }
    }
}

pub(super) fn text(report: &DoctorReport) -> String {
    let mut text = format!("{} and bucket {}\n", report.profile, report.bucket);
    // Writing to a `String` cannot fail.
    for finding in &report.findings {
        let verdict = match finding.verdict {
            Verdict::Passed => "passed",
            Verdict::Warning => "warning",
            Verdict::Failed => "FAILED",
            Verdict::NotPermittedToKnow => "not permitted to know",
            Verdict::Skipped => "skipped",
        };
        let _ = write!(text, "{verdict}: {}: {}", finding.check, finding.message);
        if let Some(requirement) = &finding.requirement {
            let _ = write!(text, " [{requirement}]");
        }
        text.push('\n');
        if let Some(help) = &finding.help {
            let _ = writeln!(text, "  help: {help}");
        }
    }
    text
}
