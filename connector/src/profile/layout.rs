//! The key of an object as a pure function of dataset and hour, and back.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::names::{DatasetName, NameError, ObjectKey};

/// The slice of a dataset that one object holds: one hour, UTC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetPartition {
    dataset: DatasetName,
    hour: i64,
}

const HOUR_SECONDS: i64 = 3_600;
const HOUR_MICROS: i64 = HOUR_SECONDS * 1_000_000;

impl DatasetPartition {
    /// The partition that holds a row of `dataset` made at `instant`.
    pub fn of(dataset: DatasetName, instant: Timestamp) -> Self {
        Self { dataset, hour: hour_of_micros(instant.as_microsecond()) }
    }

    /// The partition `hour` hours after 1970-01-01T00:00:00Z.
    pub(crate) fn at_hour(dataset: DatasetName, hour: i64) -> Self {
        Self { dataset, hour }
    }

    /// The dataset.
    pub fn dataset(&self) -> &DatasetName {
        &self.dataset
    }

    /// Whole hours since 1970-01-01T00:00:00Z.
    pub fn hour(&self) -> i64 {
        self.hour
    }

    /// The hour's first instant; `None` outside the years that timestamps can hold.
    pub fn start(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.hour.checked_mul(HOUR_SECONDS)?).ok()
    }
}

/// Whole hours since the epoch of an instant given in microseconds since the epoch.
pub(crate) fn hour_of_micros(micros: i64) -> i64 {
    micros.div_euclid(HOUR_MICROS)
}

/// Where an object goes below the bucket's root; empty for the root itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPrefix(String);

/// Why a text is not a key prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// S3 would make an object below an unnamed folder.
    #[error("prefix `{0}` begins with a slash")]
    LeadingSlash(String),
    /// Query engines and consoles disagree about empty path segments.
    #[error("prefix `{0}` holds an empty path segment (`//`)")]
    EmptySegment(String),
    /// `.` and `..` are resolved by some clients and kept by others.
    #[error("prefix `{0}` holds the path segment `.` or `..`")]
    DotSegment(String),
    /// Keys hold no control characters.
    #[error("prefix `{0}` holds a control character or is longer than 512 bytes")]
    Character(String),
}

impl KeyPrefix {
    /// Checks a prefix. One slash at the end is accepted and means the same as none.
    pub fn new(text: &str) -> Result<Self, PrefixError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.starts_with('/') {
            return Err(PrefixError::LeadingSlash(text.to_owned()));
        }
        let path = text.strip_suffix('/').unwrap_or(text);
        if path.split('/').any(str::is_empty) {
            return Err(PrefixError::EmptySegment(text.to_owned()));
        }
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(PrefixError::DotSegment(text.to_owned()));
        }
        if path.len() > 512 || path.chars().any(char::is_control) {
            return Err(PrefixError::Character(text.escape_default().to_string()));
        }
        Ok(Self(format!("{path}/")))
    }

    /// The prefix with its closing slash; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
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
}

/// Why a text is not a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A placeholder that layouts do not have.
    #[error("layout has the unknown placeholder `{{{0}}}`")]
    UnknownPlaceholder(String),
    /// A `{` without `}` or the reverse.
    #[error("layout has a brace without its partner")]
    Unbalanced,
    /// Two different partitions would share a key.
    #[error("layout lacks the placeholder `{{{0}}}`, so two partitions would share one object")]
    Ambiguous(&'static str),
    /// A field that ends where the next begins cannot be read back.
    #[error("layout has `{{dataset}}` next to another placeholder, so keys cannot be read back")]
    Adjacent,
    /// See [`KeyPrefix`].
    #[error("layout begins with a slash or holds an empty path segment")]
    Slashes,
}

impl Layout {
    /// Parses a template. Placeholders: `{dataset}`, `{t:%Y}`, `{t:%m}`, `{t:%d}`, `{t:%H}`; all five are needed.
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
            parts.push(match name {
                "dataset" => Part::Dataset,
                "t:%Y" => Part::Year,
                "t:%m" => Part::Month,
                "t:%d" => Part::Day,
                "t:%H" => Part::Hour,
                _ => return Err(LayoutError::UnknownPlaceholder(name.to_owned())),
            });
            rest = after;
        }
        if parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains('}'))) {
            return Err(LayoutError::Unbalanced);
        }
        let needed = [
            (Part::Dataset, "dataset"),
            (Part::Year, "t:%Y"),
            (Part::Month, "t:%m"),
            (Part::Day, "t:%d"),
            (Part::Hour, "t:%H"),
        ];
        for (part, name) in needed {
            if !parts.contains(&part) {
                return Err(LayoutError::Ambiguous(name));
            }
        }
        let followed = parts.iter().zip(parts.iter().skip(1));
        for (part, next) in followed {
            if matches!(part, Part::Dataset) && !matches!(next, Part::Text(_)) {
                return Err(LayoutError::Adjacent);
            }
        }
        if template.starts_with('/') || template.contains("//") || template.ends_with('/') {
            return Err(LayoutError::Slashes);
        }
        Ok(Self { template: template.to_owned(), parts })
    }

    /// The template as written.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The key of `partition` below `prefix`.
    pub fn key(&self, prefix: &KeyPrefix, partition: &DatasetPartition) -> Result<ObjectKey, NameError> {
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
            };
        }
        ObjectKey::new(key)
    }

    /// The partition that `key` belongs to, if this layout made it below `prefix`.
    pub fn partition_of(&self, prefix: &KeyPrefix, key: &ObjectKey) -> Option<DatasetPartition> {
        let mut rest = key.as_str().strip_prefix(prefix.as_str())?;
        let mut dataset: Option<&str> = None;
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
            }
        }
        if !rest.is_empty() {
            return None;
        }
        let narrow = |value: Option<i16>| i8::try_from(value?).ok();
        let civil = DateTime::new(year?, narrow(month)?, narrow(day)?, narrow(hour)?, 0, 0, 0).ok()?;
        let start = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some(DatasetPartition::of(DatasetName::new(dataset?).ok()?, start))
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
