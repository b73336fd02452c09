//! Documents as AWS's operations take them: validated per kind, with AWS's codes, texts and size limits.
//!
//! [`Policy::parse`] compiles whatever can be decided on; [`Policy::parse_valid`] takes what the operation of a service
//! would take, in the order in which AWS finds mistakes. Whether principals exist is for the caller to check, with
//! [`Policy::principals`] and [`PolicyError::invalid_principal`].

use crate::bucket_policy::validate_bucket_policy;
use crate::policy::{Policy, PolicyError, PolicyErrorKind, PolicyKind, PolicySource, Position};

mod identity;
mod instant;
mod key;
mod limits;
mod resource_format;
mod topic;
mod trust;

pub use key::check_key_policy_lockout;
pub use limits::{
    BUCKET_POLICY_BYTES_MAX, GROUP_POLICIES_CHARS_MAX, KEY_POLICY_BYTES_MAX, MANAGED_POLICY_CHARS_MAX,
    QUEUE_POLICY_BYTES_MAX, ROLE_POLICIES_CHARS_MAX, SESSION_POLICY_CHARS_MAX, TOPIC_POLICY_BYTES_MAX,
    TRUST_POLICY_CHARS_MAX, USER_POLICIES_CHARS_MAX, policy_chars,
};

/// What a document is given to AWS as. It decides the rules, the size limit, the code and the text of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind<'a> {
    /// `PutBucketPolicy`.
    Bucket {
        /// The bucket that the policy is put on.
        name: &'a str,
    },
    /// `CreatePolicy` and `CreatePolicyVersion`; a managed policy may become a permissions boundary.
    Managed,
    /// `PutUserPolicy`, `PutGroupPolicy` and `PutRolePolicy`.
    Inline {
        /// What the policy becomes a part of.
        owner: InlineOwner,
        /// The name of the user, group or role.
        name: &'a str,
        /// The [`policy_chars`] of its other inline policies in sum: the limit is on all of them.
        other_chars: usize,
    },
    /// `CreateRole` and `UpdateAssumeRolePolicy`.
    Trust,
    /// The `Policy` of `AssumeRole` and its kin.
    Session,
    /// `CreateKey` and `PutKeyPolicy`; see [`check_key_policy_lockout`] for the check that a flag turns off.
    Key,
    /// The attribute `Policy` of `CreateTopic` and `SetTopicAttributes`.
    Topic,
    /// The attribute `Policy` of `CreateQueue` and `SetQueueAttributes`.
    Queue,
}

/// What an inline policy belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InlineOwner {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
}

impl DocumentKind<'_> {
    /// The kind of the compiled policy.
    pub fn policy_kind(self) -> PolicyKind {
        match self {
            Self::Bucket { .. } => PolicyKind::Bucket,
            Self::Managed | Self::Inline { .. } => PolicyKind::Identity,
            Self::Trust => PolicyKind::Trust,
            Self::Session => PolicyKind::Session,
            Self::Key => PolicyKind::Key,
            Self::Topic => PolicyKind::Topic,
            Self::Queue => PolicyKind::Queue,
        }
    }
}

impl Policy {
    /// Parses a document that an operation of AWS takes, and refuses what that operation refuses.
    ///
    /// The kind of `source` is set from `document`; its name, file and ARN stay.
    ///
    /// ```
    /// use bucketproof_authz::{DocumentKind, Policy, PolicyKind, PolicySource};
    ///
    /// let refused = Policy::parse_valid(
    ///     r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject"}}"#,
    ///     PolicySource::new(PolicyKind::Identity, "read"),
    ///     DocumentKind::Managed,
    /// )
    /// .expect_err("it has no resource");
    /// assert_eq!((refused.aws_status(), refused.aws_code()), (400, "MalformedPolicyDocument"));
    /// assert_eq!(refused.aws_message(), "Policy statement must contain resources.");
    /// assert_eq!(refused.to_string(), "the statement has no `Resource` at line 1, column 40");
    /// ```
    ///
    /// # Errors
    /// The first mistake, in the order in which AWS looks for them.
    pub fn parse_valid(
        text: &str,
        mut source: PolicySource,
        document: DocumentKind<'_>,
    ) -> Result<Self, PolicyError> {
        source.kind = document.policy_kind();
        limits::check(text, document)?;
        match document {
            DocumentKind::Managed => identity::check(text, source.kind, identity::Versions::Current)?,
            DocumentKind::Inline { .. } | DocumentKind::Session => {
                identity::check(text, source.kind, identity::Versions::Any)?;
            }
            DocumentKind::Bucket { .. }
            | DocumentKind::Trust
            | DocumentKind::Key
            | DocumentKind::Topic
            | DocumentKind::Queue => {}
        }
        let policy = Self::parse(text, source)?;
        if policy.kind().is_resource_policy() {
            refuse_allow_with_not_principal(&policy)?;
        }
        match document {
            DocumentKind::Bucket { name } => validate_bucket_policy(&policy, name)?,
            DocumentKind::Trust => trust::check(&policy)?,
            DocumentKind::Topic => topic::check(&policy)?,
            DocumentKind::Managed
            | DocumentKind::Inline { .. }
            | DocumentKind::Session
            | DocumentKind::Key
            | DocumentKind::Queue => {}
        }
        Ok(policy)
    }
}

/// Reported for bucket and trust policies, and taken to hold for key and topic policies as well: an Allow for
/// everybody but some would let in the anonymous.
fn refuse_allow_with_not_principal(policy: &Policy) -> Result<(), PolicyError> {
    for statement in policy.statements() {
        if let Some(principal) = &statement.principal
            && principal.negated
            && statement.effect() == crate::policy::Effect::Allow
        {
            return Err(error(
                policy.kind(),
                PolicyErrorKind::AllowWithNotPrincipal,
                principal.at,
                "the statement allows everybody but the listed principals".to_owned(),
                "list whom to allow under `Principal`, or deny with `NotPrincipal`",
            ));
        }
    }
    Ok(())
}

fn error(
    policy: PolicyKind,
    kind: PolicyErrorKind,
    at: Position,
    message: String,
    help: impl Into<String>,
) -> PolicyError {
    PolicyError::new(policy, kind, at, message, help)
}

#[cfg(test)]
mod tests;
