//! Announcements that wait in a queue: received, kept, and only then deleted.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::config::InboundConnection;
use super::engine::{ImportError, Importer};
use super::event::{self, Said};
use super::inbox::Arrival;
use super::sns::{Envelope, notices};

/// Receipts of one pass; what is left is received by the next.
const RECEIVES_MAX: usize = 100;

/// A message of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Its id, which stays when it is received again.
    pub id: String,
    /// What deletes it.
    pub receipt: String,
    /// Its text.
    pub body: String,
}

/// Why a queue could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{action}` on the queue `{url}`: {message}")]
pub struct QueueError {
    /// The action.
    pub action: &'static str,
    /// The queue.
    pub url: String,
    /// What the service said.
    pub message: String,
}

/// A queue of announcements.
#[async_trait]
pub trait AnnouncementQueue: Debug + Send + Sync {
    /// Some of the messages that wait; none, if none does.
    async fn receive(&self) -> Result<Vec<QueuedMessage>, QueueError>;

    /// Deletes a message.
    async fn delete(&self, receipt: &str) -> Result<(), QueueError>;
}

impl Importer {
    /// Also takes what waits in a queue for the connection of that name.
    pub fn with_queue(mut self, connection: &str, queue: Arc<dyn AnnouncementQueue>) -> Self {
        self.queues.insert(connection.to_owned(), queue);
        self
    }

    /// Moves what waits in the queues to the inbox. A queue that cannot be asked holds up nothing else.
    pub(super) async fn poll_queues(&mut self) -> Result<Option<ImportError>, ImportError> {
        let mut failure = None;
        for connection in self.config.connections.clone().iter().filter(|connection| connection.enabled) {
            let Some(queue) = self.queues.get(&connection.name).map(Arc::clone) else { continue };
            match self.poll(connection, &queue).await {
                Err(error @ ImportError::Queue { .. }) => {
                    self.fails(&error);
                    failure = failure.or(Some(error));
                }
                polled => polled?,
            }
        }
        Ok(failure)
    }

    async fn poll(
        &mut self,
        connection: &InboundConnection,
        queue: &Arc<dyn AnnouncementQueue>,
    ) -> Result<(), ImportError> {
        let failed = |source| ImportError::Queue { connection: connection.name.clone(), source };
        for _ in 0..RECEIVES_MAX {
            let messages = queue.receive().await.map_err(failed)?;
            if messages.is_empty() {
                break;
            }
            for message in messages {
                match said(connection, &message.body) {
                    Ok(Said::Test) => {}
                    Ok(Said::Objects(objects)) => {
                        let found = notices(connection, &objects);
                        let id = format!("sqs:{}", message.id);
                        let now = self.clock.now();
                        if self.inbox.receive(&connection.name, &id, &found, now)? == Arrival::Known {
                            tracing::info!(id, "a message came before; nothing is done twice");
                        }
                    }
                    // It becomes visible again, and ends in the dead-letter queue if there is one.
                    Err(reason) => {
                        let connection = &connection.name;
                        tracing::warn!(
                            connection,
                            id = message.id,
                            reason,
                            "a message is no event of S3; it is left"
                        );
                        continue;
                    }
                }
                queue.delete(&message.receipt).await.map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// What a message says: S3 sends events to a queue itself, or by way of a topic that wraps them.
fn said(connection: &InboundConnection, body: &str) -> Result<Said, String> {
    let Ok(envelope) = Envelope::parse(body.as_bytes()) else { return event::parse(body) };
    match &connection.topic_arn {
        Some(topic) if *topic != envelope.topic_arn => {
            Err(format!("it is of the topic `{}`, not of the connection's", envelope.topic_arn))
        }
        _ => event::parse(&envelope.message),
    }
}
