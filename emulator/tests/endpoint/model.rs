//! Any sequence of requests leaves a bucket as it leaves a map.

use std::collections::BTreeMap;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use proptest::prelude::*;

use crate::fixture::emulator;

#[derive(Clone, Debug)]
enum Step {
    Put(String, Vec<u8>),
    PutIfAbsent(String, Vec<u8>),
    Get(String),
    Delete(String),
    Copy(String, String),
    List(String),
}

fn step() -> impl Strategy<Value = Step> {
    // The SDK itself refuses a key that is blank.
    let key = "[ab/+é][ab/ +é]{0,2}";
    let body = prop::collection::vec(any::<u8>(), 0..8);
    prop_oneof![
        (key, body.clone()).prop_map(|(key, body)| Step::Put(key, body)),
        (key, body).prop_map(|(key, body)| Step::PutIfAbsent(key, body)),
        key.prop_map(Step::Get),
        key.prop_map(Step::Delete),
        (key, key).prop_map(|(from, to)| Step::Copy(from, to)),
        "[ab/]{0,1}".prop_map(Step::List),
    ]
}

/// What a client sees of a step: the code of a refusal, or the content.
type Seen = Result<Vec<(String, Vec<u8>)>, String>;

/// The model.
fn expected(map: &mut BTreeMap<String, Vec<u8>>, step: &Step) -> Seen {
    let found = |key: &str, code: &str| map.get(key).cloned().ok_or_else(|| code.to_owned());
    match step {
        Step::PutIfAbsent(key, _) if map.contains_key(key) => return Err("PreconditionFailed".into()),
        Step::Put(key, body) | Step::PutIfAbsent(key, body) => drop(map.insert(key.clone(), body.clone())),
        Step::Get(key) => return Ok(vec![(key.clone(), found(key, "NoSuchKey")?)]),
        Step::Delete(key) => drop(map.remove(key)),
        Step::Copy(from, to) => {
            let body = found(from, "NoSuchKey")?;
            if from == to {
                return Err("InvalidRequest".into());
            }
            map.insert(to.clone(), body);
        }
        Step::List(prefix) => {
            let listed = map.iter().filter(|(key, _)| key.starts_with(prefix.as_str()));
            return Ok(listed
                .map(|(key, body)| (key.clone(), body.len().to_string().into_bytes()))
                .collect());
        }
    }
    Ok(Vec::new())
}

async fn seen(s3: &aws_sdk_s3::Client, step: &Step) -> Seen {
    fn code<E: ProvideErrorMetadata>(error: &E) -> String {
        error.code().unwrap_or_default().to_owned()
    }
    let put = |key: &String, body: &[u8]| {
        s3.put_object().bucket("logs").key(key).body(ByteStream::from(body.to_vec()))
    };
    match step {
        Step::Put(key, body) => put(key, body).send().await.map(|_| Vec::new()).map_err(|error| code(&error)),
        Step::PutIfAbsent(key, body) => {
            put(key, body).if_none_match("*").send().await.map(|_| Vec::new()).map_err(|error| code(&error))
        }
        Step::Get(key) => {
            let got = s3.get_object().bucket("logs").key(key).send().await.map_err(|error| code(&error))?;
            Ok(vec![(key.clone(), got.body.collect().await.unwrap().to_vec())])
        }
        Step::Delete(key) => s3
            .delete_object()
            .bucket("logs")
            .key(key)
            .send()
            .await
            .map(|_| Vec::new())
            .map_err(|error| code(&error)),
        Step::Copy(from, to) => {
            let source = percent_encoding::utf8_percent_encode(from, percent_encoding::NON_ALPHANUMERIC);
            let copy = s3.copy_object().bucket("logs").key(to).copy_source(format!("logs/{source}"));
            copy.send().await.map(|_| Vec::new()).map_err(|error| code(&error))
        }
        Step::List(prefix) => {
            let listed = s3
                .list_objects_v2()
                .bucket("logs")
                .prefix(prefix)
                .send()
                .await
                .map_err(|error| code(&error))?;
            let object = |object: &aws_sdk_s3::types::Object| {
                (object.key().unwrap().to_owned(), object.size().unwrap().to_string().into_bytes())
            };
            Ok(listed.contents().iter().map(object).collect())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bucket_behaves_like_a_map(steps in prop::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let emulator = emulator().await;
            let s3 = emulator.s3("admin");
            let mut map = BTreeMap::new();
            for step in &steps {
                prop_assert_eq!(seen(&s3, step).await, expected(&mut map, step), "{:?}", step);
            }
            Ok(())
        })?;
    }
}
