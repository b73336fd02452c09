//! Whether a bucket keeps versions.

use super::configuration::Configuration;
use crate::error::AwsError;
use crate::operation::Op;
use crate::state::{Bucket, Versioning, World};

impl Configuration for Versioning {
    const GET: Op = Op::GetBucketVersioning;
    const PUT: Op = Op::PutBucketVersioning;
    const GET_ACTION: &'static str = "s3:GetBucketVersioning";
    const PUT_ACTION: &'static str = "s3:PutBucketVersioning";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        Ok(bucket.versioning)
    }

    fn check(&self, bucket: &Bucket, _: &World) -> Result<(), AwsError> {
        if bucket.object_lock.is_some() && *self != Self::Enabled {
            let text = "An Object Lock configuration is present on this bucket, so the versioning state cannot be \
                        changed.";
            return Err(AwsError::invalid_bucket_state(text));
        }
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.versioning = self;
    }
}
