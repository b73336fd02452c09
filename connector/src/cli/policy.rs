//! `policy`

use std::path::PathBuf;

use clap::Args;

use super::{Complaint, Target, load_config};
use crate::config::AuthConfig;
use crate::names::BucketName;
use crate::policy::{PolicyError, bucket_policy, identity_policy_below, key_policy, trust_policy};
use crate::profile::{KeyPrefix, PolicyAttachment, VendorProfile};

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
    /// Where objects go below the bucket's root, with `--profile`.
    #[arg(long, value_name = "FOLDERS")]
    prefix: Option<String>,
    /// ARN of the vendor's principal, which policies of buckets and keys name.
    #[arg(long, value_name = "ARN")]
    principal: Option<String>,
    /// The account that owns the KMS key: prints the key's policy as well.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Print one JSON object with a field per document, such as `identity_policy` and `trust_policy`.
    #[arg(long)]
    pub(super) json: bool,
}

/// What documents are filled in with.
struct Subject {
    profile: VendorProfile,
    bucket: BucketName,
    prefix: KeyPrefix,
    external_id: Option<String>,
}

pub(super) fn run(arguments: &PolicyArguments) -> Result<(), Complaint> {
    let Subject { profile, bucket, prefix, external_id } = subject(arguments)?;
    let mut documents: Vec<(&str, Option<String>)> = Vec::new();
    let usage = |error: PolicyError| Complaint::usage(&error, "remove the argument that asks for it");
    match profile.policy_attachment() {
        PolicyAttachment::Identity => {
            documents.push(("identity_policy", Some(identity_policy_below(&profile, &bucket, &prefix))));
        }
        PolicyAttachment::Bucket => {
            let principal = arguments.principal.as_deref().ok_or_else(|| {
                Complaint::usage(
                    "the vendor's policy is one of the bucket, which names the vendor's principal",
                    "give `--principal` with the ARN that the vendor shows",
                )
            })?;
            let policy = bucket_policy(&profile, &bucket, &prefix, principal).map_err(usage)?;
            documents.push(("bucket_policy", Some(policy)));
        }
    }
    let trust = external_id.map(|id| trust_policy(&profile, &id)).transpose();
    documents
        .push(("trust_policy", trust.map_err(|error| Complaint::usage(&error, "remove `--external-id`"))?));
    if let Some(account) = &arguments.account {
        let principal = arguments.principal.as_deref().ok_or_else(|| {
            Complaint::usage("a key policy names the vendor's principal", "give `--principal` as well")
        })?;
        documents.push(("key_policy", Some(key_policy(&profile, account, principal).map_err(usage)?)));
    }
    if arguments.json {
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
        let fields = documents.iter().map(|(name, text)| {
            ((*name).to_owned(), text.as_deref().map_or(serde_json::Value::Null, parsed))
        });
        return super::print_json(&serde_json::Value::Object(fields.collect()));
    }
    let texts: Vec<String> = documents.into_iter().filter_map(|(_, text)| text).collect();
    super::print(&format!("{}\n", texts.join("\n")))
}

fn subject(arguments: &PolicyArguments) -> Result<Subject, Complaint> {
    if let (Some(id), Some(bucket)) = (&arguments.profile, &arguments.bucket) {
        let profile = VendorProfile::named(id).map_err(|error| Complaint::usage(&error, error.help()))?;
        let bucket = BucketName::new(bucket.as_str())
            .map_err(|error| Complaint::usage(error, "copy the name from the S3 console"))?;
        let prefix = KeyPrefix::new(arguments.prefix.as_deref().unwrap_or_default())
            .map_err(|error| Complaint::usage(error, "write the folders alone: `exports/notifications`"))?;
        let prefix = profile.prefix_of(&prefix);
        return Ok(Subject { profile, bucket, prefix, external_id: arguments.external_id.clone() });
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
    let prefix = profile.prefix_of(&config.bucket.prefix);
    Ok(Subject { profile, bucket: config.bucket.name.clone(), prefix, external_id })
}
