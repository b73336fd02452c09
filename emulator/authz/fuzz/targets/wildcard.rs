//! The matcher against the definition, by every way in which a policy uses it.

use bucketproof_authz::{
    AccountId, Arn, Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Request,
    Resource, outcome,
};
use serde_json::{Value, json};

use super::glob;

/// Longer inputs say nothing new and take the definition long.
const CHARS_MAX: usize = 200;

/// A pattern and a text, with a line feed between them.
pub(crate) fn run(input: &[u8]) {
    let input = String::from_utf8_lossy(input);
    let Some((pattern, text)) = input.split_once('\n') else { return };
    if input.chars().count() > CHARS_MAX {
        return;
    }
    let plain = glob::matches(pattern, text);
    check("StringLike", plain, like("StringLike", pattern, text), pattern, text);
    check("StringNotLike", !plain, like("StringNotLike", pattern, text), pattern, text);
    check("StringEquals", pattern == text, like("StringEquals", pattern, text), pattern, text);
    check("ArnLike", arn_like(pattern, text), like("ArnLike", pattern, text), pattern, text);
    if !pattern.is_empty() && !text.is_empty() {
        let (object, key) = (format!("arn:aws:s3:::{pattern}"), format!("arn:aws:s3:::{text}"));
        check("object", plain, applies(&statement("s3:x", &object), "s3:x", &key, None), pattern, text);
        let (named, asked) = (format!("s3:{pattern}"), format!("s3:{text}"));
        let expected = glob::matches(&named.to_ascii_lowercase(), &asked.to_ascii_lowercase());
        check("action", expected, applies(&statement(&named, "*"), &asked, "*", None), pattern, text);
    }
    let (whole, asked) = (format!("arn:{pattern}"), format!("arn:{text}"));
    if is_arn(&whole) && is_arn(&asked) {
        let expected = glob::matches_arn(&whole, &asked);
        check("resource", expected, applies(&statement("s3:x", &whole), "s3:x", &asked, None), pattern, text);
    }
}

/// Six parts, of which partition, service and resource are named.
fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    parts.len() == 6 && [1, 2, 5].into_iter().all(|index| !parts[index].is_empty())
}

/// `*` stands for any ARN; otherwise each of the six parts by itself.
fn arn_like(pattern: &str, text: &str) -> bool {
    let (patterns, parts): (Vec<&str>, Vec<&str>) =
        (pattern.splitn(6, ':').collect(), text.splitn(6, ':').collect());
    parts.len() == 6
        && (pattern == "*"
            || (patterns.len() == 6
                && patterns.iter().zip(&parts).all(|(pattern, part)| glob::matches(pattern, part))))
}

fn check(what: &str, expected: bool, found: Option<bool>, pattern: &str, text: &str) {
    if let Some(found) = found {
        assert_eq!(found, expected, "{what} `{pattern}` on `{text}`");
    }
}

fn statement(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

fn like(operator: &str, pattern: &str, text: &str) -> Option<bool> {
    let mut statement = statement("s3:x", "*");
    statement["Condition"] = json!({operator: {"aws:x": pattern}});
    applies(&statement, "s3:x", "*", Some(text))
}

/// Whether the statement allows; `None` if it is refused. The old version of the language has no variables.
fn applies(statement: &Value, action: &str, resource: &str, value: Option<&str>) -> Option<bool> {
    let text = json!({"Version": "2008-10-17", "Statement": statement}).to_string();
    let policy = Policy::parse(&text, PolicySource::new(PolicyKind::Identity, "i")).ok()?;
    let mut context = Context::new();
    if let Some(value) = value {
        context.set("aws:x", value);
    }
    let account = AccountId::new("111122223333").expect("an account id");
    let arn = Arn::new("arn:aws:iam::111122223333:user/u").expect("an ARN");
    let request = Request {
        principal: Principal::User { arn, account: account.clone() },
        ids: PrincipalIds::default(),
        action: action.to_owned(),
        resource: Resource { arn: resource.to_owned(), account: Some(account) },
        context,
    };
    let policies = Policies { identity: &[policy], ..Policies::default() };
    Some(outcome(&request, &policies).as_str() == "Allowed")
}
