//! The lifecycle of objects: its configuration, what answers say of it, and its execution when the clock moves.
//!
//! Source: S3 User Guide "Managing the lifecycle of objects", recorded answers, and answers of AWS that others published.

mod check;
mod document;
mod due;
mod run;

use crate::error::AwsError;
use crate::head::encode_path;
use crate::instant::http_date;
use crate::operation::Op;
use crate::s3::configuration::{Configuration, Removable};
use crate::state::{Bucket, LifecycleConfiguration, Object, World};

pub(crate) use document::parse;
pub(crate) use due::Days;
pub(crate) use run::LifecycleClock;

impl Configuration for LifecycleConfiguration {
    const GET: Op = Op::GetBucketLifecycleConfiguration;
    const PUT: Op = Op::PutBucketLifecycleConfiguration;
    const GET_ACTION: &'static str = "s3:GetLifecycleConfiguration";
    const PUT_ACTION: &'static str = "s3:PutLifecycleConfiguration";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        bucket.lifecycle.clone().ok_or_else(|| AwsError::no_lifecycle_configuration(&bucket.name))
    }

    fn check(&self, _: &Bucket, _: &World) -> Result<(), AwsError> {
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.lifecycle = Some(self);
    }
}

impl Removable for LifecycleConfiguration {
    const DELETE: Op = Op::DeleteBucketLifecycle;
    const DELETE_ACTION: &'static str = "s3:PutLifecycleConfiguration";

    fn remove(bucket: &mut Bucket) {
        bucket.lifecycle = None;
    }
}

/// `x-amz-expiration`: when the current version under a key expires, and by which rule.
///
/// Of several rules that which acts first counts, of equals the first. The days are those of the calendar, however
/// short they are made for the execution.
pub(crate) fn expiration_header(bucket: &Bucket, key: &str, object: &Object) -> Option<String> {
    let lifecycle = bucket.lifecycle.as_ref()?;
    let rules = lifecycle.rules.iter().filter(|rule| due::is_for(rule, key, object));
    let dues =
        rules.filter_map(|rule| Some((due::expiration(rule, object.last_modified, Days::Calendar)?, rule)));
    let (instant, rule) = dues.min_by_key(|(instant, _)| *instant)?;
    Some(format!("expiry-date=\"{}\", rule-id=\"{}\"", http_date(instant), encode_path(&rule.id)))
}

/// `x-amz-abort-date` and `x-amz-abort-rule-id`: when an upload in progress is aborted, and by which rule.
pub(crate) fn abort_headers(
    bucket: &Bucket,
    key: &str,
    initiated_at: jiff::Timestamp,
) -> Option<[(&'static str, String); 2]> {
    let lifecycle = bucket.lifecycle.as_ref()?;
    let rules = lifecycle.rules.iter().filter(|rule| rule.is_enabled && key.starts_with(rule.scope.prefix()));
    let dues =
        rules.filter_map(|rule| Some((Days::Calendar.end(initiated_at, rule.abort_after_days?), rule)));
    let (instant, rule) = dues.min_by_key(|(instant, _)| *instant)?;
    Some([("x-amz-abort-date", http_date(instant)), ("x-amz-abort-rule-id", encode_path(&rule.id))])
}
