//! Grants: permissions on a key that come and go without its policy.

use serde_json::{Value, json};

use crate::fixture::{ADMIN, listening};
use crate::kms::{ACCOUNT, Client, base64};
use crate::wire::Key;

const VENDOR: Key<'_> = Key::new("AKIAVENDORUSEREXAMPL", "vendorSecret+/0");
const NOBODY: Key<'_> = Key::new("AKIANOBODYUSEREXAMPL", "nobodySecret+/0");
const VENDOR_ARN: &str = "arn:aws:iam::444455556666:user/vendor";
const NOBODY_ARN: &str = "arn:aws:iam::111122223333:user/nobody";

async fn encrypt(client: &Client<'_>, key: &str, context: Value) -> u16 {
    let body = json!({"KeyId": key, "Plaintext": base64(b"data"), "EncryptionContext": context});
    client.ask("Encrypt", body).await.status
}

#[tokio::test]
async fn a_grant_allows_until_it_is_revoked() {
    let (emulator, wire) = listening().await;
    let (admin, nobody) = (Client::new(&wire, ADMIN), Client::new(&wire, NOBODY));
    let key = admin.create_key(json!({})).await;
    assert_eq!(encrypt(&nobody, &key, json!({})).await, 400);
    let body =
        json!({"KeyId": key, "GranteePrincipal": NOBODY_ARN, "Operations": ["Encrypt", "DescribeKey"]});
    let made = admin.ask("CreateGrant", body).await;
    let id = made.text("/GrantId");
    assert_eq!(id.len(), 64);
    assert_eq!(encrypt(&nobody, &key, json!({})).await, 200);
    let explained = emulator.journal().entries().last().unwrap().decisions[0].explain();
    assert!(explained.contains(&format!("grant `{id}`")), "{explained}");
    assert_eq!(nobody.ask("GetKeyPolicy", json!({ "KeyId": key })).await.status, 400);
    let with_token = json!({"KeyId": key, "GrantTokens": [made.text("/GrantToken")]});
    assert_eq!(nobody.ask("DescribeKey", with_token).await.status, 200);
    let wrong = json!({"KeyId": key, "GrantTokens": ["none"]});
    assert_eq!(nobody.ask("DescribeKey", wrong).await.refusal().1, "InvalidGrantTokenException");
    let revoke = json!({"KeyId": key, "GrantId": id});
    assert_eq!(nobody.ask("RevokeGrant", revoke.clone()).await.refusal().1, "AccessDeniedException");
    assert_eq!(admin.ask("RevokeGrant", revoke.clone()).await.status, 200);
    assert_eq!(encrypt(&nobody, &key, json!({})).await, 400);
    assert_eq!(admin.ask("RevokeGrant", revoke).await.refusal().1, "NotFoundException");
}

#[tokio::test]
async fn constraints_hold_the_encryption_context() {
    let (_emulator, wire) = listening().await;
    let (admin, vendor) = (Client::new(&wire, ADMIN), Client::new(&wire, VENDOR));
    for (constraint, contexts) in [
        (
            "EncryptionContextEquals",
            [(json!({"a": "1"}), 200), (json!({"a": "1", "b": "2"}), 400), (json!({}), 400)],
        ),
        (
            "EncryptionContextSubset",
            [(json!({"a": "1"}), 200), (json!({"a": "1", "b": "2"}), 200), (json!({"A": "1"}), 400)],
        ),
    ] {
        let key = admin.create_key(json!({})).await;
        let body = json!({"KeyId": key, "GranteePrincipal": VENDOR_ARN, "Operations": ["Encrypt"],
            "Constraints": {constraint: {"a": "1"}}});
        assert_eq!(admin.ask("CreateGrant", body).await.status, 200);
        for (context, status) in contexts {
            assert_eq!(encrypt(&vendor, &key, context.clone()).await, status, "{constraint} {context}");
        }
    }
}

#[tokio::test]
async fn grants_are_listed_by_key_and_by_retiring_principal() {
    let (_emulator, wire) = listening().await;
    let (admin, vendor) = (Client::new(&wire, ADMIN), Client::new(&wire, VENDOR));
    let key = admin.create_key(json!({})).await;
    let body = json!({"KeyId": key, "GranteePrincipal": NOBODY_ARN, "RetiringPrincipal": VENDOR_ARN, "Name": "loader",
        "Operations": ["Decrypt"], "Constraints": {"EncryptionContextSubset": {"a": "1"}}});
    let first = admin.ask("CreateGrant", body.clone()).await;
    // Asked for again, a named grant stays one, with another token.
    let again = admin.ask("CreateGrant", body.clone()).await;
    assert_eq!(first.text("/GrantId"), again.text("/GrantId"));
    assert_ne!(first.text("/GrantToken"), again.text("/GrantToken"));
    let listed = admin.ask("ListGrants", json!({ "KeyId": key })).await;
    let shown = json!({
        "KeyId": key, "GrantId": first.text("/GrantId"), "Name": "loader", "CreationDate": 1_767_225_600.0,
        "GranteePrincipal": NOBODY_ARN, "RetiringPrincipal": VENDOR_ARN,
        "IssuingAccount": format!("arn:aws:iam::{ACCOUNT}:root"), "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextSubset": {"a": "1"}},
    });
    assert_eq!(listed.body, json!({"Grants": [shown], "Truncated": false}));
    let retirable = vendor.ask("ListRetirableGrants", json!({ "RetiringPrincipal": VENDOR_ARN })).await;
    assert_eq!(retirable.body["Grants"], json!([shown]));
    let foreign = admin.ask("ListRetirableGrants", json!({ "RetiringPrincipal": VENDOR_ARN })).await;
    assert_eq!(foreign.refusal().1, "InvalidArnException");
    let mut other = body;
    other["Name"] = "other".into();
    admin.ask("CreateGrant", other).await;
    let page = admin.ask("ListGrants", json!({"KeyId": key, "Limit": 1})).await;
    assert_eq!((page.body["Grants"].as_array().unwrap().len(), &page.body["Truncated"]), (1, &json!(true)));
    let by_id = admin.ask("ListGrants", json!({"KeyId": key, "GrantId": first.text("/GrantId")})).await;
    assert_eq!(by_id.body["Grants"], json!([shown]));
}

#[tokio::test]
async fn only_the_retiring_principal_and_a_grantee_who_may_retire_a_grant() {
    let (_emulator, wire) = listening().await;
    let (admin, vendor, nobody) =
        (Client::new(&wire, ADMIN), Client::new(&wire, VENDOR), Client::new(&wire, NOBODY));
    let key = admin.create_key(json!({})).await;
    let create = async |operations: Value, retiring: &str| {
        let body = json!({"KeyId": key, "GranteePrincipal": NOBODY_ARN, "RetiringPrincipal": retiring, "Operations": operations});
        admin.ask("CreateGrant", body).await
    };
    let admin_arn = format!("arn:aws:iam::{ACCOUNT}:user/admin");
    let grant = create(json!(["Decrypt"]), VENDOR_ARN).await;
    let by_id = json!({"KeyId": key, "GrantId": grant.text("/GrantId")});
    assert_eq!(nobody.ask("RetireGrant", by_id.clone()).await.refusal().1, "AccessDeniedException");
    assert_eq!(vendor.ask("RetireGrant", by_id).await.status, 200);
    let grant = create(json!(["Decrypt", "RetireGrant"]), &admin_arn).await;
    let by_token = json!({"GrantToken": grant.text("/GrantToken")});
    assert_eq!(vendor.ask("RetireGrant", by_token.clone()).await.refusal().1, "AccessDeniedException");
    assert_eq!(nobody.ask("RetireGrant", by_token.clone()).await.status, 200);
    assert_eq!(nobody.ask("RetireGrant", by_token).await.refusal().1, "InvalidGrantTokenException");
    assert_eq!(nobody.ask("RetireGrant", json!({})).await.refusal().1, "ValidationException");
    // One grant does not retire another.
    let mine = create(json!(["RetireGrant"]), &admin_arn).await;
    let other = create(json!(["Decrypt"]), &admin_arn).await;
    let by_id = json!({"KeyId": key, "GrantId": other.text("/GrantId")});
    assert_eq!(nobody.ask("RetireGrant", by_id).await.refusal().1, "AccessDeniedException");
    let by_id = json!({"KeyId": key, "GrantId": mine.text("/GrantId")});
    assert_eq!(nobody.ask("RetireGrant", by_id).await.status, 200);
}

#[tokio::test]
async fn a_grant_passes_on_no_more_than_it_has() {
    let (_emulator, wire) = listening().await;
    let (admin, vendor, nobody) =
        (Client::new(&wire, ADMIN), Client::new(&wire, VENDOR), Client::new(&wire, NOBODY));
    let key = admin.create_key(json!({})).await;
    let body = json!({"KeyId": key, "GranteePrincipal": VENDOR_ARN, "Operations": ["CreateGrant", "Encrypt"],
        "Constraints": {"EncryptionContextSubset": {"a": "1"}}});
    assert_eq!(admin.ask("CreateGrant", body).await.status, 200);
    let pass_on = async |operations: Value, constraints: Value| {
        let body = json!({"KeyId": key, "GranteePrincipal": NOBODY_ARN, "Operations": operations, "Constraints": constraints});
        vendor.ask("CreateGrant", body).await
    };
    let strict = json!({"EncryptionContextSubset": {"a": "1", "b": "2"}});
    for (operations, constraints) in [
        (json!(["Encrypt", "Decrypt"]), strict.clone()),
        (json!(["Encrypt"]), json!({})),
        (json!(["Encrypt"]), json!({"EncryptionContextSubset": {"b": "2"}})),
    ] {
        let refused = pass_on(operations.clone(), constraints.clone()).await;
        assert_eq!(refused.refusal().1, "AccessDeniedException", "{operations} {constraints}");
    }
    assert_eq!(pass_on(json!(["Encrypt"]), strict).await.status, 200);
    assert_eq!(encrypt(&nobody, &key, json!({"a": "1"})).await, 400);
    assert_eq!(encrypt(&nobody, &key, json!({"a": "1", "b": "2"})).await, 200);
    let listed = admin.ask("ListGrants", json!({"KeyId": key, "GranteePrincipal": NOBODY_ARN})).await;
    assert_eq!(listed.text("/Grants/0/IssuingAccount"), "arn:aws:iam::444455556666:root");
}

#[tokio::test]
async fn grants_are_checked_before_they_are_made() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let key = admin.create_key(json!({})).await;
    let good = json!({"KeyId": key, "GranteePrincipal": NOBODY_ARN, "Operations": ["Encrypt"]});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    for (body, code) in [
        (with("GranteePrincipal", json!("arn:aws:iam::111122223333:user/ghost")), "InvalidArnException"),
        (with("GranteePrincipal", json!("nobody")), "InvalidArnException"),
        (with("GranteePrincipal", Value::Null), "ValidationException"),
        (with("Operations", json!(["Dance"])), "ValidationException"),
        (with("Operations", json!(["Sign"])), "ValidationException"),
        (with("Operations", json!("Encrypt")), "SerializationException"),
        (with("Constraints", json!({"SourceArn": "arn:aws:s3:::logs"})), "UnsupportedOperationException"),
        (with("KeyId", json!("alias/aws/s3")), "NotFoundException"),
        (with("DryRun", json!(true)), "DryRunOperationException"),
    ] {
        assert_eq!(admin.ask("CreateGrant", body.clone()).await.refusal().1, code, "{body}");
    }
    assert_eq!(admin.ask("ListGrants", json!({ "KeyId": key })).await.body["Grants"], json!([]));
    admin.ask("DisableKey", json!({ "KeyId": key })).await;
    assert_eq!(admin.ask("CreateGrant", good).await.refusal().1, "DisabledException");
}

#[tokio::test]
async fn what_may_be_granted_can_be_held_back_by_conditions() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let put = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:PutKeyPolicy", "Resource": "*"});
    for (condition, allowed) in [
        (json!({"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]}}), true),
        (json!({"ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt"]}}), false),
        (json!({"StringEquals": {"kms:GranteePrincipal": NOBODY_ARN}}), true),
        (json!({"StringEquals": {"kms:GranteePrincipal": VENDOR_ARN}}), false),
        (json!({"StringEquals": {"kms:RetiringPrincipal": VENDOR_ARN}}), true),
        (json!({"StringEquals": {"kms:GrantConstraintType": "EncryptionContextEquals"}}), true),
        (json!({"StringEquals": {"kms:GrantConstraintType": "EncryptionContextSubset"}}), false),
        (json!({"StringEquals": {"kms:EncryptionContext:a": "1"}}), true),
        (json!({"Bool": {"kms:GrantIsForAWSResource": "true"}}), false),
    ] {
        let grant = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:CreateGrant",
            "Resource": "*", "Condition": condition});
        let policy = json!({"Version": "2012-10-17", "Statement": [put, grant]}).to_string();
        let key = admin.create_key(json!({ "Policy": policy })).await;
        let body = json!({"KeyId": key, "GranteePrincipal": NOBODY_ARN, "RetiringPrincipal": VENDOR_ARN,
            "Operations": ["Encrypt"], "Constraints": {"EncryptionContextEquals": {"a": "1"}}});
        let reply = admin.ask("CreateGrant", body).await;
        assert_eq!(reply.status == 200, allowed, "{condition}: {reply:?}");
    }
}
