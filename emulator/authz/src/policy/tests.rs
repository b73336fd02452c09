use super::{NamedPrincipal, Policy, PolicyErrorKind, PolicyKind, PolicySource, Version};
use crate::arn::Arn;
use crate::ids::UniqueId;

fn parse(kind: PolicyKind, text: &str) -> Result<Policy, super::PolicyError> {
    Policy::parse(text, PolicySource::new(kind, "p"))
}

/// A refused document: our message, and AWS's.
fn refused(kind: PolicyKind, text: &str, message: &str, aws_code: &str, aws_message: &str) {
    let error = parse(kind, text).expect_err(text);
    assert_eq!(error.to_string(), message, "{text}");
    assert_eq!((error.aws_code(), error.aws_message().as_str()), (aws_code, aws_message), "{text}");
    assert!(!error.help().is_empty());
}

fn bucket(statement: &str) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    parse(PolicyKind::Bucket, &text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn bucket_policies_are_refused_in_the_words_of_s3() {
    let cases = [
        (
            "",
            "the policy does not start with `{` at line 1, column 1",
            "Policies must be valid JSON and the first byte must be '{'",
        ),
        (
            "{\"Statement\": [}",
            "expected a value, found `}` at line 1, column 16",
            "This policy contains invalid Json",
        ),
        ("{}", "the policy has no `Statement` at line 1, column 1", "Missing required field Statement"),
        (
            "{\n\"Statement\": []}",
            "`Statement` is empty at line 2, column 14",
            "Could not parse the policy: Statement is empty!",
        ),
        (
            r#"{"Version":"2012-10-18","Statement":[]}"#,
            "`2012-10-18` is not a version of the policy language at line 1, column 12",
            "The policy must contain a valid version string",
        ),
        (
            r#"{"Statement":{"Effect":"allow"}}"#,
            "`allow` is not an effect at line 1, column 24",
            "Invalid effect: allow",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
            "the statement has no `Principal` at line 1, column 14",
            "Missing required field Principal",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Resource":"*"}}"#,
            "the statement has no `Action` at line 1, column 14",
            "Missing required field Action",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*"}}"#,
            "the statement has no `Resource` at line 1, column 14",
            "Statement is missing required element",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/*"},"Action":"s3:*","Resource":"*"}}"#,
            "`arn:aws:iam::111122223333:user/*` is not a principal at line 1, column 51",
            "Invalid principal in policy",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"GetObject","Resource":"*"}}"#,
            "`GetObject` is not an action at line 1, column 57",
            "Policy has invalid action",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"bucket/*"}}"#,
            "`bucket/*` is not a resource at line 1, column 75",
            "Policy has invalid resource",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEqual":{}}}}"#,
            "`StringEqual` is not a condition operator at line 1, column 92",
            "Invalid Condition type : StringEqual",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*","action":"s3:*","Resource":"*"}}"#,
            "a statement has no element `action` at line 1, column 48",
            "Unknown field action",
        ),
    ];
    for (text, message, aws_message) in cases {
        refused(PolicyKind::Bucket, text, message, "MalformedPolicy", aws_message);
    }
}

#[test]
fn identity_and_trust_policies_are_refused_in_the_words_of_iam() {
    let code = "MalformedPolicyDocument";
    refused(
        PolicyKind::Identity,
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}"#,
        "an identity policy must not name a principal at line 1, column 32",
        code,
        "Policy document should not specify a principal.",
    );
    refused(
        PolicyKind::Identity,
        r#"{"Statement":{"Effect":"Allow","Action":"s3:*"}}"#,
        "the statement has no `Resource` at line 1, column 14",
        code,
        "Policy statement must contain resources.",
    );
    refused(
        PolicyKind::Session,
        "{\"Statement\": x}",
        "expected a value, found `x` at line 1, column 15",
        code,
        "This policy contains invalid Json",
    );
    refused(
        PolicyKind::Trust,
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}}"#,
        "a trust policy has no `Resource` at line 1, column 74",
        code,
        "Has prohibited field Resource",
    );
    refused(
        PolicyKind::Identity,
        r#"{"Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#,
        "two statements have the Sid `a` at line 1, column 75",
        code,
        "Statement IDs (SID) in a single policy must be unique.",
    );
    let error = parse(
        PolicyKind::Key,
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":""},"Action":"kms:*","Resource":"*"}}"#,
    )
    .expect_err("no principal");
    assert_eq!(error.aws_code(), "MalformedPolicyDocumentException");
    assert_eq!(error.kind(), &PolicyErrorKind::InvalidPrincipal(String::new()));
    assert_eq!((error.line(), error.column()), (1, 51));
}

#[test]
fn documents_keep_their_version_and_places() {
    let policy = parse(
        PolicyKind::Trust,
        "{\n  \"Statement\": {\n    \"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"sts:AssumeRole\"\n  }\n}",
    )
    .expect("valid");
    assert_eq!(policy.version(), Version::V2008);
    assert_eq!(policy.statements().len(), 1);
    assert_eq!(policy.statements()[0].position().line, 2);
    assert!(policy.text().starts_with("{\n"));
}

#[test]
fn principals_are_listed_with_their_form() {
    let policy = bucket(
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b","Principal":{"AWS":["*","111122223333","arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/a/b","arn:aws:sts::111122223333:assumed-role/r/s","AIDACKCEVSQ6C2EXAMPLE"],
            "Service":"sns.amazonaws.com","CanonicalUser":"79a5","Federated":"cognito-identity.amazonaws.com"}}"#,
    );
    let account = || crate::AccountId::new("111122223333").expect("an account id");
    let named: Vec<_> = policy.principals().map(|entry| entry.principal.clone()).collect();
    assert_eq!(
        named,
        [
            NamedPrincipal::Anyone,
            NamedPrincipal::Account(account()),
            NamedPrincipal::Account(account()),
            NamedPrincipal::Arn("arn:aws:iam::111122223333:user/a/b".to_owned()),
            NamedPrincipal::Arn("arn:aws:sts::111122223333:assumed-role/r/s".to_owned()),
            NamedPrincipal::UniqueId("AIDACKCEVSQ6C2EXAMPLE".to_owned()),
            NamedPrincipal::Service("sns.amazonaws.com".to_owned()),
            NamedPrincipal::CanonicalUser("79a5".to_owned()),
            NamedPrincipal::Federated("cognito-identity.amazonaws.com".to_owned()),
        ]
    );
}

#[test]
fn origin_access_identities_are_principals() {
    let named = |text: &str| NamedPrincipal::parse_aws(text);
    let identity = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EH1HDMB1FH2TC";
    assert_eq!(named(identity), NamedPrincipal::Arn(identity.to_owned()));
    for text in [
        "arn:aws:iam::cloudfront:user/alice",
        "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity *",
        "arn:aws:iam::cloudfront:root",
    ] {
        assert_eq!(named(text), NamedPrincipal::Unknown(text.to_owned()));
    }
}

/// A statement on a resource, for a kind of policy without principals.
fn on_resource(kind: PolicyKind, resource: &str) -> Result<Policy, super::PolicyError> {
    parse(kind, &format!(r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"{resource}"}}}}"#))
}

#[test]
fn incomplete_arns_are_for_policies_of_identities() {
    for resource in ["arn:aws:sqs", "arn:aws:s3:*", "arn:aws:s3*", "arn:aws:kms:eu-west-1:111122223333"] {
        for kind in [PolicyKind::Identity, PolicyKind::Boundary, PolicyKind::ServiceControl] {
            on_resource(kind, resource).unwrap_or_else(|error| panic!("{resource}: {error}"));
        }
        let error = on_resource(PolicyKind::Session, resource).expect_err(resource);
        assert_eq!(error.kind(), &PolicyErrorKind::InvalidResource(resource.to_owned()));
    }
    for resource in ["arn", "arn:aws", "arn::s3", "arn:aws:", "arn:aws::x", "arn:aws:s3:::", "s3:*", "", "**"]
    {
        assert!(on_resource(PolicyKind::Identity, resource).is_err(), "{resource}");
    }
}

#[test]
fn a_document_starts_with_its_brace_and_ends_with_it() {
    let document = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    assert!(parse(PolicyKind::Identity, document).is_ok());
    assert!(parse(PolicyKind::Identity, &format!("{document}\n")).is_ok());
    for (text, kind) in [
        (format!("\u{feff}{document}"), PolicyErrorKind::NotAnObject),
        (format!(" {document}"), PolicyErrorKind::NotAnObject),
        (format!("[{document}]"), PolicyErrorKind::NotAnObject),
        (format!("{document},"), PolicyErrorKind::InvalidJson),
        (document.replace("\"Action\"", "\"Effect\":\"Deny\",\"Action\""), PolicyErrorKind::InvalidJson),
        (
            format!("{{\"Statement\":{}1{}}}", "[".repeat(99_999), "]".repeat(99_999)),
            PolicyErrorKind::InvalidJson,
        ),
    ] {
        assert_eq!(parse(PolicyKind::Identity, &text).expect_err("refused").kind(), &kind);
    }
}

#[test]
fn names_and_values_may_be_written_with_escapes() {
    let policy = parse(
        PolicyKind::Identity,
        r#"{"Statement":{"Effect":"\u0041llow","\u0041ction":"s3\u003aGetObject","Resource":"*","Condition":{"Null":{"aws:x":false},"NumericEquals":{"s3:max-keys":[10,1e2]}}}}"#,
    );
    assert_eq!(policy.expect("valid").statements().len(), 1);
}

#[test]
fn a_document_of_a_megabyte_is_read() {
    let resources = (0..40_000).map(|n| format!("\"arn:aws:s3:::b/{n:012}\"")).collect::<Vec<_>>().join(",");
    let text = format!(r#"{{"Statement":{{"Effect":"Allow","Action":"s3:*","Resource":[{resources}]}}}}"#);
    assert!(text.len() > 1_000_000);
    assert_eq!(parse(PolicyKind::Identity, &text).expect("valid").statements().len(), 1);
}

#[test]
fn public_means_everybody_without_a_fixed_pin() {
    let check = |principal: &str, condition: &str, expected: bool| {
        let policy = bucket(&format!(
            r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Principal":{principal},"Condition":{condition}}}"#
        ));
        assert_eq!(policy.is_public(), expected, "{principal} {condition}");
    };
    check("\"*\"", "{}", true);
    check(r#"{"AWS":["111122223333","*"]}"#, "{}", true);
    check(r#"{"AWS":"111122223333"}"#, "{}", false);
    check(r#"{"Service":"sns.amazonaws.com"}"#, "{}", false);
    for (condition, expected) in [
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, false),
        (r#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#, true),
        (r#"{"StringEquals":{"aws:PrincipalOrgID":["o-1","o-2"]}}"#, false),
        (r#"{"StringEquals":{"aws:PrincipalOrgID":["o-1","o-*"]}}"#, true),
        (r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"StringEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/32"]}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","0.0.0.0/1"]}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"2001::/16"}}"#, true),
        (r#"{"StringLike":{"aws:userid":"AROAEXAMPLEID:*"}}"#, true),
        (r#"{"StringEquals":{"aws:userid":"AROAEXAMPLEID:job"}}"#, false),
        (r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:eu-west-1:111122223333:accesspoint/*"}}"#, false),
        (r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:*:*:accesspoint/a"}}"#, true),
        (r#"{"StringEquals":{"aws:UserAgent":"x"}}"#, true),
        (
            r#"{"StringEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:eu-west-1:111122223333:key/1"}}"#,
            false,
        ),
    ] {
        check("\"*\"", condition, expected);
    }
    let deny = bucket(r#"{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Principal":"*"}"#);
    assert!(!deny.is_public());
}

const ALICE: &str = "arn:aws:iam::111111111111:user/eng/alice";
const LOADER: &str = "arn:aws:iam::111111111111:role/loader";

fn stored() -> Policy {
    let text = format!(
        r#"{{"Statement": {{"Effect": "Allow",
  "Principal": {{"AWS": ["{ALICE}", "111111111111", "{LOADER}", "arn:aws:sts::111111111111:assumed-role/loader/job"]}},
  "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}}}}"#
    );
    let policy = Policy::parse(&text, PolicySource::new(PolicyKind::Bucket, "b")).unwrap();
    policy.bind(|arn| {
        let id = if arn.as_str() == ALICE { "AIDAALICE1ALICE1" } else { "AROALOADER1LOADER" };
        UniqueId::new(id).ok()
    })
}

#[test]
fn a_stored_policy_shows_the_unique_id_of_whoever_is_gone() {
    let policy = stored();
    let there = |id: &UniqueId| Arn::new(if id.as_str().starts_with("AIDA") { ALICE } else { LOADER }).ok();
    assert_eq!(policy.shown_text(there), policy.text());
    let gone = policy.shown_text(|_| None);
    let expected = policy
        .text()
        .replace(&format!("\"{ALICE}\""), "\"AIDAALICE1ALICE1\"")
        .replace(&format!("\"{LOADER}\""), "\"AROALOADER1LOADER\"");
    assert_eq!(gone, expected);
    assert!(gone.contains("assumed-role/loader/job") && gone.contains("\"111111111111\""));
    let renamed = policy.shown_text(|id| {
        let renamed = id.as_str().starts_with("AIDA").then_some("arn:aws:iam::111111111111:user/ops/alison");
        Arn::new(renamed.unwrap_or(LOADER)).ok()
    });
    assert_eq!(renamed, policy.text().replace(ALICE, "arn:aws:iam::111111111111:user/ops/alison"));
}

#[test]
fn a_written_unique_id_shows_the_arn_it_has() {
    let text = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"AIDAALICE1ALICE1"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
    let policy = Policy::parse(text, PolicySource::new(PolicyKind::Bucket, "b")).unwrap();
    assert_eq!(policy.shown_text(|_| Arn::new(ALICE).ok()), text.replace("AIDAALICE1ALICE1", ALICE));
    assert_eq!(policy.shown_text(|_| None), text);
}

#[test]
fn who_is_unknown_at_storage_stays_a_name() {
    let policy = stored().bind(|_| None);
    assert_eq!(policy.shown_text(|_| None), policy.text());
}

#[test]
fn a_policy_that_was_kept_is_the_same() {
    let text = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/reader",
        "arn:aws:iam::111122223333:role/path/writer"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;
    let source = PolicySource::new(PolicyKind::Bucket, "b").with_file("policy.json");
    let policy = Policy::parse(text, source).unwrap();
    let id = UniqueId::new("AIDACKCEVSQ6C2EXAMPLE").unwrap();
    let bound = policy.bind(|arn| arn.as_str().ends_with("user/reader").then(|| id.clone()));
    for policy in [policy, bound] {
        let kept: Policy = serde_json::from_str(&serde_json::to_string(&policy).unwrap()).unwrap();
        assert_eq!((kept.text(), kept.source()), (policy.text(), policy.source()));
        assert!(kept.principals().eq(policy.principals()));
    }
}
