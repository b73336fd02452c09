//! The command line: arguments in, data on standard output, messages on standard error, an exit code.
//!
//! Exit codes: 0 done, 1 the answer is no for a stated reason, 2 wrong usage or configuration, 3 this machine or
//! this program is broken.

mod catalogue;
mod doctor;
mod export;
mod import;
mod install;
mod pause;
mod plan;
mod policy;
mod profile;
mod run;
mod status;
mod sync;
mod verify_layout;

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bucketproof_clock::{Clock, Entropy};
use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::engine::{Connection, FailureKind, SyncError};
use crate::report::FailureReport;
use crate::store::{Diagnosis, S3Store};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Done,
    No,
    Usage,
    Broken,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::Broken => 3,
        })
    }
}

/// A message for people, with the next step.
#[derive(Debug)]
struct Complaint {
    exit: Exit,
    message: String,
    help: String,
    /// What the store's refusal means, if it was one.
    diagnosis: Option<Box<Diagnosis>>,
}

impl Complaint {
    fn usage(message: impl std::fmt::Display, help: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.to_string(), help: help.into(), diagnosis: None }
    }

    fn broken(message: impl Into<String>) -> Self {
        Self { exit: Exit::Broken, message: message.into(), help: String::new(), diagnosis: None }
    }

    /// For people: what is wrong, what the service said, what to do.
    fn text(&self) -> String {
        let mut text = format!("error: {}", self.message);
        // Writing to a `String` cannot fail.
        if let Some(diagnosis) = &self.diagnosis {
            if let Some(requirement) = &diagnosis.requirement {
                let _ = write!(text, " [{requirement}]");
            }
            if diagnosis.cause != self.message {
                let _ = write!(text, "\ncause: {}", diagnosis.cause);
            }
        }
        if !self.help.is_empty() {
            let _ = write!(text, "\nhelp: {}", self.help);
        }
        text.push('\n');
        text
    }

    fn report(&self) -> FailureReport {
        FailureReport {
            outcome: "failed",
            error: self.message.clone(),
            help: self.help.clone(),
            diagnosis: self.diagnosis.as_deref().cloned(),
        }
    }
}

impl From<&SyncError> for Complaint {
    fn from(error: &SyncError) -> Self {
        let exit = match error.kind() {
            FailureKind::Refused => Exit::No,
            FailureKind::Usage => Exit::Usage,
            FailureKind::Broken => Exit::Broken,
        };
        Self {
            exit,
            message: error.to_string(),
            help: error.help(),
            diagnosis: error.diagnosis().cloned().map(Box::new),
        }
    }
}

#[derive(Debug, Parser)]
#[command(
    name = "bucketproof-connector",
    version,
    about = "Exports vendor data to S3 and imports it; vendors are data."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Export everything that waits in the sources, once.
    Sync(Target),
    /// Show what `sync` would do, without a write call.
    Plan(Target),
    /// Show what is known of the connection, without a call.
    Status(status::StatusArguments),
    /// List, show and check vendor profiles.
    Profile(profile::ProfileArguments),
    /// Print the policies that the vendor documents, filled in, or the whole set-up step by step (`--guide`).
    Policy(policy::PolicyArguments),
    /// Export by schedule until interrupted.
    Run(run::RunArguments),
    /// Export the rows of chosen days to an object of their own, where the vendor offers it.
    Export(export::ExportArguments),
    /// Take a vendor's installation requests over HTTP, and make a configuration of each.
    Install(install::InstallArguments),
    /// Import files from customers' buckets, and report what became of every row.
    Import(import::ImportArguments),
    /// Import tables that lie in customers' buckets.
    Catalogue(catalogue::CatalogueArguments),
    /// Pause the connection; its sources keep what comes.
    Pause(Target),
    /// End a pause; the next sync exports what came in between.
    Resume(Target),
    /// Find out what stands between the connection and its bucket, or what given policy documents lack.
    Doctor(doctor::DoctorArguments),
    /// Compare every key below the prefix with the vendor's layout.
    VerifyLayout(Target),
}

#[derive(Debug, Args)]
struct Target {
    /// The connection's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the program with the process's arguments.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let mut filter = tracing_subscriber::EnvFilter::try_from_env("BUCKETPROOF_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // The SDK logs what credential processes write to standard error, which may be anything; the error says the rest.
    if let Ok(silent) = "aws_config=off".parse() {
        filter = filter.add_directive(silent);
    }
    // A long run that nobody watches is read by machines. A subscriber that is already there is as good.
    let is_watched =
        io::stderr().is_terminal() || !matches!(arguments.command, Command::Run(_) | Command::Install(_));
    let as_json = std::env::var("BUCKETPROOF_LOG_FORMAT").map_or(!is_watched, |format| format == "json");
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let _already_set = if as_json { logs.json().try_init() } else { logs.without_time().try_init() };
    let wants_json = match &arguments.command {
        Command::Sync(target)
        | Command::Plan(target)
        | Command::Pause(target)
        | Command::Resume(target)
        | Command::VerifyLayout(target) => target.json,
        Command::Doctor(arguments) => arguments.json,
        Command::Export(arguments) => arguments.json,
        Command::Status(arguments) => arguments.wants_json(),
        Command::Import(arguments) => arguments.wants_json(),
        Command::Catalogue(arguments) => arguments.wants_json(),
        Command::Profile(arguments) => arguments.wants_json(),
        Command::Policy(arguments) => arguments.json,
        _ => false,
    };
    let outcome = match arguments.command {
        Command::Sync(target) => sync::run(&target),
        Command::Plan(target) => plan::run(&target),
        Command::Status(arguments) => status::run(&arguments),
        Command::Profile(arguments) => profile::run(&arguments),
        Command::Policy(arguments) => policy::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Install(arguments) => install::run(&arguments),
        Command::Catalogue(arguments) => catalogue::run(&arguments),
        Command::Pause(target) => pause::pause(&target),
        Command::Resume(target) => pause::resume(&target),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::VerifyLayout(target) => verify_layout::run(&target),
    };
    match outcome {
        Ok(()) => Exit::Done.into(),
        Err(complaint) => {
            // The exit code still tells if nobody can be told more.
            let _untold = io::stderr().write_all(complaint.text().as_bytes());
            // One document is an answer: what was found is in it already, if it was printed.
            if wants_json && !ANSWERED.load(Ordering::Relaxed) {
                let _untold = print_json(&complaint.report());
            }
            complaint.exit.into()
        }
    }
}

/// Writes an answer. A reader that has seen enough and closed the pipe is no error.
fn print(text: &str) -> Result<(), Complaint> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Complaint::broken(format!("the answer cannot be printed: {error}")))
        }
        _ => Ok(()),
    }
}

fn load_config(target: &Target) -> Result<Config, Complaint> {
    Config::load(&target.config).map_err(|error| Complaint::usage(&error, error.help()))
}

/// The bucket of the configuration, for commands that look at it directly.
fn open_store(target: &Target) -> Result<(Config, crate::profile::VendorProfile, S3Store), Complaint> {
    let config = load_config(target)?;
    let profile = config.load_profile().map_err(|error| Complaint::usage(&error, error.help()))?;
    let credentials = config
        .credentials(|name| std::env::var(name).ok())
        .map_err(|error| Complaint::usage(&error, error.help()))?;
    let store = S3Store::new(config.store_settings(credentials), &Clock::system(), None)
        .map_err(|error| Complaint::usage(&error, error.help()))?;
    Ok((config, profile, store))
}

/// The connection that the configuration describes.
fn connect(target: &Target) -> Result<Connection, Complaint> {
    let config = load_config(target)?;
    let profile = config.load_profile().map_err(|error| Complaint::usage(&error, error.help()))?;
    let clock = Clock::system();
    let credentials = config
        .credentials(|name| std::env::var(name).ok())
        .map_err(|error| Complaint::usage(&error, error.help()))?;
    let store = S3Store::new(config.store_settings(credentials), &clock, None)
        .map_err(|error| Complaint::usage(&error, error.help()))?;
    Connection::new(config, profile, Arc::new(store), clock, Entropy::machine())
        .map_err(|error| Complaint::usage(&error, error.help()))
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Complaint> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Complaint::broken(format!("the runtime cannot start: {error}")))?;
    Ok(runtime.block_on(future))
}

/// Whether an answer was printed as JSON.
static ANSWERED: AtomicBool = AtomicBool::new(false);

fn print_json(value: &impl serde::Serialize) -> Result<(), Complaint> {
    ANSWERED.store(true, Ordering::Relaxed);
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Complaint::broken(format!("the report cannot be printed: {error}")))?;
    print(&format!("{text}\n"))
}
