//! SuprSend's Amazon S3 v2.0 export, under exactly the policy that the vendor documents.
//!
//! The emulator enforces the scenario's policies, so each check here also proves that they are sufficient: drop one
//! action and the checks fail, naming it.

mod access;
mod content;
mod diagnosis;
mod layout;
mod operation;
mod schema;

use bucketproof_fixtures::suprsend::{Dataset, Logs, Traffic};

use crate::check::{Area, Check};
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
    checks.extend(access::checks());
    checks.extend(operation::checks());
    checks.extend(diagnosis::checks());
    checks
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
