//! Whether what lies in a bucket lies where the vendor's layout puts it.

use serde::Serialize;

use crate::config::Config;
use crate::engine::tailed;
use crate::names::ObjectKey;
use crate::profile::{KeyPrefix, VendorProfile};
use crate::store::{S3Store, StoreError};

/// What was found below the connection's prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LayoutReport {
    /// Keys that the layout makes for a dataset of the profile.
    pub conforming: u64,
    /// Tails of such keys: small objects beside them, for datasets that ask for them.
    pub tails: u64,
    /// Keys that it does not make.
    pub foreign: Vec<String>,
    /// Keys that the layout makes, but for no dataset of the profile.
    pub unknown_dataset: Vec<String>,
}

impl LayoutReport {
    /// Whether every key is one of the layout's.
    pub fn conforms(&self) -> bool {
        self.foreign.is_empty() && self.unknown_dataset.is_empty()
    }
}

/// Compares every key below the prefix with the layout.
pub async fn verify_layout(
    config: &Config,
    profile: &VendorProfile,
    store: &S3Store,
) -> Result<LayoutReport, StoreError> {
    let keys = store.keys(profile.prefix_of(&config.bucket.prefix).as_str()).await?;
    Ok(judge(config, profile, keys))
}

fn judge(config: &Config, profile: &VendorProfile, keys: Vec<String>) -> LayoutReport {
    let mut report = LayoutReport::default();
    let prefix = profile.prefix_of(&config.bucket.prefix);
    for text in keys {
        let key = ObjectKey::new(text.as_str()).ok();
        let tailed = key.as_ref().and_then(tailed);
        let is_tail = tailed.is_some();
        match tailed.or(key).and_then(|key| owner_of(profile, &prefix, &key)) {
            Some(Owner::Dataset) if is_tail => report.tails += 1,
            None => report.foreign.push(text),
            Some(Owner::Unknown) => report.unknown_dataset.push(text),
            Some(Owner::Dataset) => report.conforming += 1,
        }
    }
    report
}

enum Owner {
    Dataset,
    Unknown,
}

/// Whether a layout makes the key, and for a dataset of the profile.
fn owner_of(profile: &VendorProfile, prefix: &KeyPrefix, key: &ObjectKey) -> Option<Owner> {
    let mut owner = None;
    for dataset in profile.datasets() {
        let Some(parts) = dataset.layout().parts_of(prefix, key) else { continue };
        let is_open =
            |extension: &String| profile.encodings().iter().any(|encoding| encoding.extension == *extension);
        if !parts.extension.as_ref().is_none_or(is_open) {
            continue;
        }
        if parts.dataset.is_none_or(|name| name == dataset.name().as_str()) {
            return Some(Owner::Dataset);
        }
        owner = Some(Owner::Unknown);
    }
    owner
}

#[cfg(test)]
mod tests;
