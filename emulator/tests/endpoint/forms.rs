//! Uploads by an HTML form, signed and anonymous, as recorded on AWS.

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bucketproof_emulator::Emulator;

use crate::fixture::{ADMIN, WRITER, listening};
use crate::tagging::{admin, check};
use crate::wire::{Answer, Ask, Key, Wire};

/// A form: fields in order, and a file.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
    file: Option<(Option<&'static str>, Vec<u8>)>,
}

impl Form {
    pub(crate) fn new(fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { fields: fields.collect(), file: Some((Some("local.txt"), b"abcdef".to_vec())) }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(own, _)| own != name);
        self
    }

    /// Signs a policy with these conditions, beside those for the bucket and the fields of the signature.
    pub(crate) fn signed(self, key: Key<'_>, conditions: &str) -> Self {
        let conditions = format!(
            "{{\"bucket\":\"logs\"}},{{\"x-amz-algorithm\":\"AWS4-HMAC-SHA256\"}},[\"starts-with\",\"$x-amz-credential\",\"\"],[\"starts-with\",\"$x-amz-date\",\"\"]{conditions}"
        );
        let policy = format!("{{\"expiration\":\"2026-01-01T01:00:00Z\",\"conditions\":[{conditions}]}}");
        self.with_policy(key, &policy)
    }

    fn with_policy(self, key: Key<'_>, policy: &str) -> Self {
        let policy = STANDARD.encode(policy);
        let new_year = crate::fixture::new_year().system_time();
        let signing_key = generate_signing_key(key.secret, new_year, "us-east-1", "s3");
        let signature = calculate_signature(signing_key, policy.as_bytes());
        self.with("policy", &policy)
            .with("x-amz-algorithm", "AWS4-HMAC-SHA256")
            .with("x-amz-credential", &format!("{}/20260101/us-east-1/s3/aws4_request", key.id))
            .with("x-amz-date", "20260101T000000Z")
            .with("X-Amz-Signature", &signature)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            body.extend(
                format!("--b0und\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .bytes(),
            );
        }
        if let Some((name, content)) = &self.file {
            let name = name.map_or(String::new(), |name| format!("; filename=\"{name}\""));
            body.extend(format!("--b0und\r\nContent-Disposition: form-data; name=\"file\"{name}\r\nContent-Type: image/png\r\n\r\n").bytes());
            body.extend(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--b0und--\r\n");
        body
    }

    pub(crate) async fn post(&self, wire: &Wire) -> Answer {
        let ask = Ask::new("POST", "/logs").header("content-type", "multipart/form-data; boundary=b0und");
        wire.send(&ask.body(self.body())).await
    }
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str, message: &str) {
    check(answer, status, code);
    assert_eq!(
        answer.element("Message").as_deref().map(|text| text.replace("&quot;", "\"")).as_deref(),
        Some(message)
    );
}

async fn stored(wire: &Wire, key: &str) -> Answer {
    let answer = admin(wire, "GET", &format!("/logs/{key}")).await;
    check(&answer, 200, "");
    answer
}

#[tokio::test]
async fn a_signed_form_stores_an_object() {
    let (emulator, wire) = listening().await;
    let form = Form::new(&[("key", "posted")]).signed(ADMIN, ",{\"key\":\"posted\"}");
    let answer = form.post(&wire).await;
    check(&answer, 204, "");
    assert_eq!(answer.header("etag"), Some("\"e80b5017098950fc58aad83c8c14978e\""));
    let location = format!("http://{}/logs/posted", wire.host());
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(stored(&wire, "posted").await.body, b"abcdef");
    let read =
        wire.send_as(ADMIN, &Ask::new("HEAD", "/logs/posted").header("x-amz-checksum-mode", "ENABLED")).await;
    assert_eq!(read.header("x-amz-checksum-crc64nvme"), Some("Pact6XRTYyA="));
    assert_eq!(read.header("content-type"), Some("binary/octet-stream"));
    let entry = emulator.journal().entries().into_iter().find(|entry| entry.method == "POST").unwrap();
    assert_eq!(entry.operation.map(|op| op.to_string()).as_deref(), Some("PostObject"));
    assert_eq!(entry.key.as_deref(), Some("posted"));
    assert_eq!(entry.principal.as_deref(), Some("arn:aws:iam::111122223333:user/admin"));
}

#[tokio::test]
async fn a_form_is_answered_as_it_asks() {
    let (_emulator, wire) = listening().await;
    let form = |extra: &[(&str, &str)], conditions: &str| {
        let mut fields = vec![("key", "a/b c.txt")];
        fields.extend(extra);
        let conditions = format!(",[\"starts-with\",\"$key\",\"a/\"]{conditions}");
        Form::new(&fields).signed(ADMIN, &conditions)
    };
    let status = ",[\"starts-with\",\"$success_action_status\",\"\"]";
    for (asked, status_code) in [("200", 200), ("204", 204), ("404", 204)] {
        let answer = form(&[("success_action_status", asked)], status).post(&wire).await;
        assert_eq!((answer.status, answer.body.len()), (status_code, 0), "{asked}");
    }
    let created = form(&[("success_action_status", "201")], status).post(&wire).await;
    check(&created, 201, "");
    let location = format!("http://{}/logs/a/b%20c.txt", wire.host());
    assert_eq!(created.header("location"), Some(location.as_str()));
    for (name, value) in [
        ("Location", location.as_str()),
        ("Bucket", "logs"),
        ("Key", "a/b c.txt"),
        ("ETag", "&quot;e80b5017098950fc58aad83c8c14978e&quot;"),
    ] {
        assert_eq!(created.element(name).as_deref(), Some(value));
    }
    let redirect = ",[\"eq\",\"$success_action_redirect\",\"http://example.com/done\"]";
    let answer = form(&[("success_action_redirect", "http://example.com/done")], redirect).post(&wire).await;
    assert_eq!(answer.status, 303);
    assert_eq!(
        answer.header("location"),
        Some(
            "http://example.com/done?bucket=logs&key=a%2Fb%20c.txt&etag=%22e80b5017098950fc58aad83c8c14978e%22"
        )
    );
}

#[tokio::test]
async fn a_form_says_what_headers_say() {
    let (_emulator, wire) = listening().await;
    let tags = "<Tagging><TagSet><Tag><Key>TagName</Key><Value>TagValue</Value></Tag></TagSet></Tagging>";
    let fields = [
        ("key", "described"),
        ("Content-Type", "text/plain"),
        ("Cache-Control", "no-store"),
        ("Content-Disposition", "attachment"),
        ("Expires", "Sun, 01 Jan 2023 00:00:00 GMT"),
        ("x-amz-meta-Test-1", "test-meta-1"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-website-redirect-location", "/elsewhere"),
        ("acl", "private"),
        ("tagging", tags),
        ("x-ignore-me", "at all"),
    ];
    let conditions: String = fields[..10]
        .iter()
        .map(|(name, _)| format!(",[\"starts-with\",\"${name}\",\"\"]"))
        .collect::<Vec<_>>()
        .concat();
    check(&Form::new(&fields).signed(ADMIN, &conditions).post(&wire).await, 204, "");
    let head = admin(&wire, "HEAD", "/logs/described").await;
    for (name, value) in [
        ("content-type", "text/plain"),
        ("cache-control", "no-store"),
        ("content-disposition", "attachment"),
        ("expires", "Sun, 01 Jan 2023 00:00:00 GMT"),
        ("x-amz-meta-test-1", "test-meta-1"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-website-redirect-location", "/elsewhere"),
        ("x-amz-tagging-count", "1"),
    ] {
        assert_eq!(head.header(name), Some(value), "{name}");
    }
    let tagging = ",[\"starts-with\",\"$key\",\"\"],[\"starts-with\",\"$tagging\",\"\"]";
    for (text, status, code) in [("<Other/>", 204, ""), ("not a document", 400, "MalformedXML")] {
        let answer =
            Form::new(&[("key", "other"), ("tagging", text)]).signed(ADMIN, tagging).post(&wire).await;
        check(&answer, status, code);
    }
    assert_eq!(admin(&wire, "HEAD", "/logs/other").await.header("x-amz-tagging-count"), None);
    let class = ",{\"key\":\"k\"},[\"starts-with\",\"$x-amz-storage-class\",\"\"]";
    let form = Form::new(&[("key", "k"), ("x-amz-storage-class", "FakeClass")]).signed(ADMIN, class);
    let answer = form.post(&wire).await;
    refused(&answer, 400, "InvalidStorageClass", "The storage class you specified is not valid");
    assert_eq!(answer.element("StorageClassRequested").as_deref(), Some("FakeClass"));
}

#[tokio::test]
async fn the_name_of_the_file_stands_in_the_key() {
    let (emulator, wire) = listening().await;
    let any = ",[\"starts-with\",\"$key\",\"up/\"]";
    let mut form = Form::new(&[("key", "up/${filename}")]).signed(ADMIN, any);
    check(&form.post(&wire).await, 204, "");
    stored(&wire, "up/local.txt").await;
    form.file = Some((Some("C:\\dir\\deep.txt"), b"x".to_vec()));
    check(&form.post(&wire).await, 204, "");
    stored(&wire, "up/deep.txt").await;
    // A file that came as a plain field has no name.
    form.file = Some((None, b"y".to_vec()));
    check(&form.post(&wire).await, 204, "");
    let read = emulator.s3("admin").get_object().bucket("logs").key("up/${filename}").send().await.unwrap();
    assert_eq!(read.body.collect().await.unwrap().to_vec(), b"y");
}

#[tokio::test]
async fn a_form_is_held_against_its_policy() {
    let (_emulator, wire) = listening().await;
    let url = "http://localhost.test/random";
    let form = || Form::new(&[("key", "k"), ("success_action_redirect", url)]);
    let send = |conditions: &str| {
        let form = form().signed(ADMIN, &format!(",{{\"key\":\"k\"}}{conditions}"));
        let wire = &wire;
        async move { form.post(wire).await }
    };
    let failed =
        |condition: &str| format!("Invalid according to Policy: Policy Condition failed: {condition}");
    for condition in [
        "[\"eq\", \"$success_action_redirect\", \"http://localhost.test/other\"]",
        "[\"eq\", \"success_action_redirect\", \"http://localhost.test/random\"]",
        "[\"eq\", \"$success_action_redirect\", \"HTTP://localhost.test/random\"]",
        "[\"starts-with\", \"$success_action_redirect\", \"http://local.test\"]",
        "[\"starts-with\", \"$success_action_redirect\", \"HTTP://localhost\"]",
        "[\"content-length-range\", \"test\", \"10\"]",
    ] {
        refused(&send(&format!(",{condition}")).await, 403, "AccessDenied", &failed(condition));
    }
    let simple = send(",{\"success_action_redirect\":\"no\"}").await;
    refused(&simple, 403, "AccessDenied", &failed("[\"eq\", \"$success_action_redirect\", \"no\"]"));
    refused(
        &send("").await,
        403,
        "AccessDenied",
        "Invalid according to Policy: Extra input fields: success_action_redirect",
    );
    let two = send(",{\"success_action_redirect\":\"a\",\"acl\":\"b\"}").await;
    refused(
        &two,
        400,
        "InvalidPolicyDocument",
        "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
    );
    for passing in [
        "[\"eq\",\"$success_action_redirect\",\"http://localhost.test/random\"]",
        "[\"starts-with\",\"$SUCCESS_action_redirect\",\"http://localhost\"]",
        "{\"Success_Action_Redirect\":\"http://localhost.test/random\"}",
    ] {
        assert_eq!(send(&format!(",{passing}")).await.status, 303, "{passing}");
    }
}

#[tokio::test]
async fn the_size_of_the_file_is_held_against_the_policy() {
    let (_emulator, wire) = listening().await;
    let send = |bytes: usize| {
        let mut form =
            Form::new(&[("key", "k")]).signed(ADMIN, ",{\"key\":\"k\"},[\"content-length-range\", 5, 10]");
        form.file = Some((None, vec![b'a'; bytes]));
        let wire = &wire;
        async move { form.post(wire).await }
    };
    let large = send(12).await;
    refused(&large, 400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
    assert_eq!(large.element("ProposedSize").as_deref(), Some("12"));
    assert_eq!(large.element("MaxSizeAllowed").as_deref(), Some("10"));
    let small = send(1).await;
    refused(&small, 400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size");
    assert_eq!(small.element("MinSizeAllowed").as_deref(), Some("5"));
    check(&send(10).await, 204, "");
    check(&send(5).await, 204, "");
}

#[tokio::test]
async fn a_policy_document_is_checked() {
    let (emulator, wire) = listening().await;
    let send = |policy: String| {
        let form = Form::new(&[("key", "k")]).with_policy(ADMIN, &policy);
        let wire = &wire;
        async move { form.post(wire).await }
    };
    let expiration = "\"expiration\":\"2026-01-01T01:00:00Z\"";
    for policy in [
        "no json".to_owned(),
        "[]".to_owned(),
        format!("{{{expiration}}}"),
        "{\"conditions\":[]}".to_owned(),
        "{\"expiration\":\"tomorrow\",\"conditions\":[]}".to_owned(),
        "{\"expiration\":\"2026-01-01 01:00:00+00:00\",\"conditions\":[]}".to_owned(),
        format!("{{{expiration},\"CONDITIONS\":[]}}"),
        format!("{{{expiration},\"conditions\":[[\"content-length-range\",512]]}}"),
        format!("{{{expiration},\"conditions\":[[\"content-length-range\",-1,0]]}}"),
        format!("{{{expiration},\"conditions\":[\"eq\"]}}"),
        format!("{{{expiration},\"conditions\":[[\"ends-with\",\"$key\",\"k\"]]}}"),
    ] {
        check(&send(policy.clone()).await, 400, "InvalidPolicyDocument");
    }
    // Without the bucket a policy would be good for every bucket of the signer.
    let answer = send(format!("{{{expiration},\"conditions\":[{{\"key\":\"k\"}},[\"starts-with\",\"$x-amz-algorithm\",\"\"],[\"starts-with\",\"$x-amz-credential\",\"\"],[\"starts-with\",\"$x-amz-date\",\"\"]]}}")).await;
    refused(&answer, 403, "AccessDenied", "Invalid according to Policy: Extra input fields: bucket");
    let form = Form::new(&[("key", "k")]).signed(ADMIN, ",{\"key\":\"k\"}");
    check(&form.post(&wire).await, 204, "");
    emulator.clock().advance(std::time::Duration::from_hours(1));
    refused(&form.post(&wire).await, 403, "AccessDenied", "Invalid according to Policy: Policy expired.");
}

fn missing(name: &str) -> String {
    format!(
        "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )
}

#[tokio::test]
async fn the_fields_of_a_signature_are_all_needed() {
    let (_emulator, wire) = listening().await;
    let form = || Form::new(&[("key", "k")]).signed(ADMIN, ",{\"key\":\"k\"}");
    for name in ["X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "policy", "key"] {
        let field = if name == "X-Amz-Signature" { name.to_owned() } else { name.to_ascii_lowercase() };
        let answer = form().without(&field).post(&wire).await;
        refused(&answer, 400, "InvalidArgument", &missing(name));
        assert_eq!(answer.element("ArgumentName").as_deref(), Some(name));
        assert_eq!(answer.element("ArgumentValue").as_deref(), Some(""));
    }
    let version_2 = Form::new(&[("key", "k"), ("policy", "e30="), ("AWSAccessKeyId", ADMIN.id)]);
    let answer = version_2.post(&wire).await;
    refused(&answer, 400, "InvalidArgument", &missing("Signature"));
    let version_2 = Form::new(&[("key", "k"), ("policy", "e30="), ("signature", "x")]);
    refused(&version_2.post(&wire).await, 400, "InvalidArgument", &missing("AWSAccessKeyId"));
    let unsigned = Form::new(&[("key", "k"), ("policy", "e30=")]);
    refused(&unsigned.post(&wire).await, 403, "AccessDenied", "Access Denied");
}

#[tokio::test]
async fn a_signature_binds_the_policy() {
    let (_emulator, wire) = listening().await;
    let form = || Form::new(&[("key", "k")]).signed(ADMIN, ",{\"key\":\"k\"}");
    let other = form().without("policy").with("policy", "eyJleHBpcmF0aW9uIjoiMjAyNiJ9");
    let answer = other.post(&wire).await;
    check(&answer, 403, "SignatureDoesNotMatch");
    assert_eq!(answer.element("AWSAccessKeyId").as_deref(), Some(ADMIN.id));
    assert_eq!(answer.element("StringToSign").as_deref(), Some("eyJleHBpcmF0aW9uIjoiMjAyNiJ9"));
    assert!(answer.element("SignatureProvided").is_some() && answer.element("StringToSignBytes").is_some());
    assert_eq!(answer.element("CanonicalRequest"), None);
    let unknown = Key::new("AKIAUNKNOWNUSEREXAMP", "secret");
    let answer = Form::new(&[("key", "k")]).signed(unknown, ",{\"key\":\"k\"}").post(&wire).await;
    check(&answer, 403, "InvalidAccessKeyId");
    let stray = form().with("x-amz-security-token", &"IQoJb3JpZ2luX2Vj".repeat(8));
    check(&stray.post(&wire).await, 400, "InvalidToken");
    let body = form().body();
    let ask = Ask::new("POST", "/logs")
        .header("content-type", "multipart/form-data; boundary=b0und")
        .header("x-amz-security-token", "x");
    refused(&wire.send(&ask.body(body)).await, 403, "AccessDenied", "No AWSAccessKey was presented.");
}

#[tokio::test]
async fn the_signer_is_who_is_authorized() {
    let (_emulator, wire) = listening().await;
    let send = |key: &'static str| {
        let form = Form::new(&[("key", key)]).signed(WRITER, ",[\"starts-with\",\"$key\",\"\"]");
        let wire = &wire;
        async move { form.post(wire).await.outcome() }
    };
    assert_eq!(send("open/k").await, (204, String::new()));
    assert_eq!(send("closed/k").await, (403, "AccessDenied".to_owned()));
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",
        "Resource":"arn:aws:s3:::logs/*","Condition":{"StringEquals":{"s3:authType":"POST"}}}}"#;
    check(&wire.send_as(ADMIN, &Ask::new("PUT", "/logs?policy").body(policy)).await, 204, "");
    assert_eq!(send("open/k").await, (403, "AccessDenied".to_owned()));
    let put = Ask::new("PUT", "/logs/open/k").body("x");
    assert_eq!(wire.send_as(WRITER, &put).await.status, 200, "no form");
}

#[tokio::test]
async fn nobody_may_post_what_nobody_may_put() {
    let (_emulator, wire) = listening().await;
    let form = Form::new(&[("key", "k"), ("x-anything", "without a policy nothing is extra")]);
    refused(&form.post(&wire).await, 403, "AccessDenied", "Access Denied");
}

#[tokio::test]
async fn version_2_signs_forms_where_it_signs_urls() {
    let (_emulator, wire) = listening().await;
    let policy = STANDARD.encode(
        "{\"expiration\":\"2026-01-01T01:00:00Z\",\"conditions\":[{\"bucket\":\"logs\"},{\"key\":\"k\"}]}",
    );
    let signature = version_2(ADMIN.secret, &policy);
    let fields =
        [("key", "k"), ("AWSAccessKeyId", ADMIN.id), ("signature", signature.as_str()), ("policy", &policy)];
    check(&Form::new(&fields).post(&wire).await, 204, "");
    let wrong = Form::new(&fields).without("signature").with("signature", "AAAA");
    let answer = wrong.post(&wire).await;
    check(&answer, 403, "SignatureDoesNotMatch");
    assert_eq!(answer.element("StringToSign"), Some(policy));
}

/// HMAC-SHA1 as base64, by the definition of RFC 2104.
fn version_2(secret: &str, text: &str) -> String {
    use sha1::{Digest, Sha1};
    let pad = |byte: u8| {
        let mut key = [0_u8; 64];
        key[..secret.len()].copy_from_slice(secret.as_bytes());
        key.map(|own| own ^ byte)
    };
    let inner = Sha1::new().chain_update(pad(0x36)).chain_update(text).finalize();
    STANDARD.encode(Sha1::new().chain_update(pad(0x5c)).chain_update(inner).finalize())
}

#[tokio::test]
async fn what_is_no_form_is_refused() {
    let (emulator, wire) = listening().await;
    let plain =
        Ask::new("POST", "/logs").header("content-type", "application/x-www-form-urlencoded2").body("key=k");
    let answer = wire.send(&plain).await;
    refused(
        &answer,
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    );
    let condition = "Bucket POST must be of the enclosure-type multipart/form-data";
    assert_eq!(answer.element("Condition").as_deref(), Some(condition));
    let send = |content_type: &'static str, body: Vec<u8>| {
        let wire = &wire;
        async move { wire.send(&Ask::new("POST", "/logs").header("content-type", content_type).body(body)).await }
    };
    let good = "multipart/form-data; boundary=b0und";
    let body = Form::new(&[("key", "k")]).body();
    for cut in [0, 3, 20, 60, 90, body.len() - 12] {
        let answer = send(good, body[..cut].to_vec()).await;
        assert_eq!(answer.status, 400, "cut at {cut}: {}", answer.text());
    }
    check(&send("multipart/form-data", body.clone()).await, 400, "MalformedPOSTRequest");
    check(&send("multipart/form-data; boundary=other", body).await, 400, "MalformedPOSTRequest");
    let mut no_file = Form::new(&[("key", "k")]);
    no_file.file = None;
    refused(
        &no_file.post(&wire).await,
        400,
        "InvalidArgument",
        "POST requires exactly one file upload per request.",
    );
    let long = Form::new(&[("key", "k"), ("x-ignore-a", &"a".repeat(30_000))]);
    check(&long.post(&wire).await, 400, "MaxPostPreDataLengthExceeded");
    assert!(is_empty(&emulator).await);
}

async fn is_empty(emulator: &Emulator) -> bool {
    emulator.s3("admin").list_objects_v2().bucket("logs").send().await.unwrap().contents().is_empty()
}
