//! Who sent this request, proven by its signature, on the emulator's clock.
//!
//! One verifier serves all services and all three carriers: the `Authorization` header, a presigned URL, and the
//! chunks of a streamed body. The order of the checks is AWS's, because it decides which of several errors a
//! client sees: scope, unsigned headers, token, key, expiry, issuer, signature, stray token.

mod hoisted;
mod incomplete;
mod payload;
mod post;
mod presigned;
mod sigv2;
mod sigv4;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use bucketproof_authz::{Context, Principal};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

pub(crate) use hoisted::{adopt_all, adopt_signed};
pub(crate) use payload::{ChunkSigner, Decoded, Payload};
pub(crate) use post::authenticate_form;
pub(crate) use presigned::version_2_is_taken_in;
pub(crate) use sigv4::{Credential, Scope, hex_of, hmac_sha256, sha256_hex};

use crate::addressing;
use crate::error::AwsError;
use crate::head::Head;
use crate::instant;
use crate::s3::is_region;
use crate::service::Service;
use crate::state::{AccessKey, Accounts, Holder, KeyStatus};

/// How far a client's clock may be off, S3.
const SKEW_S3: SignedDuration = SignedDuration::from_mins(15);
/// How far a client's clock may be off, STS and KMS.
/// The region of the endpoint whose name names none.
const GLOBAL_REGION: &str = "us-east-1";
const SKEW_STS: SignedDuration = SignedDuration::from_mins(5);

/// Where a signature travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Header,
    Query,
    QueryV2,
    /// The policy of a form.
    Post,
    PostV2,
}

impl Carrier {
    /// Whether it carries Signature Version 2.
    pub(crate) fn is_version_2(self) -> bool {
        matches!(self, Self::QueryV2 | Self::PostV2)
    }
}

/// The outcome of authentication.
#[derive(Clone, Debug)]
pub(crate) struct Authenticated {
    pub(crate) caller: Caller,
    /// Absent for anonymous requests.
    pub(crate) carrier: Option<Carrier>,
    /// The region of the credential scope; the region whose endpoint the client thinks it talks to.
    pub(crate) region: Option<String>,
    pub(crate) signed_at: Option<Timestamp>,
    pub(crate) payload: Payload,
}

impl Authenticated {
    /// Somebody who shows no credentials.
    pub(crate) fn anonymous() -> Self {
        Self {
            caller: Caller::Anonymous,
            carrier: None,
            region: None,
            signed_at: None,
            payload: Payload::Unsigned,
        }
    }

    /// Whether the URL carries the signature.
    pub(crate) fn is_presigned(&self) -> bool {
        matches!(self.carrier, Some(Carrier::Query | Carrier::QueryV2))
    }
}

/// Who sends the request.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    Anonymous,
    Known(Arc<Identity>),
}

/// An authenticated principal.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) principal: Principal,
    /// `aws:userid`: `AIDA…`, `AROA…:session`, or the account id of a root user.
    pub(crate) user_id: String,
    pub(crate) holder: Holder,
    pub(crate) access_key_id: String,
    /// The condition keys that all requests of this principal have.
    pub(crate) context: OnceLock<Context>,
    /// The condition keys of its last request.
    pub(crate) last_context: Arc<Mutex<Context>>,
}

impl Caller {
    pub(crate) fn principal(&self) -> Principal {
        match self {
            Self::Anonymous => Principal::Anonymous,
            Self::Known(identity) => identity.principal.clone(),
        }
    }

    pub(crate) fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Anonymous => None,
            Self::Known(identity) => Some(identity),
        }
    }
}

/// Authenticates a request by its head; the body is checked afterwards with [`Payload::verify`].
pub(crate) fn authenticate(
    head: &Head,
    service: &Service,
    accounts: &Accounts,
    now: Timestamp,
) -> Result<Authenticated, AwsError> {
    let verifier = Verifier { head, service, accounts, now };
    let in_query = head.parameter("X-Amz-Algorithm").is_some() || head.parameter("X-Amz-Signature").is_some();
    let in_query_v2 = head.parameter("AWSAccessKeyId").is_some() || head.parameter("Signature").is_some();
    match head.header("authorization") {
        Some(text) if *service == Service::S3 && (in_query || in_query_v2) => {
            Err(AwsError::one_mechanism_only(text))
        }
        Some(text) if *service != Service::S3 => {
            incomplete::check(head, text)?;
            verifier.header(text)
        }
        Some(text) if text.starts_with(sigv4::ALGORITHM) => verifier.header(text),
        Some(text) if text.starts_with("AWS ") => Err(AwsError::unsupported_authorization()),
        Some(text) => {
            // The value may be a credential of another kind and is not repeated, though AWS does.
            let scheme = text.split(' ').next().unwrap_or_default();
            Err(AwsError::invalid_argument("Unsupported Authorization Type", "Authorization", scheme))
        }
        None if in_query => presigned::version_4(&verifier),
        None if in_query_v2 => presigned::version_2(&verifier),
        None if *service == Service::S3 => Ok(Authenticated {
            caller: Caller::Anonymous,
            carrier: None,
            region: None,
            signed_at: None,
            payload: match head.header("x-amz-content-sha256") {
                Some(value) => Payload::announced(value, || None)?,
                None => Payload::Unsigned,
            },
        }),
        None => Err(AwsError::sts_missing_authentication()),
    }
}

/// What every way of authenticating needs.
struct Verifier<'a> {
    head: &'a Head,
    service: &'a Service,
    accounts: &'a Accounts,
    now: Timestamp,
}

impl Verifier<'_> {
    fn header(&self, authorization: &str) -> Result<Authenticated, AwsError> {
        let Authorization { credential, signed_headers, signature } = Authorization::parse(authorization)?;
        self.check_scope(&credential, Carrier::Header)?;
        self.check_all_signed(&signed_headers, Carrier::Header)?;
        let key = self.key(&credential.access_key_id, self.head.header("x-amz-security-token"))?;
        let (timestamp, signed_at) = self.date()?;
        self.check_skew(&timestamp, signed_at)?;

        let (hash, payload) = self.header_payload(&credential, key, &timestamp, &signature)?;
        self.check_signature(&credential, key, &timestamp, &signed_headers, &hash, &signature, None)?;
        self.check_stray_token(key)?;
        Ok(Authenticated {
            caller: self.caller(key)?,
            carrier: Some(Carrier::Header),
            region: Some(credential.scope.region),
            signed_at: Some(signed_at),
            payload,
        })
    }

    /// The hash to sign with, and how the body is checked.
    fn header_payload(
        &self,
        credential: &Credential,
        key: &AccessKey,
        timestamp: &str,
        signature: &str,
    ) -> Result<(String, Payload), AwsError> {
        let announced = self.head.header("x-amz-content-sha256");
        match (self.service, announced) {
            (Service::S3, None) => Err(AwsError::invalid_request(
                "Missing required header for this request: x-amz-content-sha256",
            )),
            (Service::S3, Some(value)) => {
                let payload = announced_payload(value, credential, key, timestamp, signature)?;
                Ok((value.to_owned(), payload))
            }
            // The other services hash the body, which the caller of this module has put into this header.
            (_, Some(value)) => Ok((value.to_owned(), Payload::Hashed(value.to_owned()))),
            (_, None) => {
                Ok((sigv4::EMPTY_SHA256.to_owned(), Payload::Hashed(sigv4::EMPTY_SHA256.to_owned())))
            }
        }
    }

    /// The scope must be that of the endpoint: its region, if the host names one, then its service.
    fn check_scope(&self, credential: &Credential, carrier: Carrier) -> Result<(), AwsError> {
        let Scope { region, service, .. } = &credential.scope;
        let host = self.head.host();
        // The global endpoints of STS and IAM are those of one region; that of S3 serves all.
        let global = || {
            let is_global = matches!(addressing::service_in_host(host), Some("sts" | "iam"));
            is_global.then_some(GLOBAL_REGION)
        };
        let wanted = addressing::region_in_host(host).or_else(global).filter(|wanted| wanted != region);
        match (self.service, wanted) {
            (Service::Sts | Service::Iam | Service::Kms | Service::Sns | Service::Sqs, _)
                if service != self.service.name() =>
            {
                let wanted = self.service.name();
                let text = format!("Credential should be scoped to correct service: '{wanted}'. ");
                Err(AwsError::sts_signature(text))
            }
            (Service::Sts | Service::Iam | Service::Kms | Service::Sns | Service::Sqs, Some(_)) => {
                Err(AwsError::sts_signature("Credential should be scoped to a valid region. "))
            }
            (Service::S3, Some(wanted)) => {
                let text = format!("the region '{region}' is wrong; expecting '{wanted}'");
                Err(malformed_scope(carrier, &text).in_region(wanted))
            }
            // A region that there is not, such as the `aws-global` of some SDKs; others are for the bucket to judge.
            (Service::S3, None) if service == "s3" && !is_region(region) => {
                let text = format!("the region '{region}' is wrong; expecting '{GLOBAL_REGION}'");
                Err(malformed_scope(carrier, &text).in_region(GLOBAL_REGION))
            }
            (Service::S3, None) if service != "s3" => {
                let text = format!("incorrect service \"{service}\". This endpoint belongs to \"s3\".");
                Err(malformed_scope(carrier, &text).with_header("x-amz-bucket-region", region))
            }
            _ => Ok(()),
        }
    }

    /// Every `x-amz-*` header that is present must be signed, or anyone on the way could add one.
    fn check_all_signed(&self, signed_headers: &[String], carrier: Carrier) -> Result<(), AwsError> {
        // A presigned request of S3 does not bind its body; everywhere else the canonical request ends in the hash. What
        // says that nothing is bound may be added by anyone.
        let says_nothing = self.head.header("x-amz-content-sha256") == Some("UNSIGNED-PAYLOAD");
        let hash_is_bound = carrier == Carrier::Header || *self.service != Service::S3 || says_nothing;
        let mut unsigned: Vec<String> = self
            .head
            .headers
            .keys()
            .map(http::HeaderName::as_str)
            .filter(|name| *name == "host" || name.starts_with("x-amz-"))
            .filter(|name| !signed_headers.iter().any(|signed| signed == name))
            .filter(|name| !hash_is_bound || *name != "x-amz-content-sha256")
            .map(str::to_owned)
            .collect();
        unsigned.sort();
        unsigned.dedup();
        if unsigned.is_empty() { Ok(()) } else { Err(AwsError::headers_not_signed(&unsigned)) }
    }

    /// Looks the key up and binds the token to it.
    fn key(&self, id: &str, token: Option<&str>) -> Result<&AccessKey, AwsError> {
        let unknown = || match self.service {
            Service::S3 => AwsError::invalid_access_key_id(id),
            _ => AwsError::sts_invalid_client_token(),
        };
        if let Some(token) = token
            && !is_well_formed_token(token)
        {
            return Err(match self.service {
                Service::S3 => self.show_second_token(AwsError::invalid_token(token)),
                _ => AwsError::sts_invalid_client_token(),
            });
        }
        let key = self.accounts.access_key(id).ok_or_else(unknown)?;
        if key.status == KeyStatus::Inactive {
            return Err(unknown());
        }
        if let Holder::Session(session) = &key.holder {
            let bound = token.is_some_and(|token| session.token.is(token));
            if !bound {
                return Err(unknown());
            }
            if self.now >= session.expires_at {
                return Err(match self.service {
                    Service::S3 => self.show_second_token(AwsError::expired_token(token.unwrap_or_default())),
                    _ => AwsError::sts_expired_token(),
                });
            }
            if !self.accounts.is_alive(session) {
                return Err(unknown());
            }
        }
        Ok(key)
    }

    /// A token that came in the header and in the query is shown twice.
    fn show_second_token(&self, refusal: AwsError) -> AwsError {
        match (self.head.header("x-amz-security-token"), self.head.parameter("X-Amz-Security-Token")) {
            (Some(_), Some(second)) => refusal.with("Token-1", second),
            _ => refusal,
        }
    }

    /// A long-lived key that comes with a session token is refused, after its signature was found right.
    fn check_stray_token(&self, key: &AccessKey) -> Result<(), AwsError> {
        let token =
            self.head.header("x-amz-security-token").or_else(|| self.head.parameter("X-Amz-Security-Token"));
        self.check_no_token(token, key)
    }

    fn check_no_token(&self, token: Option<&str>, key: &AccessKey) -> Result<(), AwsError> {
        match (token, &key.holder) {
            (Some(token), Holder::Root { .. } | Holder::User { .. }) => Err(match self.service {
                Service::S3 => self.show_second_token(AwsError::invalid_token(token)),
                _ => AwsError::sts_invalid_client_token(),
            }),
            _ => Ok(()),
        }
    }

    fn date(&self) -> Result<(String, Timestamp), AwsError> {
        if let Some(text) = self.head.header("x-amz-date")
            && let Some(instant) = instant::parse_basic(text)
        {
            return Ok((text.to_owned(), instant));
        }
        if let Some(text) = self.head.header("date")
            && let Ok(zoned) = jiff::fmt::rfc2822::parse(text)
        {
            return Ok((instant::basic(zoned.timestamp()), zoned.timestamp()));
        }
        Err(AwsError::access_denied("AWS authentication requires a valid Date or x-amz-date header"))
    }

    fn check_skew(&self, timestamp: &str, signed_at: Timestamp) -> Result<(), AwsError> {
        let off = self.now.duration_since(signed_at);
        match self.service {
            Service::S3 if off.abs() > SKEW_S3 => {
                Err(AwsError::request_time_too_skewed(timestamp, &instant::extended(self.now)))
            }
            Service::Sts | Service::Iam | Service::Kms if off > SKEW_STS => Err(self.sts_expired(timestamp)),
            Service::Sts | Service::Iam | Service::Kms if off < -SKEW_STS => {
                let limit = self.now.saturating_add(SKEW_STS).unwrap_or(Timestamp::MAX);
                let (limit, now) = (instant::basic(limit), instant::basic(self.now));
                Err(AwsError::sts_signature(format!(
                    "Signature not yet current: {timestamp} is still later than {limit} ({now} + 5 min.)"
                )))
            }
            _ => Ok(()),
        }
    }

    fn sts_expired(&self, timestamp: &str) -> AwsError {
        let limit = self.now.saturating_sub(SKEW_STS).unwrap_or(Timestamp::MIN);
        let (limit, now) = (instant::basic(limit), instant::basic(self.now));
        AwsError::sts_signature(format!(
            "Signature expired: {timestamp} is now earlier than {limit} ({now} - 5 min.)"
        ))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "these are the parts of one signature, used once per carrier"
    )]
    fn check_signature(
        &self,
        credential: &Credential,
        key: &AccessKey,
        timestamp: &str,
        signed_headers: &[String],
        payload_hash: &str,
        signature: &str,
        leave_out: Option<&str>,
    ) -> Result<(), AwsError> {
        let scope = &credential.scope;
        let canonical = sigv4::canonical_request(self.head, signed_headers, payload_hash, scope, leave_out);
        let string_to_sign = sigv4::string_to_sign(timestamp, scope, &canonical);
        let signing_key = key.secret.signing_key(scope);
        let computed = hex_of(&hmac_sha256(&signing_key, string_to_sign.as_bytes()));
        let date_matches = timestamp.starts_with(scope.date.as_str());
        if date_matches && bool::from(computed.as_bytes().ct_eq(signature.as_bytes())) {
            return Ok(());
        }
        Err(self.mismatch(&credential.access_key_id, &string_to_sign, signature, Some(&canonical)))
    }

    fn mismatch(
        &self,
        access_key_id: &str,
        string_to_sign: &str,
        signature: &str,
        canonical: Option<&str>,
    ) -> AwsError {
        if *self.service != Service::S3 {
            return AwsError::sts_signature(
                "The request signature we calculated does not match the signature you provided. Check your AWS \
                 Secret Access Key and signing method. Consult the service documentation for details.",
            );
        }
        let text = "The request signature we calculated does not match the signature you provided. Check your \
                    key and signing method.";
        let mut error = AwsError::new(http::StatusCode::FORBIDDEN, "SignatureDoesNotMatch", text)
            .with("AWSAccessKeyId", access_key_id)
            .with("StringToSign", string_to_sign)
            .with("SignatureProvided", signature)
            .with("StringToSignBytes", spaced_hex(string_to_sign));
        if let Some(canonical) = canonical {
            error = error
                .with("CanonicalRequest", canonical)
                .with("CanonicalRequestBytes", spaced_hex(canonical));
        }
        error
    }

    fn caller(&self, key: &AccessKey) -> Result<Caller, AwsError> {
        self.accounts.identity(key).map(Caller::Known).ok_or_else(|| AwsError::invalid_access_key_id(&key.id))
    }
}

/// How the body of a request with this signature is checked; signed chunks continue its chain.
fn announced_payload(
    announced: &str,
    credential: &Credential,
    key: &AccessKey,
    timestamp: &str,
    signature: &str,
) -> Result<Payload, AwsError> {
    Payload::announced(announced, || {
        Some(ChunkSigner {
            key: key.secret.signing_key(&credential.scope),
            scope: credential.scope.clone(),
            timestamp: timestamp.to_owned(),
            seed: signature.to_owned(),
        })
    })
}

/// A scope that is not that of the endpoint, in the words of the place where it travelled.
fn malformed_scope(carrier: Carrier, text: &str) -> AwsError {
    match carrier {
        Carrier::Header => AwsError::authorization_header_malformed(text),
        Carrier::Query | Carrier::QueryV2 | Carrier::Post | Carrier::PostV2 => {
            AwsError::query_parameters(&format!("Error parsing the X-Amz-Credential parameter; {text}"))
        }
    }
}

/// The parts of an `Authorization: AWS4-HMAC-SHA256 …` header.
struct Authorization {
    credential: Credential,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    fn parse(text: &str) -> Result<Self, AwsError> {
        let parameters = text.strip_prefix(sigv4::ALGORITHM).unwrap_or(text);
        let find = |name: &str| {
            parameters.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let missing = |name: &str| {
            AwsError::authorization_header_malformed(&format!(
                "the authorization header requires three components: Credential, SignedHeaders, and Signature; \
                 `{name}` is missing."
            ))
        };
        let credential = find("Credential").ok_or_else(|| missing("Credential"))?;
        let credential = Credential::parse(credential).ok_or_else(|| {
            AwsError::authorization_header_malformed(
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            )
        })?;
        let signed_headers = find("SignedHeaders").ok_or_else(|| missing("SignedHeaders"))?;
        let signature = find("Signature").ok_or_else(|| missing("Signature"))?;
        Ok(Self {
            credential,
            signed_headers: split_headers(signed_headers),
            signature: signature.to_owned(),
        })
    }
}

/// `host;x-amz-date` as names.
fn split_headers(text: &str) -> Vec<String> {
    text.split(';').filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect()
}

/// A token has the shape of those that STS hands out: long, and of the base64 alphabet.
fn is_well_formed_token(token: &str) -> bool {
    token.len() >= 64
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// The bytes of a text in hexadecimal with a space between, as AWS lists them.
fn spaced_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
