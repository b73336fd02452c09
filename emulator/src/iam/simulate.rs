//! `SimulatePrincipalPolicy` and `SimulateCustomPolicy`, answered by the decision core.
//!
//! A simulation asks what policies say, not what a resource of the emulator would do: the owner of the resource and
//! its policy are those that the request gives (IAM API reference).

use bucketproof_authz::{
    AccountId, Arn, Context, Decision, Effect, Element, Outcome, Policies, Policy, PolicyKind, PolicySource,
    Principal, PrincipalIds, Request, decide, outcome,
};

use super::action::{Access, Action, Resource, Scope};
use super::form::Form;
use super::page::Page;
use super::simulated_policies::{Gathered, context_keys, end_of_statement, gather, parse_inputs};
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::{Fields, Text};
use crate::state::{Account, Role, User};

const ACTION_NAME: Text = Text::of(3, 128);
const RESOURCE_NAME: Text = Text::of(1, 2048);

/// What both simulations ask.
#[derive(Debug)]
struct Question {
    actions: Vec<String>,
    resources: Vec<String>,
    policies: Vec<String>,
    boundaries: Vec<String>,
    resource_policy: Option<String>,
    resource_owner: Option<String>,
    caller: Option<String>,
    context: Context,
    page: Page,
}

#[derive(Debug)]
pub(super) struct SimulatePrincipalPolicy {
    source: String,
    question: Question,
}

#[derive(Debug)]
pub(super) struct SimulateCustomPolicy {
    question: Question,
}

#[derive(Debug)]
pub(super) struct GetContextKeysForPrincipalPolicy {
    source: String,
    policies: Vec<String>,
}

#[derive(Debug)]
pub(super) struct GetContextKeysForCustomPolicy {
    policies: Vec<String>,
}

impl Question {
    fn read(form: &mut Form<'_>) -> Self {
        let actions = form.texts("ActionNames");
        if actions.is_empty() {
            form.reader.missing("ActionNames");
        }
        for (number, action) in actions.iter().enumerate() {
            form.reader.check(&format!("actionNames.{}.member", number + 1), action, ACTION_NAME);
            if !action.contains(':') {
                form.reader.refuse(AwsError::invalid_input(format!("Invalid Action: {action}")));
            }
        }
        let resources = form.texts("ResourceArns");
        for (number, resource) in resources.iter().enumerate() {
            form.reader.check(&format!("resourceArns.{}.member", number + 1), resource, RESOURCE_NAME);
        }
        Self {
            actions,
            resources,
            policies: form.texts("PolicyInputList"),
            boundaries: form.texts("PermissionsBoundaryPolicyInputList"),
            resource_policy: form.reader.optional("ResourcePolicy", Text::of(1, 131_072)),
            resource_owner: form.reader.optional("ResourceOwner", RESOURCE_NAME),
            caller: form.optional_arn("CallerArn"),
            context: read_context(form),
            page: form.page(),
        }
    }

    fn answer(&self, scope: &Scope<'_>, mut gathered: Gathered) -> Result<Fields, AwsError> {
        gathered.identity.extend(parse_inputs(&self.policies, "PolicyInputList", PolicyKind::Identity)?);
        if !self.boundaries.is_empty() {
            let list = "PermissionsBoundaryPolicyInputList";
            gathered.boundary = Some(parse_inputs(&self.boundaries, list, PolicyKind::Boundary)?);
        }
        let resource_policy =
            self.resource_policy.as_ref().map(|text| parse_resource_policy(text)).transpose()?;
        if let Some(caller) = &self.caller {
            gathered.principal = caller_principal(caller)?;
        }
        let owner = match &self.resource_owner {
            None => scope.id.clone(),
            Some(owner) => owner_account(owner)?,
        };
        let simulation = Simulation { gathered, resource_policy, owner, context: &self.context };
        let any = ["*".to_owned()];
        let resources = if self.resources.is_empty() { &any[..] } else { &self.resources };
        let pairs =
            self.actions.iter().flat_map(|action| resources.iter().map(move |resource| (action, resource)));
        let results = pairs.enumerate().map(|(number, (action, resource))| {
            (format!("{number:06}"), simulation.result(action, resource, !self.resources.is_empty()))
        });
        Ok(self.page.list("EvaluationResults", results))
    }
}

fn read_context(form: &mut Form<'_>) -> Context {
    let mut context = Context::new();
    let parameters = form.reader.parameters();
    for prefix in parameters.members("ContextEntries") {
        let Some(key) = parameters.get(&format!("{prefix}.ContextKeyName")) else { continue };
        let values = parameters.list(&format!("{prefix}.ContextKeyValues"));
        let is_list =
            parameters.get(&format!("{prefix}.ContextKeyType")).is_some_and(|kind| kind.ends_with("List"));
        match values.as_slice() {
            [value] if !is_list => context.set(key, *value),
            values => context.set_many(key, values.iter().copied()),
        };
    }
    context
}

/// The policy of the resource, of whatever kind: what it may contain is not checked.
fn parse_resource_policy(text: &str) -> Result<Policy, AwsError> {
    Policy::parse(text, PolicySource::new(PolicyKind::Bucket, "ResourcePolicy")).map_err(|error| {
        AwsError::invalid_input(format!("Invalid Content ResourcePolicy: {}", error.message()))
    })
}

/// The user who calls; AWS takes no other kind.
fn caller_principal(text: &str) -> Result<Principal, AwsError> {
    let arn = Arn::new(text).ok().filter(|arn| arn.resource().starts_with("user/"));
    let found = arn.and_then(|arn| arn.account().map(|account| (arn, account)));
    let (arn, account) = found.ok_or_else(|| {
        AwsError::invalid_input(format!(
            "Invalid Caller ARN: {text}. The caller must be the ARN of an IAM user"
        ))
    })?;
    Ok(Principal::User { arn, account })
}

fn owner_account(text: &str) -> Result<AccountId, AwsError> {
    let account = Arn::new(text).ok().and_then(|arn| arn.account()).or_else(|| AccountId::new(text).ok());
    account.ok_or_else(|| AwsError::invalid_input(format!("Invalid Resource Owner: {text}")))
}

/// The policies in question, and what is said about every request.
struct Simulation<'a> {
    gathered: Gathered,
    resource_policy: Option<Policy>,
    owner: AccountId,
    context: &'a Context,
}

impl Simulation<'_> {
    fn result(&self, action: &str, resource: &str, is_specific: bool) -> Fields {
        let request = Request {
            principal: self.gathered.principal.clone(),
            ids: PrincipalIds::default(),
            action: action.to_owned(),
            resource: bucketproof_authz::Resource {
                arn: resource.to_owned(),
                account: Some(self.owner.clone()),
            },
            context: self.context.clone(),
        };
        let policies = Policies {
            identity: &self.gathered.identity,
            boundary: self.gathered.boundary.as_deref(),
            resource: self.resource_policy.as_ref(),
            ..Policies::default()
        };
        let decision = decide(&request, &policies);
        let decided = match decision.outcome() {
            Outcome::Allowed => "allowed",
            Outcome::ExplicitlyDenied => "explicitDeny",
            Outcome::ImplicitlyDenied => "implicitDeny",
        };
        let details = || {
            Fields::new()
                .list("MatchedStatements", matched(&decision))
                .texts("MissingContextValues", missing_keys(&decision))
        };
        let mut fields = Fields::new()
            .text("EvalActionName", action)
            .text("EvalResourceName", resource)
            .text("EvalDecision", decided)
            .and(details())
            .fields("EvalDecisionDetails", Fields::new());
        if let Some(boundary) = &self.gathered.boundary {
            let alone = Policies { identity: boundary, ..Policies::default() };
            let is_allowed = outcome(&request, &alone) == Outcome::Allowed;
            let detail = Fields::new().text("AllowedByPermissionsBoundary", is_allowed);
            fields = fields.fields("PermissionsBoundaryDecisionDetail", detail);
        }
        if is_specific {
            let specific = Fields::new()
                .text("EvalResourceName", resource)
                .text("EvalResourceDecision", decided)
                .and(details());
            fields = fields.list("ResourceSpecificResults", [specific]);
        }
        fields
    }
}

/// The statements that settled it: those that deny, else those that allow.
fn matched(decision: &Decision) -> Vec<Fields> {
    let effect = match decision.outcome() {
        Outcome::Allowed => Effect::Allow,
        Outcome::ExplicitlyDenied => Effect::Deny,
        Outcome::ImplicitlyDenied => return Vec::new(),
    };
    let mut matched = Vec::new();
    let policies = decision.policies();
    let all = policies.identity.iter().chain(policies.boundary.unwrap_or_default()).chain(policies.resource);
    for (policy, trace) in all.zip(&decision.trace().policies) {
        let kind = if policy.kind() == PolicyKind::Bucket { "Resource Policy" } else { "IAM Policy" };
        for statement in trace.statements.iter().filter(|found| found.applies && found.effect == effect) {
            let (line, column) = end_of_statement(policy.text(), statement.line, statement.column);
            let position = |line: u32, column: u32| Fields::new().text("Line", line).text("Column", column);
            matched.push(
                Fields::new()
                    .text("SourcePolicyId", &trace.name)
                    .text("SourcePolicyType", kind)
                    .fields("StartPosition", position(statement.line, statement.column))
                    .fields("EndPosition", position(line, column)),
            );
        }
    }
    matched
}

/// The condition keys that a statement asked for and the request does not give.
fn missing_keys(decision: &Decision) -> Vec<String> {
    let statements = decision.trace().policies.iter().flat_map(|policy| &policy.statements);
    let conditions = statements
        .flat_map(|statement| &statement.elements)
        .filter(|element| element.element == Element::Condition);
    let mut keys: Vec<String> = conditions
        .filter_map(|element| element.key.clone())
        .filter(|key| decision.request().context.get(key).is_none())
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// What a simulation of a principal is authorized on.
fn source_access(op: Op, account: &Account, source: &str) -> Access {
    let tags = account.users.by_arn(source).map(|User { tags, .. }| tags);
    let tags = tags.or_else(|| account.roles.by_arn(source).map(|Role { tags, .. }| tags));
    Access::to(op, account, Resource::arn(source).tagged(tags))
}

impl Action for SimulatePrincipalPolicy {
    const OP: Op = Op::SimulatePrincipalPolicy;

    fn read(form: &mut Form<'_>) -> Self {
        Self { source: form.arn("PolicySourceArn"), question: Question::read(form) }
    }

    fn access(&self, account: &Account) -> Access {
        source_access(Self::OP, account, &self.source)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let gathered = gather(scope.account()?, &self.source)?;
        self.question.answer(scope, gathered).map(Some)
    }
}

impl Action for SimulateCustomPolicy {
    const OP: Op = Op::SimulateCustomPolicy;

    fn read(form: &mut Form<'_>) -> Self {
        let question = Question::read(form);
        if question.policies.is_empty() {
            form.reader.missing("PolicyInputList");
        }
        Self { question }
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::any())
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let gathered = Gathered::of_nobody(&scope.id)?;
        self.question.answer(scope, gathered).map(Some)
    }
}

impl Action for GetContextKeysForPrincipalPolicy {
    const OP: Op = Op::GetContextKeysForPrincipalPolicy;

    fn read(form: &mut Form<'_>) -> Self {
        Self { source: form.arn("PolicySourceArn"), policies: form.texts("PolicyInputList") }
    }

    fn access(&self, account: &Account) -> Access {
        source_access(Self::OP, account, &self.source)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let mut policies = gather(scope.account()?, &self.source)?.identity;
        policies.extend(parse_inputs(&self.policies, "PolicyInputList", PolicyKind::Identity)?);
        Ok(Some(Fields::new().texts("ContextKeyNames", context_keys(&policies))))
    }
}

impl Action for GetContextKeysForCustomPolicy {
    const OP: Op = Op::GetContextKeysForCustomPolicy;

    fn read(form: &mut Form<'_>) -> Self {
        let policies = form.texts("PolicyInputList");
        if policies.is_empty() {
            form.reader.missing("PolicyInputList");
        }
        Self { policies }
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::any())
    }

    fn apply(self, _: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let policies = parse_inputs(&self.policies, "PolicyInputList", PolicyKind::Identity)?;
        Ok(Some(Fields::new().texts("ContextKeyNames", context_keys(&policies))))
    }
}
