//! `AssumeRole`.

use std::sync::Arc;

use bucketproof_authz::{Arn, DocumentKind, Policy, PolicyKind, PolicySource, Principal};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::Parameters;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::ids;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{AccessKey, Holder, Secret, Session, World};
use crate::xml::escape_text;

/// How long a session lives if nothing is said, and at most.
const DURATION_SECS_DEFAULT: i64 = 3600;
const DURATION_SECS_MIN: i64 = 900;
const DURATION_SECS_MAX: i64 = 43_200;
/// What a role allows if it says nothing, and all that a chained session gets.
const SESSION_SECS_MAX: i64 = 3600;
/// The longest session policy, in characters.
const POLICY_CHARS_MAX: usize = 2048;

/// A validated request.
#[derive(Debug)]
pub(super) struct AssumeRole {
    role_arn: Arn,
    session_name: String,
    external_id: Option<String>,
    duration_secs: i64,
    policy: Option<Policy>,
    /// Whether the caller is itself a session.
    chained: bool,
}

/// New credentials.
#[derive(Debug)]
pub(super) struct Assumed {
    key: AccessKey,
    session: Arc<Session>,
    packed_policy_percent: Option<usize>,
}

impl AssumeRole {
    pub(super) fn decode(parameters: &Parameters, exchange: &Exchange) -> Result<Self, AwsError> {
        for list in ["Tags", "TransitiveTagKeys", "PolicyArns", "ProvidedContexts"] {
            if parameters.has_list(list) {
                return Err(AwsError::not_implemented(format!("the parameter `{list}` of AssumeRole")));
            }
        }
        for name in ["SourceIdentity", "SerialNumber", "TokenCode"] {
            if parameters.get(name).is_some() {
                return Err(AwsError::not_implemented(format!("the parameter `{name}` of AssumeRole")));
            }
        }
        let role_arn = required(parameters, "RoleArn", "roleArn")?;
        check_length("roleArn", role_arn, 20, 2048)?;
        let role_arn = Arn::new(role_arn)
            .ok()
            .filter(|arn| arn.service() == "iam" && arn.account().is_some())
            .ok_or_else(|| AwsError::sts_validation(format!("{role_arn} is invalid")))?;
        let session_name = required(parameters, "RoleSessionName", "roleSessionName")?;
        check_length("roleSessionName", session_name, 2, 64)?;
        check_pattern("roleSessionName", session_name, "+=,.@-", "[\\w+=,.@-]*")?;
        let external_id = parameters.get("ExternalId");
        if let Some(external_id) = external_id {
            check_length("externalId", external_id, 2, 1224)?;
            check_pattern("externalId", external_id, "+=,.@:/-", "[\\w+=,.@:\\/-]*")?;
        }
        let caller = exchange.authenticated.caller.identity();
        if matches!(caller.map(|caller| &caller.principal), Some(Principal::Root { .. })) {
            return Err(AwsError::access_denied("Roles may not be assumed by root accounts."));
        }
        Ok(Self {
            role_arn,
            session_name: session_name.to_owned(),
            external_id: external_id.map(str::to_owned),
            duration_secs: duration(parameters.get("DurationSeconds"))?,
            policy: parameters.get("Policy").map(session_policy).transpose()?,
            chained: caller.is_some_and(|caller| matches!(caller.holder, Holder::Session(_))),
        })
    }
}

fn required<'a>(parameters: &'a Parameters, name: &str, member: &str) -> Result<&'a str, AwsError> {
    parameters.get(name).ok_or_else(|| {
        AwsError::sts_validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not \
             be null"
        ))
    })
}

fn check_length(member: &str, value: &str, min: usize, max: usize) -> Result<(), AwsError> {
    let length = value.chars().count();
    let (relation, limit) = match length {
        length if length < min => ("greater", min),
        length if length > max => ("less", max),
        _ => return Ok(()),
    };
    Err(AwsError::sts_validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have \
         length {relation} than or equal to {limit}"
    )))
}

fn check_pattern(member: &str, value: &str, also: &str, pattern: &str) -> Result<(), AwsError> {
    if value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || also.contains(c)) {
        return Ok(());
    }
    Err(AwsError::sts_validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must \
         satisfy regular expression pattern: {pattern}"
    )))
}

fn duration(text: Option<&str>) -> Result<i64, AwsError> {
    let Some(text) = text else { return Ok(DURATION_SECS_DEFAULT) };
    let seconds: i64 = text.parse().map_err(|_| {
        AwsError::new(StatusCode::BAD_REQUEST, "MalformedInput", "Invalid integer for DurationSeconds")
    })?;
    let (relation, limit) = match seconds {
        seconds if seconds < DURATION_SECS_MIN => ("greater", DURATION_SECS_MIN),
        seconds if seconds > DURATION_SECS_MAX => ("less", DURATION_SECS_MAX),
        _ => return Ok(seconds),
    };
    Err(AwsError::sts_validation(format!(
        "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member \
         must have value {relation} than or equal to {limit}"
    )))
}

fn session_policy(text: &str) -> Result<Policy, AwsError> {
    check_length("policy", text, 1, POLICY_CHARS_MAX)?;
    let source = PolicySource::new(PolicyKind::Session, "session");
    Policy::parse_valid(text, source, DocumentKind::Session)
        .map_err(|error| AwsError::new(StatusCode::BAD_REQUEST, error.aws_code(), error.aws_message()))
}

impl Operation for AssumeRole {
    type Output = Assumed;
    const OP: Op = Op::AssumeRole;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    /// A role that does not exist has no trust policy, and is denied like one that trusts another.
    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        let resource = RequiredResource::Role {
            arn: self.role_arn.as_str().to_owned(),
            account: self.role_arn.account(),
        };
        Ok(vec![
            Requirement::new("sts:AssumeRole", resource)
                .with("sts:RoleSessionName", self.session_name.as_str())
                .with_some("sts:ExternalId", self.external_id.as_deref()),
        ])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Assumed, AwsError> {
        let operation = authorized.into_operation();
        if operation.duration_secs > SESSION_SECS_MAX {
            return Err(AwsError::sts_validation(if operation.chained {
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
            } else {
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            }));
        }
        let lifetime = SignedDuration::from_secs(operation.duration_secs);
        let (account, name, role) =
            world.accounts.role(operation.role_arn.as_str()).ok_or_else(AwsError::internal)?;
        let arn = format!("arn:aws:sts::{}:assumed-role/{name}/{}", account.id, operation.session_name);
        let packed_policy_percent =
            operation.policy.as_ref().map(|policy| (policy.text().len() * 100).div_ceil(POLICY_CHARS_MAX));
        let session = Arc::new(Session {
            account: account.id.clone(),
            role: name.to_owned(),
            role_unique_id: role.unique_id.clone(),
            arn: Arn::new(arn).map_err(|_| AwsError::internal())?,
            role_arn: role.arn.clone(),
            name: operation.session_name,
            token: Secret::new(ids::session_token(&world.entropy)),
            policy: operation.policy,
            issued_at: now,
            expires_at: now.saturating_add(lifetime).unwrap_or(Timestamp::MAX),
        });
        let key = AccessKey {
            id: ids::unique_id(&world.entropy, "ASIA"),
            secret: Secret::new(ids::secret_access_key(&world.entropy)),
            holder: Holder::Session(Arc::clone(&session)),
        };
        world.accounts.add_key(key.clone());
        Ok(Assumed { key, session, packed_policy_percent })
    }
}

impl Assumed {
    pub(super) fn xml(&self) -> (&'static str, String) {
        let Self { key, session, packed_policy_percent } = self;
        let packed = packed_policy_percent
            .map(|percent| format!("    <PackedPolicySize>{percent}</PackedPolicySize>\n"))
            .unwrap_or_default();
        let body = format!(
            "    <AssumedRoleUser>\n      <AssumedRoleId>{}:{}</AssumedRoleId>\n      <Arn>{}</Arn>\n    \
             </AssumedRoleUser>\n    <Credentials>\n      <AccessKeyId>{}</AccessKeyId>\n      \
             <SecretAccessKey>{}</SecretAccessKey>\n      <SessionToken>{}</SessionToken>\n      \
             <Expiration>{}</Expiration>\n    </Credentials>\n{packed}",
            session.role_unique_id,
            escape_text(&session.name),
            escape_text(session.arn.as_str()),
            key.id,
            key.secret.expose(),
            session.token.expose(),
            session.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        );
        ("AssumeRole", body)
    }
}
