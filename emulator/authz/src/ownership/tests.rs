use super::*;
use crate::acl::AclGrant;

const CANNED: [CannedAcl; 8] = CannedAcl::ALL;

fn owner() -> CanonicalUserId {
    CanonicalUserId::new("owner")
}

fn writer() -> CanonicalUserId {
    CanonicalUserId::new("writer")
}

fn full_control(id: &CanonicalUserId) -> RequestedAcl {
    RequestedAcl::Grants(vec![AclGrant::to_user(id, AclPermission::FullControl)])
}

#[test]
fn names_are_exact() {
    for setting in ObjectOwnership::ALL {
        assert_eq!(setting.as_str().parse(), Ok(setting));
        assert_eq!(serde_json::to_value(setting).unwrap(), setting.as_str());
    }
    assert!(" BucketOwnerEnforced".parse::<ObjectOwnership>().is_err());
    assert!("bucketownerenforced".parse::<ObjectOwnership>().is_err());
    assert_eq!(ObjectOwnership::default(), ObjectOwnership::BucketOwnerEnforced);
}

#[test]
fn who_owns_a_new_object() {
    let (owner, writer) = (owner(), writer());
    let who = |setting: ObjectOwnership, requested: Option<RequestedAcl>| {
        setting.owner_of_new_object(requested.as_ref(), &writer, &owner).as_str().to_owned()
    };
    let every = || std::iter::once(None).chain(CANNED.map(|canned| Some(RequestedAcl::Canned(canned))));
    for requested in every() {
        assert_eq!(who(ObjectOwnership::BucketOwnerEnforced, requested.clone()), "owner");
        assert_eq!(who(ObjectOwnership::ObjectWriter, requested.clone()), "writer");
        let preferred = if requested == Some(RequestedAcl::Canned(CannedAcl::BucketOwnerFullControl)) {
            "owner"
        } else {
            "writer"
        };
        assert_eq!(who(ObjectOwnership::BucketOwnerPreferred, requested), preferred);
    }
    assert_eq!(who(ObjectOwnership::BucketOwnerPreferred, Some(full_control(&owner))), "owner");
    assert_eq!(who(ObjectOwnership::BucketOwnerPreferred, Some(full_control(&writer))), "writer");
    let both = RequestedAcl::Grants(vec![
        AclGrant::to_user(&owner, AclPermission::FullControl),
        AclGrant::to_user(&writer, AclPermission::Read),
    ]);
    assert_eq!(who(ObjectOwnership::BucketOwnerPreferred, Some(both)), "writer");
}

#[test]
fn which_acls_an_enforced_bucket_takes() {
    let (owner, writer) = (owner(), writer());
    let enforced = ObjectOwnership::BucketOwnerEnforced;
    let takes = |requested: Option<&RequestedAcl>, by: &CanonicalUserId| {
        enforced.check_new_object(requested, by, &owner) != Err(OwnershipRefusal::AclNotSupported)
    };
    for by in [&owner, &writer] {
        assert!(takes(None, by));
        assert!(takes(Some(&full_control(&owner)), by));
        assert!(!takes(Some(&full_control(&writer)), by));
        assert!(!takes(Some(&RequestedAcl::Grants(Vec::new())), by));
        for canned in CANNED {
            let expected = match canned {
                CannedAcl::BucketOwnerFullControl => true,
                CannedAcl::Private | CannedAcl::BucketOwnerRead => by == &owner,
                _ => false,
            };
            assert_eq!(takes(Some(&RequestedAcl::Canned(canned)), by), expected, "{canned} by {by}");
        }
    }
    assert_eq!(enforced.check_put_acl(), Err(OwnershipRefusal::AclNotSupported));
    assert_eq!(OwnershipRefusal::AclNotSupported.code(), "AccessControlListNotSupported");
    assert_eq!(OwnershipRefusal::AclNotSupported.to_string(), "The bucket does not allow ACLs");
}

#[test]
fn buckets_with_acls_take_every_acl() {
    for setting in [ObjectOwnership::BucketOwnerPreferred, ObjectOwnership::ObjectWriter] {
        for canned in CANNED {
            let requested = RequestedAcl::Canned(canned);
            assert_eq!(setting.check_new_object(Some(&requested), &writer(), &owner()), Ok(()));
            assert_eq!(setting.check_bucket_acl(&canned.for_bucket(&owner())), Ok(()));
        }
        assert_eq!(setting.check_put_acl(), Ok(()));
    }
}

#[test]
fn acls_cannot_be_switched_off_over_a_bucket_acl_that_grants_to_others() {
    for canned in CANNED {
        let acl = canned.for_bucket(&owner());
        let found = ObjectOwnership::BucketOwnerEnforced.check_bucket_acl(&acl);
        let expected =
            if acl == Acl::private(&owner()) { Ok(()) } else { Err(OwnershipRefusal::BucketAclInTheWay) };
        assert_eq!(found, expected, "{canned}");
    }
    assert_eq!(OwnershipRefusal::BucketAclInTheWay.code(), "InvalidBucketAclWithObjectOwnership");
}

#[test]
fn switching_acls_off_hides_the_writers_ownership_and_switching_them_on_brings_it_back() {
    let (owner, writer) = (owner(), writer());
    let stored = CannedAcl::PublicRead.for_object(&writer, &owner);
    let enforced = ObjectOwnership::BucketOwnerEnforced;
    assert_eq!(enforced.owner_of_object(&writer, &owner), &owner);
    assert_eq!(*enforced.acl_in_force(&stored, &owner), Acl::private(&owner));
    assert_eq!(ObjectOwnership::ObjectWriter.owner_of_object(&writer, &owner), &writer);
    assert_eq!(*ObjectOwnership::ObjectWriter.acl_in_force(&stored, &owner), stored);
}
