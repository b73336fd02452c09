//! Who owns the objects of a bucket, and whether ACLs count.

use bucketproof_authz::ObjectOwnership;

use super::configuration::{Configuration, Removable};
use super::document::{Document, Element};
use crate::error::AwsError;
use crate::operation::Op;
use crate::state::{Bucket, World};

impl Configuration for ObjectOwnership {
    const GET: Op = Op::GetBucketOwnershipControls;
    const PUT: Op = Op::PutBucketOwnershipControls;
    const GET_ACTION: &'static str = "s3:GetBucketOwnershipControls";
    const PUT_ACTION: &'static str = "s3:PutBucketOwnershipControls";
    const NEEDS_CALLER: bool = true;

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        bucket.ownership.ok_or_else(|| AwsError::no_ownership_controls(&bucket.name))
    }

    fn check(&self, bucket: &Bucket, _: &World) -> Result<(), AwsError> {
        Ok(self.check_bucket_acl(&bucket.acl)?)
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.ownership = Some(self);
    }
}

impl Removable for ObjectOwnership {
    const DELETE: Op = Op::DeleteBucketOwnershipControls;
    const DELETE_ACTION: &'static str = "s3:PutBucketOwnershipControls";

    fn remove(bucket: &mut Bucket) {
        bucket.ownership = None;
    }
}

impl Document for ObjectOwnership {
    const ROOT: &'static str = "OwnershipControls";

    /// There is exactly one rule, though the schema has a list of them.
    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&["Rule"])?;
        let rule = root.required("Rule")?;
        rule.only(&["ObjectOwnership"])?;
        rule.required_value("ObjectOwnership")?.parse().map_err(|_| AwsError::malformed_xml())
    }

    fn write(&self) -> Element {
        let rule = Element::new("Rule").with_text("ObjectOwnership", self.as_str());
        Element::new(Self::ROOT).with(rule)
    }
}
