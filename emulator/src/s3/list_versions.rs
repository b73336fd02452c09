//! Listing the versions of objects.
//!
//! Like the listing of objects, but newest first within a key, and with delete markers.

use std::ops::Bound;

use bucketproof_authz::CanonicalUserId;
use jiff::Timestamp;

use super::list::{MAX_KEYS, beyond, common_prefix, page_size};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Bucket, Version, VersionId, World};

/// `ListObjectVersions`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListObjectVersions {
    pub(crate) bucket: String,
    pub(crate) prefix: Option<String>,
    pub(crate) delimiter: Option<String>,
    /// The key, or common prefix, after which the page begins.
    pub(crate) key_marker: Option<String>,
    /// The version of that key after which it begins.
    pub(crate) version_marker: Option<String>,
    /// As the client asked, before the cap.
    pub(crate) max_keys: Option<i32>,
}

/// One page.
#[derive(Debug, Default)]
pub(crate) struct VersionsPage {
    pub(crate) versions: Vec<ListedVersion>,
    pub(crate) common_prefixes: Vec<String>,
    /// The last name of this page if there is more, with its version unless it is a common prefix.
    pub(crate) next: Option<(String, Option<VersionId>)>,
    pub(crate) max_keys: usize,
}

/// A version in a listing.
#[derive(Debug)]
pub(crate) struct ListedVersion {
    pub(crate) key: String,
    pub(crate) version: Version,
    pub(crate) is_latest: bool,
    pub(crate) owner: CanonicalUserId,
}

/// A delete marker is the bucket owner's; unverified for markers that other accounts set.
fn owner<'a>(version: &'a Version, bucket: &'a Bucket) -> &'a CanonicalUserId {
    version.object().map_or(bucket.owner_id(), |object| bucket.owner_of(&object.attributes))
}

impl ListObjectVersions {
    fn walk(&self, bucket: &Bucket, page: &mut VersionsPage) -> Result<(), AwsError> {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
        let marker = self.key_marker.as_deref().filter(|marker| !marker.is_empty());
        let after = match (&self.version_marker, marker) {
            (Some(_), None) => {
                let text = "A version-id marker cannot be specified without a key marker.";
                let value = self.version_marker.as_deref().unwrap_or_default();
                return Err(AwsError::invalid_argument(text, "version-id-marker", value));
            }
            (Some(id), Some(_)) => Some(VersionId::parse(id).ok_or_else(|| {
                AwsError::invalid_argument("Invalid version id specified", "version-id-marker", id)
            })?),
            (None, _) => None,
        };
        let mut from = match marker {
            Some(marker) if marker >= prefix => {
                let is_prefix = delimiter.is_some_and(|d| common_prefix(marker, prefix, d) == Some(marker));
                match (&after, is_prefix) {
                    (Some(_), _) => Bound::Included(marker.to_owned()),
                    (None, true) => beyond(marker),
                    (None, false) => Bound::Excluded(marker.to_owned()),
                }
            }
            _ => Bound::Included(prefix.to_owned()),
        };
        let mut last = None;
        loop {
            let Some((key, versions)) = bucket.objects.range_versions((from, Bound::Unbounded)).next() else {
                return Ok(());
            };
            if !key.starts_with(prefix) {
                return Ok(());
            }
            let full =
                |page: &VersionsPage| page.versions.len() + page.common_prefixes.len() == page.max_keys;
            if let Some(group) = delimiter.and_then(|delimiter| common_prefix(key, prefix, delimiter)) {
                if full(page) {
                    page.next = last;
                    return Ok(());
                }
                page.common_prefixes.push(group.to_owned());
                last = Some((group.to_owned(), None));
                from = beyond(group);
                continue;
            }
            let resumed = after.as_ref().filter(|_| marker == Some(key.as_str()));
            let seen = resumed.map_or(0, |id| {
                versions.iter().position(|version| version.id() == id).map_or(versions.len(), |at| at + 1)
            });
            for (index, version) in versions.into_iter().enumerate().skip(seen) {
                if full(page) {
                    page.next = last;
                    return Ok(());
                }
                last = Some((key.clone(), Some(version.id().clone())));
                page.versions.push(ListedVersion {
                    key: key.clone(),
                    version: version.clone(),
                    is_latest: index == 0,
                    owner: owner(version, bucket).clone(),
                });
            }
            from = Bound::Excluded(key.clone());
        }
    }
}

impl Operation for ListObjectVersions {
    type Output = VersionsPage;
    const OP: Op = Op::ListObjectVersions;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        let max_keys = self.max_keys.map(|max_keys| max_keys.to_string());
        Ok(vec![
            Requirement::on_bucket("s3:ListBucketVersions", &self.bucket)
                .with_some("s3:prefix", self.prefix.as_deref())
                .with_some("s3:delimiter", self.delimiter.as_deref())
                .with_some("s3:max-keys", max_keys.as_deref()),
        ])
    }

    fn apply(
        authorized: Authorized<Self>,
        world: &mut World,
        _: Timestamp,
    ) -> Result<VersionsPage, AwsError> {
        let operation = authorized.into_operation();
        let bucket = world.bucket(&operation.bucket)?;
        let max_keys = operation.max_keys.map_or(Ok(MAX_KEYS), page_size)?;
        let mut page = VersionsPage { max_keys, ..VersionsPage::default() };
        if max_keys > 0 {
            operation.walk(bucket, &mut page)?;
        }
        Ok(page)
    }
}
