//! Who may use a key: key policies, identity policies, conditions, other accounts.

use bucketproof_emulator::{Emulator, Scenario};
use serde_json::{Value, json};

use crate::fixture::{ADMIN, EXTERNAL_ID, ROLE_ARN, emulator, listening, new_year};
use crate::kms::{ACCOUNT, Client, base64};
use crate::wire::{Key, Wire};

const VENDOR: Key<'_> = Key::new("AKIAVENDORUSEREXAMPL", "vendorSecret+/0");
const NOBODY: Key<'_> = Key::new("AKIANOBODYUSEREXAMPL", "nobodySecret+/0");

fn policy(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// The account decides with its own policies.
fn delegation() -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"})
}

async fn key_with(admin: &Client<'_>, statements: Value) -> String {
    admin.create_key(json!({ "Policy": policy(&statements) })).await
}

async fn encrypt(client: &Client<'_>, key: &str, context: Value) -> (u16, String) {
    let body = json!({"KeyId": key, "Plaintext": base64(b"data"), "EncryptionContext": context});
    let reply = client.ask("Encrypt", body).await;
    (reply.status, reply.refusal().2.to_owned())
}

#[tokio::test]
async fn without_a_statement_of_the_key_policy_an_administrator_may_nothing() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let nobody = Client::new(&wire, NOBODY);
    let user = format!("arn:aws:iam::{ACCOUNT}:user/nobody");
    let mine = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/admin")},
        "Action": ["kms:PutKeyPolicy", "kms:DescribeKey"], "Resource": "*"});
    let his =
        json!({"Effect": "Allow", "Principal": {"AWS": user}, "Action": "kms:Encrypt", "Resource": "*"});
    let key = key_with(&admin, json!([mine, his])).await;
    let (status, message) = encrypt(&admin, &key, json!({})).await;
    let expected = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/admin is not authorized to perform: kms:Encrypt on resource: {key} because \
         no resource-based policy allows the kms:Encrypt action"
    );
    assert_eq!((status, message), (400, expected));
    // Who is named directly needs no policy of his own.
    assert_eq!(encrypt(&nobody, &key, json!({})).await.0, 200);
    let delegated = admin.create_key(json!({})).await;
    let expected = format!(
        "User: {user} is not authorized to perform: kms:Encrypt on resource: {delegated} because no identity-based \
         policy allows the kms:Encrypt action"
    );
    assert_eq!(encrypt(&nobody, &delegated, json!({})).await, (400, expected));
    assert_eq!(encrypt(&admin, &delegated, json!({})).await.0, 200);
}

#[tokio::test]
async fn a_deny_of_the_key_policy_wins_and_is_taken_back_with_the_policy() {
    let (emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let key = admin.create_key(json!({})).await;
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*",
        "Condition": {"StringNotEquals": {"kms:EncryptionContext:team": "raw"}}});
    let put = json!({"KeyId": key, "PolicyName": "default", "Policy": policy(&json!([delegation(), deny]))});
    assert_eq!(admin.ask("PutKeyPolicy", put.clone()).await.status, 200);
    let got = admin.ask("GetKeyPolicy", json!({ "KeyId": key })).await;
    assert_eq!(
        (got.text("/Policy"), got.text("/PolicyName")),
        (put["Policy"].as_str().unwrap().to_owned(), "default".to_owned())
    );
    let (status, message) = encrypt(&admin, &key, json!({})).await;
    assert!(message.ends_with("with an explicit deny in a resource-based policy"), "{message}");
    assert_eq!(status, 400);
    assert_eq!(encrypt(&admin, &key, json!({"team": "Raw"})).await.0, 400);
    assert_eq!(encrypt(&admin, &key, json!({"team": "raw", "more": "x"})).await.0, 200);
    let explained = emulator.journal().denied().last().unwrap().explain();
    assert!(explained.contains("kms:EncryptionContext:team"), "{explained}");
    let put = json!({"KeyId": key, "Policy": policy(&json!([delegation()]))});
    assert_eq!(admin.ask("PutKeyPolicy", put).await.status, 200);
    assert_eq!(encrypt(&admin, &key, json!({})).await.0, 200);
}

#[tokio::test]
async fn nobody_locks_himself_out_by_accident() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let key = admin.create_key(json!({})).await;
    let decrypt_only = policy(
        &json!([{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:Decrypt", "Resource": "*"}]),
    );
    let locked = (
        400,
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
    );
    let put = json!({"KeyId": key, "Policy": decrypt_only});
    assert_eq!(admin.ask("PutKeyPolicy", put.clone()).await.refusal(), locked);
    assert_eq!(admin.ask("CreateKey", json!({ "Policy": decrypt_only })).await.refusal(), locked);
    let mut bypassed = put;
    bypassed["BypassPolicyLockoutSafetyCheck"] = true.into();
    assert_eq!(admin.ask("PutKeyPolicy", bypassed).await.status, 200);
    let repaired = json!({"KeyId": key, "Policy": policy(&json!([delegation()]))});
    assert_eq!(admin.ask("PutKeyPolicy", repaired).await.refusal().1, "AccessDeniedException");
    let ghost = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/ghost")},
        "Action": "kms:*", "Resource": "*"});
    let put = json!({ "Policy": policy(&json!([delegation(), ghost])) });
    assert_eq!(
        admin.ask("CreateKey", put).await.refusal(),
        (
            400,
            "MalformedPolicyDocumentException",
            "Policy contains a statement with one or more invalid principals."
        )
    );
    let name = json!({"KeyId": key, "PolicyName": "other", "Policy": "{}"});
    let message = "No such policy exists";
    assert_eq!(admin.ask("PutKeyPolicy", name).await.refusal(), (400, "NotFoundException", message));
}

#[tokio::test]
async fn another_account_needs_both_sides_and_the_arn() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let vendor = Client::new(&wire, VENDOR);
    let shared = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:DisableKey"], "Resource": "*"});
    let key = key_with(&admin, json!([delegation(), shared])).await;
    let own = admin.create_key(json!({})).await;
    assert_eq!(encrypt(&vendor, &key, json!({})).await.0, 200);
    assert_eq!(
        vendor.ask("DescribeKey", json!({ "KeyId": key })).await.text("/KeyMetadata/AWSAccountId"),
        ACCOUNT
    );
    let user = "User: arn:aws:iam::444455556666:user/vendor is not authorized to perform: kms:Encrypt";
    let forbidden = format!(
        "{user} on this resource because the resource does not exist in this Region, no resource-based policies allow \
         access, or a resource-based policy explicitly denies access"
    );
    let missing = format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/134f2428-cec1-4b25-a1ae-9048164dba47");
    for reference in [own.as_str(), missing.as_str()] {
        assert_eq!(encrypt(&vendor, reference, json!({})).await, (400, forbidden.clone()), "{reference}");
    }
    // A bare id is one of the caller's own account, and some operations stay at home.
    let (_, id) = key.rsplit_once('/').unwrap();
    let message = format!("Key 'arn:aws:kms:us-east-1:444455556666:key/{id}' does not exist");
    assert_eq!(encrypt(&vendor, id, json!({})).await, (400, message));
    let disabled = vendor.ask("DisableKey", json!({ "KeyId": key })).await;
    assert_eq!(disabled.refusal().1, "AccessDeniedException");
    // The blob of another account's key opens without naming the key.
    let sealed = admin.ask("Encrypt", json!({"KeyId": key, "Plaintext": base64(b"data")})).await;
    let opened = vendor.ask("Decrypt", json!({ "CiphertextBlob": sealed.text("/CiphertextBlob") })).await;
    assert_eq!(opened.text("/Plaintext"), base64(b"data"));
    let sealed = admin.ask("Encrypt", json!({"KeyId": own, "Plaintext": base64(b"data")})).await;
    let refused = vendor.ask("Decrypt", json!({ "CiphertextBlob": sealed.text("/CiphertextBlob") })).await;
    assert_eq!(refused.refusal().2, forbidden.replace("kms:Encrypt", "kms:Decrypt"));
}

#[tokio::test]
async fn across_accounts_the_callers_own_side_is_told_and_the_other_is_not() {
    let text = r#"
        [[account]]
        id = "111122223333"
        name = "owner"
        [[account.kms_key]]
        id = "1234abcd-12ab-34cd-56ef-1234567890ab"
        policy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}'
        [[account]]
        id = "444455556666"
        name = "partner"
        [[account.user]]
        name = "bare"
        [[account.user.access_key]]
        id = "AKIABAREUSEREXAMPLE0"
        secret = "bareSecret"
        [[account.user]]
        name = "denied"
        policies = ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}]}']
        [[account.user.access_key]]
        id = "AKIADENIEDUSEREXAMPL"
        secret = "deniedSecret"
        "#;
    let listen = "127.0.0.1:0".parse().unwrap();
    let builder = Emulator::builder()
        .scenario(Scenario::from_toml(text).unwrap())
        .clock(new_year())
        .seed(7)
        .listen(listen);
    let emulator = builder.start().await.unwrap();
    let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
    let key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let missing = "arn:aws:kms:us-east-1:111122223333:key/134f2428-cec1-4b25-a1ae-9048164dba47";
    let told = |who: &str, key: &str, why: &str| {
        format!(
            "User: arn:aws:iam::444455556666:user/{who} is not authorized to perform: kms:Encrypt on resource: {key} {why}"
        )
    };
    let bare = Client::new(&wire, Key::new("AKIABAREUSEREXAMPLE0", "bareSecret"));
    let why = "because no identity-based policy allows the kms:Encrypt action";
    assert_eq!(encrypt(&bare, key, json!({})).await, (400, told("bare", key, why)));
    // Where the other side does not allow either, its silence is all that is told.
    let (_, message) = encrypt(&bare, missing, json!({})).await;
    assert!(
        message.contains("on this resource because the resource does not exist in this Region"),
        "{message}"
    );
    let denied = Client::new(&wire, Key::new("AKIADENIEDUSEREXAMPL", "deniedSecret"));
    for key in [key, missing] {
        let why = "with an explicit deny in an identity-based policy";
        assert_eq!(encrypt(&denied, key, json!({})).await, (400, told("denied", key, why)));
    }
}

/// Whether an operation is allowed under a statement with this condition alone.
async fn allowed_under(wire: &Wire, condition: Value, operation: &str, body: Value) -> bool {
    let admin = Client::new(wire, ADMIN);
    let mine = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": ["kms:PutKeyPolicy", "kms:TagResource",
        "kms:CreateAlias"], "Resource": "*"});
    let tried = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": format!("kms:{operation}"),
        "Resource": "*", "Condition": condition});
    let body_of_key =
        json!({"Policy": policy(&json!([mine, tried])), "Tags": [{"TagKey": "team", "TagValue": "raw"}]});
    let key = admin.create_key(body_of_key).await;
    let alias = format!("alias/key-{}", key.rsplit('/').next().unwrap());
    admin.ask("CreateAlias", json!({"AliasName": alias, "TargetKeyId": key})).await;
    let mut body = body;
    let by_alias = body["KeyId"] == json!("alias");
    body["KeyId"] = if by_alias { alias.into() } else { key.into() };
    let reply = admin.ask(operation, body).await;
    assert!(reply.status == 200 || reply.refusal().1 == "AccessDeniedException", "{reply:?}");
    reply.status == 200
}

#[tokio::test]
async fn conditions_see_the_request_and_the_key() {
    let (_emulator, wire) = listening().await;
    let encrypt = |context: Value| json!({"Plaintext": base64(b"x"), "EncryptionContext": context});
    let equals = |key: &str, value: &str| json!({ "StringEquals": { key: value } });
    for (condition, operation, body, allowed) in [
        (equals("kms:CallerAccount", ACCOUNT), "Encrypt", encrypt(json!({})), true),
        (equals("kms:CallerAccount", "444455556666"), "Encrypt", encrypt(json!({})), false),
        (equals("kms:ViaService", "s3.us-east-1.amazonaws.com"), "Encrypt", encrypt(json!({})), false),
        (equals("kms:EncryptionContext:Team", "raw"), "Encrypt", encrypt(json!({"Team": "raw"})), true),
        (equals("kms:EncryptionContext:Team", "raw"), "Encrypt", encrypt(json!({"Team": "RAW"})), false),
        (
            json!({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "Team"}}),
            "Encrypt",
            encrypt(json!({"Team": "raw", "a": "b"})),
            true,
        ),
        (
            json!({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "Team"}}),
            "Encrypt",
            encrypt(json!({"team": "raw"})),
            false,
        ),
        (json!({"Null": {"kms:EncryptionContextKeys": "true"}}), "Encrypt", encrypt(json!({})), true),
        (equals("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"), "Encrypt", encrypt(json!({})), true),
        (equals("kms:KeySpec", "SYMMETRIC_DEFAULT"), "GetKeyPolicy", json!({}), true),
        (equals("kms:KeyUsage", "SIGN_VERIFY"), "GetKeyPolicy", json!({}), false),
        (equals("kms:KeyOrigin", "AWS_KMS"), "GetKeyPolicy", json!({}), true),
        (json!({"Bool": {"kms:MultiRegion": "false"}}), "GetKeyPolicy", json!({}), true),
        (equals("aws:ResourceTag/team", "raw"), "Encrypt", encrypt(json!({})), true),
        (equals("aws:ResourceTag/team", "cooked"), "Encrypt", encrypt(json!({})), false),
        (
            json!({"StringLike": {"kms:RequestAlias": "alias/key-*"}}),
            "DescribeKey",
            json!({"KeyId": "alias"}),
            true,
        ),
        (json!({"StringLike": {"kms:RequestAlias": "alias/key-*"}}), "DescribeKey", json!({}), false),
        (
            json!({"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/key-*"}}),
            "DescribeKey",
            json!({}),
            true,
        ),
        (
            json!({"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/other"}}),
            "DescribeKey",
            json!({}),
            false,
        ),
        (
            json!({"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}}),
            "ScheduleKeyDeletion",
            json!({"PendingWindowInDays": 7}),
            true,
        ),
        (
            json!({"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}}),
            "ScheduleKeyDeletion",
            json!({}),
            false,
        ),
        (
            json!({"NumericEquals": {"kms:RotationPeriodInDays": "180"}}),
            "EnableKeyRotation",
            json!({"RotationPeriodInDays": 180}),
            true,
        ),
        (
            json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}),
            "UntagResource",
            json!({"TagKeys": ["team"]}),
            true,
        ),
        (
            json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}),
            "UntagResource",
            json!({"TagKeys": ["team", "cost"]}),
            false,
        ),
    ] {
        let found = allowed_under(&wire, condition.clone(), operation, body.clone()).await;
        assert_eq!(found, allowed, "{operation} {body} under {condition}");
    }
}

#[tokio::test]
async fn creating_keys_with_tags_or_a_bypass_can_be_held_back() {
    let statement = |more: &str| {
        format!(
            r#"
            [[account]]
            id = "{ACCOUNT}"
            name = "owner"
            [[account.user]]
            name = "creator"
            policies = ['{{"Version":"2012-10-17","Statement":[{more}]}}']
            [[account.user.access_key]]
            id = "AKIACREATORUSEREXAMP"
            secret = "creatorSecret"
            "#
        )
    };
    let create = r#"{"Effect":"Allow","Action":"kms:CreateKey","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:RequestTag/team":"raw"},"Bool":{"kms:BypassPolicyLockoutSafetyCheck":"false"}}}"#;
    let tag = r#",{"Effect":"Allow","Action":"kms:TagResource","Resource":"*"}"#;
    for (policy, body, allowed) in [
        (create.to_owned(), json!({}), true),
        (create.to_owned(), json!({"BypassPolicyLockoutSafetyCheck": true}), false),
        (create.to_owned(), json!({"Tags": [{"TagKey": "team", "TagValue": "raw"}]}), false),
        (format!("{create}{tag}"), json!({"Tags": [{"TagKey": "team", "TagValue": "raw"}]}), true),
        (format!("{create}{tag}"), json!({"Tags": [{"TagKey": "team", "TagValue": "x"}]}), false),
    ] {
        let scenario = Scenario::from_toml(&statement(&policy)).unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let builder = Emulator::builder().scenario(scenario).clock(new_year()).seed(7).listen(listen);
        let emulator = builder.start().await.unwrap();
        let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
        let reply = Client::new(&wire, Key::new("AKIACREATORUSEREXAMP", "creatorSecret"))
            .ask("CreateKey", body.clone())
            .await;
        assert_eq!(reply.status == 200, allowed, "{body} under {policy}: {reply:?}");
    }
}

#[tokio::test]
async fn an_alias_needs_permission_on_itself_and_on_its_key() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let no_aliases = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT},
        "Action": ["kms:PutKeyPolicy", "kms:DescribeKey"], "Resource": "*"});
    let key = key_with(&admin, json!([no_aliases])).await;
    let create = json!({"AliasName": "alias/app", "TargetKeyId": key});
    assert_eq!(admin.ask("CreateAlias", create.clone()).await.refusal().1, "AccessDeniedException");
    let own = admin.create_key(json!({})).await;
    let nobody = Client::new(&wire, NOBODY);
    let refused = nobody.ask("CreateAlias", json!({"AliasName": "alias/app", "TargetKeyId": own})).await;
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: kms:CreateAlias on resource: \
         arn:aws:kms:us-east-1:{ACCOUNT}:alias/app because no identity-based policy allows the kms:CreateAlias action"
    );
    assert_eq!(refused.refusal(), (400, "AccessDeniedException", message.as_str()));
    assert_eq!(
        admin.ask("CreateAlias", json!({"AliasName": "alias/app", "TargetKeyId": own})).await.status,
        200
    );
    // Moving it needs the permission on both keys.
    let moved = json!({"AliasName": "alias/app", "TargetKeyId": key});
    assert_eq!(admin.ask("UpdateAlias", moved).await.refusal().1, "AccessDeniedException");
    let keeps_its_alias = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT},
        "Action": ["kms:PutKeyPolicy", "kms:CreateAlias"], "Resource": "*"});
    let keeper = key_with(&admin, json!([keeps_its_alias])).await;
    admin.ask("CreateAlias", json!({"AliasName": "alias/kept", "TargetKeyId": keeper})).await;
    for (operation, body) in [
        ("UpdateAlias", json!({"AliasName": "alias/kept", "TargetKeyId": own})),
        ("DeleteAlias", json!({"AliasName": "alias/kept"})),
    ] {
        assert_eq!(admin.ask(operation, body).await.refusal().1, "AccessDeniedException", "{operation}");
    }
}

#[tokio::test]
async fn a_session_of_a_role_is_bound_by_the_policies_of_the_role() {
    let emulator = emulator().await;
    let sts = emulator.sts("vendor");
    let assumed = sts.assume_role().role_arn(ROLE_ARN).role_session_name("nightly").external_id(EXTERNAL_ID);
    let given = assumed.send().await.unwrap().credentials().unwrap().clone();
    let session = aws_credential_types::Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        None,
        "tests",
    );
    let admin = emulator.kms("admin");
    let named = json!({"Effect": "Allow", "Principal": {"AWS": ROLE_ARN}, "Action": "kms:GenerateDataKey", "Resource": "*"});
    let made = admin.create_key().policy(policy(&json!([delegation(), named]))).send().await.unwrap();
    let key = made.key_metadata().unwrap().arn().unwrap();
    let kms = emulator.kms_with(session);
    let size = aws_sdk_kms::types::DataKeySpec::Aes256;
    assert!(kms.generate_data_key().key_id(key).key_spec(size).send().await.is_ok());
    let refused = kms.describe_key().key_id(key).send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("AccessDeniedException"), "{refused:?}");
}

#[tokio::test]
async fn a_scenario_declares_keys() {
    let text = format!(
        r#"
        [[account]]
        id = "{ACCOUNT}"
        name = "owner"
        [[account.user]]
        name = "admin"
        policies = ['{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*"}}}}']
        [[account.user.access_key]]
        id = "{}"
        secret = "{}"
        [[account.kms_key]]
        id = "1234abcd-12ab-34cd-56ef-1234567890ab"
        alias = "app"
        description = "for logs"
        tags = {{ team = "raw" }}
        [[account.kms_key]]
        alias = "alias/shared"
        state = "Disabled"
        policy = "policies/shared.json"
        [[account.kms_key]]
        region = "eu-west-1"
        alias = "alias/app"
        state = "PendingDeletion"
        "#,
        ADMIN.id, ADMIN.secret
    );
    let shared = policy(&json!([delegation()]));
    let scenario =
        Scenario::from_parts(&text, "scenario.toml", &[("policies/shared.json", &shared)]).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let builder = Emulator::builder().scenario(scenario).clock(new_year()).seed(7).listen(listen);
    let emulator = builder.start().await.unwrap();
    let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
    let admin = Client::new(&wire, ADMIN);
    let app = admin.ask("DescribeKey", json!({"KeyId": "alias/app"})).await;
    assert_eq!(app.text("/KeyMetadata/KeyId"), "1234abcd-12ab-34cd-56ef-1234567890ab");
    assert_eq!(app.text("/KeyMetadata/Description"), "for logs");
    let key = json!({ "KeyId": app.text("/KeyMetadata/Arn") });
    assert_eq!(admin.ask("ListResourceTags", key.clone()).await.text("/Tags/0/TagValue"), "raw");
    let default = admin.ask("GetKeyPolicy", key).await.text("/Policy");
    assert!(default.contains("\"Id\" : \"key-default-1\""), "{default}");
    let shared_key = admin.ask("DescribeKey", json!({"KeyId": "alias/shared"})).await;
    assert_eq!(shared_key.text("/KeyMetadata/KeyState"), "Disabled");
    let key = json!({ "KeyId": shared_key.text("/KeyMetadata/KeyId") });
    assert_eq!(admin.ask("GetKeyPolicy", key).await.text("/Policy"), shared);
    let elsewhere = admin.in_region("eu-west-1").ask("DescribeKey", json!({"KeyId": "alias/app"})).await;
    assert_eq!(elsewhere.body["KeyMetadata"]["DeletionDate"], json!(1_769_817_600.0));
    encrypt(&admin, "alias/app", json!({})).await;
    assert!(emulator.journal().denied().is_empty());
}
