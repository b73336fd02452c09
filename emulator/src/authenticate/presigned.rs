//! Presigned URLs, both signature versions.

use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;

use super::payload::Payload;
use super::sigv4::{ALGORITHM, Credential};
use super::{Authenticated, Carrier, SKEW_S3, Verifier, announced_payload, sigv2, split_headers};
use crate::error::AwsError;
use crate::instant;
use crate::service::Service;

/// A week, the longest a URL may live.
const EXPIRES_SECS_MAX: i64 = 604_800;

pub(super) fn version_4(verifier: &Verifier<'_>) -> Result<Authenticated, AwsError> {
    let head = verifier.head;
    let required = |name: &str| {
        head.parameter(name).ok_or_else(|| {
            AwsError::query_parameters(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            )
        })
    };
    let algorithm = required("X-Amz-Algorithm")?;
    let credential = required("X-Amz-Credential")?;
    let signature = required("X-Amz-Signature")?;
    let date = required("X-Amz-Date")?;
    let signed_headers = split_headers(required("X-Amz-SignedHeaders")?);
    let expires = required("X-Amz-Expires")?;
    if algorithm != ALGORITHM {
        return Err(AwsError::query_parameters("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
    }
    let credential = Credential::parse(credential).ok_or_else(|| {
        AwsError::query_parameters(
            "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \
             \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        )
    })?;
    verifier.check_scope(&credential, Carrier::Query)?;
    let signed_at = instant::parse_basic(date).ok_or_else(|| {
        AwsError::query_parameters("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    })?;
    let lifetime_secs = lifetime(expires)?;
    verifier.check_all_signed(&signed_headers, Carrier::Query)?;
    // A signed header overrides the query parameter.
    let token = head.header("x-amz-security-token").or_else(|| head.parameter("X-Amz-Security-Token"));
    let key = verifier.key(&credential.access_key_id, token)?;
    if signed_at.duration_since(verifier.now) > SKEW_S3 {
        return Err(AwsError::access_denied("Request is not valid yet"));
    }
    let expires_at =
        signed_at.saturating_add(SignedDuration::from_secs(lifetime_secs)).unwrap_or(Timestamp::MAX);
    if verifier.now > expires_at {
        return Err(match verifier.service {
            Service::S3 => AwsError::access_denied("Request has expired")
                .with("X-Amz-Expires", expires)
                .with("Expires", instant::extended(expires_at))
                .with("ServerTime", instant::extended(verifier.now)),
            _ => verifier.sts_expired(date),
        });
    }
    // On S3 a header that is present is signed by now; the other services always sign the hash of the body.
    let hash = head.header("x-amz-content-sha256").unwrap_or("UNSIGNED-PAYLOAD");
    let leave_out = Some("X-Amz-Signature");
    verifier.check_signature(&credential, key, date, &signed_headers, hash, signature, leave_out)?;
    verifier.check_stray_token(key)?;
    let payload = announced_payload(hash, &credential, key, date, signature)?;
    Ok(Authenticated {
        caller: verifier.caller(key)?,
        carrier: Some(Carrier::Query),
        region: Some(credential.scope.region),
        signed_at: Some(signed_at),
        payload,
    })
}

fn lifetime(expires: &str) -> Result<i64, AwsError> {
    let seconds: i64 =
        expires.parse().map_err(|_| AwsError::query_parameters("X-Amz-Expires should be a number"))?;
    if seconds < 0 {
        return Err(AwsError::query_parameters("X-Amz-Expires must be non-negative"));
    }
    if seconds > EXPIRES_SECS_MAX {
        return Err(AwsError::query_parameters(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
             than 604800 seconds",
        ));
    }
    Ok(seconds)
}

pub(super) fn version_2(verifier: &Verifier<'_>) -> Result<Authenticated, AwsError> {
    let head = verifier.head;
    let parameters =
        (head.parameter("AWSAccessKeyId"), head.parameter("Expires"), head.parameter("Signature"));
    let (Some(id), Some(expires), Some(signature)) = parameters else {
        return Err(AwsError::access_denied(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
        ));
    };
    let token = head.parameter("x-amz-security-token");
    let key = verifier.key(id, token)?;
    let expires_at =
        expires.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(
            || AwsError::access_denied(format!("Invalid date (should be seconds since epoch): {expires}")),
        )?;
    if verifier.now > expires_at {
        return Err(AwsError::access_denied("Request has expired")
            .with("Expires", instant::extended(expires_at))
            .with("ServerTime", instant::extended(verifier.now)));
    }
    let string_to_sign = sigv2::string_to_sign(head, expires, head.bucket_in_host.as_deref());
    let computed = sigv2::sign(key.secret.expose(), &string_to_sign);
    if !bool::from(computed.as_bytes().ct_eq(signature.as_bytes())) {
        return Err(verifier.mismatch(id, &string_to_sign, signature, None));
    }
    verifier.check_stray_token(key)?;
    Ok(Authenticated {
        caller: verifier.caller(key)?,
        carrier: Some(Carrier::QueryV2),
        // Version 2 signs no region; whether the bucket's region takes it is decided when the bucket is known.
        region: None,
        signed_at: None,
        payload: Payload::Unsigned,
    })
}

/// Whether a Version 2 signature is good for a bucket in `region`.
pub(crate) fn version_2_is_taken_in(region: &str) -> bool {
    sigv2::is_taken_in(region)
}
