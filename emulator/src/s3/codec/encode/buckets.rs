//! Answers of operations on buckets.

use s3s::dto;

use super::super::decode::token;
use super::settings::answer;
use crate::exchange::{Address, Exchange};
use crate::head::Head;
use crate::s3::bucket::{Created, OwnBuckets};
use crate::s3::document::Element;

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

/// Written here, because `s3s` does not know of ARNs.
pub(in crate::s3::codec) fn list_buckets(
    x: &Exchange,
    head: &Head,
    own: OwnBuckets,
) -> dto::ListBucketsOutput {
    let buckets = own.buckets.into_iter().map(|(name, region, created_at)| {
        Element::new("Bucket")
            .with_text("BucketArn", format!("arn:aws:s3:::{name}"))
            .with_text("BucketRegion", region)
            .with_text("CreationDate", crate::instant::with_zero_millis(created_at))
            .with_text("Name", name)
    });
    let owner = own.owner.map(|id| Element::new("Owner").with_text("ID", id.to_string()));
    let document = Element::new("ListAllMyBucketsResult")
        .with_all(owner)
        .with(Element::new("Buckets").with_all(buckets))
        .with_some("ContinuationToken", own.next.as_deref().map(token))
        .with_some("Prefix", head.parameter("prefix"));
    answer(x, &document);
    dto::ListBucketsOutput::default()
}
