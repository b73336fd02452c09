//! Questions to policy documents, decided by the rules by which AWS decides.

use bucketproof_authz::{
    AccountId, Arn, Context, Decision, Effect, Element, Outcome, Policies, Policy, PolicyKind, PolicySource,
    Principal, PrincipalIds, Request, Resource, StatementTrace, decide,
};

/// The account that stands for the customer's where nothing names one.
pub(super) const CUSTOMER: &str = "111122223333";
/// The one that does if the vendor's is the other.
const OTHER_CUSTOMER: &str = "777788889999";

/// Who asks, and the documents that answer.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    pub(super) principal: Principal,
    /// The account that owns the resource.
    pub(super) account: AccountId,
    pub(super) identity: Vec<Policy>,
    pub(super) resource: Option<Policy>,
}

impl Judge {
    pub(super) fn ask(&self, action: &str, resource: &str, context: Context) -> Decision {
        let request = Request {
            principal: self.principal.clone(),
            ids: PrincipalIds::default(),
            action: action.to_owned(),
            resource: Resource { arn: resource.to_owned(), account: Some(self.account.clone()) },
            context,
        };
        let policies =
            Policies { identity: &self.identity, resource: self.resource.as_ref(), ..Policies::default() };
        decide(&request, &policies)
    }
}

/// A user of an account.
pub(super) fn user(account: &AccountId) -> Option<Principal> {
    let arn = Arn::new(format!("arn:aws:iam::{account}:user/connector")).ok()?;
    Some(Principal::User { arn, account: account.clone() })
}

/// The principal that an ARN names; for an account, a user of it.
pub(super) fn principal(text: &str) -> Option<Principal> {
    let arn = Arn::new(text).ok()?;
    let account = arn.account()?;
    let name = arn.resource();
    if let Some(role) = name.strip_prefix("role/") {
        let role = role.rsplit('/').next().unwrap_or(role);
        let session = format!("arn:aws:sts::{account}:assumed-role/{role}/connector");
        return Some(Principal::AssumedRole { session_arn: Arn::new(session).ok()?, role_arn: arn, account });
    }
    match name {
        "root" => user(&account),
        _ if name.starts_with("user/") => Some(Principal::User { arn, account }),
        _ => None,
    }
}

/// The customer's account where nothing names it: not that of the vendor.
pub(super) fn customer(vendor: Option<&Principal>) -> Option<AccountId> {
    let is_taken = vendor.and_then(Principal::account).is_some_and(|account| account.as_str() == CUSTOMER);
    AccountId::new(if is_taken { OTHER_CUSTOMER } else { CUSTOMER }).ok()
}

/// A policy of the vendor's own account that allows everything: the rest is the customer's to say.
pub(super) fn everything() -> Option<Policy> {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    Policy::parse(text, PolicySource::new(PolicyKind::Identity, "the vendor's own")).ok()
}

/// What of the documents stands in the way, by name: the deny, or the element of the statement that comes nearest.
pub(super) fn obstacle(decision: &Decision) -> String {
    let statements = || decision.trace().policies.iter().flat_map(|policy| &policy.statements);
    if decision.outcome() == Outcome::ExplicitlyDenied {
        let deny = statements().find(|statement| statement.applies && statement.effect == Effect::Deny);
        return deny.map_or_else(String::new, |deny| format!("{} denies it", shown(deny)));
    }
    let failures = |statement: &StatementTrace| {
        let failing = statement.elements.iter().filter(|element| !element.matches);
        let wrong_action = failing.clone().any(|element| element.element == Element::Action);
        (wrong_action, failing.count())
    };
    let nearest = statements()
        .filter(|statement| statement.effect == Effect::Allow && !statement.applies)
        .min_by_key(|statement| failures(statement));
    let Some(nearest) = nearest else { return "no statement allows it".to_owned() };
    if failures(nearest).0 {
        return "no statement that allows names the action".to_owned();
    }
    let named: Vec<String> = nearest
        .elements
        .iter()
        .filter(|element| !element.matches)
        .map(|element| {
            let expected = element.expected.join("`, `");
            match (&element.operator, &element.key) {
                (Some(operator), Some(key)) => {
                    format!("its condition `{operator}` on `{key}` asks for `{expected}`")
                }
                _ => format!("its {} is `{expected}`", element.element.as_str()),
            }
        })
        .collect();
    format!("{} comes nearest: {}", shown(nearest), named.join(", "))
}

fn shown(statement: &StatementTrace) -> String {
    match &statement.sid {
        Some(sid) => format!("statement `{sid}` (line {})", statement.line),
        None => format!("statement {} (line {})", statement.number, statement.line),
    }
}
