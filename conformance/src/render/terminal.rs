//! The report for people. It reads without colour, and it is no contract.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::source_line;
use crate::check::{Area, Source};
use crate::report::{CheckReport, PolicyProved, Report, Status, Summary};

/// A report of more checks than this counts those that passed instead of listing them.
const LISTED_MAX: usize = 60;

/// The report as text: a group per area, then what went wrong in full, then the counts. Where there are many checks,
/// those that passed are counted only, unless `every` one is to be listed.
pub fn terminal(report: &Report, every: bool) -> String {
    let brief = !every && report.checks.len() > LISTED_MAX;
    let mut text = format!("target {}, scenario {}\n", report.target, report.scenario);
    if brief {
        text.push('\n');
    }
    let mut areas: Vec<Area> = report.checks.iter().map(|check| check.area.group()).collect();
    areas.sort();
    areas.dedup();
    for area in areas {
        let checks: Vec<&CheckReport> =
            report.checks.iter().filter(|check| check.area.group() == area).collect();
        if brief {
            push(&mut text, format_args!("{area:<18}{}\n", counts(&checks)));
        } else {
            push(&mut text, format_args!("\n{area}\n"));
        }
        for check in checks.into_iter().filter(|_| !brief) {
            let sources: Vec<&str> = check.sources.iter().map(Source::short).collect();
            let mark = mark(check.status);
            push(
                &mut text,
                format_args!("  {mark:<7}  {}{}  [{}]\n", check.title, remark(check), sources.join("; ")),
            );
        }
    }
    if brief {
        text.push_str(&lacking(report));
    }
    text.push_str(&policies(report));
    let wrong = |check: &&CheckReport| matches!(check.status, Status::Failed | Status::Errored);
    for check in report.checks.iter().filter(wrong) {
        push(&mut text, format_args!("\n{}  {} ({})\n", mark(check.status), check.title, check.level));
        push(&mut text, format_args!("{}\n", details(report, check)));
    }
    text.push_str(&denied(report));
    for bucket in &report.left_behind {
        push(
            &mut text,
            format_args!("\nleft behind: the bucket `{bucket}`, which cannot be deleted; do it by hand\n"),
        );
    }
    push(&mut text, format_args!("\n{}\n", last_line(report.summary, report.duration_ms)));
    text
}

/// What the target does not offer, with the number of checks that were skipped for it.
fn lacking(report: &Report) -> String {
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for missing in report.checks.iter().filter_map(|check| check.missing_capability) {
        *skipped.entry(missing.name()).or_default() += 1;
    }
    let mut text = String::new();
    if !skipped.is_empty() {
        text.push_str("\nskipped, because the target lacks\n");
    }
    for (name, number) in skipped {
        push(&mut text, format_args!("  {name:<20}{number:>4} skipped\n"));
    }
    text
}

/// Documented policies, proved both ways, an element a line.
fn policies(report: &Report) -> String {
    let mut text = String::new();
    let mut profile = "";
    for row in &report.policies {
        if text.is_empty() {
            let (head, ways) = ("documented policies", ("sufficient", "necessary"));
            push(&mut text, format_args!("\n{head:<36}{:<12}{:<12}named when missing\n", ways.0, ways.1));
        }
        if row.profile != profile {
            profile = &row.profile;
            push(&mut text, format_args!("  {profile}\n"));
        }
        let word = |cell: Option<&PolicyProved>| cell.map_or("-", |cell| mark(cell.status));
        let necessary = match (&row.necessary, &row.beyond_need) {
            (None, Some(spare)) if spare.status == Status::Passed => "not needed",
            (necessary, spare) => word(necessary.as_ref().or(spare.as_ref())),
        };
        let (sufficient, named) = (word(row.sufficient.as_ref()), word(row.diagnosed.as_ref()));
        push(&mut text, format_args!("    {:<32}{sufficient:<12}{necessary:<12}{named}\n", row.element));
    }
    text
}

/// How many checks ended how: `12 passed, 1 failed`.
fn counts(checks: &[&CheckReport]) -> String {
    let of = |status| checks.iter().filter(|check| check.status == status).count();
    let all = [
        (of(Status::Passed), "passed"),
        (of(Status::Failed), "failed"),
        (of(Status::Errored), "errored"),
        (of(Status::Skipped), "skipped"),
    ];
    let some = all.into_iter().filter(|(number, _)| *number > 0);
    some.map(|(number, word)| format!("{number:>4} {word}")).collect::<Vec<_>>().join(", ")
}

/// What was denied in all failed checks together, an action a line: where to begin.
fn denied(report: &Report) -> String {
    let mut resources: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let failures = report.checks.iter().filter_map(|check| check.failure.as_ref());
    for permission in failures.flat_map(|failure| &failure.missing) {
        resources.entry(&permission.action).or_default().insert(&permission.resource);
    }
    let mut text = String::new();
    if !resources.is_empty() {
        text.push_str("\ndenied in the failed checks\n");
    }
    for (action, resources) in resources {
        let first = resources.first().copied().unwrap_or_default();
        let more = match resources.len() {
            0 | 1 => String::new(),
            number => format!(", and {} more like it", number - 1),
        };
        push(&mut text, format_args!("  {action} on {first}{more}\n"));
    }
    text
}

/// What went wrong in `check`, one labelled entry per fact, without a line feed at the end.
pub(super) fn details(report: &Report, check: &CheckReport) -> String {
    let entries: Vec<String> =
        facts(report, check).iter().map(|(label, value)| entry(label, value)).collect();
    entries.join("\n")
}

/// What went wrong in `check`, each fact with its label.
pub(super) fn facts(report: &Report, check: &CheckReport) -> Vec<(&'static str, String)> {
    let mut entries = vec![("source", source_line(&check.sources))];
    if let Some(failure) = &check.failure {
        entries.push(("step", failure.step.clone()));
        entries.push(("expected", failure.expected.clone()));
        entries.push(("actual", failure.actual.clone()));
        for permission in &failure.missing {
            entries.push(("denied", format!("{} on {}", permission.action, permission.resource)));
        }
        entries.extend(failure.help.clone().map(|help| ("help", help)));
        entries.extend(failure.trace.clone().map(|trace| ("trace", trace)));
    }
    if let Some(error) = &check.error {
        entries.extend(error.step.clone().map(|step| ("step", step)));
        entries.push(("error", error.message.clone()));
    }
    entries.push(("again", format!("{} {}", report.again, check.id)));
    entries
}

const LABEL_WIDTH: usize = 10;
const INDENT: &str = "  ";

/// A label and its value; further lines of the value stand below its first.
fn entry(label: &str, value: &str) -> String {
    let hanging = format!("\n{INDENT}{:LABEL_WIDTH$}", "");
    let lines: Vec<&str> = value.lines().collect();
    let text = format!("{INDENT}{label:<LABEL_WIDTH$}{}", lines.join(&hanging));
    // A value may have empty lines, which need no indent.
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Failures are in capitals, so that they stand out without colour.
const fn mark(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed => "FAILED",
        Status::Errored => "ERRORED",
        Status::Skipped => "skipped",
    }
}

fn remark(check: &CheckReport) -> String {
    match check.missing_capability {
        Some(missing) => format!(" (the target lacks `{missing}`)"),
        None => String::new(),
    }
}

fn last_line(summary: Summary, duration_ms: u64) -> String {
    let Summary { checks, passed, failed, errored, skipped } = summary;
    let noun = if checks == 1 { "check" } else { "checks" };
    format!(
        "{checks} {noun}: {passed} passed, {failed} failed, {errored} errored, {skipped} skipped, in {}.{:02} s",
        duration_ms / 1000,
        duration_ms % 1000 / 10
    )
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = text.write_fmt(arguments);
}
