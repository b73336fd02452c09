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

/// Who asks, what is in force and how it is called: nothing is lost on the way into a line and back.
#[test]
fn a_decision_becomes_the_question_that_it_answered() {
    let grants = r#"[{"grantId":"g","granteePrincipal":"arn:aws:iam::444455556666:role/r","retiringPrincipal":"arn:aws:iam::444455556666:root","operations":["Decrypt"],"constraints":{"encryptionContextSubset":{"a":"b"}}}]"#;
    let key = format!(
        r#"{{"request":{{"principal":{{"type":"AssumedRole","arn":"arn:aws:sts::444455556666:assumed-role/r/s","roleArn":"arn:aws:iam::444455556666:role/r","account":"444455556666","uniqueId":"AROAEXAMPLEEXAMPLE123"}},"action":"kms:Decrypt","resource":{{"arn":"arn:aws:kms:us-east-1:111122223333:key/k"}},"context":{{"kms:EncryptionContext:a":"b"}},"encryptionContext":{{"a":"b"}}}},"policies":{{"identity":[],"session":[{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"*"}}}}],"grants":{grants},"resource":{{"Statement":{{"Sid":"x","Effect":"Deny","Principal":{{"AWS":"arn:aws:iam::444455556666:role/other"}},"Action":"*","Resource":"*"}}}},"names":{{"session":["of the session"],"resource":"the key"}}}}}}"#
    );
    let bucket = r#"{"request":{"principal":{"type":"Anonymous"},"action":"s3:GetObject","resource":{"arn":"arn:aws:s3:::b/k","account":"111122223333"},"context":{"aws:TagKeys":["x","y"]}},"policies":{"permissionsBoundary":[],"scps":[[{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}]],"bucketAcl":{"owner":"o","grants":[{"canonicalUser":"o","permission":"FULL_CONTROL"}]},"objectAcl":{"owner":"p","grants":[{"group":"http://acs.amazonaws.com/groups/global/AllUsers","permission":"READ"}]}},"settings":{"objectOwnership":"ObjectWriter","ignorePublicAcls":false,"restrictPublicBuckets":true}}"#;
    for line in [QUESTION, &key, bucket] {
        let question = super::Question::read(line).expect("a question");
        let decision = crate::decide(question.request(), &question.policies());
        let again = super::question_of(&decision);
        assert_eq!(evaluate_line(&again.to_string())["trace"], evaluate_line(line)["trace"]);
        let read = super::Question::read(&again.to_string()).expect("a question");
        assert_eq!(read.request(), question.request());
        assert_eq!(super::question_of(&crate::decide(read.request(), &read.policies())), again);
    }
    let trace = &evaluate_line(&key)["trace"];
    assert_eq!(
        (&trace["policies"][0]["name"], &trace["policies"][1]["name"]),
        (&"of the session".into(), &"the key".into())
    );
    let error = super::Question::read(&key.replace("\"the key\"", "7")).expect_err("a name is a text");
    assert!(error.to_string().starts_with("`policies.names`: the field `resource` holds"), "{error}");
}

/// A policy that is bound to a user who is gone does not mean whoever has the name now, in a line either.
#[test]
fn a_bound_name_stays_bound_in_a_line() {
    use crate::{Policy, PolicyKind, PolicySource, UniqueId, decide};
    let text = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/a"},"Action":"s3:*","Resource":"*"}}"#;
    let question =
        super::Question::read(&QUESTION.replacen("\"identity\"", "\"session\"", 1)).expect("a question");
    for (bound_to, decision) in
        [("AIDAEXAMPLEEXAMPLE123", "ImplicitlyDenied"), ("AIDAEXAMPLEEXAMPLE999", "Allowed")]
    {
        let policy = Policy::parse(text, PolicySource::new(PolicyKind::Bucket, "b")).expect("a policy");
        let policy = policy.bind(|_| UniqueId::new(bound_to).ok());
        let mut request = question.request().clone();
        request.ids.unique = UniqueId::new("AIDAEXAMPLEEXAMPLE999").ok();
        let policies = crate::Policies { resource: Some(&policy), ..crate::Policies::default() };
        let decided = decide(&request, &policies);
        assert_eq!(decided.outcome().as_str(), decision);
        assert_eq!(policy.applying(&request, &policies).len(), usize::from(decided.is_allowed()));
        let line = super::question_of(&decided);
        assert_eq!(evaluate_line(&line.to_string())["decision"], decision, "{line}");
        assert_eq!(line["policies"].to_string().contains(bound_to), decision != "Allowed");
    }
}
