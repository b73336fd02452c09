//! How large a document may be, and which characters it may have.
//!
//! Sources: "IAM and AWS STS quotas" for IAM and STS; "Adding a bucket policy" for S3; "CreateKey" for KMS; the limit of
//! SNS is reported, not documented.

use crate::policy::{PolicyError, PolicyErrorKind, PolicyKind, Position};

use super::{DocumentKind, InlineOwner, error};

/// A bucket policy, without the white space between its elements (S3 User Guide: 20 KB; that white space does not
/// count is reported).
pub const BUCKET_POLICY_BYTES_MAX: usize = 20_480;
/// A managed policy, without white space.
pub const MANAGED_POLICY_CHARS_MAX: usize = 6_144;
/// All inline policies of a user, without white space.
pub const USER_POLICIES_CHARS_MAX: usize = 2_048;
/// All inline policies of a group, without white space.
pub const GROUP_POLICIES_CHARS_MAX: usize = 5_120;
/// All inline policies of a role, without white space.
pub const ROLE_POLICIES_CHARS_MAX: usize = 10_240;
/// A trust policy, without white space. AWS raises it to 4,096 on request.
pub const TRUST_POLICY_CHARS_MAX: usize = 2_048;
/// A session policy as it is sent. STS also packs it together with session tags into a space whose size AWS does not
/// publish (`PackedPolicyTooLarge`); that is not imitated.
pub const SESSION_POLICY_CHARS_MAX: usize = 2_048;
/// A key policy as it is sent.
pub const KEY_POLICY_BYTES_MAX: usize = 32_768;
/// A topic policy as it is sent.
pub const TOPIC_POLICY_BYTES_MAX: usize = 30_720;
/// A queue policy as it is sent (reported, not documented).
pub const QUEUE_POLICY_BYTES_MAX: usize = 8_192;

/// How much a document counts against the limits of IAM: its characters without white space.
pub fn policy_chars(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// The bytes of a document without the white space between its elements; white space in strings counts.
fn compact_bytes(text: &str) -> usize {
    let (mut quoted, mut escaped, mut count) = (false, false, 0);
    for byte in text.bytes() {
        if quoted || !byte.is_ascii_whitespace() {
            count += 1;
        }
        quoted ^= byte == b'"' && !escaped;
        escaped = quoted && byte == b'\\' && !escaped;
    }
    count
}

/// Refuses a text that is too long or has characters that its service does not take.
pub(super) fn check(text: &str, document: DocumentKind<'_>) -> Result<(), PolicyError> {
    let policy = document.policy_kind();
    match document {
        DocumentKind::Managed | DocumentKind::Trust | DocumentKind::Inline { .. } => {
            check_characters(text, policy)?;
        }
        DocumentKind::Bucket { .. }
        | DocumentKind::Session
        | DocumentKind::Key
        | DocumentKind::Topic
        | DocumentKind::Queue => {}
    }
    let (found, limit) = match document {
        DocumentKind::Bucket { .. } => (compact_bytes(text), BUCKET_POLICY_BYTES_MAX),
        DocumentKind::Managed => (policy_chars(text), MANAGED_POLICY_CHARS_MAX),
        DocumentKind::Inline { owner, other_chars, .. } => {
            (policy_chars(text).saturating_add(other_chars), owner.chars_max())
        }
        DocumentKind::Trust => (policy_chars(text), TRUST_POLICY_CHARS_MAX),
        DocumentKind::Session => (text.chars().count(), SESSION_POLICY_CHARS_MAX),
        DocumentKind::Key => (text.len(), KEY_POLICY_BYTES_MAX),
        DocumentKind::Topic => (text.len(), TOPIC_POLICY_BYTES_MAX),
        DocumentKind::Queue => (text.len(), QUEUE_POLICY_BYTES_MAX),
    };
    if found <= limit {
        return Ok(());
    }
    let (message, help) = match document {
        DocumentKind::Inline { name, owner, .. } => (
            format!(
                "the inline policies of the {} `{name}` have {found} characters, at most {limit} are taken",
                owner.word()
            ),
            "move statements into a managed policy",
        ),
        DocumentKind::Bucket { .. } | DocumentKind::Key | DocumentKind::Topic | DocumentKind::Queue => (
            format!("the policy has {found} bytes, at most {limit} are taken"),
            "join statements, or use wildcards",
        ),
        DocumentKind::Managed | DocumentKind::Trust | DocumentKind::Session => (
            format!("the policy has {found} characters, at most {limit} are taken"),
            "join statements, or use wildcards",
        ),
    };
    let kind = PolicyErrorKind::TooLong { found, limit };
    Err(error(policy, kind, Position::START, message, help).with_aws(answer(text, document, limit)))
}

/// Status, code and text of a refusal for its size. Those of IAM are reported many times; the code of KMS is
/// documented. Unverified: both texts of S3 and SNS, and the text of KMS.
fn answer(text: &str, document: DocumentKind<'_>, limit: usize) -> (u16, &'static str, String) {
    const EXCEEDED: &str = "LimitExceeded";
    match document {
        DocumentKind::Bucket { .. } => {
            (400, "MalformedPolicy", "Policy exceeds the maximum allowed document size.".to_owned())
        }
        DocumentKind::Managed => (409, EXCEEDED, format!("Cannot exceed quota for PolicySize: {limit}")),
        DocumentKind::Trust => (409, EXCEEDED, format!("Cannot exceed quota for ACLSizePerRole: {limit}")),
        DocumentKind::Inline { owner, name, .. } => (
            409,
            EXCEEDED,
            format!("Maximum policy size of {limit} bytes exceeded for {} {name}", owner.word()),
        ),
        DocumentKind::Session => (
            400,
            "ValidationError",
            format!(
                "1 validation error detected: Value '{text}' at 'policy' failed to satisfy constraint: Member must \
                 have length less than or equal to {limit}"
            ),
        ),
        DocumentKind::Key => {
            (400, "LimitExceededException", format!("The key policy exceeds the limit of {limit} bytes."))
        }
        DocumentKind::Topic => (400, "InvalidParameter", "Invalid parameter: Policy".to_owned()),
        DocumentKind::Queue => {
            (400, "InvalidAttributeValue", "Invalid value for the parameter Policy.".to_owned())
        }
    }
}

/// IAM takes tab, line feed, carriage return and U+0020 to U+00FF ("CreatePolicy", pattern of `PolicyDocument`). Its
/// text for others is remembered, not recorded.
fn check_characters(text: &str, policy: PolicyKind) -> Result<(), PolicyError> {
    let mut at = Position::START;
    for c in text.chars() {
        if !matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FF}') {
            let member =
                if policy == PolicyKind::Trust { "assumeRolePolicyDocument" } else { "policyDocument" };
            let message = format!("the character U+{:04X} is none that a policy may have", u32::from(c));
            let kind = PolicyErrorKind::InvalidCharacter(c);
            let text = format!(
                "The specified value for {member} is invalid. It must contain only printable ASCII characters."
            );
            return Err(error(policy, kind, at, message, "use characters up to U+00FF").with_aws((
                400,
                "ValidationError",
                text,
            )));
        }
        at = if c == '\n' {
            Position { line: at.line.saturating_add(1), column: 1 }
        } else {
            Position { column: at.column.saturating_add(1), ..at }
        };
    }
    Ok(())
}

impl InlineOwner {
    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    /// The limit on all its inline policies.
    fn chars_max(self) -> usize {
        match self {
            Self::User => USER_POLICIES_CHARS_MAX,
            Self::Group => GROUP_POLICIES_CHARS_MAX,
            Self::Role => ROLE_POLICIES_CHARS_MAX,
        }
    }
}
