//! Whole decisions against the reference.

use bucketproof_authz::{
    AccountId, Arn, Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Reason,
    Request, Resource, decide, outcome,
};

use super::model::{self, Caller, Choices, Ground, OWNER, World};
use super::reference;

/// The reference and the crate agree, and the decision agrees with its trace and its texts.
pub(crate) fn run(input: &[u8]) {
    let world = World::new(&mut Choices(input));
    let request = request(&world);
    let list = |policies: &[model::Policy], kind| -> Vec<Policy> {
        policies.iter().map(|policy| parse(policy, kind)).collect()
    };
    let identity = list(&world.identity, PolicyKind::Identity);
    let boundary = world.boundary.as_ref().map(|policy| vec![parse(policy, PolicyKind::Boundary)]);
    let session = world.session.as_ref().map(|policy| vec![parse(policy, PolicyKind::Session)]);
    let levels: Vec<Vec<Policy>> =
        world.service_control.iter().map(|policy| vec![parse(policy, PolicyKind::ServiceControl)]).collect();
    let kind = match world.ground {
        Ground::Bucket => PolicyKind::Bucket,
        Ground::Key => PolicyKind::Key,
        Ground::Role => PolicyKind::Trust,
    };
    let resource = world.of_resource.as_ref().map(|policy| parse(policy, kind));
    let policies = Policies {
        identity: &identity,
        boundary: boundary.as_deref(),
        session: session.as_deref(),
        service_control: &levels,
        resource: resource.as_ref(),
        ..Policies::default()
    };
    let decision = decide(&request, &policies);
    assert_eq!(decision.outcome().as_str(), reference::decide(&world), "{}\n{world:#?}", decision.explain());
    assert_eq!(decision.outcome(), outcome(&request, &policies));
    assert_eq!(decision.trace().outcome, decision.outcome());
    assert_eq!(decision.is_allowed(), decision.aws_message().is_empty());
    if let Reason::ExplicitDeny { statement } = decision.reason() {
        let denies = decision.trace().policies.iter().any(|policy| {
            policy.kind == statement.policy().kind()
                && policy.statements.iter().any(|one| one.number == statement.number() && one.applies)
        });
        assert!(denies, "{}", decision.explain());
    }
}

fn parse(policy: &model::Policy, kind: PolicyKind) -> Policy {
    let text = policy.document();
    Policy::parse(&text, PolicySource::new(kind, "p")).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn request(world: &World) -> Request {
    let account = |id: &str| AccountId::new(id).expect("an account id");
    let arn = |text: Option<&str>| Arn::new(text.expect("a caller with an ARN")).expect("an ARN");
    let (own, role) = model::arns(world.caller);
    let principal = match world.caller {
        Caller::User(id) => Principal::User { arn: arn(own), account: account(id) },
        Caller::Session(id) => {
            Principal::AssumedRole { session_arn: arn(own), role_arn: arn(role), account: account(id) }
        }
        Caller::Root(id) => {
            Principal::Root { arn: arn(Some(&format!("arn:aws:iam::{id}:root"))), account: account(id) }
        }
        Caller::Service => Principal::Service { name: "cloudtrail.amazonaws.com".to_owned() },
        Caller::Anonymous => Principal::Anonymous,
    };
    let mut context = Context::new();
    for (key, values, is_list) in &world.context {
        if *is_list {
            context.set_many(*key, values.iter().copied());
        } else {
            context.set(*key, values[0]);
        }
    }
    Request {
        principal,
        ids: PrincipalIds::default(),
        action: world.action.to_owned(),
        resource: Resource { arn: world.resource.to_owned(), account: Some(account(OWNER)) },
        context,
    }
}
