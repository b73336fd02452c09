//! Objects in their finer points: ranges, limits, headers, checksums, copies.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, Delete, ObjectAttributes, ObjectIdentifier};
use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::anywhere;
use super::refusal::refused;
use super::s3_objects::put;
use crate::check::{Area, Capability, Check};
use crate::outcome::Conclusion;
use crate::stage::Ground;
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = of_objects();
    checks.extend(of_checksums());
    checks
}

#[expect(clippy::too_many_lines, reason = "a table of checks")]
fn of_objects() -> Vec<Check> {
    vec![
        anywhere(
            Area::S3Object,
            "s3.get-object.range.suffix",
            "a range of the last bytes comes alone",
            "S3 API Reference, GetObject",
            &[],
            Fault::on(Op::GetObject).ignore_header("range"),
            suffix_range,
        ),
        anywhere(
            Area::S3Object,
            "s3.get-object.range.beyond",
            "a range beyond the end is 416 InvalidRange",
            "S3 API Reference, GetObject",
            &[],
            Fault::on(Op::GetObject).ignore_header("range"),
            range_beyond,
        ),
        anywhere(
            Area::S3Object,
            "s3.get-object.response-headers",
            "a reader may ask for other headers of the answer",
            "S3 API Reference, GetObject",
            &[],
            Fault::on(Op::GetObject).header("content-type", "text/other"),
            response_headers,
        ),
        anywhere(
            Area::S3Object,
            "s3.put-object.empty",
            "an object without bytes is an object",
            "S3 API Reference, PutObject",
            &[],
            Fault::on(Op::HeadObject).header("etag", "\"00\""),
            empty_object,
        ),
        anywhere(
            Area::S3Object,
            "s3.put-object.system-headers",
            "cache control, disposition, encoding and language come back with the object",
            "S3 User Guide, Working with object metadata",
            &[],
            Fault::on(Op::HeadObject).without_header("content-disposition"),
            system_headers,
        ),
        anywhere(
            Area::S3Object,
            "s3.put-object.key-too-long",
            "a key of more than 1024 bytes is KeyTooLongError",
            "S3 User Guide, Naming Amazon S3 objects",
            &[],
            Fault::on(Op::PutObject).refuse(StatusCode::BAD_REQUEST, "InvalidArgument", "no"),
            key_too_long,
        ),
        anywhere(
            Area::S3Object,
            "s3.put-object.metadata-too-large",
            "user metadata of more than 2 KB is MetadataTooLarge",
            "S3 User Guide, Working with object metadata",
            &[],
            Fault::on(Op::PutObject).status(StatusCode::OK),
            metadata_too_large,
        ),
        anywhere(
            Area::S3Object,
            "s3.delete-object.gone",
            "a deleted object is gone",
            "S3 API Reference, DeleteObject",
            &[],
            Fault::on(Op::DeleteObject).refuse(StatusCode::NO_CONTENT, "Ignored", ""),
            deleted,
        ),
        anywhere(
            Area::S3Object,
            "s3.delete-objects.quiet",
            "DeleteObjects in quiet mode tells of errors only",
            "S3 API Reference, DeleteObjects",
            &[],
            Fault::on(Op::DeleteObjects)
                .body("<DeleteResult><Deleted><Key>hello.txt</Key></Deleted></DeleteResult>"),
            quiet,
        ),
        anywhere(
            Area::S3Object,
            "s3.copy-object.keeps-metadata",
            "CopyObject keeps the metadata of the source",
            "S3 API Reference, CopyObject",
            &[Capability::Copy],
            Fault::on(Op::HeadObject).without_header("x-amz-meta-kept"),
            copy_keeps,
        ),
        anywhere(
            Area::S3Object,
            "s3.copy-object.missing-source",
            "CopyObject of a missing source is 404 NoSuchKey",
            "S3 API Reference, CopyObject",
            &[Capability::Copy],
            Fault::on(Op::CopyObject).refuse(StatusCode::FORBIDDEN, "AccessDenied", "no"),
            copy_missing,
        ),
        anywhere(
            Area::S3Object,
            "s3.get-object-attributes",
            "GetObjectAttributes tells ETag and size",
            "S3 API Reference, GetObjectAttributes",
            &[Capability::Attributes],
            Fault::on(Op::GetObjectAttributes).body("<GetObjectAttributesResponse/>"),
            attributes,
        ),
    ]
}

fn of_checksums() -> Vec<Check> {
    vec![
        anywhere(
            Area::S3Checksum,
            "s3.checksum.sha256",
            "the SHA-256 of an object is kept and told in checksum mode",
            "S3 User Guide, Checking object integrity",
            &[],
            Fault::on(Op::HeadObject).without_header("x-amz-checksum-sha256"),
            sha256,
        ),
        anywhere(
            Area::S3Checksum,
            "s3.checksum.sha256.wrong",
            "a body without the SHA-256 sent with it is refused",
            "S3 User Guide, Checking object integrity",
            &[],
            Fault::on(Op::PutObject).ignore_header("x-amz-checksum-sha256"),
            wrong_sha256,
        ),
        anywhere(
            Area::S3Checksum,
            "s3.checksum.sha1.wrong",
            "a body without the SHA-1 sent with it is refused",
            "S3 User Guide, Checking object integrity",
            &[],
            Fault::on(Op::PutObject).ignore_header("x-amz-checksum-sha1"),
            wrong_sha1,
        ),
        anywhere(
            Area::S3Checksum,
            "s3.checksum.crc32c.wrong",
            "a body without the CRC-32C sent with it is refused",
            "S3 User Guide, Checking object integrity",
            &[],
            Fault::on(Op::PutObject).ignore_header("x-amz-checksum-crc32c"),
            wrong_crc32c,
        ),
    ]
}

async fn suffix_range(ground: Ground) -> Conclusion {
    let got =
        ground.s3().get_object().bucket(ground.bucket()).key("hello.txt").range("bytes=-6").send().await;
    let got = step("get the last 6 bytes").succeeds("the piece", got)?;
    step("their place").equal(&Some("bytes 7-12/13"), &got.content_range())?;
    let body = step("read them").succeeds("the bytes", got.body.collect().await)?.to_vec();
    step("the piece").equal(&b"bucket"[..], &body[..])
}

async fn range_beyond(ground: Ground) -> Conclusion {
    let got =
        ground.s3().get_object().bucket(ground.bucket()).key("hello.txt").range("bytes=13-").send().await;
    refused("get from byte 13 of 13", "416 InvalidRange", got).map(drop)
}

async fn response_headers(ground: Ground) -> Conclusion {
    let got = ground.s3().get_object().bucket(ground.bucket()).key("hello.txt");
    let got = got.response_content_type("text/x-asked").response_cache_control("no-store").send().await;
    let got = step("ask for other headers").succeeds("the object", got)?;
    step("the content type").equal(&Some("text/x-asked"), &got.content_type())?;
    step("the cache control").equal(&Some("no-store"), &got.cache_control())
}

async fn empty_object(ground: Ground) -> Conclusion {
    put(&ground, "empty", "").await?;
    let head = ground.s3().head_object().bucket(ground.bucket()).key("empty").send().await;
    let head = step("head it").succeeds("the object", head)?;
    step("its length").equal(&Some(0), &head.content_length())?;
    step("its ETag").equal(&Some("\"d41d8cd98f00b204e9800998ecf8427e\""), &head.e_tag())
}

async fn system_headers(ground: Ground) -> Conclusion {
    let put = ground.s3().put_object().bucket(ground.bucket()).key("k");
    let put = put.cache_control("max-age=60").content_disposition("attachment; filename=\"a.csv\"");
    let put = put.content_language("de").content_encoding("identity").send().await;
    step("put with headers").succeeds("the object is written", put)?;
    let head = ground.s3().head_object().bucket(ground.bucket()).key("k").send().await;
    let head = step("head it").succeeds("the object", head)?;
    step("cache control").equal(&Some("max-age=60"), &head.cache_control())?;
    step("disposition").equal(&Some("attachment; filename=\"a.csv\""), &head.content_disposition())?;
    step("language").equal(&Some("de"), &head.content_language())
}

async fn key_too_long(ground: Ground) -> Conclusion {
    let longest = "k".repeat(1024);
    let put = ground.s3().put_object().bucket(ground.bucket()).key(&longest).send().await;
    step("put a key of 1024 bytes").succeeds("the object is written", put)?;
    let put = ground.s3().put_object().bucket(ground.bucket()).key(longest + "k").send().await;
    refused("put a key of 1025 bytes", "400 KeyTooLongError", put).map(drop)
}

async fn metadata_too_large(ground: Ground) -> Conclusion {
    let put = ground.s3().put_object().bucket(ground.bucket()).key("k").metadata("big", "x".repeat(2050));
    refused("put with 2053 bytes of metadata", "400 MetadataTooLarge", put.send().await).map(drop)
}

async fn deleted(ground: Ground) -> Conclusion {
    let deleted = ground.s3().delete_object().bucket(ground.bucket()).key("hello.txt").send().await;
    step("delete it").succeeds("204", deleted)?;
    let got = ground.s3().get_object().bucket(ground.bucket()).key("hello.txt").send().await;
    refused("get it", "404 NoSuchKey", got).map(drop)
}

async fn quiet(ground: Ground) -> Conclusion {
    let key = ObjectIdentifier::builder().key("hello.txt").build();
    let delete = key.and_then(|key| Delete::builder().objects(key).quiet(true).build());
    let delete = step("name a key").works(delete)?;
    let done = ground.s3().delete_objects().bucket(ground.bucket()).delete(delete).send().await;
    let done = step("delete it quietly").succeeds("200", done)?;
    step("the keys that are told").equal(&0, &done.deleted().len())?;
    let head = ground.s3().head_object().bucket(ground.bucket()).key("hello.txt").send().await;
    step("it is gone").refuses("404", head).map(drop)
}

async fn copy_keeps(ground: Ground) -> Conclusion {
    let put =
        ground.s3().put_object().bucket(ground.bucket()).key("source").metadata("kept", "yes").send().await;
    step("put the source").succeeds("the object is written", put)?;
    let source = format!("{}/source", ground.bucket());
    let copied =
        ground.s3().copy_object().bucket(ground.bucket()).key("copy").copy_source(source).send().await;
    step("copy it").succeeds("the copy", copied)?;
    let head = ground.s3().head_object().bucket(ground.bucket()).key("copy").send().await;
    let head = step("head the copy").succeeds("the copy", head)?;
    let kept = head.metadata().and_then(|metadata| metadata.get("kept")).map(String::as_str);
    step("the metadata of the copy").equal(&Some("yes"), &kept)
}

async fn copy_missing(ground: Ground) -> Conclusion {
    let source = format!("{}/gone", ground.bucket());
    let copied =
        ground.s3().copy_object().bucket(ground.bucket()).key("copy").copy_source(source).send().await;
    refused("copy what is not there", "404 NoSuchKey", copied).map(drop)
}

async fn attributes(ground: Ground) -> Conclusion {
    put(&ground, "k", "hello").await?;
    let found = ground.s3().get_object_attributes().bucket(ground.bucket()).key("k");
    let found = found
        .object_attributes(ObjectAttributes::Etag)
        .object_attributes(ObjectAttributes::ObjectSize)
        .send()
        .await;
    let found = step("ask for ETag and size").succeeds("attributes", found)?;
    step("the ETag").equal(&Some("5d41402abc4b2a76b9719d911017c592"), &found.e_tag())?;
    step("the size").equal(&Some(5), &found.object_size())
}

async fn sha256(ground: Ground) -> Conclusion {
    let put = ground.s3().put_object().bucket(ground.bucket()).key("k");
    let put = put
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await;
    step("put with a SHA-256").succeeds("the object is written", put)?;
    let head =
        ground.s3().head_object().bucket(ground.bucket()).key("k").checksum_mode(ChecksumMode::Enabled);
    let head = step("head in checksum mode").succeeds("the object", head.send().await)?;
    let expected = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    step("the SHA-256").equal(&Some(expected), &head.checksum_sha256())
}

async fn wrong_sha256(ground: Ground) -> Conclusion {
    let put =
        ground.s3().put_object().bucket(ground.bucket()).key("k").body(ByteStream::from_static(b"hello"));
    let put = put.checksum_sha256("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").send().await;
    refused("put with the SHA-256 of another body", "400 BadDigest", put).map(drop)
}

async fn wrong_sha1(ground: Ground) -> Conclusion {
    let put =
        ground.s3().put_object().bucket(ground.bucket()).key("k").body(ByteStream::from_static(b"hello"));
    let put = put.checksum_sha1("2jmj7l5rSw0yVb/vlWAYkK/YBwk=").send().await;
    refused("put with the SHA-1 of another body", "400 BadDigest", put).map(drop)
}

async fn wrong_crc32c(ground: Ground) -> Conclusion {
    let put =
        ground.s3().put_object().bucket(ground.bucket()).key("k").body(ByteStream::from_static(b"hello"));
    let put = put.checksum_crc32_c("AAAAAA==").send().await;
    refused("put with the CRC-32C of another body", "400 BadDigest", put).map(drop)
}
