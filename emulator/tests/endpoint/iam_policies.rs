//! Managed and inline policies, versions, boundaries, and questions about all of them.

use aws_credential_types::Credentials;
use bucketproof_emulator::{Emulator, Scenario};

use crate::fixture::{ADMIN, READER, listening, new_year};
use crate::query::{Caller, decoded, elements, refused};
use crate::wire::{Answer, Key, Wire};

const ACCOUNT: &str = "arn:aws:iam::111122223333";
const READ: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}}"#;
const WRITE: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}"#;

async fn create(caller: Caller<'_>, name: &str, document: &str) -> Answer {
    caller.iam("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", document)]).await
}

#[tokio::test]
async fn the_default_version_counts_wherever_a_policy_is_attached() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let made = create(admin, "access", READ).await;
    assert_eq!(made.element("DefaultVersionId").as_deref(), Some("v1"));
    assert!(made.element("PolicyId").unwrap().starts_with("ANPA"));
    let arn = format!("{ACCOUNT}:policy/access");
    let policy = ("PolicyArn", &*arn);
    admin.iam_ok("AttachUserPolicy", &[("UserName", "nobody"), policy]).await;
    let s3 = emulator.s3("nobody");
    let may = async || {
        let reads = s3.list_objects_v2().bucket("logs").send().await.is_ok();
        (reads, s3.put_object().bucket("logs").key("k").send().await.is_ok())
    };
    assert_eq!(may().await, (true, false));
    let version = admin.iam_ok("CreatePolicyVersion", &[policy, ("PolicyDocument", WRITE)]).await;
    let shown = (version.element("VersionId"), version.element("IsDefaultVersion"));
    assert_eq!(shown, (Some("v2".to_owned()), Some("false".to_owned())));
    assert_eq!(may().await, (true, false));
    admin.iam_ok("SetDefaultPolicyVersion", &[policy, ("VersionId", "v2")]).await;
    assert_eq!(may().await, (false, true));
    let answer = admin.iam("DeletePolicyVersion", &[policy, ("VersionId", "v2")]).await;
    let text = "Cannot delete the default version of a policy.";
    assert_eq!(refused(&answer), (409, "DeleteConflict".into(), text.into()));
    for _ in 3..=5 {
        let parameters = [policy, ("PolicyDocument", READ), ("SetAsDefault", "true")];
        admin.iam_ok("CreatePolicyVersion", &parameters).await;
    }
    assert_eq!(may().await, (true, false));
    let sixth = admin.iam("CreatePolicyVersion", &[policy, ("PolicyDocument", READ)]).await;
    let text = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
    assert_eq!(refused(&sixth), (409, "LimitExceeded".into(), text.into()));
    let listed = admin.iam_ok("ListPolicyVersions", &[policy, ("MaxItems", "3")]).await;
    assert_eq!(elements(&listed, "VersionId"), ["v5", "v4", "v3"]);
    let marker = listed.element("Marker").unwrap();
    let rest = admin.iam_ok("ListPolicyVersions", &[policy, ("Marker", &marker)]).await;
    assert_eq!(elements(&rest, "VersionId"), ["v2", "v1"]);
    let second = admin.iam_ok("GetPolicyVersion", &[policy, ("VersionId", "v2")]).await;
    assert_eq!(decoded(&second.element("Document").unwrap()), WRITE);
    let missing = admin.iam("GetPolicyVersion", &[policy, ("VersionId", "v9")]).await;
    let text = format!("Policy {arn} version v9 does not exist or is not attachable.");
    assert_eq!(refused(&missing), (404, "NoSuchEntity".into(), text));
    let whole = admin.iam_ok("GetPolicy", &[policy]).await;
    let shown = (whole.element("AttachmentCount"), whole.element("DefaultVersionId"));
    assert_eq!(shown, (Some("1".to_owned()), Some("v5".to_owned())));

    let attached = admin.iam("DeletePolicy", &[policy]).await;
    let text = "Cannot delete a policy attached to entities.";
    assert_eq!(refused(&attached), (409, "DeleteConflict".into(), text.into()));
    admin.iam_ok("DetachUserPolicy", &[("UserName", "nobody"), policy]).await;
    assert_eq!(may().await, (false, false));
    let versions = admin.iam("DeletePolicy", &[policy]).await;
    assert!(versions.element("Message").unwrap().starts_with("This policy has more than one version."));
    for version in ["v1", "v2", "v3", "v4"] {
        admin.iam_ok("DeletePolicyVersion", &[policy, ("VersionId", version)]).await;
    }
    admin.iam_ok("DeletePolicy", &[policy]).await;
    let gone = admin.iam("GetPolicy", &[policy]).await;
    assert_eq!(refused(&gone), (404, "NoSuchEntity".into(), format!("Policy {arn} was not found.")));
}

#[tokio::test]
async fn a_boundary_limits_and_grants_nothing() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    create(admin, "limit", READ).await;
    let arn = format!("{ACCOUNT}:policy/limit");
    let (user, boundary) = (("UserName", "reader"), ("PermissionsBoundary", &*arn));
    emulator.s3("admin").put_object().bucket("logs").key("k").send().await.unwrap();
    let s3 = emulator.s3("reader");
    let may = async || {
        let lists = s3.list_objects_v2().bucket("logs").send().await.is_ok();
        (lists, s3.get_object().bucket("logs").key("k").send().await.is_ok())
    };
    assert_eq!(may().await, (true, true));
    admin.iam_ok("PutUserPermissionsBoundary", &[user, boundary]).await;
    assert_eq!(may().await, (true, false));
    let got = admin.iam_ok("GetUser", &[user]).await;
    let shown = (got.element("PermissionsBoundaryType"), got.element("PermissionsBoundaryArn"));
    assert_eq!(shown, (Some("Policy".to_owned()), Some(arn.clone())));
    let limit = admin.iam_ok("GetPolicy", &[("PolicyArn", &arn)]).await;
    let counts = (limit.element("PermissionsBoundaryUsageCount"), limit.element("AttachmentCount"));
    assert_eq!(counts, (Some("1".to_owned()), Some("0".to_owned())));
    // A new default version counts for the boundary too.
    let version = [("PolicyArn", &*arn), ("PolicyDocument", WRITE), ("SetAsDefault", "true")];
    admin.iam_ok("CreatePolicyVersion", &version).await;
    assert_eq!(may().await, (false, false));
    let in_use = admin.iam("DeletePolicy", &[("PolicyArn", &arn)]).await;
    assert_eq!(in_use.outcome(), (409, "DeleteConflict".to_owned()));
    admin.iam_ok("DeleteUserPermissionsBoundary", &[user]).await;
    assert_eq!(may().await, (true, true));
    assert_eq!(admin.iam("DeleteUserPermissionsBoundary", &[user]).await.status, 404);
}

#[tokio::test]
async fn documents_are_refused_with_aws_s_words() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let malformed = |text: &str| (400, "MalformedPolicyDocument".to_owned(), text.to_owned());
    for (document, text) in [
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*"}}"#,
            "Policy statement must contain resources.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*"}}"#,
            "Policy statement must contain actions.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}"#,
            "Policy document should not specify a principal.",
        ),
        (
            r#"{"Version":"2010-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
            "Syntax errors in policy.",
        ),
    ] {
        assert_eq!(refused(&create(admin, "p", document).await), malformed(text));
        let put = [("UserName", "reader"), ("PolicyName", "p"), ("PolicyDocument", document)];
        assert_eq!(refused(&admin.iam("PutUserPolicy", &put).await), malformed(text));
    }
    let statement = |length: usize| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/{}"}}}}"#,
            "x".repeat(length)
        )
    };
    let limit = |text: &str| (409, "LimitExceeded".to_owned(), text.to_owned());
    assert_eq!(
        refused(&create(admin, "p", &statement(6144)).await),
        limit("Cannot exceed quota for PolicySize: 6144")
    );
    let put = async |name: &str, length: usize| {
        let document = statement(length);
        admin
            .iam(
                "PutUserPolicy",
                &[("UserName", "nobody"), ("PolicyName", name), ("PolicyDocument", &document)],
            )
            .await
    };
    assert_eq!(put("a", 1000).await.status, 200);
    assert_eq!(
        refused(&put("b", 1000).await),
        limit("Maximum policy size of 2048 bytes exceeded for user nobody")
    );
    assert_eq!(put("a", 1900).await.status, 200, "what is replaced does not count");
    for name in ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10", "a11"] {
        create(admin, name, READ).await;
        let attach = admin
            .iam(
                "AttachUserPolicy",
                &[("UserName", "nobody"), ("PolicyArn", &format!("{ACCOUNT}:policy/{name}"))],
            )
            .await;
        if name == "a11" {
            assert_eq!(refused(&attach), limit("Cannot exceed quota for PoliciesPerUser: 10"));
        } else {
            assert_eq!(attach.status, 200);
        }
    }
    let own = admin
        .iam(
            "CreatePolicyVersion",
            &[("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"), ("PolicyDocument", READ)],
        )
        .await;
    assert_eq!(own.outcome(), (403, "AccessDenied".to_owned()));
}

#[tokio::test]
async fn everything_tells_where_a_policy_is_used() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    create(admin, "shared", READ).await;
    let arn = format!("{ACCOUNT}:policy/shared");
    let policy = ("PolicyArn", &*arn);
    admin.iam_ok("CreateGroup", &[("GroupName", "team")]).await;
    admin.iam_ok("AddUserToGroup", &[("GroupName", "team"), ("UserName", "reader")]).await;
    admin.iam_ok("AttachGroupPolicy", &[("GroupName", "team"), policy]).await;
    admin.iam_ok("AttachRolePolicy", &[("RoleName", "archivist"), policy]).await;
    admin
        .iam_ok("PutUserPermissionsBoundary", &[("UserName", "writer"), ("PermissionsBoundary", &arn)])
        .await;
    let entities = admin.iam_ok("ListEntitiesForPolicy", &[policy]).await;
    let named =
        |answer: &Answer| ["GroupName", "UserName", "RoleName"].map(|name| elements(answer, name).join(","));
    assert_eq!(named(&entities), ["team", "writer", "archivist"]);
    let bounded =
        admin.iam_ok("ListEntitiesForPolicy", &[policy, ("PolicyUsageFilter", "PermissionsBoundary")]).await;
    assert_eq!(named(&bounded), ["", "writer", ""]);
    let roles = admin.iam_ok("ListEntitiesForPolicy", &[policy, ("EntityFilter", "Role")]).await;
    assert_eq!(named(&roles), ["", "", "archivist"]);

    let local = admin.iam_ok("ListPolicies", &[("Scope", "Local")]).await;
    assert_eq!(elements(&local, "PolicyName"), ["shared"]);
    let attached = admin.iam_ok("ListPolicies", &[("OnlyAttached", "true")]).await;
    assert_eq!(elements(&attached, "PolicyName"), ["shared"]);
    let aws = admin.iam_ok("ListPolicies", &[("Scope", "AWS"), ("PathPrefix", "/service-role/")]).await;
    assert_eq!(elements(&aws, "Arn"), ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]);

    let details = admin.iam_ok("GetAccountAuthorizationDetails", &[]).await;
    assert_eq!(elements(&details, "RoleName").len(), 2);
    assert_eq!(elements(&details, "UserName"), ["admin", "nobody", "reader", "writer"]);
    assert_eq!(elements(&details, "GroupList"), ["\n          <member>team</member>\n        "]);
    assert!(details.text().contains("<PolicyVersionList>"));
    let groups = admin.iam_ok("GetAccountAuthorizationDetails", &[("Filter.member.1", "Group")]).await;
    assert!(
        groups.text().contains("<UserDetailList/>") && groups.text().contains("<GroupName>team</GroupName>")
    );
    let page = admin.iam_ok("GetAccountAuthorizationDetails", &[("MaxItems", "3")]).await;
    assert_eq!((page.element("IsTruncated").as_deref(), elements(&page, "Path").len()), (Some("true"), 3));

    let summary = admin.iam_ok("GetAccountSummary", &[]).await;
    let entries: Vec<(String, String)> =
        elements(&summary, "key").into_iter().zip(elements(&summary, "value")).collect();
    let value = |key: &str| entries.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str());
    assert_eq!(
        [value("Users"), value("Roles"), value("Groups"), value("Policies")],
        [Some("4"), Some("2"), Some("1"), Some("1")]
    );
    assert_eq!((value("UsersQuota"), value("AccessKeysPerUserQuota")), (Some("5000"), Some("2")));
}

#[tokio::test]
async fn an_explicit_deny_of_a_managed_policy_is_named() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*"}}"#;
    create(admin, "no-iam", deny).await;
    let arn = format!("{ACCOUNT}:policy/no-iam");
    admin.iam_ok("AttachUserPolicy", &[("UserName", "reader"), ("PolicyArn", &arn)]).await;
    let answer = Caller::new(&wire, READER).iam("GetUser", &[]).await;
    let text = format!(
        "User: {ACCOUNT}:user/reader is not authorized to perform: iam:GetUser on resource: user reader with an explicit deny in an identity-based policy: {arn}"
    );
    assert_eq!(refused(&answer), (403, "AccessDenied".into(), text));
}

#[tokio::test]
async fn simulations_are_answered_by_the_decision_core() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let put = [
        ("UserName", "nobody"),
        ("PolicyName", "some"),
        (
            "PolicyDocument",
            "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:PutObject\", \"Resource\": \"*\"},\n {\"Sid\": \"No\", \"Effect\": \"Deny\", \"Action\": \"s3:PutObject\", \"Resource\": \"arn:aws:s3:::b/x\"},\n {\"Effect\": \"Allow\", \"Action\": \"s3:ListBucket\", \"Resource\": \"*\", \"Condition\": {\"StringLike\": {\"s3:prefix\": \"${aws:username}/*\"}}}]}",
        ),
    ];
    admin.iam_ok("PutUserPolicy", &put).await;
    let source = format!("{ACCOUNT}:user/nobody");
    let simulate = async |more: &[(&str, &str)]| {
        let parameters = [&[("PolicySourceArn", &*source)][..], more].concat();
        admin.iam_ok("SimulatePrincipalPolicy", &parameters).await
    };
    let answer = simulate(&[
        ("ActionNames.member.1", "s3:PutObject"),
        ("ActionNames.member.2", "s3:GetObject"),
        ("ResourceArns.member.1", "arn:aws:s3:::b/k"),
        ("ResourceArns.member.2", "arn:aws:s3:::b/x"),
    ])
    .await;
    assert_eq!(
        elements(&answer, "EvalDecision"),
        ["allowed", "explicitDeny", "implicitDeny", "implicitDeny"]
    );
    assert_eq!(elements(&answer, "EvalResourceDecision"), elements(&answer, "EvalDecision"));
    assert_eq!(elements(&answer, "SourcePolicyId"), vec!["user_nobody_some"; 4]);
    let position = |name: &str, at: usize| {
        let text = elements(&answer, name)[at].clone();
        let number =
            |tag: &str| text.split(&format!("<{tag}>")).nth(1).unwrap().split('<').next().unwrap().to_owned();
        (number("Line"), number("Column"))
    };
    assert_eq!(
        (position("StartPosition", 0), position("EndPosition", 0)),
        (("1".into(), "41".into()), ("1".into(), "103".into()))
    );
    assert_eq!(
        (position("StartPosition", 2), position("EndPosition", 2)),
        (("2".into(), "2".into()), ("2".into(), "91".into()))
    );
    // A condition key that the request lacks is named, and counts once it is given.
    let list = [("ActionNames.member.1", "s3:ListBucket"), ("ResourceArns.member.1", "arn:aws:s3:::b")];
    let lacking = simulate(&list).await;
    assert_eq!(lacking.element("EvalDecision").as_deref(), Some("implicitDeny"));
    assert!(lacking.element("MissingContextValues").unwrap().contains("s3:prefix"));
    let context = [
        ("ContextEntries.member.1.ContextKeyName", "s3:prefix"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "nobody/a"),
        ("ContextEntries.member.1.ContextKeyType", "string"),
        ("ContextEntries.member.2.ContextKeyName", "aws:username"),
        ("ContextEntries.member.2.ContextKeyValues.member.1", "nobody"),
        ("ContextEntries.member.2.ContextKeyType", "string"),
    ];
    let given = simulate(&[&list[..], &context].concat()).await;
    assert_eq!(given.element("EvalDecision").as_deref(), Some("allowed"));
    let keys = admin.iam_ok("GetContextKeysForPrincipalPolicy", &[("PolicySourceArn", &source)]).await;
    assert_eq!(elements(&keys, "member"), ["aws:username", "s3:prefix"]);
    // A boundary of the user, or one that is proposed.
    admin
        .iam_ok(
            "PutUserPermissionsBoundary",
            &[
                ("UserName", "nobody"),
                ("PermissionsBoundary", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"),
            ],
        )
        .await;
    let bounded = simulate(&[("ActionNames.member.1", "s3:PutObject")]).await;
    assert_eq!(bounded.element("EvalDecision").as_deref(), Some("implicitDeny"));
    assert_eq!(bounded.element("AllowedByPermissionsBoundary").as_deref(), Some("false"));
    let wider = simulate(&[
        ("ActionNames.member.1", "s3:PutObject"),
        ("PermissionsBoundaryPolicyInputList.member.1", WRITE),
    ])
    .await;
    assert_eq!(wider.element("EvalDecision").as_deref(), Some("allowed"));

    let custom = [
        ("ActionNames.member.1", "s3:PutObject"),
        ("ResourceArns.member.1", "arn:aws:s3:::b/k"),
        ("PolicyInputList.member.1", READ),
        ("PolicyInputList.member.2", WRITE),
    ];
    let answer = admin.iam_ok("SimulateCustomPolicy", &custom).await;
    assert_eq!(answer.element("SourcePolicyId").as_deref(), Some("PolicyInputList.2"));
    let resource_policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}"#;
    let denied = admin
        .iam_ok("SimulateCustomPolicy", &[&custom[..], &[("ResourcePolicy", resource_policy)]].concat())
        .await;
    assert_eq!(denied.element("EvalDecision").as_deref(), Some("explicitDeny"));
    let bad = [("ActionNames.member.1", "s3:PutObject"), ("PolicyInputList.member.1", "{")];
    assert_eq!(admin.iam("SimulateCustomPolicy", &bad).await.outcome(), (400, "InvalidInput".to_owned()));
    let missing = admin
        .iam(
            "SimulatePrincipalPolicy",
            &[
                ("PolicySourceArn", &format!("{ACCOUNT}:role/missing")),
                ("ActionNames.member.1", "s3:GetObject"),
            ],
        )
        .await;
    assert_eq!(
        refused(&missing),
        (404, "NoSuchEntity".into(), "The role with name missing cannot be found.".into())
    );
}

#[tokio::test]
async fn providers_are_kept_with_their_clients() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let print = "3768084dfb3d2b68b7897bf5f565da8efEXAMPLE";
    let make = [
        ("Url", "https://issuer.example/realm"),
        ("ClientIDList.member.1", "app"),
        ("ThumbprintList.member.1", print),
    ];
    let arn =
        admin.iam_ok("CreateOpenIDConnectProvider", &make).await.element("OpenIDConnectProviderArn").unwrap();
    assert_eq!(arn, format!("{ACCOUNT}:oidc-provider/issuer.example/realm"));
    let again = admin.iam("CreateOpenIDConnectProvider", &make).await;
    let text = "Provider with url https://issuer.example/realm already exists.";
    assert_eq!(refused(&again), (409, "EntityAlreadyExists".into(), text.into()));
    let provider = ("OpenIDConnectProviderArn", &*arn);
    admin.iam_ok("AddClientIDToOpenIDConnectProvider", &[provider, ("ClientID", "web")]).await;
    let got = admin.iam_ok("GetOpenIDConnectProvider", &[provider]).await;
    assert_eq!(got.element("Url").as_deref(), Some("issuer.example/realm"));
    assert_eq!(elements(&got, "member"), ["app", "web", print]);
    admin.iam_ok("RemoveClientIDFromOpenIDConnectProvider", &[provider, ("ClientID", "app")]).await;
    let listed = admin.iam_ok("ListOpenIDConnectProviders", &[]).await;
    assert_eq!(elements(&listed, "Arn"), std::slice::from_ref(&arn));
    admin.iam_ok("DeleteOpenIDConnectProvider", &[provider]).await;
    assert_eq!(
        admin.iam("GetOpenIDConnectProvider", &[provider]).await.outcome(),
        (404, "NoSuchEntity".to_owned())
    );
    let bad = admin.iam("CreateOpenIDConnectProvider", &[("Url", "issuer.example")]).await;
    assert_eq!(bad.outcome(), (400, "ValidationError".to_owned()));
}

/// All that a scenario can declare of IAM.
const DECLARED: &str = r#"
[[account]]
id = "111122223333"
name = "owner"
alias = "the-owner"

[[account.policy]]
name = "read"
path = "/shared/"
description = "reads"
document = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}}'
tags = { kind = "read" }

[[account.group]]
name = "readers"
path = "/g/"
policies = ["arn:aws:iam::111122223333:policy/shared/read"]

[[account.user]]
name = "admin"
policies = ["arn:aws:iam::aws:policy/AdministratorAccess"]
[[account.user.access_key]]
id = "AKIAADMINUSEREXAMPLE"
secret = "adminSecret+/0"
created = "2025-06-01T12:00:00Z"

[[account.user]]
name = "limited"
groups = ["readers"]
policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}', '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}']
boundary = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"a"}}}}'
tags = { team = "a" }
[[account.user.access_key]]
id = "AKIALIMITEDUSEREXAMP"
secret = "limitedSecret+/0"
[[account.user.access_key]]
id = "AKIALIMITEDOFFEXAMPL"
secret = "limitedSecret+/1"
status = "Inactive"

[[account.role]]
name = "worker"
trust = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}'
description = "works"
max_session_duration = 7200
tags = { team = "b" }

[[account.instance_profile]]
name = "workers"
role = "worker"

[[account.bucket]]
name = "logs"
"#;

#[tokio::test]
async fn a_scenario_declares_all_of_it() {
    let scenario = Scenario::from_toml(DECLARED).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let builder = Emulator::builder().scenario(scenario).clock(new_year()).seed(7).listen(listen);
    let emulator = builder.start().await.unwrap();
    let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
    let admin = Caller::new(&wire, ADMIN);
    let keys = admin.iam_ok("ListAccessKeys", &[]).await;
    assert_eq!(keys.element("CreateDate").as_deref(), Some("2025-06-01T12:00:00Z"));
    let user = ("UserName", "limited");
    let keys = admin.iam_ok("ListAccessKeys", &[user]).await;
    assert_eq!(elements(&keys, "Status"), ["Inactive", "Active"]);
    let off = Caller::new(&wire, Key::new("AKIALIMITEDOFFEXAMPL", "limitedSecret+/1"));
    assert_eq!(off.sts("GetCallerIdentity", &[]).await.outcome(), (403, "InvalidClientTokenId".to_owned()));
    let limited = admin.iam_ok("GetUser", &[user]).await;
    let boundary = limited.element("PermissionsBoundaryArn").unwrap();
    assert_eq!(boundary, format!("{ACCOUNT}:policy/limited-boundary"));
    let inline = admin.iam_ok("ListUserPolicies", &[user]).await;
    assert_eq!(elements(&inline, "member"), ["inline", "inline-2"]);
    let s3 =
        emulator.s3_with(Credentials::new("AKIALIMITEDUSEREXAMP", "limitedSecret+/0", None, None, "tests"));
    s3.list_objects_v2().bucket("logs").send().await.unwrap();
    assert!(s3.put_object().bucket("logs").key("k").send().await.is_err());
    let policy =
        admin.iam_ok("GetPolicy", &[("PolicyArn", "arn:aws:iam::111122223333:policy/shared/read")]).await;
    let shown = (policy.element("Description"), policy.element("AttachmentCount"), policy.element("Key"));
    assert_eq!(shown, (Some("reads".into()), Some("1".into()), Some("kind".into())));
    let role = admin.iam_ok("GetRole", &[("RoleName", "worker")]).await;
    let shown = (role.element("Description"), role.element("MaxSessionDuration"), role.element("Value"));
    assert_eq!(shown, (Some("works".into()), Some("7200".into()), Some("b".into())));
    let profiles = admin.iam_ok("ListInstanceProfilesForRole", &[("RoleName", "worker")]).await;
    assert_eq!(profiles.element("InstanceProfileName").as_deref(), Some("workers"));
    assert_eq!(elements(&admin.iam_ok("ListAccountAliases", &[]).await, "member"), ["the-owner"]);
}
