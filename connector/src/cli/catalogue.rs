//! `catalogue`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bucketproof_clock::{Clock, Entropy};
use clap::{Args, Subcommand};

use super::{Complaint, Exit, block_on, print, print_json};
use crate::import::{
    Catalogue, CatalogueConfig, CatalogueError, CatalogueProfile, InboundStore, TableOutcome, TableView,
};
use crate::names::BucketName;
use crate::store::S3Store;

#[derive(Debug, Args)]
pub(super) struct CatalogueArguments {
    #[command(subcommand)]
    command: CatalogueCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogueCommand {
    /// Validate the access of each connection, and show the tables that lie there.
    Tables(Source),
    /// Store what lies in the tables.
    Import(Source),
    /// Show how each connection fares, without a call.
    Show(Source),
    /// Print the policy that a bucket needs; its name is all that must be known.
    Policy {
        /// The catalogue.
        #[arg(long, value_name = "ID")]
        profile: String,
        /// The bucket.
        #[arg(long, value_name = "NAME")]
        bucket: String,
        /// Who reads the files.
        #[arg(long, value_name = "ARN")]
        principal: String,
    },
}

#[derive(Debug, Args)]
struct Source {
    /// The configuration of the catalogue.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl CatalogueArguments {
    pub(super) fn wants_json(&self) -> bool {
        match &self.command {
            CatalogueCommand::Tables(source)
            | CatalogueCommand::Import(source)
            | CatalogueCommand::Show(source) => source.json,
            CatalogueCommand::Policy { .. } => false,
        }
    }
}

pub(super) fn run(arguments: &CatalogueArguments) -> Result<(), Complaint> {
    match &arguments.command {
        CatalogueCommand::Tables(source) => {
            let found = block_on(open(&source.config)?.discover())?.map_err(|error| complaint(&error))?;
            if source.json { print_json(&found) } else { print(&tables(&found)) }
        }
        CatalogueCommand::Import(source) => {
            let mut catalogue = open(&source.config)?;
            let outcomes = block_on(catalogue.import())?.map_err(|error| complaint(&error))?;
            if source.json {
                print_json(&outcomes)?;
            } else {
                print(&imported(&outcomes))?;
            }
            let wrong =
                outcomes.iter().filter(|own| own.problem.is_some() || !own.refused.is_empty()).count();
            if wrong == 0 {
                return Ok(());
            }
            Err(Complaint {
                exit: Exit::No,
                message: format!("{wrong} tables are not whole"),
                help: "each says why; what is right of the others is stored".to_owned(),
                diagnosis: None,
            })
        }
        CatalogueCommand::Show(source) => {
            print_json(&open(&source.config)?.access().map_err(|error| complaint(&error))?)
        }
        CatalogueCommand::Policy { profile, bucket, principal } => {
            let known = || CatalogueProfile::ids().collect::<Vec<_>>().join(", ");
            let profile = CatalogueProfile::named(profile)
                .ok_or_else(|| {
                    let message = format!("there is no catalogue `{profile}`");
                    Complaint::usage(message, format!("give one of: {}", known()))
                })?
                .map_err(|error| Complaint::usage(&error, error.help()))?;
            let bucket = BucketName::new(bucket.as_str())
                .map_err(|error| Complaint::usage(error, "give the name alone, without `s3://`"))?;
            print_json(&profile.bucket_policy(&bucket, principal))
        }
    }
}

fn open(path: &Path) -> Result<Catalogue, Complaint> {
    let config = CatalogueConfig::load(path).map_err(|error| Complaint::usage(&error, error.help()))?;
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
    Catalogue::new(config, stores, clock, Entropy::machine()).map_err(|error| complaint(&error))
}

// Writing to a `String` cannot fail.
fn tables(found: &BTreeMap<String, Vec<TableView>>) -> String {
    let mut text = String::new();
    for (connection, views) in found {
        let _ = writeln!(text, "{connection}: active, {} tables", views.len());
        for view in views {
            let partitions: Vec<String> = view
                .partitions
                .iter()
                .map(|own| format!("{} {:?}", own.name, own.kind).to_lowercase())
                .collect();
            let by =
                if partitions.is_empty() { String::new() } else { format!(" by {}", partitions.join(", ")) };
            let _ = writeln!(text, "  {}{by}: {} files, {} bytes", view.name, view.files, view.bytes);
            if let Some(problem) = &view.problem {
                let _ = writeln!(text, "    cannot be imported: {problem}");
            }
        }
    }
    text
}

fn imported(outcomes: &[TableOutcome]) -> String {
    let mut text = String::new();
    for own in outcomes {
        let _ = writeln!(
            text,
            "{}.{}: {} files read, {} known, {} removed; {} rows stored",
            own.connection, own.table, own.files_read, own.files_known, own.files_removed, own.rows_stored
        );
        if let Some(problem) = &own.problem {
            let _ = writeln!(text, "  cannot be imported: {problem}");
        }
        for (key, cause) in &own.refused {
            let _ = writeln!(text, "  refused: `{key}`: {cause}");
        }
    }
    text
}

fn complaint(error: &CatalogueError) -> Complaint {
    let exit = match error {
        CatalogueError::Store { .. } | CatalogueError::NotActive { .. } => Exit::No,
        _ => Exit::Broken,
    };
    Complaint { exit, message: error.to_string(), help: error.help(), diagnosis: None }
}
