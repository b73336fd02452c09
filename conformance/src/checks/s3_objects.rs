//! Objects: writing, reading, conditions, checksums.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, MetadataDirective};
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::refusal::{refused, refused_saying};
use super::{aws, must};
use crate::check::{Area, Check, Run};
use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::{Conclusion, Stop};
use crate::stage::{BUCKET, Ground, Stage, on_ground};
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = writes();
    checks.extend(reads());
    checks.extend(copies_and_deletes());
    checks
}

fn writes() -> Vec<Check> {
    let fault = Falsifier::Fault;
    vec![
        must(
            Area::S3Object,
            "s3.put-object.round-trip",
            "an object is read back as it was written, with the MD5 of its bytes as ETag",
            aws("S3 API Reference, PutObject and GetObject"),
            fault(Fault::on(Op::GetObject).corrupt_body()),
            on_ground(round_trip),
        ),
        must(
            Area::S3Object,
            "s3.put-object.metadata",
            "content type and user metadata come back with the object",
            aws("S3 User Guide, Working with object metadata"),
            fault(Fault::on(Op::HeadObject).without_header("x-amz-meta-origin")),
            on_ground(metadata),
        ),
        must(
            Area::S3Condition,
            "s3.put-object.if-none-match.existing-key",
            "PutObject with If-None-Match: * on an existing key is refused, and the object stays",
            aws("S3 User Guide, How to prevent object overwrites with conditional writes"),
            fault(Fault::on(Op::PutObject).ignore_header("if-none-match")),
            on_ground(if_none_match_existing),
        ),
        must(
            Area::S3Condition,
            "s3.put-object.if-none-match.free-key",
            "PutObject with If-None-Match: * on a free key writes the object",
            aws("S3 User Guide, How to prevent object overwrites with conditional writes"),
            fault(Fault::on(Op::PutObject).refuse(
                StatusCode::PRECONDITION_FAILED,
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
            )),
            on_ground(if_none_match_free),
        ),
        must(
            Area::S3Condition,
            "s3.put-object.if-match.stale-etag",
            "PutObject with the ETag of a former object is refused",
            aws("S3 User Guide, How to prevent object overwrites with conditional writes"),
            fault(Fault::on(Op::PutObject).ignore_header("if-match")),
            on_ground(if_match_stale),
        ),
        must(
            Area::S3Condition,
            "s3.put-object.if-match.missing-key",
            "PutObject with If-Match on a missing key answers 404, not 412",
            aws("S3 User Guide, How to prevent object overwrites with conditional writes"),
            fault(Fault::on(Op::PutObject).refuse(
                StatusCode::PRECONDITION_FAILED,
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
            )),
            on_ground(if_match_missing),
        ),
        must(
            Area::S3Checksum,
            "s3.put-object.wrong-checksum",
            "a body that does not have the checksum sent with it is refused and not stored",
            aws("S3 User Guide, Checking object integrity"),
            fault(Fault::on(Op::PutObject).ignore_header("x-amz-checksum-crc32")),
            on_ground(wrong_checksum),
        ),
        must(
            Area::S3Checksum,
            "s3.put-object.wrong-content-md5",
            "a body that does not have the Content-MD5 sent with it is refused",
            aws("S3 User Guide, Checking object integrity"),
            fault(Fault::on(Op::PutObject).ignore_header("content-md5")),
            on_ground(wrong_content_md5),
        ),
        must(
            Area::S3Checksum,
            "s3.put-object.default-checksum",
            "an object written without a checksum gets a CRC64NVME",
            aws("S3 User Guide, Checking object integrity"),
            fault(Fault::on(Op::PutObject).without_header("x-amz-checksum-crc64nvme")),
            on_ground(default_checksum),
        ),
    ]
}

fn reads() -> Vec<Check> {
    let fault = Falsifier::Fault;
    vec![
        must(
            Area::S3Object,
            "s3.get-object.range",
            "a range of bytes comes alone, with its place",
            aws("S3 API Reference, GetObject"),
            fault(Fault::on(Op::GetObject).ignore_header("range")),
            on_ground(range),
        ),
        must(
            Area::S3Condition,
            "s3.get-object.if-none-match",
            "a reader that has the object already is told so with 304",
            aws("S3 API Reference, GetObject"),
            fault(Fault::on(Op::GetObject).ignore_header("if-none-match")),
            on_ground(not_modified),
        ),
        must(
            Area::S3Object,
            "s3.get-object.missing-key",
            "a missing key is 404 NoSuchKey for who may list the bucket",
            aws("S3 API Reference, GetObject, Permissions"),
            fault(Fault::on(Op::GetObject).refuse(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied")),
            on_ground(missing_key),
        ),
        must(
            Area::S3Object,
            "s3.get-object.missing-key.hidden",
            "a missing key is 403 that names s3:ListBucket for who may not list the bucket",
            aws("S3 API Reference, GetObject, Permissions"),
            fault(Fault::on(Op::GetObject).refuse(
                StatusCode::NOT_FOUND,
                "NoSuchKey",
                "The specified key does not exist.",
            )),
            Run::new(missing_key_hidden),
        ),
        must(
            Area::S3Object,
            "s3.head-object.missing-key",
            "HeadObject of a missing key is a bare 404",
            aws("S3 API Reference, HeadObject"),
            fault(Fault::on(Op::HeadObject).status(StatusCode::FORBIDDEN)),
            on_ground(head_missing_key),
        ),
    ]
}

fn copies_and_deletes() -> Vec<Check> {
    let fault = Falsifier::Fault;
    vec![
        must(
            Area::S3Object,
            "s3.copy-object.replace-metadata",
            "CopyObject with REPLACE takes the metadata of the request",
            aws("S3 API Reference, CopyObject"),
            fault(Fault::on(Op::CopyObject).ignore_header("x-amz-metadata-directive")),
            on_ground(copy_replace),
        ),
        must(
            Area::S3Object,
            "s3.copy-object.onto-itself",
            "a copy of an object onto itself that changes nothing is refused",
            aws("S3 API Reference, CopyObject"),
            fault(Fault::on(Op::CopyObject).status(StatusCode::OK).body(COPIED)),
            on_ground(copy_onto_itself),
        ),
        must(
            Area::S3Object,
            "s3.delete-object.missing-key",
            "deleting a key that is not there succeeds",
            aws("S3 API Reference, DeleteObject"),
            fault(Fault::on(Op::DeleteObject).refuse(
                StatusCode::NOT_FOUND,
                "NoSuchKey",
                "The specified key does not exist.",
            )),
            on_ground(delete_missing),
        ),
        must(
            Area::S3Object,
            "s3.object.unknown-bucket",
            "a bucket that does not exist is 404 NoSuchBucket",
            aws("S3 API Reference, Error responses"),
            fault(Fault::on(Op::PutObject).status(StatusCode::OK)),
            on_ground(unknown_bucket),
        ),
    ]
}

const COPIED: &str = "<CopyObjectResult><ETag>\"00\"</ETag></CopyObjectResult>";

pub(super) async fn put(ground: &Ground, key: &str, body: &'static str) -> Result<String, Stop> {
    let put = ground
        .s3()
        .put_object()
        .bucket(ground.bucket())
        .key(key)
        .body(ByteStream::from_static(body.as_bytes()))
        .send()
        .await;
    let put = step(format!("put `{key}`")).succeeds("the object is written", put)?;
    Ok(put.e_tag().unwrap_or_default().to_owned())
}

pub(super) async fn get(ground: &Ground, key: &str) -> Result<Vec<u8>, Stop> {
    let name = format!("get `{key}`");
    let got = ground.s3().get_object().bucket(ground.bucket()).key(key).send().await;
    let got = step(name.as_str()).succeeds("the object", got)?;
    Ok(step(name).succeeds("its bytes", got.body.collect().await)?.to_vec())
}

async fn round_trip(ground: Ground) -> Conclusion {
    let etag = put(&ground, "päth/to the object+1", "hello").await?;
    step("the ETag").equal("\"5d41402abc4b2a76b9719d911017c592\"", etag.as_str())?;
    let body = get(&ground, "päth/to the object+1").await?;
    step("the bytes").equal(&b"hello"[..], &body[..])
}

async fn metadata(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let request =
        s3.put_object().bucket(ground.bucket()).key("k").content_type("text/csv").metadata("Origin", "tests");
    step("put with metadata").succeeds("the object is written", request.send().await)?;
    let head = s3.head_object().bucket(ground.bucket()).key("k").send().await;
    let head = step("head").succeeds("the object", head)?;
    step("the content type").equal(&Some("text/csv"), &head.content_type())?;
    let origin = head.metadata().and_then(|metadata| metadata.get("origin")).map(String::as_str);
    step("the metadata, its name in lower case").equal(&Some("tests"), &origin)
}

async fn if_none_match_existing(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    put(&ground, "k", "first").await?;
    let body = ByteStream::from_static(b"second");
    let second = s3.put_object().bucket(ground.bucket()).key("k").if_none_match("*").body(body).send().await;
    refused("put the key again", "412 PreconditionFailed", second)?;
    step("the object").equal(&b"first"[..], &get(&ground, "k").await?[..])
}

async fn if_none_match_free(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let put = s3.put_object().bucket(ground.bucket()).key("free").if_none_match("*").send().await;
    step("put the free key").succeeds("the object is written", put).map(drop)
}

async fn if_match_stale(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let former = put(&ground, "k", "first").await?;
    put(&ground, "k", "second").await?;
    let late = s3.put_object().bucket(ground.bucket()).key("k").if_match(&former).send().await;
    refused("put on the former ETag", "412 PreconditionFailed", late)?;
    step("the object").equal(&b"second"[..], &get(&ground, "k").await?[..])
}

async fn if_match_missing(ground: Ground) -> Conclusion {
    let put = ground.s3().put_object().bucket(ground.bucket()).key("gone");
    let put = put.if_match("\"5d41402abc4b2a76b9719d911017c592\"").send().await;
    refused("put on an ETag where nothing is", "404 NoSuchKey", put).map(drop)
}

async fn wrong_checksum(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let put = s3.put_object().bucket(ground.bucket()).key("k").checksum_crc32("AAAAAA==");
    let put = put.body(ByteStream::from_static(b"hello")).send().await;
    let message = "The CRC32 you specified did not match the calculated checksum.";
    refused_saying("put with the checksum of another body", "400 BadDigest", message, put)?;
    let head = s3.head_object().bucket(ground.bucket()).key("k").send().await;
    step("nothing is stored").refuses("404", head).map(drop)
}

async fn wrong_content_md5(ground: Ground) -> Conclusion {
    let put = ground.s3().put_object().bucket(ground.bucket()).key("k");
    let put =
        put.content_md5("1B2M2Y8AsgTpgAmY7PhCfg==").body(ByteStream::from_static(b"hello")).send().await;
    refused("put with the MD5 of another body", "400 BadDigest", put).map(drop)
}

async fn default_checksum(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let quiet = s3.config().to_builder();
    let quiet = quiet.request_checksum_calculation(RequestChecksumCalculation::WhenRequired).build();
    let put = Client::from_conf(quiet).put_object().bucket(ground.bucket()).key("k");
    let put = put.body(ByteStream::from_static(b"test data..")).send().await;
    let put = step("put without a checksum").succeeds("the object is written", put)?;
    step("the checksum in the answer").equal(&Some("qUVrWYOrIAM="), &put.checksum_crc64_nvme())?;
    let head =
        s3.head_object().bucket(ground.bucket()).key("k").checksum_mode(ChecksumMode::Enabled).send().await;
    let head = step("head in checksum mode").succeeds("the object", head)?;
    step("the checksum kept").equal(&Some("qUVrWYOrIAM="), &head.checksum_crc64_nvme())
}

async fn range(ground: Ground) -> Conclusion {
    let got =
        ground.s3().get_object().bucket(ground.bucket()).key("hello.txt").range("bytes=7-12").send().await;
    let got = step("get bytes 7 to 12").succeeds("the piece", got)?;
    step("its place").equal(&Some("bytes 7-12/13"), &got.content_range())?;
    let body = step("read it").succeeds("its bytes", got.body.collect().await)?.to_vec();
    step("the piece").equal(&b"bucket"[..], &body[..])
}

async fn not_modified(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let etag = put(&ground, "k", "hello").await?;
    let got = s3.get_object().bucket(ground.bucket()).key("k").if_none_match(etag).send().await;
    let error = step("get what is known already").refuses("304", got)?;
    let status = error.raw_response().map(|response| response.status().as_u16());
    step("the status").equal(&Some(304), &status)
}

async fn missing_key(ground: Ground) -> Conclusion {
    let got = ground.s3().get_object().bucket(ground.bucket()).key("gone").send().await;
    refused("get a missing key", "404 NoSuchKey", got).map(drop)
}

async fn missing_key_hidden(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let got = stage.s3("reader").get_object().bucket(BUCKET).key("gone").send().await;
    let message = "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: s3:ListBucket on \
                   resource: \"arn:aws:s3:::suite-logs\" because no identity-based policy allows the s3:ListBucket \
                   action";
    refused_saying("get a missing key", "403 AccessDenied", message, got)
}

async fn head_missing_key(ground: Ground) -> Conclusion {
    let head = ground.s3().head_object().bucket(ground.bucket()).key("gone").send().await;
    let error = step("head a missing key").refuses("404", head)?;
    let response = step("the answer").some("an answer", error.raw_response())?;
    step("the status").equal(&404, &response.status().as_u16())?;
    step("no body").equal(&Some(0), &response.body().bytes().map(<[u8]>::len))
}

async fn copy_replace(ground: Ground) -> Conclusion {
    let s3 = ground.s3();
    let request = s3.put_object().bucket(ground.bucket()).key("source").metadata("kept", "no");
    step("put the source").succeeds("the object is written", request.send().await)?;
    let copy = s3
        .copy_object()
        .bucket(ground.bucket())
        .key("copy")
        .copy_source(format!("{}/source", ground.bucket()));
    let copy = copy.metadata_directive(MetadataDirective::Replace).metadata("new", "yes").send().await;
    step("copy it").succeeds("the copy", copy)?;
    let head = s3.head_object().bucket(ground.bucket()).key("copy").send().await;
    let head = step("head the copy").succeeds("the copy", head)?;
    let mut names: Vec<&str> =
        head.metadata().map_or_else(Vec::new, |m| m.keys().map(String::as_str).collect());
    names.sort_unstable();
    step("the metadata of the copy").equal(&["new"][..], &names[..])
}

async fn copy_onto_itself(ground: Ground) -> Conclusion {
    let copy = ground.s3().copy_object().bucket(ground.bucket()).key("hello.txt");
    let copy = copy.copy_source(format!("{}/hello.txt", ground.bucket())).send().await;
    refused("copy an object onto itself", "400 InvalidRequest", copy).map(drop)
}

async fn delete_missing(ground: Ground) -> Conclusion {
    let deleted = ground.s3().delete_object().bucket(ground.bucket()).key("gone").send().await;
    step("delete a missing key").succeeds("204", deleted).map(drop)
}

async fn unknown_bucket(ground: Ground) -> Conclusion {
    let put = ground.s3().put_object().bucket(ground.nobodys_bucket()).key("k").send().await;
    refused("put into a bucket that does not exist", "404 NoSuchBucket", put).map(drop)
}
