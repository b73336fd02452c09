//! Set-ups that are wrong: what is refused before anything is called, and how the rest is diagnosed.

use bucketproof_connector::store::DiagnosisKind;

use super::particulars::{Diagnosed, Refused, Vendor, Wrong};
use super::vendor_check;
use crate::check::{Check, Run};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::Conclusion;
use crate::stage::{Setup, VendorStage};
use crate::step::step;

impl Wrong {
    const fn edit(self) -> (&'static str, &'static str) {
        match self {
            Self::Bucket => ("name = \"customer-exports\"", "name = \"customer-export\""),
            Self::Region => ("region = \"us-east-1\"", "region = \"eu-west-3\""),
            Self::Key => {
                ("access_key_id = \"AKIAVENDORXXXEXAMPLE\"", "access_key_id = \"AKIANOBODYXXXEXAMPLE\"")
            }
            Self::Secret => ("env = \"SECRET\"", "env = \"OTHER_SECRET\""),
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Region => "region",
            Self::Key => "access-key",
            Self::Secret => "secret",
        }
    }

    const fn kind(self) -> DiagnosisKind {
        match self {
            Self::Bucket => DiagnosisKind::NoSuchBucket,
            Self::Region => DiagnosisKind::WrongRegion,
            Self::Key => DiagnosisKind::AccessKeyUnknown,
            Self::Secret => DiagnosisKind::SignatureMismatch,
        }
    }

    /// What the diagnosis says by its value.
    const fn says(self) -> &'static [&'static str] {
        match self {
            Self::Bucket => &["customer-export"],
            Self::Region => &["eu-west-3", "us-east-1"],
            Self::Key => &["AKIANOBODYXXXEXAMPLE"],
            Self::Secret => &["AKIAVENDORXXXEXAMPLE"],
        }
    }
}

/// The change back to what is right.
fn righted((find, replace): (&'static str, &'static str)) -> Falsifier {
    Falsifier::ConfigEdit(TextEdit::new(replace, find))
}

pub(super) fn checks(vendor: &'static Vendor) -> Vec<Check> {
    let mut checks: Vec<Check> = vendor
        .diagnoses
        .iter()
        .map(|diagnosed| {
            let what = diagnosed.kind.what();
            vendor_check(
                vendor,
                format!("diagnosis.wrong-{what}"),
                format!("a wrong {} is told as such, with the values", what.replace('-', " ")),
                diagnosed.ids,
                righted(diagnosed.kind.edit()),
                Run::new(move |context| is_diagnosed(context, vendor, diagnosed)),
            )
        })
        .collect();
    checks.extend(vendor.refusals.iter().map(|refused| {
        let falsifier = righted(refused.edit);
        let run = Run::new(move |context| is_refused(context, vendor, refused));
        vendor_check(
            vendor,
            format!("configuration.{}", refused.id),
            refused.title,
            refused.ids,
            falsifier,
            run,
        )
    }));
    if !vendor.inert_ids.is_empty() {
        checks.push(vendor_check(
            vendor,
            "operation.inert",
            "nothing is sent before the export is switched on",
            vendor.inert_ids,
            Falsifier::ConfigEdit(TextEdit::new("enabled = false", "enabled = true")),
            Run::new(move |context| inert(context, vendor)),
        ));
    }
    checks
}

async fn is_diagnosed(
    context: CheckContext,
    vendor: &'static Vendor,
    diagnosed: &'static Diagnosed,
) -> Conclusion {
    let setup = Setup { edit: Some(diagnosed.kind.edit()), ..Setup::default() };
    let stage = VendorStage::open(context, vendor.profile, setup).await?;
    stage.deliver_samples(&(0..2))?;
    let stopped = step("export").refuses("the export stops", stage.try_sync().await?)?;
    let found = step("the connector's diagnosis").some("a diagnosis", stopped.diagnosis())?;
    step("its kind").equal(&diagnosed.kind.kind(), &found.kind)?;
    step("the requirement").equal(&Some(diagnosed.id), &found.requirement.as_deref())?;
    for value in diagnosed.kind.says() {
        step("the words").contains(&found.message, value)?;
    }
    Ok(())
}

async fn is_refused(context: CheckContext, vendor: &'static Vendor, refused: &'static Refused) -> Conclusion {
    let setup = Setup { edit: Some(refused.edit), ..Setup::default() };
    let stage = VendorStage::open(context, vendor.profile, setup).await?;
    let Err(message) = stage.config()? else {
        return Err(step("read the configuration").failure("a refusal", "it is taken").into());
    };
    step("the refusal").contains(&message, refused.says)?;
    step("the requests sent").equal(&0, &stage.emulator.journal().entries().len())
}

async fn inert(context: CheckContext, vendor: &'static Vendor) -> Conclusion {
    let setup = Setup { edit: Some(("enabled = true", "enabled = false")), ..Setup::default() };
    let stage = VendorStage::open(context, vendor.profile, setup).await?;
    stage.deliver_samples(&(0..2))?;
    stage.sync("sync while the switch is off").await?;
    step("the requests sent").equal(&0, &stage.emulator.journal().entries().len())
}
