//! The TOML form of a configuration and its checks.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::raw_auth::{RawAuth, auth};
use super::raw_engine::{self, RawTail};
use super::raw_place::{self, RawBucket};
use super::raw_rows::{self, RawRows};
use super::raw_schedule::{RawSchedule, schedule};
use super::raw_source::{RawSource, sources};
use super::{Config, History, ProfileChoice, SyncToggle};
use crate::document::{Document, DocumentError};
use crate::names::DatasetName;
use crate::profile::{Compression, Format};
use crate::store::Encryption;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    profile: Option<Spanned<String>>,
    profile_path: Option<Spanned<PathBuf>>,
    enabled: bool,
    #[serde(default)]
    history: History,
    schedule: Option<Spanned<RawSchedule>>,
    datasets: Spanned<Vec<Spanned<String>>>,
    #[serde(default = "default_encryption")]
    encryption: RawEncryption,
    kms_key_id: Option<Spanned<String>>,
    format: Option<Format>,
    compression: Option<Compression>,
    storage_class: Option<Spanned<String>>,
    #[serde(default)]
    allow_archive_class: bool,
    worker_id: Option<Spanned<String>>,
    writes: Option<Spanned<String>>,
    writer_epoch: Option<Spanned<u64>>,
    tail: Option<RawTail>,
    bucket: RawBucket,
    auth: RawAuth,
    state: RawState,
    #[serde(default)]
    rows: Vec<RawRows>,
    #[serde(default)]
    source: Vec<RawSource>,
}

fn default_encryption() -> RawEncryption {
    RawEncryption::SseS3
}

#[derive(Clone, Copy, Deserialize)]
enum RawEncryption {
    #[serde(rename = "none")]
    None,
    #[serde(rename = "sse-s3")]
    SseS3,
    #[serde(rename = "aws:kms")]
    SseKms,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    dir: PathBuf,
    memory_mib: Option<Spanned<u64>>,
    batch_mib: Option<Spanned<u64>>,
}

pub(super) fn parse(text: &str, file_name: &str) -> Result<Config, DocumentError> {
    let document = Document::new(file_name, text);
    // The value of a refused inline secret is kept out of the error: its field's name gives it away.
    let raw: RawConfig = document
        .parse("compare with the example in the connector's documentation")
        .map_err(|error| match error.field() {
            "auth.secret_access_key" | "auth.session_token" => {
                error.with_help("name its place: `{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\"] }`")
            }
            "auth.access_key_id" => error.with_help(
                "write the id, or name its place: `{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\"] }`; no secret belongs here",
            ),
            _ => error,
        })?;
    let directory = Path::new(file_name).parent().unwrap_or(Path::new("")).to_path_buf();
    let datasets = datasets(&document, &raw.datasets)?;
    let (memory, batch) = (raw.state.memory_mib.as_ref(), raw.state.batch_mib.as_ref());
    let (memory_bytes, batch_bytes) = raw_engine::memory(&document, memory, batch)?;
    Ok(Config {
        profile: profile(&document, raw.profile, raw.profile_path, &directory)?,
        history: raw.history,
        schedule: schedule(&document, raw.schedule)?,
        toggle: if raw.enabled { SyncToggle::On } else { SyncToggle::Off },
        encryption: encryption(&document, raw.encryption, raw.kms_key_id)?,
        format: raw.format,
        compression: raw.compression,
        storage_class: raw_place::storage_class(&document, raw.storage_class, raw.allow_archive_class)?,
        worker_id: raw_place::worker_id(&document, raw.worker_id)?,
        bucket: raw_place::bucket(&document, raw.bucket)?,
        auth: auth(&document, raw.auth, &directory)?,
        writes: raw_engine::writes(&document, raw.writes.as_ref())?,
        writer_epoch: raw_engine::epoch(&document, raw.writer_epoch.as_ref())?,
        tail: raw_engine::tail(&document, raw.tail, &datasets)?,
        memory_bytes,
        batch_bytes,
        state_dir: directory.join(raw.state.dir),
        rows: raw_rows::rows(&document, raw.rows, &datasets)?,
        sources: sources(&document, raw.source, &datasets, &directory)?,
        datasets,
    })
}

fn profile(
    document: &Document<'_>,
    id: Option<Spanned<String>>,
    path: Option<Spanned<PathBuf>>,
    directory: &Path,
) -> Result<ProfileChoice, DocumentError> {
    match (id, path) {
        (Some(id), None) => Ok(ProfileChoice::Named(id.into_inner())),
        (None, Some(path)) => Ok(ProfileChoice::File(directory.join(path.into_inner()))),
        (Some(_), Some(path)) => Err(document.error(
            path.span(),
            "both `profile` and `profile_path` are given",
            "keep one of the two",
        )),
        (None, None) => Err(document.error(
            0..0,
            "neither `profile` nor `profile_path` is given",
            "add `profile` with an id that `bucketproof-connector profile list` prints, or `profile_path` with a file",
        )),
    }
}

fn datasets(
    document: &Document<'_>,
    raw: &Spanned<Vec<Spanned<String>>>,
) -> Result<Vec<DatasetName>, DocumentError> {
    let mut names: Vec<DatasetName> = Vec::new();
    for entry in raw.get_ref() {
        let name = DatasetName::new(entry.get_ref().as_str()).map_err(|error| {
            document.error(entry.span(), error.to_string(), "name a dataset of the profile")
        })?;
        if names.contains(&name) {
            return Err(document.error(entry.span(), "the dataset is listed twice", "remove one of the two"));
        }
        names.push(name);
    }
    if names.is_empty() {
        return Err(document.error(raw.span(), "no dataset is selected", "list at least one dataset"));
    }
    Ok(names)
}

fn encryption(
    document: &Document<'_>,
    mode: RawEncryption,
    key_id: Option<Spanned<String>>,
) -> Result<Encryption, DocumentError> {
    match (mode, key_id) {
        (RawEncryption::SseKms, key_id) => Ok(Encryption::SseKms { key_id: key_id.map(Spanned::into_inner) }),
        (_, Some(key_id)) => Err(document.error(
            key_id.span(),
            "a KMS key is given, but `encryption` is not `aws:kms`",
            "set `encryption = \"aws:kms\"` or remove the key",
        )),
        (RawEncryption::SseS3, None) => Ok(Encryption::SseS3),
        (RawEncryption::None, None) => Ok(Encryption::BucketDefault),
    }
}
