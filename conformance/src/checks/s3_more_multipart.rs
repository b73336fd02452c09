//! Uploads in parts in their finer points.

use aws_sdk_s3::types::CompletedMultipartUpload;
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::anywhere;
use super::refusal::refused;
use super::s3_multipart::{PART_BYTES_MIN, begin, list, part};
use super::s3_objects::get;
use crate::check::{Area, Capability, Check};
use crate::outcome::Conclusion;
use crate::stage::Ground;
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    vec![
        anywhere(
            Area::S3Multipart,
            "s3.multipart.listed",
            "an upload under way is listed with its parts",
            "S3 API Reference, ListMultipartUploads and ListParts",
            &[Capability::Multipart, Capability::UploadListing],
            Fault::on(Op::ListParts).body("<ListPartsResult/>"),
            listed_upload,
        ),
        anywhere(
            Area::S3Multipart,
            "s3.multipart.not-visible",
            "an upload under way is no object yet",
            "S3 User Guide, Uploading and copying objects using multipart upload",
            &[Capability::Multipart],
            Fault::on(Op::HeadObject).status(StatusCode::OK),
            not_visible,
        ),
        anywhere(
            Area::S3Multipart,
            "s3.multipart.part-order",
            "a completion whose parts are not in order is InvalidPartOrder",
            "S3 API Reference, CompleteMultipartUpload",
            &[Capability::Multipart],
            Fault::on(Op::CompleteMultipartUpload)
                .status(StatusCode::OK)
                .body("<CompleteMultipartUploadResult/>"),
            part_order,
        ),
        anywhere(
            Area::S3Multipart,
            "s3.multipart.part-replaced",
            "a part that is uploaded again counts as the later one",
            "S3 User Guide, Uploading and copying objects using multipart upload",
            &[Capability::Multipart],
            Fault::on(Op::GetObject).corrupt_body(),
            part_replaced,
        ),
        anywhere(
            Area::S3Multipart,
            "s3.multipart.part-number",
            "a part number of 0 is refused",
            "S3 API Reference, UploadPart",
            &[Capability::Multipart],
            Fault::on(Op::UploadPart).status(StatusCode::OK),
            part_number,
        ),
        anywhere(
            Area::S3Multipart,
            "s3.multipart.unknown-upload",
            "a part of an upload that does not exist is NoSuchUpload",
            "S3 API Reference, UploadPart",
            &[Capability::Multipart],
            Fault::on(Op::UploadPart).status(StatusCode::OK),
            unknown_upload,
        ),
        anywhere(
            Area::S3Multipart,
            "s3.multipart.metadata",
            "metadata given at the beginning is the object's",
            "S3 API Reference, CreateMultipartUpload",
            &[Capability::Multipart],
            Fault::on(Op::HeadObject).without_header("x-amz-meta-origin"),
            upload_metadata,
        ),
    ]
}

async fn complete(ground: &Ground, id: &str, parts: CompletedMultipartUpload) -> Conclusion {
    let done = ground.s3().complete_multipart_upload().bucket(ground.bucket()).key("k").upload_id(id);
    step("complete it").succeeds("the object", done.multipart_upload(parts).send().await).map(drop)
}

async fn listed_upload(ground: Ground) -> Conclusion {
    let id = begin(&ground, "k").await?;
    part(&ground, "k", &id, 3, 10).await?;
    let uploads = ground.s3().list_multipart_uploads().bucket(ground.bucket()).send().await;
    let uploads = step("list the uploads").succeeds("a listing", uploads)?;
    let ids: Vec<&str> = uploads.uploads().iter().filter_map(|upload| upload.upload_id()).collect();
    step("the uploads").equal(&[id.as_str()][..], &ids[..])?;
    let parts = ground.s3().list_parts().bucket(ground.bucket()).key("k").upload_id(&id).send().await;
    let parts = step("list its parts").succeeds("a listing", parts)?;
    let found: Vec<_> = parts.parts().iter().map(|part| (part.part_number(), part.size())).collect();
    step("its parts").equal(&[(Some(3), Some(10))][..], &found[..])
}

async fn not_visible(ground: Ground) -> Conclusion {
    let id = begin(&ground, "k").await?;
    part(&ground, "k", &id, 1, 10).await?;
    let head = ground.s3().head_object().bucket(ground.bucket()).key("k").send().await;
    step("head the key").refuses("404", head).map(drop)
}

async fn part_order(ground: Ground) -> Conclusion {
    let id = begin(&ground, "k").await?;
    let first = part(&ground, "k", &id, 1, PART_BYTES_MIN).await?;
    let second = part(&ground, "k", &id, 2, 10).await?;
    let done = ground.s3().complete_multipart_upload().bucket(ground.bucket()).key("k").upload_id(&id);
    let done = done.multipart_upload(list(vec![second, first])).send().await;
    refused("complete it in the wrong order", "400 InvalidPartOrder", done).map(drop)
}

async fn part_replaced(ground: Ground) -> Conclusion {
    let id = begin(&ground, "k").await?;
    part(&ground, "k", &id, 1, 4).await?;
    let later = part(&ground, "k", &id, 1, 7).await?;
    complete(&ground, &id, list(vec![later])).await?;
    step("the object").equal(&b"0000000"[..], &get(&ground, "k").await?[..])
}

async fn part_number(ground: Ground) -> Conclusion {
    let id = begin(&ground, "k").await?;
    let put =
        ground.s3().upload_part().bucket(ground.bucket()).key("k").upload_id(id).part_number(0).send().await;
    refused("upload part 0", "400 InvalidArgument", put).map(drop)
}

async fn unknown_upload(ground: Ground) -> Conclusion {
    let id = begin(&ground, "k").await?;
    let abort =
        ground.s3().abort_multipart_upload().bucket(ground.bucket()).key("k").upload_id(&id).send().await;
    step("abort the upload").succeeds("204", abort)?;
    let put =
        ground.s3().upload_part().bucket(ground.bucket()).key("k").upload_id(id).part_number(1).send().await;
    refused("upload a part to it", "404 NoSuchUpload", put).map(drop)
}

async fn upload_metadata(ground: Ground) -> Conclusion {
    let upload = ground.s3().create_multipart_upload().bucket(ground.bucket()).key("k");
    let upload = upload.metadata("origin", "tests").content_type("text/csv").send().await;
    let upload = step("begin an upload with metadata").succeeds("an upload", upload)?;
    let id = step("the upload id").some("an id", upload.upload_id())?.to_owned();
    let only = part(&ground, "k", &id, 1, 10).await?;
    complete(&ground, &id, list(vec![only])).await?;
    let head = ground.s3().head_object().bucket(ground.bucket()).key("k").send().await;
    let head = step("head it").succeeds("the object", head)?;
    step("the content type").equal(&Some("text/csv"), &head.content_type())?;
    let origin = head.metadata().and_then(|metadata| metadata.get("origin")).map(String::as_str);
    step("the metadata").equal(&Some("tests"), &origin)
}
