//! What reports call things, where vendors' pages leave a choice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::ImportConfig;
use super::report::{StatusEntry, StatusReport};

/// What a file is called in reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileName {
    /// Its whole key: no two files have one name.
    #[default]
    Key,
    /// Its key below the data prefix of its connection.
    Relative,
    /// What stands behind the last slash of its key; files of several folders may have one name.
    Base,
}

/// The key of the explanations in an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum DetailsKey {
    /// As samples print it.
    #[default]
    #[serde(rename = "errorsDetails")]
    ErrorsDetails,
    /// As tables print it.
    #[serde(rename = "errorDetails")]
    ErrorDetails,
}

/// What becomes of a file that was deleted or replaced before it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoneFiles {
    /// It is on record, and no report tells of it: nothing of it was refused.
    #[default]
    Record,
    /// A report tells of it, too, as of a file of which nothing is stored.
    Report,
}

/// The choices of a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatusChoices {
    /// What files are called.
    pub file_name: FileName,
    /// The key of explanations.
    pub details_key: DetailsKey,
    /// Whether entries of files that are wrong as a whole say `valid`, as a vendor's sample does.
    pub invalid_schema_valid: bool,
    /// Whether reports tell of files that were deleted or replaced before they were read.
    pub gone_files: GoneFiles,
    /// How long a file may wait for its report before that is an alarm, if not as long as the profile says.
    pub alarm_after_minutes: Option<u32>,
}

/// The choices, with what they need of the connections.
#[derive(Clone, Debug)]
pub(crate) struct StatusNames {
    choices: StatusChoices,
    prefixes: BTreeMap<String, String>,
}

impl StatusNames {
    pub(crate) fn of(config: &ImportConfig) -> Self {
        let prefixes = config.connections.iter().map(|own| (own.name.clone(), own.data_prefix.clone()));
        Self { choices: config.status, prefixes: prefixes.collect() }
    }

    pub(crate) fn says_refused_files_valid(&self) -> bool {
        self.choices.invalid_schema_valid
    }

    /// What a file of a connection is called.
    pub(crate) fn name(&self, connection: &str, key: &str) -> String {
        let name = match self.choices.file_name {
            FileName::Key => key,
            FileName::Relative => {
                let prefix = self.prefixes.get(connection).map_or("", String::as_str);
                key.strip_prefix(prefix).unwrap_or(key).trim_start_matches('/')
            }
            FileName::Base => key.rsplit_once('/').map_or(key, |(_, base)| base),
        };
        name.to_owned()
    }

    /// The text of a report.
    pub(crate) fn text(&self, report: &StatusReport) -> Result<Vec<u8>, serde_json::Error> {
        match self.choices.details_key {
            DetailsKey::ErrorsDetails => serde_json::to_vec_pretty(report),
            DetailsKey::ErrorDetails => {
                let renamed: BTreeMap<&str, Vec<Renamed<'_>>> = report
                    .iter()
                    .map(|(name, entries)| (name.as_str(), entries.iter().map(Renamed::of).collect()))
                    .collect();
                serde_json::to_vec_pretty(&renamed)
            }
        }
    }
}

/// An entry with the other spelling.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Renamed<'a> {
    original_creation_time: i64,
    entry_id: u32,
    valid: bool,
    number_of_rows: u64,
    errors: &'a [String],
    error_details: &'a [String],
    warnings: &'a [String],
}

impl<'a> Renamed<'a> {
    fn of(entry: &'a StatusEntry) -> Self {
        Self {
            original_creation_time: entry.original_creation_time,
            entry_id: entry.entry_id,
            valid: entry.valid,
            number_of_rows: entry.number_of_rows,
            errors: &entry.errors,
            error_details: &entry.errors_details,
            warnings: &entry.warnings,
        }
    }
}
