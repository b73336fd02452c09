//! The small mistakes that somebody may make in a document.

use serde_json::Value;

use super::document::{
    conditions, present, principals, scalar, statements, texts, with_conditions, with_element,
    with_principals, with_statements, without_element,
};

/// A document with one mistake.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    /// The statement, counted from 0.
    pub(crate) statement: usize,
    /// What was done, for people.
    pub(crate) change: String,
    pub(crate) kind: MutantKind,
    /// The statement of the mutant; absent if it was taken away.
    pub(crate) mutated: Option<Value>,
    /// The whole document; absent if nothing is left of it.
    pub(crate) document: Option<Value>,
}

/// What was done to a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MutantKind {
    Statement,
    Effect,
    Action(String),
    Resource(String),
    /// The wider resource.
    WiderResource(String),
    Principal(String),
    AnyPrincipal,
    /// The condition key.
    Condition(String),
}

/// Every mutant of a document.
pub(crate) fn mutants(document: &Value) -> Vec<Mutant> {
    let all = statements(document);
    let mut found = Vec::new();
    for (index, statement) in all.iter().enumerate() {
        let mut add = |change: String, kind: MutantKind, mutated: Option<Value>| {
            let mut statements = all.clone();
            match &mutated {
                Some(other) => {
                    if let Some(place) = statements.get_mut(index) {
                        place.clone_from(other);
                    }
                }
                None => {
                    statements.remove(index);
                }
            }
            let document = (!statements.is_empty()).then(|| with_statements(document, statements));
            found.push(Mutant { statement: index, change, kind, mutated, document });
        };
        add("the statement is dropped".to_owned(), MutantKind::Statement, None);
        let effect = statement.get("Effect").map(scalar).unwrap_or_default();
        let flipped = if effect == "Deny" { "Allow" } else { "Deny" };
        add(
            format!("`{effect}` becomes `{flipped}`"),
            MutantKind::Effect,
            Some(with_element(statement, "Effect", flipped.into())),
        );
        lists(statement, &mut add);
        of_principals(statement, &mut add);
        of_conditions(statement, &mut add);
    }
    found
}

type Add<'a> = &'a mut dyn FnMut(String, MutantKind, Option<Value>);

/// Actions and resources: one is dropped, a resource is widened.
fn lists(statement: &Value, add: Add<'_>) {
    for (plain, negated) in [("Action", "NotAction"), ("Resource", "NotResource")] {
        let Some(element) = present(statement, plain, negated) else { continue };
        let all = texts(statement.get(element));
        let kind = |text: &String| match plain {
            "Action" => MutantKind::Action(text.clone()),
            _ => MutantKind::Resource(text.clone()),
        };
        for (index, text) in all.iter().enumerate().filter(|_| all.len() > 1) {
            let mut rest = all.clone();
            rest.remove(index);
            let mutated = with_element(statement, element, rest.into());
            add(format!("`{text}` is dropped from `{element}`"), kind(text), Some(mutated));
        }
        if plain == "Action" {
            continue;
        }
        for (index, text) in all.iter().enumerate() {
            let Some(wider) = widened(text) else { continue };
            let mut widened = all.clone();
            if let Some(place) = widened.get_mut(index) {
                place.clone_from(&wider);
            }
            let mutated = with_element(statement, element, widened.into());
            let change = format!("`{text}` of `{element}` is widened to `{wider}`");
            add(change, MutantKind::WiderResource(wider), Some(mutated));
        }
    }
}

/// One step wider: the folder above, then the bucket, then every bucket.
pub(crate) fn widened(resource: &str) -> Option<String> {
    if resource == "*" {
        return None;
    }
    let trimmed = resource.trim_end_matches('*').trim_end_matches('/');
    let wider = match trimmed.rfind(['/', ':']) {
        Some(end) => format!("{}*", trimmed.get(..=end)?),
        None => "*".to_owned(),
    };
    Some(if wider == resource { "*".to_owned() } else { wider })
}

fn of_principals(statement: &Value, add: Add<'_>) {
    let all = principals(statement);
    for (index, (_, text)) in all.iter().enumerate().filter(|_| all.len() > 1) {
        let mut rest = all.clone();
        rest.remove(index);
        let mutated = with_principals(statement, &rest);
        add(
            format!("`{text}` is dropped from `Principal`"),
            MutantKind::Principal(text.clone()),
            Some(mutated),
        );
    }
    if !all.is_empty() && !all.iter().any(|(_, text)| text == "*") {
        let mutated = with_element(statement, "Principal", "*".into());
        add("`Principal` becomes `*`".to_owned(), MutantKind::AnyPrincipal, Some(mutated));
    }
}

fn of_conditions(statement: &Value, add: Add<'_>) {
    let all = conditions(statement);
    for (index, (operator, key, values)) in all.iter().enumerate() {
        let kind = MutantKind::Condition(key.clone());
        let with = |change: Option<(String, Vec<String>)>| {
            let mut others = all.clone();
            match change {
                None => {
                    others.remove(index);
                }
                Some((operator, values)) => {
                    if let Some(place) = others.get_mut(index) {
                        *place = (operator, key.clone(), values);
                    }
                }
            }
            Some(with_conditions(statement, &others))
        };
        add(format!("the condition `{operator}` on `{key}` is dropped"), kind.clone(), with(None));
        if let Some(opposite) = opposite(operator) {
            let change = format!("`{operator}` on `{key}` becomes `{opposite}`");
            add(change, kind.clone(), with(Some((opposite, values.clone()))));
        }
        for (place, value) in values.iter().enumerate() {
            let mut others = values.clone();
            let other = other_value(operator, value);
            if let Some(value) = others.get_mut(place) {
                value.clone_from(&other);
            }
            let change = format!("`{value}` of `{operator}` on `{key}` becomes `{other}`");
            add(change, kind.clone(), with(Some((operator.clone(), others))));
            if values.len() > 1 {
                let mut others = values.clone();
                others.remove(place);
                let change = format!("`{value}` is dropped from `{operator}` on `{key}`");
                add(change, kind.clone(), with(Some((operator.clone(), others))));
            }
        }
    }
}

/// The operator that holds when this one does not; `ForAllValues:` and `IfExists` stay.
fn opposite(operator: &str) -> Option<String> {
    const PAIRS: [(&str, &str); 11] = [
        ("StringEquals", "StringNotEquals"),
        ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
        ("StringLike", "StringNotLike"),
        ("ArnEquals", "ArnNotEquals"),
        ("ArnLike", "ArnNotLike"),
        ("IpAddress", "NotIpAddress"),
        ("NumericEquals", "NumericNotEquals"),
        ("NumericLessThan", "NumericGreaterThanEquals"),
        ("NumericLessThanEquals", "NumericGreaterThan"),
        ("DateLessThan", "DateGreaterThanEquals"),
        ("DateLessThanEquals", "DateGreaterThan"),
    ];
    let (start, rest) = operator.split_once(':').map_or(("", operator), |(set, rest)| (set, rest));
    let (name, end) = rest.strip_suffix("IfExists").map_or((rest, ""), |name| (name, "IfExists"));
    let both = PAIRS.iter().flat_map(|(one, other)| [(one, other), (other, one)]);
    let (_, other) = both.into_iter().find(|(one, _)| one.eq_ignore_ascii_case(name))?;
    let set = if start.is_empty() { String::new() } else { format!("{start}:") };
    Some(format!("{set}{other}{end}"))
}

/// Another value of the same form.
fn other_value(operator: &str, value: &str) -> String {
    match value {
        "true" => return "false".to_owned(),
        "false" => return "true".to_owned(),
        _ => {}
    }
    let lower = operator.to_ascii_lowercase();
    if lower.contains("ipaddress") {
        // Of the range for documentation, which nobody comes from (RFC 5737).
        return "203.0.113.254/32".to_owned();
    }
    if lower.contains("numeric")
        && let Ok(number) = value.parse::<i64>()
    {
        return number.saturating_add(1).to_string();
    }
    if lower.contains("date")
        && let Ok(instant) = value.parse::<jiff::Timestamp>()
    {
        let later = instant.saturating_add(jiff::SignedDuration::from_hours(24)).unwrap_or(instant);
        return later.to_string();
    }
    // Another letter at the end, before a wildcard if there is one.
    match value.strip_suffix('*') {
        Some(start) => format!("{start}x*"),
        None => format!("{value}x"),
    }
}

/// The statement without a part, for looking at what the part does.
pub(crate) fn without_condition(statement: &Value, index: usize) -> Value {
    let mut all = conditions(statement);
    if index < all.len() {
        all.remove(index);
    }
    with_conditions(statement, &all)
}

/// The statement with one action, resource or principal alone.
pub(crate) fn with_one(statement: &Value, element: &str, text: &str) -> Value {
    with_element(&without_element(statement, element), element, text.into())
}
