use super::*;

fn id(text: &str) -> CanonicalUserId {
    CanonicalUserId::new(text)
}

fn shown(acl: &Acl) -> String {
    acl.grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[test]
fn names_read_back_what_they_write() {
    for canned in CannedAcl::ALL {
        assert_eq!(canned.as_str().parse(), Ok(canned));
        assert_eq!(serde_json::to_value(canned).unwrap(), canned.as_str());
    }
    for permission in AclPermission::ALL {
        assert_eq!(AclPermission::parse(permission.as_str()), Some(permission));
        assert_eq!(serde_json::to_value(permission).unwrap(), permission.as_str());
    }
    for group in AclGroup::ALL {
        assert_eq!(AclGroup::from_uri(group.uri()), Some(group));
    }
    assert!("Public-Read".parse::<CannedAcl>().is_err());
    assert!("".parse::<CannedAcl>().is_err());
    assert_eq!(AclPermission::parse("read"), None);
    assert_eq!(AclGroup::from_uri("http://acs.amazonaws.com/groups/global/allusers"), None);
}

#[test]
fn canned_acls_of_a_bucket() {
    let owner = id("o");
    let of = |canned: CannedAcl| shown(&canned.for_bucket(&owner));
    let own = "FULL_CONTROL to canonical user o";
    assert_eq!(of(CannedAcl::Private), own);
    assert_eq!(of(CannedAcl::BucketOwnerRead), own);
    assert_eq!(of(CannedAcl::BucketOwnerFullControl), own);
    assert_eq!(of(CannedAcl::PublicRead), format!("{own}, READ to AllUsers"));
    assert_eq!(of(CannedAcl::PublicReadWrite), format!("{own}, READ to AllUsers, WRITE to AllUsers"));
    assert_eq!(of(CannedAcl::AuthenticatedRead), format!("{own}, READ to AuthenticatedUsers"));
    assert_eq!(
        of(CannedAcl::LogDeliveryWrite),
        format!("{own}, WRITE to LogDelivery, READ_ACP to LogDelivery")
    );
    assert_eq!(
        of(CannedAcl::AwsExecRead),
        format!(
            "{own}, READ to canonical user 6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c"
        )
    );
}

#[test]
fn canned_acls_of_an_object_speak_of_the_bucket_owner() {
    let of = |canned: CannedAcl, owner: &str| shown(&canned.for_object(&id(owner), &id("b")));
    assert_eq!(
        of(CannedAcl::BucketOwnerRead, "w"),
        "FULL_CONTROL to canonical user w, READ to canonical user b"
    );
    assert_eq!(
        of(CannedAcl::BucketOwnerFullControl, "w"),
        "FULL_CONTROL to canonical user w, FULL_CONTROL to canonical user b"
    );
    assert_eq!(of(CannedAcl::BucketOwnerFullControl, "b"), "FULL_CONTROL to canonical user b");
    assert_eq!(of(CannedAcl::PublicRead, "w"), "FULL_CONTROL to canonical user w, READ to AllUsers");
}

#[test]
fn requested_grants_are_all_that_the_acl_has() {
    let grants = vec![AclGrant::to_user(&id("p"), AclPermission::Read)];
    let requested = RequestedAcl::Grants(grants.clone());
    assert_eq!(requested.for_object(&id("w"), &id("b")), Acl { owner: id("w"), grants: grants.clone() });
    assert_eq!(requested.for_bucket(&id("b")), Acl { owner: id("b"), grants });
}

#[test]
fn public_are_grants_to_everybody_and_to_every_account() {
    let (owner, other) = (id("o"), id("p"));
    for canned in CannedAcl::ALL {
        let public = matches!(
            canned,
            CannedAcl::PublicRead | CannedAcl::PublicReadWrite | CannedAcl::AuthenticatedRead
        );
        assert_eq!(canned.for_bucket(&owner).is_public(), public, "{canned}");
        assert_eq!(canned.for_object(&owner, &other).is_public(), public, "{canned}");
        assert_eq!(RequestedAcl::Canned(canned).is_public(), public, "{canned}");
    }
    let acl = CannedAcl::PublicReadWrite.for_bucket(&owner).without_public_grants();
    assert_eq!(acl, Acl::private(&owner));
}

#[test]
fn an_acl_grants_to_others_or_not() {
    let owner = id("o");
    assert!(!Acl::private(&owner).grants_to_others());
    assert!(!Acl { owner: owner.clone(), grants: Vec::new() }.grants_to_others());
    assert!(CannedAcl::PublicRead.for_bucket(&owner).grants_to_others());
    assert!(CannedAcl::LogDeliveryWrite.for_bucket(&owner).grants_to_others());
    assert!(CannedAcl::BucketOwnerRead.for_object(&owner, &id("b")).grants_to_others());
}
