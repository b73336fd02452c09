use std::borrow::Cow;

use super::*;
use crate::acl::{CannedAcl, CanonicalUserId};
use crate::policy::{PolicyKind, PolicySource};

#[test]
fn settings_of_bucket_and_account_add_up() {
    let bucket = PublicAccessBlock { block_public_acls: true, ..PublicAccessBlock::NONE };
    let account = PublicAccessBlock { restrict_public_buckets: true, ..PublicAccessBlock::NONE };
    let expected = PublicAccessBlock {
        block_public_acls: true,
        restrict_public_buckets: true,
        ..PublicAccessBlock::NONE
    };
    assert_eq!(bucket.or(account), expected);
    assert_eq!(account.or(bucket), expected);
    assert_eq!(PublicAccessBlock::NONE.or(PublicAccessBlock::ALL), PublicAccessBlock::ALL);
    let acls = PublicAccessBlock { ignore_public_acls: true, ..PublicAccessBlock::NONE };
    let policy = PublicAccessBlock { block_public_policy: true, ..PublicAccessBlock::NONE };
    assert_eq!(bucket.or(account).or(acls).or(policy), PublicAccessBlock::ALL);
    assert_eq!(PublicAccessBlock::default(), PublicAccessBlock::NONE);
}

#[test]
fn each_setting_acts_alone() {
    let owner = CanonicalUserId::new("o");
    let public = CannedAcl::AuthenticatedRead.for_bucket(&owner);
    let private = CannedAcl::Private.for_bucket(&owner);
    let text = |principal: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}}}"#
        )
    };
    let policy = |principal: &str| {
        Policy::parse(&text(principal), PolicySource::new(PolicyKind::Bucket, "b")).unwrap()
    };
    for bits in 0..16_u8 {
        let settings = PublicAccessBlock {
            block_public_acls: bits & 1 != 0,
            ignore_public_acls: bits & 2 != 0,
            block_public_policy: bits & 4 != 0,
            restrict_public_buckets: bits & 8 != 0,
        };
        assert_eq!(settings.blocks_acl(&public), settings.block_public_acls);
        assert!(!settings.blocks_acl(&private));
        assert_eq!(settings.blocks_policy(&policy("*")), settings.block_public_policy);
        assert!(!settings.blocks_policy(&policy("111122223333")));
        let in_force = settings.acl_in_force(Cow::Borrowed(&public));
        assert_eq!(*in_force == private, settings.ignore_public_acls);
    }
}
