//! Policies: parsed once, compiled, immutable, cheap to clone.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::arn::Arn;
use crate::decide::{self, Policies};
use crate::ids::UniqueId;
use crate::request::Request;

pub(crate) mod condition;
pub(crate) mod document;
mod error;
mod gate;
pub(crate) mod json;
pub(crate) mod operator;
pub(crate) mod pattern;
pub(crate) mod principal;
mod public;
pub(crate) mod statement;
pub(crate) mod stored;
mod template;
pub(crate) mod value;

pub use document::{Effect, Version};
pub use error::{PolicyError, PolicyErrorKind};
pub use json::Position;
pub use principal::{NamedPrincipal, PrincipalEntry};
pub use statement::Statement;

use crate::subject::Subject;
use document::Document;
use gate::Gate;

/// What a policy is attached to, which decides what it may contain and what it can grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// A policy of a user, group or role, inline or managed.
    Identity,
    /// A permissions boundary.
    Boundary,
    /// A session policy.
    Session,
    /// A service control policy.
    ServiceControl,
    /// A bucket policy.
    Bucket,
    /// The trust policy of a role.
    Trust,
    /// A KMS key policy.
    Key,
    /// An SNS topic policy.
    Topic,
    /// An SQS queue policy.
    Queue,
}

/// The classes of policies that AWS names in its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyClass {
    /// Policies of users, groups and roles.
    Identity,
    /// Permissions boundaries.
    Boundary,
    /// Session policies.
    Session,
    /// Service control policies.
    ServiceControl,
    /// Bucket, trust, key, topic and queue policies.
    Resource,
}

impl PolicyKind {
    /// The class that AWS's messages name.
    pub fn class(self) -> PolicyClass {
        match self {
            Self::Identity => PolicyClass::Identity,
            Self::Boundary => PolicyClass::Boundary,
            Self::Session => PolicyClass::Session,
            Self::ServiceControl => PolicyClass::ServiceControl,
            Self::Bucket | Self::Trust | Self::Key | Self::Topic | Self::Queue => PolicyClass::Resource,
        }
    }

    /// Whether policies of this kind name principals.
    pub fn is_resource_policy(self) -> bool {
        self.class() == PolicyClass::Resource
    }

    /// The kind in words, with an article.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Identity => "an identity policy",
            Self::Boundary => "a permissions boundary",
            Self::Session => "a session policy",
            Self::ServiceControl => "a service control policy",
            Self::Bucket => "a bucket policy",
            Self::Trust => "a trust policy",
            Self::Key => "a key policy",
            Self::Topic => "a topic policy",
            Self::Queue => "a queue policy",
        }
    }
}

impl PolicyClass {
    /// The words of AWS's messages: `identity-based policy`.
    pub fn aws_name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::ServiceControl => "service control policy",
            Self::Resource => "resource-based policy",
        }
    }
}

/// Where a policy comes from, as traces show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySource {
    /// What the policy is attached to.
    pub kind: PolicyKind,
    /// The name of the policy, or for a resource policy the name of its resource.
    pub name: String,
    /// The file that holds the policy, as shown: `policies/read-raw.json`.
    pub file: Option<String>,
    /// The ARN of a managed policy; AWS's messages name it after an explicit deny.
    pub arn: Option<String>,
}

impl PolicySource {
    /// A source without a file.
    pub fn new(kind: PolicyKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), file: None, arn: None }
    }

    /// Names the file that holds the policy.
    pub fn with_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Names the ARN of a managed policy.
    pub fn with_arn(mut self, arn: impl Into<String>) -> Self {
        self.arn = Some(arn.into());
        self
    }
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.kind {
            PolicyKind::Identity => write!(f, "identity policy `{name}`"),
            PolicyKind::Boundary => write!(f, "permissions boundary `{name}`"),
            PolicyKind::Session => write!(f, "session policy `{name}`"),
            PolicyKind::ServiceControl => write!(f, "service control policy `{name}`"),
            PolicyKind::Bucket => write!(f, "bucket policy of `{name}`"),
            PolicyKind::Trust => write!(f, "trust policy of `{name}`"),
            PolicyKind::Key => write!(f, "key policy of `{name}`"),
            PolicyKind::Topic => write!(f, "topic policy of `{name}`"),
            PolicyKind::Queue => write!(f, "queue policy of `{name}`"),
        }
    }
}

/// A compiled policy. Clones share it.
#[derive(Clone)]
pub struct Policy {
    inner: Arc<Inner>,
}

struct Inner {
    text: Box<str>,
    source: PolicySource,
    document: Document,
    /// One for each statement.
    gates: Box<[Gate]>,
    public: bool,
}

impl Policy {
    /// Parses a document and compiles it.
    ///
    /// # Errors
    /// Says what AWS would refuse in a document of this kind. Whether the named principals exist, and for bucket
    /// policies whether actions and resources fit the bucket, is checked elsewhere
    /// (see [`validate_bucket_policy`](crate::validate_bucket_policy)).
    pub fn parse(text: &str, source: PolicySource) -> Result<Self, PolicyError> {
        let document = document::parse(text, source.kind)?;
        let public = source.kind.is_resource_policy() && public::is_public(&document.statements);
        let gates = document.statements.iter().map(Gate::new).collect();
        Ok(Self { inner: Arc::new(Inner { text: text.into(), source, document, gates, public }) })
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// Where it comes from.
    pub fn source(&self) -> &PolicySource {
        &self.inner.source
    }

    /// What it is attached to.
    pub fn kind(&self) -> PolicyKind {
        self.inner.source.kind
    }

    /// The version of the policy language it uses.
    pub fn version(&self) -> Version {
        self.inner.document.version
    }

    /// The statements in order.
    pub fn statements(&self) -> &[Statement] {
        &self.inner.document.statements
    }

    /// The statements that may apply, with their indices; none of the others does.
    pub(crate) fn candidates(&self, subject: &Subject<'_>) -> impl Iterator<Item = (usize, &Statement)> {
        self.inner
            .gates
            .iter()
            .zip(self.statements())
            .enumerate()
            .filter(|(_, (gate, _))| gate.is_open(subject))
            .map(|(index, (_, statement))| (index, statement))
    }

    /// Whether Block Public Access calls the policy public: an `Allow` for everybody that no fixed value of a
    /// principal, network or source key pins down. Policies other than resource policies never are.
    pub fn is_public(&self) -> bool {
        self.inner.public
    }

    /// The bucket that the first S3 resource names, if it names one without a wildcard.
    pub fn bucket_name(&self) -> Option<&str> {
        let resources = self.statements().iter().filter_map(|statement| statement.resource.as_ref());
        let mut texts = resources.flat_map(|element| element.patterns.iter().map(|pattern| &*pattern.text));
        let path = texts.find_map(|text| text.split_once(":s3:::").map(|(_, path)| path))?;
        let name = path.split('/').next().filter(|name| !name.is_empty())?;
        (!name.contains(['*', '?', '$'])).then_some(name)
    }

    /// Every principal that `Principal` and `NotPrincipal` name, in order.
    pub fn principals(&self) -> impl Iterator<Item = &PrincipalEntry> {
        self.statements()
            .iter()
            .filter_map(|statement| statement.principal.as_ref())
            .flat_map(|element| &element.entries)
    }

    /// The policy as AWS stores it: each ARN of a user or role stands for the unique id that it has now. Who is made
    /// under the same name later is not meant (IAM User Guide, "Principal").
    ///
    /// An ARN for which `unique_id` knows nothing stays as it is. ARNs in conditions are compared as texts and never
    /// bound.
    #[must_use]
    pub fn bind(&self, unique_id: impl Fn(&Arn) -> Option<UniqueId>) -> Self {
        let Inner { text, source, document, gates, public } = &*self.inner;
        let mut document = document.clone();
        for element in document.statements.iter_mut().filter_map(|one| one.principal.as_mut()) {
            for entry in &mut element.entries {
                entry.bound_to = entry.bindable().and_then(|arn| unique_id(&arn));
            }
        }
        let (text, source, gates) = (text.clone(), source.clone(), gates.clone());
        let inner = Inner { text, source, document, gates, public: *public };
        Self { inner: Arc::new(inner) }
    }

    /// The text that AWS shows: where a user or role was bound, the ARN that it has now, or its unique id if it is
    /// gone. A unique id that was written as such is shown as ARN too while it has one.
    pub fn shown_text(&self, arn: impl Fn(&UniqueId) -> Option<Arn>) -> Cow<'_, str> {
        self.text_with(|entry| {
            let written = match &entry.principal {
                NamedPrincipal::UniqueId(id) => UniqueId::new(id).ok(),
                _ => None,
            };
            let id = entry.bound_to.as_ref().or(written.as_ref())?;
            Some(arn(id).map_or_else(|| id.to_string(), |arn| arn.to_string()))
        })
    }

    /// The text with the ARN of its root user in place of the bare number of an account, as S3 stores it.
    pub fn text_with_roots(&self) -> Cow<'_, str> {
        self.text_with(|entry| match &entry.principal {
            NamedPrincipal::Account(id) if entry.text == id.as_str() => {
                Some(format!("arn:aws:iam::{id}:root"))
            }
            _ => None,
        })
    }

    /// The text with other names for some principals; a name must have no character that JSON escapes.
    fn text_with(&self, name: impl Fn(&PrincipalEntry) -> Option<String>) -> Cow<'_, str> {
        let mut shown = Cow::Borrowed(self.text());
        let mut entries: Vec<&PrincipalEntry> = self.principals().collect();
        // From the end, so that the places before stay where they are.
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.span.0));
        for entry in entries {
            if let Some(name) = name(entry)
                && name != entry.text
            {
                let (start, end) = entry.span;
                shown.to_mut().replace_range(start..end, &format!("\"{name}\""));
            }
        }
        shown
    }

    /// The text that decides about a request as this policy does: where an entry is bound to somebody else than its
    /// ARN names now, its unique id.
    pub(crate) fn text_for(&self, request: &Request, policies: &Policies<'_>) -> Cow<'_, str> {
        let subject = decide::subject(request, policies);
        let mut shown = Cow::Borrowed(self.text());
        let mut entries: Vec<&PrincipalEntry> = self.principals().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.span.0));
        for entry in entries {
            let Some(id) = &entry.bound_to else { continue };
            if entry.names(&subject) != entry.principal.names(&subject) {
                let (start, end) = entry.span;
                shown.to_mut().replace_range(start..end, &format!("\"{id}\""));
            }
        }
        shown
    }

    /// The indices of the statements that apply to a request; none if policies of this kind have no say about the
    /// caller. `policies` are those in force, this one among them or not.
    pub fn applying(&self, request: &Request, policies: &Policies<'_>) -> Vec<usize> {
        if !decide::binds(&request.principal, self.kind().class()) {
            return Vec::new();
        }
        let subject = decide::subject(request, policies);
        let candidates = self.candidates(&subject);
        candidates.filter(|(_, one)| one.applies(&subject).is_some()).map(|(index, _)| index).collect()
    }

    /// Whether two values are clones of one parsed policy.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("source", &self.inner.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
