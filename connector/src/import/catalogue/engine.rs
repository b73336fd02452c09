//! Finding tables, validating access, and storing what lies there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bucketproof_clock::{Clock, Entropy};
use serde::Serialize;

use super::book::{Book, Stored};
use super::config::{CatalogueConfig, CatalogueConnection};
use super::read::{ReadError, TableReader};
use super::tree::{Table, TableFile, TableView, Tree};
use crate::import::calls::{Calls, FetchError};
use crate::import::inbox::{Access, Inbox};
use crate::import::store::InboundStore;
use crate::state::StateError;
use crate::store::StoreError;

/// Why a catalogue did not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// A bucket refused or could not be reached.
    #[error("connection `{connection}`: {source}")]
    Store {
        /// The connection.
        connection: String,
        /// The cause.
        source: StoreError,
    },
    /// Nobody has validated the connection's access.
    #[error("connection `{connection}` is not active: {cause}")]
    NotActive {
        /// The connection.
        connection: String,
        /// How it fares.
        cause: String,
    },
    /// The database.
    #[error(transparent)]
    State(#[from] StateError),
    /// A temporary file.
    #[error("a temporary file cannot be used: {0}")]
    Spool(std::io::Error),
}

impl CatalogueError {
    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Store { source: StoreError::Denied { action, resource, .. }, .. } => format!(
                "the bucket's policy must allow `{action}` on `{resource}`; `catalogue policy` prints the whole policy"
            ),
            Self::Store { source: StoreError::WrongRegion { actual: Some(region), .. }, .. } => {
                format!("set the connection's `bucket.region` to `{region}`")
            }
            Self::Store { .. } => "what was stored stays; the next import goes on".to_owned(),
            Self::NotActive { .. } => "`catalogue tables` validates the access of each connection".to_owned(),
            Self::State(error) => error.help().to_owned(),
            Self::Spool(_) => "check the free space of the temporary directory".to_owned(),
        }
    }
}

/// What became of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableOutcome {
    /// The connection.
    pub connection: String,
    /// The table.
    pub table: String,
    /// Files that were read.
    pub files_read: u64,
    /// Files that were stored before.
    pub files_known: u64,
    /// Files that are gone, with their rows.
    pub files_removed: u64,
    /// Rows that were stored.
    pub rows_stored: u64,
    /// Files that are wrong, each with the cause.
    pub refused: BTreeMap<String, String>,
    /// Why nothing was done.
    pub problem: Option<String>,
}

/// A catalogue with its buckets.
#[derive(Debug)]
pub struct Catalogue {
    config: CatalogueConfig,
    stores: BTreeMap<String, Arc<dyn InboundStore>>,
    book: Book,
    inbox: Inbox,
    calls: Calls,
}

impl Catalogue {
    /// A catalogue; `stores` are the buckets of the connections, by the name of the connection.
    pub fn new(
        config: CatalogueConfig,
        stores: BTreeMap<String, Arc<dyn InboundStore>>,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, CatalogueError> {
        let book = Book::open(&config.state_dir)?;
        let inbox = Inbox::open(&config.state_dir)?;
        Ok(Self { config, stores, book, inbox, calls: Calls::new(clock, entropy) })
    }

    /// How each connection fares.
    pub fn access(&self) -> Result<BTreeMap<String, Access>, CatalogueError> {
        let of = |own: &CatalogueConnection| {
            Ok((own.name.clone(), self.inbox.access(&own.name, own.bucket.name.as_str())?))
        };
        self.config.connections.iter().map(of).collect()
    }

    /// Validates the access of each connection, and shows the tables that lie there.
    pub async fn discover(&self) -> Result<BTreeMap<String, Vec<TableView>>, CatalogueError> {
        let mut found = BTreeMap::new();
        let mut failure = None;
        for connection in &self.config.connections {
            let bucket = connection.bucket.name.as_str();
            let tree = self.tree(connection).await;
            let cause = tree.as_ref().err().map(|error| format!("{error}; {}", error.help()));
            self.inbox.note_access(&connection.name, bucket, cause.as_deref(), self.calls.clock.now())?;
            match tree {
                Ok(tree) => {
                    let views = tree.tables.into_values().map(|table| table.view).collect();
                    found.insert(connection.name.clone(), views);
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(found), Err)
    }

    /// Stores what lies in the tables of all connections, which must be active.
    pub async fn import(&mut self) -> Result<Vec<TableOutcome>, CatalogueError> {
        let mut outcomes = Vec::new();
        for connection in self.config.connections.clone() {
            match self.inbox.access(&connection.name, connection.bucket.name.as_str())? {
                Access::Active { .. } => {}
                Access::Processing => {
                    let cause = "its access was not validated yet".to_owned();
                    return Err(CatalogueError::NotActive { connection: connection.name, cause });
                }
                Access::Failed { cause, .. } => {
                    return Err(CatalogueError::NotActive { connection: connection.name, cause });
                }
            }
            let tree = self.tree(&connection).await?;
            let gone = self.book.tables(&connection.name)?;
            for name in gone.into_iter().filter(|name| !tree.tables.contains_key(name)) {
                let empty = Table::default();
                outcomes.push(self.table(&connection, &name, &empty).await?);
            }
            for (name, table) in &tree.tables {
                outcomes.push(self.table(&connection, name, table).await?);
            }
        }
        Ok(outcomes)
    }

    async fn tree(&self, connection: &CatalogueConnection) -> Result<Tree, CatalogueError> {
        let mut tree = Tree::default();
        let Some(store) = self.stores.get(&connection.name) else { return Ok(tree) };
        let suffixes = self.config.profile.suffixes(connection.format);
        let mut page = None;
        loop {
            let found = self
                .calls
                .retrying(store, || store.list_files(&connection.schema_prefix, page.as_deref()))
                .await
                .map_err(|source| CatalogueError::Store { connection: connection.name.clone(), source })?;
            for file in found.files {
                tree.add(connection, suffixes, file);
            }
            match found.next {
                Some(next) => page = Some(next),
                None => break,
            }
        }
        tree.finish(connection);
        if tree.passed_over > 0 {
            tracing::info!(connection = connection.name, objects = tree.passed_over, "no files of tables");
        }
        Ok(tree)
    }

    async fn table(
        &mut self,
        connection: &CatalogueConnection,
        name: &str,
        table: &Table,
    ) -> Result<TableOutcome, CatalogueError> {
        let place = (connection.name.as_str(), name);
        let mut outcome = TableOutcome {
            connection: connection.name.clone(),
            table: name.to_owned(),
            problem: table.view.problem.clone(),
            ..TableOutcome::default()
        };
        if outcome.problem.is_some() {
            return Ok(outcome);
        }
        let known = self.book.known(place.0, place.1)?;
        let present: BTreeSet<&str> = table.files.iter().map(|file| file.found.key.as_str()).collect();
        for key in known.keys().filter(|key| !present.contains(key.as_str())) {
            self.book.remove(place.0, place.1, key)?;
            outcome.files_removed += 1;
        }
        for file in &table.files {
            if known.get(&file.found.key) == Some(&file.found.etag) {
                outcome.files_known += 1;
                continue;
            }
            self.file(connection, place, file, &mut outcome).await?;
        }
        let rescue = connection.rescue_column.as_deref();
        if let Err(problem) = self.book.show(place, &table.view.partitions, &table.files, rescue)? {
            outcome.problem = Some(problem);
        }
        Ok(outcome)
    }

    async fn file(
        &mut self,
        connection: &CatalogueConnection,
        place: (&str, &str),
        file: &TableFile,
        outcome: &mut TableOutcome,
    ) -> Result<(), CatalogueError> {
        let Some(store) = self.stores.get(&connection.name) else { return Ok(()) };
        let (key, bytes) = (file.found.key.as_str(), file.found.bytes);
        let spool =
            self.calls.fetch(store, file.found.reference(), bytes).await.map_err(|error| match error {
                FetchError::Store(source) => {
                    CatalogueError::Store { connection: connection.name.clone(), source }
                }
                FetchError::Spool(error) => CatalogueError::Spool(error),
            })?;
        // Replaced or deleted since the listing: the next import sees what there is then.
        let Some(spool) = spool else { return Ok(()) };
        outcome.files_read += 1;
        let opened = TableReader::open(
            spool,
            (connection.format, &connection.csv),
            bytes,
            self.config.unpacked_bytes_max,
        );
        let stored = match opened {
            Ok(mut reader) => {
                self.book.store(place, file, &mut reader, connection.rescue_column.as_deref())?
            }
            Err(ReadError::File(cause)) => Stored::Refused(cause),
            Err(ReadError::Machine(error)) => return Err(CatalogueError::Spool(error)),
        };
        match stored {
            Stored::Rows(rows) => outcome.rows_stored += rows,
            Stored::Refused(cause) => {
                self.book.refuse(place, file, &cause)?;
                outcome.refused.insert(key.to_owned(), cause);
            }
        }
        Ok(())
    }
}
