//! Requests that no SDK makes, and clients that stop half-way.

use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::{ADMIN, READER, emulator, listening, listening_with};
use crate::wire::{Answer, Ask, Key, Signing};

/// All but what a path may hold as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

#[tokio::test]
async fn what_cannot_be_read_as_text_is_refused() {
    let (_emulator, wire) = listening().await;
    for target in ["/logs/%zz", "/logs/%4", "/logs/%", "/logs/%FF", "/%FF/key", "/logs?prefix=%FF"] {
        let answer = wire.send(&Ask::new("GET", target)).await;
        check(&answer, 400, "InvalidURI");
        assert_eq!(answer.element("Message").as_deref(), Some("Couldn't parse the specified URI."));
    }
    let mut bytes = Ask::new("GET", "/logs/key").header("if-none-match", "MARK").bytes(&wire.host());
    let at = bytes.windows(4).position(|window| window == b"MARK").unwrap();
    bytes[at..at + 4].fill(0xFF);
    let answer = Answer::parse(&wire.send_bytes(&bytes).await);
    check(&answer, 400, "InvalidRequest");
    assert!(answer.text().contains("if-none-match"));
}

#[tokio::test]
async fn dots_slashes_and_nothing_in_a_key_are_the_key() {
    let (_emulator, wire) = listening().await;
    let keys = ["../../etc/passwd", "./a", "a//b", "/", "//", "a/../b", "\u{0}", "\u{7f}", "%2e%2e", "a?b#c"];
    for key in keys {
        let target = format!("/logs/{}", percent_encoding::utf8_percent_encode(key, ENCODED));
        check(&wire.send_as(ADMIN, &Ask::new("PUT", &target).body(key)).await, 200, "");
        assert_eq!(wire.send_as(ADMIN, &Ask::new("GET", &target)).await.text(), key);
    }
    let raw = wire.send_as(ADMIN, &Ask::new("GET", "/logs/../../etc/passwd")).await;
    assert_eq!(raw.text(), "../../etc/passwd", "a path is not walked");
    let listed = wire.send_as(ADMIN, &Ask::new("GET", "/logs?list-type=2")).await;
    assert_eq!(listed.element("KeyCount"), Some(keys.len().to_string()));
}

#[tokio::test]
async fn a_policy_sees_the_key_that_is_written() {
    let (emulator, wire) = listening().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs/secret/*"}]}"#;
    emulator.s3("admin").put_bucket_policy().bucket("logs").policy(policy).send().await.unwrap();
    let signed = wire.sign(&Ask::new("PUT", "/logs/secret/a"), &Signing::with(ADMIN));
    for target in ["/logs/secret/a", "/logs/%73ecret/a", "/logs/secret%2Fa", "/logs%2Fsecret/a"] {
        let ask = Ask { target: target.to_owned(), ..signed.clone() };
        check(&wire.send(&ask).await, 403, "AccessDenied");
    }
    let hosted = Ask::new("PUT", "/secret/a").header("host", "logs.s3.amazonaws.com");
    check(&wire.send_as(ADMIN, &hosted).await, 403, "AccessDenied");
    let copied = Ask::new("PUT", "/logs/open").header("x-amz-copy-source", "logs/%73ecret/a");
    check(&wire.send_as(ADMIN, &copied).await, 403, "AccessDenied");
}

#[tokio::test]
async fn a_document_may_be_written_in_any_way_that_xml_allows() {
    let (_emulator, wire) = listening().await;
    let prefixed = "<?xml version=\"1.0\"?><?by hand?><s:Delete xmlns:s=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                    <!-- all --><s:Object><s:Key>a</s:Key></s:Object></s:Delete>";
    for xml in [prefixed, "<Delete><Object><Key><![CDATA[a]]></Key></Object></Delete>"] {
        wire.send_as(ADMIN, &Ask::new("PUT", "/logs/a")).await;
        let answer = wire.delete_many(ADMIN, "/logs?delete", xml).await;
        check(&answer, 200, "");
        assert_eq!(answer.element("Key").as_deref(), Some("a"));
        check(&wire.send_as(ADMIN, &Ask::new("GET", "/logs/a")).await, 404, "NoSuchKey");
    }
    for xml in ["<Delete><Object><Key>a</Key></Object></Delete>x", "<!DOCTYPE a><Delete/>", "<Delete>"] {
        check(&wire.delete_many(ADMIN, "/logs?delete", xml).await, 400, "MalformedXML");
    }
}

#[tokio::test]
async fn of_parameters_that_are_given_twice_the_first_counts() {
    let (_emulator, wire) = listening().await;
    for key in ["a", "b"] {
        wire.send_as(ADMIN, &Ask::new("PUT", &format!("/logs/{key}"))).await;
    }
    let listed = wire.send_as(READER, &Ask::new("GET", "/logs?list-type=2&prefix=a&prefix=b")).await;
    assert_eq!(
        (listed.element("KeyCount").as_deref(), listed.element("Prefix").as_deref()),
        (Some("1"), Some("a"))
    );
}

#[tokio::test]
async fn huge_heads_are_refused_and_the_next_is_served() {
    let (_emulator, wire) = listening().await;
    let large = Ask::new("GET", "/logs/key").header("x-amz-meta-large", &"x".repeat(1 << 20));
    let answer = Answer::parse(&wire.send_bytes(&large.bytes(&wire.host())).await);
    assert_eq!(answer.status, 431);
    let many =
        (0..2000).fold(Ask::new("GET", "/logs/key"), |ask, number| ask.header(&format!("x-h-{number}"), "x"));
    assert_eq!(Answer::parse(&wire.send_bytes(&many.bytes(&wire.host())).await).status, 431);
    let query = "a&".repeat(20_000);
    assert_eq!(wire.send_as(ADMIN, &Ask::new("HEAD", &format!("/logs?{query}"))).await.status, 200);
    assert!(Answer::parse(&wire.send_bytes(b"NOT HTTP\r\n\r\n").await).status >= 400);
    assert_eq!(wire.send_as(ADMIN, &Ask::new("HEAD", "/logs")).await.status, 200);
}

#[tokio::test]
async fn a_client_that_stops_half_way_leaves_nothing() {
    let (emulator, wire) = listening().await;
    let signed = wire.sign(&Ask::new("PUT", "/logs/key").body("0123456789"), &Signing::with(ADMIN));
    let bytes = signed.bytes(&wire.host());
    let mut stream = wire.connect().await;
    stream.write_all(&bytes[..bytes.len() - 5]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer).await;
    check(&wire.send_as(ADMIN, &Ask::new("GET", "/logs/key")).await, 404, "NoSuchKey");
    let entries = emulator.journal().entries();
    if let Some(entry) = entries.iter().find(|entry| entry.method == "PUT") {
        assert_eq!((entry.status, entry.code.as_deref()), (400, Some("IncompleteBody")));
    }
}

/// What the server says before the client has sent its body.
async fn first_answer(wire: &crate::wire::Wire, ask: &Ask, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = wire.connect().await;
    let bytes = ask.bytes(&wire.host());
    stream.write_all(&bytes[..bytes.len() - ask.body.len()]).await.unwrap();
    let mut start = vec![0; 12];
    stream.read_exact(&mut start).await.unwrap();
    let start = String::from_utf8(start).unwrap();
    let mut rest = Vec::new();
    if start == "HTTP/1.1 100" {
        stream.write_all(body).await.unwrap();
    }
    let _reset = stream.read_to_end(&mut rest).await;
    (start, rest)
}

#[tokio::test]
async fn a_body_is_asked_for_only_from_those_who_are_known() {
    let (_emulator, wire) = listening().await;
    let put = Ask::new("PUT", "/logs/key").body("content").header("expect", "100-continue");
    let known = wire.sign(&put, &Signing::with(ADMIN));
    let (start, rest) = first_answer(&wire, &known, b"content").await;
    assert_eq!(start, "HTTP/1.1 100");
    assert!(String::from_utf8_lossy(&rest).contains("HTTP/1.1 200"));
    let unknown = wire.sign(&put, &Signing::with(Key::new(ADMIN.id, "wrong")));
    let (start, _) = first_answer(&wire, &unknown, b"content").await;
    assert_eq!(start, "HTTP/1.1 403");
}

#[tokio::test]
async fn a_body_is_not_asked_for_from_those_who_may_not_send_it() {
    let (emulator, wire) = listening().await;
    let put = Ask::new("PUT", "/logs/key").body("content").header("expect", "100-continue");
    let (start, rest) = first_answer(&wire, &wire.sign(&put, &Signing::with(READER)), b"content").await;
    assert_eq!(start, "HTTP/1.1 403");
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("<Code>AccessDenied</Code>") && rest.contains("connection: close"), "{rest}");
    let denied = emulator.journal().denied();
    assert_eq!((denied.len(), denied[0].action.as_str()), (1, "s3:PutObject"));
    assert!(denied[0].explain().contains("s3:PutObject"));
    let nowhere = Ask::new("PUT", "/no-such-bucket/key").body("content").header("expect", "100-continue");
    let (start, _) = first_answer(&wire, &wire.sign(&nowhere, &Signing::with(ADMIN)), b"content").await;
    assert_eq!(start, "HTTP/1.1 404");
    check(&wire.send_as(ADMIN, &Ask::new("GET", "/logs/key")).await, 404, "NoSuchKey");
}

#[tokio::test]
async fn what_a_body_decides_waits_for_the_body() {
    let (emulator, wire) = listening().await;
    let fault = emulator
        .inject(bucketproof_emulator::Fault::on(bucketproof_emulator::Op::PutObject).times(1).slow_down());
    let put = Ask::new("PUT", "/logs/key").body("content").header("expect", "100-continue");
    let (start, _) = first_answer(&wire, &wire.sign(&put, &Signing::with(ADMIN)), b"content").await;
    assert_eq!(start, "HTTP/1.1 100");
    assert_eq!(fault.hits(), 1);
    assert_eq!(emulator.journal().entries().len(), 1);
}

/// botocore waits for `100 Continue` even before an empty body, and keeps what comes instead for its next request.
#[tokio::test]
async fn a_connection_ends_with_an_empty_body_that_was_announced() {
    let (_emulator, wire) = listening().await;
    let put = Ask::new("PUT", "/logs/empty").header("expect", "100-continue").header("content-length", "0");
    let signed = wire.sign(&put, &Signing::with(ADMIN));
    // A client that would go on using the connection.
    let bytes = String::from_utf8(signed.bytes(&wire.host())).unwrap();
    let bytes = bytes.replacen("connection: close", "connection: keep-alive", 1);
    let mut stream = wire.connect().await;
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(char::from(stream.read_u8().await.unwrap()));
    }
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("connection: close"), "{head}");
}

#[tokio::test]
async fn a_refused_upload_is_read_so_that_the_refusal_arrives() {
    let (_emulator, wire) = listening().await;
    let large = Ask::new("PUT", "/logs/key").body(vec![0; 3 << 20]);
    check(&wire.send_as(Key::new(ADMIN.id, "wrong"), &large).await, 403, "SignatureDoesNotMatch");
    check(&wire.send_as(READER, &large).await, 403, "AccessDenied");
}

#[tokio::test]
async fn a_length_that_lies_is_noticed() {
    let (_emulator, wire) = listening().await;
    let announced = Ask::new("PUT", "/logs/key").header("content-length", "5368709121");
    let signed =
        wire.sign(&announced, &Signing { payload: Some("UNSIGNED-PAYLOAD"), ..Signing::with(ADMIN) });
    let answer = wire.send(&signed).await;
    check(&answer, 400, "EntityTooLarge");
    let told = ["ProposedSize", "MaxSizeAllowed"].map(|name| answer.element(name).unwrap());
    assert_eq!(told, ["5368709121", "5368709120"]);
    let emulator = emulator().await;
    let request = http::Request::put("/logs/key")
        .header("content-length", "5000000000")
        .body(Bytes::from("short"))
        .unwrap();
    let answer = emulator.send(request).await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn many_requests_share_a_connection() {
    let (_emulator, wire) = listening().await;
    let mut stream = wire.connect().await;
    for number in 0..3 {
        let ask = wire.sign(&Ask::new("PUT", &format!("/logs/{number}")).body("data"), &Signing::with(ADMIN));
        let bytes = ask.bytes(&wire.host());
        let bytes = String::from_utf8(bytes).unwrap().replace("connection: close\r\n", "");
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        assert_eq!(Answer::parse(&answer).status, 200);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked, there is an answer, and it is not that something broke inside.
    #[test]
    fn every_request_has_an_answer(
        method in "(GET|PUT|POST|DELETE|HEAD|OPTIONS|PATCH|[A-Z]{1,8})",
        path in "/(logs|[a-z.-]{0,5})?(/[ -~é%]{0,10})?",
        query in "[ -~]{0,20}",
        headers in prop::collection::vec(("(x-amz-[a-z-]{1,20}|range|content-type|authorization|if-match)", "[ -~]{0,20}"), 0..4),
        body in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let uri: Result<http::Uri, _> = format!("{path}?{query}").parse();
        let Ok(uri) = uri else { return Ok(()) };
        let mut request = http::Request::builder().method(method.as_str()).uri(uri);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let Ok(request) = request.body(Bytes::from(body)) else { return Ok(()) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let status = runtime.block_on(async { emulator().await.send(request).await.unwrap().status() });
        prop_assert!(status != 500, "{status}");
        prop_assert!(!status.is_success() || method == "GET", "nobody may write without a signature");
    }

    /// The same of those who are known: no input makes an operation break.
    #[test]
    fn every_operation_has_an_answer(
        method in "(GET|PUT|POST|DELETE|HEAD)",
        path in "/(logs|archive)(/[a-z%./ é]{0,6})?",
        query in "(list-type=2|uploads|delete|policy|location|uploadId=[a-z]{0,3}|partNumber=[0-9-]{0,4}|max-keys=[0-9-]{0,11}|versionId=[a-z]{0,4}|continuation-token=[A-Za-z0-9=]{0,9}|prefix=[a-z]{0,2}|delimiter=[a-z/]{0,2}|&){0,5}",
        headers in prop::collection::vec(("(range|x-amz-copy-source|x-amz-checksum-crc32|content-md5|if-match|if-none-match|x-amz-acl|x-amz-storage-class|x-amz-checksum-type|x-amz-checksum-algorithm|x-amz-mp-object-size|x-amz-copy-source-range|if-modified-since)", "[!-~]{0,12}"), 0..3),
        body in "(<[a-zA-Z/]{0,10}>|[a-z{}\"]){0,6}",
    ) {
        let target = percent_encoding::utf8_percent_encode(&path, percent_encoding::CONTROLS).to_string().replace(' ', "%20").replace("%.", "%2E").replace("%/", "%2F");
        let mut ask = Ask::new(&method, &format!("{target}?{query}")).body(body);
        for (name, value) in &headers {
            ask = ask.header(name, value);
        }
        let uri: Result<http::Uri, _> = format!("http://localhost{}", ask.target).parse();
        if uri.is_err() {
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let status = runtime.block_on(async {
            let emulator = emulator().await;
            let signed = ask.signed(&Signing::with(ADMIN), "localhost", emulator.clock().system_time());
            let mut request = http::Request::builder().method(method.as_str()).uri(&signed.target);
            for (name, value) in &signed.headers {
                request = request.header(name, value);
            }
            let request = request.header("host", "localhost").body(Bytes::from(signed.body)).unwrap();
            emulator.send(request).await.unwrap().status()
        });
        prop_assert!(status != 500, "{status}");
    }
}

#[tokio::test]
async fn a_client_that_stalls_within_a_body_is_sent_away() {
    let (_emulator, wire) = listening_with(|builder| builder.idle_timeout(Duration::from_millis(50))).await;
    let ask = Ask::new("PUT", "/logs/stalled").body("all of it");
    let bytes = wire.sign(&ask, &Signing::with(ADMIN)).bytes(&wire.host());
    // The connection stays open: only the server can end this.
    let mut stream = wire.connect().await;
    stream.write_all(&bytes[..bytes.len() - 3]).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = Answer::parse(&answer);
    assert_eq!(answer.outcome(), (400, "RequestTimeout".to_owned()), "{}", answer.text());
    assert_eq!(answer.header("connection"), Some("close"));
    let missing = wire.send_as(ADMIN, &Ask::new("HEAD", "/logs/stalled")).await;
    assert_eq!(missing.status, 404);
}
