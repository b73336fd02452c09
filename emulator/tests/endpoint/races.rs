//! Thousands of conditional writes at once: each round has one winner, and what happened can be told as a sequence.

use std::sync::Arc;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use md5::Digest as _;
use proptest::prelude::*;

use crate::fixture::emulator;

/// How many write at once, and how often.
const WRITERS: usize = 32;
const ROUNDS: usize = 64;

/// What a write did: the entity tag it left, or the code it was refused with.
type Done = Result<String, String>;

fn code<E: ProvideErrorMetadata>(error: &E) -> String {
    error.code().unwrap_or_default().to_owned()
}

/// Runs all at once and waits for them.
async fn at_once<F>(writes: impl IntoIterator<Item = F>) -> Vec<Done>
where
    F: Future<Output = Done> + Send + 'static,
{
    let tasks: Vec<_> = writes.into_iter().map(tokio::spawn).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

/// Every round all replace what they last saw, in a bucket that keeps versions or not: one succeeds, the others are
/// told that they did not; no write is lost, and the versions are the winners in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_replace_the_same_one_wins() {
    for versioned in [false, true] {
        let emulator = emulator().await;
        let s3 = Arc::new(emulator.s3("admin"));
        if versioned {
            let status = aws_sdk_s3::types::VersioningConfiguration::builder()
                .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
                .build();
            s3.put_bucket_versioning().bucket("logs").versioning_configuration(status).send().await.unwrap();
        }
        let mut winners: Vec<String> = Vec::new();
        for round in 0..ROUNDS {
            let seen = winners.last().cloned();
            let writes = (0..WRITERS).map(|writer| {
                let (s3, seen) = (Arc::clone(&s3), seen.clone());
                async move {
                    let body = ByteStream::from(format!("{round} {writer}").into_bytes());
                    let put = s3.put_object().bucket("logs").key("register").body(body);
                    let put = match &seen {
                        None => put.if_none_match("*"),
                        Some(etag) => put.if_match(etag),
                    };
                    put.send().await.map(|done| done.e_tag.unwrap()).map_err(|error| code(&error))
                }
            });
            let (won, lost): (Vec<Done>, Vec<Done>) =
                at_once(writes).await.into_iter().partition(Result::is_ok);
            assert_eq!(won.len(), 1, "round {round}");
            assert!(lost.iter().all(|done| *done == Err("PreconditionFailed".to_owned())), "{lost:?}");
            winners.extend(won.into_iter().flatten());
        }
        let last = s3.head_object().bucket("logs").key("register").send().await.unwrap();
        assert_eq!(last.e_tag, winners.last().cloned());
        if versioned {
            let listed = s3.list_object_versions().bucket("logs").send().await.unwrap();
            let kept = listed.versions().iter().rev().map(|version| version.e_tag().unwrap().to_owned());
            assert_eq!(kept.collect::<Vec<_>>(), winners);
        }
    }
}

/// What a writer asks for in the race that follows.
#[derive(Clone, Copy, Debug)]
enum Ask {
    PutIfAbsent(usize),
    Replace(usize, usize),
    Delete,
    DeleteIf(usize),
}

/// What is written, by number.
const BODIES: [&str; 3] = ["a", "b", "c"];

/// The entity tag of a body.
fn tag(body: usize) -> String {
    format!("\"{}\"", hex::encode(md5::Md5::digest(BODIES[body])))
}

/// The state of one key, and what a request does to it: the whole rule.
fn step(state: Option<usize>, ask: Ask) -> (Option<usize>, Result<(), &'static str>) {
    match (ask, state) {
        (Ask::PutIfAbsent(_), Some(_)) => (state, Err("PreconditionFailed")),
        (Ask::Replace(..) | Ask::DeleteIf(_), None) => (state, Err("NoSuchKey")),
        (Ask::Replace(old, _) | Ask::DeleteIf(old), Some(now)) if old != now => {
            (state, Err("PreconditionFailed"))
        }
        (Ask::PutIfAbsent(new), None) | (Ask::Replace(_, new), Some(_)) => (Some(new), Ok(())),
        (Ask::Delete | Ask::DeleteIf(_), _) => (None, Ok(())),
    }
}

/// Whether some order of the requests explains what each was told and what was left.
fn is_explained(
    state: Option<usize>,
    asked: &mut Vec<(Ask, Result<(), String>)>,
    end: Option<usize>,
) -> bool {
    if asked.is_empty() {
        return state == end;
    }
    (0..asked.len()).any(|next| {
        let (ask, told) = asked.remove(next);
        let (after, expected) = step(state, ask);
        let fits = expected.map_err(str::to_owned) == told && is_explained(after, asked, end);
        asked.insert(next, (ask, told));
        fits
    })
}

fn ask() -> impl Strategy<Value = Ask> {
    let body = 0_usize..3;
    prop_oneof![
        body.clone().prop_map(Ask::PutIfAbsent),
        (body.clone(), body.clone()).prop_map(|(old, new)| Ask::Replace(old, new)),
        Just(Ask::Delete),
        body.prop_map(Ask::DeleteIf),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Races of mixed requests: what everyone is told, and what is left, is what some sequence would have done.
    #[test]
    fn races_are_explained_by_a_sequence(
        rounds in prop::collection::vec(prop::collection::vec(ask(), 2..6), 1..6),
        versioned in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
        runtime.block_on(async {
            let emulator = emulator().await;
            let s3 = Arc::new(emulator.s3("admin"));
            if versioned {
                let status = aws_sdk_s3::types::VersioningConfiguration::builder()
                    .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
                    .build();
                s3.put_bucket_versioning().bucket("logs").versioning_configuration(status).send().await.unwrap();
            }
            let mut state = None;
            for asks in rounds {
                let writes = asks.iter().map(|ask| {
                    let (s3, ask) = (Arc::clone(&s3), *ask);
                    async move {
                        let put = |body: usize| {
                            s3.put_object().bucket("logs").key("k").body(ByteStream::from_static(BODIES[body].as_bytes()))
                        };
                        let delete = || s3.delete_object().bucket("logs").key("k");
                        let told = match ask {
                            Ask::PutIfAbsent(new) => put(new).if_none_match("*").send().await.map(drop).map_err(|e| code(&e)),
                            Ask::Replace(old, new) => put(new).if_match(tag(old)).send().await.map(drop).map_err(|e| code(&e)),
                            Ask::Delete => delete().send().await.map(drop).map_err(|e| code(&e)),
                            Ask::DeleteIf(old) => delete().if_match(tag(old)).send().await.map(drop).map_err(|e| code(&e)),
                        };
                        told.map(|()| String::new())
                    }
                });
                let told = at_once(writes.collect::<Vec<_>>()).await;
                let read = s3.get_object().bucket("logs").key("k").send().await;
                let end = match read {
                    Ok(read) => (0..BODIES.len()).find(|body| read.e_tag() == Some(&tag(*body))),
                    Err(error) => {
                        prop_assert_eq!(code(&error), "NoSuchKey");
                        None
                    }
                };
                let mut asked: Vec<_> = asks.into_iter().zip(told.into_iter().map(|told| told.map(drop))).collect();
                prop_assert!(is_explained(state, &mut asked, end), "{:?} {:?} {:?}", state, asked, end);
                state = end;
            }
            Ok(())
        })?;
    }
}
