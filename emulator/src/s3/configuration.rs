//! The settings of a bucket that are put, read and deleted as a whole: versioning, encryption, tags and the like.
//!
//! A setting says once what it is called, what it needs and where it is kept; the three operations on it follow.

use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;

use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Announcement, Bucket, World};

/// A setting of a bucket.
pub(crate) trait Configuration: Clone + fmt::Debug + Sized {
    const GET: Op;
    const PUT: Op;
    const GET_ACTION: &'static str;
    const PUT_ACTION: &'static str;
    /// Whether it takes somebody with a name, whatever a policy allows to everyone.
    const NEEDS_CALLER: bool = false;

    /// The setting as it is; AWS answers some that were never put with a default, others with an error.
    fn get(bucket: &Bucket) -> Result<Self, AwsError>;

    /// Whether such a bucket can have this setting at all; asked before it is looked at whether the setting makes sense.
    fn admits(_bucket: &Bucket) -> Result<(), AwsError> {
        Ok(())
    }

    /// Whether the bucket can have this setting now; asked after authorization.
    fn check(&self, bucket: &Bucket, world: &World) -> Result<(), AwsError>;

    fn put(self, bucket: &mut Bucket);

    /// What others hear of it when it is put.
    fn announce(&self, _bucket: &str) -> Option<Announcement> {
        None
    }
}

/// Refuses anonymous callers where a setting takes a known one.
fn check_known<C: Configuration, O>(authorized: &Authorized<O>, action: &str) -> Result<(), AwsError> {
    if !C::NEEDS_CALLER || authorized.caller().identity().is_some() {
        return Ok(());
    }
    Err(AwsError::access_denied(format!("{action} does not support Anonymous requests!")))
}

/// A setting that can be taken back.
pub(crate) trait Removable: Configuration {
    const DELETE: Op;
    const DELETE_ACTION: &'static str;

    fn remove(bucket: &mut Bucket);
}

/// Reads a setting.
#[derive(Debug)]
pub(crate) struct GetConfiguration<C> {
    bucket: String,
    setting: PhantomData<C>,
}

/// Replaces a setting.
#[derive(Debug)]
pub(crate) struct PutConfiguration<C> {
    bucket: String,
    /// What is to be, or what is wrong with it; AWS tells that only those who may put it.
    setting: Result<C, AwsError>,
}

/// Takes a setting back.
#[derive(Debug)]
pub(crate) struct DeleteConfiguration<C> {
    bucket: String,
    setting: PhantomData<C>,
}

impl<C> GetConfiguration<C> {
    pub(crate) fn of(bucket: String) -> Self {
        Self { bucket, setting: PhantomData }
    }
}

impl<C> PutConfiguration<C> {
    pub(crate) fn of(bucket: String, setting: Result<C, AwsError>) -> Self {
        Self { bucket, setting }
    }
}

impl<C> DeleteConfiguration<C> {
    pub(crate) fn of(bucket: String) -> Self {
        Self { bucket, setting: PhantomData }
    }
}

impl<C: Configuration> Operation for GetConfiguration<C> {
    type Output = C;
    const OP: Op = C::GET;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket(C::GET_ACTION, &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<C, AwsError> {
        check_known::<C, _>(&authorized, C::GET_ACTION)?;
        C::get(world.bucket(&authorized.operation().bucket)?)
    }
}

impl<C: Configuration> Operation for PutConfiguration<C> {
    type Output = ();
    const OP: Op = C::PUT;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket(C::PUT_ACTION, &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        check_known::<C, _>(&authorized, C::PUT_ACTION)?;
        let Self { bucket, setting } = authorized.into_operation();
        C::admits(world.bucket(&bucket)?)?;
        let setting = setting?;
        setting.check(world.bucket(&bucket)?, world)?;
        let announcement = setting.announce(&bucket);
        setting.put(world.bucket_mut(&bucket)?);
        world.announcements.extend(announcement);
        Ok(())
    }
}

impl<C: Removable> Operation for DeleteConfiguration<C> {
    type Output = ();
    const OP: Op = C::DELETE;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket(C::DELETE_ACTION, &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        check_known::<C, _>(&authorized, C::DELETE_ACTION)?;
        C::remove(world.bucket_mut(&authorized.operation().bucket)?);
        Ok(())
    }
}
