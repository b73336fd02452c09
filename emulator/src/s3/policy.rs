//! Bucket policies.

use bucketproof_authz::{DocumentKind, Policy, PolicyKind, PolicySource};
use http::StatusCode;
use jiff::Timestamp;

use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
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

/// Parses a policy for `bucket` and checks all that AWS checks when it is put.
pub(crate) fn bucket_policy(
    text: &str,
    bucket: &str,
    file: Option<&str>,
    accounts: &Accounts,
) -> Result<Policy, AwsError> {
    let refuse = |text: &str| AwsError::new(StatusCode::BAD_REQUEST, "MalformedPolicy", text);
    let source = PolicySource::new(PolicyKind::Bucket, bucket);
    let source = match file {
        Some(file) => source.with_file(file),
        None => source,
    };
    let policy = Policy::parse_valid(text, source, DocumentKind::Bucket { name: bucket })
        .map_err(|error| refuse(&error.aws_message()))?;
    if policy.principals().any(|entry| !accounts.knows(&entry.principal)) {
        return Err(refuse("Invalid principal in policy"));
    }
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
        let caller = authorized.caller().principal();
        let Self { bucket, text } = authorized.into_operation();
        let policy = bucket_policy(&text, &bucket, None, &world.accounts)?;
        let bucket = world.bucket_mut(&bucket)?;
        if bucket.public_access_block.block_public_policy && policy.is_public() {
            return Err(AwsError::access_denied(format!(
                "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::{}\" \
                 because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public \
                 Access.",
                caller.display_name(),
                bucket.name,
            )));
        }
        bucket.policy = Some(policy);
        Ok(())
    }
}

impl Operation for GetBucketPolicy {
    /// The document as it was put.
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
