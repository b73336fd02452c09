//! The texts of `explain`, one snapshot per telling case.

#![expect(clippy::expect_used, reason = "a broken fixture fails its test")]

use bucketproof_authz::{
    AccountId, Arn, Context, Decision, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds,
    PublicAccessBlock, Request, Resource, decide,
};

const OWNER: &str = "111111111111";
const PARTNER: &str = "222222222222";

fn policy(kind: PolicyKind, name: &str, text: &str) -> Policy {
    let source = PolicySource::new(kind, name).with_file(format!("policies/{name}.json"));
    Policy::parse(text, source).expect("a valid policy")
}

fn user(account: &str, name: &str) -> Principal {
    Principal::User {
        arn: Arn::new(format!("arn:aws:iam::{account}:user/{name}")).expect("an ARN"),
        account: AccountId::new(account).expect("an account id"),
    }
}

fn session(account: &str, role: &str) -> Principal {
    Principal::AssumedRole {
        session_arn: Arn::new(format!("arn:aws:sts::{account}:assumed-role/{role}/job-7")).expect("an ARN"),
        role_arn: Arn::new(format!("arn:aws:iam::{account}:role/{role}")).expect("an ARN"),
        account: AccountId::new(account).expect("an account id"),
    }
}

fn ask(
    principal: Principal,
    action: &str,
    arn: &str,
    context: &[(&str, &str)],
    policies: &Policies<'_>,
) -> Decision {
    let mut keys = Context::new();
    for (key, value) in context {
        keys.set(*key, *value);
    }
    let resource = Resource { arn: arn.to_owned(), account: AccountId::new(OWNER).ok() };
    decide(
        &Request {
            principal,
            ids: PrincipalIds::default(),
            action: action.to_owned(),
            resource,
            context: keys,
        },
        policies,
    )
}

fn allow_all_of_s3() -> Policy {
    policy(
        PolicyKind::Identity,
        "read-raw",
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": "s3:*", "Resource": "*" }
  ]
}"#,
    )
}

#[test]
fn a_partner_misses_the_vpc_endpoint() {
    let bucket = policy(
        PolicyKind::Bucket,
        "shared",
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "PartnerRead",
      "Effect": "Allow",
      "Principal": { "AWS": "222222222222" },
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::shared/raw/*",
      "Condition": { "StringEquals": { "aws:SourceVpce": "vpce-1a2b3c4d" } }
    }
  ]
}"#,
    );
    let policies =
        Policies { identity: &[allow_all_of_s3()], resource: Some(&bucket), ..Policies::default() };
    let decision =
        ask(user(PARTNER, "reader"), "s3:GetObject", "arn:aws:s3:::shared/raw/a.csv", &[], &policies);
    let text = decision.explain_as(Some("7f3a"), Some("2026-01-01T00:00:00Z")).to_string();
    insta::assert_snapshot!(text);
}

#[test]
fn a_partner_is_let_in_by_both_sides() {
    let bucket = policy(
        PolicyKind::Bucket,
        "shared",
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
            "Action": "s3:Get*", "Resource": "arn:aws:s3:::shared/*"}}"#,
    );
    let policies =
        Policies { identity: &[allow_all_of_s3()], resource: Some(&bucket), ..Policies::default() };
    let decision =
        ask(user(PARTNER, "reader"), "s3:GetObject", "arn:aws:s3:::shared/raw/a.csv", &[], &policies);
    insta::assert_snapshot!(decision.explain());
}

#[test]
fn a_deny_beats_the_allow() {
    let bucket = policy(
        PolicyKind::Bucket,
        "shared",
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TlsOnly",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "s3:*",
      "Resource": ["arn:aws:s3:::shared", "arn:aws:s3:::shared/*"],
      "Condition": { "Bool": { "aws:SecureTransport": "false" } }
    }
  ]
}"#,
    );
    let policies =
        Policies { identity: &[allow_all_of_s3()], resource: Some(&bucket), ..Policies::default() };
    let decision = ask(
        user(OWNER, "writer"),
        "s3:PutObject",
        "arn:aws:s3:::shared/raw/a.csv",
        &[("aws:SecureTransport", "false")],
        &policies,
    );
    insta::assert_snapshot!(decision.explain());
}

#[test]
fn nothing_allows() {
    let other = policy(
        PolicyKind::Identity,
        "list-only",
        r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::shared"},
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::shared/home/${aws:username}/*"}
        ]}"#,
    );
    let policies = Policies { identity: &[other], ..Policies::default() };
    let decision = ask(
        user(OWNER, "bob"),
        "s3:GetObject",
        "arn:aws:s3:::shared/home/alice/a.csv",
        &[("aws:username", "bob")],
        &policies,
    );
    insta::assert_snapshot!(decision.explain());
}

#[test]
fn a_boundary_and_a_session_policy_limit() {
    let boundary = policy(
        PolicyKind::Boundary,
        "read-only",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}"#,
    );
    let policies =
        Policies { identity: &[allow_all_of_s3()], boundary: Some(&[boundary]), ..Policies::default() };
    let decision =
        ask(session(OWNER, "exporter"), "s3:PutObject", "arn:aws:s3:::shared/raw/a.csv", &[], &policies);
    insta::assert_snapshot!("boundary", decision.explain());

    let policies = Policies { identity: &[allow_all_of_s3()], session: Some(&[]), ..Policies::default() };
    let decision =
        ask(session(OWNER, "exporter"), "s3:PutObject", "arn:aws:s3:::shared/raw/a.csv", &[], &policies);
    insta::assert_snapshot!("empty_session_policy", decision.explain());
}

#[test]
fn a_key_policy_delegates_to_nobody() {
    let key = policy(
        PolicyKind::Key,
        "1234abcd",
        r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Key admin", "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111111111111:role/admin"}, "Action": "kms:*", "Resource": "*"}]}"#,
    );
    let identity = policy(
        PolicyKind::Identity,
        "use-keys",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*"}]}"#,
    );
    let policies = Policies { identity: &[identity], resource: Some(&key), ..Policies::default() };
    let decision = ask(
        session(OWNER, "exporter"),
        "kms:GenerateDataKey",
        "arn:aws:kms:eu-west-1:111111111111:key/1234abcd",
        &[],
        &policies,
    );
    insta::assert_snapshot!(decision.explain());
}

#[test]
fn a_vendor_sends_the_wrong_external_id() {
    let trust = policy(
        PolicyKind::Trust,
        "vendor-access",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"},
            "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "acct_42"}}}]}"#,
    );
    let identity = policy(
        PolicyKind::Identity,
        "assume",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}"#,
    );
    let policies = Policies { identity: &[identity], resource: Some(&trust), ..Policies::default() };
    let decision = ask(
        user(PARTNER, "vendor"),
        "sts:AssumeRole",
        "arn:aws:iam::111111111111:role/vendor-access",
        &[("sts:ExternalId", "acct_43")],
        &policies,
    );
    insta::assert_snapshot!(decision.explain());
}

#[test]
fn a_level_of_service_control_policies_is_silent() {
    let full = policy(
        PolicyKind::ServiceControl,
        "FullAWSAccess",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
    );
    let reads = policy(
        PolicyKind::ServiceControl,
        "reads",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}]}"#,
    );
    let policies = Policies {
        identity: &[allow_all_of_s3()],
        service_control: &[vec![full], vec![reads]],
        ..Policies::default()
    };
    let decision =
        ask(user(OWNER, "writer"), "s3:PutObject", "arn:aws:s3:::shared/raw/a.csv", &[], &policies);
    insta::assert_snapshot!(decision.explain());
}

#[test]
fn a_public_policy_is_restricted() {
    let bucket = policy(
        PolicyKind::Bucket,
        "shared",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::shared/*"}]}"#,
    );
    let policies = Policies {
        resource: Some(&bucket),
        public_access_block: PublicAccessBlock::ALL,
        ..Policies::default()
    };
    let decision = ask(Principal::Anonymous, "s3:GetObject", "arn:aws:s3:::shared/raw/a.csv", &[], &policies);
    insta::assert_snapshot!(decision.explain());
}

#[test]
fn the_trace_is_json() {
    let bucket = policy(
        PolicyKind::Bucket,
        "shared",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"},
            "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shared/*",
            "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}}]}"#,
    );
    let policies =
        Policies { identity: &[allow_all_of_s3()], resource: Some(&bucket), ..Policies::default() };
    let decision = ask(
        user(PARTNER, "reader"),
        "s3:GetObject",
        "arn:aws:s3:::shared/raw/a.csv",
        &[("aws:SourceIp", "198.51.100.1")],
        &policies,
    );
    insta::assert_json_snapshot!(decision);
}

#[test]
fn callers_of_the_same_organization_are_told_why() {
    let own = [allow_all_of_s3()];
    let policies = Policies { identity: &own, ..Policies::default() };
    let message = |organization: &str| {
        let context = [("aws:PrincipalOrgID", "o-1"), ("aws:ResourceOrgID", organization)];
        ask(user(PARTNER, "reader"), "s3:GetObject", "arn:aws:s3:::shared/k", &context, &policies)
            .aws_message()
    };
    assert_eq!(
        message("o-1"),
        "User: arn:aws:iam::222222222222:user/reader is not authorized to perform: s3:GetObject on resource: \
         \"arn:aws:s3:::shared/k\" because no resource-based policy allows the s3:GetObject action"
    );
    assert_eq!(message("o-2"), "Access Denied");
}

/// What the trace says of the only condition of a bucket policy.
fn told_of_null(absent: bool, context: &[(&str, &str)]) -> String {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",
            "Resource":"arn:aws:s3:::b/*","Condition":{{"Null":{{"aws:SourceVpce":"{absent}"}}}}}}}}"#
    );
    let bucket = policy(PolicyKind::Bucket, "b", &text);
    let policies = Policies { resource: Some(&bucket), ..Policies::default() };
    let decision = ask(user(PARTNER, "reader"), "s3:GetObject", "arn:aws:s3:::b/k", context, &policies);
    let json = serde_json::to_string(&decision).expect("JSON");
    let (_, after) = json.split_once("\"text\":\"Null ").expect("the condition");
    after.split_once('"').expect("its end").0.to_owned()
}

#[test]
fn the_null_operator_tells_an_absent_key_from_one_with_a_value() {
    let present = [("aws:SourceVpce", "vpce-1")];
    assert_eq!(told_of_null(true, &[]), "aws:SourceVpce: the request has no such key");
    assert_eq!(told_of_null(false, &[]), "aws:SourceVpce: the request has no such key");
    assert_eq!(told_of_null(true, &present), "aws:SourceVpce: `vpce-1` against `true`");
    assert_eq!(told_of_null(false, &present), "aws:SourceVpce: `vpce-1` against `false`");
}
