//! `policy`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Complaint, Target, load_config};
use crate::guide::{GuideError, GuideSubject, guide};
use crate::names::BucketName;
use crate::policy::{
    PolicyError, bucket_policy, identity_policy_below, key_identity_policy, key_policy, trust_policy,
};
use crate::profile::{AuthMode, ExternalIdRule, KeyPrefix, PolicyAttachment, VendorProfile};
use crate::store::Encryption;

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
    /// The region of the bucket, with `--profile` and `--guide`.
    #[arg(long, value_name = "NAME", default_value = "us-east-1")]
    region: String,
    /// The external id, with `--profile`; without one, no trust policy is printed.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Where objects go below the bucket's root, with `--profile`.
    #[arg(long, value_name = "FOLDERS")]
    prefix: Option<String>,
    /// ARN of who exports, whom policies of buckets and keys name: the vendor's principal, or your user.
    #[arg(long, value_name = "ARN")]
    principal: Option<String>,
    /// The account that owns bucket and KMS key: prints the key's policy as well, where the vendor documents one.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// ARN of the KMS key: prints what the policy of the user or role is to say of it as well.
    #[arg(long, value_name = "ARN")]
    kms_key: Option<String>,
    /// Print the whole set-up instead: numbered steps with commands and documents, filled in.
    #[arg(long)]
    guide: bool,
    /// The way to authenticate that the guide is for; the vendor's first one if not given.
    #[arg(long, value_enum, requires = "guide")]
    auth: Option<AuthName>,
    /// Write the guide's documents into this directory as well.
    #[arg(long, value_name = "DIRECTORY", requires = "guide")]
    out: Option<PathBuf>,
    /// Print one JSON object with a field per document, such as `identity_policy` and `trust_policy`.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum AuthName {
    /// A role of yours that the vendor assumes.
    Role,
    /// Keys of a user.
    Keys,
    /// What the machine has.
    Ambient,
}

impl From<AuthName> for AuthMode {
    fn from(name: AuthName) -> Self {
        match name {
            AuthName::Role => Self::AssumeRole,
            AuthName::Keys => Self::StaticKeys,
            AuthName::Ambient => Self::Ambient,
        }
    }
}

/// What documents are filled in with.
struct Subject {
    profile: VendorProfile,
    bucket: BucketName,
    region: String,
    prefix: KeyPrefix,
    auth: Option<AuthMode>,
    external_id: Option<String>,
    kms_key: Option<String>,
    /// The text of the configuration.
    text: Option<String>,
}

pub(super) fn run(arguments: &PolicyArguments) -> Result<(), Complaint> {
    let subject = subject(arguments)?;
    if arguments.guide {
        return print_guide(arguments, subject);
    }
    let documents = documents(arguments, &subject)?;
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

/// Each document by its name; `None` where something that it needs is not known.
fn documents(
    arguments: &PolicyArguments,
    subject: &Subject,
) -> Result<Vec<(&'static str, Option<String>)>, Complaint> {
    let Subject { profile, bucket, prefix, .. } = subject;
    let mut documents: Vec<(&str, Option<String>)> = Vec::new();
    let usage = |error: PolicyError| Complaint::usage(&error, "remove the argument that asks for it");
    match profile.policy_attachment() {
        PolicyAttachment::Identity => {
            documents.push(("identity_policy", Some(identity_policy_below(profile, bucket, prefix))));
        }
        PolicyAttachment::Bucket => {
            let principal = arguments.principal.as_deref().ok_or_else(|| {
                Complaint::usage(
                    "the vendor's policy is one of the bucket, which names the vendor's principal",
                    "give `--principal` with the ARN that the vendor shows",
                )
            })?;
            documents.push((
                "bucket_policy",
                Some(bucket_policy(profile, bucket, prefix, principal).map_err(usage)?),
            ));
        }
    }
    let needs_id = profile.trust().is_none_or(|trust| trust.external_id == ExternalIdRule::Required);
    let trust = match &subject.external_id {
        Some(id) => Some(trust_policy(profile, id)),
        None if needs_id => None,
        None => Some(trust_policy(profile, "")),
    };
    let trust = trust.transpose().map_err(|error| Complaint::usage(&error, "remove `--external-id`"))?;
    documents.push(("trust_policy", trust));
    if let Some(account) = &arguments.account {
        let principal = arguments.principal.as_deref().ok_or_else(|| {
            Complaint::usage(
                "a key policy names who exports",
                "give `--principal` as well, with the ARN of the vendor's principal or of your user",
            )
        })?;
        documents.push(("key_policy", Some(key_policy(profile, account, principal).map_err(usage)?)));
    }
    if let Some(key) = &arguments.kms_key {
        let policy = match profile.policy_attachment() {
            PolicyAttachment::Identity => Some(key_identity_policy(profile, key).map_err(usage)?),
            PolicyAttachment::Bucket => None,
        };
        documents.push(("key_identity_policy", policy));
    }
    Ok(documents)
}

fn print_guide(arguments: &PolicyArguments, subject: Subject) -> Result<(), Complaint> {
    let first = subject.profile.auth_modes().first().copied().unwrap_or(AuthMode::StaticKeys);
    let filled = GuideSubject {
        bucket: subject.bucket,
        region: subject.region,
        prefix: subject.prefix,
        auth: arguments.auth.map(AuthMode::from).or(subject.auth).unwrap_or(first),
        account: arguments.account.clone(),
        principal: arguments.principal.clone(),
        external_id: subject.external_id,
        kms_key: arguments.kms_key.clone().or(subject.kms_key),
        configuration: subject.text,
    };
    let guide = guide(&subject.profile, &filled)
        .map_err(|error: GuideError| Complaint::usage(&error, error.help()))?;
    if let Some(directory) = &arguments.out {
        write_files(directory, &guide.files)?;
    }
    if arguments.json { super::print_json(&guide) } else { super::print(&guide.text()) }
}

/// Writes the documents; a file that is there and says something else is not touched.
fn write_files(directory: &Path, files: &BTreeMap<String, String>) -> Result<(), Complaint> {
    let failed = |path: &Path, error: std::io::Error| {
        Complaint::usage(format!("`{}` cannot be written: {error}", path.display()), "choose another `--out`")
    };
    std::fs::create_dir_all(directory).map_err(|error| failed(directory, error))?;
    for (name, text) in files {
        let path = directory.join(name);
        match std::fs::read_to_string(&path) {
            Ok(known) if known == *text => continue,
            Ok(_) => {
                return Err(Complaint::usage(
                    format!("`{}` is there already and says something else", path.display()),
                    "choose another `--out`, or remove the file",
                ));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path, error)),
        }
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

fn subject(arguments: &PolicyArguments) -> Result<Subject, Complaint> {
    if let (Some(id), Some(bucket)) = (&arguments.profile, &arguments.bucket) {
        let profile = VendorProfile::named(id).map_err(|error| Complaint::usage(&error, error.help()))?;
        let bucket = BucketName::new(bucket.as_str())
            .map_err(|error| Complaint::usage(error, "copy the name from the S3 console"))?;
        let prefix = KeyPrefix::new(arguments.prefix.as_deref().unwrap_or_default())
            .map_err(|error| Complaint::usage(error, "write the folders alone: `exports/notifications`"))?;
        return Ok(Subject {
            prefix: profile.prefix_of(&prefix),
            profile,
            bucket,
            region: arguments.region.clone(),
            auth: None,
            external_id: arguments.external_id.clone(),
            kms_key: None,
            text: None,
        });
    }
    let path = arguments
        .config
        .clone()
        .ok_or_else(|| Complaint::usage("no configuration", "give `--config FILE`"))?;
    let text = std::fs::read_to_string(&path).ok();
    let config = load_config(&Target { config: path, json: arguments.json })?;
    let profile = config.load_profile().map_err(|error| Complaint::usage(&error, error.help()))?;
    let external_id = config.auth.external_id().map(|id| id.expose().to_owned());
    let kms_key = match &config.encryption {
        Encryption::SseKms { key_id } => key_id.clone(),
        Encryption::SseS3 | Encryption::BucketDefault => None,
    };
    Ok(Subject {
        prefix: profile.prefix_of(&config.bucket.prefix),
        profile,
        bucket: config.bucket.name.clone(),
        region: config.bucket.region.clone(),
        auth: Some(config.auth.mode()),
        external_id,
        kms_key,
        text,
    })
}
