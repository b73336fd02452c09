//! `GetSessionToken` and `GetFederationToken`: temporary credentials of a user.

use bucketproof_authz::{AccountId, Arn, Policy, Principal};
use jiff::Timestamp;

use super::Call;
use super::assume_role::expiry;
use super::credentials::{issue, new_token};
use super::session_request::{SessionPolicies, SessionTags, packed_percent, refuse_unsupported};
use crate::authenticate::Identity;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::query::{Fields, Reader, Text};
use crate::state::{Holder, Session, SessionSource, World};

const DURATION_SECS_DEFAULT: i64 = 43_200;
const DURATION_SECS_MIN: i64 = 900;
const DURATION_SECS_MAX: i64 = 129_600;
/// Credentials of a root user live no longer, whatever was asked for.
const ROOT_SECS_MAX: i64 = 3600;

const NAME: Text = Text::of(2, 32).matching("+=,.@-", "[\\w+=,.@-]*");

/// Credentials with the caller's own rights.
#[derive(Debug)]
pub(super) struct GetSessionToken {
    account: AccountId,
    source: SessionSource,
    duration_secs: i64,
}

/// Credentials for somebody whom the caller answers for.
#[derive(Debug)]
pub(super) struct GetFederationToken {
    account: AccountId,
    user_id: String,
    user_arn: Arn,
    name: String,
    duration_secs: i64,
    policies: SessionPolicies,
    tags: SessionTags,
    packed_percent: usize,
}

/// The caller by its long-lived key.
fn long_lived_caller(exchange: &Exchange, op: Op) -> Result<(&Identity, AccountId), AwsError> {
    let caller = exchange.authenticated.caller.identity().ok_or_else(AwsError::sts_missing_authentication)?;
    if matches!(caller.holder, Holder::Session(_)) {
        return Err(AwsError::access_denied(format!("Cannot call {op} with session credentials")));
    }
    let account = caller.principal.account().ok_or_else(AwsError::internal)?;
    Ok((caller, account.clone()))
}

fn duration(reader: &mut Reader<'_>, caller: &Identity) -> i64 {
    let given = reader.number("DurationSeconds", DURATION_SECS_MIN, DURATION_SECS_MAX);
    let seconds = given.unwrap_or(DURATION_SECS_DEFAULT);
    if matches!(caller.principal, Principal::Root { .. }) { seconds.min(ROOT_SECS_MAX) } else { seconds }
}

struct Terms {
    source: SessionSource,
    policies: Option<Vec<Policy>>,
    tags: SessionTags,
    duration_secs: i64,
}

fn session(world: &World, account: AccountId, terms: Terms, now: Timestamp) -> Session {
    Session {
        account,
        source: terms.source,
        token: new_token(world),
        policies: terms.policies,
        tags: terms.tags.tags,
        transitive: terms.tags.transitive,
        source_identity: None,
        claims: Vec::new(),
        issued_at: now,
        expires_at: expiry(now, terms.duration_secs),
    }
}

impl Call for GetSessionToken {
    fn read(reader: &mut Reader<'_>, exchange: &Exchange) -> Result<Self, AwsError> {
        refuse_unsupported(reader, "GetSessionToken")?;
        let (caller, account) = long_lived_caller(exchange, Self::OP)?;
        let source = match caller.principal {
            Principal::Root { .. } => SessionSource::Root,
            _ => SessionSource::User { unique_id: caller.user_id.clone() },
        };
        Ok(Self { account, source, duration_secs: duration(reader, caller) })
    }
}

impl Operation for GetSessionToken {
    type Output = Fields;
    const OP: Op = Op::GetSessionToken;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    /// No policy can permit or deny it (STS API reference): who has the key has the rights.
    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(Vec::new())
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Fields, AwsError> {
        let Self { account, source, duration_secs } = authorized.into_operation();
        let terms = Terms { source, policies: None, tags: SessionTags::default(), duration_secs };
        let session = session(world, account, terms, now);
        Ok(Fields::new().fields("Credentials", issue(world, session)))
    }
}

impl Call for GetFederationToken {
    fn read(reader: &mut Reader<'_>, exchange: &Exchange) -> Result<Self, AwsError> {
        let (caller, account) = long_lived_caller(exchange, Self::OP)?;
        let Principal::User { arn, .. } = &caller.principal else {
            return Err(AwsError::not_implemented("GetFederationToken with the credentials of a root user"));
        };
        let name = reader.required("Name", NAME);
        let policies = SessionPolicies::read(reader);
        let tags = SessionTags::read(reader, None);
        let packed_percent = packed_percent(reader, &policies, &tags);
        let duration_secs = duration(reader, caller);
        let (user_id, user_arn) = (caller.user_id.clone(), arn.clone());
        Ok(Self { account, user_id, user_arn, name, duration_secs, policies, tags, packed_percent })
    }
}

impl GetFederationToken {
    fn arn(&self) -> String {
        format!("arn:aws:sts::{}:federated-user/{}", self.account, self.name)
    }

    fn require(&self, action: &'static str) -> Requirement {
        let resource = RequiredResource::Iam { arn: self.arn(), account: self.account.clone(), shown: None };
        self.tags.describe(Requirement::new(action, resource))
    }
}

impl Operation for GetFederationToken {
    type Output = Fields;
    const OP: Op = Op::GetFederationToken;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        let mut requirements = vec![self.require("sts:GetFederationToken")];
        if !self.tags.tags.is_empty() {
            requirements.push(self.require("sts:TagSession"));
        }
        Ok(requirements)
    }

    /// Without a policy the session may do only what resource policies grant to it by name.
    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Fields, AwsError> {
        let operation = authorized.into_operation();
        let arn = operation.arn();
        let account = world.accounts.get(&operation.account).ok_or_else(AwsError::internal)?;
        let policies = operation.policies.resolve(account)?.unwrap_or_default();
        let source = SessionSource::Federated {
            user_id: operation.user_id,
            user_arn: operation.user_arn,
            session_arn: Arn::new(&arn).map_err(|_| AwsError::internal())?,
            name: operation.name.clone(),
        };
        let user = Fields::new()
            .text("FederatedUserId", format!("{}:{}", operation.account, operation.name))
            .text("Arn", arn);
        let terms = Terms {
            source,
            policies: Some(policies),
            tags: operation.tags,
            duration_secs: operation.duration_secs,
        };
        let session = session(world, operation.account, terms, now);
        Ok(Fields::new()
            .fields("Credentials", issue(world, session))
            .fields("FederatedUser", user)
            .text("PackedPolicySize", operation.packed_percent))
    }
}
