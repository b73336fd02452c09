//! Who may do what: identity and bucket policies, over HTTP.

use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::refusal::{refused, refused_saying};
use super::{aws, must};
use crate::check::{Area, Check, Run};
use crate::context::CheckContext;
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::Conclusion;
use crate::stage::{BUCKET, Stage};
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    let evaluation = "IAM User Guide, Policy evaluation logic";
    let messages = "S3 User Guide, Troubleshoot access denied (403 Forbidden) errors";
    vec![
        must(
            Area::Iam,
            "iam.implicit-deny.message",
            "who has no policy is told which action no identity-based policy allows",
            aws(messages),
            Falsifier::Fault(Fault::on(Op::GetObject).refuse(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "Access Denied",
            )),
            Run::new(implicit_deny),
        ),
        must(
            Area::Iam,
            "iam.account-level.message",
            "the message of an action without a resource names none",
            aws(messages),
            Falsifier::Fault(Fault::on(Op::ListBuckets).refuse(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "Access Denied",
            )),
            Run::new(account_level),
        ),
        must(
            Area::S3Policy,
            "bucket-policy.explicit-deny-wins",
            "a Deny in the bucket policy stops even an administrator",
            aws(evaluation),
            Falsifier::ScenarioEdit(TextEdit::new("suite-logs/secret/*", "suite-logs/secrets/*")),
            Run::new(explicit_deny),
        ),
        must(
            Area::S3Policy,
            "bucket-policy.cross-account.both-sides",
            "across accounts the bucket policy and the caller's own policy must both allow",
            aws("IAM User Guide, Cross-account policy evaluation logic"),
            Falsifier::ScenarioEdit(TextEdit::new("shared/*", "*")),
            Run::new(both_sides),
        ),
        must(
            Area::S3Policy,
            "bucket-policy.cross-account.own-side-missing",
            "across accounts a bucket policy alone is not enough, and the refusal does not say why",
            aws("IAM User Guide, Cross-account policy evaluation logic"),
            Falsifier::Fault(Fault::on(Op::GetObject).status(StatusCode::OK)),
            Run::new(own_side_missing),
        ),
        must(
            Area::S3Policy,
            "bucket-policy.public-is-blocked",
            "a new bucket does not take a public policy",
            aws("S3 User Guide, Blocking public access to your Amazon S3 storage"),
            Falsifier::Fault(Fault::on(Op::PutBucketPolicy).status(StatusCode::NO_CONTENT)),
            Run::new(public_is_blocked),
        ),
        must(
            Area::S3Policy,
            "bucket-policy.unknown-principal",
            "a policy that names a principal which does not exist is malformed",
            aws("S3 User Guide, Troubleshoot bucket policies"),
            Falsifier::Fault(Fault::on(Op::PutBucketPolicy).status(StatusCode::NO_CONTENT)),
            Run::new(unknown_principal),
        ),
        must(
            Area::S3Policy,
            "bucket-policy.other-bucket",
            "a policy about another bucket is malformed",
            aws("S3 User Guide, Troubleshoot bucket policies"),
            Falsifier::Fault(Fault::on(Op::PutBucketPolicy).status(StatusCode::NO_CONTENT)),
            Run::new(other_bucket),
        ),
        must(
            Area::S3Policy,
            "bucket-policy.round-trip",
            "a policy that is put is in force and is read back",
            aws("S3 API Reference, PutBucketPolicy and GetBucketPolicy"),
            Falsifier::Fault(Fault::on(Op::GetBucketPolicy).body("{}")),
            Run::new(round_trip),
        ),
    ]
}

async fn implicit_deny(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let got = stage.s3("newcomer").get_object().bucket(BUCKET).key("hello.txt").send().await;
    let message = "User: arn:aws:iam::111122223333:user/newcomer is not authorized to perform: s3:GetObject on \
                   resource: \"arn:aws:s3:::suite-logs/hello.txt\" because no identity-based policy allows the \
                   s3:GetObject action";
    refused_saying("read without a policy", "403 AccessDenied", message, got)
}

async fn account_level(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let listed = stage.s3("newcomer").list_buckets().send().await;
    let message = "User: arn:aws:iam::111122223333:user/newcomer is not authorized to perform: \
                   s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action";
    refused_saying("list the buckets without a policy", "403 AccessDenied", message, listed)
}

async fn explicit_deny(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let got = stage.administrator().get_object().bucket(BUCKET).key("secret/plan.txt").send().await;
    let message = "User: arn:aws:iam::111122223333:user/administrator is not authorized to perform: s3:GetObject on \
                   resource: \"arn:aws:s3:::suite-logs/secret/plan.txt\" with an explicit deny in a resource-based \
                   policy";
    refused_saying("read what everyone is denied", "403 AccessDenied", message, got)
}

async fn both_sides(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let s3 = stage.s3("partner");
    let got = s3.get_object().bucket(BUCKET).key("shared/offer.txt").send().await;
    step("read what both sides allow").succeeds("the object", got)?;
    let got = s3.get_object().bucket(BUCKET).key("hello.txt").send().await;
    refused_saying("read what the bucket does not allow", "403 AccessDenied", "Access Denied", got)
}

async fn own_side_missing(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let got =
        stage.s3("partner-without-policy").get_object().bucket(BUCKET).key("shared/offer.txt").send().await;
    refused_saying("read what only the bucket allows", "403 AccessDenied", "Access Denied", got)
}

/// A bucket policy of one statement.
fn policy(principal: &str, bucket: &str) -> String {
    format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{principal},\
         \"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::{bucket}/*\"}}]}}"
    )
}

async fn public_is_blocked(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let put = stage.administrator().put_bucket_policy().bucket(BUCKET).policy(policy("\"*\"", BUCKET));
    let message = "User: arn:aws:iam::111122223333:user/administrator is not authorized to perform: \
                   s3:PutBucketPolicy on resource: \"arn:aws:s3:::suite-logs\" because public policies are prevented \
                   by the BlockPublicPolicy setting in S3 Block Public Access.";
    refused_saying("put a public policy", "403 AccessDenied", message, put.send().await)
}

async fn unknown_principal(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let nobody = policy("{\"AWS\":\"arn:aws:iam::444455556666:user/nobody\"}", BUCKET);
    let put = stage.administrator().put_bucket_policy().bucket(BUCKET).policy(nobody).send().await;
    refused_saying(
        "name a user who does not exist",
        "400 MalformedPolicy",
        "Invalid principal in policy",
        put,
    )
}

async fn other_bucket(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let other = policy("{\"AWS\":\"444455556666\"}", "another-bucket");
    let put = stage.administrator().put_bucket_policy().bucket(BUCKET).policy(other).send().await;
    refused_saying("write about another bucket", "400 MalformedPolicy", "Policy has invalid resource", put)
}

async fn round_trip(context: CheckContext) -> Conclusion {
    let stage = Stage::suite(context).await?;
    let administrator = stage.administrator();
    // As S3 stores it: the number of an account alone would come back as this ARN.
    let text = policy("{\"AWS\":\"arn:aws:iam::444455556666:root\"}", BUCKET);
    let put = administrator.put_bucket_policy().bucket(BUCKET).policy(&text).send().await;
    step("put a policy").succeeds("204", put)?;
    let got = stage.s3("partner").get_object().bucket(BUCKET).key("hello.txt").send().await;
    step("it is in force").succeeds("the object", got)?;
    let found = administrator.get_bucket_policy().bucket(BUCKET).send().await;
    let found = step("read it back").succeeds("the policy", found)?;
    step("the text").equal(&Some(text.as_str()), &found.policy())?;
    let deleted = administrator.delete_bucket_policy().bucket(BUCKET).send().await;
    step("delete it").succeeds("204", deleted)?;
    let found = administrator.get_bucket_policy().bucket(BUCKET).send().await;
    refused("read what is gone", "404 NoSuchBucketPolicy", found).map(drop)
}
