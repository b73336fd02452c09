//! Tags of objects and buckets: the recorded answers, and what policies see of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::fixture::{ADMIN, READER, WRITER, listening};
use crate::wire::{Answer, Ask, Key, Wire};

/// Sends a body with its MD5, as SDKs do.
pub(crate) async fn put_xml(wire: &Wire, target: &str, xml: &str) -> Answer {
    let md5 = STANDARD.encode(Md5::digest(xml));
    wire.send_as(ADMIN, &Ask::new("PUT", target).header("content-md5", &md5).body(xml)).await
}

pub(crate) async fn admin(wire: &Wire, method: &str, target: &str) -> Answer {
    wire.send_as(ADMIN, &Ask::new(method, target)).await
}

#[track_caller]
pub(crate) fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

fn tagging(tags: &[(&str, &str)]) -> String {
    let tag = |(k, v): &(&str, &str)| format!("<Tag><Key>{k}</Key><Value>{v}</Value></Tag>");
    let tags = tags.iter().map(tag).collect::<Vec<_>>().concat();
    format!("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>{tags}</TagSet></Tagging>")
}

fn tags(answer: &Answer) -> Vec<(String, String)> {
    check(answer, 200, "");
    let pairs = answer.all_within(&["Tag"], &["Key", "Value"]);
    pairs.into_iter().map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

async fn put(wire: &Wire, target: &str, tagging: &str) -> Answer {
    let mut ask = Ask::new("PUT", target).body("test-tagging");
    if !tagging.is_empty() {
        ask = ask.header("x-amz-tagging", tagging);
    }
    wire.send_as(ADMIN, &ask).await
}

#[tokio::test]
async fn tags_of_a_bucket_are_put_told_and_deleted() {
    let (_emulator, wire) = listening().await;
    let none = admin(&wire, "GET", "/logs?tagging").await;
    check(&none, 404, "NoSuchTagSet");
    assert_eq!(none.element("Message").as_deref(), Some("The TagSet does not exist"));
    assert_eq!(none.element("BucketName").as_deref(), Some("logs"));
    for set in [&[("tag1", "tag1"), ("tag2", "")][..], &[("tag3", "tag3")]] {
        check(&put_xml(&wire, "/logs?tagging", &tagging(set)).await, 204, "");
        assert_eq!(tags(&admin(&wire, "GET", "/logs?tagging").await), pairs(set));
    }
    check(&admin(&wire, "DELETE", "/logs?tagging").await, 204, "");
    check(&admin(&wire, "DELETE", "/logs?tagging").await, 204, "");
    check(&put_xml(&wire, "/logs?tagging", &tagging(&[])).await, 204, "");
    check(&admin(&wire, "GET", "/logs?tagging").await, 404, "NoSuchTagSet");
    // Without a checksum of the body AWS takes no tags.
    let bare = wire.send_as(ADMIN, &Ask::new("PUT", "/logs?tagging").body(tagging(&[]))).await;
    check(&bare, 400, "InvalidRequest");
}

#[tokio::test]
async fn tags_of_a_missing_bucket_are_not_found() {
    let (_emulator, wire) = listening().await;
    for target in ["/no-such-bucket?tagging", "/no-such-bucket/key?tagging"] {
        check(&admin(&wire, "GET", target).await, 404, "NoSuchBucket");
        check(&admin(&wire, "DELETE", target).await, 404, "NoSuchBucket");
        check(&put_xml(&wire, target, &tagging(&[("a", "b")])).await, 404, "NoSuchBucket");
    }
}

#[tokio::test]
async fn tags_of_an_object_are_put_told_counted_and_deleted() {
    let (_emulator, wire) = listening().await;
    check(&put(&wire, "/logs/key", "").await, 200, "");
    assert_eq!(tags(&admin(&wire, "GET", "/logs/key?tagging").await), pairs(&[]));
    assert_eq!(admin(&wire, "GET", "/logs/key").await.header("x-amz-tagging-count"), None);
    for set in [&[("tag1", "tag1"), ("tag2", "")][..], &[("tag3", "tag3")]] {
        let answer = put_xml(&wire, "/logs/key?tagging", &tagging(set)).await;
        check(&answer, 200, "");
        assert_eq!(answer.header("x-amz-version-id"), None);
        assert_eq!(tags(&admin(&wire, "GET", "/logs/key?tagging").await), pairs(set));
        let count = set.len().to_string();
        for method in ["GET", "HEAD"] {
            let read = admin(&wire, method, "/logs/key").await;
            assert_eq!(read.header("x-amz-tagging-count"), Some(count.as_str()), "{method}");
            assert_eq!(read.header("etag"), Some("\"b635a7fc30aa9091e0d236bee77e6844\""));
        }
    }
    check(&admin(&wire, "DELETE", "/logs/key?tagging").await, 204, "");
    assert_eq!(tags(&admin(&wire, "GET", "/logs/key?tagging").await), pairs(&[]));
    assert_eq!(admin(&wire, "HEAD", "/logs/key").await.header("x-amz-tagging-count"), None);
}

#[tokio::test]
async fn tags_come_with_the_object_and_go_with_it() {
    let (_emulator, wire) = listening().await;
    let forms = [
        ("tag1=tag1&tag2=tag2&tag=", &[("tag", ""), ("tag1", "tag1"), ("tag2", "tag2")][..]),
        ("wrongquery&wrongagain", &[("wrongagain", ""), ("wrongquery", "")]),
        ("key1&&&key2", &[("key1", ""), ("key2", "")]),
        ("a%2Bb=c%20d+e", &[("a+b", "c d e")]),
        ("", &[]),
    ];
    for (header, expected) in forms {
        check(&put(&wire, "/logs/key", header).await, 200, "");
        assert_eq!(tags(&admin(&wire, "GET", "/logs/key?tagging").await), pairs(expected), "{header}");
    }
    check(&put(&wire, "/logs/key", "tag1=val1").await, 200, "");
    check(&admin(&wire, "DELETE", "/logs/key").await, 204, "");
    check(&put(&wire, "/logs/key", "").await, 200, "");
    assert_eq!(tags(&admin(&wire, "GET", "/logs/key?tagging").await), pairs(&[]));
}

#[tokio::test]
async fn a_header_of_tags_is_checked() {
    let (_emulator, wire) = listening().await;
    for header in ["key1=val1&key1=val2", "key1=val1,key2=val2", "aws:key=value", "=value"] {
        let answer = put(&wire, "/logs/key", header).await;
        check(&answer, 400, "InvalidArgument");
        assert_eq!(answer.element("ArgumentName").as_deref(), Some("x-amz-tagging"));
        let value = answer.element("ArgumentValue").unwrap().replace("&amp;", "&");
        assert_eq!(value, header);
        let text = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without \
                    tag name duplicates.";
        assert_eq!(answer.element("Message").as_deref(), Some(text));
    }
    let eleven: Vec<String> = (0..11).map(|n| format!("k{n}=v")).collect();
    check(&put(&wire, "/logs/key", &eleven.join("&")).await, 400, "BadRequest");
}

/// The recorded refusals, of a bucket and of an object: code, message and further elements.
#[tokio::test]
async fn tags_are_checked_one_by_one() {
    let (_emulator, wire) = listening().await;
    check(&put(&wire, "/logs/key", "").await, 200, "");
    let twice = tagging(&[("Key1", "Val1"), ("Key1", "Val1")]);
    let cases = [
        (twice, "InvalidTag", "Cannot provide multiple Tags with the same key", "Key1"),
        (
            tagging(&[("Key1,Key2", "Val1")]),
            "InvalidTag",
            "The TagKey you have provided is invalid",
            "Key1,Key2",
        ),
        (
            tagging(&[("Key1", "Val1,Val2")]),
            "InvalidTag",
            "The TagValue you have provided is invalid",
            "Key1",
        ),
        (tagging(&[("aws:prefixed", "Val1")]), "InvalidTag", "", "aws:prefixed"),
        (tagging(&[("Key1", "")]).replace("<Value></Value>", ""), "MalformedXML", "", ""),
        (tagging(&[("", "Val1")]).replace("<Key></Key>", ""), "MalformedXML", "", ""),
        ("<Tagging><TagSet><Tag>".to_owned(), "MalformedXML", "", ""),
    ];
    for target in ["/logs?tagging", "/logs/key?tagging"] {
        let reserved = if target.contains("key") {
            "Your TagKey cannot be prefixed with aws:"
        } else {
            "System tags cannot be added/updated by requester"
        };
        for (xml, code, message, key) in &cases {
            let answer = put_xml(&wire, target, xml).await;
            check(&answer, 400, code);
            if *code == "InvalidTag" {
                let message = if message.is_empty() { reserved } else { message };
                assert_eq!(answer.element("Message").as_deref(), Some(message));
                assert_eq!(answer.element("TagKey").as_deref(), Some(*key));
            }
        }
        let value = put_xml(&wire, target, &cases[2].0).await;
        assert_eq!(value.element("TagValue").as_deref(), Some("Val1,Val2"));
    }
}

#[tokio::test]
async fn the_lengths_of_tags_are_limited() {
    let (_emulator, wire) = listening().await;
    check(&put(&wire, "/logs/key", "").await, 200, "");
    let (key, value) = ("k".repeat(128), "é".repeat(256));
    let answer = put_xml(&wire, "/logs/key?tagging", &tagging(&[(&key, &value)])).await;
    check(&answer, 200, "");
    let long_key = tagging(&[(&format!("{key}k"), "v")]);
    check(&put_xml(&wire, "/logs/key?tagging", &long_key).await, 400, "InvalidTag");
    let long_value = tagging(&[("k", &format!("{value}v"))]);
    check(&put_xml(&wire, "/logs/key?tagging", &long_value).await, 400, "InvalidTag");
    let names: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    let eleven: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    check(&put_xml(&wire, "/logs/key?tagging", &tagging(&eleven[..10])).await, 200, "");
    let answer = put_xml(&wire, "/logs/key?tagging", &tagging(&eleven)).await;
    check(&answer, 400, "BadRequest");
    assert_eq!(answer.element("Message").as_deref(), Some("Object tags cannot be greater than 10"));
    assert_eq!(tags(&admin(&wire, "GET", "/logs/key?tagging").await).len(), 10);
}

#[tokio::test]
async fn tags_of_a_missing_key_are_not_found() {
    let (_emulator, wire) = listening().await;
    let get = admin(&wire, "GET", "/logs/fake-key?tagging").await;
    check(&get, 404, "NoSuchKey");
    assert_eq!(get.element("Key").as_deref(), Some("logs/fake-key"));
    let delete = admin(&wire, "DELETE", "/logs/fake-key?tagging").await;
    let put = put_xml(&wire, "/logs/fake-key?tagging", &tagging(&[("a", "b")])).await;
    for answer in [delete, put] {
        check(&answer, 404, "NoSuchKey");
        assert_eq!(answer.element("Key").as_deref(), Some("fake-key"));
    }
}

#[tokio::test]
async fn each_version_has_its_own_tags() {
    let (_emulator, wire) = listening().await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    check(&put_xml(&wire, "/logs?versioning", enabled).await, 200, "");
    let id = |answer: &Answer| answer.header("x-amz-version-id").unwrap().to_owned();
    let v1 = id(&put(&wire, "/logs/key", "test_tag=tagv1").await);
    let v2 = id(&put(&wire, "/logs/key", "").await);
    let current = put_xml(&wire, "/logs/key?tagging", &tagging(&[("tag3", "tag3")])).await;
    assert_eq!(id(&current), v2);
    let of = |version: &str| format!("/logs/key?tagging&versionId={version}");
    let read = admin(&wire, "GET", &of(&v1)).await;
    assert_eq!((tags(&read), id(&read)), (pairs(&[("test_tag", "tagv1")]), v1.clone()));
    let read = admin(&wire, "GET", "/logs/key?tagging").await;
    assert_eq!((tags(&read), id(&read)), (pairs(&[("tag3", "tag3")]), v2));
    assert_eq!(id(&put_xml(&wire, &of(&v1), &tagging(&[("tag1", "tag1")])).await), v1);
    assert_eq!(tags(&admin(&wire, "GET", &of(&v1)).await), pairs(&[("tag1", "tag1")]));
    check(&admin(&wire, "DELETE", &of(&v1)).await, 204, "");
    assert_eq!(tags(&admin(&wire, "GET", &of(&v1)).await), pairs(&[]));

    let marker = id(&admin(&wire, "DELETE", "/logs/key").await);
    for target in ["/logs/key?tagging".to_owned(), of(&marker)] {
        for method in ["GET", "DELETE", "PUT"] {
            let answer = match method {
                "PUT" => put_xml(&wire, &target, &tagging(&[("a", "b")])).await,
                _ => admin(&wire, method, &target).await,
            };
            check(&answer, 405, "MethodNotAllowed");
            assert_eq!(answer.element("Method").as_deref(), Some(method));
            assert_eq!(answer.element("ResourceType").as_deref(), Some("DeleteMarker"));
        }
    }
}

#[tokio::test]
async fn a_copy_takes_the_tags_it_is_told_to() {
    let (_emulator, wire) = listening().await;
    check(&put(&wire, "/logs/source", "key1=value1").await, 200, "");
    for (directive, sent, expected) in [
        (Some("COPY"), "key2=value2", &[("key1", "value1")][..]),
        (Some("COPY"), "", &[("key1", "value1")]),
        (None, "key2=value2", &[("key1", "value1")]),
        (None, "", &[("key1", "value1")]),
        (Some("REPLACE"), "key2=value2", &[("key2", "value2")]),
        (Some("REPLACE"), "", &[]),
    ] {
        let mut ask = Ask::new("PUT", "/logs/copy").header("x-amz-copy-source", "logs/source");
        ask = directive.map_or(ask.clone(), |directive| ask.header("x-amz-tagging-directive", directive));
        if !sent.is_empty() {
            ask = ask.header("x-amz-tagging", sent);
        }
        check(&wire.send_as(ADMIN, &ask).await, 200, "");
        assert_eq!(
            tags(&admin(&wire, "GET", "/logs/copy?tagging").await),
            pairs(expected),
            "{directive:?} {sent}"
        );
    }
    let ask = Ask::new("PUT", "/logs/copy")
        .header("x-amz-copy-source", "logs/source")
        .header("x-amz-tagging-directive", "MERGE");
    check(&wire.send_as(ADMIN, &ask).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn an_upload_brings_the_tags_it_was_begun_with() {
    let (_emulator, wire) = listening().await;
    let begun = Ask::new("POST", "/logs/big?uploads").header("x-amz-tagging", "Hello=World&foo=bar");
    let id = wire.send_as(ADMIN, &begun).await.element("UploadId").unwrap();
    let part = Ask::new("PUT", &format!("/logs/big?partNumber=1&uploadId={id}")).body("x");
    let etag = wire.send_as(ADMIN, &part).await.header("etag").unwrap().to_owned();
    let xml = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let done = wire.send_as(ADMIN, &Ask::new("POST", &format!("/logs/big?uploadId={id}")).body(xml)).await;
    check(&done, 200, "");
    let expected = pairs(&[("Hello", "World"), ("foo", "bar")]);
    assert_eq!(tags(&admin(&wire, "GET", "/logs/big?tagging").await), expected);
}

fn new_bucket(tags: &str) -> String {
    format!("<CreateBucketConfiguration><Tags>{tags}</Tags></CreateBucketConfiguration>")
}

#[tokio::test]
async fn a_bucket_is_created_with_tags() {
    let (_emulator, wire) = listening().await;
    let tag = |key: &str, value: &str| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let create = |xml: String| {
        let wire = &wire;
        async move { wire.send_as(ADMIN, &Ask::new("PUT", "/tagged-bucket").body(xml)).await }
    };
    for (xml, code) in [
        ("<Tag><Value>value1</Value></Tag>".to_owned(), "MalformedXML"),
        ("<Tag><Key>key1</Key></Tag>".to_owned(), "MalformedXML"),
        (tag("aws:test", "value1"), "InvalidTag"),
        (tag("test,test2", "value1"), "InvalidTag"),
        (tag("test", "value1,value2"), "InvalidTag"),
    ] {
        check(&create(new_bucket(&xml)).await, 400, code);
    }
    let twice = format!("{}{}", tag("test", "1"), tag("test", "2"));
    check(&create(new_bucket(&twice)).await, 500, "InternalError");
    check(&create(new_bucket(&tag("tag1", "value1"))).await, 200, "");
    let told = || admin(&wire, "GET", "/tagged-bucket?tagging");
    assert_eq!(tags(&told().await), pairs(&[("tag1", "value1")]));
    // The oldest region answers a repetition with 200, but not one with tags.
    for again in [tag("tag1", "value1"), tag("tag2", "value2")] {
        check(&create(new_bucket(&again)).await, 409, "BucketAlreadyOwnedByYou");
    }
    check(&create(String::new()).await, 200, "");
    check(&create(new_bucket("")).await, 200, "");
    assert_eq!(tags(&told().await), pairs(&[("tag1", "value1")]));
}

async fn policy(wire: &Wire, statements: &str) {
    let text = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statements}]}}");
    check(&wire.send_as(ADMIN, &Ask::new("PUT", "/logs?policy").body(text)).await, 204, "");
}

async fn as_user(wire: &Wire, key: Key<'_>, ask: Ask) -> u16 {
    wire.send_as(key, &ask).await.status
}

#[tokio::test]
async fn tags_take_permissions_of_their_own() {
    let (_emulator, wire) = listening().await;
    // The writer may put objects, not tags.
    let tagged = || Ask::new("PUT", "/logs/open/key").header("x-amz-tagging", "a=b").body("x");
    assert_eq!(as_user(&wire, WRITER, tagged()).await, 403);
    assert_eq!(as_user(&wire, WRITER, Ask::new("PUT", "/logs/open/key").body("x")).await, 200);
    let upload = Ask::new("POST", "/logs/open/key?uploads").header("x-amz-tagging", "a=b");
    assert_eq!(as_user(&wire, WRITER, upload).await, 403);
    assert_eq!(as_user(&wire, WRITER, Ask::new("GET", "/logs/open/key?tagging")).await, 403);
    assert_eq!(as_user(&wire, WRITER, Ask::new("DELETE", "/logs/open/key?tagging")).await, 403);
    let put = Ask::new("PUT", "/logs/open/key?tagging").body(tagging(&[("a", "b")]));
    assert_eq!(as_user(&wire, WRITER, put).await, 403);
    // Copying tags takes the permission to read them, and to put them.
    check(&put_xml(&wire, "/logs/open/key?tagging", &tagging(&[("a", "b")])).await, 200, "");
    let copy = || Ask::new("PUT", "/logs/open/copy").header("x-amz-copy-source", "logs/open/key");
    assert_eq!(as_user(&wire, WRITER, copy()).await, 403);
    let grant = |action: &str| {
        format!(
            "{{\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"arn:aws:iam::111122223333:user/writer\"}},\
             \"Action\":\"s3:{action}\",\"Resource\":\"arn:aws:s3:::logs/*\"}}"
        )
    };
    policy(&wire, &grant("GetObjectTagging")).await;
    assert_eq!(as_user(&wire, WRITER, copy()).await, 403);
    policy(&wire, &format!("{},{}", grant("GetObjectTagging"), grant("PutObjectTagging"))).await;
    assert_eq!(as_user(&wire, WRITER, copy()).await, 200);
    assert_eq!(as_user(&wire, WRITER, tagged()).await, 200);
    let replaced = copy().header("x-amz-tagging-directive", "REPLACE");
    policy(&wire, &grant("PutObjectTagging")).await;
    assert_eq!(as_user(&wire, WRITER, replaced).await, 200);
}

/// How many tags there are is told to those who may read them.
#[tokio::test]
async fn tags_are_counted_for_those_who_may_read_them() {
    let (emulator, wire) = listening().await;
    check(&put(&wire, "/logs/key", "a=b").await, 200, "");
    let read = wire.send_as(READER, &Ask::new("GET", "/logs/key")).await;
    assert_eq!((read.status, read.header("x-amz-tagging-count")), (200, None));
    assert!(emulator.journal().denied().is_empty(), "what was not asked for is no denial");
}

#[tokio::test]
async fn policies_see_the_tags_of_objects_and_requests() {
    let (_emulator, wire) = listening().await;
    for (key, header) in [("public", "security=public"), ("private", "security=private"), ("bare", "")] {
        check(&put(&wire, &format!("/logs/open/{key}"), header).await, 200, "");
    }
    let statement = |effect: &str, action: &str, condition: &str| {
        format!(
            "{{\"Effect\":\"{effect}\",\"Principal\":{{\"AWS\":\"arn:aws:iam::111122223333:user/writer\"}},\
             \"Action\":[{action}],\"Resource\":\"arn:aws:s3:::logs/*\",\"Condition\":{{{condition}}}}}"
        )
    };
    let existing = "\"StringNotEquals\":{\"s3:ExistingObjectTag/Security\":\"public\"}";
    policy(&wire, &statement("Deny", "\"s3:GetObject\"", existing)).await;
    for (key, status) in [("public", 200), ("private", 403), ("bare", 403)] {
        let ask = Ask::new("GET", &format!("/logs/open/{key}"));
        assert_eq!(as_user(&wire, WRITER, ask).await, status, "{key}");
    }
    // What a request brings: the values, and the set of its keys.
    let value = "\"StringEquals\":{\"s3:RequestObjectTag/team\":\"red\"}";
    policy(&wire, &statement("Allow", "\"s3:PutObjectTagging\"", value)).await;
    let write = |tags: &str| Ask::new("PUT", "/logs/open/new").header("x-amz-tagging", tags).body("x");
    assert_eq!(as_user(&wire, WRITER, write("team=red&more=1")).await, 200);
    assert_eq!(as_user(&wire, WRITER, write("team=blue")).await, 403);
    let put_tags = |value: &str| Ask::new("PUT", "/logs/open/new?tagging").body(tagging(&[("team", value)]));
    assert_eq!(as_user(&wire, WRITER, put_tags("red")).await, 200);
    assert_eq!(as_user(&wire, WRITER, put_tags("blue")).await, 403);
    let keys = "\"ForAllValues:StringEquals\":{\"s3:RequestObjectTagKeys\":[\"team\",\"cost\"]}";
    policy(&wire, &statement("Allow", "\"s3:PutObjectTagging\"", keys)).await;
    assert_eq!(as_user(&wire, WRITER, write("team=blue&cost=1")).await, 200);
    assert_eq!(as_user(&wire, WRITER, write("team=blue&other=1")).await, 403);
}

#[tokio::test]
async fn tags_of_a_missing_object_are_hidden_like_the_object() {
    let (_emulator, wire) = listening().await;
    let grant = "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:user/writer\"},\
                 \"Action\":\"s3:GetObjectTagging\",\"Resource\":\"arn:aws:s3:::logs/*\"}";
    policy(&wire, grant).await;
    assert_eq!(as_user(&wire, WRITER, Ask::new("GET", "/logs/none?tagging")).await, 403);
}
