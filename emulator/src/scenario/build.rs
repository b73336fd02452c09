//! From a scenario to the state of an emulator.

use std::sync::Arc;

use bucketproof_authz::{
    AccountId, CannedAcl, ObjectOwnership, Policy, PolicyError, PolicyKind, PolicySource,
    validate_bucket_policy,
};
use bucketproof_clock::Entropy;
use bytes::Bytes;
use jiff::Timestamp;
use toml::Spanned;

use super::document::{self, is_json};
use super::{Scenario, ScenarioError};
use crate::fault::Fault;
use crate::ids;
use crate::s3::{Checksum, ChecksumAlgorithm, KEY_BYTES_MAX, bucket_policy, is_bucket_name, is_region, md5};
use crate::state::{
    Account, Attributes, Bucket, Content, Defaults, MissingKeys, Object, Version, VersionId, Versioning,
    World,
};

/// Builds the state at `now`; ids that the scenario does not give are drawn from `entropy`.
pub(crate) fn build(scenario: &Scenario, entropy: Entropy, now: Timestamp) -> Result<World, ScenarioError> {
    let defaults = if scenario.document.legacy_defaults { Defaults::Legacy } else { Defaults::Modern };
    let mut builder = Builder { scenario, world: World::new(entropy, defaults), now };
    if scenario.document.missing_keys_shown_to_listers {
        builder.world.beyond_buckets.missing_keys = MissingKeys::Listers;
    }
    for account in &scenario.document.account {
        builder.account(account)?;
    }
    builder.bind_trusts()?;
    // The policies of keys, queues, topics and buckets may name principals of any account, so they come last.
    for account in &scenario.document.account {
        for queue in &account.queue {
            builder.queue(queue, account)?;
        }
    }
    for account in &scenario.document.account {
        for topic in &account.topic {
            builder.topic(topic, account)?;
        }
        for key in &account.kms_key {
            builder.kms_key(key, account)?;
        }
        for bucket in &account.bucket {
            builder.bucket_policy(bucket)?;
        }
    }
    for account in &scenario.document.account {
        for bucket in &account.bucket {
            builder.notifications(bucket)?;
        }
    }
    Ok(builder.world)
}

/// The faults that the scenario puts in force.
pub(crate) fn faults(scenario: &Scenario) -> Result<Vec<Fault>, ScenarioError> {
    let declared = scenario.document.fault.iter();
    declared
        .map(|fault| {
            let read = fault.get_ref().clone().fault();
            read.map_err(|problem| scenario.place.at(fault, problem, "correct the fault, or remove it"))
        })
        .collect()
}

pub(super) struct Builder<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) world: World,
    pub(super) now: Timestamp,
}

impl Builder<'_> {
    pub(super) fn error<T>(
        &self,
        value: &Spanned<T>,
        message: impl Into<String>,
        help: &str,
    ) -> ScenarioError {
        self.scenario.place.at(value, message, help)
    }

    fn account(&mut self, account: &document::Account) -> Result<(), ScenarioError> {
        let id = AccountId::new(account.id.get_ref()).map_err(|_| {
            let message = format!("field `id` of the account is `{}`", account.id.get_ref());
            self.error(&account.id, message, "an account id is 12 digits in quotes")
        })?;
        if self.world.accounts.get(&id).is_some() {
            let message = format!("the account `{id}` is declared twice");
            return Err(self.error(&account.id, message, "merge the two declarations"));
        }
        let canonical_id = match &account.canonical_id {
            None => ids::canonical_user_id(&self.world.entropy),
            Some(text) => {
                let valid =
                    text.get_ref().len() == 64 && text.get_ref().bytes().all(|b| b.is_ascii_hexdigit());
                if !valid {
                    let message =
                        format!("field `canonical_id` of the account `{id}` is `{}`", text.get_ref());
                    return Err(self.error(text, message, "a canonical id is 64 hexadecimal digits"));
                }
                text.get_ref().clone()
            }
        };
        let named =
            Account { name: Some(account.name.clone()), ..Account::new(id.clone(), canonical_id, self.now) };
        self.principals(account, named)?;
        if let Some(block) = account.public_access_block {
            self.world.beyond_buckets.public_access_blocks.insert(id.clone(), block.0);
        }
        for bucket in &account.bucket {
            self.bucket(bucket, &id)?;
        }
        Ok(())
    }

    /// A trust policy goes by its role, as a bucket policy goes by its bucket.
    pub(super) fn trust(&self, role: &document::Role) -> Result<Policy, ScenarioError> {
        self.named_policy(&role.trust, PolicyKind::Trust, role.name.get_ref())
    }

    pub(super) fn named_policy(
        &self,
        given: &Spanned<String>,
        kind: PolicyKind,
        name: &str,
    ) -> Result<Policy, ScenarioError> {
        let (text, file) = self.policy_text(given)?;
        Policy::parse(text, source(kind, name, file)).map_err(|error| self.policy_error(given, file, &error))
    }

    /// What is wrong with a policy, and where in its own text.
    pub(super) fn policy_error(
        &self,
        given: &Spanned<String>,
        file: Option<&str>,
        error: &PolicyError,
    ) -> ScenarioError {
        let place = file.map_or_else(
            || format!("line {}, column {} of the policy", error.line(), error.column()),
            |file| format!("{file}:{}:{}", error.line(), error.column()),
        );
        self.error(given, format!("{place}: {}", error.message()), error.help())
    }

    /// The text of a policy, and the file it came from.
    pub(super) fn policy_text<'s>(
        &'s self,
        given: &'s Spanned<String>,
    ) -> Result<(&'s str, Option<&'s str>), ScenarioError> {
        let value = given.get_ref();
        if is_json(value) {
            return Ok((value, None));
        }
        self.scenario.file(value).map(|text| (text, Some(value.as_str()))).ok_or_else(|| {
            let message = format!("the policy file `{value}` is not among the files of this scenario");
            self.error(given, message, "give the path of a JSON file, or the JSON itself")
        })
    }

    fn bucket(&mut self, bucket: &document::Bucket, owner: &AccountId) -> Result<(), ScenarioError> {
        let name = bucket.name.get_ref();
        if !is_bucket_name(name) {
            let message = format!("field `name` of the bucket is `{name}`");
            let help = "a bucket name has 3 to 63 lower-case letters, digits, dots and hyphens";
            return Err(self.error(&bucket.name, message, help));
        }
        if self.world.buckets.contains_key(name) {
            let message = format!("the bucket `{name}` is declared twice");
            return Err(self.error(&bucket.name, message, "bucket names are unique among all accounts"));
        }
        let region = bucket.region.as_ref().map_or("us-east-1", |region| region.get_ref());
        if let Some(region) = bucket.region.as_ref().filter(|region| !is_region(region.get_ref())) {
            let message = format!("field `region` of the bucket `{name}` is `{}`", region.get_ref());
            return Err(self.error(region, message, "give a region such as `eu-west-1`"));
        }
        let owner_id = self.world.canonical_id(owner);
        let defaults = self.world.beyond_buckets.defaults;
        let mut built = Bucket::new(name, region, owner.clone(), &owner_id, defaults, self.now);
        if let Some(block) = bucket.public_access_block {
            built.public_access_block = Some(block.0);
        }
        self.ownership(bucket, &mut built)?;
        built.versioning = self.versioning(bucket)?;
        built.encryption = self.encryption(bucket, built.encryption)?;
        for object in &bucket.objects {
            let key = object.key.get_ref();
            if !(1..=KEY_BYTES_MAX).contains(&key.len()) {
                let message =
                    format!("field `key` of an object in the bucket `{name}` has {} bytes", key.len());
                return Err(self.error(&object.key, message, "a key has 1 to 1024 bytes"));
            }
            if built.objects.current(key).is_some() {
                let message = format!("the object `{key}` in the bucket `{name}` is declared twice");
                return Err(self.error(&object.key, message, "give each object a key of its own"));
            }
            let object = self.object(object)?;
            built.push(key, Version::Object(Arc::new(object)));
        }
        self.world.buckets.insert(name.clone(), built);
        Ok(())
    }

    /// Object Ownership and the ACL, which the bucket must be able to have together.
    fn ownership(&self, bucket: &document::Bucket, built: &mut Bucket) -> Result<(), ScenarioError> {
        let name = bucket.name.get_ref();
        if let Some(given) = &bucket.ownership {
            let ownership = given.get_ref().parse::<ObjectOwnership>().map_err(|_| {
                let message = format!("field `ownership` of the bucket `{name}` is `{}`", given.get_ref());
                self.error(
                    given,
                    message,
                    "use `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`",
                )
            })?;
            built.ownership = Some(ownership);
        }
        let Some(given) = &bucket.acl else { return Ok(()) };
        let canned = given.get_ref().parse::<CannedAcl>().map_err(|_| {
            let message = format!("field `acl` of the bucket `{name}` is `{}`", given.get_ref());
            let names = CannedAcl::ALL.map(|canned| format!("`{canned}`")).join(", ");
            self.error(given, message, &format!("use one of {names}"))
        })?;
        let acl = canned.for_bucket(built.owner_id());
        built.ownership().check_bucket_acl(&acl).map_err(|_| {
            let message = format!("the bucket `{name}` has the ACL `{canned}`, but its ACLs are off");
            self.error(given, message, "set `ownership = \"ObjectWriter\"`, or remove the field")
        })?;
        if self.world.public_access_block(built).blocks_acl(&acl) {
            let message =
                format!("the ACL of the bucket `{name}` is public, which its public access block forbids");
            let help =
                "set `public_access_block = { block_public_acls = false, ignore_public_acls = false }`";
            return Err(self.error(given, message, help));
        }
        built.acl = acl;
        Ok(())
    }

    /// Objects that are there from the start have the version `null`: versioning was turned on after they came.
    fn versioning(&self, bucket: &document::Bucket) -> Result<Versioning, ScenarioError> {
        let Some(given) = &bucket.versioning else { return Ok(Versioning::Never) };
        match given.get_ref().as_str() {
            "Disabled" => Ok(Versioning::Never),
            "Enabled" => Ok(Versioning::Enabled),
            "Suspended" => Ok(Versioning::Suspended),
            other => {
                let message =
                    format!("field `versioning` of the bucket `{}` is `{other}`", bucket.name.get_ref());
                Err(self.error(given, message, "use `Enabled`, `Suspended` or `Disabled`"))
            }
        }
    }

    fn object(&self, object: &document::ObjectText) -> Result<Object, ScenarioError> {
        let text = match (&object.text, &object.file) {
            (Some(text), None) => text.as_str(),
            (None, Some(file)) => self.scenario.file(file.get_ref()).ok_or_else(|| {
                let message =
                    format!("the file `{}` is not among the files of this scenario", file.get_ref());
                self.error(file, message, "give the path of a file, or the content as `text`")
            })?,
            _ => {
                let message =
                    format!("the object `{}` needs exactly one of `text` and `file`", object.key.get_ref());
                return Err(self.error(&object.key, message, "give one of them"));
            }
        };
        let content = Content::from(Bytes::copy_from_slice(text.as_bytes()));
        Ok(Object {
            etag: hex::encode(md5(content.pieces())),
            checksum: Some(Checksum::of(ChecksumAlgorithm::Crc64nvme, &content)),
            content,
            last_modified: self.now,
            version: VersionId::Null,
            attributes: Attributes::default(),
            parts: None,
        })
    }

    /// AWS refuses a trust policy that names a principal which does not exist, and binds it to those that do.
    fn bind_trusts(&mut self) -> Result<(), ScenarioError> {
        for account in &self.scenario.document.account {
            let Ok(id) = AccountId::new(account.id.get_ref()) else { continue };
            for role in &account.role {
                let trust = self.trust(role)?;
                self.check_principals(&trust, &role.trust)?;
                let trust = self.world.accounts.bound(&trust);
                let account = self.world.accounts.get_mut(&id);
                if let Some(role) = account.and_then(|account| account.roles.get_mut(role.name.get_ref())) {
                    role.trust = trust;
                }
            }
        }
        Ok(())
    }

    pub(super) fn check_principals(
        &self,
        policy: &Policy,
        given: &Spanned<String>,
    ) -> Result<(), ScenarioError> {
        match policy.principals().find(|entry| !self.world.accounts.knows(&entry.principal)) {
            None => Ok(()),
            Some(unknown) => {
                let message =
                    format!("the policy names the principal `{}`, which does not exist", unknown.text);
                Err(self.error(given, message, "declare its account, user or role in this scenario"))
            }
        }
    }

    fn bucket_policy(&mut self, bucket: &document::Bucket) -> Result<(), ScenarioError> {
        let Some(given) = &bucket.policy else { return Ok(()) };
        let name = bucket.name.get_ref();
        let (text, file) = self.policy_text(given)?;
        // First with our own words, which say where.
        let parsed = Policy::parse(text, source(PolicyKind::Bucket, name, file))
            .and_then(|policy| validate_bucket_policy(&policy, name).map(|()| policy))
            .map_err(|error| self.policy_error(given, file, &error))?;
        self.check_principals(&parsed, given)?;
        let policy = bucket_policy(text, name, file, &self.world.accounts)
            .map_err(|error| self.error(given, error.message, "AWS refuses this policy"))?;
        let bucket = self.world.buckets.get(name);
        if bucket.is_some_and(|bucket| self.world.public_access_block(bucket).blocks_policy(&policy)) {
            let message =
                format!("the policy of the bucket `{name}` is public, which its public access block forbids");
            let help = "set `public_access_block = { block_public_policy = false, restrict_public_buckets = false }`";
            return Err(self.scenario.place.at(given, message, help));
        }
        if let Some(bucket) = self.world.buckets.get_mut(name) {
            bucket.policy = Some(policy);
        }
        Ok(())
    }
}

pub(super) fn source(kind: PolicyKind, name: &str, file: Option<&str>) -> PolicySource {
    let source = PolicySource::new(kind, name);
    match file {
        Some(file) => source.with_file(file),
        None => source,
    }
}

/// `policies/read-raw.json` is the policy `read-raw`.
pub(super) fn policy_name(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".json").unwrap_or(name)
}
