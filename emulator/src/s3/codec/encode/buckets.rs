//! Answers of operations on buckets.

use s3s::dto;

use super::super::decode::token;
use super::{owner, time};
use crate::exchange::{Address, Exchange};
use crate::head::Head;
use crate::s3::bucket::{Created, OwnBuckets};

pub(in crate::s3::codec) fn create_bucket(
    x: &Exchange,
    _: &Head,
    created: Created,
) -> dto::CreateBucketOutput {
    if let Some(bucket) = Address::of(&x.head).bucket {
        x.answer_header("x-amz-bucket-arn", &format!("arn:aws:s3:::{bucket}"));
    }
    dto::CreateBucketOutput { location: Some(created.location) }
}

pub(in crate::s3::codec) fn head_bucket(x: &Exchange, _: &Head, region: String) -> dto::HeadBucketOutput {
    if let Some(bucket) = Address::of(&x.head).bucket {
        x.answer_header("x-amz-bucket-arn", &format!("arn:aws:s3:::{bucket}"));
    }
    x.answer_header("content-type", "application/xml");
    dto::HeadBucketOutput {
        access_point_alias: Some(false),
        bucket_region: Some(region),
        ..Default::default()
    }
}

pub(in crate::s3::codec) fn get_bucket_location(
    _: &Exchange,
    _: &Head,
    region: String,
) -> dto::GetBucketLocationOutput {
    dto::GetBucketLocationOutput {
        location_constraint: (region != "us-east-1").then(|| dto::BucketLocationConstraint::from(region)),
    }
}

pub(in crate::s3::codec) fn delete_bucket(_: &Exchange, _: &Head, (): ()) -> dto::DeleteBucketOutput {
    dto::DeleteBucketOutput::default()
}

pub(in crate::s3::codec) fn put_bucket_policy(_: &Exchange, _: &Head, (): ()) -> dto::PutBucketPolicyOutput {
    dto::PutBucketPolicyOutput::default()
}

pub(in crate::s3::codec) fn get_bucket_policy(
    x: &Exchange,
    _: &Head,
    text: String,
) -> dto::GetBucketPolicyOutput {
    x.answer_header("content-type", "application/json");
    dto::GetBucketPolicyOutput { policy: Some(text) }
}

pub(in crate::s3::codec) fn delete_bucket_policy(
    _: &Exchange,
    _: &Head,
    (): (),
) -> dto::DeleteBucketPolicyOutput {
    dto::DeleteBucketPolicyOutput::default()
}

pub(in crate::s3::codec) fn list_buckets(
    _: &Exchange,
    head: &Head,
    own: OwnBuckets,
) -> dto::ListBucketsOutput {
    let buckets = own.buckets.into_iter().map(|(name, region, created_at)| dto::Bucket {
        bucket_region: Some(region),
        creation_date: Some(time(created_at)),
        name: Some(name),
    });
    dto::ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: own.owner.as_ref().map(owner),
        prefix: head.parameter("prefix").map(str::to_owned),
        continuation_token: own.next.as_deref().map(token),
    }
}
