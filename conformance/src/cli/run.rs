//! `run`, and the part of it that `gate` has too.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bucketproof_emulator::{Emulator, StartError};
use serde::Deserialize;
use tokio::runtime::Runtime;

use super::arguments::RunArguments;
use super::report_files::ReportFile;
use super::usage::UsageError;
use super::{CommandError, EMULATOR, Ended, nothing_selected, print};
use crate::cast;
use crate::check::{Capability, Check};
use crate::connector_command::ConnectorCommand;
use crate::context::{CheckContext, ScenarioSource};
use crate::exit::ExitStatus;
use crate::inventory::Inventory;
use crate::render;
use crate::report::Report;
use crate::runner::{self, Event, Settings};
use crate::selection::{self, Filter};

pub(super) fn run(
    inventory: &Inventory,
    arguments: RunArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Ended {
    let verbose = arguments.verbose;
    let Some(report) = report(inventory, arguments, &mut |_| Ok(()), err)? else {
        return nothing_selected(err);
    };
    print(out, &render::terminal(&report, verbose))?;
    Ok(ExitStatus::of(&report))
}

/// Runs what is selected and writes the report files; nothing if nothing is selected. `before` may refuse the target.
pub(super) fn report(
    inventory: &Inventory,
    arguments: RunArguments,
    before: &mut dyn FnMut(&str) -> Result<(), UsageError>,
    err: &mut dyn Write,
) -> Result<Option<Report>, CommandError> {
    arguments.target.check()?;
    let filter = Filter::from(arguments.filter);
    let is_open = filter.ids.is_empty() && filter.areas.is_empty();
    let mut selected = selection::select(inventory, &filter)?;
    let judges = |check: &Arc<Check>| check.needs.contains(&Capability::ConnectorCommand);
    if arguments.connector_command.is_some() {
        selected.retain(judges);
    } else if is_open {
        // Nobody asked for them, and they would all be skipped.
        selected.retain(|check| !judges(check));
    }
    if let Some(path) = &arguments.rerun {
        let wanted = gone_wrong(path)?;
        if let Some(unknown) = wanted.iter().find(|id| inventory.check(id).is_none()) {
            return Err(UsageError::Rerun {
                path: path.clone(),
                why: format!("it names `{unknown}`, which is no check"),
            }
            .into());
        }
        selected.retain(|check| wanted.contains(check.id.as_str()));
    }
    if selected.is_empty() {
        return Ok(None);
    }
    let on_emulator = arguments.target.target == EMULATOR;
    if arguments.scenario.is_some() && !on_emulator {
        return Err(UsageError::ScenarioElsewhere { target: arguments.target.target }.into());
    }
    let scenario = match &arguments.scenario {
        Some(path) => ScenarioSource::read(path).map_err(UsageError::Scenario)?,
        None => ScenarioSource::embedded(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| CommandError::Broken(format!("cannot start the runtime: {error}")))?;
    if on_emulator {
        usable(&runtime, &scenario, &selected)?;
    }
    let files = Files {
        json: arguments.json.map(ReportFile::create).transpose()?,
        junit: arguments.junit.map(ReportFile::create).transpose()?,
        html: arguments.html.map(ReportFile::create).transpose()?,
        sarif: arguments.sarif.map(ReportFile::create).transpose()?,
    };

    let target = runtime.block_on(arguments.target.reach())?;
    before(&target.name)?;
    let mut offered = target.endpoint.as_ref().map_or_else(Capability::all, |one| one.capabilities().clone());
    let command = arguments.connector_command.map(|command| {
        let seconds = u64::try_from(arguments.connector_timeout.get()).unwrap_or(u64::MAX);
        let timeout = Duration::from_secs(seconds);
        Arc::new(ConnectorCommand { command, actions: arguments.connector_actions, timeout })
    });
    if command.is_none() {
        offered.remove(&Capability::ConnectorCommand);
    }
    let set_up_with = if on_emulator { scenario.name() } else { "buckets of its own".to_owned() };
    let mut report = Report::new(target.name.as_str(), set_up_with, &selected);
    report.seed = arguments.seed;
    if on_emulator {
        report.findings = scenario.findings();
    }
    // A command is no part of the target.
    let lacks = |one: &Capability| !offered.contains(one) && *one != Capability::ConnectorCommand;
    report.lacks = Capability::ALL.into_iter().filter(lacks).collect();
    if let Some(command) = &command {
        report.repeated_with("--connector-command", &command.command);
    }
    if !on_emulator {
        report.repeated_with("--target", &arguments.target.target);
    }
    if let Some(path) = &arguments.scenario {
        report.repeated_with("--scenario", &path.display().to_string());
    }
    let scenario = Arc::new(scenario);
    let seed = arguments.seed;
    let contexts = |_: &_| {
        let context = CheckContext::new(Arc::clone(&scenario)).seeded(seed);
        let context = match &command {
            Some(command) => context.judging(Arc::clone(command)),
            None => context,
        };
        match &target.endpoint {
            Some(endpoint) => context.at(Arc::clone(endpoint)),
            None => context,
        }
    };
    let settings = Settings { capabilities: offered, concurrency: arguments.jobs, ..Settings::default() };
    let total = selected.len();
    let mut ended = 0;
    runtime.block_on(runner::run(&selected, contexts, &settings, |event| {
        if let (true, Event::CheckFinished { id, .. }) = (arguments.progress, &event) {
            ended += 1;
            // Who does not read the progress does not miss it.
            let _told = writeln!(err, "{ended}/{total} {id}");
        }
        report.record(event);
    }));
    if let Some(endpoint) = &target.endpoint {
        report.left_behind = runtime.block_on(endpoint.sweep());
    }
    files.write(&report)?;
    Ok(Some(report))
}

/// Where reports are to be written.
struct Files {
    json: Option<ReportFile>,
    junit: Option<ReportFile>,
    html: Option<ReportFile>,
    sarif: Option<ReportFile>,
}

impl Files {
    fn write(self, report: &Report) -> Result<(), CommandError> {
        let broken = |error: &dyn std::error::Error| CommandError::Broken(error.to_string());
        if let Some(file) = self.json {
            file.write(&render::json(report).map_err(|error| broken(&error))?)?;
        }
        if let Some(file) = self.junit {
            file.write(&render::junit(report).map_err(|error| broken(&error))?)?;
        }
        if let Some(file) = self.html {
            file.write(&render::html(report))?;
        }
        if let Some(file) = self.sarif {
            file.write(&render::sarif(report).map_err(|error| broken(&error))?)?;
        }
        Ok(())
    }
}

/// A broken scenario is the caller's mistake, not a failure of each check.
fn usable(runtime: &Runtime, scenario: &ScenarioSource, selected: &[Arc<Check>]) -> Result<(), UsageError> {
    runtime
        .block_on(async {
            let scenario = scenario.scenario().map_err(StartError::Scenario)?;
            Emulator::builder().scenario(scenario).start().await
        })
        .map_err(UsageError::BrokenScenario)?;
    if selected.iter().any(|check| check.area.profile().is_some()) {
        cast::complete(&scenario.name(), scenario.text()).map_err(UsageError::Incomplete)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct FormerReport {
    schema: String,
    checks: Vec<FormerCheck>,
}

#[derive(Deserialize)]
struct FormerCheck {
    id: String,
    status: String,
}

/// The ids of the checks that failed or broke in a former report.
fn gone_wrong(path: &Path) -> Result<BTreeSet<String>, UsageError> {
    let broken = |why: String| UsageError::Rerun { path: PathBuf::from(path), why };
    let text = fs::read_to_string(path).map_err(|error| broken(error.to_string()))?;
    let report: FormerReport = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    if report.schema != crate::report::SCHEMA {
        return Err(broken(format!("its schema is `{}`, not `{}`", report.schema, crate::report::SCHEMA)));
    }
    let wrong =
        report.checks.into_iter().filter(|check| matches!(check.status.as_str(), "failed" | "errored"));
    Ok(wrong.map(|check| check.id).collect())
}
