//! Grants: `CreateGrant`, `RetireGrant`, `RevokeGrant`.

use bucketproof_authz::{
    AccountId, EncryptionContext, GrantPrincipal, KmsGrant, KmsGrantConstraints, KmsGrantOperation,
};
use jiff::Timestamp;

use super::KmsOperation;
use super::answer::Answer;
use super::input::Input;
use super::requirement::{on_key, on_key_with_grants, with_encryption_context};
use super::word::{dry_run, refuse, validation};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Accounts, IssuedGrant, KeyScope, ResolvedKey, World, draw_grant_id, draw_grant_token};

/// The most grants that a key can have.
const GRANTS_MAX: usize = 50_000;

/// What a symmetric key does for others.
const OPERATIONS: [KmsGrantOperation; 11] = [
    KmsGrantOperation::CreateGrant,
    KmsGrantOperation::Decrypt,
    KmsGrantOperation::DescribeKey,
    KmsGrantOperation::Encrypt,
    KmsGrantOperation::GenerateDataKey,
    KmsGrantOperation::GenerateDataKeyPair,
    KmsGrantOperation::GenerateDataKeyPairWithoutPlaintext,
    KmsGrantOperation::GenerateDataKeyWithoutPlaintext,
    KmsGrantOperation::ReEncryptFrom,
    KmsGrantOperation::ReEncryptTo,
    KmsGrantOperation::RetireGrant,
];

/// A new grant.
#[derive(Debug)]
pub(super) struct CreateGrant {
    scope: KeyScope,
    key: String,
    /// Still without an id.
    grant: KmsGrant,
    name: Option<String>,
    tokens: Vec<String>,
    dry_run: bool,
}

impl KmsOperation for CreateGrant {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        input.refuse_members(&["GranteeServicePrincipal", "RetiringServicePrincipal"])?;
        let key = input.key_id()?;
        let grantee = input.required_text("GranteePrincipal", 1..=256)?;
        let retiring = input.text("RetiringPrincipal", 1..=256)?;
        let operations = operations(input)?;
        let constraints = constraints(input)?;
        let name = input.text("Name", 1..=256)?;
        let tokens = input.grant_tokens()?;
        let dry_run = input.flag("DryRun")?;
        // What is missing is refused before this counts.
        let nobody = || format!("arn:aws:iam::{}:root", scope.account);
        let grantee = if input.is_broken() { nobody() } else { grantee };
        let grant = KmsGrant {
            id: String::new(),
            grantee: principal(&grantee)?,
            retiring: retiring.as_deref().map(principal).transpose()?,
            operations,
            constraints,
        };
        Ok(Self { scope, key, grant, name, tokens, dry_run })
    }
}

fn operations(input: &mut Input) -> Result<Vec<KmsGrantOperation>, AwsError> {
    let names = input.required("Operations", |input| input.texts("Operations", 0..=usize::MAX))?;
    let names = names.unwrap_or_default();
    let mut operations = Vec::new();
    for name in &names {
        match name.parse::<KmsGrantOperation>() {
            Ok(operation) if OPERATIONS.contains(&operation) => operations.push(operation),
            Ok(operation) => {
                // The text is unverified.
                let text = format!(
                    "The operation {operation} is not valid for a key of the spec SYMMETRIC_DEFAULT."
                );
                return Err(validation(text));
            }
            Err(_) => {
                let all = KmsGrantOperation::ALL.map(KmsGrantOperation::as_str).join(", ");
                let shown = format!("[{}]", names.join(", "));
                // The order of the words is unverified.
                let must = format!("satisfy constraint: [Member must satisfy enum value set: [{all}]]");
                input.complain("Operations", Some(&shown), &must);
                return Ok(Vec::new());
            }
        }
    }
    operations.sort_unstable();
    operations.dedup();
    Ok(operations)
}

fn constraints(input: &Input) -> Result<KmsGrantConstraints, AwsError> {
    let Some(members) = input.structure("Constraints")? else { return Ok(KmsGrantConstraints::default()) };
    members.refuse_members(&["SourceArn"])?;
    let some = |context: EncryptionContext| (!context.is_empty()).then_some(context);
    Ok(KmsGrantConstraints {
        encryption_context_equals: some(members.encryption_context("EncryptionContextEquals")?),
        encryption_context_subset: some(members.encryption_context("EncryptionContextSubset")?),
    })
}

/// The text of this refusal is unverified.
fn invalid_principal(text: &str) -> AwsError {
    refuse("InvalidArnException", format!("The principal {text} is not valid."))
}

fn principal(text: &str) -> Result<GrantPrincipal, AwsError> {
    text.parse().map_err(|_| invalid_principal(text))
}

fn check_exists(principal: &GrantPrincipal, accounts: &Accounts) -> Result<(), AwsError> {
    if accounts.knows(principal.named()) { Ok(()) } else { Err(invalid_principal(principal.as_str())) }
}

impl CreateGrant {
    fn requirement(&self, key: ResolvedKey, grants: Vec<String>) -> Requirement {
        let KmsGrant { grantee, retiring, operations, constraints, .. } = &self.grant;
        let constraint_type = match constraints {
            KmsGrantConstraints { encryption_context_equals: Some(_), .. } => Some("EncryptionContextEquals"),
            KmsGrantConstraints { encryption_context_subset: Some(_), .. } => Some("EncryptionContextSubset"),
            KmsGrantConstraints { .. } => None,
        };
        let mut context = constraints.encryption_context_subset.clone().unwrap_or_default();
        context.extend(constraints.encryption_context_equals.clone().unwrap_or_default());
        let requirement = on_key_with_grants("kms:CreateGrant", key, grants)
            .with("kms:GrantIsForAWSResource", "false")
            .with("kms:GranteePrincipal", grantee.as_str())
            .with_some("kms:RetiringPrincipal", retiring.as_ref().map(GrantPrincipal::as_str))
            .with_some("kms:GrantConstraintType", constraint_type)
            .with_many("kms:GrantOperations", operations.iter().map(|operation| operation.as_str()));
        with_encryption_context(requirement, &context)
    }
}

impl Operation for CreateGrant {
    type Output = Answer;
    const OP: Op = Op::CreateGrant;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    /// A grant gives this permission only for grants that give no more than itself.
    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        world.keys.check_grant_tokens(&self.tokens)?;
        let known = world.keys.find(key.arn.as_str());
        let parents = known.into_iter().flat_map(|key| key.grants.values());
        let parents = parents.filter(|issued| issued.grant.may_create(&self.grant));
        let parents = parents.map(|issued| issued.grant.id.clone()).collect();
        Ok(vec![self.requirement(key, parents)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Answer, AwsError> {
        let issuing_account = authorized.account().cloned().ok_or_else(AwsError::internal)?;
        let operation = authorized.into_operation();
        let resolved = world.keys.resolve_without_alias(&operation.scope, &operation.key)?;
        let key = world.keys.get(&resolved)?;
        key.check_usable()?;
        check_exists(&operation.grant.grantee, &world.accounts)?;
        operation
            .grant
            .retiring
            .as_ref()
            .map_or(Ok(()), |principal| check_exists(principal, &world.accounts))?;
        if key.grants.len() >= GRANTS_MAX {
            // AWS documents the code; the text is unverified.
            return Err(refuse("LimitExceededException", format!("{} has too many grants", key.arn)));
        }
        if operation.dry_run {
            return Err(dry_run());
        }
        let token = draw_grant_token(&world.entropy);
        let drawn = draw_grant_id(&world.entropy);
        let key = world.keys.get_mut(&resolved)?;
        let same = operation.name.is_some().then(|| {
            key.grants.values_mut().find(|issued| {
                issued.name == operation.name
                    && KmsGrant { id: String::new(), ..issued.grant.clone() } == operation.grant
            })
        });
        let id = if let Some(issued) = same.flatten() {
            issued.tokens.push(token.clone());
            issued.grant.id.clone()
        } else {
            let issued = operation.issued(drawn.clone(), token.clone(), issuing_account, now);
            key.grants.insert(drawn.clone(), issued);
            drawn
        };
        Ok(Answer::new().with("GrantToken", token).with("GrantId", id))
    }
}

impl CreateGrant {
    fn issued(self, id: String, token: String, issuing_account: AccountId, now: Timestamp) -> IssuedGrant {
        IssuedGrant {
            grant: KmsGrant { id, ..self.grant },
            name: self.name,
            tokens: vec![token],
            issuing_account,
            created_at: now,
        }
    }
}

/// A grant as a request names it.
#[derive(Debug)]
enum GrantReference {
    Token(String),
    Id { key: String, grant: String },
}

impl GrantReference {
    /// The key, and the id of the grant.
    ///
    /// # Errors
    /// Within the caller's own account the grant must be there. The texts are unverified.
    fn resolve(&self, world: &World, scope: &KeyScope) -> Result<(ResolvedKey, String), AwsError> {
        let (key, grant) = match self {
            Self::Token(token) => {
                let (key, issued) = world
                    .keys
                    .grant_of_token(token)
                    .filter(|(key, _)| key.region == scope.region)
                    .ok_or_else(|| refuse("InvalidGrantTokenException", "The grant token is not valid."))?;
                return Ok((key.resolved(), issued.grant.id.clone()));
            }
            Self::Id { key, grant } => (world.keys.resolve_without_alias(scope, key)?, grant),
        };
        if grant.len() != 64 || !grant.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(refuse("InvalidGrantIdException", format!("The grant id {grant} is not valid.")));
        }
        let is_there = world.keys.find(key.arn.as_str()).is_some_and(|key| key.grants.contains_key(grant));
        if key.account == scope.account && !is_there {
            return Err(refuse("NotFoundException", format!("Grant ID {grant} not found")));
        }
        Ok((key, grant.clone()))
    }

    fn remove(&self, world: &mut World, scope: &KeyScope) -> Result<(), AwsError> {
        let (key, grant) = self.resolve(world, scope)?;
        let removed = world.keys.get_mut(&key)?.grants.remove(&grant);
        removed.map(|_| ()).ok_or_else(|| refuse("NotFoundException", format!("Grant ID {grant} not found")))
    }
}

/// Ends a grant: by its retiring principal, by the grantee if the grant says so, or by whom a policy allows it.
#[derive(Debug)]
pub(super) struct RetireGrant {
    scope: KeyScope,
    grant: GrantReference,
    dry_run: bool,
}

impl KmsOperation for RetireGrant {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let token = input.text("GrantToken", 1..=8192)?;
        let key = input.text("KeyId", 1..=2048)?;
        let grant = input.text("GrantId", 1..=128)?;
        let dry_run = input.flag("DryRun")?;
        let grant = match (token, key, grant) {
            (Some(token), None, None) => GrantReference::Token(token),
            (None, Some(key), Some(grant)) => GrantReference::Id { key, grant },
            // The text is unverified.
            _ => return Err(validation("Either a grant token, or a key ARN and a grant id must be given.")),
        };
        Ok(Self { scope, grant, dry_run })
    }
}

impl Operation for RetireGrant {
    type Output = Answer;
    const OP: Op = Op::RetireGrant;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let (key, grant) = self.grant.resolve(world, &self.scope)?;
        let issued = world.keys.find(key.arn.as_str()).and_then(|key| key.grants.get(&grant));
        let constraints = issued.map(|issued| issued.grant.constraints.clone()).unwrap_or_default();
        let mut context = constraints.encryption_context_subset.unwrap_or_default();
        context.extend(constraints.encryption_context_equals.unwrap_or_default());
        Ok(vec![with_encryption_context(on_key_with_grants("kms:RetireGrant", key, vec![grant]), &context)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, grant, dry_run: is_dry } = authorized.into_operation();
        if is_dry {
            return Err(dry_run());
        }
        grant.remove(world, &scope)?;
        Ok(Answer::empty())
    }
}

/// Ends a grant, by whom a policy allows it.
#[derive(Debug)]
pub(super) struct RevokeGrant {
    scope: KeyScope,
    grant: GrantReference,
    dry_run: bool,
}

impl KmsOperation for RevokeGrant {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let key = input.key_id()?;
        let grant = input.required_text("GrantId", 1..=128)?;
        Ok(Self { scope, grant: GrantReference::Id { key, grant }, dry_run: input.flag("DryRun")? })
    }
}

impl Operation for RevokeGrant {
    type Output = Answer;
    const OP: Op = Op::RevokeGrant;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let (key, _) = self.grant.resolve(world, &self.scope)?;
        Ok(vec![on_key("kms:RevokeGrant", key).with("kms:GrantIsForAWSResource", "false")])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, grant, dry_run: is_dry } = authorized.into_operation();
        if is_dry {
            return Err(dry_run());
        }
        grant.remove(world, &scope)?;
        Ok(Answer::empty())
    }
}
