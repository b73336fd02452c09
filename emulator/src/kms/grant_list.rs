//! `ListGrants` and `ListRetirableGrants`.

use bucketproof_authz::{EncryptionContext, GrantPrincipal, NamedPrincipal};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::KmsOperation;
use super::answer::{Answer, PageRequest, epoch_seconds};
use super::input::Input;
use super::requirement::on_key;
use super::word::refuse;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{IssuedGrant, KeyScope, KmsKey, World};

/// The grants on a key.
#[derive(Debug)]
pub(super) struct ListGrants {
    scope: KeyScope,
    key: String,
    grant: Option<String>,
    grantee: Option<String>,
    page: PageRequest,
}

impl KmsOperation for ListGrants {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        input.refuse_members(&["GranteeServicePrincipal"])?;
        Ok(Self {
            scope,
            key: input.key_id()?,
            grant: input.text("GrantId", 1..=128)?,
            grantee: input.text("GranteePrincipal", 1..=256)?,
            page: input.page(50, 100)?,
        })
    }
}

impl Operation for ListGrants {
    type Output = Answer;
    const OP: Op = Op::ListGrants;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        Ok(vec![on_key("kms:ListGrants", key).with("kms:GrantIsForAWSResource", "false")])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, grant, grantee, page } = authorized.into_operation();
        let key = world.keys.get(&world.keys.resolve_without_alias(&scope, &key)?)?;
        let wanted = |issued: &&IssuedGrant| {
            grant.as_ref().is_none_or(|id| *id == issued.grant.id)
                && grantee.as_ref().is_none_or(|grantee| grantee == issued.grant.grantee.as_str())
        };
        let page = page.page(key.grants.values().filter(wanted), |issued| issued.grant.id.clone())?;
        Ok(page.answer("Grants", |issued| show(key, issued)))
    }
}

/// The grants in the region that a principal of the account may retire, on whosever keys.
#[derive(Debug)]
pub(super) struct ListRetirableGrants {
    scope: KeyScope,
    retiring: String,
    page: PageRequest,
}

impl KmsOperation for ListRetirableGrants {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let retiring = input.required_text("RetiringPrincipal", 1..=256)?;
        Ok(Self { scope, retiring, page: input.page(50, 100)? })
    }
}

impl Operation for ListRetirableGrants {
    type Output = Answer;
    const OP: Op = Op::ListRetirableGrants;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new("kms:ListRetirableGrants", RequiredResource::Any)])
    }

    /// How AWS refuses a principal of another account is unverified.
    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, retiring, page } = authorized.into_operation();
        let principal = retiring.parse::<GrantPrincipal>();
        let is_own = match principal.as_ref().map(GrantPrincipal::named) {
            Ok(NamedPrincipal::Account(account)) => *account == scope.account,
            Ok(NamedPrincipal::Arn(arn)) => arn.split(':').nth(4) == Some(scope.account.as_str()),
            _ => false,
        };
        if !is_own {
            return Err(refuse("InvalidArnException", format!("The principal {retiring} is not valid.")));
        }
        let mut grants: Vec<(&KmsKey, &IssuedGrant)> = world
            .keys
            .in_region(&scope.region)
            .flat_map(|key| key.grants.values().map(move |issued| (key, issued)))
            .filter(|(_, issued)| issued.grant.retiring.as_ref().is_some_and(|own| own.as_str() == retiring))
            .collect();
        grants.sort_by(|(_, one), (_, other)| one.grant.id.cmp(&other.grant.id));
        let page = page.page(grants, |(_, issued)| issued.grant.id.clone())?;
        Ok(page.answer("Grants", |(key, issued)| show(key, issued)))
    }
}

/// A grant, without its tokens.
fn show(key: &KmsKey, issued: &IssuedGrant) -> Value {
    let grant = &issued.grant;
    let mut shown = Map::new();
    let mut set = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    set("KeyId", key.arn.as_str().into());
    set("GrantId", grant.id.as_str().into());
    if let Some(name) = &issued.name {
        set("Name", name.as_str().into());
    }
    set("CreationDate", epoch_seconds(issued.created_at).into());
    set("GranteePrincipal", grant.grantee.as_str().into());
    if let Some(retiring) = &grant.retiring {
        set("RetiringPrincipal", retiring.as_str().into());
    }
    set("IssuingAccount", format!("arn:aws:iam::{}:root", issued.issuing_account).into());
    set("Operations", grant.operations.iter().map(|operation| operation.as_str()).collect());
    let pairs = |context: &EncryptionContext| json!(context);
    let constraints: Map<String, Value> = [
        ("EncryptionContextEquals", &grant.constraints.encryption_context_equals),
        ("EncryptionContextSubset", &grant.constraints.encryption_context_subset),
    ]
    .into_iter()
    .filter_map(|(name, context)| Some((name.to_owned(), pairs(context.as_ref()?))))
    .collect();
    if !constraints.is_empty() {
        set("Constraints", constraints.into());
    }
    Value::Object(shown)
}
