//! How often a decision asks for memory, so that the hot path stays what it is.

#![expect(clippy::expect_used, reason = "a broken fixture fails its test")]

use bucketproof_authz::{
    AccountId, Arn, Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Request,
    Resource, decide, decide_owned, outcome,
};

fn policy(kind: PolicyKind, text: &str) -> Policy {
    Policy::parse(text, PolicySource::new(kind, "p")).expect("a policy")
}

fn request() -> Request {
    let account = AccountId::new("111122223333").expect("an account id");
    let mut context = Context::new();
    context
        .set("aws:SecureTransport", "true")
        .set("aws:SourceIp", "203.0.113.7")
        .set("aws:CurrentTime", "2026-07-01T12:00:00Z")
        .set("aws:PrincipalArn", "arn:aws:iam::111122223333:user/reader")
        .set("s3:signatureAge", "60000");
    Request {
        principal: Principal::User {
            arn: Arn::new("arn:aws:iam::111122223333:user/reader").expect("an ARN"),
            account: account.clone(),
        },
        ids: PrincipalIds::default(),
        action: "s3:GetObject".to_owned(),
        resource: Resource { arn: "arn:aws:s3:::b/raw/a/b.csv".to_owned(), account: Some(account) },
        context,
    }
}

/// Every operator that needs no memory, wildcards, lists, and a bucket policy beside the caller's own.
fn environment() -> (Vec<Policy>, Policy) {
    let conditions = r#"{"Bool":{"aws:SecureTransport":"true"},"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]},
        "StringLike":{"aws:PrincipalArn":"arn:*:user/r?ader"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"},
        "NumericLessThan":{"s3:signatureAge":"600000.5"},"DateGreaterThan":{"aws:CurrentTime":"2026-07-01"},
        "StringNotEqualsIgnoreCase":{"aws:PrincipalArn":"nobody"},"Null":{"aws:MultiFactorAuthAge":"true"}}"#;
    let own = policy(
        PolicyKind::Identity,
        &format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Action":"s3:Put*","Resource":"*"}},
                {{"Effect":"Deny","NotAction":["s3:*"],"Resource":"*"}},
                {{"Effect":"Allow","Action":["s3:List*","s3:?et*"],"Resource":"arn:aws:s3:::b/*/*.csv","Condition":{conditions}}}]}}"#
        ),
    );
    let bucket = policy(
        PolicyKind::Bucket,
        r#"{"Statement":[{"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}]}"#,
    );
    (vec![own], bucket)
}

/// The result of a call and how often it allocated.
fn count<T>(call: impl FnOnce() -> T) -> (T, u64) {
    let mut result = None;
    let info = allocation_counter::measure(|| result = Some(call()));
    (result.expect("the call was made"), info.count_total)
}

#[test]
fn an_outcome_allocates_nothing() {
    let (own, bucket) = environment();
    let policies = Policies { identity: &own, resource: Some(&bucket), ..Policies::default() };
    let request = request();
    let (outcome, allocations) = count(|| outcome(&request, &policies));
    assert_eq!((outcome.as_str(), allocations), ("Allowed", 0));
}

#[test]
fn a_decision_allocates_for_what_it_keeps() {
    let (own, bucket) = environment();
    let policies = Policies { identity: &own, resource: Some(&bucket), ..Policies::default() };
    let request = request();
    let copy = request.clone();
    // The decision itself and its list of identity policies.
    let (decision, allocations) = count(|| decide_owned(copy, &policies));
    assert_eq!(allocations, 2, "{decision:?}");
    // Beside them the action and the resource of the copied request.
    let (decision, allocations) = count(|| decide(&request, &policies));
    assert_eq!(allocations, 4, "{decision:?}");
}

#[test]
fn the_number_of_statements_is_irrelevant() {
    let statements =
        vec![r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::other/*"}"#; 1_000];
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let own = [policy(PolicyKind::Identity, &text)];
    let policies = Policies { identity: &own, ..Policies::default() };
    let copy = request();
    let (decision, allocations) = count(|| decide_owned(copy, &policies));
    assert_eq!((decision.outcome().as_str(), allocations), ("ImplicitlyDenied", 2));
}
