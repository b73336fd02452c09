//! The table of what is enforced, not enforced and unverified, held to the code and to the README.

#![expect(clippy::expect_used, clippy::panic, reason = "a broken fixture fails its test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

const BEGIN: &str = "<!-- coverage: begin -->\n";
const END: &str = "<!-- coverage: end -->\n";
/// Set to rewrite the table in the README instead of comparing it.
const UPDATE: &str = "UPDATE_COVERAGE";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Coverage {
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    area: String,
    #[serde(rename = "rule")]
    text: String,
    status: Status,
    source: String,
    #[serde(default)]
    tests: Vec<String>,
    code: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
enum Status {
    #[serde(rename = "enforced")]
    Enforced,
    #[serde(rename = "not enforced")]
    NotEnforced,
    #[serde(rename = "unverified")]
    Unverified,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::NotEnforced => "**not enforced**",
            Self::Unverified => "unverified",
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rules() -> Vec<Rule> {
    let coverage: Coverage = toml::from_str(&read(&root().join("coverage.toml"))).expect("the table");
    coverage.rule
}

/// All files below a folder with this ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// The ids of decisions as data, and the names of the tests of this crate.
fn known_tests() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for path in files(&root().join("../../fixtures/authz"), ".toml") {
        let text = read(&path);
        known.extend(text.lines().filter_map(|line| {
            line.strip_prefix("id = \"").and_then(|rest| rest.strip_suffix('"')).map(str::to_owned)
        }));
    }
    for folder in ["src", "tests"] {
        for path in files(&root().join(folder), ".rs") {
            let text = read(&path);
            let tests = text.split("#[test]").skip(1);
            known.extend(
                tests
                    .filter_map(|rest| rest.split_once("fn "))
                    .filter_map(|(_, rest)| rest.split_once('('))
                    .map(|(name, _)| name.to_owned()),
            );
        }
    }
    known
}

#[test]
fn every_rule_is_shown_by_tests_that_exist() {
    let known = known_tests();
    let mut names = BTreeSet::new();
    for rule in rules() {
        let name = &rule.text;
        assert!(names.insert(name.clone()), "`{name}` stands twice");
        assert!(!rule.source.is_empty(), "`{name}` has no source");
        assert!(rule.status == Status::NotEnforced || !rule.tests.is_empty(), "`{name}` is shown by no test");
        assert_eq!(
            rule.status == Status::Unverified,
            rule.code.is_some(),
            "`{name}`: where is the assumption?"
        );
        for test in &rule.tests {
            assert!(known.contains(test), "`{name}`: there is no test `{test}`");
        }
    }
}

/// As many rows as places in the code that call something unverified or inferred, file by file; the list in `lib.rs` of
/// what AWS leaves open counts by its items.
#[test]
fn every_unverified_place_has_its_row() {
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    for code in rules().into_iter().filter_map(|rule| rule.code) {
        *rows.entry(code).or_default() += 1;
    }
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for path in files(&root().join("src"), ".rs") {
        if path.ends_with("tests.rs") {
            continue;
        }
        let text = read(&path);
        let count = if path.ends_with("src/lib.rs") {
            let (_, open) = text.split_once("# What AWS leaves open").expect("the list");
            open.lines().filter(|line| line.starts_with("//! - ")).count()
        } else {
            text.lines().filter(|line| line.contains("nverified") || line.contains(" inferred")).count()
        };
        if count > 0 {
            let name = path.strip_prefix(root()).expect("a path below the crate");
            places.insert(name.to_string_lossy().replace('\\', "/"), count);
        }
    }
    assert_eq!(rows, places, "rows of coverage.toml on the left, places in the code on the right");
}

fn table(rules: &[Rule]) -> String {
    let mut text = String::new();
    let mut area = "";
    for rule in rules {
        if rule.area != area {
            area = &rule.area;
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = write!(
                text,
                "{gap}### {area}\n\n| rule | status | source | shown by |\n| --- | --- | --- | --- |\n"
            );
        }
        let tests: Vec<String> = rule.tests.iter().map(|test| format!("`{test}`")).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            rule.text,
            rule.status.as_str(),
            rule.source,
            tests.join(", ")
        );
    }
    text
}

#[test]
fn the_readme_shows_the_table() {
    let rules = rules();
    let count = |status| rules.iter().filter(|rule| rule.status == status).count();
    let table = format!(
        "{} rules are enforced, {} rest on something unverified, {} are not enforced.\n\n{}",
        count(Status::Enforced),
        count(Status::Unverified),
        count(Status::NotEnforced),
        table(&rules)
    );
    let path = root().join("README.md");
    let readme = read(&path);
    let (before, rest) = readme.split_once(BEGIN).expect("the marker before the table");
    let (shown, after) = rest.split_once(END).expect("the marker behind the table");
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).expect("the README is written");
        return;
    }
    assert_eq!(shown, table, "run `{UPDATE}=1 cargo test -p bucketproof-authz --test coverage`");
}
