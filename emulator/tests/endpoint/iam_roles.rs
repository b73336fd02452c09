//! Roles: their trust, their sessions, and what happens to both when somebody is deleted.

use aws_credential_types::Credentials;
use aws_sdk_s3::error::ProvideErrorMetadata;

use crate::fixture::{ADMIN, EXTERNAL_ID, ROLE_ARN, listening};
use crate::query::{Caller, decoded, elements, refused};
use crate::wire::{Answer, Key};

const VENDOR: Key<'_> = Key::new("AKIAVENDORUSEREXAMPL", "vendorSecret+/0");
const ACCOUNT: &str = "arn:aws:iam::111122223333";
const S3_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;

/// A trust policy for one principal of one type.
fn trust(kind: &str, principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"{kind}":"{principal}"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

/// The credentials in an answer of STS.
pub(crate) fn credentials(answer: &Answer) -> Credentials {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let element = |name: &str| answer.element(name).unwrap();
    let token = Some(element("SessionToken"));
    Credentials::new(element("AccessKeyId"), element("SecretAccessKey"), token, None, "tests")
}

#[tokio::test]
async fn what_is_told_of_a_role_depends_on_the_call() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let document = trust("Service", "ec2.amazonaws.com");
    let parameters = [
        ("RoleName", "Worker"),
        ("Path", "/jobs/"),
        ("AssumeRolePolicyDocument", &document),
        ("Description", "works"),
        ("MaxSessionDuration", "7200"),
        ("PermissionsBoundary", "arn:aws:iam::aws:policy/PowerUserAccess"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a"),
    ];
    let made = admin.iam_ok("CreateRole", &parameters).await;
    assert_eq!(decoded(&made.element("AssumeRolePolicyDocument").unwrap()), document);
    assert!(
        made.element("AssumeRolePolicyDocument").unwrap().starts_with("%7B%22Version%22%3A%222012-10-17%22")
    );
    assert_eq!(made.element("Arn").unwrap(), format!("{ACCOUNT}:role/jobs/Worker"));
    let tells = |answer: &Answer| {
        ["Description", "MaxSessionDuration", "PermissionsBoundaryArn", "Tags", "RoleLastUsed"]
            .map(|name| answer.text().contains(&format!("<{name}")))
    };
    assert_eq!(tells(&made), [false, false, false, true, false]);
    let got = admin.iam_ok("GetRole", &[("RoleName", "worker")]).await;
    assert_eq!(tells(&got), [true, true, true, true, true]);
    assert!(got.text().contains("<RoleLastUsed/>"));
    let listed = admin.iam_ok("ListRoles", &[("PathPrefix", "/jobs/")]).await;
    assert_eq!(tells(&listed), [true, true, false, false, false]);
    let again = admin.iam("CreateRole", &parameters).await;
    let text = "Role with name Worker already exists.";
    assert_eq!(refused(&again), (409, "EntityAlreadyExists".into(), text.into()));
    admin.iam_ok("UpdateRole", &[("RoleName", "Worker"), ("Description", "")]).await;
    let got = admin.iam_ok("GetRole", &[("RoleName", "worker")]).await;
    let shown = (got.element("Description"), got.element("MaxSessionDuration"));
    assert_eq!(shown, (Some(String::new()), Some("3600".to_owned())));
    admin.iam_ok("DeleteRolePermissionsBoundary", &[("RoleName", "Worker")]).await;
    admin.iam_ok("DeleteRole", &[("RoleName", "Worker")]).await;
}

#[tokio::test]
async fn a_trust_policy_names_only_who_exists() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let create = async |document: &str| {
        admin.iam("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", document)]).await
    };
    let missing = format!("{ACCOUNT}:role/missing");
    let answer = create(&trust("AWS", &missing)).await;
    let text = format!("Invalid principal in policy: &quot;AWS&quot;:&quot;{missing}&quot;");
    assert_eq!(refused(&answer), (400, "MalformedPolicyDocument".into(), text));
    for (document, text) in [
        ("{", "This policy contains invalid Json"),
        (
            &*trust("AWS", "999999999999"),
            "Invalid principal in policy: &quot;AWS&quot;:&quot;999999999999&quot;",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject"}}"#,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Resource":"*"}}"#,
            "Has prohibited field Resource",
        ),
    ] {
        assert_eq!(refused(&create(document).await), (400, "MalformedPolicyDocument".into(), text.into()));
    }
    let long =
        trust("AWS", "111122223333").replace("Allow", &format!("Allow\",\"Sid\":\"{}", "x".repeat(2048)));
    let text = "Cannot exceed quota for ACLSizePerRole: 2048";
    assert_eq!(refused(&create(&long).await), (409, "LimitExceeded".into(), text.into()));
    for known in ["111122223333", "arn:aws:iam::444455556666:root", "arn:aws:iam::444455556666:user/vendor"] {
        assert_eq!(create(&trust("AWS", known)).await.status, 200);
        admin.iam_ok("DeleteRole", &[("RoleName", "r")]).await;
    }
}

#[tokio::test]
async fn who_is_made_again_under_an_old_name_is_not_meant() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let alice = [("UserName", "alice")];
    let arn = format!("{ACCOUNT}:user/alice");
    let id = admin.iam_ok("CreateUser", &alice).await.element("UserId").unwrap();
    let document = trust("AWS", &arn);
    let role = [("RoleName", "r"), ("AssumeRolePolicyDocument", &*document)];
    admin.iam_ok("CreateRole", &role).await;
    let bucket_policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{arn}"}},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::logs"}}}}"#
    );
    emulator.s3("admin").put_bucket_policy().bucket("logs").policy(&bucket_policy).send().await.unwrap();
    let may = async || {
        let made = admin.iam_ok("CreateAccessKey", &alice).await;
        let key = (made.element("AccessKeyId").unwrap(), made.element("SecretAccessKey").unwrap());
        let caller = Caller::new(&wire, Key::new(&key.0, &key.1));
        let role = format!("{ACCOUNT}:role/r");
        let assumed = caller.sts("AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "s1")]).await;
        let s3 = emulator.s3_with(Credentials::new(&*key.0, &*key.1, None, None, "tests"));
        let listed = s3.list_objects_v2().bucket("logs").send().await.is_ok();
        admin.iam_ok("DeleteAccessKey", &[alice[0], ("AccessKeyId", &key.0)]).await;
        (assumed.status == 200, listed)
    };
    let shown = async || {
        let got = admin.iam_ok("GetRole", &[("RoleName", "r")]).await;
        let policy = emulator.s3("admin").get_bucket_policy().bucket("logs").send().await.unwrap();
        (decoded(&got.element("AssumeRolePolicyDocument").unwrap()), policy.policy().unwrap().to_owned())
    };
    assert_eq!(may().await, (true, true));
    assert_eq!(shown().await, (document.clone(), bucket_policy.clone()));
    // Renaming changes the ARN and not who is meant.
    admin.iam_ok("UpdateUser", &[alice[0], ("NewPath", "/moved/")]).await;
    assert_eq!(may().await, (true, true));
    let moved = arn.replace("user/alice", "user/moved/alice");
    assert_eq!(shown().await, (document.replace(&arn, &moved), bucket_policy.replace(&arn, &moved)));
    admin.iam_ok("DeleteUser", &alice).await;
    assert_eq!(shown().await, (document.replace(&arn, &id), bucket_policy.replace(&arn, &id)));
    admin.iam_ok("CreateUser", &alice).await;
    assert_eq!(may().await, (false, false));
    admin.iam_ok("UpdateAssumeRolePolicy", &[("RoleName", "r"), ("PolicyDocument", &document)]).await;
    assert_eq!(may().await, (true, false));
}

#[tokio::test]
async fn sessions_follow_their_role_and_end_with_it() {
    let (emulator, wire) = listening().await;
    let (admin, vendor) = (Caller::new(&wire, ADMIN), Caller::new(&wire, VENDOR));
    let document = trust("AWS", "444455556666");
    let role = [("RoleName", "Loader"), ("AssumeRolePolicyDocument", &*document)];
    admin.iam_ok("CreateRole", &role).await;
    let arn = format!("{ACCOUNT}:role/Loader");
    let assume = async || vendor.sts("AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "s1")]).await;
    let s3 = emulator.s3_with(credentials(&assume().await));
    let list = async || {
        let listed = s3.list_objects_v2().bucket("logs").send().await;
        listed.map(|_| ()).map_err(|error| error.code().unwrap().to_owned())
    };
    let denied = Err("AccessDenied".to_owned());
    let name = ("RoleName", "Loader");
    let put = [name, ("PolicyName", "p"), ("PolicyDocument", S3_ALL)];
    let attach = [name, ("PolicyArn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")];
    let boundary = [name, ("PermissionsBoundary", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")];
    // Each change takes effect on the session that is out.
    assert_eq!(list().await, denied);
    for (action, parameters, expected) in [
        ("PutRolePolicy", put.to_vec(), Ok(())),
        ("DeleteRolePolicy", vec![name, ("PolicyName", "p")], denied.clone()),
        ("AttachRolePolicy", attach.to_vec(), Ok(())),
        ("PutRolePermissionsBoundary", boundary.to_vec(), denied.clone()),
        ("DeleteRolePermissionsBoundary", vec![name], Ok(())),
        (
            "UpdateAssumeRolePolicy",
            vec![name, ("PolicyDocument", &*trust("AWS", "111122223333").leak())],
            Ok(()),
        ),
    ] {
        admin.iam_ok(action, &parameters).await;
        assert_eq!(list().await, expected, "{action}");
    }
    assert_eq!(assume().await.status, 403, "but nobody gets in any more");
    let used = admin.iam_ok("GetRole", &[name]).await;
    assert_eq!(used.element("LastUsedDate").as_deref(), Some("2026-01-01T00:00:00Z"));
    let answer = admin.iam("DeleteRole", &[name]).await;
    let text = "Cannot delete entity, must detach all policies first.";
    assert_eq!(refused(&answer), (409, "DeleteConflict".into(), text.into()));
    admin.iam_ok("DetachRolePolicy", &attach).await;
    admin.iam_ok("DeleteRole", &[name]).await;
    assert_eq!(list().await, Err("InvalidAccessKeyId".to_owned()));
    admin.iam_ok("CreateRole", &role).await;
    admin.iam_ok("PutRolePolicy", &put).await;
    assert_eq!(list().await, Err("InvalidAccessKeyId".to_owned()), "the old session is not of the new role");
}

#[tokio::test]
async fn an_inline_deny_revokes_older_sessions() {
    let (emulator, wire) = listening().await;
    let (admin, vendor) = (Caller::new(&wire, ADMIN), Caller::new(&wire, VENDOR));
    let assume = async || {
        let parameters = [("RoleArn", ROLE_ARN), ("RoleSessionName", "s1"), ("ExternalId", EXTERNAL_ID)];
        emulator.s3_with(credentials(&vendor.sts("AssumeRole", &parameters).await))
    };
    let old = assume().await;
    old.put_object().bucket("logs").key("k").send().await.unwrap();
    let revoke = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-01T00:00:30Z"}}}]}"#;
    let put =
        [("RoleName", "exporter"), ("PolicyName", "AWSRevokeOlderSessions"), ("PolicyDocument", revoke)];
    admin.iam_ok("PutRolePolicy", &put).await;
    let denied = old.put_object().bucket("logs").key("k").send().await.unwrap_err();
    assert!(denied.message().unwrap().ends_with("with an explicit deny in an identity-based policy"));
    emulator.clock().advance(std::time::Duration::from_secs(31));
    assume().await.put_object().bucket("logs").key("k").send().await.unwrap();
}

#[tokio::test]
async fn instance_profiles_hold_a_role_that_must_be_passed() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let reader = Caller::new(&wire, crate::fixture::READER);
    let (profile, role) = (("InstanceProfileName", "P"), ("RoleName", "archivist"));
    admin.iam_ok("CreateInstanceProfile", &[profile]).await;
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:AddRoleToInstanceProfile","Resource":"*"}}"#;
    let put = [("UserName", "reader"), ("PolicyName", "p"), ("PolicyDocument", document)];
    admin.iam_ok("PutUserPolicy", &put).await;
    let denied = reader.iam("AddRoleToInstanceProfile", &[profile, role]).await;
    assert!(
        denied
            .text()
            .contains("perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/archivist because"),
        "{}",
        denied.text()
    );
    admin.iam_ok("AddRoleToInstanceProfile", &[profile, role]).await;
    let second = admin.iam("AddRoleToInstanceProfile", &[profile, ("RoleName", "exporter")]).await;
    let text = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
    assert_eq!(refused(&second), (409, "LimitExceeded".into(), text.into()));
    let of_role = admin.iam_ok("ListInstanceProfilesForRole", &[role]).await;
    assert_eq!(elements(&of_role, "InstanceProfileName"), ["P"]);
    let text = "Cannot delete entity, must remove roles from instance profile first.";
    for (action, parameters) in [("DeleteRole", [role]), ("DeleteInstanceProfile", [profile])] {
        let answer = admin.iam(action, &parameters).await;
        assert_eq!(refused(&answer), (409, "DeleteConflict".into(), text.into()));
    }
    admin.iam_ok("RemoveRoleFromInstanceProfile", &[profile, role]).await;
    admin.iam_ok("DeleteInstanceProfile", &[profile]).await;
    let gone = admin.iam("GetInstanceProfile", &[profile]).await;
    assert_eq!(refused(&gone), (404, "NoSuchEntity".into(), "Instance Profile P cannot be found.".into()));
}
