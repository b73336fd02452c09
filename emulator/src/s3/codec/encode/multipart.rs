//! Answers of multipart uploads.

use s3s::dto;

use super::listing::prefixes;
use super::{
    Names, algorithm_name, answer_encryption, answer_requested_encryption, bucket, etag, kind, kind_name,
    owner, set_checksum, storage_class, time,
};
use crate::exchange::{Address, Exchange};
use crate::head::{Head, encode};
use crate::s3::list_uploads::{ListedUpload, PartsPage, UploadsPage};
use crate::s3::multipart::Begun;
use crate::s3::object::Written;
use crate::s3::upload_part::WrittenPart;
use crate::state::Encryption;

pub(in crate::s3::codec) fn create_multipart_upload(
    x: &Exchange,
    head: &Head,
    begun: Begun,
) -> dto::CreateMultipartUploadOutput {
    let address = Address::of(&x.head);
    for (name, value) in begun.abort.iter().flatten() {
        x.answer_header(name, value);
    }
    answer_requested_encryption(x, head, &begun.attributes.encryption);
    dto::CreateMultipartUploadOutput {
        bucket: bucket(head),
        key: address.key,
        upload_id: Some(begun.upload_id),
        checksum_algorithm: begun.checksum.map(|(algorithm, _)| algorithm_name(algorithm)),
        checksum_type: begun.checksum.map(|(_, kind)| kind_name(kind)),
        ..Default::default()
    }
}

pub(in crate::s3::codec) fn upload_part(
    x: &Exchange,
    head: &Head,
    written: WrittenPart,
) -> dto::UploadPartOutput {
    answer_encryption(x, head, &written.encryption);
    let mut output = dto::UploadPartOutput { e_tag: Some(etag(written.part.etag())), ..Default::default() };
    set_checksum!(output, written.checksum);
    output
}

pub(in crate::s3::codec) fn upload_part_copy(
    x: &Exchange,
    head: &Head,
    written: WrittenPart,
) -> dto::UploadPartCopyOutput {
    let WrittenPart { part, checksum, encryption } = written;
    answer_encryption(x, head, &encryption);
    let mut result = dto::CopyPartResult {
        e_tag: Some(etag(part.etag())),
        last_modified: Some(time(part.last_modified)),
        ..Default::default()
    };
    set_checksum!(result, checksum);
    dto::UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() }
}

pub(in crate::s3::codec) fn complete_multipart_upload(
    x: &Exchange,
    head: &Head,
    written: Written,
) -> dto::CompleteMultipartUploadOutput {
    let address = Address::of(&x.head);
    let (bucket, key) = (address.bucket.unwrap_or_default(), address.key.unwrap_or_default());
    let region = x.authenticated.region.as_deref().unwrap_or("us-east-1");
    // A key of the customer is not told here (API reference, and recorded).
    if !matches!(written.attributes.encryption, Encryption::Customer(_)) {
        answer_encryption(x, head, &written.attributes.encryption);
    }
    if let Some(version) = &written.version {
        x.answer_header("x-amz-version-id", version.as_str());
    }
    let mut output = dto::CompleteMultipartUploadOutput {
        expiration: written.expiration,
        location: Some(format!("https://{bucket}.s3.{region}.amazonaws.com/{}", encode(&key))),
        bucket: Some(bucket),
        key: Some(key),
        e_tag: Some(etag(written.etag)),
        checksum_type: written.checksum.as_ref().map(kind),
        ..Default::default()
    };
    set_checksum!(output, written.checksum);
    output
}

pub(in crate::s3::codec) fn abort_multipart_upload(
    _: &Exchange,
    _: &Head,
    (): (),
) -> dto::AbortMultipartUploadOutput {
    dto::AbortMultipartUploadOutput::default()
}

pub(in crate::s3::codec) fn list_parts(x: &Exchange, head: &Head, page: PartsPage) -> dto::ListPartsOutput {
    let address = Address::of(&x.head);
    let PartsPage { parts, truncated, upload, owner: owner_id, abort } = page;
    for (name, value) in abort.iter().flatten() {
        x.answer_header(name, value);
    }
    let last = parts.last().map_or(0, |(number, _)| *number);
    let parts = parts.into_iter().map(|(number, part)| {
        let mut listed = dto::Part {
            e_tag: Some(etag(part.etag())),
            last_modified: Some(time(part.last_modified)),
            part_number: Some(number),
            size: i64::try_from(part.content.len()).ok(),
            ..Default::default()
        };
        set_checksum!(listed, upload.checksum.map(|_| part.checksum));
        listed
    });
    dto::ListPartsOutput {
        bucket: address.bucket,
        key: address.key,
        upload_id: head.parameter("uploadId").map(str::to_owned),
        part_number_marker: Some(
            head.parameter("part-number-marker").and_then(|text| text.parse().ok()).unwrap_or_default(),
        ),
        next_part_number_marker: Some(last),
        max_parts: Some(
            head.parameter("max-parts").and_then(|text| text.parse().ok()).unwrap_or(1000).min(1000),
        ),
        is_truncated: Some(truncated),
        parts: Some(parts.collect()),
        owner: Some(owner(&owner_id)),
        initiator: upload.initiator.as_ref().map(|(arn, _)| initiator(arn)),
        storage_class: Some(storage_class(&upload.attributes.headers).into()),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| algorithm_name(algorithm)),
        checksum_type: upload.checksum.map(|(_, kind)| kind_name(kind)),
        ..Default::default()
    }
}

pub(in crate::s3::codec) fn list_multipart_uploads(
    _: &Exchange,
    head: &Head,
    page: UploadsPage,
) -> dto::ListMultipartUploadsOutput {
    let names = Names::of(head);
    let UploadsPage { uploads, common_prefixes, truncated, last } = page;
    let (next_key, next_id) = last.unwrap_or_default();
    let key_marker = head.parameter("key-marker").unwrap_or_default();
    // Without a key the id within it says nothing, and is not repeated.
    let id_marker = head.parameter("upload-id-marker").filter(|_| !key_marker.is_empty());
    let uploads =
        uploads.into_iter().map(|ListedUpload { key, id, upload, owner: owner_id }| dto::MultipartUpload {
            key: Some(names.write(&key)),
            upload_id: Some(id),
            initiated: Some(time(upload.initiated_at)),
            initiator: upload.initiator.as_ref().map(|(arn, _)| initiator(arn)),
            owner: Some(owner(&owner_id)),
            storage_class: Some(storage_class(&upload.attributes.headers).into()),
            checksum_algorithm: upload.checksum.map(|(algorithm, _)| algorithm_name(algorithm)),
            checksum_type: upload.checksum.map(|(_, kind)| kind_name(kind)),
        });
    dto::ListMultipartUploadsOutput {
        bucket: bucket(head),
        prefix: head.parameter("prefix").map(|prefix| names.write(prefix)),
        delimiter: head.parameter("delimiter").filter(|d| !d.is_empty()).map(|d| names.write(d)),
        common_prefixes: Some(prefixes(&names, &common_prefixes)),
        key_marker: Some(names.write(key_marker)),
        upload_id_marker: Some(id_marker.unwrap_or_default().to_owned()),
        next_key_marker: Some(names.write(&next_key)),
        next_upload_id_marker: Some(next_id),
        max_uploads: Some(
            head.parameter("max-uploads").and_then(|text| text.parse().ok()).unwrap_or(1000).min(1000),
        ),
        is_truncated: Some(truncated),
        encoding_type: names.encoding(),
        uploads: Some(uploads.collect()),
        ..Default::default()
    }
}

fn initiator(arn: &str) -> dto::Initiator {
    let name = arn.rsplit(['/', ':']).next().unwrap_or_default();
    dto::Initiator { display_name: Some(name.to_owned()), id: Some(arn.to_owned()) }
}
