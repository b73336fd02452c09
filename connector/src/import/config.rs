//! The configuration of an import: which buckets, as whom, and what their files may say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use toml::Spanned;
use uuid::Uuid;

use super::endpoint_config::{self, EndpointConfig, RawEndpoint};
use super::profile::ImportProfile;
use super::status_form::StatusChoices;
use super::target_config::{self, RawTarget, TargetConfig};
use crate::config::{
    AuthConfig, BucketConfig, ConfigError, RawAuth, RawBucket, SecretError, checked_auth, checked_bucket,
};
use crate::document::{Document, DocumentError};
use crate::store::S3Settings;

/// Bytes that a file may have after unpacking, if the configuration says nothing: 4 GiB.
const UNPACKED_MIB_DEFAULT: u64 = 4096;
/// How often buckets are listed, if the configuration says nothing.
const RECONCILE_MINUTES_DEFAULT: u32 = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    profile: Spanned<String>,
    state: RawState,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    reconcile_minutes: Option<Spanned<u32>>,
    endpoint: Option<RawEndpoint>,
    role_arn: Option<Spanned<String>>,
    target: Option<RawTarget>,
    rescue_column: Option<Spanned<String>>,
    #[serde(default = "no_choices")]
    status: Spanned<StatusChoices>,
    #[serde(default)]
    validate: RawValidate,
    connection: Vec<RawConnection>,
}

fn no_choices() -> Spanned<StatusChoices> {
    Spanned::new(0..0, StatusChoices::default())
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawValidate {
    timestamp_window: Option<Spanned<RawWindow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWindow {
    from: Option<Timestamp>,
    ahead_hours: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    dir: PathBuf,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    unpacked_mib: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConnection {
    name: Spanned<String>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    data_prefix: String,
    suffix: Option<String>,
    status_folder: Spanned<String>,
    topic_arn: Option<Spanned<String>>,
    #[serde(default)]
    raw_delivery: bool,
    queue_url: Option<Spanned<String>>,
    #[serde(default)]
    versions: bool,
    environments: Spanned<Vec<String>>,
    bucket: RawBucket,
    auth: RawAuth,
}

/// One bucket from which files come.
#[derive(Clone, Debug)]
pub struct InboundConnection {
    /// Name, unique in the configuration.
    pub name: String,
    /// Whether files are imported.
    pub enabled: bool,
    /// Where files are; empty for the whole bucket.
    pub data_prefix: String,
    /// What the keys of files end with, if only some are meant.
    pub suffix: Option<String>,
    /// Where reports go; it need not exist.
    pub status_folder: String,
    /// The topic that tells of new files.
    pub topic_arn: Option<String>,
    /// Whether messages without a signature are believed.
    pub raw_delivery: bool,
    /// A queue of SQS in which announcements wait.
    pub queue_url: Option<String>,
    /// Whether every version of a key is a file of its own, told apart by its id.
    pub versions: bool,
    /// The environments that events may name.
    pub environments: BTreeSet<String>,
    /// The bucket.
    pub bucket: BucketConfig,
    /// As whom.
    pub auth: AuthConfig,
}

impl InboundConnection {
    /// Whether an object is a file to import: not a folder's marker, not a report.
    pub(crate) fn wants(&self, key: &str) -> bool {
        let status = format!("{}/", self.status_folder.trim_matches('/'));
        key.starts_with(&self.data_prefix)
            && !key.ends_with('/')
            && !key.starts_with(&status)
            && self.suffix.as_ref().is_none_or(|suffix| key.ends_with(suffix.as_str()))
    }

    /// The settings of the connection's store; `environment` looks a variable up.
    pub fn store_settings(
        &self,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<S3Settings, SecretError> {
        Ok(self.bucket.store_settings(self.auth.credentials(environment)?))
    }
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct ImportConfig {
    /// What is imported.
    pub profile: ImportProfile,
    /// From where.
    pub connections: Vec<InboundConnection>,
    /// Directory of the database.
    pub state_dir: PathBuf,
    /// Where rows go.
    pub target: TargetConfig,
    /// The column that keeps what the profile has no column for.
    pub rescue_column: Option<String>,
    /// What reports call things.
    pub status: StatusChoices,
    /// Bytes that a file may have after unpacking.
    pub unpacked_bytes_max: u64,
    /// How often buckets are listed, in minutes.
    pub reconcile_minutes: u32,
    /// Where messages of SNS come in.
    pub endpoint: Option<EndpointConfig>,
    /// Whom the owners of buckets name in their policies, where connections assume no role of theirs.
    pub role_arn: Option<String>,
}

impl ImportConfig {
    /// The name of a connection's endpoint: a function of what it connects, so that it stays when the import moves.
    pub(crate) fn endpoint_id(&self, connection: &InboundConnection) -> String {
        let name = [self.profile.id.as_str(), &connection.name, connection.bucket.name.as_str()].join("\n");
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    }

    /// The URL that SNS is to be subscribed with, by the name of the connection; of those that name a topic.
    pub fn endpoint_urls(&self) -> BTreeMap<String, String> {
        let Some(endpoint) = &self.endpoint else { return BTreeMap::new() };
        let hearing = self.connections.iter().filter(|connection| connection.topic_arn.is_some());
        let url = |connection: &InboundConnection| {
            format!("{}/notifications/{}", endpoint.public_url, self.endpoint_id(connection))
        };
        hearing.map(|connection| (connection.name.clone(), url(connection))).collect()
    }

    /// Reads a configuration from a file; relative paths in it start at its directory.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: shown.clone(), source })?;
        Ok(Self::parse(&text, &shown)?)
    }

    /// Parses a configuration. Relative paths in it start at the directory of `file_name`.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, DocumentError> {
        let document = Document::new(file_name, text);
        let raw: Raw = document.parse("compare with the example in the connector's documentation")?;
        let directory = Path::new(file_name).parent().unwrap_or(Path::new("")).to_path_buf();
        let mut profile = ImportProfile::named(raw.profile.get_ref()).ok_or_else(|| {
            let known: Vec<&str> = ImportProfile::ids().collect();
            document.error(
                raw.profile.span(),
                "there is no import profile of that id",
                format!("write one of: {}", known.join(", ")),
            )
        })??;
        let mut connections: Vec<InboundConnection> = Vec::new();
        for connection in raw.connection {
            if connections.iter().any(|other| other.name == *connection.name.get_ref()) {
                return Err(document.error(
                    connection.name.span(),
                    "two connections have this name",
                    "give each connection a name of its own",
                ));
            }
            connections.push(checked(&document, connection, &directory)?);
        }
        if connections.is_empty() {
            return Err(document.error(0..0, "there is no connection", "add at least one `[[connection]]`"));
        }
        let unpacked_mib =
            raw.limits.unpacked_mib.as_ref().map_or(UNPACKED_MIB_DEFAULT, |mib| *mib.get_ref());
        if unpacked_mib == 0 {
            let span = raw.limits.unpacked_mib.map_or(0..0, |mib| mib.span());
            return Err(document.error(span, "no file unpacks to nothing", "4096 is a good value"));
        }
        let minutes =
            raw.reconcile_minutes.as_ref().map_or(RECONCILE_MINUTES_DEFAULT, |minutes| *minutes.get_ref());
        if !(1..=60).contains(&minutes) {
            let span = raw.reconcile_minutes.map_or(0..0, |minutes| minutes.span());
            return Err(document.error(
                span,
                "buckets are listed every 1 to 60 minutes",
                "5 is a good value",
            ));
        }
        if let Some(role) = raw.role_arn.as_ref()
            && !(role.get_ref().starts_with("arn:") && role.get_ref().contains(":iam::"))
        {
            return Err(document.error(
                role.span(),
                "not the ARN of a role or user",
                "write an ARN such as `arn:aws:iam::123456789012:role/import`",
            ));
        }
        let endpoint = raw.endpoint.map(|raw| endpoint_config::checked(&document, raw, &directory));
        let endpoint = endpoint.transpose()?;
        if let Some(window) = raw.validate.timestamp_window {
            let RawWindow { from, ahead_hours } = window.get_ref();
            if !profile.set_window(*from, *ahead_hours) {
                return Err(document.error(
                    window.span(),
                    "a time can be in milliseconds only from 1970 on, and this window begins before",
                    "`from = \"2000-01-01T00:00:00Z\"` tells milliseconds from seconds",
                ));
            }
        }
        if let Some(rescue) = &raw.rescue_column {
            checked_rescue(&document, rescue, &profile)?;
        }
        if let Some(minutes) = raw.status.get_ref().alarm_after_minutes
            && minutes <= profile.status.flush_after_minutes
        {
            return Err(document.error(
                raw.status.span(),
                format!(
                    "reports come within {} minutes, so an alarm after {minutes} would be one always",
                    profile.status.flush_after_minutes
                ),
                format!("`alarm_after_minutes = {}` is as documented", profile.status.alarm_after_minutes),
            ));
        }
        let target = raw.target.map(|raw| target_config::checked(&document, raw, &directory));
        let target = target.transpose()?.unwrap_or_default();
        Ok(Self {
            profile,
            connections,
            state_dir: directory.join(raw.state.dir),
            target,
            rescue_column: raw.rescue_column.map(Spanned::into_inner),
            status: raw.status.into_inner(),
            unpacked_bytes_max: unpacked_mib.saturating_mul(1024 * 1024),
            reconcile_minutes: minutes,
            endpoint,
            role_arn: raw.role_arn.map(Spanned::into_inner),
        })
    }
}

/// The rescue column has a name that no other column of the target has.
fn checked_rescue(
    document: &Document<'_>,
    rescue: &Spanned<String>,
    profile: &ImportProfile,
) -> Result<(), DocumentError> {
    let name = rescue.get_ref().as_str();
    let own = ["file", "row", "bucketproof_file", "bucketproof_row"];
    let mut taken = profile.columns.iter().map(|column| column.name.as_str()).chain(own);
    if name.is_empty() || name.len() > 63 || name.contains('\0') {
        let help = "write a name such as `_rescued`";
        return Err(document.error(rescue.span(), "not the name of a column", help));
    }
    if let Some(taken) = taken.find(|taken| taken.eq_ignore_ascii_case(name)) {
        let problem = format!("the target has a column `{taken}` already");
        return Err(document.error(rescue.span(), problem, "choose another name, such as `_rescued`"));
    }
    Ok(())
}

fn checked(
    document: &Document<'_>,
    raw: RawConnection,
    directory: &Path,
) -> Result<InboundConnection, DocumentError> {
    let folder = raw.status_folder.get_ref();
    if folder.trim_matches('/').is_empty() || folder.contains("//") || folder.starts_with("s3:") {
        return Err(document.error(
            raw.status_folder.span(),
            "not a folder of the bucket",
            "write the folder alone: `my_statuses`; it need not exist",
        ));
    }
    if raw.environments.get_ref().is_empty() {
        return Err(document.error(
            raw.environments.span(),
            "the connection has no environment, so every event would be refused",
            "list the ids of its environments",
        ));
    }
    if let Some(topic) = &raw.topic_arn {
        let arn = topic.get_ref();
        if !(arn.starts_with("arn:") && arn.contains(":sns:")) {
            return Err(document.error(
                topic.span(),
                "not the ARN of an SNS topic",
                "write an ARN such as `arn:aws:sns:us-east-1:123456789012:events`",
            ));
        }
        if arn.rsplit_once('.').is_some_and(|(_, kind)| kind == "fifo") {
            return Err(document.error(
                topic.span(),
                "S3 does not send events to FIFO topics",
                "make a topic of type Standard",
            ));
        }
    }
    if let Some(url) = &raw.queue_url {
        let text = url.get_ref();
        let is_url = text.starts_with("https://") || text.starts_with("http://");
        if !is_url || text.splitn(4, '/').nth(3).is_none_or(str::is_empty) {
            return Err(document.error(
                url.span(),
                "not the URL of a queue",
                "write a URL such as `https://sqs.us-east-1.amazonaws.com/123456789012/events`",
            ));
        }
        if text.rsplit_once('.').is_some_and(|(_, kind)| kind == "fifo") {
            return Err(document.error(
                url.span(),
                "S3 does not send events to FIFO queues",
                "make a queue of type Standard",
            ));
        }
    }
    if let Some(prefix) = raw.bucket.prefix() {
        return Err(document.error(
            prefix,
            "an import has two prefixes: of its files and of its reports",
            "remove it, and set `data_prefix` and `status_folder` of the connection",
        ));
    }
    Ok(InboundConnection {
        name: raw.name.into_inner(),
        enabled: raw.enabled.unwrap_or(true),
        data_prefix: raw.data_prefix.trim_start_matches('/').to_owned(),
        suffix: raw.suffix,
        status_folder: folder.trim_matches('/').to_owned(),
        topic_arn: raw.topic_arn.map(Spanned::into_inner),
        raw_delivery: raw.raw_delivery,
        queue_url: raw.queue_url.map(Spanned::into_inner),
        versions: raw.versions,
        environments: raw.environments.into_inner().into_iter().collect(),
        bucket: checked_bucket(document, raw.bucket)?,
        auth: checked_auth(document, raw.auth, directory)?,
    })
}
