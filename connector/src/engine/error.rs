//! How a sync or a plan fails.

use crate::merge::MergeError;
use crate::names::{DatasetName, NameError, ObjectKey, ProfileId};
use crate::object_file::EncodeError;
use crate::parquet_file::DecodeError;
use crate::profile::AuthMode;
use crate::row_rules::Misfit;
use crate::source::SourceError;
use crate::state::StateError;
use crate::store::{Diagnosis, StoreError};

/// Why configuration and profile do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// The profile has no such dataset.
    #[error("profile `{profile}` has no dataset `{dataset}`")]
    UnknownDataset {
        /// The dataset asked for.
        dataset: DatasetName,
        /// The profile.
        profile: ProfileId,
        /// The datasets it has.
        known: Vec<DatasetName>,
    },
    /// The vendor does not document this way to authenticate.
    #[error("profile `{profile}` does not authenticate by {mode:?}")]
    AuthMode {
        /// The mode asked for.
        mode: AuthMode,
        /// The profile.
        profile: ProfileId,
    },
    /// The vendor's trust policy asks for an external id.
    #[error("profile `{profile}` assumes roles with an external id alone, and none is given")]
    NoExternalId {
        /// The profile.
        profile: ProfileId,
    },
    /// The vendor does not document this format or compression.
    #[error("profile `{profile}` does not write the `format` and `compression` that are asked for")]
    Encoding {
        /// The profile.
        profile: ProfileId,
        /// What it writes.
        known: Vec<String>,
    },
    /// Rows have no time by which to tell what was before the first sync.
    #[error("`history = \"forward\"` needs the time of rows, which dataset `{dataset}` does not have")]
    NoTime {
        /// The dataset.
        dataset: DatasetName,
    },
    /// The vendor does not take folders behind a bucket's name.
    #[error("profile `{profile}` takes no folders behind the bucket's name")]
    NestedBucket {
        /// The profile.
        profile: ProfileId,
    },
    /// A snapshot is what one source holds whole.
    #[error("dataset `{dataset}` is a snapshot, which is made of files, or of one table or input whole")]
    SnapshotOfFiles {
        /// The dataset.
        dataset: DatasetName,
    },
    /// Only objects that rows are merged into have tails.
    #[error("dataset `{dataset}` has no tail: its objects are not replaced row by row")]
    TailOfOtherMode {
        /// The dataset.
        dataset: DatasetName,
    },
    /// New rows of a table are told by their times.
    #[error("dataset `{dataset}` takes new rows of the table, which are told by `updated_at`")]
    TableWithoutTime {
        /// The dataset.
        dataset: DatasetName,
    },
    /// The rows that are chosen are not the dataset's to choose.
    #[error("the rows of dataset `{dataset}` cannot be chosen so: {problem}")]
    Rows {
        /// The dataset.
        dataset: DatasetName,
        /// What does not fit.
        problem: String,
        /// What to do next.
        help: String,
    },
    /// Only spreadsheets have formulas.
    #[error("`escape_formulas` is for CSV, which dataset `{dataset}` is not written as")]
    FormulasOfOtherFormat {
        /// The dataset.
        dataset: DatasetName,
    },
    /// Rows of the dataset have no identity, so reading a file again would export them twice.
    #[error("`on_replaced = \"restart\"` would export rows of dataset `{dataset}` twice: they have no key")]
    RestartDoubles {
        /// The dataset.
        dataset: DatasetName,
    },
}

impl ConnectionError {
    pub(super) fn rows((dataset, misfit): (DatasetName, Misfit)) -> Self {
        Self::Rows { dataset, problem: misfit.problem, help: misfit.help }
    }

    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::UnknownDataset { known, .. } => {
                let names: Vec<&str> = known.iter().map(DatasetName::as_str).collect();
                format!("its datasets are {}; correct `datasets`", names.join(", "))
            }
            Self::AuthMode { .. } => "correct `auth.mode`".to_owned(),
            Self::NoExternalId { .. } => {
                "add `auth.external_id`; it and `role_arn` come from the owner of the bucket".to_owned()
            }
            Self::Encoding { known, .. } => format!("it writes {}", known.join(", ")),
            Self::NoTime { .. } => {
                "set `history = \"all\"`, and give sources that begin where the export is to".to_owned()
            }
            Self::NestedBucket { .. } => "write them in `bucket.prefix`".to_owned(),
            Self::SnapshotOfFiles { .. } => {
                "give it sources with `path`, or one with `stdin`, `parquet`, `postgres` or `sqlite`"
                    .to_owned()
            }
            Self::Rows { help, .. } => help.clone(),
            Self::FormulasOfOtherFormat { .. } => "remove it from `[[rows]]`".to_owned(),
            Self::TailOfOtherMode { .. } => "remove it from `tail.datasets`".to_owned(),
            Self::TableWithoutTime { .. } => "name the column in `sqlite.updated_at`".to_owned(),
            Self::RestartDoubles { .. } => "give each new file a new path".to_owned(),
        }
    }
}

/// Why a sync or a plan stopped. What was committed before stays committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The store refused or did not answer.
    #[error("{}", diagnosis.message)]
    Store {
        /// What it means and what to do.
        diagnosis: Box<Diagnosis>,
        /// The store's error.
        source: StoreError,
    },
    /// A source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The state cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// An object in the bucket is not one of the dataset's.
    #[error("object `{key}` cannot be merged with: {source}")]
    ForeignObject {
        /// The object.
        key: ObjectKey,
        /// The cause.
        source: DecodeError,
    },
    /// Other writers were always faster.
    #[error("object `{key}` changed {attempts} times while it was to be replaced")]
    Contended {
        /// The object.
        key: ObjectKey,
        /// Rebases tried.
        attempts: u32,
    },
    /// A writer of a higher epoch has taken over.
    #[error("object `{key}` was written by a connector of epoch {found}, this one has epoch {own}")]
    Fenced {
        /// The object.
        key: ObjectKey,
        /// The epoch of the one that has taken over.
        found: u64,
        /// This connector's.
        own: u64,
    },
    /// The configuration's epoch is below the one that the state was used with.
    #[error("`writer_epoch` is {configured}, but this state was used with epoch {recorded}")]
    EpochWentBack {
        /// The epoch on record.
        recorded: u64,
        /// The configuration's.
        configured: u64,
    },
    /// The store writes although the condition does not hold, or refuses the condition itself.
    #[error("the store at `{place}` does not keep the conditions of writes: {detail}")]
    Unconditional {
        /// Where it is.
        place: String,
        /// What it did.
        detail: String,
    },
    /// Dead letters cannot be kept.
    #[error("dead-letter file `{path}` cannot be written: {source}")]
    DeadLetters {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A plan cannot read standard input, as the sync could not read it again.
    #[error("a plan cannot read standard input")]
    PlanOfStdin,
    /// The layout makes a key that S3 does not take.
    #[error("layout and prefix make a bad key: {0}")]
    Key(#[from] NameError),
    /// A sealed object was to get another key than the configuration gives it now.
    #[error("an unfinished batch was sealed for object `{sealed}`, which is now called `{configured}`")]
    Reconfigured {
        /// The key that was sealed.
        sealed: ObjectKey,
        /// The key that the configuration gives it now.
        configured: ObjectKey,
    },
    /// There is no room on disk for an object that is too large for memory.
    #[error("an object cannot be kept on disk while it is made: {problem}")]
    NoRoom {
        /// What the disk said.
        problem: String,
    },
    /// Rows cannot be gathered.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// Rows cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Whose turn it is after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The answer is no, for a stated reason that people can remove.
    Refused,
    /// The call or the configuration is wrong.
    Usage,
    /// This machine or this program is broken.
    Broken,
}

impl SyncError {
    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Store { diagnosis, .. } => diagnosis.help.clone(),
            Self::Source(error) => error.help().to_owned(),
            Self::State(error) => error.help().to_owned(),
            Self::ForeignObject { .. } => {
                "something else wrote below the export's prefix; move the object away or choose another prefix".to_owned()
            }
            Self::Contended { .. } => "find the other writers of this object; one connection per prefix is meant".to_owned(),
            Self::Fenced { .. } => {
                "stop this connector: another installation has taken over; to take over from it, set `writer_epoch` above its own".to_owned()
            }
            Self::EpochWentBack { .. } => "set `writer_epoch` to the recorded one or a higher one".to_owned(),
            Self::Unconditional { .. } => {
                "use a store with conditional writes; or, if this connector is the only writer and rows may come twice or go back after a late request, set `writes = \"at_least_once_single_writer\"`".to_owned()
            }
            Self::DeadLetters { .. } | Self::Encode(EncodeError::Disk(_)) => "check the state directory's permissions and free space".to_owned(),
            Self::PlanOfStdin => "plan with a file as the source".to_owned(),
            Self::Reconfigured { .. } => {
                "set format, compression and `worker_id` back, run `sync` once, then change them".to_owned()
            }
            Self::NoRoom { .. } => {
                "check the state directory's permissions and free space, or raise `state.memory_mib`; then run `sync` again".to_owned()
            }
            Self::Key(_) => "shorten `bucket.prefix`".to_owned(),
            Self::Merge(_) | Self::Encode(_) => "lower `state.batch_mib`; if that does not help, report this".to_owned(),
        }
    }

    /// Whose turn it is.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Store { .. }
            | Self::Source(_)
            | Self::ForeignObject { .. }
            | Self::Contended { .. }
            | Self::Fenced { .. }
            | Self::Unconditional { .. }
            | Self::State(StateError::Busy { .. }) => FailureKind::Refused,
            Self::State(StateError::OtherDestination { .. })
            | Self::EpochWentBack { .. }
            | Self::PlanOfStdin
            | Self::Key(_)
            | Self::Reconfigured { .. } => FailureKind::Usage,
            Self::State(_)
            | Self::DeadLetters { .. }
            | Self::NoRoom { .. }
            | Self::Merge(_)
            | Self::Encode(_) => FailureKind::Broken,
        }
    }

    /// The diagnosis, if the store refused.
    pub fn diagnosis(&self) -> Option<&Diagnosis> {
        match self {
            Self::Store { diagnosis, .. } => Some(diagnosis),
            _ => None,
        }
    }
}
