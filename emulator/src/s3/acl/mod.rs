//! ACLs of buckets and objects: what a request asks for, and what comes of it.

mod headers;
mod operations;
mod submitted;

use bucketproof_authz::{Acl, Grantee, PublicAccessBlock};

use super::document::Element;
use crate::authenticate::Caller;
use crate::error::AwsError;
use crate::operation::RequiredResource;
use crate::state::{Bucket, World};

pub(crate) use headers::{AclHeaders, AclOf};
pub(crate) use operations::{GetBucketAcl, GetObjectAcl, PutBucketAcl, PutObjectAcl};
pub(crate) use submitted::{AclDocument, SubmittedAcl};

/// The owner and the ACL of an object that `caller` writes; absent for the bucket owner's own without grants.
pub(crate) fn acl_of_new_object(
    headers: &AclHeaders,
    world: &World,
    bucket: &Bucket,
    key: &str,
    caller: &Caller,
) -> Result<Option<Box<Acl>>, AwsError> {
    let requested = headers.requested(AclOf::Object, &world.accounts)?;
    let writer = world.writer_id(caller);
    let ownership = bucket.ownership();
    ownership.check_new_object(requested.as_ref(), &writer, bucket.owner_id())?;
    let owner = ownership.owner_of_new_object(requested.as_ref(), &writer, bucket.owner_id());
    let acl = match &requested {
        None => Acl::private(owner),
        Some(requested) => requested.for_object(owner, bucket.owner_id()),
    };
    let resource = RequiredResource::Object { bucket: bucket.name.clone(), key: key.to_owned() };
    check_public(&acl, world, bucket, caller, "s3:PutObject", &resource)?;
    Ok((acl != bucket.private).then(|| Box::new(acl)))
}

/// Refuses a public ACL where BlockPublicAcls is on.
pub(crate) fn check_public(
    acl: &Acl,
    world: &World,
    bucket: &Bucket,
    caller: &Caller,
    action: &str,
    resource: &RequiredResource,
) -> Result<(), AwsError> {
    if world.public_access_block(bucket).blocks_acl(acl) {
        return Err(blocked(bucket, caller, action, resource, PublicAccessBlock::BLOCKED_ACL));
    }
    Ok(())
}

/// The refusal of Block Public Access: only callers of the bucket owner's account learn why.
pub(crate) fn blocked(
    bucket: &Bucket,
    caller: &Caller,
    action: &str,
    resource: &RequiredResource,
    because: &str,
) -> AwsError {
    let principal = caller.principal();
    match principal.arn() {
        Some(arn) if principal.account() == Some(&bucket.owner) => AwsError::access_denied(format!(
            "User: {arn} is not authorized to perform: {action} on resource: \"{}\" {because}",
            resource.arn()
        )),
        _ => AwsError::access_denied("Access Denied"),
    }
}

/// The outermost element of an ACL's document.
const ROOT: &str = "AccessControlPolicy";

/// An ACL as it is shown: with ACLs off that of the bucket owner, and without public grants that are ignored.
#[derive(Debug)]
pub(crate) struct ShownAcl(Acl);

impl ShownAcl {
    fn of(stored: &Acl, world: &World, bucket: &Bucket) -> Self {
        let in_force = bucket.ownership().acl_in_force(stored, bucket.owner_id());
        Self(world.public_access_block(bucket).acl_in_force(in_force).into_owned())
    }

    /// As a document.
    pub(crate) fn write(&self) -> Element {
        let grants = self.0.grants.iter().map(|grant| {
            let grantee = Element::new("Grantee");
            let grantee = match &grant.grantee {
                Grantee::CanonicalUser(id) => grantee.with_kind("CanonicalUser").with_text("ID", id.as_str()),
                Grantee::Group(group) => grantee.with_kind("Group").with_text("URI", group.uri()),
            };
            Element::new("Grant").with(grantee).with_text("Permission", grant.permission.as_str())
        });
        Element::new(ROOT)
            .with(Element::new("Owner").with_text("ID", self.0.owner.as_str()))
            .with(Element::new("AccessControlList").with_all(grants))
    }
}
