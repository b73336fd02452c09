//! The parameters of IAM actions, and what they may be.
//!
//! Lengths and patterns: IAM API reference. A violation does not repeat the value (recorded).

use bucketproof_authz::{Arn, Principal};

use super::page::Page;
use crate::authenticate::Identity;
use crate::error::AwsError;
use crate::query::{Reader, Text};
use crate::state::{EntityKind, IamTags};

const PATH: Text = Text::of(1, 512);
const DOCUMENT: Text = Text::of(1, 131_072);
const ARN: Text = Text::of(20, 2048);
const TAGS_MAX: usize = 50;

/// The longest name of a new thing of a kind.
fn name_text(kind: EntityKind) -> Text {
    match kind {
        EntityKind::User | EntityKind::Role => Text::of(1, 64),
        EntityKind::Group | EntityKind::Policy | EntityKind::InstanceProfile => Text::of(1, 128),
    }
}

/// The parameter that names a thing of a kind.
pub(super) fn name_parameter(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::User => "UserName",
        EntityKind::Group => "GroupName",
        EntityKind::Role => "RoleName",
        EntityKind::Policy => "PolicyArn",
        EntityKind::InstanceProfile => "InstanceProfileName",
    }
}

/// Whom a call is about that may leave the user out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    User(String),
    Root,
}

/// The parameters of one call, with the caller.
pub(super) struct Form<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) caller: &'a Identity,
}

impl Form<'_> {
    /// The name of something new.
    pub(super) fn new_name(&mut self, kind: EntityKind) -> String {
        let parameter = if kind == EntityKind::Policy { "PolicyName" } else { name_parameter(kind) };
        let name = self.reader.required(parameter, name_text(kind));
        self.check_name(parameter, &name);
        name
    }

    /// A new name for something, if one is given.
    pub(super) fn changed_name(&mut self, parameter: &str, kind: EntityKind) -> Option<String> {
        let name = self.reader.optional(parameter, name_text(kind))?;
        self.check_name(parameter, &name);
        Some(name)
    }

    /// The name of something that should exist; of a policy the ARN.
    pub(super) fn name(&mut self, kind: EntityKind) -> String {
        if kind == EntityKind::Policy {
            return self.arn(name_parameter(kind));
        }
        let name = self.reader.required(name_parameter(kind), Text::of(1, 128));
        self.check_name(name_parameter(kind), &name);
        name
    }

    /// The name of an inline policy.
    pub(super) fn policy_name(&mut self) -> String {
        self.new_name(EntityKind::Policy)
    }

    /// The user that is named, else the caller.
    pub(super) fn whose(&mut self) -> Whose {
        if let Some(name) = self.reader.optional("UserName", Text::of(1, 128)) {
            self.check_name("UserName", &name);
            return Whose::User(name);
        }
        match &self.caller.principal {
            Principal::User { arn, .. } => {
                Whose::User(arn.resource().rsplit('/').next().unwrap_or_default().to_owned())
            }
            Principal::Root { .. } => Whose::Root,
            Principal::AssumedRole { .. }
            | Principal::Service { .. }
            | Principal::Federated { .. }
            | Principal::Anonymous => {
                self.reader.refuse(AwsError::validation(
                    "Must specify userName when calling with non-User credentials",
                ));
                Whose::Root
            }
        }
    }

    /// A path; `/` if none is given.
    pub(super) fn path(&mut self) -> String {
        self.changed_path("Path").unwrap_or_else(|| "/".to_owned())
    }

    pub(super) fn changed_path(&mut self, parameter: &str) -> Option<String> {
        let path = self.reader.optional(parameter, PATH)?;
        let valid = path == "/"
            || path.len() > 2
                && path.starts_with('/')
                && path.ends_with('/')
                && path.bytes().all(|b| b.is_ascii_graphic());
        if !valid {
            self.reader.refuse(AwsError::validation(
                "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
                 characters and/or / characters.",
            ));
        }
        Some(path)
    }

    /// A prefix of paths; `/` if none is given.
    pub(super) fn path_prefix(&mut self) -> String {
        let Some(prefix) = self.reader.optional("PathPrefix", PATH) else { return "/".to_owned() };
        if !prefix.starts_with('/') || !prefix.bytes().all(|b| b.is_ascii_graphic()) {
            self.reader.refuse(AwsError::validation(
                "The specified value for pathPrefix is invalid. It must begin with / and contain only alphanumeric \
                 characters and/or / characters.",
            ));
        }
        prefix
    }

    pub(super) fn document(&mut self, parameter: &str) -> String {
        self.reader.required(parameter, DOCUMENT)
    }

    /// The ARN of something in IAM.
    pub(super) fn arn(&mut self, parameter: &str) -> String {
        let arn = self.reader.required(parameter, ARN);
        self.check_arn(&arn);
        arn
    }

    pub(super) fn optional_arn(&mut self, parameter: &str) -> Option<String> {
        let arn = self.reader.optional(parameter, ARN)?;
        self.check_arn(&arn);
        Some(arn)
    }

    fn check_arn(&mut self, arn: &str) {
        if Arn::new(arn).is_err() {
            self.reader.refuse(AwsError::unreadable_arn());
        }
    }

    pub(super) fn tags(&mut self) -> IamTags {
        let mut tags = IamTags::default();
        let members = self.reader.parameters().members("Tags");
        if members.len() > TAGS_MAX {
            self.reader.violate("tags", "", "Member must have length less than or equal to 50");
        }
        for (number, prefix) in members.iter().enumerate() {
            let parameters = self.reader.parameters();
            let get = |name: &str| parameters.get(&format!("{prefix}.{name}")).unwrap_or_default();
            let (key, value) = (get("Key"), get("Value"));
            self.reader.check(&format!("tags.{}.member.key", number + 1), key, Text::of(1, 128));
            self.reader.check(&format!("tags.{}.member.value", number + 1), value, Text::of(0, 256));
            if tags.contains(key) {
                self.reader.refuse(AwsError::invalid_input(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
            tags.set(key, value);
        }
        tags
    }

    pub(super) fn texts(&self, list: &str) -> Vec<String> {
        self.reader.parameters().list(list).into_iter().map(str::to_owned).collect()
    }

    pub(super) fn page(&mut self) -> Page {
        Page::read(&mut self.reader)
    }

    fn check_name(&mut self, parameter: &str, name: &str) {
        if name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c)) {
            return;
        }
        let (first, rest) = parameter.split_at_checked(1).unwrap_or_default();
        self.reader.refuse(AwsError::validation(format!(
            "The specified value for {}{rest} is invalid. It must contain only alphanumeric characters and/or the \
             following: +=,.@_-",
            first.to_ascii_lowercase()
        )));
    }
}

/// Adds tags to those that are there, up to what IAM takes. The text is unverified.
pub(super) fn add_tags(own: &mut IamTags, more: &IamTags) -> Result<(), AwsError> {
    let mut all = own.clone();
    all.overlay(more);
    if all.len() > TAGS_MAX {
        return Err(AwsError::limit_exceeded("The number of tags has reached the maximum limit."));
    }
    *own = all;
    Ok(())
}
