//! Buckets: made, found, elsewhere, removed, and their policies.

use crate::fixture::{ADMIN, READER, ROOT, emulator, listening};
use crate::wire::{Answer, Ask, Key, Signing, Wire};

const VENDOR: Key<'_> = Key::new("AKIAVENDORUSEREXAMPL", "vendorSecret+/0");

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

async fn in_region(wire: &Wire, region: &str, ask: Ask) -> Answer {
    wire.send(&wire.sign(&ask, &Signing { region, ..Signing::with(ADMIN) })).await
}

fn create(name: &str, constraint: &str) -> Ask {
    let xml = format!(
        "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <LocationConstraint>{constraint}</LocationConstraint></CreateBucketConfiguration>"
    );
    Ask::new("PUT", &format!("/{name}")).body(if constraint.is_empty() { String::new() } else { xml })
}

#[tokio::test]
async fn a_bucket_is_made_and_removed() {
    let (_emulator, wire) = listening().await;
    let answer = wire.send_as(ADMIN, &create("fresh-bucket", "")).await;
    check(&answer, 200, "");
    assert_eq!(answer.header("location"), Some("/fresh-bucket"));
    assert_eq!(answer.header("x-amz-bucket-arn"), Some("arn:aws:s3:::fresh-bucket"));
    assert!(answer.body.is_empty());
    // The oldest region takes a repetition for a success.
    check(&wire.send_as(ADMIN, &create("fresh-bucket", "")).await, 200, "");
    check(&wire.send_as(VENDOR, &create("fresh-bucket", "")).await, 409, "BucketAlreadyExists");
    let head = wire.send_as(ADMIN, &Ask::new("HEAD", "/fresh-bucket")).await;
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (200, Some("us-east-1")));
    assert_eq!(head.header("x-amz-access-point-alias"), Some("false"));
    assert_eq!(head.header("content-type"), Some("application/xml"));

    wire.send_as(ADMIN, &Ask::new("PUT", "/fresh-bucket/key").body("data")).await;
    let answer = wire.send_as(ADMIN, &Ask::new("DELETE", "/fresh-bucket")).await;
    check(&answer, 409, "BucketNotEmpty");
    assert_eq!(answer.element("BucketName").as_deref(), Some("fresh-bucket"));
    wire.send_as(ADMIN, &Ask::new("DELETE", "/fresh-bucket/key")).await;
    check(&wire.send_as(ADMIN, &Ask::new("DELETE", "/fresh-bucket")).await, 204, "");
    check(&wire.send_as(ADMIN, &Ask::new("DELETE", "/fresh-bucket")).await, 404, "NoSuchBucket");
    check(&wire.send_as(ADMIN, &Ask::new("HEAD", "/fresh-bucket")).await, 404, "");
    // NoSuchBucket is told to everyone.
    let answer = wire.send(&Ask::new("GET", "/fresh-bucket/key")).await;
    check(&answer, 404, "NoSuchBucket");
    assert_eq!(answer.element("BucketName").as_deref(), Some("fresh-bucket"));
}

#[tokio::test]
async fn the_region_of_a_new_bucket_follows_the_endpoint() {
    let (_emulator, wire) = listening().await;
    for (endpoint, constraint, status, code) in [
        ("eu-west-1", "", 400, "IllegalLocationConstraintException"),
        ("eu-west-1", "us-west-2", 400, "IllegalLocationConstraintException"),
        ("us-west-1", "EU", 400, "IllegalLocationConstraintException"),
        ("us-east-1", "us-east-1", 400, "InvalidLocationConstraint"),
        ("us-east-1", "foo", 400, "InvalidLocationConstraint"),
        ("us-east-1", "aws-global", 400, "InvalidLocationConstraint"),
        ("eu-west-1", "eu-west-1", 200, ""),
    ] {
        let name =
            format!("bucket-{endpoint}-{}", constraint.to_lowercase()).trim_end_matches('-').to_owned();
        let answer = in_region(&wire, endpoint, create(&name, constraint)).await;
        check(&answer, status, code);
    }
    let again = in_region(&wire, "eu-west-1", create("bucket-eu-west-1-eu-west-1", "eu-west-1")).await;
    check(&again, 409, "BucketAlreadyOwnedByYou");
    let made = in_region(&wire, "us-east-1", create("from-afar", "ap-south-1")).await;
    assert_eq!((made.status, made.header("location")), (200, Some("http://from-afar.s3.amazonaws.com/")));
    for bad in ["ab", "Upper-Case", "under_score", "xn--bucket", "192.168.0.1", "-bucket"] {
        let answer = wire.send_as(ADMIN, &create(bad, "")).await;
        check(&answer, 400, "InvalidBucketName");
        assert_eq!(answer.element("BucketName").as_deref(), Some(bad));
    }
    let malformed = Ask::new("PUT", "/malformed").body("<CreateBucketConfiguration><Locat");
    check(&wire.send_as(ADMIN, &malformed).await, 400, "MalformedXML");
    let public = create("public-bucket", "").header("x-amz-acl", "public-read");
    check(&wire.send_as(ADMIN, &public).await, 400, "InvalidBucketAclWithObjectOwnership");
}

#[tokio::test]
async fn a_bucket_elsewhere_redirects() {
    let (_emulator, wire) = listening().await;
    let answer = wire.send_as(ADMIN, &Ask::new("GET", "/archive/key")).await;
    check(&answer, 301, "PermanentRedirect");
    assert_eq!(answer.header("x-amz-bucket-region"), Some("eu-central-1"));
    assert_eq!(answer.element("Endpoint").as_deref(), Some("s3.eu-central-1.amazonaws.com"));
    assert_eq!(answer.element("Bucket").as_deref(), Some("archive"));
    let head = wire.send_as(ADMIN, &Ask::new("HEAD", "/archive")).await;
    assert_eq!(
        (head.status, head.header("x-amz-bucket-region"), head.body.len()),
        (301, Some("eu-central-1"), 0)
    );
    check(&in_region(&wire, "eu-central-1", Ask::new("PUT", "/archive/key").body("x")).await, 200, "");

    let location = wire.send_as(ADMIN, &Ask::new("GET", "/archive?location")).await;
    assert_eq!(
        (location.status, location.text().contains(">eu-central-1</LocationConstraint>")),
        (200, true)
    );
    check(&in_region(&wire, "eu-west-1", create("made-with-eu", "EU")).await, 200, "");
    let location = wire.send_as(ADMIN, &Ask::new("GET", "/made-with-eu?location")).await;
    assert!(location.text().contains(">EU</LocationConstraint>"), "{}", location.text());
    let location = wire.send_as(ADMIN, &Ask::new("GET", "/logs?location")).await.text();
    assert!(location.contains("LocationConstraint") && !location.contains("us-east-1"), "{location}");
}

#[tokio::test]
async fn a_bucket_in_the_host_is_the_same_bucket() {
    let (_emulator, wire) = listening().await;
    let put = Ask::new("PUT", "/a/key").header("host", "logs.s3.amazonaws.com").body("data");
    check(&wire.send_as(ADMIN, &put).await, 200, "");
    assert_eq!(wire.send_as(ADMIN, &Ask::new("GET", "/logs/a/key")).await.text(), "data");
    let listed =
        wire.send_as(ADMIN, &Ask::new("GET", "/?list-type=2").header("host", "logs.localhost:4566")).await;
    assert_eq!(listed.element("Key").as_deref(), Some("a/key"));
    // There the admin path is a key like any other.
    let key = Ask::new("PUT", "/_bucketproof/health").header("host", "logs.localhost").body("data");
    check(&wire.send_as(ADMIN, &key).await, 200, "");
}

#[tokio::test]
async fn whoever_is_refused_still_learns_the_region() {
    let (_emulator, wire) = listening().await;
    for answer in [
        wire.send(&Ask::new("HEAD", "/archive")).await,
        wire.send_as(VENDOR, &Ask::new("HEAD", "/logs")).await,
    ] {
        assert_eq!((answer.status, answer.header("x-amz-bucket-region").is_some()), (403, true));
    }
}

#[tokio::test]
async fn own_buckets_are_listed() {
    let emulator = emulator().await;
    let s3 = emulator.s3("admin");
    let listed = s3.list_buckets().send().await.unwrap();
    let found: Vec<_> =
        listed.buckets().iter().map(|b| (b.name().unwrap(), b.bucket_region().unwrap())).collect();
    assert_eq!(found, [("archive", "eu-central-1"), ("logs", "us-east-1")]);
    let page = s3.list_buckets().max_buckets(1).send().await.unwrap();
    assert_eq!(page.buckets().len(), 1);
    let rest = s3.list_buckets().continuation_token(page.continuation_token().unwrap()).send().await.unwrap();
    assert_eq!(rest.buckets()[0].name(), Some("logs"));
    let filtered = s3.list_buckets().prefix("lo").bucket_region("us-east-1").send().await.unwrap();
    assert_eq!(filtered.buckets().len(), 1);
    assert!(emulator.s3("vendor").list_buckets().send().await.unwrap().buckets().is_empty());
    let denied = emulator.s3("reader").list_buckets().send().await.unwrap_err().into_service_error();
    let text = "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: s3:ListAllMyBuckets because no \
                identity-based policy allows the s3:ListAllMyBuckets action";
    assert_eq!(denied.meta().message(), Some(text));
}

#[tokio::test]
async fn a_bad_region_filter_is_refused() {
    let (_emulator, wire) = listening().await;
    let answer = wire.send_as(ADMIN, &Ask::new("GET", "/?bucket-region=europe")).await;
    check(&answer, 400, "InvalidArgument");
    assert_eq!(answer.element("Message").as_deref(), Some("Argument value europe is not a valid AWS Region"));
    for bad in ["0", "10001", "x"] {
        check(
            &wire.send_as(ADMIN, &Ask::new("GET", &format!("/?max-buckets={bad}"))).await,
            400,
            "InvalidArgument",
        );
    }
}

fn policy(statement: &str) -> Ask {
    Ask::new("PUT", "/logs?policy").body(format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#))
}

#[tokio::test]
async fn a_bucket_policy_is_kept_with_root_users_for_accounts() {
    let (_emulator, wire) = listening().await;
    let read = Ask::new("GET", "/logs?policy");
    let missing = wire.send_as(ADMIN, &read).await;
    check(&missing, 404, "NoSuchBucketPolicy");
    assert_eq!(missing.element("BucketName").as_deref(), Some("logs"));
    let ask = policy(
        r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*"}"#,
    );
    check(&wire.send_as(ADMIN, &ask).await, 204, "");
    let answer = wire.send_as(ADMIN, &read).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let put = String::from_utf8(ask.body.clone()).unwrap();
    assert_eq!(answer.text(), put.replace("444455556666", "arn:aws:iam::444455556666:root"));
    wire.send_as(ADMIN, &Ask::new("PUT", "/logs/key").body("data")).await;
    check(&wire.send_as(VENDOR, &Ask::new("GET", "/logs/key")).await, 200, "");
    check(&wire.send_as(VENDOR, &Ask::new("PUT", "/logs/key")).await, 403, "AccessDenied");
    check(&wire.send_as(ADMIN, &Ask::new("DELETE", "/logs?policy")).await, 204, "");
    check(&wire.send_as(ADMIN, &Ask::new("DELETE", "/logs?policy")).await, 204, "");
    check(&wire.send_as(VENDOR, &Ask::new("GET", "/logs/key")).await, 403, "AccessDenied");
    check(&wire.send_as(READER, &read).await, 403, "AccessDenied");
}

#[tokio::test]
async fn a_policy_that_aws_refuses_is_refused_alike() {
    let (_emulator, wire) = listening().await;
    let message = async |ask: Ask| {
        let answer = wire.send_as(ADMIN, &ask).await;
        check(&answer, 400, "MalformedPolicy");
        answer.element("Message").unwrap()
    };
    let put = |text: &str| Ask::new("PUT", "/logs?policy").body(text);
    assert_eq!(message(put("")).await, "Policies must be valid JSON and the first byte must be '{'");
    assert_eq!(message(put("[]")).await, "Policies must be valid JSON and the first byte must be '{'");
    assert_eq!(message(put("{}")).await, "Missing required field Statement");
    let unknown = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ghost"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*"}"#;
    assert_eq!(message(policy(unknown)).await, "Invalid principal in policy");
    for service in ["s3.amazonaws.con", "logs.example.com"] {
        let unknown = format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}}"#
        );
        assert_eq!(message(policy(&unknown)).await, "Invalid principal in policy");
    }
    let elsewhere = r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}"#;
    assert_eq!(message(policy(elsewhere)).await, "Policy has invalid resource");

    let public =
        r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*"}"#;
    let answer = wire.send_as(ADMIN, &policy(public)).await;
    check(&answer, 403, "AccessDenied");
    let text =
        "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.";
    assert!(answer.text().contains(text));
}

#[tokio::test]
async fn another_account_may_not_manage_the_policy_even_if_allowed() {
    let (_emulator, wire) = listening().await;
    let all = r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:*PolicY","Resource":"arn:aws:s3:::logs"}"#;
    let ask = policy(&all.replace("s3:*PolicY", "s3:*BucketPolicy"));
    check(&wire.send_as(ADMIN, &ask).await, 204, "");
    check(&wire.send_as(VENDOR, &Ask::new("GET", "/logs?policy")).await, 405, "MethodNotAllowed");
    check(&wire.send_as(VENDOR, &ask).await, 405, "MethodNotAllowed");
}

#[tokio::test]
async fn the_root_user_can_always_mend_the_policy() {
    let (_emulator, wire) = listening().await;
    let deny = policy(
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]}"#,
    );
    check(&wire.send_as(ADMIN, &deny).await, 204, "");
    check(&wire.send_as(ADMIN, &Ask::new("GET", "/logs?policy")).await, 403, "AccessDenied");
    check(&wire.send_as(ROOT, &Ask::new("GET", "/logs/key")).await, 403, "AccessDenied");
    check(&wire.send_as(ROOT, &Ask::new("GET", "/logs?policy")).await, 200, "");
    check(&wire.send_as(ROOT, &Ask::new("DELETE", "/logs?policy")).await, 204, "");
    check(&wire.send_as(ROOT, &Ask::new("GET", "/logs/key")).await, 404, "NoSuchKey");
}

#[tokio::test]
async fn anonymous_callers_get_what_a_public_policy_gives() {
    let (_emulator, wire) = public().await;
    check(&wire.send(&Ask::new("GET", "/open-data/key")).await, 200, "");
    let overridden = wire.send(&Ask::new("GET", "/open-data/key?response-content-type=text/html")).await;
    check(&overridden, 400, "InvalidRequest");
    let copy = Ask::new("PUT", "/open-data/copy").header("x-amz-copy-source", "open-data/key");
    let answer = wire.send(&copy).await;
    check(&answer, 403, "AccessDenied");
    assert_eq!(
        answer.element("Message").as_deref(),
        Some("Anonymous users cannot copy objects. Please authenticate.")
    );
    let answer = wire.send(&Ask::new("POST", "/open-data/copy?uploads")).await;
    let text = "Anonymous users cannot initiate multipart uploads. Please authenticate.";
    assert_eq!(answer.element("Message").as_deref(), Some(text));
    let chunks = Ask::new("PUT", "/open-data/new")
        .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    check(
        &wire
            .send(&chunks.header("x-amz-decoded-content-length", "0").body("0;chunk-signature=x\r\n\r\n"))
            .await,
        400,
        "InvalidRequest",
    );
    check(&wire.send(&Ask::new("PUT", "/open-data/new").body("data")).await, 200, "");
    let owning =
        "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
    let digest = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        <md5::Md5 as md5::Digest>::digest(owning),
    );
    for (ask, action) in [
        (Ask::new("GET", "/open-data?ownershipControls"), "s3:GetBucketOwnershipControls"),
        (
            Ask::new("PUT", "/open-data?ownershipControls").header("content-md5", &digest).body(owning),
            "s3:PutBucketOwnershipControls",
        ),
        (Ask::new("DELETE", "/open-data?ownershipControls"), "s3:PutBucketOwnershipControls"),
    ] {
        let answer = wire.send(&ask).await;
        check(&answer, 403, "AccessDenied");
        assert_eq!(answer.element("Message"), Some(format!("{action} does not support Anonymous requests!")));
    }
    let denied = wire.send(&Ask::new("DELETE", "/open-data/new")).await;
    assert_eq!(denied.element("Message").as_deref(), Some("Access Denied"));
}

/// A bucket whose policy lets everybody read and write.
async fn public() -> (bucketproof_emulator::Emulator, Wire) {
    let scenario = r#"
        [[account]]
        id = "111122223333"
        name = "owner"
        [[account.bucket]]
        name = "open-data"
        public_access_block = { block_public_policy = false, restrict_public_buckets = false }
        policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::open-data/*"},{"Effect":"Allow","Principal":"*","Action":"s3:*OwnershipControls","Resource":"arn:aws:s3:::open-data"}]}'
        objects = [{ key = "key", text = "data" }]
    "#;
    let scenario = bucketproof_emulator::Scenario::from_toml(scenario).unwrap();
    let builder =
        bucketproof_emulator::Emulator::builder().scenario(scenario).clock(crate::fixture::new_year());
    let emulator = builder.listen("127.0.0.1:0".parse().unwrap()).start().await.unwrap();
    let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
    (emulator, wire)
}
