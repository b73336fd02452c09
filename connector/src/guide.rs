//! The set-up of an export as a vendor's page describes it, filled in: numbered steps, commands, and the documents that
//! they name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::names::BucketName;
use crate::policy::{
    PolicyError, bucket_policy, identity_policy_below, key_identity_policy, key_policy, trust_policy,
};
use crate::profile::{AuthMode, GuideDocument, GuideStep, KeyPrefix, PolicyAttachment, VendorProfile};

/// What a guide is filled in with.
#[derive(Clone, Debug)]
pub struct GuideSubject {
    /// The bucket.
    pub bucket: BucketName,
    /// Its region.
    pub region: String,
    /// Where objects go below its root, as keys begin with it.
    pub prefix: KeyPrefix,
    /// How the export authenticates.
    pub auth: AuthMode,
    /// The account that owns bucket, users and roles.
    pub account: Option<String>,
    /// The vendor's principal, or who exports.
    pub principal: Option<String>,
    /// The external id of the role.
    pub external_id: Option<String>,
    /// The KMS key that objects are encrypted with.
    pub kms_key: Option<String>,
    /// The configuration, if there is one already.
    pub configuration: Option<String>,
}

/// Why there is no guide.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuideError {
    /// The profile has none.
    #[error("profile `{profile}` has no set-up guide")]
    NoGuide {
        /// The profile.
        profile: String,
    },
    /// Something must be known.
    #[error("step `{step}` needs to know `{what}`")]
    Unknown {
        /// The step.
        step: String,
        /// What is to be filled in.
        what: &'static str,
    },
    /// The vendor does not authenticate that way.
    #[error("profile `{profile}` does not authenticate by {mode:?}")]
    AuthMode {
        /// The profile.
        profile: String,
        /// The mode.
        mode: AuthMode,
    },
    /// A document cannot be made.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl GuideError {
    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::NoGuide { .. } => "`policy` alone prints the policies".to_owned(),
            Self::Unknown { what, .. } => format!("give it with `--{}`", what.replace('_', "-")),
            Self::AuthMode { .. } => "choose one that `profile show` lists under `auth.modes`".to_owned(),
            Self::Policy(_) => "correct the profile".to_owned(),
        }
    }
}

/// One step, filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FilledStep {
    /// Counted from 1.
    pub number: usize,
    /// What is done.
    pub title: String,
    /// How, and why.
    pub say: String,
    /// The same as commands.
    pub commands: Vec<String>,
    /// The files that the step needs, whose content is beside the steps.
    pub files: Vec<String>,
}

/// A guide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Guide {
    /// What it sets up.
    pub title: String,
    /// The page that the steps are of.
    pub source: String,
    /// The steps.
    pub steps: Vec<FilledStep>,
    /// Content of files, by their names.
    pub files: BTreeMap<String, String>,
}

/// The guide of a profile, filled in.
pub fn guide(profile: &VendorProfile, subject: &GuideSubject) -> Result<Guide, GuideError> {
    if profile.guide().is_empty() {
        return Err(GuideError::NoGuide { profile: profile.id().to_string() });
    }
    if !profile.auth_modes().contains(&subject.auth) {
        return Err(GuideError::AuthMode { profile: profile.id().to_string(), mode: subject.auth });
    }
    let mut guide = Guide {
        title: profile.title().to_owned(),
        source: profile.source().to_owned(),
        steps: Vec::new(),
        files: BTreeMap::new(),
    };
    let applies = |step: &&GuideStep| {
        step.auth.is_none_or(|auth| auth == subject.auth) && (!step.kms || subject.kms_key.is_some())
    };
    for (at, step) in profile.guide().iter().filter(applies).enumerate() {
        let fill = |text: &String| filled(text, step, subject);
        for document in &step.documents {
            guide.files.insert(document.file().to_owned(), content(profile, step, *document, subject)?);
        }
        guide.steps.push(FilledStep {
            number: at + 1,
            title: fill(&step.title)?,
            say: fill(&step.say)?,
            commands: step.commands.iter().map(fill).collect::<Result<_, _>>()?,
            files: step.documents.iter().map(|document| document.file().to_owned()).collect(),
        });
    }
    Ok(guide)
}

/// A value that a step needs.
fn known<'a>(value: Option<&'a String>, what: &'static str, step: &GuideStep) -> Result<&'a str, GuideError> {
    value.map(String::as_str).ok_or_else(|| GuideError::Unknown { step: step.title.clone(), what })
}

fn filled(text: &str, step: &GuideStep, subject: &GuideSubject) -> Result<String, GuideError> {
    let mut text = text
        .replace("{bucket}", subject.bucket.as_str())
        .replace("{region}", &subject.region)
        .replace("{prefix}", subject.prefix.as_str());
    for (placeholder, value, what) in [
        ("{account}", &subject.account, "account"),
        ("{principal}", &subject.principal, "principal"),
        ("{external_id}", &subject.external_id, "external_id"),
        ("{kms_key}", &subject.kms_key, "kms_key"),
    ] {
        if text.contains(placeholder) {
            text = text.replace(placeholder, known(value.as_ref(), what, step)?);
        }
    }
    Ok(text)
}

fn content(
    profile: &VendorProfile,
    step: &GuideStep,
    document: GuideDocument,
    subject: &GuideSubject,
) -> Result<String, GuideError> {
    let principal = || match (&subject.principal, profile.policy_attachment()) {
        (None, PolicyAttachment::Identity) => {
            let account = known(subject.account.as_ref(), "account", step)?;
            let user = name_after(profile, "--user-name").unwrap_or("connector");
            Ok(format!("arn:aws:iam::{account}:user/{user}"))
        }
        (principal, _) => known(principal.as_ref(), "principal", step).map(str::to_owned),
    };
    let text = match document {
        GuideDocument::IdentityPolicy => identity_policy_below(profile, &subject.bucket, &subject.prefix),
        GuideDocument::TrustPolicy => {
            trust_policy(profile, known(subject.external_id.as_ref(), "external_id", step)?)?
        }
        GuideDocument::BucketPolicy => {
            bucket_policy(profile, &subject.bucket, &subject.prefix, &principal()?)?
        }
        GuideDocument::KeyPolicy => {
            key_policy(profile, known(subject.account.as_ref(), "account", step)?, &principal()?)?
        }
        GuideDocument::KeyIdentityPolicy => {
            key_identity_policy(profile, known(subject.kms_key.as_ref(), "kms_key", step)?)?
        }
        GuideDocument::Configuration => match &subject.configuration {
            Some(text) => text.clone(),
            None => configuration(profile, step, subject)?,
        },
    };
    Ok(format!("{}\n", text.trim_end()))
}

/// The name that the guide's commands give after an argument.
fn name_after<'a>(profile: &'a VendorProfile, argument: &str) -> Option<&'a str> {
    let mut words = profile.guide().iter().flat_map(|step| &step.commands).flat_map(|line| line.split(' '));
    words.find(|word| *word == argument)?;
    words.next()
}

/// A configuration that lacks nothing but the keys and the rows.
fn configuration(
    profile: &VendorProfile,
    step: &GuideStep,
    subject: &GuideSubject,
) -> Result<String, GuideError> {
    let names: Vec<&str> = profile.datasets().iter().map(|dataset| dataset.name().as_str()).collect();
    let encryption = subject
        .kms_key
        .as_ref()
        .map_or_else(String::new, |key| format!("encryption = \"aws:kms\"\nkms_key_id = \"{key}\"\n"));
    let keys = "access_key_id = { file = \"access-key-id\" }\nsecret_access_key = { file = \"secret-access-key\" }\n";
    let auth = match subject.auth {
        AuthMode::StaticKeys => format!("mode = \"static_keys\"\n{keys}"),
        AuthMode::Ambient => "mode = \"ambient\"\n".to_owned(),
        AuthMode::AssumeRole => {
            let own = subject.principal.clone().filter(|arn| arn.contains(":role/"));
            let role = match own {
                Some(role) => role,
                None => format!(
                    "arn:aws:iam::{}:role/{}",
                    known(subject.account.as_ref(), "account", step)?,
                    name_after(profile, "--role-name").unwrap_or("export")
                ),
            };
            let id = subject.external_id.as_ref();
            let id = id.map_or_else(String::new, |id| format!("external_id = \"{id}\"\n"));
            format!("mode = \"assume_role\"\nrole_arn = \"{role}\"\n{id}{keys}")
        }
    };
    let mut text = format!(
        "profile = \"{}\"\nenabled = true\ndatasets = {names:?}\n{encryption}\n[bucket]\nname = \"{}\"\nregion = \"{}\"\n\
         prefix = \"{}\"\n\n[auth]\n{auth}\n[state]\ndir = \"state\"\n",
        profile.id(),
        subject.bucket,
        subject.region,
        subject.prefix.as_str()
    );
    for name in names {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "\n[[source]]\ndataset = \"{name}\"\npath = \"{name}.ndjson\"\n");
    }
    Ok(text)
}

impl Guide {
    /// The guide for people, with each file where it is first needed.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n({})\n", self.title, self.source);
        let mut shown: Vec<&str> = Vec::new();
        for step in &self.steps {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "\n{}. {}\n   {}\n", step.number, step.title, step.say);
            for file in &step.files {
                if shown.contains(&file.as_str()) {
                    continue;
                }
                shown.push(file);
                let _ = writeln!(text, "\n   {file}:");
                for line in self.files.get(file).map(String::as_str).unwrap_or_default().lines() {
                    let _ = writeln!(text, "{}", format!("     {line}").trim_end());
                }
            }
            if !step.commands.is_empty() {
                text.push('\n');
            }
            for command in &step.commands {
                let _ = writeln!(text, "   $ {command}");
            }
        }
        text
    }
}
