//! Who may come in: policies, other accounts, forms, ACLs.

use aws_sdk_s3::types::Permission;
use bucketproof_emulator::{Fault, Op};
use bytes::Bytes;
use http::{Request, StatusCode};

use super::anywhere;
use super::refusal::refused;
use super::s3_objects::put;
use crate::check::{Area, Capability, Check};
use crate::outcome::Conclusion;
use crate::stage::Ground;
use crate::step::step;

pub(super) fn checks() -> Vec<Check> {
    vec![
        anywhere(
            Area::S3Policy,
            "s3.policy.none",
            "a bucket without a policy is 404 NoSuchBucketPolicy",
            "S3 API Reference, GetBucketPolicy",
            &[Capability::BucketPolicy],
            Fault::on(Op::GetBucketPolicy).status(StatusCode::OK).body("{}"),
            no_policy,
        ),
        anywhere(
            Area::S3Policy,
            "s3.policy.no-json",
            "a policy that is no JSON is refused as MalformedPolicy",
            "S3 User Guide, Troubleshoot bucket policies",
            &[Capability::BucketPolicy],
            Fault::on(Op::PutBucketPolicy).status(StatusCode::NO_CONTENT),
            policy_no_json,
        ),
        anywhere(
            Area::S3Policy,
            "s3.policy.stranger.read",
            "another account does not read what nobody allows it",
            "IAM User Guide, Cross-account policy evaluation logic",
            &[Capability::SecondAccount],
            Fault::on(Op::GetObject).status(StatusCode::OK),
            stranger_reads,
        ),
        anywhere(
            Area::S3Policy,
            "s3.policy.stranger.write",
            "another account does not write where nobody allows it",
            "IAM User Guide, Cross-account policy evaluation logic",
            &[Capability::SecondAccount],
            Fault::on(Op::PutObject).status(StatusCode::OK),
            stranger_writes,
        ),
        anywhere(
            Area::S3Policy,
            "s3.policy.stranger.list",
            "another account does not list what nobody allows it",
            "IAM User Guide, Cross-account policy evaluation logic",
            &[Capability::SecondAccount],
            Fault::on(Op::ListObjectsV2).status(StatusCode::OK).body("<ListBucketResult/>"),
            stranger_lists,
        ),
        anywhere(
            Area::S3Policy,
            "s3.policy.stranger.delete",
            "another account does not delete what nobody allows it",
            "IAM User Guide, Cross-account policy evaluation logic",
            &[Capability::SecondAccount],
            Fault::on(Op::DeleteObject).status(StatusCode::NO_CONTENT),
            stranger_deletes,
        ),
        anywhere(
            Area::S3Post,
            "s3.post.anonymous",
            "a form that nobody signed is denied",
            "S3 API Reference, POST Object",
            &[Capability::PolicyEnforcement],
            Fault::on(Op::PostObject).status(StatusCode::NO_CONTENT),
            anonymous_form,
        ),
        anywhere(
            Area::S3Acl,
            "s3.acl.owner",
            "the ACL of a new object gives its owner full control and nobody else anything",
            "S3 User Guide, Access control list (ACL) overview",
            &[Capability::Acl],
            Fault::on(Op::GetObjectAcl).body(
                "<AccessControlPolicy><Owner><ID>a</ID></Owner><AccessControlList/></AccessControlPolicy>",
            ),
            acl_of_owner,
        ),
    ]
}

async fn no_policy(ground: Ground) -> Conclusion {
    // On the emulator the suite's bucket has a policy; a bucket that is made has none.
    let bucket = ground.another_bucket();
    let created = ground.s3().create_bucket().bucket(&bucket).send().await;
    step("make a bucket").succeeds("the bucket", created)?;
    let found = ground.s3().get_bucket_policy().bucket(&bucket).send().await;
    refused("ask for the policy", "404 NoSuchBucketPolicy", found).map(drop)
}

async fn policy_no_json(ground: Ground) -> Conclusion {
    let put = ground.s3().put_bucket_policy().bucket(ground.bucket()).policy("no JSON").send().await;
    refused("put a text that is no JSON", "400 MalformedPolicy", put).map(drop)
}

async fn stranger_reads(ground: Ground) -> Conclusion {
    let got = ground.stranger().get_object().bucket(ground.bucket()).key("hello.txt").send().await;
    refused("get as another account", "403 AccessDenied", got).map(drop)
}

async fn stranger_writes(ground: Ground) -> Conclusion {
    let put = ground.stranger().put_object().bucket(ground.bucket()).key("k").send().await;
    refused("put as another account", "403 AccessDenied", put).map(drop)
}

async fn stranger_lists(ground: Ground) -> Conclusion {
    let listed = ground.stranger().list_objects_v2().bucket(ground.bucket()).send().await;
    refused("list as another account", "403 AccessDenied", listed).map(drop)
}

async fn stranger_deletes(ground: Ground) -> Conclusion {
    let deleted = ground.stranger().delete_object().bucket(ground.bucket()).key("hello.txt").send().await;
    refused("delete as another account", "403 AccessDenied", deleted).map(drop)
}

async fn anonymous_form(ground: Ground) -> Conclusion {
    let form = "--b0und\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n\
                --b0und\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\ndata\r\n--b0und--\r\n";
    let request = Request::post(ground.url(&format!("/{}", ground.bucket())))
        .header("content-type", "multipart/form-data; boundary=b0und")
        .body(Bytes::from_static(form.as_bytes()));
    let answer = ground.send("send the form", step("make a form").works(request)?).await?;
    step("the status").equal(&403, &answer.status().as_u16())
}

async fn acl_of_owner(ground: Ground) -> Conclusion {
    put(&ground, "k", "one").await?;
    let found = ground.s3().get_object_acl().bucket(ground.bucket()).key("k").send().await;
    let found = step("ask for the ACL").succeeds("an ACL", found)?;
    let owner = found.owner().and_then(|owner| owner.id());
    let grants: Vec<_> = found
        .grants()
        .iter()
        .map(|grant| (grant.grantee().and_then(|grantee| grantee.id()), grant.permission()))
        .collect();
    step("its grants").equal(&[(owner, Some(&Permission::FullControl))][..], &grants[..])
}
