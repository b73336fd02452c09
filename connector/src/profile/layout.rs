//! The key of an object as a pure function of dataset, time and names, and back.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::key::{KeyPrefix, ObjectNames};
use super::vocabulary::PartitionUnit;
use crate::names::{DatasetName, NameError, ObjectKey};

/// The slice of a dataset that one object, or the objects of one time, hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetPartition {
    dataset: DatasetName,
    unit: PartitionUnit,
    slot: i64,
}

impl DatasetPartition {
    /// The hour that holds a row of `dataset` made at `instant`.
    pub fn of(dataset: DatasetName, instant: Timestamp) -> Self {
        Self::within(dataset, PartitionUnit::Hour, instant)
    }

    /// The partition of length `unit` that holds `instant`.
    pub fn within(dataset: DatasetName, unit: PartitionUnit, instant: Timestamp) -> Self {
        Self { dataset, unit, slot: unit.slot_of(instant) }
    }

    /// The partition that is number `slot` after that of 1970-01-01T00:00:00Z.
    pub fn at(dataset: DatasetName, unit: PartitionUnit, slot: i64) -> Self {
        Self { dataset, unit, slot }
    }

    /// The dataset.
    pub fn dataset(&self) -> &DatasetName {
        &self.dataset
    }

    /// Whole units since 1970-01-01T00:00:00Z.
    pub fn slot(&self) -> i64 {
        self.slot
    }

    /// The first instant; `None` outside the years that timestamps can hold.
    pub fn start(&self) -> Option<Timestamp> {
        self.unit.start_of(self.slot)
    }
}

/// A key template, such as `year={t:%Y}/month={t:%m}/day={t:%d}/hour={t:%H}/{dataset}.parquet`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    template: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Dataset,
    Year,
    Month,
    Day,
    Hour,
    /// Without leading zeros.
    PlainMonth,
    PlainDay,
    BatchUuid,
    BatchHash,
    BatchFirstMs,
    Worker,
    Extension,
}

const PLACEHOLDERS: [(&str, Part); 12] = [
    ("dataset", Part::Dataset),
    ("t:%Y", Part::Year),
    ("t:%m", Part::Month),
    ("t:%d", Part::Day),
    ("t:%H", Part::Hour),
    ("t:%-m", Part::PlainMonth),
    ("t:%-d", Part::PlainDay),
    ("batch:uuid", Part::BatchUuid),
    ("batch:hash", Part::BatchHash),
    ("batch:first_ms", Part::BatchFirstMs),
    ("worker", Part::Worker),
    ("ext", Part::Extension),
];

/// Why a text is not a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A placeholder that layouts do not have.
    #[error("layout has the unknown placeholder `{{{0}}}`")]
    UnknownPlaceholder(String),
    /// A `{` without `}` or the reverse.
    #[error("layout has a brace without its partner")]
    Unbalanced,
    /// Two different partitions or batches would share a key.
    #[error("layout lacks the placeholder `{{{0}}}`, so two {1} would share one object")]
    Ambiguous(&'static str, &'static str),
    /// A placeholder that means nothing here.
    #[error("layout has the placeholder `{{{0}}}`, which means nothing {1}")]
    Meaningless(&'static str, &'static str),
    /// A field that ends where the next begins cannot be read back.
    #[error("layout has `{{{0}}}` next to another placeholder, so keys cannot be read back")]
    Adjacent(&'static str),
    /// The extension ends a key.
    #[error("layout goes on behind `{{ext}}`")]
    ExtensionNotLast,
    /// See [`KeyPrefix`].
    #[error("layout begins with a slash or holds an empty path segment")]
    Slashes,
}

/// What a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyParts {
    /// The dataset, if the layout names it.
    pub dataset: Option<String>,
    /// The first instant of the partition, if the layout names a time.
    pub start: Option<Timestamp>,
    /// The extension, if the layout leaves it open.
    pub extension: Option<String>,
}

impl Layout {
    /// Parses a template of the placeholders `{dataset}`, `{t:%Y}`, `{t:%m}` or `{t:%-m}`, `{t:%d}` or `{t:%-d}`,
    /// `{t:%H}`, `{batch:uuid}`, `{batch:hash}`, `{batch:first_ms}`, `{worker}`, `{ext}`.
    pub fn parse(template: &str) -> Result<Self, LayoutError> {
        let mut parts = Vec::new();
        let mut rest = template;
        while !rest.is_empty() {
            let Some((text, after)) = rest.split_once('{') else {
                parts.push(Part::Text(rest.to_owned()));
                break;
            };
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let (name, after) = after.split_once('}').ok_or(LayoutError::Unbalanced)?;
            let known = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
            let (_, part) = known.ok_or_else(|| LayoutError::UnknownPlaceholder(name.to_owned()))?;
            parts.push(part.clone());
            rest = after;
        }
        if parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains('}'))) {
            return Err(LayoutError::Unbalanced);
        }
        let followed = parts.iter().zip(parts.iter().skip(1));
        for (part, next) in followed {
            let open_ended = match part {
                Part::Dataset => Some("dataset"),
                Part::Worker => Some("worker"),
                Part::BatchFirstMs => Some("batch:first_ms"),
                Part::PlainMonth => Some("t:%-m"),
                Part::PlainDay => Some("t:%-d"),
                _ => None,
            };
            if let Some(name) = open_ended
                && !matches!(next, Part::Text(_))
                && *next != Part::Extension
            {
                return Err(LayoutError::Adjacent(name));
            }
            if *part == Part::Extension {
                return Err(LayoutError::ExtensionNotLast);
            }
        }
        if template.starts_with('/') || template.contains("//") || template.ends_with('/') {
            return Err(LayoutError::Slashes);
        }
        Ok(Self { template: template.to_owned(), parts })
    }

    /// Whether each partition of `unit` has keys of its own.
    pub(super) fn check_unit(&self, unit: PartitionUnit) -> Result<(), LayoutError> {
        let lacks = |parts: &[Part]| !parts.iter().any(|part| self.parts.contains(part));
        let day: [(&'static str, &[Part]); 3] = [
            ("t:%Y", &[Part::Year]),
            ("t:%m", &[Part::Month, Part::PlainMonth]),
            ("t:%d", &[Part::Day, Part::PlainDay]),
        ];
        let hour: [(&'static str, &[Part]); 1] = [("t:%H", &[Part::Hour])];
        let (needed, meaningless) = match unit {
            PartitionUnit::Hour => (day.iter().chain(&hour).collect(), Vec::new()),
            PartitionUnit::Day => (day.iter().collect::<Vec<_>>(), hour.iter().collect::<Vec<_>>()),
            PartitionUnit::None => (Vec::new(), day.iter().chain(&hour).collect()),
        };
        if let Some((name, _)) = needed.into_iter().find(|(_, parts)| lacks(parts)) {
            return Err(LayoutError::Ambiguous(name, "partitions"));
        }
        if let Some((name, _)) = meaningless.into_iter().find(|(_, parts)| !lacks(parts)) {
            return Err(LayoutError::Meaningless(name, "for partitions of this length"));
        }
        Ok(())
    }

    /// Whether each batch has a key of its own, or, without batches, that none is named.
    pub(super) fn check_batches(&self, appends: bool) -> Result<(), LayoutError> {
        if appends {
            return if self.parts.contains(&Part::BatchUuid) || self.parts.contains(&Part::BatchHash) {
                Ok(())
            } else {
                Err(LayoutError::Ambiguous("batch:uuid", "batches"))
            };
        }
        let of_batches = [
            (Part::BatchUuid, "batch:uuid"),
            (Part::BatchHash, "batch:hash"),
            (Part::BatchFirstMs, "batch:first_ms"),
            (Part::Worker, "worker"),
        ];
        match of_batches.into_iter().find(|(part, _)| self.parts.contains(part)) {
            Some((_, name)) => Err(LayoutError::Meaningless(name, "unless objects are appended")),
            None => Ok(()),
        }
    }

    /// Whether keys name their dataset.
    pub(super) fn names_dataset(&self) -> bool {
        self.parts.contains(&Part::Dataset)
    }

    /// Whether keys depend on the encoding.
    pub(super) fn names_extension(&self) -> bool {
        self.parts.contains(&Part::Extension)
    }

    /// The template as written.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The key of an object of `partition` below `prefix`.
    pub fn key(
        &self,
        prefix: &KeyPrefix,
        partition: &DatasetPartition,
        names: &ObjectNames,
    ) -> Result<ObjectKey, NameError> {
        let start = partition.start().unwrap_or(Timestamp::MIN).to_zoned(TimeZone::UTC);
        let mut key = prefix.as_str().to_owned();
        for part in &self.parts {
            // Writing to a String cannot fail.
            let _infallible = match part {
                Part::Text(text) => write!(key, "{text}"),
                Part::Dataset => write!(key, "{}", partition.dataset()),
                Part::Year => write!(key, "{:04}", start.year()),
                Part::Month => write!(key, "{:02}", start.month()),
                Part::Day => write!(key, "{:02}", start.day()),
                Part::Hour => write!(key, "{:02}", start.hour()),
                Part::PlainMonth => write!(key, "{}", start.month()),
                Part::PlainDay => write!(key, "{}", start.day()),
                Part::BatchUuid => write!(key, "{}", names.batch.uuid),
                Part::BatchHash => write!(key, "{}", names.batch.hash),
                Part::BatchFirstMs => write!(key, "{}", names.batch.first_ms),
                Part::Worker => write!(key, "{}", names.batch.worker),
                Part::Extension => write!(key, "{}", names.extension),
            };
        }
        ObjectKey::new(key)
    }

    /// What `key` says, if this layout made it below `prefix`.
    pub fn parts_of(&self, prefix: &KeyPrefix, key: &ObjectKey) -> Option<KeyParts> {
        let mut rest = key.as_str().strip_prefix(prefix.as_str())?;
        let mut dataset: Option<&str> = None;
        let mut extension = None;
        let (mut year, mut month, mut day, mut hour) = (None, None, None, None);
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Part::Dataset => {
                    let end = match parts.peek() {
                        Some(Part::Text(text)) => rest.find(text.as_str())?,
                        _ => rest.len(),
                    };
                    let (name, after) = rest.split_at_checked(end)?;
                    agree(&mut dataset, name)?;
                    rest = after;
                }
                Part::Year => rest = digits(rest, 4, &mut year)?,
                Part::Month => rest = digits(rest, 2, &mut month)?,
                Part::Day => rest = digits(rest, 2, &mut day)?,
                Part::Hour => rest = digits(rest, 2, &mut hour)?,
                Part::PlainMonth => rest = plain_number(rest, &mut month)?,
                Part::PlainDay => rest = plain_number(rest, &mut day)?,
                Part::BatchUuid => {
                    let (id, after) = rest.split_at_checked(36)?;
                    uuid::Uuid::try_parse(id).ok().filter(|parsed| parsed.to_string() == id)?;
                    rest = after;
                }
                Part::BatchHash => {
                    let (hash, after) = rest.split_at_checked(16)?;
                    hash.bytes()
                        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
                        .then_some(())?;
                    rest = after;
                }
                Part::BatchFirstMs => rest = run_of(rest, |byte| byte.is_ascii_digit())?,
                Part::Worker => {
                    rest = run_of(rest, |byte| {
                        byte.is_ascii_digit() || byte.is_ascii_lowercase() || byte == b'-'
                    })?;
                }
                Part::Extension => {
                    extension = Some(rest.to_owned()).filter(|rest| !rest.is_empty() && !rest.contains('/'));
                    extension.as_ref()?;
                    rest = "";
                }
            }
        }
        if !rest.is_empty() {
            return None;
        }
        let narrow = |value: Option<i16>| i8::try_from(value?).ok();
        let start = match year {
            None => None,
            Some(year) => {
                let hour = hour.unwrap_or(0);
                let civil =
                    DateTime::new(year, narrow(month)?, narrow(day)?, narrow(Some(hour))?, 0, 0, 0).ok()?;
                Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
            }
        };
        Some(KeyParts { dataset: dataset.map(str::to_owned), start, extension })
    }

    /// The partition that `key` belongs to, if this layout, which names its dataset, made it below `prefix`.
    pub fn partition_of(&self, prefix: &KeyPrefix, key: &ObjectKey) -> Option<DatasetPartition> {
        let parts = self.parts_of(prefix, key)?;
        let dataset = DatasetName::new(parts.dataset?).ok()?;
        let unit = if self.parts.contains(&Part::Hour) {
            PartitionUnit::Hour
        } else if parts.start.is_some() {
            PartitionUnit::Day
        } else {
            PartitionUnit::None
        };
        Some(DatasetPartition::within(dataset, unit, parts.start.unwrap_or(Timestamp::UNIX_EPOCH)))
    }
}

/// Keeps the first value of a placeholder that may be used twice; a different second one is no match.
fn agree<T: PartialEq + Copy>(slot: &mut Option<T>, value: T) -> Option<()> {
    match slot {
        None => *slot = Some(value),
        Some(known) if *known == value => {}
        Some(_) => return None,
    }
    Some(())
}

fn digits<'a>(text: &'a str, width: usize, slot: &mut Option<i16>) -> Option<&'a str> {
    let (number, rest) = text.split_at_checked(width)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    agree(slot, number.parse().ok()?)?;
    Some(rest)
}

/// A number of one or two digits without a leading zero.
fn plain_number<'a>(text: &'a str, slot: &mut Option<i16>) -> Option<&'a str> {
    let width = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if text.starts_with('0') || width == 0 {
        return None;
    }
    digits(text, width, slot)
}

/// What follows a run of at least one byte that is accepted.
fn run_of(text: &str, accepts: impl Fn(u8) -> bool) -> Option<&str> {
    let width = text.bytes().take_while(|byte| accepts(*byte)).count();
    if width == 0 { None } else { text.get(width..) }
}
