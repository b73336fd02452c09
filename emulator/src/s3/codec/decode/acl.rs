//! Requests about ACLs.

use s3s::dto;

use super::{Decoded, claims};
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::acl::{
    AclDocument, AclHeaders, GetBucketAcl, GetObjectAcl, PutBucketAcl, PutObjectAcl, SubmittedAcl,
};
use crate::s3::checksum::DigestForm;

pub(super) fn acl_headers(head: &Head) -> AclHeaders {
    AclHeaders::read(|name| head.header(name))
}

pub(in crate::s3::codec) fn get_bucket_acl(
    _: &Exchange,
    _: &Head,
    input: dto::GetBucketAclInput,
) -> GetBucketAcl {
    GetBucketAcl { bucket: input.bucket }
}

pub(in crate::s3::codec) fn put_bucket_acl(
    x: &Exchange,
    head: &Head,
    input: dto::PutBucketAclInput,
) -> Decoded<PutBucketAcl> {
    let acl = submitted(x, head)?;
    Ok(PutBucketAcl { bucket: input.bucket, acl })
}

pub(in crate::s3::codec) fn get_object_acl(
    _: &Exchange,
    _: &Head,
    input: dto::GetObjectAclInput,
) -> GetObjectAcl {
    GetObjectAcl { bucket: input.bucket, key: input.key, version_id: input.version_id }
}

pub(in crate::s3::codec) fn put_object_acl(
    x: &Exchange,
    head: &Head,
    input: dto::PutObjectAclInput,
) -> Decoded<PutObjectAcl> {
    let acl = submitted(x, head)?;
    Ok(PutObjectAcl { bucket: input.bucket, key: input.key, version_id: input.version_id, acl })
}

/// `s3s` reads the body too, and refuses what is not XML; what a grantee is only we see.
fn submitted(x: &Exchange, head: &Head) -> Decoded<SubmittedAcl> {
    claims(x, head)?.check(x.body.clone(), DigestForm::Hex)?;
    let document = (!x.body.is_empty()).then(|| AclDocument::parse(&x.body));
    Ok(SubmittedAcl { headers: acl_headers(head), document })
}
