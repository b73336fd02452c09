//! Requests about multipart uploads.

use s3s::dto;

use super::{
    Decoded, algorithm, checksum_kind, claims, customer_key, encoding, requester, source, text,
    write_condition, write_settings,
};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::checksum::{ChecksumAlgorithm, DigestForm};
use crate::s3::list_uploads::{ListMultipartUploads, ListParts};
use crate::s3::multipart::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, ListedPart, UploadRef,
};
use crate::s3::upload_part::{UploadPart, UploadPartCopy};

pub(in crate::s3::codec) fn create_multipart_upload(
    x: &Exchange,
    head: &Head,
    input: dto::CreateMultipartUploadInput,
) -> Decoded<CreateMultipartUpload> {
    let settings = write_settings(x, head);
    Ok(CreateMultipartUpload {
        bucket: input.bucket,
        key: input.key,
        settings,
        algorithm: algorithm(head, "x-amz-checksum-algorithm")?,
        kind: checksum_kind(head)?,
    })
}

pub(in crate::s3::codec) fn upload_part(
    x: &Exchange,
    head: &Head,
    input: dto::UploadPartInput,
) -> Decoded<UploadPart> {
    let claims = claims(x, head)?;
    Ok(UploadPart {
        has_digest: claims.is_any(),
        sent: claims.checksums.first().map(|(algorithm, _)| *algorithm),
        body: claims.check(x.body.clone(), DigestForm::Base64),
        upload: upload_ref(x, input.bucket, input.key, input.upload_id),
        number: input.part_number,
        own: None,
        customer_key: customer_key(head),
    })
}

pub(in crate::s3::codec) fn upload_part_copy(
    x: &Exchange,
    head: &Head,
    input: dto::UploadPartCopyInput,
) -> Decoded<UploadPartCopy> {
    Ok(UploadPartCopy {
        upload: upload_ref(x, input.bucket, input.key, input.upload_id),
        number: input.part_number,
        source: source(input.copy_source, x, head)?,
        range: text(head, "x-amz-copy-source-range"),
        customer_key: customer_key(head),
        digest: None,
    })
}

pub(in crate::s3::codec) fn complete_multipart_upload(
    x: &Exchange,
    head: &Head,
    input: dto::CompleteMultipartUploadInput,
) -> Decoded<CompleteMultipartUpload> {
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let parts = parts.into_iter().map(|part| {
        let checksum = [
            (ChecksumAlgorithm::Crc32, part.checksum_crc32),
            (ChecksumAlgorithm::Crc32c, part.checksum_crc32c),
            (ChecksumAlgorithm::Crc64nvme, part.checksum_crc64nvme),
            (ChecksumAlgorithm::Sha1, part.checksum_sha1),
            (ChecksumAlgorithm::Sha256, part.checksum_sha256),
        ];
        let checksum = checksum.into_iter().find_map(|(algorithm, value)| Some((algorithm, value?)));
        let number = part.part_number.ok_or_else(AwsError::malformed_xml)?;
        let etag = part.e_tag.ok_or_else(AwsError::malformed_xml)?.into_value();
        Ok(ListedPart { number, etag, checksum })
    });
    let claimed_bytes =
        match head.header("x-amz-mp-object-size") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                AwsError::invalid_request("Value for x-amz-mp-object-size header is invalid.")
            })?),
        };
    Ok(CompleteMultipartUpload {
        upload: upload_ref(x, input.bucket, input.key, input.upload_id),
        parts: parts.collect::<Decoded<Vec<ListedPart>>>()?,
        condition: write_condition(head)?,
        kind: checksum_kind(head)?,
        claimed: claims(x, head)?.checksums.into_iter().next(),
        claimed_bytes,
        customer_key: customer_key(head),
    })
}

pub(in crate::s3::codec) fn abort_multipart_upload(
    x: &Exchange,
    _: &Head,
    input: dto::AbortMultipartUploadInput,
) -> AbortMultipartUpload {
    let upload = upload_ref(x, input.bucket, input.key, input.upload_id);
    AbortMultipartUpload(upload)
}

pub(in crate::s3::codec) fn list_parts(
    x: &Exchange,
    head: &Head,
    input: dto::ListPartsInput,
) -> Decoded<ListParts> {
    Ok(ListParts {
        upload: upload_ref(x, input.bucket, input.key, input.upload_id),
        max_parts: page_size(input.max_parts, "max-parts")?,
        after: input.part_number_marker.unwrap_or_default(),
        customer_key: customer_key(head),
    })
}

pub(in crate::s3::codec) fn list_multipart_uploads(
    _: &Exchange,
    head: &Head,
    input: dto::ListMultipartUploadsInput,
) -> Decoded<ListMultipartUploads> {
    encoding(head)?;
    let key_marker = input.key_marker.filter(|marker| !marker.is_empty());
    Ok(ListMultipartUploads {
        bucket: input.bucket,
        prefix: input.prefix.unwrap_or_default(),
        delimiter: input.delimiter.filter(|delimiter| !delimiter.is_empty()),
        max_uploads: page_size(input.max_uploads, "max-uploads")?,
        after: key_marker.map(|key| (key, input.upload_id_marker.filter(|marker| !marker.is_empty()))),
    })
}

fn upload_ref(x: &Exchange, bucket: String, key: String, upload_id: String) -> UploadRef {
    UploadRef { bucket, key, upload_id, requester: requester(x) }
}

/// `max-parts` and `max-uploads`: capped at a thousand.
fn page_size(asked: Option<i32>, name: &'static str) -> Decoded<usize> {
    match asked {
        None => Ok(1000),
        Some(asked) => usize::try_from(asked).map(|asked| asked.min(1000)).map_err(|_| {
            let text = format!("Argument {name} must be an integer between 0 and 2147483647");
            AwsError::invalid_argument(text, name, asked.to_string())
        }),
    }
}
