//! Conditions on reads, copies and deletes.

use std::time::Duration;

use aws_sdk_s3::primitives::DateTime;
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::anywhere;
use super::refusal::refused;
use super::s3_objects::{get, put};
use crate::check::{Area, Capability, Check};
use crate::outcome::Conclusion;
use crate::stage::Ground;
use crate::step::step;

const GET: &str = "S3 API Reference, GetObject";
const COPY: &str = "S3 API Reference, CopyObject";
const OTHER: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[expect(clippy::too_many_lines, reason = "a table of checks")]
pub(super) fn checks() -> Vec<Check> {
    vec![
        anywhere(
            Area::S3Condition,
            "s3.get-object.if-match.other",
            "GetObject with the ETag of another object is refused with 412",
            GET,
            &[],
            Fault::on(Op::GetObject).ignore_header("if-match"),
            get_if_match,
        ),
        anywhere(
            Area::S3Condition,
            "s3.get-object.if-modified-since.not-modified",
            "GetObject of what has not changed since is 304",
            GET,
            &[],
            Fault::on(Op::GetObject).ignore_header("if-modified-since"),
            get_if_modified_since,
        ),
        anywhere(
            Area::S3Condition,
            "s3.get-object.if-unmodified-since.modified",
            "GetObject of what has changed since is refused with 412",
            GET,
            &[],
            Fault::on(Op::GetObject).ignore_header("if-unmodified-since"),
            get_if_unmodified_since,
        ),
        anywhere(
            Area::S3Condition,
            "s3.head-object.if-none-match",
            "HeadObject of what the reader has already is 304",
            "S3 API Reference, HeadObject",
            &[],
            Fault::on(Op::HeadObject).ignore_header("if-none-match"),
            head_if_none_match,
        ),
        anywhere(
            Area::S3Condition,
            "s3.head-object.if-match.other",
            "HeadObject with the ETag of another object is 412",
            "S3 API Reference, HeadObject",
            &[],
            Fault::on(Op::HeadObject).ignore_header("if-match"),
            head_if_match,
        ),
        anywhere(
            Area::S3Condition,
            "s3.put-object.if-match.present-etag",
            "PutObject with the ETag of the present object replaces it",
            "S3 User Guide, How to prevent object overwrites with conditional writes",
            &[Capability::ConditionalWrite],
            Fault::on(Op::PutObject).refuse(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", "no"),
            put_if_match_present,
        ),
        anywhere(
            Area::S3Condition,
            "s3.copy-object.source-if-match.other",
            "CopyObject of a source with another ETag is refused with 412",
            COPY,
            &[Capability::Copy],
            Fault::on(Op::CopyObject).ignore_header("x-amz-copy-source-if-match"),
            copy_if_match,
        ),
        anywhere(
            Area::S3Condition,
            "s3.copy-object.source-if-none-match.same",
            "CopyObject of a source that has this ETag is refused with 412",
            COPY,
            &[Capability::Copy],
            Fault::on(Op::CopyObject).ignore_header("x-amz-copy-source-if-none-match"),
            copy_if_none_match,
        ),
        anywhere(
            Area::S3Condition,
            "s3.copy-object.source-if-modified-since.not-modified",
            "CopyObject of a source that has not changed since is refused with 412",
            COPY,
            &[Capability::Copy],
            Fault::on(Op::CopyObject).ignore_header("x-amz-copy-source-if-modified-since"),
            copy_if_modified_since,
        ),
        anywhere(
            Area::S3Condition,
            "s3.delete-object.if-match.other",
            "DeleteObject with the ETag of another object is refused, and the object stays",
            "S3 User Guide, How to perform conditional deletes",
            &[Capability::ConditionalWrite],
            Fault::on(Op::DeleteObject).ignore_header("if-match"),
            delete_if_match,
        ),
        anywhere(
            Area::S3Condition,
            "s3.get-object.if-match-beats-if-unmodified-since",
            "GetObject whose If-Match holds is answered although If-Unmodified-Since does not",
            GET,
            &[],
            Fault::on(Op::GetObject).ignore_header("if-match"),
            match_beats_unmodified,
        ),
        anywhere(
            Area::S3Condition,
            "s3.get-object.if-none-match-beats-if-modified-since",
            "GetObject whose If-None-Match does not hold is 304 although If-Modified-Since does",
            GET,
            &[],
            Fault::on(Op::GetObject).ignore_header("if-none-match"),
            none_match_beats_modified,
        ),
    ]
}

/// Some hours before or after now, in whole seconds as HTTP has them.
fn hours_from_now(ground: &Ground, hours: i64) -> DateTime {
    let now = ground.now().duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    DateTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(0).saturating_add(hours.saturating_mul(3600)))
}

/// The status of a call that must not succeed.
macro_rules! status_of {
    ($name:expr, $expected:expr, $call:expr) => {{
        let step = step($name);
        let error = step.refuses($expected, $call.send().await)?;
        error.raw_response().map(|response| response.status().as_u16())
    }};
}

async fn get_if_match(ground: Ground) -> Conclusion {
    put(&ground, "k", "one").await?;
    let got = ground.s3().get_object().bucket(ground.bucket()).key("k").if_match(OTHER).send().await;
    refused("get on another ETag", "412 PreconditionFailed", got).map(drop)
}

async fn get_if_modified_since(ground: Ground) -> Conclusion {
    let call = ground.s3().get_object().bucket(ground.bucket()).key("hello.txt");
    // A time in the future would be ignored.
    let head = ground.s3().head_object().bucket(ground.bucket()).key("hello.txt").send().await;
    let head = step("head the object").succeeds("the object", head)?;
    let written = step("when it was written").some("a time", head.last_modified())?;
    let status = status_of!("get what has not changed", "304", call.if_modified_since(*written));
    step("the status").equal(&Some(304), &status)
}

async fn get_if_unmodified_since(ground: Ground) -> Conclusion {
    let before = hours_from_now(&ground, -48);
    let call = ground.s3().get_object().bucket(ground.bucket()).key("hello.txt").if_unmodified_since(before);
    refused("get what has changed", "412 PreconditionFailed", call.send().await).map(drop)
}

async fn head_if_none_match(ground: Ground) -> Conclusion {
    let etag = put(&ground, "k", "one").await?;
    let call = ground.s3().head_object().bucket(ground.bucket()).key("k").if_none_match(etag);
    let status = status_of!("head what is known", "304", call);
    step("the status").equal(&Some(304), &status)
}

async fn head_if_match(ground: Ground) -> Conclusion {
    let call = ground.s3().head_object().bucket(ground.bucket()).key("hello.txt").if_match(OTHER);
    let status = status_of!("head on another ETag", "412", call);
    step("the status").equal(&Some(412), &status)
}

async fn put_if_match_present(ground: Ground) -> Conclusion {
    let etag = put(&ground, "k", "one").await?;
    let body = aws_sdk_s3::primitives::ByteStream::from_static(b"two");
    let put =
        ground.s3().put_object().bucket(ground.bucket()).key("k").if_match(etag).body(body).send().await;
    step("put on the present ETag").succeeds("the object is replaced", put)?;
    step("the object").equal(&b"two"[..], &get(&ground, "k").await?[..])
}

async fn copy_if_match(ground: Ground) -> Conclusion {
    let source = format!("{}/hello.txt", ground.bucket());
    let copy = ground.s3().copy_object().bucket(ground.bucket()).key("copy").copy_source(source);
    let copied = copy.copy_source_if_match(OTHER).send().await;
    refused("copy on another ETag", "412 PreconditionFailed", copied).map(drop)
}

async fn copy_if_none_match(ground: Ground) -> Conclusion {
    let etag = put(&ground, "k", "one").await?;
    let source = format!("{}/k", ground.bucket());
    let copy = ground.s3().copy_object().bucket(ground.bucket()).key("copy").copy_source(source);
    let copied = copy.copy_source_if_none_match(etag).send().await;
    refused("copy what is known", "412 PreconditionFailed", copied).map(drop)
}

async fn copy_if_modified_since(ground: Ground) -> Conclusion {
    let head = ground.s3().head_object().bucket(ground.bucket()).key("hello.txt").send().await;
    let head = step("head the source").succeeds("the object", head)?;
    let written = step("when it was written").some("a time", head.last_modified())?;
    let source = format!("{}/hello.txt", ground.bucket());
    let copy = ground.s3().copy_object().bucket(ground.bucket()).key("copy").copy_source(source);
    let copied = copy.copy_source_if_modified_since(*written).send().await;
    refused("copy what has not changed", "412 PreconditionFailed", copied).map(drop)
}

async fn delete_if_match(ground: Ground) -> Conclusion {
    put(&ground, "k", "one").await?;
    let deleted = ground.s3().delete_object().bucket(ground.bucket()).key("k").if_match(OTHER).send().await;
    refused("delete on another ETag", "412 PreconditionFailed", deleted)?;
    step("the object").equal(&b"one"[..], &get(&ground, "k").await?[..])
}

async fn match_beats_unmodified(ground: Ground) -> Conclusion {
    let etag = put(&ground, "k", "one").await?;
    let before = hours_from_now(&ground, -48);
    let call = ground.s3().get_object().bucket(ground.bucket()).key("k");
    let got = call.if_match(etag).if_unmodified_since(before).send().await;
    step("get with one condition that holds and one that does not").succeeds("the object", got).map(drop)
}

async fn none_match_beats_modified(ground: Ground) -> Conclusion {
    let etag = put(&ground, "k", "one").await?;
    let before = hours_from_now(&ground, -48);
    let call = ground.s3().get_object().bucket(ground.bucket()).key("k");
    let call = call.if_none_match(etag).if_modified_since(before);
    let status = status_of!("get with one condition that holds and one that does not", "304", call);
    step("the status").equal(&Some(304), &status)
}
