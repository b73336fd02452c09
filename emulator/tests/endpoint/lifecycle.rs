//! Lifecycle rules: what is taken and refused, what answers tell of them, and what they do when the clock moves.

use std::time::Duration;

use bucketproof_emulator::{Emulator, Scenario};

use crate::fixture::{ADMIN, listening, new_year};
use crate::wire::{Answer, Ask, Wire};

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

async fn admin(wire: &Wire, ask: Ask) -> Answer {
    wire.send_as(ADMIN, &ask).await
}

async fn put(wire: &Wire, key: &str, body: &str) -> Answer {
    let answer = admin(wire, Ask::new("PUT", &format!("/logs/{key}")).body(body.to_owned())).await;
    check(&answer, 200, "");
    answer
}

fn configuration(rules: &str) -> String {
    format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</LifecycleConfiguration>"
    )
}

/// A rule that is in force, in the second version of the API.
fn rule(id: &str, filter: &str, actions: &str) -> String {
    format!("<Rule><ID>{id}</ID><Filter>{filter}</Filter><Status>Enabled</Status>{actions}</Rule>")
}

fn prefix(text: &str) -> String {
    format!("<Prefix>{text}</Prefix>")
}

async fn set(wire: &Wire, rules: &str) -> Answer {
    wire.with_digest(ADMIN, Ask::new("PUT", "/logs?lifecycle").body(configuration(rules))).await
}

async fn set_versioning(wire: &Wire, status: &str) {
    let xml = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    check(&admin(wire, Ask::new("PUT", "/logs?versioning").body(xml)).await, 200, "");
}

/// The keys that are listed, in order.
async fn keys(wire: &Wire) -> Vec<String> {
    let listed = admin(wire, Ask::new("GET", "/logs?list-type=2")).await;
    listed.all_within(&["Contents"], &["Key"]).into_iter().flatten().collect()
}

/// How many versions and delete markers there are.
async fn counts(wire: &Wire) -> (usize, usize) {
    let listed = admin(wire, Ask::new("GET", "/logs?versions")).await;
    (listed.all_within(&["Version"], &["Key"]).len(), listed.all_within(&["DeleteMarker"], &["Key"]).len())
}

fn days(emulator: &Emulator, count: u64) {
    emulator.clock().advance(Duration::from_hours(24 * count));
}

const DAYS_7: &str = "<Expiration><Days>7</Days></Expiration>";

#[tokio::test]
async fn a_configuration_is_put_told_and_deleted() {
    let (_emulator, wire) = listening().await;
    let get = || admin(&wire, Ask::new("GET", "/logs?lifecycle"));
    let missing = get().await;
    check(&missing, 404, "NoSuchLifecycleConfiguration");
    assert_eq!(missing.element("BucketName").as_deref(), Some("logs"));
    check(&admin(&wire, Ask::new("DELETE", "/logs?lifecycle")).await, 204, "");
    let rules = [
        rule("wholebucket", &prefix(""), DAYS_7),
        rule("empty", "", "<Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>"),
        rule(
            "and",
            "<And><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>20</ObjectSizeGreaterThan><ObjectSizeLessThan>30</ObjectSizeLessThan></And>",
            "<Expiration><Days>9</Days></Expiration><Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>",
        ),
        rule(
            "old",
            "<Tag><Key>k</Key><Value>v</Value></Tag>",
            "<NoncurrentVersionExpiration><NoncurrentDays>40</NoncurrentDays><NewerNoncurrentVersions>500</NewerNoncurrentVersions></NoncurrentVersionExpiration><NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><StorageClass>STANDARD_IA</StorageClass></NoncurrentVersionTransition>",
        ),
        rule(
            "markers",
            "",
            "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
        ),
        rule(
            "uploads",
            &prefix("u"),
            "<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
        ),
    ];
    let answer = set(&wire, &rules.concat()).await;
    check(&answer, 200, "");
    let minimum = "x-amz-transition-default-minimum-object-size";
    assert_eq!(answer.header(minimum), Some("all_storage_classes_128K"));
    let told = get().await;
    assert_eq!(told.header(minimum), Some("all_storage_classes_128K"));
    let expected =
        rules.concat().replace("<Filter></Filter>", "<Filter/>").replace("<Prefix></Prefix>", "<Prefix/>");
    let expected = expected.replace("2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z");
    assert_eq!(
        told.text(),
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", configuration(&expected))
    );

    let ask = Ask::new("PUT", "/logs?lifecycle").body(configuration(&rule("a", "", DAYS_7)));
    let varies = wire.with_digest(ADMIN, ask.clone().header(minimum, "varies_by_storage_class")).await;
    assert_eq!((varies.status, varies.header(minimum)), (200, Some("varies_by_storage_class")));
    assert_eq!(get().await.header(minimum), Some("varies_by_storage_class"));
    let bad = wire.with_digest(ADMIN, ask.clone().header(minimum, "value")).await;
    check(&bad, 400, "InvalidRequest");
    let text = "Invalid TransitionDefaultMinimumObjectSize found: value";
    assert_eq!(bad.element("Message").as_deref(), Some(text));
    check(&admin(&wire, ask).await, 400, "InvalidRequest");

    check(&admin(&wire, Ask::new("DELETE", "/logs?lifecycle")).await, 204, "");
    check(&get().await, 404, "NoSuchLifecycleConfiguration");
    // A rule without an id is given one; the first version of the API has the prefix in the rule itself.
    check(
        &set(&wire, &format!("<Rule><Prefix>a/</Prefix><Status>Enabled</Status>{DAYS_7}</Rule>")).await,
        200,
        "",
    );
    let told = get().await;
    assert!(told.element("ID").is_some_and(|id| id.len() > 20), "{}", told.text());
    assert_eq!(told.element("Prefix").as_deref(), Some("a/"));
    assert!(!told.text().contains("<Filter"));
}

/// The cases that were recorded, and those whose texts are known.
#[expect(clippy::too_many_lines, reason = "one table")]
#[tokio::test]
async fn what_aws_refuses_is_refused_in_its_words() {
    let (_emulator, wire) = listening().await;
    let v1 = |text: &str, actions: &str| {
        format!("<Rule><Prefix>{text}</Prefix><Status>Enabled</Status>{actions}</Rule>")
    };
    let tag = "<Tag><Key>k</Key><Value>v</Value></Tag>";
    let marker = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    let to = |days: u32, class: &str| {
        format!("<Transition><Days>{days}</Days><StorageClass>{class}</StorageClass></Transition>")
    };
    let (malformed, request, argument) = ("MalformedXML", "InvalidRequest", "InvalidArgument");
    let cases: Vec<(String, &str, &str)> = vec![
        (format!("<Rule><ID>a</ID><Status>Enabled</Status>{DAYS_7}</Rule>"), malformed, ""),
        (
            rule("a", "", &format!("{DAYS_7}<NoncurrentVersionExpiration></NoncurrentVersionExpiration>")),
            malformed,
            "",
        ),
        (rule("a", "<And><Prefix>test</Prefix></And><Prefix></Prefix>", DAYS_7), malformed, ""),
        (
            rule("a", "<ObjectSizeGreaterThan>500</ObjectSizeGreaterThan><Prefix></Prefix>", DAYS_7),
            malformed,
            "",
        ),
        (
            rule("a", "", "<Expiration><Date>2023-01-01T02:02:00Z</Date></Expiration>"),
            argument,
            "'Date' must be at midnight GMT",
        ),
        (
            rule("a", &format!("<And>{tag}{tag}</And>"), DAYS_7),
            request,
            "Duplicate Tag Keys are not allowed.",
        ),
        (
            rule(
                "a",
                "",
                "<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
            ),
            malformed,
            "",
        ),
        (
            rule("a", "", "<Expiration><Days>0</Days></Expiration>"),
            argument,
            "'Days' for Expiration action must be a positive integer",
        ),
        (rule("a", "", "<Expiration><Date>20200101</Date></Expiration>"), malformed, ""),
        (rule("a", "", "<Expiration/>"), malformed, ""),
        (rule("a", "", &DAYS_7.repeat(2)), malformed, ""),
        (rule("a", "", "<Unknown/>"), malformed, ""),
        (rule("a", "", DAYS_7).replace("Enabled", "enabled"), malformed, ""),
        (rule("a", "", ""), request, "At least one action needs to be specified in a rule"),
        (rule(&"a".repeat(256), "", DAYS_7), argument, "ID length should not exceed allowed limit of 255"),
        (
            rule("a", &prefix("x"), DAYS_7) + &rule("a", &prefix("y"), DAYS_7),
            argument,
            "Rule ID must be unique. Found same ID for more than one rule",
        ),
        (rule("a", tag, marker), request, "ExpiredObjectDeleteMarker cannot be specified with Tags."),
        (rule("a", tag, abort), request, "AbortIncompleteMultipartUpload cannot be specified with Tags."),
        (
            rule("a", "<ObjectSizeGreaterThan>10</ObjectSizeGreaterThan>", abort),
            request,
            "AbortIncompleteMultipartUpload cannot be specified with Object Size.",
        ),
        (
            rule(
                "a",
                "<And><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan><ObjectSizeLessThan>10</ObjectSizeLessThan></And>",
                DAYS_7,
            ),
            request,
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.",
        ),
        (
            v1(
                "logs/",
                "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
            ),
            request,
            "NewerNoncurrentVersions element can only be used in Lifecycle V2.",
        ),
        (
            v1("", DAYS_7) + &v1("a", DAYS_7),
            request,
            "Found overlapping prefixes '' and 'a' for same action type 'Expiration'",
        ),
        (
            v1("a", DAYS_7) + &rule("b", "", DAYS_7),
            request,
            "Filter element can only be used in Lifecycle V2.",
        ),
        (
            rule("b", "", DAYS_7) + &v1("a", DAYS_7),
            request,
            "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.",
        ),
        (
            rule("a", "", &to(29, "STANDARD_IA")),
            argument,
            "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'",
        ),
        (rule("a", "", &to(1, "STANDARD")), malformed, ""),
        (
            rule("a", &prefix("p"), &format!("{DAYS_7}{}", to(7, "GLACIER"))),
            argument,
            "'Days' in the Expiration action for filter '(prefix=p)' must be greater than 'Days' in the Transition action",
        ),
        (
            rule(
                "a",
                "",
                "<AbortIncompleteMultipartUpload><DaysAfterInitiation>0</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
            ),
            argument,
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
        ),
    ];
    for (rules, code, message) in cases {
        let answer = set(&wire, &rules).await;
        check(&answer, 400, code);
        if !message.is_empty() {
            assert_eq!(answer.element("Message").as_deref(), Some(message));
        }
    }
    check(&admin(&wire, Ask::new("GET", "/logs?lifecycle")).await, 404, "NoSuchLifecycleConfiguration");
}

#[tokio::test]
async fn answers_tell_when_an_object_expires_and_why() {
    let (emulator, wire) = listening().await;
    let expiration = |answer: &Answer| answer.header("x-amz-expiration").map(str::to_owned);
    let three = [("rule_one", "testobject"), ("rule_two", "test"), ("rule_three", "t")];
    let rules: String = three.iter().map(|(id, text)| rule(id, &prefix(text), DAYS_7)).collect();
    put(&wire, "testobject-before", "test").await;
    check(&set(&wire, &rules).await, 200, "");
    let told =
        |rule: &str| Some(format!("expiry-date=\"Fri, 09 Jan 2026 00:00:00 GMT\", rule-id=\"{rule}\""));
    for method in ["GET", "HEAD"] {
        let read = admin(&wire, Ask::new(method, "/logs/testobject-before")).await;
        assert_eq!(expiration(&read), told("rule_one"));
    }
    assert_eq!(expiration(&put(&wire, "testobject", "test").await), told("rule_one"));
    assert_eq!(expiration(&put(&wire, "test-one-rule", "test").await), told("rule_two"));
    assert_eq!(expiration(&put(&wire, "no-rules", "test").await), None);
    let copy = Ask::new("PUT", "/logs/test-copy").header("x-amz-copy-source", "/logs/no-rules");
    assert_eq!(expiration(&admin(&wire, copy).await), told("rule_two"));

    // Sizes and tags; of two rules that hold the earlier one is told.
    let sized = rule("large", "<ObjectSizeGreaterThan>20</ObjectSizeGreaterThan>", DAYS_7)
        + &rule(
            "small",
            "<ObjectSizeLessThan>10</ObjectSizeLessThan>",
            "<Expiration><Days>6</Days></Expiration>",
        )
        + &rule(
            "tagged",
            "<And><Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>c</Key><Value>d</Value></Tag></And>",
            "<Expiration><Days>5</Days></Expiration>",
        );
    check(&set(&wire, &sized).await, 200, "");
    assert_eq!(expiration(&put(&wire, "k", &"a".repeat(21)).await), told("large"));
    assert_eq!(expiration(&put(&wire, "k", &"a".repeat(20)).await), None);
    assert!(expiration(&put(&wire, "k", "a").await).unwrap().contains("Thu, 08 Jan 2026"));
    let tagged = |tags: &str| Ask::new("PUT", "/logs/k").header("x-amz-tagging", tags).body("a");
    assert!(expiration(&admin(&wire, tagged("a=b&c=d&e=f")).await).unwrap().contains("rule-id=\"tagged\""));
    assert!(expiration(&admin(&wire, tagged("a=b")).await).unwrap().contains("rule-id=\"small\""));

    // Of a version that is asked for by its id nothing is told, nor of markers' rules.
    set_versioning(&wire, "Enabled").await;
    check(&set(&wire, &rule("all", "", DAYS_7)).await, 200, "");
    let id = put(&wire, "k", "a").await.header("x-amz-version-id").unwrap().to_owned();
    assert!(expiration(&admin(&wire, Ask::new("HEAD", "/logs/k")).await).is_some());
    assert_eq!(expiration(&admin(&wire, Ask::new("HEAD", &format!("/logs/k?versionId={id}"))).await), None);
    let markers = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    check(&set(&wire, &rule("markers", "", markers)).await, 200, "");
    assert_eq!(expiration(&admin(&wire, Ask::new("HEAD", "/logs/k")).await), None);
    drop(emulator);
}

#[tokio::test]
async fn objects_expire_at_the_midnight_after_their_days() {
    let (emulator, wire) = listening().await;
    emulator.clock().advance(Duration::from_hours(10));
    for key in ["expire1/a", "expire5/a", "keep/a", "dated/a"] {
        put(&wire, key, "test").await;
    }
    let rules = rule("one", &prefix("expire1/"), "<Expiration><Days>1</Days></Expiration>")
        + &rule("five", &prefix("expire5/"), "<Expiration><Days>5</Days></Expiration>")
        + &rule("date", &prefix("dated/"), "<Expiration><Date>2026-01-04T00:00:00Z</Date></Expiration>")
        + &rule("off", &prefix("keep/"), "<Expiration><Days>1</Days></Expiration>")
            .replace("Enabled", "Disabled");
    check(&set(&wire, &rules).await, 200, "");
    // The second of January, ten o'clock: a day has passed, but no midnight after it.
    days(&emulator, 1);
    assert_eq!(keys(&wire).await.len(), 4);
    emulator.clock().advance(Duration::from_hours(14));
    assert_eq!(keys(&wire).await, ["dated/a", "expire5/a", "keep/a"]);
    days(&emulator, 1);
    assert_eq!(keys(&wire).await, ["expire5/a", "keep/a"]);
    // A leap over many midnights.
    days(&emulator, 300);
    assert_eq!(keys(&wire).await, ["keep/a"]);
    assert_eq!(counts(&wire).await, (1, 0), "without versions an object is gone for good");
}

/// One leap of the clock does what the days in between would have done one by one.
#[tokio::test]
async fn versions_expire_step_by_step() {
    for leap in [1, 30] {
        let (emulator, wire) = listening().await;
        set_versioning(&wire, "Enabled").await;
        put(&wire, "k", "one").await;
        put(&wire, "k", "two").await;
        let rules = rule(
            "current",
            "",
            "<Expiration><Days>3</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>5</NoncurrentDays></NoncurrentVersionExpiration>",
        );
        check(&set(&wire, &rules).await, 200, "");
        for _ in 0..(4 / leap) {
            days(&emulator, leap);
            counts(&wire).await;
        }
        if leap == 1 {
            // The fifth of January: "two" has given way to a marker.
            assert_eq!((counts(&wire).await, keys(&wire).await.len()), ((2, 1), 0));
            days(&emulator, 2);
            assert_eq!(counts(&wire).await, (1, 1), "\"one\" was noncurrent since the first");
            days(&emulator, 4);
            assert_eq!(counts(&wire).await, (0, 1), "\"two\" was noncurrent since the fifth");
            days(&emulator, 1);
            assert_eq!(counts(&wire).await, (0, 0), "the marker stood alone for a day");
        }
        days(&emulator, 30);
        assert_eq!(counts(&wire).await, (0, 0));
    }
}

#[tokio::test]
async fn the_newest_noncurrent_versions_are_spared_and_locked_ones_kept() {
    let (emulator, wire) = listening().await;
    set_versioning(&wire, "Enabled").await;
    let enable =
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    check(&admin(&wire, Ask::new("PUT", "/logs?object-lock").body(enable)).await, 200, "");
    let held = Ask::new("PUT", "/logs/k").header("x-amz-object-lock-legal-hold", "ON").body("0");
    check(&wire.with_digest(ADMIN, held).await, 200, "");
    let retained = Ask::new("PUT", "/logs/k")
        .header("x-amz-object-lock-mode", "GOVERNANCE")
        .header("x-amz-object-lock-retain-until-date", "2026-02-01T12:00:00Z")
        .body("1");
    check(&wire.with_digest(ADMIN, retained).await, 200, "");
    for body in ["2", "3", "4", "5"] {
        put(&wire, "k", body).await;
    }
    let rules = rule(
        "newer",
        "",
        "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
    );
    check(&set(&wire, &rules).await, 200, "");
    days(&emulator, 3);
    // "5" is current, "4" and "3" are spared, "2" is gone, "1" and "0" are locked.
    assert_eq!(counts(&wire).await, (5, 0));
    days(&emulator, 40);
    assert_eq!(counts(&wire).await, (4, 0), "the retention has ended, the legal hold has not");
}

#[tokio::test]
async fn a_marker_that_stands_alone_expires() {
    let (emulator, wire) = listening().await;
    set_versioning(&wire, "Enabled").await;
    for key in ["alone", "covering"] {
        put(&wire, key, "test").await;
        check(&admin(&wire, Ask::new("DELETE", &format!("/logs/{key}"))).await, 204, "");
    }
    let rules = rule(
        "markers",
        "",
        "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
    ) + &rule(
        "old",
        &prefix("alone"),
        "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>",
    );
    check(&set(&wire, &rules).await, 200, "");
    days(&emulator, 2);
    assert_eq!(counts(&wire).await, (1, 2), "today the version went, tomorrow its marker goes");
    days(&emulator, 1);
    assert_eq!(counts(&wire).await, (1, 1));
}

#[tokio::test]
async fn suspended_versioning_expires_to_a_null_marker() {
    let (emulator, wire) = listening().await;
    set_versioning(&wire, "Suspended").await;
    put(&wire, "k", "test").await;
    check(&set(&wire, &rule("a", "", "<Expiration><Days>1</Days></Expiration>")).await, 200, "");
    days(&emulator, 2);
    assert_eq!(counts(&wire).await, (0, 1));
    let listed = admin(&wire, Ask::new("GET", "/logs?versions")).await;
    assert_eq!(listed.element("VersionId").as_deref(), Some("null"));
}

#[tokio::test]
async fn uploads_in_progress_are_aborted() {
    let (emulator, wire) = listening().await;
    let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    check(&set(&wire, &rule("uploads", &prefix("test1/"), abort)).await, 200, "");
    let initiate = |key: &str| Ask::new("POST", &format!("/logs/{key}?uploads"));
    let begun = admin(&wire, initiate("test1/a")).await;
    assert_eq!(begun.header("x-amz-abort-date"), Some("Sun, 04 Jan 2026 00:00:00 GMT"));
    assert_eq!(begun.header("x-amz-abort-rule-id"), Some("uploads"));
    let id = begun.element("UploadId").unwrap();
    let parts = admin(&wire, Ask::new("GET", &format!("/logs/test1/a?uploadId={id}"))).await;
    assert_eq!(parts.header("x-amz-abort-rule-id"), Some("uploads"));
    assert_eq!(admin(&wire, initiate("test2/a")).await.header("x-amz-abort-date"), None);
    days(&emulator, 3);
    let listed = admin(&wire, Ask::new("GET", "/logs?uploads")).await;
    assert_eq!(listed.all_within(&["Upload"], &["Key"]), [["test2/a"]]);
    check(&admin(&wire, Ask::new("GET", &format!("/logs/test1/a?uploadId={id}"))).await, 404, "NoSuchUpload");
}

#[tokio::test]
async fn objects_move_down_the_classes() {
    let (emulator, wire) = listening().await;
    let large = "a".repeat(128 * 1024);
    put(&wire, "large", &large).await;
    put(&wire, "small", "a").await;
    let to = |days: u32, class: &str| {
        format!("<Transition><Days>{days}</Days><StorageClass>{class}</StorageClass></Transition>")
    };
    let rules = rule("down", "", &(to(1, "GLACIER_IR") + &to(5, "DEEP_ARCHIVE")));
    let class = async |key: &str| {
        let head = admin(&wire, Ask::new("HEAD", &format!("/logs/{key}"))).await;
        head.header("x-amz-storage-class").unwrap_or("STANDARD").to_owned()
    };
    check(&set(&wire, &rules).await, 200, "");
    days(&emulator, 2);
    assert_eq!((class("large").await.as_str(), class("small").await.as_str()), ("GLACIER_IR", "STANDARD"));
    days(&emulator, 10);
    assert_eq!((class("large").await.as_str(), class("small").await.as_str()), ("DEEP_ARCHIVE", "STANDARD"));
    check(&admin(&wire, Ask::new("GET", "/logs/large")).await, 403, "InvalidObjectState");
    // Small objects move to an archive if the configuration says so, and anywhere if the rule speaks of size.
    let ask = Ask::new("PUT", "/logs?lifecycle").body(configuration(&rules));
    let varies = ask.header("x-amz-transition-default-minimum-object-size", "varies_by_storage_class");
    check(&wire.with_digest(ADMIN, varies).await, 200, "");
    days(&emulator, 1);
    assert_eq!(class("small").await, "DEEP_ARCHIVE");
    put(&wire, "tiny", "a").await;
    check(
        &set(&wire, &rule("sized", "<ObjectSizeGreaterThan>0</ObjectSizeGreaterThan>", &to(0, "GLACIER_IR")))
            .await,
        200,
        "",
    );
    days(&emulator, 1);
    assert_eq!(class("tiny").await, "GLACIER_IR");
    assert_eq!(class("small").await, "DEEP_ARCHIVE", "there is no way up");
}

/// Days of ten seconds, as other suites make them.
#[tokio::test]
async fn days_can_be_made_short() {
    let scenario = Scenario::from_toml(crate::fixture::SCENARIO).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let builder = Emulator::builder().scenario(scenario).clock(new_year()).seed(7).listen(listen);
    let emulator = builder.lifecycle_day(Duration::from_secs(10)).start().await.unwrap();
    let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
    put(&wire, "a", "test").await;
    check(&set(&wire, &rule("two", "", "<Expiration><Days>2</Days></Expiration>")).await, 200, "");
    assert!(put(&wire, "b", "test").await.header("x-amz-expiration").unwrap().contains("Sun, 04 Jan 2026"));
    emulator.clock().advance(Duration::from_secs(19));
    assert_eq!(keys(&wire).await.len(), 2);
    emulator.clock().advance(Duration::from_secs(1));
    assert_eq!(keys(&wire).await.len(), 0);
}
