//! Where objects lie and what they are called.

use std::collections::{BTreeMap, BTreeSet};

use bucketproof_emulator::{Fault, Op};
use bucketproof_fixtures::suprsend::{DOCUMENTED_KEYS, Dataset, Logs, documented_rows};
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
    let layout = |find, replace| Falsifier::ProfileEdit(TextEdit::new(find, replace));
    vec![
        must(
            AREA,
            "suprsend_s3_v2.layout.parquet",
            "every exported object is a Parquet file",
            requirements(&["SUP-02"]),
            Falsifier::Fault(Fault::on(Op::GetObject).body("not a Parquet file")),
            Run::new(parquet),
        ),
        must(
            AREA,
            "suprsend_s3_v2.layout.hour-of-row",
            "every row lies in the hour of its created_at, UTC",
            requirements(&["SUP-03", "SUP-Q03"]),
            layout("time_column = \"created_at\"", "time_column = \"updated_at\""),
            Run::new(hour_of_row),
        ),
        must(
            AREA,
            "suprsend_s3_v2.layout.key",
            "keys are year=YYYY/month=MM/day=DD/hour=HH/<dataset>.parquet, zero-padded, 24 hours",
            requirements(&["SUP-04"]),
            layout("month={t:%m}", "month={t:%-m}"),
            Run::new(key),
        ),
        must(
            AREA,
            "suprsend_s3_v2.layout.documented-keys",
            "the keys that the vendor's page shows hold the rows of their hour",
            requirements(&["SUP-04", "SUP-22"]),
            layout("hour={t:%H}", "hour={t:%I}"),
            Run::new(documented_keys),
        ),
        must(
            AREA,
            "suprsend_s3_v2.layout.one-object",
            "an hour holds one object per dataset, named exactly after it",
            requirements(&["SUP-05"]),
            layout("{dataset}.parquet", "{dataset}-1.parquet"),
            Run::new(one_object),
        ),
        must(
            AREA,
            "suprsend_s3_v2.layout.shared-folder",
            "the three datasets of an hour share its folder",
            requirements(&["SUP-06"]),
            layout("layout = \"year=", "layout = \"{dataset}/year="),
            Run::new(shared_folder),
        ),
        must(
            AREA,
            "suprsend_s3_v2.layout.hive-discovery",
            "query engines find the partitions by their path and one schema in all files of a dataset",
            requirements(&["SUP-10", "SUP-15"]),
            layout("hour={t:%H}", "h-{t:%H}"),
            Run::new(hive_discovery),
        ),
    ]
}

/// Exports `logs` and reads everything back.
async fn export(stage: &Stage, logs: &Logs) -> Result<BTreeMap<String, Table>, Stop> {
    let export = Export::new(stage, "exporter");
    deliver(&export, logs)?;
    export.sync("export the traffic").await?;
    stage.tables().await
}

async fn parquet(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let tables = export(&stage, &traffic()).await?;
    step("there are objects").equal(&false, &tables.is_empty())
}

/// The UTC hour of a time as exported: `2025-01-15T14`.
fn hour(time: &Value) -> &str {
    time.as_str().and_then(|time| time.get(..13)).unwrap_or_default()
}

/// The UTC hour that a key names.
fn hour_of_key(key: &str) -> String {
    let value = |name: &str| {
        key.split('/').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).unwrap_or("?").to_owned()
    };
    format!("{}-{}-{}T{}", value("year"), value("month"), value("day"), value("hour"))
}

async fn hour_of_row(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    for (key, table) in export(&stage, &traffic()).await? {
        for row in &table.rows {
            let created = row.get("created_at").unwrap_or(&Value::Null);
            step(format!("the hour of a row in `{key}`")).equal(hour_of_key(&key).as_str(), hour(created))?;
        }
    }
    Ok(())
}

/// The keys that the model expects.
fn expected_keys(logs: &Logs) -> BTreeSet<String> {
    Dataset::ALL
        .into_iter()
        .flat_map(|dataset| {
            let content = logs.dataset(dataset).content();
            content.hours.into_keys().map(move |hour| hour.object_key(dataset)).collect::<Vec<_>>()
        })
        .collect()
}

async fn key(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let logs = traffic();
    let found: BTreeSet<String> = export(&stage, &logs).await?.into_keys().collect();
    step("the keys").equal(&expected_keys(&logs), &found)
}

async fn documented_keys(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let logs = documented_rows();
    let tables = export(&stage, &logs).await?;
    for (_, key) in DOCUMENTED_KEYS {
        let table = step(format!("`{key}`")).some("the documented object", tables.get(key))?;
        step(format!("`{key}` has rows")).equal(&false, &table.rows.is_empty())?;
    }
    let found: BTreeSet<String> = tables.into_keys().collect();
    step("the keys").equal(&expected_keys(&logs), &found)
}

async fn one_object(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let logs = traffic();
    let mut folders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for key in export(&stage, &logs).await?.into_keys() {
        let (folder, file) = key.rsplit_once('/').unwrap_or(("", &key));
        let new = folders.entry(folder.to_owned()).or_default().insert(file.to_owned());
        step(format!("`{key}` stands once")).equal(&true, &new)?;
    }
    let known: BTreeSet<String> =
        Dataset::ALL.iter().map(|dataset| format!("{}.parquet", dataset.name())).collect();
    for (folder, files) in folders {
        let unknown: Vec<&String> = files.difference(&known).collect();
        step(format!("the files of `{folder}`")).equal(&Vec::<&String>::new(), &unknown)?;
    }
    Ok(())
}

async fn shared_folder(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let tables = export(&stage, &traffic()).await?;
    let folder = "year=2025/month=01/day=15/hour=14/";
    let files: Vec<&str> = tables.keys().filter_map(|key| key.strip_prefix(folder)).collect();
    let expected = ["messages.parquet", "requests.parquet", "workflow_executions.parquet"];
    step(format!("the files of `{folder}`")).equal(&expected[..], &files[..])
}

async fn hive_discovery(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let tables = export(&stage, &traffic()).await?;
    for key in tables.keys() {
        let folders: Vec<&str> = key.split('/').collect();
        let names: Vec<&str> = folders
            .iter()
            .filter_map(|part| part.split_once('='))
            .filter(|(_, value)| value.parse::<u32>().is_ok())
            .map(|(name, _)| name)
            .collect();
        let step = step(format!("the partition columns of `{key}`"));
        step.equal(&["year", "month", "day", "hour"][..], &names[..])?;
    }
    for dataset in Dataset::ALL {
        let file = format!("/{}.parquet", dataset.name());
        let mut schemas =
            tables.iter().filter(|(key, _)| key.ends_with(&file)).map(|(_, table)| &table.schema);
        let first = step(format!("a file of `{}`", dataset.name())).some("at least one", schemas.next())?;
        for schema in schemas {
            step(format!("the schema of every file of `{}`", dataset.name()))
                .equal(first.fields(), schema.fields())?;
        }
    }
    Ok(())
}
