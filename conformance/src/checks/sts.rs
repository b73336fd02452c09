//! The Security Token Service.

use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_sdk_sts::types::AssumedRoleUser;
use bucketproof_emulator::{Fault, Op};

use super::refusal::{refused, refused_saying};
use super::{aws, must};
use crate::check::{Area, Check, Run};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::Conclusion;
use crate::stage::Stage;
use crate::step::step;

const ROLE: &str = "arn:aws:iam::111122223333:role/suite_role";

pub(super) fn checks() -> Vec<Check> {
    let external_ids = "IAM User Guide, Access to AWS accounts owned by third parties (external ID)";
    vec![
        must(
            Area::Sts,
            "sts.get-caller-identity.user",
            "GetCallerIdentity names the user, who needs no permission for it",
            aws("STS API Reference, GetCallerIdentity"),
            Falsifier::ScenarioEdit(TextEdit::new("name = \"newcomer\"", "name = \"somebody\"")),
            Run::new(caller_identity),
        ),
        must(
            Area::Sts,
            "sts.assume-role.session",
            "a session carries the role's name and the session's, and acts with the role's policies",
            aws("STS API Reference, AssumeRole"),
            Falsifier::ScenarioEdit(TextEdit::new("\"s3:GetObject\",\"s3:ListBucket\"", "\"s3:ListBucket\"")),
            Run::new(session),
        ),
        must(
            Area::Sts,
            "sts.assume-role.wrong-external-id",
            "a wrong external id is denied in the same words as everything else",
            aws(external_ids),
            Falsifier::ScenarioEdit(TextEdit::new("Suite-External-Id", "Wrong-External-Id")),
            Run::new(wrong_external_id),
        ),
        must(
            Area::Sts,
            "sts.assume-role.missing-external-id",
            "a missing external id is denied",
            aws(external_ids),
            Falsifier::ScenarioEdit(TextEdit::new("StringEquals", "StringEqualsIfExists")),
            Run::new(missing_external_id),
        ),
        must(
            Area::Sts,
            "sts.assume-role.untrusted",
            "an administrator whom the role does not trust is denied",
            aws("IAM User Guide, Cross-account policy evaluation logic"),
            Falsifier::ScenarioEdit(TextEdit::new(
                "444455556666:root\"},\"Action\":\"sts",
                "111122223333:root\"},\"Action\":\"sts",
            )),
            Run::new(untrusted),
        ),
        must(
            Area::Sts,
            "sts.assume-role.bad-session-name",
            "a session name with a colon is a validation error",
            aws("STS API Reference, AssumeRole"),
            Falsifier::Fault(Fault::on(Op::AssumeRole).status(http::StatusCode::OK)),
            Run::new(bad_session_name),
        ),
    ]
}

fn assume(stage: &Stage, user: &str) -> AssumeRoleFluentBuilder {
    stage.sts(user).assume_role().role_arn(ROLE).role_session_name("check")
}

fn denied(user: &str) -> String {
    format!("User: {user} is not authorized to perform: sts:AssumeRole on resource: {ROLE}")
}

const PARTNER: &str = "arn:aws:iam::444455556666:user/partner";

async fn caller_identity(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let Some(credentials) = stage.emulator.credentials("newcomer") else {
        return Err(step("the user `newcomer`").failure("a user without policies", "no such user").into());
    };
    let identity = stage.emulator.sts_with(credentials).get_caller_identity().send().await;
    let identity = step("ask who I am").succeeds("an identity", identity)?;
    step("the ARN").equal(&Some("arn:aws:iam::111122223333:user/newcomer"), &identity.arn())?;
    step("the account").equal(&Some("111122223333"), &identity.account())
}

async fn session(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let assumed = assume(&stage, "partner").external_id("Suite-External-Id").send().await;
    let assumed = step("assume the role").succeeds("a session", assumed)?;
    let arn = assumed.assumed_role_user().map(AssumedRoleUser::arn);
    step("its ARN").equal(&Some("arn:aws:sts::111122223333:assumed-role/suite_role/check"), &arn)?;
    let credentials = step("its credentials").some("credentials", assumed.credentials())?;
    let credentials = aws_credential_types::Credentials::new(
        credentials.access_key_id(),
        credentials.secret_access_key(),
        Some(credentials.session_token().to_owned()),
        None,
        "check",
    );
    let s3 = stage.s3_with(credentials);
    let got = s3.get_object().bucket(crate::stage::BUCKET).key("hello.txt").send().await;
    step("read what the role may read").succeeds("the object", got)?;
    let put = s3.put_object().bucket(crate::stage::BUCKET).key("hello.txt").send().await;
    refused("write what the role may not write", "403 AccessDenied", put).map(drop)
}

async fn wrong_external_id(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let assumed = assume(&stage, "partner").external_id("Wrong-External-Id").send().await;
    refused_saying("assume with a wrong external id", "403 AccessDenied", &denied(PARTNER), assumed)
}

async fn missing_external_id(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let assumed = assume(&stage, "partner").send().await;
    refused_saying("assume without an external id", "403 AccessDenied", &denied(PARTNER), assumed)
}

async fn untrusted(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let assumed = assume(&stage, "administrator").external_id("Suite-External-Id").send().await;
    let administrator = "arn:aws:iam::111122223333:user/administrator";
    refused_saying("assume as administrator", "403 AccessDenied", &denied(administrator), assumed)
}

async fn bad_session_name(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let assumed =
        assume(&stage, "partner").external_id("Suite-External-Id").role_session_name("a:b").send().await;
    refused("assume with the session name `a:b`", "400 ValidationError", assumed).map(drop)
}
