//! JUnit XML, which build servers read.

use std::collections::BTreeMap;
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::source_line;
use crate::check::Area;
use crate::report::{CheckReport, Report, Status};

/// The XML cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the report as JUnit XML: {message}")]
pub struct JunitError {
    message: String,
}

/// The report as JUnit XML: one suite per area. A check that failed is a `failure`, one that broke an `error`.
///
/// It obeys the schema that Jenkins published (`junit-10.xsd`), which other readers follow.
pub fn junit(report: &Report) -> Result<String, JunitError> {
    let mut suites: BTreeMap<Area, Vec<&CheckReport>> = BTreeMap::new();
    for check in &report.checks {
        suites.entry(check.area.group()).or_default().push(check);
    }
    let mut document = quick_junit::Report::new("bucketproof-conformance");
    document.set_time(Duration::from_millis(report.duration_ms));
    for (area, checks) in suites {
        let mut suite = TestSuite::new(area.name());
        suite.set_time(Duration::from_millis(checks.iter().map(|check| check.duration_ms).sum()));
        suite.add_test_cases(checks.into_iter().map(|check| test_case(report, check)));
        document.add_test_suite(suite);
    }
    let text = document.to_string().map_err(|error| JunitError { message: error.to_string() })?;
    Ok(without_skipped_total(&text))
}

/// The common schema knows the number of skipped cases of a suite, and not of all suites together.
fn without_skipped_total(text: &str) -> String {
    let total = |text: &str| {
        let start = text.find("<testsuites ")?;
        let end = start + text.get(start..)?.find('>')?;
        let from = start + text.get(start..end)?.find(" skipped=\"")?;
        let value = from + " skipped=\"".len();
        let to = value + text.get(value..end)?.find('"')? + 1;
        Some(format!("{}{}", text.get(..from)?, text.get(to..)?))
    };
    total(text).unwrap_or_else(|| text.to_owned())
}

fn test_case(report: &Report, check: &CheckReport) -> TestCase {
    let mut case = TestCase::new(check.id.as_str(), status(report, check));
    case.set_classname(check.area.name());
    case.set_time(Duration::from_millis(check.duration_ms));
    // The common schema has no properties of a case.
    case.set_system_out(format!(
        "{}\nlevel    {}\nsource   {}",
        check.title,
        check.level,
        source_line(&check.sources)
    ));
    case
}

fn status(report: &Report, check: &CheckReport) -> TestCaseStatus {
    match check.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Failed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            if let Some(failure) = &check.failure {
                status.set_type("failed");
                let message =
                    format!("{}: expected {}, actual {}", failure.step, failure.expected, failure.actual);
                status.set_message(one_line(&message));
            }
            status.set_description(super::terminal::details(report, check));
            status
        }
        Status::Errored => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            if let Some(error) = &check.error {
                status.set_type("errored");
                status.set_message(one_line(&error.message));
            }
            status.set_description(super::terminal::details(report, check));
            status
        }
        Status::Skipped => {
            let mut status = TestCaseStatus::skipped();
            if let Some(missing) = check.missing_capability {
                status.set_message(format!("the target lacks `{missing}`"));
            }
            status
        }
    }
}

/// An attribute cannot keep line feeds; the description has them.
fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(" | ")
}
