use bucketproof_authz::{
    AccountId, Arn, Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Request,
    Resource, decide,
};
use serde_json::json;

use super::generate::Generated;
use super::{generate, read};

const BUCKET: &str = "arn:aws:s3:::logs";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/exporter/run-1";

fn line(id: &str, principal: &str, needs: &[(&str, &str, &str)]) -> String {
    let decisions: Vec<_> = needs
        .iter()
        .map(|(action, resource, outcome)| json!({ "action": action, "resource": resource, "outcome": outcome }))
        .collect();
    json!({ "request_id": id, "principal": principal, "decisions": decisions, "status": 200 }).to_string()
}

fn one(lines: &[String], exact_max: usize) -> Generated {
    let mut all = generate(&read(&lines.join("\n")).unwrap(), exact_max);
    assert_eq!(all.len(), 1);
    all.pop().unwrap()
}

fn allows(document: &str, action: &str, resource: &str) -> bool {
    let policy = Policy::parse(document, PolicySource::new(PolicyKind::Identity, "generated")).unwrap();
    let account = AccountId::new("111122223333").unwrap();
    let request = Request {
        principal: Principal::User { arn: Arn::new("arn:aws:iam::111122223333:user/x").unwrap(), account },
        ids: PrincipalIds::default(),
        action: action.to_owned(),
        resource: Resource { arn: resource.to_owned(), account: None },
        context: Context::default(),
    };
    let identity = [policy];
    decide(&request, &Policies { identity: &identity, ..Policies::default() }).is_allowed()
}

#[test]
fn a_policy_allows_what_was_used_and_nothing_else() {
    let strange = format!("{BUCKET}/a*b?c${{d}}");
    let objects: Vec<String> = (0..5).map(|number| format!("{BUCKET}/year=2025/hour={number}/x")).collect();
    let mut lines: Vec<String> = objects
        .iter()
        .map(|object| {
            line("A", SESSION, &[("s3:GetObject", object, "Allowed"), ("s3:ListBucket", BUCKET, "Allowed")])
        })
        .collect();
    lines.push(line("B", SESSION, &[("s3:DeleteObject", &strange, "Allowed")]));
    let made = one(&lines, 3);
    assert_eq!(made.principal, "arn:aws:iam::111122223333:role/exporter");
    let document = serde_json::to_string(&made.document).unwrap();
    for object in &objects {
        assert!(allows(&document, "s3:GetObject", object));
        assert!(!allows(&document, "s3:PutObject", object));
    }
    assert!(allows(&document, "s3:ListBucket", BUCKET));
    assert!(allows(&document, "s3:DeleteObject", &strange));
    assert!(!allows(&document, "s3:DeleteObject", &format!("{BUCKET}/aXbYc${{d}}")));
    assert!(!allows(&document, "s3:GetObject", &format!("{BUCKET}/year=2024/x")));
    assert!(made.document.statements.iter().flat_map(|statement| &statement.actions).count() == 3);
    let listing = made.because.iter().find(|because| because.action == "s3:ListBucket").unwrap();
    assert_eq!((listing.requests, listing.request_id.as_str()), (5, "A"));
}

#[test]
fn few_objects_are_listed_and_many_become_their_folder() {
    let lines: Vec<String> = ["a/1", "a/2", "a/3"]
        .iter()
        .map(|key| line("A", SESSION, &[("s3:PutObject", &format!("{BUCKET}/{key}"), "Allowed")]))
        .collect();
    let exact = one(&lines, 3);
    assert_eq!(exact.document.statements[0].resources.len(), 3);
    let folder = one(&lines, 2);
    assert_eq!(folder.document.statements[0].resources, [format!("{BUCKET}/a/*")]);
    let whole = one(
        &[lines[0].clone(), line("B", SESSION, &[("s3:PutObject", &format!("{BUCKET}/b"), "Allowed")])],
        1,
    );
    assert_eq!(whole.document.statements[0].resources, [format!("{BUCKET}/*")]);
}

#[test]
fn actions_on_the_same_resources_share_a_statement() {
    let object = format!("{BUCKET}/a");
    let lines = [
        line("A", SESSION, &[("s3:PutObject", &object, "Allowed")]),
        line("B", SESSION, &[("s3:GetObject", &object, "Allowed")]),
    ];
    let made = one(&lines, 3);
    assert_eq!(made.document.statements.len(), 1);
    assert_eq!(made.document.statements[0].actions, ["s3:GetObject", "s3:PutObject"]);
}

#[test]
fn what_was_refused_and_what_root_did_asks_for_nothing() {
    let lines = [
        line(
            "A",
            SESSION,
            &[("s3:PutObject", BUCKET, "Allowed"), ("s3:PutObjectAcl", BUCKET, "ImplicitlyDenied")],
        ),
        line("B", "arn:aws:iam::111122223333:root", &[("s3:PutObject", BUCKET, "Allowed")]),
        json!({ "request_id": "C", "principal": null, "decisions": [] }).to_string(),
    ];
    assert!(generate(&read(&lines.join("\n")).unwrap(), 3).is_empty());
}

#[test]
fn a_journal_that_cannot_be_read_says_where() {
    let error = read("{\"request_id\":\"A\"}\n\n{\"principal\":\"x\"}\n").unwrap_err();
    assert!(error.to_string().starts_with("line 3: missing field `request_id`"), "{error}");
    assert_eq!(read("[{\"request_id\":\"A\"}]").unwrap().len(), 1);
}
