//! Somebody else's connector, level by level: writes, least privilege, resilience, hygiene, truthful status.

use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::must;
use crate::check::{Area, Capability, Check, Level, Run, Source};
use crate::connector_command::{BUCKET, OTHERS, PREFIX, Play, SECRET, others_are_untouched, status_of};
use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::{Conclusion, Stop};
use crate::step::step;

#[expect(clippy::too_many_lines, reason = "a table of checks")]
pub(super) fn checks() -> Vec<Check> {
    let check =
        |id: &'static str, title: &'static str, requirement: &'static str, mode: &'static str, run| {
            let sources = vec![Source::requirement(requirement)];
            let check = must(Area::Connector, id, title, sources, Falsifier::Connector(mode), run);
            Check { needs: vec![Capability::ConnectorCommand], ..check }
        };
    let should = |check: Check| Check { level: Level::Should, ..check };
    vec![
        check(
            "connector.writes.all-rows",
            "every row of the input is in the bucket once when the command has succeeded",
            "ENG-01",
            "drops-rows",
            Run::new(all_rows),
        ),
        check(
            "connector.writes.below-the-prefix",
            "the command writes below its prefix and nowhere else",
            "ENG-07",
            "writes-elsewhere",
            Run::new(below_the_prefix),
        ),
        check(
            "connector.least-privilege.documented-actions",
            "the command succeeds with the actions that its documentation asks for, and tries no other",
            "SUP-50",
            "asks-for-the-location",
            Run::new(documented_actions),
        ),
        check(
            "connector.resilience.slow-down",
            "a write that is answered with SlowDown is tried again",
            "ENG-10",
            "never-tries-again",
            Run::new(async |context| copes(context, Fault::on(Op::PutObject).times(2).slow_down()).await),
        ),
        check(
            "connector.resilience.server-error",
            "a write that is answered with InternalError is tried again",
            "ENG-10",
            "never-tries-again",
            Run::new(async |context| {
                let fault = Fault::on(Op::PutObject).times(1);
                let code = "InternalError";
                copes(
                    context,
                    fault.refuse(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        code,
                        "We encountered an internal error.",
                    ),
                )
                .await
            }),
        ),
        check(
            "connector.resilience.lost-answer",
            "a write whose answer is lost leaves each row once",
            "ENG-01",
            "never-tries-again",
            Run::new(async |context| copes(context, Fault::on(Op::PutObject).times(1).drop_answer()).await),
        ),
        check(
            "connector.hygiene.others-objects",
            "objects of others stay as they are",
            "SUP-69",
            "deletes-others",
            Run::new(others_objects),
        ),
        check(
            "connector.hygiene.no-secrets",
            "the command does not say its secret",
            "ENG-19",
            "tells-its-secret",
            Run::new(no_secrets),
        ),
        check(
            "connector.hygiene.no-open-uploads",
            "no upload in parts is left open",
            "ENG-06",
            "leaves-uploads-open",
            Run::new(no_open_uploads),
        ),
        check(
            "connector.status.denied",
            "a command that may not write does not say that it succeeded, and tells of the refusal",
            "SUP-75",
            "always-succeeds",
            Run::new(denied),
        ),
        check(
            "connector.status.unavailable",
            "a command whose writes all fail does not say that it succeeded",
            "ENG-18",
            "always-succeeds",
            Run::new(unavailable),
        ),
        should(check(
            "connector.status.run-again",
            "a command that is run again on the same input leaves each row once",
            "ADA-32",
            "names-objects-at-random",
            Run::new(run_again),
        )),
    ]
}

async fn all_rows(context: CheckContext) -> Conclusion {
    let play = Play::open(&context, None).await?;
    play.succeeds().await?;
    play.holds_every_row().await
}

async fn below_the_prefix(context: CheckContext) -> Conclusion {
    let play = Play::open(&context, None).await?;
    play.succeeds().await?;
    let objects = play.objects().await?;
    let is_elsewhere = |key: &&String| !key.starts_with(PREFIX) && key.as_str() != OTHERS;
    let elsewhere: Vec<&String> = objects.keys().filter(is_elsewhere).collect();
    step("objects outside the prefix").equal(&Vec::<&String>::new(), &elsewhere)
}

/// The actions that the command's documentation asks for.
fn documented(context: &CheckContext) -> Result<Vec<String>, Stop> {
    let command = step("the command").some("a connector command", context.command())?;
    Ok(command.actions.clone())
}

async fn documented_actions(context: CheckContext) -> Conclusion {
    let play = Play::open(&context, Some(&documented(&context)?)).await?;
    play.succeeds().await?;
    let denied = play.emulator.journal().denied();
    if let Some(first) = denied.first() {
        let actual = format!("`{}` on `{}` was tried and denied", first.action, first.resource);
        let failure = step("the journal").failure("no request that is not allowed", actual);
        return Err(play.explain(failure).into());
    }
    play.holds_every_row().await
}

async fn copes(context: CheckContext, fault: Fault) -> Conclusion {
    let play = Play::open(&context, None).await?;
    let name = fault.to_string();
    let injected = play.inject(fault);
    let ended = play.run().await?;
    step(format!("the fault happened: {name}")).equal(&true, &(injected.hits() > 0))?;
    if ended.code != Some(0) {
        let lost = step(format!("run the command while {name}"));
        let failure = lost.failure("another try, and exit status 0", status_of(&ended));
        return Err(failure.help("try again after 500, 503 and a lost answer, with growing pauses").into());
    }
    play.holds_every_row().await
}

async fn others_objects(context: CheckContext) -> Conclusion {
    let play = Play::open(&context, None).await?;
    play.succeeds().await?;
    let untouched = others_are_untouched(&play.objects().await?);
    step(format!("`{OTHERS}` is as it was")).equal(&true, &untouched)
}

async fn no_secrets(context: CheckContext) -> Conclusion {
    let play = Play::open(&context, None).await?;
    let ended = play.succeeds().await?;
    step("the secret access key stands in the output").equal(&false, &ended.said.contains(SECRET))?;
    let objects = play.objects().await?;
    let stands = |body: &bytes::Bytes| String::from_utf8_lossy(body).contains(SECRET);
    step("it stands in an object").equal(&false, &objects.values().any(stands))
}

async fn no_open_uploads(context: CheckContext) -> Conclusion {
    let play = Play::open(&context, None).await?;
    play.succeeds().await?;
    let s3 = play.emulator.s3("administrator");
    let uploads = step("list the uploads").works(s3.list_multipart_uploads().bucket(BUCKET).send().await)?;
    step("the number of open uploads").equal(&0, &uploads.uploads().len())
}

async fn denied(context: CheckContext) -> Conclusion {
    let actions: Vec<String> = documented(&context)?
        .into_iter()
        .filter(|action| action != "s3:PutObject" && action != "s3:*")
        .collect();
    let actions = if actions.is_empty() { vec!["s3:ListBucket".to_owned()] } else { actions };
    let play = Play::open(&context, Some(&actions)).await?;
    let ended = play.run().await?;
    if ended.code == Some(0) {
        let failure = step("run the command without s3:PutObject").failure("a failure", status_of(&ended));
        return Err(play.explain(failure).into());
    }
    let tells = ["AccessDenied", "Access Denied", "403", "s3:PutObject", "not authorized"];
    let is_told = tells.iter().any(|words| ended.said.contains(words));
    step(format!("what it says of the refusal ({})", status_of(&ended))).equal(&true, &is_told)
}

async fn unavailable(context: CheckContext) -> Conclusion {
    let play = Play::open(&context, None).await?;
    let busy = play.inject(Fault::on(Op::PutObject).slow_down());
    let ended = play.run().await?;
    step("it tries to write").equal(&true, &(busy.hits() > 0))?;
    let is_success = ended.code == Some(0);
    step(format!("it says that it succeeded ({})", status_of(&ended))).equal(&false, &is_success)
}

async fn run_again(context: CheckContext) -> Conclusion {
    let play = Play::open(&context, None).await?;
    play.succeeds().await?;
    play.succeeds().await?;
    play.holds_every_row().await
}
