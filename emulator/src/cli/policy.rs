//! `policy`.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Subcommand;

use super::why::{authority_of, fetch, unexpected};
use super::{Exit, complain, say};
use crate::policy_tools::{generate, read};

/// Learns policies from a journal.
#[derive(Debug, clap::Args)]
pub(super) struct PolicyCommand {
    #[command(subcommand)]
    command: PolicyTool,
}

#[derive(Debug, Subcommand)]
enum PolicyTool {
    /// Prints the least identity policies under which the requests of a journal pass, each element with its request.
    Generate(Generate),
}

/// The identity policies of all users and roles that asked.
#[derive(Debug, clap::Args)]
struct Generate {
    /// The journal: what `/_bucketproof/requests` answers, or a request per line; `-` is standard input. Without a
    /// file, a running emulator is asked.
    file: Option<PathBuf>,
    /// Where the emulator listens.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4566", conflicts_with = "file")]
    endpoint: String,
    /// Name up to this many objects of a bucket one by one; more of them become their common folder.
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    exact: usize,
}

impl PolicyCommand {
    pub(super) fn run(self) -> Exit {
        match self.command {
            PolicyTool::Generate(generate) => generate.run(),
        }
    }
}

impl Generate {
    fn run(&self) -> Exit {
        let text = match self.text() {
            Ok(text) => text,
            Err(exit) => return exit,
        };
        let journal = match read(&text) {
            Ok(journal) => journal,
            Err(error) => {
                complain(
                    &format!("the journal cannot be read: {error}"),
                    "give what `/_bucketproof/requests` of an emulator answers",
                );
                return Exit::Usage;
            }
        };
        let policies = generate(&journal, self.exact);
        if policies.is_empty() {
            complain(
                "the journal has no allowed request of a user or role",
                "run something against the emulator",
            );
            return Exit::No;
        }
        match serde_json::to_string_pretty(&policies) {
            Ok(json) => say(&format!("{json}\n"), Exit::Done),
            Err(error) => {
                complain(&format!("the policies cannot be written: {error}"), "");
                Exit::Broken
            }
        }
    }

    fn text(&self) -> Result<String, Exit> {
        let Some(path) = &self.file else {
            let authority = authority_of(&self.endpoint)?;
            return match fetch(&self.endpoint, &authority, "/_bucketproof/requests")? {
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
