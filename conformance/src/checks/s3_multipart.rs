//! Multipart uploads.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::refusal::refused;
use super::{aws, must, needing};
use crate::check::{Area, Capability, Check};
use crate::falsifier::Falsifier;
use crate::outcome::{Conclusion, Stop};
use crate::stage::{Ground, on_ground};
use crate::step::step;

/// The smallest part but the last.
pub(super) const PART_BYTES_MIN: usize = 5 * 1024 * 1024;

/// An answer as if the upload were complete.
const COMPLETED: &str =
    "<CompleteMultipartUploadResult><ETag>\"00-2\"</ETag></CompleteMultipartUploadResult>";

pub(super) fn checks() -> Vec<Check> {
    let completed =
        || Falsifier::Fault(Fault::on(Op::CompleteMultipartUpload).status(StatusCode::OK).body(COMPLETED));
    let page = "S3 User Guide, Uploading and copying objects using multipart upload";
    let checks = vec![
        must(
            Area::S3Multipart,
            "s3.multipart.round-trip",
            "the parts of an upload become one object whose ETag counts them",
            aws(page),
            Falsifier::Fault(
                Fault::on(Op::HeadObject).header("etag", "\"5d41402abc4b2a76b9719d911017c592\""),
            ),
            on_ground(round_trip),
        ),
        must(
            Area::S3Multipart,
            "s3.multipart.small-part",
            "a part below 5 MiB that is not the last is refused at completion",
            aws(page),
            completed(),
            on_ground(small_part),
        ),
        must(
            Area::S3Multipart,
            "s3.multipart.wrong-etag",
            "a completion that lists an ETag no part has is refused",
            aws(page),
            completed(),
            on_ground(wrong_etag),
        ),
        must(
            Area::S3Multipart,
            "s3.multipart.if-none-match",
            "a completion with If-None-Match: * over an existing object is refused",
            aws("S3 User Guide, How to prevent object overwrites with conditional writes"),
            Falsifier::Fault(Fault::on(Op::CompleteMultipartUpload).ignore_header("if-none-match")),
            on_ground(if_none_match),
        ),
        must(
            Area::S3Multipart,
            "s3.multipart.aborted",
            "an aborted upload is gone",
            aws(page),
            Falsifier::Fault(Fault::on(Op::AbortMultipartUpload).refuse(
                StatusCode::NO_CONTENT,
                "Ignored",
                "",
            )),
            on_ground(aborted),
        ),
    ];
    checks.into_iter().map(|check| needing(check, &[Capability::Multipart])).collect()
}

pub(super) async fn begin(ground: &Ground, key: &str) -> Result<String, Stop> {
    let upload = ground.s3().create_multipart_upload().bucket(ground.bucket()).key(key).send().await;
    let upload = step("begin an upload").succeeds("an upload", upload)?;
    Ok(step("the upload id").some("an id", upload.upload_id())?.to_owned())
}

pub(super) async fn part(
    ground: &Ground,
    key: &str,
    id: &str,
    number: i32,
    bytes: usize,
) -> Result<CompletedPart, Stop> {
    let body = ByteStream::from(vec![b'0'; bytes]);
    let part = ground
        .s3()
        .upload_part()
        .bucket(ground.bucket())
        .key(key)
        .upload_id(id)
        .part_number(number)
        .body(body)
        .send()
        .await;
    let part = step(format!("upload part {number}")).succeeds("the part is taken", part)?;
    let completed = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag().map(str::to_owned));
    Ok(completed.build())
}

pub(super) fn list(parts: Vec<CompletedPart>) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
}

async fn round_trip(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let id = begin(&ground, "big").await?;
    let parts =
        vec![part(&ground, "big", &id, 1, PART_BYTES_MIN).await?, part(&ground, "big", &id, 7, 10).await?];
    let done = s3
        .complete_multipart_upload()
        .bucket(ground.bucket())
        .key("big")
        .upload_id(id)
        .multipart_upload(list(parts));
    step("complete it").succeeds("the object", done.send().await)?;
    let head = s3.head_object().bucket(ground.bucket()).key("big").send().await;
    let head = step("head it").succeeds("the object", head)?;
    step("its length").equal(&Some(5_242_890), &head.content_length())?;
    let etag = head.e_tag().unwrap_or_default();
    step("its ETag ends with the number of parts").contains(etag, "-2\"")
}

async fn small_part(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let id = begin(&ground, "small").await?;
    let parts = vec![part(&ground, "small", &id, 1, 10).await?, part(&ground, "small", &id, 2, 10).await?];
    let done = s3.complete_multipart_upload().bucket(ground.bucket()).key("small").upload_id(id);
    refused("complete it", "400 EntityTooSmall", done.multipart_upload(list(parts)).send().await).map(drop)
}

async fn wrong_etag(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let id = begin(&ground, "wrong").await?;
    part(&ground, "wrong", &id, 1, 10).await?;
    let other = CompletedPart::builder().part_number(1).e_tag("\"5d41402abc4b2a76b9719d911017c592\"").build();
    let done = s3.complete_multipart_upload().bucket(ground.bucket()).key("wrong").upload_id(id);
    refused("complete it", "400 InvalidPart", done.multipart_upload(list(vec![other])).send().await).map(drop)
}

async fn if_none_match(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let id = begin(&ground, "hello.txt").await?;
    let parts = vec![part(&ground, "hello.txt", &id, 1, 10).await?];
    let done = s3
        .complete_multipart_upload()
        .bucket(ground.bucket())
        .key("hello.txt")
        .upload_id(id)
        .if_none_match("*");
    let done = done.multipart_upload(list(parts)).send().await;
    refused("complete it over an object", "412 PreconditionFailed", done).map(drop)
}

async fn aborted(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let id = begin(&ground, "aborted").await?;
    let parts = vec![part(&ground, "aborted", &id, 1, 10).await?];
    let abort =
        s3.abort_multipart_upload().bucket(ground.bucket()).key("aborted").upload_id(&id).send().await;
    step("abort it").succeeds("204", abort)?;
    let done = s3.complete_multipart_upload().bucket(ground.bucket()).key("aborted").upload_id(id);
    refused("complete it", "404 NoSuchUpload", done.multipart_upload(list(parts)).send().await).map(drop)
}
