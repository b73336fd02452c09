//! Vendors as data.
//!
//! A profile is one TOML file: layout, columns, keys, policies, messages and executable examples. The engine knows
//! no vendor's name; a new vendor is a new file.

mod columns;
mod examples;
mod guide;
mod install;
mod key;
mod layout;
mod raw;
mod statements;
mod troubleshooting;
mod validate;
mod vocabulary;

use std::path::Path;

use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};

pub use columns::{Column, ColumnType, Dataset, KeyColumns, TextForm};
pub(crate) use columns::{element_field, fields_of, integer_element_field};
pub use examples::{Example, ExampleFailure, RowExample};
pub use guide::{GuideDocument, GuideStep};
pub use install::{InstallField, InstallRules, InstallTarget};
pub use key::{BatchNames, KeyPrefix, ObjectNames, PrefixError};
pub use layout::{DatasetPartition, KeyParts, Layout, LayoutError};
pub(crate) use statements::fill;
pub use statements::{Effect, KeyPolicy, KeyPrincipal, KeyStatement, PolicyAttachment, PolicyStatement};
pub use troubleshooting::{Ask, TroubleshootingEntry};
pub use vocabulary::{
    BatchLimits, Cadence, Compression, Direction, EmptyPeriod, Encoding, Format, Mode, PartitionBy,
    PartitionUnit, Partitioning, PeriodRules, PrefixRule,
};

use crate::document::DocumentError;
use crate::names::{DatasetName, ProfileId};
use crate::row_rules::{Misfit, RowChoice};
use crate::store::DiagnosisKind;

/// The profiles that come with the crate: id and TOML text.
const EMBEDDED: [(&str, &str); 6] = [
    ("suprsend_s3_v2", include_str!("../../profiles/suprsend_s3_v2.toml")),
    ("datafly_s3", include_str!("../../profiles/datafly_s3.toml")),
    ("adapty_s3", include_str!("../../profiles/adapty_s3.toml")),
    ("split_impressions_export", include_str!("../../profiles/split_impressions_export.toml")),
    ("permutive_batch", include_str!("../../profiles/permutive_batch.toml")),
    ("permutive_stream", include_str!("../../profiles/permutive_stream.toml")),
];

/// The JSON Schema of profiles, for editors; what depends on more than one field is for [`VendorProfile::parse`] to say.
pub const SCHEMA: &str = include_str!("../../profiles/profile.schema.json");

/// How the connector proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMode {
    /// Assume the customer's role, with an external id.
    AssumeRole,
    /// Long-lived keys of an IAM user.
    StaticKeys,
    /// What the machine has: environment variables, a profile of the AWS files, a process, a role of the container or
    /// the instance.
    Ambient,
}

/// Whether a role's trust policy asks for an external id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalIdRule {
    /// It does.
    Required,
    /// It does not: the principal alone decides.
    None,
}

/// Who may assume the customer's role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The vendor's principal, an ARN.
    pub principal: String,
    /// Whether an external id is asked for.
    pub external_id: ExternalIdRule,
}

/// When static keys are to be rotated.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// Age in days from which keys are reported.
    pub days: u32,
    /// The requirement that asks for it.
    #[serde(rename = "id")]
    pub requirement: Option<String>,
}

/// What a failure means in the vendor's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorMessage {
    /// The failure.
    pub when: DiagnosisKind,
    /// The requirement that asks for the message.
    pub requirement: String,
    /// The message, with placeholders.
    pub say: String,
    /// The next step, with placeholders.
    pub help: String,
}

/// Everything the engine knows about one vendor's data.
#[derive(Clone, Debug)]
pub struct VendorProfile {
    id: ProfileId,
    title: String,
    source: String,
    direction: Direction,
    cadence: Cadence,
    encodings: Vec<Encoding>,
    batch: BatchLimits,
    period: PeriodRules,
    manual: Option<String>,
    prefix_rule: PrefixRule,
    nested_bucket: bool,
    acl: Option<String>,
    auth_modes: Vec<AuthMode>,
    key_rotation: Option<KeyRotation>,
    trust: Option<Trust>,
    policy_attachment: PolicyAttachment,
    statements: Vec<PolicyStatement>,
    key_policy: Option<KeyPolicy>,
    datasets: Vec<Dataset>,
    doctor: Vec<DoctorMessage>,
    troubleshooting: Vec<TroubleshootingEntry>,
    guide: Vec<GuideStep>,
    install: Option<InstallRules>,
    examples: Vec<Example>,
    row_examples: Vec<RowExample>,
}

/// Why a profile could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No profile of that id comes with the crate.
    #[error("profile `{id}` does not exist")]
    Unknown {
        /// The id asked for.
        id: String,
    },
    /// The file cannot be read.
    #[error("profile file `{path}` cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The text is no profile.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl ProfileError {
    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Unknown { .. } => {
                let ids: Vec<&str> = EMBEDDED.iter().map(|(id, _)| *id).collect();
                format!("known profiles: {}; or name a file with `profile_path`", ids.join(", "))
            }
            Self::Unreadable { .. } => "check the path and its permissions".to_owned(),
            Self::Document(error) => error.help().to_owned(),
        }
    }
}

impl VendorProfile {
    /// Ids and texts of the profiles that come with the crate.
    pub fn embedded() -> impl Iterator<Item = (&'static str, &'static str)> {
        EMBEDDED.into_iter()
    }

    /// The profile of that id that comes with the crate.
    pub fn named(id: &str) -> Result<Self, ProfileError> {
        let (id, text) = EMBEDDED
            .into_iter()
            .find(|(known, _)| *known == id)
            .ok_or_else(|| ProfileError::Unknown { id: id.to_owned() })?;
        Ok(Self::parse(text, &format!("profiles/{id}.toml"))?)
    }

    /// Reads a profile from a file.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ProfileError::Unreadable { path: shown.clone(), source })?;
        Ok(Self::parse(&text, &shown)?)
    }

    /// Parses and lints a profile. `file_name` is used in messages only.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, DocumentError> {
        validate::profile(text, file_name)
    }

    /// The profile's id.
    pub fn id(&self) -> &ProfileId {
        &self.id
    }

    /// One line for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The document the profile was drawn from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Which way data flows.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// How often an export runs.
    pub fn cadence(&self) -> Cadence {
        self.cadence
    }

    /// How objects are encoded, unless a configuration chooses otherwise.
    pub fn encoding(&self) -> &Encoding {
        // A profile without an encoding is refused when it is read.
        self.encodings.first().unwrap_or(&vocabulary::PARQUET)
    }

    /// The encodings that a configuration can choose from, the usual one first.
    pub fn encodings(&self) -> &[Encoding] {
        &self.encodings
    }

    /// The encoding of that format and compression; what is not given is as usual.
    pub fn encoding_for(
        &self,
        format: Option<Format>,
        compression: Option<Compression>,
    ) -> Option<&Encoding> {
        self.encodings.iter().find(|encoding| {
            format.is_none_or(|format| format == encoding.format)
                && compression.is_none_or(|compression| compression == encoding.compression)
        })
    }

    /// When an appended object is full.
    pub fn batch_limits(&self) -> BatchLimits {
        self.batch
    }

    /// How periods end.
    pub fn period_rules(&self) -> PeriodRules {
        self.period
    }

    /// How a configured prefix becomes a part of keys.
    pub fn prefix_rule(&self) -> PrefixRule {
        self.prefix_rule
    }

    /// The prefix as keys of this vendor begin with it.
    pub fn prefix_of(&self, configured: &KeyPrefix) -> KeyPrefix {
        match self.prefix_rule {
            PrefixRule::Folder => configured.clone(),
            PrefixRule::Literal => configured.literal(),
        }
    }

    /// Whether a bucket's name may be followed by folders.
    pub fn nested_bucket(&self) -> bool {
        self.nested_bucket
    }

    /// The canned ACL that every write asks for.
    pub fn acl(&self) -> Option<&str> {
        self.acl.as_deref()
    }

    /// The ways to authenticate that the vendor documents.
    pub fn auth_modes(&self) -> &[AuthMode] {
        &self.auth_modes
    }

    /// When static keys are to be rotated, if the vendor says.
    pub fn key_rotation(&self) -> Option<&KeyRotation> {
        self.key_rotation.as_ref()
    }

    /// Who may assume the customer's role, if roles are used.
    pub fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// What the documented policy is attached to.
    pub fn policy_attachment(&self) -> PolicyAttachment {
        self.policy_attachment
    }

    /// The documented policy of a customer's KMS key, if there is one.
    pub fn key_policy(&self) -> Option<&KeyPolicy> {
        self.key_policy.as_ref()
    }

    /// The documented policy.
    pub fn statements(&self) -> &[PolicyStatement] {
        &self.statements
    }

    /// Datasets in the order of the file.
    pub fn datasets(&self) -> &[Dataset] {
        &self.datasets
    }

    /// The dataset of that name.
    pub fn dataset(&self, name: &DatasetName) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name() == name)
    }

    /// The Arrow schema of the dataset of that name.
    pub fn schema(&self, dataset: &DatasetName) -> Option<SchemaRef> {
        self.dataset(dataset).map(Dataset::schema)
    }

    /// Messages for failures.
    pub fn doctor(&self) -> &[DoctorMessage] {
        &self.doctor
    }

    /// The message for a failure, if the vendor's page has one.
    pub fn doctor_message(&self, when: DiagnosisKind) -> Option<&DoctorMessage> {
        self.doctor.iter().find(|message| message.when == when)
    }

    /// What the vendor's page says of things that go wrong, each with what answers it here.
    pub fn troubleshooting(&self) -> &[TroubleshootingEntry] {
        &self.troubleshooting
    }

    /// How the vendor's page sets an export up, step by step.
    pub fn guide(&self) -> &[GuideStep] {
        &self.guide
    }

    /// How the vendor's installation over HTTP maps to a configuration, if it has one.
    pub fn install(&self) -> Option<&InstallRules> {
        self.install.as_ref()
    }

    /// The profile as a connection has it: with the rows and columns that it chooses.
    pub(crate) fn chosen(mut self, choices: &[RowChoice]) -> Result<Self, (DatasetName, Misfit)> {
        for choice in choices {
            if let Some(dataset) = self.datasets.iter_mut().find(|dataset| *dataset.name() == choice.dataset)
            {
                *dataset = dataset.chosen(choice).map_err(|misfit| (choice.dataset.clone(), misfit))?;
            }
        }
        Ok(self)
    }

    /// The template of keys of chosen ranges, if the vendor exports such.
    pub fn manual_layout(&self) -> Option<&str> {
        self.manual.as_deref()
    }

    /// Executable examples of keys.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// Executable examples of rows.
    pub fn row_examples(&self) -> &[RowExample] {
        &self.row_examples
    }
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
