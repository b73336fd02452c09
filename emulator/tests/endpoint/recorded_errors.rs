//! The tables in `fixtures/recorded-errors`: each error that AWS was recorded with is met again, with its preconditions.

use std::collections::BTreeMap;
use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::fixture::{ADMIN, listening};
use crate::wire::{Answer, Ask, Key, Signing, Wire};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    service: String,
    /// How many errors the recordings hold.
    recorded: usize,
    /// Calls by name, which situations build on.
    before: BTreeMap<String, Vec<String>>,
    situation: Vec<Situation>,
    #[serde(default)]
    unsupported: Vec<Unsupported>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    id: String,
    #[serde(default)]
    before: Vec<String>,
    call: String,
    /// Status and code.
    answers: String,
    message: String,
    /// Why the answer is another one.
    deviation: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unsupported {
    reason: String,
    situations: Vec<String>,
}

/// What was kept of earlier answers.
type Kept = BTreeMap<String, String>;

/// Fills in what was kept, and writes `{x*9}` out.
fn fill(text: &str, kept: &Kept) -> String {
    let mut text =
        kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
    while let Some((start, end, written)) = repetition(&text) {
        text.replace_range(start..end, &written);
    }
    text
}

/// The first `{x*9}`: where it stands, and what it stands for.
fn repetition(text: &str) -> Option<(usize, usize, String)> {
    text.match_indices('{').find_map(|(start, _)| {
        let inside = text[start + 1..].split_once('}')?.0;
        let (character, count) = inside.split_once('*')?;
        let count: usize = count.parse().ok().filter(|_| character.chars().count() == 1)?;
        Some((start, start + inside.len() + 2, character.repeat(count)))
    })
}

const VERSIONS: [(&str, &str); 3] = [("sts", "2011-06-15"), ("iam", "2010-05-08"), ("sns", "2010-03-31")];

/// Makes one call; keeps of its answer what it says to keep.
async fn call(wire: &Wire, step: &str, kept: &mut Kept) -> Answer {
    let (step, keep) = match step.rsplit_once(" ; ") {
        Some((step, keep)) => (step, keep.split_once(" := ")),
        None => (step, None),
    };
    let (caller, step) = match step.split_once("> ") {
        Some((caller, rest)) if caller.chars().all(char::is_alphabetic) => (caller, rest),
        _ => ("admin", step),
    };
    let step = fill(step, kept);
    let (name, parameters) = step.split_once(' ').unwrap();
    let (region, name) = name.split_once('/').unwrap_or(("us-east-1", name));
    let (service, action) = name.split_once('.').unwrap();
    let version = VERSIONS.iter().find(|(own, _)| *own == service).map(|(_, version)| *version);
    let ask = if let Some(version) = version {
        let mut form = format!("Action={action}&Version={version}");
        for (name, value) in parameters.split(" | ").map(|pair| pair.split_once('=').unwrap()) {
            form.extend(["&", name, "=", &utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()]);
        }
        if caller == "open" {
            return wire.send(&Ask::new("GET", &format!("/?{form}"))).await;
        }
        Ask::new("POST", "/").header("content-type", "application/x-www-form-urlencoded").body(form)
    } else {
        let (target, version) = if service == "kms" { ("TrentService", "1.1") } else { ("AmazonSQS", "1.0") };
        let ask = Ask::new("POST", "/").header("x-amz-target", &format!("{target}.{action}"));
        ask.header("content-type", &format!("application/x-amz-json-{version}")).body(parameters)
    };
    let credential = |name: &str| kept.get(&format!("{caller}.{name}")).map(String::as_str);
    let key = match credential("AccessKeyId") {
        Some(id) => {
            Key { id, secret: credential("SecretAccessKey").unwrap(), token: credential("SessionToken") }
        }
        None => ADMIN,
    };
    let answer = wire.send(&wire.sign(&ask, &Signing { region, service, ..Signing::with(key) })).await;
    match keep {
        Some((name, "*")) => {
            for element in ["AccessKeyId", "SecretAccessKey", "SessionToken"] {
                kept.insert(format!("{name}.{element}"), answer.element(element).unwrap());
            }
        }
        Some((name, element)) => {
            let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let member = json.get(element).or_else(|| json["KeyMetadata"].get(element));
            let value = member.and_then(Value::as_str).map(str::to_owned).or_else(|| answer.element(element));
            kept.insert(name.to_owned(), value.unwrap_or_else(|| panic!("{step}: {}", answer.text())));
        }
        None => {}
    }
    answer
}

/// Status and code, and the message.
fn refusal(answer: &Answer) -> (String, String) {
    let (mut code, mut message) = (answer.outcome().1, answer.element("Message").unwrap_or_default());
    if let Ok(json) = serde_json::from_slice::<Value>(&answer.body) {
        code = json["__type"].as_str().unwrap_or_default().to_owned();
        message = json["message"].as_str().unwrap_or_default().to_owned();
    }
    let message = quick_xml::escape::unescape(&message).unwrap().into_owned();
    (format!("{} {code}", answer.status), message)
}

/// What is wrong with the answer, if anything is.
async fn play(table: &Table, situation: &Situation) -> Option<String> {
    let (_emulator, wire) = listening().await;
    let mut kept = Kept::new();
    for step in &situation.before {
        for step in table.before.get(step).map_or(std::slice::from_ref(step), Vec::as_slice) {
            let answer = call(&wire, step, &mut kept).await;
            assert_eq!(answer.status, 200, "{}: {step}: {}", situation.id, answer.text());
        }
    }
    let found = refusal(&call(&wire, &situation.call, &mut kept).await);
    let expected = (situation.answers.clone(), fill(&situation.message, &kept));
    (found != expected).then(|| format!("{}\n  {found:?}\n  {expected:?}", situation.id))
}

/// At least 80 % of the errors of each service, and every one that has no deviation by name.
#[tokio::test]
async fn recorded_errors_are_met_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded-errors");
    let mut wrong = Vec::new();
    let mut services = Vec::new();
    for service in ["sts", "iam", "kms", "sns"] {
        let text = std::fs::read_to_string(folder.join(format!("{service}.toml"))).unwrap();
        let table: Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{service}: {error}"));
        let mut deviations = 0;
        for situation in &table.situation {
            match (play(&table, situation).await, &situation.deviation) {
                (None, None) => {}
                (Some(_), Some(reason)) => {
                    assert!(!reason.is_empty(), "{}", situation.id);
                    deviations += 1;
                }
                (Some(what), None) => wrong.push(what),
                (None, Some(_)) => wrong.push(format!("{}: it does not deviate any more", situation.id)),
            }
        }
        let (supported, matched) = (table.situation.len(), table.situation.len() - deviations);
        let unsupported: usize = table.unsupported.iter().map(|group| group.situations.len()).sum();
        assert!(table.unsupported.iter().all(|group| !group.reason.is_empty()));
        assert_eq!(supported + unsupported, table.recorded, "{service}: each recorded error is dealt with");
        assert!(matched * 100 >= supported * 80, "{service}: {matched} of {supported}");
        let percent = matched * 100 / supported;
        println!(
            "{}: {} errors recorded, {supported} of supported calls, {matched} met ({percent} %)",
            table.service, table.recorded
        );
        services.push((table.recorded, supported, matched));
    }
    assert!(wrong.is_empty(), "{} are not met:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(services.iter().map(|service| service.0).sum::<usize>(), 367);
}
