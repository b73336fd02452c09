//! The command line of `bucketproof-emulator`.
//!
//! Exit codes: 0 done, 1 the answer is no, 2 usage or bad input, 3 broken.
#![expect(clippy::print_stderr, reason = "a command line program answers there")]

mod evaluate;
mod explain;
mod journal;
mod lint;
mod policy;
mod scenario;
mod serve;
mod why;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    No,
    Usage,
    Broken,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::No => Self::from(1),
            Exit::Usage => Self::from(2),
            Exit::Broken => Self::from(3),
        }
    }
}

/// An S3 endpoint that enforces AWS policies and explains every denial.
#[derive(Debug, Parser)]
#[command(name = "bucketproof-emulator", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listens for any AWS SDK or CLI.
    Serve(serve::Serve),
    /// Decides on requests given as JSON lines.
    Evaluate(evaluate::Evaluate),
    /// Answers one question: may this principal do that, and why.
    Explain(explain::Explain),
    /// Writes the journal of a running emulator, as JSON lines or as an HTTP archive.
    Journal(journal::JournalCommand),
    /// Finds mistakes in policies that AWS would take, and says what AWS would refuse.
    Lint(lint::Lint),
    /// Learns policies from a journal.
    Policy(policy::PolicyCommand),
    /// Writes the present state of a running emulator as a scenario file.
    Scenario(scenario::ScenarioCommand),
    /// Tells why a running emulator refused a request; the last refusal by default.
    Why(why::Why),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let exit = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Evaluate(evaluate) => evaluate.run(),
        Command::Explain(explain) => explain.run(),
        Command::Journal(journal) => journal.run(),
        Command::Lint(lint) => lint.run(),
        Command::Policy(policy) => policy.run(),
        Command::Scenario(scenario) => scenario.run(),
        Command::Why(why) => why.run(),
    };
    exit.into()
}

/// Prints an answer; the exit is `exit` unless it cannot be printed. A reader that has seen enough is no error.
fn say(text: &str, exit: Exit) -> Exit {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
        Err(error) => {
            complain(&format!("the answer cannot be written: {error}"), "");
            Exit::Broken
        }
    }
}

/// Says what went wrong, and what to do about it.
fn complain(message: &str, help: &str) {
    eprintln!("error: {message}");
    if !help.is_empty() {
        eprintln!("help: {help}");
    }
}
