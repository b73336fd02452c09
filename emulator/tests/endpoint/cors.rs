//! Cross-origin requests: the rules, preflight requests and the headers of actual answers, as recorded on AWS.

use crate::fixture::listening;
use crate::tagging::{admin, check, put_xml};
use crate::wire::{Answer, Ask, Wire};

const ORIGIN: &str = "https://localhost:4200";
const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

fn list(name: &str, texts: &[&str]) -> String {
    texts.iter().map(|text| format!("<{name}>{text}</{name}>")).collect::<Vec<_>>().concat()
}

fn rule(origins: &[&str], methods: &[&str], more: &str) -> String {
    format!("<CORSRule>{}{}{more}</CORSRule>", list("AllowedOrigin", origins), list("AllowedMethod", methods))
}

async fn put(wire: &Wire, rules: &str) -> Answer {
    let xml = format!(
        "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</CORSConfiguration>"
    );
    put_xml(wire, "/logs?cors", &xml).await
}

/// A bucket with these rules, and an object that anybody may read.
async fn with_rules(wire: &Wire, rules: &str) {
    check(&put(wire, rules).await, 200, "");
    let block = Ask::new("PUT", "/logs/key").body("test-cors");
    check(&wire.send_as(crate::fixture::ADMIN, &block).await, 200, "");
}

/// A request of nobody with these headers.
async fn ask(wire: &Wire, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let ask = headers.iter().fold(Ask::new(method, target), |ask, (name, value)| ask.header(name, value));
    wire.send(&ask).await
}

/// A request of the administrator with these headers.
async fn get(wire: &Wire, headers: &[(&str, &str)]) -> Answer {
    let ask = headers.iter().fold(Ask::new("GET", "/logs/key"), |ask, (name, value)| ask.header(name, value));
    wire.send_as(crate::fixture::ADMIN, &ask).await
}

#[track_caller]
fn forbidden(answer: &Answer, method: &str, kind: &str, text: &str) {
    check(answer, 403, "AccessForbidden");
    assert_eq!(answer.element("Method").as_deref(), Some(method));
    assert_eq!(answer.element("ResourceType").as_deref(), Some(kind));
    assert!(answer.element("Message").unwrap().starts_with(&format!("CORSResponse: {text}")));
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

/// The headers that tell a browser what is allowed; absent ones are `-`.
fn allowed(answer: &Answer) -> Vec<&str> {
    ["origin", "credentials", "methods", "headers"]
        .iter()
        .map(|name| answer.header(&format!("access-control-allow-{name}")).unwrap_or("-"))
        .collect()
}

#[tokio::test]
async fn rules_are_put_told_and_deleted() {
    let (_emulator, wire) = listening().await;
    let none = admin(&wire, "GET", "/logs?cors").await;
    check(&none, 404, "NoSuchCORSConfiguration");
    assert_eq!(none.element("Message").as_deref(), Some("The CORS configuration does not exist"));
    assert_eq!(none.element("BucketName").as_deref(), Some("logs"));
    check(&admin(&wire, "DELETE", "/logs?cors").await, 204, "");
    let more =
        "<AllowedHeader>x-AMZ-server-SIDE-encryption</AllowedHeader><MaxAgeSeconds>3000</MaxAgeSeconds>";
    check(
        &put(&wire, &rule(&["https://test.com", "http://test.com:80"], &["GET", "PUT"], more)).await,
        200,
        "",
    );
    let told = admin(&wire, "GET", "/logs?cors").await;
    check(&told, 200, "");
    let text = told.text();
    for part in [
        "<AllowedOrigin>https://test.com</AllowedOrigin><AllowedOrigin>http://test.com:80</AllowedOrigin>",
        "<AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>",
        "<AllowedHeader>x-AMZ-server-SIDE-encryption</AllowedHeader>",
        "<MaxAgeSeconds>3000</MaxAgeSeconds>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(told.header("content-type"), Some("application/xml"));
    check(&admin(&wire, "DELETE", "/logs?cors").await, 204, "");
    check(&admin(&wire, "GET", "/logs?cors").await, 404, "NoSuchCORSConfiguration");
    check(&put(&wire, &rule(&[""], &["GET", "PUT", "HEAD"], "")).await, 200, "");
    let told = admin(&wire, "GET", "/logs?cors").await;
    assert!(told.text().contains("<AllowedOrigin/>"), "an empty origin is kept");
}

#[tokio::test]
async fn rules_are_checked() {
    let (_emulator, wire) = listening().await;
    let answer = put(&wire, &rule(&["*"], &["MYMETHOD"], "")).await;
    check(&answer, 400, "InvalidRequest");
    let text = "Found unsupported HTTP method in CORS config. Unsupported method is MYMETHOD";
    assert_eq!(answer.element("Message").as_deref(), Some(text));
    for rules in
        ["", "<CORSRule/>", &rule(&["*"], &[], ""), &rule(&[], &["GET"], ""), &rule(&["*"], &["GET"], "<X/>")]
    {
        check(&put(&wire, rules).await, 400, "MalformedXML");
    }
    check(&put(&wire, &rule(&["*"], &["GET"], "").repeat(101)).await, 400, "MalformedXML");
    check(&put(&wire, &rule(&["http://*.*"], &["GET"], "")).await, 400, "InvalidRequest");
    let exposed = rule(&["*"], &["GET"], "<ExposeHeader>x-*</ExposeHeader>");
    check(&put(&wire, &exposed).await, 400, "InvalidRequest");
    check(&admin(&wire, "GET", "/logs?cors").await, 404, "NoSuchCORSConfiguration");
}

#[tokio::test]
async fn a_bucket_without_rules_lets_no_script_in() {
    let (_emulator, wire) = listening().await;
    let answer = ask(&wire, "OPTIONS", "/logs/key", &[]).await;
    check(&answer, 400, "BadRequest");
    let text = "Insufficient information. Origin request header needed.";
    assert_eq!(answer.element("Message").as_deref(), Some(text));
    let put = [("origin", ORIGIN), ("access-control-request-method", "PUT")];
    let text = "CORS is not enabled for this bucket.";
    forbidden(&ask(&wire, "OPTIONS", "/logs/key", &put).await, "PUT", "BUCKET", text);
    forbidden(&ask(&wire, "OPTIONS", "/logs/key", &put[..1]).await, "OPTIONS", "BUCKET", text);
    let read = get(&wire, &put[..1]).await;
    assert_eq!((read.header("access-control-allow-origin"), read.header("vary")), (None, None));
}

#[tokio::test]
async fn a_missing_bucket_lets_no_script_in() {
    let (_emulator, wire) = listening().await;
    check(&ask(&wire, "OPTIONS", "/no-such-bucket/key", &[]).await, 400, "BadRequest");
    let answer = ask(&wire, "OPTIONS", "/no-such-bucket/key", &[("origin", ORIGIN)]).await;
    forbidden(&answer, "OPTIONS", "BUCKET", "Bucket not found");
}

#[tokio::test]
async fn an_origin_is_matched() {
    let (_emulator, wire) = listening().await;
    let age = "<MaxAgeSeconds>3000</MaxAgeSeconds>";
    with_rules(&wire, &rule(&[ORIGIN], &["GET", "PUT"], age)).await;
    let right = [("origin", ORIGIN), ("access-control-request-method", "PUT")];
    for answer in [ask(&wire, "OPTIONS", "/logs/key", &right).await, get(&wire, &right[..1]).await] {
        check(&answer, 200, "");
        assert_eq!(allowed(&answer), [ORIGIN, "true", "GET, PUT", "-"]);
        assert_eq!(answer.header("access-control-max-age"), Some("3000"));
        assert_eq!(answer.header("vary"), Some(VARY));
    }
    let preflight = ask(&wire, "OPTIONS", "/logs/key", &right).await;
    assert_eq!((preflight.body.len(), preflight.header("content-length")), (0, Some("0")));
    check(&ask(&wire, "OPTIONS", "/logs/key", &[("referer", ORIGIN)]).await, 400, "BadRequest");
    let wrong = [("origin", "http://localhost:4200"), ("access-control-request-method", "PUT")];
    let text = "This CORS request is not allowed. This is usually because the evalution of Origin";
    forbidden(&ask(&wire, "OPTIONS", "/logs/key", &wrong).await, "PUT", "OBJECT", text);
    forbidden(&ask(&wire, "OPTIONS", "/logs", &wrong).await, "PUT", "BUCKET", text);
    assert_eq!(allowed(&get(&wire, &wrong[..1]).await), ["-"; 4]);

    with_rules(&wire, &rule(&["*"], &["GET", "PUT"], age)).await;
    let any = [("origin", "https://random:1234"), ("access-control-request-method", "PUT")];
    for answer in [ask(&wire, "OPTIONS", "/logs/key", &any).await, get(&wire, &any[..1]).await] {
        assert_eq!(allowed(&answer), ["*", "-", "GET, PUT", "-"]);
        assert_eq!(answer.header("vary"), Some(VARY));
    }
}

#[tokio::test]
async fn an_origin_is_matched_in_part() {
    let (_emulator, wire) = listening().await;
    with_rules(&wire, &rule(&["http://*.origin.com"], &["GET", "PUT"], "")).await;
    let preflight = |origin| {
        let wire = &wire;
        async move {
            let headers = [("origin", origin), ("access-control-request-method", "GET")];
            ask(wire, "OPTIONS", "/logs", &headers).await
        }
    };
    let answer = preflight("http://test.origin.com").await;
    assert_eq!(allowed(&answer), ["http://test.origin.com", "true", "GET, PUT", "-"]);
    forbidden(&preflight("http://test.origin.org").await, "GET", "BUCKET", "This CORS request");
    check(&preflight("http://.origin.com").await, 200, "");
    check(&preflight("http://origin.com").await, 403, "AccessForbidden");
}

#[tokio::test]
async fn a_method_is_matched() {
    let (_emulator, wire) = listening().await;
    with_rules(&wire, &rule(&[ORIGIN], &["GET"], "<MaxAgeSeconds>3000</MaxAgeSeconds>")).await;
    let with = |method| [("origin", ORIGIN), ("access-control-request-method", method)];
    let preflight = ask(&wire, "OPTIONS", "/logs/key", &with("GET")).await;
    assert_eq!(allowed(&preflight), [ORIGIN, "true", "GET", "-"]);
    assert_eq!(allowed(&get(&wire, &with("PUT")).await), ["-"; 4], "the announced method counts");
    assert_eq!(allowed(&get(&wire, &with("GET")).await), [ORIGIN, "true", "GET", "-"]);
    forbidden(&ask(&wire, "OPTIONS", "/logs/key", &with("PUT")).await, "PUT", "OBJECT", "This CORS");
    check(&ask(&wire, "OPTIONS", "/logs/key", &with("GET")[..1]).await, 400, "BadRequest");
    let written = Ask::new("PUT", "/logs/key").header("origin", ORIGIN);
    let written = wire.send_as(crate::fixture::ADMIN, &written).await;
    assert_eq!((written.status, allowed(&written)), (200, vec!["-"; 4]));
}

#[tokio::test]
async fn headers_are_matched() {
    let (_emulator, wire) = listening().await;
    let wild = "<AllowedHeader>*</AllowedHeader>";
    with_rules(&wire, &rule(&[ORIGIN], &["GET"], wild)).await;
    let with = |headers| {
        [
            ("origin", ORIGIN),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", headers),
        ]
    };
    for (sent, told) in [
        ("x-amz-request-payer", "x-amz-request-payer"),
        (
            "x-amz-request-payer, x-amz-expected-bucket-owner",
            "x-amz-request-payer, x-amz-expected-bucket-owner",
        ),
    ] {
        let answer = ask(&wire, "OPTIONS", "/logs/key", &with(sent)).await;
        assert_eq!(allowed(&answer), [ORIGIN, "true", "GET", told]);
    }
    let named = list(
        "AllowedHeader",
        &[
            "x-amz-expected-bucket-owner",
            "x-amz-server-side-encryption-customer-algorithm",
            "x-AMZ-server-SIDE-encryption",
        ],
    );
    with_rules(&wire, &rule(&[ORIGIN], &["GET"], &named)).await;
    let both = "x-amz-expected-bucket-owner, x-amz-server-side-encryption";
    for (sent, told) in [
        ("x-amz-expected-bucket-owner", "x-amz-expected-bucket-owner"),
        ("x-amz-expected-bucket-owner, x-amz-server-SIDE-encryption", both),
        ("x-amz-expected-bucket-owner,x-amz-server-side-encryption", both),
    ] {
        let answer = ask(&wire, "OPTIONS", "/logs/key", &with(sent)).await;
        assert_eq!(allowed(&answer), [ORIGIN, "true", "GET", told], "{sent}");
    }
    let answer = ask(&wire, "OPTIONS", "/logs/key", &with("x-amz-request-payer")).await;
    forbidden(&answer, "GET", "OBJECT", "This CORS");
    assert_eq!(allowed(&get(&wire, &with("x-amz-request-payer")).await), ["-"; 4]);
    let unannounced = get(&wire, &[("origin", ORIGIN), ("x-amz-request-payer", "requester")]).await;
    assert_eq!(allowed(&unannounced), [ORIGIN, "true", "GET", "-"]);
}

#[tokio::test]
async fn what_a_rule_does_not_say_is_not_told() {
    let (_emulator, wire) = listening().await;
    with_rules(&wire, &rule(&["*"], &["GET"], "")).await;
    let plain = [("origin", ORIGIN), ("access-control-request-method", "GET")];
    let answer = ask(&wire, "OPTIONS", "/logs/key", &plain).await;
    assert_eq!(allowed(&answer), ["*", "-", "GET", "-"]);
    assert_eq!(answer.header("access-control-max-age"), None);
    assert_eq!(answer.header("access-control-expose-headers"), None);
    let mut headers = plain.to_vec();
    headers.push(("access-control-request-headers", "x-amz-request-payer"));
    forbidden(&ask(&wire, "OPTIONS", "/logs/key", &headers).await, "GET", "OBJECT", "This CORS");

    let exposed = list("ExposeHeader", &["x-amz-id-2", "x-amz-request-id", "x-amz-request-payer"]);
    with_rules(&wire, &rule(&["*"], &["GET"], &exposed)).await;
    let answer = ask(&wire, "OPTIONS", "/logs/key", &plain).await;
    let told = "x-amz-id-2, x-amz-request-id, x-amz-request-payer";
    assert_eq!(answer.header("access-control-expose-headers"), Some(told));
}

/// Scripts may see why they were refused.
#[tokio::test]
async fn refusals_carry_the_headers_too() {
    let (_emulator, wire) = listening().await;
    with_rules(&wire, &rule(&["*"], &["GET"], "")).await;
    let denied = ask(&wire, "GET", "/logs/key", &[("origin", ORIGIN)]).await;
    check(&denied, 403, "AccessDenied");
    assert_eq!(allowed(&denied), ["*", "-", "GET", "-"]);
    // A question about a presigned URL is not held to its signature.
    let presigned = "/logs/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0";
    let headers = [("origin", ORIGIN), ("access-control-request-method", "GET")];
    check(&ask(&wire, "OPTIONS", presigned, &headers).await, 200, "");
}
