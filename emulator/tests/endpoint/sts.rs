//! Who am I, and who may become whom.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use bucketproof_emulator::Emulator;

use crate::fixture::{ADMIN, EXTERNAL_ID, ROLE_ARN, ROOT, emulator, listening};
use crate::wire::{Answer, Ask, Key, Signing, Wire};

const VENDOR: Key<'_> = Key::new("AKIAVENDORUSEREXAMPL", "vendorSecret+/0");
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/exporter/nightly";

/// One request to STS.
async fn ask(wire: &Wire, key: Key<'_>, parameters: &[(&str, &str)]) -> Answer {
    let encode = |value: &str| {
        percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let form: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let ask = Ask::new("POST", "/").header("content-type", "application/x-www-form-urlencoded");
    let ask = ask.body(format!("Version=2011-06-15&{}", form.join("&")));
    wire.send(&wire.sign(&ask, &Signing { service: "sts", ..Signing::with(key) })).await
}

/// `AssumeRole` with some parameters in place of the usual ones; an empty value leaves one out.
async fn assume(wire: &Wire, key: Key<'_>, changed: &[(&str, &str)]) -> Answer {
    let mut parameters = vec![
        ("Action", "AssumeRole"),
        ("RoleArn", ROLE_ARN),
        ("RoleSessionName", "nightly"),
        ("ExternalId", EXTERNAL_ID),
    ];
    for (name, value) in changed {
        parameters.retain(|(own, _)| own != name);
        if !value.is_empty() {
            parameters.push((name, value));
        }
    }
    ask(wire, key, &parameters).await
}

fn check(answer: &Answer, status: u16, code: &str, message: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", answer.text());
    assert_eq!(answer.element("Message").as_deref(), Some(message));
}

fn credentials(answer: &Answer) -> Credentials {
    let element = |name: &str| answer.element(name).unwrap();
    Credentials::new(
        element("AccessKeyId"),
        element("SecretAccessKey"),
        Some(element("SessionToken")),
        None,
        "tests",
    )
}

#[tokio::test]
async fn answers_are_those_of_aws_to_the_byte() {
    let (_emulator, wire) = listening().await;
    let redacted = |answer: &Answer| {
        let mut text = answer.text();
        for element in ["AccessKeyId", "SecretAccessKey", "SessionToken", "RequestId"] {
            if let Some(value) = answer.element(element) {
                text = text.replace(&value, &format!("[{element}]"));
            }
        }
        let unique = text.find("AROA").map(|at| text[at..at + 21].to_owned());
        let text = unique.map_or(text.clone(), |unique| text.replace(&unique, "[role id]"));
        format!("{}\ncontent-type: {}\n\n{text}", answer.status, answer.header("content-type").unwrap())
    };
    let answer = assume(&wire, VENDOR, &[]).await;
    let given = credentials(&answer);
    assert!(given.access_key_id().starts_with("ASIA") && given.access_key_id().len() == 20);
    assert_eq!(given.secret_access_key().len(), 40);
    insta::assert_snapshot!("assume_role", redacted(&answer));
    let answer = ask(&wire, Key::of(&given), &[("Action", "GetCallerIdentity")]).await;
    insta::assert_snapshot!("get_caller_identity", redacted(&answer));
    insta::assert_snapshot!("assume_role_denied", redacted(&assume(&wire, ADMIN, &[]).await));
    insta::assert_snapshot!("unknown_action", redacted(&ask(&wire, ADMIN, &[("Action", "Dance")]).await));
}

#[tokio::test]
async fn one_seed_gives_one_answer() {
    let mut answers = Vec::new();
    for _ in 0..2 {
        let (_emulator, wire) = listening().await;
        answers.push(assume(&wire, VENDOR, &[]).await.text());
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn the_external_id_must_be_right_and_no_refusal_tells_it_apart() {
    let (emulator, wire) = listening().await;
    let message = format!(
        "User: arn:aws:iam::444455556666:user/vendor is not authorized to perform: sts:AssumeRole on resource: {ROLE_ARN}"
    );
    for external_id in ["", "wrong", "suprsend-7f3a", "Suprsend-7f3"] {
        let answer = assume(&wire, VENDOR, &[("ExternalId", external_id)]).await;
        check(&answer, 403, "AccessDenied", &message);
    }
    let missing = "arn:aws:iam::111122223333:role/vendors/missing";
    let answer = assume(&wire, VENDOR, &[("RoleArn", missing)]).await;
    check(&answer, 403, "AccessDenied", &message.replace(ROLE_ARN, missing));
    let without_path = "arn:aws:iam::111122223333:role/exporter";
    let answer = assume(&wire, VENDOR, &[("RoleArn", without_path)]).await;
    check(&answer, 403, "AccessDenied", &message.replace(ROLE_ARN, without_path));
    // The trace tells what the wire does not.
    let denied = emulator.journal().denied();
    assert!(denied[1].explain().contains("sts:ExternalId"), "{}", denied[1].explain());
    assert!(!denied[1].explain().contains(VENDOR.secret));
    assert_eq!(assume(&wire, VENDOR, &[]).await.status, 200);
}

#[tokio::test]
async fn parameters_are_validated_as_recorded() {
    let (_emulator, wire) = listening().await;
    let long = "x".repeat(65);
    let constraint = |value: &str, member: &str, must: &str| {
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {must}"
        )
    };
    for (name, value, message) in [
        ("RoleArn", "arn:aws:iam::not-an-account", "arn:aws:iam::not-an-account is invalid".to_owned()),
        ("RoleArn", "nothing-valid-in-here", "nothing-valid-in-here is invalid".into()),
        ("RoleArn", "arn::b:::something/test-role", "arn::b:::something/test-role is invalid".into()),
        ("RoleArn", "arn:a::::something/test-role", "arn:a::::something/test-role is invalid".into()),
        ("RoleArn", "arn:a:::something/test-role", "arn:a:::something/test-role is invalid".into()),
        ("RoleArn", "arn:a:a::aaaaaaaaaa:", "arn:a:a::aaaaaaaaaa: is invalid".into()),
        ("RoleArn", "short", constraint("short", "roleArn", "have length greater than or equal to 20")),
        ("RoleSessionName", "Session1:2", constraint("Session1:2", "roleSessionName", "satisfy regular expression pattern: [\\w+=,.@-]*")),
        ("RoleSessionName", "x", constraint("x", "roleSessionName", "have length greater than or equal to 2")),
        ("RoleSessionName", &long, constraint(&long, "roleSessionName", "have length less than or equal to 64")),
        ("RoleSessionName", "", "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null".into()),
        ("ExternalId", "x", constraint("x", "externalId", "have length greater than or equal to 2")),
        ("ExternalId", "a b", constraint("a b", "externalId", "satisfy regular expression pattern: [\\w+=,.@:\\/-]*")),
        ("DurationSeconds", "899", constraint("899", "durationSeconds", "have value greater than or equal to 900")),
        ("DurationSeconds", "43201", constraint("43201", "durationSeconds", "have value less than or equal to 43200")),
        ("DurationSeconds", "3601", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".into()),
    ] {
        let answer = assume(&wire, VENDOR, &[(name, value)]).await;
        check(&answer, 400, "ValidationError", &message);
    }
    let answer = assume(&wire, VENDOR, &[("DurationSeconds", "soon")]).await;
    assert_eq!(answer.outcome(), (400, "MalformedInput".to_owned()));
    let answer = assume(&wire, VENDOR, &[("Policy", "{")]).await;
    check(&answer, 400, "MalformedPolicyDocument", "This policy contains invalid Json");
    let answer = assume(&wire, ROOT, &[]).await;
    check(&answer, 403, "AccessDenied", "Roles may not be assumed by root accounts.");
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let answer = assume(&wire, VENDOR, &[("Policy", policy)]).await;
    assert_eq!(answer.element("PackedPolicySize").as_deref(), Some("5"));
    // A session that is too long is told only to those who may have one.
    let answer = assume(&wire, ADMIN, &[("DurationSeconds", "3601")]).await;
    assert_eq!(answer.outcome(), (403, "AccessDenied".to_owned()));
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name() {
    let (_emulator, wire) = listening().await;
    for (name, value) in
        [("SerialNumber", "x"), ("TokenCode", "123456"), ("ProvidedContexts.member.1.x", "y")]
    {
        let answer = assume(&wire, VENDOR, &[(name, value)]).await;
        assert_eq!(answer.outcome(), (501, "NotImplemented".to_owned()));
        assert!(answer.text().contains(name.split('.').next().unwrap()), "{name}");
    }
    for action in [
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "AssumeRoot",
        "DecodeAuthorizationMessage",
        "GetWebIdentityToken",
    ] {
        let answer = ask(&wire, ADMIN, &[("Action", action)]).await;
        assert_eq!(answer.outcome(), (501, "NotImplemented".to_owned()));
        assert!(answer.text().contains(action));
    }
    // As every SDK sends it: the token is all the proof there is.
    let unsigned = Ask::new("POST", "/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken=secret-token");
    let answer = wire.send(&unsigned).await;
    assert_eq!(answer.outcome(), (501, "NotImplemented".to_owned()));
    assert!(answer.text().contains("AssumeRoleWithWebIdentity") && !answer.text().contains("secret-token"));
    assert_eq!(ask(&wire, ADMIN, &[("Act", "x")]).await.outcome(), (400, "MissingAction".to_owned()));
}

#[tokio::test]
async fn everyone_may_ask_who_they_are() {
    let emulator = emulator().await;
    for (user, arn) in [
        ("admin", "arn:aws:iam::111122223333:user/admin"),
        ("nobody", "arn:aws:iam::111122223333:user/nobody"),
        ("111122223333/root", "arn:aws:iam::111122223333:root"),
        ("forbidden", "arn:aws:iam::444455556666:user/forbidden"),
    ] {
        let identity = emulator.sts(user).get_caller_identity().send().await.unwrap();
        assert_eq!(identity.arn(), Some(arn));
        assert_eq!(identity.account(), arn.split(':').nth(4));
        let user_id = identity.user_id().unwrap();
        assert!(user_id.starts_with("AIDA") || user_id == "111122223333", "{user_id}");
    }
    assert!(emulator.journal().denied().is_empty(), "not even an explicit deny counts");
}

/// A session of the exporter, made with the SDK.
async fn session(emulator: &Emulator, policy: Option<&str>) -> Credentials {
    let request = emulator.sts("vendor").assume_role().role_arn(ROLE_ARN).role_session_name("nightly");
    let assumed =
        request.external_id(EXTERNAL_ID).set_policy(policy.map(str::to_owned)).send().await.unwrap();
    assert_eq!(assumed.assumed_role_user().unwrap().arn(), SESSION);
    let given = assumed.credentials().unwrap();
    assert_eq!(given.expiration().secs(), 1_767_225_600 + 3600);
    let token = Some(given.session_token().to_owned());
    Credentials::new(given.access_key_id(), given.secret_access_key(), token, None, "tests")
}

#[tokio::test]
async fn a_session_acts_as_its_role_until_it_ends() {
    let emulator = emulator().await;
    let credentials = session(&emulator, None).await;
    let identity = emulator.sts_with(credentials.clone()).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some(SESSION));
    assert!(
        identity.user_id().unwrap().starts_with("AROA") && identity.user_id().unwrap().ends_with(":nightly")
    );
    let s3 = emulator.s3_with(credentials);
    s3.put_object().bucket("logs").key("key").body(ByteStream::from_static(b"data")).send().await.unwrap();
    let denied = s3.delete_object().bucket("logs").key("key").send().await.unwrap_err();
    assert!(
        denied
            .message()
            .unwrap()
            .starts_with(&format!("User: {SESSION} is not authorized to perform: s3:DeleteObject"))
    );
    emulator.clock().advance(Duration::from_hours(1));
    let expired = s3.get_object().bucket("logs").key("key").send().await.unwrap_err();
    assert_eq!(expired.code(), Some("ExpiredToken"));
}

#[tokio::test]
async fn a_session_policy_only_narrows() {
    let emulator = emulator().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:DeleteObject"],"Resource":"*"}]}"#;
    let s3 = emulator.s3_with(session(&emulator, Some(policy)).await);
    s3.put_object().bucket("logs").key("key").send().await.unwrap();
    let read = s3.get_object().bucket("logs").key("key").send().await.unwrap_err();
    assert!(read.message().unwrap().ends_with("because no session policy allows the s3:GetObject action"));
    let delete = s3.delete_object().bucket("logs").key("key").send().await.unwrap_err();
    assert!(
        delete
            .message()
            .unwrap()
            .ends_with("because no identity-based policy allows the s3:DeleteObject action")
    );
}

#[tokio::test]
async fn a_chained_session_is_short() {
    let (_emulator, wire) = listening().await;
    let first = credentials(&assume(&wire, VENDOR, &[]).await);
    let chained = assume(&wire, Key::of(&first), &[("ExternalId", "")]).await;
    assert_eq!(chained.status, 200, "{}", chained.text());
    let longer = async |role: &str| {
        let changed = [("RoleArn", role), ("ExternalId", ""), ("DurationSeconds", "7200")];
        assume(&wire, Key::of(&first), &changed).await
    };
    let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    check(&longer(ROLE_ARN).await, 400, "ValidationError", text);
    let text =
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
    check(&longer("arn:aws:iam::111122223333:role/archivist").await, 400, "ValidationError", text);
}

#[tokio::test]
async fn what_is_no_role_is_denied_like_a_role_that_is_missing() {
    let (_emulator, wire) = listening().await;
    for arn in ["arn:aws:iam::111122223333:user/admin", "arn:aws:iam::111122223333:role/missing"] {
        let text = format!(
            "User: arn:aws:iam::111122223333:user/admin is not authorized to perform: sts:AssumeRole on resource: {arn}"
        );
        check(&assume(&wire, ADMIN, &[("RoleArn", arn)]).await, 403, "AccessDenied", &text);
    }
}

#[tokio::test]
async fn tags_of_sessions_have_letters_numbers_separators_and_a_few_signs() {
    let (_emulator, wire) = listening().await;
    let tagged = async |key: &str, value: &str| {
        let archivist = ("RoleArn", "arn:aws:iam::111122223333:role/archivist");
        let changed =
            [archivist, ("ExternalId", ""), ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)];
        assume(&wire, ADMIN, &changed).await
    };
    assert_eq!(tagged("kosten stelle_.:/=+-@", "größe 7").await.status, 200);
    let text = "1 validation error detected: Value 'k!' at 'tags.1.member.key' failed to satisfy constraint: Member \
                must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+";
    check(&tagged("k!", "v").await, 400, "ValidationError", text);
    let text = "1 validation error detected: Value 'v\t' at 'tags.1.member.value' failed to satisfy constraint: \
                Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*";
    check(&tagged("k", "v\t").await, 400, "ValidationError", text);
}

#[tokio::test]
async fn every_answer_of_sts_has_both_ids() {
    let (_emulator, wire) = listening().await;
    for action in ["GetCallerIdentity", "Dance"] {
        let answer = ask(&wire, ADMIN, &[("Action", action)]).await;
        assert_eq!(answer.header("x-amzn-requestid").map(str::to_owned), answer.element("RequestId"));
        assert!(answer.header("x-amz-sts-extended-request-id").is_some_and(|id| id.len() >= 40));
    }
}

#[tokio::test]
async fn the_first_of_two_parameters_counts() {
    let (_emulator, wire) = listening().await;
    let twice = [("Action", "GetCallerIdentity"), ("Action", "Dance"), ("Unknown", "x")];
    assert_eq!(ask(&wire, ADMIN, &twice).await.status, 200);
}
