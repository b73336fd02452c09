use std::collections::BTreeSet;

use super::gate::check;
use super::openapi::document;
use super::routes::{Access, ROUTES};
use super::{AdminToken, AdminTokenError, first_segment, matched};
use crate::addressing::Domains;
use crate::head::Head;
use crate::pipeline::Network;

#[test]
fn the_description_has_every_route_and_no_other() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            described.insert((path.clone(), method.to_uppercase()));
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let has_id = parameters.iter().any(|parameter| parameter["in"] == "path");
            assert_eq!(has_id, path.contains("{id}"), "{method} {path}");
            assert!(!operation["summary"].as_str().unwrap().is_empty());
        }
    }
    let routed: BTreeSet<(String, String)> =
        ROUTES.iter().map(|route| (route.path.to_owned(), route.method.to_string())).collect();
    assert_eq!(described, routed);
    assert_eq!(routed.len(), ROUTES.len(), "no method stands twice at one path");
}

#[test]
fn operation_ids_are_unique() {
    let document = document();
    let mut ids = BTreeSet::new();
    for operations in document["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(ids.insert(id.clone()), "{id}");
        }
    }
    assert!(ids.contains("postSnapshotsIdRestore"), "{ids:?}");
}

#[test]
fn only_what_tells_and_changes_nothing_is_open() {
    let open: Vec<&str> =
        ROUTES.iter().filter(|route| route.access == Access::Open).map(|route| route.path).collect();
    let expected = [
        "/_bucketproof/health",
        "/_bucketproof/ready",
        "/_bucketproof/openapi.json",
        "/_bucketproof/console",
        "/_bucketproof/console/{id}",
        "/_localstack/health",
        "/_localstack/init",
        "/_localstack/init/ready",
    ];
    assert_eq!(open, expected);
}

#[test]
fn a_path_is_matched_by_segments() {
    assert_eq!(matched("/a/{id}", "/a/7"), Some(Some("7".to_owned())));
    assert_eq!(matched("/a/{id}", "/a/x%2Fy"), Some(Some("x/y".to_owned())));
    assert_eq!(matched("/a/{id}/b", "/a/7/b"), Some(Some("7".to_owned())));
    assert_eq!(matched("/a", "/a"), Some(None));
    for (pattern, path) in [("/a/{id}", "/a/"), ("/a/{id}", "/a"), ("/a", "/a/7"), ("/a/{id}", "/a/7/8")] {
        assert_eq!(matched(pattern, path), None, "{pattern} {path}");
    }
    assert_eq!((first_segment("/_bucketproof/a/{id}"), first_segment("/_localstack/health")), ("a", ""));
}

#[test]
fn a_token_is_long_and_shows_nothing() {
    assert_eq!(AdminToken::new("short").unwrap_err(), AdminTokenError::Short);
    assert_eq!(AdminToken::new("sixteen letters and more").unwrap_err(), AdminTokenError::Character);
    let token = AdminToken::new(" 0123456789abcdef\n").unwrap();
    assert!(token.is("0123456789abcdef") && !token.is("0123456789abcdeg") && !token.is(""));
    assert_eq!(format!("{token:?}"), "AdminToken");
}

/// What the gate answers to a GET of the journal: 0 if it lets in.
fn gate(ip: &str, headers: &[(&str, &str)], network: &Network) -> u16 {
    let mut request = http::Request::get("/_bucketproof/requests");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let head = Head::new(parts, ip.parse().unwrap(), &network.domains);
    let route = ROUTES.iter().find(|route| route.path == "/_bucketproof/requests").unwrap();
    check(&head, network, route).map_or_else(|refusal| refusal.status.as_u16(), |()| 0)
}

#[test]
fn without_a_token_loopback_alone_comes_in() {
    let network = Network { domains: Domains::with(vec!["s3.test".to_owned()]), ..Network::default() };
    assert_eq!(gate("127.0.0.1", &[("host", "localhost:4566")], &network), 0);
    assert_eq!(gate("::1", &[("host", "[::1]:4566")], &network), 0);
    assert_eq!(gate("127.0.0.1", &[], &network), 0);
    assert_eq!(gate("127.0.0.1", &[("host", "s3.test:4566")], &network), 0);
    assert_eq!(gate("127.0.0.1", &[("host", "localhost.localstack.cloud:4566")], &network), 0);
    assert_eq!(gate("192.0.2.7", &[("host", "localhost:4566")], &network), 403);
    assert_eq!(gate("192.0.2.7", &[("authorization", "Bearer 0123456789abcdef")], &network), 403);
}

#[test]
fn a_page_of_another_site_is_kept_out() {
    let network = Network::default();
    let from = |headers: &[(&str, &str)]| gate("127.0.0.1", headers, &network);
    // A name server that points its name here.
    assert_eq!(from(&[("host", "evil.example:4566")]), 403);
    assert_eq!(from(&[("host", "evil.example:4566"), ("origin", "http://evil.example:4566")]), 403);
    let own = ("host", "localhost:4566");
    assert_eq!(from(&[own, ("origin", "http://localhost:4566")]), 0);
    for origin in ["http://evil.example", "null", "http://localhost:8000", "http://localhost", "file://"] {
        assert_eq!(from(&[own, ("origin", origin)]), 403, "{origin}");
    }
    assert_eq!(from(&[own, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]), 403);
    assert_eq!(from(&[own, ("sec-fetch-site", "same-site")]), 403);
    assert_eq!(from(&[own, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]), 0);
    assert_eq!(from(&[own, ("sec-fetch-site", "same-origin")]), 0);
}

#[test]
fn with_a_token_whoever_has_it_comes_in_and_nobody_else() {
    let token = AdminToken::new("0123456789abcdef").unwrap();
    let network = Network { admin_token: Some(token), ..Network::default() };
    for ip in ["127.0.0.1", "192.0.2.7"] {
        let with = |text: &str| gate(ip, &[("host", "emulator:4566"), ("authorization", text)], &network);
        assert_eq!(with("Bearer 0123456789abcdef"), 0);
        assert_eq!(with("bearer  0123456789abcdef"), 0);
        for text in
            ["Bearer 0123456789abcdeX", "Bearer", "Basic 0123456789abcdef", "0123456789abcdef", "Bearer "]
        {
            assert_eq!(with(text), 401, "{text}");
        }
        assert_eq!(gate(ip, &[("host", "localhost")], &network), 401);
        let page = [("authorization", "Bearer 0123456789abcdef"), ("host", "a"), ("origin", "http://b")];
        assert_eq!(gate(ip, &page, &network), 403);
    }
}
