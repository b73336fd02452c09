//! From a file that is put to its report, by way of the emulator's own SNS over HTTP, under the documented policies.

use std::collections::BTreeSet;
use std::time::Duration;

use bucketproof_clock::Clock;
use bucketproof_connector::import::{Access, Subscription};
use bucketproof_connector::runner::StopSignal;

use crate::customer::{Customer, IMPORTER, TOPIC, Wrong};
use crate::files::{Row, file};

/// Waits for what other tasks do, in real time, for ten seconds at most.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let clock = Clock::system();
    for _ in 0..500 {
        if holds() {
            return;
        }
        clock.sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} did not happen");
}

fn listings(customer: &Customer) -> usize {
    let journal = customer.emulator.journal();
    let entries = journal.entries();
    let own =
        entries.iter().filter(|entry| entry.principal.as_deref() == Some(IMPORTER) && entry.key.is_none());
    own.filter(|entry| entry.decisions.iter().any(|decided| decided.action == "s3:ListBucket")).count()
}

/// Claims SPL-09, SPL-10, SPL-11, SPL-13, SPL-16, SPL-29, SPL-32.
#[tokio::test]
async fn a_file_is_announced_read_and_told_of() {
    let mut customer = Customer::new(Wrong::default()).await;
    let mut importer = customer.importer();
    let stop = StopSignal::new();
    customer.listen(&importer, &stop);
    let views = customer.config.connection_views(customer.emulator.clock().now()).unwrap();
    assert_eq!(views[0].access, Access::Processing);
    assert_eq!(views[0].subscription, Some(Subscription::Pending));
    assert_eq!(views[0].endpoint_url.as_deref(), Some(customer.endpoint_url().as_str()));
    assert_eq!(views[0].role_arn.as_deref(), Some(IMPORTER));
    let driven = async {
        until("the first listing", || {
            matches!(
                customer.config.connection_views(customer.emulator.clock().now()).unwrap()[0].access,
                Access::Active { .. }
            )
        })
        .await;
        customer.subscribe().await;
        let views = customer.config.connection_views(customer.emulator.clock().now()).unwrap();
        let Some(Subscription::Confirmed { topic, arn, .. }) = &views[0].subscription else {
            panic!("{:?}", views[0].subscription);
        };
        assert!(topic == TOPIC && arn.starts_with(TOPIC), "{arn}");
        let confirmed = customer.sns(&[("Action", "ListSubscriptionsByTopic"), ("TopicArn", TOPIC)]).await;
        assert!(confirmed.contains(arn.as_str()), "{confirmed}");
        let before = listings(&customer);
        customer.put("events/a b+c=ü.parquet", file(&[Row::good(0), Row::good(1)])).await;
        customer.put("events/not.txt", file(&[Row::good(0)])).await;
        customer.emulator.deliver().await;
        until("the reading", || customer.stored_files() == ["events/a b+c=ü.parquet"]).await;
        assert_eq!(listings(&customer), before, "the file was not found by listing");
        stop.give();
    };
    let (summary, ()) = tokio::join!(importer.run(&stop), driven);
    assert_eq!(summary.unwrap().rows_stored, 2);
    // Who stops tells what is left to be told.
    let reports = customer.reports().await;
    let [(key, report)] = reports.as_slice() else { panic!("{reports:?}") };
    assert!(key.starts_with("my_statuses/2026-01-01/00-"), "{key}");
    assert_eq!(report.keys().collect::<Vec<_>>(), ["events/a b+c=ü.parquet"]);
    assert_eq!(report["events/a b+c=ü.parquet"][0].number_of_rows, 2);
    // Nothing beyond the documented policy was asked for.
    let journal = customer.emulator.journal();
    let mut asked = BTreeSet::new();
    for entry in journal.entries().iter().filter(|entry| entry.principal.as_deref() == Some(IMPORTER)) {
        for decided in &entry.decisions {
            asked.insert((decided.action.clone(), decided.resource.clone()));
        }
    }
    let actions: BTreeSet<&str> = asked.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, BTreeSet::from(["s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:PutObjectAcl"]));
    assert!(!asked.iter().any(|(action, arn)| action == "s3:GetObject" && arn.contains("my_statuses")));
}

/// A failed connection says what it lacks, and is well again once it has it.
#[tokio::test]
async fn a_connection_that_fails_says_why() {
    for (action, named) in [
        ("s3:List*", "`s3:ListBucket`"),
        ("s3:Get*", "`s3:GetObject`"),
        ("s3:PutObject", "`s3:PutObject`"),
        ("s3:PutObjectAcl", "`s3:PutObjectAcl`"),
    ] {
        let customer = Customer::new(Wrong { action, ..Wrong::default() }).await;
        customer.put("events/f.parquet", file(&[Row::good(0)])).await;
        customer.importer().once().await.unwrap_err();
        let views = customer.config.connection_views(customer.emulator.clock().now()).unwrap();
        let Access::Failed { cause, .. } = &views[0].access else { panic!("{:?}", views[0].access) };
        assert!(cause.contains(named), "without {action}: {cause}");
    }
    let customer = Customer::new(Wrong { action: "s3:List*", ..Wrong::default() }).await;
    customer.importer().once().await.unwrap_err();
    let policy = customer.config.bucket_policies(None).unwrap()["events"].to_string();
    let s3 = customer.emulator.s3("owner");
    s3.put_bucket_policy().bucket(crate::rig::BUCKET).policy(policy).send().await.unwrap();
    customer.importer().once().await.unwrap();
    assert!(matches!(
        customer.config.connection_views(customer.emulator.clock().now()).unwrap()[0].access,
        Access::Active { .. }
    ));
}
