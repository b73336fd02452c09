use bucketproof_authz::{Policy, PolicyKind, PolicySource};
use bucketproof_clock::Entropy;

use super::super::Tracked;
use super::{AccessKey, Accounts, Holder, Secret};
use crate::authenticate::Scope;
use crate::scenario::{Scenario, build};

const SCENARIO: &str = r#"
[[account]]
id = "111122223333"
name = "owner"
[[account.user]]
name = "alice"
path = "/eng/"
[[account.role]]
name = "loader"
trust = '{"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/eng/alice"}, "Action": "sts:AssumeRole"}}'
"#;

const ALICE: &str = "arn:aws:iam::111122223333:user/eng/alice";

fn accounts() -> Tracked<Accounts> {
    let scenario = Scenario::from_toml(SCENARIO).unwrap();
    build(&scenario, Entropy::seeded(1), "2026-01-01T00:00:00Z".parse().unwrap()).unwrap().accounts
}

fn rename(accounts: &mut Accounts, unique_id: &str) -> String {
    let account = accounts.by_id.values_mut().next().unwrap();
    let alice = account.users.get_mut("alice").unwrap();
    std::mem::replace(&mut alice.entity.unique_id, unique_id.to_owned())
}

#[test]
fn who_holds_a_key_is_remembered_for_as_long_as_it_is_true() {
    let mut accounts = accounts();
    let account = accounts.iter().next().unwrap().id.clone();
    let holder = Holder::User { account, name: "alice".to_owned() };
    let key = AccessKey::new("AKIA".to_owned(), Secret::new("s"), holder, jiff::Timestamp::UNIX_EPOCH);
    let first = accounts.identity(&key).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &accounts.identity(&key).unwrap()));
    rename(&mut accounts, "AIDASOMEBODYELSE1");
    assert_eq!(accounts.identity(&key).unwrap().user_id, "AIDASOMEBODYELSE1", "made anew under its name");
}

#[test]
fn a_secret_signs_within_the_scope_that_is_asked_for() {
    let secret = Secret::new("secret");
    let scope = |date: &str, region: &str| Scope {
        date: date.to_owned(),
        region: region.to_owned(),
        service: "s3".to_owned(),
    };
    let scopes =
        [scope("20260101", "us-east-1"), scope("20260102", "us-east-1"), scope("20260102", "eu-west-1")];
    for scope in scopes.iter().chain(&scopes) {
        assert_eq!(secret.signing_key(scope), scope.signing_key("secret"), "{}", scope.text());
        assert_eq!(secret.signing_key(scope), scope.signing_key("secret"), "remembered: {}", scope.text());
    }
}

#[test]
fn stored_policies_show_who_is_gone() {
    let mut accounts = accounts();
    let text = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"AWS": ["{ALICE}", "111122223333"]}}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}}}}"#
    );
    let policy = Policy::parse(&text, PolicySource::new(PolicyKind::Bucket, "b")).unwrap();
    let stored = accounts.bound(&policy);
    assert_eq!(accounts.shown(&stored), text);
    let before = rename(&mut accounts, "AIDASOMEBODYELSE1");
    assert_eq!(accounts.shown(&stored), text.replace(ALICE, &before));
}

#[test]
fn trust_policies_mean_whom_they_named() {
    let mut accounts = accounts();
    let role = "arn:aws:iam::111122223333:role/loader";
    let shown = |accounts: &Accounts| accounts.shown(&accounts.role(role).unwrap().1.trust).into_owned();
    assert!(shown(&accounts).contains(ALICE));
    let before = rename(&mut accounts, "AIDASOMEBODYELSE1");
    assert!(shown(&accounts).contains(&before) && !shown(&accounts).contains(ALICE));
}
