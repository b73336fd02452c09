//! What a session carries: tags, a source identity, policies; and sessions of users.

use aws_sdk_s3::error::ProvideErrorMetadata;
use bucketproof_emulator::Emulator;

use crate::fixture::{ADMIN, READER, ROOT, listening};
use crate::iam_roles::credentials;
use crate::query::{Caller, refused};
use crate::wire::{Answer, Key, Wire};

/// A role that every principal of the account may assume, tag and name a source for; sessions may last 12 hours.
const ARCHIVIST: &str = "arn:aws:iam::111122223333:role/archivist";
const TRUST_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}"#;
const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// AssumeRole of the archivist, or of the role that `more` names.
async fn assume(caller: Caller<'_>, more: &[(&str, &str)]) -> Answer {
    let mut parameters = vec![("RoleArn", ARCHIVIST), ("RoleSessionName", "s1")];
    parameters.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    parameters.extend(more);
    caller.sts("AssumeRole", &parameters).await
}

fn tag<'a>(number: usize, key: &'a str, value: &'a str) -> [(String, &'a str); 2] {
    [(format!("Tags.member.{number}.Key"), key), (format!("Tags.member.{number}.Value"), value)]
}

/// A second role, with trust and permissions as given.
async fn role(wire: &Wire, name: &str, trust: &str, policy: &str) {
    let admin = Caller::new(wire, ADMIN);
    admin.iam_ok("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", trust)]).await;
    admin
        .iam_ok("PutRolePolicy", &[("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", policy)])
        .await;
}

async fn may_list(emulator: &Emulator, answer: &Answer) -> bool {
    emulator.s3_with(credentials(answer)).list_objects_v2().bucket("logs").send().await.is_ok()
}

#[tokio::test]
async fn tags_of_roles_and_sessions_are_tags_of_the_principal() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/Team":"archive"}}}}"#;
    admin
        .iam_ok(
            "PutRolePolicy",
            &[("RoleName", "archivist"), ("PolicyName", "p"), ("PolicyDocument", policy)],
        )
        .await;
    assert!(may_list(&emulator, &assume(admin, &[]).await).await, "the role has the tag");
    let [key, value] = tag(1, "TEAM", "other");
    let other = assume(admin, &[(&key.0, key.1), (&value.0, value.1)]).await;
    assert!(!may_list(&emulator, &other).await, "the session's tag counts, whatever the case of its key");
    assert_eq!(other.element("PackedPolicySize").as_deref(), Some("1"));
    admin.iam_ok("UntagRole", &[("RoleName", "archivist"), ("TagKeys.member.1", "team")]).await;
    assert!(!may_list(&emulator, &assume(admin, &[]).await).await);
    // A user's tags are its own, too.
    let read = [("UserName", "nobody"), ("PolicyName", "p"), ("PolicyDocument", policy)];
    admin.iam_ok("PutUserPolicy", &read).await;
    let lists = async || emulator.s3("nobody").list_objects_v2().bucket("logs").send().await.is_ok();
    assert!(!lists().await);
    let tagged = [("UserName", "nobody"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "archive")];
    admin.iam_ok("TagUser", &tagged).await;
    assert!(lists().await);
}

#[tokio::test]
async fn who_tags_a_session_must_be_permitted_by_the_trust() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let trust = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{"StringLikeIfExists":{"sts:SourceIdentity":"admin*"}}},
        {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:TagSession","Condition":{"StringEquals":{"aws:RequestTag/team":["a","b"]},"ForAllValues:StringEquals":{"aws:TagKeys":["team"],"sts:TransitiveTagKeys":["team"]}}},
        {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:SetSourceIdentity"}]}"#;
    role(&wire, "careful", trust, ALLOW_ALL).await;
    let careful = ("RoleArn", "arn:aws:iam::111122223333:role/careful");
    let team = |value: &'static str| vec![("Tags.member.1.Key", "team"), ("Tags.member.1.Value", value)];
    let denied = |action: &str| {
        let text = format!(
            "User: arn:aws:iam::111122223333:user/admin is not authorized to perform: sts:{action} on resource: {}",
            careful.1
        );
        (403, "AccessDenied".to_owned(), text)
    };
    for (more, refusal) in [
        (team("a"), None),
        (team("c"), Some("TagSession")),
        ([team("a"), vec![("TransitiveTagKeys.member.1", "team")]].concat(), None),
        (
            [team("a"), vec![("Tags.member.2.Key", "x"), ("Tags.member.2.Value", "y")]].concat(),
            Some("TagSession"),
        ),
        (vec![("SourceIdentity", "admin-7")], None),
        (vec![("SourceIdentity", "somebody")], Some("AssumeRole")),
    ] {
        let answer = assume(admin, &[&[careful][..], &more].concat()).await;
        match refusal {
            None => assert_eq!(answer.status, 200, "{more:?}: {}", answer.text()),
            Some(action) => assert_eq!(refused(&answer), denied(action), "{more:?}"),
        }
    }
    assert!(emulator.journal().denied()[0].explain().contains("aws:RequestTag/team"));
}

#[tokio::test]
async fn transitive_tags_and_the_source_identity_stay() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    role(&wire, "second", TRUST_ALL, r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/Kept":"1","aws:SourceIdentity":"admin"},"Null":{"aws:PrincipalTag/lost":"true"}}}}"#).await;
    let put = [("RoleName", "archivist"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    admin.iam_ok("PutRolePolicy", &put).await;
    let first = [
        ("Tags.member.1.Key", "Kept"),
        ("Tags.member.1.Value", "1"),
        ("Tags.member.2.Key", "lost"),
        ("Tags.member.2.Value", "2"),
        ("TransitiveTagKeys.member.1", "kept"),
        ("SourceIdentity", "admin"),
    ];
    let answer = assume(admin, &first).await;
    assert_eq!(answer.element("SourceIdentity").as_deref(), Some("admin"));
    let first = credentials(&answer);
    let chained = Caller::new(&wire, Key::of(&first));
    let second = ("RoleArn", "arn:aws:iam::111122223333:role/second");
    assert!(may_list(&emulator, &assume(chained, &[second]).await).await);
    let conflict = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.";
    for key in ["Kept", "KEPT"] {
        let again = [second, ("Tags.member.1.Key", key), ("Tags.member.1.Value", "x")];
        assert_eq!(
            refused(&assume(chained, &again).await),
            (400, "InvalidParameterValue".into(), conflict.into())
        );
    }
    let changed = assume(chained, &[second, ("SourceIdentity", "other")]).await;
    let text = "The source identity is already set for this assume role session";
    assert_eq!(refused(&changed), (400, "ValidationError".into(), text.into()));
    // Whoever passes them on needs the permission of the next role as well.
    role(&wire, "third", &TRUST_ALL.replace(r#","sts:TagSession""#, ""), ALLOW_ALL).await;
    let third = ("RoleArn", "arn:aws:iam::111122223333:role/third");
    let answer = assume(chained, &[third]).await;
    assert!(answer.text().contains("not authorized to perform: sts:TagSession"), "{}", answer.text());
}

#[tokio::test]
async fn tags_are_validated_as_recorded() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let parameter = |text: &str| (400, "InvalidParameterValue".to_owned(), text.to_owned());
    let missing = [
        ("Tags.member.1.Key", "SessionTag1"),
        ("Tags.member.1.Value", "1"),
        ("TransitiveTagKeys.member.1", "InvalidKey"),
    ];
    let text = "The specified transitive tag key must be included in the requested tags.";
    assert_eq!(refused(&assume(admin, &missing).await), parameter(text));
    let twice = [
        ("Tags.member.1.Key", "Tag"),
        ("Tags.member.1.Value", "1"),
        ("Tags.member.2.Key", "tag"),
        ("Tags.member.2.Value", "2"),
    ];
    let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    assert_eq!(refused(&assume(admin, &twice).await), parameter(text));
    let long = "k".repeat(129);
    let too_long = assume(admin, &[("Tags.member.1.Key", &long), ("Tags.member.1.Value", "1")]).await;
    let text = format!(
        "1 validation error detected: Value '{long}' at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128"
    );
    assert_eq!(refused(&too_long), (400, "ValidationError".into(), text));
    let many: Vec<(String, &str)> =
        (1..=50).flat_map(|number| tag(number, KEYS[number - 1], VALUE)).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let full = assume(admin, &many).await;
    assert_eq!(full.outcome(), (400, "PackedPolicyTooLarge".to_owned()));
}

/// Fifty keys and a value that together are too much.
const KEYS: [&str; 50] = [
    "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a0", "b1", "b2", "b3", "b4", "b5", "b6", "b7",
    "b8", "b9", "b0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c0", "d1", "d2", "d3", "d4",
    "d5", "d6", "d7", "d8", "d9", "d0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9", "e0",
];
const VALUE: &str = "a value of forty characters or some more";

#[tokio::test]
async fn policies_named_by_arn_narrow_a_session_like_those_in_line() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let put = [("RoleName", "archivist"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    admin.iam_ok("PutRolePolicy", &put).await;
    let read = ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess");
    let narrow = assume(admin, &[read]).await;
    let s3 = emulator.s3_with(credentials(&narrow));
    s3.list_objects_v2().bucket("logs").send().await.unwrap();
    let denied = s3.put_object().bucket("logs").key("k").send().await.unwrap_err();
    assert!(denied.message().unwrap().ends_with("because no session policy allows the s3:PutObject action"));
    let write =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}"#;
    let both = emulator.s3_with(credentials(&assume(admin, &[read, ("Policy", write)]).await));
    both.put_object().bucket("logs").key("k").send().await.unwrap();
    both.list_objects_v2().bucket("logs").send().await.unwrap();
    let missing = ("PolicyArns.member.1.arn", "arn:aws:iam::111122223333:policy/missing");
    assert_eq!(assume(admin, &[missing]).await.outcome(), (400, "ValidationError".to_owned()));
}

#[tokio::test]
async fn a_session_token_gives_a_user_its_own_rights_for_a_while() {
    let (emulator, wire) = listening().await;
    let (admin, reader, root) =
        (Caller::new(&wire, ADMIN), Caller::new(&wire, READER), Caller::new(&wire, ROOT));
    let answer = reader.sts("GetSessionToken", &[("DurationSeconds", "900")]).await;
    assert_eq!(answer.element("Expiration").as_deref(), Some("2026-01-01T00:15:00Z"));
    let given = credentials(&answer);
    let s3 = emulator.s3_with(given.clone());
    s3.list_objects_v2().bucket("logs").send().await.unwrap();
    let denied = s3.put_object().bucket("logs").key("k").send().await.unwrap_err();
    assert!(
        denied
            .message()
            .unwrap()
            .starts_with("User: arn:aws:iam::111122223333:user/reader is not authorized")
    );
    let session = Caller::new(&wire, Key::of(&given));
    assert_eq!(
        session.sts("GetCallerIdentity", &[]).await.element("Arn").unwrap(),
        "arn:aws:iam::111122223333:user/reader"
    );
    for action in ["GetSessionToken", "GetFederationToken"] {
        let text = format!("Cannot call {action} with session credentials");
        assert_eq!(
            refused(&session.sts(action, &[("Name", "bob")]).await),
            (403, "AccessDenied".into(), text)
        );
    }
    let text = "The security token included in the request is invalid.";
    assert_eq!(
        refused(&session.iam("GetUser", &[]).await),
        (403, "InvalidClientTokenId".into(), text.into())
    );
    // A deny that older credentials shall be refused meets these, and not the long-lived key.
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2027-01-01T00:00:00Z"}}}}"#;
    admin
        .iam_ok("PutUserPolicy", &[("UserName", "reader"), ("PolicyName", "d"), ("PolicyDocument", deny)])
        .await;
    assert!(s3.list_objects_v2().bucket("logs").send().await.is_err());
    emulator.s3("reader").list_objects_v2().bucket("logs").send().await.unwrap();
    emulator.clock().advance(std::time::Duration::from_mins(15));
    assert_eq!(s3.list_objects_v2().bucket("logs").send().await.unwrap_err().code(), Some("ExpiredToken"));

    let long = root.sts("GetSessionToken", &[("DurationSeconds", "129600")]).await;
    assert_eq!(long.element("Expiration").as_deref(), Some("2026-01-01T01:15:00Z"), "an hour at most");
    let short = reader.sts("GetSessionToken", &[("DurationSeconds", "899")]).await;
    assert_eq!(short.outcome(), (400, "ValidationError".to_owned()));
    let text = "the parameter `TokenCode` of GetSessionToken is not supported by this emulator yet";
    assert_eq!(
        refused(&reader.sts("GetSessionToken", &[("TokenCode", "123456")]).await),
        (501, "NotImplemented".into(), text.into())
    );
}

#[tokio::test]
async fn sessions_of_a_user_end_with_it() {
    let (emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let user = [("UserName", "temp")];
    admin.iam_ok("CreateUser", &user).await;
    let made = admin.iam_ok("CreateAccessKey", &user).await;
    let (id, secret) = (made.element("AccessKeyId").unwrap(), made.element("SecretAccessKey").unwrap());
    let given = credentials(&Caller::new(&wire, Key::new(&id, &secret)).sts("GetSessionToken", &[]).await);
    let who = async || emulator.sts_with(given.clone()).get_caller_identity().send().await;
    assert_eq!(who().await.unwrap().arn(), Some("arn:aws:iam::111122223333:user/temp"));
    admin.iam_ok("DeleteAccessKey", &[user[0], ("AccessKeyId", &id)]).await;
    admin.iam_ok("UpdateUser", &[user[0], ("NewUserName", "other")]).await;
    assert_eq!(who().await.unwrap().arn(), Some("arn:aws:iam::111122223333:user/other"));
    admin.iam_ok("DeleteUser", &[("UserName", "other")]).await;
    assert_eq!(who().await.unwrap_err().code(), Some("InvalidClientTokenId"));
}

#[tokio::test]
async fn a_federated_user_may_do_what_both_policies_allow() {
    let (emulator, wire) = listening().await;
    let (admin, reader) = (Caller::new(&wire, ADMIN), Caller::new(&wire, READER));
    let denied = reader.sts("GetFederationToken", &[("Name", "bob")]).await;
    let text = "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: sts:GetFederationToken on resource: arn:aws:sts::111122223333:federated-user/bob";
    assert_eq!(refused(&denied), (403, "AccessDenied".into(), text.into()));
    let alone = admin.sts("GetFederationToken", &[("Name", "bob")]).await;
    assert_eq!(alone.element("PackedPolicySize").as_deref(), Some("0"));
    assert_eq!(alone.element("FederatedUserId").as_deref(), Some("111122223333:bob"));
    assert!(!may_list(&emulator, &alone).await, "without a policy nothing is allowed");
    let policy =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}}"#;
    let narrow = admin.sts("GetFederationToken", &[("Name", "bob"), ("Policy", policy)]).await;
    assert!(may_list(&emulator, &narrow).await);
    let given = credentials(&narrow);
    let bob = Caller::new(&wire, Key::of(&given));
    let identity = bob.sts("GetCallerIdentity", &[]).await;
    assert_eq!(identity.element("Arn").as_deref(), Some("arn:aws:sts::111122223333:federated-user/bob"));
    assert_eq!(identity.element("UserId").as_deref(), Some("111122223333:bob"));
    assert_eq!(bob.iam("GetUser", &[]).await.outcome(), (403, "InvalidClientTokenId".to_owned()));
    assert_eq!(assume(bob, &[]).await.outcome(), (403, "AccessDenied".to_owned()));
    // A bucket policy that names the federated user needs nobody else.
    let named = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:federated-user/bob"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::logs"}}"#;
    emulator.s3("admin").put_bucket_policy().bucket("logs").policy(named).send().await.unwrap();
    assert!(may_list(&emulator, &alone).await);
}

#[tokio::test]
async fn a_key_tells_its_account() {
    let (_emulator, wire) = listening().await;
    let admin = Caller::new(&wire, ADMIN);
    let vendor = admin.sts("GetAccessKeyInfo", &[("AccessKeyId", "AKIAVENDORUSEREXAMPL")]).await;
    assert_eq!(vendor.element("Account").as_deref(), Some("444455556666"));
    let unknown = admin.sts("GetAccessKeyInfo", &[("AccessKeyId", "AKIAUNKNOWNUSEREXAMP")]).await;
    assert_eq!(unknown.outcome(), (400, "ValidationError".to_owned()));
    let reader = Caller::new(&wire, READER);
    let denied = reader.sts("GetAccessKeyInfo", &[("AccessKeyId", "AKIAVENDORUSEREXAMPL")]).await;
    assert_eq!(denied.outcome(), (403, "AccessDenied".to_owned()));
}
