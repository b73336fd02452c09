//! How values of the API are written, read and compared.

#![expect(clippy::expect_used, reason = "a broken fixture fails its test")]

use bucketproof_authz::{
    AccountId, Acl, AclGrant, AclPermission, Arn, CannedAcl, CanonicalUserId, Context, Grantee,
    ObjectOwnership, Outcome, Policies, Policy, PolicyError, PolicyErrorKind, PolicyKind, PolicySource,
    Position, Principal, PrincipalIds, Reason, Request, RequestedAcl, Resource, UniqueId, Values, decide,
    validate_bucket_policy,
};

#[test]
fn texts_are_read_shown_and_serialized_as_they_are() {
    let account: AccountId = "111122223333".parse().expect("an account id");
    assert_eq!((account.to_string().as_str(), account.as_ref()), ("111122223333", "111122223333"));
    assert_eq!(format!("{account:?}"), "AccountId(111122223333)");
    assert_eq!(
        "1".parse::<AccountId>().expect_err("too short").to_string(),
        "`1` is not an account id: it must be 12 digits"
    );
    let arn: Arn = "arn:aws:s3:eu-west-1:111122223333:a:b".parse().expect("an ARN");
    assert_eq!((arn.to_string(), arn.as_ref()), (arn.as_str().to_owned(), arn.as_str()));
    assert_eq!((arn.service(), arn.resource(), arn.account()), ("s3", "a:b", Some(account.clone())));
    assert_eq!(format!("{arn:?}"), "Arn(arn:aws:s3:eu-west-1:111122223333:a:b)");
    for wrong in ["arn", "arn:aws:s3:::", "arn::s3:::b", "urn:aws:s3:::b", "arn:aws::::b"] {
        assert!(wrong.parse::<Arn>().is_err(), "{wrong}");
    }
    let unique = UniqueId::new("AIDACKCEVSQ6C2EXAMPLE").expect("a unique id");
    assert_eq!(format!("{unique} {unique:?}"), "AIDACKCEVSQ6C2EXAMPLE UniqueId(AIDACKCEVSQ6C2EXAMPLE)");
    let canonical: CanonicalUserId = "79a5".to_owned().into();
    assert_eq!(
        format!("{canonical} {canonical:?} {}", String::from(canonical.clone())),
        "79a5 CanonicalUserId(79a5) 79a5"
    );
    let json = serde_json::to_value((&account, &arn, &unique)).expect("JSON");
    assert_eq!(json, serde_json::json!([account.as_str(), arn.as_str(), unique.as_str()]));
    assert_eq!(CannedAcl::PublicRead.to_string(), "public-read");
    assert_eq!(ObjectOwnership::BucketOwnerEnforced.to_string(), "BucketOwnerEnforced");
    assert_eq!(Outcome::ImplicitlyDenied.to_string(), "ImplicitlyDenied");
}

#[test]
fn requested_acls_are_those_of_their_owner() {
    let (owner, bucket_owner) = (CanonicalUserId::new("a"), CanonicalUserId::new("b"));
    let grant =
        AclGrant { grantee: Grantee::CanonicalUser(bucket_owner.clone()), permission: AclPermission::Read };
    let asked = RequestedAcl::Grants(vec![grant.clone()]);
    let expected = Acl { owner: owner.clone(), grants: vec![grant] };
    assert_eq!(
        (asked.for_bucket(&owner), asked.for_object(&owner, &bucket_owner)),
        (expected.clone(), expected)
    );
    assert!(!asked.is_public() && RequestedAcl::Canned(CannedAcl::AuthenticatedRead).is_public());
    let canned = RequestedAcl::Canned(CannedAcl::Private);
    assert_eq!(canned.for_bucket(&owner), Acl::private(&owner));
}

#[test]
fn context_values_are_json() {
    let mut context = Context::new();
    context.set("aws:b", "1").set_many("aws:A", ["x", "y"]);
    let json = serde_json::to_string(&context).expect("JSON");
    assert_eq!(json, r#"{"aws:A":["x","y"],"aws:b":"1"}"#);
    assert_eq!(serde_json::to_string(&Values::One("v".to_owned())).expect("JSON"), "\"v\"");
}

fn policy(kind: PolicyKind, statement: &str) -> Policy {
    Policy::parse(&format!(r#"{{"Statement":{statement}}}"#), PolicySource::new(kind, "p")).expect("a policy")
}

const ALLOW: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;

#[test]
fn decisions_say_who_asked_and_why() {
    let account = AccountId::new("111122223333").expect("an account id");
    let request = Request {
        principal: Principal::User {
            arn: Arn::new("arn:aws:iam::111122223333:user/a").expect("an ARN"),
            account: account.clone(),
        },
        ids: PrincipalIds::default(),
        action: "s3:GetObject".to_owned(),
        resource: Resource { arn: "arn:aws:s3:::b/k".to_owned(), account: Some(account) },
        context: Context::new(),
    };
    let (first, second) = (policy(PolicyKind::Identity, ALLOW), policy(PolicyKind::Identity, ALLOW));
    let of = |policy: &Policy| {
        decide(&request, &Policies { identity: std::slice::from_ref(policy), ..Policies::default() })
    };
    let decision = of(&first);
    assert_eq!(decision.request(), &request);
    assert!(format!("{decision:?}").contains("outcome: Allowed"));
    // The same statement of the same policy, not of one that reads the same.
    assert_eq!(decision.reason(), of(&first.clone()).reason());
    assert_ne!(decision.reason(), of(&second).reason());
    let json = serde_json::to_value(&decision).expect("JSON");
    assert_eq!((&json["decision"], &json["settled_by"]["kind"]), (&"Allowed".into(), &"allowed_by".into()));
    assert_eq!(Reason::AllowedBy { identity: None, resource: None }.to_string(), "allowed");
    assert!(format!("{first:?}").starts_with("Policy { source: PolicySource"));
}

#[test]
fn errors_of_policies_have_all_they_need() {
    let at = Position { line: 3, column: 7 };
    let error = PolicyError::invalid_principal(PolicyKind::Trust, "arn:aws:iam::111122223333:role/gone", at);
    assert_eq!((error.line(), error.column(), error.aws_status()), (3, 7, 400));
    assert_eq!(
        error.kind(),
        &PolicyErrorKind::InvalidPrincipal("arn:aws:iam::111122223333:role/gone".to_owned())
    );
    assert_eq!(error.message(), "the principal `arn:aws:iam::111122223333:role/gone` does not exist");
    assert_eq!(
        error.aws_message(),
        "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:role/gone\""
    );
    assert!(error.help().starts_with("create it first"));
    assert_eq!(error.to_string(), format!("{} at line 3, column 7", error.message()));
    let missing =
        validate_bucket_policy(&policy(PolicyKind::Identity, ALLOW), "b").expect_err("it names nobody");
    assert_eq!(missing.aws_message(), "Missing required field Principal");
}

#[test]
fn policies_tell_what_they_are_of() {
    for (kind, source, class) in [
        (PolicyKind::Identity, "identity policy `p`", "identity-based policy"),
        (PolicyKind::Boundary, "permissions boundary `p`", "permissions boundary"),
        (PolicyKind::Session, "session policy `p`", "session policy"),
        (PolicyKind::ServiceControl, "service control policy `p`", "service control policy"),
        (PolicyKind::Bucket, "bucket policy of `p`", "resource-based policy"),
        (PolicyKind::Trust, "trust policy of `p`", "resource-based policy"),
        (PolicyKind::Key, "key policy of `p`", "resource-based policy"),
        (PolicyKind::Topic, "topic policy of `p`", "resource-based policy"),
        (PolicyKind::Queue, "queue policy of `p`", "resource-based policy"),
    ] {
        assert_eq!(PolicySource::new(kind, "p").to_string(), source);
        assert_eq!(kind.class().aws_name(), class);
    }
    let named = policy(
        PolicyKind::Bucket,
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["*","arn:aws:s3:::logs/x"]}"#,
    );
    assert_eq!(named.bucket_name(), Some("logs"));
    for resource in ["arn:aws:s3:::l*", "arn:aws:s3:::/x", "arn:aws:sns:::t", "*"] {
        let statement =
            format!(r#"{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"{resource}"}}"#);
        assert_eq!(policy(PolicyKind::Bucket, &statement).bucket_name(), None, "{resource}");
    }
}
