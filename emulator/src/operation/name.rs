//! The names of the operations.

use std::fmt;
use std::str::FromStr;

/// An operation by the name that AWS gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the AWS operation of the same name")]
pub enum Op {
    AbortMultipartUpload,
    AssumeRole,
    CompleteMultipartUpload,
    CopyObject,
    CreateBucket,
    CreateMultipartUpload,
    DeleteBucket,
    DeleteBucketPolicy,
    DeleteObject,
    DeleteObjects,
    GetBucketLocation,
    GetBucketPolicy,
    GetCallerIdentity,
    GetObject,
    HeadBucket,
    HeadObject,
    ListBuckets,
    ListMultipartUploads,
    ListObjects,
    ListObjectsV2,
    ListParts,
    PutBucketPolicy,
    PutObject,
    UploadPart,
    UploadPartCopy,
}

/// A text that names no operation of this emulator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an operation of this emulator")]
pub struct UnknownOp(String);

impl Op {
    /// Every operation, by name.
    pub const ALL: [Self; 25] = [
        Self::AbortMultipartUpload,
        Self::AssumeRole,
        Self::CompleteMultipartUpload,
        Self::CopyObject,
        Self::CreateBucket,
        Self::CreateMultipartUpload,
        Self::DeleteBucket,
        Self::DeleteBucketPolicy,
        Self::DeleteObject,
        Self::DeleteObjects,
        Self::GetBucketLocation,
        Self::GetBucketPolicy,
        Self::GetCallerIdentity,
        Self::GetObject,
        Self::HeadBucket,
        Self::HeadObject,
        Self::ListBuckets,
        Self::ListMultipartUploads,
        Self::ListObjects,
        Self::ListObjectsV2,
        Self::ListParts,
        Self::PutBucketPolicy,
        Self::PutObject,
        Self::UploadPart,
        Self::UploadPartCopy,
    ];
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The derived name is AWS's name.
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for Op {
    type Err = UnknownOp;

    fn from_str(text: &str) -> Result<Self, UnknownOp> {
        Self::ALL.into_iter().find(|op| op.to_string() == text).ok_or_else(|| UnknownOp(text.to_owned()))
    }
}
