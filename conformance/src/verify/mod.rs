//! Whether a bucket, or a folder with a copy of it, holds what a vendor's profile promises: keys, schemas, rows, encryption,
//! access, freshness, gaps.

mod judge;
mod place;
mod rows;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bucketproof_connector::profile::VendorProfile;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use place::{Place, PlaceError};

/// The version of the report's JSON form.
pub const VERIFY_SCHEMA: &str = "bucketproof-verify/1";

/// More findings are counted, not kept.
const FINDINGS_MAX: usize = 1000;

/// What to judge by.
#[derive(Clone, Debug)]
pub struct VerifySettings {
    /// The newest object must not be older than this; nobody judges it otherwise.
    pub fresh_within: Option<SignedDuration>,
    /// The answer must name this encryption, such as `aws:kms`; any will do otherwise.
    pub encryption: Option<String>,
    /// More objects are not judged but refused.
    pub objects_max: usize,
    /// The present time.
    pub now: Timestamp,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// A key that the layout does not make.
    Layout,
    /// Columns: names, order, types, nullability.
    Schema,
    /// An object that is no file of its format.
    Content,
    /// A row in a partition that is not its own.
    Partition,
    /// A value that the vendor does not document.
    Value,
    /// One row twice.
    Duplicate,
    /// Two rows that are alike in every column, where the vendor names no key.
    Repeat,
    /// No encryption at rest.
    Encryption,
    /// Everybody may read.
    Access,
    /// The bucket's owner does not have the control that the profile's ACL gives.
    Ownership,
    /// Bytes that cannot be read, because the storage class keeps them in an archive.
    Archived,
    /// Another content type than that of the format.
    ContentType,
    /// Nothing new.
    Freshness,
    /// A partition that is missing between others.
    Gap,
}

impl Topic {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Layout => "layout",
            Self::Schema => "schema",
            Self::Content => "content",
            Self::Partition => "partition",
            Self::Value => "value",
            Self::Duplicate => "duplicate",
            Self::Repeat => "repeat",
            Self::Encryption => "encryption",
            Self::Access => "access",
            Self::Ownership => "ownership",
            Self::Archived => "archived",
            Self::ContentType => "content-type",
            Self::Freshness => "freshness",
            Self::Gap => "gap",
        }
    }

    /// Whether it may be right all the same: an hour without traffic has no object, a vendor may add a value, two events may
    /// be alike, and no page speaks of content types.
    pub const fn is_doubtful(self) -> bool {
        matches!(self, Self::Gap | Self::Value | Self::Repeat | Self::ContentType)
    }
}

/// Something that is not as the profile promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub topic: Topic,
    /// The object, or the partition.
    pub place: String,
    /// What is wrong, with the value.
    pub message: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// [`VERIFY_SCHEMA`].
    pub schema: &'static str,
    /// The profile's id.
    pub profile: String,
    /// What was judged.
    pub place: String,
    /// Objects below the prefix.
    pub objects: usize,
    /// Rows read.
    pub rows: usize,
    /// Their objects' bytes.
    pub bytes: u64,
    /// Number of findings per topic.
    pub counts: BTreeMap<&'static str, usize>,
    /// The findings, of which there may be more.
    pub findings: Vec<Finding>,
    /// What nobody judged, and why.
    pub not_judged: Vec<String>,
}

impl VerifyReport {
    fn new(profile: &VendorProfile, place: &Place) -> Self {
        Self {
            schema: VERIFY_SCHEMA,
            profile: profile.id().to_string(),
            place: place.to_string(),
            objects: 0,
            rows: 0,
            bytes: 0,
            counts: BTreeMap::new(),
            findings: Vec::new(),
            not_judged: Vec::new(),
        }
    }

    fn find(&mut self, topic: Topic, place: impl Into<String>, message: impl Into<String>) {
        *self.counts.entry(topic.name()).or_default() += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { topic, place: place.into(), message: message.into() });
        }
    }

    fn not_judged(&mut self, what: &str) {
        if !self.not_judged.iter().any(|known| known == what) {
            self.not_judged.push(what.to_owned());
        }
    }

    /// Whether everything that was judged is as promised, also what was counted and not kept; doubtful findings count if
    /// `strict`.
    pub fn conforms(&self, strict: bool) -> bool {
        let doubtful = [Topic::Gap, Topic::Value, Topic::Repeat, Topic::ContentType].map(Topic::name);
        self.counts.keys().all(|topic| !strict && doubtful.contains(topic))
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} against the profile {}\n{} objects, {} rows, {} bytes\n",
            self.place, self.profile, self.objects, self.rows, self.bytes
        );
        for finding in &self.findings {
            let doubt = if finding.topic.is_doubtful() { " (may be right)" } else { "" };
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                text,
                "  {:<10} {}: {}{doubt}",
                finding.topic.name(),
                finding.place,
                finding.message
            );
        }
        let kept = self.findings.len();
        let all: usize = self.counts.values().sum();
        if all > kept {
            let _ = writeln!(text, "  and {} findings more", all - kept);
        }
        for what in &self.not_judged {
            let _ = writeln!(text, "  not judged: {what}");
        }
        let counts: Vec<String> =
            self.counts.iter().map(|(name, number)| format!("{number} {name}")).collect();
        let counts = if counts.is_empty() { "nothing is wrong".to_owned() } else { counts.join(", ") };
        let _ = writeln!(text, "{counts}");
        text
    }
}

/// Judges everything at `place` by `profile`.
pub async fn verify(
    profile: &VendorProfile,
    place: &Place,
    settings: &VerifySettings,
) -> Result<VerifyReport, PlaceError> {
    judge::judge(profile, place, settings).await
}

#[cfg(test)]
mod tests;
