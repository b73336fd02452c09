//! Object Lock of a bucket, and the retention that it gives by default.

use crate::error::AwsError;
use crate::operation::Op;
use crate::s3::configuration::Configuration;
use crate::state::{Bucket, ObjectLockConfiguration, Versioning, World};

impl Configuration for ObjectLockConfiguration {
    const GET: Op = Op::GetObjectLockConfiguration;
    const PUT: Op = Op::PutObjectLockConfiguration;
    const GET_ACTION: &'static str = "s3:GetBucketObjectLockConfiguration";
    const PUT_ACTION: &'static str = "s3:PutBucketObjectLockConfiguration";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        bucket.object_lock.ok_or_else(|| AwsError::no_object_lock_configuration(&bucket.name))
    }

    fn check(&self, bucket: &Bucket, _: &World) -> Result<(), AwsError> {
        if bucket.versioning == Versioning::Enabled {
            return Ok(());
        }
        let text = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
        Err(AwsError::invalid_bucket_state(text))
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.object_lock = Some(self);
    }
}
