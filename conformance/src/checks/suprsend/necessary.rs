//! That no part of the documented policy can be left out: one after the other is, and the export must fail.

use bucketproof_connector::store::DiagnosisKind;
use bucketproof_fixtures::scenario::SUPRSEND_BUCKET;

use super::diagnosis::diagnosis;
use super::{AREA, POLICY, deliver, traffic};
use crate::check::{Check, Run};
use crate::checks::{must, requirements};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::Conclusion;
use crate::stage::{Export, ExportStop, Stage};
use crate::step::step;

/// A statement that makes up for whatever is left out of the other.
const MADE_UP_FOR: &str =
    "{ \"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\" },\n    {\n      \"Sid\"";

/// Something of the policy, and the text that stands in its place.
#[derive(Clone, Copy)]
struct Part {
    what: &'static str,
    find: &'static str,
    replace: &'static str,
}

const PUT: Part = Part { what: "s3:PutObject", find: "\"s3:PutObject\"", replace: "\"sns:Publish\"" };
const LIST: Part = Part { what: "s3:ListBucket", find: "\"s3:ListBucket\"", replace: "\"sns:Publish\"" };
const GET: Part = Part { what: "s3:GetObject", find: "\"s3:GetObject\"", replace: "\"sns:Publish\"" };
const OBJECTS: Part = Part {
    what: "the bucket's objects",
    find: "\"arn:aws:s3:::suprsend-logs-production/*\"",
    replace: "\"arn:aws:s3:::another-bucket/*\"",
};
const BUCKET: Part = Part {
    what: "the bucket itself",
    find: "\"arn:aws:s3:::suprsend-logs-production\"",
    replace: "\"arn:aws:s3:::another-bucket\"",
};

pub(super) fn checks() -> Vec<Check> {
    let generous = || Falsifier::PolicyEdit {
        file: POLICY.into(),
        edit: TextEdit::new("{\n      \"Sid\"", MADE_UP_FOR),
    };
    let necessary = |id, part: Part| {
        must(
            AREA,
            id,
            format!("without {} in the documented policy the export does not do its work", part.what),
            requirements(&["SUP-50", "SUP-75"]),
            generous(),
            Run::new(move |context| necessary(context, part)),
        )
    };
    let diagnosed = |id, part: Part, action: &'static str| {
        must(
            AREA,
            id,
            format!("without {} in the documented policy the diagnosis names {action} there", part.what),
            requirements(&["SUP-75"]),
            generous(),
            Run::new(move |context| diagnosed(context, part, action)),
        )
    };
    vec![
        necessary("suprsend_s3_v2.access.necessary.put-object", PUT),
        necessary("suprsend_s3_v2.access.necessary.list-bucket", LIST),
        necessary("suprsend_s3_v2.access.necessary.get-object", GET),
        necessary("suprsend_s3_v2.access.necessary.objects", OBJECTS),
        necessary("suprsend_s3_v2.access.necessary.bucket", BUCKET),
        diagnosed("suprsend_s3_v2.diagnosis.missing-objects", OBJECTS, "s3:GetObject"),
        diagnosed("suprsend_s3_v2.diagnosis.missing-bucket", BUCKET, "s3:ListBucket"),
    ]
}

async fn stage_without(context: CheckContext, part: Part) -> Result<Stage, crate::outcome::Stop> {
    let needed = format!("a policy that has {}, so that it can be taken away", part.what);
    let change = |text: &str| text.contains(part.find).then(|| text.replace(part.find, part.replace));
    Stage::vendor_with_policy(context, POLICY, &needed, change).await
}

async fn necessary(context: CheckContext, part: Part) -> Conclusion {
    let stage = stage_without(context, part).await?;
    let export = Export::new(&stage, "exporter");
    deliver(&export, &traffic())?;
    let stop =
        step(format!("sync without {}", part.what)).refuses("the sync stops", export.try_sync().await?)?;
    match stop {
        ExportStop::Sync(_) => Ok(()),
        ExportStop::Setup(message) => {
            Err(step("set the connector up").failure("a connector", message).into())
        }
    }
}

async fn diagnosed(context: CheckContext, part: Part, action: &str) -> Conclusion {
    let stage = stage_without(context, part).await?;
    let export = Export::new(&stage, "exporter");
    deliver(&export, &traffic())?;
    let found = diagnosis(&export).await?;
    step("its kind").equal(&DiagnosisKind::ActionDenied, &found.kind)?;
    step("the action that it names").equal(&Some(action), &found.action.as_deref())?;
    let resource = found.resource.as_deref().unwrap_or_default();
    step("the resource that it names").contains(resource, SUPRSEND_BUCKET)
}
