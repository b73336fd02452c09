//! A version of an object, as requests about one name it.

use std::sync::Arc;

use crate::error::AwsError;
use crate::operation::{Requirement, Target};
use crate::state::{EventKind, Happening, Object, World};

/// The version of that id, or else the current one.
#[derive(Debug)]
pub(crate) struct VersionRef {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
}

impl VersionRef {
    pub(crate) fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    /// A permission on the object.
    pub(crate) fn require(&self, world: &World, action: &'static str) -> Result<Requirement, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(Requirement::on_object(action, &self.bucket, &self.key)
            .with_some("s3:versionid", self.version_id.as_deref()))
    }

    pub(crate) fn find<'a>(&self, world: &'a World) -> Result<&'a Arc<Object>, AwsError> {
        world.bucket(&self.bucket)?.object(&self.key, self.version_id.as_deref())
    }

    /// Tells what was done to the version.
    pub(crate) fn announce(&self, kind: EventKind, world: &mut World) -> Result<(), AwsError> {
        let happening = self.happening(kind, world)?;
        world.announce(happening);
        Ok(())
    }

    pub(crate) fn happening(&self, kind: EventKind, world: &World) -> Result<Happening, AwsError> {
        Ok(Happening::to(kind, world.bucket(&self.bucket)?, &self.key, self.find(world)?))
    }

    /// Changes what may be changed of a version.
    pub(crate) fn change(&self, world: &mut World, change: impl FnOnce(&mut Object)) -> Result<(), AwsError> {
        let version = self.find(world)?.version.clone();
        if let Some(object) = world.bucket_mut(&self.bucket)?.objects.object_mut(&self.key, Some(&version)) {
            change(object);
        }
        Ok(())
    }
}
