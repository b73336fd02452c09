//! How files are found: by listing, which closes every gap, and by announcements, which are quicker.

use std::sync::Arc;

use super::config::InboundConnection;
use super::engine::{ImportError, ImportSummary, Importer};

/// Announcements that are taken over at once.
const NOTICES_PAGE: u32 = 512;

impl Importer {
    /// Lists every bucket, takes over what was announced, and reads what waits.
    pub(super) async fn work(&mut self, summary: &mut ImportSummary) -> Result<(), ImportError> {
        let connections = self.config.connections.clone();
        let mut failure = None;
        for connection in connections.iter().filter(|connection| connection.enabled) {
            // One bucket that cannot be reached does not hold up the others.
            if let Err(error) = self.find(connection, summary).await {
                self.fails(&error);
                tracing::warn!(connection = connection.name, %error, "the bucket was not listed");
                failure = failure.or(Some(error));
            }
        }
        let read = self.read_announced(summary).await;
        read.and_then(|()| failure.map_or(Ok(()), Err))
    }

    /// Remembers the first failure of a connection in this pass.
    pub(super) fn fails(&mut self, error: &ImportError) {
        if let ImportError::Store { connection, .. } | ImportError::Queue { connection, .. } = error {
            let cause = || format!("{error}; {}", error.help());
            self.failures.entry(connection.clone()).or_insert_with(cause);
        }
    }

    /// Notes how the connections fared in a pass; only one that lists proves that all is well.
    pub(super) fn note_access(&mut self, is_listed: bool) -> Result<(), ImportError> {
        let failures = std::mem::take(&mut self.failures);
        for connection in self.config.connections.iter().filter(|connection| connection.enabled) {
            let cause = failures.get(&connection.name).map(String::as_str);
            if is_listed || cause.is_some() {
                let bucket = connection.bucket.name.as_str();
                self.inbox.note_access(&connection.name, bucket, cause, self.clock.now())?;
            }
        }
        Ok(())
    }

    /// Takes over what was announced, and reads what waits.
    pub(super) async fn read_announced(&mut self, summary: &mut ImportSummary) -> Result<(), ImportError> {
        let polled = self.poll_queues().await?;
        self.take_notices(summary).await?;
        let read = self.read_pending(summary).await;
        read.and_then(|()| polled.map_or(Ok(()), Err))
    }

    /// Notes the files that messages told of. A crash in between notes them again, which changes nothing.
    async fn take_notices(&mut self, summary: &mut ImportSummary) -> Result<(), ImportError> {
        loop {
            let notices = self.inbox.notices(NOTICES_PAGE)?;
            let Some((last, _)) = notices.last() else { return Ok(()) };
            for (_, notice) in &notices {
                let mut file = notice.file.clone();
                let connection = self.config.connections.iter().find(|own| own.name == notice.connection);
                // Of what the listing tells apart by entity tags alone a message makes no more.
                if !connection.is_some_and(|connection| connection.versions) {
                    file.version = None;
                } else if file.version.is_none() {
                    file.version = Some("null".to_owned());
                }
                summary.files_found += self
                    .memory
                    .note_files(&notice.connection, &notice.bucket, &notice.folder, &[file])
                    .await?;
            }
            self.inbox.forget(*last)?;
        }
    }

    /// Notes every file that the bucket has.
    async fn find(
        &mut self,
        connection: &InboundConnection,
        summary: &mut ImportSummary,
    ) -> Result<(), ImportError> {
        let Some(store) = self.stores.get(&connection.name).map(Arc::clone) else { return Ok(()) };
        let mut page = None;
        loop {
            let found = self
                .retrying(&connection.name, &store, || {
                    let (store, page) = (&store, page.as_deref());
                    async move {
                        let prefix = &connection.data_prefix;
                        if connection.versions {
                            store.list_versions(prefix, page).await
                        } else {
                            store.list_files(prefix, page).await
                        }
                    }
                })
                .await?;
            let files: Vec<_> = found.files.into_iter().filter(|file| connection.wants(&file.key)).collect();
            let bucket = connection.bucket.name.as_str();
            summary.files_found +=
                self.memory.note_files(&connection.name, bucket, &connection.status_folder, &files).await?;
            match found.next {
                Some(next) => page = Some(next),
                None => return Ok(()),
            }
        }
    }
}
