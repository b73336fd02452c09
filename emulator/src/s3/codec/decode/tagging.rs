//! Requests about the tags of an object.

use s3s::dto;

use super::{Decoded, claims};
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::checksum::DigestForm;
use crate::s3::tagging::{
    DeleteObjectTagging, GetObjectTagging, PutObjectTagging, Tagged, TagsOf, parse_body,
};

pub(in crate::s3::codec) fn get_object_tagging(
    _: &Exchange,
    _: &Head,
    input: dto::GetObjectTaggingInput,
) -> GetObjectTagging {
    GetObjectTagging(TagsOf { bucket: input.bucket, key: input.key, version_id: input.version_id })
}

pub(in crate::s3::codec) fn put_object_tagging(
    x: &Exchange,
    head: &Head,
    input: dto::PutObjectTaggingInput,
) -> Decoded<PutObjectTagging> {
    claims(x, head)?.check(x.body.clone(), DigestForm::Hex)?;
    let object = TagsOf { bucket: input.bucket, key: input.key, version_id: input.version_id };
    Ok(PutObjectTagging { object, tags: parse_body(&x.body, Tagged::Object) })
}

pub(in crate::s3::codec) fn delete_object_tagging(
    _: &Exchange,
    _: &Head,
    input: dto::DeleteObjectTaggingInput,
) -> DeleteObjectTagging {
    DeleteObjectTagging(TagsOf { bucket: input.bucket, key: input.key, version_id: input.version_id })
}
