//! Requests about the settings of a bucket.

use http::StatusCode;
use s3s::dto;

use super::{Decoded, claims};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::checksum::DigestForm;
use crate::s3::configuration::{GetConfiguration, PutConfiguration};
use crate::state::Versioning;

pub(in crate::s3::codec) fn get_bucket_versioning(
    _: &Exchange,
    _: &Head,
    input: dto::GetBucketVersioningInput,
) -> GetConfiguration<Versioning> {
    GetConfiguration::of(input.bucket)
}

pub(in crate::s3::codec) fn put_bucket_versioning(
    x: &Exchange,
    head: &Head,
    input: dto::PutBucketVersioningInput,
) -> Decoded<PutConfiguration<Versioning>> {
    claims(x, head)?.check(x.body.clone(), DigestForm::Hex)?;
    let configuration = input.versioning_configuration;
    if configuration.mfa_delete.is_some_and(|status| status.as_str() == "Enabled") {
        return Err(AwsError::not_implemented("the deletion of versions by MFA"));
    }
    let versioning = match configuration.status.as_ref().map(dto::BucketVersioningStatus::as_str) {
        Some("Enabled") => Ok(Versioning::Enabled),
        Some("Suspended") => Ok(Versioning::Suspended),
        Some(_) => Err(AwsError::malformed_xml()),
        None => Err(AwsError::new(
            StatusCode::BAD_REQUEST,
            "IllegalVersioningConfigurationException",
            "The Versioning element must be specified",
        )),
    };
    Ok(PutConfiguration::of(input.bucket, versioning))
}
