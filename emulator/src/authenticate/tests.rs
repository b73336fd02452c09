//! The verifier against the SDK's signer, which shares no code with it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bucketproof_authz::{AccountId, Policy, PolicyKind, PolicySource};
use bucketproof_clock::Entropy;
use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;

use super::{Authenticated, authenticate};
use crate::addressing::Domains;
use crate::error::AwsError;
use crate::head::{Head, encode, encode_path};
use crate::service::Service;
use crate::state::{
    AccessKey, Account, Accounts, Entity, EntityKind, Holder, IamTags, Role, Secret, Session, SessionSource,
    User,
};

const NOW: &str = "2026-01-01T00:00:00Z";
const LONG_LIVED: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
const TEMPORARY: (&str, &str) = ("ASIAIOSFODNN7EXAMPLE", "temporary+/secret");

fn token() -> String {
    "IQoJb3JpZ2luX2Vj".repeat(8)
}

/// One account with a user, and a session of its role that ends an hour after `NOW`.
fn accounts() -> Accounts {
    let id = AccountId::new("111122223333").unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let text =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}}"#;
    let trust = Policy::parse(text, PolicySource::new(PolicyKind::Trust, "job")).unwrap();
    let entity = |kind, name, unique_id: &str| {
        let entity = Entity::new(kind, &id, "/", name, &Entropy::seeded(1), now).unwrap();
        Entity { unique_id: unique_id.into(), ..entity }
    };
    let role = Role::new(entity(EntityKind::Role, "job", "AROAEXAMPLE"), trust);
    let source = SessionSource::Role {
        role: "job".into(),
        unique_id: role.entity.unique_id.clone(),
        role_arn: role.entity.arn.clone(),
        session_arn: "arn:aws:sts::111122223333:assumed-role/job/nightly".parse().unwrap(),
        session_name: "nightly".into(),
    };
    let session = Session {
        account: id.clone(),
        source,
        token: Secret::new(token()),
        policies: None,
        tags: IamTags::default(),
        transitive: BTreeSet::new(),
        source_identity: None,
        claims: Vec::new(),
        issued_at: now,
        expires_at: now + Duration::from_hours(1),
    };
    let mut account = Account::new(id.clone(), "0".repeat(64), now);
    account.users.insert(User::new(entity(EntityKind::User, "alice", "AIDAEXAMPLE")));
    account.roles.insert(role);
    let mut accounts = Accounts::default();
    accounts.insert(account);
    let holders = [
        (LONG_LIVED, Holder::User { account: id, name: "alice".into() }),
        (TEMPORARY, Holder::Session(session.into())),
    ];
    for ((id, secret), holder) in holders {
        accounts.add_key(AccessKey::new(id.into(), Secret::new(secret), holder, now));
    }
    accounts
}

/// A request as a client means it, before it is encoded and signed.
#[derive(Clone, Debug)]
struct Meant {
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    with_session: bool,
    presigned: bool,
}

impl Meant {
    fn uri(&self) -> String {
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        format!("http://localhost:4566/{}?{}", encode_path(&self.path), query.join("&"))
    }

    fn signed(&self, time: Timestamp) -> http::Request<Bytes> {
        let ((id, secret), token) =
            if self.with_session { (TEMPORARY, Some(token())) } else { (LONG_LIVED, None) };
        let identity = Credentials::new(id, secret, token, None, "tests").into();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        if self.presigned {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_mins(10));
            settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name("s3")
            .time(SystemTime::from(time))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body =
            if self.presigned { SignableBody::UnsignedPayload } else { SignableBody::Bytes(&self.body) };
        let signable = SignableRequest::new(self.method, self.uri(), headers, body).unwrap();
        let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
        let mut request = http::Request::builder().method(self.method).uri(self.uri());
        for (name, value) in &self.headers {
            request = request.header(name, value.as_bytes());
        }
        let mut request = request.body(Bytes::from(self.body.clone())).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        request
    }
}

fn head_of(request: &http::Request<Bytes>) -> Head {
    let (parts, ()) = request.clone().map(|_| ()).into_parts();
    Head::new(parts, IpAddr::V4(Ipv4Addr::LOCALHOST), &Domains::default())
}

/// Authenticates as the pipeline does: the head, then the body.
fn verify_at(request: &http::Request<Bytes>, now: Timestamp) -> Result<Authenticated, AwsError> {
    let head = head_of(request);
    head.check()?;
    let authenticated = authenticate(&head, &Service::S3, &accounts(), now)?;
    authenticated.payload.verify(&head, request.body().clone())?;
    Ok(authenticated)
}

fn verify(request: &http::Request<Bytes>) -> Result<Authenticated, AwsError> {
    verify_at(request, NOW.parse().unwrap())
}

/// Characters that encodings differ over, and characters beyond ASCII.
fn text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        ' ', '+', '%', '/', '~', '*', '\'', '(', ')', '&', '=', '?', '#', '"', '<', ':', ';', ',', '@', 'é',
        '漢', '🪣', '\u{7f}', '\u{1}', '.', '-', '_', '$', '!',
    ]);
    prop::collection::vec(prop_oneof![awkward, prop::char::range('a', 'z')], 0..12)
        .prop_map(|characters| characters.into_iter().collect())
}

fn meant() -> impl Strategy<Value = Meant> {
    let headers = prop::collection::vec(("x-amz-meta-[a-z]{1,6}", " {0,3}[ -~]{0,12} {0,3}[a-z]?"), 0..4);
    (
        prop::sample::select(vec!["GET", "PUT", "HEAD", "DELETE", "POST"]),
        text(),
        prop::collection::vec(("[a-z-]{1,8}", text()), 0..4),
        headers,
        prop::collection::vec(any::<u8>(), 0..64),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(method, path, query, headers, body, with_session, presigned)| Meant {
            method,
            path: format!("bucket/k{path}"),
            query,
            headers,
            body,
            with_session,
            presigned,
        })
}

/// One part of a signed request that somebody on the way could change.
#[derive(Clone, Copy, Debug)]
enum Tampering {
    Method,
    Path,
    AddedParameter,
    ChangedParameter,
    Header,
    Host,
    Body,
    Date,
}

impl Tampering {
    /// Changes that part; absent if the request has no such part.
    fn apply(self, mut request: http::Request<Bytes>) -> Option<http::Request<Bytes>> {
        let uri = request.uri().to_string();
        let presigned = uri.contains("X-Amz-Signature=");
        match self {
            Self::Method => {
                let other = if request.method() == "GET" { "DELETE" } else { "GET" };
                *request.method_mut() = other.parse().unwrap();
            }
            Self::Path => *request.uri_mut() = uri.replacen("/bucket/k", "/bucket/l", 1).parse().unwrap(),
            Self::AddedParameter => *request.uri_mut() = format!("{uri}&zz=1").parse().unwrap(),
            Self::ChangedParameter => {
                let changed = uri.replacen("-amz-date=2026", "-amz-date=2025", 1).replacen('=', "=x", 1);
                *request.uri_mut() = (changed != uri).then_some(changed)?.parse().unwrap();
            }
            Self::Header => {
                let name =
                    request.headers().keys().find(|name| name.as_str().starts_with("x-amz-meta-"))?.clone();
                request.headers_mut().insert(name, "something else".parse().unwrap());
            }
            Self::Host => {
                request.headers_mut().insert("host", "elsewhere:4566".parse().unwrap());
            }
            Self::Body => *request.body_mut() = [request.body(), &b"!"[..]].concat().into(),
            Self::Date if presigned => {
                *request.uri_mut() = uri.replacen("T000000Z", "T000001Z", 1).parse().unwrap();
            }
            Self::Date => {
                request.headers_mut().insert("x-amz-date", "20260101T000001Z".parse().unwrap());
            }
        }
        // A presigned URL does not bind its body.
        (!presigned || !matches!(self, Self::Body)).then_some(request)
    }
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop::sample::select(vec![
        Tampering::Method,
        Tampering::Path,
        Tampering::AddedParameter,
        Tampering::ChangedParameter,
        Tampering::Header,
        Tampering::Host,
        Tampering::Body,
        Tampering::Date,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_the_sdk_signs_is_accepted(meant in meant()) {
        let accepted = verify(&meant.signed(NOW.parse().unwrap()));
        prop_assert!(accepted.is_ok(), "{:?}", accepted.map_err(|error| error.details));
        let holder = accepted.unwrap().caller.identity().unwrap().user_id.clone();
        prop_assert_eq!(holder, if meant.with_session { "AROAEXAMPLE:nightly" } else { "AIDAEXAMPLE" });
    }

    #[test]
    fn what_was_changed_on_the_way_is_refused(meant in meant(), tampering in tampering()) {
        let Some(request) = tampering.apply(meant.signed(NOW.parse().unwrap())) else { return Ok(()) };
        let code = verify(&request).unwrap_err().code;
        let expected = match tampering {
            Tampering::Body => "XAmzContentSHA256Mismatch",
            _ => "SignatureDoesNotMatch",
        };
        // A changed parameter may be one of those that say how the request was signed.
        let about_the_query = matches!(tampering, Tampering::ChangedParameter)
            && matches!(&*code, "AuthorizationQueryParametersError" | "InvalidAccessKeyId" | "InvalidToken" | "AccessDenied");
        prop_assert!(code == expected || about_the_query, "{tampering:?}: {code}");
    }

    #[test]
    fn no_head_makes_the_verifier_panic(
        path in "/[ -~&&[^?#]]{0,20}",
        authorization in "(AWS4-HMAC-SHA256 |AWS |)[ -~]{0,60}",
        query in "[A-Za-z0-9=&%+/-]{0,60}",
        date in "[0-9TZ]{0,18}",
    ) {
        let uri: Result<http::Uri, _> = format!("{path}?{query}").parse();
        let Ok(uri) = uri else { return Ok(()) };
        let request = http::Request::builder()
            .uri(uri)
            .header("authorization", authorization)
            .header("x-amz-date", date)
            .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
            .body(Bytes::new())
            .unwrap();
        let known = verify(&request).is_ok_and(|authenticated| authenticated.caller.identity().is_some());
        prop_assert!(!known);
    }
}

#[test]
fn a_clock_may_be_a_quarter_of_an_hour_off() {
    let signed_at: Timestamp = NOW.parse().unwrap();
    let meant = Meant {
        method: "GET",
        path: "bucket/key".into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        with_session: false,
        presigned: false,
    };
    let check = |seconds: i64, expected: Option<&str>| {
        let now = signed_at + jiff::SignedDuration::from_secs(seconds);
        let code = verify_at(&meant.signed(signed_at), now).err().map(|error| error.code.into_owned());
        assert_eq!(code.as_deref(), expected, "{seconds} s off");
    };
    check(900, None);
    check(-900, None);
    check(901, Some("RequestTimeTooSkewed"));
    check(-901, Some("RequestTimeTooSkewed"));
}

#[test]
fn a_presigned_url_lives_as_long_as_it_says() {
    let signed_at: Timestamp = NOW.parse().unwrap();
    let meant = Meant {
        method: "GET",
        path: "bucket/key".into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        with_session: false,
        presigned: true,
    };
    let check = |seconds: i64, expected: Option<&str>| {
        let now = signed_at + jiff::SignedDuration::from_secs(seconds);
        let message = verify_at(&meant.signed(signed_at), now).err().map(|error| error.message);
        assert_eq!(message.as_deref(), expected, "{seconds} s later");
    };
    check(600, None);
    check(601, Some("Request has expired"));
    check(-901, Some("Request is not valid yet"));
}
