//! Requests for listings of objects and versions.

use s3s::dto;

use super::{Decoded, encoding, parse_token};
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::list::{ListObjects, ListObjectsV2, Listing};
use crate::s3::list_versions::ListObjectVersions;

pub(in crate::s3::codec) fn list_objects(
    _: &Exchange,
    head: &Head,
    input: dto::ListObjectsInput,
) -> Decoded<ListObjects> {
    encoding(head)?;
    Ok(ListObjects(Listing {
        bucket: input.bucket,
        prefix: input.prefix,
        delimiter: input.delimiter,
        after: input.marker,
        max_keys: input.max_keys,
    }))
}

pub(in crate::s3::codec) fn list_object_versions(
    _: &Exchange,
    head: &Head,
    input: dto::ListObjectVersionsInput,
) -> Decoded<ListObjectVersions> {
    encoding(head)?;
    Ok(ListObjectVersions {
        bucket: input.bucket,
        prefix: input.prefix,
        delimiter: input.delimiter,
        key_marker: input.key_marker,
        version_marker: head.parameter("version-id-marker").filter(|id| !id.is_empty()).map(str::to_owned),
        max_keys: input.max_keys,
    })
}

pub(in crate::s3::codec) fn list_objects_v2(
    _: &Exchange,
    head: &Head,
    input: dto::ListObjectsV2Input,
) -> Decoded<ListObjectsV2> {
    encoding(head)?;
    let after = match head.parameter("continuation-token") {
        Some(token) => Some(parse_token(token)?),
        None => input.start_after,
    };
    Ok(ListObjectsV2(Listing {
        bucket: input.bucket,
        prefix: input.prefix,
        delimiter: input.delimiter,
        after,
        max_keys: input.max_keys,
    }))
}
