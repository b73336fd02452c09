//! The shape of a scenario file.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::encryption::Encryption;
use crate::fault::FaultDocument;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// New buckets, those of the scenario included, have the defaults of before April 2023.
    #[serde(default)]
    pub(super) legacy_defaults: bool,
    /// A read of a missing key is answered with 404 where the caller may list, also without the permission to read.
    #[serde(default)]
    pub(super) missing_keys_shown_to_listers: bool,
    #[serde(default)]
    pub(super) account: Vec<Account>,
    /// Faults that are in force from the start.
    #[serde(default)]
    pub(super) fault: Vec<Spanned<FaultDocument>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    /// 12 digits.
    pub(super) id: Spanned<String>,
    /// Who this is; the display name of the account where `legacy_defaults` asks for one.
    pub(super) name: String,
    /// 64 hexadecimal digits; drawn if absent.
    pub(super) canonical_id: Option<Spanned<String>>,
    /// Kept for the reader of the scenario; nothing depends on it.
    #[expect(dead_code, reason = "part of the format")]
    pub(super) email: Option<String>,
    /// Block Public Access of the account; absent if it never set any.
    pub(super) public_access_block: Option<PublicAccessBlock>,
    /// The keys of the root user.
    #[serde(default)]
    pub(super) access_key: Vec<AccessKey>,
    #[serde(default)]
    pub(super) user: Vec<User>,
    #[serde(default)]
    pub(super) group: Vec<Group>,
    #[serde(default)]
    pub(super) role: Vec<Role>,
    /// Managed policies.
    #[serde(default)]
    pub(super) policy: Vec<ManagedPolicy>,
    #[serde(default)]
    pub(super) instance_profile: Vec<InstanceProfile>,
    /// The account alias.
    pub(super) alias: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) bucket: Vec<Bucket>,
    #[serde(default)]
    pub(super) kms_key: Vec<KmsKey>,
    #[serde(default)]
    pub(super) topic: Vec<Topic>,
    #[serde(default)]
    pub(super) queue: Vec<Queue>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccessKey {
    pub(super) id: Spanned<String>,
    pub(super) secret: Spanned<Hidden>,
    /// `Active` if absent.
    pub(super) status: Option<Spanned<String>>,
    /// An instant as in RFC 3339; the start of the emulator if absent.
    pub(super) created: Option<Spanned<String>>,
}

/// A secret in a scenario; not shown by `Debug`.
#[derive(Clone)]
pub(super) struct Hidden(pub(super) String);

impl<'de> Deserialize<'de> for Hidden {
    /// The usual complaint about a wrong type would repeat the value.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer);
        text.map(Self).map_err(|_| D::Error::custom("field `secret` is not a text in quotes"))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) groups: Vec<Spanned<String>>,
    pub(super) boundary: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) access_key: Vec<AccessKey>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Role {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<Spanned<String>>,
    pub(super) trust: Spanned<String>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<String>>,
    pub(super) boundary: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    pub(super) description: Option<String>,
    /// How long a session may live, in seconds.
    pub(super) max_session_duration: Option<Spanned<i64>>,
}

/// A policy that users, groups and roles name by its ARN.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManagedPolicy {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<Spanned<String>>,
    pub(super) document: Spanned<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstanceProfile {
    pub(super) name: Spanned<String>,
    pub(super) path: Option<Spanned<String>>,
    /// The name of its role.
    pub(super) role: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bucket {
    pub(super) name: Spanned<String>,
    /// `us-east-1` if absent.
    pub(super) region: Option<Spanned<String>>,
    pub(super) policy: Option<Spanned<String>>,
    /// Object Ownership; ACLs count unless it is `BucketOwnerEnforced`.
    pub(super) ownership: Option<Spanned<String>>,
    /// The name of a canned ACL.
    pub(super) acl: Option<Spanned<String>>,
    pub(super) public_access_block: Option<PublicAccessBlock>,
    pub(super) versioning: Option<Spanned<String>>,
    pub(super) encryption: Option<Spanned<Encryption>>,
    #[serde(default)]
    pub(super) notifications: Vec<Spanned<Notification>>,
    #[serde(default)]
    pub(super) objects: Vec<ObjectText>,
}

/// A symmetric key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KmsKey {
    /// A UUID; drawn if absent.
    pub(super) id: Option<Spanned<String>>,
    /// `us-east-1` if absent.
    pub(super) region: Option<Spanned<String>>,
    /// With or without `alias/` before it.
    pub(super) alias: Option<Spanned<String>>,
    pub(super) description: Option<String>,
    /// That of a key made without one, if absent: the account decides.
    pub(super) policy: Option<Spanned<String>>,
    /// `Enabled` if absent; `PendingDeletion` has its 30 days before it.
    pub(super) state: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: BTreeMap<Spanned<String>, String>,
}

/// An SNS topic with who listens to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Topic {
    pub(super) name: Spanned<String>,
    /// `us-east-1` if absent.
    pub(super) region: Option<Spanned<String>>,
    /// That of a topic made without one, if absent: the account decides.
    pub(super) policy: Option<Spanned<String>>,
    pub(super) display_name: Option<Spanned<String>>,
    /// 1 or 2.
    pub(super) signature_version: Option<Spanned<i64>>,
    /// The KMS key of its messages: an id, an ARN or an alias.
    pub(super) kms_key: Option<Spanned<String>>,
    /// As JSON.
    pub(super) delivery_policy: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) subscription: Vec<Subscription>,
}

/// A confirmed subscription.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subscription {
    /// `http`, `https` or `sqs`.
    pub(super) protocol: Spanned<String>,
    /// A URL, or the ARN of a queue.
    pub(super) endpoint: Spanned<String>,
    /// A UUID, which ends its ARN; drawn if absent.
    pub(super) id: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) raw: bool,
    /// As JSON.
    pub(super) filter_policy: Option<Spanned<String>>,
    /// `MessageAttributes` if absent, or `MessageBody`.
    pub(super) filter_policy_scope: Option<Spanned<String>>,
    /// The ARN of a queue.
    pub(super) dead_letter_queue: Option<Spanned<String>>,
    /// As JSON.
    pub(super) delivery_policy: Option<Spanned<String>>,
}

/// An SQS queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Queue {
    pub(super) name: Spanned<String>,
    /// `us-east-1` if absent.
    pub(super) region: Option<Spanned<String>>,
    /// None if absent: the account decides.
    pub(super) policy: Option<Spanned<String>>,
    /// By the names of the interface: `VisibilityTimeout`.
    #[serde(default)]
    pub(super) attributes: BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

/// Where events of a bucket go; exactly one of `topic` and `queue`, an ARN.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notification {
    pub(super) id: Option<String>,
    pub(super) topic: Option<String>,
    pub(super) queue: Option<String>,
    /// As in `s3:ObjectCreated:*`.
    pub(super) events: Vec<String>,
    pub(super) prefix: Option<String>,
    pub(super) suffix: Option<String>,
}

/// Block Public Access. All four are on unless they are turned off here.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublicAccessBlock(pub(super) bucketproof_authz::PublicAccessBlock);

impl<'de> Deserialize<'de> for PublicAccessBlock {
    /// The four switches are a table; a lone `false` is what one tries first, and is told how to say it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[expect(clippy::struct_excessive_bools, reason = "these are the four switches that AWS has")]
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Switches {
            #[serde(default = "on")]
            block_public_acls: bool,
            #[serde(default = "on")]
            ignore_public_acls: bool,
            #[serde(default = "on")]
            block_public_policy: bool,
            #[serde(default = "on")]
            restrict_public_buckets: bool,
        }

        struct Table;

        impl<'de> Visitor<'de> for Table {
            type Value = Switches;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a table of the switches to turn off, such as `{ block_public_acls = false, \
                     ignore_public_acls = false, block_public_policy = false, restrict_public_buckets = false }`",
                )
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Switches, A::Error> {
                Switches::deserialize(MapAccessDeserializer::new(map))
            }
        }

        let switches = deserializer.deserialize_map(Table)?;
        Ok(Self(bucketproof_authz::PublicAccessBlock {
            block_public_acls: switches.block_public_acls,
            ignore_public_acls: switches.ignore_public_acls,
            block_public_policy: switches.block_public_policy,
            restrict_public_buckets: switches.restrict_public_buckets,
        }))
    }
}

fn on() -> bool {
    true
}

/// An object that is there from the start; exactly one of `text` and `file`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectText {
    pub(super) key: Spanned<String>,
    pub(super) text: Option<String>,
    pub(super) file: Option<Spanned<String>>,
}

impl Document {
    /// Every path that the scenario refers to.
    pub(super) fn file_paths(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.account.iter().flat_map(|account| {
            let users = account.user.iter().flat_map(|user| user.policies.iter().chain(&user.boundary));
            let groups = account.group.iter().flat_map(|group| &group.policies);
            let roles = account
                .role
                .iter()
                .flat_map(|role| std::iter::once(&role.trust).chain(&role.policies).chain(&role.boundary));
            let policies = users
                .chain(groups)
                .chain(roles)
                .chain(account.kms_key.iter().filter_map(|key| key.policy.as_ref()))
                .chain(account.topic.iter().filter_map(|topic| topic.policy.as_ref()))
                .chain(account.queue.iter().filter_map(|queue| queue.policy.as_ref()))
                .chain(account.policy.iter().map(|policy| &policy.document))
                .chain(account.bucket.iter().filter_map(|bucket| bucket.policy.as_ref()));
            let objects =
                account.bucket.iter().flat_map(|bucket| &bucket.objects).filter_map(|o| o.file.as_ref());
            policies.filter(|policy| !is_json(policy.get_ref()) && !is_arn(policy.get_ref())).chain(objects)
        })
    }
}

/// A policy that is not a path but the document itself.
pub(super) fn is_json(policy: &str) -> bool {
    policy.trim_start().starts_with('{')
}

/// A managed policy, named by its ARN.
pub(super) fn is_arn(policy: &str) -> bool {
    policy.starts_with("arn:")
}
