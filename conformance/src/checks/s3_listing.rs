//! Listing objects.

use bucketproof_emulator::{Fault, Op};

use super::refusal::refused;
use super::{aws, must};
use crate::check::{Area, Check};
use crate::falsifier::Falsifier;
use crate::outcome::{Conclusion, Stop};
use crate::stage::{Ground, on_ground};
use crate::step::step;

/// A listing in which nothing is.
const EMPTY: &str = "<ListBucketResult><Name>suite-logs</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated>\
                     </ListBucketResult>";

pub(super) fn checks() -> Vec<Check> {
    let empty = || Falsifier::Fault(Fault::on(Op::ListObjectsV2).body(EMPTY));
    vec![
        must(
            Area::S3List,
            "s3.list-objects-v2.order",
            "keys are listed in the order of their UTF-8 bytes",
            aws("S3 API Reference, ListObjectsV2"),
            empty(),
            on_ground(order),
        ),
        must(
            Area::S3List,
            "s3.list-objects-v2.pages",
            "the pages of a listing hold each key once",
            aws("S3 API Reference, ListObjectsV2"),
            empty(),
            on_ground(pages),
        ),
        must(
            Area::S3List,
            "s3.list-objects-v2.delimiter",
            "a delimiter folds keys into common prefixes",
            aws("S3 User Guide, Organizing objects using prefixes"),
            empty(),
            on_ground(delimiter),
        ),
        must(
            Area::S3List,
            "s3.list-objects-v2.bad-token",
            "a continuation token that nobody gave is refused",
            aws("S3 API Reference, ListObjectsV2"),
            Falsifier::Fault(Fault::on(Op::ListObjectsV2).status(http::StatusCode::OK).body(EMPTY)),
            on_ground(bad_token),
        ),
    ]
}

const KEYS: [&str; 6] = ["list/A", "list/a b", "list/a/1", "list/a/2", "list/ä", "list/\u{10348}"];

async fn fill(ground: &Ground) -> Conclusion {
    for key in KEYS {
        let put = ground.s3().put_object().bucket(ground.bucket()).key(key).send().await;
        step(format!("put `{key}`")).succeeds("the object is written", put)?;
    }
    Ok(())
}

async fn keys(ground: &Ground, max_keys: i32) -> Result<Vec<String>, Stop> {
    let mut keys = Vec::new();
    let mut token = None;
    loop {
        let page = ground.s3().list_objects_v2().bucket(ground.bucket()).prefix("list/").max_keys(max_keys);
        let page = page.set_continuation_token(token.take()).send().await;
        let page = step("list").succeeds("a page", page)?;
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        match page.next_continuation_token() {
            Some(next) if keys.len() <= KEYS.len() => token = Some(next.to_owned()),
            _ => return Ok(keys),
        }
    }
}

async fn order(ground: Ground) -> Conclusion {
    fill(&ground).await?;
    step("the keys").equal(&KEYS[..], &keys(&ground, 1000).await?[..])
}

async fn pages(ground: Ground) -> Conclusion {
    fill(&ground).await?;
    step("the keys of all pages").equal(&KEYS[..], &keys(&ground, 2).await?[..])
}

async fn delimiter(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    fill(&ground).await?;
    let page = s3.list_objects_v2().bucket(ground.bucket()).prefix("list/").delimiter("/").send().await;
    let page = step("list with a delimiter").succeeds("a page", page)?;
    let prefixes: Vec<&str> = page.common_prefixes().iter().filter_map(|prefix| prefix.prefix()).collect();
    step("the common prefixes").equal(&["list/a/"][..], &prefixes[..])?;
    step("keys and prefixes count").equal(&Some(5), &page.key_count())
}

async fn bad_token(ground: Ground) -> Conclusion {
    let page =
        ground.s3().list_objects_v2().bucket(ground.bucket()).continuation_token("not a token").send().await;
    refused("go on from nowhere", "400 InvalidArgument", page).map(drop)
}
