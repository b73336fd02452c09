use std::collections::BTreeSet;

use super::*;
use crate::arn::{AccountId, Arn};
use crate::context::Context;
use crate::decide::{Policies, decide};
use crate::ids::PrincipalIds;
use crate::policy::{Policy, PolicyKind, PolicySource};
use crate::request::{Request, Resource};

const ACTIONS: [&str; 26] = [
    "ListBucket",
    "ListBucketVersions",
    "ListBucketMultipartUploads",
    "GetBucketAcl",
    "PutBucketAcl",
    "GetBucketPolicy",
    "PutBucketPolicy",
    "GetBucketLocation",
    "GetBucketVersioning",
    "DeleteBucket",
    "PutObject",
    "AbortMultipartUpload",
    "ListMultipartUploadParts",
    "DeleteObject",
    "DeleteObjectVersion",
    "GetObject",
    "GetObjectVersion",
    "GetObjectTorrent",
    "GetObjectAcl",
    "GetObjectVersionAcl",
    "PutObjectAcl",
    "PutObjectVersionAcl",
    "GetObjectAttributes",
    "GetObjectTagging",
    "PutObjectTagging",
    "PutObjectRetention",
];

fn partner(action: &str) -> Request {
    let account = AccountId::new("222222222222").unwrap();
    let arn = if action.contains("Bucket") { "arn:aws:s3:::b" } else { "arn:aws:s3:::b/k" };
    Request {
        principal: Principal::User { arn: Arn::new("arn:aws:iam::222222222222:user/u").unwrap(), account },
        ids: PrincipalIds { canonical_user: Some("partner".into()), unique: None },
        action: format!("s3:{action}"),
        resource: Resource { arn: arn.to_owned(), account: AccountId::new("111111111111").ok() },
        context: Context::new(),
    }
}

fn everything() -> Policy {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    Policy::parse(text, PolicySource::new(PolicyKind::Identity, "p")).unwrap()
}

/// The actions that a grant gives an account that may do everything for its own part.
fn given(resource: AclResource, permission: AclPermission) -> BTreeSet<&'static str> {
    let private = Acl::private(&"owner".into());
    let granting =
        Acl { owner: "owner".into(), grants: vec![AclGrant::to_user(&"partner".into(), permission)] };
    let (bucket, object) = match resource {
        AclResource::Bucket => (&granting, &private),
        AclResource::Object => (&private, &granting),
    };
    let acls = Acls { ownership: ObjectOwnership::ObjectWriter, bucket, object: Some(object) };
    let policies = Policies { identity: &[everything()], acls: Some(acls), ..Policies::default() };
    ACTIONS.into_iter().filter(|action| decide(&partner(action), &policies).is_allowed()).collect()
}

#[test]
fn permissions_give_the_documented_actions_and_nothing_else() {
    use AclPermission::{FullControl, Read, ReadAcp, Write, WriteAcp};
    let table: [(AclResource, AclPermission, &[&str]); 10] = [
        (AclResource::Bucket, Read, &["ListBucket", "ListBucketMultipartUploads", "ListBucketVersions"]),
        (AclResource::Bucket, Write, &["PutObject"]),
        (AclResource::Bucket, ReadAcp, &["GetBucketAcl"]),
        (AclResource::Bucket, WriteAcp, &["PutBucketAcl"]),
        (
            AclResource::Bucket,
            FullControl,
            &[
                "GetBucketAcl",
                "ListBucket",
                "ListBucketMultipartUploads",
                "ListBucketVersions",
                "PutBucketAcl",
                "PutObject",
            ],
        ),
        (AclResource::Object, Read, &["GetObject", "GetObjectTorrent", "GetObjectVersion"]),
        (AclResource::Object, Write, &[]),
        (AclResource::Object, ReadAcp, &["GetObjectAcl", "GetObjectVersionAcl"]),
        (AclResource::Object, WriteAcp, &["PutObjectAcl", "PutObjectVersionAcl"]),
        (
            AclResource::Object,
            FullControl,
            &[
                "GetObject",
                "GetObjectAcl",
                "GetObjectTorrent",
                "GetObjectVersion",
                "GetObjectVersionAcl",
                "PutObjectAcl",
                "PutObjectVersionAcl",
            ],
        ),
    ];
    for (resource, permission, actions) in table {
        let expected: BTreeSet<&str> = actions.iter().copied().collect();
        assert_eq!(given(resource, permission), expected, "{} on the {resource:?}", permission.as_str());
    }
}

/// What the owner of the bucket may do to an object of another account, with a bucket policy that allows everything:
/// recorded from AWS by a third party.
#[test]
fn the_bucket_owner_neither_reads_foreign_objects_nor_touches_their_acl() {
    let bucket = Acl::private(&"owner".into());
    let object = Acl::private(&"partner".into());
    let text = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"*"}}"#;
    let policy = Policy::parse(text, PolicySource::new(PolicyKind::Bucket, "b")).unwrap();
    let refused = |ownership| {
        let policies = Policies {
            identity: &[everything()],
            resource: Some(&policy),
            acls: Some(Acls { ownership, bucket: &bucket, object: Some(&object) }),
            ..Policies::default()
        };
        let asks = |action: &str| {
            let account = AccountId::new("111111111111").unwrap();
            let arn = Arn::new("arn:aws:iam::111111111111:user/u").unwrap();
            let ids = PrincipalIds { canonical_user: Some("owner".into()), unique: None };
            Request { principal: Principal::User { arn, account }, ids, ..partner(action) }
        };
        ACTIONS
            .into_iter()
            .filter(|action| !decide(&asks(action), &policies).is_allowed())
            .collect::<Vec<_>>()
    };
    let expected = [
        "GetObject",
        "GetObjectVersion",
        "GetObjectTorrent",
        "GetObjectAcl",
        "GetObjectVersionAcl",
        "PutObjectAcl",
        "PutObjectVersionAcl",
        "GetObjectAttributes",
    ];
    assert_eq!(refused(ObjectOwnership::ObjectWriter), expected);
    assert_eq!(refused(ObjectOwnership::BucketOwnerPreferred), expected);
    assert!(refused(ObjectOwnership::BucketOwnerEnforced).is_empty());
}

#[test]
fn what_is_shown_is_what_is_in_force() {
    let bucket = crate::CannedAcl::PublicRead.for_bucket(&"owner".into());
    let object = crate::CannedAcl::PublicRead.for_object(&"partner".into(), &"owner".into());
    let shown = |ownership, resource, block| {
        let acls = Acls { ownership, bucket: &bucket, object: Some(&object) };
        acls.shown(resource, block).unwrap().into_owned()
    };
    let (writer, enforced) = (ObjectOwnership::ObjectWriter, ObjectOwnership::BucketOwnerEnforced);
    let none = PublicAccessBlock::NONE;
    let ignoring = PublicAccessBlock { ignore_public_acls: true, ..none };
    assert_eq!(shown(writer, AclResource::Object, none), object);
    assert_eq!(shown(writer, AclResource::Object, ignoring), Acl::private(&"partner".into()));
    assert_eq!(shown(writer, AclResource::Bucket, ignoring), Acl::private(&"owner".into()));
    assert_eq!(shown(enforced, AclResource::Object, none), Acl::private(&"owner".into()));
    let acls = Acls { ownership: writer, bucket: &bucket, object: None };
    assert!(acls.shown(AclResource::Object, none).is_none());
}
