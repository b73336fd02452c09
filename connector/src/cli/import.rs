//! `import`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use bucketproof_clock::{Clock, Entropy};
use clap::{Args, Subcommand};

use super::run::stop_on_signals;
use super::{Complaint, Exit, block_on, print, print_json};
use crate::import::{ImportConfig, ImportError, ImportSummary, Importer, InboundStore};
use crate::runner::StopSignal;
use crate::store::S3Store;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ImportArguments {
    #[command(subcommand)]
    command: Option<ImportCommand>,
    #[command(flatten)]
    pass: Option<Pass>,
}

#[derive(Debug, Args)]
struct Pass {
    /// The import's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// List, read and report once, then end; without it, until interrupted.
    #[arg(long)]
    once: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// Print the bucket policy of each connection, for the owner of the bucket.
    Policy {
        /// The import's configuration.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Who reads the files and writes the reports.
        #[arg(long, value_name = "ARN")]
        principal: String,
    },
}

impl ImportArguments {
    pub(super) fn wants_json(&self) -> bool {
        self.pass.as_ref().is_some_and(|pass| pass.json)
    }
}

pub(super) fn run(arguments: &ImportArguments) -> Result<(), Complaint> {
    match (&arguments.command, &arguments.pass) {
        (Some(ImportCommand::Policy { config, principal }), _) => {
            let policies: BTreeMap<String, serde_json::Value> = load(config)?.bucket_policies(principal);
            print_json(&policies)
        }
        (None, Some(pass)) => import(pass),
        (None, None) => Err(Complaint::usage(
            "no configuration is named",
            "`import --config FILE --once` imports what is there",
        )),
    }
}

fn load(path: &std::path::Path) -> Result<ImportConfig, Complaint> {
    ImportConfig::load(path).map_err(|error| Complaint::usage(&error, error.help()))
}

fn import(pass: &Pass) -> Result<(), Complaint> {
    let config = load(&pass.config)?;
    let clock = Clock::system();
    let mut stores: BTreeMap<String, Arc<dyn InboundStore>> = BTreeMap::new();
    for connection in &config.connections {
        let settings = connection
            .store_settings(|name| std::env::var(name).ok())
            .map_err(|error| Complaint::usage(&error, error.help()))?;
        let store =
            S3Store::new(settings, &clock, None).map_err(|error| Complaint::usage(&error, error.help()))?;
        stores.insert(connection.name.clone(), Arc::new(store));
    }
    let mut importer =
        Importer::new(config, stores, clock, Entropy::machine()).map_err(|error| complaint(&error))?;
    let summary = block_on(async {
        if pass.once {
            return importer.once().await;
        }
        let stop = StopSignal::new();
        tokio::spawn(stop_on_signals(stop.clone()));
        importer.run(&stop).await
    })?;
    let summary = summary.map_err(|error| complaint(&error))?;
    if pass.json {
        return print_json(&summary);
    }
    print(&text(&summary))
}

fn text(summary: &ImportSummary) -> String {
    let mut text = format!(
        "{} new files; {} read, {} refused as a whole, {} gone; {} rows stored, {} refused\n",
        summary.files_found,
        summary.files_read,
        summary.files_refused,
        summary.files_gone,
        summary.rows_stored,
        summary.rows_refused,
    );
    for report in &summary.reports {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  report {report}");
    }
    text
}

fn complaint(error: &ImportError) -> Complaint {
    let exit = match error {
        ImportError::Store { .. } => Exit::No,
        ImportError::State(_) | ImportError::Spool(_) => Exit::Broken,
    };
    Complaint { exit, message: error.to_string(), help: error.help(), diagnosis: None }
}
