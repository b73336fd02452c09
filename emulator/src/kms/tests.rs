//! What a service does with a key on behalf of its caller, as S3 does it for an encrypted object.

use std::net::{IpAddr, Ipv4Addr};

use bucketproof_authz::EncryptionContext;
use bucketproof_clock::Entropy;
use http::Request;
use jiff::Timestamp;

use super::on_behalf;
use crate::addressing::Domains;
use crate::authenticate::{Authenticated, Caller, Payload};
use crate::authorize::{Authorized, authorize};
use crate::error::AwsError;
use crate::head::Head;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::scenario::{Scenario, build};
use crate::state::{DataKey, KeyError, KeyScope, Keys, ResolvedKey, World};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// The part of a write that concerns keys.
struct Encrypted {
    key: ResolvedKey,
    context: EncryptionContext,
}

impl Operation for Encrypted {
    type Output = DataKey;
    const OP: Op = Op::PutObject;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_behalf("s3", "kms:GenerateDataKey", self.key.clone(), &self.context)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<DataKey, AwsError> {
        let Self { key, context } = authorized.into_operation();
        let made = world.generate_data_key(&key, 32, &context, now);
        made.map_err(KeyError::in_s3)
    }
}

fn new_year() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// An owner with a key under `policy`, a user `writer` who may use it, and a partner with the same.
fn world(policy: &str) -> World {
    let user = |key: &str| {
        format!(
            r#"
            [[account.user]]
            name = "writer"
            policies = ['{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"*"}}}}']
            [[account.user.access_key]]
            id = "{key}"
            secret = "secret"
            "#
        )
    };
    let text = format!(
        r#"
        [[account]]
        id = "111122223333"
        name = "owner"
        {}
        [[account.kms_key]]
        id = "1234abcd-12ab-34cd-56ef-1234567890ab"
        policy = '{policy}'
        [[account]]
        id = "444455556666"
        name = "partner"
        {}
        "#,
        user("AKIAOWNERWRITEREXAMP"),
        user("AKIAPARTNERWRITEREXA"),
    );
    build(&Scenario::from_toml(&text).unwrap(), Entropy::seeded(1), new_year()).unwrap()
}

/// One statement for everybody in the owner's account.
fn policy(effect: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"111122223333"}},"Action":"kms:PutKeyPolicy","Resource":"*"}},{{"Effect":"{effect}","Principal":{{"AWS":"111122223333"}},"Action":"kms:*","Resource":"*","Condition":{condition}}}]}}"#
    )
}

fn write(world: &mut World, access_key: &str, key: ResolvedKey) -> Result<DataKey, AwsError> {
    let context = [("aws:s3:arn".to_owned(), "arn:aws:s3:::logs/a".to_owned())].into();
    let holder = world.accounts.access_key(access_key).unwrap();
    let authenticated = Authenticated {
        caller: Caller::Known(world.accounts.identity(holder).unwrap()),
        carrier: None,
        region: Some("us-east-1".to_owned()),
        signed_at: None,
        payload: Payload::Unsigned,
    };
    let (parts, ()) = Request::new(()).into_parts();
    let head = Head::new(parts, IpAddr::V4(Ipv4Addr::LOCALHOST), &Domains::default());
    let mut decided = Vec::new();
    let operation = Encrypted { key, context };
    let authorized = authorize(operation, &authenticated, &head, world, new_year(), &mut decided)?;
    Encrypted::apply(authorized, world, new_year())
}

fn key_of_owner(world: &World) -> ResolvedKey {
    world.keys.find(KEY).unwrap().resolved()
}

#[test]
fn policies_see_the_service_and_the_context_of_the_object_but_not_the_callers_address() {
    for (condition, allowed) in [
        (r#"{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}"#, true),
        (r#"{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}"#, false),
        (r#"{"StringEquals":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::logs/a"}}"#, true),
        (r#"{"StringEquals":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::logs"}}"#, false),
        (r#"{"StringEquals":{"kms:CallerAccount":"111122223333"}}"#, true),
        (r#"{"Bool":{"aws:ViaAWSService":"true"}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"aws:CalledVia":"s3.amazonaws.com"}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}"#, false),
    ] {
        let mut world = world(&policy("Allow", condition));
        let key = key_of_owner(&world);
        let written = write(&mut world, "AKIAOWNERWRITEREXAMP", key);
        assert_eq!(written.is_ok(), allowed, "{condition}: {written:?}");
    }
}

#[test]
fn a_missing_permission_is_the_access_denied_of_s3() {
    let mut world = world(&policy("Allow", r#"{"Bool":{"aws:ViaAWSService":"false"}}"#));
    let key = key_of_owner(&world);
    let refused = write(&mut world, "AKIAOWNERWRITEREXAMP", key.clone()).unwrap_err();
    let text = format!(
        "User: arn:aws:iam::111122223333:user/writer is not authorized to perform: kms:GenerateDataKey on resource: \
         {KEY} because no resource-based policy allows the kms:GenerateDataKey action"
    );
    assert_eq!((refused.status.as_u16(), &*refused.code, refused.message), (403, "AccessDenied", text));
    let refused = write(&mut world, "AKIAPARTNERWRITEREXA", key).unwrap_err();
    assert_eq!((refused.status.as_u16(), &*refused.code), (403, "AccessDenied"));
    assert!(refused.message.contains("on this resource because the resource does not exist in this Region"));
}

#[test]
fn the_managed_key_serves_its_own_account_through_s3() {
    let mut world = world(&policy("Allow", "{}"));
    let own = |account: &str| {
        let account = account.parse().unwrap();
        Keys::managed_by_s3(&KeyScope::new(account, "us-east-1")).unwrap()
    };
    let owners = own("111122223333");
    assert!(write(&mut world, "AKIAPARTNERWRITEREXA", owners.clone()).is_err());
    assert!(world.keys.find(owners.arn.as_str()).is_none(), "a refused use makes no key");
    let written = write(&mut world, "AKIAOWNERWRITEREXAMP", owners.clone()).unwrap();
    assert_eq!(written.key_arn, owners.arn);
    assert!(write(&mut world, "AKIAPARTNERWRITEREXA", own("444455556666")).is_ok());
}
