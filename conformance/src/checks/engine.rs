//! What the engine promises whatever the vendor: each promise is held to with every built-in profile of an export.

use std::collections::BTreeMap;

use bucketproof_emulator::{Fault, Op};
use bytes::Bytes;
use http::StatusCode;

use super::{must, requirements};
use crate::check::{Area, Check, CheckId, Run};
use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::{Conclusion, Stop};
use crate::stage::{CUSTOMER_BUCKET, Setup, VendorStage};
use crate::step::step;

/// Every profile of an export.
const PROFILES: [&str; 6] = [
    "suprsend_s3_v2",
    "split_impressions_export",
    "permutive_batch",
    "permutive_stream",
    "datafly_s3",
    "adapty_s3",
];

/// The sample rows that are exported.
const ROWS: std::ops::Range<u32> = 0..12;

/// A run of signs as long as this is an id.
const ID_CHARS_MIN: usize = 16;

/// What is promised.
#[derive(Clone, Copy)]
enum Promise {
    NoNews,
    LostAnswers,
    Throttled,
    FailingOnce,
    DeniedOnce,
    CleanBucket,
    ForeignObjects,
}

const PROMISES: [Promise; 7] = [
    Promise::NoNews,
    Promise::LostAnswers,
    Promise::Throttled,
    Promise::FailingOnce,
    Promise::DeniedOnce,
    Promise::CleanBucket,
    Promise::ForeignObjects,
];

impl Promise {
    const fn id(self) -> &'static str {
        match self {
            Self::NoNews => "no-news",
            Self::LostAnswers => "lost-answers",
            Self::Throttled => "throttled",
            Self::FailingOnce => "failing-once",
            Self::DeniedOnce => "denied-once",
            Self::CleanBucket => "clean-bucket",
            Self::ForeignObjects => "foreign-objects",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::NoNews => "a run without news writes nothing",
            Self::LostAnswers => {
                "answers that are lost change no byte of what stands in the bucket in the end"
            }
            Self::Throttled => "an endpoint that is too busy twice is asked again, and the report tells so",
            Self::FailingOnce => "an endpoint that fails once is asked again",
            Self::DeniedOnce => {
                "a denial stops a run and is not tried again; the next run brings the bucket to the same bytes"
            }
            Self::CleanBucket => "no upload is left open, and no object is empty",
            Self::ForeignObjects => "what others put into the bucket changes no key and is not touched",
        }
    }

    const fn ids(self) -> &'static [&'static str] {
        match self {
            Self::NoNews | Self::LostAnswers => &["ENG-01"],
            Self::Throttled => &["ENG-10", "ENG-18"],
            Self::FailingOnce => &["ENG-10"],
            Self::DeniedOnce => &["ENG-02", "ENG-10"],
            Self::CleanBucket => &["ENG-05"],
            Self::ForeignObjects => &["ENG-07"],
        }
    }

    /// An endpoint under which the promise cannot hold.
    fn broken_by(self) -> Fault {
        let acknowledged = || Fault::on(Op::PutObject).times(1).refuse(StatusCode::OK, "Ignored", "");
        match self {
            Self::NoNews | Self::ForeignObjects => acknowledged(),
            // Whoever looks after a lost answer finds what was written; here nothing ever is.
            Self::Throttled => Fault::on(Op::PutObject).slow_down(),
            Self::LostAnswers | Self::FailingOnce => {
                Fault::on(Op::PutObject).refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "")
            }
            Self::DeniedOnce => Fault::on(Op::PutObject).refuse(StatusCode::FORBIDDEN, "AccessDenied", ""),
            Self::CleanBucket => Fault::on(Op::ListMultipartUploads).body(
                "<ListMultipartUploadsResult><Upload><Key>k</Key><UploadId>u</UploadId></Upload>\
                 </ListMultipartUploadsResult>",
            ),
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    let all = PROMISES.into_iter().flat_map(|promise| PROFILES.map(|profile| (promise, profile)));
    all.map(|(promise, profile)| {
        let run = Run::new(move |context| holds(context, promise, profile));
        let broken_by = Falsifier::Fault(promise.broken_by());
        let title = format!("{profile}: {}", promise.title());
        let check = must(Area::Engine, "engine", title, requirements(promise.ids()), broken_by, run);
        Check { id: CheckId::from(format!("engine.{}.{profile}", promise.id())), ..check }
    })
    .collect()
}

async fn holds(context: CheckContext, promise: Promise, profile: &'static str) -> Conclusion {
    let stage = open(context.clone(), profile).await?;
    match promise {
        Promise::NoNews => no_news(&stage).await,
        Promise::LostAnswers => {
            let lost = stage.emulator.inject(Fault::on(Op::PutObject).times(2).drop_answer());
            stage.sync("export while answers are lost").await?;
            step("answers were lost").equal(&true, &(lost.hits() > 0))?;
            as_undisturbed(&stage, &context, profile).await
        }
        Promise::Throttled => {
            let _busy = stage.emulator.inject(Fault::on(Op::PutObject).times(2).slow_down());
            let report = stage.sync("export to a busy endpoint").await?;
            let told = report.retries.unavailable;
            if told < 2 {
                return Err(step("the report")
                    .failure("2 attempts that were too much", told.to_string())
                    .into());
            }
            as_undisturbed(&stage, &context, profile).await
        }
        Promise::FailingOnce => {
            let failing = Fault::on(Op::PutObject).times(1);
            let failing = failing.refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "We failed.");
            let _failing = stage.emulator.inject(failing);
            stage.sync("export to an endpoint that fails once").await?;
            as_undisturbed(&stage, &context, profile).await
        }
        Promise::DeniedOnce => denied_once(&stage, &context, profile).await,
        Promise::CleanBucket => clean_bucket(&stage).await,
        Promise::ForeignObjects => foreign_objects(&stage, &context, profile).await,
    }
}

/// An export with rows in every source.
async fn open(context: CheckContext, profile: &'static str) -> Result<VendorStage, Stop> {
    let stage = VendorStage::open(context, profile, Setup::default()).await?;
    stage.deliver_samples(&ROWS)?;
    Ok(stage)
}

fn writes(stage: &VendorStage) -> usize {
    let entries = stage.emulator.journal().entries();
    entries.iter().filter(|entry| entry.operation == Some(Op::PutObject)).count()
}

/// The bucket holds what it holds after a run that nothing disturbed.
async fn as_undisturbed(stage: &VendorStage, context: &CheckContext, profile: &'static str) -> Conclusion {
    let undisturbed = open(context.undisturbed(), profile).await?;
    undisturbed.sync("export undisturbed").await?;
    same(&undisturbed.objects().await?, &stage.objects().await?)
}

/// A key without the ids that every connection has of its own: long runs of hexadecimal digits and hyphens.
fn shape(key: &str) -> String {
    let is_of_id = |sign: char| sign == '-' || sign.is_ascii_digit() || ('a'..='f').contains(&sign);
    let mut shape = String::new();
    let mut run = String::new();
    for sign in key.chars().chain(['\n']) {
        if is_of_id(sign) {
            run.push(sign);
            continue;
        }
        shape.push_str(if run.len() < ID_CHARS_MIN { &run } else { "~" });
        run.clear();
        shape.push(sign);
    }
    shape.trim_end().to_owned()
}

/// Keys of the same form in number, and the same bytes behind them.
fn same(expected: &BTreeMap<String, Bytes>, found: &BTreeMap<String, Bytes>) -> Conclusion {
    let contents = |objects: &BTreeMap<String, Bytes>| {
        let mut contents: Vec<(String, Bytes)> =
            objects.iter().map(|(key, body)| (shape(key), body.clone())).collect();
        contents.sort();
        contents
    };
    let (expected, found) = (contents(expected), contents(found));
    let keys = |contents: &[(String, Bytes)]| contents.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    step("the keys").equal(&keys(&expected), &keys(&found))?;
    step("the bytes behind them").equal(&true, &(expected == found))?;
    step("there is something").equal(&false, &expected.is_empty())
}

async fn no_news(stage: &VendorStage) -> Conclusion {
    stage.sync("export").await?;
    let (objects, before) = (stage.objects().await?, writes(stage));
    stage.sync("export again").await?;
    step("further writes").equal(&0, &writes(stage).saturating_sub(before))?;
    same(&objects, &stage.objects().await?)
}

async fn denied_once(stage: &VendorStage, context: &CheckContext, profile: &'static str) -> Conclusion {
    let denied =
        Fault::on(Op::PutObject).times(1).refuse(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied");
    let denied = stage.emulator.inject(denied);
    let stopped = stage.try_sync().await?;
    step("export while writes are denied").equal(&true, &stopped.is_err())?;
    step("attempts at the write that was denied").equal(&1, &denied.hits())?;
    stage.sync("export when they are allowed again").await?;
    as_undisturbed(stage, context, profile).await
}

async fn clean_bucket(stage: &VendorStage) -> Conclusion {
    stage.sync("export").await?;
    let uploads = stage.administrator().list_multipart_uploads().bucket(CUSTOMER_BUCKET).send().await;
    let uploads = step("list the uploads").succeeds("a listing", uploads)?;
    step("uploads that are open").equal(&0, &uploads.uploads().len())?;
    for (key, body) in stage.objects().await? {
        step(format!("`{key}` is empty")).equal(&false, &body.is_empty())?;
    }
    Ok(())
}

async fn foreign_objects(stage: &VendorStage, context: &CheckContext, profile: &'static str) -> Conclusion {
    const FOREIGN: [&str; 3] = ["0-of-others", "zz/of-others", "year=2025/of-others.parquet"];
    let s3 = stage.administrator();
    for key in FOREIGN {
        let put =
            s3.put_object().bucket(CUSTOMER_BUCKET).key(key).body(Bytes::from_static(b"others'").into());
        step("put an object of others").succeeds("the object is written", put.send().await)?;
    }
    stage.sync("export beside objects of others").await?;
    let mut objects = stage.objects().await?;
    for key in FOREIGN {
        let left = step(format!("`{key}` is still there")).some("the object", objects.remove(key))?;
        step(format!("the bytes of `{key}`")).equal(&&b"others'"[..], &&left[..])?;
    }
    let undisturbed = open(context.undisturbed(), profile).await?;
    undisturbed.sync("export undisturbed").await?;
    same(&undisturbed.objects().await?, &objects)
}
