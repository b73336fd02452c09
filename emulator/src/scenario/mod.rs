//! Initial accounts, users, roles, keys and buckets as data.
//!
//! The format is TOML; unknown fields are errors. A policy is a path to a JSON file relative to the scenario, or the
//! JSON itself in a string. What a scenario asks for and the emulator does not do is refused by name.

mod build;
mod document;
mod encryption;
mod error;
mod export;
mod keys;
mod messaging;
mod principals;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

pub use error::ScenarioError;

use error::Place;

pub(crate) use build::{build, faults};
pub(crate) use export::export;

use crate::authenticate::sha256_hex;

/// A scenario, read and checked for its form.
///
/// ```
/// use bucketproof_emulator::Scenario;
///
/// let scenario = Scenario::from_toml(
///     r#"
///     [[account]]
///     id = "111122223333"
///     name = "customer"
///     [[account.bucket]]
///     name = "logs"
///     "#,
/// )?;
/// # Ok::<(), bucketproof_emulator::ScenarioError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scenario {
    document: document::Document,
    place: Place,
    files: Vec<(String, String)>,
}

impl Scenario {
    /// Reads a scenario from its text; policies must be given inline.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        Self::from_parts(text, "scenario", &[])
    }

    /// Reads a scenario from its text and the policy files it refers to, each with its relative path.
    ///
    /// `name` stands for the file in errors and traces.
    pub fn from_parts(text: &str, name: &str, files: &[(&str, &str)]) -> Result<Self, ScenarioError> {
        let place = Place::new(name, text);
        let document: document::Document = toml::from_str(text).map_err(|error| place.syntax(&error))?;
        let mut scenario = Self { document, place, files: Vec::new() };
        scenario.files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Ok(scenario)
    }

    /// Reads a scenario file and the policy files beside it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ScenarioError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| ScenarioError::unreadable(&name, &error))?;
        Self::from_toml_in(&text, &name, path.parent().unwrap_or_else(|| Path::new("")))
    }

    /// Reads a scenario from its text, and the files that it refers to from `folder`.
    pub fn from_toml_in(text: &str, name: &str, folder: impl AsRef<Path>) -> Result<Self, ScenarioError> {
        let mut scenario = Self::from_parts(text, name, &[])?;
        let paths: Vec<_> = scenario.document.file_paths().cloned().collect();
        for referenced in paths {
            let relative = referenced.get_ref();
            let text = fs::read_to_string(folder.as_ref().join(relative)).map_err(|error| {
                scenario.place.at(
                    &referenced,
                    format!("the file `{relative}` cannot be read: {error}"),
                    "give a path relative to the scenario file, or the text itself",
                )
            })?;
            scenario.files.push((relative.clone(), text));
        }
        Ok(scenario)
    }

    /// Tells this scenario, with its files, from any other.
    pub(crate) fn fingerprint(&self) -> String {
        let files = self.files.iter().flat_map(|(path, text)| [path.as_str(), text]);
        let whole: Vec<&str> = std::iter::once(self.place.text()).chain(files).collect();
        sha256_hex(whole.join("\0").as_bytes())
    }

    /// The text of a policy file that this scenario refers to by `path`.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|(name, _)| name == path).map(|(_, text)| text.as_str())
    }

    /// The policy files that this scenario refers to: path and text.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The same scenario with another text in place of a file; a path that it does not refer to changes nothing.
    pub fn with_file(mut self, path: &str, text: impl Into<String>) -> Self {
        if let Some((_, own)) = self.files.iter_mut().find(|(name, _)| name == path) {
            *own = text.into();
        }
        self
    }

    /// The same scenario with `legacy_defaults` turned on.
    pub(crate) fn with_legacy_defaults(mut self) -> Self {
        self.document.legacy_defaults = true;
        self
    }

    /// One account with one administrator, and nothing else. The keys are drawn when the emulator starts.
    pub(crate) fn single_account(access_key_id: &str, secret: &str) -> Result<Self, ScenarioError> {
        Self::from_toml(&format!(
            r#"
            [[account]]
            id = "123456789012"
            name = "main"
            [[account.user]]
            name = "administrator"
            policies = ['{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}}]}}']
            [[account.user.access_key]]
            id = "{access_key_id}"
            secret = "{secret}"
            "#
        ))
    }
}
