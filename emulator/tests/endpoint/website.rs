//! The website endpoint: pages, redirects and error pages, as recorded on AWS.

use crate::fixture::{ADMIN, listening};
use crate::tagging::{admin, check, put_xml};
use crate::wire::{Answer, Ask, Wire};

const HOST: &str = "logs.s3-website.localhost";

async fn visit_as(wire: &Wire, method: &str, host: &str, path: &str) -> Answer {
    wire.send(&Ask::new(method, path).header("host", host)).await
}

async fn visit(wire: &Wire, path: &str) -> Answer {
    visit_as(wire, "GET", HOST, path).await
}

async fn put(wire: &Wire, key: &str, body: &str) {
    let ask = Ask::new("PUT", &format!("/logs/{key}")).header("content-type", "text/html").body(body);
    check(&wire.send_as(ADMIN, &ask).await, 200, "");
}

/// A website that everybody may read; `list` also lets everybody know what is missing.
async fn site(wire: &Wire, configuration: &str, list: bool) {
    check(&admin(wire, "DELETE", "/logs?publicAccessBlock").await, 204, "");
    let list = if list {
        r#",{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::logs"}"#
    } else {
        ""
    };
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*"}}{list}]}}"#
    );
    check(&wire.send_as(ADMIN, &Ask::new("PUT", "/logs?policy").body(policy)).await, 204, "");
    let xml = format!("<WebsiteConfiguration>{configuration}</WebsiteConfiguration>");
    check(&put_xml(wire, "/logs?website", &xml).await, 200, "");
}

const INDEX: &str = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";
const ERROR: &str = "<ErrorDocument><Key>error.html</Key></ErrorDocument>";

/// AWS's page, the ids left out.
fn page(title: &str, items: &[&str], custom: &[&str]) -> String {
    let list =
        |items: &[&str]| items.iter().map(|item| format!("<li>{item}</li>\n")).collect::<Vec<_>>().concat();
    let custom = if custom.is_empty() {
        String::new()
    } else {
        format!(
            "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n{}</ul>\n",
            list(custom)
        )
    };
    format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n{}</ul>\n{custom}<hr/>\n</body>\n</html>\n",
        list(items)
    )
}

#[track_caller]
fn check_page(answer: &Answer, status: u16, expected: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let text = answer.text();
    let kept =
        text.split_inclusive('\n').filter(|line| !line.contains("RequestId: ") && !line.contains("HostId: "));
    assert_eq!(kept.collect::<String>(), expected);
    assert_eq!(text.matches("RequestId: ").count(), 1);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
}

fn missing(key: &str) -> [String; 3] {
    ["Code: NoSuchKey".into(), "Message: The specified key does not exist.".into(), format!("Key: {key}")]
}

fn texts(items: &[String]) -> Vec<&str> {
    items.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn folders_are_told_by_their_index() {
    let (emulator, wire) = listening().await;
    site(&wire, INDEX, true).await;
    for key in ["index.html", "actual/key", "directory/index.html"] {
        put(&wire, key, key).await;
    }
    for (path, body) in [
        ("/", "index.html"),
        ("/index.html", "index.html"),
        ("/actual/key", "actual/key"),
        ("/directory/", "directory/index.html"),
        ("/directory/index.html", "directory/index.html"),
    ] {
        let answer = visit(&wire, path).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, body), "{path}");
        assert_eq!(answer.header("content-type"), Some("text/html"));
    }
    let slash = visit(&wire, "/directory").await;
    assert_eq!((slash.status, slash.header("location")), (302, Some("/directory/")));
    assert_eq!(slash.header("x-amz-error-code"), Some("Found"));
    for (path, key) in
        [("/directory-wrong", "directory-wrong"), ("/directory-wrong/", "directory-wrong/index.html")]
    {
        let answer = visit(&wire, path).await;
        check_page(&answer, 404, &page("404 Not Found", &texts(&missing(key)), &[]));
        assert_eq!(answer.header("x-amz-error-code"), Some("NoSuchKey"));
        assert_eq!(
            answer.header("x-amz-error-detail-Key").or(answer.header("x-amz-error-detail-key")),
            Some(key)
        );
    }
    let head = visit_as(&wire, "HEAD", HOST, "/nothing").await;
    assert_eq!((head.status, head.body.len()), (404, 0));
    let entry = emulator.journal().entries().into_iter().next_back().unwrap();
    assert_eq!((entry.status, entry.code.as_deref()), (404, Some("NoSuchKey")));
}

#[tokio::test]
async fn pages_are_answered_like_objects() {
    let (_emulator, wire) = listening().await;
    site(&wire, INDEX, false).await;
    put(&wire, "key", "0123456789").await;
    let ranged = wire.send(&Ask::new("GET", "/key").header("host", HOST).header("range", "bytes=2-4")).await;
    assert_eq!((ranged.status, ranged.text().as_str()), (206, "234"));
    let etag = ranged.header("etag").unwrap().to_owned();
    let cached =
        wire.send(&Ask::new("GET", "/key").header("host", HOST).header("if-none-match", &etag)).await;
    assert_eq!((cached.status, cached.body.len()), (304, 0));
    for host in [
        "logs.s3-website-us-east-1.amazonaws.com",
        "logs.s3-website.us-east-1.amazonaws.com",
        "logs.s3-website.localhost:4566",
    ] {
        assert_eq!(visit_as(&wire, "GET", host, "/key").await.text(), "0123456789", "{host}");
    }
    let endpoint = visit_as(&wire, "GET", "s3-website-us-east-1.amazonaws.com", "/").await;
    assert_eq!((endpoint.status, endpoint.header("location")), (301, Some("https://aws.amazon.com/s3/")));
}

#[tokio::test]
async fn only_reading_is_a_visit() {
    let (_emulator, wire) = listening().await;
    site(&wire, INDEX, true).await;
    for method in ["POST", "DELETE", "PUT"] {
        let named = format!("Method: {method}");
        let items = [
            "Code: MethodNotAllowed",
            "Message: The specified method is not allowed against this resource.",
            named.as_str(),
            "ResourceType: OBJECT",
        ];
        check_page(
            &visit_as(&wire, method, HOST, "/index.html").await,
            405,
            &page("405 Method Not Allowed", &items, &[]),
        );
    }
}

#[tokio::test]
async fn a_site_has_its_own_page_for_errors() {
    let (_emulator, wire) = listening().await;
    site(&wire, INDEX, true).await;
    check_page(&visit(&wire, "/").await, 404, &page("404 Not Found", &texts(&missing("index.html")), &[]));
    site(&wire, &format!("{INDEX}{ERROR}"), true).await;
    let both = page("404 Not Found", &texts(&missing("index.html")), &texts(&missing("error.html")));
    check_page(&visit(&wire, "/").await, 404, &both);
    put(&wire, "error.html", "sorry").await;
    let answer = visit(&wire, "/").await;
    assert_eq!((answer.status, answer.text().as_str()), (404, "sorry"));
    assert_eq!(answer.header("x-amz-error-code"), Some("NoSuchKey"));
    // The conditions of a visit are about the page that was asked for.
    let conditional = Ask::new("GET", "/").header("host", HOST).header("range", "bytes=0-1");
    assert_eq!(wire.send(&conditional).await.text(), "sorry");
}

#[tokio::test]
async fn where_there_is_no_site() {
    let (_emulator, wire) = listening().await;
    let items =
        ["Code: NoSuchBucket", "Message: The specified bucket does not exist", "BucketName: no-such-bucket"];
    let answer = visit_as(&wire, "GET", "no-such-bucket.s3-website.localhost", "/").await;
    check_page(&answer, 404, &page("404 Not Found", &items, &[]));
    let items = [
        "Code: NoSuchWebsiteConfiguration",
        "Message: The specified bucket does not have a website configuration",
        "BucketName: logs",
    ];
    for path in ["/", "/key"] {
        check_page(&visit(&wire, path).await, 404, &page("404 Not Found", &items, &[]));
    }
}

#[tokio::test]
async fn visitors_pass_the_gate_like_everybody() {
    let (emulator, wire) = listening().await;
    let xml = format!("<WebsiteConfiguration>{INDEX}{ERROR}</WebsiteConfiguration>");
    check(&put_xml(&wire, "/logs?website", &xml).await, 200, "");
    put(&wire, "index.html", "secret").await;
    put(&wire, "error.html", "secret").await;
    let denied = ["Code: AccessDenied", "Message: Access Denied"];
    check_page(&visit(&wire, "/").await, 403, &page("403 Forbidden", &denied, &denied));
    // Credentials make no difference: the endpoint does not look at them.
    let signed = wire.send_as(ADMIN, &Ask::new("GET", "/").header("host", HOST)).await;
    assert_eq!(signed.status, 403);
    assert!(!emulator.journal().denied().is_empty());
    // Who may not list is not told what is missing, and still finds folders.
    site(&wire, INDEX, false).await;
    put(&wire, "folder/index.html", "in the folder").await;
    check_page(&visit(&wire, "/nothing").await, 403, &page("403 Forbidden", &denied, &[]));
    assert_eq!(visit(&wire, "/folder").await.status, 302);
}

#[tokio::test]
async fn every_visit_may_be_sent_elsewhere() {
    let (_emulator, wire) = listening().await;
    for (protocol, expected) in [("", "http"), ("<Protocol>https</Protocol>", "https")] {
        let all = format!(
            "<RedirectAllRequestsTo><HostName>example.com</HostName>{protocol}</RedirectAllRequestsTo>"
        );
        site(&wire, &all, true).await;
        let answer = visit(&wire, "/some/key%20with%20spaces").await;
        let location = format!("{expected}://example.com/some/key%20with%20spaces");
        assert_eq!((answer.status, answer.header("location")), (301, Some(location.as_str())));
        assert_eq!(answer.body.len(), 0);
    }
}

#[tokio::test]
async fn an_object_may_send_its_visitors_elsewhere() {
    let (_emulator, wire) = listening().await;
    site(&wire, &format!("{INDEX}{ERROR}"), true).await;
    for (key, location) in
        [("moved", "/new-place"), ("away", "https://example.com/x"), ("error.html", "/error-moved")]
    {
        let ask =
            Ask::new("PUT", &format!("/logs/{key}")).header("x-amz-website-redirect-location", location);
        check(&wire.send_as(ADMIN, &ask.body("unseen")).await, 200, "");
    }
    for (path, location) in
        [("/moved", "/new-place"), ("/away", "https://example.com/x"), ("/nothing", "/error-moved")]
    {
        let answer = visit(&wire, path).await;
        assert_eq!(
            (answer.status, answer.header("location"), answer.body.len()),
            (301, Some(location), 0),
            "{path}"
        );
    }
    assert_eq!(admin(&wire, "GET", "/logs/moved").await.text(), "unseen", "the API tells the object");
}

#[tokio::test]
async fn rules_send_visitors_elsewhere() {
    let (_emulator, wire) = listening().await;
    let rule = |condition: &str, redirect: &str| {
        format!(
            "<RoutingRule><Condition>{condition}</Condition><Redirect>{redirect}</Redirect></RoutingRule>"
        )
    };
    let rules = [
        rule("<KeyPrefixEquals>docs/</KeyPrefixEquals>", "<ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith>"),
        rule(
            "<KeyPrefixEquals>images/</KeyPrefixEquals>",
            "<ReplaceKeyWith>none.html</ReplaceKeyWith><HttpRedirectCode>307</HttpRedirectCode>",
        ),
        rule(
            "<HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals>",
            "<Protocol>https</Protocol><HostName>example.com</HostName><ReplaceKeyPrefixWith>report-404/</ReplaceKeyPrefixWith><HttpRedirectCode>302</HttpRedirectCode>",
        ),
    ]
    .concat();
    site(&wire, &format!("{INDEX}<RoutingRules>{rules}</RoutingRules>"), true).await;
    put(&wire, "docs/here", "unseen").await;
    put(&wire, "found", "found").await;
    for (path, status, location) in [
        ("/docs/here", 301, "http://logs.s3-website.localhost/documents/here"),
        ("/images/cat.png", 307, "http://logs.s3-website.localhost/none.html"),
        ("/nothing/at%20all", 302, "https://example.com/report-404/nothing/at%20all"),
    ] {
        let answer = visit(&wire, path).await;
        assert_eq!((answer.status, answer.header("location")), (status, Some(location)), "{path}");
    }
    assert_eq!(visit(&wire, "/found").await.text(), "found");
}
