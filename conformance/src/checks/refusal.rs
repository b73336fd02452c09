//! What an SDK makes of a refusal.

use std::fmt::Debug;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::outcome::{Conclusion, Stop};
use crate::step::{Step, step};

/// The error of an SDK call.
pub(super) type CallError<E> = SdkError<E, HttpResponse>;

/// `412 PreconditionFailed`, or what else happened.
pub(super) fn summary<E>(error: &CallError<E>) -> String
where
    E: ProvideErrorMetadata + Debug,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (status, error.as_service_error().and_then(ProvideErrorMetadata::code)) {
        (Some(status), Some(code)) => format!("{status} {code}"),
        (Some(status), None) => format!("{status} without a code"),
        (None, _) => format!("no answer: {error:?}"),
    }
}

/// The call must be refused with this status and code, such as `412 PreconditionFailed`.
pub(super) fn refused<T, E>(
    name: &str,
    expected: &str,
    result: Result<T, CallError<E>>,
) -> Result<CallError<E>, Stop>
where
    T: Debug,
    E: ProvideErrorMetadata + Debug,
{
    let step: Step = step(name);
    let error = step.refuses(expected, result)?;
    let found = summary(&error);
    if found == expected { Ok(error) } else { Err(step.failure(expected, found).into()) }
}

/// The call must be refused so, and the message must say this.
pub(super) fn refused_saying<T, E>(
    name: &str,
    expected: &str,
    message: &str,
    result: Result<T, CallError<E>>,
) -> Conclusion
where
    T: Debug,
    E: ProvideErrorMetadata + Debug,
{
    let error = refused(name, expected, result)?;
    let found = error.as_service_error().and_then(ProvideErrorMetadata::message).unwrap_or_default();
    step(format!("{name}: the message")).equal(message, found)
}
