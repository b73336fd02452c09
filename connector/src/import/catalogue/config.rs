//! The configuration of a catalogue: in which buckets tables lie, and how.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::profile::{CatalogueFormat, CatalogueProfile};
use super::tree::PartitionType;
use crate::config::{
    AuthConfig, BucketConfig, ConfigError, RawAuth, RawBucket, SecretError, checked_auth, checked_bucket,
};
use crate::document::{Document, DocumentError};
use crate::store::S3Settings;

/// Bytes that a file may have after unpacking, if the configuration says nothing: 4 GiB.
const UNPACKED_MIB_DEFAULT: u64 = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    profile: Spanned<String>,
    state: RawState,
    unpacked_mib: Option<u64>,
    connection: Vec<RawConnection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    dir: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConnection {
    name: Spanned<String>,
    schema_prefix: Spanned<String>,
    format: CatalogueFormat,
    partitioned: bool,
    #[serde(default)]
    partition_types: BTreeMap<String, PartitionType>,
    rescue_column: Option<String>,
    csv: Option<Spanned<RawDialect>>,
    bucket: RawBucket,
    auth: RawAuth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDialect {
    delimiter: Option<Spanned<String>>,
    null: Option<String>,
}

/// How the CSV of a connection differs from RFC 4180.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvDialect {
    /// What stands between values.
    pub delimiter: u8,
    /// What a null is written as.
    pub null: String,
}

impl Default for CsvDialect {
    fn default() -> Self {
        Self { delimiter: b',', null: String::new() }
    }
}

/// A bucket in which tables lie.
#[derive(Clone, Debug)]
pub struct CatalogueConnection {
    /// Name, unique in the configuration.
    pub name: String,
    /// The folder of the tables, with a slash at its end; empty for the whole bucket.
    pub schema_prefix: String,
    /// How files are written.
    pub format: CatalogueFormat,
    /// Whether files lie in folders of partitions.
    pub is_partitioned: bool,
    /// Types of partition columns, where they are not to be inferred.
    pub partition_types: BTreeMap<String, PartitionType>,
    /// Where columns go that a table did not have at first, as JSON; without one such files are refused.
    pub rescue_column: Option<String>,
    /// How CSV is written.
    pub csv: CsvDialect,
    /// The bucket.
    pub bucket: BucketConfig,
    /// As whom.
    pub auth: AuthConfig,
}

impl CatalogueConnection {
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
pub struct CatalogueConfig {
    /// What is imported.
    pub profile: CatalogueProfile,
    /// From where.
    pub connections: Vec<CatalogueConnection>,
    /// Directory of the database.
    pub state_dir: PathBuf,
    /// Bytes that a file may have after unpacking.
    pub unpacked_bytes_max: u64,
}

impl CatalogueConfig {
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
        let profile = CatalogueProfile::named(raw.profile.get_ref()).ok_or_else(|| {
            let known: Vec<&str> = CatalogueProfile::ids().collect();
            document.error(
                raw.profile.span(),
                "there is no catalogue of that id",
                format!("write one of: {}", known.join(", ")),
            )
        })??;
        let mut connections: Vec<CatalogueConnection> = Vec::new();
        for own in raw.connection {
            let name = own.name.get_ref();
            if name.is_empty() || connections.iter().any(|other| other.name == *name) {
                return Err(document.error(
                    own.name.span(),
                    "the name of a connection is missing or taken",
                    "give each connection a name of its own",
                ));
            }
            connections.push(checked(&document, own, &directory)?);
        }
        if connections.is_empty() {
            return Err(document.error(0..0, "there is no connection", "add at least one `[[connection]]`"));
        }
        Ok(Self {
            profile,
            connections,
            state_dir: directory.join(raw.state.dir),
            unpacked_bytes_max: raw.unpacked_mib.unwrap_or(UNPACKED_MIB_DEFAULT).saturating_mul(1024 * 1024),
        })
    }
}

fn checked(
    document: &Document<'_>,
    raw: RawConnection,
    directory: &Path,
) -> Result<CatalogueConnection, DocumentError> {
    let prefix = raw.schema_prefix.get_ref();
    if prefix.contains("//") || prefix.starts_with('/') || prefix.contains("s3:") {
        return Err(document.error(
            raw.schema_prefix.span(),
            "not a folder of the bucket",
            "write the folder alone: `warehouse/tables`, or nothing for the whole bucket",
        ));
    }
    if let Some(prefix) = raw.bucket.prefix() {
        return Err(document.error(
            prefix,
            "tables lie below the schema prefix",
            "remove it, and set `schema_prefix` of the connection",
        ));
    }
    let folder = prefix.trim_end_matches('/');
    let csv = match raw.csv {
        None => CsvDialect::default(),
        Some(csv) if raw.format != CatalogueFormat::Csv => {
            return Err(document.error(
                csv.span(),
                "the files of the connection are not CSV",
                "remove `csv`, or set `format = \"csv\"`",
            ));
        }
        Some(csv) => dialect(document, csv.into_inner())?,
    };
    Ok(CatalogueConnection {
        name: raw.name.into_inner(),
        schema_prefix: if folder.is_empty() { String::new() } else { format!("{folder}/") },
        format: raw.format,
        is_partitioned: raw.partitioned,
        partition_types: raw.partition_types,
        rescue_column: raw.rescue_column,
        csv,
        bucket: checked_bucket(document, raw.bucket)?,
        auth: checked_auth(document, raw.auth, directory)?,
    })
}

fn dialect(document: &Document<'_>, raw: RawDialect) -> Result<CsvDialect, DocumentError> {
    let usual = CsvDialect::default();
    let delimiter = match &raw.delimiter {
        None => usual.delimiter,
        Some(text) => match text.get_ref().as_bytes() {
            [one] if one.is_ascii() && !matches!(one, b'"' | b'\r' | b'\n') => *one,
            _ => {
                return Err(document.error(
                    text.span(),
                    "not a delimiter",
                    "write one character of ASCII, such as `;`, `|` or `\\t`",
                ));
            }
        },
    };
    Ok(CsvDialect { delimiter, null: raw.null.unwrap_or(usual.null) })
}
