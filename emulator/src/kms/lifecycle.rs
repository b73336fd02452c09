//! The life of a key: enabled, disabled, scheduled for deletion, described in other words.

use jiff::Timestamp;

use super::KmsOperation;
use super::answer::{Answer, epoch_seconds};
use super::input::Input;
use super::requirement::on_key;
use super::word::refuse;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{KeyScope, KeyState, KmsKey, World, days_after};

/// Days until a key is deleted, if the request says nothing.
const WAITING_DAYS_DEFAULT: u32 = 30;

/// Declares an operation whose request is a key that may not be named by an alias.
macro_rules! of_a_key {
    ($(#[$meta:meta])* $name:ident, $action:literal, $change:expr) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(super) struct $name {
            scope: KeyScope,
            key: String,
        }

        impl KmsOperation for $name {
            fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
                input.refuse_members(&["TrailingDaysWithoutKeyUsage"])?;
                Ok(Self { scope, key: input.key_id()? })
            }
        }

        impl Operation for $name {
            type Output = Answer;
            const OP: Op = Op::$name;

            fn target(&self) -> Target<'_> {
                Target::Account
            }

            fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
                Ok(vec![on_key($action, world.keys.resolve_without_alias(&self.scope, &self.key)?)])
            }

            fn apply(
                authorized: Authorized<Self>,
                world: &mut World,
                now: Timestamp,
            ) -> Result<Answer, AwsError> {
                let Self { scope, key } = authorized.into_operation();
                let key = world.keys.resolve_without_alias(&scope, &key)?;
                let change: fn(&mut KmsKey, Timestamp) -> Result<Answer, AwsError> = $change;
                change(world.keys.get_mut(&key)?, now)
            }
        }
    };
}

of_a_key! {
    /// Makes a key usable again.
    EnableKey, "kms:EnableKey", |key, now| {
        key.check_alive()?;
        key.enable(now);
        Ok(Answer::empty())
    }
}

of_a_key! {
    /// Makes a key unusable until it is enabled.
    DisableKey, "kms:DisableKey", |key, _| {
        key.check_alive()?;
        key.state = KeyState::Disabled;
        Ok(Answer::empty())
    }
}

of_a_key! {
    /// Lets a key live that was to be deleted; it comes back disabled.
    CancelKeyDeletion, "kms:CancelKeyDeletion", |key, _| {
        if !matches!(key.state, KeyState::PendingDeletion { .. }) {
            let text = format!("{} is not pending deletion.", key.arn);
            return Err(refuse("KMSInvalidStateException", text));
        }
        key.state = KeyState::Disabled;
        Ok(Answer::new().with("KeyId", key.arn.as_str()))
    }
}

/// Deletes a key after a waiting period.
#[derive(Debug)]
pub(super) struct ScheduleKeyDeletion {
    scope: KeyScope,
    key: String,
    waiting_days: u32,
}

impl KmsOperation for ScheduleKeyDeletion {
    /// How AWS words a period out of bounds is unverified.
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        input.refuse_members(&["TrailingDaysWithoutKeyUsage"])?;
        let key = input.key_id()?;
        let waiting_days = input.number("PendingWindowInDays", 7..=30)?.unwrap_or(WAITING_DAYS_DEFAULT);
        Ok(Self { scope, key, waiting_days })
    }
}

impl Operation for ScheduleKeyDeletion {
    type Output = Answer;
    const OP: Op = Op::ScheduleKeyDeletion;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        let days = self.waiting_days.to_string();
        let requirement = on_key("kms:ScheduleKeyDeletion", key);
        Ok(vec![requirement.with("kms:ScheduleKeyDeletionPendingWindowInDays", days)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, waiting_days } = authorized.into_operation();
        let key = world.keys.resolve_without_alias(&scope, &key)?;
        let key = world.keys.get_mut(&key)?;
        key.check_alive()?;
        let deleted_at = days_after(now, waiting_days);
        key.state = KeyState::PendingDeletion { deleted_at };
        Ok(Answer::new()
            .with("KeyId", key.arn.as_str())
            .with("DeletionDate", epoch_seconds(deleted_at))
            .with("KeyState", "PendingDeletion")
            .with("PendingWindowInDays", waiting_days))
    }
}

/// Gives a key another description.
#[derive(Debug)]
pub(super) struct UpdateKeyDescription {
    scope: KeyScope,
    key: String,
    description: String,
}

impl KmsOperation for UpdateKeyDescription {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let key = input.key_id()?;
        Ok(Self { scope, key, description: input.required_text("Description", 0..=8192)? })
    }
}

impl Operation for UpdateKeyDescription {
    type Output = Answer;
    const OP: Op = Op::UpdateKeyDescription;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        Ok(vec![on_key("kms:UpdateKeyDescription", key)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, description } = authorized.into_operation();
        let key = world.keys.resolve_without_alias(&scope, &key)?;
        let key = world.keys.get_mut(&key)?;
        key.check_alive()?;
        key.description = description;
        Ok(Answer::empty())
    }
}
