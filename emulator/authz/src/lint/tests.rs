use proptest::prelude::*;

use super::{guess_kind, lint};
use crate::{Policy, PolicyKind, PolicySource};

/// The findings of a policy with the given statements, one per line.
fn found_in(kind: PolicyKind, version: &str, statements: &str) -> String {
    let text = format!("{{\n\"Version\": \"{version}\",\n\"Statement\": [\n{statements}\n]}}");
    let policy = Policy::parse(&text, PolicySource::new(kind, "p"))
        .unwrap_or_else(|error| panic!("{statements}: {error}"));
    let findings: Vec<String> =
        lint(&policy).iter().map(|finding| format!("{:?} {finding}", finding.kind)).collect();
    findings.join("\n")
}

fn found(statements: &str) -> String {
    found_in(PolicyKind::Identity, "2012-10-17", statements)
}

fn clean(kind: PolicyKind, statement: &str) {
    assert_eq!(found_in(kind, "2012-10-17", statement), "", "{statement}");
}

#[test]
fn misspelt_actions_have_a_suggestion() {
    insta::assert_snapshot!(found(
        r#"{"Effect": "Allow", "Action": ["s3:GetObjects", "s3:HeadObject", "S3:listobjectsv2", "s3:Frobnicate"], "Resource": "*"},
{"Effect": "Allow", "Action": ["kms:Decript", "sns:Publsh", "sts:AsumeRole", "s3:Fly*"], "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
{"Effect": "Deny", "NotAction": "s3:GetObjet", "Resource": "*"}"#
    ));
}

#[test]
fn actions_need_a_resource_of_their_type() {
    insta::assert_snapshot!(found(
        r#"{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::shared"},
{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::shared/*"},
{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "arn:aws:s3:::shared"},
{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:eu-west-1:111122223333:alias/a"},
{"Effect": "Allow", "Action": "sns:Publish", "Resource": "arn:aws:s3:::shared"},
{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::111122223333:user/a"},
{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:sns:eu-west-1:111122223333:t"}"#
    ));
}

#[test]
fn resources_need_an_action_that_applies() {
    insta::assert_snapshot!(found(
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::shared", "arn:aws:s3:::shared/*"]},
{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::shared"},
{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": ["arn:aws:s3:::shared/*", "arn:aws:sns:eu-west-1:111122223333:t"]}"#
    ));
}

#[test]
fn condition_keys_need_an_action_that_has_them() {
    insta::assert_snapshot!(found(
        r#"{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
  "Condition": {"StringLike": {"s3:prefix": "a*"}}},
{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*",
  "Condition": {"StringEquals": {"s3:x-amz-acls": "private",
    "kms:ViaService": "s3.eu-west-1.amazonaws.com",
    "aws:SourceVpcs": "vpc-1"}}},
{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:eu-west-1:111122223333:key/1",
  "Condition": {"StringEquals": {"s3:prefix": "a"}}}"#
    ));
}

#[test]
fn keys_are_not_for_wildcards() {
    insta::assert_snapshot!(found(
        r#"{"Effect": "Allow", "Action": "kms:*", "Resource": "arn:aws:kms:eu-west-1:111122223333:key/1"},
{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"},
{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:*:*:key/*"}"#
    ));
}

#[test]
fn variables_need_the_new_version() {
    insta::assert_snapshot!(found_in(
        PolicyKind::Identity,
        "2008-10-17",
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}/*"},
{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b",
  "Condition": {"StringLike": {"s3:prefix": ["a", "${aws:username}/*"]}, "NumericLessThan": {"s3:max-keys": "${x:y}"}}}"#
    ));
}

#[test]
fn statements_of_a_key_policy_may_have_no_effect() {
    insta::assert_snapshot!(found_in(
        PolicyKind::Key,
        "2012-10-17",
        r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Resource": "*"},
{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*"}"#
    ));
}

#[test]
fn values_are_of_the_type_of_their_operator() {
    insta::assert_snapshot!(found(
        r#"{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b", "Condition": {
"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "192.0.2.0/33"]},
"DateLessThan": {"aws:CurrentTime": "01T"},
"NumericLessThan": {"s3:max-keys": ["ten", "10"]},
"Bool": {"aws:SecureTransport": "yes"},
"Null": {"s3:prefix": "no"},
"BinaryEquals": {"aws:x": "%%"},
"StringEquals": {"aws:username": "%%"}}}"#
    ));
}

#[test]
fn documents_tell_what_they_are_for() {
    let guessed = |statement: &str| guess_kind(&format!(r#"{{"Statement":[{{}},{statement}]}}"#));
    for (statement, expected) in [
        (r#"{"Principal":"*","Action":"S3:GetObject"}"#, PolicyKind::Bucket),
        (r#"{"Principal":"*","Action":"*","Resource":["*","arn:aws:s3:::b"]}"#, PolicyKind::Bucket),
        (r#"{"Principal":"*","Action":"*"}"#, PolicyKind::Bucket),
        (r#"{"NotPrincipal":"*","NotAction":["kms:Decrypt"]}"#, PolicyKind::Key),
        (
            r#"{"Principal":"*","Action":"*","NotResource":"arn:aws:sns:eu-west-1:111122223333:t"}"#,
            PolicyKind::Topic,
        ),
        (r#"{"Principal":{"Service":"x"},"Action":"sts:AssumeRole"}"#, PolicyKind::Trust),
        (r#"{"Action":"kms:Decrypt","Resource":"*"}"#, PolicyKind::Identity),
        ("7", PolicyKind::Identity),
    ] {
        assert_eq!(guessed(statement), expected, "{statement}");
    }
    for text in ["", "[]", "{}", "no JSON"] {
        assert_eq!(guess_kind(text), PolicyKind::Identity);
    }
}

#[test]
fn policies_without_mistakes_have_no_findings() {
    for statement in [
        r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}"#,
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b*"}"#,
        r#"{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::*"}"#,
        r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::${aws:username}"}"#,
        r#"{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"arn:aws:s3:::*"}"#,
        r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:eu-west-1:111122223333:accesspoint/a/object/*"}"#,
        r#"{"Effect":"Allow","Action":"ec2:Frobnicate","Resource":"*","Condition":{"StringEquals":{"ec2:X":"y","aws:Ec2InstanceSourceVpc":"vpc-1","aws:PrincipalTag/tean":"a"}}}"#,
        r#"{"Effect":"Deny","NotAction":"s3:Get*","NotResource":"arn:aws:s3:::b"}"#,
        r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}}"#,
        r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:*:111122223333:key/*"}"#,
        r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/vendor-*"}"#,
        r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3"}"#,
    ] {
        clean(PolicyKind::Identity, statement);
    }
    clean(
        PolicyKind::Key,
        r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}"#,
    );
    clean(
        PolicyKind::Trust,
        r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":"x"}}}"#,
    );
}

proptest! {
    #[test]
    fn any_policy_can_be_linted(action in "(s3|kms|x):[A-Za-z*?]{1,12}", resource in "arn:aws:(s3|kms|\\*):[a-z*]{0,3}:[0-9*]{0,3}:[a-z*/${}?]{1,12}") {
        let text = format!(r#"{{"Statement":{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}}}"#);
        let policy = Policy::parse(&text, PolicySource::new(PolicyKind::Identity, "p")).expect("a policy");
        for finding in lint(&policy) {
            prop_assert!(finding.line == 1 && finding.column > 1 && !finding.help.is_empty(), "{}", finding);
        }
    }
}
