//! Answers about the settings of a bucket.

use s3s::dto;

use crate::exchange::Exchange;
use crate::head::Head;
use crate::state::Versioning;

pub(in crate::s3::codec) fn get_bucket_versioning(
    _: &Exchange,
    _: &Head,
    versioning: Versioning,
) -> dto::GetBucketVersioningOutput {
    let status = match versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some(dto::BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(dto::BucketVersioningStatus::SUSPENDED),
    };
    dto::GetBucketVersioningOutput {
        status: status.map(dto::BucketVersioningStatus::from_static),
        ..Default::default()
    }
}

pub(in crate::s3::codec) fn put_bucket_versioning(
    _: &Exchange,
    _: &Head,
    (): (),
) -> dto::PutBucketVersioningOutput {
    dto::PutBucketVersioningOutput::default()
}
