//! `policy`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bucketproof_authz::Policy;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::why::{authority_of, fetch, unexpected};
use super::{Exit, complain, say};
use crate::policy_tools::{Change, Recorded, Report, Selector, coverage, diff, generate, mutate};

/// Learns policies from a journal, and holds policies against one.
#[derive(Debug, Args)]
pub(super) struct PolicyCommand {
    #[command(subcommand)]
    command: PolicyTool,
}

#[derive(Debug, Subcommand)]
enum PolicyTool {
    /// Prints the least policies under which the requests of a journal pass, each element with the request that needs it.
    Generate(Generate),
    /// Decides the requests of a journal again under other documents, and prints what changes.
    ///
    /// Exits 1 if something does.
    Diff(Diff),
    /// Makes every small mistake in the documents of a journal, and prints those that none of its requests would notice.
    ///
    /// Exits 1 if there are such.
    Mutate(Selected),
    /// Prints the statements, actions, resources, principals and conditions that no request of a journal used.
    ///
    /// Exits 1 if there are such.
    Coverage(Selected),
}

/// Where the journal is, and how the answer is printed.
#[derive(Debug, Args)]
struct Journal {
    /// The journal: what `bucketproof-emulator journal` writes; `-` is standard input. Without a file, a running emulator
    /// is asked.
    file: Option<PathBuf>,
    /// Where the emulator listens.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4566", conflicts_with = "file")]
    endpoint: String,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For programs.
    Json,
    /// For people.
    Text,
}

/// The policies of all users, roles and resources.
#[derive(Debug, Args)]
struct Generate {
    #[command(flatten)]
    journal: Journal,
    /// Name up to this many objects of a bucket one by one; more of them become their common folder.
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    exact: usize,
}

/// Other documents. KIND is identity, boundary, session, bucket, trust, key, topic or queue; NAME is that of the policy,
/// of the user or role that has it, or of the resource.
#[derive(Debug, Args)]
struct Diff {
    #[command(flatten)]
    journal: Journal,
    /// Put a document in the place of those of that name.
    #[arg(long, value_name = "KIND:NAME=FILE")]
    replace: Vec<String>,
    /// Take the documents of that name away.
    #[arg(long, value_name = "KIND:NAME")]
    remove: Vec<Selector>,
    /// Add a document: an identity policy for the ARN of a user or role, or the policy of a resource that has none.
    #[arg(long, value_name = "KIND:NAME=FILE")]
    add: Vec<String>,
}

#[derive(Debug, Args)]
struct Selected {
    #[command(flatten)]
    journal: Journal,
    /// Only the documents of that name; all if none is named.
    #[arg(long, value_name = "KIND:NAME")]
    document: Vec<Selector>,
}

/// What is wrong with what was given, and what to do.
type Complaint = (String, String);

impl PolicyCommand {
    pub(super) fn run(self) -> Exit {
        match self.command {
            PolicyTool::Generate(generate) => generate.run(),
            PolicyTool::Diff(diff) => diff.run(),
            PolicyTool::Mutate(selected) => selected.run(|journal, selected| {
                mutate(journal, selected).map(|found| (found.survivors.is_empty(), found))
            }),
            PolicyTool::Coverage(selected) => selected.run(|journal, selected| {
                coverage(journal, selected).map(|found| (found.used == found.parts, found))
            }),
        }
    }
}

impl Generate {
    fn run(&self) -> Exit {
        let recorded = match self.journal.read() {
            Ok(recorded) => recorded,
            Err(exit) => return exit,
        };
        let policies = generate(&recorded, self.exact);
        if policies.is_empty() {
            complain(
                "the journal has no allowed request that a policy had to allow",
                "run something against the emulator",
            );
            return Exit::No;
        }
        self.journal.print(&policies, Exit::Done)
    }
}

impl Diff {
    fn run(self) -> Exit {
        let changes = match self.changes() {
            Ok(changes) if changes.is_empty() => {
                complain("no document is given", "give `--replace`, `--remove` or `--add`");
                return Exit::Usage;
            }
            Ok(changes) => changes,
            Err((message, help)) => {
                complain(&message, &help);
                return Exit::Usage;
            }
        };
        let recorded = match self.journal.read() {
            Ok(recorded) => recorded,
            Err(exit) => return exit,
        };
        match diff(&recorded, &changes) {
            Ok(found) => {
                let exit = if found.changed.is_empty() { Exit::Done } else { Exit::No };
                self.journal.print(&found, exit)
            }
            Err(message) => {
                complain(&message, "name a document of the journal");
                Exit::Usage
            }
        }
    }

    fn changes(&self) -> Result<Vec<Change>, Complaint> {
        let mut changes = Vec::new();
        for text in &self.replace {
            let (selector, policy) = document(text, "--replace")?;
            changes.push(Change::Replace(selector, policy));
        }
        changes.extend(self.remove.iter().cloned().map(Change::Remove));
        for text in &self.add {
            let (selector, policy) = document(text, "--add")?;
            changes.push(Change::Add(selector, policy));
        }
        Ok(changes)
    }
}

/// `KIND:NAME=FILE`.
fn document(text: &str, option: &str) -> Result<(Selector, Policy), Complaint> {
    let usage = || "write `KIND:NAME=FILE`, such as `bucket:logs=policy.json`".to_owned();
    let (name, path) =
        text.rsplit_once('=').ok_or_else(|| (format!("`{option}`: `{text}` names no file"), usage()))?;
    let selector: Selector = name.parse().map_err(|error| (format!("`{option}`: {error}"), usage()))?;
    let text = std::fs::read_to_string(Path::new(path))
        .map_err(|error| (format!("`{path}` cannot be read: {error}"), "check the path".to_owned()))?;
    let policy = Policy::parse(&text, selector.source().with_file(path)).map_err(|error| {
        (format!("{path}:{}:{}: {}", error.line(), error.column(), error.message()), error.help().to_owned())
    })?;
    Ok((selector, policy))
}

impl Selected {
    fn run<F: Report + Serialize>(
        self,
        tool: impl FnOnce(&Recorded, &[Selector]) -> Result<(bool, F), String>,
    ) -> Exit {
        let recorded = match self.journal.read() {
            Ok(recorded) => recorded,
            Err(exit) => return exit,
        };
        match tool(&recorded, &self.document) {
            Ok((is_well, found)) => self.journal.print(&found, if is_well { Exit::Done } else { Exit::No }),
            Err(message) => {
                complain(&message, "name a document of the journal");
                Exit::Usage
            }
        }
    }
}

impl Journal {
    fn read(&self) -> Result<Recorded, Exit> {
        let text = self.text()?;
        Recorded::read(&text).map_err(|error| {
            complain(
                &format!("the journal cannot be read: {error}"),
                "give what `bucketproof-emulator journal` writes",
            );
            Exit::Usage
        })
    }

    fn print<F: Report + Serialize>(&self, found: &F, exit: Exit) -> Exit {
        let text = match self.format {
            Format::Text => Ok(found.text()),
            Format::Json => serde_json::to_string_pretty(found).map(|json| format!("{json}\n")),
        };
        match text {
            Ok(text) => say(&text, exit),
            Err(error) => {
                complain(&format!("the answer cannot be written: {error}"), "");
                Exit::Broken
            }
        }
    }

    fn text(&self) -> Result<String, Exit> {
        let Some(path) = &self.file else {
            let authority = authority_of(&self.endpoint)?;
            return match fetch(&self.endpoint, &authority, "/_bucketproof/journal")? {
                (200, text) => Ok(text),
                (status, text) => Err(unexpected(&self.endpoint, status, &text)),
            };
        };
        let mut text = String::new();
        let read = if path.as_os_str() == "-" {
            std::io::stdin().read_to_string(&mut text)
        } else {
            std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
        };
        match read {
            Ok(_) => Ok(text),
            Err(error) => {
                complain(&format!("`{}` cannot be read: {error}", path.display()), "check the path");
                Err(Exit::Usage)
            }
        }
    }
}
