//! From the parsed input of `s3s` to our operations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::dto;

use super::headers;
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::bucket::{CreateBucket, DeleteBucket, GetBucketLocation, HeadBucket, ListBuckets, is_region};
use crate::s3::checksum::{ChecksumAlgorithm, ChecksumKind, Claims, DigestForm};
use crate::s3::conditions::{ReadConditions, WriteCondition};
use crate::s3::copy::{CopyObject, MetadataDirective, Source};
use crate::s3::list::{ListObjects, ListObjectsV2, Listing};
use crate::s3::list_uploads::{ListMultipartUploads, ListParts};
use crate::s3::metadata;
use crate::s3::multipart::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, ListedPart, UploadPart,
    UploadPartCopy, UploadRef,
};
use crate::s3::object::{DeleteObject, PutObject, WriteSettings};
use crate::s3::policy::{DeleteBucketPolicy, GetBucketPolicy, PutBucketPolicy};
use crate::s3::read::{GetObject, HeadObject, Read};
use crate::state::ObjectHeaders;

type Decoded<T> = Result<T, AwsError>;

/// The most keys of one `DeleteObjects`.
const DELETE_KEYS_MAX: usize = 1000;

pub(super) fn put_object(x: &Exchange, head: &Head, input: dto::PutObjectInput) -> Decoded<PutObject> {
    let settings = write_settings(head);
    Ok(PutObject {
        upload: claims(x, head)?.check(x.body.clone(), DigestForm::Hex),
        condition: write_condition(head)?,
        bucket: input.bucket,
        key: input.key,
        settings,
    })
}

pub(super) fn get_object(x: &Exchange, head: &Head, input: dto::GetObjectInput) -> Decoded<GetObject> {
    headers::check_overrides(x, head)?;
    Ok(GetObject(read(head, input.bucket, input.key, input.version_id, input.part_number)))
}

pub(super) fn head_object(x: &Exchange, head: &Head, input: dto::HeadObjectInput) -> Decoded<HeadObject> {
    headers::check_overrides(x, head)?;
    Ok(HeadObject(read(head, input.bucket, input.key, input.version_id, input.part_number)))
}

fn read(
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
    }
}

pub(super) fn delete_object(
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
    })
}

/// The keys to delete, and whether only errors are to be told.
pub(super) fn delete_objects(
    x: &Exchange,
    head: &Head,
    input: dto::DeleteObjectsInput,
) -> Decoded<(Vec<DeleteObject>, bool)> {
    let claims = claims(x, head)?;
    if claims.content_md5.is_none() && claims.checksums.is_empty() {
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
        Ok(DeleteObject { bucket: bucket.clone(), key, version_id, condition })
    });
    Ok((objects.collect::<Decoded<_>>()?, input.delete.quiet.unwrap_or_default()))
}

pub(super) fn copy_object(_: &Exchange, head: &Head, input: dto::CopyObjectInput) -> Decoded<CopyObject> {
    let directive = match head.header("x-amz-metadata-directive") {
        None | Some("COPY") => MetadataDirective::Copy,
        Some("REPLACE") => MetadataDirective::Replace,
        Some(other) => {
            return Err(AwsError::invalid_argument(
                "Unknown metadata directive.",
                "x-amz-metadata-directive",
                other,
            ));
        }
    };
    if head.header("x-amz-tagging-directive").is_some_and(|directive| directive != "COPY") {
        return Err(AwsError::not_implemented("the header `x-amz-tagging-directive`"));
    }
    let settings = write_settings(head);
    Ok(CopyObject {
        source: source(input.copy_source, head)?,
        bucket: input.bucket,
        key: input.key,
        directive,
        settings,
        condition: write_condition(head)?,
        checksum: algorithm(head, "x-amz-checksum-algorithm")?,
    })
}

fn source(source: dto::CopySource, head: &Head) -> Decoded<Source> {
    match source {
        dto::CopySource::Bucket { bucket, key, version_id } => Ok(Source {
            bucket: bucket.into(),
            key: key.into(),
            version_id: version_id.map(Into::into),
            conditions: read_conditions(head, "x-amz-copy-source-"),
            expected_owner: text(head, "x-amz-source-expected-bucket-owner"),
        }),
        _ => Err(AwsError::not_implemented("a copy from an access point")),
    }
}

pub(super) fn create_bucket(
    x: &Exchange,
    head: &Head,
    input: dto::CreateBucketInput,
) -> Decoded<CreateBucket> {
    if head.header("x-amz-acl").is_some_and(|acl| acl != "private") {
        let text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
        return Err(AwsError::new(
            http::StatusCode::BAD_REQUEST,
            "InvalidBucketAclWithObjectOwnership",
            text,
        ));
    }
    let configuration = input.create_bucket_configuration;
    if let Some(configuration) = &configuration {
        if configuration.bucket.is_some() || configuration.location.is_some() {
            return Err(AwsError::not_implemented("a directory bucket"));
        }
        // The parser drops what it does not know, and tags are among that.
        if String::from_utf8_lossy(&x.body).contains("<Tags") {
            return Err(AwsError::not_implemented("tags of a bucket"));
        }
    }
    Ok(CreateBucket {
        bucket: input.bucket,
        endpoint_region: x.authenticated.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
        location_constraint: configuration
            .and_then(|configuration| configuration.location_constraint)
            .map(|constraint| constraint.as_str().to_owned()),
    })
}

pub(super) fn head_bucket(_: &Exchange, _: &Head, input: dto::HeadBucketInput) -> HeadBucket {
    HeadBucket { bucket: input.bucket }
}

pub(super) fn get_bucket_location(
    _: &Exchange,
    _: &Head,
    input: dto::GetBucketLocationInput,
) -> GetBucketLocation {
    GetBucketLocation { bucket: input.bucket }
}

pub(super) fn delete_bucket(_: &Exchange, _: &Head, input: dto::DeleteBucketInput) -> DeleteBucket {
    DeleteBucket { bucket: input.bucket }
}

pub(super) fn list_buckets(_: &Exchange, _: &Head, input: dto::ListBucketsInput) -> Decoded<ListBuckets> {
    let max_buckets = match input.max_buckets {
        None => 10_000,
        Some(asked) => {
            usize::try_from(asked).ok().filter(|asked| (1..=10_000).contains(asked)).ok_or_else(|| {
                let text = "Argument max-buckets must be an integer between 1 and 10000";
                AwsError::invalid_argument(text, "max-buckets", asked.to_string())
            })?
        }
    };
    if let Some(region) = &input.bucket_region
        && !is_region(region)
    {
        let text = format!("Argument value {region} is not a valid AWS Region");
        return Err(AwsError::invalid_argument(text, "bucket-region", region.as_str()));
    }
    Ok(ListBuckets {
        prefix: input.prefix,
        region: input.bucket_region,
        after: input.continuation_token.as_deref().map(parse_token).transpose()?,
        max_buckets,
    })
}

pub(super) fn put_bucket_policy(
    x: &Exchange,
    head: &Head,
    input: dto::PutBucketPolicyInput,
) -> Decoded<PutBucketPolicy> {
    claims(x, head)?.check(x.body.clone(), DigestForm::Hex)?;
    let text = String::from_utf8_lossy(&x.body).into_owned();
    Ok(PutBucketPolicy { bucket: input.bucket, text })
}

pub(super) fn get_bucket_policy(_: &Exchange, _: &Head, input: dto::GetBucketPolicyInput) -> GetBucketPolicy {
    GetBucketPolicy { bucket: input.bucket }
}

pub(super) fn delete_bucket_policy(
    _: &Exchange,
    _: &Head,
    input: dto::DeleteBucketPolicyInput,
) -> DeleteBucketPolicy {
    DeleteBucketPolicy { bucket: input.bucket }
}

pub(super) fn list_objects(_: &Exchange, head: &Head, input: dto::ListObjectsInput) -> Decoded<ListObjects> {
    encoding(head)?;
    Ok(ListObjects(Listing {
        bucket: input.bucket,
        prefix: input.prefix,
        delimiter: input.delimiter,
        after: input.marker,
        max_keys: input.max_keys,
    }))
}

pub(super) fn list_objects_v2(
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

pub(super) fn create_multipart_upload(
    _: &Exchange,
    head: &Head,
    input: dto::CreateMultipartUploadInput,
) -> Decoded<CreateMultipartUpload> {
    let settings = write_settings(head);
    Ok(CreateMultipartUpload {
        bucket: input.bucket,
        key: input.key,
        settings,
        algorithm: algorithm(head, "x-amz-checksum-algorithm")?,
        kind: checksum_kind(head)?,
    })
}

pub(super) fn upload_part(x: &Exchange, head: &Head, input: dto::UploadPartInput) -> Decoded<UploadPart> {
    let claims = claims(x, head)?;
    Ok(UploadPart {
        sent: claims.checksums.first().map(|(algorithm, _)| *algorithm),
        body: claims.check(x.body.clone(), DigestForm::Base64),
        upload: UploadRef { bucket: input.bucket, key: input.key, upload_id: input.upload_id },
        number: input.part_number,
    })
}

pub(super) fn upload_part_copy(
    _: &Exchange,
    head: &Head,
    input: dto::UploadPartCopyInput,
) -> Decoded<UploadPartCopy> {
    Ok(UploadPartCopy {
        upload: UploadRef { bucket: input.bucket, key: input.key, upload_id: input.upload_id },
        number: input.part_number,
        source: source(input.copy_source, head)?,
        range: text(head, "x-amz-copy-source-range"),
    })
}

pub(super) fn complete_multipart_upload(
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
        upload: UploadRef { bucket: input.bucket, key: input.key, upload_id: input.upload_id },
        parts: parts.collect::<Decoded<Vec<ListedPart>>>()?,
        condition: write_condition(head)?,
        kind: checksum_kind(head)?,
        claimed: claims(x, head)?.checksums.into_iter().next(),
        claimed_bytes,
    })
}

pub(super) fn abort_multipart_upload(
    _: &Exchange,
    _: &Head,
    input: dto::AbortMultipartUploadInput,
) -> AbortMultipartUpload {
    let upload = UploadRef { bucket: input.bucket, key: input.key, upload_id: input.upload_id };
    AbortMultipartUpload(upload)
}

pub(super) fn list_parts(_: &Exchange, _: &Head, input: dto::ListPartsInput) -> Decoded<ListParts> {
    Ok(ListParts {
        upload: UploadRef { bucket: input.bucket, key: input.key, upload_id: input.upload_id },
        max_parts: page_size(input.max_parts, "max-parts")?,
        after: input.part_number_marker.unwrap_or_default(),
    })
}

pub(super) fn list_multipart_uploads(
    _: &Exchange,
    head: &Head,
    input: dto::ListMultipartUploadsInput,
) -> Decoded<ListMultipartUploads> {
    encoding(head)?;
    if input.delimiter.is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(AwsError::not_implemented("a delimiter in ListMultipartUploads"));
    }
    let key_marker = input.key_marker.filter(|marker| !marker.is_empty());
    Ok(ListMultipartUploads {
        bucket: input.bucket,
        prefix: input.prefix.unwrap_or_default(),
        max_uploads: page_size(input.max_uploads, "max-uploads")?,
        after: key_marker.map(|key| (key, input.upload_id_marker.filter(|marker| !marker.is_empty()))),
    })
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

/// Continuation tokens are opaque; ours carry the last name of the page.
pub(super) fn token(after: &str) -> String {
    STANDARD.encode(after)
}

fn parse_token(token: &str) -> Decoded<String> {
    let name = STANDARD.decode(token).ok().and_then(|raw| String::from_utf8(raw).ok());
    name.filter(|name| !name.is_empty()).ok_or_else(|| {
        AwsError::invalid_argument(
            "The continuation token provided is incorrect",
            "continuation-token",
            token,
        )
    })
}

/// The only encoding of names in listings is `url`.
fn encoding(head: &Head) -> Decoded<()> {
    match head.parameter("encoding-type") {
        None | Some("url") => Ok(()),
        Some(other) => Err(AwsError::invalid_argument(
            "Invalid Encoding Method specified in Request",
            "encoding-type",
            other,
        )),
    }
}

fn text(head: &Head, name: &str) -> Option<String> {
    head.header(name).map(str::to_owned)
}

/// What the headers say about an object that is to be written.
fn write_settings(head: &Head) -> WriteSettings {
    let metadata = head.headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-amz-meta-")?;
        Some((name.to_owned(), metadata::decode(&String::from_utf8_lossy(value.as_bytes()))))
    });
    // `aws-chunked` framed the body and is not part of the object.
    let content_encoding = head.header("content-encoding").map(|encoding| {
        let kept = encoding.split(',').map(str::trim).filter(|part| *part != "aws-chunked");
        kept.collect::<Vec<_>>().join(",")
    });
    WriteSettings {
        headers: ObjectHeaders {
            content_type: text(head, "content-type").filter(|content_type| !content_type.is_empty()),
            cache_control: text(head, "cache-control"),
            content_disposition: text(head, "content-disposition"),
            content_encoding: content_encoding.filter(|encoding| !encoding.is_empty()),
            content_language: text(head, "content-language"),
            expires: text(head, "expires"),
            metadata: metadata.collect(),
            // `STANDARD` is what an object has when nothing is said.
            storage_class: text(head, "x-amz-storage-class").filter(|class| class != "STANDARD"),
        },
        acl: text(head, "x-amz-acl"),
        encryption: text(head, "x-amz-server-side-encryption"),
    }
}

fn write_condition(head: &Head) -> Decoded<WriteCondition> {
    WriteCondition::parse(head.header("if-match"), head.header("if-none-match"))
}

fn read_conditions(head: &Head, prefix: &str) -> ReadConditions {
    let header = |name: &str| head.header(&format!("{prefix}{name}"));
    let date = |name: &str| {
        header(name).and_then(|text| jiff::fmt::rfc2822::parse(text).ok()).map(|zoned| zoned.timestamp())
    };
    ReadConditions {
        matching: header("if-match").map(str::to_owned),
        not_matching: header("if-none-match").map(str::to_owned),
        modified_since: date("if-modified-since"),
        unmodified_since: date("if-unmodified-since"),
    }
}

/// What the client claims about the body, in headers or trailers.
fn claims(x: &Exchange, head: &Head) -> Decoded<Claims> {
    let checksums = ChecksumAlgorithm::ALL.into_iter().filter_map(|algorithm| {
        let header = format!("x-amz-checksum-{}", algorithm.name().to_ascii_lowercase());
        Some((algorithm, x.header_or_trailer(head, &header)?.to_owned()))
    });
    for unknown in ["sha512", "md5", "xxhash64", "xxhash3", "xxhash128"] {
        let header = format!("x-amz-checksum-{unknown}");
        if x.header_or_trailer(head, &header).is_some() {
            return Err(AwsError::not_implemented(format!("the checksum header `{header}`")));
        }
    }
    Ok(Claims { content_md5: text(head, "content-md5"), checksums: checksums.collect() })
}

fn algorithm(head: &Head, header: &str) -> Decoded<Option<ChecksumAlgorithm>> {
    head.header(header).map(ChecksumAlgorithm::parse).transpose()
}

fn checksum_kind(head: &Head) -> Decoded<Option<ChecksumKind>> {
    match head.header("x-amz-checksum-type") {
        None => Ok(None),
        Some("COMPOSITE") => Ok(Some(ChecksumKind::Composite)),
        Some("FULL_OBJECT") => Ok(Some(ChecksumKind::FullObject)),
        Some(_) => Err(AwsError::invalid_request("Value for x-amz-checksum-type header is invalid.")),
    }
}
