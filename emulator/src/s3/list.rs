//! Listing objects, both versions of the API over one walk.
//!
//! The walk seeks: a common prefix is skipped in one step, so a page costs its own length, not the bucket's.

use std::ops::Bound;
use std::sync::Arc;

use bucketproof_authz::CanonicalUserId;
use jiff::Timestamp;

use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Bucket, Object, World};

/// The most keys of one page.
pub(crate) const MAX_KEYS: usize = 1000;

/// What both versions ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) bucket: String,
    pub(crate) prefix: Option<String>,
    pub(crate) delimiter: Option<String>,
    /// The key, or common prefix, after which the page begins.
    pub(crate) after: Option<String>,
    /// As the client asked, before the cap.
    pub(crate) max_keys: Option<i32>,
}

/// `ListObjects`.
#[derive(Debug)]
pub(crate) struct ListObjects(pub(crate) Listing);

/// `ListObjectsV2`.
#[derive(Debug)]
pub(crate) struct ListObjectsV2(pub(crate) Listing);

/// One page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) objects: Vec<ListedObject>,
    pub(crate) common_prefixes: Vec<String>,
    /// What the next page begins after; absent on the last page.
    pub(crate) next: Option<String>,
    pub(crate) max_keys: usize,
    /// That of the bucket.
    pub(crate) region: String,
}

/// An object in a listing.
#[derive(Debug)]
pub(crate) struct ListedObject {
    pub(crate) key: String,
    pub(crate) object: Arc<Object>,
    pub(crate) owner: CanonicalUserId,
}

impl Listing {
    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        // Policies see how many keys there may be, also where the request does not say it.
        let max_keys = self.max_keys.map_or_else(|| MAX_KEYS.to_string(), |max_keys| max_keys.to_string());
        Ok(vec![
            Requirement::on_bucket("s3:ListBucket", &self.bucket)
                .with_some("s3:prefix", self.prefix.as_deref())
                .with_some("s3:delimiter", self.delimiter.as_deref())
                .with("s3:max-keys", max_keys),
        ])
    }

    fn apply(&self, world: &World) -> Result<Page, AwsError> {
        let bucket = world.bucket(&self.bucket)?;
        let max_keys = self.max_keys.map_or(Ok(MAX_KEYS), page_size)?;
        let region = bucket.region.clone();
        let mut page =
            Page { objects: Vec::new(), common_prefixes: Vec::new(), next: None, max_keys, region };
        if max_keys > 0 {
            self.walk(bucket, &mut page);
        }
        Ok(page)
    }

    fn walk(&self, bucket: &Bucket, page: &mut Page) {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
        let mut from = match &self.after {
            Some(after) if after.as_str() >= prefix => {
                // A common prefix that the marker lies in has been listed.
                let group = delimiter.and_then(|delimiter| common_prefix(after, prefix, delimiter));
                group.map_or_else(|| Bound::Excluded(after.clone()), beyond)
            }
            _ => Bound::Included(prefix.to_owned()),
        };
        let mut last = None;
        // One walk from key to key; only behind a common prefix it is begun anew.
        'walk: loop {
            for (key, object) in bucket.objects.range((from, Bound::Unbounded)) {
                if !key.starts_with(prefix) {
                    return;
                }
                if page.objects.len() + page.common_prefixes.len() == page.max_keys {
                    page.next = last;
                    return;
                }
                if let Some(group) = delimiter.and_then(|delimiter| common_prefix(key, prefix, delimiter)) {
                    page.common_prefixes.push(group.to_owned());
                    last = Some(group.to_owned());
                    from = beyond(group);
                    continue 'walk;
                }
                page.objects.push(ListedObject {
                    key: key.clone(),
                    object: Arc::clone(object),
                    owner: bucket.owner_of(&object.attributes).clone(),
                });
                last = Some(key.clone());
            }
            return;
        }
    }
}

/// The size of a page that was asked for, capped at what AWS gives.
pub(super) fn page_size(asked: i32) -> Result<usize, AwsError> {
    let size = usize::try_from(asked).map_err(|_| {
        let text = "Argument maxKeys must be an integer between 0 and 2147483647";
        AwsError::invalid_argument(text, "maxKeys", asked.to_string())
    })?;
    Ok(size.min(MAX_KEYS))
}

/// `key` up to and with the first delimiter after the prefix.
pub(super) fn common_prefix<'a>(key: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    let rest = key.strip_prefix(prefix)?;
    let end = prefix.len() + rest.find(delimiter)? + delimiter.len();
    key.get(..end)
}

/// The first possible key that does not begin with `prefix`.
pub(super) fn beyond(prefix: &str) -> Bound<String> {
    let mut text: Vec<char> = prefix.chars().collect();
    while let Some(last) = text.pop() {
        let successor = match last {
            // The surrogates lie between these two.
            '\u{D7FF}' => Some('\u{E000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(successor) = successor {
            text.push(successor);
            return Bound::Included(text.into_iter().collect());
        }
    }
    // Only a prefix of the highest characters has no successor; nothing can follow it.
    Bound::Excluded(char::MAX.to_string().repeat(256))
}

macro_rules! list_operation {
    ($name:ident) => {
        impl Operation for $name {
            type Output = Page;
            const OP: Op = Op::$name;

            fn target(&self) -> Target<'_> {
                Target::Bucket(&self.0.bucket)
            }

            fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
                self.0.requirements(world)
            }

            fn apply(
                authorized: Authorized<Self>,
                world: &mut World,
                _: Timestamp,
            ) -> Result<Page, AwsError> {
                authorized.into_operation().0.apply(world)
            }
        }
    };
}

list_operation!(ListObjects);
list_operation!(ListObjectsV2);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bucketproof_authz::AccountId;
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::s3::checksum::{Checksum, ChecksumAlgorithm};
    use crate::state::{Attributes, Content, Defaults, DeleteMarker, Version, VersionId};

    fn bucket(keys: &BTreeSet<String>) -> Bucket {
        let mut bucket = Bucket::new(
            "bucket",
            "us-east-1",
            AccountId::new("111122223333").unwrap(),
            &"owner".into(),
            Defaults::Modern,
            Timestamp::UNIX_EPOCH,
        );
        for key in keys {
            let content = Content::from(Bytes::new());
            let checksum = Checksum::of(ChecksumAlgorithm::Crc32, &content);
            let object = Object {
                content,
                etag: String::new(),
                last_modified: Timestamp::UNIX_EPOCH,
                version: VersionId::Null,
                checksum: Some(checksum),
                attributes: Attributes::default(),
                parts: None,
            };
            bucket.push(key, Version::Object(Arc::new(object)));
        }
        bucket
    }

    /// All pages, flattened in the order of the walk.
    fn all_pages(bucket: &Bucket, listing: &Listing, max_keys: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let mut page = empty_page(max_keys);
            Listing { after, ..listing.clone() }.walk(bucket, &mut page);
            let mut names: Vec<String> = page.objects.into_iter().map(|listed| listed.key).collect();
            names.extend(page.common_prefixes);
            names.sort();
            found.extend(names);
            match page.next {
                Some(next) => after = Some(next),
                None => return found,
            }
        }
    }

    /// What a page costs is what is on it: not the bucket, nor the delete markers in it, nor what a prefix leaves out.
    #[test]
    fn a_page_costs_its_own_length() {
        let keys: BTreeSet<String> = (0..20_000).map(|n| format!("{:02}/{n:06}", n % 50)).collect();
        let mut bucket = bucket(&keys);
        for n in 0..20_000 {
            let version = VersionId::Null;
            let marker = DeleteMarker { version, last_modified: Timestamp::UNIX_EPOCH };
            bucket.push(&format!("{:02}/{n:06}-gone", n % 50), Version::Marker(marker));
        }
        let cases =
            [(None, None, None), (Some("25/"), None, Some("25/010000")), (None, Some("/"), Some("10/"))];
        for (prefix, delimiter, after) in cases {
            let own = |text: &str| text.to_owned();
            let (prefix, delimiter, after) = (prefix.map(own), delimiter.map(own), after.map(own));
            let listing = Listing { prefix, delimiter, after, ..Listing::default() };
            let mut page = empty_page(20);
            bucket.objects.take_steps();
            listing.walk(&bucket, &mut page);
            assert_eq!(page.objects.len() + page.common_prefixes.len(), 20);
            assert!(bucket.objects.take_steps() <= 21, "{listing:?}");
        }
    }

    fn empty_page(max_keys: usize) -> Page {
        Page { objects: Vec::new(), common_prefixes: Vec::new(), next: None, max_keys, region: String::new() }
    }

    proptest! {
        /// However small the pages are, together they hold what the plain definition says, once and in order.
        #[test]
        fn pages_add_up_to_the_definition(
            keys in prop::collection::btree_set("[ab/\u{D7FF}\u{10FFFF}]{1,6}", 0..40),
            prefix in "[ab/]{0,2}",
            with_delimiter in any::<bool>(),
            max_keys in 1_usize..7,
        ) {
            let listing = Listing {
                prefix: Some(prefix.clone()),
                delimiter: with_delimiter.then(|| "/".to_owned()),
                ..Listing::default()
            };
            let expected: BTreeSet<String> = keys
                .iter()
                .filter(|key| key.starts_with(&prefix))
                .map(|key| match key[prefix.len()..].find('/') {
                    Some(at) if with_delimiter => key[..=prefix.len() + at].to_owned(),
                    _ => key.clone(),
                })
                .collect();
            let found = all_pages(&bucket(&keys), &listing, max_keys);
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
