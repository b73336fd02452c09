//! Where imported rows go, in TOML: SQLite in the state directory, a schema of PostgreSQL, or a directory of Parquet files.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::config::{RawSecret, SecretPlace};
use crate::document::{Document, DocumentError};

/// The schema, if the configuration names none.
const SCHEMA_DEFAULT: &str = "bucketproof";
/// Bytes of an identifier, above which PostgreSQL cuts it off (its documentation, "Identifiers and Key Words").
const IDENTIFIER_BYTES_MAX: usize = 63;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    postgres: Option<Spanned<RawServer>>,
    parquet: Option<Spanned<RawDataset>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawServer {
    url: RawSecret,
    schema: Option<Spanned<String>>,
    root_certificate: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDataset {
    directory: PathBuf,
}

/// A schema of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPlace {
    /// Where the URL of the connection is.
    pub url: SecretPlace,
    /// The schema, which holds the import's state, too.
    pub schema: String,
    /// Certificates of the authorities to trust in place of the machine's.
    pub root_certificate: Option<PathBuf>,
}

/// Where imported rows go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TargetConfig {
    /// SQLite in the state directory.
    #[default]
    Sqlite,
    /// PostgreSQL.
    Postgres(ServerPlace),
    /// Parquet files.
    Parquet {
        /// Their directory.
        directory: PathBuf,
    },
}

/// What tells a target from others; no secret.
impl fmt::Display for TargetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("sqlite"),
            Self::Postgres(place) => write!(f, "postgres schema {}", place.schema),
            Self::Parquet { directory } => write!(f, "parquet {}", directory.display()),
        }
    }
}

pub(super) fn checked(
    document: &Document<'_>,
    raw: RawTarget,
    directory: &Path,
) -> Result<TargetConfig, DocumentError> {
    match (raw.postgres, raw.parquet) {
        (Some(_), Some(parquet)) => Err(document.error(
            parquet.span(),
            "rows go to one target",
            "keep one of `postgres` and `parquet`; another import with its own `state.dir` may fill the other",
        )),
        (Some(server), None) => {
            let RawServer { url, schema, root_certificate } = server.into_inner();
            let (schema, span) = match schema {
                Some(schema) => (schema.get_ref().clone(), schema.span()),
                None => (SCHEMA_DEFAULT.to_owned(), 0..0),
            };
            if schema.is_empty() || schema.len() > IDENTIFIER_BYTES_MAX || schema.contains('\0') {
                return Err(document.error(
                    span,
                    "not the name of a schema",
                    "a name has 1 to 63 bytes: `bucketproof`",
                ));
            }
            if schema.starts_with("pg_") || schema == "information_schema" {
                return Err(document.error(
                    span,
                    "the schema is the database's own",
                    "choose another name: `bucketproof`",
                ));
            }
            Ok(TargetConfig::Postgres(ServerPlace {
                url: url.below(directory),
                schema,
                root_certificate: root_certificate.map(|path| directory.join(path)),
            }))
        }
        (None, Some(dataset)) => {
            Ok(TargetConfig::Parquet { directory: directory.join(dataset.into_inner().directory) })
        }
        (None, None) => Ok(TargetConfig::Sqlite),
    }
}
