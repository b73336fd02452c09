//! Versions of managed policies.

use super::action::{Access, Action, Scope};
use super::form::Form;
use super::page::Page;
use super::policies::{compile, own_policy};
use super::show;
use super::things::{OfPolicy, Thing};
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::Fields;
use crate::state::{Account, EntityKind};

/// How many versions a policy may have.
pub(super) const VERSIONS_MAX: usize = 5;

#[derive(Debug)]
pub(super) struct CreatePolicyVersion {
    arn: String,
    document: String,
    set_as_default: bool,
}

#[derive(Debug)]
pub(super) struct GetPolicyVersion {
    arn: String,
    version: VersionId,
}

#[derive(Debug)]
pub(super) struct ListPolicyVersions {
    arn: String,
    page: Page,
}

#[derive(Debug)]
pub(super) struct SetDefaultPolicyVersion {
    arn: String,
    version: VersionId,
}

#[derive(Debug)]
pub(super) struct DeletePolicyVersion {
    arn: String,
    version: VersionId,
}

/// `v1`, as given and as a number.
#[derive(Debug)]
struct VersionId {
    text: String,
    number: u32,
}

impl VersionId {
    fn read(form: &mut Form<'_>) -> Self {
        let parameters = form.reader.parameters();
        let Some(text) = parameters.get("VersionId") else {
            form.reader.missing("VersionId");
            return Self { text: String::new(), number: 0 };
        };
        let number =
            text.strip_prefix('v').and_then(|number| number.parse().ok()).filter(|number| *number > 0);
        if number.is_none() {
            form.reader.violate(
                "versionId",
                text,
                "Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?",
            );
        }
        Self { text: text.to_owned(), number: number.unwrap_or_default() }
    }

    fn missing(&self, arn: &str) -> AwsError {
        AwsError::no_such_entity(format!(
            "Policy {arn} version {} does not exist or is not attachable.",
            self.text
        ))
    }
}

impl Action for CreatePolicyVersion {
    const OP: Op = Op::CreatePolicyVersion;

    fn read(form: &mut Form<'_>) -> Self {
        Self {
            arn: form.name(EntityKind::Policy),
            document: form.document("PolicyDocument"),
            set_as_default: form.reader.switch("SetAsDefault").unwrap_or_default(),
        }
    }

    fn access(&self, account: &Account) -> Access {
        OfPolicy::access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let now = scope.now;
        let policy = own_policy(scope.account_mut()?, &self.arn)?;
        let version = compile(&self.document, &policy.entity.arn, now)?;
        if policy.version_count() >= VERSIONS_MAX {
            return Err(AwsError::limit_exceeded(
                "A managed policy can have up to 5 versions. Before you create a new version, you must delete an \
                 existing version.",
            ));
        }
        let number = policy.add_version(version.clone(), self.set_as_default);
        let fields = show::version(number, &version, policy.default_version());
        Ok(Some(Fields::new().fields("PolicyVersion", fields)))
    }
}

impl Action for GetPolicyVersion {
    const OP: Op = Op::GetPolicyVersion;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: form.name(EntityKind::Policy), version: VersionId::read(form) }
    }

    fn access(&self, account: &Account) -> Access {
        OfPolicy::access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let policy = scope.account()?.policy(&self.arn).ok_or_else(|| OfPolicy::missing(&self.arn))?;
        let number = self.version.number;
        let version = policy.version(number).ok_or_else(|| self.version.missing(&self.arn))?;
        let fields = show::whole_version(number, version, policy.default_version());
        Ok(Some(Fields::new().fields("PolicyVersion", fields)))
    }
}

impl Action for ListPolicyVersions {
    const OP: Op = Op::ListPolicyVersions;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: form.name(EntityKind::Policy), page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        OfPolicy::access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let policy = scope.account()?.policy(&self.arn).ok_or_else(|| OfPolicy::missing(&self.arn))?;
        let default = policy.default_version();
        // Newest first, so keys count down.
        let list = policy.versions().map(|(number, version)| {
            (format!("{:010}", u32::MAX - number), show::version(number, version, default))
        });
        Ok(Some(self.page.list("Versions", list)))
    }
}

impl Action for SetDefaultPolicyVersion {
    const OP: Op = Op::SetDefaultPolicyVersion;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: form.name(EntityKind::Policy), version: VersionId::read(form) }
    }

    fn access(&self, account: &Account) -> Access {
        OfPolicy::access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let now = scope.now;
        let policy = own_policy(scope.account_mut()?, &self.arn)?;
        let is_set = policy.set_default(self.version.number, now);
        if is_set { Ok(None) } else { Err(self.version.missing(&self.arn)) }
    }
}

impl Action for DeletePolicyVersion {
    const OP: Op = Op::DeletePolicyVersion;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: form.name(EntityKind::Policy), version: VersionId::read(form) }
    }

    fn access(&self, account: &Account) -> Access {
        OfPolicy::access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let policy = own_policy(scope.account_mut()?, &self.arn)?;
        if policy.default_version() == self.version.number {
            return Err(AwsError::delete_conflict_because("Cannot delete the default version of a policy."));
        }
        let is_removed = policy.remove_version(self.version.number);
        if is_removed { Ok(None) } else { Err(self.version.missing(&self.arn)) }
    }
}
