//! The documented policy, proved both ways: with it everything works, and without each of its elements the export stops or,
//! where the page documents more than is needed, the doctor at least misses it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::particulars::{Ids, Taken, Vendor};
use super::vendor_check;
use crate::check::{Check, PolicyProof, ProofWay, Run};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::Conclusion;
use crate::stage::{
    DOCUMENTED_POLICY, Setup, USELESS_ACTION, VendorStage, documented_policy, profile_under_test,
};
use crate::step::step;

/// A statement that makes up for whatever is left out of the others.
const MADE_UP_FOR: &str = "\"Statement\": [ { \"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \
    [\"arn:aws:s3:::customer-exports\", \"arn:aws:s3:::customer-exports/*\"] },";

/// The same where the policy insists on a header of writes.
const MADE_UP_FOR_WITH_HEADER: &str = "\"Statement\": [ { \"Effect\": \"Allow\", \"Action\": [\"s3:Get*\", \"s3:List*\", \
    \"s3:DeleteObject\"], \"Resource\": [\"arn:aws:s3:::customer-exports\", \"arn:aws:s3:::customer-exports/*\"] }, \
    { \"Effect\": \"Allow\", \"Action\": [\"s3:PutObject\", \"s3:PutObjectAcl\"], \"Resource\": \
    \"arn:aws:s3:::customer-exports/*\", \"Condition\": { \"StringEquals\": { \"s3:x-amz-acl\": \
    \"bucket-owner-full-control\" } } },";

fn generous(vendor: &Vendor) -> Falsifier {
    let statements =
        if vendor.policy.contains("s3:x-amz-acl") { MADE_UP_FOR_WITH_HEADER } else { MADE_UP_FOR };
    policy_edit("\"Statement\": [".to_owned(), statements.to_owned())
}

fn policy_edit(find: String, replace: String) -> Falsifier {
    Falsifier::PolicyEdit { file: DOCUMENTED_POLICY.into(), edit: TextEdit::new(find, replace) }
}

/// The policy without the action that writes.
fn unwritable(vendor: &Vendor) -> Falsifier {
    policy_edit(format!("\"{}\"", vendor.writes_by), format!("\"{USELESS_ACTION}\""))
}

pub(super) fn checks(vendor: &'static Vendor) -> Vec<Check> {
    let mut checks = vec![
        vendor_check(
            vendor,
            "access.policy",
            "the policy that the connector prints is the one on the page",
            vendor.policy_ids,
            Falsifier::ProfileEdit(TextEdit::new(
                format!("\"{}\"", vendor.writes_by),
                format!("\"{USELESS_ACTION}\""),
            )),
            Run::new(move |context| async move { printed(&context, vendor) }),
        ),
        proving(
            vendor_check(
                vendor,
                "access.sufficient",
                "exports and the doctor do all their work under the documented policy and nothing of theirs is denied",
                vendor.sufficient_ids,
                unwritable(vendor),
                Run::new(move |context| sufficient(context, vendor)),
            ),
            "the policy",
            ProofWay::Sufficient,
        ),
    ];
    for taken in vendor.elements {
        checks.extend(of_element(vendor, taken));
    }
    checks
}

fn proving(check: Check, element: &'static str, way: ProofWay) -> Check {
    Check { proves: Some(PolicyProof { element, way }), ..check }
}

fn of_element(vendor: &'static Vendor, taken: &'static Taken) -> [Check; 2] {
    let ids: Ids = taken.ids;
    let first = if taken.stops {
        let check = vendor_check(
            vendor,
            format!("access.necessary.{}", taken.id),
            format!("without the {} of the documented policy the export does not do its work", taken.name),
            ids,
            generous(vendor),
            Run::new(move |context| necessary(context, vendor, taken)),
        );
        proving(check, taken.name, ProofWay::Necessary)
    } else {
        let check = vendor_check(
            vendor,
            format!("access.beyond-need.{}", taken.id),
            format!("without the {}, which is documented beyond need, the export does its work", taken.name),
            ids,
            unwritable(vendor),
            Run::new(move |context| beyond_need(context, vendor, taken)),
        );
        proving(check, taken.name, ProofWay::BeyondNeed)
    };
    let named = vendor_check(
        vendor,
        format!("diagnosis.missing-{}", taken.id),
        format!("without the {} the doctor names {} and nothing else", taken.name, taken.named.join(", ")),
        ids,
        generous(vendor),
        Run::new(move |context| diagnosed(context, vendor, taken)),
    );
    [first, proving(named, taken.name, ProofWay::Diagnosed)]
}

fn printed(context: &CheckContext, vendor: &'static Vendor) -> Conclusion {
    let (_, profile) = profile_under_test(context, vendor.profile)?;
    let page: Value = step("read the page's policy").works(serde_json::from_str(vendor.policy))?;
    let printed = documented_policy(&profile, Setup::default().prefix)?;
    step("the printed policy").equal(&page, &printed)
}

/// Two runs, so that whatever reads, reads.
async fn export_twice(stage: &VendorStage) -> Conclusion {
    stage.deliver_samples(&(0..3))?;
    stage.sync("export the first rows").await?;
    stage.deliver_samples(&(3..5))?;
    stage.sync("export more rows").await.map(drop)
}

async fn sufficient(context: CheckContext, vendor: &'static Vendor) -> Conclusion {
    let stage = VendorStage::open(context, vendor.profile, Setup::default()).await?;
    export_twice(&stage).await?;
    step("the requests that were denied").equal(&0, &stage.emulator.journal().denied().len())?;
    let report = stage.doctor().await?;
    let failures: Vec<&str> = report.failures().map(|finding| finding.message.as_str()).collect();
    step("what the doctor finds wrong").equal(&Vec::<&str>::new(), &failures)
}

fn missing(taken: &Taken) -> Setup {
    Setup { without: Some(taken.element), ..Setup::default() }
}

async fn necessary(context: CheckContext, vendor: &'static Vendor, taken: &'static Taken) -> Conclusion {
    let stage = VendorStage::open(context, vendor.profile, missing(taken)).await?;
    stage.deliver_samples(&(0..3))?;
    let stopped = if let Err(stopped) = stage.try_sync().await? {
        stopped
    } else {
        stage.deliver_samples(&(3..5))?;
        let name = format!("two exports without the {}", taken.name);
        step(name).refuses("one of them stops", stage.try_sync().await?)?
    };
    let diagnosis = step("the connector's diagnosis").some("a diagnosis", stopped.diagnosis())?;
    let action = diagnosis.action.as_deref().unwrap_or_default();
    step(format!("the action that it names, `{action}`, is one of those taken away"))
        .equal(&true, &taken.named.contains(&action))
}

async fn beyond_need(context: CheckContext, vendor: &'static Vendor, taken: &'static Taken) -> Conclusion {
    let stage = VendorStage::open(context, vendor.profile, missing(taken)).await?;
    export_twice(&stage).await?;
    step("the requests that were denied").equal(&0, &stage.emulator.journal().denied().len())
}

async fn diagnosed(context: CheckContext, vendor: &'static Vendor, taken: &'static Taken) -> Conclusion {
    let stage = VendorStage::open(context, vendor.profile, missing(taken)).await?;
    let report = stage.doctor().await?;
    let found: BTreeSet<&str> =
        report.failures().map(|finding| finding.action.as_deref().unwrap_or("no action")).collect();
    let expected: BTreeSet<&str> = taken.named.iter().copied().collect();
    step("the actions that the doctor names").equal(&expected, &found)?;
    for finding in report.failures() {
        let resource = finding.resource.as_deref().unwrap_or_default();
        step("the resource that it names").contains(resource, "arn:aws:s3:::customer-exports")?;
        step(format!("`{}` refers to a requirement", finding.check))
            .some("its id", finding.requirement.as_deref())?;
    }
    Ok(())
}
