//! Block Public Access of buckets, and through S3 Control of accounts.

use bucketproof_authz::{AccountId, PublicAccessBlock};
use jiff::Timestamp;

use super::configuration::{Configuration, Removable};
use super::document::{Document, Element};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{Bucket, World};

impl Configuration for PublicAccessBlock {
    const GET: Op = Op::GetPublicAccessBlock;
    const PUT: Op = Op::PutPublicAccessBlock;
    const GET_ACTION: &'static str = "s3:GetBucketPublicAccessBlock";
    const PUT_ACTION: &'static str = "s3:PutBucketPublicAccessBlock";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        let missing = || AwsError::no_public_access_block().with("BucketName", &bucket.name);
        bucket.public_access_block.ok_or_else(missing)
    }

    fn check(&self, _: &Bucket, _: &World) -> Result<(), AwsError> {
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.public_access_block = Some(self);
    }
}

impl Removable for PublicAccessBlock {
    const DELETE: Op = Op::DeletePublicAccessBlock;
    const DELETE_ACTION: &'static str = "s3:PutBucketPublicAccessBlock";

    fn remove(bucket: &mut Bucket) {
        bucket.public_access_block = None;
    }
}

impl Document for PublicAccessBlock {
    const ROOT: &'static str = "PublicAccessBlockConfiguration";

    /// A setting that is left out is off, but one must be there; recorded for accounts, unverified for buckets.
    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"])?;
        if root.children().is_empty() {
            return Err(AwsError::invalid_request("Must specify at least one configuration."));
        }
        let setting = |name| match root.value(name)?.map(str::trim) {
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(AwsError::malformed_xml()),
            None => Ok(false),
        };
        Ok(Self {
            block_public_acls: setting("BlockPublicAcls")?,
            ignore_public_acls: setting("IgnorePublicAcls")?,
            block_public_policy: setting("BlockPublicPolicy")?,
            restrict_public_buckets: setting("RestrictPublicBuckets")?,
        })
    }

    fn write(&self) -> Element {
        Element::new(Self::ROOT)
            .with_text("BlockPublicAcls", self.block_public_acls.to_string())
            .with_text("IgnorePublicAcls", self.ignore_public_acls.to_string())
            .with_text("BlockPublicPolicy", self.block_public_policy.to_string())
            .with_text("RestrictPublicBuckets", self.restrict_public_buckets.to_string())
    }
}

/// The account that a request to S3 Control names in `x-amz-account-id`.
#[derive(Clone, Debug)]
pub(crate) struct NamedAccount(pub(crate) String);

/// `GetPublicAccessBlock` of S3 Control.
#[derive(Debug)]
pub(crate) struct GetAccountPublicAccessBlock(pub(crate) NamedAccount);

/// `PutPublicAccessBlock` of S3 Control.
#[derive(Debug)]
pub(crate) struct PutAccountPublicAccessBlock {
    pub(crate) account: NamedAccount,
    /// The four settings, or what is wrong with them.
    pub(crate) block: Result<PublicAccessBlock, AwsError>,
}

/// `DeletePublicAccessBlock` of S3 Control.
#[derive(Debug)]
pub(crate) struct DeleteAccountPublicAccessBlock(pub(crate) NamedAccount);

impl NamedAccount {
    /// The settings of an account are its own: no policy opens them to others. The text for others is unverified.
    fn own<O>(&self, authorized: &Authorized<O>) -> Result<AccountId, AwsError> {
        let own = authorized.account().filter(|account| account.as_str() == self.0);
        own.cloned().ok_or_else(|| AwsError::access_denied("Access Denied"))
    }
}

const GET_ACTION: &str = "s3:GetAccountPublicAccessBlock";
const PUT_ACTION: &str = "s3:PutAccountPublicAccessBlock";

impl Operation for GetAccountPublicAccessBlock {
    type Output = PublicAccessBlock;
    const OP: Op = Op::GetAccountPublicAccessBlock;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new(GET_ACTION, RequiredResource::Any)])
    }

    fn apply(
        authorized: Authorized<Self>,
        world: &mut World,
        _: Timestamp,
    ) -> Result<PublicAccessBlock, AwsError> {
        let account = authorized.operation().0.own(&authorized)?;
        let missing = || AwsError::no_public_access_block().with("AccountId", account.as_str());
        world.beyond_buckets.public_access_blocks.get(&account).copied().ok_or_else(missing)
    }
}

impl Operation for PutAccountPublicAccessBlock {
    type Output = ();
    const OP: Op = Op::PutAccountPublicAccessBlock;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new(PUT_ACTION, RequiredResource::Any)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let account = authorized.operation().account.own(&authorized)?;
        let block = authorized.into_operation().block?;
        world.beyond_buckets.public_access_blocks.insert(account, block);
        Ok(())
    }
}

impl Operation for DeleteAccountPublicAccessBlock {
    type Output = ();
    const OP: Op = Op::DeleteAccountPublicAccessBlock;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new(PUT_ACTION, RequiredResource::Any)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let account = authorized.operation().0.own(&authorized)?;
        world.beyond_buckets.public_access_blocks.remove(&account);
        Ok(())
    }
}
