//! `policy`

use std::path::PathBuf;

use clap::Args;

use super::{Complaint, Target, load_config};
use crate::config::AuthConfig;
use crate::names::BucketName;
use crate::policy::{identity_policy, trust_policy};
use crate::profile::VendorProfile;

#[derive(Debug, Args)]
pub(super) struct PolicyArguments {
    /// The connection's configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "profile")]
    config: Option<PathBuf>,
    /// A profile's id, instead of a configuration.
    #[arg(long, value_name = "ID", conflicts_with = "config", requires = "bucket")]
    profile: Option<String>,
    /// The bucket, with `--profile`.
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    /// The external id, with `--profile`; without one, no trust policy is printed.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Print one JSON object with `identity_policy` and `trust_policy`.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(arguments: &PolicyArguments) -> Result<(), Complaint> {
    let (profile, bucket, external_id) = subject(arguments)?;
    let identity = identity_policy(&profile, &bucket);
    let trust = external_id
        .map(|id| trust_policy(&profile, &id))
        .transpose()
        .map_err(|error| Complaint::usage(&error, "remove `--external-id`"))?;
    if arguments.json {
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
        return super::print_json(&serde_json::json!({
            "identity_policy": parsed(&identity),
            "trust_policy": trust.as_deref().map(parsed),
        }));
    }
    let documents: Vec<String> = std::iter::once(identity).chain(trust).collect();
    super::print(&format!("{}\n", documents.join("\n")))
}

fn subject(arguments: &PolicyArguments) -> Result<(VendorProfile, BucketName, Option<String>), Complaint> {
    if let (Some(id), Some(bucket)) = (&arguments.profile, &arguments.bucket) {
        let profile = VendorProfile::named(id).map_err(|error| Complaint::usage(&error, error.help()))?;
        let bucket = BucketName::new(bucket.as_str())
            .map_err(|error| Complaint::usage(error, "copy the name from the S3 console"))?;
        return Ok((profile, bucket, arguments.external_id.clone()));
    }
    let config = arguments
        .config
        .clone()
        .ok_or_else(|| Complaint::usage("no configuration", "give `--config FILE`"))?;
    let config = load_config(&Target { config, json: arguments.json })?;
    let profile = config.load_profile().map_err(|error| Complaint::usage(&error, error.help()))?;
    let external_id = match &config.auth {
        AuthConfig::AssumeRole { external_id, .. } => Some(external_id.expose().to_owned()),
        AuthConfig::StaticKeys { .. } => None,
    };
    Ok((profile, config.bucket.name.clone(), external_id))
}
