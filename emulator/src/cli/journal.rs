//! `journal`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::why::{authority_of, fetch, unexpected};
use super::{Exit, complain, say};

/// Writes the journal of a running emulator.
#[derive(Debug, clap::Args)]
pub(super) struct JournalCommand {
    /// How it is written.
    #[arg(long, value_enum, default_value = "json-lines")]
    format: Format,
    /// The file to write; standard output if absent.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where the emulator listens.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4566")]
    endpoint: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A JSON object per request, with all that it takes to decide again: what the `policy` commands read.
    JsonLines,
    /// An HTTP archive (HAR 1.2), for browsers and proxies.
    Har,
}

impl JournalCommand {
    pub(super) fn run(self) -> Exit {
        let authority = match authority_of(&self.endpoint) {
            Ok(authority) => authority,
            Err(exit) => return exit,
        };
        let format = match self.format {
            Format::JsonLines => "json-lines",
            Format::Har => "har",
        };
        let text = match fetch(&self.endpoint, &authority, &format!("/_bucketproof/journal?format={format}"))
        {
            Ok((200, text)) => text,
            Ok((status, text)) => return unexpected(&self.endpoint, status, &text),
            Err(exit) => return exit,
        };
        let Some(path) = &self.output else { return say(&text, Exit::Done) };
        match std::fs::write(path, text) {
            Ok(()) => Exit::Done,
            Err(error) => {
                complain(&format!("`{}` cannot be written: {error}", path.display()), "check the path");
                Exit::Usage
            }
        }
    }
}
