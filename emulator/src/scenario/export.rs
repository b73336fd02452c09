//! The present state as a scenario.
//!
//! A scenario cannot say everything that a state may hold. What it cannot say is named in comments at its top, so that
//! nobody takes an export for more than it is.

use bucketproof_authz::{AccountId, Arn, CannedAcl, Policy};
use toml::{Table, Value};

use crate::delivery::KEY_ATTRIBUTE;
use crate::s3::Notifications;
use crate::state::{
    AccessKey, Account, Attached, Bucket, BucketEncryption, CustomerKeys, DefaultEncryption, Defaults,
    Entity, Holder, KeyManager, KeyScope, KeyState, KeyStatus, KmsKey, Lock, MissingKeys, Queue,
    Subscription, Tags, Topic, Versioning, World,
};

/// What could not be said, each once.
#[derive(Debug, Default)]
struct Omissions(Vec<String>);

impl Omissions {
    fn note(&mut self, is_there: bool, what: impl Into<String>) {
        let what = what.into();
        if is_there && !self.0.contains(&what) {
            self.0.push(what);
        }
    }
}

/// The state as the text of a scenario file. It holds the secret keys of emulated users.
pub(crate) fn export(world: &World) -> String {
    let mut omissions = Omissions::default();
    let mut document = Table::new();
    if world.beyond_buckets.defaults == Defaults::Legacy {
        document.insert("legacy_defaults".to_owned(), true.into());
    }
    if world.beyond_buckets.missing_keys == MissingKeys::Listers {
        document.insert("missing_keys_shown_to_listers".to_owned(), true.into());
    }
    let accounts = world.accounts.iter().map(|account| account_table(account, world, &mut omissions));
    document.insert("account".to_owned(), tables(accounts.collect()));
    let text = toml::to_string(&document).unwrap_or_else(|error| format!("# {error}\n"));
    if omissions.0.is_empty() {
        return text;
    }
    format!(
        "# A scenario cannot say these, so they are not in this one:\n#   {}\n\n{text}",
        omissions.0.join("\n#   ")
    )
}

fn tables(list: Vec<Table>) -> Value {
    Value::Array(list.into_iter().map(Value::Table).collect())
}

/// A table that leaves out what is empty.
#[derive(Debug, Default)]
struct Fields(Table);

impl Fields {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let is_empty = match &value {
            Value::Array(list) => list.is_empty(),
            Value::Table(table) => table.is_empty(),
            _ => false,
        };
        if !is_empty {
            self.0.insert(name.to_owned(), value);
        }
    }

    fn put_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    fn put_texts<'t>(&mut self, name: &str, pairs: impl IntoIterator<Item = (&'t str, &'t str)>) {
        let table: Table =
            pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        self.put(name, table);
    }
}

fn account_table(account: &Account, world: &World, omissions: &mut Omissions) -> Table {
    let mut fields = Fields::default();
    fields.put("id", account.id.as_str());
    fields.put("name", account.name.clone().unwrap_or_else(|| account.id.to_string()));
    fields.put("canonical_id", account.canonical_id.as_str());
    fields.put_some("alias", account.alias.clone());
    fields.put("access_key", tables(keys_of(world, |holder| is_root_of(holder, &account.id))));
    if let Some(block) = world.beyond_buckets.public_access_blocks.get(&account.id) {
        fields.put("public_access_block", public_access_block(*block));
    }
    fields.put("user", tables(users(account, world, omissions)));
    let groups = account.groups.iter().map(|group| {
        let mut fields = entity(&group.entity);
        fields.put("policies", attached(&group.policies, world, omissions));
        fields.0
    });
    fields.put("group", tables(groups.collect()));
    fields.put("role", tables(roles(account, world, omissions)));
    let policies = account.policies.iter().map(|policy| {
        omissions.note(policy.version_count() > 1, "versions of managed policies beside the default one");
        let mut fields = entity(&policy.entity);
        fields.put("document", policy.identity().text());
        fields.put_some("description", policy.description.clone());
        fields.put_texts("tags", policy.tags.iter());
        fields.0
    });
    fields.put("policy", tables(policies.collect()));
    let profiles = account.instance_profiles.iter().map(|profile| {
        omissions.note(!profile.tags.is_empty(), "tags of instance profiles");
        let mut fields = entity(&profile.entity);
        let role = profile.role.as_deref().and_then(|id| account.roles.by_id(id));
        fields.put_some("role", role.map(|role| role.entity.name.as_str()));
        fields.0
    });
    fields.put("instance_profile", tables(profiles.collect()));
    omissions.note(!account.oidc_providers.is_empty(), "OIDC providers");
    omissions.note(world.accounts.keys().any(|key| matches!(key.holder, Holder::Session(_))), "sessions");
    fields.put("kms_key", tables(kms_keys(account, world, omissions)));
    let own = world.queues.iter().filter(|queue| queue.account == account.id);
    fields.put("queue", tables(own.map(|queue| queue_table(queue, world, omissions)).collect()));
    let own = world.topics.iter().filter(|topic| topic.account == account.id);
    fields.put("topic", tables(own.map(|topic| topic_table(topic, world, omissions)).collect()));
    let own = world.buckets.values().filter(|bucket| bucket.owner == account.id);
    fields.put("bucket", tables(own.map(|bucket| bucket_table(bucket, world, omissions)).collect()));
    omissions.note(world.outbox.next_due().is_some(), "deliveries that are still to be made");
    fields.0
}

fn is_root_of(holder: &Holder, id: &AccountId) -> bool {
    matches!(holder, Holder::Root { account } if account == id)
}

fn keys_of(world: &World, is_own: impl Fn(&Holder) -> bool) -> Vec<Table> {
    let own = world.accounts.keys().filter(|key| is_own(&key.holder));
    own.map(|key: &AccessKey| {
        let mut fields = Fields::default();
        fields.put("id", key.id.as_str());
        fields.put("secret", key.secret.expose());
        if key.status == KeyStatus::Inactive {
            fields.put("status", "Inactive");
        }
        fields.put("created", key.created_at.to_string());
        fields.0
    })
    .collect()
}

fn entity(entity: &Entity) -> Fields {
    let mut fields = Fields::default();
    fields.put("name", entity.name.as_str());
    if entity.path != "/" {
        fields.put("path", entity.path.as_str());
    }
    fields
}

fn attached(attached: &Attached, world: &World, omissions: &mut Omissions) -> Vec<Value> {
    let is_named = |(index, name): (usize, &String)| {
        *name != if index == 0 { "inline".to_owned() } else { format!("inline-{}", index + 1) }
    };
    omissions.note(attached.inline.keys().enumerate().any(is_named), "the names of inline policies");
    let inline = attached.inline.values().map(|policy| shown(policy, world));
    inline.chain(attached.managed.iter().map(|arn| Value::from(arn.as_str()))).collect()
}

fn shown(policy: &Policy, world: &World) -> Value {
    world.accounts.shown(policy).into_owned().into()
}

fn users(account: &Account, world: &World, omissions: &mut Omissions) -> Vec<Table> {
    let table = |user: &crate::state::User| {
        let mut fields = entity(&user.entity);
        fields.put("policies", attached(&user.policies, world, omissions));
        let groups = account.groups_of(user).map(|group| Value::from(group.entity.name.as_str()));
        fields.put("groups", groups.collect::<Vec<_>>());
        fields.put_some("boundary", user.boundary.as_ref().map(Arn::as_str));
        fields.put_texts("tags", user.tags.iter());
        let is_own = |holder: &Holder| matches!(holder, Holder::User { account: id, name } if *id == account.id && *name == user.entity.name);
        fields.put("access_key", tables(keys_of(world, is_own)));
        fields.0
    };
    account.users.iter().map(table).collect()
}

fn roles(account: &Account, world: &World, omissions: &mut Omissions) -> Vec<Table> {
    let table = |role: &crate::state::Role| {
        let mut fields = entity(&role.entity);
        fields.put("trust", shown(&role.trust, world));
        fields.put("policies", attached(&role.policies, world, omissions));
        fields.put_some("boundary", role.boundary.as_ref().map(Arn::as_str));
        fields.put_texts("tags", role.tags.iter());
        fields.put_some("description", role.description.clone());
        fields.put("max_session_duration", role.max_session_secs);
        fields.0
    };
    account.roles.iter().map(table).collect()
}

fn kms_keys(account: &Account, world: &World, omissions: &mut Omissions) -> Vec<Table> {
    let table = |key: &KmsKey| {
        omissions.note(true, "the material of KMS keys: what they encrypted cannot be decrypted");
        omissions.note(!key.grants.is_empty(), "grants on KMS keys");
        omissions.note(key.rotation.is_some(), "the rotation of KMS keys");
        let mut fields = Fields::default();
        fields.put("id", key.id.as_str());
        fields.put("region", key.region.as_str());
        let scope = KeyScope::new(key.account.clone(), key.region.as_str());
        let mut aliases = world.keys.aliases_of(&scope).filter(|alias| alias.key_arn == key.arn.as_str());
        fields.put_some("alias", aliases.next().map(|alias| alias.name.as_str()));
        omissions.note(aliases.next().is_some(), "a second alias of a KMS key");
        if !key.description.is_empty() {
            fields.put("description", key.description.as_str());
        }
        fields.put("policy", shown(&key.policy, world));
        match key.state {
            KeyState::Enabled => {}
            KeyState::Disabled => fields.put("state", "Disabled"),
            KeyState::PendingDeletion { .. } => fields.put("state", "PendingDeletion"),
        }
        fields.put_texts("tags", key.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        fields.0
    };
    let own =
        world.keys.iter().filter(|key| key.account == account.id && key.manager == KeyManager::Customer);
    own.map(table).collect()
}

fn queue_table(queue: &Queue, world: &World, omissions: &mut Omissions) -> Table {
    omissions.note(queue.counts(world.now) != (0, 0, 0), "messages in queues");
    let mut fields = Fields::default();
    fields.put("name", queue.name.as_str());
    fields.put("region", queue.region.as_str());
    fields.put_some("policy", queue.policy.as_ref().map(|policy| shown(policy, world)));
    let pairs = |map: &std::collections::BTreeMap<String, String>| -> Table {
        map.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
    };
    fields.put("attributes", pairs(&queue.attributes));
    fields.put("tags", pairs(&queue.tags));
    fields.0
}

fn topic_table(topic: &Topic, world: &World, omissions: &mut Omissions) -> Table {
    let mut fields = Fields::default();
    fields.put("name", topic.name.as_str());
    fields.put("region", topic.region.as_str());
    fields.put("policy", shown(&topic.policy, world));
    fields.put_some("display_name", topic.attribute("DisplayName"));
    let version = topic.attribute("SignatureVersion").and_then(|text| text.parse::<i64>().ok());
    fields.put_some("signature_version", version);
    fields.put_some("delivery_policy", topic.attribute("DeliveryPolicy"));
    fields.put_some("kms_key", topic.attribute(KEY_ATTRIBUTE));
    fields.put_texts("tags", topic.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut subscriptions = Vec::new();
    for subscription in world.topics.subscriptions_of(topic.arn.as_str()) {
        omissions.note(subscription.is_pending, "subscriptions that were not confirmed");
        omissions.note(subscription.owner != topic.account, "that another account owns a subscription");
        if !subscription.is_pending {
            subscriptions.push(subscription_table(subscription));
        }
    }
    fields.put("subscription", tables(subscriptions));
    fields.0
}

fn subscription_table(subscription: &Subscription) -> Table {
    let mut fields = Fields::default();
    fields.put("protocol", subscription.protocol.as_str());
    fields.put("endpoint", subscription.endpoint.as_str());
    fields.put_some("id", subscription.arn.rsplit(':').next());
    if subscription.is_raw() {
        fields.put("raw", true);
    }
    fields.put_some("filter_policy", subscription.attribute("FilterPolicy"));
    fields.put_some("filter_policy_scope", subscription.attribute("FilterPolicyScope"));
    fields.put_some("dead_letter_queue", subscription.dead_letter_queue());
    fields.put_some("delivery_policy", subscription.attribute("DeliveryPolicy"));
    fields.0
}

fn public_access_block(block: bucketproof_authz::PublicAccessBlock) -> Table {
    [
        ("block_public_acls", block.block_public_acls),
        ("ignore_public_acls", block.ignore_public_acls),
        ("block_public_policy", block.block_public_policy),
        ("restrict_public_buckets", block.restrict_public_buckets),
    ]
    .into_iter()
    .map(|(name, on)| (name.to_owned(), on.into()))
    .collect()
}

fn bucket_table(bucket: &Bucket, world: &World, omissions: &mut Omissions) -> Table {
    note_settings(bucket, omissions);
    let mut fields = Fields::default();
    fields.put("name", bucket.name.as_str());
    fields.put("region", bucket.region.as_str());
    fields.put_some("policy", bucket.policy.as_ref().map(|policy| shown(policy, world)));
    fields.put_some("ownership", bucket.ownership.map(|ownership| ownership.to_string()));
    if bucket.acl != bucket.private {
        let canned =
            CannedAcl::ALL.into_iter().find(|canned| canned.for_bucket(bucket.owner_id()) == bucket.acl);
        omissions.note(canned.is_none(), "ACLs of buckets that are no canned ones");
        fields.put_some("acl", canned.map(|canned| canned.to_string()));
    }
    // Absent is what new buckets begin with.
    let block = bucket.public_access_block.unwrap_or(bucketproof_authz::PublicAccessBlock::NONE);
    fields.put("public_access_block", public_access_block(block));
    match bucket.versioning {
        Versioning::Never => {}
        Versioning::Enabled => fields.put("versioning", "Enabled"),
        Versioning::Suspended => fields.put("versioning", "Suspended"),
    }
    fields.put("encryption", encryption(&bucket.encryption));
    fields.put("notifications", notifications(&bucket.settings.notifications));
    let mut objects = Vec::new();
    for (key, object) in bucket.objects.range(..) {
        let bytes: Vec<u8> = object.content.pieces().flat_map(|piece| piece.to_vec()).collect();
        let attributes = &object.attributes;
        let plain = attributes.headers == crate::state::ObjectHeaders::default()
            && attributes.tags == Tags::default()
            && attributes.lock == Lock::default()
            && attributes.acl.is_none()
            && attributes.redirect.is_none()
            && object.parts.is_none();
        omissions.note(
            !plain,
            "what stands with objects beside their bytes (headers, metadata, tags, locks, ACLs, parts)",
        );
        match String::from_utf8(bytes) {
            Ok(text) => {
                let mut fields = Fields::default();
                fields.put("key", key.as_str());
                fields.put("text", text);
                objects.push(fields.0);
            }
            Err(_) => omissions.note(true, "objects that are no text"),
        }
    }
    fields.put("objects", tables(objects));
    fields.0
}

fn note_settings(bucket: &Bucket, omissions: &mut Omissions) {
    let settings = &bucket.settings;
    for (is_there, what) in [
        (bucket.tags != Tags::default(), "tags of buckets"),
        (bucket.lifecycle.is_some(), "lifecycle rules"),
        (bucket.object_lock.is_some(), "Object Lock"),
        (settings.cors.is_some(), "CORS rules"),
        (settings.website.is_some(), "websites"),
        (settings.replication.is_some(), "replication rules"),
        (!settings.listed.is_empty(), "inventory, analytics, metrics and tiering configurations"),
        (bucket.uploads.iter().next().is_some(), "multipart uploads in progress"),
        (bucket.versioning != Versioning::Never, "versions beside the current ones, and delete markers"),
    ] {
        omissions.note(is_there, what);
    }
}

fn encryption(encryption: &BucketEncryption) -> Table {
    let mut fields = Fields::default();
    match &encryption.default {
        DefaultEncryption::S3 => fields.put("algorithm", "AES256"),
        DefaultEncryption::Kms { method, key } => {
            fields.put("algorithm", method.name());
            fields.put_some("kms_key", key.clone());
        }
    }
    if encryption.bucket_key {
        fields.put("bucket_key", true);
    }
    let blocked = match encryption.customer_keys {
        CustomerKeys::Blocked => "SSE-C",
        CustomerKeys::Allowed => "NONE",
    };
    fields.put("blocked_encryption_types", vec![Value::from(blocked)]);
    fields.0
}

fn notifications(notifications: &Notifications) -> Value {
    let rules = notifications.rules().map(|rule| {
        let mut fields = Fields::default();
        fields.put_some("id", rule.id);
        fields.put(if rule.arn.contains(":sqs:") { "queue" } else { "topic" }, rule.arn);
        fields.put("events", rule.events.into_iter().map(Value::from).collect::<Vec<_>>());
        fields.put_some("prefix", rule.prefix);
        fields.put_some("suffix", rule.suffix);
        fields.0
    });
    tables(rules.collect())
}
