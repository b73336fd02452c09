//! Whether what lies in a bucket lies where the vendor's layout puts it.

use serde::Serialize;

use crate::config::Config;
use crate::names::ObjectKey;
use crate::profile::VendorProfile;
use crate::store::{S3Store, StoreError};

/// What was found below the connection's prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LayoutReport {
    /// Keys that the layout makes for a dataset of the profile.
    pub conforming: u64,
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
    let keys = store.keys(config.bucket.prefix.as_str()).await?;
    Ok(judge(config, profile, keys))
}

fn judge(config: &Config, profile: &VendorProfile, keys: Vec<String>) -> LayoutReport {
    let mut report = LayoutReport::default();
    for text in keys {
        let partition = ObjectKey::new(text.as_str())
            .ok()
            .and_then(|key| profile.layout().partition_of(&config.bucket.prefix, &key));
        match partition {
            None => report.foreign.push(text),
            Some(partition) if profile.dataset(partition.dataset()).is_none() => {
                report.unknown_dataset.push(text);
            }
            Some(_) => report.conforming += 1,
        }
    }
    report
}

#[cfg(test)]
mod tests;
