//! Retention and legal hold of a version, read and changed.

use jiff::Timestamp;

use super::{BYPASS, check_bypass, check_future};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::s3::version_ref::VersionRef;
use crate::state::{EventKind, Lock, Retention, RetentionMode, World};

/// The lock of a version in a bucket that has Object Lock.
fn lock_of(version: &VersionRef, world: &World) -> Result<Lock, AwsError> {
    if world.bucket(&version.bucket)?.object_lock.is_none() {
        return Err(AwsError::invalid_request("Bucket is missing Object Lock Configuration"));
    }
    Ok(version.find(world)?.attributes.lock)
}

/// `GetObjectRetention`.
#[derive(Debug)]
pub(crate) struct GetObjectRetention(pub(crate) VersionRef);

impl Operation for GetObjectRetention {
    type Output = Retention;
    const OP: Op = Op::GetObjectRetention;

    fn target(&self) -> Target<'_> {
        self.0.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![self.0.require(world, "s3:GetObjectRetention")?])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Retention, AwsError> {
        lock_of(&authorized.operation().0, world)?.retention.ok_or_else(AwsError::no_object_lock)
    }
}

/// What a retention is to be; `None` takes it off.
pub(crate) type RetentionChange = Option<Retention>;

/// `PutObjectRetention`.
#[derive(Debug)]
pub(crate) struct PutObjectRetention {
    pub(crate) version: VersionRef,
    /// What is to be, or what is wrong with it.
    pub(crate) retention: Result<RetentionChange, AwsError>,
    /// The new mode and end, and the days between, as policies see them.
    pub(crate) described: super::LockHeaders,
    pub(crate) bypass: Option<bool>,
}

impl Operation for PutObjectRetention {
    type Output = ();
    const OP: Op = Op::PutObjectRetention;

    fn target(&self) -> Target<'_> {
        self.version.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let put = self.described.describe(self.version.require(world, "s3:PutObjectRetention")?);
        let mut requirements = vec![put];
        if self.bypass == Some(true) {
            requirements.push(self.version.require(world, BYPASS)?);
        }
        Ok(requirements)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<(), AwsError> {
        let Self { version, retention, bypass, .. } = authorized.into_operation();
        let lock = lock_of(&version, world)?;
        check_bypass(world.bucket(&version.bucket)?, bypass)?;
        let retention = retention?;
        if let Some(retention) = &retention {
            check_future(retention.until, now, "RetainUntilDate")?;
        }
        check_change(lock.retention, retention, now, bypass == Some(true))?;
        version.change(world, |object| object.attributes.lock = Lock { retention, ..lock })?;
        version.announce(EventKind::RetentionPut, world)
    }
}

/// A retention that holds may be lengthened; to shorten it or to change its mode is to set it aside.
fn check_change(
    current: Option<Retention>,
    new: RetentionChange,
    now: Timestamp,
    bypass: bool,
) -> Result<(), AwsError> {
    let Some(current) = current.filter(|current| current.is_active(now)) else { return Ok(()) };
    let keeps = new.is_some_and(|new| new.mode == current.mode && new.until >= current.until);
    if keeps || (bypass && current.mode == RetentionMode::Governance) {
        Ok(())
    } else {
        Err(AwsError::object_locked())
    }
}

/// `GetObjectLegalHold`.
#[derive(Debug)]
pub(crate) struct GetObjectLegalHold(pub(crate) VersionRef);

impl Operation for GetObjectLegalHold {
    /// Whether the hold is on.
    type Output = bool;
    const OP: Op = Op::GetObjectLegalHold;

    fn target(&self) -> Target<'_> {
        self.0.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![self.0.require(world, "s3:GetObjectLegalHold")?])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<bool, AwsError> {
        lock_of(&authorized.operation().0, world)?.legal_hold.ok_or_else(AwsError::no_object_lock)
    }
}

/// `PutObjectLegalHold`.
#[derive(Debug)]
pub(crate) struct PutObjectLegalHold {
    pub(crate) version: VersionRef,
    /// Whether the hold is to be on, or what is wrong with the request.
    pub(crate) on: Result<bool, AwsError>,
}

impl Operation for PutObjectLegalHold {
    type Output = ();
    const OP: Op = Op::PutObjectLegalHold;

    fn target(&self) -> Target<'_> {
        self.version.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let status = self.on.as_ref().ok().map(|on| if *on { "ON" } else { "OFF" });
        let put = self.version.require(world, "s3:PutObjectLegalHold")?;
        Ok(vec![put.with_some("s3:object-lock-legal-hold", status)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let Self { version, on } = authorized.into_operation();
        let lock = lock_of(&version, world)?;
        let lock = Lock { legal_hold: Some(on?), ..lock };
        version.change(world, |object| object.attributes.lock = lock)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::check_change;
    use crate::state::{Retention, RetentionMode};

    /// The recorded cases: what may be done to a retention that holds, without and with a bypass.
    #[test]
    fn a_retention_that_holds_is_only_lengthened() {
        let now = Timestamp::UNIX_EPOCH;
        let retention = |mode, hours| Retention { mode, until: now + SignedDuration::from_hours(hours) };
        let (governance, compliance) = (RetentionMode::Governance, RetentionMode::Compliance);
        let allowed = |current, new, bypass| check_change(Some(current), new, now, bypass).is_ok();
        for mode in [governance, compliance] {
            assert!(allowed(retention(mode, 5), Some(retention(mode, 5)), false));
            assert!(allowed(retention(mode, 5), Some(retention(mode, 6)), false));
            assert!(!allowed(retention(mode, 5), Some(retention(mode, 4)), false));
            assert!(!allowed(retention(mode, 5), None, false));
            assert!(allowed(retention(mode, -1), None, false), "it no longer holds");
        }
        assert!(!allowed(retention(governance, 5), Some(retention(compliance, 6)), false));
        assert!(allowed(retention(governance, 5), Some(retention(compliance, 6)), true));
        assert!(allowed(retention(governance, 5), None, true));
        assert!(!allowed(retention(compliance, 5), Some(retention(governance, 6)), true));
        assert!(!allowed(retention(compliance, 5), None, true));
    }
}
