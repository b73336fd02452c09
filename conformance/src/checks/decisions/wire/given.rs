//! The context of a row: what the request, the caller's tags and the address bring about of what policies ask for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::row::{OWNER, Row};
use super::caller::{Caller, Kind};
use super::text::{encoded, renamed};

/// Addresses of documents (RFC 5737, RFC 3849), from which no request comes.
const DOCUMENTED: [&str; 4] = ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"];

/// What is sent, and what the caller has, so that the context is the row's.
#[derive(Debug, Default)]
pub(super) struct Given {
    tags: BTreeMap<String, String>,
    /// More of the query of a listing, each with its `&`.
    pub(super) query: String,
    /// Headers, or parameters of a form.
    pub(super) fields: Vec<String>,
}

impl Given {
    /// Absent if a policy asks for what no request decides.
    pub(super) fn of(row: &Row, caller: Caller) -> Option<Self> {
        let mut given = Self::default();
        for statement in statements(row) {
            if !has_sound_values(&statement) {
                return None;
            }
            for key in keys(&statement, &row.version) {
                if !given.take(&key.to_lowercase(), row, caller, &statement) {
                    return None;
                }
            }
        }
        Some(given)
    }

    /// The tags as parameters of what makes their owner.
    pub(super) fn tags(&self) -> String {
        let tags = self.tags.iter().enumerate();
        let tags = tags.map(|(at, (key, value))| {
            let member = format!("Tags.member.{}", at + 1);
            format!("{member}.Key: {key}\n{member}.Value: {}\n", renamed(value))
        });
        tags.collect()
    }

    /// Whether the request can have the value of a key that the row says, or can lack it if it says none.
    fn take(&mut self, key: &str, row: &Row, caller: Caller, statement: &Value) -> bool {
        let found = row.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        let value = match found.map(|(_, value)| value.as_str()) {
            // A list, which no request of these sends.
            Some(None) => return false,
            Some(Some(text)) => Some(text),
            None => None,
        };
        let action = row.action.to_lowercase();
        match key {
            "aws:username" => value == (caller.kind == Kind::User).then_some("alice"),
            "aws:principalarn" => value == caller.arn().as_deref(),
            "aws:principalaccount" => value == (caller.kind != Kind::Anonymous).then_some(caller.account()),
            "aws:resourceaccount" => value == Some(OWNER),
            // Keys that never expire have neither.
            "aws:multifactorauthpresent" | "aws:tokenissuetime" => {
                value.is_none() && caller.kind != Kind::Session
            }
            // What services say of those for whom they ask.
            "aws:sourcearn" | "aws:sourceaccount" | "aws:sourcevpce" => value.is_none(),
            "aws:sourceip" => value.is_some_and(|address| is_elsewhere(address, statement)),
            "s3:prefix" | "s3:max-keys" if action == "s3:listbucket" => {
                let Some(text) = value else { return key == "s3:prefix" };
                if text.contains("ALICE") {
                    // The name that this run gives has no capitals.
                    return false;
                }
                let part = format!("&{}={}", key.trim_start_matches("s3:"), renamed(&encoded(text)));
                if !self.query.contains(&part) {
                    self.query.push_str(&part);
                }
                true
            }
            "sts:externalid" if action == "sts:assumerole" => {
                self.fields.extend(value.map(|id| format!("ExternalId: {id}")));
                true
            }
            "s3:x-amz-server-side-encryption" if action == "s3:putobject" => {
                self.fields.extend(value.map(|header| format!("x-amz-server-side-encryption: {header}")));
                true
            }
            _ => self.take_tag(found.map_or(key, |(name, _)| name), value, caller),
        }
    }

    fn take_tag(&mut self, key: &str, value: Option<&str>, caller: Caller) -> bool {
        let Some((start, name)) = key.split_once('/') else { return false };
        if !start.eq_ignore_ascii_case("aws:PrincipalTag") {
            return false;
        }
        let Some(value) = value else { return true };
        self.tags.insert(name.to_owned(), value.to_owned());
        caller.kind != Kind::Anonymous && is_tag(name) && is_tag(value)
    }
}

/// Every statement of the row, and the condition that stands for one.
fn statements(row: &Row) -> Vec<Value> {
    let condition = row.condition.as_ref().map(|condition| format!("{{\"Condition\":{condition}}}"));
    row.statements().chain(&condition).map(|text| serde_json::from_str(text).unwrap_or_default()).collect()
}

/// Operators, keys and values of a statement's conditions.
fn conditions(statement: &Value) -> impl Iterator<Item = (&String, &String, Vec<&Value>)> {
    let operators = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    operators.flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, values)| {
            let values = values.as_array().map_or_else(|| vec![values], |list| list.iter().collect());
            (operator, key, values)
        })
    })
}

/// The keys that a statement asks for, by name or as a variable.
fn keys(statement: &Value, version: &str) -> Vec<String> {
    let mut keys: Vec<String> = conditions(statement).map(|(_, key, _)| key.clone()).collect();
    if version == "2012-10-17" {
        let text = statement.to_string();
        let variables = text.split("${").skip(1).filter_map(|part| part.split(['}', ',']).next());
        keys.extend(variables.filter(|name| !["*", "?", "$"].contains(name)).map(str::to_owned));
    }
    keys
}

/// Whether AWS would store the values with their operators.
fn has_sound_values(statement: &Value) -> bool {
    conditions(statement).all(|(operator, _, values)| {
        let operator = operator.rsplit(':').next().unwrap_or_default();
        values.into_iter().all(|value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if operator.starts_with("Numeric") {
                text.parse::<f64>().is_ok()
            } else if operator.starts_with("Date") {
                // With a time there are seconds.
                let has_seconds = !text.contains('T') || text.matches(':').count() >= 2;
                text.starts_with(|first: char| first.is_ascii_digit()) && has_seconds
            } else if operator.starts_with("Bool") || operator == "Null" {
                ["true", "false"].contains(&text.to_lowercase().as_str())
            } else {
                true
            }
        })
    })
}

/// Characters that a tag may have.
fn is_tag(text: &str) -> bool {
    text.chars().all(|one| one.is_alphanumeric() || " _.:/=+-@".contains(one))
}

/// Whether the address of the row is outside of the networks of the statement, and every address of ours is as well.
fn is_elsewhere(address: &str, statement: &Value) -> bool {
    conditions(statement).filter(|(_, key, _)| key.eq_ignore_ascii_case("aws:SourceIp")).all(
        |(_, _, networks)| {
            networks.into_iter().all(|network| {
                let network = network.as_str().unwrap_or_default().to_lowercase();
                let of = DOCUMENTED.iter().find(|start| network.starts_with(*start));
                of.is_some_and(|start| !address.starts_with(start))
            })
        },
    )
}
