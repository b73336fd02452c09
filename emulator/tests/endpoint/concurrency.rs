//! Conditional writes are one step, however many clients race.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use tokio::task::JoinSet;

use crate::fixture::{ADMIN, emulator, listening};
use crate::wire::{Ask, Signing};

/// Every racer tries to be the first under each key; answers how often each won.
async fn race(s3: Client, racers: usize, keys: usize) -> usize {
    let mut tasks = JoinSet::new();
    for racer in 0..racers {
        let s3 = s3.clone();
        tasks.spawn(async move {
            let mut won = 0;
            for key in 0..keys {
                let body = ByteStream::from(format!("racer {racer}").into_bytes());
                let put = s3.put_object().bucket("logs").key(format!("{key}")).if_none_match("*").body(body);
                match put.send().await {
                    Ok(_) => won += 1,
                    Err(error) => assert_eq!(error.code(), Some("PreconditionFailed")),
                }
            }
            won
        });
    }
    tasks.join_all().await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory_exactly_one_is_first() {
    let emulator = emulator().await;
    assert_eq!(race(emulator.s3("admin"), 25, 40).await, 40);
    let statuses: Vec<u16> = emulator.journal().entries().iter().map(|entry| entry.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 40);
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 960);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_socket_exactly_one_is_first() {
    let (emulator, wire) = listening().await;
    let mut tasks = JoinSet::new();
    for racer in 0..20 {
        let wire = wire.clone();
        tasks.spawn(async move {
            let mut won = 0;
            for key in 0..50 {
                let ask = Ask::new("PUT", &format!("/logs/{key}")).header("if-none-match", "*");
                let signed = wire.sign(&ask.body(format!("{racer}")), &Signing::with(ADMIN));
                match wire.send(&signed).await.outcome() {
                    (200, _) => won += 1,
                    (412, _) => {}
                    other => panic!("{other:?}"),
                }
            }
            won
        });
    }
    let won: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(won, 50);
    assert_eq!(emulator.journal().entries().len(), 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compare_and_swap_loses_no_increment() {
    let emulator = emulator().await;
    let s3 = Arc::new(emulator.s3("admin"));
    s3.put_object().bucket("logs").key("counter").body(ByteStream::from_static(b"0")).send().await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let s3 = Arc::clone(&s3);
        tasks.spawn(async move {
            let mut done = 0;
            while done < 25 {
                let got = s3.get_object().bucket("logs").key("counter").send().await.unwrap();
                let etag = got.e_tag().unwrap().to_owned();
                let count: u32 =
                    String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap().parse().unwrap();
                let body = ByteStream::from((count + 1).to_string().into_bytes());
                match s3.put_object().bucket("logs").key("counter").if_match(etag).body(body).send().await {
                    Ok(_) => done += 1,
                    Err(error) => assert_eq!(error.code(), Some("PreconditionFailed")),
                }
            }
        });
    }
    tasks.join_all().await;
    let got = s3.get_object().bucket("logs").key("counter").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"200");
}
