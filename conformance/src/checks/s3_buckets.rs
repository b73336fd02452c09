//! Buckets and regions.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, Delete, ObjectIdentifier};
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::refusal::{refused, summary};
use super::{aws, must};
use crate::check::{Area, Check, Run};
use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::Conclusion;
use crate::stage::{BUCKET, Ground, Stage, on_ground};
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let fault = Falsifier::Fault;
    vec![
        must(
            Area::S3Bucket,
            "s3.create-bucket.location",
            "a bucket is where its location constraint says",
            aws("S3 API Reference, CreateBucket and GetBucketLocation"),
            fault(Fault::on(Op::GetBucketLocation).body("<LocationConstraint/>")),
            Run::new(location),
        ),
        must(
            Area::S3Bucket,
            "s3.create-bucket.bad-name",
            "a bucket name that breaks the naming rules is refused",
            aws("S3 User Guide, General purpose bucket naming rules"),
            fault(Fault::on(Op::CreateBucket).status(StatusCode::OK)),
            on_ground(bad_name),
        ),
        must(
            Area::S3Bucket,
            "s3.create-bucket.taken",
            "the name of another account's bucket is taken",
            aws("S3 API Reference, CreateBucket"),
            fault(Fault::on(Op::CreateBucket).status(StatusCode::OK)),
            Run::new(taken),
        ),
        must(
            Area::S3Bucket,
            "s3.delete-bucket.not-empty",
            "a bucket that holds an object cannot be deleted",
            aws("S3 API Reference, DeleteBucket"),
            fault(Fault::on(Op::DeleteBucket).status(StatusCode::NO_CONTENT)),
            on_ground(not_empty),
        ),
        must(
            Area::S3Bucket,
            "s3.bucket.other-region",
            "a bucket of another region answers 301 and names its region",
            aws("S3 User Guide, Making requests, request redirection"),
            fault(Fault::on(Op::ListObjectsV2).without_header("x-amz-bucket-region")),
            Run::new(other_region),
        ),
        must(
            Area::S3Object,
            "s3.delete-objects.each-key-alone",
            "DeleteObjects answers 200 and tells of each key by itself",
            aws("S3 API Reference, DeleteObjects"),
            fault(Fault::on(Op::DeleteObjects).body("<DeleteResult/>")),
            Run::new(delete_objects),
        ),
    ]
}

fn in_region(s3: &Client, region: &'static str) -> Client {
    Client::from_conf(s3.config().to_builder().region(Region::from_static(region)).build())
}

async fn location(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let s3 = in_region(&stage.administrator(), "eu-central-1");
    let configuration = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuCentral1)
        .build();
    let created = s3.create_bucket().bucket("made-in-frankfurt").create_bucket_configuration(configuration);
    step("create a bucket in eu-central-1").succeeds("the bucket", created.send().await)?;
    let found = s3.get_bucket_location().bucket("made-in-frankfurt").send().await;
    let found = step("ask where it is").succeeds("its location", found)?;
    step("the location").equal(&Some(&BucketLocationConstraint::EuCentral1), &found.location_constraint())
}

async fn bad_name(ground: Ground) -> Conclusion {
    let name = format!("{}--table-s3", ground.another_bucket());
    ground.ours(&name);
    let created = ground.s3().create_bucket().bucket(&name).send().await;
    refused("create a bucket whose name ends in `--table-s3`", "400 InvalidBucketName", created).map(drop)
}

async fn taken(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let s3 = stage.administrator();
    step("the customer's bucket").succeeds("is there", s3.head_bucket().bucket(BUCKET).send().await)?;
    let created = stage.s3("landlord").create_bucket().bucket(BUCKET).send().await;
    refused("create it from another account", "409 BucketAlreadyExists", created).map(drop)
}

async fn not_empty(ground: Ground) -> Conclusion {
    let deleted = ground.s3().delete_bucket().bucket(ground.bucket()).send().await;
    refused("delete a bucket that holds objects", "409 BucketNotEmpty", deleted).map(drop)
}

async fn other_region(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let listed = stage.administrator().list_objects_v2().bucket("suite-eu").send().await;
    let error = step("list a bucket of eu-west-1 in us-east-1").refuses("301 PermanentRedirect", listed)?;
    step("the answer").equal("301 PermanentRedirect", summary(&error).as_str())?;
    let region = error.raw_response().and_then(|response| response.headers().get("x-amz-bucket-region"));
    step("the region that the answer names").equal(&Some("eu-west-1"), &region)
}

async fn delete_objects(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let key = |key: &str| ObjectIdentifier::builder().key(key).build();
    let keys =
        step("name the keys").works(key("hello.txt").and_then(|first| Ok(vec![first, key("gone")?])))?;
    let delete = step("list them").works(Delete::builder().set_objects(Some(keys)).build())?;
    let s3 = stage.administrator();
    let done = s3.delete_objects().bucket(BUCKET).delete(delete.clone()).send().await;
    let done = step("delete one that is there and one that is not").succeeds("200", done)?;
    let deleted: Vec<&str> = done.deleted().iter().filter_map(|deleted| deleted.key()).collect();
    step("both are deleted").equal(&["hello.txt", "gone"][..], &deleted[..])?;
    let done = stage.s3("reader").delete_objects().bucket(BUCKET).delete(delete).send().await;
    let done = step("delete without permission").succeeds("200", done)?;
    let codes: Vec<&str> = done.errors().iter().filter_map(|error| error.code()).collect();
    step("each key is denied").equal(&["AccessDenied", "AccessDenied"][..], &codes[..])
}
