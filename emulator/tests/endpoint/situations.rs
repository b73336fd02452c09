//! The tables in `fixtures/endpoint`: each situation is a list of requests with their answers, on a fresh emulator.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bucketproof_emulator::{Emulator, Scenario};
use serde::Deserialize;

use crate::fixture::new_year;
use crate::wire::{Ask, Key, Wire};

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

/// `caller METHOD target [header: value | …] [@body] => status [Code] [<text>]`.
struct Step<'a> {
    caller: &'a str,
    ask: Ask,
    status: u16,
    code: &'a str,
    /// What the body must hold.
    text: &'a str,
}

impl<'a> Step<'a> {
    fn parse(step: &'a str, bodies: &BTreeMap<String, String>) -> Option<Self> {
        let (request, answer) = step.split_once(" => ")?;
        let (request, body) = request.split_once(" @").unwrap_or((request, ""));
        let mut words = request.splitn(4, ' ');
        let (caller, method, target) = (words.next()?, words.next()?, words.next()?);
        let mut ask = Ask::new(method, target);
        if !body.is_empty() {
            ask = ask.body(bodies.get(body.trim())?.trim());
        } else if method == "PUT" && !target.contains('?') && target.matches('/').count() > 1 {
            ask = ask.body("data");
        }
        for header in words.next().unwrap_or_default().split('|').map(str::trim).filter(|h| !h.is_empty()) {
            let (name, value) = header.split_once(": ")?;
            ask = ask.header(name, value);
        }
        let (answer, text) = match answer.find('<') {
            Some(at) => answer.split_at(at),
            None => (answer, ""),
        };
        let mut answer = answer.split_whitespace();
        let status = answer.next()?.parse().ok()?;
        Some(Self { caller, ask, status, code: answer.next().unwrap_or_default(), text })
    }

    async fn check(self, wire: &Wire, situation: &Situation, step: &str) {
        let answer = match key(self.caller) {
            None => wire.send(&self.ask).await,
            Some(key) => wire.send_as(key, &self.ask).await,
        };
        let place = format!("{} ({})\n{step}\n{}", situation.id, situation.source, answer.text());
        assert_eq!(answer.outcome(), (self.status, self.code.to_owned()), "{place}");
        assert!(answer.text().contains(self.text), "{place}");
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

async fn check(table: &Table, situation: &Situation) {
    let scenario = Scenario::from_file(fixtures().join("scenarios/endpoint.toml")).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let builder = Emulator::builder().scenario(scenario).clock(new_year()).seed(7).listen(listen);
    let emulator = builder.start().await.unwrap();
    let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
    for step in &situation.steps {
        let parsed = Step::parse(step, &table.body);
        let parsed = parsed.unwrap_or_else(|| panic!("{}: cannot read `{step}`", situation.id));
        parsed.check(&wire, situation, step).await;
    }
}

#[tokio::test]
async fn every_situation_ends_as_documented() {
    let mut ids = BTreeSet::new();
    for file in std::fs::read_dir(fixtures().join("endpoint")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let table: Table =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for situation in &table.situation {
            check(&table, situation).await;
            assert!(ids.insert(situation.id.clone()), "the id `{}` occurs twice", situation.id);
        }
    }
    assert!(ids.len() >= 80, "only {} situations", ids.len());
}
