//! AWS's sentences, by caller and by what stood in the way.

#![expect(clippy::expect_used, reason = "a broken fixture fails its test")]

use bucketproof_authz::{
    AccountId, Arn, Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Request,
    Resource, decide,
};

const OWNER: &str = "111111111111";
const OBJECT: &str = "arn:aws:s3:::b/k";
const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/k";
const ROLE: &str = "arn:aws:iam::111111111111:role/r";

fn policy(kind: PolicyKind, statement: &str) -> Policy {
    Policy::parse(&format!(r#"{{"Statement":[{statement}]}}"#), PolicySource::new(kind, "p"))
        .expect("a policy")
}

fn allow(kind: PolicyKind) -> Policy {
    policy(kind, r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#)
}

fn deny(kind: PolicyKind) -> Policy {
    policy(kind, r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#)
}

fn other(kind: PolicyKind) -> Policy {
    policy(kind, r#"{"Effect":"Allow","Action":"sqs:*","Resource":"*"}"#)
}

fn say(account: &str, action: &str, arn: &str, policies: &Policies<'_>) -> String {
    let request = Request {
        principal: Principal::User {
            arn: Arn::new(format!("arn:aws:iam::{account}:user/u")).expect("an ARN"),
            account: AccountId::new(account).expect("an account id"),
        },
        ids: PrincipalIds::default(),
        action: action.to_owned(),
        resource: Resource { arn: arn.to_owned(), account: AccountId::new(OWNER).ok() },
        context: Context::new(),
    };
    decide(&request, policies).aws_message()
}

fn own(policies: &Policies<'_>) -> String {
    let message = say(OWNER, "s3:GetObject", OBJECT, policies);
    let start = "User: arn:aws:iam::111111111111:user/u is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/k\" ";
    message.strip_prefix(start).expect(&message).to_owned()
}

#[test]
fn s3_tells_its_own_account_which_kind_of_policy_it_was() {
    use PolicyKind::{Boundary, Bucket, Identity, ServiceControl, Session};
    let allowed = [allow(Identity)];
    let none = Policies::default();
    let with = Policies { identity: &allowed, ..Policies::default() };
    assert_eq!(own(&none), "because no identity-based policy allows the s3:GetObject action");
    let denied = [deny(Identity)];
    assert_eq!(
        own(&Policies { identity: &denied, ..none }),
        "with an explicit deny in an identity-based policy"
    );
    let managed = policy(Identity, r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#);
    let source = managed.source().clone().with_arn("arn:aws:iam::111111111111:policy/No");
    let managed = [Policy::parse(managed.text(), source).expect("a policy")];
    assert_eq!(
        own(&Policies { identity: &managed, ..none }),
        "with an explicit deny in an identity-based policy: arn:aws:iam::111111111111:policy/No"
    );
    let (silent, forbids) = ([other(Boundary)], [deny(Boundary)]);
    assert_eq!(
        own(&Policies { boundary: Some(&silent), ..with }),
        "because no permissions boundary allows the s3:GetObject action"
    );
    assert_eq!(
        own(&Policies { boundary: Some(&forbids), ..with }),
        "with an explicit deny in a permissions boundary"
    );
    let (silent, forbids) = ([other(Session)], [deny(Session)]);
    assert_eq!(
        own(&Policies { session: Some(&silent), ..with }),
        "because no session policy allows the s3:GetObject action"
    );
    assert_eq!(
        own(&Policies { session: Some(&forbids), ..with }),
        "with an explicit deny in a session policy"
    );
    let (silent, forbids) = ([vec![other(ServiceControl)]], [vec![deny(ServiceControl)]]);
    assert_eq!(
        own(&Policies { service_control: &silent, ..with }),
        "because no service control policy allows the s3:GetObject action"
    );
    assert_eq!(
        own(&Policies { service_control: &forbids, ..with }),
        "with an explicit deny in a service control policy"
    );
    let bucket =
        policy(Bucket, r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}"#);
    assert_eq!(
        own(&Policies { resource: Some(&bucket), ..with }),
        "with an explicit deny in a resource-based policy"
    );
    assert_eq!(say("222222222222", "s3:GetObject", OBJECT, &with), "Access Denied");
    assert_eq!(
        say(OWNER, "s3:ListAllMyBuckets", "*", &none),
        "User: arn:aws:iam::111111111111:user/u is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action"
    );
}

/// The key's account hides the key; what the caller's own account forbids hides nothing.
#[test]
fn kms_tells_other_accounts_little() {
    let hidden = "User: arn:aws:iam::222222222222:user/u is not authorized to perform: kms:Decrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access";
    let open = "User: arn:aws:iam::222222222222:user/u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111111111111:key/k ";
    let partner = |policies: &Policies<'_>| say("222222222222", "kms:Decrypt", KEY, policies);
    let own = [allow(PolicyKind::Identity)];
    let statement = |effect: &str| {
        policy(
            PolicyKind::Key,
            &format!(
                r#"{{"Effect":"{effect}","Principal":{{"AWS":"222222222222"}},"Action":"kms:*","Resource":"*"}}"#
            ),
        )
    };
    let (grants, denies) = (statement("Allow"), statement("Deny"));
    assert_eq!(partner(&Policies { identity: &own, ..Policies::default() }), hidden);
    assert_eq!(partner(&Policies { identity: &own, resource: Some(&denies), ..Policies::default() }), hidden);
    assert_eq!(partner(&Policies::default()), hidden);
    assert_eq!(
        partner(&Policies { resource: Some(&grants), ..Policies::default() }),
        format!("{open}because no identity-based policy allows the kms:Decrypt action")
    );
    let own_deny = [deny(PolicyKind::Identity)];
    assert_eq!(
        partner(&Policies { identity: &own_deny, resource: Some(&grants), ..Policies::default() }),
        format!("{open}with an explicit deny in an identity-based policy")
    );
}

#[test]
fn sts_has_one_sentence_but_for_denies_of_the_callers_own() {
    let plain = "User: arn:aws:iam::111111111111:user/u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/r";
    let ask = |policies: &Policies<'_>| say(OWNER, "sts:AssumeRole", ROLE, policies);
    let own = [allow(PolicyKind::Identity)];
    let trust = policy(
        PolicyKind::Trust,
        r#"{"Effect":"Deny","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}"#,
    );
    assert_eq!(ask(&Policies::default()), plain);
    assert_eq!(ask(&Policies { identity: &own, ..Policies::default() }), plain);
    assert_eq!(ask(&Policies { identity: &own, resource: Some(&trust), ..Policies::default() }), plain);
    let denied = [deny(PolicyKind::Identity)];
    assert_eq!(
        ask(&Policies { identity: &denied, ..Policies::default() }),
        format!("{plain} with an explicit deny in an identity-based policy")
    );
}
