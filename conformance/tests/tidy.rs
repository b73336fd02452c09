//! Rules of ARCHITECTURE.md that the compiler does not hold: looked for in the source itself.

#![expect(clippy::expect_used, reason = "a test that cannot read the source fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bucketproof_conformance::inventory::Inventory;

const CRATES: [&str; 6] = ["emulator", "connector", "conformance", "fixtures", "benches", "emulator/authz"];
const FILE_LINES_MAX: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Every Rust file below `folder`, relative to the workspace, with its text.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                found.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).expect("a path of the workspace").display().to_string();
            found.push((name, fs::read_to_string(&path).expect("a text")));
        }
    }
    found
}

fn all_sources() -> Vec<(String, String)> {
    let found: Vec<_> = CRATES
        .iter()
        .flat_map(|name| sources(&root().join(name)))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    assert!(found.len() > 100, "only {} files found: the rules below would hold of nothing", found.len());
    found
}

/// The files in which `text` stands, but for this one.
fn files_with(text: &str) -> Vec<String> {
    let files = all_sources().into_iter().filter(|(_, source)| source.contains(text)).map(|(name, _)| name);
    files.filter(|name| name != "conformance/tests/tidy.rs").collect()
}

#[test]
fn real_time_sleep_and_entropy_stand_in_one_file() {
    assert_eq!(files_with("clippy::disallowed_methods"), ["emulator/clock/src/lib.rs"]);
}

#[test]
fn an_authorized_operation_is_made_in_one_file() {
    let literal = "Ok(Authorized { ";
    assert_eq!(files_with(literal), ["emulator/src/authorize.rs"]);
    let made = all_sources().into_iter().filter(|(name, source)| {
        name.starts_with("emulator/src/")
            && source.contains("Authorized {")
            && name != "emulator/src/authorize.rs"
    });
    assert_eq!(made.map(|(name, _)| name).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn the_codec_library_stays_in_its_folder() {
    let files = files_with("s3s::").into_iter().filter(|name| name.starts_with("emulator/src/"));
    let outside: Vec<String> = files.filter(|name| !name.starts_with("emulator/src/s3/codec/")).collect();
    assert_eq!(
        outside,
        ["emulator/src/addressing.rs", "emulator/src/pipeline.rs", "emulator/src/pipeline/for_codec.rs"]
    );
}

#[test]
fn the_engine_names_no_vendor() {
    for (name, source) in sources(&root().join("connector/src")) {
        let is_test = name.ends_with("tests.rs") || name.contains("/tests/");
        for (number, line) in source.lines().enumerate() {
            let code = !line.trim_start().starts_with("//");
            let embeds = line.contains("include_str!");
            let vendor = ["suprsend", "permutive", "datafly", "adapty"]
                .iter()
                .any(|vendor| line.to_ascii_lowercase().contains(vendor));
            assert!(is_test || !code || embeds || !vendor, "{name}:{}: {line}", number + 1);
        }
    }
}

#[test]
fn files_stay_readable() {
    for (name, source) in all_sources() {
        let lines = source.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{name} has {lines} lines; find the seam");
    }
}

#[test]
fn the_first_requirements_are_claimed() {
    let inventory = Inventory::collect().expect("a valid inventory");
    let claimed = inventory.requirements();
    let numbers = (2..=10).chain([12, 13, 14, 17, 18, 23, 32, 37]).chain(45..=47).chain([49, 50, 54, 55, 75]);
    for number in numbers {
        let id = format!("SUP-{number:02}");
        assert!(claimed.contains(id.as_str()), "no check claims {id}");
    }
    assert!(inventory.checks().len() >= 40);
}

#[test]
fn the_readme_counts_the_checks() {
    let inventory = Inventory::collect().expect("a valid inventory");
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    // Those of a connector by its command run only with one.
    let runs = inventory.checks().iter().filter(|check| check.area.name() != "connector").count();
    let sentence = format!("reports {runs} checks, each with its source");
    assert!(readme.replace('\n', " ").contains(&sentence), "README.md does not say: {sentence}");
}
