use super::*;

fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn equals(pairs: &[(&str, &str)]) -> KmsGrantConstraints {
    KmsGrantConstraints { encryption_context_equals: Some(context(pairs)), encryption_context_subset: None }
}

fn subset(pairs: &[(&str, &str)]) -> KmsGrantConstraints {
    KmsGrantConstraints { encryption_context_equals: None, encryption_context_subset: Some(context(pairs)) }
}

fn grant(operations: &[KmsGrantOperation], constraints: KmsGrantConstraints) -> KmsGrant {
    KmsGrant {
        id: "g".to_owned(),
        grantee: "arn:aws:iam::111111111111:role/x".parse().unwrap(),
        retiring: None,
        operations: operations.to_vec(),
        constraints,
    }
}

#[test]
fn constraints_compare_with_regard_to_case() {
    let it = [("Department", "IT")];
    assert!(equals(&it).admit(&context(&it)));
    assert!(!equals(&it).admit(&context(&[("Department", "IT"), ("P", "x")])));
    assert!(!equals(&it).admit(&context(&[("department", "IT")])));
    assert!(!equals(&it).admit(&context(&[("Department", "it")])));
    assert!(!equals(&it).admit(&context(&[])));
    assert!(subset(&it).admit(&context(&it)));
    assert!(subset(&it).admit(&context(&[("Department", "IT"), ("P", "x")])));
    assert!(!subset(&it).admit(&context(&[("P", "x")])));
    assert!(!subset(&it).admit(&context(&[("Department", "it")])));
    assert!(KmsGrantConstraints::default().admit(&context(&it)));
    let both = KmsGrantConstraints { encryption_context_subset: Some(context(&[("P", "x")])), ..equals(&it) };
    assert!(!both.admit(&context(&it)));
}

#[test]
fn a_child_grant_is_no_wider_than_its_parent() {
    use KmsGrantOperation::{CreateGrant, Decrypt, Encrypt};
    let it = [("Department", "IT")];
    let more = [("Department", "IT"), ("P", "x")];
    let none = KmsGrantConstraints::default;
    let parent = grant(&[CreateGrant, Decrypt], subset(&it));
    assert!(parent.may_create(&grant(&[Decrypt], subset(&it))));
    assert!(parent.may_create(&grant(&[Decrypt], subset(&more))));
    assert!(parent.may_create(&grant(&[Decrypt, CreateGrant], equals(&it))));
    assert!(parent.may_create(&grant(&[Decrypt], equals(&more))));
    assert!(!parent.may_create(&grant(&[Decrypt], none())));
    assert!(!parent.may_create(&grant(&[Decrypt], subset(&[("P", "x")]))));
    assert!(!parent.may_create(&grant(&[Decrypt, Encrypt], subset(&it))));
    assert!(!grant(&[Decrypt], none()).may_create(&grant(&[Decrypt], none())));
    let exact = grant(&[CreateGrant, Decrypt], equals(&it));
    assert!(exact.may_create(&grant(&[Decrypt], equals(&it))));
    assert!(!exact.may_create(&grant(&[Decrypt], equals(&more))));
    assert!(!exact.may_create(&grant(&[Decrypt], subset(&it))));
    assert!(grant(&[CreateGrant, Decrypt], none()).may_create(&grant(&[Decrypt], none())));
}

#[test]
fn principals_of_grants() {
    for text in [
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::111111111111:user/eng/alice",
        "arn:aws:iam::111111111111:role/svc/loader",
        "arn:aws:sts::111111111111:assumed-role/loader/job",
        "arn:aws:sts::111111111111:federated-user/bob",
        "dynamodb.eu-west-1.amazonaws.com",
    ] {
        assert_eq!(text.parse::<GrantPrincipal>().unwrap().as_str(), text);
    }
    for text in
        ["", "*", "alice", "111111111111", "AIDACKCEVSQ6C2EXAMPLE", ".amazonaws.com", "arn:aws:s3:::b"]
    {
        assert!(text.parse::<GrantPrincipal>().is_err(), "{text}");
    }
}

#[test]
fn operations_read_back_their_names() {
    for operation in KmsGrantOperation::ALL {
        assert_eq!(operation.as_str().parse(), Ok(operation));
        assert_eq!(serde_json::to_value(operation).unwrap(), operation.as_str());
    }
    assert!("ScheduleKeyDeletion".parse::<KmsGrantOperation>().is_err());
    assert!("decrypt".parse::<KmsGrantOperation>().is_err());
}

#[test]
fn constraints_are_held_against_operations_with_an_encryption_context() {
    let all = grant(&KmsGrantOperation::ALL, equals(&[("Department", "IT")]));
    for operation in KmsGrantOperation::ALL {
        let action = format!("kms:{operation}").to_lowercase();
        let expected = if operation.has_encryption_context() {
            GrantFit::OtherEncryptionContext
        } else {
            GrantFit::Fits
        };
        assert_eq!(all.fit(action.as_bytes(), &context(&[])), expected, "{operation}");
        assert_eq!(
            all.fit(action.as_bytes(), &context(&[("Department", "IT")])),
            GrantFit::Fits,
            "{operation}"
        );
    }
    let with_context = KmsGrantOperation::ALL.into_iter().filter(|one| one.has_encryption_context()).count();
    assert_eq!(with_context, 8);
    assert_eq!(all.fit(b"kms:putkeypolicy", &context(&[])), GrantFit::OtherOperation);
    assert_eq!(all.fit(b"s3:getobject", &context(&[])), GrantFit::OtherOperation);
}
