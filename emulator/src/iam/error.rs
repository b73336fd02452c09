//! The refusals of IAM in AWS's words.
//!
//! Recorded or widely reported; where a text is neither, its function says so.

use http::StatusCode;

use crate::error::AwsError;
use crate::state::EntityKind;

impl AwsError {
    pub(super) fn no_such_entity(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NoSuchEntity", text)
    }

    /// What a request names does not exist; a policy is named by its ARN.
    pub(super) fn not_found(kind: EntityKind, name: &str) -> Self {
        Self::no_such_entity(match kind {
            EntityKind::User | EntityKind::Group | EntityKind::Role => {
                format!("The {} with name {name} cannot be found.", kind.arn_type())
            }
            EntityKind::Policy => format!("Policy {name} was not found."),
            EntityKind::InstanceProfile => format!("Instance Profile {name} cannot be found."),
        })
    }

    pub(super) fn already_exists(kind: EntityKind, name: &str) -> Self {
        Self::entity_already_exists(match kind {
            EntityKind::User => format!("User with name {name} already exists."),
            EntityKind::Group => format!("Group with name {name} already exists."),
            EntityKind::Role => format!("Role with name {name} already exists."),
            EntityKind::Policy => {
                format!("A policy called {name} already exists. Duplicate names are not allowed.")
            }
            EntityKind::InstanceProfile => format!("Instance Profile {name} already exists."),
        })
    }

    pub(super) fn entity_already_exists(text: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "EntityAlreadyExists", text)
    }

    /// `what` must be done before something can be deleted: `detach all policies`.
    pub(super) fn delete_conflict(what: &str) -> Self {
        let text = format!("Cannot delete entity, must {what} first.");
        Self::new(StatusCode::CONFLICT, "DeleteConflict", text)
    }

    pub(super) fn delete_conflict_because(text: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "DeleteConflict", text)
    }

    pub(super) fn quota_exceeded(quota: &str, limit: usize) -> Self {
        Self::limit_exceeded(format!("Cannot exceed quota for {quota}: {limit}"))
    }

    pub(super) fn limit_exceeded(text: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "LimitExceeded", text)
    }

    pub(super) fn invalid_input(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidInput", text)
    }

    /// Two spaces, as recorded.
    pub(super) fn unreadable_arn() -> Self {
        Self::validation("Invalid ARN:  Could not be parsed!")
    }
}
