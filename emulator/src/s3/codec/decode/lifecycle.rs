//! Requests about the lifecycle of objects, and for restores from an archive.

use s3s::dto;

use super::settings::check_body;
use super::{Decoded, claims};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::checksum::DigestForm;
use crate::s3::configuration::{DeleteConfiguration, GetConfiguration, PutConfiguration};
use crate::s3::lifecycle;
use crate::s3::restore::{RestoreObject, Tier};
use crate::s3::version_ref::VersionRef;
use crate::state::LifecycleConfiguration;

/// The header that goes with a lifecycle configuration.
pub(in crate::s3::codec) const MINIMUM_SIZE: &str = "x-amz-transition-default-minimum-object-size";

pub(in crate::s3::codec) fn get_bucket_lifecycle_configuration(
    _: &Exchange,
    _: &Head,
    input: dto::GetBucketLifecycleConfigurationInput,
) -> GetConfiguration<LifecycleConfiguration> {
    GetConfiguration::of(input.bucket)
}

pub(in crate::s3::codec) fn put_bucket_lifecycle_configuration(
    x: &Exchange,
    head: &Head,
    input: dto::PutBucketLifecycleConfigurationInput,
) -> Decoded<PutConfiguration<LifecycleConfiguration>> {
    check_body(x, head, super::settings::Checked::Always)?;
    Ok(PutConfiguration::of(input.bucket, lifecycle::parse(&x.body, head.header(MINIMUM_SIZE))))
}

pub(in crate::s3::codec) fn delete_bucket_lifecycle(
    _: &Exchange,
    _: &Head,
    input: dto::DeleteBucketLifecycleInput,
) -> DeleteConfiguration<LifecycleConfiguration> {
    DeleteConfiguration::of(input.bucket)
}

pub(in crate::s3::codec) fn restore_object(
    x: &Exchange,
    head: &Head,
    input: dto::RestoreObjectInput,
) -> Decoded<RestoreObject> {
    claims(x, head)?.check(x.body.clone(), DigestForm::Hex)?;
    let request = input.restore_request.unwrap_or_default();
    let other = [
        ("SelectParameters", request.select_parameters.is_some()),
        ("OutputLocation", request.output_location.is_some()),
        ("Type", request.type_.is_some()),
    ];
    if let Some((element, _)) = other.into_iter().find(|(_, is_there)| *is_there) {
        return Err(AwsError::not_implemented(format!("the element `{element}` of RestoreObject")));
    }
    let tier = request.glacier_job_parameters.map(|parameters| parameters.tier).or(request.tier);
    let tier = match tier.as_ref().map(dto::Tier::as_str) {
        None | Some("Standard") => Ok(Tier::Standard),
        Some("Expedited") => Ok(Tier::Expedited),
        Some("Bulk") => Ok(Tier::Bulk),
        Some(_) => Err(AwsError::malformed_xml()),
    };
    // AWS asks for the days of an archived object; the text for none or too few was not recorded.
    let days = request.days.filter(|days| *days > 0).ok_or_else(AwsError::malformed_xml);
    let (bucket, key, version_id) = (input.bucket, input.key, input.version_id);
    Ok(RestoreObject {
        version: VersionRef { bucket, key, version_id },
        request: tier.and_then(|tier| Ok((days?, tier))),
    })
}
