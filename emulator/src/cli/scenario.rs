//! `scenario`.

use super::why::{authority_of, fetch, unexpected};
use super::{Exit, say};

/// Asks a running emulator for its state.
#[derive(Debug, clap::Args)]
pub(super) struct ScenarioCommand {
    /// Where the emulator listens.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4566")]
    endpoint: String,
}

impl ScenarioCommand {
    pub(super) fn run(self) -> Exit {
        let authority = match authority_of(&self.endpoint) {
            Ok(authority) => authority,
            Err(exit) => return exit,
        };
        match fetch(&self.endpoint, &authority, "/_bucketproof/scenario") {
            Ok((200, text)) => say(&text, Exit::Done),
            Ok((status, text)) => unexpected(&self.endpoint, status, &text),
            Err(exit) => exit,
        }
    }
}
