//! Refusals in the words of SQS.

use http::StatusCode;

use crate::error::AwsError;

/// Actions that AWS has and the emulator does not do.
const KNOWN: [&str; 6] = [
    "AddPermission",
    "CancelMessageMoveTask",
    "ListDeadLetterSourceQueues",
    "ListMessageMoveTasks",
    "RemovePermission",
    "StartMessageMoveTask",
];

const NO_QUEUE: &str = "AWS.SimpleQueueService.NonExistentQueue";

/// A refusal that several services share, as SQS names it.
pub(crate) fn word(mut refusal: AwsError) -> AwsError {
    if refusal.code == "InternalError" {
        refusal.code = "InternalFailure".into();
    }
    refusal
}

/// The exception of the JSON protocol for a code of the query protocol.
pub(crate) fn shape_of(code: &str) -> &str {
    match code {
        NO_QUEUE => "QueueDoesNotExist",
        "QueueAlreadyExists" => "QueueNameExists",
        "AccessDenied" => "AccessDeniedException",
        "InvalidAction" => "UnknownOperationException",
        "KMS.AccessDeniedException" => "KmsAccessDenied",
        "KMS.DisabledException" => "KmsDisabled",
        "KMS.InvalidStateException" => "KmsInvalidState",
        "KMS.NotFoundException" => "KmsNotFound",
        code => code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code),
    }
}

pub(super) fn unsupported(name: &str) -> AwsError {
    if KNOWN.contains(&name) {
        return AwsError::not_implemented(format!("the SQS action `{name}`"));
    }
    let text = format!("The operation `{name}` is not an operation of SQS");
    refuse("InvalidAction", text)
}

pub(super) fn query_protocol() -> AwsError {
    AwsError::not_implemented(
        "the query protocol of SQS; clients since 2023 speak JSON (the header `X-Amz-Target`)",
    )
}

pub(super) fn refuse(code: &'static str, message: impl Into<String>) -> AwsError {
    AwsError::new(StatusCode::BAD_REQUEST, code, message)
}

/// What is no request: a member that is missing, or of the wrong type.
pub(super) fn unreadable(error: &serde_json::Error) -> AwsError {
    let text = error.to_string();
    match text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        Some(name) => refuse("MissingParameter", format!("The request must contain the parameter {name}.")),
        None => refuse("SerializationException", format!("The body cannot be read: {text}")),
    }
}

pub(super) fn no_queue() -> AwsError {
    refuse(NO_QUEUE, "The specified queue does not exist.")
}

pub(super) fn invalid_value(parameter: &str) -> AwsError {
    refuse("InvalidParameterValue", format!("Value for parameter {parameter} is invalid."))
}

pub(super) fn not_within(value: impl std::fmt::Display, parameter: &str, min: i64, max: i64) -> AwsError {
    let reason = format!("Must be between {min} and {max}, if provided.");
    let text = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
    refuse("InvalidParameterValue", text)
}
