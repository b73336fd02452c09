//! Listing multipart uploads, and the parts of one.

use std::ops::Bound;

use bucketproof_authz::CanonicalUserId;
use jiff::Timestamp;

use super::customer_key::GivenKey;
use super::lifecycle::abort_headers;
use super::list::{beyond, common_prefix};
use super::multipart::UploadRef;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::ids::is_upload_id_of;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Bucket, Part, Upload, World};

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
            .range((Bound::Excluded(after), Bound::Unbounded))
            .take(max_parts.saturating_add(1))
            .map(|(number, part)| (*number, part.clone()))
            .collect();
        let truncated = parts.len() > max_parts;
        parts.truncate(max_parts);
        let bucket = world.bucket(&upload.bucket)?;
        let owner = bucket.owner_of(&found.attributes).clone();
        let abort = abort_headers(bucket, &upload.key, found.initiated_at);
        let upload = found.without_parts();
        Ok(PartsPage { parts, truncated, upload, owner, abort })
    }
}

/// `ListMultipartUploads`.
#[derive(Debug, Default)]
pub(crate) struct ListMultipartUploads {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) delimiter: Option<String>,
    pub(crate) max_uploads: usize,
    /// The key, and the upload id within it, after which to go on.
    pub(crate) after: Option<(String, Option<String>)>,
}

/// One page of uploads.
#[derive(Debug, Default)]
pub(crate) struct UploadsPage {
    /// By key, then by initiation.
    pub(crate) uploads: Vec<ListedUpload>,
    pub(crate) common_prefixes: Vec<String>,
    pub(crate) truncated: bool,
    /// The last upload of the page, if it ends with one; AWS names no place behind a common prefix.
    pub(crate) last: Option<(String, String)>,
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

impl ListMultipartUploads {
    /// Where the page begins.
    fn start(&self) -> Result<Bound<(String, String)>, AwsError> {
        let from = |key: String| Bound::Included((key, String::new()));
        let Some((key, id)) = self.after.as_ref().filter(|(key, _)| *key >= self.prefix) else {
            return Ok(from(self.prefix.clone()));
        };
        if let Some(id) = id {
            // The upload itself may be gone, as for those who abort page after page.
            if !is_upload_id_of(id, key) {
                return Err(AwsError::invalid_argument("Invalid uploadId marker", "upload-id-marker", id));
            }
            return Ok(Bound::Excluded((key.clone(), id.clone())));
        }
        // A common prefix that the marker lies in has been listed. No key lies between a key and the same with the
        // lowest character behind it.
        let group = self.delimiter.as_deref().and_then(|d| common_prefix(key, &self.prefix, d));
        Ok(group.map_or_else(|| from(format!("{key}\0")), after_prefix))
    }

    fn walk(&self, bucket: &Bucket, page: &mut UploadsPage) -> Result<(), AwsError> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
        let mut from = self.start()?;
        'walk: loop {
            for ((key, id), upload) in bucket.uploads.range((from, Bound::Unbounded)) {
                if !key.starts_with(&self.prefix) {
                    return Ok(());
                }
                if page.uploads.len() + page.common_prefixes.len() == self.max_uploads {
                    page.truncated = self.max_uploads > 0;
                    return Ok(());
                }
                if let Some(group) = delimiter.and_then(|d| common_prefix(key, &self.prefix, d)) {
                    page.common_prefixes.push(group.to_owned());
                    page.last = None;
                    from = after_prefix(group);
                    continue 'walk;
                }
                page.last = Some((key.clone(), id.clone()));
                page.uploads.push(ListedUpload {
                    key: key.clone(),
                    id: id.clone(),
                    upload: upload.without_parts(),
                    owner: bucket.owner_of(&upload.attributes).clone(),
                });
            }
            return Ok(());
        }
    }
}

/// The first place behind all keys with a prefix.
fn after_prefix(prefix: &str) -> Bound<(String, String)> {
    match beyond(prefix) {
        Bound::Included(key) => Bound::Included((key, String::new())),
        Bound::Excluded(key) => Bound::Excluded((key, String::new())),
        Bound::Unbounded => Bound::Unbounded,
    }
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
        let operation = authorized.into_operation();
        let mut page = UploadsPage::default();
        operation.walk(world.bucket(&operation.bucket)?, &mut page)?;
        Ok(page)
    }
}
