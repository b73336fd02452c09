//! The emulator as a value: copied, kept, put back, begun anew, and by the thousand.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use bucketproof_clock::Clock;
use bucketproof_emulator::{Emulator, Fault, Op, RestoreError};

use crate::fixture::{EXTERNAL_ID, ROLE_ARN, emulator, listening, scenario};

async fn put(emulator: &Emulator, key: &str, body: &'static [u8]) {
    let put = emulator.s3("admin").put_object().bucket("logs").key(key);
    put.body(ByteStream::from_static(body)).send().await.unwrap();
}

async fn get(emulator: &Emulator, key: &str) -> Option<Vec<u8>> {
    let answer = emulator.s3("admin").get_object().bucket("logs").key(key).send().await.ok()?;
    Some(answer.body.collect().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_fork_goes_its_own_way() {
    let origin = emulator().await;
    put(&origin, "shared", b"before").await;
    let fork = origin.fork();
    assert!(fork.journal().entries().is_empty());
    put(&fork, "shared", b"fork").await;
    put(&origin, "own", b"origin").await;
    fork.clock().advance(Duration::from_hours(1));
    assert_eq!(get(&fork, "shared").await.unwrap(), b"fork");
    assert_eq!(get(&origin, "shared").await.unwrap(), b"before");
    assert_eq!((get(&fork, "own").await, get(&origin, "own").await), (None, Some(b"origin".into())));
    let apart = fork.clock().now().duration_since(origin.clock().now());
    assert!(apart.as_secs() > 3500, "{apart}");
    fork.s3("admin").delete_object().bucket("logs").key("shared").send().await.unwrap();
    assert_eq!(get(&origin, "shared").await.unwrap(), b"before");
    drop(origin);
    assert_eq!(get(&fork, "shared").await, None);
}

#[tokio::test]
async fn forks_of_one_world_are_alike() {
    let origin = emulator().await;
    let ids = async |emulator: Emulator| {
        put(&emulator, "a", b"a").await;
        let ids: Vec<String> = emulator.journal().entries().iter().map(|e| e.request_id.clone()).collect();
        ids
    };
    assert_eq!(ids(origin.fork()).await, ids(origin.fork()).await);
}

#[tokio::test]
async fn a_snapshot_is_put_back_with_its_time_and_its_ids() {
    let emulator = emulator().await;
    put(&emulator, "a", b"first").await;
    let snapshot = emulator.snapshot();
    assert_eq!(snapshot.taken_at(), emulator.clock().now());
    let run = async || {
        emulator.clock().advance(Duration::from_secs(5));
        put(&emulator, "a", b"second").await;
        emulator.s3("admin").delete_bucket().bucket("archive").send().await.ok();
        emulator.journal().entries().last().unwrap().request_id.clone()
    };
    let first = run().await;
    emulator.restore(&snapshot).unwrap();
    assert_eq!(emulator.clock().now().to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(get(&emulator, "a").await.unwrap(), b"first");
    emulator.restore(&snapshot).unwrap();
    assert_eq!(run().await, first);
}

#[tokio::test]
async fn a_reset_begins_again() {
    let emulator = emulator().await;
    put(&emulator, "a", b"a").await;
    let fault = emulator.inject(Fault::on(Op::GetObject).slow_down());
    emulator.clock().advance(Duration::from_secs(5));
    emulator.reset().unwrap();
    assert!(emulator.journal().entries().is_empty());
    assert_eq!(emulator.clock().now().to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(get(&emulator, "a").await, None);
    assert_eq!(fault.hits(), 0);
}

#[tokio::test]
async fn what_is_on_disk_is_not_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Emulator::builder().scenario(scenario()).data_dir(folder.path());
    let emulator = builder.start().await.unwrap();
    let snapshot = emulator.snapshot();
    assert_eq!(emulator.restore(&snapshot), Err(RestoreError::Kept));
    assert_eq!(emulator.reset(), Err(RestoreError::Kept));
    put(&emulator.fork(), "a", b"a").await;
    assert_eq!(get(&emulator, "a").await, None);
}

#[tokio::test]
async fn a_thousand_emulators_serve_and_go() {
    let scenario = scenario();
    for seed in 0..1000 {
        let builder = Emulator::builder().scenario(scenario.clone()).seed(seed);
        let emulator = builder.start().await.unwrap();
        put(&emulator, "key", b"data").await;
        assert_eq!(get(&emulator, "key").await.unwrap(), b"data");
    }
}

#[tokio::test]
async fn an_actor_takes_on_a_role_with_the_external_id_alone() {
    let (emulator, _wire) = listening().await;
    let vendor = emulator.actor("vendor");
    let refused = vendor.assume(ROLE_ARN, None).await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"));
    let exporter = vendor.assume(ROLE_ARN, EXTERNAL_ID).await.unwrap();
    exporter.s3().put_object().bucket("logs").key("a").send().await.unwrap();
    let config = exporter.sdk_config_over_tcp().unwrap();
    let s3 = aws_sdk_s3::Client::new(&config);
    s3.get_object().bucket("logs").key("a").send().await.unwrap();
    emulator.clock().advance(Duration::from_secs(3601));
    let expired = s3.get_object().bucket("logs").key("a").send().await.unwrap_err();
    assert_eq!(expired.code(), Some("ExpiredToken"));
}

#[tokio::test]
async fn time_stands_on_a_frozen_clock_and_runs_on_a_shifted_one() {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let builder = Emulator::builder().scenario(scenario()).clock(Clock::frozen(start));
    let frozen = builder.start().await.unwrap();
    let fault = frozen.inject(Fault::on(Op::ListBuckets).times(2).slow_down());
    frozen.s3("admin").list_buckets().send().await.unwrap();
    assert_eq!((fault.hits(), frozen.clock().now()), (2, start), "waiting between attempts moves nothing");
    let ahead = Clock::offset(jiff::SignedDuration::from_hours(24 * 365));
    let shifted = Emulator::builder().scenario(scenario()).clock(ahead).start().await.unwrap();
    put(&shifted, "a", b"a").await;
}

#[tokio::test]
#[should_panic(expected = "no user `nobody-such` with an access key; it has `111122223333/admin`")]
async fn an_unknown_actor_is_told_who_there_is() {
    emulator().await.actor("nobody-such");
}
