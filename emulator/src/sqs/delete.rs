//! `DeleteMessage`, `DeleteMessageBatch`, `PurgeQueue`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{Action, Scope, Who, on_queue};
use super::send::{Entry, batch_answer, check_batch};
use super::word::refuse;
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::state::{Queue, World};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteMessage {
    queue_url: String,
    #[serde(flatten)]
    receipt: Receipt,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteMessageBatch {
    queue_url: String,
    entries: Vec<Entry<Receipt>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receipt {
    receipt_handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PurgeQueue {
    queue_url: String,
}

impl Receipt {
    /// A receipt of a message that is gone is no error.
    fn delete(&self, queue: &mut Queue) -> Result<Value, AwsError> {
        if !self.receipt_handle.starts_with("AQEB") {
            let text = format!(
                "The input receipt handle \"{}\" is not a valid receipt handle.",
                self.receipt_handle
            );
            return Err(refuse("ReceiptHandleIsInvalid", text));
        }
        queue.delete(&self.receipt_handle);
        Ok(json!({}))
    }
}

impl Action for DeleteMessage {
    const OP: Op = Op::DeleteMessage;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        on_queue("sqs:deletemessage", who, &self.queue_url, world)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        self.receipt.delete(scope.queue_mut(&arn)?)?;
        Ok(Value::Null)
    }
}

impl Action for DeleteMessageBatch {
    const OP: Op = Op::DeleteMessageBatch;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        on_queue("sqs:deletemessage", who, &self.queue_url, world)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        check_batch(&self.entries)?;
        let queue = scope.queue_mut(&arn)?;
        let entries = self.entries.into_iter().map(|entry| (entry.id, entry.what.delete(queue)));
        Ok(batch_answer(entries.collect::<Vec<_>>()))
    }
}

impl Action for PurgeQueue {
    const OP: Op = Op::PurgeQueue;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        on_queue("sqs:purgequeue", who, &self.queue_url, world)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        scope.queue_mut(&arn)?.purge();
        Ok(Value::Null)
    }
}
