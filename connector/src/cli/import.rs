//! `import`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use bucketproof_clock::{Clock, Entropy};
use clap::{Args, Subcommand};
use tokio::runtime::Runtime;

use super::run::stop_on_signals;
use super::{Complaint, Exit, block_on, print, print_json};
use crate::import::{
    Access, DocumentsError, Endpoint, ImportConfig, ImportError, ImportMetrics, ImportSummary, Importer,
    InboundConnection, InboundStore, Reporting, ReportingState, StatusEntry, StatusReport, Subscription,
    TopicDocuments, check_file, examine_import,
};
use crate::runner::StopSignal;
use crate::store::{S3Settings, S3Store, SnsTopic, SqsQueue};

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
    /// Serve `/metrics` (Prometheus) and `/health` here, such as `127.0.0.1:9188`.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "once")]
    listen: Option<SocketAddr>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// Print what the owner of each connection's bucket has to set up: the policy of the bucket, or of the topic, or the
    /// notification of events.
    Policy(PolicyArguments),
    /// Find out what stands between each connection and its files; nothing is written.
    Doctor(DoctorArguments),
    /// Say what an import would say of files of this machine; nothing is read from a bucket, and nothing is stored.
    Check(CheckArguments),
    /// Show each connection: its state, whether its reports come in time, the URL to subscribe, and whom policies name.
    #[command(visible_alias = "status")]
    Show {
        /// The import's configuration.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct DoctorArguments {
    /// The import's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// This connection alone.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// The policy of the topic, as its owner prints it.
    #[arg(long, value_name = "FILE")]
    topic_policy: Option<PathBuf>,
    /// The policy of the KMS key that the topic's messages are encrypted with, as its owner prints it.
    #[arg(long, value_name = "FILE")]
    topic_key_policy: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct CheckArguments {
    /// The import's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The connection whose environments the files may name; the first, if nothing is said.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// The files.
    #[arg(required = true, value_name = "PATH")]
    files: Vec<PathBuf>,
    /// Print JSON, in the form of a report.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct PolicyArguments {
    /// The import's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Who reads the files and writes the reports, if the configuration does not say it.
    #[arg(long, value_name = "ARN", conflicts_with_all = ["topic", "merge", "notification"])]
    principal: Option<String>,
    /// Print the policies of the topics.
    #[arg(long)]
    topic: bool,
    /// Add the statement to this policy of a topic, and keep all that is in it.
    #[arg(long, value_name = "FILE")]
    merge: Option<PathBuf>,
    /// The account of the bucket, if it is not that of the topic.
    #[arg(long, value_name = "ID", conflicts_with = "notification")]
    account: Option<String>,
    /// Print the notification of events.
    #[arg(long, conflicts_with_all = ["topic", "merge"])]
    notification: bool,
}

impl ImportArguments {
    pub(super) fn wants_json(&self) -> bool {
        self.pass.as_ref().is_some_and(|pass| pass.json)
            || match &self.command {
                Some(ImportCommand::Show { json, .. }) => *json,
                Some(ImportCommand::Doctor(arguments)) => arguments.json,
                Some(ImportCommand::Check(arguments)) => arguments.json,
                _ => false,
            }
    }
}

pub(super) fn run(arguments: &ImportArguments) -> Result<(), Complaint> {
    match (&arguments.command, &arguments.pass) {
        (Some(ImportCommand::Policy(arguments)), _) => policy(arguments),
        (Some(ImportCommand::Doctor(arguments)), _) => doctor(arguments),
        (Some(ImportCommand::Check(arguments)), _) => check(arguments),
        (Some(ImportCommand::Show { config, json }), _) => show(config, *json),
        (None, Some(pass)) => import(pass),
        (None, None) => Err(Complaint::usage(
            "no configuration is named",
            "`import --config FILE --once` imports what is there",
        )),
    }
}

fn policy(arguments: &PolicyArguments) -> Result<(), Complaint> {
    let config = load(&arguments.config)?;
    let complain = |error: DocumentsError| Complaint::usage(&error, error.help());
    if arguments.notification {
        return print_json(&config.notifications());
    }
    if !arguments.topic && arguments.merge.is_none() {
        return print_json(&config.bucket_policies(arguments.principal.as_deref()).map_err(complain)?);
    }
    let mut existing = None;
    if let Some(path) = &arguments.merge {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Complaint::usage(format!("`{}`: {error}", path.display()), "name a file"))?;
        let policy: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| complain(DocumentsError::NoPolicy { reason: error.to_string() }))?;
        existing = Some(policy);
    }
    let account = arguments.account.as_deref();
    print_json(&config.topic_policies(existing.as_ref(), account).map_err(complain)?)
}

fn doctor(arguments: &DoctorArguments) -> Result<(), Complaint> {
    let config = load(&arguments.config)?;
    let policy = document(arguments.topic_policy.as_deref())?;
    let key_policy = document(arguments.topic_key_policy.as_deref())?;
    let documents = TopicDocuments { policy: policy.as_deref(), key_policy: key_policy.as_deref() };
    let mut reports = BTreeMap::new();
    let is_meant = |name: &str| arguments.connection.as_ref().is_none_or(|own| own == name);
    for connection in config.connections.iter().filter(|own| is_meant(&own.name)) {
        let store = store(connection, &Clock::system())?;
        let settings = settings(connection)?;
        let topic = connection.topic_arn.as_ref();
        let topic = topic.map(|arn| SnsTopic::new(&settings, arn, &Clock::system(), None));
        let report = block_on(examine_import(&config, connection, &store, documents, topic.as_ref()))?;
        reports
            .insert(connection.name.clone(), report.map_err(|error| Complaint::broken(error.to_string()))?);
    }
    if reports.is_empty() {
        return Err(Complaint::usage("there is no connection of that name", "`import show` lists them"));
    }
    if arguments.json {
        print_json(&reports)?;
    } else {
        for (name, report) in &reports {
            print(&format!("connection {name}: {}", super::doctor::text(report)))?;
        }
    }
    match reports.values().map(|report| report.failures().count()).sum::<usize>() {
        0 => Ok(()),
        failed => Err(Complaint {
            exit: Exit::No,
            message: format!("{failed} checks failed"),
            help: "each failed check says what to do".to_owned(),
            diagnosis: None,
        }),
    }
}

fn document(path: Option<&std::path::Path>) -> Result<Option<String>, Complaint> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path);
    text.map(Some)
        .map_err(|error| Complaint::usage(format!("`{}`: {error}", path.display()), "check the path"))
}

fn check(arguments: &CheckArguments) -> Result<(), Complaint> {
    let config = load(&arguments.config)?;
    let is_meant =
        |own: &&InboundConnection| arguments.connection.as_ref().is_none_or(|name| *name == own.name);
    let Some(connection) = config.connections.iter().find(is_meant) else {
        return Err(Complaint::usage("there is no connection of that name", "`import show` lists them"));
    };
    let now = Clock::system().now();
    let mut report = StatusReport::new();
    for path in &arguments.files {
        let shown = path.display().to_string();
        let unusable = |error: std::io::Error| {
            Complaint::usage(format!("`{shown}`: {error}"), "name files that can be read")
        };
        let file = std::fs::File::open(path).map_err(unusable)?;
        let entries = check_file(file, &config, connection, now, now).map_err(unusable)?;
        report.insert(shown, entries);
    }
    let is_wrong = |entry: &StatusEntry| !entry.errors.is_empty();
    let wrong = report.values().filter(|entries| entries.iter().any(is_wrong)).count();
    if arguments.json {
        print_json(&report)?;
    } else {
        let mut text = String::new();
        for (name, entries) in &report {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{name}");
            for entry in entries {
                let _ = match (entry.number_of_rows, entry.errors.as_slice()) {
                    // It says nothing how many rows there are in a file that cannot be used.
                    (_, [code]) if *code == config.profile.codes.schema => {
                        writeln!(text, "  the file is refused as a whole")
                    }
                    (1, []) => writeln!(text, "  1 row is valid"),
                    (rows, []) => writeln!(text, "  {rows} rows are valid"),
                    (1, _) => writeln!(text, "  1 row is refused"),
                    (rows, _) => writeln!(text, "  {rows} rows are refused"),
                };
                for (code, detail) in entry.errors.iter().zip(&entry.errors_details) {
                    let _ = writeln!(text, "    {code}: {detail}");
                }
            }
        }
        print(&text)?;
    }
    if wrong == 0 {
        return Ok(());
    }
    Err(Complaint {
        exit: Exit::No,
        message: format!("{wrong} of {} files have something wrong", report.len()),
        help: "each code says what to correct; the other rows would be stored".to_owned(),
        diagnosis: None,
    })
}

fn settings(connection: &InboundConnection) -> Result<S3Settings, Complaint> {
    connection
        .store_settings(|name| std::env::var(name).ok())
        .map_err(|error| Complaint::usage(&error, error.help()))
}

fn store(connection: &InboundConnection, clock: &Clock) -> Result<S3Store, Complaint> {
    S3Store::new(settings(connection)?, clock, None).map_err(|error| Complaint::usage(&error, error.help()))
}

fn show(path: &std::path::Path, as_json: bool) -> Result<(), Complaint> {
    let config = load(path)?;
    let views = config
        .connection_views(Clock::system().now())
        .map_err(|error| Complaint::broken(error.to_string()))?;
    if as_json {
        return print_json(&views);
    }
    let mut text = String::new();
    for view in &views {
        let state = match &view.access {
            _ if !view.enabled => "Disabled".to_owned(),
            Access::Processing => "Processing: access is validated by the first import".to_owned(),
            Access::Active { since } => format!("Active since {since}"),
            Access::Failed { cause, since } => format!("Failed since {since}: {cause}"),
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{}: {state}\n  bucket        {}", view.name, view.bucket);
        let _ = writeln!(text, "  reports       {}", reporting(&view.reporting));
        if let Some(url) = &view.endpoint_url {
            let _ = writeln!(text, "  endpoint      {url}");
        }
        match &view.subscription {
            None => {}
            Some(Subscription::Pending) => text.push_str("  subscription  not confirmed yet\n"),
            Some(Subscription::Confirmed { since, .. }) => {
                let _ = writeln!(text, "  subscription  confirmed since {since}");
            }
            Some(Subscription::Ended { since, .. }) => {
                let _ = writeln!(text, "  subscription  ended at {since}; subscribe the endpoint again");
            }
        }
        if let Some(role) = &view.role_arn {
            let _ = writeln!(text, "  role          {role}");
        }
    }
    print(&text)
}

fn reporting(reporting: &Reporting) -> String {
    let Reporting { files_waiting: files, alarm_after_minutes: minutes, .. } = reporting;
    let since = reporting.since.map_or_else(String::new, |since| format!(", the oldest since {since}"));
    let mut text = match reporting.state {
        ReportingState::Told => "no file waits for its report".to_owned(),
        ReportingState::Waiting => format!("{files} files wait for their report{since}"),
        ReportingState::Late => {
            format!("ALARM: {files} files wait for their report{since}: longer than {minutes} minutes")
        }
    };
    if reporting.missed > 0 {
        // Writing to a `String` cannot fail.
        let _ = write!(text, " (late {} times so far)", reporting.missed);
    }
    text
}

fn load(path: &std::path::Path) -> Result<ImportConfig, Complaint> {
    ImportConfig::load(path).map_err(|error| Complaint::usage(&error, error.help()))
}

fn import(pass: &Pass) -> Result<(), Complaint> {
    let config = load(&pass.config)?;
    let clock = Clock::system();
    let mut stores: BTreeMap<String, Arc<dyn InboundStore>> = BTreeMap::new();
    for connection in &config.connections {
        stores.insert(connection.name.clone(), Arc::new(store(connection, &clock)?));
    }
    let mut importer = Importer::new(config.clone(), stores, clock.clone(), Entropy::machine())
        .map_err(|error| complaint(&error))?;
    for connection in &config.connections {
        let Some(url) = &connection.queue_url else { continue };
        let queue = SqsQueue::new(&settings(connection)?, url, &clock, None)
            .map_err(|error| Complaint::usage(&error, error.help()))?;
        importer = importer.with_queue(&connection.name, Arc::new(queue));
    }
    if pass.once {
        let summary = block_on(importer.once())?.map_err(|error| complaint(&error))?;
        return told(pass, &summary);
    }
    let stop = StopSignal::new();
    let metrics = ImportMetrics::new(config.clone(), clock.clone());
    let mut serving = Vec::new();
    if let Some(address) = pass.listen {
        serving.push(expose(&metrics, address, &stop)?);
    }
    serving.extend(listen(&config, &importer, &clock, &stop)?);
    let mut importer = importer.with_metrics(metrics);
    let summary = block_on(async {
        tokio::spawn(stop_on_signals(stop.clone()));
        importer.run(&stop).await
    })?;
    stop.give();
    for thread in serving {
        // It has ended, or the process does now.
        let _ended = thread.join();
    }
    told(pass, &summary.map_err(|error| complaint(&error))?)
}

fn told(pass: &Pass, summary: &ImportSummary) -> Result<(), Complaint> {
    if pass.json {
        return print_json(summary);
    }
    print(&text(summary))
}

/// Serves the endpoints in a thread of their own, so that they answer while a file is being read.
fn listen(
    config: &ImportConfig,
    importer: &Importer,
    clock: &Clock,
    stop: &StopSignal,
) -> Result<Option<JoinHandle<()>>, Complaint> {
    if config.endpoint.is_none() {
        return Ok(None);
    }
    let help = "compare `[endpoint]` with the example in the connector's documentation";
    let endpoint = Endpoint::new(config, importer.inbox(), clock.clone())
        .map_err(|error| Complaint::usage(&error, help))?;
    let runtime = own_runtime()?;
    let listener = runtime.block_on(endpoint.bind()).map_err(|error| {
        Complaint::usage(&error, "choose another `endpoint.listen`, or end what listens there")
    })?;
    for (name, url) in config.endpoint_urls() {
        tracing::info!(connection = name, url, "listening for messages of SNS");
    }
    let stop = stop.clone();
    in_thread("endpoint", runtime, Arc::new(endpoint).serve(listener, stop)).map(Some)
}

/// Serves metrics in a thread of their own, for the same reason.
fn expose(
    metrics: &Arc<ImportMetrics>,
    address: SocketAddr,
    stop: &StopSignal,
) -> Result<JoinHandle<()>, Complaint> {
    let runtime = own_runtime()?;
    let listener = runtime.block_on(ImportMetrics::bind(address)).map_err(|error| {
        Complaint::usage(
            format!("cannot listen at `{address}`: {error}"),
            "choose another `--listen` address",
        )
    })?;
    if let Ok(bound) = listener.local_addr() {
        tracing::info!(url = format!("http://{bound}/metrics"), "metrics are served");
    }
    in_thread("metrics", runtime, Arc::clone(metrics).serve(listener, stop.clone()))
}

fn own_runtime() -> Result<Runtime, Complaint> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Complaint::broken(format!("the runtime cannot start: {error}")))
}

fn in_thread(
    name: &str,
    runtime: Runtime,
    serving: impl Future<Output = ()> + Send + 'static,
) -> Result<JoinHandle<()>, Complaint> {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(move || runtime.block_on(serving));
    started.map_err(|error| Complaint::broken(format!("no thread for the {name}: {error}")))
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
        ImportError::Store { .. } | ImportError::Queue { .. } | ImportError::Target(_) => Exit::No,
        ImportError::State(_) | ImportError::Spool(_) => Exit::Broken,
    };
    Complaint { exit, message: error.to_string(), help: error.help(), diagnosis: None }
}
