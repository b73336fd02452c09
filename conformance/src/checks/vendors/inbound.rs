//! What Split's page says of events that customers deliver: which rows are stored, and what the status reports tell.

use bucketproof_connector::import::{ImportError, ImportSummary, StatusEntry};
use bucketproof_connector::store::StoreError;
use bucketproof_emulator::{Fault, Op};
use bytes::Bytes;
use http::StatusCode;
use parquet::basic::{Compression, ZstdLevel};

use super::of_profile;
use super::particulars::Ids;
use crate::check::{Area, Check, PolicyProof, ProofWay, Run};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Conclusion, Stop};
use crate::stage::{DOCUMENTED_POLICY, Element, Inbound, InboundSetup, events_file};
use crate::step::step;

const AREA: Area = Area::Vendor { name: "vendor.split", profile: "split_events_import" };

/// Two rows that are right.
const GOOD: &str = "prod user-0 1767225599000 1.5\nstaging user-1 1767225599000 -\n";
/// Every kind of mistake beside two rows that are right.
const MIXED: &str = "prod user-0 1767225599000 1.5\n\
    elsewhere user-1 1767225599000 -\n\
    prod - 1767225599000 1.5\n\
    prod user-3 1767225599 1.5\n\
    elsewhere user-4 1767225599000000 1.5\n\
    staging user-6 1767225599000 -\n\
    elsewhere user-7 1767225599000 2.5\n";
const REPORT: &str = "my_statuses/2026-01-01/00-00-00.000.UTC_report.status";

/// What is taken out of the policy: id, name, element, the action that the import names.
const ELEMENTS: &[(&str, &str, Element, &str)] = &[
    ("list", "action s3:List*", Element::Action("s3:List*"), "s3:ListBucket"),
    ("get", "action s3:Get*", Element::Action("s3:Get*"), "s3:GetObject"),
    ("put-object", "action s3:PutObject", Element::Action("s3:PutObject"), "s3:PutObject"),
    ("put-object-acl", "action s3:PutObjectAcl", Element::Action("s3:PutObjectAcl"), "s3:PutObjectAcl"),
    ("bucket", "resource BUCKET", Element::Resource(""), "s3:ListBucket"),
    ("data", "resource BUCKET/DATA/*", Element::Resource("/events/*"), "s3:GetObject"),
    ("status", "resource BUCKET/STATUS/*", Element::Resource("/my_statuses/*"), "s3:PutObject"),
];

fn check(id: &str, title: &'static str, ids: Ids, falsified_by: Falsifier, run: Run) -> Check {
    of_profile(AREA, id, title, ids, falsified_by, run)
}

fn input(find: &'static str, replace: &'static str) -> Falsifier {
    Falsifier::InputEdit { dataset: "events".into(), edit: TextEdit::new(find, replace) }
}

fn policy(find: &'static str, replace: &'static str) -> Falsifier {
    Falsifier::PolicyEdit { file: DOCUMENTED_POLICY.into(), edit: TextEdit::new(find, replace) }
}

pub(super) fn checks() -> Vec<Check> {
    let mut checks = of_reports();
    checks.extend(of_rows());
    for (code, ids, rows, righted) in [
        (
            "INVALID_ENVIRONMENT_ID",
            &["SPL-19", "SPL-Q03"][..],
            "elsewhere u 1767225599000 1\n",
            ("elsewhere", "prod"),
        ),
        ("REQUIRED_FIELDS_NULL", &["SPL-20", "SPL-Q11"], "prod - - 1\n", (" - - ", " u 1767225599000 ")),
        (
            "INVALID_TIMESTAMP",
            &["SPL-21", "SPL-04", "SPL-Q10"],
            "prod u 1767225599 1\n",
            ("1767225599", "1767225599000"),
        ),
    ] {
        let id = format!("codes.{}", code.to_lowercase().replace('_', "-"));
        let title = format!("a row of this kind has the code {code} alone and is not stored");
        let run = Run::new(move |context| one_code(context, rows, code));
        checks.push(of_profile(AREA, id, title, ids, input(righted.0, righted.1), run));
    }
    for (id, name, element, action) in ELEMENTS {
        checks.extend(of_element(id, name, *element, action));
    }
    checks
}

fn of_reports() -> Vec<Check> {
    vec![
        check(
            "report.entries",
            "a file becomes one entry per set of codes, with its number of rows, and valid rows are stored",
            &["SPL-24", "SPL-25", "SPL-26", "SPL-41", "SPL-44", "SPL-45", "SPL-50"],
            input("elsewhere user-4", "prod user-4"),
            Run::new(entries),
        ),
        check(
            "report.form",
            "an entry has its seven members, as many details as codes, and no warning",
            &["SPL-27", "SPL-42", "SPL-46", "SPL-52", "SPL-Q01", "SPL-Q02", "SPL-Q05"],
            input("prod user-3 1767225599 1.5\n", ""),
            Run::new(form),
        ),
        check(
            "report.key",
            "the first report lies under folder, day and time in UTC with milliseconds, though the folder did not exist",
            &["SPL-33", "SPL-35", "SPL-36", "SPL-Q12"],
            Falsifier::ConfigEdit(TextEdit::new("\"my_statuses\"", "\"my_statuses/x\"")),
            Run::new(report_key),
        ),
        check(
            "report.immutable",
            "a report never takes the place of an object that is there",
            &["SPL-38", "SPL-Q13"],
            Falsifier::Fault(Fault::on(Op::PutObject).ignore_header("if-none-match")),
            Run::new(immutable),
        ),
        check(
            "report.incremental",
            "without new files nothing is written, and what was told is not told again",
            &["SPL-40", "SPL-43"],
            Falsifier::Fault(Fault::on(Op::PutObject).skip(1).refuse(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "no",
            )),
            Run::new(incremental),
        ),
        check(
            "report.acl",
            "a report gives the bucket's owner full control",
            &["SPL-Q21"],
            Falsifier::Fault(Fault::on(Op::PutObject).ignore_header("x-amz-acl")),
            Run::new(acl),
        ),
    ]
}

fn of_rows() -> Vec<Check> {
    vec![
        check(
            "rows.environments",
            "a row delivered for two environments is two events",
            &["SPL-08"],
            input("staging", "elsewhere"),
            Run::new(async |context| {
                stored(context, "prod u 1767225599000 1\nstaging u 1767225599000 1\n").await
            }),
        ),
        check(
            "rows.nulls",
            "value and properties may be null, the other columns may not",
            &["SPL-05", "SPL-20"],
            input("user-1", "-"),
            Run::new(async |context| stored(context, GOOD).await),
        ),
        check(
            "schema.exact",
            "whole numbers where doubles are documented refuse the file as a whole",
            &["SPL-06", "SPL-22", "SPL-Q04", "SPL-Q09"],
            Falsifier::Fault(Fault::on(Op::GetObject).refuse(StatusCode::FORBIDDEN, "AccessDenied", "no")),
            Run::new(exact_schema),
        ),
        check(
            "schema.not-parquet",
            "a file that is not Parquet is INVALID_SCHEMA",
            &["SPL-01", "SPL-22"],
            Falsifier::Fault(Fault::on(Op::GetObject).refuse(StatusCode::FORBIDDEN, "AccessDenied", "no")),
            Run::new(not_parquet),
        ),
        check(
            "files.codecs",
            "files are read whatever codec their columns have, and in gzip",
            &["SPL-02", "SPL-Q08"],
            input("user-1", "-"),
            Run::new(codecs),
        ),
        check(
            "files.versions",
            "a file that is put again is a new file, with a report of its own",
            &["SPL-Q17", "ENG-22"],
            input("user-1", "-"),
            Run::new(versions),
        ),
        proving(
            check(
                "access.sufficient",
                "the import does all its work under the documented policy, and reads no report",
                &["SPL-31", "SPL-32", "SPL-Q13"],
                policy("\"s3:PutObjectAcl\"", "\"s3:GetObjectTagging\""),
                Run::new(sufficient),
            ),
            "the policy",
            ProofWay::Sufficient,
        ),
    ]
}

fn proving(check: Check, element: &'static str, way: ProofWay) -> Check {
    Check { proves: Some(PolicyProof { element, way }), ..check }
}

fn of_element(id: &str, name: &'static str, element: Element, action: &'static str) -> [Check; 2] {
    let generous = || {
        policy(
            "\"Statement\": [",
            "\"Statement\": [ { \"Effect\": \"Allow\", \"Principal\": \
             { \"AWS\": \"arn:aws:iam::444455556666:user/importer\" }, \"Action\": \"s3:*\", \"Resource\": \
             [\"arn:aws:s3:::customer-exports\", \"arn:aws:s3:::customer-exports/*\"] },",
        )
    };
    let necessary = of_profile(
        AREA,
        format!("access.necessary.{id}"),
        format!("without the {name} of the documented policy the import does not do its work"),
        &["SPL-09", "SPL-31"],
        generous(),
        Run::new(move |context| async move { refused(context, element).await.map(drop) }),
    );
    let diagnosed = of_profile(
        AREA,
        format!("diagnosis.missing-{id}"),
        format!("without the {name} the import names {action}"),
        &["SPL-09", "SPL-31"],
        generous(),
        Run::new(move |context| named(context, element, action)),
    );
    [proving(necessary, name, ProofWay::Necessary), proving(diagnosed, name, ProofWay::Diagnosed)]
}

/// A stage with one file of these rows, imported once.
async fn imported(context: CheckContext, rows: &str) -> Result<(Inbound, ImportSummary), Stop> {
    let stage = Inbound::open(context, InboundSetup::default()).await?;
    let rows = stage.rows(rows)?;
    stage.put("events/a b.parquet", events_file(&rows, Compression::SNAPPY, false)?).await?;
    let summary = stage.import("import the file").await?;
    Ok((stage, summary))
}

/// The entries of the file in its first report.
async fn entries_of(stage: &Inbound, summary: &ImportSummary) -> Result<Vec<StatusEntry>, Stop> {
    let key = step("the key of the report").some("a report", summary.reports.first())?;
    let report = stage.report(key).await?;
    let entries = report.get("events/a b.parquet").cloned();
    step("the entries of the file, by its whole key").some("entries", entries)
}

fn told(entries: &[StatusEntry]) -> Vec<(bool, u64, Vec<&str>)> {
    entries
        .iter()
        .map(|entry| (entry.valid, entry.number_of_rows, entry.errors.iter().map(String::as_str).collect()))
        .collect()
}

async fn entries(context: CheckContext) -> Conclusion {
    let (stage, summary) = imported(context, MIXED).await?;
    let entries = entries_of(&stage, &summary).await?;
    let expected = vec![
        (true, 2, vec![]),
        (false, 2, vec!["INVALID_ENVIRONMENT_ID"]),
        (false, 1, vec!["REQUIRED_FIELDS_NULL"]),
        (false, 1, vec!["INVALID_TIMESTAMP"]),
        (false, 1, vec!["INVALID_ENVIRONMENT_ID", "INVALID_TIMESTAMP"]),
    ];
    step("validity, rows and codes of the entries").equal(&expected, &told(&entries))?;
    step("the rows that are stored and refused").equal(&(2, 5), &(summary.rows_stored, summary.rows_refused))
}

async fn form(context: CheckContext) -> Conclusion {
    let (stage, summary) = imported(context, MIXED).await?;
    let key = step("the key of the report").some("a report", summary.reports.first())?;
    let body = stage.get(key).await?;
    let report: serde_json::Value =
        step("read the report as strict JSON").succeeds("one object", serde_json::from_slice(&body))?;
    let files = step("the report").some("an object by file names", report.as_object())?;
    let members =
        ["originalCreationTime", "entryId", "valid", "numberOfRows", "errors", "errorsDetails", "warnings"];
    let mut timestamps = 0;
    for (file, entries) in files {
        for entry in entries.as_array().into_iter().flatten() {
            let entry = step(format!("an entry of `{file}`")).some("an object", entry.as_object())?;
            let mut found: Vec<&str> = entry.keys().map(String::as_str).collect();
            let mut expected = members.to_vec();
            found.sort_unstable();
            expected.sort_unstable();
            step("its members").equal(&expected, &found)?;
            let list =
                |name: &str| entry.get(name).and_then(serde_json::Value::as_array).map_or(99, Vec::len);
            step("details for codes").equal(&list("errors"), &list("errorsDetails"))?;
            step("warnings").equal(&0, &list("warnings"))?;
            let codes = entry.get("errors").map(ToString::to_string).unwrap_or_default();
            timestamps += usize::from(codes == "[\"INVALID_TIMESTAMP\"]");
        }
    }
    step("entries of rows in seconds").equal(&1, &timestamps)
}

async fn report_key(context: CheckContext) -> Conclusion {
    let (_, summary) = imported(context, GOOD).await?;
    step("the keys of the reports").equal(&[REPORT][..], &summary.reports[..])
}

async fn immutable(context: CheckContext) -> Conclusion {
    let stage = Inbound::open(context, InboundSetup::default()).await?;
    stage.put(REPORT, Bytes::from_static(b"an earlier report")).await?;
    stage.put("events/f", events_file(GOOD, Compression::SNAPPY, false)?).await?;
    stage.import("import the file").await?;
    step("what lay there before").equal(&b"an earlier report"[..], &stage.get(REPORT).await?[..])
}

async fn incremental(context: CheckContext) -> Conclusion {
    let (stage, _) = imported(context, GOOD).await?;
    let again = stage.import("import without news").await?;
    step("what it did").equal(&ImportSummary::default(), &again)
}

async fn acl(context: CheckContext) -> Conclusion {
    let setup = InboundSetup { insists_on_acl: true, ..InboundSetup::default() };
    let stage = Inbound::open(context, setup).await?;
    stage.put("events/f", events_file(GOOD, Compression::SNAPPY, false)?).await?;
    let summary = stage.import("import the file").await?;
    step("the reports").equal(&1, &summary.reports.len())
}

async fn stored(context: CheckContext, rows: &str) -> Conclusion {
    let (_, summary) = imported(context, rows).await?;
    let expected = u64::try_from(rows.lines().count()).unwrap_or(u64::MAX);
    step("the rows that are stored").equal(&expected, &summary.rows_stored)
}

async fn one_code(context: CheckContext, rows: &'static str, code: &'static str) -> Conclusion {
    let (stage, summary) = imported(context, rows).await?;
    let entries = entries_of(&stage, &summary).await?;
    step("the entries").equal(&vec![(false, 1, vec![code])], &told(&entries))?;
    step("the rows that are stored").equal(&0, &summary.rows_stored)
}

async fn exact_schema(context: CheckContext) -> Conclusion {
    let stage = Inbound::open(context, InboundSetup::default()).await?;
    stage.put("events/a b.parquet", events_file(GOOD, Compression::SNAPPY, true)?).await?;
    invalid_schema(&stage).await
}

async fn not_parquet(context: CheckContext) -> Conclusion {
    let stage = Inbound::open(context, InboundSetup::default()).await?;
    stage.put("events/a b.parquet", Bytes::from_static(b"a,b\n1,2\n")).await?;
    invalid_schema(&stage).await
}

async fn invalid_schema(stage: &Inbound) -> Conclusion {
    let summary = stage.import("import the file").await?;
    step("files refused, rows stored").equal(&(1, 0), &(summary.files_refused, summary.rows_stored))?;
    let entries = entries_of(stage, &summary).await?;
    let found: Vec<(bool, Vec<&str>)> =
        told(&entries).into_iter().map(|(valid, _, codes)| (valid, codes)).collect();
    step("the entries").equal(&vec![(false, vec!["INVALID_SCHEMA"])], &found)
}

async fn codecs(context: CheckContext) -> Conclusion {
    let stage = Inbound::open(context, InboundSetup::default()).await?;
    let rows = stage.rows(GOOD)?;
    let zstd = step("choose a level").works(ZstdLevel::try_new(3))?;
    let codecs = [
        ("none", Compression::UNCOMPRESSED),
        ("snappy", Compression::SNAPPY),
        ("gzip", Compression::GZIP(parquet::basic::GzipLevel::default())),
        ("zstd", Compression::ZSTD(zstd)),
    ];
    let mut files = 0;
    for (name, codec) in codecs {
        let body = events_file(&rows, codec, false)?;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        step("pack the file").works(std::io::Write::write_all(&mut packed, &body))?;
        let packed = step("pack the file").works(packed.finish())?;
        stage.put(&format!("events/{name}.parquet"), body).await?;
        stage.put(&format!("events/{name}.parquet.gz"), Bytes::from(packed)).await?;
        files += 2;
    }
    let summary = stage.import("import the files").await?;
    step("the files that were read").equal(&files, &summary.files_read)?;
    step("the rows that are stored").equal(&(2 * files), &summary.rows_stored)
}

async fn versions(context: CheckContext) -> Conclusion {
    let (stage, first) = imported(context, GOOD).await?;
    stage.emulator.clock().advance(std::time::Duration::from_secs(1));
    let rows = stage.rows(GOOD)?.replace("user-0", "user-9");
    stage.put("events/a b.parquet", events_file(&rows, Compression::SNAPPY, false)?).await?;
    let next = stage.import("import the new version").await?;
    step("the rows that are stored").equal(&(2, 2), &(first.rows_stored, next.rows_stored))?;
    step("it has a report of its own").equal(&false, &(first.reports == next.reports))
}

async fn sufficient(context: CheckContext) -> Conclusion {
    let (stage, _) = imported(context, MIXED).await?;
    let journal = stage.emulator.journal();
    step("the requests that were denied").equal(&0, &journal.denied().len())?;
    let reads_reports = journal
        .entries()
        .iter()
        .flat_map(|entry| entry.decisions.iter())
        .any(|decided| decided.action == "s3:GetObject" && decided.resource.contains("/my_statuses/"));
    step("a report was read").equal(&false, &reads_reports)
}

async fn refused(context: CheckContext, element: Element) -> Result<ImportError, Stop> {
    let stage =
        Inbound::open(context, InboundSetup { without: Some(element), ..InboundSetup::default() }).await?;
    stage.put("events/f", events_file(GOOD, Compression::SNAPPY, false)?).await?;
    step("import").refuses("the import stops", stage.try_import().await?)
}

async fn named(context: CheckContext, element: Element, action: &'static str) -> Conclusion {
    let error = refused(context, element).await?;
    let denied = match &error {
        ImportError::Store { source: StoreError::Denied { action, .. }, .. } => Some(action.as_str()),
        _ => None,
    };
    let denied = step(format!("why it stopped: {error}")).some("an action that is denied", denied)?;
    // To another account AWS does not tell which of s3:PutObject and s3:PutObjectAcl is missing: the help names both.
    step(format!("the action that it names, `{denied}`")).equal(&true, &action.starts_with(denied))?;
    step("what it says to do").contains(&error.help(), action)
}
