//! The state on disk: what was acknowledged is there after the process, whatever ended it.

use bucketproof_emulator::{Emulator, Scenario, StartError};
use serde_json::json;
use tempfile::TempDir;

use crate::fixture::{ADMIN, new_year, scenario};
use crate::kms::{Client, base64};
use crate::wire::{Answer, Ask, Wire};

const NOBODY_ARN: &str = "arn:aws:iam::111122223333:user/nobody";

async fn start(folder: &TempDir) -> (Emulator, Wire) {
    let listen = "127.0.0.1:0".parse().unwrap();
    let builder = Emulator::builder().scenario(scenario()).clock(new_year()).seed(7).listen(listen);
    let emulator = builder.data_dir(folder.path().join("state")).start().await.unwrap();
    let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
    (emulator, wire)
}

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", answer.text());
}

async fn admin(wire: &Wire, method: &str, target: &str, body: &str) -> Answer {
    wire.send_as(ADMIN, &Ask::new(method, target).body(body.to_owned())).await
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (emulator, wire) = start(&folder).await;
    let versioning = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                      <Status>Enabled</Status></VersioningConfiguration>";
    check(&admin(&wire, "PUT", "/kept-bucket", "").await, 200, "");
    check(&admin(&wire, "PUT", "/kept-bucket/before", "unversioned").await, 200, "");
    check(&admin(&wire, "PUT", "/kept-bucket?versioning", versioning).await, 200, "");
    for body in ["one", "two"] {
        let ask = Ask::new("PUT", "/kept-bucket/dir/key").header("x-amz-meta-who", "me").body(body);
        check(&wire.send_as(ADMIN, &ask).await, 200, "");
    }
    check(&admin(&wire, "DELETE", "/kept-bucket/before", "").await, 204, "");
    check(&admin(&wire, "PUT", "/emptied-bucket", "").await, 200, "");
    check(&admin(&wire, "PUT", "/emptied-bucket/key", "gone").await, 200, "");
    check(&admin(&wire, "DELETE", "/emptied-bucket/key", "").await, 204, "");
    check(&admin(&wire, "DELETE", "/emptied-bucket", "").await, 204, "");
    let begun = admin(&wire, "POST", "/kept-bucket/big?uploads", "").await;
    let upload = begun.element("UploadId").unwrap();
    let part =
        admin(&wire, "PUT", &format!("/kept-bucket/big?partNumber=1&uploadId={upload}"), "a part").await;
    check(&part, 200, "");
    let versions = admin(&wire, "GET", "/kept-bucket?versions", "").await.text();
    drop((emulator, wire));

    let (emulator, wire) = start(&folder).await;
    assert_eq!(admin(&wire, "GET", "/kept-bucket?versions", "").await.text(), versions);
    let answer = admin(&wire, "GET", "/kept-bucket/dir/key", "").await;
    assert_eq!((answer.text().as_str(), answer.header("x-amz-meta-who")), ("two", Some("me")));
    check(&admin(&wire, "GET", "/kept-bucket/before", "").await, 404, "NoSuchKey");
    assert_eq!(admin(&wire, "GET", "/kept-bucket/before?versionId=null", "").await.text(), "unversioned");
    check(&admin(&wire, "HEAD", "/emptied-bucket", "").await, 404, "");
    let xml = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        part.header("etag").unwrap()
    );
    check(&admin(&wire, "POST", &format!("/kept-bucket/big?uploadId={upload}"), &xml).await, 200, "");
    // Ids that were drawn before the restart are not drawn again.
    let written = admin(&wire, "PUT", "/kept-bucket/dir/key", "three").await;
    assert!(!versions.contains(written.header("x-amz-version-id").unwrap()));
    drop((emulator, wire));

    let (_emulator, wire) = start(&folder).await;
    assert_eq!(admin(&wire, "GET", "/kept-bucket/big", "").await.text(), "a part");
    let uploads = admin(&wire, "GET", "/kept-bucket?uploads", "").await.text();
    assert!(!uploads.contains("<Upload>"), "{uploads}");
}

#[tokio::test]
async fn a_null_version_that_is_replaced_becomes_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let (emulator, wire) = start(&folder).await;
    let status = |status: &str| {
        format!(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>{status}</Status>\
             </VersioningConfiguration>"
        )
    };
    check(&admin(&wire, "PUT", "/kept-bucket", "").await, 200, "");
    check(&admin(&wire, "PUT", "/kept-bucket/key", "first").await, 200, "");
    check(&admin(&wire, "PUT", "/kept-bucket?versioning", &status("Enabled")).await, 200, "");
    check(&admin(&wire, "PUT", "/kept-bucket/key", "second").await, 200, "");
    check(&admin(&wire, "PUT", "/kept-bucket?versioning", &status("Suspended")).await, 200, "");
    check(&admin(&wire, "PUT", "/kept-bucket/key", "third").await, 200, "");
    drop((emulator, wire));
    let (_emulator, wire) = start(&folder).await;
    assert_eq!(admin(&wire, "GET", "/kept-bucket/key", "").await.text(), "third");
    let listed = admin(&wire, "GET", "/kept-bucket?versions", "").await;
    assert_eq!(listed.all_within(&["Version"], &["Size"]), [["5"], ["6"]]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (emulator, _wire) = start(&folder).await;
    let open = |scenario: Scenario, name: &str| {
        Emulator::builder().scenario(scenario).data_dir(folder.path().join(name)).start()
    };
    let error = open(scenario(), "state").await.unwrap_err();
    assert!(error.to_string().ends_with("is in use by another emulator"), "{error}");
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = open(scenario(), "file").await.unwrap_err();
    assert!(matches!(error, StartError::DataDir(_)), "{error}");
    drop(emulator);
    let other = Scenario::from_toml("[[account]]\nid = \"111122223333\"\nname = \"other\"\n").unwrap();
    let error = open(other, "state").await.unwrap_err();
    assert!(error.to_string().ends_with("holds a state that began from another scenario"), "{error}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join("state")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[tokio::test]
async fn keys_open_what_they_sealed_before_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (emulator, wire) = start(&folder).await;
    let admin = Client::new(&wire, ADMIN);
    let key = admin.create_key(json!({"Tags": [{"TagKey": "team", "TagValue": "raw"}]})).await;
    admin.ask("CreateAlias", json!({"AliasName": "alias/app", "TargetKeyId": key})).await;
    let body = json!({"KeyId": key, "GranteePrincipal": NOBODY_ARN, "Operations": ["Decrypt"]});
    let grant = admin.ask("CreateGrant", body).await.text("/GrantId");
    let sealed = json!({"KeyId": "alias/app", "Plaintext": base64(b"data"), "EncryptionContext": {"a": "1"}});
    let blob = admin.ask("Encrypt", sealed).await.text("/CiphertextBlob");
    admin.ask("RotateKeyOnDemand", json!({ "KeyId": key })).await;
    admin.ask("DescribeKey", json!({"KeyId": "alias/aws/s3"})).await;
    let listed = admin.ask("ListAliases", json!({})).await;
    let described = admin.ask("DescribeKey", json!({"KeyId": "alias/app"})).await;
    drop((emulator, wire));

    let (second, wire) = start(&folder).await;
    let admin = Client::new(&wire, ADMIN);
    assert_eq!(admin.ask("ListAliases", json!({})).await, listed);
    assert_eq!(admin.ask("DescribeKey", json!({"KeyId": "alias/app"})).await, described);
    assert_eq!(admin.ask("ListGrants", json!({ "KeyId": key })).await.text("/Grants/0/GrantId"), grant);
    let opened = json!({"CiphertextBlob": blob, "EncryptionContext": {"a": "1"}});
    assert_eq!(admin.ask("Decrypt", opened.clone()).await.text("/Plaintext"), base64(b"data"));
    admin.ask("DeleteAlias", json!({"AliasName": "alias/app"})).await;
    admin.ask("DisableKey", json!({ "KeyId": key })).await;
    drop((second, wire));

    let (_emulator, wire) = start(&folder).await;
    let admin = Client::new(&wire, ADMIN);
    assert_eq!(admin.ask("Decrypt", opened).await.refusal().1, "DisabledException");
    assert_eq!(
        admin.ask("DescribeKey", json!({"KeyId": "alias/app"})).await.refusal().1,
        "NotFoundException"
    );
}
