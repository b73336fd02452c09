//! Who may speak, and which of several faults in a signature a client is told of.

use std::time::Duration;

use crate::fixture::{ADMIN, EXTERNAL_ID, ROLE_ARN, listening};
use crate::wire::{Answer, Ask, Key, Signing, Wire};
use bucketproof_emulator::Emulator;

const GET: &str = "/logs/key";
const UNKNOWN: Key<'_> = Key::new("AKIAUNKNOWNEXAMPLE00", "secret");

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

/// The temporary credentials of a session of one hour.
async fn session(emulator: &Emulator) -> aws_credential_types::Credentials {
    let request = emulator.sts("vendor").assume_role().role_arn(ROLE_ARN).role_session_name("nightly");
    let assumed = request.external_id(EXTERNAL_ID).send().await.unwrap();
    let given = assumed.credentials().unwrap();
    let token = Some(given.session_token().to_owned());
    aws_credential_types::Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        token,
        None,
        "tests",
    )
}

/// A signed request whose signature is wrong.
fn with_wrong_signature(ask: &Ask) -> Ask {
    let text = ask.find("authorization").unwrap();
    let (rest, signature) = text.split_once("Signature=").unwrap();
    let wrong: String = signature.chars().rev().collect();
    ask.clone().replace("authorization", &format!("{rest}Signature={wrong}"))
}

#[tokio::test]
async fn a_right_signature_is_accepted_wherever_it_travels() {
    let (emulator, wire) = listening().await;
    let put = Ask::new("PUT", "/logs/a%20b%2Bc/%E6%BC%A2").body("content");
    check(&wire.send_as(ADMIN, &put).await, 200, "");
    let get = Ask::new("GET", "/logs/a%20b%2Bc/%E6%BC%A2");
    let presigned = wire.sign(&get, &Signing::presigned(ADMIN, 60));
    let answer = wire.send(&presigned).await;
    assert_eq!((answer.status, answer.text()), (200, "content".to_owned()));
    let credentials = session(&emulator).await;
    let presigned = wire.sign(&get, &Signing::presigned(Key::of(&credentials), 60));
    assert_eq!(wire.send(&presigned).await.status, 200);
    assert_eq!(wire.send_as(Key::of(&credentials), &get).await.status, 200);
}

#[tokio::test]
async fn a_wrong_secret_an_unknown_key_and_no_key_are_told_apart() {
    let (_emulator, wire) = listening().await;
    let wrong = wire.send_as(Key::new(ADMIN.id, "wrong"), &Ask::new("GET", GET)).await;
    check(&wrong, 403, "SignatureDoesNotMatch");
    let unknown = wire.send_as(UNKNOWN, &Ask::new("GET", GET)).await;
    check(&unknown, 403, "InvalidAccessKeyId");
    assert_eq!(unknown.element("AWSAccessKeyId").as_deref(), Some(UNKNOWN.id));
    check(&wire.send(&Ask::new("GET", GET)).await, 403, "AccessDenied");
}

#[tokio::test]
async fn the_order_of_refusals_is_that_of_aws() {
    let (emulator, wire) = listening().await;
    let credentials = session(&emulator).await;
    let temporary = Key::of(&credentials);
    let token = temporary.token.unwrap();
    let get = Ask::new("GET", GET);
    let send = async |ask: &Ask, signing: Signing<'_>| {
        let signed = wire.sign(ask, &signing);
        wire.send(&with_wrong_signature(&signed)).await
    };

    // The scope is looked at before all else.
    let signing = Signing { service: "kinesis", ..Signing::with(UNKNOWN) };
    check(&send(&get, signing).await, 501, "NotImplemented");
    let signing = Signing { service: "sts", ..Signing::with(UNKNOWN) };
    let answer = send(&get, signing).await;
    check(&answer, 400, "AuthorizationHeaderMalformed");
    assert!(
        answer.text().contains("incorrect service &quot;sts&quot;. This endpoint belongs to &quot;s3&quot;.")
    );
    assert_eq!(answer.header("x-amz-bucket-region"), Some("us-east-1"));

    // A host that names a region wants that region; the region comes before the service.
    let regional = get.clone().header("host", "s3.eu-west-1.amazonaws.com");
    let signing = Signing { service: "sts", ..Signing::with(UNKNOWN) };
    let answer = send(&regional, signing).await;
    check(&answer, 400, "AuthorizationHeaderMalformed");
    assert_eq!(answer.element("Region").as_deref(), Some("eu-west-1"));
    assert_eq!(answer.header("x-amz-bucket-region"), Some("eu-west-1"));

    // Then headers that are not signed, before the key is known.
    let signed = wire.sign(&get, &Signing::with(UNKNOWN)).header("x-amz-acl", "private");
    let answer = wire.send(&signed).await;
    check(&answer, 403, "AccessDenied");
    assert_eq!(answer.element("HeadersNotSigned").as_deref(), Some("x-amz-acl"));

    // Then the token: its form, its key, its age. All of them before the signature.
    check(&send(&get, Signing::with(Key { token: Some("garbage"), ..temporary })).await, 400, "InvalidToken");
    check(&send(&get, Signing::with(Key { token: Some("garbage"), ..ADMIN })).await, 400, "InvalidToken");
    check(&send(&get, Signing::with(Key { token: None, ..temporary })).await, 403, "InvalidAccessKeyId");
    let other = session(&emulator).await;
    let mixed = Key { token: other.session_token(), ..temporary };
    check(&send(&get, Signing::with(mixed)).await, 403, "InvalidAccessKeyId");
    check(&send(&get, Signing::with(temporary)).await, 403, "SignatureDoesNotMatch");

    // A token that a long-lived key has no use for is noticed last.
    let stray = Signing::with(Key { token: Some(token), ..ADMIN });
    check(&send(&get, stray.clone()).await, 403, "SignatureDoesNotMatch");
    check(&wire.send(&wire.sign(&get, &stray)).await, 400, "InvalidToken");

    emulator.clock().advance(Duration::from_hours(1));
    let answer = send(&get, Signing::with(temporary)).await;
    check(&answer, 400, "ExpiredToken");
    assert_eq!(answer.element("Token-0").as_deref(), Some(token));
}

#[tokio::test]
async fn a_presigned_url_dies_with_its_session() {
    let (emulator, wire) = listening().await;
    let credentials = session(&emulator).await;
    let get = Ask::new("GET", GET);
    let presigned = wire.sign(&get, &Signing::presigned(Key::of(&credentials), 7200));
    // The vendor may not list, so a missing key is not told.
    check(&wire.send(&presigned).await, 403, "AccessDenied");
    emulator.clock().advance(Duration::from_secs(3601));
    check(&wire.send(&presigned).await, 400, "ExpiredToken");

    let presigned = wire.sign(&get, &Signing::presigned(ADMIN, 60));
    check(&wire.send(&presigned).await, 404, "NoSuchKey");
    emulator.clock().advance(Duration::from_secs(61));
    let answer = wire.send(&presigned).await;
    check(&answer, 403, "AccessDenied");
    assert_eq!(answer.element("Message").as_deref(), Some("Request has expired"));
    assert_eq!(answer.element("Expires").as_deref(), Some("2026-01-01T01:01:01Z"));
    assert_eq!(answer.element("ServerTime").as_deref(), Some("2026-01-01T01:01:02Z"));
}

#[tokio::test]
async fn a_presigned_url_with_a_broken_parameter_says_which() {
    let (_emulator, wire) = listening().await;
    let presigned = wire.sign(&Ask::new("GET", GET), &Signing::presigned(ADMIN, 60)).target;
    let message = async |from: &str, to: &str| {
        assert!(presigned.contains(from), "{from} in {presigned}");
        let answer = wire.send(&Ask::new("GET", &presigned.replacen(from, to, 1))).await;
        check(&answer, 400, "AuthorizationQueryParametersError");
        answer.element("Message").unwrap()
    };
    assert!(message("X-Amz-Expires=60", "x=60").await.starts_with("Query-string authentication version 4"));
    assert!(message("X-Amz-Expires=60", "X-Amz-Expires=604801").await.contains("less than a week"));
    assert!(message("X-Amz-Expires=60", "X-Amz-Expires=-1").await.ends_with("non-negative"));
    assert!(message("X-Amz-Expires=60", "X-Amz-Expires=soon").await.ends_with("a number"));
    assert!(message("X-Amz-Date=20260101T000000Z", "X-Amz-Date=today").await.contains("ISO8601"));
    assert!(message("aws4_request", "aws5_request").await.contains("mal-formed"));
    assert!(message("%2Fs3%2F", "%2Fsts%2F").await.contains("incorrect service"));
}

#[tokio::test]
async fn a_request_has_one_signature_of_a_known_kind() {
    let (_emulator, wire) = listening().await;
    let both = wire
        .sign(&Ask::new("GET", GET), &Signing::presigned(ADMIN, 60))
        .header("authorization", "Bearer t0ken");
    let answer = wire.send(&both).await;
    check(&answer, 400, "InvalidArgument");
    assert!(answer.text().contains("Only one auth mechanism allowed"));
    assert!(!answer.text().contains("t0ken"));

    let answer = wire.send(&Ask::new("GET", GET).header("authorization", "Bearer t0ken")).await;
    check(&answer, 400, "InvalidArgument");
    assert!(answer.text().contains("Unsupported Authorization Type") && !answer.text().contains("t0ken"));
    let answer = wire.send(&Ask::new("GET", GET).header("authorization", "AWS AKIA:signature")).await;
    check(&answer, 400, "InvalidRequest");
    let answer =
        wire.send(&Ask::new("GET", GET).header("authorization", "AWS4-HMAC-SHA256 Credential=x")).await;
    check(&answer, 400, "AuthorizationHeaderMalformed");
}

#[tokio::test]
async fn the_hash_of_the_body_is_demanded_and_believed_only_if_it_is_right() {
    let (_emulator, wire) = listening().await;
    let put = Ask::new("PUT", GET).body("content");
    let signed = wire.sign(&put, &Signing::with(ADMIN));
    let answer = wire.send(&signed.clone().body("changed")).await;
    check(&answer, 400, "XAmzContentSHA256Mismatch");
    assert_eq!(answer.element("ClientComputedContentSHA256").as_deref(), signed.find("x-amz-content-sha256"));

    let unsigned = wire.sign(&put, &Signing { payload: Some("UNSIGNED-PAYLOAD"), ..Signing::with(ADMIN) });
    check(&wire.send(&unsigned.body("changed")).await, 200, "");
    let nonsense = wire.sign(&put, &Signing { payload: Some("nonsense"), ..Signing::with(ADMIN) });
    check(&wire.send(&nonsense).await, 400, "InvalidArgument");

    let mut without = wire.sign(&put, &Signing::with(ADMIN));
    without.headers.retain(|(name, _)| name != "x-amz-content-sha256");
    let answer = wire.send(&without).await;
    assert_eq!(answer.outcome().1, "InvalidRequest");
    assert!(answer.text().contains("Missing required header for this request: x-amz-content-sha256"));
}

#[tokio::test]
async fn an_unsigned_hash_does_not_ride_on_a_presigned_url() {
    let (_emulator, wire) = listening().await;
    let presigned = wire.sign(&Ask::new("PUT", GET).body("content"), &Signing::presigned(ADMIN, 60));
    let answer = wire
        .send(&presigned.clone().header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"))
        .await;
    check(&answer, 403, "AccessDenied");
    assert_eq!(answer.element("HeadersNotSigned").as_deref(), Some("x-amz-content-sha256"));
    check(&wire.send(&presigned).await, 200, "");
    // What says that nothing is bound changes nothing (recorded).
    let unbound = presigned.clone().header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    check(&wire.send(&unbound).await, 200, "");
}

/// A region that there is not is refused before the bucket is looked at (recorded for `aws-global`).
#[tokio::test]
async fn a_signature_names_a_region_that_exists() {
    let (_emulator, wire) = listening().await;
    let signing = Signing { region: "aws-global", ..Signing::with(ADMIN) };
    let answer = wire.send(&wire.sign(&Ask::new("GET", GET), &signing)).await;
    check(&answer, 400, "AuthorizationHeaderMalformed");
    let text =
        "The authorization header is malformed; the region 'aws-global' is wrong; expecting 'us-east-1'";
    assert_eq!(answer.element("Message").as_deref(), Some(text));
    assert_eq!(answer.element("Region").as_deref(), Some("us-east-1"));
}

/// Some SDKs sign the headers of an upload as parameters of the URL; what they say counts (recorded), above all a condition
/// that keeps an object from being overwritten.
#[tokio::test]
async fn a_presigned_url_may_carry_headers() {
    let (_emulator, wire) = listening().await;
    let presigned = |target: &str| {
        let ask = Ask::new("PUT", target).body("content");
        wire.sign(&ask, &Signing::presigned(ADMIN, 60))
    };
    let once = presigned("/logs/once?If-None-Match=%2A");
    check(&wire.send(&once).await, 200, "");
    check(&wire.send(&once).await, 412, "PreconditionFailed");
    check(
        &wire.send(&presigned("/logs/once?If-Match=d41d8cd98f00b204e9800998ecf8427e")).await,
        412,
        "PreconditionFailed",
    );

    let described = "/logs/described?x-amz-meta-team=growth&x-amz-storage-class=STANDARD_IA&x-amz-checksum-crc32=AAAAAA%3D%3D\
                     &x-amz-sdk-checksum-algorithm=CRC32";
    let answer = wire.send(&presigned(described)).await;
    check(&answer, 200, "");
    // A checksum there was made before there was a body, and counts for nothing.
    assert!(answer.header("x-amz-checksum-crc64nvme").is_some(), "{:?}", answer.headers);
    let head = wire.send_as(ADMIN, &Ask::new("HEAD", "/logs/described")).await;
    assert_eq!(head.header("x-amz-meta-team"), Some("growth"));
    assert_eq!(head.header("x-amz-storage-class"), Some("STANDARD_IA"));

    // Without a signature a parameter is only a parameter.
    let plain = Ask::new("PUT", "/logs/once?If-None-Match=%2A&x-amz-meta-team=growth").body("content");
    check(&wire.send_as(ADMIN, &plain).await, 200, "");
    let head = wire.send_as(ADMIN, &Ask::new("HEAD", "/logs/once")).await;
    assert_eq!(head.header("x-amz-meta-team"), None);
}

/// A presigned URL of Signature Version 2, made by hand from its definition.
fn version_2(wire: &Wire, path: &str, expires: i64) -> Ask {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(ADMIN.secret.as_bytes()).unwrap();
    mac.update(format!("GET\n\n\n{expires}\n{path}").as_bytes());
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let id = ADMIN.id;
    Ask::new("GET", &format!("{path}?AWSAccessKeyId={id}&Expires={expires}&Signature={signature}"))
        .header("host", &wire.host())
}

#[tokio::test]
async fn version_2_is_for_presigned_urls_of_the_oldest_regions() {
    let (_emulator, wire) = listening().await;
    let soon = 1_767_225_600 + 60;
    check(&wire.send(&version_2(&wire, GET, soon)).await, 404, "NoSuchKey");
    check(&wire.send(&version_2(&wire, "/archive/key", soon)).await, 400, "InvalidRequest");
    let answer = wire.send(&version_2(&wire, GET, soon - 61)).await;
    assert_eq!(answer.element("Message").as_deref(), Some("Request has expired"));
    let mut tampered = version_2(&wire, GET, soon);
    tampered.target = tampered.target.replacen("/logs/key", "/logs/yek", 1);
    let answer = wire.send(&tampered).await;
    check(&answer, 403, "SignatureDoesNotMatch");
    assert_eq!(answer.element("CanonicalRequest"), None);
    let mut incomplete = version_2(&wire, GET, soon);
    incomplete.target = incomplete.target.replacen("Expires", "Expire", 1);
    let answer = wire.send(&incomplete).await;
    check(&answer, 403, "AccessDenied");
    assert!(answer.text().contains("requires the Signature, Expires and AWSAccessKeyId parameters"));
}

#[tokio::test]
async fn sts_words_the_same_refusals_in_its_own_way() {
    let (emulator, wire) = listening().await;
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let ask = Ask::new("POST", "/").header("content-type", "application/x-www-form-urlencoded").body(form);
    let with = |key| Signing { service: "sts", ..Signing::with(key) };
    let send = async |signing: &Signing<'_>| wire.send(&wire.sign(&ask, signing)).await;

    check(&send(&with(ADMIN)).await, 200, "");
    check(&send(&with(UNKNOWN)).await, 403, "InvalidClientTokenId");
    check(&send(&with(Key::new(ADMIN.id, "wrong"))).await, 403, "SignatureDoesNotMatch");
    check(&send(&with(Key { token: Some("garbage"), ..ADMIN })).await, 403, "InvalidClientTokenId");
    check(&wire.send(&ask).await, 403, "MissingAuthenticationToken");
    let answer = send(&Signing::with(ADMIN)).await;
    check(&answer, 403, "SignatureDoesNotMatch");
    assert!(answer.text().contains("scoped to correct service: 'sts'. "));
    let tampered = wire.sign(&ask, &with(ADMIN)).body(form.replace("Get", "get"));
    check(&wire.send(&tampered).await, 403, "SignatureDoesNotMatch");

    let regional = ask.clone().header("host", "sts.eu-west-1.amazonaws.com");
    let answer = wire.send(&wire.sign(&regional, &with(ADMIN))).await;
    check(&answer, 403, "SignatureDoesNotMatch");
    assert!(answer.text().contains("scoped to a valid region. "));

    let credentials = session(&emulator).await;
    let signed = wire.sign(&ask, &with(ADMIN));
    emulator.clock().advance(Duration::from_secs(301));
    let answer = wire.send(&signed).await;
    check(&answer, 403, "SignatureDoesNotMatch");
    let text = "Signature expired: 20260101T000000Z is now earlier than 20260101T000001Z (20260101T000501Z - 5 min.)";
    assert_eq!(answer.element("Message").as_deref(), Some(text));
    emulator.clock().advance(Duration::from_hours(1));
    let answer = send(&with(Key::of(&credentials))).await;
    check(&answer, 403, "ExpiredToken");
    assert_eq!(
        answer.element("Message").as_deref(),
        Some("The security token included in the request is expired")
    );
}

#[tokio::test]
async fn a_host_of_aws_says_which_service_and_region_a_signature_is_for() {
    let (_emulator, wire) = listening().await;
    let form = |action: &str, version: &str| {
        Ask::new("POST", "/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("Action={action}&Version={version}"))
    };
    let caller = form("GetCallerIdentity", "2011-06-15");
    let users = form("ListUsers", "2010-05-08");
    let keys = Ask::new("POST", "/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "TrentService.ListKeys")
        .body("{}");
    let send = async |ask: &Ask, host: &str, service: &str, region: &str| {
        let signing = Signing { region, service, ..Signing::with(ADMIN) };
        wire.send(&wire.sign(&ask.clone().header("host", host), &signing)).await
    };
    for (ask, host, service, region) in [
        (&caller, "sts.amazonaws.com", "sts", "us-east-1"),
        (&caller, "sts.eu-west-1.amazonaws.com", "sts", "eu-west-1"),
        (&users, "iam.amazonaws.com", "iam", "us-east-1"),
        (&keys, "kms.eu-west-1.amazonaws.com", "kms", "eu-west-1"),
    ] {
        check(&send(ask, host, service, region).await, 200, "");
    }
    for (ask, host, service, region, text) in [
        (&caller, "sts.amazonaws.com", "sts", "eu-west-1", "scoped to a valid region. "),
        (&caller, "sts.amazonaws.com", "iam", "us-east-1", "scoped to correct service: 'sts'. "),
        (&users, "iam.amazonaws.com", "iam", "eu-west-1", "scoped to a valid region. "),
        (&keys, "kms.us-east-1.amazonaws.com", "kms", "eu-west-1", "scoped to a valid region. "),
    ] {
        let answer = send(ask, host, service, region).await;
        assert!(
            matches!(answer.status, 400 | 403) && answer.text().contains(text),
            "{host}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn the_query_services_say_what_an_authorization_header_lacks() {
    let (_emulator, wire) = listening().await;
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let ask = Ask::new("POST", "/").header("content-type", "application/x-www-form-urlencoded").body(form);
    let signed = wire.sign(&ask, &Signing { service: "sts", ..Signing::with(ADMIN) });
    let whole = signed.find("authorization").unwrap().to_owned();
    let credential = whole.split("Credential=").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let requires = |name: &str| format!("Authorization header requires '{name}' parameter. ");
    let date = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
    for (request, start) in [
        (signed.clone().replace("authorization", "Bearer secret"), requires("Credential")),
        (signed.clone().replace("authorization", &whole.replace("Signature=", "Sign=")), requires("Signature")),
        (signed.clone().replace("authorization", &whole.replace("SignedHeaders=", "Headers=")), requires("SignedHeaders")),
        (signed.clone().replace("authorization", &whole.replace(&credential, "AKIA/20260101/sts")), "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIA/20260101/sts'".to_owned()),
    ] {
        let answer = wire.send(&request).await;
        check(&answer, 400, "IncompleteSignature");
        let message = answer.element("Message").unwrap();
        assert!(message.starts_with(&start), "{message}");
        assert!(!message.contains("secret") && !message.contains("Signature="), "{message}");
    }
    let mut undated = signed;
    undated.headers.retain(|(name, _)| name != "x-amz-date");
    let message = wire.send(&undated).await.element("Message").unwrap();
    assert!(message.starts_with(date) && message.contains("Authorization="), "{message}");
}

#[tokio::test]
async fn a_token_that_came_twice_is_shown_twice() {
    let (emulator, wire) = listening().await;
    let credentials = session(&emulator).await;
    let token = credentials.session_token().unwrap();
    let target = format!(
        "/logs/key?X-Amz-Security-Token={}",
        percent_encoding::utf8_percent_encode(token, percent_encoding::NON_ALPHANUMERIC)
    );
    let twice = wire.sign(&Ask::new("GET", &target), &Signing::with(Key::of(&credentials)));
    emulator.clock().advance(Duration::from_hours(2));
    let answer = wire.send(&twice).await;
    check(&answer, 400, "ExpiredToken");
    let shown = (answer.element("Token-0"), answer.element("Token-1"));
    assert_eq!(shown, (Some(token.to_owned()), Some(token.to_owned())));
}

#[tokio::test]
async fn a_presigned_identity_request_signs_the_hash_of_nothing() {
    let (_emulator, wire) = listening().await;
    let ask = Ask::new("GET", "/?Action=GetCallerIdentity&Version=2011-06-15");
    let signing = Signing { service: "sts", payload: None, ..Signing::presigned(ADMIN, 60) };
    let answer = wire.send(&wire.sign(&ask, &signing)).await;
    assert_eq!(answer.element("Arn").as_deref(), Some("arn:aws:iam::111122223333:user/admin"));
}
