//! An installation on disk: a directory with configuration, secrets and a place for rows.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::request::{Checked, InstallRefusal};
use crate::profile::{InstallRules, VendorProfile};

/// The configuration's file.
const CONFIGURATION: &str = "connector.toml";
/// What was installed, without secrets.
const RECORD: &str = "installation.json";

/// What is forwarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blueprint {
    /// Its name: the variant's.
    pub name: String,
    /// The datasets, each whole: nothing is filtered.
    pub forwards: Vec<String>,
}

/// An installed integration; nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Installation {
    /// Made of profile and name, so that the same request has the same one.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The profile.
    pub profile: String,
    /// The variant.
    pub variant: String,
    /// How events are delivered.
    pub delivery_mode: String,
    /// What is forwarded.
    pub blueprint: Blueprint,
    /// The fields as they were given, without secrets.
    pub config: Map<String, Value>,
    /// The configuration that `run` takes.
    pub configuration: String,
}

/// Installs below a directory.
#[derive(Debug)]
pub struct Installer {
    profile: VendorProfile,
    rules: InstallRules,
    directory: PathBuf,
    /// One installation at a time.
    turn: Mutex<()>,
}

impl Installer {
    /// Installs below `directory`; `None` if the vendor has no installation over HTTP.
    pub fn new(profile: VendorProfile, directory: PathBuf) -> Option<Self> {
        let rules = profile.install()?.clone();
        Some(Self { profile, rules, directory, turn: Mutex::new(()) })
    }

    /// The path that takes requests.
    pub fn path(&self) -> &str {
        &self.rules.path
    }

    /// Installs what a request's body asks for. `true` if it was not there before.
    pub fn install(&self, body: &[u8]) -> Result<(Installation, bool), InstallRefusal> {
        let checked = Checked::of(&self.profile, &self.rules, body)?;
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let name = format!("{} {}", self.profile.id(), checked.name);
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string();
        let place = self.directory.join(&id);
        let text = checked.configuration(&self.profile, &self.rules);
        let installation = Installation {
            id: id.clone(),
            name: checked.name.clone(),
            profile: self.profile.id().to_string(),
            variant: checked.variant.clone(),
            delivery_mode: checked.delivery_mode.clone(),
            blueprint: Blueprint { name: checked.variant.clone(), forwards: self.rules.forwards.clone() },
            config: checked.shown.clone(),
            configuration: place.join(CONFIGURATION).display().to_string(),
        };
        let record = serde_json::to_string_pretty(&installation).unwrap_or_default();
        let mut files = vec![(CONFIGURATION, text.as_str()), (RECORD, record.as_str())];
        files.extend(checked.secrets());
        if is_there(&place) {
            return if files.iter().all(|(name, text)| holds(&place.join(name), text)) {
                Ok((installation, false))
            } else {
                Err(InstallRefusal::Conflict { name: checked.name })
            };
        }
        // Whole or not at all: a directory that is renamed once everything is in it.
        let unfinished = self.directory.join(format!(".{id}"));
        let fill = || -> Result<(), InstallRefusal> {
            if is_there(&unfinished) {
                fs::remove_dir_all(&unfinished).map_err(|error| storage(&unfinished, error))?;
            }
            for dataset in &self.rules.forwards {
                let incoming = unfinished.join("incoming").join(dataset);
                fs::create_dir_all(&incoming).map_err(|error| storage(&incoming, error))?;
            }
            for (name, text) in &files {
                let path = unfinished.join(name);
                write_private(&path, text).map_err(|error| storage(&path, error))?;
            }
            fs::rename(&unfinished, &place).map_err(|error| storage(&place, error))
        };
        fill()?;
        tracing::info!(id, name = installation.name, "installed");
        Ok((installation, true))
    }
}

fn storage(path: &Path, source: std::io::Error) -> InstallRefusal {
    InstallRefusal::Storage { path: path.display().to_string(), source }
}

fn is_there(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == ErrorKind::NotFound)
}

fn holds(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|known| known == text)
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
