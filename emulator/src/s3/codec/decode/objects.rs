//! Requests about one object.

use s3s::dto;

use super::super::headers;
use super::object_lock::bypass;
use super::{
    Decoded, algorithm, claims, customer_key, read_conditions, requester, source, text, wants_checksum,
    write_condition, write_settings,
};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::checksum::DigestForm;
use crate::s3::conditions::WriteCondition;
use crate::s3::copy::{CopyObject, MetadataDirective, TaggingDirective};
use crate::s3::object::{DeleteObject, PutObject};
use crate::s3::read::{GetObject, HeadObject, Read};

/// The most keys of one `DeleteObjects`.
const DELETE_KEYS_MAX: usize = 1000;

pub(in crate::s3::codec) fn put_object(
    x: &Exchange,
    head: &Head,
    input: dto::PutObjectInput,
) -> Decoded<PutObject> {
    let settings = write_settings(x, head);
    let claims = claims(x, head)?;
    Ok(PutObject {
        has_digest: claims.is_any(),
        upload: claims.check(x.body.clone(), DigestForm::Hex),
        condition: write_condition(head)?,
        bucket: input.bucket,
        key: input.key,
        settings,
    })
}

pub(in crate::s3::codec) fn get_object(
    x: &Exchange,
    head: &Head,
    input: dto::GetObjectInput,
) -> Decoded<GetObject> {
    headers::check_overrides(x, head)?;
    let read = read(x, head, input.bucket, input.key, input.version_id, input.part_number);
    Ok(GetObject(Read { decrypts: true, ..read }))
}

pub(in crate::s3::codec) fn head_object(
    x: &Exchange,
    head: &Head,
    input: dto::HeadObjectInput,
) -> Decoded<HeadObject> {
    headers::check_overrides(x, head)?;
    Ok(HeadObject(read(x, head, input.bucket, input.key, input.version_id, input.part_number)))
}

fn read(
    x: &Exchange,
    head: &Head,
    bucket: String,
    key: String,
    version_id: Option<String>,
    part_number: Option<i32>,
) -> Read {
    Read {
        bucket,
        key,
        version_id,
        conditions: read_conditions(head, ""),
        range: text(head, "range"),
        part_number,
        customer_key: customer_key(head),
        requester: requester(x),
        decrypts: wants_checksum(head),
    }
}

pub(in crate::s3::codec) fn delete_object(
    _: &Exchange,
    head: &Head,
    input: dto::DeleteObjectInput,
) -> Decoded<DeleteObject> {
    for name in ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"] {
        if head.header(name).is_some() {
            return Err(AwsError::header_not_implemented(name));
        }
    }
    Ok(DeleteObject {
        bucket: input.bucket,
        key: input.key,
        version_id: input.version_id,
        condition: WriteCondition::of_delete(head.header("if-match")),
        bypass: bypass(head),
    })
}

/// The keys to delete, and whether only errors are to be told.
pub(in crate::s3::codec) fn delete_objects(
    x: &Exchange,
    head: &Head,
    input: dto::DeleteObjectsInput,
) -> Decoded<(Vec<DeleteObject>, bool)> {
    let claims = claims(x, head)?;
    if !claims.is_any() {
        let text = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        return Err(AwsError::invalid_request(text));
    }
    claims.check(x.body.clone(), DigestForm::Hex)?;
    let objects = input.delete.objects;
    let well_formed =
        (1..=DELETE_KEYS_MAX).contains(&objects.len()) && objects.iter().all(|o| !o.key.is_empty());
    if !well_formed {
        return Err(AwsError::malformed_xml());
    }
    let bucket = input.bucket;
    let objects = objects.into_iter().map(|object| {
        if object.last_modified_time.is_some() || object.size.is_some() {
            return Err(AwsError::not_implemented("a condition on time or size in DeleteObjects"));
        }
        let condition = WriteCondition::of_delete(object.e_tag.map(dto::ETag::into_value).as_deref());
        let (key, version_id) = (object.key, object.version_id);
        Ok(DeleteObject { bucket: bucket.clone(), key, version_id, condition, bypass: bypass(head) })
    });
    Ok((objects.collect::<Decoded<_>>()?, input.delete.quiet.unwrap_or_default()))
}

pub(in crate::s3::codec) fn copy_object(
    x: &Exchange,
    head: &Head,
    input: dto::CopyObjectInput,
) -> Decoded<CopyObject> {
    let directive = match head.header("x-amz-metadata-directive") {
        None => None,
        Some("COPY") => Some(MetadataDirective::Copy),
        Some("REPLACE") => Some(MetadataDirective::Replace),
        Some(other) => {
            return Err(AwsError::invalid_argument(
                "Unknown metadata directive.",
                "x-amz-metadata-directive",
                other,
            ));
        }
    };
    let tagging = match head.header("x-amz-tagging-directive") {
        None | Some("COPY") => TaggingDirective::Copy,
        Some("REPLACE") => TaggingDirective::Replace,
        Some(other) => {
            return Err(AwsError::invalid_argument(
                "Unknown tagging directive.",
                "x-amz-tagging-directive",
                other,
            ));
        }
    };
    let settings = write_settings(x, head);
    Ok(CopyObject {
        source: source(input.copy_source, x, head)?,
        bucket: input.bucket,
        key: input.key,
        directive,
        tagging,
        settings,
        condition: write_condition(head)?,
        checksum: algorithm(head, "x-amz-checksum-algorithm")?,
        digest: None,
    })
}
