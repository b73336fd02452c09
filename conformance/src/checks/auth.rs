//! Authentication.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::presigning::PresigningConfig;
use bucketproof_emulator::{Fault, Op};
use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::refusal::refused;
use super::{aws, must};
use crate::check::{Area, Check, Run};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Conclusion, Stop};
use crate::stage::{BUCKET, Ground, Stage, on_ground};
use crate::step::step;

/// The administrator of the suite's scenario.
const KEY: &str = "AKIASUITEADMINEXAMPL";
const SECRET: &str = "suiteAdministratorSecret/forTests/EXAMPLE";

pub(super) fn checks() -> Vec<Check> {
    vec![
        must(
            Area::Auth,
            "auth.sigv4.wrong-secret",
            "a signature made with another secret is SignatureDoesNotMatch",
            aws("IAM User Guide, Troubleshoot Signature Version 4 requests"),
            Falsifier::ScenarioEdit(TextEdit::new(SECRET, "a secret that is not the right one")),
            on_ground(wrong_secret),
        ),
        must(
            Area::Auth,
            "auth.sigv4.unknown-key",
            "an access key that does not exist is InvalidAccessKeyId",
            aws("S3 API Reference, Error responses"),
            Falsifier::ScenarioEdit(TextEdit::new(KEY, "AKIANOBODYKNOWSTHIS0")),
            on_ground(unknown_key),
        ),
        must(
            Area::Auth,
            "auth.sigv4.skewed-clock",
            "a request dated 16 minutes off is RequestTimeTooSkewed",
            aws("S3 API Reference, Error responses"),
            Falsifier::ClockAhead(Duration::from_mins(16)),
            on_ground(skewed_clock),
        ),
        must(
            Area::Auth,
            "auth.anonymous.denied",
            "a request that nobody signed is denied in plain words",
            aws("S3 User Guide, Troubleshoot access denied (403 Forbidden) errors"),
            Falsifier::Fault(Fault::on(Op::GetObject).status(StatusCode::OK)),
            on_ground(anonymous),
        ),
        must(
            Area::Auth,
            "auth.presigned.get",
            "a presigned URL opens the object to who has no key",
            aws("S3 User Guide, Download and upload objects with presigned URLs"),
            Falsifier::Fault(Fault::on(Op::GetObject).refuse(StatusCode::FORBIDDEN, "AccessDenied", "no")),
            on_ground(presigned),
        ),
        must(
            Area::Auth,
            "auth.presigned.expired",
            "a presigned URL is worth nothing after its time",
            aws("S3 User Guide, Download and upload objects with presigned URLs"),
            Falsifier::ClockStands,
            Run::new(presigned_expired),
        ),
        must(
            Area::Auth,
            "auth.presigned.tampered",
            "a presigned URL opens no other key than its own",
            aws("S3 API Reference, Authenticating requests: using query parameters"),
            Falsifier::ScenarioEdit(TextEdit::new("key = \"hello.txt\"", "key = \"jello.txt\"")),
            on_ground(presigned_tampered),
        ),
        must(
            Area::Auth,
            "auth.session.expired",
            "a session is ExpiredToken after its time",
            aws("S3 API Reference, Error responses"),
            Falsifier::ClockStands,
            Run::new(session_expired),
        ),
        must(
            Area::Auth,
            "auth.session.without-token",
            "a session's key without its token is InvalidAccessKeyId",
            aws("S3 API Reference, Error responses"),
            Falsifier::ScenarioEdit(TextEdit::new("Suite-External-Id", "Another-External-Id")),
            Run::new(session_without_token),
        ),
    ]
}

async fn wrong_secret(ground: Ground) -> Conclusion {
    let listed = ground.s3_with_wrong_secret().list_objects_v2().bucket(ground.bucket()).send().await;
    refused("sign with another secret", "403 SignatureDoesNotMatch", listed).map(drop)
}

async fn unknown_key(ground: Ground) -> Conclusion {
    let unknown = Credentials::new("AKIANOBODYKNOWSTHIS0", SECRET, None, None, "check");
    let listed = ground.s3_with(unknown).list_objects_v2().bucket(ground.bucket()).send().await;
    refused("sign with an unknown key", "403 InvalidAccessKeyId", listed).map(drop)
}

async fn skewed_clock(ground: Ground) -> Conclusion {
    let client = ground.s3_ahead(Duration::from_mins(16));
    // A second try would sign with the server's time.
    let once = client.config().to_builder().retry_config(RetryConfig::disabled()).build();
    let listed = Client::from_conf(once).list_objects_v2().bucket(ground.bucket()).send().await;
    refused("sign 16 minutes ahead", "403 RequestTimeTooSkewed", listed).map(drop)
}

/// Sends a request as it is, without signing it.
async fn send(ground: &Ground, uri: &str) -> Result<Response<Bytes>, Stop> {
    let request = step("make a request").works(Request::get(uri).body(Bytes::new()))?;
    ground.send("send it", request).await
}

async fn anonymous(ground: Ground) -> Conclusion {
    let answer = send(&ground, &ground.url(&format!("/{}/hello.txt", ground.bucket()))).await?;
    step("the status").equal(&403, &answer.status().as_u16())?;
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    step("the error").contains(&body, "<Code>AccessDenied</Code><Message>Access Denied</Message>")
}

/// A URL for `hello.txt` that lives for 15 minutes.
async fn presign(start: SystemTime, s3: &Client, bucket: &str) -> Result<String, Stop> {
    let config = PresigningConfig::builder().start_time(start).expires_in(Duration::from_mins(15)).build();
    let config = step("a life of 15 minutes").works(config)?;
    let request = s3.get_object().bucket(bucket).key("hello.txt").presigned(config).await;
    Ok(step("presign a URL").works(request)?.uri().to_owned())
}

async fn presigned(ground: Ground) -> Conclusion {
    let uri = presign(ground.now(), &ground.s3(), ground.bucket()).await?;
    let answer = send(&ground, &uri).await?;
    step("the status").equal(&200, &answer.status().as_u16())?;
    step("the object").equal(&b"hello, bucket"[..], &answer.body()[..])
}

async fn presigned_expired(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let uri = presign(stage.clock.system_time(), &stage.administrator(), BUCKET).await?;
    stage.advance(Duration::from_secs(901));
    let request = step("make a request").works(Request::get(uri).body(Bytes::new()))?;
    let answer = step("send it").succeeds("an answer", stage.emulator.send(request).await)?;
    step("the status").equal(&403, &answer.status().as_u16())?;
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    step("the error").contains(&body, "<Code>AccessDenied</Code><Message>Request has expired</Message>")
}

async fn presigned_tampered(ground: Ground) -> Conclusion {
    let uri = presign(ground.now(), &ground.s3(), ground.bucket()).await?;
    let answer = send(&ground, &uri).await?;
    step("the URL as it is").equal(&200, &answer.status().as_u16())?;
    let answer = send(&ground, &uri.replace("hello.txt", "shared/offer.txt")).await?;
    step("the URL with another key").equal(&403, &answer.status().as_u16())?;
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    step("the error").contains(&body, "<Code>SignatureDoesNotMatch</Code>")
}

/// A session of the suite's role: key id, secret, token.
async fn session(stage: &Stage) -> Result<(String, String, String), Stop> {
    let assumed = stage
        .sts("partner")
        .assume_role()
        .role_arn("arn:aws:iam::111122223333:role/suite_role")
        .role_session_name("check")
        .external_id("Suite-External-Id");
    let assumed = step("assume the role").succeeds("a session", assumed.send().await)?;
    let credentials = step("its credentials").some("credentials", assumed.credentials())?;
    Ok((
        credentials.access_key_id().to_owned(),
        credentials.secret_access_key().to_owned(),
        credentials.session_token().to_owned(),
    ))
}

async fn session_expired(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let (id, secret, token) = session(&stage).await?;
    let s3 = stage.s3_with(Credentials::new(id, secret, Some(token), None, "check"));
    let got = s3.get_object().bucket(BUCKET).key("hello.txt").send().await;
    step("read within the hour").succeeds("the object", got)?;
    stage.advance(Duration::from_secs(3601));
    let got = s3.get_object().bucket(BUCKET).key("hello.txt").send().await;
    refused("read after the hour", "400 ExpiredToken", got).map(drop)
}

async fn session_without_token(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let (id, secret, _) = session(&stage).await?;
    let s3 = stage.s3_with(Credentials::new(id, secret, None, None, "check"));
    let got = s3.get_object().bucket(BUCKET).key("hello.txt").send().await;
    refused("read without the token", "403 InvalidAccessKeyId", got).map(drop)
}
