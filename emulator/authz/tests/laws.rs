//! Laws that hold for every set of policies and every request.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a broken fixture fails its test")]

use bucketproof_authz::{
    AccountId, Arn, Context, Outcome, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds,
    Reason, Request, Resource, decide,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const OWNER: &str = "111111111111";
const PARTNER: &str = "222222222222";

/// Policies as JSON, so that a law can add to them.
#[derive(Debug, Clone, Default)]
struct World {
    identity: Vec<Vec<Value>>,
    boundary: Option<Vec<Value>>,
    session: Option<Vec<Value>>,
    service_control: Vec<Vec<Value>>,
    bucket: Option<Vec<Value>>,
}

impl World {
    fn decide(&self, request: &Request) -> bucketproof_authz::Decision {
        let identity: Vec<Policy> =
            self.identity.iter().map(|list| policy(PolicyKind::Identity, list)).collect();
        let boundary = self.boundary.as_ref().map(|list| vec![policy(PolicyKind::Boundary, list)]);
        let session = self.session.as_ref().map(|list| vec![policy(PolicyKind::Session, list)]);
        let service_control: Vec<Vec<Policy>> =
            self.service_control.iter().map(|list| vec![policy(PolicyKind::ServiceControl, list)]).collect();
        let bucket = self.bucket.as_ref().map(|list| policy(PolicyKind::Bucket, list));
        decide(
            request,
            &Policies {
                identity: &identity,
                boundary: boundary.as_deref(),
                session: session.as_deref(),
                service_control: &service_control,
                resource: bucket.as_ref(),
                ..Policies::default()
            },
        )
    }

    fn is_allowed(&self, request: &Request) -> bool {
        self.decide(request).is_allowed()
    }
}

fn policy(kind: PolicyKind, statements: &[Value]) -> Policy {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Policy::parse(&text, PolicySource::new(kind, "p")).expect("generated policies are valid")
}

fn own_statement(effect: &'static str) -> impl Strategy<Value = Value> {
    let actions = prop::sample::select(vec!["*", "s3:*", "s3:GetObject", "s3:Put*", "s3:ListBucket"]);
    let resources = prop::sample::select(vec![
        "*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b",
        "arn:aws:s3:::b/${aws:username}/*",
    ]);
    (actions, resources, condition(), any::<[bool; 2]>()).prop_map(
        move |(action, resource, condition, negate)| {
            let mut statement = json!({"Effect": effect});
            statement[if negate[0] && action != "*" { "NotAction" } else { "Action" }] = action.into();
            statement[if negate[1] && resource != "*" { "NotResource" } else { "Resource" }] =
                resource.into();
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            statement
        },
    )
}

fn condition() -> impl Strategy<Value = Option<Value>> {
    prop::option::weighted(
        0.4,
        prop::sample::select(vec![
            json!({"StringEquals": {"aws:username": "alice"}}),
            json!({"StringNotEquals": {"aws:username": "alice"}}),
            json!({"StringLikeIfExists": {"s3:prefix": "a*"}}),
            json!({"Null": {"aws:username": "true"}}),
            json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}),
            json!({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}),
        ]),
    )
}

fn bucket_statement(effect: &'static str) -> impl Strategy<Value = Value> {
    let principals = prop::sample::select(vec![
        json!({"Principal": "*"}),
        json!({"Principal": {"AWS": OWNER}}),
        json!({"Principal": {"AWS": [PARTNER, "arn:aws:iam::111111111111:user/alice"]}}),
        json!({"Principal": {"AWS": "arn:aws:iam::111111111111:role/loader"}}),
        json!({"Principal": {"AWS": "arn:aws:sts::111111111111:assumed-role/loader/job"}}),
        json!({"Principal": {"Service": "cloudtrail.amazonaws.com"}}),
        json!({"NotPrincipal": {"AWS": [OWNER, "arn:aws:iam::111111111111:user/alice"]}}),
    ]);
    (own_statement(effect), principals).prop_map(|(mut statement, principal)| {
        for (key, value) in principal.as_object().expect("an object") {
            statement[key] = value.clone();
        }
        statement
    })
}

fn list<S: Strategy<Value = Value>>(
    one: fn(&'static str) -> S,
    max: usize,
) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(prop_oneof![3 => one("Allow"), 1 => one("Deny")], 1..=max)
}

fn worlds() -> impl Strategy<Value = World> {
    (
        prop::collection::vec(list(own_statement, 3), 0..3),
        prop::option::weighted(0.3, list(own_statement, 2)),
        prop::option::weighted(0.3, list(own_statement, 2)),
        prop::collection::vec(list(own_statement, 2), 0..2),
        prop::option::weighted(0.7, list(bucket_statement, 3)),
    )
        .prop_map(|(identity, boundary, session, service_control, bucket)| World {
            identity,
            boundary,
            session,
            service_control,
            bucket,
        })
}

fn principals() -> impl Strategy<Value = Principal> {
    let arn = |text: String| Arn::new(text).expect("an ARN");
    let account = |id: &str| AccountId::new(id).expect("an account id");
    let of = move |id: &str| {
        vec![
            Principal::User { arn: arn(format!("arn:aws:iam::{id}:user/alice")), account: account(id) },
            Principal::AssumedRole {
                session_arn: arn(format!("arn:aws:sts::{id}:assumed-role/loader/job")),
                role_arn: arn(format!("arn:aws:iam::{id}:role/loader")),
                account: account(id),
            },
            Principal::Root { arn: arn(format!("arn:aws:iam::{id}:root")), account: account(id) },
        ]
    };
    let mut all = of(OWNER);
    all.extend(of(PARTNER));
    all.push(Principal::Service { name: "cloudtrail.amazonaws.com".to_owned() });
    all.push(Principal::Anonymous);
    prop::sample::select(all)
}

fn requests() -> impl Strategy<Value = Request> {
    let questions = prop::sample::select(vec![
        ("s3:GetObject", "arn:aws:s3:::b/alice/x"),
        ("s3:PutObject", "arn:aws:s3:::b/x"),
        ("s3:ListBucket", "arn:aws:s3:::b"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::b"),
    ]);
    (principals(), questions, any::<[bool; 3]>()).prop_map(|(principal, (action, arn), present)| {
        let mut context = Context::new();
        if present[0] {
            context.set("aws:username", "alice");
        }
        if present[1] {
            context.set("s3:prefix", "abc");
        }
        if present[2] {
            context.set_many("aws:TagKeys", ["a", "c"]);
        }
        let resource = Resource { arn: arn.to_owned(), account: AccountId::new(OWNER).ok() };
        Request { principal, ids: PrincipalIds::default(), action: action.to_owned(), resource, context }
    })
}

/// Adds a statement to a list of policies chosen by `place`; `own` for all but the bucket policy.
fn add(world: &mut World, place: usize, own: Value, bucket: Value) {
    match place % 5 {
        0 => world.identity.push(vec![own]),
        1 => world.boundary.iter_mut().for_each(|list| list.push(own.clone())),
        2 => world.session.iter_mut().for_each(|list| list.push(own.clone())),
        3 => world.service_control.iter_mut().for_each(|list| list.push(own.clone())),
        _ => world.bucket.get_or_insert_default().push(bucket),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn adding_a_deny_never_allows(
        world in worlds(), request in requests(), own in own_statement("Deny"), bucket in bucket_statement("Deny"), place in 0..5_usize,
    ) {
        let before = world.is_allowed(&request);
        let mut after = world;
        add(&mut after, place, own, bucket);
        prop_assert!(before || !after.is_allowed(&request));
    }

    #[test]
    fn adding_an_allow_never_denies(
        world in worlds(), request in requests(), own in own_statement("Allow"), bucket in bucket_statement("Allow"), place in 0..5_usize,
    ) {
        let before = world.is_allowed(&request);
        let mut after = world;
        add(&mut after, place, own, bucket);
        prop_assert!(!before || after.is_allowed(&request));
    }

    #[test]
    fn a_matching_deny_anywhere_denies(world in worlds(), request in requests()) {
        prop_assume!(request.action != "s3:PutBucketPolicy");
        let mut denied = world;
        denied.bucket.get_or_insert_default().push(json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}));
        prop_assert_eq!(denied.decide(&request).outcome(), Outcome::ExplicitlyDenied);
    }

    #[test]
    fn order_is_irrelevant(world in worlds(), request in requests()) {
        let mut turned = world.clone();
        turned.identity.reverse();
        turned.service_control.reverse();
        for list in turned.identity.iter_mut().chain(&mut turned.boundary).chain(&mut turned.session).chain(&mut turned.service_control).chain(&mut turned.bucket) {
            list.reverse();
        }
        prop_assert_eq!(world.decide(&request).outcome(), turned.decide(&request).outcome());
    }

    #[test]
    fn without_policies_only_the_owners_root_is_allowed(request in requests()) {
        let decision = World::default().decide(&request);
        let owner_root = matches!(&request.principal, Principal::Root { account, .. } if account.as_str() == OWNER);
        let expected = if owner_root { Outcome::Allowed } else { Outcome::ImplicitlyDenied };
        prop_assert_eq!(decision.outcome(), expected);
    }

    #[test]
    fn every_allow_names_a_statement(world in worlds(), request in requests()) {
        let decision = world.decide(&request);
        match decision.reason() {
            Reason::AllowedBy { identity, resource } => prop_assert!(identity.is_some() || resource.is_some()),
            Reason::RootOfOwner | Reason::RootManagesBucketPolicy => {
                let is_root = matches!(request.principal, Principal::Root { .. });
                prop_assert!(is_root);
            }
            _ => prop_assert!(!decision.is_allowed()),
        }
    }

    #[test]
    fn the_trace_agrees_with_the_decision(world in worlds(), request in requests()) {
        use bucketproof_authz::{Effect, Verdict};
        let decision = world.decide(&request);
        let trace = decision.trace();
        prop_assert_eq!(trace.outcome, decision.outcome());
        for policy in &trace.policies {
            let denies = policy.statements.iter().any(|one| one.applies && one.effect == Effect::Deny);
            prop_assert_eq!(policy.verdict == Verdict::Denies, denies);
        }
        if let Reason::ExplicitDeny { statement } = decision.reason() {
            let named = trace.policies.iter().any(|policy| {
                policy.kind == statement.policy().kind()
                    && policy.statements.iter().any(|one| one.number == statement.number() && one.applies && one.effect == Effect::Deny)
            });
            prop_assert!(named);
        }
        prop_assert!(!decision.is_allowed() || trace.but_for.is_empty());
        prop_assert!(!decision.explain().is_empty());
    }
}
