//! Laws of grants on KMS keys.

#![expect(clippy::expect_used, reason = "a broken fixture fails its test")]

use bucketproof_authz::{
    AccountId, Arn, Context, EncryptionContext, KmsGrant, KmsGrantConstraints, KmsGrantOperation, KmsGrants,
    Outcome, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Request, Resource, decide,
};
use proptest::prelude::*;

const OWNER: &str = "111111111111";
const PARTNER: &str = "222222222222";

fn policy(kind: PolicyKind, statements: &[&str]) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    Policy::parse(&text, PolicySource::new(kind, "p")).expect("a policy")
}

fn identity_policies() -> impl Strategy<Value = Vec<Policy>> {
    let statements = vec![
        r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}"#,
        r#"{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}"#,
    ];
    prop::collection::vec(prop::sample::select(statements), 0..3)
        .prop_map(|list| list.into_iter().map(|one| policy(PolicyKind::Identity, &[one])).collect())
}

fn key_policies() -> impl Strategy<Value = Policy> {
    let statements = vec![
        r#"{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"kms:*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"kms:Decrypt","Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/r"},"Action":"kms:Encrypt","Resource":"*"}"#,
        r#"{"Effect":"Deny","Principal":"*","Action":"kms:GenerateDataKey","Resource":"*"}"#,
    ];
    prop::collection::vec(prop::sample::select(statements), 1..3)
        .prop_map(|list| policy(PolicyKind::Key, &list))
}

fn contexts() -> impl Strategy<Value = EncryptionContext> {
    prop::collection::btree_map("[ab]", "[xy]", 0..3)
}

fn grants() -> impl Strategy<Value = KmsGrant> {
    let grantees = prop::sample::select(vec![
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::111111111111:user/u",
        "arn:aws:iam::111111111111:role/r",
        "arn:aws:sts::111111111111:assumed-role/r/s",
        "arn:aws:iam::222222222222:user/u",
        "arn:aws:iam::222222222222:role/r",
    ]);
    let operations = prop::sample::subsequence(KmsGrantOperation::ALL.to_vec(), 1..6);
    (grantees, operations, prop::option::of(contexts()), prop::option::of(contexts())).prop_map(
        |(grantee, operations, equals, subset)| KmsGrant {
            id: "g".to_owned(),
            grantee: grantee.parse().expect("a grantee"),
            retiring: None,
            operations,
            constraints: KmsGrantConstraints {
                encryption_context_equals: equals,
                encryption_context_subset: subset,
            },
        },
    )
}

fn requests() -> impl Strategy<Value = Request> {
    let account = |id: &str| AccountId::new(id).expect("an account id");
    let arn = |text: String| Arn::new(text).expect("an ARN");
    let mut principals = Vec::new();
    for id in [OWNER, PARTNER] {
        principals
            .push(Principal::User { arn: arn(format!("arn:aws:iam::{id}:user/u")), account: account(id) });
        principals.push(Principal::AssumedRole {
            session_arn: arn(format!("arn:aws:sts::{id}:assumed-role/r/s")),
            role_arn: arn(format!("arn:aws:iam::{id}:role/r")),
            account: account(id),
        });
        principals
            .push(Principal::Root { arn: arn(format!("arn:aws:iam::{id}:root")), account: account(id) });
    }
    let actions =
        vec!["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:PutKeyPolicy"];
    (prop::sample::select(principals), prop::sample::select(actions)).prop_map(|(principal, action)| {
        Request {
            principal,
            ids: PrincipalIds::default(),
            action: action.to_owned(),
            resource: Resource { arn: "arn:aws:kms:eu-west-1:111111111111:key/k".to_owned(), account: None },
            context: Context::new(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_grant_never_denies_and_undoes_no_deny(
        own in identity_policies(), key in key_policies(), list in prop::collection::vec(grants(), 0..3),
        one in grants(), sent in contexts(), request in requests(),
    ) {
        let ask = |list: &[KmsGrant]| {
            let kms_grants = KmsGrants { list, encryption_context: Some(&sent) };
            decide(&request, &Policies { identity: &own, resource: Some(&key), kms_grants, ..Policies::default() }).outcome()
        };
        let before = ask(&list);
        let mut more = list.clone();
        more.push(one);
        let after = ask(&more);
        prop_assert!(before != Outcome::Allowed || after == Outcome::Allowed);
        prop_assert_eq!(before == Outcome::ExplicitlyDenied, after == Outcome::ExplicitlyDenied);
        // Operations that no grant can have are not affected.
        prop_assert!(request.action != "kms:PutKeyPolicy" || before == after);
        more.reverse();
        prop_assert_eq!(after, ask(&more));
    }

    #[test]
    fn constraints_as_strict_admit_no_more(parent in grants(), child in grants(), sent in contexts()) {
        let as_strict = child.constraints.are_as_strict_as(&parent.constraints);
        prop_assert!(!as_strict || !child.constraints.admit(&sent) || parent.constraints.admit(&sent));
    }
}
