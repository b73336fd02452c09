//! What objects hold: nothing lost, nothing twice, the latest state of each row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use bucketproof_connector::engine::Connection;
use bucketproof_connector::names::{BucketName, ObjectKey};
use bucketproof_connector::store::{ObjectHead, PutOutcome, PutRequest, Store, StoreError, StoredObject};
use bucketproof_emulator::{Fault, Op};
use bucketproof_fixtures::suprsend::{Content, Dataset, Logs, Row, malformed_rows};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{AREA, deliver, traffic};
use crate::check::{Check, Run};
use crate::checks::{must, requirements};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Conclusion, Stop};
use crate::stage::{Export, Stage, Table};
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let input = |dataset: &'static str, find, replace| Falsifier::InputEdit {
        dataset: dataset.into(),
        edit: TextEdit::new(find, replace),
    };
    vec![
        must(
            AREA,
            "suprsend_s3_v2.content.fold",
            "after every sync each hour holds exactly the latest state of every row delivered so far",
            requirements(&["SUP-07", "ENG-01", "ENG-14"]),
            Falsifier::ProfileEdit(TextEdit::new("version = \"updated_at\"", "version = \"created_at\"")),
            Run::new(fold),
        ),
        must(
            AREA,
            "suprsend_s3_v2.content.unchanged-hour",
            "an hour in which nothing changed is not written again",
            requirements(&["SUP-08"]),
            input("requests", "\"status\": \"completed\"", "\"status\": \"failure\""),
            Run::new(unchanged_hour),
        ),
        must(
            AREA,
            "suprsend_s3_v2.content.row-groups",
            "an hour of many row groups keeps all of them when some of its rows change",
            requirements(&["SUP-07", "ENG-01"]),
            Falsifier::RowGroupLost,
            Run::new(row_groups),
        ),
        must(
            AREA,
            "suprsend_s3_v2.content.two-writers",
            "a writer that comes late keeps what another wrote in the meantime",
            requirements(&["SUP-09", "ENG-03", "ENG-04"]),
            Falsifier::Fault(Fault::on(Op::PutObject).ignore_header("if-match")),
            Run::new(two_writers),
        ),
        must(
            AREA,
            "suprsend_s3_v2.content.lost-answer",
            "a write whose answer is lost is neither lost nor done twice",
            requirements(&["SUP-09", "ENG-01"]),
            // An endpoint that acknowledges writes and does not carry them out.
            Falsifier::Fault(Fault::on(Op::PutObject).skip(3).refuse(http::StatusCode::OK, "Ignored", "")),
            Run::new(lost_answer),
        ),
        must(
            AREA,
            "suprsend_s3_v2.content.updated-at-never-decreases",
            "from one published version to the next, no row goes back to an earlier updated_at",
            requirements(&["SUP-11", "SUP-12"]),
            Falsifier::ProfileEdit(TextEdit::new("version = \"updated_at\"", "version = \"created_at\"")),
            Run::new(never_decreases),
        ),
        must(
            AREA,
            "suprsend_s3_v2.content.malformed-rows",
            "malformed rows become dead letters with a reason, the others are exported, and the counts add up",
            requirements(&["ENG-14"]),
            input("requests", "\"api_name\"", "\"api_label\""),
            Run::new(malformed),
        ),
        must(
            AREA,
            "suprsend_s3_v2.content.join-executions",
            "requests join workflow_executions on execution_id without an orphan",
            requirements(&["SUP-45", "SUP-Q12"]),
            input("workflow_executions", "\"execution_id\":\"", "\"execution_id\":\"x"),
            Run::new(join_executions),
        ),
        must(
            AREA,
            "suprsend_s3_v2.content.join-messages",
            "workflow_executions join messages on wf_execution_id without an orphan",
            requirements(&["SUP-46"]),
            input("workflow_executions", "\"execution_id\":\"", "\"execution_id\":\"x"),
            Run::new(join_messages),
        ),
        must(
            AREA,
            "suprsend_s3_v2.content.join-idempotency-key",
            "idempotency_key is common to all three tables and never missing",
            requirements(&["SUP-47", "SUP-30"]),
            input("requests", "\"idempotency_key\":\"", "\"idempotency_key\":\"x"),
            Run::new(join_idempotency_key),
        ),
    ]
}

/// The rows of each object in an order that does not matter.
fn sorted<'a>(rows: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().map(Value::to_string).collect();
    rows.sort();
    rows
}

/// The bucket must hold exactly what the model says, for one dataset.
fn equals_model(tables: &BTreeMap<String, Table>, dataset: Dataset, model: &Content) -> Conclusion {
    let file = format!("/{}.parquet", dataset.name());
    let found: BTreeSet<&str> =
        tables.keys().filter(|key| key.ends_with(&file)).map(String::as_str).collect();
    let keys: Vec<String> = model.hours.keys().map(|hour| hour.object_key(dataset)).collect();
    let expected: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    step(format!("the hours of `{}`", dataset.name())).equal(&expected, &found)?;
    for (hour, rows) in &model.hours {
        let key = hour.object_key(dataset);
        let table = step(format!("`{key}`")).some("an object", tables.get(&key))?;
        let (expected, found) = (sorted(rows), sorted(&table.rows));
        step(format!("the number of rows in `{key}`")).equal(&expected.len(), &found.len())?;
        for (expected, found) in expected.iter().zip(&found) {
            step(format!("a row of `{key}`")).equal(expected, found)?;
        }
    }
    Ok(())
}

async fn all_equal_model(stage: &Stage, logs: &Logs) -> Conclusion {
    let tables = stage.tables().await?;
    for dataset in Dataset::ALL {
        equals_model(&tables, dataset, &logs.dataset(dataset).content())?;
    }
    Ok(())
}

const SYNCS: usize = 3;

/// The rows of one sync, of `SYNCS`.
fn part(rows: &[Row], number: usize) -> &[Row] {
    let length = rows.len().div_ceil(SYNCS).max(1);
    rows.chunks(length).nth(number).unwrap_or_default()
}

fn lines(rows: &[Row]) -> String {
    rows.iter().map(|row| row.line() + "\n").collect()
}

async fn fold(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    let logs = traffic();
    for number in 0..SYNCS {
        for dataset in Dataset::ALL {
            export.deliver_last(dataset, &lines(part(&logs.dataset(dataset).rows, number)))?;
        }
        let report = export.sync(&format!("sync {}", number + 1)).await?;
        let tables = stage.tables().await?;
        for dataset in Dataset::ALL {
            let counts = report.dataset(dataset.name());
            let counts = step(format!("the report on `{}`", dataset.name())).some("counts", counts)?;
            let read = u64::try_from(part(&logs.dataset(dataset).rows, number).len()).unwrap_or(u64::MAX);
            step(format!("rows read of `{}`", dataset.name())).equal(&read, &counts.rows_read)?;
            let sum = counts.rows_written + counts.rows_deduplicated + counts.rows_dead_lettered;
            step(format!("rows accounted for of `{}`", dataset.name())).equal(&read, &sum)?;
            let so_far = (0..=number).flat_map(|number| part(&logs.dataset(dataset).rows, number));
            equals_model(&tables, dataset, &Content::of(so_far))?;
        }
    }
    Ok(())
}

async fn unchanged_hour(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    let logs = traffic();
    for dataset in Dataset::ALL {
        export.deliver(dataset, logs.dataset(dataset).ndjson().as_bytes())?;
    }
    export.sync("export the traffic").await?;
    let versions = async |name: &str| {
        let administrator = stage.administrator();
        let listed = administrator.list_objects_v2().bucket(bucketproof_fixtures::scenario::SUPRSEND_BUCKET);
        let listed = step(name).succeeds("a listing", listed.send().await)?;
        let versions = listed.contents().iter().map(|object| {
            (
                object.key().map(str::to_owned),
                object.e_tag().map(str::to_owned),
                object.last_modified().copied(),
            )
        });
        Ok::<_, Stop>(versions.collect::<Vec<_>>())
    };
    let before = versions("list the objects").await?;
    stage.advance(std::time::Duration::from_mins(5));
    // The same rows once more, spelled as they would be from another source.
    for dataset in Dataset::ALL {
        let rows = logs.dataset(dataset).content().hours;
        let again =
            rows.into_values().flatten().map(|row| respelled(dataset, &row) + "\n").collect::<String>();
        export.deliver_last(dataset, &again)?;
    }
    export.sync("deliver the same rows again").await?;
    step("keys, ETags and times of the objects").equal(&before, &versions("list the objects again").await?)
}

/// A row as exported, written as a source would write it.
fn respelled(dataset: Dataset, row: &Value) -> String {
    use bucketproof_fixtures::suprsend::ColumnKind;
    let fields = dataset.columns().iter().map(|column| {
        let value = row.get(column.name).unwrap_or(&Value::Null);
        let text = match (column.kind, value) {
            (ColumnKind::Json, Value::String(text)) => text.clone(),
            (ColumnKind::JsonList, Value::Array(items)) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                format!("[{}]", items.join(","))
            }
            _ => value.to_string(),
        };
        format!("\"{}\": {text}", column.name)
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

async fn row_groups(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").datasets(&[Dataset::Requests]);
    let export = export.with_profile("row_group_rows = 16384", "row_group_rows = 4");
    let rows = traffic().requests.rows;
    for number in 0..SYNCS {
        export.deliver_last(Dataset::Requests, &lines(part(&rows, number)))?;
        export.sync(&format!("sync {}", number + 1)).await?;
    }
    let tables = stage.tables().await?;
    let groups = tables.values().map(|table| table.metadata.num_row_groups()).min().unwrap_or_default();
    step("every hour has several row groups").equal(&true, &(groups > 1))?;
    equals_model(&tables, Dataset::Requests, &Content::of(&rows))
}

/// A store that lets another writer finish just before the first write.
#[derive(Debug)]
struct Overtaken {
    store: Arc<dyn Store>,
    other: Mutex<Option<Connection>>,
}

#[async_trait]
impl Store for Overtaken {
    fn bucket(&self) -> &BucketName {
        self.store.bucket()
    }

    async fn list_probe(&self, prefix: &str) -> Result<(), StoreError> {
        self.store.list_probe(prefix).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<StoredObject>, StoreError> {
        self.store.get(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, StoreError> {
        self.store.head(key).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutOutcome, StoreError> {
        if let Some(other) = self.other.lock().await.take() {
            // If the other writer fails, its rows are missing in the end, and that is what the check looks at.
            let _outcome = other.sync().await;
        }
        self.store.put(request).await
    }

    async fn refresh_credentials(&self) {
        self.store.refresh_credentials().await;
    }
}

async fn two_writers(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let rows = traffic().requests.rows;
    let hour = rows.first().map(Row::hour);
    let rows: Vec<&Row> = rows.iter().filter(|row| Some(row.hour()) == hour).collect();
    let line = |position: usize| {
        rows.iter().skip(position).step_by(3).map(|row| row.line() + "\n").collect::<String>()
    };
    let first = Export::new(&stage, "first").datasets(&[Dataset::Requests]);
    first.deliver(Dataset::Requests, line(0).as_bytes())?;
    first.sync("export a third of an hour").await?;

    let second = Export::new(&stage, "second").datasets(&[Dataset::Requests]);
    second.deliver(Dataset::Requests, line(1).as_bytes())?;
    let other = second.connect(|store| store)?;
    let other = other.map_err(|stop| second.failure("set the second writer up", &stop))?;
    first.deliver(Dataset::Requests, line(2).as_bytes())?;
    let late = first.connect(|store| Arc::new(Overtaken { store, other: Mutex::new(Some(other)) }))?;
    let late = late.map_err(|stop| first.failure("set the first writer up", &stop))?;
    step("the late writer's sync").succeeds("it does its work", late.sync().await)?;

    let tables = stage.tables().await?;
    let in_order = (0..3).flat_map(|position| rows.iter().skip(position).step_by(3).copied());
    equals_model(&tables, Dataset::Requests, &Content::of(in_order))
}

async fn lost_answer(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    let logs = traffic();
    deliver(&export, &logs)?;
    let lost = stage.emulator.inject(Fault::on(Op::PutObject).skip(1).times(2).drop_answer());
    export.sync("export while answers are lost").await?;
    step("answers were lost").equal(&2, &lost.hits())?;
    all_equal_model(&stage, &logs).await
}

async fn never_decreases(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").datasets(&[Dataset::Requests]);
    let rows = traffic().requests.rows;
    let mut latest: BTreeMap<String, String> = BTreeMap::new();
    for number in 0..SYNCS {
        export.deliver_last(Dataset::Requests, &lines(part(&rows, number)))?;
        export.sync(&format!("sync {}", number + 1)).await?;
        for row in stage.tables().await?.values().flat_map(|table| &table.rows) {
            let of = |column: &str| row.get(column).map(Value::to_string).unwrap_or_default();
            let key =
                ["tenant_id", "idempotency_key", "api_type", "api_name", "created_at"].map(of).join(" ");
            let updated_at = of("updated_at");
            if let Some(before) = latest.get(&key)
                && *before > updated_at
            {
                let step = step(format!("the updated_at of {key} after sync {}", number + 1));
                return Err(step.failure(format!("{before} or later"), updated_at).into());
            }
            latest.insert(key, updated_at);
        }
    }
    // Whoever reads all versions and takes the latest state of each row has the final state.
    let model = Content::of(&rows);
    let expected = model.hours.values().map(Vec::len).sum::<usize>();
    step("the number of rows in the end").equal(&expected, &latest.len())?;
    equals_model(&stage.tables().await?, Dataset::Requests, &model)
}

async fn malformed(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").datasets(&[Dataset::Requests]);
    let rows = traffic().requests.rows;
    let bad = malformed_rows(Dataset::Requests);
    for row in &bad {
        export.deliver(Dataset::Requests, &row.line)?;
        export.deliver(Dataset::Requests, b"\n")?;
    }
    export.deliver_last(Dataset::Requests, &lines(&rows))?;
    let report = export.sync("export good and bad rows").await?;
    let counts = step("the report").some("counts", report.dataset("requests"))?;
    let (good, bad_count) = (rows.len(), bad.len());
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    step("rows read").equal(&count(good + bad_count), &counts.rows_read)?;
    step("dead letters").equal(&count(bad_count), &counts.rows_dead_lettered)?;
    step("rows accounted for").equal(
        &counts.rows_read,
        &(counts.rows_written + counts.rows_deduplicated + counts.rows_dead_lettered),
    )?;
    let path = step("the report names the dead letters").some("a file", counts.dead_letter_file.as_ref())?;
    let letters = step("read the dead letters").works(std::fs::read_to_string(path))?;
    step("one line per dead letter").equal(&bad_count, &letters.lines().count())?;
    for letter in letters.lines() {
        let letter: Value = step("parse a dead letter").works(serde_json::from_str(letter))?;
        let reason = letter.get("reason").and_then(Value::as_str).unwrap_or_default();
        step("its reason").equal(&false, &reason.is_empty())?;
    }
    equals_model(&stage.tables().await?, Dataset::Requests, &Content::of(&rows))
}

/// The exported rows of each dataset.
async fn exported_rows(context: CheckContext) -> Result<BTreeMap<&'static str, Vec<Value>>, Stop> {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    deliver(&export, &traffic())?;
    export.sync("export the traffic").await?;
    let mut rows: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    for (key, table) in stage.tables().await? {
        let dataset =
            Dataset::ALL.into_iter().find(|dataset| key.ends_with(&format!("/{}.parquet", dataset.name())));
        let dataset = step(format!("the dataset of `{key}`")).some("a dataset", dataset)?;
        rows.entry(dataset.name()).or_default().extend(table.rows);
    }
    for dataset in Dataset::ALL {
        step(format!("rows of `{}`", dataset.name())).some("rows", rows.get(dataset.name()))?;
    }
    Ok(rows)
}

/// The texts of a column.
fn texts<'a>(
    rows: &'a BTreeMap<&'static str, Vec<Value>>,
    dataset: Dataset,
    column: &str,
) -> BTreeSet<&'a str> {
    rows.get(dataset.name()).into_iter().flatten().filter_map(|row| row.get(column)?.as_str()).collect()
}

/// Every value on the left must be found on the right; and there must be some.
fn no_orphans(name: &str, left: &BTreeSet<&str>, right: &BTreeSet<&str>) -> Conclusion {
    step(format!("{name}: there is something to join")).equal(&false, &left.is_empty())?;
    let orphans: Vec<&&str> = left.difference(right).take(3).collect();
    step(format!("{name}: orphans")).equal(&Vec::<&&str>::new(), &orphans)
}

async fn join_executions(context: CheckContext) -> Conclusion {
    let rows = exported_rows(context).await?;
    let mut ids = BTreeSet::new();
    for request in rows.get(Dataset::Requests.name()).into_iter().flatten() {
        for execution in request.get("executions").and_then(Value::as_array).into_iter().flatten() {
            let text = execution.as_str().unwrap_or_default();
            let execution: Value =
                step("parse an execution of a request").succeeds("JSON", serde_json::from_str(text))?;
            let id = execution.get("execution_id").and_then(Value::as_str);
            ids.insert(step("the execution's id").some("an execution_id", id)?.to_owned());
        }
    }
    let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    no_orphans(
        "requests to workflow_executions",
        &ids,
        &texts(&rows, Dataset::WorkflowExecutions, "execution_id"),
    )
}

async fn join_messages(context: CheckContext) -> Conclusion {
    let rows = exported_rows(context).await?;
    let messages = texts(&rows, Dataset::Messages, "wf_execution_id");
    let executions = texts(&rows, Dataset::WorkflowExecutions, "execution_id");
    no_orphans("messages to workflow_executions", &messages, &executions)
}

async fn join_idempotency_key(context: CheckContext) -> Conclusion {
    let rows = exported_rows(context).await?;
    let requests = texts(&rows, Dataset::Requests, "idempotency_key");
    for dataset in [Dataset::WorkflowExecutions, Dataset::Messages] {
        let keys = texts(&rows, dataset, "idempotency_key");
        no_orphans(&format!("{} to requests", dataset.name()), &keys, &requests)?;
    }
    for dataset in Dataset::ALL {
        let missing = rows
            .get(dataset.name())
            .into_iter()
            .flatten()
            .filter(|row| row.get("idempotency_key").and_then(Value::as_str).is_none_or(str::is_empty));
        step(format!("rows of `{}` without the key", dataset.name())).equal(&0, &missing.count())?;
    }
    Ok(())
}
