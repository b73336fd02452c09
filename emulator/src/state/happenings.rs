//! What happened to objects, as event notifications tell it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Bucket, Object, Version, VersionId, World};

/// The events that happen in the emulator, by their names without `s3:`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum EventKind {
    Put,
    Post,
    Copy,
    CompleteMultipartUpload,
    Delete,
    DeleteMarkerCreated,
    TaggingPut,
    TaggingDelete,
    AclPut,
    RetentionPut,
    RestorePost,
    RestoreCompleted,
    RestoreDelete,
    LifecycleDelete,
    LifecycleDeleteMarkerCreated,
    LifecycleTransition,
}

/// One thing that happened to one object.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Happening {
    pub(crate) kind: EventKind,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// Absent in a bucket without versions.
    pub(crate) version: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) size: Option<u64>,
    /// Where a transition went to, or what a restored object came from.
    pub(crate) storage_class: Option<String>,
    /// When a restored copy goes.
    pub(crate) expires_at: Option<Timestamp>,
}

/// What an operation announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Announcement {
    Happening(Happening),
    /// A notification configuration was put; its destinations get a test.
    Configured {
        bucket: String,
        destinations: Vec<String>,
    },
}

impl EventKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Put => "ObjectCreated:Put",
            Self::Post => "ObjectCreated:Post",
            Self::Copy => "ObjectCreated:Copy",
            Self::CompleteMultipartUpload => "ObjectCreated:CompleteMultipartUpload",
            Self::Delete => "ObjectRemoved:Delete",
            Self::DeleteMarkerCreated => "ObjectRemoved:DeleteMarkerCreated",
            Self::TaggingPut => "ObjectTagging:Put",
            Self::TaggingDelete => "ObjectTagging:Delete",
            Self::AclPut => "ObjectAcl:Put",
            Self::RetentionPut => "ObjectRetention:Put",
            Self::RestorePost => "ObjectRestore:Post",
            Self::RestoreCompleted => "ObjectRestore:Completed",
            Self::RestoreDelete => "ObjectRestore:Delete",
            Self::LifecycleDelete => "LifecycleExpiration:Delete",
            Self::LifecycleDeleteMarkerCreated => "LifecycleExpiration:DeleteMarkerCreated",
            Self::LifecycleTransition => "LifecycleTransition",
        }
    }

    /// Whether S3 itself does it, not a request.
    pub(crate) fn is_of_s3(self) -> bool {
        matches!(
            self,
            Self::RestoreCompleted
                | Self::RestoreDelete
                | Self::LifecycleDelete
                | Self::LifecycleDeleteMarkerCreated
                | Self::LifecycleTransition
        )
    }

    /// The version of the event message ("Event message structure", S3 User Guide).
    pub(crate) fn message_version(self) -> &'static str {
        match self {
            Self::TaggingPut
            | Self::TaggingDelete
            | Self::AclPut
            | Self::RetentionPut
            | Self::RestoreDelete
            | Self::LifecycleDelete
            | Self::LifecycleDeleteMarkerCreated
            | Self::LifecycleTransition => "2.3",
            _ => "2.1",
        }
    }

    /// Whether events of this kind say in which order they came; those about what stands beside the bytes do not
    /// (recorded).
    pub(crate) fn has_sequencer(self) -> bool {
        !matches!(self, Self::TaggingPut | Self::TaggingDelete | Self::AclPut | Self::RetentionPut)
    }

    /// Whether events of this kind tell the size (recorded).
    fn has_size(self) -> bool {
        self.has_sequencer()
    }
}

impl Happening {
    /// Something that happened to an object which is there.
    pub(crate) fn to(kind: EventKind, bucket: &Bucket, key: &str, object: &Object) -> Self {
        Self {
            kind,
            bucket: bucket.name.clone(),
            key: key.to_owned(),
            version: bucket.shown(&object.version).map(VersionId::to_string),
            etag: Some(object.etag.clone()),
            size: kind.has_size().then(|| object.content.len()),
            storage_class: None,
            expires_at: None,
        }
    }

    /// A version is gone.
    pub(crate) fn removal(kind: EventKind, bucket: &str, key: &str, version: Option<String>) -> Self {
        Self {
            kind,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version,
            etag: None,
            size: None,
            storage_class: None,
            expires_at: None,
        }
    }

    /// A delete marker was set; it has the tag of nothing (recorded).
    pub(crate) fn marker(kind: EventKind, bucket: &str, key: &str, version: String) -> Self {
        let etag = Some("d41d8cd98f00b204e9800998ecf8427e".to_owned());
        Self { etag, ..Self::removal(kind, bucket, key, Some(version)) }
    }
}

impl World {
    /// Whether anybody wants to hear of a bucket.
    fn is_heard(&self, bucket: &str) -> bool {
        self.buckets.get(bucket).is_some_and(|bucket| !bucket.settings.notifications.is_empty())
    }

    /// An object was written: it is the current one now.
    pub(crate) fn announce_written(&mut self, kind: EventKind, bucket: &str, key: &str) {
        if !self.is_heard(bucket) {
            return;
        }
        let Some(bucket) = self.buckets.get(bucket) else { return };
        let Some(object) = bucket.objects.current(key) else { return };
        let happening = Happening::to(kind, bucket, key, object);
        self.announce(happening);
    }

    /// Something beside the bytes of a version was changed.
    pub(crate) fn announce_changed(&mut self, kind: EventKind, bucket: &str, key: &str, version: &VersionId) {
        self.announce_change(kind, bucket, key, version, None);
    }

    /// A version moved to another storage class.
    pub(crate) fn announce_moved(&mut self, bucket: &str, key: &str, version: &VersionId, class: String) {
        self.announce_change(EventKind::LifecycleTransition, bucket, key, version, Some(class));
    }

    fn announce_change(
        &mut self,
        kind: EventKind,
        bucket: &str,
        key: &str,
        version: &VersionId,
        storage_class: Option<String>,
    ) {
        if !self.is_heard(bucket) {
            return;
        }
        let Some(bucket) = self.buckets.get(bucket) else { return };
        let Some(object) = bucket.objects.version(key, version).and_then(Version::object) else { return };
        let happening = Happening { storage_class, ..Happening::to(kind, bucket, key, object) };
        self.announce(happening);
    }

    /// A key was deleted without naming a version: `outcome` is whether there was an object, and the delete marker that
    /// was set. Where nothing was there and no marker is set, nothing happened.
    pub(crate) fn announce_deleted(
        &mut self,
        for_good: EventKind,
        by_marker: EventKind,
        bucket: &str,
        key: &str,
        outcome: (bool, Option<&VersionId>),
    ) {
        if !self.is_heard(bucket) {
            return;
        }
        match outcome {
            (_, Some(version)) => {
                self.announce(Happening::marker(by_marker, bucket, key, version.to_string()));
            }
            (true, None) => self.announce(Happening::removal(for_good, bucket, key, None)),
            (false, None) => {}
        }
    }
}
