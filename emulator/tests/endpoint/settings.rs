//! The settings of a bucket that travel as documents: put, told, deleted and refused, as recorded on AWS.

use crate::fixture::{ADMIN, VENDOR, listening};
use crate::tagging::{admin, check, put_xml};
use crate::wire::{Answer, Ask, Key, Wire};

#[track_caller]
fn refused(answer: &Answer, code: &str, message: &str, argument: Option<(&str, &str)>) {
    check(answer, 400, code);
    assert_eq!(answer.element("Message").as_deref(), Some(message));
    if let Some((name, value)) = argument {
        assert_eq!(answer.element("ArgumentName").as_deref(), Some(name));
        assert_eq!(answer.element("ArgumentValue").as_deref(), Some(value));
    }
}

/// What stands in the outermost element.
fn within(answer: &Answer) -> String {
    check(answer, 200, "");
    let text = answer.text();
    let (_, body) = text.split_once("xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"").unwrap();
    match body.strip_prefix('>') {
        None => String::new(),
        Some(body) => body[..body.rfind("</").unwrap()].to_owned(),
    }
}

async fn versioned(wire: &Wire, bucket: &str) {
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    check(&put_xml(wire, &format!("/{bucket}?versioning"), enabled).await, 200, "");
}

fn website(inner: &str) -> String {
    format!("<WebsiteConfiguration>{inner}</WebsiteConfiguration>")
}

#[tokio::test]
async fn a_website_is_put_told_and_deleted() {
    let (_emulator, wire) = listening().await;
    let none = admin(&wire, "GET", "/logs?website").await;
    check(&none, 404, "NoSuchWebsiteConfiguration");
    assert_eq!(none.element("BucketName").as_deref(), Some("logs"));
    check(&admin(&wire, "DELETE", "/logs?website").await, 204, "");
    for inner in [
        "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>",
        "<RedirectAllRequestsTo><HostName>example.com</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>",
        "<IndexDocument><Suffix>i</Suffix></IndexDocument><ErrorDocument><Key>e</Key></ErrorDocument><RoutingRules>\
         <RoutingRule><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals><KeyPrefixEquals>a/\
         </KeyPrefixEquals></Condition><Redirect><Protocol>https</Protocol><HostName>h</HostName>\
         <ReplaceKeyPrefixWith>b/</ReplaceKeyPrefixWith><HttpRedirectCode>302</HttpRedirectCode></Redirect>\
         </RoutingRule></RoutingRules>",
    ] {
        check(&put_xml(&wire, "/logs?website", &website(inner)).await, 200, "");
        assert_eq!(within(&admin(&wire, "GET", "/logs?website").await), inner);
    }
    check(&admin(&wire, "DELETE", "/logs?website").await, 204, "");
    check(&admin(&wire, "GET", "/logs?website").await, 404, "NoSuchWebsiteConfiguration");
}

#[tokio::test]
async fn a_website_is_checked() {
    let (_emulator, wire) = listening().await;
    let suffix = "The IndexDocument Suffix is not well formed";
    let index = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";
    let rule =
        |inner: &str| format!("{index}<RoutingRules><RoutingRule>{inner}</RoutingRule></RoutingRules>");
    let put = |inner: String| {
        let wire = &wire;
        async move { put_xml(wire, "/logs?website", &website(&inner)).await }
    };
    for value in ["/index.html", ""] {
        let answer = put(format!("<IndexDocument><Suffix>{value}</Suffix></IndexDocument>")).await;
        refused(&answer, "InvalidArgument", suffix, Some(("IndexDocument", value)));
    }
    let all = "<RedirectAllRequestsTo><HostName>test</HostName></RedirectAllRequestsTo>";
    refused(
        &put(format!("{all}<ErrorDocument><Key>/error</Key></ErrorDocument>")).await,
        "InvalidArgument",
        "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
        Some(("RedirectAllRequestsTo", "not null")),
    );
    refused(
        &put("<ErrorDocument><Key>error</Key></ErrorDocument>".to_owned()).await,
        "InvalidArgument",
        "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
        Some(("IndexDocument", "null")),
    );
    refused(
        &put(all.replace("</HostName>", "</HostName><Protocol>protocol</Protocol>")).await,
        "InvalidRequest",
        "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.",
        None,
    );
    let both = "<Redirect><ReplaceKeyPrefixWith>a</ReplaceKeyPrefixWith><ReplaceKeyWith>b</ReplaceKeyWith></Redirect>";
    refused(
        &put(rule(both)).await,
        "InvalidRequest",
        "You can only define ReplaceKeyPrefix or ReplaceKey but not both.",
        None,
    );
    refused(
        &put(rule("<Condition/><Redirect><ReplaceKeyWith>b</ReplaceKeyWith></Redirect>")).await,
        "InvalidRequest",
        "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be \
         present.",
        None,
    );
    check(&put(format!("{index}<RoutingRules/>")).await, 400, "MalformedXML");
    let code = "<Redirect><HttpRedirectCode>404</HttpRedirectCode></Redirect>";
    check(&put(rule(code)).await, 400, "InvalidRequest");
    check(&admin(&wire, "GET", "/logs?website").await, 404, "NoSuchWebsiteConfiguration");
}

#[tokio::test]
async fn acceleration_is_put_and_told() {
    let (_emulator, wire) = listening().await;
    let xml =
        |status| format!("<AccelerateConfiguration><Status>{status}</Status></AccelerateConfiguration>");
    assert_eq!(within(&admin(&wire, "GET", "/logs?accelerate").await), "");
    for status in ["Enabled", "Suspended"] {
        check(&put_xml(&wire, "/logs?accelerate", &xml(status)).await, 200, "");
        let told = within(&admin(&wire, "GET", "/logs?accelerate").await);
        assert_eq!(told, format!("<Status>{status}</Status>"));
    }
    for status in ["enabled", "random"] {
        check(&put_xml(&wire, "/logs?accelerate", &xml(status)).await, 400, "MalformedXML");
    }
    check(&admin(&wire, "PUT", "/dotted.bucket").await, 200, "");
    refused(
        &put_xml(&wire, "/dotted.bucket?accelerate", &xml("Enabled")).await,
        "InvalidRequest",
        "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names",
        None,
    );
}

fn payer(payer: &str) -> String {
    format!("<RequestPaymentConfiguration><Payer>{payer}</Payer></RequestPaymentConfiguration>")
}

#[tokio::test]
async fn request_payment_is_put_and_told() {
    let (_emulator, wire) = listening().await;
    assert_eq!(within(&admin(&wire, "GET", "/logs?requestPayment").await), "<Payer>BucketOwner</Payer>");
    check(&put_xml(&wire, "/logs?requestPayment", &payer("Requester")).await, 200, "");
    assert_eq!(within(&admin(&wire, "GET", "/logs?requestPayment").await), "<Payer>Requester</Payer>");
    check(&put_xml(&wire, "/logs?requestPayment", &payer("Random")).await, 400, "MalformedXML");
    check(&put_xml(&wire, "/no-such-bucket?requestPayment", &payer("Requester")).await, 404, "NoSuchBucket");
}

#[tokio::test]
async fn who_pays_must_say_so() {
    let (_emulator, wire) = listening().await;
    check(&wire.send_as(ADMIN, &Ask::new("PUT", "/logs/key").body("data")).await, 200, "");
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"444455556666"},
        "Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]}}"#;
    check(&wire.send_as(ADMIN, &Ask::new("PUT", "/logs?policy").body(policy)).await, 204, "");
    let read = |key: Key<'static>, header: Option<&'static str>| {
        let wire = &wire;
        async move {
            let ask = Ask::new("GET", "/logs/key");
            let ask = header.map_or(ask.clone(), |value| ask.header("x-amz-request-payer", value));
            let answer = wire.send_as(key, &ask).await;
            (answer.status, answer.header("x-amz-request-charged").map(str::to_owned))
        }
    };
    assert_eq!(read(VENDOR, Some("requester")).await, (200, None), "the owner pays");
    check(&put_xml(&wire, "/logs?requestPayment", &payer("Requester")).await, 200, "");
    assert_eq!(read(VENDOR, None).await, (403, None));
    assert_eq!(read(VENDOR, Some("owner")).await, (403, None));
    assert_eq!(read(VENDOR, Some("requester")).await, (200, Some("requester".to_owned())));
    assert_eq!(read(ADMIN, None).await, (200, None), "the owner's own account pays anyway");
    let listed = Ask::new("GET", "/logs?list-type=2");
    assert_eq!(wire.send_as(VENDOR, &listed).await.status, 403);
}

fn logging(target: &str, more: &str) -> String {
    format!(
        "<BucketLoggingStatus><LoggingEnabled><TargetBucket>{target}</TargetBucket><TargetPrefix>log</TargetPrefix>\
         {more}</LoggingEnabled></BucketLoggingStatus>"
    )
}

#[tokio::test]
async fn logging_is_put_told_and_taken_back() {
    let (_emulator, wire) = listening().await;
    check(&admin(&wire, "PUT", "/log-target").await, 200, "");
    assert_eq!(within(&admin(&wire, "GET", "/logs?logging").await), "");
    check(&put_xml(&wire, "/logs?logging", &logging("log-target", "")).await, 200, "");
    let told = within(&admin(&wire, "GET", "/logs?logging").await);
    assert!(
        told.contains("<TargetBucket>log-target</TargetBucket><TargetPrefix>log</TargetPrefix>"),
        "{told}"
    );
    let group = "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">\
                 <URI>http://acs.amazonaws.com/groups/s3/LogDelivery</URI></Grantee>";
    let grants = format!(
        "<TargetGrants><Grant>{group}<Permission>WRITE</Permission></Grant><Grant>{group}<Permission>READ_ACP\
         </Permission></Grant></TargetGrants>"
    );
    check(&put_xml(&wire, "/logs?logging", &logging("log-target", &grants)).await, 200, "");
    let told = within(&admin(&wire, "GET", "/logs?logging").await);
    assert!(told.contains(&grants), "{told}");
    check(&put_xml(&wire, "/logs?logging", "<BucketLoggingStatus/>").await, 200, "");
    assert_eq!(within(&admin(&wire, "GET", "/logs?logging").await), "");
}

#[tokio::test]
async fn logs_stay_in_their_region_and_account() {
    let (_emulator, wire) = listening().await;
    let missing = put_xml(&wire, "/logs?logging", &logging("no-such-bucket", "")).await;
    check(&missing, 400, "InvalidTargetBucketForLogging");
    assert_eq!(missing.element("Message").as_deref(), Some("The target bucket for logging does not exist"));
    assert_eq!(missing.element("TargetBucket").as_deref(), Some("no-such-bucket"));
    let elsewhere = put_xml(&wire, "/logs?logging", &logging("archive", "")).await;
    check(&elsewhere, 403, "CrossLocationLoggingProhibitted");
    assert_eq!(elsewhere.element("Message").as_deref(), Some("Cross S3 location logging not allowed. "));
    assert_eq!(elsewhere.element("TargetBucketLocation").as_deref(), Some("eu-central-1"));
    assert_eq!(elsewhere.element("SourceBucketLocation"), None);
    check(&wire.send_as(VENDOR, &Ask::new("PUT", "/vendors-bucket")).await, 200, "");
    let foreign = put_xml(&wire, "/logs?logging", &logging("vendors-bucket", "")).await;
    check(&foreign, 400, "InvalidTargetBucketForLogging");
}

fn notification(kind: &str, element: &str, arn: &str, more: &str) -> String {
    format!(
        "<NotificationConfiguration><{kind}Configuration><Id>id123</Id><{element}>{arn}</{element}>\
         <Event>s3:ObjectCreated:*</Event>{more}</{kind}Configuration></NotificationConfiguration>"
    )
}

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:my-queue";

async fn put_unchecked(wire: &Wire, xml: &str) -> Answer {
    let ask = Ask::new("PUT", "/logs?notification").header("x-amz-skip-destination-validation", "true");
    wire.send_as(ADMIN, &ask.body(xml)).await
}

#[tokio::test]
async fn notifications_go_nowhere_that_does_not_exist() {
    let (_emulator, wire) = listening().await;
    check(&admin(&wire, "GET", "/no-such-bucket?notification").await, 404, "NoSuchBucket");
    assert_eq!(within(&admin(&wire, "GET", "/logs?notification").await), "");
    let unparsable = notification("Queue", "Queue", "invalid-queue", "");
    let text = "The ARN could not be parsed";
    let answer = put_xml(&wire, "/logs?notification", &unparsable).await;
    refused(&answer, "InvalidArgument", text, Some(("Queue", "invalid-queue")));
    refused(
        &put_unchecked(&wire, &unparsable).await,
        "InvalidArgument",
        text,
        Some(("Queue", "invalid-queue")),
    );
    let text = "Unable to validate the following destination configurations";
    for (kind, element, arn, name, reason) in [
        ("Queue", "Queue", QUEUE, QUEUE, "The destination queue does not exist"),
        (
            "Topic",
            "Topic",
            "arn:aws:sns:us-east-1:111122223333:t",
            "arn:aws:sns:us-east-1:111122223333:t",
            "The destination topic does not exist",
        ),
        (
            "CloudFunction",
            "CloudFunction",
            "arn:aws:lambda:us-east-1:111122223333:function:f",
            "arn:aws:lambda:us-east-1:111122223333:function:f, null",
            "Not authorized to invoke function [arn:aws:lambda:us-east-1:111122223333:function:f]",
        ),
    ] {
        let answer = put_xml(&wire, "/logs?notification", &notification(kind, element, arn, "")).await;
        refused(&answer, "InvalidArgument", text, None);
        assert_eq!(answer.element("ArgumentName1").as_deref(), Some(name));
        assert_eq!(answer.element("ArgumentValue1").as_deref(), Some(reason));
    }
    assert_eq!(within(&admin(&wire, "GET", "/logs?notification").await), "");
    let bridge = "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>";
    check(&put_xml(&wire, "/logs?notification", bridge).await, 501, "NotImplemented");
}

#[tokio::test]
async fn notifications_are_stored_and_told() {
    let (_emulator, wire) = listening().await;
    let filter = |prefix: &str, suffix: &str| {
        format!(
            "<Filter><S3Key><FilterRule><Name>{prefix}</Name><Value>notif-</Value></FilterRule><FilterRule>\
             <Name>{suffix}</Name><Value></Value></FilterRule></S3Key></Filter>"
        )
    };
    let xml = notification("Queue", "Queue", QUEUE, &filter("pReFiX", "suffix"));
    check(&put_unchecked(&wire, &xml).await, 200, "");
    let told = admin(&wire, "GET", "/logs?notification").await;
    let told = within(&told);
    assert!(told.contains("<Id>id123</Id>") && told.contains(&format!("<Queue>{QUEUE}</Queue>")), "{told}");
    assert!(told.contains("<Name>Prefix</Name><Value>notif-</Value>"), "{told}");
    assert!(told.contains("<Name>Suffix</Name><Value/>"), "{told}");
    // Without an id one is made up.
    check(&put_unchecked(&wire, &xml.replace("<Id>id123</Id>", "")).await, 200, "");
    let id = admin(&wire, "GET", "/logs?notification").await.element("Id").unwrap();
    assert_eq!(id.len(), 48);
    let empty = put_xml(&wire, "/logs?notification", "<NotificationConfiguration/>").await;
    check(&empty, 200, "");
    assert_eq!(within(&admin(&wire, "GET", "/logs?notification").await), "");
}

#[tokio::test]
async fn notifications_are_checked() {
    let (_emulator, wire) = listening().await;
    let filter = |rule: &str| {
        let filter = format!("<Filter><S3Key><FilterRule>{rule}</FilterRule></S3Key></Filter>");
        notification("Queue", "Queue", QUEUE, &filter)
    };
    for rule in ["", "<Name>prefix</Name>", "<Value>x</Value>"] {
        check(&put_unchecked(&wire, &filter(rule)).await, 400, "MalformedXML");
    }
    refused(
        &put_unchecked(&wire, &filter("<Name>INVALID</Name><Value>x</Value>")).await,
        "InvalidArgument",
        "filter rule name must be either prefix or suffix",
        Some(("FilterRule.Name", "INVALID")),
    );
    let event = notification("Queue", "Queue", QUEUE, "<Event>s3:ObjectEaten</Event>");
    check(&put_unchecked(&wire, &event).await, 400, "InvalidArgument");
    let one = notification("Queue", "Queue", QUEUE, "");
    let inner = one.replace("<NotificationConfiguration>", "").replace("</NotificationConfiguration>", "");
    let two = format!("<NotificationConfiguration>{inner}{inner}</NotificationConfiguration>");
    let answer = put_unchecked(&wire, &two).await;
    check(&answer, 400, "InvalidArgument");
    assert!(answer.element("Message").unwrap().starts_with("Configuration is ambiguously defined."));
    let apart = two.replacen("ObjectCreated:*", "ObjectRemoved:Delete", 1);
    let text = "Same ID used for multiple configurations. IDs must be unique";
    refused(&put_unchecked(&wire, &apart).await, "InvalidArgument", text, None);
    check(&put_unchecked(&wire, &apart.replacen("id123", "id124", 1)).await, 200, "");
}

fn analytics(id: &str, prefix: &str) -> String {
    format!(
        "<AnalyticsConfiguration><Id>{id}</Id><Filter><Prefix>{prefix}</Prefix></Filter><StorageClassAnalysis>\
         <DataExport><OutputSchemaVersion>V_1</OutputSchemaVersion><Destination><S3BucketDestination><Format>CSV\
         </Format><Bucket>arn:aws:s3:::logs</Bucket><Prefix>test</Prefix></S3BucketDestination></Destination>\
         </DataExport></StorageClassAnalysis></AnalyticsConfiguration>"
    )
}

fn tiering(id: &str, prefix: &str) -> String {
    format!(
        "<IntelligentTieringConfiguration><Id>{id}</Id><Filter><Prefix>{prefix}</Prefix></Filter><Status>Enabled\
         </Status><Tiering><Days>90</Days><AccessTier>ARCHIVE_ACCESS</AccessTier></Tiering>\
         </IntelligentTieringConfiguration>"
    )
}

fn inventory(id: &str, prefix: &str) -> String {
    format!(
        "<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::logs</Bucket><Format>CSV\
         </Format></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Filter><Prefix>{prefix}</Prefix>\
         </Filter><Id>{id}</Id><IncludedObjectVersions>All</IncludedObjectVersions><OptionalFields><Field>Size\
         </Field><Field>ETag</Field></OptionalFields><Schedule><Frequency>Daily</Frequency></Schedule>\
         </InventoryConfiguration>"
    )
}

fn metrics(id: &str, prefix: &str) -> String {
    format!(
        "<MetricsConfiguration><Id>{id}</Id><Filter><Prefix>{prefix}</Prefix></Filter></MetricsConfiguration>"
    )
}

/// A kind of configuration: its parameter, a document of it, and what AWS says to a document of another id.
type Kind = (&'static str, fn(&str, &str) -> String, &'static str);

const KINDS: [Kind; 4] = [
    ("analytics", analytics, "MalformedXML"),
    ("intelligent-tiering", tiering, "MalformedXML"),
    ("inventory", inventory, "IdMismatch"),
    ("metrics", metrics, "MalformedXML"),
];

#[tokio::test]
async fn configurations_by_id_are_put_told_listed_and_deleted() {
    let (_emulator, wire) = listening().await;
    for (kind, document, mismatch) in KINDS {
        let of = |id: &str| format!("/logs?{kind}&id={id}");
        for method in ["GET", "DELETE"] {
            let none = admin(&wire, method, &of("a-test")).await;
            check(&none, 404, "NoSuchConfiguration");
            let text = "The specified configuration does not exist.";
            assert_eq!(none.element("Message").as_deref(), Some(text));
        }
        check(&put_xml(&wire, &of("a-test"), &document("other", "p")).await, 400, mismatch);
        for id in ["z-test", "a-test", "test-1"] {
            check(&put_xml(&wire, &of(id), &document(id, "first/")).await, 204, "");
        }
        check(&put_xml(&wire, &of("a-test"), &document("a-test", "second/")).await, 204, "");
        let told = admin(&wire, "GET", &of("a-test")).await;
        check(&told, 200, "");
        assert_eq!(told.element("Prefix").as_deref(), Some("second/"), "{kind}");
        let listed = admin(&wire, "GET", &format!("/logs?{kind}")).await;
        check(&listed, 200, "");
        let root = document("x", "x");
        let root = root[1..].split('>').next().unwrap();
        let ids: Vec<String> = listed.all_within(&[root], &["Id"]).concat();
        assert_eq!(ids, ["a-test", "test-1", "z-test"], "{kind}");
        assert_eq!(listed.element("IsTruncated").as_deref(), Some("false"));
        check(&admin(&wire, "DELETE", &of("a-test")).await, 204, "");
        check(&admin(&wire, "DELETE", &of("a-test")).await, 404, "NoSuchConfiguration");
        check(&admin(&wire, "DELETE", &format!("/no-such-bucket?{kind}&id=x")).await, 404, "NoSuchBucket");
        check(&put_xml(&wire, &of("a%20b"), &document("a b", "")).await, 400, "InvalidConfigurationId");
    }
}

#[tokio::test]
async fn configurations_by_id_are_paged() {
    let (_emulator, wire) = listening().await;
    for number in 0..101 {
        let id = format!("id{number:03}");
        check(&put_xml(&wire, &format!("/logs?metrics&id={id}"), &metrics(&id, "p")).await, 204, "");
    }
    let first = admin(&wire, "GET", "/logs?metrics").await;
    assert_eq!(first.all_within(&["MetricsConfiguration"], &["Id"]).len(), 100);
    assert_eq!(first.element("IsTruncated").as_deref(), Some("true"));
    let token = first.element("NextContinuationToken").unwrap();
    let target = format!("/logs?metrics&continuation-token={}", token.replace('=', "%3D"));
    let second = admin(&wire, "GET", &target).await;
    assert_eq!(second.all_within(&["MetricsConfiguration"], &["Id"]), [["id100"]]);
    assert_eq!(second.element("ContinuationToken"), Some(token));
}

#[tokio::test]
async fn inventories_are_checked() {
    let (_emulator, wire) = listening().await;
    let document = inventory("test", "");
    let target = "/logs?inventory&id=test";
    refused(
        &put_xml(&wire, target, &document.replace("arn:aws:s3:::logs", "logs")).await,
        "InvalidS3DestinationBucket",
        "Invalid bucket ARN.",
        None,
    );
    for (right, wrong) in [
        ("CSV", "WRONG"),
        ("Daily", "Hourly"),
        ("<IncludedObjectVersions>All", "<IncludedObjectVersions>Some"),
        ("ETag", "Wrong"),
        ("true", "maybe"),
        ("<IsEnabled>true</IsEnabled>", ""),
        ("<Schedule>", "<Extra/><Schedule>"),
    ] {
        check(&put_xml(&wire, target, &document.replace(right, wrong)).await, 400, "MalformedXML");
    }
}

fn replication(rules: &str) -> String {
    format!("<ReplicationConfiguration><Role>role</Role>{rules}</ReplicationConfiguration>")
}

#[tokio::test]
async fn replication_is_stored_told_and_deleted() {
    let (_emulator, wire) = listening().await;
    let none = admin(&wire, "GET", "/logs?replication").await;
    check(&none, 404, "ReplicationConfigurationNotFoundError");
    assert_eq!(none.element("BucketName").as_deref(), Some("logs"));
    let rule = "<Rule><ID>id</ID><Priority>1</Priority><Filter><Prefix>Tax</Prefix></Filter><Status>Enabled</Status>\
                <Destination><Bucket>arn:aws:s3:::replica</Bucket></Destination><DeleteMarkerReplication>\
                <Status>Disabled</Status></DeleteMarkerReplication></Rule>";
    let rules = replication(rule);
    let put = || put_xml(&wire, "/logs?replication", &rules);
    let text = "Versioning must be 'Enabled' on the bucket to apply a replication configuration";
    refused(&put().await, "InvalidRequest", text, None);
    versioned(&wire, "logs").await;
    let text = "Destination bucket must have versioning enabled.";
    refused(&put().await, "InvalidRequest", text, None);
    check(&admin(&wire, "PUT", "/replica").await, 200, "");
    refused(&put().await, "InvalidRequest", text, None);
    versioned(&wire, "replica").await;
    check(&put().await, 200, "");
    let told = within(&admin(&wire, "GET", "/logs?replication").await);
    assert_eq!(told, format!("<Role>role</Role>{rule}"));
    check(&put_xml(&wire, "/logs?replication", &replication("")).await, 400, "MalformedXML");
    check(&admin(&wire, "DELETE", "/logs?replication").await, 204, "");
    check(&admin(&wire, "DELETE", "/logs?replication").await, 204, "");
    check(&admin(&wire, "GET", "/logs?replication").await, 404, "ReplicationConfigurationNotFoundError");
}

#[tokio::test]
async fn an_object_says_where_its_page_leads() {
    let (_emulator, wire) = listening().await;
    let put = |target: &'static str, location: &'static str| {
        let wire = &wire;
        async move {
            let ask = Ask::new("PUT", target).header("x-amz-website-redirect-location", location);
            let ask = if target == "/logs/copy" { ask.header("x-amz-copy-source", "logs/key") } else { ask };
            wire.send_as(ADMIN, &ask).await
        }
    };
    check(&put("/logs/key", "/test/direct").await, 200, "");
    let told = |answer: Answer| answer.header("x-amz-website-redirect-location").map(str::to_owned);
    assert_eq!(told(admin(&wire, "HEAD", "/logs/key").await).as_deref(), Some("/test/direct"));
    // A copy does not take it along, and may be made for its sake.
    let copy = |target: &str| Ask::new("PUT", target).header("x-amz-copy-source", "logs/key");
    check(&wire.send_as(ADMIN, &copy("/logs/copy")).await, 200, "");
    assert_eq!(told(admin(&wire, "HEAD", "/logs/copy").await), None);
    check(&wire.send_as(ADMIN, &copy("/logs/key")).await, 400, "InvalidRequest");
    let moved = copy("/logs/key").header("x-amz-website-redirect-location", "https://example.com/");
    check(&wire.send_as(ADMIN, &moved).await, 200, "");
    assert_eq!(told(admin(&wire, "HEAD", "/logs/key").await).as_deref(), Some("https://example.com/"));
    check(&put("/logs/key", "elsewhere").await, 400, "InvalidRedirectLocation");
}

/// Every setting is behind a permission of its own.
#[tokio::test]
async fn settings_take_permissions() {
    let (_emulator, wire) = listening().await;
    let names = [
        ("accelerate", "AccelerateConfiguration"),
        ("cors", "BucketCORS"),
        ("logging", "BucketLogging"),
        ("notification", "BucketNotification"),
        ("replication", "ReplicationConfiguration"),
        ("requestPayment", "BucketRequestPayment"),
        ("tagging", "BucketTagging"),
        ("website", "BucketWebsite"),
        ("analytics&id=x", "AnalyticsConfiguration"),
        ("intelligent-tiering&id=x", "IntelligentTieringConfiguration"),
        ("inventory&id=x", "InventoryConfiguration"),
        ("metrics&id=x", "MetricsConfiguration"),
    ];
    for (parameter, action) in names {
        let answer =
            wire.send_as(crate::fixture::READER, &Ask::new("GET", &format!("/logs?{parameter}"))).await;
        check(&answer, 403, "AccessDenied");
        let message = answer.element("Message").unwrap();
        assert!(message.contains(&format!("s3:Get{action} ")), "{message}");
    }
}
