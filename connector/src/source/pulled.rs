//! Sources that are asked for what is new: the trait, and the way of their rows into the state directory.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use super::SourceError;
use super::spool::spool_directory;
use crate::profile::Dataset;
use crate::state::{State, StateError};
use crate::steps::{Step, Steps};

/// What a pull gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// Rows that were written.
    pub rows: u64,
    /// Stands for them: with it, the next pull begins behind them.
    pub checkpoint: String,
}

/// A source that is asked for what is new.
///
/// The connector calls [`pull`](Source::pull) with the checkpoint of the last pull whose rows are durable in the state
/// directory, at first with none. Rows and the new checkpoint become durable together; if the process dies before, the
/// same checkpoint is given again, and the rows that were written then are forgotten. So a source
///
/// - writes every row that became visible to it since the checkpoint, and may write others again: a dataset with a key
///   takes the later version of each row, one without a key would export a row twice, so a source for such a dataset
///   remembers in its checkpoint what it gave;
/// - makes its checkpoint a function of what it wrote, never of the time;
/// - holds no more than a few rows in memory.
///
/// Tables of PostgreSQL and SQLite are such sources; [`Connection::with_source`](crate::engine::Connection::with_source)
/// takes any other.
///
/// ```
/// use async_trait::async_trait;
/// use bucketproof_connector::profile::Dataset;
/// use bucketproof_connector::source::{Pulled, Source, SourceError};
///
/// /// Numbers from a counter: the checkpoint is the last one given.
/// #[derive(Debug)]
/// struct Numbers(u64);
///
/// #[async_trait]
/// impl Source for Numbers {
///     fn name(&self) -> String {
///         "numbers".to_owned()
///     }
///
///     async fn pull(
///         &self,
///         checkpoint: Option<&str>,
///         _dataset: &Dataset,
///         rows: &mut (dyn std::io::Write + Send),
///     ) -> Result<Pulled, SourceError> {
///         let from: u64 = checkpoint.and_then(|number| number.parse().ok()).unwrap_or(0);
///         for number in from..self.0 {
///             writeln!(rows, "{{\"number\":{number}}}").map_err(|error| self.failed(&error, "free some disk"))?;
///         }
///         Ok(Pulled { rows: self.0 - from, checkpoint: self.0.to_string() })
///     }
/// }
/// ```
#[async_trait]
pub trait Source: Debug + Send + Sync {
    /// Names the source in the state, in messages and in the keys of appended objects; the same source has the same name
    /// for ever. No secret is in it.
    fn name(&self) -> String;

    /// Writes the rows of `dataset` that are new since `checkpoint`, one JSON object a line.
    async fn pull(
        &self,
        checkpoint: Option<&str>,
        dataset: &Dataset,
        rows: &mut (dyn Write + Send),
    ) -> Result<Pulled, SourceError>;

    /// The failure of a pull, in words for people.
    fn failed(&self, problem: &dyn std::fmt::Display, help: &str) -> SourceError {
        SourceError::Pull { place: self.name(), problem: problem.to_string(), help: help.to_owned() }
    }
}

/// What is taken of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Rows that are new since the last pull.
    New,
    /// All rows, in place of those of all pulls before.
    Whole,
}

fn checkpoint_fact(dataset: &Dataset, source: &dyn Source) -> String {
    format!("pulled {} {}", dataset.name(), source.name())
}

/// Pulls what would be new into a file of `directory`, and remembers nothing; `None` if there is no row.
pub(crate) async fn pull_aside(
    state: Option<&State>,
    directory: &std::path::Path,
    dataset: &Dataset,
    (source, taken): (&dyn Source, Taken),
) -> Result<Result<Option<PathBuf>, SourceError>, StateError> {
    let known = match state.filter(|_| taken == Taken::New) {
        Some(state) => state.fact(&checkpoint_fact(dataset, source))?.filter(|known| !known.is_empty()),
        None => None,
    };
    let unwritable =
        |error: io::Error| SourceError::Spool { path: directory.display().to_string(), source: error };
    let mut spool = match Spool::create(directory, dataset.name().as_str()) {
        Ok(spool) => spool,
        Err(error) => return Ok(Err(unwritable(error))),
    };
    if let Err(error) = source.pull(known.as_deref(), dataset, &mut spool).await {
        return Ok(Err(error));
    }
    Ok(spool.finish().map_err(unwritable))
}

/// Pulls rows into a file of the state directory and makes it known together with the checkpoint; how many rows.
pub(crate) async fn pull(
    state: &State,
    steps: &dyn Steps,
    dataset: &Dataset,
    (source, taken): (&dyn Source, Taken),
) -> Result<Result<u64, SourceError>, StateError> {
    let fact = checkpoint_fact(dataset, source);
    let known = match taken {
        Taken::New => state.fact(&fact)?.filter(|checkpoint| !checkpoint.is_empty()),
        Taken::Whole => None,
    };
    let directory = spool_directory(state.directory());
    let unwritable =
        |error: io::Error| SourceError::Spool { path: directory.display().to_string(), source: error };
    steps.reached(Step::SpoolBegin);
    let mut spool = match Spool::create(&directory, dataset.name().as_str()) {
        Ok(spool) => spool,
        Err(error) => return Ok(Err(unwritable(error))),
    };
    let pulled = match source.pull(known.as_deref(), dataset, &mut spool).await {
        Ok(pulled) => pulled,
        Err(error) => return Ok(Err(error)),
    };
    let path = match spool.finish() {
        Ok(path) => path.map(|path| path.display().to_string()),
        Err(error) => return Ok(Err(unwritable(error))),
    };
    if path.is_some() {
        steps.reached(Step::SpoolWritten);
    }
    if path.is_some() || known.as_ref() != Some(&pulled.checkpoint) {
        let is_whole = taken == Taken::Whole;
        state.register_pull(dataset.name(), (path.as_deref(), is_whole), (&fact, &pulled.checkpoint))?;
    }
    Ok(Ok(pulled.rows))
}

/// A spool file being written; its name comes from its content.
struct Spool {
    directory: PathBuf,
    partial: PathBuf,
    dataset: String,
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

impl Spool {
    fn create(directory: &std::path::Path, dataset: &str) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let partial = directory.join(format!("{dataset}.partial"));
        let file = BufWriter::with_capacity(1 << 18, File::create(&partial)?);
        let (directory, dataset) = (directory.to_path_buf(), dataset.to_owned());
        Ok(Self { directory, partial, dataset, file, digest: Sha256::new(), bytes: 0 })
    }

    /// Makes the file durable under its name; `None` if nothing was written.
    fn finish(self) -> io::Result<Option<PathBuf>> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        if self.bytes == 0 {
            std::fs::remove_file(&self.partial)?;
            return Ok(None);
        }
        file.sync_all()?;
        let path =
            self.directory.join(format!("{}-{}.ndjson", self.dataset, hex::encode(self.digest.finalize())));
        std::fs::rename(&self.partial, &path)?;
        File::open(&self.directory)?.sync_all()?;
        Ok(Some(path))
    }
}

impl Write for Spool {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let written = self.file.write(part)?;
        self.digest.update(part.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
