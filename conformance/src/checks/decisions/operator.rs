//! Condition operators: each with each prefix, suffix and kind of value, under Allow and under Deny.

use std::sync::Arc;

use bucketproof_authz::{
    AccountId, Arn, Context, Outcome, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds,
    Request, Resource, decide,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{DecisionChange, level, source};
use crate::check::{Area, Capability, Check, Run};
use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::{Conclusion, Stop};
use crate::step::step;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    operator: Vec<Operator>,
    form: Vec<Form>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operator {
    name: String,
    source: String,
    policy: String,
    meets: String,
    misses: String,
    second: Second,
    case: Option<Case>,
    absent: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Second {
    policy: String,
    value: String,
    met: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    value: String,
    met: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    id: String,
    source: String,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    suffix: String,
    /// `meets`, `misses` or a value as it is; absent if the request has no such key.
    values: Option<Vec<String>>,
    #[serde(default)]
    list: bool,
    met: Met,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Met {
    Always(bool),
    /// `absent`: as the operator answers to a request without the key.
    AsAbsent(String),
}

const KEY: &str = "aws:PrincipalTag/Colour";

pub(super) fn checks(table: Table) -> impl Iterator<Item = Check> {
    let forms = Arc::new(table.form);
    table.operator.into_iter().map(move |operator| {
        let mut sources = vec![source(&operator.source)];
        for form in forms.iter().map(|form| source(&form.source)) {
            if !sources.contains(&form) {
                sources.push(form);
            }
        }
        let mut detail = vec![format!(
            "`{}` in the policy, the request has `{}` or `{}`",
            operator.policy, operator.meets, operator.misses
        )];
        detail.extend(
            forms
                .iter()
                .map(|form| format!("form {}: {}{}{}", form.id, form.prefix, operator.name, form.suffix)),
        );
        let (operator, forms) = (Arc::new(operator), Arc::clone(&forms));
        Check {
            id: format!("iam.operator.{}", slug(&operator.name)).into(),
            title: format!(
                "{} holds and fails as documented in each of {} forms, under Allow and under Deny",
                operator.name,
                forms.len()
            )
            .into(),
            level: level(&sources),
            area: Area::Iam,
            sources,
            needs: vec![Capability::DecisionCore],
            detail,
            proves: None,
            falsified_by: Falsifier::Decision(DecisionChange::ConditionsIgnored),
            run: Run::new(move |context| std::future::ready(run(&context, &operator, &forms))),
        }
    })
}

/// `StringEquals` as `string-equals`.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !slug.is_empty() {
            slug.push('-');
        }
        slug.push(letter.to_ascii_lowercase());
    }
    slug
}

fn run(context: &CheckContext, operator: &Operator, forms: &[Form]) -> Conclusion {
    let ignored = matches!(context.falsifier(), Some(Falsifier::Decision(DecisionChange::ConditionsIgnored)));
    let ask = |name: &str, operator: &str, policy: &[&str], request: &Context, expected: bool| {
        let step = step(name);
        let met = is_met(&step, operator, policy, request, ignored)?;
        step.equal(&expected, &met)
    };
    let one = |value: &str| request_with(Some(&[value]), false);
    let (first, second) = (operator.policy.as_str(), operator.second.policy.as_str());
    let value = one(&operator.second.value);
    let name = operator.name.as_str();
    ask("a second value in the policy", name, &[first, second], &value, operator.second.met)?;
    ask("the first value alone", name, &[first], &value, !operator.second.met)?;
    ask("no value in the policy", name, &[], &value, !operator.second.met)?;
    if let Some(case) = &operator.case {
        ask("the value in other letters", name, &[first], &one(&case.value), case.met)?;
    }
    for form in forms {
        let value = |text: &String| match text.as_str() {
            "meets" => operator.meets.clone(),
            "misses" => operator.misses.clone(),
            other => other.to_owned(),
        };
        let values: Option<Vec<String>> = form.values.as_ref().map(|texts| texts.iter().map(value).collect());
        let values: Option<Vec<&str>> =
            values.as_ref().map(|texts| texts.iter().map(String::as_str).collect());
        let expected = match &form.met {
            Met::Always(met) => *met,
            Met::AsAbsent(word) if word == "absent" => operator.absent,
            Met::AsAbsent(word) => {
                let message = std::io::Error::other(format!(
                    "`met = \"{word}\"` is neither a truth value nor `absent`"
                ));
                return step(form.id.as_str()).works(Err(message));
            }
        };
        let name = format!("{}{}{}", form.prefix, operator.name, form.suffix);
        let request = request_with(values.as_deref(), form.list);
        ask(&format!("form {}", form.id), &name, &[first], &request, expected)?;
    }
    Ok(())
}

fn request_with(values: Option<&[&str]>, list: bool) -> Context {
    let mut context = Context::new();
    match values {
        Some(values) if list => {
            context.set_many(KEY, values.iter().copied());
        }
        Some([value, ..]) => {
            context.set(KEY, *value);
        }
        _ => {}
    }
    context
}

/// Whether an Allow under the condition and a Deny under it apply, which must be the same.
fn is_met(
    step: &crate::step::Step,
    operator: &str,
    policy: &[&str],
    request: &Context,
    ignored: bool,
) -> Result<bool, Stop> {
    let statement = |effect: &str| {
        let mut statement = json!({"Effect": effect, "Action": "s3:*", "Resource": "*"});
        if let (false, Some(statement)) = (ignored, statement.as_object_mut()) {
            // The key in other letters than the request has it.
            statement.insert("Condition".to_owned(), json!({operator: {"AWS:principaltag/COLOUR": policy}}));
        }
        statement
    };
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let allowed = outcome(step, &[statement("Allow")], request)?;
    let denied = outcome(step, &[everything, statement("Deny")], request)?;
    match (allowed, denied) {
        (Outcome::Allowed, Outcome::ExplicitlyDenied) => Ok(true),
        (Outcome::ImplicitlyDenied, Outcome::Allowed) => Ok(false),
        other => Err(step.failure("one answer under Allow and under Deny", format!("{other:?}")).into()),
    }
}

fn outcome(step: &crate::step::Step, statements: &[Value], request: &Context) -> Result<Outcome, Stop> {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let policy = step.works(Policy::parse(&text, PolicySource::new(PolicyKind::Identity, "p")))?;
    let account = step.works(AccountId::new("111111111111"))?;
    let arn = step.works(Arn::new("arn:aws:iam::111111111111:user/alice"))?;
    let request = Request {
        principal: Principal::User { arn, account: account.clone() },
        ids: PrincipalIds::default(),
        action: "s3:GetObject".to_owned(),
        resource: Resource { arn: "arn:aws:s3:::b/k".to_owned(), account: Some(account) },
        context: request.clone(),
    };
    Ok(decide(&request, &Policies { identity: &[policy], ..Policies::default() }).outcome())
}
