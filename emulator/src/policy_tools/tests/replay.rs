//! Whatever a journal holds, the generated policies let it pass, and nothing of them can be left out.

use std::collections::BTreeMap;

use bucketproof_authz::{Policy, PolicyKind, PolicySource};
use bucketproof_clock::Clock;
use proptest::prelude::*;
use serde_json::Value;

use crate::policy_tools::document::{
    principals, statements, texts, with_element, with_principals, with_statements, without_element,
};
use crate::policy_tools::generate::{Generated, Target, generate};
use crate::policy_tools::journal::{Case, Recorded};
use crate::policy_tools::least::denied;
use crate::{Emulator, Scenario};

/// A writer of the bucket's account, a role for a vendor with an external id, a partner who is let in by the bucket's
/// policy, and two keys: one left to identity policies, one that names the role.
const SCENARIO: &str = r#"
[[account]]
id = "111122223333"
name = "owner"

[[account.user]]
name = "writer"
policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:*","kms:*","sts:*"],"Resource":"*"}}']
[[account.user.access_key]]
id = "AKIAWRITERUSEREXAMPL"
secret = "writer"

[[account.user]]
name = "narrow"
[[account.user.access_key]]
id = "AKIANARROWUSEREXAMPL"
secret = "narrow"

[[account.role]]
name = "exporter"
path = "/vendors/"
trust = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":["one","two"]}}}}'
policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject","s3:ListBucket","kms:GenerateDataKey","kms:Decrypt"],"Resource":"*"}}']

[[account.kms_key]]
id = "aaaaaaaa-0000-4000-8000-000000000001"

[[account.kms_key]]
id = "aaaaaaaa-0000-4000-8000-000000000002"
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:PutKeyPolicy","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/vendors/exporter","arn:aws:iam::111122223333:user/writer"]},"Action":"kms:*","Resource":"*"}]}'

[[account.bucket]]
name = "logs"
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::444455556666:user/partner","arn:aws:iam::111122223333:user/narrow"]},"Action":["s3:PutObject","s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]},{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs/closed/*"}]}'

[[account]]
id = "444455556666"
name = "partner"

[[account.user]]
name = "partner"
policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}']
[[account.user.access_key]]
id = "AKIAPARTNERUSEREXAMP"
secret = "partner"
"#;

#[derive(Clone, Copy, Debug)]
enum Step {
    Put,
    PutPublic,
    PutUnderKey(usize),
    Get,
    List,
    ListAll,
}

fn steps() -> impl Strategy<Value = Vec<(u8, Step, &'static str)>> {
    let step = prop_oneof![
        Just(Step::Put),
        Just(Step::PutPublic),
        (0..2_usize).prop_map(Step::PutUnderKey),
        Just(Step::Get),
        Just(Step::List),
        Just(Step::ListAll),
    ];
    let keys = proptest::sample::select(vec!["a/1", "a/2", "a/b/3", "b*?", "c${d}", "closed/x", "e"]);
    proptest::collection::vec((0..5_u8, step, keys), 1..14)
}

async fn play(steps: &[(u8, Step, &'static str)]) -> Emulator {
    let scenario = Scenario::from_toml(SCENARIO).unwrap();
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let emulator = Emulator::builder().scenario(scenario).clock(clock).seed(7).start().await.unwrap();
    for (who, step, key) in steps {
        let role = "arn:aws:iam::111122223333:role/vendors/exporter";
        let s3 = match who {
            0 => emulator.s3("writer"),
            1 => emulator.s3("narrow"),
            2 => emulator.s3("partner"),
            3 => match emulator.actor("partner").assume(role, "one").await {
                Ok(session) => session.s3(),
                Err(_) => continue,
            },
            _ => match emulator.actor("partner").assume(role, *key).await {
                Ok(session) => session.s3(),
                Err(_) => continue,
            },
        };
        let put = s3.put_object().bucket("logs").key(*key);
        match step {
            Step::Put => drop(put.send().await),
            Step::PutPublic => drop(put.acl("bucket-owner-full-control".into()).send().await),
            Step::PutUnderKey(number) => {
                let id = format!(
                    "arn:aws:kms:us-east-1:111122223333:key/aaaaaaaa-0000-4000-8000-00000000000{}",
                    number + 1
                );
                drop(put.server_side_encryption("aws:kms".into()).ssekms_key_id(id).send().await);
            }
            Step::Get => drop(s3.get_object().bucket("logs").key(*key).send().await),
            Step::List => drop(s3.list_objects_v2().bucket("logs").prefix(*key).send().await),
            Step::ListAll => drop(s3.list_objects_v2().bucket("logs").send().await),
        }
    }
    emulator
}

fn target(made: &Generated) -> Target {
    let kind = match made.kind {
        "identity" => PolicyKind::Identity,
        "bucket" => PolicyKind::Bucket,
        "key" => PolicyKind::Key,
        "trust" => PolicyKind::Trust,
        other => panic!("{other}"),
    };
    Target { kind, owner: made.owner.clone() }
}

fn parsed(made: &[Generated], other: Option<(usize, &Value)>) -> BTreeMap<Target, Policy> {
    let mut policies = BTreeMap::new();
    for (index, one) in made.iter().enumerate() {
        let document = match other {
            Some((place, document)) if place == index => document,
            _ => &one.document,
        };
        if statements(document).is_empty() {
            continue;
        }
        let target = target(one);
        let policy = Policy::parse(&document.to_string(), PolicySource::new(target.kind, "generated"));
        policies.insert(target, policy.expect("a generated policy is one"));
    }
    policies
}

/// The document without one of its elements, in every way.
fn smaller(document: &Value) -> Vec<Value> {
    let all = statements(document);
    let mut found = Vec::new();
    for (index, statement) in all.iter().enumerate() {
        let mut put = |other: Option<Value>| {
            let mut statements = all.clone();
            match other {
                Some(other) => statements[index] = other,
                None => drop(statements.remove(index)),
            }
            found.push(with_statements(document, statements));
        };
        put(None);
        for element in ["Action", "Resource"] {
            let values = texts(statement.get(element));
            for (place, _) in values.iter().enumerate() {
                let mut rest = values.clone();
                rest.remove(place);
                put((!rest.is_empty()).then(|| with_element(statement, element, rest.into())));
            }
        }
        let named = principals(statement);
        for (place, _) in named.iter().enumerate() {
            let mut rest = named.clone();
            rest.remove(place);
            put((!rest.is_empty()).then(|| with_principals(&without_element(statement, "Principal"), &rest)));
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn generated_policies_are_enough_and_no_more(steps in steps(), exact in 0..4_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let lines = runtime.block_on(async { play(&steps).await.journal().to_json_lines() });
        let journal = Recorded::read(&lines).unwrap();
        let made = generate(&journal, exact);
        let cases: Vec<&Case> = journal.cases.iter().filter(|case| case.in_allowed_request).collect();
        let policies = parsed(&made, None);
        let refused = denied(&policies, &cases);
        prop_assert!(refused.is_empty(), "{:?} under {made:?}", refused.first());
        for (index, one) in made.iter().enumerate() {
            for document in smaller(&one.document) {
                let less = parsed(&made, Some((index, &document)));
                prop_assert!(!denied(&less, &cases).is_empty(), "{document} is enough instead of {}", one.document);
            }
            // Every element says who needs it.
            for (number, statement) in statements(&one.document).iter().enumerate() {
                let mut values = texts(statement.get("Action"));
                values.extend(texts(statement.get("Resource")));
                values.extend(principals(statement).into_iter().map(|(_, text)| text));
                for value in values {
                    let because = one.because.iter().find(|one| one.statement == number + 1 && one.value == value);
                    prop_assert!(because.is_some_and(|because| because.requests > 0), "{value}");
                }
            }
        }
    }
}
