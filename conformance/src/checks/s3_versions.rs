//! Versions and delete markers.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::anywhere;
use super::refusal::refused;
use super::s3_objects::{get, put};
use crate::check::{Area, Capability, Check};
use crate::outcome::{Conclusion, Stop};
use crate::stage::Ground;
use crate::step::step;

const UG: &str = "S3 User Guide, Retaining multiple versions of objects with S3 Versioning";
const NEEDS: &[Capability] = &[Capability::Versioning];

pub(super) fn checks() -> Vec<Check> {
    let ignored = |op| Fault::on(op).refuse(StatusCode::NO_CONTENT, "Ignored", "");
    vec![
        anywhere(
            Area::S3Version,
            "s3.version.put-gives-an-id",
            "a versioned bucket gives each object a version id of its own",
            UG,
            NEEDS,
            Fault::on(Op::PutObject).without_header("x-amz-version-id"),
            ids,
        ),
        anywhere(
            Area::S3Version,
            "s3.version.status",
            "GetBucketVersioning tells what PutBucketVersioning has set",
            "S3 API Reference, GetBucketVersioning",
            NEEDS,
            Fault::on(Op::GetBucketVersioning).body("<VersioningConfiguration/>"),
            status,
        ),
        anywhere(
            Area::S3Version,
            "s3.version.former-is-kept",
            "a version that was overwritten is read by its id",
            UG,
            NEEDS,
            Fault::on(Op::GetObject).corrupt_body(),
            former,
        ),
        anywhere(
            Area::S3Version,
            "s3.version.delete-marker",
            "deleting without a version id adds a delete marker, and the key is 404",
            "S3 User Guide, Working with delete markers",
            NEEDS,
            Fault::on(Op::DeleteObject).without_header("x-amz-delete-marker"),
            marker,
        ),
        anywhere(
            Area::S3Version,
            "s3.version.marker-removed",
            "deleting the delete marker brings the object back",
            "S3 User Guide, Working with delete markers",
            NEEDS,
            ignored(Op::DeleteObject),
            marker_removed,
        ),
        anywhere(
            Area::S3Version,
            "s3.version.delete-for-good",
            "deleting a version by its id is for good, and the one before is the present one",
            "S3 User Guide, Deleting object versions",
            NEEDS,
            ignored(Op::DeleteObject),
            for_good,
        ),
        anywhere(
            Area::S3Version,
            "s3.version.listing",
            "versions are listed with the newest first, which is marked as the latest",
            "S3 API Reference, ListObjectVersions",
            NEEDS,
            Fault::on(Op::ListObjectVersions).body("<ListVersionsResult/>"),
            listing,
        ),
        anywhere(
            Area::S3Version,
            "s3.version.suspended",
            "after suspension a new object has the version id null",
            "S3 User Guide, Adding objects to versioning-suspended buckets",
            NEEDS,
            Fault::on(Op::ListObjectVersions).body("<ListVersionsResult/>"),
            suspended,
        ),
        anywhere(
            Area::S3Version,
            "s3.version.unknown-id",
            "a version that was deleted is 404 NoSuchVersion",
            "S3 API Reference, Error responses",
            NEEDS,
            Fault::on(Op::GetObject).refuse(StatusCode::NOT_FOUND, "NoSuchKey", "no"),
            unknown_id,
        ),
        anywhere(
            Area::S3Version,
            "s3.version.copy-of-a-version",
            "a copy of a version by its id has that version's bytes",
            "S3 API Reference, CopyObject",
            &[Capability::Versioning, Capability::Copy],
            Fault::on(Op::GetObject).corrupt_body(),
            copy_of_version,
        ),
    ]
}

async fn set(ground: &Ground, status: BucketVersioningStatus) -> Conclusion {
    let configuration = VersioningConfiguration::builder().status(status).build();
    let set = ground.s3().put_bucket_versioning().bucket(ground.bucket());
    let set = set.versioning_configuration(configuration).send().await;
    step("set the versioning of the bucket").succeeds("200", set).map(drop)
}

/// Versioning is on, and these bodies are written to `k`, one over the other; their version ids.
async fn written(ground: &Ground, bodies: &[&'static str]) -> Result<Vec<String>, Stop> {
    set(ground, BucketVersioningStatus::Enabled).await?;
    let mut ids = Vec::new();
    for body in bodies {
        let put =
            ground.s3().put_object().bucket(ground.bucket()).key("k").body(body.as_bytes().to_vec().into());
        let put = step(format!("put `{body}`")).succeeds("the object is written", put.send().await)?;
        ids.push(step("its version id").some("a version id", put.version_id())?.to_owned());
    }
    Ok(ids)
}

async fn version(ground: &Ground, id: &str) -> Result<Vec<u8>, Stop> {
    let got = ground.s3().get_object().bucket(ground.bucket()).key("k").version_id(id).send().await;
    let got = step("get the version by its id").succeeds("the version", got)?;
    Ok(step("read it").succeeds("its bytes", got.body.collect().await)?.to_vec())
}

fn nth(ids: &[String], number: usize) -> &str {
    ids.get(number).map(String::as_str).unwrap_or_default()
}

async fn ids(ground: Ground) -> Conclusion {
    let ids = written(&ground, &["one", "two"]).await?;
    step("the two ids differ").equal(&true, &(nth(&ids, 0) != nth(&ids, 1)))
}

async fn status(ground: Ground) -> Conclusion {
    for status in [BucketVersioningStatus::Enabled, BucketVersioningStatus::Suspended] {
        set(&ground, status.clone()).await?;
        let found = ground.s3().get_bucket_versioning().bucket(ground.bucket()).send().await;
        let found = step("ask for the versioning").succeeds("a status", found)?;
        step("the status").equal(&Some(&status), &found.status())?;
    }
    Ok(())
}

async fn former(ground: Ground) -> Conclusion {
    let ids = written(&ground, &["one", "two"]).await?;
    step("the former version").equal(&b"one"[..], &version(&ground, nth(&ids, 0)).await?[..])?;
    step("the present one").equal(&b"two"[..], &get(&ground, "k").await?[..])
}

async fn marker(ground: Ground) -> Conclusion {
    written(&ground, &["one"]).await?;
    let deleted = ground.s3().delete_object().bucket(ground.bucket()).key("k").send().await;
    let deleted = step("delete the key").succeeds("204", deleted)?;
    step("the answer tells of a delete marker").equal(&Some(true), &deleted.delete_marker())?;
    let got = ground.s3().get_object().bucket(ground.bucket()).key("k").send().await;
    let error = refused("get the key", "404 NoSuchKey", got)?;
    let header = error.raw_response().and_then(|answer| answer.headers().get("x-amz-delete-marker"));
    step("the refusal tells of it as well").equal(&Some("true"), &header)
}

async fn marker_removed(ground: Ground) -> Conclusion {
    written(&ground, &["one"]).await?;
    let deleted = ground.s3().delete_object().bucket(ground.bucket()).key("k").send().await;
    let deleted = step("delete the key").succeeds("204", deleted)?;
    let marker = step("the marker's id").some("a version id", deleted.version_id())?;
    let removed =
        ground.s3().delete_object().bucket(ground.bucket()).key("k").version_id(marker).send().await;
    step("delete the marker").succeeds("204", removed)?;
    step("the object").equal(&b"one"[..], &get(&ground, "k").await?[..])
}

async fn for_good(ground: Ground) -> Conclusion {
    let ids = written(&ground, &["one", "two"]).await?;
    let deleted =
        ground.s3().delete_object().bucket(ground.bucket()).key("k").version_id(nth(&ids, 1)).send().await;
    step("delete the present version").succeeds("204", deleted)?;
    step("the object").equal(&b"one"[..], &get(&ground, "k").await?[..])
}

async fn listing(ground: Ground) -> Conclusion {
    let ids = written(&ground, &["one", "two"]).await?;
    let listed = ground.s3().list_object_versions().bucket(ground.bucket()).prefix("k").send().await;
    let listed = step("list the versions").succeeds("a listing", listed)?;
    let found: Vec<(Option<&str>, Option<bool>)> =
        listed.versions().iter().map(|one| (one.version_id(), one.is_latest())).collect();
    let expected = [(Some(nth(&ids, 1)), Some(true)), (Some(nth(&ids, 0)), Some(false))];
    step("id and mark of each").equal(&expected[..], &found[..])
}

async fn suspended(ground: Ground) -> Conclusion {
    // Not by `written`, which wants an id of the first object.
    set(&ground, BucketVersioningStatus::Enabled).await?;
    put(&ground, "k", "one").await?;
    set(&ground, BucketVersioningStatus::Suspended).await?;
    put(&ground, "k", "two").await?;
    let listed = ground.s3().list_object_versions().bucket(ground.bucket()).prefix("k").send().await;
    let listed = step("list the versions").succeeds("a listing", listed)?;
    let latest = listed.versions().iter().find(|one| one.is_latest() == Some(true));
    step("the version id of the latest").equal(&Some("null"), &latest.and_then(|one| one.version_id()))
}

async fn unknown_id(ground: Ground) -> Conclusion {
    let ids = written(&ground, &["one", "two"]).await?;
    let deleted =
        ground.s3().delete_object().bucket(ground.bucket()).key("k").version_id(nth(&ids, 0)).send().await;
    step("delete a version").succeeds("204", deleted)?;
    let got = ground.s3().get_object().bucket(ground.bucket()).key("k").version_id(nth(&ids, 0)).send().await;
    refused("get it", "404 NoSuchVersion", got).map(drop)
}

async fn copy_of_version(ground: Ground) -> Conclusion {
    let ids = written(&ground, &["one", "two"]).await?;
    let source = format!("{}/k?versionId={}", ground.bucket(), nth(&ids, 0));
    let copied =
        ground.s3().copy_object().bucket(ground.bucket()).key("copy").copy_source(source).send().await;
    step("copy the former version").succeeds("the copy", copied)?;
    step("the copy").equal(&b"one"[..], &get(&ground, "copy").await?[..])
}
