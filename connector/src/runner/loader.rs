//! Where a runner's connection comes from, and whether it changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bucketproof_clock::{Clock, Entropy};
use sha2::{Digest as _, Sha256};

use super::StopSignal;
use crate::config::{Config, KeyPlaces, ProfileChoice, SecretPlace};
use crate::engine::Connection;
use crate::store::S3Store;

/// Loads a connection, as often as it changes.
pub trait Loader: Send + Sync {
    /// Differs once loading would give another connection.
    fn fingerprint(&self) -> String;

    /// Loads the connection; the error is for people.
    fn load(&self, stop: &StopSignal) -> Result<Connection, String>;
}

/// Loads from a configuration file, the profile file and the secret files that it names.
#[derive(Debug)]
pub struct ConfigLoader {
    path: PathBuf,
    clock: Clock,
}

impl ConfigLoader {
    /// A loader of the file at `path`.
    pub fn new(path: &Path, clock: Clock) -> Self {
        Self { path: path.to_owned(), clock }
    }
}

impl Loader for ConfigLoader {
    fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        let mut add = |path: &Path| {
            // A file that cannot be read is a change like another; loading it says why.
            let bytes = std::fs::read(path).unwrap_or_default();
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(&bytes);
        };
        add(&self.path);
        if let Ok(config) = Config::load(&self.path) {
            if let ProfileChoice::File(path) = &config.profile {
                add(path);
            }
            for path in secret_files(&config) {
                add(path);
            }
        }
        hex::encode(digest.finalize())
    }

    fn load(&self, stop: &StopSignal) -> Result<Connection, String> {
        let with_help = |error: &dyn std::fmt::Display, help: &str| format!("{error}; {help}");
        let config = Config::load(&self.path).map_err(|error| with_help(&error, error.help()))?;
        let profile = config.load_profile().map_err(|error| with_help(&error, &error.help()))?;
        let credentials = config
            .credentials(|name| std::env::var(name).ok())
            .map_err(|error| with_help(&error, error.help()))?;
        let store = S3Store::new(config.store_settings(credentials), &self.clock, None)
            .map_err(|error| with_help(&error, error.help()))?;
        let clock = self.clock.clone();
        Connection::new(config, profile, Arc::new(store), clock, Entropy::machine())
            .map(|connection| connection.with_stop(stop.clone()))
            .map_err(|error| with_help(&error, &error.help()))
    }
}

fn secret_files(config: &Config) -> Vec<&Path> {
    let Some(KeyPlaces { id, secret, session_token }) = config.auth.keys() else { return Vec::new() };
    [Some(id), Some(secret), session_token.as_ref()]
        .into_iter()
        .flatten()
        .filter_map(|place| match place {
            SecretPlace::File(path) | SecretPlace::Csv { path, .. } => Some(path.as_path()),
            SecretPlace::Environment(_) | SecretPlace::Inline(_) | SecretPlace::Command { .. } => None,
        })
        .collect()
}
