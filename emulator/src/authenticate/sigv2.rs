//! Presigned URLs of Signature Version 2, which SDKs still make by default in the oldest regions.
//!
//! Header authentication of Version 2 is refused by name. Source: AWS "Signing and authenticating REST requests
//! (signature version 2)".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::head::Head;

/// The regions where AWS still takes Version 2.
const REGIONS: [&str; 8] = [
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
];

/// The query parameters that are part of the resource in the string to sign.
const SUBRESOURCES: [&str; 27] = [
    "acl",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "partNumber",
    "policy",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
    "accelerate",
    "replication",
];

/// Whether AWS takes Version 2 in `region`.
pub(crate) fn is_taken_in(region: &str) -> bool {
    REGIONS.contains(&region)
}

/// The string to sign of a presigned URL; `bucket` is the one named by a virtual-hosted host, if any.
pub(crate) fn string_to_sign(head: &Head, expires: &str, bucket: Option<&str>) -> String {
    let mut amz: Vec<(String, String)> = head
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-amz-"))
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
        })
        .collect();
    let in_query = head.query.iter().filter(|(name, _)| name.starts_with("x-amz-"));
    amz.extend(in_query.map(|(name, value)| (name.to_owned(), value.to_owned())));
    amz.sort();
    let mut canonical = String::new();
    for (name, value) in &amz {
        canonical.extend([name, ":", value, "\n"]);
    }

    let mut resource = bucket.map(|bucket| format!("/{bucket}")).unwrap_or_default();
    resource.push_str(head.uri.path());
    let mut parameters: Vec<(&str, &str)> =
        head.query.iter().filter(|(name, _)| SUBRESOURCES.contains(name)).collect();
    parameters.sort_unstable();
    for (index, (name, value)) in parameters.into_iter().enumerate() {
        resource.push(if index == 0 { '?' } else { '&' });
        resource.push_str(name);
        if !value.is_empty() {
            resource.push('=');
            resource.push_str(value);
        }
    }
    format!(
        "{}\n{}\n{}\n{expires}\n{canonical}{resource}",
        head.method,
        head.header("content-md5").unwrap_or_default(),
        head.header("content-type").unwrap_or_default(),
    )
}

/// The signature, base64.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(crate) fn sign(secret: &str, string_to_sign: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(string_to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
