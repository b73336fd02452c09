//! What an SNS action is: read from a form, permitted on a topic, done.

use std::fmt;

use bucketproof_authz::{AccountId, Arn};
use jiff::Timestamp;

use super::form::Form;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::query::Fields;
use crate::state::{Topic, World};

/// One action of the interface.
pub(super) trait Action: Sized + fmt::Debug {
    const OP: Op;

    /// Reads the parameters.
    fn read(form: &Form<'_>) -> Result<Self, AwsError>;

    /// What the caller must be permitted.
    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError>;

    /// Does it. Without a result the answer is an id alone.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError>;
}

/// Who asks, and at the endpoint of which region.
#[derive(Clone, Debug)]
pub(super) struct Who {
    /// Absent without a signature.
    pub(super) account: Option<AccountId>,
    /// The ARN of the caller.
    pub(super) principal: String,
    /// Absent without a signature: then every region is meant.
    pub(super) region: Option<String>,
}

/// Where an action works.
pub(super) struct Scope<'a> {
    pub(super) world: &'a mut World,
    pub(super) who: Who,
    pub(super) now: Timestamp,
}

/// An action on its way through the gate.
#[derive(Debug)]
pub(super) struct Call<A> {
    pub(super) action: A,
    pub(super) who: Who,
}

impl Who {
    pub(super) fn of(exchange: &Exchange) -> Self {
        let authenticated = &exchange.authenticated;
        let principal = authenticated.caller.principal();
        Self {
            account: principal.account().cloned(),
            principal: principal.arn().unwrap_or_default().to_owned(),
            region: authenticated.region.clone(),
        }
    }

    /// The caller's account, for actions that need a signature.
    pub(super) fn account(&self) -> Result<&AccountId, AwsError> {
        self.account.as_ref().ok_or_else(AwsError::sts_missing_authentication)
    }

    pub(super) fn region(&self) -> &str {
        self.region.as_deref().unwrap_or("us-east-1")
    }

    /// The ARN of a topic of the caller's account, or of all of them: `*`.
    pub(super) fn arn(&self, name: &str) -> Result<String, AwsError> {
        Ok(format!("arn:aws:sns:{}:{}:{name}", self.region(), self.account()?))
    }
}

impl Scope<'_> {
    pub(super) fn topic(&self, arn: &Arn) -> Result<&Topic, AwsError> {
        self.world.topics.get(arn.as_str()).ok_or_else(AwsError::sns_no_topic)
    }

    pub(super) fn topic_mut(&mut self, arn: &Arn) -> Result<&mut Topic, AwsError> {
        self.world.topics.get_mut(arn.as_str()).ok_or_else(AwsError::sns_no_topic)
    }
}

/// An action on a topic, which may be there or not; its policy counts.
pub(super) fn on_topic(action: &'static str, arn: &Arn, world: &World) -> Result<Requirement, AwsError> {
    let account = arn.account().ok_or_else(|| AwsError::sns_invalid("TopicArn"))?;
    let resource = RequiredResource::Topic { arn: arn.as_str().to_owned(), account };
    let mut requirement = Requirement::new(action, resource);
    for (key, value) in world.topics.get(arn.as_str()).into_iter().flat_map(|topic| &topic.tags) {
        requirement = requirement.with(format!("aws:ResourceTag/{key}"), value.as_str());
    }
    Ok(requirement)
}

/// An action that only policies of the caller's own account decide on.
pub(super) fn without_policy(action: &'static str, arn: String, account: &AccountId) -> Requirement {
    Requirement::new(action, RequiredResource::WithoutPolicy { arn, account: account.clone() })
}

impl<A: Action> Operation for Call<A> {
    type Output = Option<Fields>;
    const OP: Op = A::OP;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        self.action.requirements(&self.who, world)
    }

    fn apply(
        authorized: Authorized<Self>,
        world: &mut World,
        now: Timestamp,
    ) -> Result<Option<Fields>, AwsError> {
        let Self { action, who } = authorized.into_operation();
        action.apply(&mut Scope { world, who, now })
    }
}
