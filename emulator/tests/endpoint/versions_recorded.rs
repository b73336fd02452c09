//! Recorded answers of AWS about versions, conditional writes and listings, one situation after the other.

use crate::fixture::{ADMIN, listening};
use crate::wire::{Answer, Ask, Wire};

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

async fn admin(wire: &Wire, ask: Ask) -> Answer {
    wire.send_as(ADMIN, &ask).await
}

async fn get(wire: &Wire, target: &str) -> Answer {
    admin(wire, Ask::new("GET", target)).await
}

async fn delete(wire: &Wire, target: &str) -> Answer {
    admin(wire, Ask::new("DELETE", target)).await
}

async fn put(wire: &Wire, target: &str) -> Answer {
    let answer = admin(wire, Ask::new("PUT", target).body("test data")).await;
    check(&answer, 200, "");
    answer
}

fn id(answer: &Answer) -> String {
    answer.header("x-amz-version-id").expect("a version id").to_owned()
}

async fn set_versioning(wire: &Wire, status: &str) {
    let xml = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    check(&admin(wire, Ask::new("PUT", "/logs?versioning").body(xml)).await, 200, "");
}

/// Versions and delete markers as they stand in the document: element, key, version id, whether latest.
fn rows(answer: &Answer) -> Vec<[String; 4]> {
    let text = answer.text();
    let starts = text.match_indices('<').filter_map(|(at, _)| {
        let name = ["Version", "DeleteMarker"]
            .into_iter()
            .find(|name| text[at..].starts_with(&format!("<{name}>")))?;
        let field = |field: &str| {
            let rest = text[at..].split_once(&format!("<{field}>")).unwrap().1;
            rest.split_once('<').unwrap().0.to_owned()
        };
        Some([name.to_owned(), field("Key"), field("VersionId"), field("IsLatest")])
    });
    starts.collect()
}

fn row(name: &str, key: &str, id: &str, latest: bool) -> [String; 4] {
    [name.into(), key.into(), id.into(), latest.to_string()]
}

#[tokio::test]
async fn delete_object_versioned() {
    let (_emulator, wire) = listening().await;
    set_versioning(&wire, "Enabled").await;
    let object = id(&put(&wire, "/logs/test-delete").await);
    let deletion = delete(&wire, "/logs/test-delete").await;
    assert_eq!((deletion.status, deletion.header("x-amz-delete-marker")), (204, Some("true")));
    let marker = id(&deletion);
    let gone = get(&wire, "/logs/test-delete").await;
    check(&gone, 404, "NoSuchKey");
    assert_eq!((gone.header("x-amz-delete-marker"), id(&gone)), (Some("true"), marker.clone()));
    check(&get(&wire, &format!("/logs/test-delete?versionId={object}")).await, 200, "");
    let refused = get(&wire, &format!("/logs/test-delete?versionId={marker}")).await;
    check(&refused, 405, "MethodNotAllowed");
    assert_eq!((refused.header("allow"), id(&refused)), (Some("DELETE"), marker.clone()));
    let second = id(&delete(&wire, "/logs/test-delete").await);
    let listed = get(&wire, "/logs?versions&prefix=test-delete").await;
    let key = "test-delete";
    let expected = [
        row("DeleteMarker", key, &second, true),
        row("DeleteMarker", key, &marker, false),
        row("Version", key, &object, false),
    ];
    assert_eq!(rows(&listed), expected);
    let deleted = delete(&wire, &format!("/logs/test-delete?versionId={marker}")).await;
    assert_eq!((deleted.header("x-amz-delete-marker"), id(&deleted)), (Some("true"), marker));
    let deleted = delete(&wire, &format!("/logs/test-delete?versionId={object}")).await;
    assert_eq!((deleted.header("x-amz-delete-marker"), id(&deleted)), (None, object.clone()));
    let gone = get(&wire, &format!("/logs/test-delete?versionId={object}")).await;
    check(&gone, 404, "NoSuchVersion");
    assert_eq!((gone.header("x-amz-version-id"), gone.header("x-amz-delete-marker")), (None, None));
    assert_eq!(
        (gone.element("Key").as_deref(), gone.element("VersionId")),
        (Some(key), Some(object.clone()))
    );
    let bad = format!("{}ABCD", &object[..28]);
    let refused = delete(&wire, &format!("/logs/test-delete?versionId={bad}")).await;
    check(&refused, 400, "InvalidArgument");
    assert_eq!(refused.element("Message").as_deref(), Some("Invalid version id specified"));
    assert_eq!(refused.element("ArgumentValue"), Some(bad));
    assert_eq!(delete(&wire, "/logs/wrong-key").await.header("x-amz-delete-marker"), Some("true"));
}

#[tokio::test]
async fn delete_objects_with_and_without_versions() {
    let (_emulator, wire) = listening().await;
    put(&wire, "/logs/test-delete").await;
    let fake = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD";
    let object = |key: &str, version: Option<&str>| {
        let version = version.map_or(String::new(), |id| format!("<VersionId>{id}</VersionId>"));
        format!("<Object><Key>{key}</Key>{version}</Object>")
    };
    let many = async |objects: String| {
        let answer = wire.delete_many(ADMIN, "/logs?delete", &format!("<Delete>{objects}</Delete>")).await;
        check(&answer, 200, &answer.outcome().1);
        answer
    };
    let unknown = "The specified version does not exist.";
    let error_fields = ["Code", "Key", "Message", "VersionId"];
    let answer = many(object("test-delete", Some(fake))).await;
    assert_eq!(
        answer.all_within(&["Error"], &error_fields),
        [["NoSuchVersion", "test-delete", unknown, fake]]
    );
    check(&delete(&wire, &format!("/logs/test-delete?versionId={fake}")).await, 400, "InvalidArgument");
    check(&get(&wire, &format!("/logs/test-delete?versionId={fake}")).await, 400, "InvalidArgument");
    check(&get(&wire, "/logs/test-delete?versionId=null").await, 200, "");
    let answer = many(object("test-delete", None) + &object("c-wrong", None)).await;
    let fields = ["Key", "VersionId", "DeleteMarker", "DeleteMarkerVersionId"];
    assert_eq!(
        answer.all_within(&["Deleted"], &fields),
        [["test-delete", "", "", ""], ["c-wrong", "", "", ""]]
    );

    set_versioning(&wire, "Enabled").await;
    let version = id(&put(&wire, "/logs/test-delete").await);
    let answer = many(object("test-delete", None) + &object("wrongkey", None)).await;
    let found = answer.all_within(&["Deleted"], &fields);
    let marker = found[0][3].clone();
    assert_eq!(found[0][..3], ["test-delete", "", "true"]);
    assert_eq!(found[1][..3], ["wrongkey", "", "true"], "a marker over nothing");
    let answer = many(object("test-delete", Some(&marker))).await;
    assert_eq!(answer.all_within(&["Deleted"], &fields), [["test-delete", &marker, "true", &marker]]);
    let answer = many(object("test-delete", Some(fake)) + &object("wrong-key-2", Some(fake))).await;
    let found = answer.all_within(&["Error"], &["Code", "Key"]);
    assert_eq!(found, [["NoSuchVersion", "test-delete"], ["NoSuchVersion", "wrong-key-2"]]);
    let answer = many(object("test-delete", Some(&version))).await;
    assert_eq!(answer.all_within(&["Deleted"], &fields), [["test-delete", &version, "", ""]]);
}

#[tokio::test]
async fn suspended_buckets_keep_one_version_without_id() {
    let (_emulator, wire) = listening().await;
    set_versioning(&wire, "Enabled").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, id(&put(&wire, "/logs/k").await));
    }
    set_versioning(&wire, "Suspended").await;
    let list = || get(&wire, "/logs?versions");
    let kept = |rows: Vec<[String; 4]>| {
        rows.into_iter().map(|[name, _, id, latest]| (name, id, latest)).collect::<Vec<_>>()
    };
    let old = || ids.iter().map(|id| ("Version".to_owned(), id.clone(), "false".to_owned()));
    for _ in 0..2 {
        assert_eq!(put(&wire, "/logs/k").await.header("x-amz-version-id"), None);
        let expected: Vec<_> =
            std::iter::once(("Version".into(), "null".into(), "true".into())).chain(old()).collect();
        assert_eq!(kept(rows(&list().await)), expected);
        assert_eq!(id(&get(&wire, "/logs/k").await), "null");
        let deleted = delete(&wire, "/logs/k").await;
        assert_eq!((deleted.header("x-amz-delete-marker"), id(&deleted).as_str()), (Some("true"), "null"));
        let expected: Vec<_> =
            std::iter::once(("DeleteMarker".into(), "null".into(), "true".into())).chain(old()).collect();
        assert_eq!(kept(rows(&list().await)), expected);
    }
}

#[tokio::test]
async fn copies_tell_versions_as_recorded() {
    let (_emulator, wire) = listening().await;
    let copy = async || {
        let ask = Ask::new("PUT", "/logs/k")
            .header("x-amz-copy-source", "/logs/k")
            .header("x-amz-metadata-directive", "REPLACE");
        let answer = admin(&wire, ask).await;
        check(&answer, 200, "");
        let header = |name: &str| answer.header(name).map(str::to_owned);
        (header("x-amz-copy-source-version-id"), header("x-amz-version-id"))
    };
    put(&wire, "/logs/k").await;
    assert_eq!(copy().await, (None, None));
    set_versioning(&wire, "Suspended").await;
    assert_eq!(copy().await, (None, Some("null".into())));
    set_versioning(&wire, "Enabled").await;
    let first = id(&put(&wire, "/logs/k").await);
    let (source, second) = copy().await;
    assert_eq!(source, Some(first));
    set_versioning(&wire, "Suspended").await;
    assert_eq!(copy().await, (second, Some("null".into())));
    set_versioning(&wire, "Enabled").await;
    let (source, version) = copy().await;
    assert!(source.is_none() && version.is_some_and(|id| id.len() == 32));
    let illegal = Ask::new("PUT", "/logs/k").header("x-amz-copy-source", "/logs/k");
    check(&admin(&wire, illegal.clone()).await, 400, "InvalidRequest");
    // To name the class that it has anyway is to change something.
    check(&admin(&wire, illegal.header("x-amz-storage-class", "STANDARD")).await, 200, "");
}

#[tokio::test]
async fn conditional_copies() {
    let (_emulator, wire) = listening().await;
    set_versioning(&wire, "Enabled").await;
    let etag = put(&wire, "/logs/source").await.header("etag").unwrap().to_owned();
    let copy = async |to: &str, headers: &[(&str, &str)]| {
        let ask = Ask::new("PUT", &format!("/logs/{to}")).header("x-amz-copy-source", "/logs/source");
        let ask = headers
            .iter()
            .fold(ask.header("x-amz-storage-class", "STANDARD"), |ask, (n, v)| ask.header(n, v));
        admin(&wire, ask).await
    };
    let none_match = [("if-none-match", "*")];
    check(&copy("dest", &none_match).await, 200, "");
    let failed = copy("dest", &none_match).await;
    check(&failed, 412, "PreconditionFailed");
    assert_eq!(failed.element("Condition").as_deref(), Some("If-None-Match"));
    check(&copy("source", &none_match).await, 412, "PreconditionFailed");
    check(&copy("source", &[("if-match", &etag)]).await, 200, "");
    let failed = copy("dest", &[("if-match", "\"0\"")]).await;
    check(&failed, 412, "PreconditionFailed");
    assert_eq!(failed.element("Condition").as_deref(), Some("If-Match"));
    let missing = copy("absent", &[("if-match", &etag)]).await;
    check(&missing, 404, "NoSuchKey");
    assert_eq!(missing.element("Key").as_deref(), Some("absent"));
    delete(&wire, "/logs/dest").await;
    check(&copy("dest", &[("if-match", &etag)]).await, 404, "NoSuchKey");
    check(&copy("dest", &none_match).await, 200, "");
    for (headers, named) in [
        (vec![("if-none-match", etag.as_str())], "If-None-Match"),
        (vec![("if-match", "*")], "If-Match"),
        (vec![("if-match", etag.as_str()), ("if-none-match", "*")], "If-Match,If-None-Match"),
    ] {
        let refused = copy("dest", &headers).await;
        check(&refused, 501, "NotImplemented");
        assert_eq!(refused.element("Header").as_deref(), Some(named));
    }
}

/// An upload that is completed under a condition, after others wrote to its key.
#[tokio::test]
async fn conditional_completions() {
    let (_emulator, wire) = listening().await;
    let begin = async || {
        let upload = admin(&wire, Ask::new("POST", "/logs/k?uploads")).await.element("UploadId").unwrap();
        let part = Ask::new("PUT", &format!("/logs/k?partNumber=1&uploadId={upload}")).body("part");
        (upload, admin(&wire, part).await.header("etag").unwrap().to_owned())
    };
    let complete = async |(upload, part): &(String, String), name: &str, value: &str| {
        let xml = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part}</ETag></Part></CompleteMultipartUpload>"
        );
        let ask = Ask::new("POST", &format!("/logs/k?uploadId={upload}")).header(name, value).body(xml);
        admin(&wire, ask).await
    };
    let check_conflict = |answer: &Answer, condition: &str| {
        check(answer, 409, "ConditionalRequestConflict");
        assert_eq!(answer.element("Condition").as_deref(), Some(condition));
        assert_eq!(answer.element("Key").as_deref(), Some("k"));
    };
    // Created over an object that is then deleted.
    let etag = put(&wire, "/logs/k").await.header("etag").unwrap().to_owned();
    let upload = begin().await;
    check(&complete(&upload, "if-none-match", "*").await, 412, "PreconditionFailed");
    delete(&wire, "/logs/k").await;
    check_conflict(&complete(&upload, "if-none-match", "*").await, "If-None-Match");
    check(&complete(&upload, "if-match", &etag).await, 404, "NoSuchKey");
    put(&wire, "/logs/k").await;
    check_conflict(&complete(&upload, "if-match", &etag).await, "If-Match");
    // Written in the meantime, even with the same bytes; a new upload may complete.
    let upload = begin().await;
    put(&wire, "/logs/k").await;
    check(&complete(&upload, "if-match", "\"0\"").await, 412, "PreconditionFailed");
    check_conflict(&complete(&upload, "if-match", &etag).await, "If-Match");
    let done = complete(&begin().await, "if-match", &etag).await;
    check(&done, 200, "");
    let whole = done.element("ETag").unwrap().replace("&quot;", "\"");
    let upload = begin().await;
    check(&complete(&upload, "if-match", &etag).await, 412, "PreconditionFailed");
    check(&complete(&upload, "if-match", &whole).await, 200, "");
}

#[tokio::test]
async fn version_listings_go_on_by_their_markers() {
    let (_emulator, wire) = listening().await;
    set_versioning(&wire, "Enabled").await;
    let one = [
        id(&put(&wire, "/logs/test_0").await),
        id(&put(&wire, "/logs/test_1").await),
        id(&put(&wire, "/logs/test_2").await),
    ];
    let fourth = id(&put(&wire, "/logs/test_2").await);
    let mut markers = Vec::new();
    for key in ["test_0", "test_1", "test_2"] {
        markers.push(id(&delete(&wire, &format!("/logs/{key}")).await));
    }
    let again = [id(&put(&wire, "/logs/test_0").await), id(&put(&wire, "/logs/test_1").await)];
    let all = [
        row("Version", "test_0", &again[0], true),
        row("DeleteMarker", "test_0", &markers[0], false),
        row("Version", "test_0", &one[0], false),
        row("Version", "test_1", &again[1], true),
        row("DeleteMarker", "test_1", &markers[1], false),
        row("Version", "test_1", &one[1], false),
        row("DeleteMarker", "test_2", &markers[2], true),
        row("Version", "test_2", &fourth, false),
        row("Version", "test_2", &one[2], false),
    ];
    let list = |query: &str| {
        let target = format!("/logs?versions{query}");
        let wire = &wire;
        async move { get(wire, &target).await }
    };
    let next = |answer: &Answer| (answer.element("NextKeyMarker"), answer.element("NextVersionIdMarker"));
    let some = |key: &str, id: &str| (Some(key.to_owned()), Some(id.to_owned()));
    let whole = list("&encoding-type=url").await;
    assert_eq!(rows(&whole), all);
    assert_eq!((whole.element("IsTruncated").as_deref(), next(&whole)), (Some("false"), (None, None)));
    assert_eq!(whole.element("EncodingType").as_deref(), Some("url"));
    let five = list("&max-keys=5").await;
    assert_eq!((rows(&five), next(&five)), (all[..5].to_vec(), some("test_1", &markers[1])));
    let key_only = list("&max-keys=1&key-marker=test_1").await;
    assert_eq!((rows(&key_only), next(&key_only)), (all[6..7].to_vec(), some("test_2", &markers[2])));
    assert!(rows(&list("&max-keys=1&key-marker=test_2").await).is_empty());
    let refused = list(&format!("&version-id-marker={}", markers[1])).await;
    check(&refused, 400, "InvalidArgument");
    let text = "A version-id marker cannot be specified without a key marker.";
    assert_eq!(refused.element("Message").as_deref(), Some(text));
    assert_eq!(refused.element("ArgumentValue").as_deref(), Some(markers[1].as_str()));
    let both = list(&format!("&max-keys=1&key-marker=test_1&version-id-marker={}", markers[1])).await;
    assert_eq!((rows(&both), next(&both)), (all[5..6].to_vec(), some("test_1", &one[1])));
    let rest = list(&format!("&max-keys=1&key-marker=test_2&version-id-marker={fourth}")).await;
    assert_eq!((rows(&rest), next(&rest)), (all[8..].to_vec(), (None, None)));
    assert_eq!(rows(&list("&max-keys=1&key-marker=").await), all[..1]);
    // What the marker names is deleted before the listing goes on.
    delete(&wire, &format!("/logs/test_2?versionId={}", markers[2])).await;
    let resumed = list(&format!("&key-marker=test_2&version-id-marker={}", markers[2])).await;
    let expected = [row("Version", "test_2", &fourth, true), row("Version", "test_2", &one[2], false)];
    assert_eq!(rows(&resumed), expected);
}

#[tokio::test]
async fn version_listings_fold_common_prefixes() {
    let (_emulator, wire) = listening().await;
    set_versioning(&wire, "Enabled").await;
    for key in ["folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2"] {
        put(&wire, &format!("/logs/{key}")).await;
    }
    let page = async |marker: &str| {
        let target = format!("/logs?versions&delimiter=/&prefix=folder/&max-keys=1&key-marker={marker}");
        let answer = get(&wire, &target).await;
        let keys: Vec<String> = rows(&answer).into_iter().map(|[_, key, ..]| key).collect();
        (
            answer.all_within(&["CommonPrefixes"], &["Prefix"]).concat().concat(),
            keys.concat(),
            answer.element("NextKeyMarker"),
            answer.element("NextVersionIdMarker").is_some(),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    let own = |text: &str| text.to_owned();
    assert_eq!(page("").await, (own("folder/aSubfolder/"), own(""), some("folder/aSubfolder/"), false));
    assert_eq!(page("folder/aSubfolder/").await, (own(""), own("folder/file1"), some("folder/file1"), true));
    assert_eq!(
        page("folder/aSubfolder/subFile1").await,
        (own(""), own("folder/file1"), some("folder/file1"), true)
    );
    assert_eq!(page("folder/file1").await, (own(""), own("folder/file2"), None, false));
}

#[tokio::test]
async fn upload_listings_go_on_by_their_markers() {
    let (_emulator, wire) = listening().await;
    let list = |query: String| {
        let wire = &wire;
        async move { get(wire, &format!("/logs?uploads{query}")).await }
    };
    let keys = |answer: &Answer| answer.all_within(&["Upload"], &["Key", "UploadId"]);
    let next = |answer: &Answer| {
        (answer.element("NextKeyMarker").unwrap(), answer.element("NextUploadIdMarker").unwrap())
    };
    let empty = list(String::new()).await;
    assert_eq!((keys(&empty).len(), next(&empty)), (0, (String::new(), String::new())));
    let mut ids = Vec::new();
    for key in ["c", "b", "a", "a", "a"] {
        ids.push(
            admin(&wire, Ask::new("POST", &format!("/logs/{key}?uploads")))
                .await
                .element("UploadId")
                .unwrap(),
        );
    }
    let of = |key: &str, id: usize| vec![key.to_owned(), ids[id].clone()];
    let all = [of("a", 2), of("a", 3), of("a", 4), of("b", 1), of("c", 0)];
    let whole = list(String::new()).await;
    assert_eq!((keys(&whole), next(&whole)), (all.to_vec(), ("c".into(), ids[0].clone())));
    let one = list("&max-uploads=1".into()).await;
    assert_eq!((keys(&one), next(&one)), (all[..1].to_vec(), ("a".into(), ids[2].clone())));
    assert_eq!(one.element("IsTruncated").as_deref(), Some("true"));
    assert_eq!(keys(&list("&max-uploads=1&key-marker=a".into()).await), all[3..4]);
    let none = list("&max-uploads=1&key-marker=c".into()).await;
    assert_eq!((keys(&none).len(), next(&none)), (0, (String::new(), String::new())));
    let id_only = list(format!("&max-uploads=1&upload-id-marker={}", ids[2])).await;
    assert_eq!(
        (keys(&id_only), id_only.element("UploadIdMarker").unwrap_or_default()),
        (all[..1].to_vec(), String::new())
    );
    assert_eq!(
        keys(&list(format!("&max-uploads=1&key-marker=a&upload-id-marker={}", ids[2])).await),
        all[1..2]
    );
    assert_eq!(
        keys(&list(format!("&max-uploads=1&key-marker=a&upload-id-marker={}", ids[4])).await),
        all[3..4]
    );
    let rest = list(format!("&max-uploads=1&key-marker=b&upload-id-marker={}", ids[1])).await;
    assert_eq!((keys(&rest), rest.element("IsTruncated").as_deref()), (all[4..].to_vec(), Some("false")));
    let wrong = list(format!("&key-marker=a&upload-id-marker={}", ids[1])).await;
    check(&wrong, 400, "InvalidArgument");
    assert_eq!(wrong.element("Message").as_deref(), Some("Invalid uploadId marker"));
    // An upload that is gone still marks its place.
    check(&delete(&wire, &format!("/logs/a?uploadId={}", ids[3])).await, 204, "");
    assert_eq!(keys(&list(format!("&key-marker=a&upload-id-marker={}", ids[3])).await), all[2..]);
}

#[tokio::test]
async fn upload_listings_fold_common_prefixes() {
    let (_emulator, wire) = listening().await;
    for key in ["folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2"] {
        check(&admin(&wire, Ask::new("POST", &format!("/logs/{key}?uploads"))).await, 200, "");
    }
    let page = async |marker: &str| {
        let target = format!("/logs?uploads&delimiter=/&prefix=folder/&max-uploads=1&key-marker={marker}");
        let answer = get(&wire, &target).await;
        assert_eq!(answer.element("IsTruncated").as_deref(), Some("true"));
        let field = |element: &str, name: &str| answer.all_within(&[element], &[name]).concat().concat();
        (field("CommonPrefixes", "Prefix"), field("Upload", "Key"), answer.element("NextKeyMarker").unwrap())
    };
    let own = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(page("").await, own("folder/aSubfolder/", "", ""));
    assert_eq!(page("folder/aSubfolder/").await, own("", "folder/file1", "folder/file1"));
    assert_eq!(page("folder/aSubfolder/subFile1").await, own("", "folder/file1", "folder/file1"));
}

#[tokio::test]
async fn bucket_listings_tell_arns_and_go_on_by_tokens() {
    let (_emulator, wire) = listening().await;
    let fields = ["Name", "BucketRegion", "BucketArn"];
    let first = get(&wire, "/?max-buckets=1").await;
    assert_eq!(first.all_within(&["Bucket"], &fields), [["archive", "eu-central-1", "arn:aws:s3:::archive"]]);
    let token = first.element("ContinuationToken").unwrap();
    let second =
        get(&wire, &format!("/?max-buckets=1&continuation-token={}", token.replace('=', "%3D"))).await;
    assert_eq!(second.all_within(&["Bucket"], &["Name"]), [["logs"]]);
    assert_eq!(second.element("ContinuationToken"), None);
    let empty = get(&wire, "/?max-buckets=1&continuation-token=").await;
    assert_eq!(empty.all_within(&["Bucket"], &["Name"]), [["archive"]]);
    let none = get(&wire, "/?prefix=LOGS").await;
    assert_eq!(
        (none.all_within(&["Bucket"], &["Name"]).len(), none.element("Prefix").as_deref()),
        (0, Some("LOGS"))
    );
    let elsewhere = get(&wire, "/?bucket-region=eu-central-1").await;
    assert_eq!(elsewhere.all_within(&["Bucket"], &["Name"]), [["archive"]]);
    let bad = get(&wire, "/?bucket-region=eu-east-1").await;
    check(&bad, 400, "InvalidArgument");
}
