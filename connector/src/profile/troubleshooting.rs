//! What a vendor's page says of things that go wrong, and what answers each of its entries here.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::DoctorMessage;
use crate::document::{Document, DocumentError};
use crate::store::DiagnosisKind;

/// Where an entry is answered that no diagnosis of a refusal answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// `status`: whether the export waits, is paused, was never selected, or has nothing to export.
    Status,
    /// `verify-layout`: keys that are not where the vendor puts them.
    VerifyLayout,
    /// `doctor` with policy documents: what they lack, with line and column.
    Documents,
    /// The configuration is refused when it is read, with line and column.
    Configuration,
    /// `sync`: rows that do not fit are dead letters, each with its reason.
    DeadLetters,
    /// `doctor`, in a check of its own that is no refusal.
    Doctor,
}

impl Ask {
    /// What to run.
    pub fn command(self) -> &'static str {
        match self {
            Self::Status => "bucketproof-connector status",
            Self::VerifyLayout => "bucketproof-connector verify-layout",
            Self::Documents => "bucketproof-connector doctor --policy FILE",
            Self::Configuration => "any command with `--config`",
            Self::DeadLetters => "bucketproof-connector sync",
            Self::Doctor => "bucketproof-connector doctor",
        }
    }
}

/// One entry of the page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TroubleshootingEntry {
    /// What the entry is about, shortly.
    pub entry: String,
    /// The diagnoses that answer it.
    #[serde(default)]
    pub when: Vec<DiagnosisKind>,
    /// Where else it is answered.
    #[serde(default)]
    pub ask: Vec<Ask>,
    /// What is seen there.
    pub say: Option<String>,
    /// The requirement, as the profile names it.
    pub id: Option<String>,
}

/// Each entry has an answer, and each diagnosis that it names has its message.
pub(super) fn checked(
    document: &Document<'_>,
    raw: Vec<Spanned<TroubleshootingEntry>>,
    messages: &[DoctorMessage],
) -> Result<Vec<TroubleshootingEntry>, DocumentError> {
    let mut entries: Vec<TroubleshootingEntry> = Vec::with_capacity(raw.len());
    for raw in raw {
        let span = raw.span();
        let entry = raw.into_inner();
        if entry.when.is_empty() && entry.ask.is_empty() {
            return Err(document.error(
                span,
                "nothing answers this entry",
                "name diagnoses with `when`, or a command with `ask`",
            ));
        }
        if !entry.ask.is_empty() && entry.say.is_none() {
            return Err(document.error(span, "`ask` without `say`", "say what is seen there"));
        }
        let unsaid = |kind: &&DiagnosisKind| messages.iter().all(|message| message.when != **kind);
        if let Some(kind) = entry.when.iter().find(unsaid) {
            let word = serde_json::to_value(kind).unwrap_or_default();
            return Err(document.error(
                span,
                format!("the diagnosis {word} has no `[[doctor]]` message"),
                "add the message, or name another diagnosis",
            ));
        }
        if entries.iter().any(|known| known.entry == entry.entry) {
            return Err(document.error(span, "the entry is listed twice", "remove one of the two"));
        }
        entries.push(entry);
    }
    Ok(entries)
}
