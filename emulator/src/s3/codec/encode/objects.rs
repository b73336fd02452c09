//! Answers of operations on one object.

use http::StatusCode;
use s3s::dto;

use super::super::decode::wants_checksum;
use super::super::headers;
use super::{answer_encryption, answer_requested_encryption, etag, kind, set_checksum, time};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::copy::Copied;
use crate::s3::object::{Deleted, Written};
use crate::s3::read::Found;
use crate::state::VersionId;

/// Tells the version of an object.
fn answer_version(x: &Exchange, header: &str, version: Option<&VersionId>) {
    if let Some(version) = version {
        x.answer_header(header, version.as_str());
    }
}

pub(in crate::s3::codec) fn put_object(x: &Exchange, head: &Head, written: Written) -> dto::PutObjectOutput {
    answer_requested_encryption(x, head, &written.attributes.encryption);
    answer_version(x, "x-amz-version-id", written.version.as_ref());
    let mut output = dto::PutObjectOutput {
        expiration: written.expiration,
        e_tag: Some(etag(written.etag)),
        checksum_type: written.checksum.as_ref().map(kind),
        ..Default::default()
    };
    set_checksum!(output, written.checksum);
    output
}

/// The fields that the answers to GetObject and HeadObject have in common.
macro_rules! read_output {
    ($output:ident, $x:expr, $head:expr, $found:expr) => {{
        let Found { object, content, content_range, parts_count, checksum, version, tag_count, notices } =
            $found;
        for (name, value) in &notices {
            $x.answer_header(name, value);
        }
        answer_encryption($x, $head, &object.attributes.encryption);
        answer_version($x, "x-amz-version-id", version.as_ref());
        if let Some(count) = tag_count {
            $x.answer_header("x-amz-tagging-count", &count.to_string());
        }
        let wanted = checksum.filter(|_| wants_checksum($head));
        let mut output = dto::$output {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(content.len()).ok(),
            content_range,
            e_tag: Some(etag(object.etag.as_str())),
            last_modified: Some(time(object.last_modified)),
            parts_count: parts_count.and_then(|count| i32::try_from(count).ok()),
            storage_class: object.attributes.headers.storage_class.clone().map(dto::StorageClass::from),
            checksum_type: wanted.as_ref().map(kind),
            ..Default::default()
        };
        set_checksum!(output, wanted);
        if output.content_range.is_some() {
            $x.answer_status(StatusCode::PARTIAL_CONTENT);
        }
        headers::answer($x, $head, &object);
        (output, content)
    }};
}

pub(in crate::s3::codec) fn get_object(x: &Exchange, head: &Head, found: Found) -> dto::GetObjectOutput {
    let (output, content) = read_output!(GetObjectOutput, x, head, found);
    x.answer_content(content);
    output
}

pub(in crate::s3::codec) fn head_object(x: &Exchange, head: &Head, found: Found) -> dto::HeadObjectOutput {
    let (output, _) = read_output!(HeadObjectOutput, x, head, found);
    output
}

pub(in crate::s3::codec) fn delete_object(
    x: &Exchange,
    _: &Head,
    Deleted { version, is_marker }: Deleted,
) -> dto::DeleteObjectOutput {
    answer_version(x, "x-amz-version-id", version.as_ref());
    dto::DeleteObjectOutput {
        delete_marker: is_marker.then_some(true),
        version_id: version.map(|version| version.as_str().to_owned()),
        ..Default::default()
    }
}

pub(in crate::s3::codec) fn deleted(
    key: String,
    version_id: Option<String>,
    deleted: &Deleted,
) -> dto::DeletedObject {
    dto::DeletedObject {
        key: Some(key),
        version_id,
        delete_marker: deleted.is_marker.then_some(true),
        delete_marker_version_id: deleted
            .version
            .as_ref()
            .filter(|_| deleted.is_marker)
            .map(|version| version.as_str().to_owned()),
    }
}

pub(in crate::s3::codec) fn delete_error(
    key: String,
    version_id: Option<String>,
    error: &AwsError,
) -> dto::Error {
    dto::Error {
        code: Some(error.code.clone().into_owned()),
        key: Some(key),
        message: Some(error.message.clone()),
        version_id,
    }
}

pub(in crate::s3::codec) fn copy_object(x: &Exchange, head: &Head, copied: Copied) -> dto::CopyObjectOutput {
    answer_requested_encryption(x, head, &copied.attributes.encryption);
    answer_version(x, "x-amz-version-id", copied.version.as_ref());
    answer_version(x, "x-amz-copy-source-version-id", copied.source_version.as_ref());
    let mut result = dto::CopyObjectResult {
        e_tag: Some(etag(copied.etag)),
        last_modified: Some(time(copied.last_modified)),
        checksum_type: Some(kind(&copied.checksum)),
        ..Default::default()
    };
    set_checksum!(result, Some(copied.checksum));
    dto::CopyObjectOutput {
        expiration: copied.expiration,
        copy_object_result: Some(result),
        ..Default::default()
    }
}
