//! The policies and ways in that the vendor documents.

use std::collections::BTreeSet;
use std::time::Duration;

use bucketproof_connector::names::BucketName;
use bucketproof_connector::policy::{identity_policy, trust_policy};
use bucketproof_emulator::{Fault, Op};
use bucketproof_fixtures::scenario::{EXPORTER, SUPRSEND_EXTERNAL_ID};
use serde_json::{Value, json};

use super::{AREA, POLICY, TRUST, deliver, traffic};
use crate::check::{Check, Run};
use crate::checks::refusal::refused;
use crate::checks::{must, requirements};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Conclusion, Stop};
use crate::stage::{Export, ExportStop, Stage, Way};
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let policy = |file: &'static str, find, replace| Falsifier::PolicyEdit {
        file: file.into(),
        edit: TextEdit::new(find, replace),
    };
    let profile = |find, replace| Falsifier::ProfileEdit(TextEdit::new(find, replace));
    let trust = |find, replace| policy(TRUST, find, replace);
    vec![
        must(
            AREA,
            "suprsend_s3_v2.access.identity-policy",
            "the policy that the connector hands out is the documented one, for the real bucket",
            requirements(&["SUP-49", "SUP-51"]),
            profile("\"s3:ListBucket\", ", ""),
            Run::new(identity_policy_is_documented),
        ),
        must(
            AREA,
            "suprsend_s3_v2.access.trust-policy",
            "the trust policy that the connector hands out is the documented one",
            requirements(&["SUP-54"]),
            profile("arn:aws:iam::924219879248:root", "arn:aws:iam::924219879249:root"),
            Run::new(trust_policy_is_documented),
        ),
        must(
            AREA,
            "suprsend_s3_v2.access.sufficient",
            "export, replacement and recovery need the three documented actions and no other",
            requirements(&["SUP-50", "SUP-69"]),
            policy(POLICY, "\"s3:GetObject\"", "\"s3:GetObjectAcl\""),
            Run::new(sufficient),
        ),
        must(
            AREA,
            "suprsend_s3_v2.access.role",
            "the export works through the role with its external id",
            requirements(&["SUP-52", "SUP-54"]),
            trust("sts:ExternalId", "sts:RoleSessionName"),
            Run::new(async |context| way_in(context, Way::Role).await),
        ),
        must(
            AREA,
            "suprsend_s3_v2.access.user",
            "the export works with the keys of an IAM user",
            requirements(&["SUP-52", "SUP-53"]),
            policy(POLICY, "\"s3:PutObject\"", "\"s3:PutObjectAcl\""),
            Run::new(async |context| way_in(context, Way::Keys).await),
        ),
        must(
            AREA,
            "suprsend_s3_v2.access.external-id.missing",
            "the role is closed to the vendor without the external id",
            requirements(&["SUP-54", "SUP-56"]),
            trust("StringEquals", "StringEqualsIfExists"),
            Run::new(async |context| external_id(context, None).await),
        ),
        must(
            AREA,
            "suprsend_s3_v2.access.external-id.case",
            "the external id is case-sensitive",
            requirements(&["SUP-55"]),
            trust("StringEquals", "StringEqualsIgnoreCase"),
            Run::new(async |context| external_id(context, Some(SUPRSEND_EXTERNAL_ID.to_lowercase())).await),
        ),
        must(
            AREA,
            "suprsend_s3_v2.access.external-id.spaces",
            "a configuration whose external id has spaces around it is refused",
            requirements(&["SUP-55"]),
            Falsifier::ConfigEdit(TextEdit::new("external_id = \" ", "external_id = \"")),
            Run::new(external_id_with_spaces),
        ),
        must(
            AREA,
            "suprsend_s3_v2.access.rotation",
            "the credentials of the role are renewed without anybody's help",
            requirements(&["SUP-57"]),
            Falsifier::Fault(Fault::on(Op::AssumeRole).skip(1).refuse(
                http::StatusCode::FORBIDDEN,
                "AccessDenied",
                "no",
            )),
            Run::new(rotation),
        ),
        must(
            AREA,
            "suprsend_s3_v2.access.secrets",
            "no secret stands in a report, in the state, or in the journal",
            requirements(&["SUP-59", "ENG-19"]),
            Falsifier::InputEdit {
                dataset: "requests".into(),
                edit: TextEdit::new("\"api_type\"", "\"exporterUserSecret/forTests/0/EXAMPLEKEY\""),
            },
            Run::new(secrets),
        ),
    ]
}

/// The generated document against the documented one.
fn same_document(name: &str, expected: &Value, found: &str) -> Conclusion {
    let found: Value = step(format!("parse {name}")).succeeds("JSON", serde_json::from_str(found))?;
    step(name).equal(expected, &found)
}

async fn identity_policy_is_documented(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let profile = Export::new(&stage, "exporter").profile()?;
    let profile = step("read the profile").succeeds("a profile", profile.map_err(Shown))?;
    let bucket = step("name a bucket").works(BucketName::new("my-logs"))?;
    let documented = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "SuprSendS3ExportAccess",
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:ListBucket", "s3:GetObject"],
            "Resource": ["arn:aws:s3:::my-logs/*", "arn:aws:s3:::my-logs"],
        }],
    });
    same_document("the identity policy", &documented, &identity_policy(&profile, &bucket))
}

async fn trust_policy_is_documented(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let profile = Export::new(&stage, "exporter").profile()?;
    let profile = step("read the profile").succeeds("a profile", profile.map_err(Shown))?;
    let documented = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": "arn:aws:iam::924219879248:root" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": "My-External-Id" } },
        }],
    });
    let found =
        step("make the trust policy").succeeds("a policy", trust_policy(&profile, "My-External-Id"))?;
    same_document("the trust policy", &documented, &found)
}

/// A stop as an error, for steps.
#[derive(Debug)]
struct Shown(ExportStop);

impl std::fmt::Display for Shown {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Shown {}

async fn sufficient(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    let logs = traffic();
    deliver(&export, &logs)?;
    export.sync("export the traffic").await?;
    // Once more with nothing known of the bucket: every hour is read and, since nothing changed, none is written.
    let again = Export::new(&stage, "after-loss-of-state");
    deliver(&again, &logs)?;
    again.sync("export again without the former state").await?;
    let lost = stage.emulator.inject(Fault::on(Op::PutObject).times(1).drop_answer());
    let other = Export::new(&stage, "after-lost-answer");
    deliver(&other, &bucketproof_fixtures::suprsend::documented_rows())?;
    other.sync("export while an answer is lost").await?;
    step("an answer was lost").equal(&1, &lost.hits())?;

    let role = "arn:aws:sts::111122223333:assumed-role/suprsend_s3_role/";
    let entries = stage.emulator.journal().entries();
    let of_role = entries
        .iter()
        .filter(|entry| entry.principal.as_deref().is_some_and(|principal| principal.starts_with(role)));
    let mut used = BTreeSet::new();
    for entry in of_role {
        for decision in &entry.decisions {
            if !decision.decision.is_allowed() {
                let failure = step("every request is allowed").failure("no denial", decision.explain());
                return Err(stage.explain(failure).into());
            }
            used.insert(decision.action.clone());
        }
    }
    let documented = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"].map(str::to_owned);
    step("the actions used").equal(&BTreeSet::from(documented), &used)
}

async fn way_in(context: CheckContext, way: Way) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").way(way);
    deliver(&export, &traffic())?;
    export.sync("export the traffic").await?;
    step("there are objects").equal(&false, &stage.exported().await?.is_empty())
}

async fn external_id(context: CheckContext, id: Option<String>) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let role = bucketproof_fixtures::scenario::SUPRSEND_ROLE_ARN;
    let sts = stage.sts(EXPORTER.principal);
    let assume = || sts.assume_role().role_arn(role).role_session_name("check");
    let right = assume().external_id(SUPRSEND_EXTERNAL_ID).send().await;
    step("assume with the right external id").succeeds("a session", right)?;
    let other = assume().set_external_id(id).send().await;
    refused("assume with another external id, or none", "403 AccessDenied", other).map(drop)
}

async fn external_id_with_spaces(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export =
        Export::new(&stage, "exporter").with(SUPRSEND_EXTERNAL_ID, format!(" {SUPRSEND_EXTERNAL_ID}"));
    let refused = step("configure it").refuses("a refusal", export.connect(|store| store)?.map(drop))?;
    step("the refusal names the field").contains(&refused.to_string(), "external_id")
}

async fn rotation(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export =
        Export::new(&stage, "exporter").datasets(&[bucketproof_fixtures::suprsend::Dataset::Requests]);
    let rows = traffic().requests.ndjson_parts(2);
    let connection = export.connect(|store| store)?;
    let connection = connection.map_err(|stop| export.failure("set the connector up", &stop))?;
    for part in rows {
        export.deliver(bucketproof_fixtures::suprsend::Dataset::Requests, part.as_bytes())?;
        let synced = connection.sync().await.map_err(|error| ExportStop::Sync(Box::new(error)));
        synced.map_err(|stop| export.failure("sync", &stop))?;
        stage.advance(Duration::from_hours(2));
    }
    let entries = stage.emulator.journal().entries();
    let assumed = entries.iter().filter(|entry| entry.operation == Some(Op::AssumeRole)).count();
    step("sessions that one process took in four hours").equal(&true, &(assumed >= 2))
}

/// Every file below a folder.
fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) -> Result<(), Stop> {
    let entries = step("list the connector's folder").works(std::fs::read_dir(folder))?;
    for entry in entries {
        let path = step("list the connector's folder").works(entry)?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

async fn secrets(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter");
    deliver(&export, &traffic())?;
    let report = export.sync("export the traffic").await?;
    let wrong = Export::new(&stage, "wrong").with("EXPORT_SECRET", "OTHER_SECRET");
    let stop = step("sync with a wrong secret").refuses("a refusal", wrong.try_sync().await?)?;

    let mut places = vec![
        ("the report".to_owned(), format!("{report:?}").into_bytes()),
        ("the status".to_owned(), format!("{:?}", export.status()?).into_bytes()),
        ("the error".to_owned(), format!("{stop} {stop:?}").into_bytes()),
        ("the journal".to_owned(), format!("{:?}", stage.emulator.journal().entries()).into_bytes()),
    ];
    let mut paths = Vec::new();
    files(&export.folder().join("state"), &mut paths)?;
    for path in paths {
        let bytes = step(format!("read `{}`", path.display())).works(std::fs::read(&path))?;
        places.push((format!("`{}`", path.display()), bytes));
    }
    for (place, bytes) in places {
        let found = bytes.windows(EXPORTER.secret.len()).any(|window| window == EXPORTER.secret.as_bytes());
        step(format!("the secret in {place}")).equal(&false, &found)?;
    }
    Ok(())
}
