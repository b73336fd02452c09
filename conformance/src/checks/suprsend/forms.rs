//! What the vendor's page says of the values of columns: the export brings them to the reader as they are documented, none of
//! it lost on the way.

use bucketproof_fixtures::suprsend::{Dataset, documented_rows};
use serde_json::Value;

use super::{AREA, traffic};
use crate::check::{Check, CheckId, Run};
use crate::checks::{must, requirements};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::Conclusion;
use crate::stage::{Export, Stage};
use crate::step::step;

/// A form that every value of a column has.
struct Form {
    id: &'static str,
    title: &'static str,
    ids: &'static [&'static str],
    dataset: Dataset,
    /// Which rows are looked at; there must be some.
    of: fn(&Value) -> bool,
    holds: fn(&Value) -> bool,
    /// A change of what the source delivers, under which it cannot hold.
    broken_by: (&'static str, &'static str),
}

static FORMS: [Form; 14] = [
    Form {
        id: "request-errors",
        title: "requests carry the errors of the API and of triggers, each with message and severity",
        ids: &["SUP-19", "SUP-28"],
        dataset: Dataset::Requests,
        of: |row| has(row, "errors"),
        holds: |row| elements(row, "errors").iter().all(is_problem),
        broken_by: ("\"severity\"", "\"level\""),
    },
    Form {
        id: "partial-failure",
        title: "a partial failure is told as such, with nothing but warnings as well",
        ids: &["SUP-25"],
        dataset: Dataset::Requests,
        of: |row| text(row, "status") == "partial_failure" && severities(row) == ["warning"],
        holds: |row| elements(row, "errors").iter().all(is_problem),
        broken_by: ("\"warning\"", "\"error\""),
    },
    Form {
        id: "recipients",
        title: "requests list users by their distinct_id and objects as type/id",
        ids: &["SUP-26"],
        dataset: Dataset::Requests,
        of: |row| has(row, "distinct_id_list"),
        holds: |row| {
            let listed = row.get("distinct_id_list").and_then(Value::as_array);
            listed.is_some_and(|list| list.iter().all(|id| id.as_str().is_some_and(is_recipient)))
        },
        broken_by: ("\"user_1024\"", "\"/user_1024\""),
    },
    Form {
        id: "request-json",
        title: "requests carry the trigger's input, the answer, and what is known of the caller, as JSON",
        ids: &["SUP-27"],
        dataset: Dataset::Requests,
        of: |row| has(row, "payload") && has(row, "metadata") && has(row, "response"),
        holds: |row| {
            let (payload, metadata) = (json(row, "payload"), json(row, "metadata"));
            let has_all = ["sdk", "machine", "location"].iter().all(|name| metadata.get(*name).is_some());
            payload.get("body").is_some() && has_all && json(row, "response").is_object()
        },
        broken_by: ("\"location\"", "\"place\""),
    },
    Form {
        id: "executions",
        title: "each execution of a request has an execution id and a slug",
        ids: &["SUP-29"],
        dataset: Dataset::Requests,
        of: |row| has(row, "executions"),
        holds: |row| {
            let all = elements(row, "executions");
            all.iter().all(|one| !text(one, "execution_id").is_empty() && !text(one, "slug").is_empty())
        },
        broken_by: ("\"slug\"", "\"name\""),
    },
    Form {
        id: "step-errors",
        title: "workflow executions carry the errors of workflows with their message",
        ids: &["SUP-20"],
        dataset: Dataset::WorkflowExecutions,
        of: |row| text(row, "status") == "error",
        holds: |row| !text(row, "message").is_empty(),
        broken_by: ("\"error\"", "\"info\""),
    },
    Form {
        id: "objects",
        title: "a workflow's recipient is a user or an object, and its parent is an object as type/id",
        ids: &["SUP-35"],
        dataset: Dataset::WorkflowExecutions,
        of: |row| has(row, "parent_object"),
        holds: |row| {
            let (parent, recipient) = (text(row, "parent_object"), text(row, "recipient_distinct_id"));
            parent.contains('/') && is_recipient(parent) && is_recipient(recipient)
        },
        broken_by: ("\"parent_object\"", "\"parent\""),
    },
    Form {
        id: "delivery-failures",
        title: "messages carry the failures of deliveries in the words of whoever delivers",
        ids: &["SUP-21", "SUP-39"],
        dataset: Dataset::Messages,
        of: |row| has(row, "delivery_failure_reason"),
        holds: |row| !text(row, "delivery_failure_reason").is_empty(),
        broken_by: ("\"delivery_failure_reason\"", "\"delivery_failure\""),
    },
    Form {
        id: "execution-failures",
        title: "messages that were not made carry the failure as JSON with its severity",
        ids: &["SUP-39"],
        dataset: Dataset::Messages,
        of: |row| has(row, "execution_failure_reason"),
        holds: |row| is_problem(&json(row, "execution_failure_reason")),
        broken_by: ("\"severity\"", "\"level\""),
    },
    Form {
        id: "fallback-level",
        title: "the levels of fallback between those who deliver begin at 0",
        ids: &["SUP-41"],
        dataset: Dataset::Messages,
        of: |row| integer(row, "vendor_fallback_level").is_some(),
        holds: |row| integer(row, "vendor_fallback_level").is_some_and(|level| level >= 0),
        broken_by: ("\"vendor_fallback_level\"", "\"fallback_level\""),
    },
    Form {
        id: "first-fallback",
        title: "there are messages that the first of those who deliver has taken",
        ids: &["SUP-41"],
        dataset: Dataset::Messages,
        of: |row| integer(row, "vendor_fallback_level") == Some(0),
        holds: |row| !text(row, "vendor_name").is_empty(),
        broken_by: ("\"vendor_name\"", "\"vendor\""),
    },
    Form {
        id: "delivery-names",
        title: "whoever delivers stands with its nickname, and with its type and channel",
        ids: &["SUP-42"],
        dataset: Dataset::Messages,
        of: |row| has(row, "vendor_name_slug"),
        holds: |row| {
            let channel = format!("-{}", text(row, "channel_slug"));
            !text(row, "vendor_name").is_empty() && text(row, "vendor_name_slug").ends_with(&channel)
        },
        broken_by: ("\"vendor_name_slug\"", "\"vendor_slug\""),
    },
    Form {
        id: "smart-routing",
        title: "messages of smart routing carry what counts as success and the pause between channels",
        ids: &["SUP-43"],
        dataset: Dataset::Messages,
        of: |row| row.get("is_smart") == Some(&Value::Bool(true)) && has(row, "success_metric"),
        holds: |row| integer(row, "wait_time_in_seconds").is_some_and(|seconds| seconds >= 0),
        broken_by: ("\"wait_time_in_seconds\"", "\"wait_time\""),
    },
    Form {
        id: "webhooks",
        title: "messages of webhooks carry what was sent and what came back",
        ids: &["SUP-44"],
        dataset: Dataset::Messages,
        of: |row| has(row, "webhook_data"),
        holds: |row| {
            let data = json(row, "webhook_data");
            data.get("request").is_some() && data.get("response").is_some()
        },
        broken_by: ("\"webhook_data\"", "\"webhook\""),
    },
];

pub(super) fn checks() -> Vec<Check> {
    let check = |form: &'static Form| {
        let (find, replace) = form.broken_by;
        let falsifier =
            Falsifier::InputEdit { dataset: form.dataset.name().into(), edit: TextEdit::new(find, replace) };
        let run = Run::new(move |context| holds(context, form));
        let check = must(AREA, "suprsend_s3_v2", form.title, requirements(form.ids), falsifier, run);
        Check { id: CheckId::from(format!("suprsend_s3_v2.form.{}", form.id)), ..check }
    };
    FORMS.iter().map(check).collect()
}

async fn holds(context: CheckContext, form: &'static Form) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    let (documented, drawn) = (documented_rows(), traffic());
    for dataset in Dataset::ALL {
        let rows = documented.dataset(dataset).ndjson() + &drawn.dataset(dataset).ndjson();
        export.deliver_last(dataset, &rows)?;
    }
    export.sync("export the rows").await?;
    let file = format!("/{}.parquet", form.dataset.name());
    let tables = stage.tables().await?;
    let rows = tables.iter().filter(|(key, _)| key.ends_with(&file)).flat_map(|(_, table)| &table.rows);
    let rows: Vec<&Value> = rows.filter(|row| (form.of)(row)).collect();
    step(format!("there are such rows of `{}`", form.dataset.name())).equal(&false, &rows.is_empty())?;
    for row in rows {
        if !(form.holds)(row) {
            let found = row.to_string().chars().take(1200).collect::<String>();
            return Err(step("look at a row").failure(form.title, found).into());
        }
    }
    Ok(())
}

fn has(row: &Value, column: &str) -> bool {
    row.get(column).is_some_and(|value| !value.is_null())
}

fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

fn integer(row: &Value, column: &str) -> Option<i64> {
    row.get(column)?.as_i64()
}

/// A column of JSON, which a reader finds as text.
fn json(row: &Value, column: &str) -> Value {
    serde_json::from_str(text(row, column)).unwrap_or_default()
}

/// The elements of a list of JSON.
fn elements(row: &Value, column: &str) -> Vec<Value> {
    let list = row.get(column).and_then(Value::as_array).into_iter().flatten();
    list.map(|one| one.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
        .collect()
}

fn is_problem(problem: &Value) -> bool {
    !text(problem, "message").is_empty() && !text(problem, "severity").is_empty()
}

/// Every severity of a request's errors, once.
fn severities(row: &Value) -> Vec<String> {
    let mut severities: Vec<String> =
        elements(row, "errors").iter().map(|problem| text(problem, "severity").to_owned()).collect();
    severities.sort();
    severities.dedup();
    severities
}

/// An id of a user, or `type/id` of an object.
fn is_recipient(id: &str) -> bool {
    !id.is_empty() && id.split('/').all(|part| !part.is_empty())
}
