//! A bucket with its configuration and objects.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

use bucketproof_authz::{AccountId, Acl, CanonicalUserId, ObjectOwnership, Policy, PublicAccessBlock};
use jiff::Timestamp;

use super::{
    Attributes, BucketChanges, BucketEncryption, CompletedUploads, Defaults, LifecycleConfiguration, Object,
    ObjectLockConfiguration, Objects, Settings, Tags, Uploads, Version, VersionId, Versioning,
};
use crate::error::AwsError;

/// A general purpose bucket.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) region: String,
    /// What the bucket says when it is asked where it is: the region, or `EU` if it was made with that.
    pub(crate) location: String,
    pub(crate) owner: AccountId,
    pub(crate) created_at: Timestamp,
    pub(crate) policy: Option<Policy>,
    /// Absent once it was deleted: then nothing is blocked here.
    pub(crate) public_access_block: Option<PublicAccessBlock>,
    /// Absent once its ownership controls were deleted.
    pub(crate) ownership: Option<ObjectOwnership>,
    /// As it was put; with ACLs off it neither counts nor shows.
    pub(crate) acl: Acl,
    /// The ACL of an object that has none of its own: full control for the owner of the bucket.
    pub(crate) private: Acl,
    pub(crate) versioning: Versioning,
    pub(crate) encryption: BucketEncryption,
    pub(crate) tags: Tags,
    /// Absent without Object Lock; once there, it stays.
    pub(crate) object_lock: Option<ObjectLockConfiguration>,
    pub(crate) settings: Settings,
    pub(crate) lifecycle: Option<LifecycleConfiguration>,
    /// Kept apart from the rest, like the uploads.
    #[serde(skip)]
    pub(crate) objects: Objects,
    #[serde(skip)]
    pub(crate) uploads: Uploads,
    pub(crate) completed: CompletedUploads,
    /// When a key was last written or deleted, for keys that an upload in progress may complete over.
    pub(crate) changed_at: BTreeMap<String, u64>,
    /// Counts the writes and deletes of this bucket.
    pub(crate) changes: u64,
    /// Counts the multipart uploads.
    pub(crate) uploads_begun: u64,
}

impl Bucket {
    /// `owner_id` is the canonical user id of the account that owns it.
    pub(crate) fn new(
        name: &str,
        region: &str,
        owner: AccountId,
        owner_id: &CanonicalUserId,
        defaults: Defaults,
        created_at: Timestamp,
    ) -> Self {
        let private = Acl::private(owner_id);
        Self {
            name: name.to_owned(),
            region: region.to_owned(),
            location: region.to_owned(),
            owner,
            created_at,
            policy: None,
            public_access_block: defaults.public_access_block(),
            ownership: Some(defaults.ownership()),
            acl: private.clone(),
            private,
            versioning: Versioning::Never,
            encryption: defaults.encryption(),
            tags: Tags::default(),
            object_lock: None,
            settings: Settings::default(),
            lifecycle: None,
            objects: Objects::default(),
            uploads: Uploads::default(),
            completed: CompletedUploads::default(),
            changed_at: BTreeMap::new(),
            changes: 0,
            uploads_begun: 0,
        }
    }

    /// Is this the bucket of whom the client thinks it is; AWS does not tell whose it is instead.
    pub(crate) fn check_owner(&self, expected: &str) -> Result<(), AwsError> {
        if expected.len() != 12 || !expected.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AwsError::invalid_expected_owner(expected));
        }
        if expected == self.owner.as_str() { Ok(()) } else { Err(AwsError::access_denied("Access Denied")) }
    }

    /// The Object Ownership in force; a bucket without ownership controls is as it was before there were any.
    pub(crate) fn ownership(&self) -> ObjectOwnership {
        self.ownership.unwrap_or(ObjectOwnership::ObjectWriter)
    }

    /// The canonical user id of the account that owns it.
    pub(crate) fn owner_id(&self) -> &CanonicalUserId {
        &self.private.owner
    }

    /// The ACL of an object as it is stored.
    pub(crate) fn acl_of<'a>(&'a self, attributes: &'a Attributes) -> &'a Acl {
        attributes.acl.as_deref().unwrap_or(&self.private)
    }

    /// Who owns an object, or what an upload will make, as things stand.
    pub(crate) fn owner_of<'a>(&'a self, attributes: &'a Attributes) -> &'a CanonicalUserId {
        self.ownership().owner_of_object(&self.acl_of(attributes).owner, self.owner_id())
    }

    /// The object that a read finds, by the rules for delete markers.
    pub(crate) fn object(&self, key: &str, version: Option<&str>) -> Result<&Arc<Object>, AwsError> {
        let found = match version {
            None => self.objects.newest(key).ok_or_else(|| AwsError::no_such_key(key))?,
            Some(text) => self.version(key, text)?.ok_or_else(|| AwsError::no_such_version(key, text))?,
        };
        found.object().ok_or_else(|| match version {
            None => AwsError::no_such_key(key)
                .with_header("x-amz-delete-marker", "true")
                .with_header("x-amz-version-id", found.id().as_str()),
            Some(_) => AwsError::is_delete_marker(found.id().as_str()),
        })
    }

    /// The version of an id that came from a request; the id may be none that this bucket could have.
    pub(crate) fn version(&self, key: &str, text: &str) -> Result<Option<&Version>, AwsError> {
        let id = self.parse_version(text)?;
        Ok(self.objects.version(key, &id))
    }

    /// A bucket that was never versioned knows one id, `null`.
    pub(crate) fn parse_version(&self, text: &str) -> Result<VersionId, AwsError> {
        VersionId::parse(text)
            .filter(|id| *id == VersionId::Null || self.versioning != Versioning::Never)
            .ok_or_else(|| AwsError::invalid_version_id(text))
    }

    /// The version id as answers show it: not at all while the bucket was never versioned.
    pub(crate) fn shown<'a>(&self, version: &'a VersionId) -> Option<&'a VersionId> {
        (self.versioning != Versioning::Never).then_some(version)
    }

    /// Takes the notes on what changed.
    pub(super) fn take_changes(&mut self) -> BucketChanges {
        let (uploads, parts) = self.uploads.take_changes();
        BucketChanges { versions: self.objects.take_changes(), uploads, parts }
    }

    /// Adds a version that was kept; the oldest of a key comes first.
    pub(crate) fn restore(&mut self, key: &str, version: Version) {
        self.objects.push(key, version);
    }

    /// Adds a version as the newest.
    pub(crate) fn push(&mut self, key: &str, version: Version) {
        self.objects.push(key, version);
        self.note_change(key);
    }

    /// Takes a version away for good; there may be none.
    pub(crate) fn remove(&mut self, key: &str, id: &VersionId) -> Option<Version> {
        let removed = self.objects.remove(key, id);
        if removed.is_some() {
            self.note_change(key);
        }
        removed
    }

    /// An upload that was begun before this change must not complete under a condition as if nothing had happened.
    fn note_change(&mut self, key: &str) {
        self.changes += 1;
        if self.uploads.has_key(key) {
            self.changed_at.insert(key.to_owned(), self.changes);
        }
    }

    /// Forgets changes that no upload in progress can still meet.
    pub(crate) fn forget_changes(&mut self, key: &str) {
        if !self.uploads.has_key(key) {
            self.changed_at.remove(key);
        }
    }
}
