use bucketproof_fixtures::decisions::DECISIONS;

use super::super::row::Table;
use super::*;

fn rows() -> Vec<Row> {
    let tables = DECISIONS.iter().map(|table| toml::from_str::<Table>(table.text).unwrap());
    tables.flat_map(|table| table.decision).collect()
}

fn text_of(id: &str) -> String {
    let row = rows().into_iter().find(|row| row.id == id).unwrap();
    let caller = Caller::of(&row).unwrap();
    let given = Given::of(&row, caller).unwrap();
    let asked = Asked::of(&row, &given).unwrap();
    assert!(!is_beyond_requests(&row, caller), "{id}");
    script(&row, caller, &given, &asked).unwrap().finished(caller, &row, &asked)
}

#[test]
fn a_condition_on_a_tag_is_a_tag_of_the_caller() {
    let text = text_of("string-01");
    assert!(text.contains(
        "IAM CreateUser\nUserName: {name}\nPath: /eng/\nTags.member.1.Key: t\nTags.member.1.Value: a\n"
    ));
    assert!(text.contains("\"Condition\":{\"StringEquals\":{\"aws:PrincipalTag/t\":\"a\"}}"));
    assert!(
        !text_of("missing-key-positive").contains("Tags.member"),
        "a row without the key is played without it"
    );
}

#[test]
fn a_foreign_object_is_written_by_the_other_account() {
    let text = text_of("foreign-object-bucket-owner-getobject");
    let written = text.find("stranger PUT /{other}/k\n").unwrap();
    let granted = text.find("stranger PUT /{other}/k?acl").unwrap();
    let policy = text.rfind("PUT /{other}?policy").unwrap();
    assert!(written < granted && granted < policy, "{text}");
    assert!(text.ends_with("IAM DeleteUser\nUserName: {name}\n"), "what was made first goes last: {text}");
}

#[test]
fn what_no_request_brings_about_stays_with_the_core() {
    let playable = |id: &str| check(&rows().into_iter().find(|row| row.id == id).unwrap()).is_some();
    for id in [
        "scp-deny",
        "set-01",
        "ip-01",
        "numeric-14",
        "user-arn-is-case-sensitive",
        "service-by-name",
        "deny-of-the-bucket-policy-beats-an-acl",
        "bucket-acl-of-an-enforced-bucket",
        "object-acl-to-another-account",
    ] {
        assert!(!playable(id), "`{id}` is played");
    }
    assert!(playable("ip-02"), "no request comes from an address of documents");
}
