//! The promises.

use std::collections::BTreeSet;

use bucketproof_connector::doctor::{DoctorReport, ProbeWrite, Verdict};
use bucketproof_connector::engine::SyncError;
use bucketproof_connector::profile::VendorProfile;
use bucketproof_connector::report::ConnectionState;
use bucketproof_emulator::{Fault, Op};

use super::place::{BUCKET, Place, all_profiles};

/// The actions that a principal asked for.
fn actions(place: &Place) -> BTreeSet<String> {
    let journal = place.emulator.journal();
    let of_the_export = journal
        .entries()
        .into_iter()
        .filter(|entry| !entry.principal.as_deref().unwrap_or_default().contains("administrator"));
    of_the_export
        .flat_map(|entry| entry.decisions.iter().map(|decided| decided.action.clone()).collect::<Vec<_>>())
        .filter(|action| action.starts_with("s3:"))
        .collect()
}

/// The documented actions that a doctor knows, each with its documented resource.
async fn documented(text: &str) -> Vec<(String, String)> {
    let place = Place::documented(text).await;
    let report = place.doctor(ProbeWrite::Allowed).await;
    assert_eq!(report.failures().count(), 0, "{report:#?}");
    let checks = report.findings.iter().filter(|finding| finding.verdict == Verdict::Passed);
    checks
        .filter_map(|finding| finding.check.split_once(" on "))
        .filter(|(action, _)| action.starts_with("s3:"))
        .map(|(action, resource)| (action.to_owned(), resource.to_owned()))
        .collect()
}

/// A policy that allows these actions on these resources, under the documented conditions, and nothing else.
fn policy_of(profile: &VendorProfile, allowed: &[(String, String)]) -> String {
    let statements: Vec<serde_json::Value> = allowed
        .iter()
        .map(|(action, resource)| {
            let mut statement =
                serde_json::json!({ "Effect": "Allow", "Action": action, "Resource": resource });
            let documented = profile.statements().iter().find(|known| known.actions.contains(action));
            if let Some(condition) = documented.and_then(|known| known.condition.clone()) {
                statement["Condition"] = condition;
            }
            statement
        })
        .collect();
    serde_json::json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// Action and resource of each failed check.
fn failures(report: &DoctorReport) -> Vec<(String, String)> {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    report.failures().map(|finding| (text(&finding.action), text(&finding.resource))).collect()
}

/// Claims DAT-16, ENG-05, ENG-07, ENG-21.
#[tokio::test]
async fn every_profile_exports_under_exactly_its_documented_policy_and_is_read_back() {
    for (text, profile) in all_profiles() {
        for encoding in profile.encodings() {
            let (format, compression) = (encoding.format, encoding.compression);
            let chosen = format!("format = {format:?}\ncompression = {compression:?}\n").to_lowercase();
            let chosen = chosen.replace("= ", "= \"").replace('\n', "\"\n");
            let place = Place::documented(&text).await.with(&chosen);
            place.write_rows(0..40);
            let report = place.sync().await;
            assert!(report.datasets.iter().all(|dataset| !dataset.objects.is_empty()), "{report:#?}");
            assert_eq!(place.content(format).await, place.expected(0..40), "{}", profile.id());
            let before = place.objects().await;
            assert!(before.values().all(|body| !body.is_empty()));

            // Nothing new: nothing changes.
            place.sync().await;
            assert_eq!(place.objects().await, before, "{}", profile.id());
            // More rows: more, or other, objects.
            place.write_rows(40..50);
            place.sync().await;
            assert_eq!(place.content(format).await, place.expected(0..50), "{}", profile.id());

            assert_eq!(place.connection().status().unwrap().state, ConnectionState::Active);
            assert!(place.emulator.journal().denied().is_empty(), "{}", profile.id());
        }
    }
}

/// Claims ENG-10, ENG-16, PER-44.
#[tokio::test]
async fn each_documented_action_that_is_dropped_is_named_by_doctor_and_by_the_export() {
    for (text, profile) in all_profiles() {
        let allowed = documented(&text).await;
        let used = {
            let place = Place::documented(&text).await;
            place.write_rows(0..3);
            place.sync().await;
            place.write_rows(3..5);
            place.sync().await;
            actions(&place)
        };
        let named: BTreeSet<String> = allowed.iter().map(|(action, _)| action.clone()).collect();
        assert!(used.is_subset(&named), "{}: {used:?} of {named:?}", profile.id());
        for (dropped, resource) in &allowed {
            let rest: Vec<(String, String)> =
                allowed.iter().filter(|(action, _)| action != dropped).cloned().collect();
            let place = Place::with_policy(&text, &policy_of(&profile, &rest)).await;
            let report = place.doctor(ProbeWrite::Allowed).await;
            let expected = [(dropped.clone(), resource.clone())];
            assert_eq!(failures(&report), expected, "{}: {report:#?}", profile.id());
            assert!(report.failures().all(|finding| finding.requirement.is_some()), "{report:#?}");

            if !used.contains(dropped) {
                continue;
            }
            place.write_rows(0..3);
            // A first object needs no read; the second run does, where objects are replaced.
            let error = if let Err(error) = place.connection().sync().await {
                error
            } else {
                place.write_rows(3..5);
                place.connection().sync().await.unwrap_err()
            };
            let diagnosis = error.diagnosis().unwrap_or_else(|| panic!("{}: {error}", profile.id()));
            assert_eq!(diagnosis.action.as_deref(), Some(dropped.as_str()), "{}", profile.id());
            assert!(diagnosis.requirement.is_some());
            assert!(diagnosis.resource.as_deref().unwrap_or_default().contains(BUCKET));
            assert_eq!(place.connection().status().unwrap().state, ConnectionState::SetupFailed);
        }
    }
}

/// Claims PER-45, SUP-75: each documented resource that is dropped is named with every action that lacks it.
#[tokio::test]
async fn each_documented_resource_that_is_dropped_is_named_by_doctor() {
    for (text, profile) in all_profiles() {
        let allowed = documented(&text).await;
        let resources: BTreeSet<&String> = allowed.iter().map(|(_, resource)| resource).collect();
        assert!(!resources.is_empty());
        for dropped in resources {
            let (gone, rest): (Vec<_>, Vec<_>) =
                allowed.iter().cloned().partition(|(_, resource)| resource == dropped);
            let place = Place::with_policy(&text, &policy_of(&profile, &rest)).await;
            let report = place.doctor(ProbeWrite::Allowed).await;
            let mut found: BTreeSet<_> = failures(&report).into_iter().collect();
            // Where the policy refuses writes without their ACL, a write that lacks both actions does not tell which.
            for hidden in report.findings.iter().filter(|it| it.verdict == Verdict::NotPermittedToKnow) {
                let help = hidden.help.as_deref().unwrap_or_default();
                if hidden.check.starts_with("s3:PutObject on ")
                    && help.contains("allow `s3:PutObject` and `s3:PutObjectAcl`")
                {
                    assert!(profile.statements().iter().any(|statement| statement.condition.is_some()));
                    found.insert(("s3:PutObject".to_owned(), dropped.clone()));
                }
            }
            assert_eq!(found, gone.into_iter().collect(), "{}: {report:#?}", profile.id());
        }
    }
}

/// A write with an ACL needs two actions. Where both are missing, the one that every write needs comes first, and the
/// export itself names it; unless the policy refuses writes without their ACL: then no request tells which it is.
#[tokio::test]
async fn a_write_that_lacks_both_of_its_actions_is_diagnosed_with_both() {
    let (mut told, mut untold) = (0, 0);
    for (text, profile) in all_profiles().into_iter().filter(|(_, profile)| profile.acl().is_some()) {
        let allowed = documented(&text).await;
        let is_of_writes = |action: &str| action.starts_with("s3:PutObject");
        let (writes, rest): (Vec<_>, Vec<_>) =
            allowed.into_iter().partition(|(action, _)| is_of_writes(action));
        let place = Place::with_policy(&text, &policy_of(&profile, &rest)).await;
        let report = place.doctor(ProbeWrite::Allowed).await;
        let of_writes: Vec<_> =
            report.findings.iter().filter(|finding| is_of_writes(&finding.check)).collect();
        let [put, acl] = of_writes[..] else { panic!("{report:#?}") };
        assert!(put.check.starts_with("s3:PutObject on "), "{report:#?}");
        assert_eq!(acl.action.as_deref(), Some("s3:PutObjectAcl"), "{report:#?}");
        let insists = profile.statements().iter().any(|statement| statement.condition.is_some());
        if insists {
            untold += 1;
            assert_eq!(put.verdict, Verdict::NotPermittedToKnow, "{report:#?}");
            let help = put.help.as_deref().unwrap();
            assert!(help.contains("`s3:PutObject` and `s3:PutObjectAcl`"), "{help}");
            continue;
        }
        told += 1;
        assert_eq!(failures(&report), writes, "{}: {report:#?}", profile.id());
        place.write_rows(0..3);
        let error = place.connection().sync().await.unwrap_err();
        assert_eq!(error.diagnosis().unwrap().action.as_deref(), Some("s3:PutObject"), "{}", profile.id());
    }
    assert!(told > 0 && untold > 0);
}

/// Claims PER-46: the documented condition that is dropped is named, though every export works without it.
#[tokio::test]
async fn each_documented_condition_that_is_dropped_is_named_by_doctor() {
    let mut conditions = 0;
    for (text, profile) in all_profiles() {
        let statements = profile.statements().iter().filter(|statement| statement.condition.is_some());
        conditions += statements.count();
        let place = Place::documented(&text).await;
        let mut policy: serde_json::Value = serde_json::from_str(&place.policy()).unwrap();
        let mut dropped = 0;
        for statement in policy["Statement"].as_array_mut().unwrap() {
            dropped += usize::from(statement.as_object_mut().unwrap().remove("Condition").is_some());
        }
        let place = Place::with_policy(&text, &policy.to_string()).await;
        let report = place.doctor(ProbeWrite::Allowed).await;
        let failed: Vec<&str> = report.failures().map(|finding| finding.check.as_str()).collect();
        let named = ["condition `StringEquals` on `s3:x-amz-acl`"];
        assert_eq!(failed, named[..dropped], "{}: {report:#?}", profile.id());
        for failure in report.failures() {
            assert_eq!(failure.requirement.as_deref(), Some("PER-46"));
            assert!(failure.message.contains("x-amz-acl: bucket-owner-full-control"), "{}", failure.message);
        }
        place.write_rows(0..3);
        place.sync().await;
    }
    assert_eq!(conditions, 1, "the vendors' pages have one condition on writes");
}

/// Claims DAT-32, ENG-01, ENG-02.
#[tokio::test]
async fn lost_answers_and_broken_services_neither_lose_nor_double_rows() {
    for (text, profile) in all_profiles() {
        let format = profile.encoding().format;
        let place = Place::documented(&text).await;
        place.write_rows(0..20);
        let lost = place.emulator.inject(Fault::on(Op::PutObject).times(1).drop_answer());
        let slow = place.emulator.inject(Fault::on(Op::PutObject).skip(1).times(1).slow_down());
        place.sync().await;
        assert_eq!(lost.hits(), 1, "{}", profile.id());
        place.write_rows(20..30);
        // A service that is away for the whole of a run; the next one finishes what was sealed.
        let away = place.emulator.inject(Fault::on(Op::PutObject).times(100).slow_down());
        let error = place.connection().sync().await.unwrap_err();
        assert!(matches!(error, SyncError::Store { .. }), "{error}");
        drop((away, slow));
        place.sync().await;
        assert_eq!(place.content(format).await, place.expected(0..30), "{}", profile.id());
    }
}

/// Claims ENG-17: a plan names the objects of the sync that follows, and makes no write.
#[tokio::test]
async fn a_plan_foretells_the_sync_of_every_profile() {
    for (text, profile) in all_profiles() {
        let place = Place::documented(&text).await;
        place.write_rows(0..12);
        let plan = place.connection().plan().await.unwrap();
        assert_eq!(place.objects().await.len(), 0);
        let report = place.sync().await;
        for (plan, report) in plan.datasets.iter().zip(&report.datasets) {
            assert_eq!(plan.objects, report.objects, "{}", profile.id());
        }
    }
}
