//! The journal for other programs: lines that can be decided again, and an HTTP archive, both without secrets.

use std::time::Duration;

use bucketproof_authz::evaluate::evaluate_line;
use bucketproof_emulator::{Emulator, Fault, Op};
use serde_json::Value;

use crate::fixture::{ADMIN, EXTERNAL_ID, ROLE_ARN, WRITER, emulator, listening};
use crate::wire::{Ask, Key, Signing, Wire};

fn lines(emulator: &Emulator) -> Vec<Value> {
    let text = emulator.journal().to_json_lines();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Users, sessions, strangers, keys, ACLs: whatever was decided is decided so again.
#[tokio::test]
async fn every_decision_can_be_repeated_from_its_line() {
    let (emulator, wire) = listening().await;
    wire.send_as(ADMIN, &Ask::new("PUT", "/logs/open/a").body("data")).await;
    wire.send_as(WRITER, &Ask::new("GET", "/logs/open/a")).await;
    wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    wire.send(&Ask::new("GET", "/logs/open/a")).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/vendor"},"Action":"s3:*","Resource":"arn:aws:s3:::logs/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}]}"#;
    wire.send_as(ADMIN, &Ask::new("PUT", "/logs?policy").body(policy)).await;
    let vendor = emulator.actor("vendor");
    for acl in ["bucket-owner-full-control", "private"] {
        let put = vendor.s3().put_object().bucket("logs").key("b").acl(acl.into());
        let _answer = put.send().await;
    }
    vendor.assume(ROLE_ARN, "wrong").await.unwrap_err();
    let session = vendor.assume(ROLE_ARN, EXTERNAL_ID).await.unwrap();
    session.s3().get_object().bucket("logs").key("b").send().await.ok();
    let kms = emulator.kms("admin");
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    kms.encrypt()
        .key_id(&key)
        .plaintext(aws_sdk_kms_blob(b"x"))
        .encryption_context("a", "b")
        .send()
        .await
        .unwrap();
    emulator.kms("vendor").describe_key().key_id(&key).send().await.unwrap_err();

    let mut repeated = 0;
    for (entry, line) in emulator.journal().entries().iter().zip(lines(&emulator)) {
        for (recorded, decided) in entry.decisions.iter().zip(line["decisions"].as_array().unwrap()) {
            let again = evaluate_line(&decided["question"].to_string());
            let mut trace = serde_json::to_value(recorded.decision.trace()).unwrap();
            let mut repeated_trace = again["trace"].clone();
            for trace in [&mut trace, &mut repeated_trace] {
                for policy in trace["policies"].as_array_mut().unwrap() {
                    policy["file"] = Value::Null;
                }
            }
            assert_eq!(repeated_trace, trace, "{line}");
            assert_eq!(decided["outcome"], again["decision"]);
            assert_eq!(decided["explanation"].is_string(), recorded.is_denied());
            repeated += 1;
        }
    }
    assert!(repeated >= 13, "{repeated}");
}

fn aws_sdk_kms_blob(bytes: &[u8]) -> aws_smithy_types::Blob {
    aws_smithy_types::Blob::new(bytes)
}

async fn get(wire: &Wire, place: &str) -> String {
    let answer = wire.send(&Ask::new("GET", &format!("/_bucketproof/{place}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

/// Neither signatures nor tokens nor keys of customers come to rest in what is handed out.
#[tokio::test]
async fn no_secret_is_handed_out() {
    let (emulator, wire) = listening().await;
    let token = "IQoJb3JpZ2luX2Vj".repeat(8);
    let with_token = Key { token: Some(&token), ..ADMIN };
    let customer_key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let mut secrets = vec![ADMIN.secret.to_owned(), token.clone(), customer_key.to_owned()];
    for signing in
        [Signing::with(with_token), Signing::presigned(with_token, 60), Signing::presigned(ADMIN, 60)]
    {
        let ask = Ask::new("GET", "/logs/key")
            .header("x-amz-server-side-encryption-customer-algorithm", "AES256")
            .header("x-amz-server-side-encryption-customer-key", customer_key)
            .header("x-amz-server-side-encryption-customer-key-md5", "hRasmdxgYDKV3nvbahU1MA==");
        let signed = wire.sign(&ask, &signing);
        let place = signed.find("authorization").map_or(signed.target.clone(), str::to_owned);
        secrets.push(place.rsplit("Signature=").next().unwrap()[..64].to_owned());
        // A page with a signed address of its own asks for an object.
        let referer = format!("http://{}{}", wire.host(), signed.target);
        wire.send(&signed).await;
        wire.send_as(ADMIN, &Ask::new("GET", "/logs/key").header("referer", &referer)).await;
    }
    let session = emulator.actor("vendor").assume(ROLE_ARN, EXTERNAL_ID).await.unwrap();
    secrets.push(session.credentials().secret_access_key().to_owned());
    secrets.push(session.credentials().session_token().unwrap().to_owned());
    session.s3().put_object().bucket("logs").key("by-role").send().await.unwrap();
    let lines = get(&wire, "journal").await;
    let archive = get(&wire, "journal?format=har").await;
    assert_eq!(lines, emulator.journal().to_json_lines());
    assert_eq!(archive, emulator.journal().to_har());
    assert!(archive.contains("X-Amz-Signature=[redacted]"));
    for (name, text) in
        [("lines", &lines), ("archive", &archive), ("requests", &get(&wire, "requests").await)]
    {
        for secret in &secrets {
            let encoded: String =
                percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).collect();
            assert!(!text.contains(secret.as_str()) && !text.contains(&encoded), "{name}: {secret}");
        }
    }
}

#[tokio::test]
async fn an_archive_tells_times_sizes_and_decisions() {
    let emulator = emulator().await;
    let s3 = emulator.s3("admin");
    s3.put_object().bucket("logs").key("a b").body(b"12345".to_vec().into()).send().await.unwrap();
    let _slow = emulator.inject(Fault::on(Op::GetObject).delay(Duration::from_millis(1500)));
    s3.get_object().bucket("logs").key("a b").send().await.unwrap();
    emulator.s3("nobody").list_objects_v2().bucket("logs").prefix("x/y").send().await.unwrap_err();
    let archive: Value = serde_json::from_str(&emulator.journal().to_har()).unwrap();
    let log = &archive["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&"1.2".into(), &"bucketproof-emulator".into()));
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    for entry in entries {
        for field in ["startedDateTime", "time", "request", "response", "cache", "timings"] {
            assert!(!entry[field].is_null(), "{field}");
        }
        for (part, fields) in [
            (
                "request",
                [
                    "method",
                    "url",
                    "httpVersion",
                    "cookies",
                    "headers",
                    "queryString",
                    "headersSize",
                    "bodySize",
                ]
                .as_slice(),
            ),
            (
                "response",
                &[
                    "status",
                    "statusText",
                    "httpVersion",
                    "cookies",
                    "headers",
                    "content",
                    "redirectURL",
                    "headersSize",
                    "bodySize",
                ],
            ),
        ] {
            for field in fields {
                assert!(!entry[part][field].is_null(), "{part} {field}");
            }
        }
    }
    let [put, get, list] = entries.as_slice() else { panic!("{entries:?}") };
    assert!(put["request"]["bodySize"].as_u64() >= Some(5), "with the framing that the SDK adds");
    assert_eq!(put["request"]["url"], "http://127.0.0.1/logs/a%20b?x-id=PutObject");
    assert_eq!((&get["time"], &get["timings"]["wait"]), (&1500.0.into(), &1500.0.into()));
    assert_eq!(get["startedDateTime"], "2026-01-01T00:00:00Z");
    assert_eq!(
        (&get["response"]["content"]["size"], &get["response"]["statusText"]),
        (&5.into(), &"OK".into())
    );
    assert_eq!(get["_bucketproof"]["faults"][0], "GetObject: delayed by 1.5 s");
    let parameters = list["request"]["queryString"].as_array().unwrap();
    assert!(parameters.contains(&serde_json::json!({ "name": "prefix", "value": "x/y" })), "{parameters:?}");
    assert_eq!(list["_bucketproof"]["decisions"][0]["outcome"], "ImplicitlyDenied");
}

#[tokio::test]
async fn the_admin_api_counts_and_forgets() {
    let (emulator, wire) = listening().await;
    wire.send_as(ADMIN, &Ask::new("PUT", "/logs/a").body("data")).await;
    wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    wire.send_as(Key::new("AKIAUNKNOWNEXAMPLE00", "x"), &Ask::new("GET", "/logs/key")).await;
    let counts: Value = serde_json::from_str(&get(&wire, "journal/counts").await).unwrap();
    assert_eq!(counts["operations"], serde_json::json!({ "GetObject": 1, "PutObject": 1 }));
    assert_eq!(
        (&counts["denied"], &counts["refused_undecided"], &counts["request_bytes"]),
        (&2.into(), &1.into(), &4.into())
    );
    let unknown = wire.send(&Ask::new("GET", "/_bucketproof/journal?format=pcap")).await;
    assert_eq!(
        (unknown.status, unknown.text().as_str()),
        (400, "parameter `format`: `pcap` is none; there are json-lines, har\n")
    );
    assert_eq!(wire.send(&Ask::new("PUT", "/_bucketproof/journal")).await.status, 405);
    assert_eq!(wire.send(&Ask::new("DELETE", "/_bucketproof/requests")).await.status, 200);
    assert!(emulator.journal().entries().is_empty());
    let described: Value = serde_json::from_str(&get(&wire, "openapi.json").await).unwrap();
    for path in ["/_bucketproof/journal", "/_bucketproof/journal/counts", "/_bucketproof/requests"] {
        assert!(described["paths"][path]["get"].is_object(), "{path}");
    }
}
