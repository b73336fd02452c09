//! Bucket policies.

use bucketproof_authz::{DocumentKind, Policy, PolicyKind, PolicySource, PublicAccessBlock};
use http::StatusCode;
use jiff::Timestamp;

use super::acl::blocked;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{Accounts, World};

/// `PutBucketPolicy`.
#[derive(Debug)]
pub(crate) struct PutBucketPolicy {
    pub(crate) bucket: String,
    pub(crate) text: String,
}

/// `GetBucketPolicy`.
#[derive(Debug)]
pub(crate) struct GetBucketPolicy {
    pub(crate) bucket: String,
}

/// `DeleteBucketPolicy`.
#[derive(Debug)]
pub(crate) struct DeleteBucketPolicy {
    pub(crate) bucket: String,
}

/// `GetBucketPolicyStatus`.
#[derive(Debug)]
pub(crate) struct GetBucketPolicyStatus {
    pub(crate) bucket: String,
}

/// Whether a bucket policy opens the bucket to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PolicyStatus {
    Public,
    NotPublic,
}

/// Parses a policy for `bucket` and checks all that AWS checks when it is put.
pub(crate) fn bucket_policy(
    text: &str,
    bucket: &str,
    file: Option<&str>,
    accounts: &Accounts,
) -> Result<Policy, AwsError> {
    let refuse = |text: &str| AwsError::new(StatusCode::BAD_REQUEST, "MalformedPolicy", text);
    let policy_source = || {
        let source = PolicySource::new(PolicyKind::Bucket, bucket);
        match file {
            Some(file) => source.with_file(file),
            None => source,
        }
    };
    let policy = Policy::parse_valid(text, policy_source(), DocumentKind::Bucket { name: bucket })
        .map_err(|error| refuse(&error.aws_message()))?;
    if policy.principals().any(|entry| !accounts.knows(&entry.principal)) {
        return Err(refuse("Invalid principal in policy"));
    }
    // AWS stores the root user in place of an account's number.
    let rooted = policy.text_with_roots().into_owned();
    let policy = Policy::parse(&rooted, policy_source()).map_err(|error| refuse(&error.aws_message()))?;
    Ok(accounts.bound(&policy))
}

/// Only the bucket owner's account may manage its policy; AWS answers others with 405 even where a policy allows it.
fn check_owner<O>(authorized: &Authorized<O>, world: &World, bucket: &str) -> Result<(), AwsError> {
    if authorized.account() == Some(&world.bucket(bucket)?.owner) {
        return Ok(());
    }
    Err(AwsError::method_not_allowed("BUCKETPOLICY"))
}

impl Operation for PutBucketPolicy {
    type Output = ();
    const OP: Op = Op::PutBucketPolicy;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket("s3:PutBucketPolicy", &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        check_owner(&authorized, world, &authorized.operation().bucket)?;
        let (Self { bucket, text }, caller) = authorized.into_parts();
        let policy = bucket_policy(&text, &bucket, None, &world.accounts)?;
        let target = world.bucket(&bucket)?;
        if world.public_access_block(target).blocks_policy(&policy) {
            let resource = RequiredResource::Bucket(bucket);
            let because = PublicAccessBlock::BLOCKED_POLICY;
            return Err(blocked(target, &caller, "s3:PutBucketPolicy", &resource, because));
        }
        world.bucket_mut(&bucket)?.policy = Some(policy);
        Ok(())
    }
}

impl Operation for GetBucketPolicy {
    /// The document as it was put, but with principals as AWS shows them.
    type Output = String;
    const OP: Op = Op::GetBucketPolicy;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket("s3:GetBucketPolicy", &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<String, AwsError> {
        check_owner(&authorized, world, &authorized.operation().bucket)?;
        let name = authorized.into_operation().bucket;
        let policy = &world.bucket(&name)?.policy;
        policy
            .as_ref()
            .map(|policy| world.accounts.shown(policy).into_owned())
            .ok_or_else(|| AwsError::no_such_bucket_policy(&name))
    }
}

impl Operation for DeleteBucketPolicy {
    type Output = ();
    const OP: Op = Op::DeleteBucketPolicy;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket("s3:DeleteBucketPolicy", &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        check_owner(&authorized, world, &authorized.operation().bucket)?;
        world.bucket_mut(&authorized.into_operation().bucket)?.policy = None;
        Ok(())
    }
}

impl Operation for GetBucketPolicyStatus {
    type Output = PolicyStatus;
    const OP: Op = Op::GetBucketPolicyStatus;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket("s3:GetBucketPolicyStatus", &self.bucket)])
    }

    fn apply(
        authorized: Authorized<Self>,
        world: &mut World,
        _: Timestamp,
    ) -> Result<PolicyStatus, AwsError> {
        let bucket = world.bucket(&authorized.operation().bucket)?;
        match &bucket.policy {
            None => Err(AwsError::no_such_bucket_policy(&bucket.name)),
            Some(policy) if policy.is_public() => Ok(PolicyStatus::Public),
            Some(_) => Ok(PolicyStatus::NotPublic),
        }
    }
}
