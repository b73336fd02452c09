//! SuprSend's Amazon S3 v2.0 export, under exactly the policy that the vendor documents.
//!
//! The emulator enforces the scenario's policies, so each check here also proves that they are sufficient: drop one
//! action and the checks fail, naming it.

mod access;
mod content;
mod diagnosis;
mod forms;
mod layout;
mod necessary;
mod operation;
mod resolutions;
mod schema;

use bucketproof_fixtures::suprsend::{Dataset, Logs, Traffic};

use crate::check::{Area, Check, PolicyProof, ProofWay};
use crate::outcome::Stop;
use crate::stage::Export;

const AREA: Area = Area::Vendor { name: "vendor.suprsend", profile: "suprsend_s3_v2" };

/// The policy file of the scenario that holds the documented permissions.
const POLICY: &str = "policies/suprsend-export.json";
/// The policy file of the scenario that holds the role's trust.
const TRUST: &str = "policies/suprsend-trust.json";

pub(super) fn checks() -> Vec<Check> {
    let mut checks = layout::checks();
    checks.extend(content::checks());
    checks.extend(schema::checks());
    checks.extend(forms::checks());
    checks.extend(access::checks());
    checks.extend(necessary::checks());
    checks.extend(operation::checks());
    checks.extend(resolutions::checks());
    checks.extend(diagnosis::checks());
    checks
}

/// What the checks of access and diagnosis prove of the documented policies.
pub(super) fn with_proof(check: Check) -> Check {
    use ProofWay::{Diagnosed, Necessary, Sufficient};
    let (element, way) = match check.id.as_str().strip_prefix("suprsend_s3_v2.") {
        Some("access.sufficient") => ("the identity policy", Sufficient),
        Some("access.role") => ("the trust policy", Sufficient),
        Some("access.necessary.put-object") => ("action s3:PutObject", Necessary),
        Some("access.necessary.list-bucket") => ("action s3:ListBucket", Necessary),
        Some("access.necessary.get-object") => ("action s3:GetObject", Necessary),
        Some("access.necessary.objects") => ("resource BUCKET/*", Necessary),
        Some("access.necessary.bucket") => ("resource BUCKET", Necessary),
        Some("access.external-id.missing") => ("condition sts:ExternalId", Necessary),
        Some("diagnosis.missing-put-object") => ("action s3:PutObject", Diagnosed),
        Some("diagnosis.missing-list-bucket") => ("action s3:ListBucket", Diagnosed),
        Some("diagnosis.missing-get-object") => ("action s3:GetObject", Diagnosed),
        Some("diagnosis.missing-objects") => ("resource BUCKET/*", Diagnosed),
        Some("diagnosis.missing-bucket") => ("resource BUCKET", Diagnosed),
        Some("diagnosis.wrong-role-or-external-id") => ("condition sts:ExternalId", Diagnosed),
        _ => return check,
    };
    Check { proves: Some(PolicyProof { element, way }), ..check }
}

/// Traffic of three hours with every kind of trouble.
fn traffic() -> Logs {
    Traffic::new(7).requests(60).hours(3).generate()
}

/// Delivers everything at once.
fn deliver(export: &Export<'_>, logs: &Logs) -> Result<(), Stop> {
    for dataset in Dataset::ALL {
        export.deliver_last(dataset, &logs.dataset(dataset).ndjson())?;
    }
    Ok(())
}
