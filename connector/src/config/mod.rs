//! The configuration of one connection: which vendor's data, from which sources, to which bucket, as whom.
//!
//! Secrets are named, never written: by environment variable or by file.

mod raw;
mod raw_auth;
mod raw_engine;
mod raw_place;
mod raw_rows;
mod raw_schedule;
mod raw_source;
mod secrets;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

pub(crate) use raw_auth::{RawAuth, auth as checked_auth};
pub(crate) use raw_place::{RawBucket, bucket as checked_bucket};
pub(crate) use secrets::RawSecret;
pub use secrets::{CsvColumn, SecretError, SecretPlace};

use crate::credentials::{AccessKey, AmbientSource, BaseCredentials, CredentialSource};
use crate::document::DocumentError;
use crate::names::{BucketName, DatasetName};
use crate::profile::{AuthMode, Compression, Format, KeyPrefix, ProfileError, VendorProfile};
use crate::row_rules::RowChoice;
use crate::schedule::Schedule;
use crate::secret::Secret;
use crate::store::{Addressing, Encryption, S3Settings, Transport};

/// Which profile a connection uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileChoice {
    /// One that comes with the crate.
    Named(String),
    /// A file.
    File(PathBuf),
}

/// Whether the connection exports at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncToggle {
    /// It does.
    On,
    /// It makes no call to the store.
    Off,
}

/// What is exported of the time before a dataset is first enabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Everything that the sources hold.
    #[default]
    All,
    /// Nothing: rows of an earlier time than the dataset's first sync are passed over.
    Forward,
}

/// The bucket and how to reach it.
#[derive(Clone, Debug)]
pub struct BucketConfig {
    /// Name.
    pub name: BucketName,
    /// Whether folders were given with the name; they are a part of the prefix.
    pub is_nested: bool,
    /// Region.
    pub region: String,
    /// Where objects go below the root.
    pub prefix: KeyPrefix,
    /// Another endpoint than AWS's own.
    pub endpoint: Option<String>,
    /// Another endpoint of STS.
    pub sts_endpoint: Option<String>,
    /// How requests address the bucket.
    pub addressing: Addressing,
    /// Which transports are allowed.
    pub transport: Transport,
}

impl BucketConfig {
    /// The settings of a store that leaves encryption and storage class to the bucket.
    pub(crate) fn store_settings(&self, credentials: CredentialSource) -> S3Settings {
        S3Settings {
            bucket: self.name.clone(),
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
            sts_endpoint: self.sts_endpoint.clone(),
            addressing: self.addressing,
            transport: self.transport,
            encryption: Encryption::BucketDefault,
            storage_class: None,
            credentials,
        }
    }
}

/// The places of an access key's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlaces {
    /// The access key id.
    pub id: SecretPlace,
    /// The secret access key.
    pub secret: SecretPlace,
    /// The session token, if the key is temporary.
    pub session_token: Option<SecretPlace>,
}

/// Who assumes a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseConfig {
    /// Somebody with keys.
    Keys(KeyPlaces),
    /// Whoever the machine is.
    Ambient(AmbientSource),
}

/// Who the connector is.
#[derive(Clone, Debug)]
pub enum AuthConfig {
    /// A role, assumed with base credentials.
    AssumeRole {
        /// The role.
        role_arn: String,
        /// The external id of the role's trust policy, if it asks for one.
        external_id: Option<Secret>,
        /// Who assumes it.
        base: BaseConfig,
        /// Length of a session.
        session: Duration,
    },
    /// Keys of an IAM user.
    StaticKeys {
        /// The keys.
        key: KeyPlaces,
        /// The day they were made, for the rotation reminder.
        created: Option<Date>,
    },
    /// What the machine has.
    Ambient(AmbientSource),
}

impl AuthConfig {
    /// The external id, if one is given.
    pub fn external_id(&self) -> Option<&Secret> {
        match self {
            Self::AssumeRole { external_id, .. } => external_id.as_ref(),
            Self::StaticKeys { .. } | Self::Ambient(_) => None,
        }
    }

    /// The places of keys, if keys are given.
    pub fn keys(&self) -> Option<&KeyPlaces> {
        match self {
            Self::StaticKeys { key, .. } | Self::AssumeRole { base: BaseConfig::Keys(key), .. } => Some(key),
            Self::AssumeRole { base: BaseConfig::Ambient(_), .. } | Self::Ambient(_) => None,
        }
    }

    /// The role that is assumed, if one is.
    pub fn role_arn(&self) -> Option<&str> {
        match self {
            Self::AssumeRole { role_arn, .. } => Some(role_arn),
            Self::StaticKeys { .. } | Self::Ambient(_) => None,
        }
    }

    /// The mode, as profiles name it.
    pub fn mode(&self) -> AuthMode {
        match self {
            Self::AssumeRole { .. } => AuthMode::AssumeRole,
            Self::StaticKeys { .. } => AuthMode::StaticKeys,
            Self::Ambient(_) => AuthMode::Ambient,
        }
    }

    /// Reads the secrets; `environment` looks a variable up.
    pub(crate) fn credentials(
        &self,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<CredentialSource, SecretError> {
        let key = |places: &KeyPlaces| -> Result<AccessKey, SecretError> {
            Ok(AccessKey {
                id: places.id.read_key_id(&environment)?,
                secret: Secret::new(places.secret.read(&environment)?),
                session_token: match &places.session_token {
                    Some(place) => Some(Secret::new(place.read(&environment)?)),
                    None => None,
                },
            })
        };
        Ok(match self {
            Self::StaticKeys { key: places, .. } => CredentialSource::Static(key(places)?),
            Self::Ambient(source) => CredentialSource::Ambient(source.clone()),
            Self::AssumeRole { role_arn, external_id, base, session } => CredentialSource::Role {
                role_arn: role_arn.clone(),
                external_id: external_id.clone(),
                base: match base {
                    BaseConfig::Keys(places) => BaseCredentials::Key(key(places)?),
                    BaseConfig::Ambient(source) => BaseCredentials::Ambient(source.clone()),
                },
                session: *session,
            },
        })
    }
}

/// What to do when a source file is not the one that was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnReplaced {
    /// Stop, so that nothing is skipped unseen.
    Fail,
    /// Read it from its start; rows that were exported before are deduplicated.
    Restart,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourcePlace {
    /// An NDJSON file, which may grow: a last line without line end waits for the rest.
    File {
        /// Its path.
        path: PathBuf,
        /// What to do if it was replaced or cut.
        on_replaced: OnReplaced,
    },
    /// A Parquet file.
    Parquet {
        /// Its path.
        path: PathBuf,
        /// What to do if it was replaced.
        on_replaced: OnReplaced,
    },
    /// A directory that NDJSON and Parquet files are put into; each is as a source of its own, in the order of their names.
    Directory {
        /// Its path.
        path: PathBuf,
    },
    /// Standard input, which ends: its last line needs no line end.
    Stdin,
    /// A table of a PostgreSQL database.
    Postgres(Box<PostgresPlace>),
    /// A table of an SQLite database.
    Sqlite(SqlitePlace),
}

/// A table and how its new rows are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePlace {
    /// Its name.
    pub name: String,
    /// The column that holds when a row last changed; not needed where all rows are taken each time.
    pub updated_at: Option<String>,
    /// How far before the greatest time rows are looked at again.
    pub overlap: Duration,
}

/// A table of a PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresPlace {
    /// Where the connection's URL is, which may hold a password.
    pub url: SecretPlace,
    /// The table.
    pub table: TablePlace,
    /// Authorities to trust instead of the machine's.
    pub root_certificate: Option<PathBuf>,
}

/// A table of an SQLite database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlitePlace {
    /// The database's file.
    pub path: PathBuf,
    /// The table.
    pub table: TablePlace,
}

/// One source of one dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// The dataset its rows belong to.
    pub dataset: DatasetName,
    /// Where they are.
    pub place: SourcePlace,
}

/// How objects are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Writes {
    /// Each write holds only if the object is as it was read: nothing is lost, whoever else writes.
    Conditional,
    /// Writes are plain, for stores without conditions: a late or second writer can take rows back.
    AtLeastOnceSingleWriter,
}

/// Datasets whose changed rows go to a tail beside their hour's object, until the hour is quiet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailConfig {
    /// Which.
    pub datasets: Vec<DatasetName>,
    /// How long nothing changes an hour before its tail is merged into its object.
    pub quiet: Duration,
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which profile.
    pub profile: ProfileChoice,
    /// Whether to export.
    pub toggle: SyncToggle,
    /// What to export of the time before a dataset is first enabled.
    pub history: History,
    /// When `run` runs, if not as the vendor does.
    pub schedule: Option<Schedule>,
    /// The datasets to export, at least one.
    pub datasets: Vec<DatasetName>,
    /// Where to.
    pub bucket: BucketConfig,
    /// As whom.
    pub auth: AuthConfig,
    /// Encryption of writes.
    pub encryption: Encryption,
    /// Storage class of writes, if not the bucket's usual one.
    pub storage_class: Option<String>,
    /// Format of objects, if not the vendor's usual one.
    pub format: Option<Format>,
    /// Compression of objects, if not the vendor's usual one.
    pub compression: Option<Compression>,
    /// Tells the objects of several connectors apart that write below one prefix.
    pub worker_id: String,
    /// Directory of checkpoints, intents, dead letters and spooled input.
    pub state_dir: PathBuf,
    /// How objects are written.
    pub writes: Writes,
    /// Fences off writers of a lower one; 0 if nothing is said.
    pub writer_epoch: u64,
    /// Datasets whose changed rows go to tails first.
    pub tail: Option<TailConfig>,
    /// Bytes of memory that a sync is to get by with.
    pub memory_bytes: u64,
    /// Bytes of source text that one batch takes at most; a longer line is a batch of its own.
    pub batch_bytes: u64,
    /// Which rows of datasets to export, where it is not all of them as they are.
    pub rows: Vec<RowChoice>,
    /// Sources, in the order in which equal versions are told apart.
    pub sources: Vec<SourceConfig>,
}

/// Why a configuration could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration `{path}` cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The text is no configuration.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl ConfigError {
    /// What to do next.
    pub fn help(&self) -> &str {
        match self {
            Self::Unreadable { .. } => "check the path given with `--config`",
            Self::Document(error) => error.help(),
        }
    }
}

impl Config {
    /// Reads a configuration from a file; relative paths in it start at its directory.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: shown.clone(), source })?;
        Ok(Self::parse(&text, &shown)?)
    }

    /// Bytes of the longest line that is read; it is held a few times, as text, as columns and as an object's bytes.
    pub(crate) fn line_bytes(&self) -> u64 {
        (self.memory_bytes / 4).min(crate::source::LINE_BYTES_MAX)
    }

    /// Parses a configuration. Relative paths in it start at the directory of `file_name`.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, DocumentError> {
        raw::parse(text, file_name)
    }

    /// The profile that the configuration names.
    pub fn load_profile(&self) -> Result<VendorProfile, ProfileError> {
        match &self.profile {
            ProfileChoice::Named(id) => VendorProfile::named(id),
            ProfileChoice::File(path) => VendorProfile::load(path),
        }
    }

    /// Reads the secrets; `environment` looks a variable up.
    pub fn credentials(
        &self,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<CredentialSource, SecretError> {
        self.auth.credentials(environment)
    }

    /// The settings of the store that the configuration describes.
    pub fn store_settings(&self, credentials: CredentialSource) -> S3Settings {
        S3Settings {
            encryption: self.encryption.clone(),
            storage_class: self.storage_class.clone(),
            ..self.bucket.store_settings(credentials)
        }
    }
}

#[cfg(test)]
mod tests;
