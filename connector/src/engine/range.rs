//! Chosen ranges of whole days: the sources are read from their start, and an object of its own holds what lies in the
//! range. Checkpoints, held rows and the objects of periods stay as they are.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::apply::no_room;
use super::batch::{Batch, Cut};
use super::pile::Pile;
use super::sync::object_report;
use super::whole::Whole;
use super::{Connection, SyncError};
use crate::config::{SourcePlace, SyncToggle};
use crate::names::{DatasetName, ObjectKey, ProfileId};
use crate::profile::{Dataset, EmptyPeriod, Mode};
use crate::report::{Outcome, RangeDataset, RangeReport, RetryReport};
use crate::source::{self, Next, Source, SourceError};
use crate::state::{FinishBatch, SealedBatch, SourceKind, SourceRecord, State};

/// Why a range is not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// It ends before it begins.
    #[error("the range ends on {to}, before it begins on {from}")]
    Backwards {
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
    },
    /// Its last day is not over.
    #[error("{to} is not over yet: its rows are still coming (it is {now})")]
    NotOver {
        /// Last day.
        to: Date,
        /// Now.
        now: Timestamp,
    },
    /// The vendor does not export chosen ranges.
    #[error("profile `{profile}` exports no chosen ranges")]
    NotOffered {
        /// The profile.
        profile: ProfileId,
    },
    /// The dataset is not one of the connection's that have days.
    #[error("dataset `{dataset}` is not selected, or has no days")]
    NoDays {
        /// The dataset.
        dataset: DatasetName,
    },
    /// Rows that came by standard input are gone.
    #[error("dataset `{dataset}` comes from standard input, which cannot be read again")]
    StdinGone {
        /// The dataset.
        dataset: DatasetName,
    },
    /// A sync did not end.
    #[error("a sync of dataset `{dataset}` was interrupted")]
    Interrupted {
        /// The dataset.
        dataset: DatasetName,
    },
    /// As a sync fails.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl RangeError {
    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Backwards { .. } => {
                "exchange `--from` and `--to`; both days belong to the range".to_owned()
            }
            Self::NotOver { .. } => "end the range with a day that is over, in UTC".to_owned(),
            Self::NotOffered { .. } => {
                "`sync` exports what waits; a profile offers ranges with `profile.manual`".to_owned()
            }
            Self::NoDays { .. } => "name a dataset of `datasets` whose objects are of days".to_owned(),
            Self::StdinGone { .. } => {
                "give the dataset a file, a directory or a table as its source".to_owned()
            }
            Self::Interrupted { .. } => "run `sync` first: it finishes what was sealed".to_owned(),
            Self::Sync(error) => error.help(),
        }
    }
}

macro_rules! by_way_of_sync {
    ($($error:ty),*) => {
        $(impl From<$error> for RangeError {
            fn from(error: $error) -> Self {
                Self::Sync(error.into())
            }
        })*
    };
}
by_way_of_sync!(crate::state::StateError, SourceError, crate::names::NameError);

/// Whole days, the first and the last of them included.
#[derive(Clone, Copy, Debug)]
struct Days {
    from: Date,
    to: Date,
    /// First instant, and the first that is none of the range's.
    instants: (Timestamp, Timestamp),
}

impl Connection {
    /// Exports the rows of days `from` to `to`, both included, UTC: of the named datasets, or of all that have days.
    ///
    /// The same range again replaces its object, and leaves it alone if nothing changed. A range of 7 to 7 March is all of
    /// 7 March and nothing of the 8th.
    pub async fn export_range(
        &self,
        from: Date,
        to: Date,
        only: &[DatasetName],
    ) -> Result<RangeReport, RangeError> {
        let template = self
            .profile
            .manual_layout()
            .ok_or_else(|| RangeError::NotOffered { profile: self.profile.id().clone() })?;
        let days = self.days(from, to)?;
        let has_days = |dataset: &&Dataset| dataset.mode() == Mode::Period;
        let datasets: Vec<&Dataset> = self
            .selected()
            .filter(has_days)
            .filter(|dataset| only.is_empty() || only.contains(dataset.name()))
            .collect();
        if let Some(unknown) = only.iter().find(|name| datasets.iter().all(|dataset| dataset.name() != *name))
        {
            return Err(RangeError::NoDays { dataset: unknown.clone() });
        }
        let mut report = RangeReport {
            outcome: Outcome::Done,
            from: from.to_string(),
            to: to.to_string(),
            datasets: Vec::new(),
            retries: RetryReport::default(),
        };
        if self.config.toggle == SyncToggle::Off {
            report.outcome = Outcome::Disabled;
            return Ok(report);
        }
        let state =
            State::open(&self.config.state_dir, &self.destination(), &self.entropy, self.steps.clone())?;
        if state.paused_since()?.is_some() {
            report.outcome = Outcome::Paused;
            return Ok(report);
        }
        self.preflight(&mut report.retries).await?;
        for dataset in datasets {
            let own = self.export_days(&state, dataset, (template, days), &mut report.retries).await?;
            report.datasets.push(own);
        }
        Ok(report)
    }

    fn days(&self, from: Date, to: Date) -> Result<Days, RangeError> {
        if from > to {
            return Err(RangeError::Backwards { from, to });
        }
        let now = self.clock.now();
        let midnight = |day: Date| {
            day.to_zoned(jiff::tz::TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
        };
        let end = to.tomorrow().map_or(Timestamp::MAX, midnight);
        if end > now {
            return Err(RangeError::NotOver { to, now });
        }
        Ok(Days { from, to, instants: (midnight(from), end) })
    }

    async fn export_days(
        &self,
        state: &State,
        dataset: &Dataset,
        (template, days): (&str, Days),
        retries: &mut RetryReport,
    ) -> Result<RangeDataset, RangeError> {
        let own = |source: &&crate::config::SourceConfig| &source.dataset == dataset.name();
        if self.config.sources.iter().filter(own).any(|source| source.place == SourcePlace::Stdin) {
            return Err(RangeError::StdinGone { dataset: dataset.name().clone() });
        }
        if let Some(open) = state.open_batch(dataset.name())? {
            if !open.ranges.is_empty() {
                return Err(RangeError::Interrupted { dataset: dataset.name().clone() });
            }
            state.abandon_batch(open.id)?;
        }
        let mut report = RangeDataset::new(dataset.name().clone());
        let room = self.room(Some(state));
        let mut pile = Pile::new(dataset, &room);
        for source in self.config.sources.iter().filter(own) {
            for (path, _) in source::files(&source.place)? {
                let record = whole(path.display().to_string(), SourceKind::File);
                self.read_days(dataset, record, days, (&mut pile, &mut report))?;
            }
        }
        for (_, source) in self.sources.iter().filter(|(of, _)| of == dataset.name()) {
            let file = self.pull_whole(state, dataset, source).await?;
            let record = whole(file.path().display().to_string(), SourceKind::Spool);
            self.read_days(dataset, record, days, (&mut pile, &mut report))?;
        }
        report.rows_written = pile.rows();
        if report.rows_written == 0 && self.profile.period_rules().empty == EmptyPeriod::Skip {
            return Ok(report);
        }
        let key = self.range_key(template, dataset, days)?;
        let (body, object_rows) = pile.encode(&self.encoding).map_err(SyncError::from)?;
        drop(pile);
        let now = self.clock.now();
        let sealed = SealedBatch {
            dataset: dataset.name(),
            digest: body.digest().map_err(|error| no_room(&error))?,
            rows_read: 0,
            dead_lettered: 0,
            ranges: &[],
            now,
        };
        let batch_id = state.seal_batch(&sealed)?;
        let slot = dataset.partitioning().unit.slot_of(days.instants.0);
        let object = Whole { slot, key, body, object_rows, new_rows: 0 };
        let (intent, etag) = self.put_whole(state, dataset, batch_id, object, retries).await?;
        let finish = FinishBatch {
            batch_id,
            dataset: dataset.name(),
            ranges: &[],
            rows_read: 0,
            written: 0,
            deduplicated: 0,
            dead_lettered: 0,
            dead_bytes: state.dead_bytes(dataset.name())?,
            period: None,
        };
        state.commit_intent(&intent, Some(&etag), now, Some(&finish))?;
        report.object = Some(object_report(&intent));
        Ok(report)
    }

    /// Reads a file from its start to its end, and keeps what lies in the range.
    fn read_days(
        &self,
        dataset: &Dataset,
        mut record: SourceRecord,
        days: Days,
        (kept, report): (&mut Pile<'_>, &mut RangeDataset),
    ) -> Result<(), RangeError> {
        let unit = dataset.partitioning().unit;
        let (first, end) = (unit.slot_of(days.instants.0), unit.slot_of(days.instants.1));
        loop {
            let chunk = match source::read_next(&record, self.limits(self.config.batch_bytes))? {
                Next::Nothing { pending_bytes } => {
                    report.pending_bytes += pending_bytes;
                    return Ok(());
                }
                Next::Lines(chunk) => chunk,
            };
            record.byte_offset = chunk.range.bytes.end;
            record.lines = chunk.range.lines.end;
            record.fingerprint.clone_from(&chunk.range.fingerprint);
            let batch = Batch::decode(dataset, vec![chunk], &Cut::at(self.clock.now()))?;
            report.rows_read += batch.rows_read;
            report.rows_refused += batch.dead_letters.len() as u64;
            for (slot, changes) in batch.partitions {
                if (first..end).contains(&slot) {
                    kept.add(&self.encoding, &changes.rows).map_err(SyncError::from)?;
                } else {
                    report.rows_outside += changes.rows.num_rows() as u64;
                }
            }
        }
    }

    /// All rows of a table, in a file that goes when it is closed.
    async fn pull_whole(
        &self,
        state: &State,
        dataset: &Dataset,
        source: &Arc<dyn Source>,
    ) -> Result<tempfile::NamedTempFile, RangeError> {
        let directory = state.directory();
        let unwritable = |error| SourceError::Spool { path: directory.display().to_string(), source: error };
        let file = tempfile::NamedTempFile::new_in(directory).map_err(unwritable)?;
        let mut rows: BufWriter<File> = BufWriter::new(file.reopen().map_err(unwritable)?);
        source.pull(None, dataset, &mut rows).await?;
        rows.flush().map_err(unwritable)?;
        Ok(file)
    }

    fn range_key(&self, template: &str, dataset: &Dataset, days: Days) -> Result<ObjectKey, SyncError> {
        let name = template
            .replace("{dataset}", dataset.name().as_str())
            .replace("{from}", &days.from.to_string())
            .replace("{to}", &days.to.to_string())
            .replace("{ext}", &self.encoding.extension);
        Ok(ObjectKey::new(format!("{}{name}", self.config.bucket.prefix.as_str()))?)
    }
}

/// A source that is read from its start.
fn whole(path: String, kind: SourceKind) -> SourceRecord {
    SourceRecord { id: 0, path, kind, byte_offset: 0, lines: 0, fingerprint: String::new() }
}
