//! Where objects go, in TOML: the bucket, what stands before keys, how objects are stored.

use serde::Deserialize;
use toml::Spanned;

use super::BucketConfig;
use crate::document::{Document, DocumentError};
use crate::names::BucketName;
use crate::profile::{KeyPrefix, PrefixError};
use crate::store::{Addressing, Transport};

/// The storage classes of PutObject (S3 API reference, PutObject, `x-amz-storage-class`).
const STORAGE_CLASSES: [&str; 7] = [
    "STANDARD",
    "STANDARD_IA",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "GLACIER_IR",
    "EXPRESS_ONEZONE",
    "REDUCED_REDUNDANCY",
];
/// Classes whose objects cannot be read before they are restored.
const ARCHIVE_CLASSES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBucket {
    #[serde(alias = "bucket_name")]
    name: Spanned<String>,
    region: Spanned<String>,
    #[serde(default)]
    #[serde(alias = "folder")]
    prefix: Option<Spanned<String>>,
    #[serde(default)]
    allow_leading_slash: bool,
    endpoint: Option<Spanned<String>>,
    sts_endpoint: Option<Spanned<String>>,
    #[serde(default)]
    allow_http: bool,
    #[serde(default)]
    path_style: bool,
}

impl RawBucket {
    /// Where the prefix stands, if one is given.
    pub(crate) fn prefix(&self) -> Option<std::ops::Range<usize>> {
        self.prefix.as_ref().map(Spanned::span)
    }
}

pub(crate) fn bucket(document: &Document<'_>, raw: RawBucket) -> Result<BucketConfig, DocumentError> {
    if raw.name.get_ref().contains("://") {
        return Err(document.error(
            raw.name.span(),
            "the bucket's name is written as a URL",
            "write the name alone, without `s3://`; folders belong to `prefix`",
        ));
    }
    let (name, folders) = match raw.name.get_ref().split_once('/') {
        None => (raw.name.get_ref().as_str(), None),
        Some((name, folders)) => (name, Some(folders)),
    };
    let name = BucketName::new(name).map_err(|error| {
        document.error(raw.name.span(), error.to_string(), "copy the name from the S3 console")
    })?;
    let written = raw.region.get_ref();
    let is_name = !written.is_empty() && written.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    // Services that are not AWS name their regions as they like.
    if !is_name || (raw.endpoint.is_none() && !is_aws_region(written)) {
        return Err(document.error(
            raw.region.span(),
            "not a region",
            match written.to_ascii_uppercase().as_str() {
                "EU" => "write the region itself: `eu-west-1`, `eu-central-1`, `eu-north-1`, ...",
                "US" => "write the region itself: `us-east-1`, `us-west-2`, ...",
                _ => "write a region such as `eu-central-1`",
            },
        ));
    }
    let prefix = match &raw.prefix {
        None => KeyPrefix::default(),
        Some(prefix) => {
            let parse = if raw.allow_leading_slash { KeyPrefix::with_leading_slash } else { KeyPrefix::new };
            parse(prefix.get_ref()).map_err(|error| prefix_error(document, prefix, &error))?
        }
    };
    let is_nested = folders.is_some();
    let prefix = match folders {
        None => prefix,
        Some(folders) => KeyPrefix::new(folders)
            .and_then(|folders| folders.join(&prefix))
            .map_err(|error| prefix_error(document, &raw.name, &error))?,
    };
    for endpoint in raw.endpoint.iter().chain(&raw.sts_endpoint) {
        let text = endpoint.get_ref().to_ascii_lowercase();
        if !text.starts_with("https://") && !text.starts_with("http://") {
            return Err(document.error(
                endpoint.span(),
                "not a URL",
                "write `https://host` or `https://host:port`",
            ));
        }
        let server = text.split_once("://").map_or("", |(_, server)| server.trim_end_matches('/'));
        if server.is_empty() || server.contains(['/', '?', '#', '@']) || server.contains(char::is_whitespace)
        {
            return Err(document.error(
                endpoint.span(),
                "not the URL of a server: an endpoint is scheme, host and port alone",
                "write `https://host` or `https://host:port`",
            ));
        }
        if text.starts_with("http://") && !raw.allow_http {
            return Err(document.error(
                endpoint.span(),
                "plain http would send data in the clear",
                "use https, or set `allow_http = true` for an emulator",
            ));
        }
    }
    Ok(BucketConfig {
        name,
        is_nested,
        region: raw.region.into_inner(),
        prefix,
        endpoint: raw.endpoint.map(Spanned::into_inner),
        sts_endpoint: raw.sts_endpoint.map(Spanned::into_inner),
        addressing: if raw.path_style { Addressing::Path } else { Addressing::VirtualHost },
        transport: if raw.allow_http { Transport::AllowHttp } else { Transport::TlsOnly },
    })
}

fn prefix_error(document: &Document<'_>, place: &Spanned<String>, error: &PrefixError) -> DocumentError {
    let help = match error {
        PrefixError::LeadingSlash(_) => {
            "write the folders alone: `exports/notifications`; if the slash is meant, set `allow_leading_slash = true`"
        }
        PrefixError::Url(_) => {
            "write the folders alone, without `s3://` and the bucket: `exports/notifications`"
        }
        _ => "write the folders alone: `exports/notifications`",
    };
    document.error(place.span(), error.to_string(), help)
}

/// Whether a text has the form of AWS's regions: `eu-central-1`, `us-gov-west-1`.
fn is_aws_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (Some((number, words)), true) = (parts.split_last(), parts.len() >= 3) else { return false };
    let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
    words.iter().all(is_word) && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

pub(super) fn storage_class(
    document: &Document<'_>,
    raw: Option<Spanned<String>>,
    allow_archive: bool,
) -> Result<Option<String>, DocumentError> {
    let Some(raw) = raw else { return Ok(None) };
    let class = raw.get_ref().as_str();
    if ARCHIVE_CLASSES.contains(&class) && !allow_archive {
        return Err(document.error(
            raw.span(),
            "objects of this class cannot be read before they are restored",
            "choose another class, or set `allow_archive_class = true`",
        ));
    }
    if !STORAGE_CLASSES.contains(&class) && !ARCHIVE_CLASSES.contains(&class) {
        return Err(document.error(
            raw.span(),
            "not a storage class",
            format!("storage classes are {}, {}", STORAGE_CLASSES.join(", "), ARCHIVE_CLASSES.join(", ")),
        ));
    }
    Ok(Some(raw.into_inner()))
}

pub(super) fn worker_id(
    document: &Document<'_>,
    raw: Option<Spanned<String>>,
) -> Result<String, DocumentError> {
    let Some(raw) = raw else { return Ok("0".to_owned()) };
    let accepts = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(1..=64).contains(&raw.get_ref().len()) || !raw.get_ref().chars().all(accepts) {
        return Err(document.error(
            raw.span(),
            "a worker's id has 1 to 64 lower-case letters, digits and `-`",
            "write an id such as `worker-1`",
        ));
    }
    Ok(raw.into_inner())
}
