//! Object Lock: configuration, retention, legal hold, and what they forbid; codes and texts as AWS recorded them.

use std::time::Duration;

use bucketproof_emulator::Emulator;

use crate::fixture::{ADMIN, READER, listening};
use crate::wire::{Answer, Ask, Wire};

const LOCKED: &str = "Access Denied because object protected by object lock.";
const NO_LOCK: &str = "Bucket is missing Object Lock Configuration";
/// Ten days after the clock of the tests.
const LATER: &str = "2026-01-11T00:00:00Z";
const SOONER: &str = "2026-01-06T00:00:00Z";

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

/// Status, code and message.
fn check_text(answer: &Answer, status: u16, code: &str, message: &str) {
    check(answer, status, code);
    assert_eq!(answer.element("Message").as_deref(), Some(message));
}

async fn admin(wire: &Wire, ask: Ask) -> Answer {
    wire.send_as(ADMIN, &ask).await
}

async fn get(wire: &Wire, target: &str) -> Answer {
    admin(wire, Ask::new("GET", target)).await
}

async fn put(wire: &Wire, target: &str, body: &str) -> Answer {
    admin(wire, Ask::new("PUT", target).body(body.to_owned())).await
}

/// A write with the checksum that Object Lock asks for.
fn write(key: &str) -> Ask {
    Ask::new("PUT", &format!("/locked-bucket/{key}")).header("x-amz-checksum-crc32", "2H9+DA==").body("test")
}

fn version(answer: &Answer) -> String {
    answer.header("x-amz-version-id").expect("a version id").to_owned()
}

fn retention(mode: &str, until: &str) -> String {
    format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>")
}

fn hold(status: &str) -> String {
    format!("<LegalHold><Status>{status}</Status></LegalHold>")
}

/// The usual accounts with a bucket that has Object Lock.
async fn locked_bucket() -> (Emulator, Wire) {
    let (emulator, wire) = listening().await;
    let create = Ask::new("PUT", "/locked-bucket").header("x-amz-bucket-object-lock-enabled", "true");
    check(&admin(&wire, create).await, 200, "");
    (emulator, wire)
}

#[tokio::test]
async fn a_bucket_is_locked_when_it_is_made_or_once_it_is_versioned() {
    let (_emulator, wire) = locked_bucket().await;
    let answer = get(&wire, "/locked-bucket?object-lock").await;
    assert_eq!(answer.element("ObjectLockEnabled").as_deref(), Some("Enabled"));
    assert_eq!(answer.element("Rule"), None);
    assert_eq!(get(&wire, "/locked-bucket?versioning").await.element("Status").as_deref(), Some("Enabled"));
    let text =
        "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.";
    let versioning = |status: &str| {
        format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>")
    };
    check_text(
        &put(&wire, "/locked-bucket?versioning", &versioning("Suspended")).await,
        409,
        "InvalidBucketState",
        text,
    );
    check(&put(&wire, "/locked-bucket?versioning", &versioning("Enabled")).await, 200, "");

    let enable =
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    let missing = get(&wire, "/logs?object-lock").await;
    let text = "Object Lock configuration does not exist for this bucket";
    check_text(&missing, 404, "ObjectLockConfigurationNotFoundError", text);
    assert_eq!(missing.element("BucketName").as_deref(), Some("logs"));
    check(&get(&wire, "/absent-bucket?object-lock").await, 404, "NoSuchBucket");
    let text = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
    check_text(&put(&wire, "/logs?object-lock", enable).await, 409, "InvalidBucketState", text);
    check(&put(&wire, "/logs?versioning", &versioning("Suspended")).await, 200, "");
    check_text(&put(&wire, "/logs?object-lock", enable).await, 409, "InvalidBucketState", text);
    check(&put(&wire, "/logs?versioning", &versioning("Enabled")).await, 200, "");
    check(&put(&wire, "/logs?object-lock", enable).await, 200, "");
    let answer = get(&wire, "/logs?object-lock").await;
    check(&answer, 200, "");
    let root = "<ObjectLockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    assert!(answer.text().contains(root), "{}", answer.text());
}

#[tokio::test]
async fn the_configuration_is_checked_and_kept() {
    let (_emulator, wire) = locked_bucket().await;
    let configuration = |inner: &str| format!("<ObjectLockConfiguration>{inner}</ObjectLockConfiguration>");
    let enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>";
    let rule = |inner: &str| {
        configuration(&format!("{enabled}<Rule><DefaultRetention>{inner}</DefaultRetention></Rule>"))
    };
    let governance = "<Mode>GOVERNANCE</Mode>";
    for malformed in [
        configuration(
            "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>",
        ),
        configuration(""),
        configuration(&format!("{enabled}<Rule></Rule>")),
        rule(""),
        rule(governance),
        rule("<Mode>BAD-VALUE</Mode><Days>1</Days>"),
        rule(&format!("{governance}<Days>1</Days><Years>1</Years>")),
        configuration("<ObjectLockEnabled>Disabled</ObjectLockEnabled>"),
    ] {
        check(&put(&wire, "/locked-bucket?object-lock", &malformed).await, 400, "MalformedXML");
    }
    for length in ["<Days>0</Days>", "<Years>-1</Years>", "<Days>36501</Days>"] {
        let body = rule(&format!("{governance}{length}"));
        check(&put(&wire, "/locked-bucket?object-lock", &body).await, 400, "InvalidArgument");
    }
    check(
        &put(&wire, "/locked-bucket?object-lock", &rule(&format!("{governance}<Days>1</Days>"))).await,
        200,
        "",
    );
    let answer = get(&wire, "/locked-bucket?object-lock").await;
    assert_eq!(
        (answer.element("Mode").as_deref(), answer.element("Days").as_deref()),
        (Some("GOVERNANCE"), Some("1"))
    );

    // What is written now is retained for a day, unless its writer says otherwise; a copy is a write as well.
    let without = Ask::new("PUT", "/locked-bucket/plain").body("test");
    let text = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters";
    check_text(&admin(&wire, without).await, 400, "InvalidRequest", text);
    check(&admin(&wire, write("plain")).await, 200, "");
    let head = admin(&wire, Ask::new("HEAD", "/locked-bucket/plain")).await;
    assert_eq!(head.header("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert_eq!(head.header("x-amz-object-lock-retain-until-date"), Some("2026-01-02T00:00:00Z"));
    let own = write("own").header("x-amz-object-lock-mode", "COMPLIANCE");
    check(&admin(&wire, own.header("x-amz-object-lock-retain-until-date", LATER)).await, 200, "");
    let copy = Ask::new("PUT", "/locked-bucket/copy").header("x-amz-copy-source", "/locked-bucket/own");
    check(&admin(&wire, copy).await, 200, "");
    let head = admin(&wire, Ask::new("HEAD", "/locked-bucket/copy")).await;
    assert_eq!(head.header("x-amz-object-lock-mode"), Some("GOVERNANCE"), "not that of the source");
}

#[tokio::test]
async fn the_headers_of_a_write_are_checked() {
    let (_emulator, wire) = locked_bucket().await;
    let (mode, until) = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date");
    let both = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
    let answer = admin(&wire, write("k").header(mode, "GOVERNANCE")).await;
    check_text(&answer, 400, "InvalidArgument", both);
    assert_eq!(answer.element("ArgumentName").as_deref(), Some(until));
    let answer = admin(&wire, write("k").header(until, LATER)).await;
    check_text(&answer, 400, "InvalidArgument", both);
    assert_eq!(answer.element("ArgumentName").as_deref(), Some(mode));
    for ask in [write("k"), Ask::new("POST", "/locked-bucket/k?uploads")] {
        let answer = admin(&wire, ask.header(mode, "BAD-VALUE").header(until, LATER)).await;
        check_text(&answer, 400, "InvalidArgument", "Unknown wormMode directive.");
        assert_eq!(answer.element("ArgumentValue").as_deref(), Some("BAD-VALUE"));
    }
    let past = write("k").header(mode, "GOVERNANCE").header(until, "2025-12-31T00:00:00Z");
    check(&admin(&wire, past).await, 400, "InvalidArgument");
    check(
        &admin(&wire, write("k").header("x-amz-object-lock-legal-hold", "MAYBE")).await,
        400,
        "InvalidArgument",
    );
    // A bucket without Object Lock takes none of them.
    for (name, value) in [("x-amz-object-lock-legal-hold", "ON"), ("x-amz-object-lock-legal-hold", "OFF")] {
        let answer = admin(&wire, Ask::new("PUT", "/logs/k").header(name, value).body("test")).await;
        check_text(&answer, 400, "InvalidRequest", "Bucket is missing ObjectLockConfiguration");
    }
}

#[tokio::test]
async fn governance_yields_to_a_bypass_and_to_time() {
    let (emulator, wire) = locked_bucket().await;
    let id = version(&admin(&wire, write("k")).await);
    let by_id = format!("/locked-bucket/k?versionId={id}");
    check(&get(&wire, "/locked-bucket/k?retention").await, 404, "NoSuchObjectLockConfiguration");
    check(&put(&wire, "/locked-bucket/k?retention", &retention("GOVERNANCE", LATER)).await, 200, "");
    let answer = get(&wire, "/locked-bucket/k?retention").await;
    assert_eq!(answer.element("Mode").as_deref(), Some("GOVERNANCE"));
    assert!(answer.element("RetainUntilDate").unwrap().starts_with("2026-01-11T00:00:00"));

    check_text(&admin(&wire, Ask::new("DELETE", &by_id)).await, 403, "AccessDenied", LOCKED);
    let refused = Ask::new("DELETE", &by_id).header("x-amz-bypass-governance-retention", "false");
    check_text(&admin(&wire, refused).await, 403, "AccessDenied", LOCKED);
    // Without a version id nothing is lost, so nothing is refused.
    let deleted = admin(&wire, Ask::new("DELETE", "/locked-bucket/k")).await;
    assert_eq!(deleted.header("x-amz-delete-marker"), Some("true"));
    let marker = version(&deleted);
    for method in ["PUT", "GET"] {
        let ask = Ask::new(method, &format!("/locked-bucket/k?retention&versionId={marker}"));
        let body = if method == "PUT" { retention("GOVERNANCE", LATER) } else { String::new() };
        let answer = admin(&wire, ask.body(body)).await;
        check(&answer, 405, "MethodNotAllowed");
        assert_eq!(answer.element("Method").as_deref(), Some(method));
        assert_eq!(answer.element("ResourceType").as_deref(), Some("DeleteMarker"));
    }
    check(&admin(&wire, Ask::new("DELETE", &format!("/locked-bucket/k?versionId={marker}"))).await, 204, "");

    let change = |body: String| Ask::new("PUT", "/locked-bucket/k?retention").body(body);
    let bypass = |ask: Ask| ask.header("x-amz-bypass-governance-retention", "true");
    let shorter = change(retention("GOVERNANCE", SOONER));
    check_text(&admin(&wire, shorter.clone()).await, 403, "AccessDenied", LOCKED);
    check_text(&admin(&wire, change(retention("COMPLIANCE", LATER))).await, 403, "AccessDenied", LOCKED);
    check(&admin(&wire, bypass(shorter)).await, 200, "");
    check(&admin(&wire, change(retention("GOVERNANCE", LATER))).await, 200, "");
    check(&admin(&wire, bypass(change("<Retention></Retention>".into()))).await, 200, "");
    check(&get(&wire, "/locked-bucket/k?retention").await, 404, "NoSuchObjectLockConfiguration");

    check(&admin(&wire, change(retention("GOVERNANCE", LATER))).await, 200, "");
    emulator.clock().advance(Duration::from_hours(10 * 24));
    check(&admin(&wire, Ask::new("DELETE", &by_id)).await, 204, "");
}

#[tokio::test]
async fn compliance_yields_to_time_alone() {
    let (emulator, wire) = locked_bucket().await;
    let id = version(&admin(&wire, write("k")).await);
    let by_id = format!("/locked-bucket/k?versionId={id}");
    let target = format!("/locked-bucket/k?retention&versionId={id}");
    check(&put(&wire, &target, &retention("COMPLIANCE", LATER)).await, 200, "");
    let bypass = |ask: Ask| ask.header("x-amz-bypass-governance-retention", "true");
    check_text(&admin(&wire, bypass(Ask::new("DELETE", &by_id))).await, 403, "AccessDenied", LOCKED);
    for new in [retention("COMPLIANCE", SOONER), retention("GOVERNANCE", "2026-02-01T00:00:00Z")] {
        check_text(
            &admin(&wire, bypass(Ask::new("PUT", &target).body(new))).await,
            403,
            "AccessDenied",
            LOCKED,
        );
    }
    check(&put(&wire, &target, &retention("COMPLIANCE", "2026-01-12T00:00:00Z")).await, 200, "");
    emulator.clock().advance(Duration::from_hours(11 * 24));
    check(&admin(&wire, Ask::new("DELETE", &by_id)).await, 204, "");
}

#[tokio::test]
async fn a_legal_hold_yields_to_nothing_but_its_end() {
    let (_emulator, wire) = locked_bucket().await;
    let id = version(&admin(&wire, write("k").header("x-amz-object-lock-legal-hold", "ON")).await);
    let by_id = format!("/locked-bucket/k?versionId={id}");
    let head = admin(&wire, Ask::new("HEAD", "/locked-bucket/k")).await;
    assert_eq!(head.header("x-amz-object-lock-legal-hold"), Some("ON"));
    assert_eq!(get(&wire, "/locked-bucket/k?legal-hold").await.element("Status").as_deref(), Some("ON"));
    let bypass = Ask::new("DELETE", &by_id).header("x-amz-bypass-governance-retention", "true");
    check_text(&admin(&wire, bypass).await, 403, "AccessDenied", LOCKED);
    let many = format!("<Delete><Object><Key>k</Key><VersionId>{id}</VersionId></Object></Delete>");
    let answer = wire.delete_many(ADMIN, "/locked-bucket?delete", &many).await;
    let errors = answer.all_within(&["Error"], &["Code", "Key", "Message", "VersionId"]);
    assert_eq!(errors, [["AccessDenied", "k", LOCKED, &id]]);
    check(&put(&wire, "/locked-bucket/k?legal-hold", &hold("OFF")).await, 200, "");
    let head = admin(&wire, Ask::new("HEAD", "/locked-bucket/k")).await;
    assert_eq!(head.header("x-amz-object-lock-legal-hold"), Some("OFF"));
    check(&admin(&wire, Ask::new("DELETE", &by_id)).await, 204, "");

    check(&admin(&wire, write("other")).await, 200, "");
    check(&get(&wire, "/locked-bucket/other?legal-hold").await, 404, "NoSuchObjectLockConfiguration");
    for malformed in ["", "<LegalHold></LegalHold>", "<LegalHold><Status>on</Status></LegalHold>"] {
        check(&put(&wire, "/locked-bucket/other?legal-hold", malformed).await, 400, "MalformedXML");
    }
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let (_emulator, wire) = locked_bucket().await;
    check(&admin(&wire, write("k")).await, 200, "");
    check(&put(&wire, "/logs/k", "test").await, 200, "");
    for (subresource, body) in [("retention", retention("GOVERNANCE", LATER)), ("legal-hold", hold("ON"))] {
        let on = |target: &str| format!("{target}?{subresource}");
        check(&put(&wire, &on("/absent-bucket/k"), &body).await, 404, "NoSuchBucket");
        check(&put(&wire, &on("/locked-bucket/absent"), &body).await, 404, "NoSuchKey");
        check_text(&put(&wire, &on("/logs/k"), &body).await, 400, "InvalidRequest", NO_LOCK);
        check_text(&get(&wire, &on("/logs/k")).await, 400, "InvalidRequest", NO_LOCK);
    }
    let half = "<Retention><Mode>GOVERNANCE</Mode></Retention>";
    check(&put(&wire, "/locked-bucket/k?retention", half).await, 400, "MalformedXML");
    check(
        &put(&wire, "/locked-bucket/k?retention", &retention("BAD-VALUE", LATER)).await,
        400,
        "MalformedXML",
    );
    let past =
        put(&wire, "/locked-bucket/k?retention", &retention("GOVERNANCE", "2020-01-01T00:00:00Z")).await;
    check_text(&past, 400, "InvalidArgument", "The retain until date must be in the future!");
    assert_eq!(past.element("ArgumentName").as_deref(), Some("RetainUntilDate"));
    assert_eq!(past.element("ArgumentValue").as_deref(), Some("Tue Dec 31 16:00:00 PST 2019"));

    let text = "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.";
    for value in ["true", "false"] {
        let ask = Ask::new("DELETE", "/logs/k").header("x-amz-bypass-governance-retention", value);
        check_text(&admin(&wire, ask).await, 400, "InvalidArgument", text);
    }
}

#[tokio::test]
async fn uploads_keep_the_lock_they_were_begun_with() {
    let (_emulator, wire) = locked_bucket().await;
    let begin = Ask::new("POST", "/locked-bucket/large?uploads")
        .header("x-amz-object-lock-mode", "GOVERNANCE")
        .header("x-amz-object-lock-retain-until-date", LATER)
        .header("x-amz-object-lock-legal-hold", "ON");
    let id = admin(&wire, begin).await.element("UploadId").unwrap();
    let target = format!("/locked-bucket/large?partNumber=1&uploadId={id}");
    let text = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests with Object Lock parameters";
    check_text(&put(&wire, &target, "test").await, 400, "InvalidRequest", text);
    let part = Ask::new("PUT", &target).header("content-md5", "CY9rzUYh03PK3k6DJie09g==").body("test");
    let part = admin(&wire, part).await;
    let etag = part.header("etag").unwrap();
    let xml = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let complete = Ask::new("POST", &format!("/locked-bucket/large?uploadId={id}")).body(xml);
    check(&admin(&wire, complete).await, 200, "");
    let head = admin(&wire, Ask::new("HEAD", "/locked-bucket/large")).await;
    assert_eq!(head.header("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert_eq!(head.header("x-amz-object-lock-legal-hold"), Some("ON"));
}

/// Permissions: to see a lock, to set one, to set it aside; and what policies see of it.
#[tokio::test]
async fn locks_take_permissions_of_their_own() {
    let (emulator, wire) = locked_bucket().await;
    let id = version(&admin(&wire, write("k").header("x-amz-object-lock-legal-hold", "ON")).await);
    check(&put(&wire, "/locked-bucket/k?retention", &retention("GOVERNANCE", LATER)).await, 200, "");
    let allow = async |actions: &str, condition: &str| {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:user/reader"}},"Action":{actions},"Resource":"arn:aws:s3:::locked-bucket/*"{condition}}}]}}"#
        );
        emulator.s3("admin").put_bucket_policy().bucket("locked-bucket").policy(policy).send().await.unwrap();
    };
    let reader = async |ask: Ask| wire.send_as(READER, &ask).await;
    let seen = async || {
        let head = reader(Ask::new("HEAD", "/locked-bucket/k")).await;
        check(&head, 200, "");
        let names = ["x-amz-object-lock-mode", "x-amz-object-lock-legal-hold"];
        names.map(|name| head.header(name).is_some())
    };
    allow(r#""s3:GetObject""#, "").await;
    assert_eq!(seen().await, [false, false]);
    assert!(emulator.journal().denied().is_empty(), "what is only not told is no denial");
    allow(r#"["s3:GetObject","s3:GetObjectRetention"]"#, "").await;
    assert_eq!(seen().await, [true, false]);
    allow(r#"["s3:GetObject","s3:GetObjectLegalHold"]"#, "").await;
    assert_eq!(seen().await, [false, true]);

    check(&put(&wire, "/locked-bucket/k?legal-hold", &hold("OFF")).await, 200, "");
    let remove = Ask::new("DELETE", &format!("/locked-bucket/k?versionId={id}"));
    let bypass = remove.clone().header("x-amz-bypass-governance-retention", "true");
    allow(r#""s3:DeleteObjectVersion""#, "").await;
    check_text(&reader(remove).await, 403, "AccessDenied", LOCKED);
    check(&reader(bypass.clone()).await, 403, "AccessDenied");
    assert_eq!(emulator.journal().denied().last().unwrap().action, "s3:BypassGovernanceRetention");
    allow(r#"["s3:DeleteObjectVersion","s3:BypassGovernanceRetention"]"#, "").await;
    check(&reader(bypass).await, 204, "");

    let lock = |ask: Ask, until: &str| {
        ask.header("x-amz-object-lock-mode", "GOVERNANCE")
            .header("x-amz-object-lock-retain-until-date", until)
    };
    allow(r#""s3:PutObject""#, "").await;
    check(&reader(lock(write("new"), LATER)).await, 403, "AccessDenied");
    assert_eq!(emulator.journal().denied().last().unwrap().action, "s3:PutObjectRetention");
    check(&reader(write("new").header("x-amz-object-lock-legal-hold", "ON")).await, 403, "AccessDenied");
    assert_eq!(emulator.journal().denied().last().unwrap().action, "s3:PutObjectLegalHold");
    let retaining = r#"["s3:PutObject","s3:PutObjectRetention"]"#;
    let at_most = r#","Condition":{"NumericLessThanEquals":{"s3:object-lock-remaining-retention-days":"10"},"StringEquals":{"s3:object-lock-mode":"GOVERNANCE"}}"#;
    allow(retaining, at_most).await;
    check(&reader(lock(write("new"), LATER)).await, 200, "");
    check(&reader(lock(write("new"), "2026-01-11T00:00:01Z")).await, 403, "AccessDenied");
    let change =
        |until: &str| Ask::new("PUT", "/locked-bucket/new?retention").body(retention("GOVERNANCE", until));
    check(&reader(change("2026-01-20T00:00:00Z")).await, 403, "AccessDenied");
    check(&reader(change(LATER)).await, 200, "");
    allow(
        r#""s3:PutObjectLegalHold""#,
        r#","Condition":{"StringEquals":{"s3:object-lock-legal-hold":"ON"}}"#,
    )
    .await;
    check(
        &reader(Ask::new("PUT", "/locked-bucket/new?legal-hold").body(hold("OFF"))).await,
        403,
        "AccessDenied",
    );
    check(&reader(Ask::new("PUT", "/locked-bucket/new?legal-hold").body(hold("ON"))).await, 200, "");
}
