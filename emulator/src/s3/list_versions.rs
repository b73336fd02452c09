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
                // A common prefix that the marker lies in has been listed.
                let group = delimiter.and_then(|delimiter| common_prefix(marker, prefix, delimiter));
                match (&after, group) {
                    (Some(_), _) => Bound::Included(marker.to_owned()),
                    (None, Some(group)) => beyond(group),
                    (None, None) => Bound::Excluded(marker.to_owned()),
                }
            }
            _ => Bound::Included(prefix.to_owned()),
        };
        let mut last = None;
        let is_full = |page: &VersionsPage| page.versions.len() + page.common_prefixes.len() == page.max_keys;
        // One walk from key to key; only behind a common prefix it is begun anew.
        'walk: loop {
            for (key, versions) in bucket.objects.range_versions((from, Bound::Unbounded)) {
                if !key.starts_with(prefix) {
                    return Ok(());
                }
                if let Some(group) = delimiter.and_then(|delimiter| common_prefix(key, prefix, delimiter)) {
                    if is_full(page) {
                        page.next = last;
                        return Ok(());
                    }
                    page.common_prefixes.push(group.to_owned());
                    last = Some((group.to_owned(), None));
                    from = beyond(group);
                    continue 'walk;
                }
                // What stood at the marker may be gone; what is older than it is not.
                let resumed = after.as_ref().filter(|_| marker == Some(key.as_str()));
                for (version, is_latest) in versions.older_than(resumed) {
                    if is_full(page) {
                        page.next = last;
                        return Ok(());
                    }
                    last = Some((key.clone(), Some(version.id().clone())));
                    page.versions.push(ListedVersion {
                        key: key.clone(),
                        version: version.clone(),
                        is_latest,
                        owner: owner(version, bucket).clone(),
                    });
                }
            }
            return Ok(());
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

#[cfg(test)]
mod tests {
    use bucketproof_authz::AccountId;
    use bucketproof_clock::Entropy;
    use jiff::Timestamp;

    use super::{ListObjectVersions, VersionsPage};
    use crate::ids;
    use crate::state::{Bucket, Defaults, DeleteMarker, Version, VersionId};

    fn bucket() -> Bucket {
        let owner = AccountId::new("111122223333").unwrap();
        Bucket::new("bucket", "us-east-1", owner, &"owner".into(), Defaults::Modern, Timestamp::UNIX_EPOCH)
    }

    fn mark(bucket: &mut Bucket, key: &str, entropy: &Entropy) -> VersionId {
        let version = VersionId::Drawn(ids::version_id(entropy, bucket.objects.next_order()).into());
        let marker = DeleteMarker { version: version.clone(), last_modified: Timestamp::UNIX_EPOCH };
        bucket.push(key, Version::Marker(marker));
        version
    }

    fn page(bucket: &Bucket, listing: &ListObjectVersions, max_keys: usize) -> VersionsPage {
        let mut page = VersionsPage { max_keys, ..VersionsPage::default() };
        listing.walk(bucket, &mut page).unwrap();
        page
    }

    /// Whether it is many keys or many versions of one, a page costs its own length.
    #[test]
    fn a_page_costs_its_own_length() {
        let entropy = Entropy::seeded(7);
        let mut bucket = bucket();
        let ids: Vec<VersionId> = (0..20_000).map(|_| mark(&mut bucket, "many", &entropy)).collect();
        for n in 0..20_000 {
            mark(&mut bucket, &format!("z{n:06}"), &entropy);
        }
        bucket.objects.take_steps();
        let listing = ListObjectVersions {
            key_marker: Some("many".into()),
            version_marker: Some(ids[10_000].to_string()),
            ..ListObjectVersions::default()
        };
        let found = page(&bucket, &listing, 20);
        assert_eq!(found.versions[0].version.id(), &ids[9_999]);
        assert!(bucket.objects.take_steps() <= 2);
        let listing =
            ListObjectVersions { key_marker: Some("z010000".into()), ..ListObjectVersions::default() };
        assert_eq!(page(&bucket, &listing, 20).versions[19].key, "z010020");
        assert!(bucket.objects.take_steps() <= 22);
    }

    /// Whoever empties a bucket deletes what the marker of the next page names.
    #[test]
    fn a_listing_goes_on_behind_a_version_that_is_gone() {
        let entropy = Entropy::seeded(7);
        let mut bucket = bucket();
        let ids: Vec<VersionId> = (0..10).map(|_| mark(&mut bucket, "k", &entropy)).collect();
        for id in &ids[5..] {
            bucket.remove("k", id);
        }
        let listing = ListObjectVersions {
            key_marker: Some("k".into()),
            version_marker: Some(ids[5].to_string()),
            ..ListObjectVersions::default()
        };
        let found = page(&bucket, &listing, 100);
        let listed: Vec<&VersionId> = found.versions.iter().map(|listed| listed.version.id()).collect();
        assert_eq!(listed, ids[..5].iter().rev().collect::<Vec<_>>());
        assert!(found.versions[0].is_latest);
    }
}
