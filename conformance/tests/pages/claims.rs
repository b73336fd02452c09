//! Who proves which requirement: checks by their sources, tests by the words `Claims SUP-01, SUP-02.` in their doc comment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use bucketproof_conformance::inventory::Inventory;
use bucketproof_fixtures::requirements::REQUIREMENTS;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    series: Vec<Series>,
    reason: Vec<Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    name: String,
    subject: String,
    requirements: usize,
    questions: usize,
    otherwise: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    ids: Vec<String>,
    reason: String,
}

impl Series {
    fn ids(&self) -> Vec<String> {
        let Self { name, requirements, questions, .. } = self;
        let plain = (1..=*requirements).map(|number| format!("{name}-{number:02}"));
        plain.chain((1..=*questions).map(|number| format!("{name}-Q{number:02}"))).collect()
    }
}

/// Who claims what: the id of a check, or file and name of a test.
#[derive(Default)]
pub(crate) struct Claims {
    by_id: BTreeMap<String, BTreeSet<String>>,
}

impl Claims {
    /// Of every check of the suite and every test below `root`.
    pub(crate) fn collect(root: &Path) -> Self {
        let mut claims = Self::default();
        let inventory = Inventory::collect().expect("a valid inventory");
        // Those of somebody else's connector prove nothing of ours.
        for check in inventory.checks().iter().filter(|check| check.area.name() != "connector") {
            for id in check.sources.iter().filter_map(|source| source.requirement_id()) {
                claims.add(id, format!("`{}`", check.id));
            }
        }
        for folder in ["emulator", "connector", "conformance", "fixtures", "benches"] {
            claims.read(root, &root.join(folder));
        }
        claims
    }

    fn add(&mut self, id: &str, by: String) {
        self.by_id.entry(id.to_owned()).or_default().insert(by);
    }

    fn read(&mut self, root: &Path, folder: &Path) {
        let mut entries: Vec<_> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    self.read(root, &path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).expect("a path of the workspace").display().to_string();
                self.read_tests(&name, &fs::read_to_string(&path).expect("a text"));
            }
        }
    }

    /// Takes in the claims of the tests in a source text.
    pub(crate) fn read_tests(&mut self, file: &str, source: &str) {
        let mut comment = String::new();
        for line in source.lines().map(str::trim) {
            if let Some(text) = line.strip_prefix("///") {
                comment.push(' ');
                comment.push_str(text.trim());
            } else if let Some(name) = function_name(line) {
                for id in claimed(&comment) {
                    self.add(&id, format!("{file}: `{name}`"));
                }
                comment.clear();
            } else if !line.starts_with("#[") && !line.starts_with("//") {
                comment.clear();
            }
        }
    }

    pub(crate) fn ids(&self) -> Vec<&str> {
        self.by_id.keys().map(String::as_str).collect()
    }

    /// The page, and what is wrong with list, claims and reasons.
    pub(crate) fn page(&self) -> (String, Vec<String>) {
        let document: Document = toml::from_str(REQUIREMENTS).expect("the list of requirements");
        let mut reasons: BTreeMap<&str, &str> = BTreeMap::new();
        let mut wrong = Vec::new();
        for Reason { ids, reason } in &document.reason {
            for id in ids {
                if reasons.insert(id, reason).is_some() {
                    wrong.push(format!("`{id}` has two reasons"));
                }
                if self.by_id.contains_key(id) {
                    wrong.push(format!("`{id}` is claimed and has a reason why it is not"));
                }
            }
        }
        let known: BTreeSet<String> = document.series.iter().flat_map(Series::ids).collect();
        let named = self.by_id.keys().map(String::as_str).chain(reasons.keys().copied());
        wrong.extend(named.filter(|id| !known.contains(*id)).map(|id| format!("`{id}` is no requirement")));

        let mut text = "# Which check or test proves which requirement\n\n\
                        Made from the sources of the checks and from the words `Claims ID.` in the doc comments of \
                        tests;\na requirement that nothing claims stands with the reason.\n\n\
                        | series | requirements | claimed | not claimed |\n| --- | ---: | ---: | ---: |\n"
            .to_owned();
        for series in &document.series {
            let ids = series.ids();
            let proved = ids.iter().filter(|id| self.by_id.contains_key(*id)).count();
            let (name, all) = (&series.name, ids.len());
            let _ = writeln!(text, "| {name}, {} | {all} | {proved} | {} |", series.subject, all - proved);
        }
        for series in &document.series {
            let _ = write!(text, "\n## {}\n\n| id | proved by |\n| --- | --- |\n", series.name);
            for id in series.ids() {
                let line = match self.by_id.get(&id) {
                    Some(by) => by.iter().cloned().collect::<Vec<_>>().join(", "),
                    None => {
                        format!("*{}*", reasons.get(id.as_str()).copied().unwrap_or(&series.otherwise))
                    }
                };
                let _ = writeln!(text, "| {id} | {line} |");
            }
        }
        (text, wrong)
    }
}

/// `fn name(`, `async fn name(`: the name.
fn function_name(line: &str) -> Option<&str> {
    let signature = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
    let signature = signature.trim_start_matches("async ").strip_prefix("fn ")?;
    signature.split(['(', '<']).next()
}

/// The ids after `Claims`, up to the end of the sentence or a colon.
fn claimed(comment: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for claim in comment.split("Claims ").skip(1) {
        let claim = claim.split([':', '.']).next().unwrap_or_default();
        let words = claim.split([',', ' ', ';']).filter(|word| is_id(word));
        ids.extend(words.map(str::to_owned));
    }
    ids
}

fn is_id(word: &str) -> bool {
    word.split_once('-').is_some_and(|(series, number)| {
        series.len() == 3
            && series.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.strip_prefix('Q').unwrap_or(number).bytes().all(|byte| byte.is_ascii_digit())
            && number.len() >= 2
    })
}
