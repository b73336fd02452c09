//! The words of the profile language: how objects come to be, are cut, are encoded and are named.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

/// Which way data flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From a source to a bucket.
    Export,
}

/// How the objects of a dataset come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One object per partition, replaced by compare-and-swap.
    Replace,
    /// A new object per batch, never touched again.
    Append,
    /// One object that holds the whole source, replaced by compare-and-swap.
    Snapshot,
    /// One object per partition, written once the partition's time is over.
    Period,
}

impl Mode {
    /// Whether the rows of an object are sorted by their time column.
    pub(crate) fn sorts_by_time(self) -> bool {
        matches!(self, Self::Replace | Self::Period)
    }
}

/// Length of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionUnit {
    /// One hour.
    Hour,
    /// One day.
    Day,
    /// All of time: no partitions.
    None,
}

impl PartitionUnit {
    /// Seconds of a partition; `None` if there are none.
    pub(crate) fn seconds(self) -> Option<i64> {
        match self {
            Self::Hour => Some(3_600),
            Self::Day => Some(86_400),
            Self::None => None,
        }
    }

    /// The partition of an instant given in microseconds since the epoch, counted from the epoch.
    pub(crate) fn slot_of_micros(self, micros: i64) -> i64 {
        self.seconds().map_or(0, |seconds| micros.div_euclid(seconds * 1_000_000))
    }

    /// The partition of an instant, counted from the epoch.
    pub fn slot_of(self, instant: Timestamp) -> i64 {
        self.slot_of_micros(instant.as_microsecond())
    }

    /// The first instant of a partition; `None` outside the years that timestamps can hold.
    pub fn start_of(self, slot: i64) -> Option<Timestamp> {
        Timestamp::from_second(slot.checked_mul(self.seconds().unwrap_or(0))?).ok()
    }
}

/// Which time puts a row into its partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionBy {
    /// The row's own, in the time column.
    #[default]
    Row,
    /// That at which its batch was sealed, so that an object lies in one partition.
    Batch,
}

/// How a dataset is cut into partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Partitioning {
    /// Length of a partition.
    pub unit: PartitionUnit,
    /// Which time counts.
    pub by: PartitionBy,
}

/// File format of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// One JSON object per line.
    Ndjson,
    /// Comma-separated values, RFC 4180.
    Csv,
}

impl Format {
    /// Media type of objects.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }

    /// Whether objects can be compressed that way.
    pub(crate) fn takes(self, compression: Compression) -> bool {
        match self {
            Self::Parquet => true,
            Self::Ndjson | Self::Csv => matches!(compression, Compression::Gzip | Compression::None),
        }
    }
}

/// Compression of Parquet pages, or of a whole text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Snappy.
    Snappy,
    /// Zstandard, level 1.
    Zstd,
    /// Gzip, level 6.
    Gzip,
    /// None.
    None,
}

/// How objects are encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Encoding {
    /// File format.
    pub format: Format,
    /// Compression.
    pub compression: Compression,
    /// Rows of a row group, at most; of Parquet only.
    pub row_group_rows: usize,
    /// What `{ext}` in a layout stands for, such as `json.gz`.
    pub extension: String,
}

/// Parquet with Snappy.
pub(super) static PARQUET: Encoding = Encoding {
    format: Format::Parquet,
    compression: Compression::Snappy,
    row_group_rows: 16_384,
    extension: String::new(),
};

/// When an export runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// At whole multiples of a length, UTC.
    Aligned {
        /// The length.
        every: Duration,
    },
    /// A length after the last run began.
    After {
        /// The length.
        every: Duration,
    },
    /// Once a day.
    Daily {
        /// The time of day, UTC.
        at: Time,
    },
    /// As soon as enough waits, or once something has waited long enough.
    Streaming {
        /// Bytes of source text that are enough.
        bytes: u64,
        /// How long something waits at most.
        age: Duration,
    },
}

/// When an appended object is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BatchLimits {
    /// Rows, at most.
    pub rows: u64,
    /// Bytes of the object, compressed, at most; a single row may be larger.
    pub bytes: u64,
}

/// What becomes of a period without rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyPeriod {
    /// An object without rows: the proof of a run.
    Header,
    /// No object.
    #[default]
    Skip,
}

/// How periods end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PeriodRules {
    /// Days after its end in which rows that come late still change a period's object.
    pub late_days: u32,
    /// What becomes of a period without rows.
    pub empty: EmptyPeriod,
}

/// How a configured prefix becomes a part of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrefixRule {
    /// It names a folder: exactly one slash stands behind it.
    #[default]
    Folder,
    /// It is put before keys as it is written.
    Literal,
}
