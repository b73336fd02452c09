//! Users, access keys and groups.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_s3::error::ProvideErrorMetadata;

use crate::fixture::{ADMIN, READER, ROOT, listening};
use crate::query::{Caller, elements, refused};
use crate::wire::{Answer, Ask, Key, Signing};

/// The credentials in an answer of CreateAccessKey.
fn created(answer: &Answer) -> Credentials {
    let element = |name: &str| answer.element(name).unwrap();
    Credentials::new(element("AccessKeyId"), element("SecretAccessKey"), None, None, "tests")
}

/// The answer with its ids replaced.
fn redacted(answer: &Answer) -> String {
    let mut text = answer.text();
    for element in ["AccessKeyId", "SecretAccessKey", "RequestId", "UserId", "RoleId", "PolicyId"] {
        if let Some(value) = answer.element(element) {
            text = text.replace(&value, &format!("[{element}]"));
        }
    }
    format!("{}\ncontent-type: {}\n\n{text}", answer.status, answer.header("content-type").unwrap())
}

#[tokio::test]
async fn answers_are_those_of_aws_to_the_byte() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let tagged = [
        ("UserName", "alice"),
        ("Path", "/team/"),
        ("Tags.member.1.Key", "Cost"),
        ("Tags.member.1.Value", "1"),
    ];
    insta::assert_snapshot!("create_user", redacted(&admin.iam("CreateUser", &tagged).await));
    insta::assert_snapshot!(
        "create_access_key",
        redacted(&admin.iam("CreateAccessKey", &[("UserName", "alice")]).await)
    );
    insta::assert_snapshot!("create_user_again", redacted(&admin.iam("CreateUser", &tagged).await));
    let untagged = [("UserName", "alice"), ("TagKeys.member.1", "cost")];
    insta::assert_snapshot!("untag_user", redacted(&admin.iam("UntagUser", &untagged).await));
    insta::assert_snapshot!("unknown_iam_action", redacted(&admin.iam("Dance", &[]).await));
    let unsigned = Ask::new("POST", "/?Action=ListUsers&Version=2010-05-08");
    insta::assert_snapshot!("unsigned_iam", redacted(&wire.send(&unsigned).await));
}

#[tokio::test]
async fn names_are_one_whatever_their_case_and_ids_are_never_used_again() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let first = admin.iam_ok("CreateUser", &[("UserName", "Alice"), ("Path", "/a/")]).await;
    let id = first.element("UserId").unwrap();
    assert!(id.starts_with("AIDA") && id.len() == 21, "{id}");
    let again = admin.iam("CreateUser", &[("UserName", "aLICE")]).await;
    let text = "User with name aLICE already exists.";
    assert_eq!(refused(&again), (409, "EntityAlreadyExists".into(), text.into()));
    let found = admin.iam_ok("GetUser", &[("UserName", "ALICE")]).await;
    assert_eq!(found.element("Arn").unwrap(), "arn:aws:iam::111122223333:user/a/Alice");
    admin.iam_ok("DeleteUser", &[("UserName", "alice")]).await;
    let gone = admin.iam("GetUser", &[("UserName", "Alice")]).await;
    let text = "The user with name Alice cannot be found.";
    assert_eq!(refused(&gone), (404, "NoSuchEntity".into(), text.into()));
    let second = admin.iam_ok("CreateUser", &[("UserName", "Alice"), ("Path", "/a/")]).await;
    assert_ne!(second.element("UserId").unwrap(), id);
}

#[tokio::test]
async fn a_renamed_user_keeps_its_id_and_its_keys() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let id = admin.iam_ok("CreateUser", &[("UserName", "alice")]).await.element("UserId").unwrap();
    let key = created(&admin.iam_ok("CreateAccessKey", &[("UserName", "alice")]).await);
    // It is known by its old name when it gets the new one.
    let identity = emulator.sts_with(key.clone()).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some("arn:aws:iam::111122223333:user/alice"));
    let renamed = [("UserName", "alice"), ("NewUserName", "bob"), ("NewPath", "/b/")];
    admin.iam_ok("UpdateUser", &renamed).await;
    let identity = emulator.sts_with(key).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some("arn:aws:iam::111122223333:user/b/bob"));
    assert_eq!(identity.user_id(), Some(id.as_str()));
    let taken = admin.iam("UpdateUser", &[("UserName", "bob"), ("NewUserName", "Writer")]).await;
    assert_eq!(taken.outcome(), (409, "EntityAlreadyExists".to_owned()));
    admin.iam_ok("GetUser", &[("UserName", "bob")]).await;
}

#[tokio::test]
async fn keys_are_made_turned_off_and_deleted() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    admin.iam_ok("CreateUser", &[("UserName", "alice")]).await;
    let credentials = created(&admin.iam_ok("CreateAccessKey", &[("UserName", "alice")]).await);
    let id = credentials.access_key_id();
    assert!(id.starts_with("AKIA") && id.len() == 20);
    let unused = admin.iam_ok("GetAccessKeyLastUsed", &[("AccessKeyId", id)]).await;
    assert_eq!(unused.element("ServiceName").as_deref(), Some("N/A"));
    emulator.clock().advance(Duration::from_secs(61));
    emulator.sts_with(credentials.clone()).get_caller_identity().send().await.unwrap();
    let used = admin.iam_ok("GetAccessKeyLastUsed", &[("AccessKeyId", id)]).await;
    let element = |name: &str| used.element(name);
    assert_eq!(element("LastUsedDate").as_deref(), Some("2026-01-01T00:01:01Z"));
    assert_eq!(
        (element("ServiceName").unwrap(), element("Region").unwrap()),
        ("sts".into(), "us-east-1".into())
    );

    admin.iam_ok("CreateAccessKey", &[("UserName", "alice")]).await;
    let third = admin.iam("CreateAccessKey", &[("UserName", "alice")]).await;
    assert_eq!(
        refused(&third),
        (409, "LimitExceeded".into(), "Cannot exceed quota for AccessKeysPerUser: 2".into())
    );

    let status = |status: &'static str| [("UserName", "alice"), ("AccessKeyId", id), ("Status", status)];
    admin.iam_ok("UpdateAccessKey", &status("Inactive")).await;
    let off = emulator.s3_with(credentials.clone()).list_buckets().send().await.unwrap_err();
    assert_eq!(off.code(), Some("InvalidAccessKeyId"));
    let off = emulator.sts_with(credentials.clone()).get_caller_identity().send().await.unwrap_err();
    assert_eq!(off.code(), Some("InvalidClientTokenId"));
    let wrong = admin.iam("UpdateAccessKey", &status("Off")).await;
    let text = "1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set";
    assert_eq!(refused(&wrong), (400, "ValidationError".into(), text.into()));
    admin.iam_ok("UpdateAccessKey", &status("Active")).await;
    emulator.sts_with(credentials.clone()).get_caller_identity().send().await.unwrap();

    let listed = admin.iam_ok("ListAccessKeys", &[("UserName", "alice")]).await;
    assert_eq!(elements(&listed, "AccessKeyId").len(), 2);
    assert!(!listed.text().contains(credentials.secret_access_key()));
    let own = [("UserName", "alice"), ("AccessKeyId", id)];
    let elsewhere = admin.iam("DeleteAccessKey", &[("UserName", "reader"), ("AccessKeyId", id)]).await;
    let text = format!("The Access Key with id {id} cannot be found.");
    assert_eq!(refused(&elsewhere), (404, "NoSuchEntity".into(), text));
    admin.iam_ok("DeleteAccessKey", &own).await;
    let gone = emulator.sts_with(credentials).get_caller_identity().send().await.unwrap_err();
    assert_eq!(gone.code(), Some("InvalidClientTokenId"));
}

#[tokio::test]
async fn a_root_user_is_meant_where_nobody_is_named() {
    let (_emulator, wire) = listening().await;
    let root = Caller::new(&wire, ROOT);
    let user = root.iam_ok("GetUser", &[]).await;
    assert_eq!(user.element("Arn").as_deref(), Some("arn:aws:iam::111122223333:root"));
    assert_eq!((user.element("UserId").as_deref(), user.element("UserName")), (Some("111122223333"), None));
    let id = root.iam_ok("CreateAccessKey", &[]).await.element("AccessKeyId").unwrap();
    let listed = root.iam_ok("ListAccessKeys", &[]).await;
    assert_eq!(elements(&listed, "AccessKeyId").len(), 2);
    root.iam_ok("DeleteAccessKey", &[("AccessKeyId", &id)]).await;
    root.iam_ok("CreateAccountAlias", &[("AccountAlias", "the-owner")]).await;
    assert_eq!(root.iam_ok("GetUser", &[]).await.element("UserName").as_deref(), Some("the-owner"));
    let aliases = root.iam_ok("ListAccountAliases", &[]).await;
    assert_eq!(elements(&aliases, "member"), ["the-owner"]);
    let bad = root.iam("CreateAccountAlias", &[("AccountAlias", "The_Owner")]).await;
    assert_eq!(bad.outcome(), (400, "ValidationError".to_owned()));
    root.iam_ok("DeleteAccountAlias", &[("AccountAlias", "the-owner")]).await;
    let admin = Caller::new(&wire, ADMIN).iam_ok("GetUser", &[]).await;
    assert_eq!(admin.element("UserName").as_deref(), Some("admin"));
}

#[tokio::test]
async fn lists_come_in_pages_in_the_order_of_names() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    for (name, path) in [("bb", "/p/"), ("Ba", "/p/x/"), ("bc", "/p/y/"), ("Bd", "/q/")] {
        admin.iam_ok("CreateUser", &[("UserName", name), ("Path", path)]).await;
    }
    let all = admin.iam_ok("ListUsers", &[("PathPrefix", "/p")]).await;
    assert_eq!(elements(&all, "UserName"), ["Ba", "bb", "bc"]);
    assert_eq!(all.element("IsTruncated").as_deref(), Some("false"));
    let mut names = Vec::new();
    let mut marker = String::new();
    loop {
        let mut parameters = vec![("PathPrefix", "/p/"), ("MaxItems", "2")];
        if !marker.is_empty() {
            parameters.push(("Marker", &marker));
        }
        let page = admin.iam_ok("ListUsers", &parameters).await;
        let found = elements(&page, "UserName");
        // Who disappears between two pages does not shift the rest.
        admin.iam_ok("DeleteUser", &[("UserName", &found[0])]).await;
        names.extend(found);
        let next = page.element("Marker");
        assert_eq!(page.element("IsTruncated").unwrap(), next.is_some().to_string());
        match next {
            None => break,
            Some(next) => marker = next,
        }
    }
    assert_eq!(names, ["Ba", "bb", "bc"]);
    for (name, value, must) in [
        ("MaxItems", "0", "Member must have value greater than or equal to 1"),
        ("MaxItems", "1001", "Member must have value less than or equal to 1000"),
    ] {
        let answer = admin.iam("ListUsers", &[(name, value)]).await;
        let text =
            format!("1 validation error detected: Value at 'maxItems' failed to satisfy constraint: {must}");
        assert_eq!(refused(&answer), (400, "ValidationError".into(), text));
    }
    assert_eq!(
        admin.iam("ListUsers", &[("Marker", "*")]).await.outcome(),
        (400, "ValidationError".to_owned())
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_at_once() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let long = "x".repeat(65);
    for (parameters, text) in [
        (
            vec![("UserName", long.as_str())],
            "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64",
        ),
        (
            vec![],
            "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null",
        ),
        (
            vec![("UserName", "a b")],
            "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        ),
        (
            vec![("UserName", "a"), ("Path", "b")],
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        ),
        (
            vec![("UserName", long.as_str()), ("Path", "")],
            "2 validation errors detected: Value at 'path' failed to satisfy constraint: Member must have length greater than or equal to 1; Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64",
        ),
        (
            vec![("UserName", "a"), ("PermissionsBoundary", "no-arn-at-all-but-long")],
            "Invalid ARN:  Could not be parsed!",
        ),
    ] {
        let answer = admin.iam("CreateUser", &parameters).await;
        assert_eq!(refused(&answer), (400, "ValidationError".into(), text.into()));
    }
    let twice = [
        ("UserName", "a"),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "1"),
        ("Tags.member.2.Key", "K"),
        ("Tags.member.2.Value", "2"),
    ];
    let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    assert_eq!(refused(&admin.iam("CreateUser", &twice).await), (400, "InvalidInput".into(), text.into()));
}

#[tokio::test]
async fn what_a_user_still_has_stands_in_the_way_of_its_end() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let alice = ("UserName", "alice");
    admin.iam_ok("CreateUser", &[alice]).await;
    let key = created(&admin.iam_ok("CreateAccessKey", &[alice]).await);
    admin.iam_ok("CreateGroup", &[("GroupName", "team")]).await;
    admin.iam_ok("AddUserToGroup", &[("GroupName", "team"), alice]).await;
    let document =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    admin.iam_ok("PutUserPolicy", &[alice, ("PolicyName", "p"), ("PolicyDocument", document)]).await;
    let managed = ("PolicyArn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess");
    admin.iam_ok("AttachUserPolicy", &[alice, managed]).await;
    let key_id = ("AccessKeyId", key.access_key_id());
    for (what, action, parameters) in [
        ("detach all policies", "DetachUserPolicy", vec![alice, managed]),
        ("delete policies", "DeleteUserPolicy", vec![alice, ("PolicyName", "p")]),
        ("delete access keys", "DeleteAccessKey", vec![alice, key_id]),
        ("remove users from group", "RemoveUserFromGroup", vec![("GroupName", "team"), alice]),
    ] {
        let answer = admin.iam("DeleteUser", &[alice]).await;
        let text = format!("Cannot delete entity, must {what} first.");
        assert_eq!(refused(&answer), (409, "DeleteConflict".into(), text));
        admin.iam_ok(action, &parameters).await;
    }
    admin.iam_ok("DeleteUser", &[alice]).await;
}

#[tokio::test]
async fn groups_give_their_policies_to_their_members() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let (team, nobody) = (("GroupName", "Team"), ("UserName", "nobody"));
    admin.iam_ok("CreateGroup", &[team, ("Path", "/g/")]).await;
    let lists = async || emulator.s3("nobody").list_objects_v2().bucket("logs").send().await.is_ok();
    assert!(!lists().await);
    admin.iam_ok("AddUserToGroup", &[team, nobody]).await;
    let attach = [("GroupName", "team"), ("PolicyArn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")];
    admin.iam_ok("AttachGroupPolicy", &attach).await;
    assert!(lists().await);
    admin.iam_ok("UpdateGroup", &[team, ("NewGroupName", "crew"), ("NewPath", "/c/")]).await;
    assert!(lists().await, "membership is bound to the group, not to its name");
    let groups = admin.iam_ok("ListGroupsForUser", &[nobody]).await;
    assert_eq!(groups.element("Arn").as_deref(), Some("arn:aws:iam::111122223333:group/c/crew"));
    let group = admin.iam_ok("GetGroup", &[("GroupName", "crew")]).await;
    assert_eq!(elements(&group, "UserName"), ["nobody"]);
    let deny =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:ListBucket","Resource":"*"}}"#;
    let crew = ("GroupName", "crew");
    admin.iam_ok("PutGroupPolicy", &[crew, ("PolicyName", "no"), ("PolicyDocument", deny)]).await;
    assert!(!lists().await);
    let answer = admin.iam("DeleteGroup", &[crew]).await;
    assert_eq!(answer.outcome(), (409, "DeleteConflict".to_owned()));
    admin.iam_ok("RemoveUserFromGroup", &[crew, nobody]).await;
    assert!(!lists().await);
}

#[tokio::test]
async fn calls_are_permitted_by_the_caller_s_policies_alone() {
    let (emulator, wire) = listening().await;
    let (admin, reader) = (Caller::new(&wire, ADMIN), Caller::new(&wire, READER));
    let denied = |action: &str, on: &str| {
        format!(
            "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: iam:{action} on resource: {on} \
             because no identity-based policy allows the iam:{action} action"
        )
    };
    for (action, parameters, on) in [
        ("GetUser", vec![], "user reader"),
        ("GetUser", vec![("UserName", "missing")], "user missing"),
        ("ListUsers", vec![], "arn:aws:iam::111122223333:user/"),
        ("ListUsers", vec![("PathPrefix", "/a/")], "arn:aws:iam::111122223333:user/a/"),
        ("CreateUser", vec![("UserName", "x"), ("Path", "/a/")], "arn:aws:iam::111122223333:user/a/x"),
        ("GetRole", vec![("RoleName", "exporter")], "role exporter"),
        (
            "GetPolicy",
            vec![("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")],
            "policy arn:aws:iam::aws:policy/AdministratorAccess",
        ),
    ] {
        let answer = reader.iam(action, &parameters).await;
        assert_eq!(refused(&answer), (403, "AccessDenied".into(), denied(action, on)));
    }
    let answer = reader.iam("GetAccountSummary", &[]).await;
    assert!(
        answer.text().contains("perform: iam:GetAccountSummary because no identity-based policy"),
        "{}",
        answer.text()
    );
    // The decision is on the ARN with its path, whatever the message says.
    let document = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iam:GetRole","Resource":"arn:aws:iam::111122223333:role/vendors/*"},
        {"Effect":"Allow","Action":"iam:GetUser","Resource":"arn:aws:iam::*:user/${aws:username}"},
        {"Effect":"Allow","Action":["iam:TagUser","iam:CreateUser"],"Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]},"StringEquals":{"aws:RequestTag/team":"a"}}},
        {"Effect":"Allow","Action":"iam:DeleteUser","Resource":"*","Condition":{"StringEquals":{"iam:ResourceTag/team":"a"}}},
        {"Effect":"Allow","Action":"iam:AttachUserPolicy","Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}}},
        {"Effect":"Allow","Action":"iam:PutUserPermissionsBoundary","Resource":"*","Condition":{"ArnLike":{"iam:PermissionsBoundary":"arn:aws:iam::aws:policy/*ReadOnly*"}}}]}"#;
    admin
        .iam_ok(
            "PutUserPolicy",
            &[("UserName", "reader"), ("PolicyName", "some"), ("PolicyDocument", document)],
        )
        .await;
    reader.iam_ok("GetUser", &[]).await;
    reader.iam_ok("GetRole", &[("RoleName", "exporter")]).await;
    let tag = |key: &'static str, value: &'static str| {
        [("UserName", "x"), ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)]
    };
    let policy = |arn: &'static str| [("UserName", "x"), ("PolicyArn", arn)];
    let boundary = |arn: &'static str| [("UserName", "x"), ("PermissionsBoundary", arn)];
    for (action, parameters, status) in [
        ("GetRole", vec![("RoleName", "archivist")], 403),
        ("GetUser", vec![("UserName", "admin")], 403),
        ("CreateUser", tag("team", "b").to_vec(), 403),
        ("CreateUser", tag("other", "a").to_vec(), 403),
        ("CreateUser", tag("team", "a").to_vec(), 200),
        ("TagUser", tag("team", "b").to_vec(), 403),
        ("AttachUserPolicy", policy("arn:aws:iam::aws:policy/AmazonS3FullAccess").to_vec(), 403),
        ("AttachUserPolicy", policy("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess").to_vec(), 200),
        ("PutUserPermissionsBoundary", boundary("arn:aws:iam::aws:policy/AmazonS3FullAccess").to_vec(), 403),
        (
            "PutUserPermissionsBoundary",
            boundary("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess").to_vec(),
            200,
        ),
        ("DeleteUser", vec![("UserName", "admin")], 403),
        ("DeleteUser", vec![("UserName", "x")], 409),
    ] {
        let answer = reader.iam(action, &parameters).await;
        assert_eq!(answer.status, status, "{action} {parameters:?}: {}", answer.text());
    }
    // What one account has, another does not see.
    let vendor = Caller::new(&wire, Key::new("AKIAVENDORUSEREXAMPL", "vendorSecret+/0"));
    assert_eq!(vendor.iam("GetUser", &[("UserName", "reader")]).await.status, 404);
    let denied = emulator.journal().denied();
    assert!(denied.iter().any(|denied| denied.explain().contains("aws:RequestTag/team")));
}

#[tokio::test]
async fn other_actions_are_refused_by_name_and_emptiness_is_told() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    for action in
        ["CreateLoginProfile", "CreateSAMLProvider", "CreateServiceLinkedRole", "CreateVirtualMFADevice"]
    {
        let answer = admin.iam(action, &[]).await;
        assert_eq!(answer.outcome(), (501, "NotImplemented".to_owned()));
        assert!(answer.text().contains(action));
    }
    let unknown = admin.iam("Dance", &[]).await;
    let text = "Could not find operation Dance for version 2010-05-08";
    assert_eq!(refused(&unknown), (400, "InvalidAction".into(), text.into()));
    let user = [("UserName", "reader")];
    for action in
        ["ListMFADevices", "ListSSHPublicKeys", "ListSigningCertificates", "ListServiceSpecificCredentials"]
    {
        assert!(elements(&admin.iam_ok(action, &user).await, "member").is_empty());
        assert_eq!(admin.iam(action, &[("UserName", "missing")]).await.status, 404);
    }
    let answer = admin.iam("GetLoginProfile", &user).await;
    let text = "Login Profile for User reader cannot be found.";
    assert_eq!(refused(&answer), (404, "NoSuchEntity".into(), text.into()));
    // A browser is led away, signed or not; only a request with an action is looked at.
    for host in ["iam.amazonaws.com", "sts.amazonaws.com"] {
        let answer = wire.send(&Ask::new("GET", "/").header("host", host)).await;
        assert_eq!(answer.status, 302);
        assert!(answer.header("location").unwrap().starts_with("https://aws.amazon.com/"));
    }
    let by_url = Ask::new("GET", "/?Action=ListGroups&Version=2010-05-08");
    let signed = wire.sign(&by_url, &Signing { service: "iam", region: "eu-west-1", ..Signing::with(ADMIN) });
    assert_eq!(wire.send(&signed).await.status, 200);
}
