//! What an SQS action is: read from JSON, permitted on a queue, done.

use std::fmt;

use bucketproof_authz::{AccountId, Arn};
use http::Uri;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::word;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{Queue, World};

/// One action of the interface.
pub(super) trait Action: fmt::Debug + DeserializeOwned {
    const OP: Op;

    /// What the caller must be permitted.
    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError>;

    /// Does it; null for an answer without a body.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError>;
}

/// Who asks, and at the endpoint of which region.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) account: AccountId,
    pub(super) region: String,
    /// `AIDA…` and the like.
    pub(super) user_id: String,
    /// Before the path of queue URLs.
    pub(super) base_url: String,
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
    pub(super) fn of(exchange: &Exchange) -> Result<Self, AwsError> {
        let identity = exchange.authenticated.caller.identity();
        let identity = identity.ok_or_else(AwsError::sts_missing_authentication)?;
        let account = identity.principal.account().ok_or_else(AwsError::internal)?.clone();
        let region = exchange.authenticated.region.clone().unwrap_or_else(|| "us-east-1".to_owned());
        let base_url = exchange.base_url("sqs", &region);
        Ok(Self { account, base_url, region, user_id: identity.user_id.clone() })
    }

    pub(super) fn url(&self, queue: &Queue) -> String {
        format!("{}/{}/{}", self.base_url, queue.account, queue.name)
    }

    /// The ARN of a queue of an account, or of all of them: `*`.
    pub(super) fn arn(&self, account: &str, name: &str) -> String {
        format!("arn:aws:sqs:{}:{account}:{name}", self.region)
    }

    /// The ARN of the queue that a URL names; the host does not count.
    pub(super) fn queue(&self, url: &str) -> Result<Arn, AwsError> {
        let invalid =
            || word::refuse("InvalidAddress", format!("The address {url} is not valid for this endpoint."));
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        let mut parts = uri.path().trim_matches('/').rsplit('/');
        let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if name.is_empty() || AccountId::new(account).is_err() {
            return Err(invalid());
        }
        Arn::new(self.arn(account, name)).map_err(|_| invalid())
    }
}

impl Scope<'_> {
    pub(super) fn queue(&self, arn: &Arn) -> Result<&Queue, AwsError> {
        self.world.queues.get(arn.as_str()).ok_or_else(word::no_queue)
    }

    pub(super) fn queue_mut(&mut self, arn: &Arn) -> Result<&mut Queue, AwsError> {
        self.world.queues.get_mut(arn.as_str()).ok_or_else(word::no_queue)
    }
}

/// An action on a queue, which may be there or not; its policy counts.
pub(super) fn on_queue(
    action: &'static str,
    who: &Who,
    url: &str,
    world: &World,
) -> Result<Vec<Requirement>, AwsError> {
    let arn = who.queue(url)?;
    let account = arn.account().ok_or_else(word::no_queue)?;
    let resource = RequiredResource::Queue { arn: arn.as_str().to_owned(), account };
    let mut requirement = Requirement::new(action, resource);
    for (key, value) in world.queues.get(arn.as_str()).into_iter().flat_map(|queue| &queue.tags) {
        requirement = requirement.with(format!("aws:ResourceTag/{key}"), value.as_str());
    }
    Ok(vec![requirement])
}

/// An action that only policies of the caller's own account decide on.
pub(super) fn without_policy(action: &'static str, arn: String, account: &AccountId) -> Requirement {
    Requirement::new(action, RequiredResource::WithoutPolicy { arn, account: account.clone() })
}

impl<A: Action> Operation for Call<A> {
    type Output = Value;
    const OP: Op = A::OP;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        self.action.requirements(&self.who, world)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Value, AwsError> {
        let Self { action, who } = authorized.into_operation();
        action.apply(&mut Scope { world, who, now })
    }
}
