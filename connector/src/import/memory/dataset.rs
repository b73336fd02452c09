//! A directory of Parquet files as the target: one file for each that was imported, if it has rows to store.
//!
//! What has been committed is the truth, and the directory follows it:
//!
//! 1. rows are written to `_staging/part-<name>.parquet` and synced, with the directory;
//! 2. one transaction of SQLite in the state directory notes that the file is stored, what is said of it, and its part;
//! 3. the part is renamed into the directory, which is synced, and noted as published.
//!
//! A crash before 2 leaves a staged part that nothing knows: it is removed, and the file is read again. A crash after 2 leaves
//! one that is known: it is renamed before anything else happens, so before a report tells of it. So a reader sees whole
//! parts only, of files that are stored, each once; and no report tells of rows that cannot be seen.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use async_trait::async_trait;
use jiff::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use sha2::{Digest as _, Sha256};

use super::sqlite::SqliteMemory;
use super::{FileCounts, FileEnd, Memory, PendingFile, SealedReport, TargetError, Waiting, signed, unsigned};
use crate::import::config::ImportConfig;
use crate::import::rows::CheckedRows;
use crate::import::steps::{ImportStep, ImportSteps};
use crate::import::store::FoundFile;
use crate::lock_file;

/// Where parts are before they can be seen; readers pass over names that begin so.
const STAGING: &str = "_staging";
/// The key of the file that a row came from, and the row's place in it.
const ORIGIN: [&str; 2] = ["bucketproof_file", "bucketproof_row"];

/// The memory of an import into a dataset.
#[derive(Debug)]
pub(super) struct DatasetMemory {
    state: SqliteMemory,
    directory: PathBuf,
    names: Vec<String>,
    rescue: Option<String>,
    part: Option<Part>,
    steps: Arc<dyn ImportSteps>,
    _lock: File,
}

/// The part that is being written.
#[derive(Debug)]
struct Part {
    name: String,
    key: String,
    writer: Option<ArrowWriter<BufWriter<File>>>,
}

fn failed(path: &Path, problem: &dyn std::fmt::Display) -> TargetError {
    TargetError::Dataset { path: path.display().to_string(), problem: problem.to_string() }
}

/// Makes what a directory lists durable.
fn sync(directory: &Path) -> Result<(), TargetError> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| failed(directory, &error))
}

impl DatasetMemory {
    /// Opens the dataset, and lets it follow what its state has committed.
    pub(super) fn open(
        config: &ImportConfig,
        directory: &Path,
        steps: Arc<dyn ImportSteps>,
    ) -> Result<Self, TargetError> {
        let state = SqliteMemory::open(config, false, Arc::clone(&steps))?;
        let published: i64 =
            state
                .database
                .query_row("SELECT count(*) FROM part WHERE published = 1", [], |row| row.get(0))?;
        if published > 0 && !directory.is_dir() {
            return Err(failed(directory, &"the directory is gone, and its state tells of rows in it"));
        }
        let staging = directory.join(STAGING);
        std::fs::create_dir_all(&staging).map_err(|error| failed(&staging, &error))?;
        // Two imports with states of their own would not know of each other's parts.
        let path = staging.join("lock");
        let lock = lock_file::hold(&path)
            .map_err(|error| failed(&path, &error))?
            .ok_or_else(|| failed(directory, &"another import works with it"))?;
        let names = config.profile.columns.iter().map(|column| column.name.clone()).collect();
        let rescue = config.rescue_column.clone();
        let directory = directory.to_path_buf();
        let mut own = Self { state, directory, names, rescue, part: None, steps, _lock: lock };
        own.publish()?;
        own.sweep()?;
        Ok(own)
    }

    fn staged(&self, name: &str) -> PathBuf {
        self.directory.join(STAGING).join(name)
    }

    /// Shows all parts that are committed.
    fn publish(&mut self) -> Result<(), TargetError> {
        let mut staged: Vec<(i64, String)> = Vec::new();
        {
            let mut select =
                self.state.database.prepare_cached("SELECT file, name FROM part WHERE published = 0")?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                staged.push(row?);
            }
        }
        for (file, name) in staged {
            let (from, to) = (self.staged(&name), self.directory.join(&name));
            match std::fs::rename(&from, &to) {
                Ok(()) => {}
                // The crash came between the renaming and the note of it.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && to.is_file() => {}
                Err(error) => return Err(failed(&to, &error)),
            }
            sync(&self.directory)?;
            self.steps.reached(ImportStep::Published);
            self.state.database.execute("UPDATE part SET published = 1 WHERE file = ?", [file])?;
        }
        Ok(())
    }

    /// Removes parts of imports that stopped before they were committed.
    fn sweep(&self) -> Result<(), TargetError> {
        let staging = self.directory.join(STAGING);
        let entries = std::fs::read_dir(&staging).map_err(|error| failed(&staging, &error))?;
        for entry in entries {
            let path = entry.map_err(|error| failed(&staging, &error))?.path();
            if path.extension().is_some_and(|kind| kind == "parquet") {
                std::fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
            }
        }
        Ok(())
    }

    /// The places of the rows that a published part holds.
    fn numbers(&self, file: i64) -> Result<HashSet<u64>, TargetError> {
        let name: Option<String> = {
            let mut select = self.state.database.prepare_cached("SELECT name FROM part WHERE file = ?")?;
            let mut rows = select.query([file])?;
            rows.next()?.map(|row| row.get(0)).transpose()?
        };
        let mut numbers = HashSet::new();
        let Some(name) = name else { return Ok(numbers) };
        let path = self.directory.join(name);
        let opened = File::open(&path).map_err(|error| failed(&path, &error))?;
        let wrong = |error: ParquetError| failed(&path, &error);
        let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(wrong)?;
        let mask = ProjectionMask::columns(reader.parquet_schema(), [ORIGIN[1]]);
        for batch in reader.with_projection(mask).build().map_err(wrong)? {
            let batch = batch.map_err(|error: ArrowError| failed(&path, &error))?;
            let column = batch.columns().first().and_then(|array| array.as_primitive_opt::<Int64Type>());
            numbers.extend(column.into_iter().flatten().flatten().map(unsigned));
        }
        Ok(numbers)
    }

    /// The rows that are stored, with where they came from.
    fn batch(&self, rows: &CheckedRows, key: &str) -> Result<RecordBatch, ArrowError> {
        let count = rows.stored.len();
        let numbers = (0..count).map(|place| signed(rows.number(place)));
        let origin: [ArrayRef; 2] =
            [Arc::new(StringArray::from(vec![key; count])), Arc::new(numbers.collect::<Int64Array>())];
        let rescued = rows.rescued.clone().map(|texts| Arc::new(texts) as ArrayRef);
        let arrays: Vec<ArrayRef> = rows.columns.iter().cloned().chain(rescued).chain(origin).collect();
        let names = self.names.iter().chain(&self.rescue).map(String::as_str).chain(ORIGIN);
        let fields = names
            .zip(&arrays)
            .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
            .collect::<Vec<_>>();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(schema, arrays)?;
        if rows.stored.iter().all(|stored| *stored) {
            return Ok(batch);
        }
        filter_record_batch(&batch, &BooleanArray::from(rows.stored.clone()))
    }

    /// Writes the part to its end, and to disk; its name, if there are rows.
    fn stage(&mut self) -> Result<Option<String>, TargetError> {
        let Some(Part { name, writer: Some(writer), .. }) = self.part.take() else { return Ok(None) };
        let path = self.staged(&name);
        let mut buffered = writer.into_inner().map_err(|error| failed(&path, &error))?;
        buffered.flush().map_err(|error| failed(&path, &error))?;
        buffered.get_ref().sync_all().map_err(|error| failed(&path, &error))?;
        sync(&self.directory.join(STAGING))?;
        self.steps.reached(ImportStep::Staged);
        Ok(Some(name))
    }
}

/// The name of a file's part: the same however often it is written.
fn part_name(file: &PendingFile) -> String {
    let mut hash = Sha256::new();
    let version = file.version.as_deref().unwrap_or_default();
    for part in [&file.connection, &file.bucket, &file.key, &file.etag, version] {
        hash.update(part);
        hash.update([0]);
    }
    let digest = hash.finalize();
    format!("part-{}.parquet", hex::encode(digest.get(..16).unwrap_or_default()))
}

fn writer(path: &Path, schema: SchemaRef) -> Result<ArrowWriter<BufWriter<File>>, TargetError> {
    let file = File::create(path).map_err(|error| failed(path, &error))?;
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    ArrowWriter::try_new(BufWriter::new(file), schema, Some(properties)).map_err(|error| failed(path, &error))
}

#[async_trait]
impl Memory for DatasetMemory {
    async fn note_files(
        &mut self,
        connection: &str,
        bucket: &str,
        folder: &str,
        files: &[FoundFile],
    ) -> Result<u64, TargetError> {
        self.state.note_files(connection, bucket, folder, files).await
    }

    async fn pending(&mut self, after: i64, limit: u32) -> Result<Vec<PendingFile>, TargetError> {
        self.state.pending(after, limit).await
    }

    async fn begin(&mut self, file: &PendingFile) -> Result<(), TargetError> {
        // After a failure of the disk parts may still be waiting.
        self.publish()?;
        let mut taken = HashSet::new();
        for twin in self.state.twins(file)? {
            taken.extend(self.numbers(twin)?);
        }
        self.part = Some(Part { name: part_name(file), key: file.key.clone(), writer: None });
        self.state.start(file, taken)
    }

    async fn rows(&mut self, rows: &mut CheckedRows) -> Result<Option<String>, TargetError> {
        self.state.opened()?.take(rows);
        if !rows.stored.contains(&true) {
            return Ok(None);
        }
        let Some(part) = self.part.as_ref() else { return Ok(None) };
        let path = self.staged(&part.name);
        let batch = self.batch(rows, &part.key).map_err(|error| failed(&path, &error))?;
        let Some(part) = self.part.as_mut() else { return Ok(None) };
        let open = match part.writer.take() {
            Some(open) => open,
            None => writer(&path, batch.schema())?,
        };
        let open = part.writer.insert(open);
        open.write(&batch).map_err(|error| failed(&path, &error))?;
        self.steps.reached(ImportStep::Rows);
        Ok(None)
    }

    async fn finish(&mut self, end: FileEnd<'_>) -> Result<(), TargetError> {
        let part = self.stage()?;
        self.state.end(end, part.as_deref())?;
        self.publish()
    }

    async fn abort(&mut self) -> Result<(), TargetError> {
        if let Some(part) = self.part.take().filter(|part| part.writer.is_some()) {
            let path = self.staged(&part.name);
            drop(part);
            std::fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
        }
        self.state.stop()
    }

    async fn gone(&mut self, file: &PendingFile) -> Result<(), TargetError> {
        self.state.gone(file).await
    }

    async fn seal_reports(&mut self, now: Timestamp) -> Result<(), TargetError> {
        // Nothing is told that cannot be seen.
        self.publish()?;
        self.state.seal_reports(now).await
    }

    async fn unwritten_reports(&mut self) -> Result<Vec<SealedReport>, TargetError> {
        self.state.unwritten_reports().await
    }

    async fn written(&mut self, report: i64) -> Result<(), TargetError> {
        self.state.written(report).await
    }

    async fn postpone(&mut self, report: &SealedReport) -> Result<i64, TargetError> {
        self.state.postpone(report).await
    }

    async fn oldest_untold(&mut self) -> Result<Option<Timestamp>, TargetError> {
        self.state.oldest_untold().await
    }

    async fn waiting(&mut self, connection: &str) -> Result<Waiting, TargetError> {
        self.state.waiting(connection).await
    }

    async fn counts(&mut self, connection: &str) -> Result<FileCounts, TargetError> {
        self.state.counts(connection).await
    }
}
