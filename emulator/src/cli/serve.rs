//! `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use bucketproof_clock::Clock;
use jiff::Timestamp;

use super::{Exit, complain, say};
use crate::{Emulator, Scenario, StartError};

/// Listens until it is interrupted.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// The address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4566")]
    listen: SocketAddr,
    /// Accounts, users, policies and buckets to begin with (TOML).
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Keep the state in this folder (not supported yet).
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Begin at this time instead of now; the clock then runs on.
    #[arg(long, value_name = "RFC3339")]
    clock: Option<Timestamp>,
}

impl Serve {
    pub(super) fn run(self) -> Exit {
        if self.data_dir.is_some() {
            complain("`--data-dir` is not supported yet", "leave it out; the state is kept in memory");
            return Exit::Usage;
        }
        let mut builder = Emulator::builder().listen(self.listen);
        if let Some(start) = self.clock {
            builder = builder.clock(Clock::system_from(start));
        }
        let own_administrator = self.scenario.is_none();
        if let Some(path) = self.scenario {
            match Scenario::from_file(&path) {
                Ok(scenario) => builder = builder.scenario(scenario),
                Err(error) => {
                    complain(&error.to_string(), error.help());
                    return Exit::Usage;
                }
            }
        }
        let runtime = match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime,
            Err(error) => {
                complain(&format!("the runtime does not start: {error}"), "");
                return Exit::Broken;
            }
        };
        runtime.block_on(async {
            let emulator = match builder.start().await {
                Ok(emulator) => emulator,
                Err(StartError::Scenario(error)) => {
                    complain(&error.to_string(), error.help());
                    return Exit::Usage;
                }
                Err(error @ StartError::Listen { .. }) => {
                    complain(&error.to_string(), "choose another `--listen` address, or port 0");
                    return Exit::Usage;
                }
            };
            let administrator = emulator.credentials("administrator").filter(|_| own_administrator);
            let keys = administrator.map(|key| {
                format!(
                    "account 123456789012, user administrator\nAWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
                    key.access_key_id(),
                    key.secret_access_key()
                )
            });
            let text = format!("{}listening on {}\n", keys.unwrap_or_default(), emulator.endpoint_url());
            // Who cannot be told the address cannot use the endpoint.
            if say(&text, Exit::Done) != Exit::Done {
                return Exit::Broken;
            }
            match tokio::signal::ctrl_c().await {
                Ok(()) => Exit::Done,
                Err(error) => {
                    complain(&format!("cannot wait for an interrupt: {error}"), "");
                    Exit::Broken
                }
            }
        })
    }
}
