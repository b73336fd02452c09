//! Answers about the lifecycle of objects, and about restores from an archive.

use http::StatusCode;
use s3s::dto;

use super::super::decode::MINIMUM_SIZE;
use super::settings::answer;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::document::Document;
use crate::s3::restore::Restoring;
use crate::state::{LifecycleConfiguration, MinimumSize};

#[expect(clippy::needless_pass_by_value, reason = "every answer is encoded from its value")]
pub(in crate::s3::codec) fn get_bucket_lifecycle_configuration(
    x: &Exchange,
    _: &Head,
    configuration: LifecycleConfiguration,
) -> dto::GetBucketLifecycleConfigurationOutput {
    x.answer_header(MINIMUM_SIZE, configuration.minimum_size.name());
    answer(x, &configuration.write());
    dto::GetBucketLifecycleConfigurationOutput::default()
}

pub(in crate::s3::codec) fn put_bucket_lifecycle_configuration(
    x: &Exchange,
    head: &Head,
    (): (),
) -> dto::PutBucketLifecycleConfigurationOutput {
    x.answer_header(MINIMUM_SIZE, head.header(MINIMUM_SIZE).unwrap_or(MinimumSize::default().name()));
    dto::PutBucketLifecycleConfigurationOutput::default()
}

pub(in crate::s3::codec) fn delete_bucket_lifecycle(
    _: &Exchange,
    _: &Head,
    (): (),
) -> dto::DeleteBucketLifecycleOutput {
    dto::DeleteBucketLifecycleOutput::default()
}

pub(in crate::s3::codec) fn restore_object(
    x: &Exchange,
    _: &Head,
    restoring: Restoring,
) -> dto::RestoreObjectOutput {
    if restoring == Restoring::Begun {
        x.answer_status(StatusCode::ACCEPTED);
    }
    dto::RestoreObjectOutput::default()
}
