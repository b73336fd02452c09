//! Why a request was decided as it was.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::acl::AclGrant;
use crate::decide::AclResource;
use crate::decide::acl::AclFound;
use crate::kms_grant::KmsGrant;
use crate::policy::{Policy, PolicyClass, Statement};

/// A statement of a policy.
#[derive(Debug, Clone)]
pub struct StatementRef {
    policy: Policy,
    index: usize,
}

impl StatementRef {
    pub(crate) fn new(policy: Policy, index: usize) -> Self {
        Self { policy, index }
    }

    /// The policy that holds the statement.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The position of the statement in its policy, counted from 1.
    pub fn number(&self) -> usize {
        self.index + 1
    }

    /// The statement.
    pub fn statement(&self) -> Option<&Statement> {
        self.policy.statements().get(self.index)
    }

    /// The `Sid`, if the statement has one.
    pub fn sid(&self) -> Option<&str> {
        self.statement().and_then(Statement::sid)
    }

    /// The line of the statement in the text of its policy, counted from 1.
    pub fn line(&self) -> u32 {
        self.statement().map_or(1, |statement| statement.position().line)
    }
}

impl PartialEq for StatementRef {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.policy.is_same(&other.policy)
    }
}

impl Eq for StatementRef {}

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sid() {
            Some(sid) => write!(f, "statement `{sid}` of the {}", self.policy.source()),
            None => write!(f, "statement {} of the {}", self.number(), self.policy.source()),
        }
    }
}

impl Serialize for StatementRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = self.policy.source();
        let mut state = serializer.serialize_struct("StatementRef", 6)?;
        state.serialize_field("policy_kind", &source.kind)?;
        state.serialize_field("policy", &source.name)?;
        state.serialize_field("statement", &self.number())?;
        state.serialize_field("sid", &self.sid())?;
        state.serialize_field("file", &source.file)?;
        state.serialize_field("line", &self.line())?;
        state.end()
    }
}

/// A grant of an ACL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AclGrantRef {
    /// Whose ACL it is.
    pub acl: AclResource,
    /// The grant.
    #[serde(flatten)]
    pub grant: AclGrant,
}

impl From<AclFound<'_>> for AclGrantRef {
    fn from(found: AclFound<'_>) -> Self {
        Self { acl: found.resource, grant: found.grant.clone() }
    }
}

impl fmt::Display for AclGrantRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the grant of {} in the ACL of the {}", self.grant, self.acl.as_str())
    }
}

/// What allowed on the side of the resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ResourceAllow {
    /// A statement of the resource policy.
    Statement(StatementRef),
    /// A grant of an ACL.
    Acl(AclGrantRef),
    /// A grant on a KMS key.
    KmsGrant(Box<KmsGrant>),
}

impl fmt::Display for ResourceAllow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement(statement) => statement.fmt(f),
            Self::Acl(grant) => grant.fmt(f),
            Self::KmsGrant(grant) => grant.fmt(f),
        }
    }
}

/// The rule that settled a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// Policies allow. At least one of the two is named: the identity side, the resource side, or both where both
    /// are needed.
    AllowedBy {
        /// The allowing statement among the caller's own policies, if it was needed.
        identity: Option<StatementRef>,
        /// What allows on the side of the resource, if it was needed.
        resource: Option<ResourceAllow>,
    },
    /// The root user of the owning account may do everything that nothing denies.
    RootOfOwner,
    /// The root user of the owning account can always read, write and delete the bucket policy.
    RootManagesBucketPolicy,
    /// `sts:GetCallerIdentity` needs no permission and cannot be denied.
    CallerIdentity,
    /// A statement denies.
    ExplicitDeny {
        /// The statement that AWS would report; others may deny as well.
        statement: StatementRef,
    },
    /// RestrictPublicBuckets is on and the bucket policy is public.
    PublicAccessRestricted,
    /// Nothing in a class of policies allows, and it would have had to.
    NoAllow {
        /// The class that AWS would report.
        class: PolicyClass,
    },
    /// A level of service control policies has no allow.
    NoServiceControlAllow {
        /// The level, counted from 1 in the order given.
        level: usize,
    },
    /// Root users may not assume roles.
    RootMayNotAssumeRoles,
    /// The operation does not work on resources of other accounts, whatever their policies say.
    NotAcrossAccounts,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllowedBy { identity: Some(identity), resource: Some(resource) } => {
                write!(f, "allowed by {identity} and {resource}")
            }
            Self::AllowedBy { identity: Some(statement), resource: None } => {
                write!(f, "allowed by {statement}")
            }
            Self::AllowedBy { identity: None, resource: Some(allow) } => write!(f, "allowed by {allow}"),
            Self::AllowedBy { identity: None, resource: None } => f.write_str("allowed"),
            Self::RootOfOwner => f.write_str("the root user of the owning account is allowed by default"),
            Self::RootManagesBucketPolicy => {
                f.write_str("the root user of the owning account can always manage the bucket policy")
            }
            Self::CallerIdentity => f.write_str("sts:GetCallerIdentity needs no permission"),
            Self::ExplicitDeny { statement } => write!(f, "explicit deny in {statement}"),
            Self::PublicAccessRestricted => {
                f.write_str("the bucket policy is public and RestrictPublicBuckets is on")
            }
            Self::NoAllow { class } => write!(f, "no {} allows the action", class.aws_name()),
            Self::NoServiceControlAllow { level } => {
                write!(f, "no service control policy of level {level} allows the action")
            }
            Self::RootMayNotAssumeRoles => f.write_str("root users may not assume roles"),
            Self::NotAcrossAccounts => f.write_str("the operation does not work across accounts"),
        }
    }
}
