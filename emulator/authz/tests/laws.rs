//! Laws that hold for every set of policies and every request.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a broken fixture fails its test")]

use bucketproof_authz::{
    AccountId, Acl, AclGrant, AclGroup, AclPermission, Acls, Arn, Context, Grantee, ObjectOwnership, Outcome,
    Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, PublicAccessBlock, Reason, Request,
    Resource, decide,
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
    acls: Option<AclWorld>,
    public_access_block: PublicAccessBlock,
}

/// The ACLs of a bucket and perhaps an object. The canonical user ids are the account ids.
#[derive(Debug, Clone)]
struct AclWorld {
    ownership: ObjectOwnership,
    bucket: Acl,
    object: Option<Acl>,
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
                acls: self.acls.as_ref().map(|acls| Acls {
                    ownership: acls.ownership,
                    bucket: &acls.bucket,
                    object: acls.object.as_ref(),
                }),
                public_access_block: self.public_access_block,
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
        prop::option::weighted(0.6, acl_worlds()),
        any::<[bool; 2]>(),
    )
        .prop_map(|(identity, boundary, session, service_control, bucket, acls, [ignore, restrict])| {
            World {
                identity,
                boundary,
                session,
                service_control,
                bucket,
                acls,
                public_access_block: PublicAccessBlock {
                    ignore_public_acls: ignore,
                    restrict_public_buckets: restrict,
                    ..PublicAccessBlock::NONE
                },
            }
        })
}

fn acl_grants() -> impl Strategy<Value = AclGrant> {
    let grantees = prop::sample::select(vec![
        Grantee::CanonicalUser(OWNER.into()),
        Grantee::CanonicalUser(PARTNER.into()),
        Grantee::Group(AclGroup::AllUsers),
        Grantee::Group(AclGroup::AuthenticatedUsers),
    ]);
    (grantees, prop::sample::select(AclPermission::ALL.to_vec()))
        .prop_map(|(grantee, permission)| AclGrant { grantee, permission })
}

fn acls(owners: Vec<&'static str>) -> impl Strategy<Value = Acl> {
    (prop::sample::select(owners), prop::collection::vec(acl_grants(), 0..3))
        .prop_map(|(owner, grants)| Acl { owner: owner.into(), grants })
}

fn acl_worlds() -> impl Strategy<Value = AclWorld> {
    let ownership = prop::sample::select(ObjectOwnership::ALL.to_vec());
    (ownership, acls(vec![OWNER]), prop::option::of(acls(vec![OWNER, PARTNER])))
        .prop_map(|(ownership, bucket, object)| AclWorld { ownership, bucket, object })
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
        ("s3:PutObjectAcl", "arn:aws:s3:::b/x"),
        ("s3:DeleteObject", "arn:aws:s3:::b/x"),
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
        let canonical_user = principal.account().map(|account| account.as_str().into());
        let ids = PrincipalIds { canonical_user, unique: None };
        Request { principal, ids, action: action.to_owned(), resource, context }
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
    #![proptest_config(ProptestConfig::with_cases(1_000))]

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
        // An allow may make the bucket policy public, which RestrictPublicBuckets answers by shutting others out.
        let mut world = world;
        world.public_access_block.restrict_public_buckets = false;
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
        for acl in turned.acls.iter_mut().flat_map(|acls| [Some(&mut acls.bucket), acls.object.as_mut()]).flatten() {
            acl.grants.reverse();
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
    fn adding_an_acl_grant_never_denies(world in worlds(), request in requests(), grant in acl_grants(), on_bucket in any::<bool>()) {
        let before = world.decide(&request);
        let mut after = world;
        if let Some(acls) = &mut after.acls {
            let acl = if on_bucket { Some(&mut acls.bucket) } else { acls.object.as_mut() };
            if let Some(acl) = acl {
                acl.grants.push(grant);
            }
        }
        let after = after.decide(&request);
        prop_assert!(!before.is_allowed() || after.is_allowed());
        // Nor does it undo a deny.
        prop_assert!(before.outcome() != Outcome::ExplicitlyDenied || after.outcome() == Outcome::ExplicitlyDenied);
    }

    #[test]
    fn acls_of_an_enforced_bucket_are_as_none(world in worlds(), request in requests()) {
        let mut without = world.clone();
        let mut with = world;
        without.acls = None;
        with.acls.iter_mut().for_each(|acls| acls.ownership = ObjectOwnership::BucketOwnerEnforced);
        prop_assert_eq!(with.decide(&request).reason().to_string(), without.decide(&request).reason().to_string());
    }

    #[test]
    fn ignored_public_grants_are_as_none(world in worlds(), request in requests()) {
        let mut ignoring = world.clone();
        ignoring.public_access_block.ignore_public_acls = true;
        let mut without = world;
        without.public_access_block.ignore_public_acls = false;
        for acl in without.acls.iter_mut().flat_map(|acls| [Some(&mut acls.bucket), acls.object.as_mut()]).flatten() {
            *acl = acl.without_public_grants();
        }
        prop_assert_eq!(ignoring.decide(&request).outcome(), without.decide(&request).outcome());
    }

    #[test]
    fn an_acl_serves_nobody_inside_the_owning_account(world in worlds(), request in requests()) {
        // Nobody owns anything in another's bucket here, and the caller's account is the owner's.
        let mut request = request;
        request.resource.account = request.principal.account().cloned();
        let mut world = world;
        world.acls.iter_mut().for_each(|acls| if let Some(object) = &mut acls.object { object.owner = OWNER.into(); });
        let with = world.decide(&request).outcome();
        world.acls = None;
        let has_account = request.principal.account().is_some();
        prop_assert!(!has_account || with == world.decide(&request).outcome());
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
