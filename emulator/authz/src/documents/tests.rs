use super::{DocumentKind, InlineOwner, check_key_policy_lockout, limits, policy_chars};
use crate::{AccountId, Arn, Context, Policy, PolicyErrorKind, PolicyKind, PolicySource, Principal};

const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";
const NO_ACTIONS: &str = "Policy statement must contain actions.";
const NO_RESOURCES: &str = "Policy statement must contain resources.";
const VENDOR: &str = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
const ONE_COLON: &str = "Actions/Condition can contain only one colon.";
const OLD_VERSION: &str = "Policy document must be version 2012-10-17 or greater.";
const REPEATED_SID: &str = "Statement IDs (SID) in a single policy must be unique.";
const STS_ONLY: &str = "AssumeRole policy may only specify STS AssumeRole actions.";
const INVALID_JSON: &str = "This policy contains invalid Json";
const IAM_PATH: &str = "IAM resource path must either be \"*\", root, or start with user/, federated-user/, role/, group/, \
     instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, \
     access-report/.";

/// The answer to a document: status, code and text, or nothing if it is taken.
fn answer(document: DocumentKind<'_>, text: &str) -> Option<(u16, &'static str, String)> {
    let source = PolicySource::new(PolicyKind::Identity, "p");
    match Policy::parse_valid(text, source, document) {
        Ok(policy) => {
            assert_eq!(policy.kind(), document.policy_kind());
            None
        }
        Err(error) => {
            assert!(!error.help().is_empty() && error.line() > 0, "{text}");
            Some((error.aws_status(), error.aws_code(), error.aws_message()))
        }
    }
}

/// Checks the text of the answer; an empty one means that the document is taken.
fn check(document: DocumentKind<'_>, text: &str, expected: &str) {
    let code = match document {
        DocumentKind::Bucket { .. } => "MalformedPolicy",
        DocumentKind::Key => "MalformedPolicyDocumentException",
        DocumentKind::Topic => "InvalidParameter",
        _ => "MalformedPolicyDocument",
    };
    let found = answer(document, text);
    let expected = (!expected.is_empty()).then(|| (400, code, expected.to_owned()));
    assert_eq!(found, expected, "{text}");
}

/// A managed policy with these statements.
fn managed(statements: &str, expected: &str) {
    check(
        DocumentKind::Managed,
        &format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#),
        expected,
    );
}

/// An Allow in a managed policy with these elements besides.
fn allow(elements: &str, expected: &str) {
    managed(&format!(r#"{{"Effect":"Allow",{elements}}}"#), expected);
}

/// A condition in a managed policy that is right otherwise.
fn condition(condition: &str, expected: &str) {
    allow(&format!(r#""Action":"s3:GetObject","Resource":"*","Condition":{condition}"#), expected);
}

/// A resource in a managed policy that is right otherwise.
fn resource(resource: &str, expected: &str) {
    allow(&format!(r#""Action":"s3:GetObject","Resource":{resource}"#), expected);
}

const INLINE: DocumentKind<'static> =
    DocumentKind::Inline { owner: InlineOwner::User, name: "alice", other_chars: 0 };

#[test]
fn syntax_is_looked_at_first() {
    for text in ["no document", "", "[]", "{", r#"{"Version":"2012-10-17"}"#, "{}"] {
        check(DocumentKind::Managed, text, SYNTAX);
        check(INLINE, text, SYNTAX);
    }
    for text in ["no document", "", "{"] {
        check(DocumentKind::Session, text, INVALID_JSON);
        check(DocumentKind::Trust, text, INVALID_JSON);
        check(DocumentKind::Key, text, INVALID_JSON);
    }
    managed("[]", SYNTAX);
    managed(r#"["x"]"#, SYNTAX);
    check(DocumentKind::Managed, r#"{"Version":"2013-10-17","Statement":{"Effect":"allow"}}"#, SYNTAX);
    check(DocumentKind::Managed, r#"{"Version":{},"Statement":{"Effect":"allow"}}"#, SYNTAX);
    check(DocumentKind::Managed, r#"{"Id":[],"Statement":{"Effect":"Deny"}}"#, SYNTAX);
    check(DocumentKind::Managed, r#"{"Sid":"x","Statement":{"Effect":"Deny"}}"#, SYNTAX);
    managed(r#"{"Action":"s3:GetObject","Resource":"*"}"#, SYNTAX);
    managed(r#"{"Effect":"Permit","Action":"s3:GetObject","Resource":"*"}"#, SYNTAX);
    managed(r#"{"Effect":true,"Action":"s3:GetObject","Resource":"*"}"#, SYNTAX);
    managed(r#"[{"Effect":"aLLOW"},{"Effect":"Allow","Actions":"x"}]"#, SYNTAX);
    allow(r#""Action":{},"Resource":"*""#, SYNTAX);
    allow(r#""Action":["s3:GetObject",1],"Resource":"x""#, SYNTAX);
    allow(r#""Action":[],"NotAction":"s3:GetObject","Resource":"*""#, SYNTAX);
    allow(r#""Action":"s3:GetObject","Resource":"*","NotResource":[]"#, SYNTAX);
    allow(r#""Action":"s3:GetObject","Resource":{"a":"*"}"#, SYNTAX);
    allow(r#""Sid":[],"Action":"s3:GetObject","Resource":"*""#, SYNTAX);
    allow(
        r#""Sid":"a b","Action":"s3:GetObject","Resource":"*""#,
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    );
    for wrong in
        ["[]", r#""x""#, r#"{"Bool":"x"}"#, r#"{"Bool":[]}"#, r#"{"Bool":{"a":{}}}"#, r#"{"x":{"a":"1"}}"#]
    {
        condition(wrong, SYNTAX);
    }
    condition(r#"{"ForAnyValue::StringEquals":{"a":"1"}}"#, SYNTAX);
    allow(
        r#""Principal":"*","Action":"s3:GetObject","Resource":"*""#,
        "Policy document should not specify a principal.",
    );
}

#[test]
fn what_iam_takes_is_taken() {
    for taken in ["{}", r#"{"x":{},"y":{}}"#, r#"{"DateGreaterThan":{}}"#, r#"{"DateGreaterThan":{"a":[]}}"#]
    {
        condition(taken, "");
    }
    condition(
        r#"{"ForAnyValue:StringEqualsIfExists":{"a":"1"},"Bool":{"b":true},"NumericLessThan":{"c":[1,"2"]}}"#,
        "",
    );
    for taken in [
        r#""*""#,
        r#"["arn:aws:s3:::b","*"]"#,
        r#""arn:aws:iam:::user/a""#,
        r#""arn:aws:iam::111122223333:root""#,
        r#""arn:aws:iam::111122223333:*""#,
        r#""arn:aws:s33:::b""#,
        r#""arn:aws:sqs""#,
        r#""arn:aws-cn:s3:::b/*""#,
        r#""arn:*:s3:::b/*""#,
        r#""arn:aws:ec2:us-east-1::b""#,
        r#""arn:aws:s3:us-east-1:111122223333:job/*""#,
        r#""arn:aws:s3:*::b""#,
    ] {
        resource(taken, "");
    }
    for taken in ["*", "*:*", "s3-x.y:Get", "iam: no such action "] {
        allow(&format!(r#""NotAction":"{taken}","NotResource":"*""#), "");
    }
    managed(
        r#"[{"Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"","Effect":"Deny","Action":"a:b","Resource":"*"},{"Sid":"","Effect":"Deny","Action":"a:b","Resource":"*"}]"#,
        "",
    );
}

#[test]
fn managed_policies_are_of_the_current_version() {
    let statement = r#""Statement":{"Effect":"denY","Action":"x","Resource":"y"}"#;
    for version in ["", r#""Version":"2008-10-17","#] {
        let text = format!("{{{version}{statement}}}");
        check(DocumentKind::Managed, &text, OLD_VERSION);
        check(INLINE, &text, LEGACY);
        check(DocumentKind::Session, &text, LEGACY);
        let text = text.replace("denY", "Deny").replace("\"x\"", "\"s3:*\"").replace("\"y\"", "\"*\"");
        check(INLINE, &text, "");
        check(DocumentKind::Session, &text, "");
    }
}

#[test]
fn legacy_parsing_precedes_sids_and_actions() {
    let repeated = |second: &str| {
        format!(
            r#"[{{"Sid":"a","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}},{{"Sid":"a",{second}}}]"#
        )
    };
    managed(&repeated(r#""Effect":"Allow""#), REPEATED_SID);
    managed(&repeated(r#""Effect":"allow""#), LEGACY);
    managed(&repeated(r#""Effect":"Allow","Resource":"arn:aws:s3::b""#), LEGACY);
    managed(&repeated(r#""Effect":"Allow","Resource":"b""#), REPEATED_SID);
    for wrong in ["arn:aws:s3::b", "arn:aws::::b", "arn:aws::b"] {
        resource(&format!("\"{wrong}\""), LEGACY);
        allow(&format!(r#""Resource":["{wrong}"]"#), LEGACY);
        allow(&format!(r#""Action":"s3:GetObject","NotResource":"{wrong}""#), LEGACY);
    }
    condition(r#"{"DateGreaterThan":{"a":"yesterday"}}"#, LEGACY);
    condition(r#"{"ForAnyValue:DateGreaterThanIfExists":{"a":["2026","x"]}}"#, LEGACY);
    allow(r#""Condition":{"DateGreaterThan":{"a":"yesterday"}}"#, LEGACY);
    allow(r#""Action":"a:b","Resource":"arn:x:s3:::b","Condition":{"DateLessThan":{"a":"x"}}"#, LEGACY);
}

#[test]
fn actions_are_looked_for_before_resources_and_their_form_after() {
    allow(r#""Resource":"nothing""#, NO_ACTIONS);
    managed(r#"{"Effect":"Allow"}"#, NO_ACTIONS);
    allow(r#""Action":[],"Resource":"*""#, NO_ACTIONS);
    managed(r#"[{"Effect":"Allow","Action":"x"},{"Effect":"Deny"}]"#, NO_ACTIONS);
    allow(r#""Action":"x""#, VENDOR);
    allow(r#""NotAction":"","Resource":"*""#, VENDOR);
    allow(r#""Action":"s:3:Get","Resource":"x""#, "Resource x must be in ARN format or \"*\".");
    allow(r#""Action":"s3:Get:Object""#, ONE_COLON);
    allow(r#""Action":"s 3:Get:Object""#, ONE_COLON);
    allow(r#""Action":["s3:*","s 3:GetObject"],"Resource":"*""#, "Vendor s 3 is not valid");
    allow(r#""Action":"s3*:Get","Resource":"*""#, "Vendor s3* is not valid");
    allow(r#""Action":"s3:Get""#, NO_RESOURCES);
    allow(r#""Action":"s3:Get","Resource":[]"#, NO_RESOURCES);
    allow(r#""Action":"s3:Get","NotResource":[]"#, NO_RESOURCES);
}

#[test]
fn resources_of_a_wrong_form_are_named() {
    for (wrong, expected) in [
        ("\"\"", "Resource  must be in ARN format or \"*\"."),
        ("[\"b/*\"]", "Resource b/* must be in ARN format or \"*\"."),
        ("\"arn:aws\"", "Resource vendor must be fully qualified and cannot contain regexes."),
        ("\"a:none\"", "Partition \"none\" is not valid for resource \"arn:none:*:*:*:*\"."),
        ("\"a:b:c\"", "Partition \"b\" is not valid for resource \"arn:b:c:*:*:*\"."),
        ("\"a:b:c:d:e:f:g\"", "Partition \"b\" is not valid for resource \"arn:b:c:d:e:f:g\"."),
        ("\"aws:s3:::b\"", "Partition \"s3\" is not valid for resource \"arn:s3:::b:*\"."),
        ("\"a:b:\"", "Partition \"b\" is not valid for resource \"arn:b:*:*:*:*\"."),
        (
            r#"["arn:no:s3::b","arn:no:s3:::b"]"#,
            "Partition \"no\" is not valid for resource \"arn:no:s3:::b\".",
        ),
        ("\"arn:aws:iam:::b\"", IAM_PATH),
        (
            "\"arn:aws:iam:eu-west-1::user/b\"",
            "IAM resource arn:aws:iam:eu-west-1::user/b cannot contain region information.",
        ),
        (
            "\"arn:aws:s3:eu-west-1::b\"",
            "Resource arn:aws:s3:eu-west-1::b can not contain region information.",
        ),
        // Not ARNs, although IAM's own checks let them pass.
        ("\"x:aws:s3:::b\"", "Resource x:aws:s3:::b must be in ARN format or \"*\"."),
    ] {
        resource(wrong, expected);
    }
    // Of two statements the first is named.
    managed(
        r#"[{"Effect":"Allow","Action":"s3:*","Resource":"a"},{"Effect":"Allow","Action":"s3:*","Resource":"b"}]"#,
        "Resource a must be in ARN format or \"*\".",
    );
}

#[test]
fn dates_are_taken_as_iam_takes_them() {
    let is_taken = super::instant::is_instant;
    for text in [
        "2026-07-01T13:20:15Z",
        "2026-07-01t13:20:15.593194+00:00",
        "2026-07-01T13:20:15-05:30",
        "2026",
        "2026-07",
        "2026-07-01",
        "01T",
        "01T10",
        "01T10:30",
        "-292275054",
        "2026-12-13t2:00:00.5+23",
        "0",
        "1767225600",
        "9223372036854775807",
    ] {
        assert!(is_taken(text), "{text}");
    }
    for text in [
        "",
        "x",
        "234-13",
        "2026-01-32",
        "2026-00",
        "2026-01-01-01",
        "-",
        "T10",
        "2026-01-01T24",
        "2026-01-01T23:60",
        "2026-01-01T23:00:60",
        "2026-01-01T23:00:00+1",
        "2026-01-01T23:00:00+24",
        "2026-01-01T23:00:00+01:60",
        "2026-01-01T23:00:00.1999999999Z",
        "2026-01-01T23:00:00ZZ",
        "2026-01-01T23:00:00z+01",
        "+1",
        "1.5",
        "9223372036854775808",
        "292278994-01",
    ] {
        assert!(!is_taken(text), "{text}");
    }
}

#[test]
fn trust_policies_assume_roles() {
    let trust = |elements: &str, expected: &str| {
        check(
            DocumentKind::Trust,
            &format!(r#"{{"Version":"2012-10-17","Statement":{{{elements}}}}}"#),
            expected,
        );
    };
    let principal = r#""Principal":{"AWS":"111122223333"}"#;
    for action in [r#""sts:AssumeRole""#, r#"["STS:assumerole","sts:TagSession","sts:SetSourceIdentity"]"#] {
        trust(&format!(r#""Effect":"Allow",{principal},"Action":{action}"#), "");
    }
    for action in ["*", "sts:*", "sts:Assume*", "s3:GetObject", "AssumeRole"] {
        trust(&format!(r#""Effect":"Allow",{principal},"Action":["sts:AssumeRole","{action}"]"#), STS_ONLY);
    }
    for (elements, expected) in [
        (
            r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*""#,
            "Has prohibited field Resource",
        ),
        (
            r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","NotResource":"*""#,
            "AssumeRole policy must not contain resources.",
        ),
        (
            r#""Effect":"Allow","NotPrincipal":"*","Action":"sts:AssumeRole""#,
            "Allow with NotPrincipal is not allowed.",
        ),
        (
            r#""Effect":"Deny","NotPrincipal":"*","Action":"sts:AssumeRole""#,
            "AssumeRole policy must not contain NotPrincipal field.",
        ),
        (r#""Effect":"Allow","Action":"sts:AssumeRole""#, "Missing required field Principal"),
        (r#""Effect":"Allow","Principal":"*""#, "Missing required field Action"),
        (r#""Principal":"*","Action":"sts:AssumeRole""#, "Missing required field Effect"),
        (r#""Effect":"Perhaps","Principal":"*","Action":"sts:AssumeRole""#, "Invalid effect: Perhaps"),
        (
            r#""Effect":"Allow","Principal":{},"Action":"sts:AssumeRole""#,
            "Missing required field Principal cannot be empty!",
        ),
        (
            r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/*"},"Action":"sts:AssumeRole""#,
            r#"Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*""#,
        ),
        (
            r#""Effect":"Allow","Principal":{"AWS":"1111"},"Action":"sts:AssumeRole""#,
            r#"Invalid principal in policy: "AWS":"1111""#,
        ),
        (
            r#""Effect":"Allow","Principal":{"Service":"*.amazonaws.com"},"Action":"sts:AssumeRole""#,
            r#"Invalid principal in policy: "SERVICE":"*.amazonaws.com""#,
        ),
        (
            r#""Effect":"Allow","Principal":{"AWS":"bob"},"Action":"sts:AssumeRole""#,
            "Invalid principal in policy",
        ),
        (
            r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":"x""#,
            "Syntax error in policy.",
        ),
    ] {
        trust(elements, expected);
    }
    check(
        DocumentKind::Trust,
        r#"{"Version":"2011-10-17","Statement":[]}"#,
        "The policy must contain a valid version string",
    );
    check(DocumentKind::Trust, r#"{"Statement":[]}"#, "Could not parse the policy: Statement is empty!");
    let statement = r#"{"Sid":"a","Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#;
    check(DocumentKind::Trust, &format!(r#"{{"Statement":[{statement},{statement}]}}"#), REPEATED_SID);
}

#[test]
fn bucket_policies_are_of_their_bucket() {
    let bucket = DocumentKind::Bucket { name: "b" };
    let policy = |elements: &str| format!(r#"{{"Statement":[{{"Action":"s3:GetObject",{elements}}}]}}"#);
    let on = |resource: &str| policy(&format!(r#""Effect":"Allow","Principal":"*","Resource":"{resource}""#));
    check(bucket, &on("arn:aws:s3:::b/*"), "");
    check(bucket, &on("arn:aws:s3:::other/*"), "Policy has invalid resource");
    check(bucket, "", "Policies must be valid JSON and the first byte must be '{'");
    let not = |effect: &str| {
        policy(&format!(
            r#""Effect":"{effect}","NotPrincipal":{{"AWS":"111122223333"}},"Resource":"arn:aws:s3:::b/*""#
        ))
    };
    check(bucket, &not("Deny"), "");
    check(bucket, &not("Allow"), "Allow with NotPrincipal is not allowed.");
    check(
        bucket,
        &policy(r#""Effect":"Allow","Principal":{},"Resource":"arn:aws:s3:::b/*""#),
        "Missing required field Principal cannot be empty!",
    );
}

#[test]
fn topic_policies_name_actions_on_topics_in_full() {
    let topic = |action: &str, principal: &str, expected: &str| {
        let text = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":{action},"Resource":"*"}}}}"#
        );
        check(DocumentKind::Topic, &text, expected);
    };
    topic(r#"["SNS:Publish","sns:subscribe"]"#, "\"*\"", "");
    for action in ["SNS:*", "*", "sns:CreateTopic", "sqs:SendMessage"] {
        topic(
            &format!(r#"["SNS:Publish","{action}"]"#),
            "\"*\"",
            "Invalid parameter: Policy statement action out of service scope!",
        );
    }
    topic(
        "\"SNS:Publish\"",
        r#"{"AWS":"arn:aws:iam::1:root"}"#,
        "Invalid parameter: Policy Error: PrincipalNotFound",
    );
    topic("1", "\"*\"", "Invalid parameter: Policy Error: null");
}

#[test]
fn key_policies_name_principals_and_may_lack_the_rest() {
    let key = |elements: &str, expected: &str| {
        check(DocumentKind::Key, &format!(r#"{{"Statement":{{"Effect":"Allow",{elements}}}}}"#), expected);
    };
    key(r#""Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*""#, "");
    key(r#""Principal":{"AWS":"111122223333"},"Action":"kms:*""#, "");
    key(r#""Principal":{"AWS":"111122223333"}"#, "");
    key(r#""Action":"kms:*","Resource":"*""#, "Policy contains a statement with no principal.");
    key(r#""Principal":{},"Action":"kms:*""#, "Policy contains a statement with no principal.");
    key(r#""Principal":{"AWS":[]},"Action":"kms:*""#, "Policy contains a statement with no principal.");
    key(r#""Principal":{"AWS":"1"}"#, "Policy contains a statement with one or more invalid principals.");
    key(r#""NotPrincipal":{"AWS":"111122223333"}"#, "Allow with NotPrincipal is not allowed.");
    key(r#""Principal":"*","Action":"kms:*","Effects":"x""#, "Unknown field Effects");
}

#[test]
fn a_statement_without_action_or_resource_has_no_effect() {
    for elements in [r#""Action":"kms:*""#, r#""Resource":"*""#, ""] {
        let separator = if elements.is_empty() { "" } else { "," };
        for effect in ["Allow", "Deny"] {
            let also = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}"#;
            let text = format!(
                r#"{{"Statement":[{{"Effect":"{effect}","Principal":"*"{separator}{elements}}}{}]}}"#,
                if effect == "Deny" { format!(",{also}") } else { String::new() }
            );
            let is_open = lockout(&text, &user("alice")).is_none();
            assert_eq!(is_open, effect == "Deny", "{text}");
        }
    }
}

const ACCOUNT: &str = "111122223333";

fn user(name: &str) -> Principal {
    Principal::User {
        arn: Arn::new(format!("arn:aws:iam::{ACCOUNT}:user/{name}")).expect("an ARN"),
        account: AccountId::new(ACCOUNT).expect("an account id"),
    }
}

/// AWS's answer if the policy locks the caller out.
fn lockout(text: &str, caller: &Principal) -> Option<String> {
    let source = PolicySource::new(PolicyKind::Key, "k");
    let policy = Policy::parse_valid(text, source, DocumentKind::Key).expect("a key policy");
    let mut context = Context::new();
    context.set("aws:SourceIp", "192.0.2.1");
    let key = format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234");
    let error = check_key_policy_lockout(&policy, &key, caller, &context).err()?;
    assert_eq!(
        (error.aws_code(), error.kind()),
        ("MalformedPolicyDocumentException", &PolicyErrorKind::LockedOut)
    );
    Some(error.aws_message())
}

#[test]
fn nobody_locks_themselves_out() {
    let check = |principal: &str, more: &str, expected: bool| {
        let text = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Resource":"*",{more}]}}"#
        );
        let found = lockout(&text, &user("alice"));
        let text_of_aws = "The new key policy will not allow you to update the key policy in the future.";
        assert_eq!(found.as_deref(), (!expected).then_some(text_of_aws), "{text}");
    };
    let all = r#""Action":"kms:*"}"#;
    check(ACCOUNT, all, true);
    check("arn:aws:iam::111122223333:root", all, true);
    check("arn:aws:iam::111122223333:user/alice", r#""Action":"kms:Put*"}"#, true);
    check("arn:aws:iam::111122223333:user/bob", all, false);
    check("444455556666", all, false);
    check(ACCOUNT, r#""Action":"kms:Decrypt"}"#, false);
    let from = |network: &str| {
        format!(r#""Action":"kms:*","Condition":{{"IpAddress":{{"aws:SourceIp":"{network}"}}}}}}"#)
    };
    check(ACCOUNT, &from("192.0.2.0/24"), true);
    check(ACCOUNT, &from("198.51.100.0/24"), false);
    let deny = r#",{"Effect":"Deny","Principal":"*","Action":"kms:PutKeyPolicy","Resource":"*"}"#;
    check(ACCOUNT, &format!("{all}{deny}"), false);
    check(ACCOUNT, &format!("{all}{}", deny.replace("PutKeyPolicy", "Decrypt")), true);
}

/// A valid document of this many characters without white space, and some with it.
fn document_of(chars: usize) -> String {
    let start = r#"{ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::"#;
    let end = "\" } }";
    let letters = chars - policy_chars(start) - policy_chars(end);
    format!("{start}{}{end}", "b".repeat(letters))
}

#[test]
fn sizes_are_limited_without_white_space() {
    let exceeded = |text: String| Some((409, "LimitExceeded", text));
    assert_eq!(answer(DocumentKind::Managed, &document_of(6_144)), None);
    assert_eq!(
        answer(DocumentKind::Managed, &document_of(6_145)),
        exceeded("Cannot exceed quota for PolicySize: 6144".to_owned())
    );
    for (owner, word, limit) in [
        (InlineOwner::User, "user", 2_048),
        (InlineOwner::Group, "group", 5_120),
        (InlineOwner::Role, "role", 10_240),
    ] {
        let inline = |other_chars| DocumentKind::Inline { owner, name: "n", other_chars };
        assert_eq!(answer(inline(100), &document_of(limit - 100)), None);
        assert_eq!(
            answer(inline(101), &document_of(limit - 100)),
            exceeded(format!("Maximum policy size of {limit} bytes exceeded for {word} n"))
        );
    }
    let trust = |chars: usize| {
        let start =
            r#"{ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Sid": ""#;
        format!("{start}{}\" }} }}", "a".repeat(chars - policy_chars(start) - 3))
    };
    assert_eq!(answer(DocumentKind::Trust, &trust(2_048)), None);
    assert_eq!(
        answer(DocumentKind::Trust, &trust(2_049)),
        exceeded("Cannot exceed quota for ACLSizePerRole: 2048".to_owned())
    );
}

#[test]
fn sizes_are_limited_with_white_space() {
    let filled = |text: &str, bytes: usize| {
        assert!(text.len() < bytes);
        format!("{text}{}", " ".repeat(bytes - text.len()))
    };
    let session = document_of(1_000);
    assert_eq!(answer(DocumentKind::Session, &filled(&session, 2_048)), None);
    let (status, code, text) = answer(DocumentKind::Session, &filled(&session, 2_049)).expect("too long");
    assert_eq!((status, code), (400, "ValidationError"));
    assert!(text.ends_with("Member must have length less than or equal to 2048"));
    let key = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#;
    assert_eq!(answer(DocumentKind::Key, &filled(key, 32_768)), None);
    let refused = answer(DocumentKind::Key, &filled(key, 32_769)).map(|(status, code, _)| (status, code));
    assert_eq!(refused, Some((400, "LimitExceededException")));
    let topic = key.replace("kms:*", "sns:Publish");
    assert_eq!(answer(DocumentKind::Topic, &filled(&topic, 30_720)), None);
    assert!(answer(DocumentKind::Topic, &filled(&topic, 30_721)).is_some());
}

#[test]
fn white_space_between_the_elements_of_a_bucket_policy_does_not_count() {
    let policy = |sid: &str, space: &str| {
        format!(
            r#"{{{space}"Statement":{{"Sid":"{sid}","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}}}"#
        )
    };
    let bucket = DocumentKind::Bucket { name: "b" };
    let room = 20_480 - policy("", "").len();
    let quoted = format!("\\\"{}", " ".repeat(room - 2));
    assert_eq!(answer(bucket, &policy(&quoted, &" ".repeat(9_999))), None);
    let (_, code, text) = answer(bucket, &policy(&format!("{quoted} "), "")).expect("too long");
    assert_eq!(
        (code, text.as_str()),
        ("MalformedPolicy", "Policy exceeds the maximum allowed document size.")
    );
    assert_eq!(limits::BUCKET_POLICY_BYTES_MAX, 20_480);
}

#[test]
fn iam_takes_characters_of_latin_1() {
    let with = |letter: char| {
        format!(
            r#"{{"Version":"2012-10-17","Id":"{letter}","Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"*"}}}}"#
        )
    };
    assert_eq!(answer(DocumentKind::Managed, &with('ÿ')), None);
    for letter in ['Ā', '\u{7}'] {
        let (status, code, text) = answer(DocumentKind::Managed, &with(letter)).expect("refused");
        assert_eq!((status, code), (400, "ValidationError"));
        assert!(text.contains("policyDocument is invalid"));
    }
    let source = PolicySource::new(PolicyKind::Trust, "t");
    let error = Policy::parse_valid("{\n \u{100}", source, DocumentKind::Trust).expect_err("refused");
    assert_eq!((error.line(), error.column()), (2, 2));
    assert!(error.aws_message().contains("assumeRolePolicyDocument"));
}
