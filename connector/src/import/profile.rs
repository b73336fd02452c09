//! What a vendor imports, as data: columns, rules, codes and the form of its status reports.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::document::{Document, DocumentError};

/// The profiles that come with the crate: id and TOML text.
const EMBEDDED: [(&str, &str); 1] =
    [("split_events_import", include_str!("../../profiles/import/split_events_import.toml"))];

/// The type that a column must have, exactly: nothing is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportType {
    /// Text in UTF-8.
    String,
    /// A signed integer of 64 bits.
    Long,
    /// A float of 64 bits.
    Double,
    /// A map from text to text, whose values may be null.
    Map,
}

/// A rule for the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportRule {
    /// The value is an environment of the connection.
    Environment,
    /// The value is a time in milliseconds past the epoch.
    Timestamp,
}

/// A column of the vendor's files.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImportColumn {
    /// Name, letter case included.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: ImportType,
    /// Whether a value must be there.
    #[serde(default)]
    pub required: bool,
    /// A further rule.
    pub rule: Option<ImportRule>,
}

/// The vendor's words for what can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImportCodes {
    /// The file is not of the vendor's schema; nothing of it is stored.
    pub schema: String,
    /// A required value is null.
    pub null: String,
    /// The environment is not one of the connection.
    pub environment: String,
    /// The time is not in milliseconds.
    pub timestamp: String,
    /// The file belongs to no connection.
    pub configuration: String,
    /// The file was deleted or replaced before it was read, where that is told.
    pub gone: String,
}

/// The form of status reports.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StatusForm {
    /// Key below the status folder, as a format of `strftime`; it must tell milliseconds apart.
    pub key: String,
    /// How long results may wait for their report, in minutes.
    pub flush_after_minutes: u32,
    /// How long a file may wait for its report before that is an alarm, in minutes.
    pub alarm_after_minutes: u32,
    /// Canned ACL of the reports.
    pub acl: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    title: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTimestamps {
    from: Timestamp,
    ahead_hours: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTopic {
    sid: String,
}

/// What the bucket's owner grants, with placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImportGrant {
    /// Actions.
    pub actions: Vec<String>,
    /// Resources: `{bucket}` is the bucket's ARN, `{data}` and `{status}` are prefixes.
    pub resources: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    import: Head,
    codes: ImportCodes,
    status: StatusForm,
    timestamps: RawTimestamps,
    policy: Vec<ImportGrant>,
    topic: RawTopic,
    column: Vec<toml::Spanned<ImportColumn>>,
}

/// A vendor's import.
#[derive(Clone, Debug)]
pub struct ImportProfile {
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Columns, in the order of the documentation.
    pub columns: Vec<ImportColumn>,
    /// Codes.
    pub codes: ImportCodes,
    /// Status reports.
    pub status: StatusForm,
    /// What the bucket's owner grants.
    pub policy: Vec<ImportGrant>,
    /// Name of the statement in the topic's policy that lets S3 publish.
    pub topic_sid: String,
    oldest: Timestamp,
    ahead: SignedDuration,
}

impl ImportProfile {
    /// The profile of that id that comes with the crate.
    pub fn named(id: &str) -> Option<Result<Self, DocumentError>> {
        EMBEDDED.iter().find(|(own, _)| *own == id).map(|(id, text)| Self::parse(text, &format!("{id}.toml")))
    }

    /// The ids of the profiles that come with the crate.
    pub fn ids() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(id, _)| *id)
    }

    /// Reads a profile; errors name file, line, column and the next step.
    pub fn parse(text: &str, file: &str) -> Result<Self, DocumentError> {
        let document = Document::new(file, text);
        let raw: Raw = document.parse("compare with the profiles that come with the crate")?;
        for (at, column) in raw.column.iter().enumerate() {
            let own = column.get_ref();
            if raw.column.iter().take(at).any(|other| other.get_ref().name == own.name) {
                return Err(document.error(
                    column.span(),
                    format!("the column `{}` is declared twice", own.name),
                    "keep one of the two",
                ));
            }
            let fits = match own.rule {
                None => true,
                Some(ImportRule::Environment) => own.kind == ImportType::String,
                Some(ImportRule::Timestamp) => own.kind == ImportType::Long,
            };
            if !fits {
                return Err(document.error(
                    column.span(),
                    format!("the rule of the column `{}` does not go with its type", own.name),
                    "`environment` is a rule of texts, `timestamp` one of longs",
                ));
            }
        }
        if raw.column.is_empty() {
            return Err(document.error(0..0, "the profile has no column", "add at least one `[[column]]`"));
        }
        Ok(Self {
            id: raw.import.id,
            title: raw.import.title,
            columns: raw.column.into_iter().map(toml::Spanned::into_inner).collect(),
            codes: raw.codes,
            status: raw.status,
            policy: raw.policy,
            topic_sid: raw.topic.sid,
            oldest: raw.timestamps.from,
            ahead: SignedDuration::from_hours(raw.timestamps.ahead_hours.into()),
        })
    }

    /// Changes the window of times; `false` if it would begin before there are milliseconds.
    pub(crate) fn set_window(&mut self, from: Option<Timestamp>, ahead_hours: Option<u32>) -> bool {
        self.oldest = from.unwrap_or(self.oldest);
        self.ahead = ahead_hours.map_or(self.ahead, |hours| SignedDuration::from_hours(hours.into()));
        self.oldest >= Timestamp::UNIX_EPOCH
    }

    /// The times, in milliseconds, that an event may have now.
    pub(crate) fn window(&self, now: Timestamp) -> std::ops::RangeInclusive<i64> {
        let newest = now.saturating_add(self.ahead).unwrap_or(Timestamp::MAX);
        self.oldest.as_millisecond()..=newest.as_millisecond()
    }
}
