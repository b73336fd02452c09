//! Versions: written, read, listed and deleted.

use crate::fixture::{ADMIN, listening};
use crate::wire::{Answer, Ask, Wire};

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

async fn admin(wire: &Wire, method: &str, target: &str) -> Answer {
    wire.send_as(ADMIN, &Ask::new(method, target)).await
}

async fn put(wire: &Wire, target: &str, body: &str) -> Answer {
    let answer = wire.send_as(ADMIN, &Ask::new("PUT", target).body(body.to_owned())).await;
    check(&answer, 200, "");
    answer
}

fn version(answer: &Answer) -> String {
    answer.header("x-amz-version-id").expect("a version id").to_owned()
}

async fn set_versioning(wire: &Wire, bucket: &str, status: &str) {
    let xml = format!(
        "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>{status}</Status>\
         </VersioningConfiguration>"
    );
    put(wire, &format!("/{bucket}?versioning"), &xml).await;
}

/// A bucket of one's own, versioning never turned on.
async fn bucket(wire: &Wire) {
    put(wire, "/versions-bucket", "").await;
}

#[tokio::test]
async fn versioning_is_told_and_checked() {
    let (_emulator, wire) = listening().await;
    bucket(&wire).await;
    let text = |answer: &Answer| String::from_utf8_lossy(&answer.body).into_owned();
    let answer = admin(&wire, "GET", "/versions-bucket?versioning").await;
    assert!(!text(&answer).contains("Status"), "{}", text(&answer));
    set_versioning(&wire, "versions-bucket", "Enabled").await;
    let answer = admin(&wire, "GET", "/versions-bucket?versioning").await;
    assert!(text(&answer).contains("<Status>Enabled</Status>"), "{}", text(&answer));
    let xml = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></VersioningConfiguration>";
    let answer = wire.send_as(ADMIN, &Ask::new("PUT", "/versions-bucket?versioning").body(xml)).await;
    check(&answer, 400, "IllegalVersioningConfigurationException");
    let xml = xml.replace("></V", "><Status>Off</Status></V");
    let answer = wire.send_as(ADMIN, &Ask::new("PUT", "/versions-bucket?versioning").body(xml)).await;
    check(&answer, 400, "MalformedXML");
}

#[tokio::test]
async fn what_is_overwritten_or_deleted_is_kept() {
    let (_emulator, wire) = listening().await;
    bucket(&wire).await;
    let before = put(&wire, "/versions-bucket/key", "zero").await;
    assert_eq!(before.header("x-amz-version-id"), None);
    set_versioning(&wire, "versions-bucket", "Enabled").await;
    let one = version(&put(&wire, "/versions-bucket/key", "one").await);
    let two = version(&put(&wire, "/versions-bucket/key", "two").await);
    assert_ne!(one, two);
    assert_eq!(one.len(), 32);

    for (id, body) in [("null", "zero"), (&one, "one"), (&two, "two")] {
        let answer = admin(&wire, "GET", &format!("/versions-bucket/key?versionId={id}")).await;
        check(&answer, 200, "");
        assert_eq!((&*answer.body, version(&answer).as_str()), (body.as_bytes(), id));
    }
    let current = admin(&wire, "GET", "/versions-bucket/key").await;
    assert_eq!((&*current.body, version(&current)), (&b"two"[..], two.clone()));

    let deleted = admin(&wire, "DELETE", "/versions-bucket/key").await;
    assert_eq!(deleted.header("x-amz-delete-marker"), Some("true"));
    let marker = version(&deleted);
    let gone = admin(&wire, "GET", "/versions-bucket/key").await;
    check(&gone, 404, "NoSuchKey");
    assert_eq!((gone.header("x-amz-delete-marker"), version(&gone)), (Some("true"), marker.clone()));
    let by_id = admin(&wire, "GET", &format!("/versions-bucket/key?versionId={marker}")).await;
    check(&by_id, 405, "MethodNotAllowed");
    assert_eq!(by_id.header("allow"), Some("DELETE"));
    assert_eq!(by_id.element("ResourceType").as_deref(), Some("DeleteMarker"));
    assert_eq!(by_id.element("Method").as_deref(), Some("GET"));
    check(&admin(&wire, "DELETE", "/versions-bucket").await, 409, "BucketNotEmpty");

    // Without the marker the object is back; without its versions the bucket is empty.
    let unmarked = admin(&wire, "DELETE", &format!("/versions-bucket/key?versionId={marker}")).await;
    assert_eq!((unmarked.header("x-amz-delete-marker"), version(&unmarked)), (Some("true"), marker));
    check(&admin(&wire, "GET", "/versions-bucket/key").await, 200, "");
    for id in [two.as_str(), "null", &one] {
        let answer = admin(&wire, "DELETE", &format!("/versions-bucket/key?versionId={id}")).await;
        assert_eq!((answer.header("x-amz-delete-marker"), version(&answer).as_str()), (None, id));
    }
    check(&admin(&wire, "GET", "/versions-bucket/key").await, 404, "NoSuchKey");
    check(&admin(&wire, "DELETE", "/versions-bucket").await, 204, "");
}

#[tokio::test]
async fn suspended_versioning_replaces_the_null_version_alone() {
    let (_emulator, wire) = listening().await;
    bucket(&wire).await;
    set_versioning(&wire, "versions-bucket", "Enabled").await;
    let kept = version(&put(&wire, "/versions-bucket/key", "kept").await);
    set_versioning(&wire, "versions-bucket", "Suspended").await;
    for body in ["first", "second"] {
        let answer = put(&wire, "/versions-bucket/key", body).await;
        assert_eq!(answer.header("x-amz-version-id"), None);
    }
    let current = admin(&wire, "GET", "/versions-bucket/key").await;
    assert_eq!((&*current.body, version(&current).as_str()), (&b"second"[..], "null"));
    let deleted = admin(&wire, "DELETE", "/versions-bucket/key").await;
    assert_eq!((deleted.header("x-amz-delete-marker"), version(&deleted).as_str()), (Some("true"), "null"));
    check(&admin(&wire, "GET", "/versions-bucket/key?versionId=null").await, 405, "MethodNotAllowed");
    let answer = admin(&wire, "GET", &format!("/versions-bucket/key?versionId={kept}")).await;
    assert_eq!(&*answer.body, b"kept");
}

#[tokio::test]
async fn ids_that_cannot_be_or_are_not_there() {
    let (_emulator, wire) = listening().await;
    bucket(&wire).await;
    put(&wire, "/versions-bucket/key", "data").await;
    let unknown = "/versions-bucket/key?versionId=abcdefghijklmnopqrstuvwxyz012345";
    check(&admin(&wire, "GET", unknown).await, 400, "InvalidArgument");
    check(&admin(&wire, "GET", "/versions-bucket/key?versionId=null").await, 200, "");
    set_versioning(&wire, "versions-bucket", "Enabled").await;
    check(&admin(&wire, "GET", unknown).await, 400, "InvalidArgument");
    let gone = version(&put(&wire, "/versions-bucket/key", "data").await);
    let target = format!("/versions-bucket/key?versionId={gone}");
    for _ in 0..2 {
        check(&admin(&wire, "DELETE", &target).await, 204, "");
    }
    let answer = admin(&wire, "GET", &target).await;
    check(&answer, 404, "NoSuchVersion");
    assert_eq!(answer.element("VersionId"), Some(gone));
    check(&admin(&wire, "GET", "/versions-bucket/key?versionId=short").await, 400, "InvalidArgument");
    check(&admin(&wire, "DELETE", unknown).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn versions_are_listed_newest_first_in_pages_of_any_size() {
    let (_emulator, wire) = listening().await;
    bucket(&wire).await;
    set_versioning(&wire, "versions-bucket", "Enabled").await;
    let mut expected = Vec::new();
    for key in ["a", "b", "dir/x", "dir/y"] {
        let mut of_key = Vec::new();
        for body in ["1", "2", "3"] {
            of_key.push(version(&put(&wire, &format!("/versions-bucket/{key}"), body).await));
        }
        of_key.push(version(&admin(&wire, "DELETE", &format!("/versions-bucket/{key}")).await));
        expected.extend(of_key.into_iter().rev().map(|id| (key.to_owned(), id)));
    }
    for size in [1, 2, 3, 5, 16, 1000] {
        let mut found = Vec::new();
        let mut markers = String::new();
        loop {
            let target = format!("/versions-bucket?versions&max-keys={size}{markers}");
            let answer = admin(&wire, "GET", &target).await;
            check(&answer, 200, "");
            let mut page = answer.all_within(&["Version", "DeleteMarker"], &["Key", "VersionId"]);
            page.sort_by_key(|entry| {
                expected.iter().position(|(key, id)| entry == &[key.clone(), id.clone()])
            });
            found.extend(page.into_iter().map(|entry| (entry[0].clone(), entry[1].clone())));
            match (answer.element("NextKeyMarker"), answer.element("NextVersionIdMarker")) {
                (Some(key), Some(id)) => {
                    markers = format!("&key-marker={}&version-id-marker={id}", key.replace('/', "%2F"));
                }
                _ => break,
            }
        }
        assert_eq!(found, expected, "in pages of {size}");
    }
    let grouped = admin(&wire, "GET", "/versions-bucket?versions&delimiter=%2F&prefix=d").await;
    assert_eq!(grouped.all_within(&["CommonPrefixes"], &["Prefix"]), [["dir/"]]);
    let refused = admin(&wire, "GET", "/versions-bucket?versions&version-id-marker=null").await;
    check(&refused, 400, "InvalidArgument");
}
