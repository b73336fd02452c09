//! Requests about buckets.

use s3s::dto;

use super::acl::acl_headers;
use super::{Decoded, claims, parse_token, text};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::bucket::{CreateBucket, DeleteBucket, GetBucketLocation, HeadBucket, ListBuckets};
use crate::s3::checksum::DigestForm;
use crate::s3::document::Element;
use crate::s3::policy::{DeleteBucketPolicy, GetBucketPolicy, GetBucketPolicyStatus, PutBucketPolicy};
use crate::s3::tagging::{Tagged, read_tags};
use crate::state::Tags;

/// The regions that there are; AWS refuses to list the buckets of any other.
const REGIONS: [&str; 38] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

pub(in crate::s3::codec) fn create_bucket(
    x: &Exchange,
    head: &Head,
    input: dto::CreateBucketInput,
) -> Decoded<CreateBucket> {
    let configuration = input.create_bucket_configuration;
    if configuration.as_ref().is_some_and(|asked| asked.bucket.is_some() || asked.location.is_some()) {
        return Err(AwsError::not_implemented("a directory bucket"));
    }
    let object_lock = head.header("x-amz-bucket-object-lock-enabled");
    Ok(CreateBucket {
        object_lock: object_lock.is_some_and(|enabled| enabled.eq_ignore_ascii_case("true")),
        bucket: input.bucket,
        endpoint_region: x.authenticated.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
        location_constraint: configuration
            .and_then(|configuration| configuration.location_constraint)
            .map(|constraint| constraint.as_str().to_owned()),
        tags: tags_of_new_bucket(&x.body),
        acl: acl_headers(head),
        ownership: text(head, "x-amz-object-ownership"),
    })
}

/// The parser of `s3s` drops the tags.
fn tags_of_new_bucket(body: &[u8]) -> Decoded<Tags> {
    if body.is_empty() {
        return Ok(Tags::default());
    }
    let root = Element::parse(body, "CreateBucketConfiguration")?;
    root.child("Tags")?.map_or_else(|| Ok(Tags::default()), |tags| read_tags(tags, Tagged::NewBucket))
}

pub(in crate::s3::codec) fn head_bucket(_: &Exchange, _: &Head, input: dto::HeadBucketInput) -> HeadBucket {
    HeadBucket { bucket: input.bucket }
}

pub(in crate::s3::codec) fn get_bucket_location(
    _: &Exchange,
    _: &Head,
    input: dto::GetBucketLocationInput,
) -> GetBucketLocation {
    GetBucketLocation { bucket: input.bucket }
}

pub(in crate::s3::codec) fn delete_bucket(
    _: &Exchange,
    _: &Head,
    input: dto::DeleteBucketInput,
) -> DeleteBucket {
    DeleteBucket { bucket: input.bucket }
}

pub(in crate::s3::codec) fn list_buckets(
    _: &Exchange,
    _: &Head,
    input: dto::ListBucketsInput,
) -> Decoded<ListBuckets> {
    let max_buckets = match input.max_buckets {
        None => 10_000,
        Some(asked) => {
            usize::try_from(asked).ok().filter(|asked| (1..=10_000).contains(asked)).ok_or_else(|| {
                let text = "Argument max-buckets must be an integer between 1 and 10000";
                AwsError::invalid_argument(text, "max-buckets", asked.to_string())
            })?
        }
    };
    if let Some(region) = &input.bucket_region
        && !REGIONS.contains(&region.as_str())
    {
        let text = format!("Argument value {region} is not a valid AWS Region");
        return Err(AwsError::unshown_argument(text, "bucket-region"));
    }
    Ok(ListBuckets {
        prefix: input.prefix,
        region: input.bucket_region,
        // Unlike in a listing of objects, an empty one is none.
        after: input
            .continuation_token
            .as_deref()
            .filter(|token| !token.is_empty())
            .map(parse_token)
            .transpose()?,
        max_buckets,
    })
}

pub(in crate::s3::codec) fn put_bucket_policy(
    x: &Exchange,
    head: &Head,
    input: dto::PutBucketPolicyInput,
) -> Decoded<PutBucketPolicy> {
    claims(x, head)?.check(x.body.clone(), DigestForm::Hex)?;
    let text = String::from_utf8_lossy(&x.body).into_owned();
    Ok(PutBucketPolicy { bucket: input.bucket, text })
}

pub(in crate::s3::codec) fn get_bucket_policy(
    _: &Exchange,
    _: &Head,
    input: dto::GetBucketPolicyInput,
) -> GetBucketPolicy {
    GetBucketPolicy { bucket: input.bucket }
}

pub(in crate::s3::codec) fn delete_bucket_policy(
    _: &Exchange,
    _: &Head,
    input: dto::DeleteBucketPolicyInput,
) -> DeleteBucketPolicy {
    DeleteBucketPolicy { bucket: input.bucket }
}

pub(in crate::s3::codec) fn get_bucket_policy_status(
    _: &Exchange,
    _: &Head,
    input: dto::GetBucketPolicyStatusInput,
) -> GetBucketPolicyStatus {
    GetBucketPolicyStatus { bucket: input.bucket }
}
