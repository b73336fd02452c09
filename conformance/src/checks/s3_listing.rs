//! Listing objects.

use aws_sdk_s3::Client;
use bucketproof_emulator::{Fault, Op};

use super::refusal::refused;
use super::{aws, must};
use crate::check::{Area, Check, Run};
use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::{Conclusion, Stop};
use crate::stage::{BUCKET, Stage};
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
            Run::new(order),
        ),
        must(
            Area::S3List,
            "s3.list-objects-v2.pages",
            "the pages of a listing hold each key once",
            aws("S3 API Reference, ListObjectsV2"),
            empty(),
            Run::new(pages),
        ),
        must(
            Area::S3List,
            "s3.list-objects-v2.delimiter",
            "a delimiter folds keys into common prefixes",
            aws("S3 User Guide, Organizing objects using prefixes"),
            empty(),
            Run::new(delimiter),
        ),
        must(
            Area::S3List,
            "s3.list-objects-v2.bad-token",
            "a continuation token that nobody gave is refused",
            aws("S3 API Reference, ListObjectsV2"),
            Falsifier::Fault(Fault::on(Op::ListObjectsV2).status(http::StatusCode::OK).body(EMPTY)),
            Run::new(bad_token),
        ),
    ]
}

const KEYS: [&str; 6] = ["list/A", "list/a b", "list/a/1", "list/a/2", "list/ä", "list/\u{10348}"];

async fn fill(s3: &Client) -> Conclusion {
    for key in KEYS {
        let put = s3.put_object().bucket(BUCKET).key(key).send().await;
        step(format!("put `{key}`")).succeeds("the object is written", put)?;
    }
    Ok(())
}

async fn keys(s3: &Client, max_keys: i32) -> Result<Vec<String>, Stop> {
    let mut keys = Vec::new();
    let mut token = None;
    loop {
        let page = s3.list_objects_v2().bucket(BUCKET).prefix("list/").max_keys(max_keys);
        let page = page.set_continuation_token(token.take()).send().await;
        let page = step("list").succeeds("a page", page)?;
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        match page.next_continuation_token() {
            Some(next) if keys.len() <= KEYS.len() => token = Some(next.to_owned()),
            _ => return Ok(keys),
        }
    }
}

async fn order(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let s3 = stage.administrator();
    fill(&s3).await?;
    step("the keys").equal(&KEYS[..], &keys(&s3, 1000).await?[..])
}

async fn pages(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let s3 = stage.administrator();
    fill(&s3).await?;
    step("the keys of all pages").equal(&KEYS[..], &keys(&s3, 2).await?[..])
}

async fn delimiter(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let s3 = stage.administrator();
    fill(&s3).await?;
    let page = s3.list_objects_v2().bucket(BUCKET).prefix("list/").delimiter("/").send().await;
    let page = step("list with a delimiter").succeeds("a page", page)?;
    let prefixes: Vec<&str> = page.common_prefixes().iter().filter_map(|prefix| prefix.prefix()).collect();
    step("the common prefixes").equal(&["list/a/"][..], &prefixes[..])?;
    step("keys and prefixes count").equal(&Some(5), &page.key_count())
}

async fn bad_token(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let page =
        stage.administrator().list_objects_v2().bucket(BUCKET).continuation_token("not a token").send().await;
    refused("go on from nowhere", "400 InvalidArgument", page).map(drop)
}
