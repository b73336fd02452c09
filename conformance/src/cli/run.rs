//! `run`.

use std::io::Write;
use std::sync::Arc;

use bucketproof_emulator::{Emulator, StartError};

use super::arguments::RunArguments;
use super::report_files::ReportFile;
use super::usage::UsageError;
use super::{CommandError, Ended, nothing_selected, print};
use crate::cast;
use crate::context::{CheckContext, ScenarioSource};
use crate::exit::ExitStatus;
use crate::inventory::Inventory;
use crate::render;
use crate::report::Report;
use crate::runner::{self, Settings};
use crate::selection;

const EMULATOR: &str = "emulator";

pub(super) fn run(
    inventory: &Inventory,
    arguments: RunArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Ended {
    if arguments.html.is_some() {
        return Err(UsageError::UnsupportedOption { option: "--html" }.into());
    }
    if arguments.target != EMULATOR {
        return Err(UsageError::UnsupportedTarget { target: arguments.target }.into());
    }
    let selected = selection::select(inventory, &arguments.filter.into())?;
    if selected.is_empty() {
        return nothing_selected(err);
    }
    let scenario = match &arguments.scenario {
        Some(path) => ScenarioSource::read(path).map_err(UsageError::Scenario)?,
        None => ScenarioSource::embedded(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| CommandError::Broken(format!("cannot start the runtime: {error}")))?;
    // A broken scenario is the caller's mistake, not a failure of each check.
    runtime
        .block_on(async {
            let scenario = scenario.scenario().map_err(StartError::Scenario)?;
            Emulator::builder().scenario(scenario).start().await
        })
        .map_err(UsageError::BrokenScenario)?;
    if selected.iter().any(|check| check.area.profile().is_some()) {
        cast::complete(&scenario.name(), scenario.text()).map_err(UsageError::Incomplete)?;
    }
    let json = arguments.json.map(ReportFile::create).transpose()?;
    let junit = arguments.junit.map(ReportFile::create).transpose()?;

    let mut report = Report::new(EMULATOR, scenario.name(), &selected);
    if let Some(path) = &arguments.scenario {
        report.repeated_with_scenario(path);
    }
    let scenario = Arc::new(scenario);
    let contexts = |_: &_| CheckContext::new(Arc::clone(&scenario));
    runtime.block_on(runner::run(&selected, contexts, &Settings::default(), |event| report.record(event)));

    print(out, &render::terminal(&report, arguments.verbose))?;
    if let Some(file) = json {
        file.write(&render::json(&report).map_err(|error| CommandError::Broken(error.to_string()))?)?;
    }
    if let Some(file) = junit {
        file.write(&render::junit(&report).map_err(|error| CommandError::Broken(error.to_string()))?)?;
    }
    Ok(ExitStatus::of(&report))
}
