//! `gate`.

use std::io::Write;

use super::arguments::GateArguments;
use super::usage::UsageError;
use super::{CommandError, Ended, nothing_selected, print, run};
use crate::baseline::Baseline;
use crate::exit::ExitStatus;
use crate::inventory::Inventory;
use crate::render;
use crate::report::Status;

pub(super) fn gate(
    inventory: &Inventory,
    arguments: GateArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Ended {
    let GateArguments { run: arguments, baseline: path, write } = arguments;
    let baseline = match Baseline::read(&path) {
        Err(error) if write && error.is_absent() => Baseline::default(),
        read => read.map_err(UsageError::Baseline)?,
    };
    if !write {
        baseline.known(&path, inventory).map_err(UsageError::Baseline)?;
    }
    let verbose = arguments.verbose;
    let mut listed = |target: &str| {
        if write { Ok(()) } else { baseline.lists(&path, target).map_err(UsageError::Baseline) }
    };
    let Some(report) = run::report(inventory, arguments, &mut listed, err)? else {
        return nothing_selected(err);
    };
    if write {
        let text = baseline.with(&report, inventory).text();
        std::fs::write(&path, text)
            .map_err(|source| UsageError::ReportFile { path: path.clone(), source })?;
        print(out, &render::terminal(&report, verbose))?;
        print(out, &format!("the outcome is written to `{}`; review the difference\n", path.display()))?;
        return Ok(ExitStatus::Done);
    }
    print(out, &render::terminal(&report, verbose))?;
    let differences = baseline.differences(&report);
    let all_skipped = report.checks.iter().all(|check| check.status == Status::Skipped);
    if differences.is_empty() {
        let text =
            if all_skipped { "every check was skipped, so nothing is proved" } else { "the gate holds" };
        print(out, &format!("{text}: `{}`\n", report.target))?;
        return Ok(if all_skipped { ExitStatus::NothingSelected } else { ExitStatus::Done });
    }
    let mut text =
        format!("\nthe gate fails: {} of `{}` differ from the baseline\n", differences.len(), report.target);
    for difference in &differences {
        text.push_str(&["  ", &difference.to_string(), "\n"].concat());
    }
    text.push_str(
        "help: mend what is new; for what is accepted, add the id with a reason, or run `gate --write`\n",
    );
    print(out, &text)?;
    let only_broke = differences.iter().all(crate::baseline::Difference::is_breakage);
    Ok(if only_broke { ExitStatus::Broken } else { ExitStatus::AnswerIsNo })
}

impl From<crate::target::TargetError> for CommandError {
    fn from(error: crate::target::TargetError) -> Self {
        Self::Target(error)
    }
}
