//! What a caller may say about the session it asks for: policies, tags, duration, source identity.

use std::collections::BTreeSet;

use bucketproof_authz::{DocumentKind, Policy, PolicyKind, PolicySource};
use http::StatusCode;

use crate::error::AwsError;
use crate::operation::Requirement;
use crate::query::{Reader, Text};
use crate::state::{Account, IamTags, Session};

/// The longest session policy, in characters; what all policies and tags may amount to.
const POLICY_CHARS_MAX: usize = 2048;
const POLICY_ARNS_MAX: usize = 10;
const TAGS_MAX: usize = 50;

const SOURCE_IDENTITY: Text = Text::of(2, 64).matching("+=,.@-", "[\\w+=,.@-]*");

/// The policies that narrow a session.
#[derive(Debug, Default)]
pub(super) struct SessionPolicies {
    inline: Option<Policy>,
    arns: Vec<String>,
}

/// The tags of a session, and those that sessions made from it keep.
#[derive(Debug, Default)]
pub(super) struct SessionTags {
    pub(super) tags: IamTags,
    pub(super) transitive: BTreeSet<String>,
}

impl SessionPolicies {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let inline = reader.optional("Policy", Text::of(1, POLICY_CHARS_MAX)).and_then(|text| {
            let source = PolicySource::new(PolicyKind::Session, "session");
            match Policy::parse_valid(&text, source, DocumentKind::Session) {
                Ok(policy) => Some(policy),
                Err(error) => {
                    reader.refuse(AwsError::document(&error));
                    None
                }
            }
        });
        let members = reader.parameters().members("PolicyArns");
        if members.len() > POLICY_ARNS_MAX {
            reader.violate("policyArns", "[...]", "Member must have length less than or equal to 10");
        }
        let mut arns = Vec::new();
        for (number, prefix) in members.iter().enumerate() {
            if let Some(arn) = reader.parameters().get(&format!("{prefix}.arn")) {
                let member = format!("policyArns.{}.member.arn", number + 1);
                reader.check(&member, arn, Text::of(20, 2048));
                arns.push(arn.to_owned());
            }
        }
        Self { inline, arns }
    }

    /// Whether there is anything that narrows.
    pub(super) fn is_empty(&self) -> bool {
        self.inline.is_none() && self.arns.is_empty()
    }

    /// Compiles them for a session in `account`. A managed policy counts as it is now: whether AWS follows later
    /// versions of it is unverified, as is the text for one that does not exist.
    pub(super) fn resolve(&self, account: &Account) -> Result<Option<Vec<Policy>>, AwsError> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut policies: Vec<Policy> = self.inline.iter().cloned().collect();
        for arn in &self.arns {
            let policy =
                account.policy(arn).ok_or_else(|| AwsError::validation(format!("{arn} is invalid")))?;
            let source = PolicySource::new(PolicyKind::Session, &policy.entity.name).with_arn(arn);
            let compiled = Policy::parse(policy.identity().text(), source)
                .map_err(|error| AwsError::document(&error))?;
            policies.push(compiled);
        }
        Ok(Some(policies))
    }

    fn chars(&self) -> usize {
        let inline = self.inline.as_ref().map_or(0, |policy| policy.text().chars().count());
        inline + self.arns.iter().map(|arn| arn.chars().count()).sum::<usize>()
    }
}

/// Whether keys and values of tags may have this character: letters, numbers, separators and some signs.
fn is_of_tags(character: char) -> bool {
    character.is_alphanumeric()
        || character.is_whitespace() && !character.is_control()
        || "_.:/=+-@".contains(character)
}

impl SessionTags {
    /// Reads tags; those that the calling session passes on are added, and cannot be set anew.
    pub(super) fn read(reader: &mut Reader<'_>, calling: Option<&Session>) -> Self {
        let mut read = Self::default();
        let members = reader.parameters().members("Tags");
        if members.len() > TAGS_MAX {
            reader.violate("tags", "[...]", "Member must have length less than or equal to 50");
        }
        for (number, prefix) in members.iter().enumerate() {
            let get = |name: &str| reader.parameters().get(&format!("{prefix}.{name}"));
            let (key, value) = (get("Key").unwrap_or_default(), get("Value").unwrap_or_default());
            reader.check(&format!("tags.{}.member.key", number + 1), key, Text::of(1, 128));
            reader.check(&format!("tags.{}.member.value", number + 1), value, Text::of(0, 256));
            for (member, text, many) in [("key", key, '+'), ("value", value, '*')] {
                if !text.chars().all(is_of_tags) {
                    let must = format!(
                        "Member must satisfy regular expression pattern: [\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]{many}"
                    );
                    reader.violate(&format!("tags.{}.member.{member}", number + 1), text, &must);
                }
            }
            if read.tags.contains(key) {
                reader.refuse(parameter_value(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
            read.tags.set(key, value);
        }
        for key in reader.parameters().list("TransitiveTagKeys") {
            if !read.tags.contains(key) {
                reader.refuse(parameter_value(
                    "The specified transitive tag key must be included in the requested tags.",
                ));
            }
            read.transitive.insert(key.to_lowercase());
        }
        let Some(calling) = calling else { return read };
        for (key, value) in
            calling.tags.iter().filter(|(key, _)| calling.transitive.contains(&key.to_lowercase()))
        {
            if read.tags.contains(key) {
                reader.refuse(parameter_value(
                    "One of the specified transitive tag keys can't be set because it conflicts with a transitive \
                     tag key from the calling session.",
                ));
            }
            read.tags.set(key, value);
            read.transitive.insert(key.to_lowercase());
        }
        read
    }

    /// A requirement with the condition keys of these tags.
    pub(super) fn describe(&self, mut requirement: Requirement) -> Requirement {
        if self.tags.is_empty() {
            return requirement;
        }
        for (key, value) in self.tags.iter() {
            requirement = requirement.with(format!("aws:RequestTag/{key}"), value);
        }
        let keys = self.tags.iter().map(|(key, _)| key.to_owned());
        requirement = requirement.with_many("aws:TagKeys", keys);
        if self.transitive.is_empty() {
            return requirement;
        }
        let transitive = self.tags.iter().filter(|(key, _)| self.transitive.contains(&key.to_lowercase()));
        requirement.with_many("sts:TransitiveTagKeys", transitive.map(|(key, _)| key.to_owned()))
    }

    fn chars(&self) -> usize {
        self.tags.iter().map(|(key, value)| key.chars().count() + value.chars().count()).sum()
    }
}

/// Reads `SourceIdentity`; one that the calling session has already stays.
pub(super) fn source_identity(reader: &mut Reader<'_>, calling: Option<&Session>) -> Option<String> {
    let given = reader.optional("SourceIdentity", SOURCE_IDENTITY);
    let inherited = calling.and_then(|session| session.source_identity.clone());
    match (given, inherited) {
        (Some(given), Some(inherited)) if given != inherited => {
            reader.refuse(AwsError::validation(
                "The source identity is already set for this assume role session",
            ));
            Some(inherited)
        }
        (given, inherited) => given.or(inherited),
    }
}

/// What policies and tags take of the room that a token has, in percent; more than there is refuses the request. AWS
/// packs them into a binary form that it does not publish; here it is their length in characters.
pub(super) fn packed_percent(
    reader: &mut Reader<'_>,
    policies: &SessionPolicies,
    tags: &SessionTags,
) -> usize {
    let percent = ((policies.chars() + tags.chars()) * 100).div_ceil(POLICY_CHARS_MAX);
    if percent > 100 {
        let text = format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.");
        reader.refuse(AwsError::new(StatusCode::BAD_REQUEST, "PackedPolicyTooLarge", text));
    }
    percent
}

/// What this emulator cannot check is refused: a second factor, and contexts of trusted providers.
pub(super) fn refuse_unsupported(reader: &Reader<'_>, operation: &str) -> Result<(), AwsError> {
    let parameters = reader.parameters();
    let given = ["SerialNumber", "TokenCode"].into_iter().find(|name| parameters.get(name).is_some());
    let given = given.or_else(|| parameters.has_list("ProvidedContexts").then_some("ProvidedContexts"));
    match given {
        None => Ok(()),
        Some(name) => Err(AwsError::not_implemented(format!("the parameter `{name}` of {operation}"))),
    }
}

fn parameter_value(text: &str) -> AwsError {
    AwsError::new(StatusCode::BAD_REQUEST, "InvalidParameterValue", text)
}
