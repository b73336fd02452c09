//! Managed policies with their versions, those of AWS included.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bucketproof_authz::{Arn, Policy, PolicyError, PolicyKind, PolicySource};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::aws_managed::AWS_MANAGED;
use super::entity::{Entity, EntityKind, IamTags};

/// A policy that can be attached to many.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ManagedPolicy {
    pub(crate) entity: Entity,
    pub(crate) description: Option<String>,
    /// By number: 1 is `v1`. Never empty.
    versions: BTreeMap<u32, PolicyVersion>,
    default: u32,
    /// The default version again, so that a decision looks nothing up.
    current: PolicyVersion,
    next: u32,
    pub(crate) tags: IamTags,
    pub(crate) updated_at: Timestamp,
}

/// One version of a managed policy, compiled for each of its uses.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct PolicyVersion {
    identity: Policy,
    boundary: Policy,
    pub(crate) created_at: Timestamp,
}

impl PolicyVersion {
    /// Compiles a document.
    pub(crate) fn parse(
        text: &str,
        arn: &Arn,
        file: Option<&str>,
        created_at: Timestamp,
    ) -> Result<Self, PolicyError> {
        let name = arn.resource().rsplit('/').next().unwrap_or_default();
        let compile = |kind| {
            let source = PolicySource::new(kind, name).with_arn(arn.as_str());
            Policy::parse(
                text,
                match file {
                    Some(file) => source.with_file(file),
                    None => source,
                },
            )
        };
        let identity = compile(PolicyKind::Identity)?;
        Ok(Self { identity, boundary: compile(PolicyKind::Boundary)?, created_at })
    }

    pub(crate) fn document(&self) -> &str {
        self.identity.text()
    }
}

impl AsRef<Entity> for ManagedPolicy {
    fn as_ref(&self) -> &Entity {
        &self.entity
    }
}

impl ManagedPolicy {
    pub(crate) fn new(entity: Entity, first: PolicyVersion) -> Self {
        Self {
            updated_at: entity.created_at,
            entity,
            description: None,
            current: first.clone(),
            versions: [(1, first)].into(),
            default: 1,
            next: 2,
            tags: IamTags::default(),
        }
    }

    /// The default version as an identity policy.
    pub(crate) fn identity(&self) -> &Policy {
        &self.current.identity
    }

    /// The default version as a permissions boundary.
    pub(crate) fn boundary(&self) -> &Policy {
        &self.current.boundary
    }

    pub(crate) fn default_version(&self) -> u32 {
        self.default
    }

    pub(crate) fn version(&self, number: u32) -> Option<&PolicyVersion> {
        self.versions.get(&number)
    }

    /// The newest first.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (u32, &PolicyVersion)> {
        self.versions.iter().rev().map(|(number, version)| (*number, version))
    }

    pub(crate) fn version_count(&self) -> usize {
        self.versions.len()
    }

    /// Adds a version and returns its number.
    pub(crate) fn add_version(&mut self, version: PolicyVersion, make_default: bool) -> u32 {
        let number = self.next;
        self.next += 1;
        if make_default {
            self.default = number;
            self.current = version.clone();
        }
        self.updated_at = version.created_at;
        self.versions.insert(number, version);
        number
    }

    /// Makes a version the default; `false` if there is none of that number.
    pub(crate) fn set_default(&mut self, number: u32, now: Timestamp) -> bool {
        let Some(version) = self.versions.get(&number) else { return false };
        self.default = number;
        self.current = version.clone();
        self.updated_at = now;
        true
    }

    /// Removes a version that is not the default.
    pub(crate) fn remove_version(&mut self, number: u32) -> bool {
        number != self.default && self.versions.remove(&number).is_some()
    }
}

/// A policy of AWS's own, compiled when the first one is asked for.
pub(crate) fn aws_managed(arn: &str) -> Option<&'static ManagedPolicy> {
    if !arn.starts_with("arn:aws:iam::aws:policy/") {
        return None;
    }
    COMPILED.get(arn)
}

/// All policies of AWS's own, by ARN.
pub(crate) fn all_aws_managed() -> impl Iterator<Item = &'static ManagedPolicy> {
    COMPILED.values()
}

static COMPILED: LazyLock<BTreeMap<String, ManagedPolicy>> = LazyLock::new(|| {
    let compile = |(path, name, unique_id, document): &(&str, &str, &str, &str)| {
        let arn = Arn::new(EntityKind::Policy.arn("aws", path, name)).ok()?;
        // AWS published most of them on that day.
        let created_at: Timestamp = "2015-02-06T18:40:58Z".parse().ok()?;
        let version = PolicyVersion::parse(document, &arn, None, created_at).ok()?;
        let entity = Entity {
            kind: EntityKind::Policy,
            name: (*name).to_owned(),
            path: (*path).to_owned(),
            arn: arn.clone(),
            unique_id: (*unique_id).to_owned(),
            created_at,
        };
        Some((arn.as_str().to_owned(), ManagedPolicy::new(entity, version)))
    };
    AWS_MANAGED.iter().filter_map(compile).collect()
});

#[cfg(test)]
mod tests {
    use super::{AWS_MANAGED, COMPILED};

    #[test]
    fn every_policy_of_aws_compiles() {
        assert_eq!(COMPILED.len(), AWS_MANAGED.len());
    }
}
