//! Listings and buckets in their finer points.

use aws_sdk_s3::types::EncodingType;
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::anywhere;
use super::s3_objects::put;
use crate::check::{Area, Check};
use crate::outcome::Conclusion;
use crate::stage::Ground;
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    vec![
        anywhere(
            Area::S3List,
            "s3.list-objects.marker",
            "a listing of the first version goes on after its marker",
            "S3 API Reference, ListObjects",
            &[],
            Fault::on(Op::ListObjects).body("<ListBucketResult/>"),
            marker,
        ),
        anywhere(
            Area::S3List,
            "s3.list-objects-v2.start-after",
            "a listing starts after the key it is told",
            "S3 API Reference, ListObjectsV2",
            &[],
            Fault::on(Op::ListObjectsV2).body("<ListBucketResult/>"),
            start_after,
        ),
        anywhere(
            Area::S3List,
            "s3.list-objects-v2.max-keys-zero",
            "a listing of no keys is empty and complete",
            "S3 API Reference, ListObjectsV2",
            &[],
            Fault::on(Op::ListObjectsV2).body(
                "<ListBucketResult><IsTruncated>true</IsTruncated><KeyCount>2</KeyCount></ListBucketResult>",
            ),
            no_keys,
        ),
        anywhere(
            Area::S3List,
            "s3.list-objects-v2.encoding",
            "keys come encoded to who asks for it",
            "S3 API Reference, ListObjectsV2",
            &[],
            Fault::on(Op::ListObjectsV2).body("<ListBucketResult/>"),
            encoded_keys,
        ),
        anywhere(
            Area::S3List,
            "s3.list-objects-v2.delimiter-pages",
            "common prefixes count for the length of a page, and none is told twice",
            "S3 User Guide, Organizing objects using prefixes",
            &[],
            Fault::on(Op::ListObjectsV2).body("<ListBucketResult/>"),
            prefix_pages,
        ),
        anywhere(
            Area::S3List,
            "s3.list-buckets.own",
            "a bucket that was made is among the buckets of the account",
            "S3 API Reference, ListBuckets",
            &[],
            Fault::on(Op::ListBuckets).body("<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"),
            own_buckets,
        ),
        anywhere(
            Area::S3Bucket,
            "s3.head-bucket.missing",
            "HeadBucket of a bucket that does not exist is 404",
            "S3 API Reference, HeadBucket",
            &[],
            Fault::on(Op::HeadBucket).status(StatusCode::OK),
            missing_bucket,
        ),
        anywhere(
            Area::S3Bucket,
            "s3.delete-bucket.gone",
            "an empty bucket that is deleted is gone",
            "S3 API Reference, DeleteBucket",
            &[],
            Fault::on(Op::DeleteBucket).refuse(StatusCode::NO_CONTENT, "Ignored", ""),
            deleted_bucket,
        ),
    ]
}

/// Keys for these checks, beside those that are there.
async fn fill(ground: &Ground) -> Conclusion {
    for key in ["more/a", "more/b", "more/c/1", "more/c/2", "more/d/1"] {
        put(ground, key, "x").await?;
    }
    Ok(())
}

async fn marker(ground: Ground) -> Conclusion {
    fill(&ground).await?;
    let listed =
        ground.s3().list_objects().bucket(ground.bucket()).prefix("more/").marker("more/b").send().await;
    let listed = step("list after `more/b`").succeeds("a listing", listed)?;
    let keys: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    step("the keys").equal(&["more/c/1", "more/c/2", "more/d/1"][..], &keys[..])
}

async fn start_after(ground: Ground) -> Conclusion {
    fill(&ground).await?;
    let listed =
        ground.s3().list_objects_v2().bucket(ground.bucket()).prefix("more/").start_after("more/c/1");
    let listed = step("list after `more/c/1`").succeeds("a listing", listed.send().await)?;
    let keys: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    step("the keys").equal(&["more/c/2", "more/d/1"][..], &keys[..])
}

async fn no_keys(ground: Ground) -> Conclusion {
    let listed = ground.s3().list_objects_v2().bucket(ground.bucket()).max_keys(0).send().await;
    let listed = step("list no keys").succeeds("a listing", listed)?;
    step("the number of keys").equal(&Some(0), &listed.key_count())?;
    step("nothing more").equal(&Some(false), &listed.is_truncated())
}

async fn encoded_keys(ground: Ground) -> Conclusion {
    put(&ground, "enc/a b+ü", "x").await?;
    let listed = ground.s3().list_objects_v2().bucket(ground.bucket()).prefix("enc/");
    let listed = listed.encoding_type(EncodingType::Url).send().await;
    let listed = step("list with encoding").succeeds("a listing", listed)?;
    let keys: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    step("the keys").equal(&["enc/a+b%2B%C3%BC"][..], &keys[..])
}

async fn prefix_pages(ground: Ground) -> Conclusion {
    fill(&ground).await?;
    let (mut seen, mut token, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = ground.s3().list_objects_v2().bucket(ground.bucket()).prefix("more/").delimiter("/");
        let page = page.max_keys(1).set_continuation_token(token.take()).send().await;
        let page = step("list a page of one").succeeds("a page", page)?;
        step("what a page holds").equal(&Some(1), &page.key_count())?;
        seen.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        seen.extend(page.common_prefixes().iter().filter_map(|one| one.prefix().map(str::to_owned)));
        pages += 1;
        match page.next_continuation_token() {
            Some(next) if pages < 6 => token = Some(next.to_owned()),
            _ => break,
        }
    }
    step("keys and prefixes, page by page").equal(&["more/a", "more/b", "more/c/", "more/d/"][..], &seen[..])
}

async fn own_buckets(ground: Ground) -> Conclusion {
    let listed = ground.s3().list_buckets().send().await;
    let listed = step("list the buckets").succeeds("a listing", listed)?;
    let is_there = listed.buckets().iter().any(|bucket| bucket.name() == Some(ground.bucket()));
    step(format!("`{}` is among them", ground.bucket())).equal(&true, &is_there)
}

async fn missing_bucket(ground: Ground) -> Conclusion {
    let head = ground.s3().head_bucket().bucket(ground.nobodys_bucket()).send().await;
    let error = step("head a bucket that does not exist").refuses("404", head)?;
    let status = error.raw_response().map(|response| response.status().as_u16());
    step("the status").equal(&Some(404), &status)
}

async fn deleted_bucket(ground: Ground) -> Conclusion {
    let bucket = ground.another_bucket();
    let created = ground.s3().create_bucket().bucket(&bucket).send().await;
    step("make a bucket").succeeds("the bucket", created)?;
    step("delete it").succeeds("204", ground.s3().delete_bucket().bucket(&bucket).send().await)?;
    let head = ground.s3().head_bucket().bucket(&bucket).send().await;
    step("head it").refuses("404", head).map(drop)
}
