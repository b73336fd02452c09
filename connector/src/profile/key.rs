//! The parts of a key that do not come from rows: prefix, extension, and what names a batch.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Where an object goes below the bucket's root; empty for the root itself.
#[derive(Clone, Debug, Default)]
pub struct KeyPrefix {
    text: String,
    written: String,
}

impl PartialEq for KeyPrefix {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for KeyPrefix {}

/// Why a text is not a key prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// S3 would make an object below an unnamed folder.
    #[error("prefix `{0}` begins with a slash")]
    LeadingSlash(String),
    /// A prefix has no bucket in it.
    #[error("prefix `{0}` is a URL; it holds the bucket's name")]
    Url(String),
    /// Query engines and consoles disagree about empty path segments.
    #[error("prefix `{0}` holds an empty path segment (`//`)")]
    EmptySegment(String),
    /// `.` and `..` are resolved by some clients and kept by others.
    #[error("prefix `{0}` holds the path segment `.` or `..`")]
    DotSegment(String),
    /// Keys hold no control characters.
    #[error("prefix `{0}` holds a control character or is longer than 512 bytes")]
    Character(String),
}

impl KeyPrefix {
    /// Checks a prefix. One slash at the end is accepted and means the same as none.
    pub fn new(text: &str) -> Result<Self, PrefixError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.contains("://") {
            return Err(PrefixError::Url(text.to_owned()));
        }
        if text.starts_with('/') {
            return Err(PrefixError::LeadingSlash(text.to_owned()));
        }
        let path = text.strip_suffix('/').unwrap_or(text);
        if path.split('/').any(str::is_empty) {
            return Err(PrefixError::EmptySegment(text.to_owned()));
        }
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(PrefixError::DotSegment(text.to_owned()));
        }
        if path.len() > 512 || path.chars().any(char::is_control) {
            return Err(PrefixError::Character(text.escape_default().to_string()));
        }
        Ok(Self { text: format!("{path}/"), written: text.to_owned() })
    }

    /// Checks a prefix that may begin with one slash, which S3 takes for a folder without a name.
    pub fn with_leading_slash(text: &str) -> Result<Self, PrefixError> {
        let Some(rest) = text.strip_prefix('/') else { return Self::new(text) };
        let inner = Self::new(rest)?;
        Ok(Self { text: format!("/{}", inner.text), written: text.to_owned() })
    }

    /// The prefix with its closing slash; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The prefix exactly as it was written, which may end without a slash.
    #[must_use]
    pub fn literal(&self) -> Self {
        Self { text: self.written.clone(), written: self.written.clone() }
    }

    /// This prefix, and `inner` below it.
    pub fn join(&self, inner: &Self) -> Result<Self, PrefixError> {
        match (self.text.as_str(), inner.text.as_str()) {
            (_, "") => Ok(self.clone()),
            ("", _) => Ok(inner.clone()),
            (outer, folder) => Self::new(&format!("{outer}{folder}")),
        }
    }
}

/// What a key says besides dataset and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectNames {
    /// What `{ext}` stands for.
    pub extension: String,
    /// What names a batch.
    pub batch: BatchNames,
}

/// What names a batch, the same whenever it is tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchNames {
    /// `{batch:uuid}`: a UUID of version 5 over what the batch holds and where it came from.
    pub uuid: String,
    /// `{batch:hash}`: 16 hexadecimal digits of a SHA-256 over the same.
    pub hash: String,
    /// `{batch:first_ms}`: the first row's time in milliseconds since the epoch.
    pub first_ms: i64,
    /// `{worker}`.
    pub worker: String,
}

impl BatchNames {
    /// The names of the batch that `identity` describes in full.
    pub fn of(identity: &str, first_ms: i64, worker: &str) -> Self {
        let digest = Sha256::digest(identity.as_bytes());
        Self {
            uuid: Uuid::new_v5(&Uuid::NAMESPACE_OID, identity.as_bytes()).to_string(),
            hash: hex::encode(digest.get(..8).unwrap_or_default()),
            first_ms: first_ms.max(0),
            worker: worker.to_owned(),
        }
    }
}
