//! What the connector says when the set-up is wrong: the troubleshooting list of the vendor's page.

use bucketproof_connector::store::{Diagnosis, DiagnosisKind};
use bucketproof_emulator::{Fault, Op};
use bucketproof_fixtures::scenario::{SUPRSEND_BUCKET, SUPRSEND_EXTERNAL_ID, SUPRSEND_ROLE_ARN};
use http::StatusCode;

use super::{AREA, POLICY, deliver, traffic};
use crate::check::{Check, Run};
use crate::checks::{must, requirements};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Conclusion, Stop};
use crate::stage::{Export, ExportStop, Stage, Way};
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let plain =
        |op| Falsifier::Fault(Fault::on(op).refuse(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"));
    let config = |find, replace| Falsifier::ConfigEdit(TextEdit::new(find, replace));
    vec![
        must(
            AREA,
            "suprsend_s3_v2.diagnosis.missing-put-object",
            "without s3:PutObject the diagnosis names it and the object",
            requirements(&["SUP-75"]),
            plain(Op::ListObjectsV2),
            Run::new(async |context| missing_action(context, "s3:PutObject").await),
        ),
        must(
            AREA,
            "suprsend_s3_v2.diagnosis.missing-list-bucket",
            "without s3:ListBucket the diagnosis names it and the bucket",
            requirements(&["SUP-75"]),
            Falsifier::Fault(Fault::on(Op::ListObjectsV2).refuse(
                StatusCode::NOT_FOUND,
                "NoSuchBucket",
                "no",
            )),
            Run::new(async |context| missing_action(context, "s3:ListBucket").await),
        ),
        must(
            AREA,
            "suprsend_s3_v2.diagnosis.missing-get-object",
            "without s3:GetObject the diagnosis names it and the object",
            requirements(&["SUP-75"]),
            plain(Op::ListObjectsV2),
            Run::new(async |context| missing_action(context, "s3:GetObject").await),
        ),
        must(
            AREA,
            "suprsend_s3_v2.diagnosis.wrong-bucket",
            "a wrong bucket name is told by its name",
            requirements(&["SUP-72"]),
            config("name = \"suprsend-logs-prod\"", "name = \"suprsend-logs-production\""),
            Run::new(wrong_bucket),
        ),
        must(
            AREA,
            "suprsend_s3_v2.diagnosis.wrong-region",
            "a wrong region is told with the configured and the actual one",
            requirements(&["SUP-73"]),
            config("region = \"eu-west-3\"", "region = \"us-east-1\""),
            Run::new(wrong_region),
        ),
        must(
            AREA,
            "suprsend_s3_v2.diagnosis.wrong-role-or-external-id",
            "a wrong external id and a wrong role ARN are told as the role's",
            requirements(&["SUP-74"]),
            Falsifier::Fault(Fault::on(Op::AssumeRole).refuse(
                StatusCode::BAD_REQUEST,
                "ValidationError",
                "no",
            )),
            Run::new(wrong_role),
        ),
        must(
            AREA,
            "suprsend_s3_v2.diagnosis.wrong-keys",
            "an unknown access key and a wrong secret are told apart",
            requirements(&["SUP-74"]),
            config("OTHER_SECRET", "EXPORT_SECRET"),
            Run::new(wrong_keys),
        ),
    ]
}

/// The diagnosis of an export that must stop.
pub(super) async fn diagnosis(export: &Export<'_>) -> Result<Diagnosis, Stop> {
    let stop = step("sync").refuses("the sync stops", export.try_sync().await?)?;
    match stop {
        ExportStop::Sync(error) => {
            let diagnosis = error.diagnosis().cloned();
            step("the connector's diagnosis").some("a diagnosis", diagnosis)
        }
        ExportStop::Setup(message) => Err(step("sync").failure("a diagnosis", message).into()),
    }
}

async fn missing_action(context: CheckContext, action: &str) -> Conclusion {
    let quoted = format!("\"{action}\"");
    let change = |text: &str| {
        // An action that is not S3's keeps the document valid whatever stands around it.
        text.contains(&quoted).then(|| text.replace(&quoted, "\"sns:Publish\""))
    };
    let needed = format!("a policy that lists `{action}`, so that it can be taken away");
    let stage = Stage::vendor_with_policy(context, POLICY, &needed, change).await?;
    let export = Export::new(&stage, "exporter");
    deliver(&export, &traffic())?;
    let found = diagnosis(&export).await?;
    step("its kind").equal(&DiagnosisKind::ActionDenied, &found.kind)?;
    step("the action that it names").equal(&Some(action), &found.action.as_deref())?;
    let resource = found.resource.as_deref().unwrap_or_default();
    let bucket = format!("arn:aws:s3:::{SUPRSEND_BUCKET}");
    if action == "s3:ListBucket" {
        step("the resource that it names").equal(bucket.as_str(), resource)?;
    } else {
        let is_object = resource.starts_with(&format!("{bucket}/year=")) && resource.ends_with(".parquet");
        step(format!("the resource that it names, `{resource}`, is an object of the export"))
            .equal(&true, &is_object)?;
    }
    step("the requirement").equal(&Some("SUP-75"), &found.requirement.as_deref())?;
    step("the words").contains(&found.message, action)?;
    // What it named is what the endpoint denied.
    let denied = stage.emulator.journal().denied();
    let last = step("the endpoint's denial").some("a denial", denied.last())?;
    step("the action that was denied").equal(action, last.action.as_str())?;
    step("the resource that was denied").equal(resource, last.resource.as_str())
}

async fn wrong_bucket(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").with(SUPRSEND_BUCKET, "suprsend-logs-prod");
    deliver(&export, &traffic())?;
    let found = diagnosis(&export).await?;
    step("its kind").equal(&DiagnosisKind::NoSuchBucket, &found.kind)?;
    step("the words").contains(&found.message, "suprsend-logs-prod")
}

async fn wrong_region(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    let export = Export::new(&stage, "exporter").with("region = \"us-east-1\"", "region = \"eu-west-3\"");
    deliver(&export, &traffic())?;
    let found = diagnosis(&export).await?;
    step("its kind").equal(&DiagnosisKind::WrongRegion, &found.kind)?;
    step("the configured region").contains(&found.message, "eu-west-3")?;
    step("the actual region").contains(&found.message, "us-east-1")
}

async fn wrong_role(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    for (name, find, replace) in [
        ("external-id", SUPRSEND_EXTERNAL_ID, "another-external-id"),
        ("role-arn", SUPRSEND_ROLE_ARN, "arn:aws:iam::111122223333:role/no_such_role"),
    ] {
        let export = Export::new(&stage, name).with(find, replace);
        deliver(&export, &traffic())?;
        let found = diagnosis(&export).await?;
        step(format!("the kind for a wrong {name}")).equal(&DiagnosisKind::RoleDenied, &found.kind)?;
        step("the requirement").equal(&Some("SUP-74"), &found.requirement.as_deref())?;
    }
    Ok(())
}

async fn wrong_keys(context: CheckContext) -> Conclusion {
    let stage = Stage::vendor(context).await?;
    for (name, find, replace, kind) in [
        ("secret", "EXPORT_SECRET", "OTHER_SECRET", DiagnosisKind::SignatureMismatch),
        ("key-id", "EXPORT_KEY_ID", "OTHER_KEY_ID", DiagnosisKind::AccessKeyUnknown),
    ] {
        let export = Export::new(&stage, name).way(Way::Keys).with(find, replace);
        deliver(&export, &traffic())?;
        let found = diagnosis(&export).await?;
        step(format!("the kind for a wrong {name}")).equal(&kind, &found.kind)?;
    }
    Ok(())
}
