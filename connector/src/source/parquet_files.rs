//! Parquet files as a source: one file, or those of a directory in the order of their names.
//!
//! Each file is given once, whole, and known by name and digest. Its rows become lines, so they are judged like lines:
//! what breaks the dataset's schema is a dead letter. A column that the dataset does not have refuses the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::SourceError;
use super::directory::files_with;
use super::pulled::{Pulled, Source};
use super::row_text::write_row;
use crate::config::OnReplaced;
use crate::content::file_digest;
use crate::profile::Dataset;

/// Rows that are held in memory at a time.
const BATCH_ROWS: usize = 2_048;

/// Where the files are.
#[derive(Clone, Debug)]
pub(crate) enum ParquetPlace {
    /// One file, and what to do once it is another.
    File(PathBuf, OnReplaced),
    /// All of a directory.
    Directory(PathBuf),
}

/// Parquet files, as a source.
#[derive(Debug)]
pub(crate) struct ParquetFiles {
    place: ParquetPlace,
}

impl ParquetFiles {
    pub(crate) fn new(place: ParquetPlace) -> Self {
        Self { place }
    }

    fn path(&self) -> &Path {
        match &self.place {
            ParquetPlace::File(path, _) | ParquetPlace::Directory(path) => path,
        }
    }

    fn files(&self) -> Result<Vec<PathBuf>, SourceError> {
        match &self.place {
            ParquetPlace::File(path, _) => Ok(vec![path.clone()]),
            ParquetPlace::Directory(path) => files_with(path, &[".parquet"]),
        }
    }
}

#[async_trait]
impl Source for ParquetFiles {
    fn name(&self) -> String {
        format!("parquet {}", self.path().display())
    }

    async fn pull(
        &self,
        checkpoint: Option<&str>,
        dataset: &Dataset,
        rows: &mut (dyn Write + Send),
    ) -> Result<Pulled, SourceError> {
        let mut known: BTreeMap<String, String> = match checkpoint {
            None => BTreeMap::new(),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| self.failed(&error, "move the state directory away and run `sync`"))?,
        };
        let mut count = 0;
        for path in self.files()? {
            let name = path.display().to_string();
            let digest = file_digest(&path)
                .map_err(|source| SourceError::Unreadable { path: name.clone(), source })?;
            match (known.get(&name), &self.place) {
                (Some(before), _) if *before == digest => continue,
                (None, _) | (Some(_), ParquetPlace::File(_, OnReplaced::Restart)) => {}
                (Some(_), _) => {
                    let problem = "its content is another";
                    return Err(SourceError::Replaced { path: name, byte_offset: 0, problem });
                }
            }
            count += give(&path, dataset, rows)?;
            known.insert(name, digest);
        }
        let checkpoint = serde_json::to_string(&known).map_err(|error| self.failed(&error, "report this"))?;
        Ok(Pulled { rows: count, checkpoint })
    }
}

/// Writes the rows of a file; how many.
fn give(path: &Path, dataset: &Dataset, rows: &mut dyn Write) -> Result<u64, SourceError> {
    let place = path.display().to_string();
    let refused = |problem: String, help: &str| SourceError::Pull {
        place: place.clone(),
        problem,
        help: help.to_owned(),
    };
    let damaged = "give a whole Parquet file; write it under a hidden name, then rename it";
    let unreadable = |error: io::Error| SourceError::Unreadable { path: place.clone(), source: error };
    let file = File::open(path).map_err(unreadable)?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .map_err(|error| refused(error.to_string(), damaged))?;
    for field in builder.schema().fields() {
        if !dataset.columns().iter().any(|column| column.name == *field.name()) {
            let problem =
                format!("the file has column `{}`, dataset `{}` does not", field.name(), dataset.name());
            return Err(refused(problem, "write files with columns of the dataset alone"));
        }
    }
    let reader =
        builder.with_batch_size(BATCH_ROWS).build().map_err(|error| refused(error.to_string(), damaged))?;
    let (mut count, mut line) = (0, String::new());
    for batch in reader {
        let batch: RecordBatch = batch.map_err(|error| refused(error.to_string(), damaged))?;
        for row in 0..batch.num_rows() {
            line.clear();
            write_row(&mut line, dataset, &batch, row)
                .map_err(|problem| refused(problem, "write the column in a type that JSON has"))?;
            rows.write_all(line.as_bytes()).map_err(|error| refused(error.to_string(), "free some disk"))?;
        }
        count += batch.num_rows() as u64;
    }
    Ok(count)
}
