//! Exports into a bucket whose customer asks for a key of his own: what the key's use needs, and who is told when it lacks.

use bucketproof_connector::policy::key_policy;
use bucketproof_connector::store::DiagnosisKind;
use serde_json::Value;

use super::particulars::{Kms, Vendor};
use super::vendor_check;
use crate::check::{Check, PolicyProof, ProofWay, Run};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Conclusion, Stop};
use crate::stage::{DOCUMENTED_POLICY, KMS_KEY_ARN, Setup, VENDOR_USER, VendorStage, profile_under_test};
use crate::step::step;

/// The statement of a documented key policy that is for the vendor.
const FOR_VENDOR: &str = "KMSCrossAccount";
const HEAD: &str = "encryption = \"aws:kms\"\nkms_key_id = \"{key}\"";

pub(super) fn checks(vendor: &'static Vendor) -> Vec<Check> {
    let Some(kms) = &vendor.kms else { return Vec::new() };
    let allowing = Falsifier::PolicyEdit {
        file: DOCUMENTED_POLICY.into(),
        edit: TextEdit::new(
            "\"Statement\": [",
            "\"Statement\": [ { \"Effect\": \"Allow\", \"Action\": \"kms:*\", \"Resource\": \"*\" },",
        ),
    };
    let still_there =
        Falsifier::ProfileEdit(TextEdit::new("sid = \"KMSCrossAccount\"", "sid = \"KMSVendor\""));
    let denied = vendor_check(
        vendor,
        "diagnosis.missing-kms",
        "where the key may not be used, the diagnosis names kms:GenerateDataKey",
        kms.ids,
        if kms.key_policy { still_there } else { allowing },
        Run::new(move |context| denied(context, vendor, kms)),
    );
    let element = "the key's policy";
    let denied = if kms.key_policy { proving(denied, element, ProofWay::Diagnosed) } else { denied };
    let mut checks = vec![denied];
    if kms.key_policy {
        let check = vendor_check(
            vendor,
            "access.key-policy",
            "under the documented policy of the key every object is encrypted with it",
            kms.ids,
            Falsifier::ProfileEdit(TextEdit::new("\"kms:GenerateDataKey\"", "\"kms:Verify\"")),
            Run::new(move |context| allowed(context, vendor)),
        );
        checks.push(proving(check, element, ProofWay::Sufficient));
    }
    checks
}

fn proving(check: Check, element: &'static str, way: ProofWay) -> Check {
    Check { proves: Some(PolicyProof { element, way }), ..check }
}

/// The documented policy of the key.
fn documented(context: &CheckContext, vendor: &'static Vendor) -> Result<Value, Stop> {
    let (_, profile) = profile_under_test(context, vendor.profile)?;
    let text = key_policy(&profile, "111122223333", VENDOR_USER);
    let text = step("print the policy of the key").succeeds("a policy", text)?;
    step("read the policy of the key").works(serde_json::from_str(&text))
}

async fn allowed(context: CheckContext, vendor: &'static Vendor) -> Conclusion {
    let policy = documented(&context, vendor)?;
    let setup = Setup { head: HEAD, key_policy: Some(policy.to_string()), ..Setup::default() };
    let stage = VendorStage::open(context, vendor.profile, setup).await?;
    stage.deliver_samples(&(0..3))?;
    stage.sync("export the rows").await?;
    let s3 = stage.administrator();
    let objects = stage.objects().await?;
    step("the objects of the export").equal(&false, &objects.is_empty())?;
    for key in objects.keys() {
        let head = s3.head_object().bucket(crate::stage::CUSTOMER_BUCKET).key(key).send().await;
        let head = step(format!("look at `{key}`")).succeeds("the object", head)?;
        step(format!("the key of `{key}`")).equal(&Some(KMS_KEY_ARN), &head.ssekms_key_id())?;
    }
    Ok(())
}

async fn denied(context: CheckContext, vendor: &'static Vendor, kms: &'static Kms) -> Conclusion {
    let policy = if kms.key_policy {
        let mut policy = documented(&context, vendor)?;
        if let Some(statements) = policy.get_mut("Statement").and_then(Value::as_array_mut) {
            statements.retain(|statement| statement.get("Sid").and_then(Value::as_str) != Some(FOR_VENDOR));
        }
        policy.to_string()
    } else {
        String::new()
    };
    let setup = Setup { head: HEAD, key_policy: Some(policy), ..Setup::default() };
    let stage = VendorStage::open(context, vendor.profile, setup).await?;
    stage.deliver_samples(&(0..3))?;
    let stopped = step("export").refuses("the export stops", stage.try_sync().await?)?;
    let found = step("the connector's diagnosis").some("a diagnosis", stopped.diagnosis())?;
    step("its kind").equal(&DiagnosisKind::KmsDenied, &found.kind)?;
    step("the action").equal(&Some("kms:GenerateDataKey"), &found.action.as_deref())?;
    if !kms.key_policy {
        // To another account AWS does not tell the key.
        step("the resource").equal(&Some(KMS_KEY_ARN), &found.resource.as_deref())?;
    }
    step("the requirement").equal(&Some(kms.id), &found.requirement.as_deref())
}
