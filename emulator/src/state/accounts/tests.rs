use bucketproof_authz::{Policy, PolicyKind, PolicySource};
use bucketproof_clock::Entropy;

use super::super::Tracked;
use super::Accounts;
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
