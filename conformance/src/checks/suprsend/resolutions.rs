//! What the vendor's page leaves open, as it was resolved: each resolution by itself.

use std::collections::BTreeSet;

use bucketproof_fixtures::suprsend::{Dataset, documented_rows};
use parquet::file::metadata::RowGroupMetaData;
use serde_json::{Value, json};

use super::{AREA, deliver, traffic};
use crate::check::{Check, Run};
use crate::checks::{must, requirements};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Conclusion, Stop};
use crate::stage::{Export, Stage};
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let profile = |find, replace| Falsifier::ProfileEdit(TextEdit::new(find, replace));
    let config = |find, replace| Falsifier::ConfigEdit(TextEdit::new(find, replace));
    vec![
        must(
            AREA,
            "suprsend_s3_v2.resolution.codec",
            "columns are packed with Snappy, which every reader of Parquet has",
            requirements(&["SUP-Q01"]),
            profile("compression = \"snappy\"", "compression = \"zstd\""),
            Run::new(codec),
        ),
        must(
            AREA,
            "suprsend_s3_v2.resolution.prefix",
            "keys begin at the bucket's root, or behind the prefix of the configuration",
            requirements(&["SUP-Q02"]),
            config("prefix = \"own/place/\"", "prefix = \"other/place/\""),
            Run::new(prefix),
        ),
        must(
            AREA,
            "suprsend_s3_v2.resolution.open-status",
            "a status of a message that the page does not list is exported as it came",
            requirements(&["SUP-Q11"]),
            profile(
                "doc = \"Delivery status; an open list\"",
                "doc = \"Delivery status\", values = [\"clicked\"]",
            ),
            Run::new(open_status),
        ),
        must(
            AREA,
            "suprsend_s3_v2.resolution.hours-accumulate",
            "rows of a new hour add an object, and those of a known hour replace its object; nothing is deleted",
            requirements(&["SUP-Q04"]),
            profile("time_column = \"created_at\"", "time_column = \"updated_at\""),
            Run::new(hours_accumulate),
        ),
        must(
            AREA,
            "suprsend_s3_v2.resolution.steps",
            "steps of one execution are rows of their own, and a step that is told again is the same row",
            requirements(&["SUP-34", "SUP-Q05"]),
            profile(
                "columns = [\"execution_id\", \"node_id\", \"execution_stage\", \"created_at\"]",
                "columns = [\"execution_id\"]",
            ),
            Run::new(steps),
        ),
        must(
            AREA,
            "suprsend_s3_v2.resolution.nullability",
            "the columns of keys and times may not be null, and all others may",
            requirements(&["SUP-Q10"]),
            profile(
                "{ name = \"actor\", type = \"string\", nullable = true",
                "{ name = \"actor\", type = \"string\", nullable = false",
            ),
            Run::new(nullability),
        ),
    ]
}

async fn open_status(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").datasets(&[Dataset::Messages]);
    let lines = documented_rows().messages.ndjson().replace("\"delivery_failed\"", "\"thawed\"");
    export.deliver_last(Dataset::Messages, &lines)?;
    let report = export.sync("export a message of an unknown status").await?;
    let counts = step("the report").some("counts", report.dataset("messages"))?;
    step("dead letters").equal(&0, &counts.rows_dead_lettered)?;
    let tables = stage.tables().await?;
    let rows = tables.values().flat_map(|table| &table.rows);
    let statuses: BTreeSet<&str> = rows.filter_map(|row| row.get("status")?.as_str()).collect();
    step("the unknown status is there").equal(&true, &statuses.contains("thawed"))
}

async fn codec(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    deliver(&export, &traffic())?;
    export.sync("export the traffic").await?;
    for (key, table) in stage.tables().await? {
        for column in table.metadata.row_groups().iter().flat_map(RowGroupMetaData::columns) {
            let codec = column.compression().to_string();
            step(format!("the codec of `{}` in `{key}`", column.column_path()))
                .equal("SNAPPY", codec.as_str())?;
        }
    }
    Ok(())
}

async fn prefix(context: CheckContext) -> Conclusion {
    let keys = async |context: CheckContext, line: &str| -> Result<BTreeSet<String>, Stop> {
        let stage = Stage::vendor(context).await?;
        let export =
            Export::new(&stage, "exporter").with("path_style = true\n", format!("path_style = true\n{line}"));
        deliver(&export, &traffic())?;
        export.sync("export the traffic").await?;
        Ok(stage.exported().await?.into_keys().collect())
    };
    let at_root = keys(context.undisturbed(), "").await?;
    step("keys at the root").equal(&true, &at_root.iter().all(|key| key.starts_with("year=")))?;
    let below = keys(context, "prefix = \"own/place/\"\n").await?;
    let expected: BTreeSet<String> = at_root.iter().map(|key| format!("own/place/{key}")).collect();
    step("keys below the prefix").equal(&expected, &below)
}

/// A step's log.
fn step_log(node: &str, stage: &str, created: &str, updated: &str, message: &str) -> String {
    let row = json!({
        "execution_id": "execution-1", "tenant_id": "default", "workflow_slug": "welcome",
        "created_at": created, "updated_at": updated, "node_id": node, "node_name": node, "node_type": "email",
        "execution_stage": stage, "message": message,
    });
    format!("{row}\n")
}

/// The rows of steps in the bucket, as node, stage and message.
async fn found(stage: &Stage) -> Result<Vec<(String, String, String)>, Stop> {
    let tables = stage.tables().await?;
    let rows = tables.values().flat_map(|table| &table.rows);
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut rows: Vec<_> =
        rows.map(|row| (text(row, "node_id"), text(row, "execution_stage"), text(row, "message"))).collect();
    rows.sort();
    Ok(rows)
}

async fn steps(context: CheckContext) -> Conclusion {
    const CREATED: &str = "2025-01-15T10:00:00.000000Z";
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").datasets(&[Dataset::WorkflowExecutions]);
    let logs = [
        step_log("node-1", "started", CREATED, "2025-01-15T10:00:01.000000Z", "begins"),
        step_log("node-1", "completed", CREATED, "2025-01-15T10:00:02.000000Z", "ends"),
        step_log("node-2", "started", CREATED, "2025-01-15T10:00:03.000000Z", "begins"),
        step_log("node-2", "started", CREATED, "2025-01-15T10:00:04.000000Z", "begins again"),
    ];
    export.deliver(Dataset::WorkflowExecutions, logs.concat().as_bytes())?;
    export.sync("export the steps").await?;
    let row =
        |node: &str, stage: &str, message: &str| (node.to_owned(), stage.to_owned(), message.to_owned());
    let expected = vec![
        row("node-1", "completed", "ends"),
        row("node-1", "started", "begins"),
        row("node-2", "started", "begins again"),
    ];
    step("the steps in the bucket").equal(&expected, &found(&stage).await?)
}

async fn hours_accumulate(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").datasets(&[Dataset::WorkflowExecutions]);
    let deliver = |node: &str, created: &str, updated: &str| {
        let log = step_log(node, "started", created, updated, "begins");
        export.deliver(Dataset::WorkflowExecutions, log.as_bytes())
    };
    deliver("node-1", "2025-01-15T10:10:00.000000Z", "2025-01-15T10:10:00.000000Z")?;
    export.sync("export the first hour").await?;
    let first: BTreeSet<String> = stage.exported().await?.into_keys().collect();
    step("objects after the first hour").equal(&1, &first.len())?;
    // A row of the first hour that changed in the second, and one of the second.
    deliver("node-2", "2025-01-15T10:20:00.000000Z", "2025-01-15T11:20:00.000000Z")?;
    deliver("node-3", "2025-01-15T11:10:00.000000Z", "2025-01-15T11:10:00.000000Z")?;
    export.sync("export the second hour").await?;
    let tables = stage.tables().await?;
    let both: BTreeSet<String> = tables.keys().cloned().collect();
    step("the first hour's object is still there").equal(&true, &both.is_superset(&first))?;
    let rows: Vec<usize> = tables.values().map(|table| table.rows.len()).collect();
    step("rows by hour").equal(&vec![2, 1], &rows)
}

async fn nullability(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").datasets(&[Dataset::Requests]);
    deliver_requests(&export)?;
    export.sync("export requests").await?;
    let never = ["api_type", "api_name", "tenant_id", "created_at", "updated_at", "idempotency_key"];
    for (key, table) in stage.tables().await? {
        for field in table.schema.fields() {
            let may_be_null = !never.contains(&field.name().as_str());
            step(format!("whether `{}` in `{key}` may be null", field.name()))
                .equal(&may_be_null, &field.is_nullable())?;
        }
    }
    Ok(())
}

fn deliver_requests(export: &Export<'_>) -> Conclusion {
    export.deliver_last(Dataset::Requests, &traffic().dataset(Dataset::Requests).ndjson())
}
