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

    fn check(&self, _: &Bucket, _: &World) -> Result<(), AwsError> {
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.versioning = self;
    }
}
