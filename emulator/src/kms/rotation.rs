//! Rotation of key material, on schedule and on demand.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::KmsOperation;
use super::answer::{Answer, PageRequest, epoch_seconds};
use super::input::Input;
use super::requirement::on_key;
use super::word::refuse;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{KeyScope, KmsKey, ROTATION_DAYS_DEFAULT, Rotation, RotationKind, RotationRecord, World};

/// How often a key can be rotated on demand in its life (KMS Developer Guide, 2026).
const ON_DEMAND_MAX: usize = 25;

/// Rotates a key on schedule from now on.
#[derive(Debug)]
pub(super) struct EnableKeyRotation {
    scope: KeyScope,
    key: String,
    period_days: Option<u32>,
}

impl KmsOperation for EnableKeyRotation {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let key = input.key_id()?;
        Ok(Self { scope, key, period_days: input.number("RotationPeriodInDays", 90..=2560)? })
    }
}

impl Operation for EnableKeyRotation {
    type Output = Answer;
    const OP: Op = Op::EnableKeyRotation;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        let days = self.period_days.map(|days| days.to_string());
        let requirement = on_key("kms:EnableKeyRotation", key);
        Ok(vec![requirement.with_some("kms:RotationPeriodInDays", days.as_deref())])
    }

    /// A schedule that stays the same goes on; another one begins today.
    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, period_days } = authorized.into_operation();
        let key = world.keys.resolve_without_alias(&scope, &key)?;
        let key = world.keys.get_mut(&key)?;
        key.check_usable()?;
        let present = key.rotation.map(|rotation| rotation.period_days);
        let wanted = period_days.or(present).unwrap_or(ROTATION_DAYS_DEFAULT);
        if present != Some(wanted) {
            key.rotation = Some(Rotation::starting(now, wanted));
        }
        Ok(Answer::empty())
    }
}

/// Ends the schedule.
#[derive(Debug)]
pub(super) struct DisableKeyRotation {
    scope: KeyScope,
    key: String,
}

impl KmsOperation for DisableKeyRotation {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        Ok(Self { scope, key: input.key_id()? })
    }
}

impl Operation for DisableKeyRotation {
    type Output = Answer;
    const OP: Op = Op::DisableKeyRotation;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        Ok(vec![on_key("kms:DisableKeyRotation", key)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key } = authorized.into_operation();
        let key = world.keys.resolve_without_alias(&scope, &key)?;
        let key = world.keys.get_mut(&key)?;
        key.check_usable()?;
        key.rotation = None;
        Ok(Answer::empty())
    }
}

/// Whether and when a key is rotated.
#[derive(Debug)]
pub(super) struct GetKeyRotationStatus {
    scope: KeyScope,
    key: String,
}

impl KmsOperation for GetKeyRotationStatus {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        Ok(Self { scope, key: input.key_id()? })
    }
}

impl Operation for GetKeyRotationStatus {
    type Output = Answer;
    const OP: Op = Op::GetKeyRotationStatus;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        Ok(vec![on_key("kms:GetKeyRotationStatus", key)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key } = authorized.into_operation();
        let key = world.keys.get(&world.keys.resolve_without_alias(&scope, &key)?)?;
        key.check_alive()?;
        let answer =
            Answer::new().with("KeyId", key.arn.as_str()).with("KeyRotationEnabled", key.rotation.is_some());
        Ok(match key.rotation {
            None => answer,
            Some(rotation) => answer
                .with("RotationPeriodInDays", rotation.period_days)
                .with("NextRotationDate", epoch_seconds(rotation.next_at)),
        })
    }
}

/// Rotates a key at once; a schedule goes on as it was.
#[derive(Debug)]
pub(super) struct RotateKeyOnDemand {
    scope: KeyScope,
    key: String,
}

impl KmsOperation for RotateKeyOnDemand {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        Ok(Self { scope, key: input.key_id()? })
    }
}

impl Operation for RotateKeyOnDemand {
    type Output = Answer;
    const OP: Op = Op::RotateKeyOnDemand;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        Ok(vec![on_key("kms:RotateKeyOnDemand", key)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key } = authorized.into_operation();
        let key = world.keys.resolve_without_alias(&scope, &key)?;
        let entropy = world.entropy.clone();
        let key = world.keys.get_mut(&key)?;
        key.check_usable()?;
        if on_demand(key) >= ON_DEMAND_MAX {
            let text = format!(
                "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations \
                 can be performed for this key: {}",
                key.arn
            );
            return Err(refuse("LimitExceededException", text));
        }
        key.rotate(RotationKind::OnDemand, now, &entropy);
        Ok(Answer::new().with("KeyId", key.arn.as_str()))
    }
}

fn on_demand(key: &KmsKey) -> usize {
    key.rotations.iter().filter(|rotation| rotation.kind == RotationKind::OnDemand).count()
}

/// The rotations that took place.
#[derive(Debug)]
pub(super) struct ListKeyRotations {
    scope: KeyScope,
    key: String,
    page: PageRequest,
}

impl KmsOperation for ListKeyRotations {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        input.refuse_members(&["IncludeKeyMaterial"])?;
        Ok(Self { scope, key: input.key_id()?, page: input.page(100, 1000)? })
    }
}

impl Operation for ListKeyRotations {
    type Output = Answer;
    const OP: Op = Op::ListKeyRotations;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        Ok(vec![on_key("kms:ListKeyRotations", key)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, page } = authorized.into_operation();
        let key = world.keys.get(&world.keys.resolve_without_alias(&scope, &key)?)?;
        key.check_alive()?;
        // The place in the list is the name: fixed-width, so that names sort as numbers do.
        let rotations = key.rotations.iter().enumerate();
        let page = page.page(rotations, |(index, _)| format!("{index:010}"))?;
        Ok(page.answer("Rotations", |(_, rotation)| show(key, rotation)))
    }
}

fn show(key: &KmsKey, rotation: &RotationRecord) -> Value {
    let kind = match rotation.kind {
        RotationKind::Automatic => "AUTOMATIC",
        RotationKind::OnDemand => "ON_DEMAND",
    };
    json!({
        "KeyId": key.arn.as_str(),
        "KeyMaterialId": rotation.material_id,
        "RotationDate": epoch_seconds(rotation.rotated_at),
        "RotationType": kind,
    })
}
