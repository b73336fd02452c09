//! Elements in words.

use crate::policy::Statement;
use crate::policy::condition::{Condition, ConditionMatch};
use crate::policy::json::Position;
use crate::policy::pattern::{ActionElement, ListMatch, ResourceElement};
use crate::policy::principal::{PrincipalElement, PrincipalMatch};
use crate::subject::Subject;

use super::{Element, ElementTrace, principal_matches};

/// How many values a text lists before it counts the rest.
const LISTED_MAX: usize = 3;

/// Every element of a statement, asked one by one.
pub(crate) fn elements(subject: &Subject<'_>, statement: &Statement) -> Vec<ElementTrace> {
    let mut traces = Vec::new();
    if let Some(element) = &statement.principal {
        traces.push(principal(subject, element, statement.principal_match(subject)));
    }
    traces.push(action(subject, &statement.action));
    if let Some(element) = &statement.resource {
        traces.push(resource(subject, element));
    }
    traces.extend(statement.conditions.iter().map(|one| condition(subject, one)));
    traces
}

fn trace(element: Element, matches: bool, at: Position, text: String) -> ElementTrace {
    ElementTrace {
        element,
        matches,
        operator: None,
        key: None,
        expected: Vec::new(),
        found: Vec::new(),
        text,
        line: at.line,
        column: at.column,
    }
}

fn principal(subject: &Subject<'_>, element: &PrincipalElement, found: PrincipalMatch) -> ElementTrace {
    let caller = subject.principal().display_name();
    let expected: Vec<String> = element.entries.iter().map(|entry| entry.text.clone()).collect();
    let text = match found {
        PrincipalMatch::Named(index, _) => expected.get(index).cloned().unwrap_or_default(),
        PrincipalMatch::Absent => String::new(),
        PrincipalMatch::NotNamed => format!("{caller} is not {}", listed(&expected)),
        PrincipalMatch::NotExempt => format!("NotPrincipal does not exempt {caller}"),
        PrincipalMatch::Exempt => format!("NotPrincipal exempts {caller}"),
        PrincipalMatch::BoundaryNotExempt => {
            "NotPrincipal with Deny hits every caller that has a permissions boundary".to_owned()
        }
    };
    ElementTrace {
        expected,
        found: vec![caller.to_owned()],
        ..trace(Element::Principal, principal_matches(found), element.at, text)
    }
}

fn action(subject: &Subject<'_>, element: &ActionElement) -> ElementTrace {
    let found = element.check(subject);
    let requested = &subject.request.action;
    let expected: Vec<String> = element.patterns.iter().map(|pattern| pattern.text.to_string()).collect();
    let text = list_text("NotAction", element.negated, found, requested, &expected);
    let at = pattern_position(found, element.at, element.patterns.iter().map(|pattern| pattern.at));
    ElementTrace {
        expected,
        found: vec![requested.clone()],
        ..trace(Element::Action, element.applies(found), at, text)
    }
}

fn resource(subject: &Subject<'_>, element: &ResourceElement) -> ElementTrace {
    let found = element.check(subject);
    let requested = &subject.request.resource.arn;
    let expected: Vec<String> = element
        .patterns
        .iter()
        .map(|pattern| {
            pattern
                .resolved_text(subject)
                .unwrap_or_else(|| format!("{} (a variable has no value)", pattern.text))
        })
        .collect();
    let text = list_text("NotResource", element.negated, found, requested, &expected);
    let at = pattern_position(found, element.at, element.patterns.iter().map(|pattern| pattern.at));
    ElementTrace {
        expected,
        found: vec![requested.clone()],
        ..trace(Element::Resource, element.applies(found), at, text)
    }
}

fn pattern_position(
    found: ListMatch,
    element: Position,
    mut patterns: impl Iterator<Item = Position>,
) -> Position {
    match found {
        ListMatch::Covered(index) => patterns.nth(index).unwrap_or(element),
        ListMatch::NotCovered => element,
    }
}

fn list_text(
    negation: &str,
    negated: bool,
    found: ListMatch,
    requested: &str,
    expected: &[String],
) -> String {
    match (found, negated) {
        (ListMatch::Covered(index), false) => expected.get(index).cloned().unwrap_or_default(),
        (ListMatch::Covered(index), true) => {
            format!("{negation} excludes it: {}", expected.get(index).map_or("", String::as_str))
        }
        (ListMatch::NotCovered, false) => format!("{requested} is not {}", listed(expected)),
        (ListMatch::NotCovered, true) => format!("{negation} does not exclude it: {}", listed(expected)),
    }
}

fn condition(subject: &Subject<'_>, condition: &Condition) -> ElementTrace {
    let context = &subject.request.context;
    let result = condition.check(context);
    let expected = condition.resolved_texts(context);
    let found: Vec<String> =
        context.get_lower(&condition.lower_key).map(|values| values.as_slice().to_vec()).unwrap_or_default();
    let name = format!("{} {}", condition.operator_name, condition.key);
    let values = if found.is_empty() { "no value".to_owned() } else { listed_quoted(&found) };
    let text = match result {
        ConditionMatch::Met(Some((found_index, expected_index))) => {
            let one = found.get(found_index).map_or("", String::as_str);
            match expected.get(expected_index) {
                Some(matched) if matched != one => format!("{name}: `{one}` against `{matched}`"),
                _ => format!("{name}: `{one}`"),
            }
        }
        ConditionMatch::MetWithoutKey | ConditionMatch::UnmetWithoutKey => {
            format!("{name}: the request has no such key")
        }
        ConditionMatch::Unmet(Some(index)) => format!(
            "{name}: `{}` against {}",
            found.get(index).map_or("", String::as_str),
            listed_quoted(&expected)
        ),
        ConditionMatch::Met(None) | ConditionMatch::Unmet(None) => {
            format!("{name}: {values} against {}", listed_quoted(&expected))
        }
        ConditionMatch::ListNeedsQuantifier => {
            format!("{name}: the key is a list, which needs ForAnyValue or ForAllValues")
        }
    };
    ElementTrace {
        operator: Some(condition.operator_name.to_string()),
        key: Some(condition.key.to_string()),
        expected,
        found,
        ..trace(Element::Condition, result.is_met(), condition.at, text)
    }
}

/// `a`, `a or b`, `a, b, c or 4 others`.
fn listed(values: &[String]) -> String {
    match values {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        _ if values.len() > LISTED_MAX => {
            let shown: Vec<&str> = values.iter().take(LISTED_MAX).map(String::as_str).collect();
            format!("{} or {} others", shown.join(", "), values.len() - LISTED_MAX)
        }
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn listed_quoted(values: &[String]) -> String {
    listed(&values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>())
}
