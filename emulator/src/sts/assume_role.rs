//! `AssumeRole`.

use std::collections::BTreeSet;

use bucketproof_authz::{Arn, Principal};
use jiff::{SignedDuration, Timestamp};

use super::Call;
use super::credentials::{issue, new_token};
use super::session_request::{
    SessionPolicies, SessionTags, packed_percent, refuse_unsupported, source_identity,
};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::query::{Fields, Reader, Text};
use crate::state::{Account, Holder, IamTags, Role, Session, SessionSource, World};

/// How long a session lives if nothing is said, and at most.
const DURATION_SECS_DEFAULT: i64 = 3600;
const DURATION_SECS_MIN: i64 = 900;
const DURATION_SECS_MAX: i64 = 43_200;
/// All that a chained session gets.
const CHAINED_SECS_MAX: i64 = 3600;

pub(super) const ROLE_ARN: Text = Text::of(20, 2048);
pub(super) const SESSION_NAME: Text = Text::of(2, 64).matching("+=,.@-", "[\\w+=,.@-]*");
const EXTERNAL_ID: Text = Text::of(2, 1224).matching("+=,.@:/-", "[\\w+=,.@:\\/-]*");

/// A validated request.
#[derive(Debug)]
pub(super) struct AssumeRole {
    role_arn: String,
    session_name: String,
    external_id: Option<String>,
    duration_secs: i64,
    policies: SessionPolicies,
    tags: SessionTags,
    source_identity: Option<String>,
    packed_percent: usize,
    /// Whether the caller is itself a session.
    chained: bool,
}

impl Call for AssumeRole {
    fn read(reader: &mut Reader<'_>, exchange: &Exchange) -> Result<Self, AwsError> {
        refuse_unsupported(reader, "AssumeRole")?;
        let caller = exchange.authenticated.caller.identity();
        let calling = match caller.map(|caller| &caller.holder) {
            Some(Holder::Session(session)) => Some(&**session),
            _ => None,
        };
        let role_arn = reader.required("RoleArn", ROLE_ARN);
        // What looks like a role's ARN and is none is denied like a role that is missing.
        if !Arn::new(&role_arn).is_ok_and(|arn| arn.service() == "iam" && arn.account().is_some()) {
            reader.refuse(AwsError::validation(format!("{role_arn} is invalid")));
        }
        let session_name = reader.required("RoleSessionName", SESSION_NAME);
        let external_id = reader.optional("ExternalId", EXTERNAL_ID);
        let duration_secs = reader.number("DurationSeconds", DURATION_SECS_MIN, DURATION_SECS_MAX);
        let policies = SessionPolicies::read(reader);
        let tags = SessionTags::read(reader, calling);
        let source_identity = source_identity(reader, calling);
        let packed_percent = packed_percent(reader, &policies, &tags);
        if matches!(caller.map(|caller| &caller.principal), Some(Principal::Root { .. })) {
            reader.refuse(AwsError::access_denied("Roles may not be assumed by root accounts."));
        }
        if caller.is_some_and(|caller| caller.holder.is_federated_user()) {
            // Documented; the text is unverified.
            reader.refuse(AwsError::access_denied("Cannot call AssumeRole with federated user credentials"));
        }
        Ok(Self {
            role_arn,
            session_name,
            external_id,
            duration_secs: duration_secs.unwrap_or(DURATION_SECS_DEFAULT),
            policies,
            tags,
            source_identity,
            packed_percent,
            chained: calling.is_some_and(|session| matches!(session.source, SessionSource::Role { .. })),
        })
    }
}

impl AssumeRole {
    /// A requirement on the role, with the condition keys that all actions on the way to a session have.
    fn require(&self, action: &'static str, role: Option<&Role>) -> Requirement {
        let resource = RequiredResource::Role {
            arn: self.role_arn.clone(),
            account: Arn::new(&self.role_arn).ok().and_then(|arn| arn.account()),
        };
        let requirement = Requirement::new(action, resource)
            .with("sts:RoleSessionName", self.session_name.as_str())
            .with_some("sts:ExternalId", self.external_id.as_deref())
            .with_some("sts:SourceIdentity", self.source_identity.as_deref());
        self.tags.describe(with_tags_of(requirement, role))
    }
}

/// The tags of the role that is to be assumed are tags of the resource.
pub(super) fn with_tags_of(mut requirement: Requirement, role: Option<&Role>) -> Requirement {
    for (key, value) in role.map(|role| role.tags.iter()).into_iter().flatten() {
        requirement = requirement
            .with(format!("aws:ResourceTag/{key}"), value)
            .with(format!("iam:ResourceTag/{key}"), value);
    }
    requirement
}

/// What a new session of a role begins with.
pub(super) struct Start<'a> {
    pub(super) account: &'a Account,
    pub(super) role: &'a Role,
    pub(super) session_name: &'a str,
    pub(super) lifetime_secs: i64,
    pub(super) now: Timestamp,
}

impl Start<'_> {
    /// A session that nothing narrows, and its `AssumedRoleUser`.
    pub(super) fn session(&self, world: &World) -> Result<(Session, Fields), AwsError> {
        let Self { account, role, session_name, lifetime_secs, now } = self;
        let arn = format!("arn:aws:sts::{}:assumed-role/{}/{session_name}", account.id, role.entity.name);
        let unique_id = role.entity.unique_id.clone();
        let user =
            Fields::new().text("AssumedRoleId", format!("{unique_id}:{session_name}")).text("Arn", &arn);
        let source = SessionSource::Role {
            role: role.entity.name.clone(),
            unique_id,
            role_arn: role.entity.arn.clone(),
            session_arn: Arn::new(arn).map_err(|_| AwsError::internal())?,
            session_name: (*session_name).to_owned(),
        };
        let session = Session {
            account: account.id.clone(),
            source,
            token: new_token(world),
            policies: None,
            tags: IamTags::default(),
            transitive: BTreeSet::new(),
            source_identity: None,
            claims: Vec::new(),
            issued_at: *now,
            expires_at: expiry(*now, *lifetime_secs),
        };
        Ok((session, user))
    }
}

/// When a session that begins now ends.
pub(super) fn expiry(now: Timestamp, lifetime_secs: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(lifetime_secs)).unwrap_or(Timestamp::MAX)
}

impl Operation for AssumeRole {
    type Output = Fields;
    const OP: Op = Op::AssumeRole;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    /// A role that does not exist has no trust policy, and is denied like one that trusts another.
    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let role = world.accounts.role(&self.role_arn).map(|(_, role)| role);
        let mut requirements = vec![self.require("sts:AssumeRole", role)];
        if !self.tags.tags.is_empty() {
            requirements.push(self.require("sts:TagSession", role));
        }
        if self.source_identity.is_some() {
            requirements.push(self.require("sts:SetSourceIdentity", role));
        }
        Ok(requirements)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Fields, AwsError> {
        let operation = authorized.into_operation();
        let (account, role) = world.accounts.role(&operation.role_arn).ok_or_else(AwsError::internal)?;
        if operation.duration_secs > role.max_session_secs {
            return Err(AwsError::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        if operation.chained && operation.duration_secs > CHAINED_SECS_MAX {
            return Err(AwsError::validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            ));
        }
        let session_name = &operation.session_name;
        let start = Start { account, role, session_name, lifetime_secs: operation.duration_secs, now };
        let (mut session, user) = start.session(world)?;
        let says_size = !operation.policies.is_empty() || !operation.tags.tags.is_empty();
        session.policies = operation.policies.resolve(account)?;
        session.tags = operation.tags.tags;
        session.transitive = operation.tags.transitive;
        session.source_identity.clone_from(&operation.source_identity);
        let credentials = issue(world, session);
        Ok(Fields::new()
            .fields("AssumedRoleUser", user)
            .fields("Credentials", credentials)
            .some("SourceIdentity", operation.source_identity)
            .some("PackedPolicySize", says_size.then_some(operation.packed_percent)))
    }
}
