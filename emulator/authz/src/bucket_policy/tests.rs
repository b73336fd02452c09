use crate::{Policy, PolicyKind, PolicySource, validate_bucket_policy};

/// A statement for everybody on the bucket `bkt`, and AWS's answer; `""` means accepted.
fn check(elements: &str, aws_message: &str) {
    let text =
        format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*",{elements}}}]}}"#);
    let policy = Policy::parse(&text, PolicySource::new(PolicyKind::Bucket, "bkt")).expect("a policy");
    let answer =
        validate_bucket_policy(&policy, "bkt").err().map(|error| error.aws_message()).unwrap_or_default();
    assert_eq!(answer, aws_message, "{elements}");
}

const INVALID_ACTION: &str = "Policy has invalid action";
const INVALID_RESOURCE: &str = "Policy has invalid resource";
const NO_RESOURCE_FOR_ACTION: &str = "Action does not apply to any resource(s) in statement";
const CONDITION_MISMATCH: &str =
    "Conditions do not apply to combination of actions and resources in statement";

#[test]
fn actions_are_those_of_s3() {
    check(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/*""#, "");
    check(r#""Action":"S3:getobject","Resource":"arn:aws:s3:::bkt/*""#, "");
    check(r#""Action":"*","Resource":"arn:aws:s3:::bkt/*""#, "");
    check(r#""NotAction":"s3:Put*","Resource":"arn:aws:s3:::bkt""#, "");
    check(r#""Action":"s3:HeadObject","Resource":"arn:aws:s3:::bkt/*""#, INVALID_ACTION);
    check(r#""Action":"ec2:RunInstances","Resource":"arn:aws:s3:::bkt/*""#, INVALID_ACTION);
    check(r#""NotAction":"s3:Fly","Resource":"arn:aws:s3:::bkt/*""#, INVALID_ACTION);
}

#[test]
fn resources_are_those_of_the_bucket() {
    check(r#""Action":"s3:*","Resource":["arn:aws:s3:::bkt","arn:aws:s3:::bkt/a/${aws:username}/*"]"#, "");
    check(r#""Action":"s3:*","Resource":"arn:aws:s3:::bkt*""#, "");
    check(r#""Action":"s3:*","Resource":"arn:aws:s3:::bkt2/*""#, INVALID_RESOURCE);
    check(r#""Action":"s3:*","Resource":"arn:aws:s3:::*""#, "");
    check(r#""Action":"s3:ListBucket","Resource":["arn:aws:s3:::*","arn:aws:s3:::*/*"]"#, "");
    check(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::b?t/*""#, "");
    check(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::b?t""#, NO_RESOURCE_FOR_ACTION);
    check(r#""Action":"s3:*","Resource":"arn:aws:s3:::other*""#, INVALID_RESOURCE);
    check(r#""Action":"s3:*","Resource":"*""#, INVALID_RESOURCE);
    check(r#""Action":"s3:*","Resource":"arn:aws:sns:eu-west-1:111122223333:bkt""#, INVALID_RESOURCE);
    check(r#""Action":"s3:*","NotResource":"arn:aws:s3:::other/*""#, INVALID_RESOURCE);
}

#[test]
fn every_action_has_a_resource() {
    check(
        r#""Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::bkt","arn:aws:s3:::bkt/*"]"#,
        "",
    );
    check(
        r#""Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::bkt/*""#,
        NO_RESOURCE_FOR_ACTION,
    );
    check(r#""Action":"s3:ListBucket","Resource":"arn:aws:s3:::bkt/*""#, NO_RESOURCE_FOR_ACTION);
    check(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt""#, NO_RESOURCE_FOR_ACTION);
    check(r#""Action":"s3:ListAllMyBuckets","Resource":"arn:aws:s3:::bkt""#, NO_RESOURCE_FOR_ACTION);
    check(r#""Action":"s3:Get*","Resource":"arn:aws:s3:::bkt""#, "");
}

#[test]
fn condition_keys_fit_the_actions() {
    let both = r#""Resource":["arn:aws:s3:::bkt","arn:aws:s3:::bkt/*"]"#;
    check(
        &format!(r#""Action":"s3:ListBucket",{both},"Condition":{{"StringLike":{{"s3:prefix":"a*"}}}}"#),
        "",
    );
    check(&format!(r#""Action":"s3:*",{both},"Condition":{{"StringLike":{{"s3:prefix":"a*"}}}}"#), "");
    check(
        &format!(
            r#""Action":["s3:ListBucket","s3:GetObject"],{both},"Condition":{{"StringLike":{{"s3:prefix":"a*"}}}}"#
        ),
        CONDITION_MISMATCH,
    );
    check(
        &format!(
            r#""Action":"s3:GetObject",{both},"Condition":{{"StringEquals":{{"s3:ExistingObjectTag/Team":"x"}}}}"#
        ),
        "",
    );
    check(
        &format!(
            r#""Action":"s3:GetObject",{both},"Condition":{{"IpAddress":{{"aws:SourceIp":"10.0.0.0/8"}}}}"#
        ),
        "",
    );
    check(
        &format!(r#""Action":"s3:GetObject",{both},"Condition":{{"StringEquals":{{"s3:Prefixes":"x"}}}}"#),
        "Policy has an invalid condition key",
    );
}
