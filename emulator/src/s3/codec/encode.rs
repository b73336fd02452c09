//! From our answers to the output types of `s3s`.

use std::time::SystemTime;

use http::StatusCode;
use jiff::Timestamp;
use s3s::dto;

use super::decode::token;
use super::headers;
use crate::error::AwsError;
use crate::exchange::{Address, Exchange};
use crate::head::{Head, encode};
use crate::s3::bucket::{Created, OwnBuckets};
use crate::s3::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crate::s3::copy::Copied;
use crate::s3::list::Page;
use crate::s3::list_uploads::{PartsPage, UploadsPage};
use crate::s3::multipart::Begun;
use crate::s3::object::Written;
use crate::s3::read::Found;
use crate::state::{ObjectHeaders, Part};

/// Sets the checksum fields that every output type has under the same names.
macro_rules! set_checksum {
    ($output:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            let value = Some(checksum.value);
            match checksum.algorithm {
                ChecksumAlgorithm::Crc32 => $output.checksum_crc32 = value,
                ChecksumAlgorithm::Crc32c => $output.checksum_crc32c = value,
                ChecksumAlgorithm::Crc64nvme => $output.checksum_crc64nvme = value,
                ChecksumAlgorithm::Sha1 => $output.checksum_sha1 = value,
                ChecksumAlgorithm::Sha256 => $output.checksum_sha256 = value,
            }
        }
    };
}

pub(super) fn put_object(_: &Exchange, _: &Head, written: Written) -> dto::PutObjectOutput {
    let mut output = dto::PutObjectOutput {
        e_tag: Some(etag(written.etag)),
        server_side_encryption: Some(encryption()),
        checksum_type: Some(kind(&written.checksum)),
        ..Default::default()
    };
    set_checksum!(output, Some(written.checksum));
    output
}

/// The fields that the answers to GetObject and HeadObject have in common.
macro_rules! read_output {
    ($output:ident, $x:expr, $head:expr, $found:expr) => {{
        let Found { object, content, content_range, parts_count, checksum } = $found;
        let wanted = checksum.filter(|_| wants_checksum($head));
        let mut output = dto::$output {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(content.len()).ok(),
            content_range,
            e_tag: Some(etag(object.etag.as_str())),
            last_modified: Some(time(object.last_modified)),
            parts_count: parts_count.and_then(|count| i32::try_from(count).ok()),
            server_side_encryption: Some(encryption()),
            storage_class: object.headers.storage_class.clone().map(dto::StorageClass::from),
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

pub(super) fn get_object(x: &Exchange, head: &Head, found: Found) -> dto::GetObjectOutput {
    let (output, content) = read_output!(GetObjectOutput, x, head, found);
    x.answer_content(content);
    output
}

pub(super) fn head_object(x: &Exchange, head: &Head, found: Found) -> dto::HeadObjectOutput {
    let (output, _) = read_output!(HeadObjectOutput, x, head, found);
    output
}

pub(super) fn delete_object(_: &Exchange, _: &Head, (): ()) -> dto::DeleteObjectOutput {
    dto::DeleteObjectOutput::default()
}

pub(super) fn deleted(key: String, version_id: Option<String>) -> dto::DeletedObject {
    dto::DeletedObject { key: Some(key), version_id, ..Default::default() }
}

pub(super) fn delete_error(key: String, version_id: Option<String>, error: &AwsError) -> dto::Error {
    dto::Error {
        code: Some(error.code.clone().into_owned()),
        key: Some(key),
        message: Some(error.message.clone()),
        version_id,
    }
}

pub(super) fn copy_object(_: &Exchange, _: &Head, copied: Copied) -> dto::CopyObjectOutput {
    let mut result = dto::CopyObjectResult {
        e_tag: Some(etag(copied.etag)),
        last_modified: Some(time(copied.last_modified)),
        checksum_type: Some(kind(&copied.checksum)),
        ..Default::default()
    };
    set_checksum!(result, Some(copied.checksum));
    dto::CopyObjectOutput {
        copy_object_result: Some(result),
        server_side_encryption: Some(encryption()),
        ..Default::default()
    }
}

pub(super) fn create_bucket(x: &Exchange, _: &Head, created: Created) -> dto::CreateBucketOutput {
    if let Some(bucket) = Address::of(&x.head).bucket {
        x.answer_header("x-amz-bucket-arn", &format!("arn:aws:s3:::{bucket}"));
    }
    dto::CreateBucketOutput { location: Some(created.location) }
}

pub(super) fn head_bucket(x: &Exchange, _: &Head, region: String) -> dto::HeadBucketOutput {
    if let Some(bucket) = Address::of(&x.head).bucket {
        x.answer_header("x-amz-bucket-arn", &format!("arn:aws:s3:::{bucket}"));
    }
    x.answer_header("content-type", "application/xml");
    dto::HeadBucketOutput {
        access_point_alias: Some(false),
        bucket_region: Some(region),
        ..Default::default()
    }
}

pub(super) fn get_bucket_location(_: &Exchange, _: &Head, region: String) -> dto::GetBucketLocationOutput {
    dto::GetBucketLocationOutput {
        location_constraint: (region != "us-east-1").then(|| dto::BucketLocationConstraint::from(region)),
    }
}

pub(super) fn delete_bucket(_: &Exchange, _: &Head, (): ()) -> dto::DeleteBucketOutput {
    dto::DeleteBucketOutput::default()
}

pub(super) fn put_bucket_policy(_: &Exchange, _: &Head, (): ()) -> dto::PutBucketPolicyOutput {
    dto::PutBucketPolicyOutput::default()
}

pub(super) fn get_bucket_policy(x: &Exchange, _: &Head, text: String) -> dto::GetBucketPolicyOutput {
    x.answer_header("content-type", "application/json");
    dto::GetBucketPolicyOutput { policy: Some(text) }
}

pub(super) fn delete_bucket_policy(_: &Exchange, _: &Head, (): ()) -> dto::DeleteBucketPolicyOutput {
    dto::DeleteBucketPolicyOutput::default()
}

pub(super) fn list_buckets(_: &Exchange, head: &Head, own: OwnBuckets) -> dto::ListBucketsOutput {
    let buckets = own.buckets.into_iter().map(|(name, region, created_at)| dto::Bucket {
        bucket_region: Some(region),
        creation_date: Some(time(created_at)),
        name: Some(name),
    });
    dto::ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: own.owner.map(|owner| dto::Owner { display_name: None, id: Some(owner.to_string()) }),
        prefix: head.parameter("prefix").map(str::to_owned),
        continuation_token: own.next.as_deref().map(token),
    }
}

pub(super) fn list_objects(_: &Exchange, head: &Head, page: Page) -> dto::ListObjectsOutput {
    let names = Names::of(head);
    // AWS says where to go on only where a delimiter makes the last key no answer to that.
    let delimiter = head.parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
    let next = page.next.as_deref().filter(|_| delimiter.is_some());
    dto::ListObjectsOutput {
        name: bucket(head),
        prefix: Some(names.write(head.parameter("prefix").unwrap_or_default())),
        marker: Some(names.write(head.parameter("marker").unwrap_or_default())),
        max_keys: i32::try_from(page.max_keys).ok(),
        is_truncated: Some(page.next.is_some()),
        delimiter: delimiter.map(|delimiter| names.write(delimiter)),
        next_marker: next.map(|next| names.write(next)),
        encoding_type: names.encoding(),
        common_prefixes: Some(prefixes(&names, &page)),
        contents: Some(contents(&names, page, Owners::Shown)),
        ..Default::default()
    }
}

pub(super) fn list_objects_v2(_: &Exchange, head: &Head, page: Page) -> dto::ListObjectsV2Output {
    let names = Names::of(head);
    let continuation_token = head.parameter("continuation-token");
    let owners = match head.parameter("fetch-owner") {
        Some("true") => Owners::Shown,
        _ => Owners::Hidden,
    };
    let delimiter = head.parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
    dto::ListObjectsV2Output {
        name: bucket(head),
        prefix: Some(names.write(head.parameter("prefix").unwrap_or_default())),
        max_keys: i32::try_from(page.max_keys).ok(),
        key_count: i32::try_from(page.objects.len() + page.common_prefixes.len()).ok(),
        is_truncated: Some(page.next.is_some()),
        delimiter: delimiter.map(|delimiter| names.write(delimiter)),
        continuation_token: continuation_token.map(str::to_owned),
        start_after: head
            .parameter("start-after")
            .filter(|_| continuation_token.is_none())
            .map(|start_after| names.write(start_after)),
        next_continuation_token: page.next.as_deref().map(token),
        encoding_type: names.encoding(),
        common_prefixes: Some(prefixes(&names, &page)),
        contents: Some(contents(&names, page, owners)),
        ..Default::default()
    }
}

pub(super) fn create_multipart_upload(
    x: &Exchange,
    head: &Head,
    begun: Begun,
) -> dto::CreateMultipartUploadOutput {
    let address = Address::of(&x.head);
    dto::CreateMultipartUploadOutput {
        bucket: bucket(head),
        key: address.key,
        upload_id: Some(begun.upload_id),
        server_side_encryption: Some(encryption()),
        checksum_algorithm: begun.checksum.map(|(algorithm, _)| algorithm_name(algorithm)),
        checksum_type: begun.checksum.map(|(_, kind)| kind_name(kind)),
        ..Default::default()
    }
}

pub(super) fn upload_part(_: &Exchange, _: &Head, part: Part) -> dto::UploadPartOutput {
    let mut output = dto::UploadPartOutput {
        e_tag: Some(etag(part.etag())),
        server_side_encryption: Some(encryption()),
        ..Default::default()
    };
    set_checksum!(output, part.checksum);
    output
}

pub(super) fn upload_part_copy(_: &Exchange, _: &Head, part: Part) -> dto::UploadPartCopyOutput {
    let mut result = dto::CopyPartResult {
        e_tag: Some(etag(part.etag())),
        last_modified: Some(time(part.last_modified)),
        ..Default::default()
    };
    set_checksum!(result, part.checksum);
    dto::UploadPartCopyOutput {
        copy_part_result: Some(result),
        server_side_encryption: Some(encryption()),
        ..Default::default()
    }
}

pub(super) fn complete_multipart_upload(
    x: &Exchange,
    _: &Head,
    written: Written,
) -> dto::CompleteMultipartUploadOutput {
    let address = Address::of(&x.head);
    let (bucket, key) = (address.bucket.unwrap_or_default(), address.key.unwrap_or_default());
    let region = x.authenticated.region.as_deref().unwrap_or("us-east-1");
    let mut output = dto::CompleteMultipartUploadOutput {
        location: Some(format!("https://{bucket}.s3.{region}.amazonaws.com/{}", encode(&key))),
        bucket: Some(bucket),
        key: Some(key),
        e_tag: Some(etag(written.etag)),
        server_side_encryption: Some(encryption()),
        checksum_type: Some(kind(&written.checksum)),
        ..Default::default()
    };
    set_checksum!(output, Some(written.checksum));
    output
}

pub(super) fn abort_multipart_upload(_: &Exchange, _: &Head, (): ()) -> dto::AbortMultipartUploadOutput {
    dto::AbortMultipartUploadOutput::default()
}

pub(super) fn list_parts(x: &Exchange, head: &Head, page: PartsPage) -> dto::ListPartsOutput {
    let address = Address::of(&x.head);
    let PartsPage { parts, truncated, upload, owner_canonical_id } = page;
    let last = parts.last().map_or(0, |(number, _)| *number);
    let parts = parts.into_iter().map(|(number, part)| {
        let mut listed = dto::Part {
            e_tag: Some(etag(part.etag())),
            last_modified: Some(time(part.last_modified)),
            part_number: Some(number),
            size: i64::try_from(part.content.len()).ok(),
            ..Default::default()
        };
        set_checksum!(listed, part.checksum.filter(|_| upload.checksum.is_some()));
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
        owner: Some(owner(&owner_canonical_id)),
        initiator: upload.initiator.as_ref().map(|(arn, _)| initiator(arn)),
        storage_class: Some(storage_class(&upload.headers).into()),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| algorithm_name(algorithm)),
        checksum_type: upload.checksum.map(|(_, kind)| kind_name(kind)),
        ..Default::default()
    }
}

pub(super) fn list_multipart_uploads(
    _: &Exchange,
    head: &Head,
    page: UploadsPage,
) -> dto::ListMultipartUploadsOutput {
    let names = Names::of(head);
    let UploadsPage { uploads, truncated, owner_canonical_id } = page;
    let (next_key, next_id) = match uploads.last() {
        Some((key, id, _)) => (names.write(key), id.clone()),
        None => Default::default(),
    };
    let uploads = uploads.into_iter().map(|(key, id, upload)| dto::MultipartUpload {
        key: Some(names.write(&key)),
        upload_id: Some(id),
        initiated: Some(time(upload.initiated_at)),
        initiator: upload.initiator.as_ref().map(|(arn, _)| initiator(arn)),
        owner: Some(owner(&owner_canonical_id)),
        storage_class: Some(storage_class(&upload.headers).into()),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| algorithm_name(algorithm)),
        checksum_type: upload.checksum.map(|(_, kind)| kind_name(kind)),
    });
    dto::ListMultipartUploadsOutput {
        bucket: bucket(head),
        prefix: head.parameter("prefix").map(|prefix| names.write(prefix)),
        key_marker: Some(names.write(head.parameter("key-marker").unwrap_or_default())),
        upload_id_marker: Some(head.parameter("upload-id-marker").unwrap_or_default().to_owned()),
        next_key_marker: Some(next_key),
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

/// How names are written into a listing.
enum Names {
    Plain,
    /// `encoding-type=url`: form encoding, where a space is `+` and `/` stays.
    Url,
}

impl Names {
    fn of(head: &Head) -> Self {
        match head.parameter("encoding-type") {
            Some("url") => Self::Url,
            _ => Self::Plain,
        }
    }

    fn write(&self, name: &str) -> String {
        match self {
            Self::Plain => name.to_owned(),
            Self::Url => encode(name).replace("%20", "+").replace("%2F", "/"),
        }
    }

    fn encoding(&self) -> Option<dto::EncodingType> {
        match self {
            Self::Plain => None,
            Self::Url => Some(dto::EncodingType::from_static(dto::EncodingType::URL)),
        }
    }
}

/// Whether a listing tells whose objects they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owners {
    Shown,
    Hidden,
}

fn contents(names: &Names, page: Page, owners: Owners) -> Vec<dto::Object> {
    let Page { objects, owner_canonical_id, .. } = page;
    let list = objects.iter().map(|(key, object)| dto::Object {
        checksum_algorithm: Some(vec![algorithm_name(object.checksum.algorithm)]),
        checksum_type: Some(kind(&object.checksum)),
        e_tag: Some(etag(object.etag.as_str())),
        key: Some(names.write(key)),
        last_modified: Some(time(object.last_modified)),
        owner: (owners == Owners::Shown).then(|| owner(&owner_canonical_id)),
        restore_status: None,
        size: i64::try_from(object.content.len()).ok(),
        storage_class: Some(storage_class(&object.headers).into()),
    });
    list.collect()
}

fn prefixes(names: &Names, page: &Page) -> Vec<dto::CommonPrefix> {
    page.common_prefixes
        .iter()
        .map(|prefix| dto::CommonPrefix { prefix: Some(names.write(prefix)) })
        .collect()
}

fn bucket(head: &Head) -> Option<String> {
    Address::of(head).bucket
}

fn owner(canonical_id: &str) -> dto::Owner {
    dto::Owner { display_name: None, id: Some(canonical_id.to_owned()) }
}

fn initiator(arn: &str) -> dto::Initiator {
    let name = arn.rsplit(['/', ':']).next().unwrap_or_default();
    dto::Initiator { display_name: Some(name.to_owned()), id: Some(arn.to_owned()) }
}

/// Listings name the class of every object, reads only one that is not `STANDARD`.
fn storage_class(headers: &ObjectHeaders) -> String {
    headers.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned())
}

fn etag(value: impl Into<String>) -> dto::ETag {
    dto::ETag::Strong(value.into())
}

fn time(instant: Timestamp) -> dto::Timestamp {
    dto::Timestamp::from(SystemTime::from(instant))
}

/// Every object is encrypted with keys that S3 manages; nothing else is taken yet.
fn encryption() -> dto::ServerSideEncryption {
    dto::ServerSideEncryption::from_static(dto::ServerSideEncryption::AES256)
}

fn kind(checksum: &Checksum) -> dto::ChecksumType {
    kind_name(checksum.kind)
}

fn kind_name(kind: ChecksumKind) -> dto::ChecksumType {
    dto::ChecksumType::from_static(kind.name())
}

fn algorithm_name(algorithm: ChecksumAlgorithm) -> dto::ChecksumAlgorithm {
    dto::ChecksumAlgorithm::from_static(algorithm.name())
}

fn wants_checksum(head: &Head) -> bool {
    head.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"))
}
