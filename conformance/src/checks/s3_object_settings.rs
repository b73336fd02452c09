//! Settings of objects: tags, Object Lock, encryption.

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode,
    ServerSideEncryption, ServerSideEncryptionConfiguration, Tag, Tagging,
};
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::anywhere;
use super::refusal::refused;
use super::s3_objects::put;
use crate::check::{Area, Capability, Check};
use crate::outcome::{Conclusion, Stop};
use crate::stage::Ground;
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = tagging();
    checks.extend(protection());
    checks
}

fn tagging() -> Vec<Check> {
    vec![
        anywhere(
            Area::S3Object,
            "s3.object-tagging.round-trip",
            "the tags of an object are read back as they were put",
            "S3 User Guide, Categorizing your objects using tags",
            &[Capability::Tagging],
            Fault::on(Op::GetObjectTagging).body("<Tagging><TagSet/></Tagging>"),
            object_tags,
        ),
        anywhere(
            Area::S3Object,
            "s3.object-tagging.header",
            "tags can be given with the object, and reading it tells their number",
            "S3 API Reference, PutObject",
            &[Capability::Tagging],
            Fault::on(Op::GetObject).without_header("x-amz-tagging-count"),
            tags_in_header,
        ),
        anywhere(
            Area::S3Object,
            "s3.object-tagging.deleted",
            "deleted tags are gone, and the object stays",
            "S3 API Reference, DeleteObjectTagging",
            &[Capability::Tagging],
            Fault::on(Op::DeleteObjectTagging).refuse(StatusCode::NO_CONTENT, "Ignored", ""),
            tags_deleted,
        ),
        anywhere(
            Area::S3Object,
            "s3.object-tagging.eleven",
            "an object takes ten tags and no eleventh",
            "S3 User Guide, Categorizing your objects using tags",
            &[Capability::Tagging],
            Fault::on(Op::PutObjectTagging).status(StatusCode::OK),
            eleven_tags,
        ),
    ]
}

fn protection() -> Vec<Check> {
    vec![
        anywhere(
            Area::S3Lock,
            "s3.lock.none",
            "a bucket without Object Lock is 404 ObjectLockConfigurationNotFoundError",
            "S3 API Reference, GetObjectLockConfiguration",
            &[Capability::ObjectLock],
            Fault::on(Op::GetObjectLockConfiguration)
                .status(StatusCode::OK)
                .body("<ObjectLockConfiguration/>"),
            no_lock,
        ),
        anywhere(
            Area::S3Lock,
            "s3.lock.legal-hold",
            "a version under a legal hold cannot be deleted until the hold is lifted",
            "S3 User Guide, Locking objects with Object Lock",
            &[Capability::ObjectLock],
            Fault::on(Op::DeleteObject).refuse(StatusCode::NO_CONTENT, "Ignored", ""),
            legal_hold,
        ),
        anywhere(
            Area::S3Lock,
            "s3.lock.governance",
            "a version in governance mode is deleted only by who bypasses it by name",
            "S3 User Guide, Locking objects with Object Lock",
            &[Capability::ObjectLock],
            Fault::on(Op::DeleteObject).ignore_header("x-amz-bypass-governance-retention"),
            governance,
        ),
        anywhere(
            Area::S3Lock,
            "s3.lock.retention-without-lock",
            "a bucket without Object Lock takes no retention",
            "S3 API Reference, PutObjectRetention",
            &[Capability::ObjectLock],
            Fault::on(Op::PutObjectRetention).status(StatusCode::OK),
            retention_without_lock,
        ),
        anywhere(
            Area::S3Encryption,
            "s3.encryption.default",
            "an object of a bucket without a setting is encrypted with AES256",
            "S3 User Guide, Setting default server-side encryption behavior for Amazon S3 buckets",
            &[Capability::Encryption],
            Fault::on(Op::HeadObject).without_header("x-amz-server-side-encryption"),
            default_encryption,
        ),
        anywhere(
            Area::S3Encryption,
            "s3.encryption.setting",
            "the encryption of a new bucket is SSE-S3",
            "S3 API Reference, GetBucketEncryption",
            &[Capability::Encryption],
            Fault::on(Op::GetBucketEncryption).body("<ServerSideEncryptionConfiguration/>"),
            encryption_setting,
        ),
        anywhere(
            Area::S3Encryption,
            "s3.encryption.unknown-algorithm",
            "an encryption that does not exist is refused",
            "S3 API Reference, PutObject",
            &[Capability::Encryption],
            Fault::on(Op::PutObject).ignore_header("x-amz-server-side-encryption"),
            unknown_encryption,
        ),
    ]
}

pub(super) fn tags(pairs: &[(&str, &str)]) -> Result<Tagging, Stop> {
    let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build();
    let tags: Result<Vec<Tag>, _> = pairs.iter().map(tag).collect();
    step("make tags").works(tags.and_then(|tags| Tagging::builder().set_tag_set(Some(tags)).build()))
}

async fn tag(ground: &Ground, pairs: &[(&str, &str)]) -> Conclusion {
    let tagged = ground.s3().put_object_tagging().bucket(ground.bucket()).key("hello.txt");
    step("put tags").succeeds("200", tagged.tagging(tags(pairs)?).send().await).map(drop)
}

async fn tags_of(ground: &Ground) -> Result<Vec<(String, String)>, Stop> {
    let found = ground.s3().get_object_tagging().bucket(ground.bucket()).key("hello.txt").send().await;
    let found = step("get the tags").succeeds("tags", found)?;
    let mut tags: Vec<_> =
        found.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    tags.sort();
    Ok(tags)
}

pub(super) fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn object_tags(ground: Ground) -> Conclusion {
    let pairs = [("colour", "grün"), ("size", "")];
    tag(&ground, &pairs).await?;
    step("the tags").equal(&owned(&pairs), &tags_of(&ground).await?)
}

async fn tags_in_header(ground: Ground) -> Conclusion {
    let put = ground.s3().put_object().bucket(ground.bucket()).key("k").tagging("a=1&b=2").send().await;
    step("put with two tags").succeeds("the object is written", put)?;
    let got = ground.s3().get_object().bucket(ground.bucket()).key("k").send().await;
    let got = step("get it").succeeds("the object", got)?;
    step("the number of its tags").equal(&Some(2), &got.tag_count())
}

async fn tags_deleted(ground: Ground) -> Conclusion {
    tag(&ground, &[("a", "1")]).await?;
    let deleted = ground.s3().delete_object_tagging().bucket(ground.bucket()).key("hello.txt").send().await;
    step("delete the tags").succeeds("204", deleted)?;
    step("the tags").equal(&owned(&[]), &tags_of(&ground).await?)
}

async fn eleven_tags(ground: Ground) -> Conclusion {
    let names: Vec<String> = (0..11).map(|number| format!("tag-{number}")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    tag(&ground, pairs.get(..10).unwrap_or_default()).await?;
    let tagged = ground.s3().put_object_tagging().bucket(ground.bucket()).key("hello.txt");
    refused("put eleven tags", "400 BadRequest", tagged.tagging(tags(&pairs)?).send().await).map(drop)
}

async fn no_lock(ground: Ground) -> Conclusion {
    let found = ground.s3().get_object_lock_configuration().bucket(ground.bucket()).send().await;
    refused("ask for the lock", "404 ObjectLockConfigurationNotFoundError", found).map(drop)
}

/// A bucket with Object Lock, and an object in it: bucket and version id.
async fn locked(ground: &Ground) -> Result<(String, String), Stop> {
    let bucket = ground.another_bucket();
    let created =
        ground.s3().create_bucket().bucket(&bucket).object_lock_enabled_for_bucket(true).send().await;
    step("make a bucket with Object Lock").succeeds("the bucket", created)?;
    let body = ByteStream::from_static(b"kept");
    let put = ground.s3().put_object().bucket(&bucket).key("k").body(body).send().await;
    let put = step("put an object there").succeeds("the object is written", put)?;
    let version = step("its version id").some("a version id", put.version_id())?.to_owned();
    Ok((bucket, version))
}

async fn hold(ground: &Ground, bucket: &str, status: ObjectLockLegalHoldStatus) -> Conclusion {
    let hold = ObjectLockLegalHold::builder().status(status).build();
    let put = ground.s3().put_object_legal_hold().bucket(bucket).key("k").legal_hold(hold).send().await;
    step("set the legal hold").succeeds("200", put).map(drop)
}

async fn legal_hold(ground: Ground) -> Conclusion {
    let (bucket, version) = locked(&ground).await?;
    hold(&ground, &bucket, ObjectLockLegalHoldStatus::On).await?;
    let delete = || ground.s3().delete_object().bucket(&bucket).key("k").version_id(&version);
    let denied = refused("delete it under the hold", "403 AccessDenied", delete().send().await);
    // The hold is lifted whatever came, because nothing may be left behind.
    hold(&ground, &bucket, ObjectLockLegalHoldStatus::Off).await?;
    denied?;
    step("delete it after the hold").succeeds("204", delete().send().await).map(drop)
}

async fn governance(ground: Ground) -> Conclusion {
    let (bucket, version) = locked(&ground).await?;
    let now = ground.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let until = i64::try_from(now).unwrap_or(0).saturating_add(86_400);
    let retention = ObjectLockRetention::builder()
        .mode(ObjectLockRetentionMode::Governance)
        .retain_until_date(DateTime::from_secs(until))
        .build();
    let put = ground.s3().put_object_retention().bucket(&bucket).key("k").retention(retention).send().await;
    step("retain it for a day").succeeds("200", put)?;
    let delete = || ground.s3().delete_object().bucket(&bucket).key("k").version_id(&version);
    refused("delete it", "403 AccessDenied", delete().send().await)?;
    let bypassed = delete().bypass_governance_retention(true).send().await;
    step("delete it, bypassing the retention by name").succeeds("204", bypassed).map(drop)
}

async fn retention_without_lock(ground: Ground) -> Conclusion {
    let retention = ObjectLockRetention::builder()
        .mode(ObjectLockRetentionMode::Governance)
        .retain_until_date(DateTime::from_secs(4_000_000_000))
        .build();
    let put = ground.s3().put_object_retention().bucket(ground.bucket()).key("hello.txt");
    refused("retain an object there", "400 InvalidRequest", put.retention(retention).send().await).map(drop)
}

async fn default_encryption(ground: Ground) -> Conclusion {
    put(&ground, "k", "one").await?;
    let head = ground.s3().head_object().bucket(ground.bucket()).key("k").send().await;
    let head = step("head it").succeeds("the object", head)?;
    step("its encryption").equal(&Some(&ServerSideEncryption::Aes256), &head.server_side_encryption())
}

async fn encryption_setting(ground: Ground) -> Conclusion {
    let found = ground.s3().get_bucket_encryption().bucket(ground.bucket()).send().await;
    let found = step("ask for the encryption").succeeds("a setting", found)?;
    let rules = found
        .server_side_encryption_configuration()
        .map(ServerSideEncryptionConfiguration::rules)
        .unwrap_or_default();
    let algorithms: Vec<&str> = rules
        .iter()
        .filter_map(|rule| rule.apply_server_side_encryption_by_default())
        .map(|by_default| by_default.sse_algorithm().as_str())
        .collect();
    step("the algorithm").equal(&["AES256"][..], &algorithms[..])
}

async fn unknown_encryption(ground: Ground) -> Conclusion {
    let put = ground.s3().put_object().bucket(ground.bucket()).key("k");
    let put = put.server_side_encryption(ServerSideEncryption::from("ROT13")).send().await;
    refused("put with ROT13", "400 InvalidArgument", put).map(drop)
}
