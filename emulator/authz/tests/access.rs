//! The texts and the JSON of decisions with ACLs and grants, and AWS's sentences about them.

#![expect(clippy::expect_used, reason = "a broken fixture fails its test")]

use bucketproof_authz::evaluate::evaluate_line;
use bucketproof_authz::{
    AccountId, Acl, AclGrant, AclGroup, AclPermission, Acls, Arn, CannedAcl, Context, Decision,
    EncryptionContext, KmsGrant, KmsGrantConstraints, KmsGrantOperation, KmsGrants, ObjectOwnership,
    Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, PublicAccessBlock, Request,
    Resource, decide,
};
use serde_json::{Value, json};

const OWNER: &str = "111111111111";
const PARTNER: &str = "222222222222";
const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/k";

fn user(account: &str) -> Principal {
    Principal::User {
        arn: Arn::new(format!("arn:aws:iam::{account}:user/reader")).expect("an ARN"),
        account: AccountId::new(account).expect("an account id"),
    }
}

fn everything() -> Policy {
    let text = r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    Policy::parse(text, PolicySource::new(PolicyKind::Identity, "everything")).expect("a policy")
}

fn public_bucket_policy() -> Policy {
    let text = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}]}"#;
    Policy::parse(text, PolicySource::new(PolicyKind::Bucket, "b")).expect("a policy")
}

/// The canonical user ids are the account ids.
fn ask(principal: Principal, action: &str, arn: &str, policies: &Policies<'_>) -> Decision {
    let canonical_user = principal.account().map(|account| account.as_str().into());
    let request = Request {
        principal,
        ids: PrincipalIds { canonical_user, unique: None },
        action: action.to_owned(),
        resource: Resource { arn: arn.to_owned(), account: AccountId::new(OWNER).ok() },
        context: Context::new(),
    };
    decide(&request, policies)
}

fn acls<'a>(ownership: ObjectOwnership, bucket: &'a Acl, object: &'a Acl) -> Acls<'a> {
    Acls { ownership, bucket, object: Some(object) }
}

#[test]
fn a_grant_of_an_acl_allows() {
    let bucket = Acl::private(&OWNER.into());
    let mut object = Acl::private(&OWNER.into());
    object.grants.push(AclGrant::to_user(&PARTNER.into(), AclPermission::Read));
    let policies = Policies {
        identity: &[everything()],
        acls: Some(acls(ObjectOwnership::ObjectWriter, &bucket, &object)),
        ..Policies::default()
    };
    let decision = ask(user(PARTNER), "s3:GetObject", "arn:aws:s3:::b/k", &policies);
    insta::assert_snapshot!(decision.explain());
    let settled = serde_json::to_value(decision.reason()).expect("JSON");
    assert_eq!(
        settled["resource"],
        json!({"acl": "object", "grantee": {"CanonicalUser": PARTNER}, "permission": "READ"})
    );
}

#[test]
fn an_acl_that_grants_too_little() {
    let bucket = Acl::private(&OWNER.into());
    let mut object = CannedAcl::AuthenticatedRead.for_object(&OWNER.into(), &OWNER.into());
    object.grants.push(AclGrant::to_group(AclGroup::AllUsers, AclPermission::ReadAcp));
    let policies =
        Policies { acls: Some(acls(ObjectOwnership::ObjectWriter, &bucket, &object)), ..Policies::default() };
    let decision = ask(Principal::Anonymous, "s3:GetObject", "arn:aws:s3:::b/k", &policies);
    insta::assert_snapshot!(decision.explain());
    insta::assert_json_snapshot!(decision.trace().acl);
}

#[test]
fn a_public_acl_is_ignored() {
    let bucket = Acl::private(&OWNER.into());
    let object = CannedAcl::PublicRead.for_object(&OWNER.into(), &OWNER.into());
    let policies = Policies {
        acls: Some(acls(ObjectOwnership::ObjectWriter, &bucket, &object)),
        public_access_block: PublicAccessBlock::ALL,
        ..Policies::default()
    };
    let decision = ask(Principal::Anonymous, "s3:GetObject", "arn:aws:s3:::b/k", &policies);
    insta::assert_snapshot!(decision.explain());
}

#[test]
fn acls_are_off() {
    let bucket = Acl::private(&OWNER.into());
    let object = CannedAcl::PublicRead.for_object(&OWNER.into(), &OWNER.into());
    let policies = Policies {
        acls: Some(acls(ObjectOwnership::BucketOwnerEnforced, &bucket, &object)),
        ..Policies::default()
    };
    let decision = ask(Principal::Anonymous, "s3:GetObject", "arn:aws:s3:::b/k", &policies);
    insta::assert_snapshot!(decision.explain());
    let other = ask(Principal::Anonymous, "s3:GetObjectAcl", "arn:aws:s3:::b/k", &policies);
    assert!(other.trace().acl.is_none() && !other.explain().contains("ACL"), "{}", other.explain());
}

/// AWS names the resource side to the bucket owner, although another account owns the object.
#[test]
fn the_bucket_owner_and_an_object_of_another_account() {
    let bucket = Acl::private(&OWNER.into());
    let object = Acl::private(&PARTNER.into());
    let policy = public_bucket_policy();
    let policies = Policies {
        identity: &[everything()],
        resource: Some(&policy),
        acls: Some(acls(ObjectOwnership::ObjectWriter, &bucket, &object)),
        ..Policies::default()
    };
    let decision = ask(user(OWNER), "s3:PutObjectAcl", "arn:aws:s3:::b/k", &policies);
    insta::assert_snapshot!(decision.explain());
    let attributes = ask(user(OWNER), "s3:GetObjectAttributes", "arn:aws:s3:::b/k", &policies);
    insta::assert_snapshot!(attributes.explain());
}

/// A condition of the bucket policy is no obstacle where the bucket policy cannot allow.
#[test]
fn what_is_missing_for_a_foreign_object_is_a_grant() {
    let bucket = Acl::private(&OWNER.into());
    let object = Acl::private(&PARTNER.into());
    let text = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*",
        "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}]}"#;
    let policy = Policy::parse(text, PolicySource::new(PolicyKind::Bucket, "b")).expect("a policy");
    let policies = Policies {
        identity: &[everything()],
        resource: Some(&policy),
        acls: Some(acls(ObjectOwnership::ObjectWriter, &bucket, &object)),
        ..Policies::default()
    };
    let decision = ask(user(OWNER), "s3:GetObject", "arn:aws:s3:::b/k", &policies);
    let but_for = serde_json::to_value(&decision.trace().but_for).expect("JSON");
    assert_eq!(but_for, json!([{"kind": "missing_acl_grant", "permission": "READ"}]));
}

fn grant(constraints: KmsGrantConstraints) -> KmsGrant {
    KmsGrant {
        id: "0c237476".to_owned(),
        grantee: format!("arn:aws:iam::{OWNER}:user/reader").parse().expect("a grantee"),
        retiring: None,
        operations: vec![KmsGrantOperation::Decrypt],
        constraints,
    }
}

#[test]
fn a_grant_on_a_key_allows() {
    let grants = [grant(KmsGrantConstraints::default())];
    let policies =
        Policies { kms_grants: KmsGrants { list: &grants, encryption_context: None }, ..Policies::default() };
    let decision = ask(user(OWNER), "kms:Decrypt", KEY, &policies);
    insta::assert_snapshot!(decision.explain());
    let settled = serde_json::to_value(decision.reason()).expect("JSON");
    assert_eq!(settled["resource"]["id"], "0c237476");
    let other = ask(user(OWNER), "kms:Encrypt", KEY, &policies);
    insta::assert_snapshot!(other.explain());
}

#[test]
fn a_grant_on_a_key_asks_for_another_encryption_context() {
    let context = EncryptionContext::from([("Department".to_owned(), "IT".to_owned())]);
    let constraints =
        KmsGrantConstraints { encryption_context_equals: Some(context), encryption_context_subset: None };
    let grants = [grant(constraints)];
    let sent = EncryptionContext::from([("Department".to_owned(), "it".to_owned())]);
    let policies = Policies {
        kms_grants: KmsGrants { list: &grants, encryption_context: Some(&sent) },
        ..Policies::default()
    };
    let decision = ask(user(OWNER), "kms:Decrypt", KEY, &policies);
    insta::assert_snapshot!(decision.explain());
    insta::assert_json_snapshot!(decision.trace().kms_grants);
}

#[test]
fn an_identity_provider_that_is_not_trusted() {
    let text = r#"{"Statement": [{"Effect": "Allow", "Principal": {"Federated": "accounts.example.org"}, "Action": "sts:AssumeRoleWithWebIdentity"}]}"#;
    let trust = Policy::parse(text, PolicySource::new(PolicyKind::Trust, "loader")).expect("a policy");
    let caller = Principal::Federated { provider: "accounts.example.com".to_owned() };
    let policies = Policies { resource: Some(&trust), ..Policies::default() };
    let role = "arn:aws:iam::111111111111:role/loader";
    let decision = ask(caller, "sts:AssumeRoleWithWebIdentity", role, &policies);
    assert_eq!(decision.aws_message(), "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    insta::assert_snapshot!(decision.explain());
}

const LINE: &str = r#"{"id":1,"request":{"principal":{"type":"User","arn":"arn:aws:iam::222222222222:user/u","account":"222222222222","canonicalUserId":"partner"},"action":"s3:GetObject","resource":{"arn":"arn:aws:s3:::b/k","account":"111111111111"}},"policies":{"identity":[{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}],"bucketAcl":{"owner":"owner","grants":[]},"objectAcl":{"owner":"owner","grants":[{"canonicalUser":"partner","permission":"READ"},{"group":"http://acs.amazonaws.com/groups/global/AllUsers","permission":"WRITE_ACP"}]}},"settings":{"objectOwnership":"ObjectWriter"}}"#;

fn replaced(line: &str, from: &str, to: &str) -> Value {
    assert!(line.contains(from), "{from}");
    evaluate_line(&line.replacen(from, to, 1))
}

fn refused(line: &str, from: &str, to: &str, error: &str) {
    assert_eq!(replaced(line, from, to), json!({"id": 1, "error": error}));
}

#[test]
fn questions_with_acls() {
    assert_eq!(evaluate_line(LINE)["decision"], "Allowed");
    assert_eq!(replaced(LINE, "s3:GetObject", "s3:PutObjectAcl")["decision"], "Allowed");
    let ignored = replaced(
        &LINE.replace("s3:GetObject", "s3:PutObjectAcl"),
        "\"settings\":{",
        "\"settings\":{\"ignorePublicAcls\":true,",
    );
    assert_eq!(ignored["decision"], "ImplicitlyDenied");
    assert_eq!(ignored["trace"]["but_for"][0]["setting"], "ignore_public_acls");
    assert_eq!(replaced(LINE, "ObjectWriter", "BucketOwnerEnforced")["decision"], "ImplicitlyDenied");
    assert_eq!(replaced(LINE, "\"objectOwnership\":\"ObjectWriter\"", "")["decision"], "ImplicitlyDenied");
    refused(
        LINE,
        "ObjectWriter",
        "objectwriter",
        "`settings`: the field `objectOwnership`: `objectwriter` is not an Object Ownership setting; use BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter",
    );
    refused(
        LINE,
        "\"bucketAcl\":{\"owner\":\"owner\",\"grants\":[]},",
        "",
        "`policies`: the field `bucketAcl` is missing; add it: it says who owns the bucket of the object",
    );
    refused(
        LINE,
        "\"permission\":\"READ\"",
        "\"permission\":\"read\"",
        "`policies.objectAcl`: `read` is not a permission; use READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL",
    );
    refused(
        LINE,
        "global/AllUsers",
        "global/Everybody",
        "`policies.objectAcl`: `http://acs.amazonaws.com/groups/global/Everybody` is not a group; use http://acs.amazonaws.com/groups/global/AllUsers, http://acs.amazonaws.com/groups/global/AuthenticatedUsers, http://acs.amazonaws.com/groups/s3/LogDelivery",
    );
    refused(
        LINE,
        "\"canonicalUser\":\"partner\",",
        "",
        "`policies.objectAcl`: a grant has one grantee; add `canonicalUser` or `group`",
    );
}

const KMS_LINE: &str = r#"{"id":1,"request":{"principal":{"type":"User","arn":"arn:aws:iam::111111111111:user/u","account":"111111111111","uniqueId":"AIDACKCEVSQ6C2EXAMPLE"},"action":"kms:Decrypt","resource":{"arn":"arn:aws:kms:eu-west-1:111111111111:key/k"},"encryptionContext":{"Department":"IT"}},"policies":{"grants":[{"granteePrincipal":"arn:aws:iam::111111111111:user/u","operations":["Decrypt"],"constraints":{"encryptionContextSubset":{"Department":"IT"}}}]}}"#;

#[test]
fn questions_with_grants() {
    assert_eq!(evaluate_line(KMS_LINE)["decision"], "Allowed");
    assert_eq!(replaced(KMS_LINE, ":\"IT\"", ":\"it\"")["decision"], "ImplicitlyDenied");
    // Without an encryption context of its own a question has that of its condition keys.
    let from_keys = |key: &str| {
        replaced(
            KMS_LINE,
            "\"encryptionContext\":{\"Department\":\"IT\"}",
            &format!("\"context\":{{\"{key}\":\"IT\"}}"),
        )["decision"]
            .clone()
    };
    assert_eq!(from_keys("kms:EncryptionContext:Department"), "Allowed");
    assert_eq!(from_keys("KMS:encryptionContext:Department"), "Allowed");
    assert_eq!(from_keys("kms:EncryptionContext:department"), "ImplicitlyDenied");
    refused(
        KMS_LINE,
        "[\"Decrypt\"]",
        "[\"PutKeyPolicy\"]",
        "`policies.grants[0]`: `PutKeyPolicy` is not an operation that a grant can allow; use CreateGrant, Decrypt, DeriveSharedSecret, DescribeKey, Encrypt, GenerateDataKey, GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext, GenerateDataKeyWithoutPlaintext, GenerateMac, GetPublicKey, ReEncryptFrom, ReEncryptTo, RetireGrant, Sign, Verify, VerifyMac",
    );
    refused(
        KMS_LINE,
        "\"granteePrincipal\":\"arn:aws:iam::111111111111:user/u\"",
        "\"granteePrincipal\":\"u\"",
        "`policies.grants[0]`: `u` names no principal: write the ARN of a user, role, session or account, or a service; write the whole ARN",
    );
    refused(
        KMS_LINE,
        "\"encryptionContext\":{\"Department\":\"IT\"}",
        "\"encryptionContext\":{\"Department\":1}",
        "`request.encryptionContext`: holds a number; write an object of strings",
    );
    refused(
        KMS_LINE,
        "AIDACKCEVSQ6C2EXAMPLE",
        "alice",
        "`request.principal`: the field `uniqueId`: `alice` is not a unique id: it must be `AIDA` or `AROA` with at least 12 upper-case letters and digits; write `AIDA…` or `AROA…`",
    );
}

#[test]
fn questions_of_federated_callers() {
    let line = r#"{"id":1,"request":{"principal":{"type":"Federated","provider":"accounts.example.com"},"action":"sts:AssumeRoleWithWebIdentity","resource":{"arn":"arn:aws:iam::111111111111:role/r"}},"policies":{"resource":{"Statement":[{"Effect":"Allow","Principal":{"Federated":"accounts.example.com"},"Action":"sts:AssumeRoleWithWebIdentity"}]}}}"#;
    assert_eq!(evaluate_line(line)["decision"], "Allowed");
    let line = r#"{"id":1,"request":{"principal":{"type":"FederatedUser","arn":"arn:aws:sts::111111111111:federated-user/bob","userArn":"arn:aws:iam::111111111111:user/alice","account":"111111111111"},"action":"s3:GetObject","resource":{"arn":"arn:aws:s3:::b/k","account":"111111111111"}},"policies":{"resource":{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111111111111:federated-user/bob"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]},"session":[]}}"#;
    assert_eq!(evaluate_line(line)["decision"], "Allowed");
    let by_user = replaced(
        line,
        "{\"AWS\":\"arn:aws:sts::111111111111:federated-user/bob\"}",
        "{\"AWS\":\"arn:aws:iam::111111111111:user/alice\"}",
    );
    assert_eq!(by_user["decision"], "ImplicitlyDenied");
}
