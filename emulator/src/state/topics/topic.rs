//! A topic.

use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, Arn, Policy, PolicyError, PolicyKind, PolicySource};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where messages are published.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) arn: Arn,
    pub(crate) account: AccountId,
    pub(crate) region: String,
    pub(crate) policy: Policy,
    /// What was set, by the names of the interface: `DisplayName`, `DeliveryPolicy`, `SignatureVersion`.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) deleted_subscriptions: u64,
    pub(crate) created_at: Timestamp,
}

impl Topic {
    /// A new topic with the policy that AWS gives it.
    pub(crate) fn new(arn: Arn, account: AccountId, now: Timestamp) -> Result<Self, PolicyError> {
        let name = arn.resource().to_owned();
        let source = PolicySource::new(PolicyKind::Topic, &name);
        let policy = Policy::parse(&default_policy_text(&arn, &account), source)?;
        Ok(Self {
            region: arn.region().to_owned(),
            name,
            arn,
            account,
            policy,
            attributes: BTreeMap::new(),
            tags: BTreeMap::new(),
            deleted_subscriptions: 0,
            created_at: now,
        })
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Whether messages are signed by way of SHA-256 instead of SHA-1.
    pub(crate) fn signs_with_sha256(&self) -> bool {
        self.attribute("SignatureVersion") == Some("2")
    }
}

/// The policy of a topic that was made without one (recorded). It lets nobody in whom the account does not let in.
pub(crate) fn default_policy_text(arn: &Arn, account: &AccountId) -> String {
    format!(
        "{{\"Version\":\"2008-10-17\",\"Id\":\"__default_policy_ID\",\"Statement\":[{{\"Sid\":\"__default_statement_ID\",\
         \"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"*\"}},\"Action\":[\"SNS:GetTopicAttributes\",\
         \"SNS:SetTopicAttributes\",\"SNS:AddPermission\",\"SNS:RemovePermission\",\"SNS:DeleteTopic\",\
         \"SNS:Subscribe\",\"SNS:ListSubscriptionsByTopic\",\"SNS:Publish\"],\"Resource\":\"{arn}\",\"Condition\":\
         {{\"StringEquals\":{{\"AWS:SourceOwner\":\"{account}\"}}}}}}]}}"
    )
}
