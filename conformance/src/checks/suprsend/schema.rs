//! Columns, types and values.

use std::collections::BTreeSet;

use arrow_schema::{DataType, Field, TimeUnit};
use bucketproof_fixtures::suprsend::{ColumnKind, Dataset, Presence};
use serde_json::Value;

use super::{AREA, deliver, traffic};
use crate::check::{Check, Run};
use crate::checks::{must, requirements};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Conclusion, Stop};
use crate::stage::{Export, Stage, Table};
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let profile = |find, replace| Falsifier::ProfileEdit(TextEdit::new(find, replace));
    vec![
        must(
            AREA,
            "suprsend_s3_v2.schema.requests",
            "requests has the 14 documented columns in order, with their types",
            requirements(&["SUP-23", "SUP-31", "SUP-Q06", "SUP-Q07", "SUP-Q08"]),
            profile("{ name = \"actor\", type = \"string\"", "{ name = \"acting\", type = \"string\""),
            Run::new(async |context| columns(context, Dataset::Requests).await),
        ),
        must(
            AREA,
            "suprsend_s3_v2.schema.workflow-executions",
            "workflow_executions has the 17 documented columns in order, with their types",
            requirements(&["SUP-32", "SUP-36"]),
            profile(
                "{ name = \"workflow_version\", type = \"string\"",
                "{ name = \"workflow_version\", type = \"integer\"",
            ),
            Run::new(async |context| columns(context, Dataset::WorkflowExecutions).await),
        ),
        must(
            AREA,
            "suprsend_s3_v2.schema.messages",
            "messages has the 36 documented columns in order, with their types",
            requirements(&["SUP-37", "SUP-40", "SUP-Q09"]),
            profile("{ name = \"is_smart\", type = \"boolean\"", "{ name = \"is_smart\", type = \"string\""),
            Run::new(async |context| columns(context, Dataset::Messages).await),
        ),
        must(
            AREA,
            "suprsend_s3_v2.schema.message-without-id",
            "a message with an execution error has no message_id, and is exported",
            requirements(&["SUP-38"]),
            profile(
                "{ name = \"message_id\", type = \"string\", nullable = true",
                "{ name = \"message_id\", type = \"string\", nullable = false",
            ),
            Run::new(message_without_id),
        ),
        must(
            AREA,
            "suprsend_s3_v2.schema.request-status",
            "a request's status is completed, failure or partial_failure",
            requirements(&["SUP-24"]),
            Falsifier::InputEdit {
                dataset: "requests".into(),
                edit: TextEdit::new("\"partial_failure\"", "\"failure\""),
            },
            Run::new(request_status),
        ),
        must(
            AREA,
            "suprsend_s3_v2.schema.updated-at-statistics",
            "row groups carry statistics on updated_at, so that incremental readers can skip",
            requirements(&["SUP-70"]),
            profile(
                "{ name = \"updated_at\", type = \"datetime\"",
                "{ name = \"updated_at\", type = \"string\"",
            ),
            Run::new(updated_at_statistics),
        ),
    ]
}

async fn tables_of(context: CheckContext, dataset: Dataset) -> Result<Vec<Table>, Stop> {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    deliver(&export, &traffic())?;
    export.sync("export the traffic").await?;
    let file = format!("/{}.parquet", dataset.name());
    let tables = stage.tables().await?.into_iter();
    let tables: Vec<Table> = tables.filter(|(key, _)| key.ends_with(&file)).map(|(_, table)| table).collect();
    step(format!("files of `{}`", dataset.name())).equal(&false, &tables.is_empty())?;
    Ok(tables)
}

/// A column in words: `api_type string required`.
fn words(field: &Field) -> String {
    let kind = match field.data_type() {
        DataType::Utf8 => "string",
        DataType::Boolean => "boolean",
        DataType::Int64 => "integer",
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if &**zone == "UTC" => "datetime",
        DataType::List(item) if *item.data_type() == DataType::Utf8 => "list of strings",
        _ => "unknown",
    };
    let presence = if field.is_nullable() { "optional" } else { "required" };
    format!("{} {kind} {presence}", field.name())
}

async fn columns(context: CheckContext, dataset: Dataset) -> Conclusion {
    let expected: Vec<String> = dataset
        .columns()
        .iter()
        .map(|column| {
            let kind = match column.kind {
                ColumnKind::Text | ColumnKind::Json => "string",
                ColumnKind::Time => "datetime",
                ColumnKind::TextList | ColumnKind::JsonList => "list of strings",
                ColumnKind::Integer => "integer",
                ColumnKind::Boolean => "boolean",
            };
            let presence = match column.presence {
                Presence::Required => "required",
                Presence::Nullable => "optional",
            };
            format!("{} {kind} {presence}", column.name)
        })
        .collect();
    for table in tables_of(context, dataset).await? {
        let found: Vec<String> = table.schema.fields().iter().map(|field| words(field)).collect();
        step(format!("the columns of `{}`", dataset.name())).equal(&expected, &found)?;
    }
    Ok(())
}

async fn message_without_id(context: CheckContext) -> Conclusion {
    let tables = tables_of(context, Dataset::Messages).await?;
    let found = tables.iter().flat_map(|table| &table.rows).any(|row| {
        row.get("message_id") == Some(&Value::Null)
            && row.get("execution_failure_reason") != Some(&Value::Null)
    });
    step("a message with an execution error and without an id").equal(&true, &found)
}

async fn request_status(context: CheckContext) -> Conclusion {
    let tables = tables_of(context, Dataset::Requests).await?;
    let found: BTreeSet<&str> =
        tables.iter().flat_map(|table| &table.rows).filter_map(|row| row.get("status")?.as_str()).collect();
    let expected = BTreeSet::from(["completed", "failure", "partial_failure"]);
    step("the values of status").equal(&expected, &found)
}

async fn updated_at_statistics(context: CheckContext) -> Conclusion {
    for table in tables_of(context, Dataset::Messages).await? {
        for group in table.metadata.row_groups() {
            let column = group.columns().iter().find(|column| column.column_path().string() == "updated_at");
            let column = step("the column updated_at").some("a column", column)?;
            let statistics = step("its statistics").some("statistics", column.statistics())?;
            let bounded = statistics.min_bytes_opt().is_some() && statistics.max_bytes_opt().is_some();
            step("a smallest and a largest value").equal(&true, &bounded)?;
            let kind = column.column_descr().physical_type();
            step("the values order as times").equal(&parquet::basic::Type::INT64, &kind)?;
        }
    }
    Ok(())
}
