//! The tables in `fixtures/endpoint`: each situation is a list of requests with their answers, on a fresh emulator.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bucketproof_emulator::{Emulator, Scenario};
use serde::Deserialize;

use crate::fixture::new_year;
use crate::wire::{Answer, Ask, Key, Wire};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Bodies by name.
    body: BTreeMap<String, String>,
    situation: Vec<Situation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    id: String,
    source: String,
    steps: Vec<String>,
}

/// `[*] caller METHOD target [header: value | …] [@body | @=content] => status [Code] [<text>] [; clause]…`.
///
/// A star marks an answer that was recorded on AWS. `{name}` stands for what an earlier step kept with `name := …`.
struct Step {
    is_recorded: bool,
    caller: String,
    ask: Ask,
    status: u16,
    code: String,
    clauses: Vec<Clause>,
}

/// What else an answer has to be.
enum Clause {
    /// `<text>`: the body holds it.
    Holds(String),
    /// `!<text>`: the body does not.
    Lacks(String),
    /// `"text"`: the message of a refusal.
    Message(String),
    /// `body = text`, `Element = text`.
    Element(String, String),
    /// `header: value`; no value: the header is absent.
    Header(String, String),
    /// `name := Element`, `name := header`.
    Keep(String, String),
}

impl Clause {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with('<') {
            return Some(Self::Holds(text.to_owned()));
        }
        if let Some(absent) = text.strip_prefix('!') {
            return Some(Self::Lacks(absent.to_owned()));
        }
        if let Some(message) = text.strip_prefix('"') {
            return Some(Self::Message(message.strip_suffix('"')?.to_owned()));
        }
        if let Some((name, from)) = text.split_once(" := ") {
            return Some(Self::Keep(name.to_owned(), from.to_owned()));
        }
        if let Some((name, value)) = text.split_once(" = ") {
            return Some(Self::Element(name.to_owned(), value.to_owned()));
        }
        if let Some(name) = text.strip_suffix(" =") {
            return Some(Self::Element(name.to_owned(), String::new()));
        }
        let (name, value) = text.split_once(':')?;
        Some(Self::Header(name.to_owned(), value.trim().to_owned()))
    }

    /// What is wrong with the answer, if anything is.
    fn check(&self, answer: &Answer, kept: &mut BTreeMap<String, String>) -> Result<(), String> {
        let compare = |what: &str, found: Option<&str>, expected: Option<&str>| {
            if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, not {expected:?}")) }
        };
        match self {
            Self::Holds(text) if !answer.text().contains(text) => Err(format!("the body lacks {text}")),
            Self::Lacks(text) if answer.text().contains(text) => Err(format!("the body has {text}")),
            Self::Holds(_) | Self::Lacks(_) => Ok(()),
            Self::Message(text) => {
                let message = answer.element("Message").unwrap_or_default();
                let message = quick_xml::escape::unescape(&message).unwrap();
                compare("the message", Some(&message), Some(text))
            }
            Self::Element(name, text) if name == "body" => compare(name, Some(&answer.text()), Some(text)),
            Self::Element(name, text) => compare(name, answer.element(name).as_deref(), Some(text)),
            Self::Header(name, value) => {
                compare(name, answer.header(name), Some(value.as_str()).filter(|value| !value.is_empty()))
            }
            Self::Keep(name, from) => {
                let value = answer.element(from).or_else(|| answer.header(from).map(str::to_owned));
                kept.insert(name.clone(), value.ok_or_else(|| format!("there is no {from}"))?);
                Ok(())
            }
        }
    }
}

impl Step {
    fn parse(step: &str, bodies: &BTreeMap<String, String>, kept: &BTreeMap<String, String>) -> Option<Self> {
        let (is_recorded, step) = match step.strip_prefix("* ") {
            Some(step) => (true, step),
            None => (false, step),
        };
        let fill = |text: &str| {
            kept.iter()
                .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        let (request, answer) = step.split_once(" => ")?;
        let (request, body) = request.split_once(" @").unwrap_or((request, ""));
        let request = fill(request);
        let mut words = request.splitn(4, ' ');
        let (caller, method, target) = (words.next()?.to_owned(), words.next()?, words.next()?);
        let mut ask = Ask::new(method, target);
        if let Some(content) = body.strip_prefix('=') {
            ask = ask.body(fill(content));
        } else if !body.is_empty() {
            ask = ask.body(fill(bodies.get(body.trim())?.trim()));
        } else if method == "PUT" && !target.contains('?') && target.matches('/').count() > 1 {
            ask = ask.body("data");
        }
        for header in words.next().unwrap_or_default().split(" | ").map(str::trim).filter(|h| !h.is_empty()) {
            let (name, value) = header.split_once(':')?;
            ask = ask.header(name, value.trim());
        }
        let answer = fill(answer);
        let mut clauses = answer.split(" ; ");
        let first = clauses.next()?;
        let (first, text) = match first.find('<') {
            Some(at) => first.split_at(at),
            None => (first, ""),
        };
        let clauses = Some(text).filter(|text| !text.is_empty()).into_iter().chain(clauses);
        let mut first = first.split_whitespace();
        Some(Self {
            is_recorded,
            caller,
            ask,
            status: first.next()?.parse().ok()?,
            code: first.next().unwrap_or_default().to_owned(),
            clauses: clauses.map(Clause::parse).collect::<Option<_>>()?,
        })
    }

    fn wants_digest(&self) -> bool {
        let about_parts = ["uploadId", "uploads"].iter().any(|part| self.ask.target.contains(part));
        self.ask.target.contains('?') && !self.ask.body.is_empty() && !about_parts
    }

    async fn check(self, wire: &Wire, kept: &mut BTreeMap<String, String>) -> Result<(), String> {
        let answer = match key(&self.caller) {
            None => wire.send(&self.ask).await,
            // Some documents AWS takes only with a digest.
            Some(key) if self.wants_digest() => wire.with_digest(key, self.ask.clone()).await,
            Some(key) => wire.send_as(key, &self.ask).await,
        };
        let shown = |what: String| format!("{what}\n  {:?}\n  {}", answer.headers, answer.text());
        let (found, expected) = (answer.outcome(), (self.status, self.code.clone()));
        if found != expected {
            return Err(shown(format!("{found:?}, not {expected:?}")));
        }
        self.clauses.iter().try_for_each(|clause| clause.check(&answer, kept)).map_err(shown)
    }
}

/// The callers by name; `anonymous` has no key.
fn key(caller: &str) -> Option<Key<'static>> {
    Some(match caller {
        "owner" => Key::new("AKIAOWNEROWNEROWNER0", "ownerSecret+/0"),
        "owner-root" => Key::new("AKIAOWNERROOTROOTR00", "ownerRootSecret+/0"),
        "owner-limited" => Key::new("AKIAOWNERLIMITEDUSE0", "ownerLimitedSecret+/0"),
        "partner" => Key::new("AKIAPARTNERPARTNERP0", "partnerSecret+/0"),
        "partner-limited" => Key::new("AKIAPARTNERLIMITEDU0", "partnerLimitedSecret+/0"),
        "stranger" => Key::new("AKIASTRANGERSTRANGE0", "strangerSecret+/0"),
        "anonymous" => return None,
        other => panic!("unknown caller `{other}`"),
    })
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// Plays a situation up to the first wrong answer; how many of its answers were recorded.
async fn check(table: &Table, situation: &Situation) -> Result<usize, String> {
    let scenario = Scenario::from_file(fixtures().join("scenarios/endpoint.toml")).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let builder = Emulator::builder().scenario(scenario).clock(new_year()).seed(7).listen(listen);
    let emulator = builder.start().await.unwrap();
    let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
    let mut kept = BTreeMap::new();
    let mut recorded = 0;
    for step in &situation.steps {
        let place = |what: String| format!("{} ({})\n{step}\n  {what}", situation.id, situation.source);
        let parsed = Step::parse(step, &table.body, &kept);
        let parsed = parsed.ok_or_else(|| place("cannot be read".to_owned()))?;
        recorded += usize::from(parsed.is_recorded);
        parsed.check(&wire, &mut kept).await.map_err(place)?;
    }
    Ok(recorded)
}

#[tokio::test]
async fn every_situation_ends_as_documented() {
    let mut ids = BTreeSet::new();
    let mut recorded = 0;
    let mut wrong = Vec::new();
    for file in std::fs::read_dir(fixtures().join("endpoint")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let table: Table =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for situation in &table.situation {
            match check(&table, situation).await {
                Ok(count) => recorded += count,
                Err(what) => wrong.push(what),
            }
            assert!(ids.insert(situation.id.clone()), "the id `{}` occurs twice", situation.id);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(ids.len() >= 80, "only {} situations", ids.len());
    assert!(recorded >= 450, "only {recorded} recorded answers");
}
