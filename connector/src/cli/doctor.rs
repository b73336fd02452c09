//! `doctor`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Complaint, Exit, Target, block_on, load_config, open_store, print_json};
use crate::config::AuthConfig;
use crate::doctor::{DoctorReport, Documents, ProbeWrite, Verdict, examine, examine_documents};
use crate::names::BucketName;
use crate::profile::{KeyPrefix, VendorProfile};

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// The connection's configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "profile")]
    config: Option<PathBuf>,
    /// Judge this identity policy instead of asking the bucket.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Judge this trust policy instead of asking STS.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// A profile's id, instead of a configuration, with `--policy` or `--trust`.
    #[arg(long, value_name = "ID", conflicts_with = "config", requires = "bucket")]
    profile: Option<String>,
    /// The bucket, with `--profile`.
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
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
    let report = if arguments.policy.is_some() || arguments.trust.is_some() {
        offline(arguments)?
    } else {
        let config = arguments.config.clone().ok_or_else(|| {
            Complaint::usage("no documents are given", "add `--policy FILE` or `--trust FILE`")
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
    let (profile, bucket, external_id, prefix) =
        match (&arguments.profile, &arguments.bucket, &arguments.config) {
            (Some(id), Some(bucket), _) => {
                let profile =
                    VendorProfile::named(id).map_err(|error| Complaint::usage(&error, error.help()))?;
                let bucket = BucketName::new(bucket.as_str())
                    .map_err(|error| Complaint::usage(error, "copy the name from the S3 console"))?;
                (profile, bucket, arguments.external_id.clone(), KeyPrefix::default())
            }
            (_, _, Some(config)) => {
                let config = load_config(&Target { config: config.clone(), json: arguments.json })?;
                let profile =
                    config.load_profile().map_err(|error| Complaint::usage(&error, error.help()))?;
                let external_id = match &config.auth {
                    AuthConfig::AssumeRole { external_id, .. } => Some(external_id.expose().to_owned()),
                    AuthConfig::StaticKeys { .. } => None,
                };
                let prefix = profile.prefix_of(&config.bucket.prefix);
                (profile, config.bucket.name.clone(), arguments.external_id.clone().or(external_id), prefix)
            }
            _ => return Err(Complaint::usage("no configuration", "give `--config FILE`")),
        };
    let read = |path: &Option<PathBuf>| path.as_deref().map(document).transpose();
    let documents =
        Documents { identity: read(&arguments.policy)?, trust: read(&arguments.trust)?, external_id, prefix };
    Ok(examine_documents(&profile, bucket.as_str(), &documents))
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
