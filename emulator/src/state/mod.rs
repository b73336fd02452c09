//! Everything the emulator remembers, behind one lock.
//!
//! Bodies are read and hashed before the lock is taken; under it stand only decision, precondition and commit, so
//! that a conditional write is one step for every observer. The lock is never held across an `.await`.

mod accounts;
mod as_list;
mod buckets;
mod changes;
mod content;
mod defaults;
mod encryption;
mod happenings;
mod keys;
mod lifecycle;
mod lock;
mod objects;
mod outbox;
mod queues;
mod settings;
mod tags;
mod topics;
mod tracked;
mod uploads;
mod versions;

pub(crate) use accounts::{
    AccessKey, Account, Accounts, Attached, CallerPolicies, Entity, EntityKind, Group, Holder, IamTags,
    InstanceProfile, KeyStatus, ManagedPolicy, OidcProvider, PolicyVersion, Role, Secret, Session,
    SessionSource, User, all_aws_managed,
};
pub(crate) use buckets::Bucket;
pub(crate) use changes::{BucketChanges, Buckets, Changes};
pub(crate) use content::Content;
pub(crate) use defaults::{BeyondBuckets, Defaults, MissingKeys};
pub(crate) use encryption::{
    BucketEncryption, CustomerKeys, DefaultEncryption, Encryption, KeySeal, KmsEncryption, KmsMethod, Origin,
};
pub(crate) use happenings::{Announcement, EventKind, Happening};
pub(crate) use keys::{
    Alias, DataKey, IssuedGrant, KeyError, KeyManager, KeyScope, KeyState, Keys, KmsKey, MessagingService,
    NewKey, Plaintext, ROTATION_DAYS_DEFAULT, ResolvedKey, Rotation, RotationKind, RotationRecord, Sealed,
    days_after, draw_grant_id, draw_grant_token, is_managed_alias, random_uuid, uuid_number,
};
pub(crate) use lifecycle::{
    Expiration, Filter, LifecycleConfiguration, LifecycleRule, MinimumSize, Noncurrent, NoncurrentTransition,
    Scope, Transition, When,
};
pub(crate) use lock::{
    DefaultRetention, Lock, ObjectLockConfiguration, Retention, RetentionMode, RetentionPeriod,
};
pub(crate) use objects::{Attributes, Object, ObjectHeaders, PartLayout, RestoredCopy};
pub(crate) use outbox::{Confirmation, Errand, Outbox, What};
pub(crate) use queues::{Queue, QueuedMessage, Queues, Sent};
pub(crate) use settings::Settings;
pub(crate) use tags::Tags;
pub(crate) use topics::{
    FilterError, FilterPolicy, FilterScope, Message, MessageAttribute, Protocol, RetryPolicy, Subscription,
    Topic, Topics, default_policy_text, syntax,
};
pub(crate) use tracked::Tracked;
pub(crate) use uploads::{CompletedUploads, Part, Upload, Uploads};
pub(crate) use versions::{DeleteMarker, Objects, Touch, Version, VersionId, Versioning};

use std::collections::BTreeMap;
use std::sync::Arc;

use bucketproof_authz::{AccountId, CanonicalUserId, PublicAccessBlock};
use bucketproof_clock::Entropy;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;

use crate::authenticate::Caller;
use crate::authorize::Decided;
use crate::error::AwsError;
use crate::ids;
use crate::s3::LifecycleClock;

/// The state of one emulator.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) accounts: Tracked<Accounts>,
    pub(crate) buckets: Buckets,
    pub(crate) lifecycle: LifecycleClock,
    pub(crate) keys: Tracked<Keys>,
    pub(crate) topics: Tracked<Topics>,
    pub(crate) queues: Tracked<Queues>,
    pub(crate) outbox: Tracked<Outbox>,
    pub(crate) beyond_buckets: Tracked<BeyondBuckets>,
    pub(crate) entropy: Entropy,
    /// What the operation in hand announces; taken when it is done.
    pub(crate) announcements: Vec<Announcement>,
    /// What was decided about services that act within the operation in hand; taken when it is done.
    pub(crate) decided: Mutex<Vec<Decided>>,
    /// The instant of the operation in hand.
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) fn new(entropy: Entropy, defaults: Defaults) -> Self {
        let mut world = Self {
            accounts: Tracked::default(),
            buckets: Buckets::default(),
            lifecycle: LifecycleClock::default(),
            keys: Tracked::default(),
            topics: Tracked::default(),
            queues: Tracked::default(),
            outbox: Tracked::default(),
            beyond_buckets: Tracked::default(),
            entropy,
            announcements: Vec::new(),
            decided: Mutex::default(),
            now: Timestamp::UNIX_EPOCH,
        };
        world.beyond_buckets.defaults = defaults;
        world
    }

    /// The state as it was kept: the parts by name, as [`World::take_touched_sections`] names them, and the buckets.
    pub(crate) fn restore(
        sections: &BTreeMap<String, Vec<u8>>,
        buckets: Vec<Bucket>,
        entropy: Entropy,
    ) -> Result<Self, String> {
        let mut world = Self::new(entropy, Defaults::Modern);
        world.accounts = Tracked::new(section(sections, "accounts")?);
        world.keys = Tracked::new(section(sections, "keys")?);
        world.topics = Tracked::new(section(sections, "topics")?);
        world.queues = Tracked::new(section(sections, "queues")?);
        world.outbox = Tracked::new(section::<Outbox>(sections, "outbox")?.restored());
        world.beyond_buckets = Tracked::new(section(sections, "beyond_buckets")?);
        for bucket in buckets {
            world.buckets.insert(bucket.name.clone(), bucket);
        }
        let _restored = world.buckets.take_changes();
        Ok(world)
    }

    /// A copy that goes its own way and draws from `entropy`. Objects are shared until one of the two changes a
    /// bucket.
    pub(crate) fn fork(&self, entropy: Entropy) -> Self {
        Self {
            accounts: self.accounts.clone(),
            buckets: self.buckets.clone(),
            lifecycle: self.lifecycle,
            keys: self.keys.clone(),
            topics: self.topics.clone(),
            queues: self.queues.clone(),
            outbox: Tracked::new((*self.outbox).clone().restored()),
            beyond_buckets: self.beyond_buckets.clone(),
            entropy,
            announcements: Vec::new(),
            decided: Mutex::default(),
            now: self.now,
        }
    }

    /// The parts beside the buckets that may have changed since this was last asked, as JSON.
    pub(crate) fn take_touched_sections(&mut self) -> Vec<(&'static str, Result<Vec<u8>, String>)> {
        let sections = [
            ("accounts", self.accounts.take_json_if_touched()),
            ("keys", self.keys.take_json_if_touched()),
            ("topics", self.topics.take_json_if_touched()),
            ("queues", self.queues.take_json_if_touched()),
            ("outbox", self.outbox.take_json_if_touched()),
            ("beyond_buckets", self.beyond_buckets.take_json_if_touched()),
        ];
        sections.into_iter().filter_map(|(name, json)| Some((name, json?))).collect()
    }

    /// Forgets what changed: nobody keeps it.
    pub(crate) fn forget_changes(&mut self) {
        let _changes = self.buckets.take_changes();
        self.accounts.forget_touch();
        self.keys.forget_touch();
        self.topics.forget_touch();
        self.queues.forget_touch();
        self.outbox.forget_touch();
        self.beyond_buckets.forget_touch();
    }

    /// The canonical user id of an account; an account that is gone has an empty one.
    pub(crate) fn canonical_id(&self, account: &AccountId) -> CanonicalUserId {
        self.accounts.get(account).map_or("", |account| &account.canonical_id).into()
    }

    /// Whom what this caller writes belongs to, where ACLs are on.
    pub(crate) fn writer_id(&self, caller: &Caller) -> CanonicalUserId {
        caller
            .identity()
            .and_then(|identity| identity.principal.account())
            .map_or_else(CanonicalUserId::anonymous, |account| self.canonical_id(account))
    }

    /// Block Public Access as it is in force for a bucket: its own settings or those of its owner's account.
    pub(crate) fn public_access_block(&self, bucket: &Bucket) -> PublicAccessBlock {
        let account = self.beyond_buckets.public_access_blocks.get(&bucket.owner).copied();
        bucket.public_access_block.unwrap_or_default().or(account.unwrap_or_default())
    }

    /// The id of a version that is written now.
    fn draw_version(&self, bucket: &Bucket) -> VersionId {
        match bucket.versioning {
            Versioning::Enabled => {
                VersionId::Drawn(ids::version_id(&self.entropy, bucket.objects.next_order()).into())
            }
            Versioning::Never | Versioning::Suspended => VersionId::Null,
        }
    }

    /// Stores an object as the newest version under its key; `object.version` is drawn here.
    ///
    /// Returns the version as the answer to a write tells it: not at all unless versioning is enabled.
    pub(crate) fn store(
        &mut self,
        bucket: &str,
        key: &str,
        mut object: Object,
    ) -> Result<Option<VersionId>, AwsError> {
        let found = self.bucket(bucket)?;
        object.version = self.draw_version(found);
        let shown = (found.versioning == Versioning::Enabled).then(|| object.version.clone());
        self.bucket_mut(bucket)?.push(key, Version::Object(Arc::new(object)));
        Ok(shown)
    }

    /// Deletes a key as a request without a version id does: for good in a bucket without versions, else by a marker.
    pub(crate) fn delete(
        &mut self,
        bucket: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<VersionId>, AwsError> {
        let found = self.bucket(bucket)?;
        let (versioning, version) = (found.versioning, self.draw_version(found));
        let bucket = self.bucket_mut(bucket)?;
        if versioning == Versioning::Never {
            bucket.remove(key, &VersionId::Null);
            return Ok(None);
        }
        let shown = version.clone();
        bucket.push(key, Version::Marker(DeleteMarker { version, last_modified: now }));
        Ok(Some(shown))
    }

    /// Lets happen what only time makes happen: every request finds the state of its own instant.
    pub(crate) fn pass_time(&mut self, now: Timestamp) {
        self.now = now;
        self.run_lifecycle(now);
        self.expire_subscriptions(now);
        if self.keys.is_due(now) {
            self.keys.advance(now, &self.entropy);
        }
    }

    pub(crate) fn bucket(&self, name: &str) -> Result<&Bucket, AwsError> {
        self.buckets.get(name).ok_or_else(|| AwsError::no_such_bucket(name))
    }

    pub(crate) fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, AwsError> {
        self.buckets.get_mut(name).ok_or_else(|| AwsError::no_such_bucket(name))
    }
}

/// A part of the state as it was kept; one that was not kept is empty.
fn section<T: Default + DeserializeOwned>(
    sections: &BTreeMap<String, Vec<u8>>,
    name: &str,
) -> Result<T, String> {
    match sections.get(name) {
        None => Ok(T::default()),
        Some(bytes) => serde_json::from_slice(bytes).map_err(|error| format!("`{name}`: {error}")),
    }
}
