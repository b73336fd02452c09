//! Refusals that `s3s` makes itself, in AWS's words: it sends no ids, no resource and messages of its own.

use bytes::Bytes;
use http::StatusCode;

use crate::error::AwsError;
use crate::exchange::Address;
use crate::head::{Head, decode};
use crate::s3::bucket::is_bucket_name;

/// The refusal that AWS would make of `head` where `s3s` answered `status` with `body`.
pub(crate) fn reword(status: StatusCode, body: &Bytes, head: &Head) -> AwsError {
    let text = String::from_utf8_lossy(body);
    let element = |name: &str| {
        let start = text.find(&format!("<{name}>"))? + name.len() + 2;
        let end = text.get(start..)?.find(&format!("</{name}>"))? + start;
        let value = quick_xml::escape::unescape(text.get(start..end)?).ok()?;
        Some(value.into_owned())
    };
    let address = Address::of(head);
    let code = element("Code").unwrap_or_else(|| "InternalError".to_owned());
    let message = element("Message").unwrap_or_default();
    match code.as_str() {
        "InvalidBucketName" => AwsError::invalid_bucket_name(address.bucket.as_deref().unwrap_or_default()),
        "InvalidURI" => AwsError::invalid_uri(head.uri.path()),
        "KeyTooLongError" => AwsError::key_too_long(address.key.map_or(0, |key| key.len())),
        "MalformedXML" if head.parameter("acl").is_some() => AwsError::malformed_acl(),
        "MalformedXML" => AwsError::malformed_xml(),
        "NotImplemented" => AwsError::not_implemented(refused_operation(&message, head)),
        "InternalError" => AwsError::internal(),
        "InvalidRequest" if message.ends_with("x-amz-object-attributes") => {
            AwsError::missing_object_attributes()
        }
        // A header without a value counts as missing there.
        "InvalidRequest" if message.ends_with("x-amz-copy-source") => {
            copy_source_defect("").unwrap_or_else(|| AwsError::new(status, code, message))
        }
        "InvalidArgument" => {
            parameter(&message, head).unwrap_or_else(|| AwsError::new(status, code, message))
        }
        _ => AwsError::new(status, code, message),
    }
}

/// What was asked for, as exactly as it is known.
fn refused_operation(message: &str, head: &Head) -> String {
    match message.strip_suffix(" is not implemented yet") {
        Some(operation) => format!("the operation `{operation}`"),
        None => format!("the request `{} {}`", head.method, head.uri.path()),
    }
}

/// `invalid query: NAME: VALUE` and `invalid header: NAME: "VALUE"`.
fn parameter(message: &str, head: &Head) -> Option<AwsError> {
    let name = |kind: &str| message.strip_prefix(kind)?.split(':').next();
    if let Some(name) = name("invalid query: ") {
        let value = head.parameter(name)?;
        if name == "partNumber" {
            return Some(AwsError::invalid_part_number(value));
        }
        let text = format!("Provided {name} not an integer or within integer range");
        return Some(AwsError::invalid_argument(text, name, value));
    }
    let name = name("invalid header: ")?;
    let value = head.header(name)?;
    if name == "x-amz-copy-source" {
        let unreadable = || AwsError::invalid_argument("Invalid copy source encoding", name, name);
        return Some(copy_source_defect(value).unwrap_or_else(unreadable));
    }
    Some(AwsError::invalid_argument(format!("The value of {name} is invalid"), name, value))
}

/// What is wrong with the source of a copy. AWS repeats the name of the header, not its value.
pub(super) fn copy_source_defect(source: &str) -> Option<AwsError> {
    const HEADER: &str = "x-amz-copy-source";
    let (path, _) = source.split_once('?').unwrap_or((source, ""));
    if path.starts_with("arn:") {
        return Some(AwsError::not_implemented("a copy from an access point"));
    }
    let text = match decode(path).trim_start_matches('/').split_once('/') {
        None | Some((_, "")) => "Invalid copy source object key",
        Some((bucket, _)) if !is_bucket_name(bucket) => "Invalid copy source bucket name",
        Some(_) if !is_encoded(path) => "Invalid copy source encoding",
        Some(_) => return None,
    };
    Some(AwsError::invalid_argument(text, HEADER, HEADER))
}

/// Whether every `%` begins the code of a byte, and the bytes are UTF-8.
fn is_encoded(text: &str) -> bool {
    let is_byte = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    text.split('%').skip(1).all(is_byte) && percent_encoding::percent_decode_str(text).decode_utf8().is_ok()
}
