//! From the parsed input of `s3s` to our operations.

mod acl;
mod attributes;
mod buckets;
mod configuration;
mod encryption;
mod form;
mod lifecycle;
mod listing;
mod multipart;
mod object_lock;
mod objects;
mod settings;
mod tagging;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::dto;

use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::checksum::{ChecksumAlgorithm, ChecksumKind, Claims};
use crate::s3::conditions::{ReadConditions, WriteCondition};
use crate::s3::copy::Source;
use crate::s3::metadata;
use crate::s3::object::WriteSettings;
use crate::s3::object_lock::LockHeaders;
use crate::state::ObjectHeaders;

pub(super) use acl::*;
pub(super) use attributes::*;
pub(super) use buckets::*;
pub(super) use configuration::*;
pub(super) use form::*;
pub(super) use lifecycle::*;
pub(super) use listing::*;
pub(super) use multipart::*;
pub(super) use object_lock::*;
pub(super) use objects::*;
pub(super) use settings::*;
pub(super) use tagging::*;

use super::reword::copy_source_defect;
use encryption::{customer_key, requested_encryption, requester, source_customer_key};

type Decoded<T> = Result<T, AwsError>;

fn source(source: dto::CopySource, x: &Exchange, head: &Head) -> Decoded<Source> {
    if let Some(defect) = head.header("x-amz-copy-source").and_then(copy_source_defect) {
        return Err(defect);
    }
    match source {
        dto::CopySource::Bucket { bucket, key, version_id } => Ok(Source {
            bucket: bucket.into(),
            key: key.into(),
            version_id: version_id.map(Into::into),
            given: head.header("x-amz-copy-source").map(crate::head::decode).unwrap_or_default().into_owned(),
            conditions: read_conditions(head, "x-amz-copy-source-"),
            expected_owner: text(head, "x-amz-source-expected-bucket-owner"),
            customer_key: source_customer_key(head),
            requester: requester(x),
        }),
        _ => Err(AwsError::not_implemented("a copy from an access point")),
    }
}

/// Continuation tokens are opaque; ours carry the last name of the page.
pub(super) fn token(after: &str) -> String {
    STANDARD.encode(after)
}

fn parse_token(token: &str) -> Decoded<String> {
    let name = STANDARD.decode(token).ok().and_then(|raw| String::from_utf8(raw).ok());
    name.filter(|name| !name.is_empty()).ok_or_else(|| {
        AwsError::unshown_argument("The continuation token provided is incorrect", "continuation-token")
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

/// An instant of a document, as `s3s` read it.
fn instant(time: &dto::Timestamp) -> Decoded<jiff::Timestamp> {
    let mut text = Vec::new();
    time.format(dto::TimestampFormat::DateTime, &mut text).map_err(|_| AwsError::malformed_xml())?;
    let text = String::from_utf8(text).map_err(|_| AwsError::malformed_xml())?;
    text.parse().map_err(|_| AwsError::malformed_xml())
}

/// What the headers say about an object that is to be written.
fn write_settings(x: &Exchange, head: &Head) -> WriteSettings {
    let metadata = head.headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-amz-meta-")?;
        let value = String::from_utf8_lossy(value.as_bytes());
        // The fields of a form can hold any text and are taken as they are (recorded).
        let value = if x.form.is_some() { value.into_owned() } else { metadata::decode(&value) };
        Some((name.to_owned(), value))
    });
    // `aws-chunked` framed the body and is not part of the object.
    let content_encoding = head.header("content-encoding").map(|encoding| {
        let kept = encoding.split(',').filter(|part| part.trim() != "aws-chunked");
        kept.collect::<Vec<_>>().join(",").trim().to_owned()
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
        acl: acl_headers(head),
        encryption: requested_encryption(x, head),
        redirect: text(head, "x-amz-website-redirect-location").filter(|to| !to.is_empty()),
        tags: head
            .header("x-amz-tagging")
            .filter(|tags| !tags.is_empty())
            .map(crate::s3::tagging::parse_header),
        storage_class: text(head, "x-amz-storage-class"),
        lock: LockHeaders::of(|name| text(head, name), x.clock.now()),
    }
}

fn write_condition(head: &Head) -> Decoded<WriteCondition> {
    WriteCondition::parse(head.header("if-match"), head.header("if-none-match"))
}

fn read_conditions(head: &Head, prefix: &str) -> ReadConditions {
    let header = |name: &str| {
        if prefix.is_empty() { head.header(name) } else { head.header(&format!("{prefix}{name}")) }
    };
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

/// Headers of checksums that AWS takes and the emulator does not.
const UNKNOWN_CHECKSUMS: [&str; 5] = [
    "x-amz-checksum-sha512",
    "x-amz-checksum-md5",
    "x-amz-checksum-xxhash64",
    "x-amz-checksum-xxhash3",
    "x-amz-checksum-xxhash128",
];

/// What the client claims about the body, in headers or trailers.
fn claims(x: &Exchange, head: &Head) -> Decoded<Claims> {
    check_single(head)?;
    let checksums = ChecksumAlgorithm::ALL
        .into_iter()
        .filter_map(|algorithm| Some((algorithm, x.header_or_trailer(head, algorithm.header())?.to_owned())));
    for header in UNKNOWN_CHECKSUMS {
        if x.header_or_trailer(head, header).is_some() {
            return Err(AwsError::not_implemented(format!("the checksum header `{header}`")));
        }
    }
    let checksums: Vec<_> = checksums.collect();
    check_sdk_algorithm(head, &checksums)?;
    Ok(Claims { content_md5: text(head, "content-md5"), checksums })
}

/// A checksum may stand in the head only once; AWS complains about the second (seen there).
fn check_single(head: &Head) -> Decoded<()> {
    for algorithm in ChecksumAlgorithm::ALL {
        let header = algorithm.header();
        if head.header(header).is_none() {
            continue;
        }
        if let Some(second) = head.headers.get_all(header).iter().nth(1) {
            let value = String::from_utf8_lossy(second.as_bytes()).into_owned();
            return Err(AwsError::invalid_argument("Only one value may be specified.", header, value));
        }
    }
    Ok(())
}

/// What SDKs say about the checksum that they send: there must be one, of that algorithm.
///
/// Source: seen on AWS, where names in any case are taken.
fn check_sdk_algorithm(head: &Head, checksums: &[(ChecksumAlgorithm, String)]) -> Decoded<()> {
    let Some(said) = head.header("x-amz-sdk-checksum-algorithm") else { return Ok(()) };
    let text = match checksums.first() {
        None => {
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers \
             were found."
        }
        Some((sent, _)) if !sent.name().eq_ignore_ascii_case(said) => {
            "Value for x-amz-sdk-checksum-algorithm header is invalid."
        }
        Some(_) => return Ok(()),
    };
    Err(AwsError::invalid_request(text))
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

/// Whether a read asks for the checksum.
pub(super) fn wants_checksum(head: &Head) -> bool {
    head.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"))
}
