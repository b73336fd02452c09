//! A handful of checks, one per outcome, for the tests of the framework.

use bucketproof_emulator::{Fault, Op};

use crate::check::{Area, Capability, Check, Level, Run, Source};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::inventory::Inventory;
use crate::outcome::Conclusion;
use crate::report::{Report, Status};
use crate::runner::{self, Settings};
use crate::step::step;

pub(crate) const PASSED: &str = "s3.sample.passes";
pub(crate) const SKIPPED: &str = "s3.sample.skipped";
pub(crate) const ERRORED: &str = "sts.sample.broken";
pub(crate) const PANICKED: &str = "auth.sample.panics";
pub(crate) const FAILED: &str = "sample_vendor.export.denied";

const TRACE: &str = "DENIED (implicit)  s3:PutObject on arn:aws:s3:::logs/hour=14/messages.parquet
  by arn:aws:iam::111122223333:user/exporter
  identity policy `export`  no match  statement 1 (policies/export.json:4)
  AWS would say: Access Denied";

/// The capability that the sample target lacks.
pub(crate) const LACKING: Capability = Capability::VirtualClock;

async fn passes(_cx: CheckContext) -> Conclusion {
    step("put the same key again").equal(&412, &412)
}

async fn broken(_cx: CheckContext) -> Conclusion {
    step("make a directory").works(Err::<(), _>(std::io::Error::other("disk full")))
}

async fn panics(_cx: CheckContext) -> Conclusion {
    let answers: Vec<u16> = Vec::new();
    step("take the first answer").equal(&403, &answers[0])
}

async fn denied(_cx: CheckContext) -> Conclusion {
    Err(step("export the first hour")
        .failure("every dataset is written", "messages: AccessDenied\nrequests: written")
        .missing("s3:PutObject", "arn:aws:s3:::logs/hour=14/messages.parquet")
        .help("allow `s3:PutObject` on `arn:aws:s3:::logs/*`")
        .trace(TRACE)
        .into())
}

pub(crate) fn checks() -> Vec<Check> {
    let fault = || Falsifier::Fault(Fault::on(Op::PutObject).ignore_header("if-none-match"));
    vec![
        Check {
            id: PASSED.into(),
            title: "PutObject with If-None-Match: * on an existing key is refused".into(),
            level: Level::Must,
            area: Area::S3Condition,
            sources: vec![
                Source::aws("S3 User Guide, conditional writes", "2026-08-22"),
                Source::requirement("ENG-03"),
            ],
            needs: vec![Capability::ConditionalWrite],
            detail: Vec::new(),
            proves: None,
            falsified_by: fault(),
            run: Run::new(passes),
        },
        Check {
            id: SKIPPED.into(),
            title: "An expired session is refused".into(),
            level: Level::Must,
            area: Area::S3Condition,
            sources: vec![Source::aws("IAM User Guide, temporary credentials", "2026-08-22")],
            needs: vec![Capability::Sts, LACKING],
            detail: Vec::new(),
            proves: None,
            falsified_by: fault(),
            run: Run::new(passes),
        },
        Check {
            id: ERRORED.into(),
            title: "A role is assumed only with its external id".into(),
            level: Level::Must,
            area: Area::Sts,
            sources: vec![Source::requirement("SUP-75")],
            needs: vec![],
            detail: Vec::new(),
            proves: None,
            falsified_by: fault(),
            run: Run::new(broken),
        },
        Check {
            id: PANICKED.into(),
            title: "A wrong secret is refused".into(),
            level: Level::Should,
            area: Area::Auth,
            sources: vec![Source::requirement("SUP-75")],
            needs: vec![],
            detail: Vec::new(),
            proves: None,
            falsified_by: fault(),
            run: Run::new(panics),
        },
        Check {
            id: FAILED.into(),
            title: "An export succeeds under the documented policy".into(),
            level: Level::Must,
            area: Area::Vendor { name: "vendor.sample", profile: "sample_vendor" },
            sources: vec![Source::requirement("SUP-09"), Source::requirement("SUP-50")],
            needs: vec![Capability::PolicyEnforcement],
            detail: Vec::new(),
            proves: None,
            falsified_by: Falsifier::PolicyEdit {
                file: "policies/export.json".into(),
                edit: TextEdit::new("s3:PutObject", "s3:PutObjectAcl"),
            },
            run: Run::new(denied),
        },
    ]
}

pub(crate) fn settings() -> Settings {
    let mut capabilities = Capability::all();
    capabilities.remove(&LACKING);
    Settings { capabilities, ..Settings::default() }
}

/// The report of the checks called `ids`, with durations that are the same in every run.
pub(crate) fn report_of(ids: &[&str]) -> Report {
    let inventory = Inventory::new(checks()).unwrap();
    let selected: Vec<_> = ids.iter().map(|id| inventory.check(id).unwrap().clone()).collect();
    let mut report = Report::new("emulator", "sample.toml", &selected);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(runner::run(&selected, runner::tests::context(), &settings(), |event| {
        report.record(event);
    }));
    report.duration_ms = 1_930;
    for check in &mut report.checks {
        check.duration_ms = if check.status == Status::Skipped { 0 } else { 12 };
    }
    report
}

/// The report of all sample checks.
pub(crate) fn report() -> Report {
    report_of(&[PASSED, SKIPPED, ERRORED, PANICKED, FAILED])
}
