//! Situations that were recorded on AWS, played again: status, code and message, and which fields an answer has.
//!
//! Of the recordings of IAM those are left out whose calls are refused by name: service-linked roles and
//! service-specific credentials. Those of STS are in `sts.rs` and `sts_sessions.rs`.

use crate::fixture::{ADMIN, listening};
use crate::query::{Caller, decoded, elements, refused};
use crate::wire::{Answer, Wire};

const ACCOUNT: &str = "arn:aws:iam::111122223333";
const TRUST_EC2: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;
/// A resource that is percent-encoded already, in the policies of an API gateway.
const ENCODED: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["apigatway:PUT"], "Resource": ["arn:aws:apigateway:us-east-1::/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Faaeeieije"]}]}"#;

/// The names of the elements that stand directly under the first element `parent`.
fn fields(answer: &Answer, parent: &str) -> Vec<String> {
    let text = answer.text();
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let start = lines.iter().position(|line| line.trim() == format!("<{parent}>")).unwrap();
    let depth = indent(lines[start]);
    let inside = lines[start + 1..].iter().take_while(|line| indent(line) > depth);
    let direct = inside.filter(|line| indent(line) == depth + 2 && !line.trim().starts_with("</"));
    let name = |line: &&str| line.trim().trim_start_matches('<').split(['>', '/']).next().unwrap().to_owned();
    let mut names: Vec<String> = direct.map(name).collect();
    names.sort();
    names
}

fn admin(wire: &Wire) -> Caller<'_> {
    Caller::new(wire, ADMIN)
}

/// test_create_describe_role, test_update_assume_role_policy, test_list_roles_with_permission_boundary,
/// test_role_with_path_lifecycle, test_role_with_tags
#[tokio::test]
async fn roles() {
    let (_emulator, wire) = listening().await;
    let admin = admin(&wire);
    let named = [("RoleName", "r1"), ("Path", "/p/"), ("AssumeRolePolicyDocument", TRUST_EC2)];
    let boundary = ("PermissionsBoundary", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    let made = admin.iam_ok("CreateRole", &[&named[..], &[boundary]].concat()).await;
    let new = ["Arn", "AssumeRolePolicyDocument", "CreateDate", "Path", "RoleId", "RoleName"];
    assert_eq!(fields(&made, "Role"), new);
    let listed = admin.iam_ok("ListRoles", &[("PathPrefix", "/p/")]).await;
    let in_list =
        ["Arn", "AssumeRolePolicyDocument", "CreateDate", "MaxSessionDuration", "Path", "RoleId", "RoleName"];
    assert_eq!(fields(&listed, "member"), in_list);
    assert_eq!(fields(&listed, "ListRolesResult"), ["IsTruncated", "Roles"]);
    admin.iam_ok("DeleteRolePermissionsBoundary", &[named[0]]).await;
    let got = admin.iam_ok("GetRole", &[named[0]]).await;
    let whole = [
        "Arn",
        "AssumeRolePolicyDocument",
        "CreateDate",
        "MaxSessionDuration",
        "Path",
        "RoleId",
        "RoleLastUsed",
        "RoleName",
    ];
    assert_eq!(fields(&got, "Role"), whole);
    assert_eq!(got.element("MaxSessionDuration").as_deref(), Some("3600"));
    let updated = admin.iam_ok("UpdateAssumeRolePolicy", &[named[0], ("PolicyDocument", TRUST_EC2)]).await;
    assert_eq!(fields(&updated, "ResponseMetadata"), ["RequestId"]);
    let deleted = admin.iam_ok("DeleteRole", &[named[0]]).await;
    assert!(!deleted.text().contains("DeleteRoleResult"));
    let tagged = [
        ("RoleName", "r2"),
        ("Path", "/t/"),
        ("AssumeRolePolicyDocument", TRUST_EC2),
        ("Tags.member.1.Key", "test"),
        ("Tags.member.1.Value", "value"),
    ];
    let with_tags =
        |names: &[&str]| names.iter().chain(&["Tags"]).map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(fields(&admin.iam_ok("CreateRole", &tagged).await, "Role"), with_tags(&new));
    assert_eq!(fields(&admin.iam_ok("GetRole", &[tagged[0]]).await, "Role"), with_tags(&whole));
    assert_eq!(fields(&admin.iam_ok("ListRoles", &[("PathPrefix", "/t/")]).await, "member"), in_list);
}

/// test_role_attach_policy, test_user_attach_policy, test_delete_non_existent_policy_returns_no_such_entity
#[tokio::test]
async fn attachments() {
    let (_emulator, wire) = listening().await;
    let admin = admin(&wire);
    let made = admin
        .iam_ok("CreatePolicy", &[("PolicyName", "test-policy-12345678"), ("PolicyDocument", POLICY)])
        .await;
    let expected = [
        "Arn",
        "AttachmentCount",
        "CreateDate",
        "DefaultVersionId",
        "IsAttachable",
        "Path",
        "PermissionsBoundaryUsageCount",
        "PolicyId",
        "PolicyName",
        "UpdateDate",
    ];
    assert_eq!(fields(&made, "Policy"), expected);
    let arn = made.element("Arn").unwrap();
    for (action, holder) in
        [("AttachRolePolicy", ("RoleName", "exporter")), ("AttachUserPolicy", ("UserName", "reader"))]
    {
        for no_arn in ["longpolicynamebutnoarn", "test-policy-12345678"] {
            let answer = admin.iam(action, &[holder, ("PolicyArn", no_arn)]).await;
            assert_eq!(
                refused(&answer),
                (400, "ValidationError".into(), "Invalid ARN:  Could not be parsed!".into())
            );
        }
        let missing = format!("{arn}123");
        let answer = admin.iam(action, &[holder, ("PolicyArn", &missing)]).await;
        let text = format!("Policy {missing} does not exist or is not attachable.");
        assert_eq!(refused(&answer), (404, "NoSuchEntity".into(), text));
        let answer = admin.iam_ok(action, &[holder, ("PolicyArn", &arn)]).await;
        assert!(!answer.text().contains("Result"));
    }
    let missing = format!("{ACCOUNT}:policy/non-existent-policy");
    let answer = admin.iam("DeletePolicy", &[("PolicyArn", &missing)]).await;
    assert_eq!(refused(&answer), (404, "NoSuchEntity".into(), format!("Policy {missing} was not found.")));
}

/// test_create_role_with_malformed_assume_role_policy_document, test_put_user_policy_encoding,
/// test_put_role_policy_encoding, test_put_group_policy_encoding
#[tokio::test]
async fn documents() {
    let (_emulator, wire) = listening().await;
    let admin = admin(&wire);
    let trust = r#"{"Version": "2012-10-17", "Statement": [{"Action": "sts:AssumeRole", "Principal": "#;
    let answer = admin.iam("CreateRole", &[("RoleName", "r1"), ("AssumeRolePolicyDocument", trust)]).await;
    let text = "This policy contains invalid Json";
    assert_eq!(refused(&answer), (400, "MalformedPolicyDocument".into(), text.into()));
    let trust = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceArn": "arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Faaeeieije"}}}]}"#;
    let made = admin
        .iam_ok("CreateRole", &[("RoleName", "r1"), ("Path", "/e/"), ("AssumeRolePolicyDocument", trust)])
        .await;
    let listed = admin.iam_ok("ListRoles", &[("PathPrefix", "/e/")]).await;
    for answer in [made, listed, admin.iam_ok("GetRole", &[("RoleName", "r1")]).await] {
        assert_eq!(decoded(&answer.element("AssumeRolePolicyDocument").unwrap()), trust);
    }
    admin.iam_ok("CreateGroup", &[("GroupName", "g1")]).await;
    for (kind, holder) in
        [("User", ("UserName", "nobody")), ("Role", ("RoleName", "r1")), ("Group", ("GroupName", "g1"))]
    {
        let named = [holder, ("PolicyName", "p1")];
        admin
            .iam_ok(&format!("Put{kind}Policy"), &[&named[..], &[("PolicyDocument", ENCODED)]].concat())
            .await;
        let got = admin.iam_ok(&format!("Get{kind}Policy"), &named).await;
        assert_eq!(decoded(&got.element("PolicyDocument").unwrap()), ENCODED);
        let mut expected = [holder.0, "PolicyDocument", "PolicyName"];
        expected.sort_unstable();
        assert_eq!(fields(&got, &format!("Get{kind}PolicyResult")), expected);
    }
}

/// test_simulate_principle_policy, for a role, a group and a user. The account of the recording was in an
/// organization; ours is in none, so `OrganizationsDecisionDetail` is absent.
#[tokio::test]
async fn simulations() {
    let (_emulator, wire) = listening().await;
    let admin = admin(&wire);
    admin.iam_ok("CreateGroup", &[("GroupName", "g1")]).await;
    let document = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}"#;
    for (kind, name) in [("Role", "exporter"), ("Group", "g1"), ("User", "nobody")] {
        let put = [(&*format!("{kind}Name"), name), ("PolicyName", "p1"), ("PolicyDocument", document)];
        admin.iam_ok(&format!("Put{kind}Policy"), &put).await;
        let path = if kind == "Role" { "vendors/" } else { "" };
        let source = format!("{ACCOUNT}:{}/{path}{name}", kind.to_lowercase());
        let parameters = [
            ("PolicySourceArn", &*source),
            ("ActionNames.member.1", "s3:PutObject"),
            ("ActionNames.member.2", "s3:GetObjectVersion"),
            ("ResourceArns.member.1", "arn:aws:s3:::bucket"),
        ];
        let answer = admin.iam_ok("SimulatePrincipalPolicy", &parameters).await;
        assert_eq!(elements(&answer, "EvalDecision"), ["allowed", "implicitDeny"]);
        let expected = [
            "EvalActionName",
            "EvalDecision",
            "EvalDecisionDetails",
            "EvalResourceName",
            "MatchedStatements",
            "MissingContextValues",
            "ResourceSpecificResults",
        ];
        assert_eq!(fields(&answer, "member"), expected);
        assert_eq!(fields(&answer, "ResourceSpecificResults"), ["member"]);
        assert_eq!(fields(&answer, "StartPosition"), ["Column", "Line"]);
        assert_eq!(elements(&answer, "Column")[0], "41");
        assert_eq!(elements(&answer, "SourcePolicyType")[0], "IAM Policy");
        assert!(
            answer.text().contains("<MissingContextValues/>")
                && answer.text().contains("<EvalDecisionDetails/>")
        );
    }
}
