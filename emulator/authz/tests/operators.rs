//! `fixtures/authz/operators.toml`: every condition operator in every form.

#![expect(clippy::expect_used, clippy::panic, reason = "a broken fixture fails its test")]

use std::collections::BTreeSet;
use std::path::Path;

use bucketproof_authz::{
    AccountId, Arn, Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Reason,
    Request, Resource, decide,
};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    operator: Vec<Operator>,
    form: Vec<Form>,
}

#[derive(Deserialize)]
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Second {
    policy: String,
    value: String,
    met: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    value: String,
    met: bool,
}

#[derive(Deserialize)]
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
    met: toml::Value,
}

const KEY: &str = "aws:PrincipalTag/Colour";

/// Whether an Allow under the condition and a Deny under it apply, which must be the same.
fn is_met(operator: &str, policy: &[&str], context: &Context, what: &str) -> bool {
    // The key in other letters than the request has it.
    let condition = json!({operator: {"AWS:principaltag/COLOUR": policy}});
    let statement =
        |effect: &str| json!({"Effect": effect, "Action": "s3:*", "Resource": "*", "Condition": condition});
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let allowed = answer(&[statement("Allow")], context);
    let denied = answer(&[everything, statement("Deny")], context);
    match (allowed, denied) {
        ("Allowed", "ExplicitlyDenied") => true,
        ("ImplicitlyDenied", "Allowed") => false,
        other => panic!("{what}: the effects disagree: {other:?}"),
    }
}

fn answer(statements: &[serde_json::Value], context: &Context) -> &'static str {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let policy = Policy::parse(&text, PolicySource::new(PolicyKind::Identity, "p")).expect("a policy");
    let account = AccountId::new("111111111111").expect("an account id");
    let arn = Arn::new("arn:aws:iam::111111111111:user/alice").expect("an ARN");
    let request = Request {
        principal: Principal::User { arn, account: account.clone() },
        ids: PrincipalIds::default(),
        action: "s3:GetObject".to_owned(),
        resource: Resource { arn: "arn:aws:s3:::b/k".to_owned(), account: Some(account) },
        context: context.clone(),
    };
    let decision = decide(&request, &Policies { identity: &[policy], ..Policies::default() });
    match decision.reason() {
        Reason::AllowedBy { identity: Some(_), resource: None } | Reason::NoAllow { .. } => {}
        Reason::ExplicitDeny { statement } => assert_eq!(statement.number(), 2),
        other => panic!("{other:?}"),
    }
    decision.outcome().as_str()
}

fn context(values: Option<&[&str]>, list: bool) -> Context {
    let mut context = Context::new();
    match values {
        None => {}
        Some(values) if list => {
            context.set_many(KEY, values.iter().copied());
        }
        Some(values) => {
            context.set(KEY, *values.first().expect("a value"));
        }
    }
    context
}

impl Operator {
    fn check(&self) {
        let one = |value: &str| context(Some(&[value]), false);
        let what = format!("{} ({})", self.name, self.source);
        let both = [self.policy.as_str(), self.second.policy.as_str()];
        let second = one(&self.second.value);
        assert_eq!(is_met(&self.name, &both, &second, &what), self.second.met, "{what}: second value");
        // Alone, the first value is not the one that decided.
        assert_eq!(is_met(&self.name, &both[..1], &second, &what), !self.second.met, "{what}: first value");
        assert_eq!(is_met(&self.name, &[], &second, &what), !self.second.met, "{what}: no value");
        if let Some(case) = &self.case {
            let found = is_met(&self.name, &both[..1], &one(&case.value), &what);
            assert_eq!(found, case.met, "{what}: other letters");
        }
    }

    fn check_form(&self, form: &Form) {
        let value = |text: &String| match text.as_str() {
            "meets" => self.meets.clone(),
            "misses" => self.misses.clone(),
            other => other.to_owned(),
        };
        let values: Option<Vec<String>> = form.values.as_ref().map(|texts| texts.iter().map(value).collect());
        let values: Option<Vec<&str>> =
            values.as_ref().map(|texts| texts.iter().map(String::as_str).collect());
        let expected = match &form.met {
            toml::Value::Boolean(met) => *met,
            toml::Value::String(text) if text == "absent" => self.absent,
            other => panic!("{}: {other}", form.id),
        };
        let name = format!("{}{}{}", form.prefix, self.name, form.suffix);
        let what = format!("{}/{} ({}; {})", self.name, form.id, self.source, form.source);
        let context = context(values.as_deref(), form.list);
        assert_eq!(is_met(&name, &[&self.policy], &context, &what), expected, "{what}");
    }
}

#[test]
fn every_operator_is_decided_in_every_form() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/authz/operators.toml");
    let text = std::fs::read_to_string(path).expect("the table");
    let table: Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let names: BTreeSet<&str> = table.operator.iter().map(|operator| operator.name.as_str()).collect();
    let ids: BTreeSet<&str> = table.form.iter().map(|form| form.id.as_str()).collect();
    assert_eq!(
        (names.len(), ids.len()),
        (26, table.form.len()),
        "each of the 26 operators once, each form once"
    );
    for operator in &table.operator {
        operator.check();
        for form in &table.form {
            operator.check_form(form);
        }
    }
}
