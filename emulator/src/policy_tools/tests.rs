use bucketproof_authz::Policy;
use bucketproof_authz::evaluate::evaluate_line;
use serde_json::{Value, json};

use super::document::Selector;
use super::generate::{Generated, generate};
use super::journal::Recorded;
use super::mutant::widened;
use super::mutate::Mutation;
use super::{Change, Report as _, coverage, diff, mutate};

mod replay;

const BUCKET: &str = "arn:aws:s3:::logs";
const ROLE: &str = "arn:aws:iam::111122223333:role/vendors/exporter";
const ANYTHING: &str = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

fn session() -> Value {
    json!({
        "type": "AssumedRole",
        "arn": "arn:aws:sts::111122223333:assumed-role/exporter/run-1",
        "roleArn": ROLE,
        "account": "111122223333",
    })
}

/// A question of the session of a role under one identity policy.
fn question(identity: &str, action: &str, resource: &str, context: &Value) -> Value {
    json!({
        "request": {
            "principal": session(),
            "action": action,
            "resource": { "arn": resource, "account": "111122223333" },
            "context": context,
        },
        "policies": { "identity": [identity], "names": { "identity": ["of-the-role"] } },
    })
}

/// A line of a journal, with the outcomes that the decision core gives.
fn line(id: &str, questions: &[Value]) -> String {
    let decisions: Vec<Value> = questions
        .iter()
        .map(|question| {
            let answer = evaluate_line(&question.to_string());
            let (action, resource) = (&question["request"]["action"], &question["request"]["resource"]["arn"]);
            json!({ "action": action, "resource": resource, "outcome": answer["decision"], "question": question })
        })
        .collect();
    json!({ "request_id": id, "status": 200, "decisions": decisions }).to_string()
}

fn read(lines: &[String]) -> Recorded {
    Recorded::read(&lines.join("\n")).unwrap()
}

/// One line for each action and resource, with a context of its own.
fn asked(identity: &str, needs: &[(&str, &str, Value)]) -> Recorded {
    let lines = needs.iter().enumerate().map(|(index, (action, resource, context))| {
        line(&format!("R{}", index + 1), &[question(identity, action, resource, context)])
    });
    read(&lines.collect::<Vec<_>>())
}

fn one(journal: &Recorded, exact_max: usize) -> Generated {
    let mut all = generate(journal, exact_max);
    assert_eq!(all.len(), 1);
    all.pop().unwrap()
}

fn allows(document: &Value, action: &str, resource: &str) -> bool {
    let question = question(&document.to_string(), action, resource, &json!({}));
    evaluate_line(&question.to_string())["decision"] == "Allowed"
}

#[test]
fn a_policy_allows_what_was_used_and_nothing_else() {
    let strange = format!("{BUCKET}/a*b?c${{d}}");
    let objects: Vec<String> = (0..5).map(|number| format!("{BUCKET}/year=2025/hour={number}/x")).collect();
    let mut needs: Vec<_> =
        objects.iter().map(|object| ("s3:GetObject", object.as_str(), json!({}))).collect();
    needs.extend((0..5).map(|_| ("s3:ListBucket", BUCKET, json!({}))));
    needs.push(("s3:DeleteObject", &strange, json!({})));
    let made = one(&asked(ANYTHING, &needs), 3);
    assert_eq!((made.kind, made.owner.as_str()), ("identity", ROLE), "the path of the role is in its ARN");
    for object in &objects {
        assert!(allows(&made.document, "s3:GetObject", object));
        assert!(!allows(&made.document, "s3:PutObject", object));
    }
    assert!(allows(&made.document, "s3:ListBucket", BUCKET));
    assert!(allows(&made.document, "s3:DeleteObject", &strange));
    assert!(!allows(&made.document, "s3:DeleteObject", &format!("{BUCKET}/aXbYc${{d}}")));
    assert!(!allows(&made.document, "s3:GetObject", &format!("{BUCKET}/year=2024/x")));
    let listing = made.because.iter().find(|because| because.value == "s3:ListBucket").unwrap();
    assert_eq!((listing.element, listing.requests, listing.request_id.as_str()), ("action", 5, "R6"));
}

#[test]
fn few_objects_are_listed_and_many_become_their_folder() {
    let keys = ["a/1", "a/2", "a/3"].map(|key| format!("{BUCKET}/{key}"));
    let needs: Vec<_> = keys.iter().map(|key| ("s3:PutObject", key.as_str(), json!({}))).collect();
    let resources =
        |journal: &Recorded, exact| one(journal, exact).document["Statement"][0]["Resource"].clone();
    let journal = asked(ANYTHING, &needs);
    assert_eq!(resources(&journal, 3), json!(keys));
    assert_eq!(resources(&journal, 2), json!([format!("{BUCKET}/a/*")]));
    let other = format!("{BUCKET}/b");
    let journal = asked(ANYTHING, &[needs[0].clone(), ("s3:PutObject", &other, json!({}))]);
    assert_eq!(resources(&journal, 1), json!([format!("{BUCKET}/*")]));
}

#[test]
fn actions_on_the_same_resources_share_a_statement() {
    let object = format!("{BUCKET}/a");
    let journal =
        asked(ANYTHING, &[("s3:PutObject", &object, json!({})), ("s3:GetObject", &object, json!({}))]);
    let made = one(&journal, 3);
    let expected =
        json!([{ "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": [object] }]);
    assert_eq!(made.document["Statement"], expected);
    let because: Vec<_> = made
        .because
        .iter()
        .map(|one| (one.element, one.value.as_str(), one.request_id.as_str(), one.requests))
        .collect();
    assert_eq!(
        because,
        [
            ("action", "s3:GetObject", "R2", 1),
            ("action", "s3:PutObject", "R1", 1),
            ("resource", object.as_str(), "R1", 2)
        ]
    );
}

#[test]
fn what_every_request_carries_becomes_a_condition() {
    let object = format!("{BUCKET}/a");
    let acl = json!({ "s3:x-amz-acl": "bucket-owner-full-control" });
    let same = [("s3:PutObject", object.as_str(), acl.clone()), ("s3:PutObject", &object, acl.clone())];
    let made = one(&asked(ANYTHING, &same), 3);
    let condition = json!({ "StringEquals": { "s3:x-amz-acl": ["bucket-owner-full-control"] } });
    assert_eq!(made.document["Statement"][0]["Condition"], condition);
    let because = made.because.iter().find(|one| one.element == "condition").unwrap();
    assert_eq!((because.request_id.as_str(), because.requests), ("R1", 2));
    let mixed = [("s3:PutObject", object.as_str(), acl), ("s3:PutObject", &object, json!({}))];
    assert_eq!(one(&asked(ANYTHING, &mixed), 3).document["Statement"][0]["Condition"], Value::Null);
    let prefixes =
        ["a/1", "a/2", "a/3"].map(|prefix| ("s3:ListBucket", BUCKET, json!({ "s3:prefix": prefix })));
    let condition =
        |exact| one(&asked(ANYTHING, &prefixes), exact).document["Statement"][0]["Condition"].clone();
    assert_eq!(condition(3), json!({ "StringEquals": { "s3:prefix": ["a/1", "a/2", "a/3"] } }));
    assert_eq!(condition(2), json!({ "StringLike": { "s3:prefix": ["a/*"] } }));
    let context = json!({ "kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": BUCKET, "aws:SourceIp": "10.0.0.1" });
    let key = "arn:aws:kms:us-east-1:111122223333:key/k";
    let mut asked = question(ANYTHING, "kms:Decrypt", key, &context);
    asked["policies"]["resource"] = json!(
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}}"#
    );
    let both = generate(&read(&[line("K", &[asked])]), 3);
    let kinds: Vec<_> = both.iter().map(|made| (made.kind, made.owner.as_str())).collect();
    assert_eq!(kinds, [("identity", ROLE), ("key", key)]);
    let condition = json!({ "StringEquals": { "kms:EncryptionContext:aws:s3:arn": [BUCKET], "kms:ViaService": ["s3.us-east-1.amazonaws.com"] } });
    for made in &both {
        assert_eq!(made.document["Statement"][0]["Condition"], condition, "{}", made.kind);
    }
    assert_eq!(
        both[1].document["Statement"][0]["Principal"],
        json!({ "AWS": ["arn:aws:iam::111122223333:root"] })
    );
    assert!(both[1].notes[0].contains("administrators"), "{:?}", both[1].notes);
}

#[test]
fn what_was_refused_and_what_root_did_asks_for_nothing() {
    let narrow = r#"{"Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}"#;
    let object = format!("{BUCKET}/a");
    let half = line(
        "A",
        &["s3:PutObject", "s3:PutObjectAcl"].map(|action| question(narrow, action, &object, &json!({}))),
    );
    let mut root = question(ANYTHING, "s3:PutObject", &object, &json!({}));
    root["request"]["principal"] =
        json!({ "type": "Root", "arn": "arn:aws:iam::111122223333:root", "account": "111122223333" });
    let unknown = json!({ "request_id": "C", "principal": null, "decisions": [] }).to_string();
    assert!(generate(&read(&[half, line("B", &[root]), unknown]), 3).is_empty());
}

#[test]
fn a_journal_that_cannot_be_read_says_where() {
    let error = |text: &str| Recorded::read(text).unwrap_err().to_string();
    let text = error("{\"request_id\":\"A\"}\n\n{\"principal\":\"x\"}\n");
    assert!(text.starts_with("line 3: missing field `request_id`"), "{text}");
    assert!(Recorded::read("[{\"request_id\":\"A\"}]").unwrap().cases.is_empty());
    let unasked =
        r#"{"request_id":"A","decisions":[{"action":"s3:GetObject","resource":"*","outcome":"Allowed"}]}"#;
    assert_eq!(
        error(unasked),
        "line 1: the decision on `s3:GetObject` of request `A` has no `question`; write the journal with \
         `bucketproof-emulator journal`"
    );
    let good = line("A", &[question(ANYTHING, "s3:GetObject", BUCKET, &json!({}))]);
    let changed = error(&good.replace("Allowed", "ExplicitlyDenied"));
    assert!(
        changed.contains("was decided `ExplicitlyDenied`, and this version decides `Allowed`"),
        "{changed}"
    );
    let broken = error(&good.replace("\"action\":\"s3:GetObject\",\"resource\":{", "\"resource\":{"));
    assert!(
        broken.starts_with("line 1: the question of request `A`: `request`: the field `action` is missing"),
        "{broken}"
    );
}

fn selector(text: &str) -> Selector {
    text.parse().unwrap()
}

fn policy(selector: &Selector, text: &str) -> Policy {
    Policy::parse(text, selector.source()).unwrap()
}

const NARROW: &str = r#"{"Statement":[{"Sid":"Write","Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"arn:aws:s3:::logs/raw/*","Condition":{"StringEquals":{"s3:x-amz-acl":"private"}}},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;

#[test]
fn a_difference_names_the_requests_that_change_and_what_decides_then() {
    let object = format!("{BUCKET}/raw/a");
    let private = json!({ "s3:x-amz-acl": "private" });
    let journal = asked(
        NARROW,
        &[
            ("s3:PutObject", &object, private.clone()),
            ("s3:GetObject", &object, private),
            ("s3:DeleteObject", &object, json!({})),
        ],
    );
    let of_role = selector("identity:of-the-role");
    let changed = |change: Change| diff(&journal, &[change]).unwrap();
    assert!(changed(Change::Replace(of_role.clone(), policy(&of_role, NARROW))).changed.is_empty());
    let less = NARROW.replace(",\"s3:GetObject\"", "");
    let found = changed(Change::Replace(of_role.clone(), policy(&of_role, &less)));
    let [get] = found.changed.as_slice() else { panic!("{found:?}") };
    assert_eq!((get.request_id.as_str(), get.before, get.after), ("R2", "Allowed", "ImplicitlyDenied"));
    assert!(
        get.explanation.contains("would be allowed but for: the action of statement `Write`"),
        "{}",
        get.explanation
    );
    for name in ["identity:exporter", "identity:exporter/of-the-role", ROLE] {
        let name = if name == ROLE { format!("identity:{ROLE}") } else { name.to_owned() };
        assert_eq!(changed(Change::Remove(selector(&name))).changed.len(), 2, "{name}");
    }
    let more = Change::Add(selector(&format!("identity:{ROLE}")), policy(&of_role, ANYTHING));
    assert_eq!(changed(more).changed[0].after, "Allowed");
    let deny =
        r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"arn:aws:s3:::logs/*"}}"#;
    let bucket = selector("bucket:logs");
    let found = changed(Change::Add(bucket.clone(), policy(&bucket, deny)));
    assert_eq!(found.changed.len(), 2);
    assert_eq!(found.changed[0].after, "ExplicitlyDenied");
    assert!(
        found.text().starts_with("2 of 3 decisions change\n\nAllowed -> ExplicitlyDenied  s3:PutObject on"),
        "{}",
        found.text()
    );
    let unknown = diff(&journal, &[Change::Remove(selector("bucket:logs"))]).unwrap_err();
    assert!(
        unknown.starts_with(
            "the journal has no document `bucket:logs`; it has the identity policy `of-the-role` of"
        ),
        "{unknown}"
    );
    let unknown =
        diff(&journal, &[Change::Add(selector("bucket:other"), policy(&bucket, deny))]).unwrap_err();
    assert!(unknown.contains("no request of the journal is about `bucket:other`"), "{unknown}");
    assert!("folder:x".parse::<Selector>().unwrap_err().contains("the kinds are identity, boundary"));
}

#[test]
fn a_mistake_that_no_request_notices_survives_with_a_reason_and_a_request_that_would() {
    let raw = format!("{BUCKET}/raw/a");
    let other = format!("{BUCKET}/other/a");
    let private = json!({ "s3:x-amz-acl": "private", "aws:SecureTransport": "true" });
    let bare = json!({ "aws:SecureTransport": "true" });
    let plain = json!({ "s3:x-amz-acl": "private", "aws:SecureTransport": "false" });
    let needs =
        [("s3:PutObject", raw.as_str(), private.clone()), ("s3:GetObject", raw.as_str(), private.clone())];
    let found = mutate(&asked(NARROW, &needs), &[]).unwrap();
    assert_eq!(found.mutants, found.noticed + found.refused + found.survivors.len());
    let changes = |found: &Mutation| {
        let all = found.survivors.iter().map(|one| format!("{}: {}", one.statement, one.change));
        all.collect::<Vec<_>>()
    };
    assert_eq!(
        changes(&found),
        [
            "1: `arn:aws:s3:::logs/raw/*` of `Resource` is widened to `arn:aws:s3:::logs/*`",
            "1: the condition `StringEquals` on `s3:x-amz-acl` is dropped",
            "2: the statement is dropped",
            "2: `Deny` becomes `Allow`",
        ]
    );
    for survivor in &found.survivors {
        assert!(!survivor.why.is_empty());
        assert!(survivor.to_notice.is_some(), "{survivor:?}");
    }
    let widened = &found.survivors[0];
    assert_eq!(
        widened.to_notice.as_deref(),
        Some(
            "`s3:PutObject` on `arn:aws:s3:::logs/probe` by arn:aws:sts::111122223333:assumed-role/exporter/run-1 is denied, and allowed with the mistake"
        )
    );
    let dropped = found.survivors[1].to_notice.as_deref().unwrap();
    assert!(
        dropped.contains("with `s3:x-amz-acl` = `probe`") || dropped.contains("without `s3:x-amz-acl`"),
        "{dropped}"
    );
    assert!(
        found.survivors[2].why.starts_with("no request of the journal meets the statement"),
        "{:?}",
        found.survivors[2]
    );
    assert!(found.text().contains("statement `Write`: the condition"), "{}", found.text());

    // The requests that were said to be missing make the rest noticed.
    let all = asked(
        NARROW,
        &[
            needs[0].clone(),
            needs[1].clone(),
            ("s3:PutObject", &other, private),
            ("s3:PutObject", &raw, bare),
            ("s3:PutObject", &raw, plain),
        ],
    );
    assert_eq!(changes(&mutate(&all, &[]).unwrap()), [] as [&str; 0]);
    assert!(mutate(&all, &[selector("trust:none")]).is_err());
    assert_eq!(mutate(&all, &[selector("identity:exporter")]).unwrap().mutants, found.mutants);
}

#[test]
fn a_statement_that_another_makes_needless_is_told_by_it() {
    let twice = r#"{"Statement":[{"Sid":"One","Effect":"Allow","Action":"s3:GetObject","Resource":"*"},{"Sid":"Two","Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#;
    let object = format!("{BUCKET}/a");
    let found = mutate(&asked(twice, &[("s3:GetObject", &object, json!({}))]), &[]).unwrap();
    let dropped = found.survivors.iter().find(|one| one.change == "the statement is dropped").unwrap();
    assert_eq!(
        dropped.why,
        "request R1 (`s3:GetObject` on `arn:aws:s3:::logs/a`) meets it and is still allowed: allowed by statement `Two` of \
         the identity policy `of-the-role`"
    );
}

#[test]
fn parts_that_nothing_used_are_named() {
    let raw = format!("{BUCKET}/raw/a");
    let private = json!({ "s3:x-amz-acl": "private", "aws:SecureTransport": "true" });
    let found = coverage(&asked(NARROW, &[("s3:PutObject", &raw, private.clone())]), &[]).unwrap();
    let unused: Vec<_> = found.documents[0]
        .parts
        .iter()
        .filter(|part| !part.is_used())
        .map(|part| format!("{} {} {}: {}", part.statement, part.element, part.value, part.missing()))
        .collect();
    assert_eq!(
        unused,
        [
            "1 action s3:GetObject: no request used it",
            "1 condition StringEquals s3:x-amz-acl private: no request failed it: it never made a difference",
            "2 statement Deny: no request used it",
            "2 action s3:*: no request used it",
            "2 resource *: no request used it",
            "2 condition Bool aws:SecureTransport false: no request met it",
        ]
    );
    assert_eq!((found.parts, found.used), (9, 3));
    assert!(
        found.text().starts_with("3 of 9 parts used\n\nidentity policy `of-the-role` of"),
        "{}",
        found.text()
    );
    let plain = json!({ "s3:x-amz-acl": "private", "aws:SecureTransport": "false" });
    let all = asked(
        NARROW,
        &[
            ("s3:PutObject", &raw, private.clone()),
            ("s3:GetObject", &raw, private),
            ("s3:PutObject", &raw, json!({ "aws:SecureTransport": "true" })),
            ("s3:PutObject", &raw, plain),
        ],
    );
    let found = coverage(&all, &[]).unwrap();
    assert_eq!(found.used, found.parts, "{}", found.text());
}

#[test]
fn a_resource_is_widened_step_by_step() {
    for (resource, wider) in [
        ("arn:aws:s3:::b/a/b*", Some("arn:aws:s3:::b/a/*")),
        ("arn:aws:s3:::b/a/*", Some("arn:aws:s3:::b/*")),
        ("arn:aws:s3:::b/*", Some("arn:aws:s3:::*")),
        ("arn:aws:s3:::b", Some("arn:aws:s3:::*")),
        ("arn:aws:s3:::*", Some("*")),
        ("arn:aws:iam::111122223333:role/x", Some("arn:aws:iam::111122223333:role/*")),
        ("arn:aws:kms:us-east-1:111122223333:key/k", Some("arn:aws:kms:us-east-1:111122223333:key/*")),
        ("*", None),
    ] {
        assert_eq!(widened(resource).as_deref(), wider, "{resource}");
    }
}
