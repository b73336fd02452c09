use proptest::prelude::*;

use crate::decide::subject;
use crate::{
    Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Request, Resource,
};

fn request(action: &str, resource: &str) -> Request {
    let mut context = Context::new();
    context.set("aws:username", "alice");
    Request {
        principal: Principal::Anonymous,
        ids: PrincipalIds::default(),
        action: action.to_owned(),
        resource: Resource { arn: resource.to_owned(), account: None },
        context,
    }
}

fn policy(elements: &str) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{elements}}}}}"#);
    Policy::parse(&text, PolicySource::new(PolicyKind::Identity, "p")).expect("a policy")
}

/// Whether the only statement is a candidate.
fn is_open(elements: &str, action: &str, resource: &str) -> bool {
    let request = request(action, resource);
    policy(elements).candidates(&subject(&request, &Policies::default())).next().is_some()
}

#[test]
fn what_all_patterns_begin_with_closes_the_gate() {
    let on = |action: &str, resource: &str| {
        is_open(
            r#""Action":["s3:GetObject","S3:Put*"],"Resource":["arn:aws:s3:::bucket/a*","arn:aws:s3:::bucket/${aws:username}"]"#,
            action,
            resource,
        )
    };
    assert!(on("s3:GetObject", "arn:aws:s3:::bucket/a"));
    // Neither pattern covers these, and the gate need not know.
    assert!(on("s3:ListBucket", "arn:aws:s3:::bucket/z"));
    assert!(on("s3:GetObject", "*"));
    assert!(!on("kms:Decrypt", "arn:aws:s3:::bucket/a"));
    assert!(!on("s3:GetObject", "arn:aws:s3:::socket/a"));
    assert!(!on("s3:GetObject", "arn:aws:s3:::bucke"));
    assert!(!on("s3", "arn:aws:s3:::bucket/a"));
}

#[test]
fn a_gate_is_open_where_patterns_begin_with_nothing() {
    for elements in [
        r#""NotAction":"kms:*","Resource":"*""#,
        r#""Action":["s3:*","*"],"NotResource":"arn:aws:s3:::other/*""#,
        r#""Action":"*","Resource":["arn:aws:s3:::bucket/*","*"]"#,
        r#""Action":"*","Resource":"arn:aws:s3""#,
        r#""Action":"s3:*","Resource":"arn:*:s3:::bucket/*""#,
    ] {
        assert!(is_open(elements, "s3:GetObject", "arn:aws:s3:::bucket/a"), "{elements}");
    }
    assert!(!is_open(r#""Action":"s3:GetObject","Resource":"*""#, "s3:PutObject", "*"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// A statement behind a closed gate does not apply.
    #[test]
    fn a_closed_gate_is_right(
        actions in prop::collection::vec("[sk][3m]?[s:*]{0,2}:[GPget*?]{1,4}|\\*", 1..3),
        resources in prop::collection::vec("arn:aws:s3:::[ab*?]{1,3}(\\$\\{aws:username\\})?[/ab*]{0,8}|\\*|arn:aws:s3", 1..3),
        negated in any::<[bool; 2]>(),
        action in "[sk][3m]?s?:[GPget]{1,4}",
        resource in "arn:aws:s3:::[ab]{1,3}(alice)?[/ab]{0,8}|\\*",
    ) {
        let list = |texts: &[String]| serde_json::to_string(texts).expect("JSON");
        let policy = policy(&format!(
            r#""{}Action":{},"{}Resource":{}"#,
            if negated[0] { "Not" } else { "" }, list(&actions), if negated[1] { "Not" } else { "" }, list(&resources),
        ));
        let request = request(&action, &resource);
        let subject = subject(&request, &Policies::default());
        let candidate = policy.candidates(&subject).next().is_some();
        prop_assert!(candidate || policy.statements()[0].applies(&subject).is_none());
    }
}
