//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::selection::Filter;

/// The suite that proves an S3 endpoint and a connector, each check with its source.
///
/// Without a command, every check runs against the emulator.
/// Exit status: 0 done, 1 the answer is no, 2 wrong usage, 3 something broke, 4 nothing was selected.
#[derive(Debug, Parser)]
#[command(
    name = "bucketproof-conformance",
    version,
    args_conflicts_with_subcommands = true,
    verbatim_doc_comment
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: RunArguments,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run checks and report.
    Run(RunArguments),
    /// List checks with level, title and sources, without running them.
    List(ListArguments),
    /// Say everything that a check says about itself.
    Explain {
        /// The id of a check, the beginning of several, or the requirement that they prove.
        id: String,
    },
    /// Not supported yet: compare a run with a baseline.
    Gate {
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<OsString>,
    },
    /// Not supported yet: check a bucket's content against a profile.
    Verify {
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<OsString>,
    },
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    pub(super) filter: FilterArguments,
    /// What to check: `emulator`. Endpoint URLs are not supported yet.
    #[arg(long, default_value = "emulator", value_name = "emulator|URL")]
    pub(super) target: String,
    /// Set the emulator up with this scenario instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(super) scenario: Option<PathBuf>,
    /// List every check, also where there are many and they passed.
    #[arg(long)]
    pub(super) verbose: bool,
    /// Also write the report as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Also write the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Not supported yet: also write the report as one HTML file.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    pub(super) filter: FilterArguments,
    /// As a page in Markdown, a table per area.
    #[arg(long)]
    pub(super) markdown: bool,
}

#[derive(Debug, Args)]
pub(super) struct FilterArguments {
    /// Only checks whose id starts so, or which prove the requirement of this id.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// The same as an option.
    #[arg(long = "id", value_name = "ID")]
    more_ids: Vec<String>,
    /// Only checks of this area.
    #[arg(long = "area", value_name = "NAME")]
    areas: Vec<String>,
    /// Only checks of this vendor profile.
    #[arg(long = "profile", value_name = "NAME")]
    profiles: Vec<String>,
}

impl From<FilterArguments> for Filter {
    fn from(arguments: FilterArguments) -> Self {
        let FilterArguments { mut ids, more_ids, areas, profiles } = arguments;
        ids.extend(more_ids);
        Self { ids, areas, profiles }
    }
}
