//! Objects in archive classes: they are read only while a restored copy of them exists.
//!
//! Source: S3 User Guide "Working with archived objects", and recorded answers. A restore takes the longest time that
//! AWS names for its tier.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::calendar::end_of_days;
use super::version_ref::VersionRef;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::instant::http_date;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{EventKind, Happening, Object, RestoredCopy, What, World};

/// How fast an archive is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    Expedited,
    Standard,
    Bulk,
}

/// Whether objects of this class are kept in an archive.
fn is_archive(class: Option<&str>) -> bool {
    matches!(class, Some("GLACIER" | "DEEP_ARCHIVE"))
}

/// What an object's restored copy is at an instant; a copy that has expired is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestoreState {
    None,
    Ongoing,
    Ready { expires_at: Timestamp },
}

pub(crate) fn state_of(object: &Object, now: Timestamp) -> RestoreState {
    match object.attributes.restored {
        Some(copy) if now < copy.ready_at => RestoreState::Ongoing,
        Some(copy) if now < copy.expires_at => RestoreState::Ready { expires_at: copy.expires_at },
        _ => RestoreState::None,
    }
}

/// Whether the object's bytes can be had now.
pub(crate) fn is_readable(object: &Object, now: Timestamp) -> bool {
    !is_archive(object.attributes.headers.storage_class.as_deref())
        || matches!(state_of(object, now), RestoreState::Ready { .. })
}

/// Refuses to read what lies in an archive.
pub(crate) fn check_readable(object: &Object, now: Timestamp) -> Result<(), AwsError> {
    if is_readable(object, now) {
        return Ok(());
    }
    let class = object.attributes.headers.storage_class.clone().unwrap_or_default();
    Err(AwsError::invalid_object_state("The operation is not valid for the object's storage class")
        .with("StorageClass", class.as_str())
        .with_header("x-amz-storage-class", class))
}

/// Refuses to copy from an archive.
pub(crate) fn check_source(object: &Object, now: Timestamp) -> Result<(), AwsError> {
    if is_readable(object, now) {
        Ok(())
    } else {
        Err(AwsError::invalid_object_state("Operation is not valid for the source object's storage class"))
    }
}

/// `x-amz-restore`, for an object that is being restored or is.
pub(crate) fn header(object: &Object, now: Timestamp) -> Option<(&'static str, String)> {
    let text = match state_of(object, now) {
        RestoreState::None => return None,
        RestoreState::Ongoing => "ongoing-request=\"true\"".to_owned(),
        RestoreState::Ready { expires_at } => {
            format!("ongoing-request=\"false\", expiry-date=\"{}\"", http_date(expires_at))
        }
    };
    Some(("x-amz-restore", text))
}

/// `RestoreObject`.
#[derive(Debug)]
pub(crate) struct RestoreObject {
    pub(crate) version: VersionRef,
    /// For how many days and how fast, or what is wrong with the request.
    pub(crate) request: Result<(i32, Tier), AwsError>,
}

/// What became of a request to restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restoring {
    Begun,
    /// There was a copy already; it is kept for longer, or shorter.
    Prolonged,
}

/// The longest that AWS says a restore takes.
fn duration(class: Option<&str>, tier: Tier) -> Result<SignedDuration, AwsError> {
    match (class, tier) {
        (Some("DEEP_ARCHIVE"), Tier::Expedited) => Err(AwsError::new(
            StatusCode::BAD_REQUEST,
            "InvalidArgument",
            "Retrieval option is not supported by this storage class",
        )),
        (Some("DEEP_ARCHIVE"), Tier::Standard) => Ok(SignedDuration::from_hours(12)),
        (Some("DEEP_ARCHIVE"), Tier::Bulk) => Ok(SignedDuration::from_hours(48)),
        (_, Tier::Expedited) => Ok(SignedDuration::from_mins(5)),
        (_, Tier::Standard) => Ok(SignedDuration::from_hours(5)),
        (_, Tier::Bulk) => Ok(SignedDuration::from_hours(12)),
    }
}

impl Operation for RestoreObject {
    type Output = Restoring;
    const OP: Op = Op::RestoreObject;

    fn target(&self) -> Target<'_> {
        self.version.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![self.version.require(world, "s3:RestoreObject")?])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Restoring, AwsError> {
        let Self { version, request } = authorized.into_operation();
        let (days, tier) = request?;
        let object = version.find(world)?;
        let class = object.attributes.headers.storage_class.as_deref();
        let storage_class = class.map(str::to_owned);
        if !is_archive(class) {
            let text = "Restore is not allowed for the object's current storage class";
            return Err(AwsError::invalid_object_state(text));
        }
        let ready_at = now.saturating_add(duration(class, tier)?).unwrap_or(Timestamp::MAX);
        let copy = object.attributes.restored;
        let (restored, answer) = match (state_of(object, now), copy) {
            (RestoreState::Ready { .. }, Some(copy)) => {
                (RestoredCopy { expires_at: end_of_days(now, days), ..copy }, Restoring::Prolonged)
            }
            // A faster tier overtakes the slower one; anything else has to wait.
            (RestoreState::Ongoing, Some(copy)) if ready_at >= copy.ready_at => {
                return Err(AwsError::restore_in_progress());
            }
            _ => {
                let expires_at = end_of_days(ready_at, days);
                (RestoredCopy { ready_at, expires_at }, Restoring::Begun)
            }
        };
        version.change(world, |object| object.attributes.restored = Some(restored))?;
        let RestoredCopy { ready_at, expires_at } = restored;
        let later = |kind| {
            let happening = version.happening(kind, world)?;
            let storage_class = storage_class.clone();
            let happening = Happening { storage_class, expires_at: Some(expires_at), ..happening };
            Ok::<_, AwsError>(What::Happening(Box::new(happening)))
        };
        let (completed, ended) = (later(EventKind::RestoreCompleted)?, later(EventKind::RestoreDelete)?);
        world.outbox.add(expires_at, ended);
        if answer == Restoring::Begun {
            world.outbox.add(ready_at, completed);
            version.announce(EventKind::RestorePost, world)?;
        }
        Ok(answer)
    }
}
