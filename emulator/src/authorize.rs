//! The gate: an operation passes only with every requirement allowed.
//!
//! [`Authorized`] can be made in this file alone, and the state takes nothing else. There is no way around it: no
//! mode without authorization, no key that is always right.

use std::sync::LazyLock;

use bucketproof_authz::{
    AccountId, Acls, Context, Decision, KmsGrants, Outcome, Policies, Policy, Principal, PrincipalIds,
    PublicAccessBlock, Request, Resource, UniqueId, Values, decide_owned,
};
use jiff::Timestamp;

use crate::authenticate::{Authenticated, Caller, Carrier, Identity};
use crate::error::AwsError;
use crate::head::Head;
use crate::instant;
use crate::kms::{self, KeyAccess};
use crate::operation::{Operation, RequiredResource, Requirement, Weight};
use crate::s3::existing_tags;
use crate::state::{CallerPolicies, Holder, Tags, World};

/// An operation whose every requirement was allowed.
#[derive(Debug)]
pub(crate) struct Authorized<O> {
    operation: O,
    caller: Caller,
    /// The optional permissions that were not given.
    withheld: Vec<&'static str>,
    context: Context,
}

impl<O> Authorized<O> {
    pub(crate) fn operation(&self) -> &O {
        &self.operation
    }

    pub(crate) fn into_operation(self) -> O {
        self.operation
    }

    /// Whether an optional permission was given.
    pub(crate) fn may(&self, action: &str) -> bool {
        !self.withheld.contains(&action)
    }

    /// The operation and who may do it.
    pub(crate) fn into_parts(self) -> (O, Caller) {
        (self.operation, self.caller)
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The condition keys of the request, without those of single requirements.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The caller's account; absent for anonymous callers.
    pub(crate) fn account(&self) -> Option<&AccountId> {
        self.caller.identity().and_then(|identity| identity.principal.account())
    }
}

/// A requirement with what was decided about it.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub(crate) action: &'static str,
    pub(crate) decision: Decision,
}

/// Decides on each requirement of `operation`; the first that is denied refuses it, in AWS's words.
///
/// Every decision made is added to `decided`, but for those on optional permissions: they refuse nothing.
pub(crate) fn authorize<O: Operation>(
    operation: O,
    authenticated: &Authenticated,
    head: &Head,
    world: &World,
    now: Timestamp,
    decided: &mut Vec<Decided>,
) -> Result<Authorized<O>, AwsError> {
    let requirements = operation.requirements(world)?;
    let caller = authenticated.caller.clone();
    let policies = match &caller {
        Caller::Anonymous => CallerPolicies::default(),
        Caller::Known(identity) => world.accounts.policies_of(&identity.holder),
    };
    let mut context = request_context(authenticated, head, now);
    for (key, value) in policies.tags.iter() {
        context.set(format!("aws:PrincipalTag/{key}"), value);
    }
    let mut withheld = Vec::new();
    let mut not_allowed = None;
    for requirement in requirements {
        let decision = decide_requirement(&requirement, &caller, &policies, &context, world);
        let is_allowed = decision.is_allowed();
        if requirement.weight == Weight::Optional {
            // Nobody asked for it, so it is no denial that anybody should hear of.
            if !is_allowed {
                withheld.push(requirement.action);
            }
            continue;
        }
        let via_service = requirement.via_service;
        let tolerated = is_tolerated(&requirement, &decision);
        let shown = (!is_allowed).then(|| requirement.resource.shown_in(decision.aws_message()));
        let made = Decided { action: requirement.action, decision };
        match shown {
            None => decided.push(made),
            Some(shown) if tolerated => not_allowed = Some((made, shown)),
            Some(shown) => {
                // What was missing first is what the caller asked for.
                let (made, shown) = not_allowed.unwrap_or((made, shown));
                decided.push(made);
                return Err(AwsError::denied_through(via_service, shown));
            }
        }
    }
    Ok(Authorized { operation, caller, withheld, context })
}

/// Whether `operation` would pass now. Nothing may be done on the strength of this but preparation.
pub(crate) fn would_allow<O: Operation>(
    operation: &O,
    authenticated: &Authenticated,
    head: &Head,
    world: &World,
    now: Timestamp,
) -> bool {
    let caller = &authenticated.caller;
    let policies = match caller {
        Caller::Anonymous => CallerPolicies::default(),
        Caller::Known(identity) => world.accounts.policies_of(&identity.holder),
    };
    let context = request_context(authenticated, head, now);
    let is_allowed = |requirement: &Requirement| {
        requirement.weight == Weight::Optional || {
            let decision = decide_requirement(requirement, caller, &policies, &context, world);
            decision.is_allowed() || is_tolerated(requirement, &decision)
        }
    };
    operation.requirements(world).is_ok_and(|requirements| requirements.iter().all(is_allowed))
}

/// Whether an operation may do without an action that no policy allows: none denies it either.
fn is_tolerated(requirement: &Requirement, decision: &Decision) -> bool {
    requirement.weight == Weight::NotDenied && decision.outcome() == Outcome::ImplicitlyDenied
}

fn decide_requirement(
    requirement: &Requirement,
    caller: &Caller,
    policies: &CallerPolicies,
    context: &Context,
    world: &World,
) -> Decision {
    let ids = principal_ids(caller, world);
    decide_as(requirement, caller.principal(), ids, policies, context, world)
}

/// Decides whether an AWS service may do something by itself: only the policy of the resource can let it.
///
/// The requirement tells on whose behalf, by `aws:SourceArn` and `aws:SourceAccount`.
pub(crate) fn decide_for_service(service: &str, requirement: &Requirement, world: &World) -> Decided {
    let mut context = Context::new();
    let now = world.now;
    context
        .set("aws:SecureTransport", "true")
        .set("aws:CurrentTime", instant::extended(now))
        .set("aws:EpochTime", now.as_second().to_string())
        .set("aws:PrincipalIsAWSService", "true")
        .set("aws:PrincipalServiceName", service);
    let principal = Principal::Service { name: service.to_owned() };
    let policies = CallerPolicies::default();
    let decision = decide_as(requirement, principal, PrincipalIds::default(), &policies, &context, world);
    Decided { action: requirement.action, decision }
}

fn decide_as(
    requirement: &Requirement,
    principal: Principal,
    ids: PrincipalIds,
    policies: &CallerPolicies,
    context: &Context,
    world: &World,
) -> Decision {
    let resource = ResourceSide::of(requirement, &principal, world);
    let mut context = context.clone();
    kms::key_context(&mut context, requirement, &principal, world);
    for (key, values) in &requirement.context {
        match values {
            Values::One(value) => context.set(&**key, value.as_str()),
            Values::Many(values) => context.set_many(&**key, values.iter().map(String::as_str)),
        };
    }
    if let RequiredResource::Object { bucket, key } = &requirement.resource {
        let version_id = requirement.value("s3:versionid");
        let existing = existing_tags(world, requirement.action, bucket, key, version_id);
        for (key, value) in existing.into_iter().flat_map(Tags::iter) {
            context.set(format!("s3:ExistingObjectTag/{key}"), value);
        }
    }
    if let Some(owner) = &resource.owner {
        context.set("aws:ResourceAccount", owner.as_str());
        if requirement.action.starts_with("s3:") {
            context.set("s3:ResourceAccount", owner.as_str());
        }
    }
    let request = Request {
        ids,
        principal,
        action: requirement.action.to_owned(),
        resource: Resource { arn: requirement.resource.arn(), account: resource.owner },
        context,
    };
    let key_access = requirement.resource.key_access();
    let grants = key_access.map(|access| access.grants_that_count(world)).unwrap_or_default();
    let environment = Policies {
        identity: &policies.identity,
        boundary: policies.boundary.as_ref().map(std::slice::from_ref),
        session: policies.session.as_deref(),
        resource: resource.policy.as_ref(),
        acls: resource.acls,
        kms_grants: KmsGrants {
            list: &grants,
            encryption_context: key_access.and_then(|access| access.encryption_context.as_ref()),
        },
        public_access_block: resource.public_access_block,
        ..Policies::default()
    };
    decide_owned(request, &environment)
}

/// The canonical user id of the caller's account, and the unique id of its user or role.
fn principal_ids(caller: &Caller, world: &World) -> PrincipalIds {
    let Some(identity) = caller.identity() else { return PrincipalIds::default() };
    let account = identity.principal.account().and_then(|id| world.accounts.get(id));
    PrincipalIds {
        canonical_user: account.map(|account| account.canonical_id.as_str().into()),
        // A session's id has the name of the session behind a colon; a root user has none of its own.
        unique: identity.user_id.split(':').next().and_then(|id| UniqueId::new(id).ok()),
    }
}

/// What stands on the side of a resource.
struct ResourceSide<'a> {
    /// The account that owns it: of an object that of its bucket.
    owner: Option<AccountId>,
    policy: Option<Policy>,
    acls: Option<Acls<'a>>,
    public_access_block: PublicAccessBlock,
}

impl<'a> ResourceSide<'a> {
    /// A resource that nothing is known about but its owner.
    fn of_account(owner: Option<AccountId>) -> Self {
        Self { owner, policy: None, acls: None, public_access_block: PublicAccessBlock::NONE }
    }

    fn of(requirement: &Requirement, principal: &Principal, world: &'a World) -> Self {
        match &requirement.resource {
            RequiredResource::Any | RequiredResource::NewBucket(_) => {
                Self::of_account(principal.account().cloned())
            }
            RequiredResource::Bucket(name) | RequiredResource::NewObject { bucket: name, .. } => {
                Self::of_bucket(name, None, world)
            }
            RequiredResource::Object { bucket, key } => {
                Self::of_bucket(bucket, Some((key, requirement.value("s3:versionid"))), world)
            }
            RequiredResource::Role { arn, account } => {
                let policy = world.accounts.role(arn).map(|(_, role)| role.trust.clone());
                Self { policy, ..Self::of_account(account.clone()) }
            }
            RequiredResource::Key(access) => {
                let KeyAccess { key, .. } = access.as_ref();
                Self { policy: world.keys.policy_of(key), ..Self::of_account(Some(key.account.clone())) }
            }
            RequiredResource::Topic { arn, account } => {
                Self { policy: world.topics.policy_of(arn), ..Self::of_account(Some(account.clone())) }
            }
            RequiredResource::Queue { arn, account } => {
                Self { policy: world.queues.policy_of(arn), ..Self::of_account(Some(account.clone())) }
            }
            RequiredResource::KeyAlias { account, .. }
            | RequiredResource::Iam { account, .. }
            | RequiredResource::WithoutPolicy { account, .. } => Self::of_account(Some(account.clone())),
        }
    }

    /// `object` is the key and version id of the object that the request is about.
    fn of_bucket(name: &str, object: Option<(&str, Option<&str>)>, world: &'a World) -> Self {
        let Some(bucket) = world.buckets.get(name) else { return Self::of_account(None) };
        let object = object.and_then(|(key, version)| bucket.object(key, version).ok());
        Self {
            owner: Some(bucket.owner.clone()),
            policy: bucket.policy.clone(),
            acls: Some(Acls {
                ownership: bucket.ownership(),
                bucket: &bucket.acl,
                object: object.map(|object| bucket.acl_of(&object.attributes)),
            }),
            public_access_block: world.public_access_block(bucket),
        }
    }
}

/// The condition keys that every request has, whatever it asks for.
///
/// The endpoint speaks plain HTTP on loopback; `aws:SecureTransport` is `true` as it would be on AWS, because the
/// common `Deny` on insecure transport would otherwise refuse every request.
fn request_context(authenticated: &Authenticated, head: &Head, now: Timestamp) -> Context {
    let mut context = match &authenticated.caller {
        Caller::Anonymous => context_of_all(),
        Caller::Known(identity) => identity.context.get_or_init(|| principal_context(identity)).clone(),
    };
    // What a caller's request has in common with the one before is kept once, also by the journal.
    let last = authenticated.caller.identity().map(|identity| &identity.last_context);
    let earlier = last.map(|last| last.lock().clone()).unwrap_or_default();
    context
        .set_as_in(&earlier, "aws:CurrentTime", &instant::extended(now))
        .set_as_in(&earlier, "aws:EpochTime", &now.as_second().to_string())
        .set_as_in(&earlier, "aws:SourceIp", &head.source_ip.to_string());
    if let Some(region) = &authenticated.region {
        context.set_as_in(&earlier, "aws:RequestedRegion", region);
    }
    for (key, header) in [
        ("aws:UserAgent", "user-agent"),
        ("aws:Referer", "referer"),
        ("s3:x-amz-content-sha256", "x-amz-content-sha256"),
    ] {
        if let Some(value) = head.header(header) {
            context.set_as_in(&earlier, key, value);
        }
    }
    if let Some(carrier) = authenticated.carrier {
        let (kind, version) = match carrier {
            Carrier::Header => ("REST-HEADER", "AWS4-HMAC-SHA256"),
            Carrier::Query => ("REST-QUERY-STRING", "AWS4-HMAC-SHA256"),
            Carrier::QueryV2 => ("REST-QUERY-STRING", "AWS"),
            Carrier::Post => ("POST", "AWS4-HMAC-SHA256"),
            Carrier::PostV2 => ("POST", "AWS"),
        };
        context.set_as_in(&earlier, "s3:authType", kind).set_as_in(&earlier, "s3:signatureversion", version);
    }
    if let Some(signed_at) = authenticated.signed_at {
        let age_ms = now.duration_since(signed_at).as_millis().max(0);
        context.set_as_in(&earlier, "s3:signatureAge", &age_ms.to_string());
    }
    if let Some(last) = last {
        *last.lock() = context.clone();
    }
    context
}

fn context_of_all() -> Context {
    static OF_ALL: LazyLock<Context> = LazyLock::new(|| {
        let mut context = Context::new();
        context
            .set("aws:SecureTransport", "true")
            .set("aws:ViaAWSService", "false")
            .set("s3:TlsVersion", "1.3");
        context
    });
    OF_ALL.clone()
}

/// The condition keys that all requests of a principal have.
fn principal_context(identity: &Identity) -> Context {
    let mut context = context_of_all();
    let (arn, kind) = match (&identity.principal, &identity.holder) {
        (Principal::User { arn, .. }, _) => (arn, "User"),
        (Principal::AssumedRole { session_arn, .. }, holder) if holder.is_federated_user() => {
            (session_arn, "FederatedUser")
        }
        (Principal::AssumedRole { role_arn, .. }, _) => (role_arn, "AssumedRole"),
        (Principal::Root { arn, .. }, _) => (arn, "Account"),
        (Principal::Service { .. } | Principal::Federated { .. } | Principal::Anonymous, _) => {
            return context;
        }
    };
    context
        .set("aws:PrincipalArn", arn.as_str())
        .set("aws:PrincipalType", kind)
        .set("aws:PrincipalIsAWSService", "false")
        .set("aws:userid", identity.user_id.as_str());
    if let Some(account) = identity.principal.account() {
        context.set("aws:PrincipalAccount", account.as_str());
    }
    if let Principal::User { arn, .. } = &identity.principal {
        context.set("aws:username", arn.resource().rsplit('/').next().unwrap_or_default());
    }
    let Holder::Session(session) = &identity.holder else { return context };
    context
        .set("aws:TokenIssueTime", instant::extended(session.issued_at))
        .set("aws:MultiFactorAuthPresent", "false");
    if let Some(source_identity) = &session.source_identity {
        context.set("aws:SourceIdentity", source_identity.as_str());
    }
    for (key, value) in &session.claims {
        context.set(key.as_str(), value.as_str());
    }
    context
}
