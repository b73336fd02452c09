//! The policies of a simulation: whose they are, under which ids they are reported, and what stands in them.

use std::collections::BTreeSet;

use bucketproof_authz::{AccountId, Arn, Policy, PolicyKind, PolicySource, Principal};
use serde_json::Value;

use super::things::{OfGroup, OfRole, OfUser, Thing};
use crate::error::AwsError;
use crate::state::{Account, Attached, Entity};

/// Whose request is simulated, with the policies that rule it; each goes by the id that the answer shows.
pub(super) struct Gathered {
    pub(super) principal: Principal,
    pub(super) identity: Vec<Policy>,
    pub(super) boundary: Option<Vec<Policy>>,
}

impl Gathered {
    /// A user of the account who has no policies and need not exist.
    pub(super) fn of_nobody(account: &AccountId) -> Result<Self, AwsError> {
        let arn =
            Arn::new(format!("arn:aws:iam::{account}:user/simulated")).map_err(|_| AwsError::internal())?;
        let principal = Principal::User { arn, account: account.clone() };
        Ok(Self { principal, identity: Vec::new(), boundary: None })
    }
}

/// The policies of a user with its groups, of a group, or of a role.
pub(super) fn gather(account: &Account, source: &str) -> Result<Gathered, AwsError> {
    let name = source.rsplit('/').next().unwrap_or_default();
    if let Some(user) = account.users.by_arn(source) {
        let mut identity = renamed(account, &user.entity, &user.policies)?;
        for group in account.groups_of(user) {
            identity.extend(renamed(account, &group.entity, &group.policies)?);
        }
        let principal = Principal::User { arn: user.entity.arn.clone(), account: account.id.clone() };
        let boundary = boundary(account, user.boundary.as_ref());
        return Ok(Gathered { principal, identity, boundary });
    }
    if let Some(group) = account.groups.by_arn(source) {
        let identity = renamed(account, &group.entity, &group.policies)?;
        return Ok(Gathered { identity, ..Gathered::of_nobody(&account.id)? });
    }
    if let Some(role) = account.roles.by_arn(source) {
        let session = format!("arn:aws:sts::{}:assumed-role/{}/simulated", account.id, role.entity.name);
        let principal = Principal::AssumedRole {
            session_arn: Arn::new(session).map_err(|_| AwsError::internal())?,
            role_arn: role.entity.arn.clone(),
            account: account.id.clone(),
        };
        let identity = renamed(account, &role.entity, &role.policies)?;
        return Ok(Gathered { principal, identity, boundary: boundary(account, role.boundary.as_ref()) });
    }
    Err(match source.split_once(":role/") {
        Some(_) => OfRole::missing(name),
        None if source.contains(":group/") => OfGroup::missing(name),
        None => OfUser::missing(name),
    })
}

fn boundary(account: &Account, arn: Option<&Arn>) -> Option<Vec<Policy>> {
    account.boundary(arn).map(|policy| vec![policy])
}

/// Policies under the ids of the simulator: `user_alice_read` for an inline one, its name for a managed one.
fn renamed(account: &Account, owner: &Entity, attached: &Attached) -> Result<Vec<Policy>, AwsError> {
    let kind = owner.kind.arn_type();
    let inline =
        attached.inline.iter().map(|(name, policy)| (format!("{kind}_{}_{name}", owner.name), policy));
    let managed = attached.managed.iter().filter_map(|arn| account.policy(arn.as_str()));
    inline
        .chain(managed.map(|policy| (policy.entity.name.clone(), policy.identity())))
        .map(|(id, policy)| Policy::parse(policy.text(), PolicySource::new(PolicyKind::Identity, id)))
        .collect::<Result<_, _>>()
        .map_err(|_| AwsError::internal())
}

/// Policies that stand in the request, as `PolicyInputList.1`.
pub(super) fn parse_inputs(texts: &[String], list: &str, kind: PolicyKind) -> Result<Vec<Policy>, AwsError> {
    let parse = |(number, text): (usize, &String)| {
        let id = format!("{list}.{}", number + 1);
        Policy::parse(text, PolicySource::new(kind, id.as_str()))
            .map_err(|error| AwsError::invalid_input(format!("Invalid Content {id}: {}", error.message())))
    };
    texts.iter().enumerate().map(parse).collect()
}

/// Where a statement ends that begins at a line and column: just behind its closing brace. All count from 1.
pub(super) fn end_of_statement(text: &str, start_line: u32, start_column: u32) -> (u32, u32) {
    let (mut line, mut column) = (1, 1);
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for character in text.chars() {
        let inside = (line, column) >= (start_line, start_column);
        if inside && quoted {
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if inside {
            match character {
                '"' => quoted = true,
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && character == '}' {
                return (line, column + 1);
            }
        }
        if character == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    (line, column)
}

/// Every condition key that stands in conditions and variables, in order.
pub(super) fn context_keys(policies: &[Policy]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for policy in policies {
        // Every policy here was parsed before.
        let document: Value = serde_json::from_str(policy.text()).unwrap_or_default();
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(statement) => vec![statement],
            None => Vec::new(),
        };
        for statement in statements {
            for operator in
                statement.get("Condition").and_then(Value::as_object).into_iter().flat_map(|c| c.values())
            {
                keys.extend(operator.as_object().into_iter().flat_map(|keys| keys.keys().cloned()));
            }
            collect_variables(statement, &mut keys);
        }
    }
    keys
}

/// The keys of `${key}` and `${key, 'default'}` in any text.
fn collect_variables(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            for rest in text.split("${").skip(1) {
                let key = rest.split(['}', ',']).next().unwrap_or_default().trim();
                if key.contains(':') {
                    keys.insert(key.to_owned());
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_variables(value, keys)),
        Value::Object(values) => values.values().for_each(|value| collect_variables(value, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::end_of_statement;

    #[test]
    fn a_statement_ends_behind_its_brace() {
        let text = "{\"Statement\": [\n  {\"Sid\": \"a}\\\"}\", \"Condition\": {}},\n  {}]}";
        assert_eq!(end_of_statement(text, 2, 3), (2, 36));
        assert_eq!(end_of_statement(text, 3, 3), (3, 5));
    }
}
