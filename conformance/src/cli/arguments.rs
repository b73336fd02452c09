//! What can be typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::check::Level;
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
    /// Run checks and compare the outcome of each with a baseline: exit 1 for every difference.
    Gate(GateArguments),
    /// List checks with level, title and sources, without running them.
    List(ListArguments),
    /// Say everything that a check says about itself.
    Explain {
        /// The id of a check, the beginning of several, or the requirement that they prove.
        id: String,
    },
    /// Judge what lies in a bucket, or in a folder with a copy of it, by a vendor's profile.
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    pub(super) filter: FilterArguments,
    #[command(flatten)]
    pub(super) target: TargetArguments,
    /// Set the emulator up with this scenario instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(super) scenario: Option<PathBuf>,
    /// Judge somebody else's connector: run this command (`sh -c`) against fresh emulators and look what it does.
    ///
    /// It gets endpoint and credentials by the standard AWS variables, and BUCKETPROOF_BUCKET, BUCKETPROOF_PREFIX and
    /// BUCKETPROOF_INPUT: a file of JSON lines, each of which must be in the bucket when the command has succeeded.
    #[arg(long, value_name = "COMMAND")]
    pub(super) connector_command: Option<String>,
    /// An action that the connector's documentation asks for; may be given several times.
    #[arg(
        long = "connector-action",
        value_name = "ACTION",
        requires = "connector_command",
        default_values = ["s3:PutObject", "s3:ListBucket", "s3:GetObject"]
    )]
    pub(super) connector_actions: Vec<String>,
    /// The longest time in seconds that the connector may take.
    #[arg(long, value_name = "SECONDS", default_value = "60", requires = "connector_command")]
    pub(super) connector_timeout: NonZeroUsize,
    /// Only checks that failed or broke in this report (JSON) of a former run.
    #[arg(long, value_name = "REPORT")]
    pub(super) rerun: Option<PathBuf>,
    /// So many checks at a time.
    #[arg(long, value_name = "N", default_value = "2")]
    pub(super) jobs: NonZeroUsize,
    /// The seed of what emulators draw.
    #[arg(long, value_name = "N", default_value_t = crate::context::SEED)]
    pub(super) seed: u64,
    /// Tell on the error stream which check is under way.
    #[arg(long)]
    pub(super) progress: bool,
    /// List every check, also where there are many and they passed.
    #[arg(long)]
    pub(super) verbose: bool,
    /// Also write the report as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Also write the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Also write the report as one HTML file, which loads nothing.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Also write what was denied in failed checks as SARIF.
    #[arg(long, value_name = "FILE")]
    pub(super) sarif: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct TargetArguments {
    /// What to check: the built-in emulator, `s3s-fs` in this process, or an endpoint by its URL.
    ///
    /// At a URL, credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, those of a second account
    /// from the same names behind SECOND_, or all of them from `--accounts`.
    /// Checks make buckets of their own there, whose names begin with `bucketproof-`, and take them away again; nothing
    /// else is touched. What the endpoint does not have is found out first, and checks that need it are skipped.
    #[arg(long, default_value = "emulator", value_name = "emulator|s3s-fs|URL")]
    pub(super) target: String,
    /// The target's name in reports and baselines; without it, the URL's host.
    #[arg(long, value_name = "NAME")]
    pub(super) target_name: Option<String>,
    /// A TOML file with `[[account]]` tables of `access_key_id`, `secret_access_key` and, if it is one, `session_token`.
    ///
    /// The first account does what checks do; a second one is the stranger who must see nothing.
    #[arg(long, value_name = "FILE")]
    pub(super) accounts: Option<PathBuf>,
    /// The region that requests to a URL are signed for.
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(super) region: String,
    /// The longest time in seconds that an answer from a URL may take.
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    pub(super) timeout: NonZeroUsize,
    /// The URL is AWS itself: requests, storage and keys cost money, and buckets are made in the account.
    #[arg(long)]
    pub(super) real_aws: bool,
}

#[derive(Debug, Args)]
pub(super) struct GateArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,
    /// What is known to fail, per target and check (TOML).
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: PathBuf,
    /// Write the outcome of this run into the baseline instead of comparing; the diff is for review.
    #[arg(long)]
    pub(super) write: bool,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// The vendor's profile, such as `suprsend_s3_v2`, or a file with one.
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) profile: String,
    /// `s3://bucket/prefix`, or a folder whose files have the keys as their paths.
    #[arg(value_name = "PLACE")]
    pub(super) place: String,
    /// Another endpoint than AWS's own. Credentials come from the environment.
    #[arg(long, value_name = "URL")]
    pub(super) endpoint_url: Option<String>,
    /// The region of the bucket.
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(super) region: String,
    /// The newest object must not be older than this, such as `15m` or `2h`.
    #[arg(long, value_name = "DURATION")]
    pub(super) fresh_within: Option<jiff::SignedDuration>,
    /// Every answer must name this encryption: AES256, aws:kms or aws:kms:dsse.
    #[arg(long, value_name = "ALGORITHM", value_parser = ["AES256", "aws:kms", "aws:kms:dsse"])]
    pub(super) encryption: Option<String>,
    /// More objects than this are refused, not judged.
    #[arg(long, value_name = "N", default_value = "20000")]
    pub(super) max_objects: NonZeroUsize,
    /// Count what may be right as well: missing partitions and values that are not documented.
    #[arg(long)]
    pub(super) strict: bool,
    /// Also write the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    pub(super) filter: FilterArguments,
    /// As a page in Markdown, a table per area.
    #[arg(long)]
    pub(super) markdown: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelName {
    Must,
    Should,
}

#[derive(Debug, Args)]
pub(super) struct FilterArguments {
    /// Only checks whose id starts so, or which prove the requirement of this id.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// The same as an option.
    #[arg(long = "id", value_name = "ID")]
    more_ids: Vec<String>,
    /// Only checks of this area, such as `s3.policy`; `s3` takes all that begin so.
    #[arg(long = "area", value_name = "NAME")]
    areas: Vec<String>,
    /// Only checks of this vendor profile.
    #[arg(long = "profile", value_name = "NAME")]
    profiles: Vec<String>,
    /// Only checks of this level.
    #[arg(long = "level", value_name = "LEVEL")]
    levels: Vec<LevelName>,
}

impl From<FilterArguments> for Filter {
    fn from(arguments: FilterArguments) -> Self {
        let FilterArguments { mut ids, more_ids, areas, profiles, levels } = arguments;
        ids.extend(more_ids);
        let level = |name| match name {
            LevelName::Must => Level::Must,
            LevelName::Should => Level::Should,
        };
        Self { ids, areas, profiles, levels: levels.into_iter().map(level).collect() }
    }
}
