//! SNS topic policies.

use crate::policy::{Policy, PolicyError, PolicyErrorKind};

use super::error;

/// The actions on a topic that its policy may name (SNS Developer Guide, "Amazon SNS API permissions"; `Receive` stands
/// in old default policies). Wildcards are refused, `SNS:*` included (reported many times).
const ACTIONS: [&str; 12] = [
    "SNS:AddPermission",
    "SNS:DeleteTopic",
    "SNS:GetDataProtectionPolicy",
    "SNS:GetTopicAttributes",
    "SNS:ListSubscriptionsByTopic",
    "SNS:ListTagsForResource",
    "SNS:Publish",
    "SNS:PutDataProtectionPolicy",
    "SNS:Receive",
    "SNS:RemovePermission",
    "SNS:SetTopicAttributes",
    "SNS:Subscribe",
];

/// Refuses every action that is not one on a topic. Which resources SNS refuses is unverified, so none is.
pub(super) fn check(policy: &Policy) -> Result<(), PolicyError> {
    for statement in policy.statements() {
        let is_known = |text: &str| ACTIONS.iter().any(|action| action.eq_ignore_ascii_case(text));
        if let Some(pattern) = statement.action.patterns.iter().find(|pattern| !is_known(&pattern.text)) {
            return Err(error(
                policy.kind(),
                PolicyErrorKind::InvalidAction(pattern.text.to_string()),
                pattern.at,
                format!("`{}` is not an action of a topic policy", pattern.text),
                format!("list the actions in full; a topic has {}", ACTIONS.join(", ")),
            ));
        }
    }
    Ok(())
}
