//! Reading and writing ACLs.

use jiff::Timestamp;

use super::{AclOf, ShownAcl, SubmittedAcl, check_public};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{EventKind, Version, World};

/// `GetBucketAcl`.
#[derive(Debug)]
pub(crate) struct GetBucketAcl {
    pub(crate) bucket: String,
}

/// `PutBucketAcl`.
#[derive(Debug)]
pub(crate) struct PutBucketAcl {
    pub(crate) bucket: String,
    pub(crate) acl: SubmittedAcl,
}

/// `GetObjectAcl`.
#[derive(Debug)]
pub(crate) struct GetObjectAcl {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
}

/// `PutObjectAcl`.
#[derive(Debug)]
pub(crate) struct PutObjectAcl {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
    pub(crate) acl: SubmittedAcl,
}

impl Operation for GetBucketAcl {
    type Output = ShownAcl;
    const OP: Op = Op::GetBucketAcl;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket("s3:GetBucketAcl", &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<ShownAcl, AwsError> {
        let bucket = world.bucket(&authorized.operation().bucket)?;
        Ok(ShownAcl::of(&bucket.acl, world, bucket))
    }
}

impl Operation for PutBucketAcl {
    type Output = ();
    const OP: Op = Op::PutBucketAcl;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![self.acl.headers.describe(Requirement::on_bucket("s3:PutBucketAcl", &self.bucket))])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let (Self { bucket: name, acl }, caller) = authorized.into_parts();
        let bucket = world.bucket(&name)?;
        let owner = bucket.owner_id();
        let acl =
            acl.resolve(AclOf::Bucket, owner, &world.accounts, |requested| requested.for_bucket(owner))?;
        bucket.ownership().check_put_acl()?;
        let resource = RequiredResource::Bucket(name.clone());
        check_public(&acl, world, bucket, &caller, "s3:PutBucketAcl", &resource)?;
        world.bucket_mut(&name)?.acl = acl;
        Ok(())
    }
}

/// The permission to read or write an ACL; a version has one of its own.
fn on_object(actions: [&'static str; 2], bucket: &str, key: &str, version_id: Option<&str>) -> Requirement {
    let [of_object, of_version] = actions;
    let action = if version_id.is_some() { of_version } else { of_object };
    Requirement::on_object(action, bucket, key).with_some("s3:versionid", version_id)
}

impl Operation for GetObjectAcl {
    type Output = ShownAcl;
    const OP: Op = Op::GetObjectAcl;

    fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        let actions = ["s3:GetObjectAcl", "s3:GetObjectVersionAcl"];
        Ok(vec![on_object(actions, &self.bucket, &self.key, self.version_id.as_deref())])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<ShownAcl, AwsError> {
        let Self { bucket, key, version_id } = authorized.into_operation();
        let bucket = world.bucket(&bucket)?;
        let object = bucket.object(&key, version_id.as_deref())?;
        Ok(ShownAcl::of(bucket.acl_of(&object.attributes), world, bucket))
    }
}

impl Operation for PutObjectAcl {
    type Output = ();
    const OP: Op = Op::PutObjectAcl;

    fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        let actions = ["s3:PutObjectAcl", "s3:PutObjectVersionAcl"];
        let requirement = on_object(actions, &self.bucket, &self.key, self.version_id.as_deref());
        Ok(vec![self.acl.headers.describe(requirement)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let (Self { bucket: name, key, version_id, acl }, caller) = authorized.into_parts();
        let bucket = world.bucket(&name)?;
        if version_id.is_none()
            && let Some(Version::Marker(marker)) = bucket.objects.newest(&key)
        {
            return Err(AwsError::is_delete_marker(marker.version.as_str()));
        }
        let object = bucket.object(&key, version_id.as_deref())?;
        let version = object.version.clone();
        let bucket_owner = bucket.owner_id();
        let owner = bucket.acl_of(&object.attributes).owner.clone();
        let acl = acl.resolve(AclOf::Object, &owner, &world.accounts, |requested| {
            requested.for_object(&owner, bucket_owner)
        })?;
        bucket.ownership().check_put_acl()?;
        let resource = RequiredResource::Object { bucket: name.clone(), key: key.clone() };
        check_public(&acl, world, bucket, &caller, "s3:PutObjectAcl", &resource)?;
        let acl = (acl != bucket.private).then(|| Box::new(acl));
        let mut is_changed = false;
        if let Some(object) = world.bucket_mut(&name)?.objects.object_mut(&key, Some(&version)) {
            is_changed = object.attributes.acl != acl;
            object.attributes.acl = acl;
        }
        if is_changed {
            world.announce_changed(EventKind::AclPut, &name, &key, &version);
        }
        Ok(())
    }
}
