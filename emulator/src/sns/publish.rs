//! `Publish` and `PublishBatch`.

use bucketproof_authz::Arn;
use http::StatusCode;

use super::action::{Action, Scope, Who, on_topic};
use super::form::Form;
use super::message_form::{Draft, MESSAGE_BYTES_MAX};
use crate::delivery::{check_key, key_requirements_to_write};
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::query::Fields;
use crate::state::World;

/// How many messages a batch may have.
const BATCH_MAX: usize = 10;

#[derive(Debug)]
pub(super) struct Publish {
    topic: Arn,
    draft: Draft,
}

#[derive(Debug)]
pub(super) struct PublishBatch {
    topic: Arn,
    drafts: Vec<(String, Draft)>,
}

impl Action for Publish {
    const OP: Op = Op::Publish;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        if form.get("PhoneNumber").is_some() {
            return Err(AwsError::not_implemented("text messages (the parameter `PhoneNumber`)"));
        }
        let topic = match (form.get("TopicArn"), form.get("TargetArn")) {
            (None, Some(target)) if !target.contains(":endpoint/") => form.topic("TargetArn")?,
            (None, Some(_)) => {
                return Err(AwsError::sns_invalid(
                    "TargetArn Reason: No endpoint found for the target arn specified",
                ));
            }
            (None, None) => return Err(AwsError::sns_no_value("TopicArn or TargetArn")),
            (Some(_), _) => form.topic("TopicArn")?,
        };
        Ok(Self { topic, draft: Draft::read(form, "")? })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = key_requirements_to_write(self.topic.as_str(), world);
        Ok(std::iter::once(on_topic("SNS:Publish", &self.topic, world)?).chain(key).collect())
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        scope.topic(&self.topic)?;
        check_key(self.topic.as_str(), scope.world, scope.now)?;
        let now = scope.now;
        let id = scope.world.publish(&self.draft.into_message(self.topic.as_str(), scope.world, now));
        Ok(Some(Fields::new().text("MessageId", id)))
    }
}

/// Refuses what is wrong with a batch as a whole.
fn check_batch(drafts: &[(String, Draft)]) -> Result<(), AwsError> {
    let refuse = |code: &'static str, text: String| Err(AwsError::new(StatusCode::BAD_REQUEST, code, text));
    if drafts.len() > BATCH_MAX {
        let text = "The batch request contains more entries than permissible.".to_owned();
        return refuse("TooManyEntriesInBatchRequest", text);
    }
    for (index, (id, _)) in drafts.iter().enumerate() {
        let about = "The Id of a batch entry in the batch request";
        if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return refuse(
                "InvalidBatchEntryId",
                format!("{about} contains an impermissible character: {id}"),
            );
        }
        if id.len() > 80 {
            return refuse("InvalidBatchEntryId", format!("{about} is too long: {id}"));
        }
        if drafts.iter().skip(index + 1).any(|(other, _)| other == id) {
            let text = "Two or more batch entries in the request have the same Id.".to_owned();
            return refuse("BatchEntryIdsNotDistinct", text);
        }
    }
    // Recorded: what is wrong with the form of one message refuses all of them.
    drafts.iter().try_for_each(|(_, draft)| draft.check_structure())?;
    if drafts.iter().map(|(_, draft)| draft.bytes()).sum::<usize>() > MESSAGE_BYTES_MAX {
        let text = "The length of all the messages put together is more than the limit.".to_owned();
        return refuse("BatchRequestTooLong", text);
    }
    Ok(())
}

impl Action for PublishBatch {
    const OP: Op = Op::PublishBatch;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        let topic = form.topic("TopicArn")?;
        let entries = form.parameters.members("PublishBatchRequestEntries");
        if entries.is_empty() {
            let text = "The batch request doesn't contain any entries.";
            return Err(AwsError::new(StatusCode::BAD_REQUEST, "EmptyBatchRequest", text));
        }
        let drafts = entries
            .iter()
            .map(|prefix| {
                let id = form.get(&format!("{prefix}.Id")).unwrap_or_default().to_owned();
                Ok((id, Draft::read_entry(form, &format!("{prefix}."))?))
            })
            .collect::<Result<Vec<_>, AwsError>>()?;
        check_batch(&drafts)?;
        Ok(Self { topic, drafts })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = key_requirements_to_write(self.topic.as_str(), world);
        Ok(std::iter::once(on_topic("SNS:Publish", &self.topic, world)?).chain(key).collect())
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        scope.topic(&self.topic)?;
        check_key(self.topic.as_str(), scope.world, scope.now)?;
        let now = scope.now;
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for (id, draft) in self.drafts {
            match draft.check() {
                Ok(()) => {
                    let message = draft.into_message(self.topic.as_str(), scope.world, now);
                    let message = scope.world.publish(&message);
                    done.push(Fields::new().text("Id", id).text("MessageId", message));
                }
                Err(error) => failed.push(
                    Fields::new()
                        .text("Id", id)
                        .text("Code", &error.code)
                        .text("Message", &error.message)
                        .text("SenderFault", true),
                ),
            }
        }
        Ok(Some(Fields::new().list("Successful", done).list("Failed", failed)))
    }
}
