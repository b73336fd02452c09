//! Switches, datasets, transport and encryption.

use std::collections::BTreeSet;

use bucketproof_connector::report::ConnectionState;
use bucketproof_fixtures::scenario::SUPRSEND_BUCKET;
use bucketproof_fixtures::suprsend::Dataset;

use super::{AREA, deliver, traffic};
use crate::check::{Check, Run};
use crate::checks::{must, requirements};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Conclusion, Stop};
use crate::stage::{Export, Stage};
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let config = |find, replace| Falsifier::ConfigEdit(TextEdit::new(find, replace));
    vec![
        must(
            AREA,
            "suprsend_s3_v2.operation.datasets",
            "each of the seven choices of datasets exports these and no other",
            requirements(&["SUP-17"]),
            Falsifier::ProfileEdit(TextEdit::new("{dataset}.parquet", "x{dataset}.parquet")),
            Run::new(datasets),
        ),
        must(
            AREA,
            "suprsend_s3_v2.operation.separate-tables",
            "each dataset is a table of its own: a file holds its columns and no other's",
            requirements(&["SUP-18"]),
            Falsifier::ProfileEdit(TextEdit::new("{dataset}.parquet", "messages.parquet")),
            Run::new(separate_tables),
        ),
        must(
            AREA,
            "suprsend_s3_v2.operation.inert",
            "nothing is sent before the sync is switched on",
            requirements(&["SUP-60"]),
            config("enabled = false", "enabled = true"),
            Run::new(inert),
        ),
        must(
            AREA,
            "suprsend_s3_v2.operation.active",
            "the status is Active once the switch is on and the set-up works",
            requirements(&["SUP-62"]),
            config("enabled = true", "enabled = false"),
            Run::new(active),
        ),
        must(
            AREA,
            "suprsend_s3_v2.operation.tls",
            "plain http is refused unless it is allowed by name",
            requirements(&["SUP-13"]),
            config("allow_http = false", "allow_http = true"),
            Run::new(tls),
        ),
        must(
            AREA,
            "suprsend_s3_v2.operation.encryption",
            "every write asks for SSE-S3, so that a bucket which insists on it takes the export",
            requirements(&["SUP-14", "ENG-08"]),
            config("encryption = \"sse-s3\"", "encryption = \"none\""),
            Run::new(encryption),
        ),
        must(
            AREA,
            "suprsend_s3_v2.operation.plan",
            "a plan names what a sync would write and writes nothing",
            requirements(&["ENG-17"]),
            Falsifier::InputEdit {
                dataset: "requests".into(),
                edit: TextEdit::new("\"created_at\"", "\"created\""),
            },
            Run::new(plan),
        ),
    ]
}

/// The dataset files in the bucket.
async fn found(stage: &Stage) -> Result<BTreeSet<String>, Stop> {
    let keys = stage.exported().await?.into_keys();
    Ok(keys.filter_map(|key| key.rsplit('/').next().map(str::to_owned)).collect())
}

async fn datasets(context: CheckContext) -> Conclusion {
    let logs = traffic();
    for choice in 1..8_usize {
        let chosen: Vec<Dataset> = Dataset::ALL
            .into_iter()
            .enumerate()
            .filter(|(index, _)| choice >> index & 1 == 1)
            .map(|(_, dataset)| dataset)
            .collect();
        let stage = Stage::vendor(context.clone()).await?;
        let export = Export::new(&stage, "exporter").datasets(&chosen);
        deliver(&export, &logs)?;
        export.sync("export the chosen datasets").await?;
        let expected: BTreeSet<String> =
            chosen.iter().map(|dataset| format!("{}.parquet", dataset.name())).collect();
        step(format!("the files of {chosen:?}")).equal(&expected, &found(&stage).await?)?;
    }
    Ok(())
}

async fn separate_tables(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    deliver(&export, &traffic())?;
    export.sync("export the traffic").await?;
    let tables = stage.tables().await?;
    for dataset in Dataset::ALL {
        let file = format!("/{}.parquet", dataset.name());
        let expected: Vec<&str> = dataset.columns().iter().map(|column| column.name).collect();
        let mut of_dataset = tables.iter().filter(|(key, _)| key.ends_with(&file)).peekable();
        step(format!("files of `{}`", dataset.name())).some("at least one", of_dataset.peek())?;
        for (key, table) in of_dataset {
            let found: Vec<&str> = table.schema.fields().iter().map(|field| field.name().as_str()).collect();
            step(format!("the columns of `{key}`")).equal(&expected, &found)?;
        }
    }
    Ok(())
}

async fn inert(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").with("enabled = true", "enabled = false");
    deliver(&export, &traffic())?;
    export.sync("sync while the switch is off").await?;
    step("the requests sent").equal(&0, &stage.emulator.journal().entries().len())
}

async fn active(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    deliver(&export, &traffic())?;
    step("before the first sync").equal(&false, &(export.status()?.state == ConnectionState::Active))?;
    export.sync("sync").await?;
    step("after it").equal(&ConnectionState::Active, &export.status()?.state)
}

async fn tls(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").with("allow_http = true", "allow_http = false");
    let refused =
        step("set up with a plain http endpoint").refuses("a refusal", export.connect(|store| store)?)?;
    step("the refusal").contains(&refused.to_string(), "plain http")
}

async fn encryption(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let insist = format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Deny\",\"Principal\":\"*\",\
         \"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::{SUPRSEND_BUCKET}/*\",\
         \"Condition\":{{\"StringNotEquals\":{{\"s3:x-amz-server-side-encryption\":\"AES256\"}}}}}}]}}"
    );
    let put = stage.administrator().put_bucket_policy().bucket(SUPRSEND_BUCKET).policy(insist).send().await;
    step("let the bucket insist on SSE-S3").works(put)?;
    let export = Export::new(&stage, "exporter");
    deliver(&export, &traffic())?;
    export.sync("export the traffic").await.map(drop)
}

async fn plan(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").datasets(&[Dataset::Requests]);
    let logs = traffic();
    export.deliver_last(Dataset::Requests, &logs.requests.ndjson())?;
    let connection = export.connect(|store| store)?;
    let connection = connection.map_err(|stop| export.failure("set the connector up", &stop))?;
    let plan = step("plan").succeeds("a plan", connection.plan().await)?;
    let planned: BTreeSet<String> = plan
        .datasets
        .iter()
        .flat_map(|dataset| &dataset.objects)
        .map(|object| object.key.as_str().to_owned())
        .collect();
    let model = logs.requests.content();
    let expected: BTreeSet<String> =
        model.hours.keys().map(|hour| hour.object_key(Dataset::Requests)).collect();
    step("the keys of the plan").equal(&expected, &planned)?;
    let nothing = stage.exported().await?;
    step("nothing is written").equal(&true, &nothing.is_empty())
}
