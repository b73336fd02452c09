//! Listing multipart uploads, and the parts of one.

use std::collections::BTreeMap;

use bucketproof_authz::CanonicalUserId;
use jiff::Timestamp;

use super::customer_key::GivenKey;
use super::lifecycle::abort_headers;
use super::multipart::UploadRef;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Part, Upload, World};

/// `ListParts`.
#[derive(Debug)]
pub(crate) struct ListParts {
    pub(crate) upload: UploadRef,
    pub(crate) max_parts: usize,
    pub(crate) after: i32,
    /// Needed, as for completing, where checksums are kept (API reference).
    pub(crate) customer_key: GivenKey,
}

/// One page of parts.
#[derive(Debug)]
pub(crate) struct PartsPage {
    pub(crate) parts: Vec<(i32, Part)>,
    pub(crate) truncated: bool,
    pub(crate) upload: Upload,
    pub(crate) owner: CanonicalUserId,
    /// When the upload is aborted, and by which lifecycle rule.
    pub(crate) abort: Option<[(&'static str, String); 2]>,
}

impl Operation for ListParts {
    type Output = PartsPage;
    const OP: Op = Op::ListParts;

    fn target(&self) -> Target<'_> {
        self.upload.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let requirements = self.upload.require(world, "s3:ListMultipartUploadParts")?;
        Ok(self.upload.with_decrypt(requirements, world))
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<PartsPage, AwsError> {
        let Self { upload, max_parts, after, customer_key } = authorized.into_operation();
        let found = upload.find(world)?;
        if found.checksum.is_some() || !customer_key.is_absent() {
            customer_key.check_upload(&found.attributes.encryption)?;
        }
        upload.check_decrypt(found, world)?;
        let mut parts: Vec<(i32, Part)> = found
            .parts
            .iter()
            .filter(|(number, _)| **number > after)
            .take(max_parts.saturating_add(1))
            .map(|(number, part)| (*number, part.clone()))
            .collect();
        let truncated = parts.len() > max_parts;
        parts.truncate(max_parts);
        let bucket = world.bucket(&upload.bucket)?;
        let owner = bucket.owner_of(&found.attributes).clone();
        let abort = abort_headers(bucket, &upload.key, found.initiated_at);
        let upload = Upload { parts: BTreeMap::new(), ..found.clone() };
        Ok(PartsPage { parts, truncated, upload, owner, abort })
    }
}

/// `ListMultipartUploads`.
#[derive(Debug)]
pub(crate) struct ListMultipartUploads {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) max_uploads: usize,
    /// The key, and the upload id within it, after which to go on.
    pub(crate) after: Option<(String, Option<String>)>,
}

/// One page of uploads.
#[derive(Debug)]
pub(crate) struct UploadsPage {
    /// By key, then by initiation.
    pub(crate) uploads: Vec<ListedUpload>,
    pub(crate) truncated: bool,
}

/// An upload in a listing.
#[derive(Debug)]
pub(crate) struct ListedUpload {
    pub(crate) key: String,
    pub(crate) id: String,
    /// Without its parts.
    pub(crate) upload: Upload,
    pub(crate) owner: CanonicalUserId,
}

impl Operation for ListMultipartUploads {
    type Output = UploadsPage;
    const OP: Op = Op::ListMultipartUploads;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_bucket("s3:ListBucketMultipartUploads", &self.bucket)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<UploadsPage, AwsError> {
        let Self { bucket, prefix, max_uploads, after } = authorized.into_operation();
        let bucket = world.bucket(&bucket)?;
        let mut uploads: Vec<(String, String, Upload)> = bucket
            .uploads
            .iter()
            .filter(|((key, _), _)| key.starts_with(&prefix))
            .map(|((key, id), upload)| {
                let upload = Upload { parts: BTreeMap::new(), ..upload.clone() };
                (key.clone(), id.clone(), upload)
            })
            .collect();
        uploads.sort_by(|a, b| (&a.0, a.2.initiated_at, &a.1).cmp(&(&b.0, b.2.initiated_at, &b.1)));
        if let Some((after_key, after_id)) = &after {
            let end = match after_id {
                None => uploads.iter().rposition(|(key, ..)| key <= after_key).map_or(0, |last| last + 1),
                Some(after_id) => {
                    let marked = uploads.iter().position(|(key, id, _)| key == after_key && id == after_id);
                    let refusal = || {
                        AwsError::invalid_argument("Invalid uploadId marker", "upload-id-marker", after_id)
                    };
                    marked.ok_or_else(refusal)? + 1
                }
            };
            uploads.drain(..end);
        }
        let truncated = uploads.len() > max_uploads;
        uploads.truncate(max_uploads);
        let uploads = uploads.into_iter().map(|(key, id, upload)| {
            let owner = bucket.owner_of(&upload.attributes).clone();
            ListedUpload { key, id, upload, owner }
        });
        Ok(UploadsPage { uploads: uploads.collect(), truncated })
    }
}
