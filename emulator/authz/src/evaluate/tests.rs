use serde_json::{Value, json};

use super::evaluate_line;

const QUESTION: &str = r#"{"id":"q1","request":{"principal":{"type":"User","arn":"arn:aws:iam::111122223333:user/a","account":"111122223333"},"action":"s3:GetObject","resource":{"arn":"arn:aws:s3:::b/k","account":"111122223333"},"context":{"aws:SourceIp":"10.0.0.1","aws:TagKeys":["x"]}},"policies":{"identity":[{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}]},"expected":"Allowed","why":"an example"}"#;

fn replaced(from: &str, to: &str) -> Value {
    assert!(QUESTION.contains(from), "{from}");
    evaluate_line(&QUESTION.replacen(from, to, 1))
}

fn refused(from: &str, to: &str, error: &str) {
    assert_eq!(replaced(from, to), json!({"id": "q1", "error": error}));
}

#[test]
fn a_question_is_answered() {
    let answer = evaluate_line(QUESTION);
    assert_eq!(answer["id"], "q1");
    assert_eq!(answer["decision"], "Allowed");
    assert_eq!(answer["reason"], "allowed by statement 1 of the identity policy `1`");
    assert_eq!(answer["settled_by"]["kind"], "allowed_by");
    assert_eq!(answer["trace"]["policies"][0]["verdict"], "allows");
    let keys: Vec<_> = answer.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["id", "decision", "reason", "settled_by", "trace"]);
}

#[test]
fn policies_may_be_strings_and_ids_anything() {
    let answer = replaced(
        r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
        r#""{\n\"Statement\":\n{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}""#,
    );
    assert_eq!(answer["decision"], "ExplicitlyDenied");
    assert_eq!(answer["settled_by"]["statement"]["line"], 3);
    assert_eq!(replaced("\"q1\"", "7")["id"], 7);
    assert_eq!(replaced("\"id\":\"q1\",", "")["id"], Value::Null);
}

#[test]
fn an_empty_boundary_limits_and_an_absent_one_does_not() {
    let with = |boundary: &str| {
        replaced("\"policies\":{", &format!("\"policies\":{{\"permissionsBoundary\":{boundary},"))
    };
    assert_eq!(with("null")["decision"], "Allowed");
    assert_eq!(with("[]")["decision"], "ImplicitlyDenied");
}

#[test]
fn null_is_an_absent_key() {
    let with_key = |value: &str| {
        let line = QUESTION.replacen("\"10.0.0.1\"", value, 1);
        let condition = "\"Action\":\"s3:*\",\"Condition\":{\"Null\":{\"aws:SourceIp\":\"true\"}}";
        evaluate_line(&line.replacen("\"Action\":\"s3:*\"", condition, 1))
    };
    assert_eq!(with_key("null")["decision"], "Allowed");
    assert_eq!(with_key("\"10.0.0.1\"")["decision"], "ImplicitlyDenied");
}

#[test]
fn the_service_names_the_kind_of_resource_policy() {
    let trust = replaced(
        "\"policies\":{",
        r#""policies":{"resource":{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}},"#,
    );
    assert_eq!(trust["trace"]["policies"][1]["kind"], "bucket");
    assert_eq!(trust["trace"]["policies"][1]["name"], "b");
}

#[test]
fn a_bad_line_says_what_where_and_what_next() {
    assert_eq!(
        evaluate_line("{\"id\": \"x\""),
        json!({"id": null, "error": "the line is not JSON: expected `}`, found the end of the text at line 1, column 11; write one object per line"})
    );
    refused(
        "\"User\"",
        "\"Group\"",
        "`request.principal`: `Group` is not a type of principal; use User, AssumedRole, FederatedUser, Root, Service, Federated or Anonymous",
    );
    refused(
        "\"action\":",
        "\"Action\":",
        "`request`: has no field `Action`; use principal, action, resource, context, encryptionContext",
    );
    refused(
        "\"s3:GetObject\"",
        "\"GetObject\"",
        "`request.action`: `GetObject` is not an action; write `service:Action`",
    );
    refused(
        "\"account\":\"111122223333\"}",
        "\"account\":\"1111\"}",
        "`request.principal`: the field `account`: `1111` is not an account id: it must be 12 digits; write 12 digits",
    );
    refused(
        "\"Effect\":\"Allow\"",
        "\"Effect\":\"allow\"",
        "`policies.identity[0]`: `allow` is not an effect at line 1, column 25; write `Allow` or `Deny`, with this capitalisation",
    );
    refused(
        "\"10.0.0.1\"",
        "{}",
        "`request.context`: the key `aws:SourceIp` holds an object; write a string or a list of strings",
    );
    refused(
        "\"aws:TagKeys\"",
        "\"AWS:sourceip\"",
        "`request.context`: the key `AWS:sourceip` occurs twice, in different case; condition keys compare without regard to case; keep one",
    );
    refused(
        "\"policies\":{",
        "\"settings\":{\"restrict\":true},\"policies\":{",
        "`settings`: has no field `restrict`; use restrictPublicBuckets, blockPublicPolicy, blockPublicAcls, ignorePublicAcls, objectOwnership",
    );
    refused(
        "\"s3:GetObject\",\"resource\":{\"arn\":\"arn:aws:s3:::b/k\",\"account\":\"111122223333\"},\"context\":{\"aws:SourceIp\":\"10.0.0.1\",\"aws:TagKeys\":[\"x\"]}},\"policies\":{",
        "\"lambda:InvokeFunction\",\"resource\":{\"arn\":\"arn:aws:lambda:eu-west-1:111122223333:function:q\"}},\"policies\":{\"resource\":{},",
        "`policies.resource`: resource policies of `lambda` are not supported; ask about s3, sts, kms, sns or sqs",
    );
}

proptest::proptest! {
    #[test]
    fn any_line_has_an_answer(line in "\\PC{0,60}", cut in 0..600_usize) {
        proptest::prop_assert!(evaluate_line(&line).get("error").is_some());
        let broken: String = QUESTION.chars().take(cut).collect();
        proptest::prop_assert!(evaluate_line(&broken).get("id").is_some());
    }
}

#[test]
fn what_is_no_question_is_named() {
    let policies = "\"policies\":{";
    let with = |more: &str| format!("\"policies\":{{{more},");
    refused(policies, &with(r#""scps":{}"#), "`policies.scps`: holds an object; write a list of levels");
    refused(
        policies,
        &with(r#""session":[7]"#),
        "`policies.session[0]`: holds a number; write a policy as an object or a string",
    );
    refused(
        "s3:GetObject",
        "GetObject",
        "`request.action`: `GetObject` is not an action; write `service:Action`",
    );
    refused("s3:GetObject", "s3:", "`request.action`: `s3:` is not an action; write `service:Action`");
    refused(
        "\"User\"",
        "\"Robot\"",
        "`request.principal`: `Robot` is not a type of principal; use User, AssumedRole, FederatedUser, Root, Service, Federated or Anonymous",
    );
    refused(
        r#"{"aws:SourceIp":"10.0.0.1","aws:TagKeys":["x"]}"#,
        "7",
        "`request.context`: holds a number; write an object of condition keys",
    );
    refused(
        "\"10.0.0.1\"",
        "{}",
        "`request.context`: the key `aws:SourceIp` holds an object; write a string or a list of strings",
    );
    refused(
        "\"10.0.0.1\"",
        "[[]]",
        "`request.context`: the key `aws:SourceIp` holds a list; write a string or a list of strings",
    );
    refused(
        "arn:aws:s3:::b/k",
        "b/k",
        "`request.resource`: the field `arn`: `b/k` is not an ARN: it must have the form `arn:partition:service:region:account:resource`; write the whole ARN",
    );
    let topic = QUESTION.replace("s3:GetObject", "lambda:InvokeFunction");
    let answer = evaluate_line(&topic.replacen(policies, &with(r#""resource":{"Statement":[]}"#), 1));
    assert_eq!(
        answer["error"],
        "`policies.resource`: resource policies of `lambda` are not supported; ask about s3, sts, kms, sns or sqs"
    );
}

/// A grant without an id is called by its place.
#[test]
fn grants_are_counted() {
    let question = |operation: &str| {
        format!(
            r#"{{"id":1,"request":{{"principal":{{"type":"User","arn":"arn:aws:iam::111122223333:user/a","account":"111122223333"}},"action":"kms:{operation}","resource":{{"arn":"arn:aws:kms:us-east-1:111122223333:key/k","account":"111122223333"}}}},"policies":{{"grants":[{{"granteePrincipal":"arn:aws:iam::111122223333:user/a","operations":["Decrypt"]}},{{"granteePrincipal":"arn:aws:iam::111122223333:user/a","operations":["Encrypt"]}}]}}}}"#
        )
    };
    let first = evaluate_line(&question("Decrypt"));
    let second = evaluate_line(&question("Encrypt"));
    assert_eq!(first["settled_by"]["resource"]["id"], "1", "{first}");
    assert_eq!(second["settled_by"]["resource"]["id"], "2", "{second}");
}
