//! The configurations of which a bucket has several, by id: analytics, intelligent tiering, inventory and metrics.
//!
//! They are checked, stored, listed and returned. None is acted on: there are no reports, no metrics and no tiers. Source:
//! recorded answers and the API model; unverified: the refusal of an id that is none.

use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

use jiff::Timestamp;

use super::document::Element;
use super::schema::{Content, Field, any, one, optional, some};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::World;

/// The longest id.
const ID_LENGTH_MAX: usize = 64;
/// The most configurations of one kind.
const COUNT_MAX: usize = 1000;
/// How many a listing returns at once.
const PAGE_SIZE: usize = 100;

/// What is configured.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum ListedKind {
    Analytics,
    IntelligentTiering,
    Inventory,
    Metrics,
}

const TAG: Content = Content::Fields(&[one("Key", Content::Text), one("Value", Content::Text)]);

const FILTER: Content = Content::OneOf(&[
    optional("Prefix", Content::Text),
    optional("Tag", TAG),
    optional("And", Content::Fields(&[optional("Prefix", Content::Text), some("Tag", TAG)])),
]);

const METRICS_FILTER: Content = Content::OneOf(&[
    optional("Prefix", Content::Text),
    optional("Tag", TAG),
    optional("AccessPointArn", Content::Text),
    optional(
        "And",
        Content::Fields(&[
            optional("Prefix", Content::Text),
            any("Tag", TAG),
            optional("AccessPointArn", Content::Text),
        ]),
    ),
]);

const ANALYTICS: &[Field] = &[
    one("Id", Content::Text),
    optional("Filter", FILTER),
    one(
        "StorageClassAnalysis",
        Content::Fields(&[optional(
            "DataExport",
            Content::Fields(&[
                one("OutputSchemaVersion", Content::Choice(&["V_1"])),
                one(
                    "Destination",
                    Content::Fields(&[one(
                        "S3BucketDestination",
                        Content::Fields(&[
                            one("Format", Content::Choice(&["CSV"])),
                            optional("BucketAccountId", Content::Text),
                            one("Bucket", Content::Text),
                            optional("Prefix", Content::Text),
                        ]),
                    )]),
                ),
            ]),
        )]),
    ),
];

const INTELLIGENT_TIERING: &[Field] = &[
    one("Id", Content::Text),
    optional("Filter", FILTER),
    one("Status", Content::Choice(&["Enabled", "Disabled"])),
    some(
        "Tiering",
        Content::Fields(&[
            one("Days", Content::Number),
            one("AccessTier", Content::Choice(&["ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"])),
        ]),
    ),
];

const INVENTORY: &[Field] = &[
    one(
        "Destination",
        Content::Fields(&[one(
            "S3BucketDestination",
            Content::Fields(&[
                optional("AccountId", Content::Text),
                one("Bucket", Content::Text),
                one("Format", Content::Choice(&["CSV", "ORC", "Parquet"])),
                optional("Prefix", Content::Text),
                optional(
                    "Encryption",
                    Content::OneOf(&[
                        optional("SSE-S3", Content::Fields(&[])),
                        optional("SSE-KMS", Content::Fields(&[one("KeyId", Content::Text)])),
                    ]),
                ),
            ]),
        )]),
    ),
    one("IsEnabled", Content::Flag),
    optional("Filter", Content::Fields(&[one("Prefix", Content::Text)])),
    one("Id", Content::Text),
    one("IncludedObjectVersions", Content::Choice(&["All", "Current"])),
    optional("OptionalFields", Content::Fields(&[any("Field", Content::Choice(INVENTORY_FIELDS))])),
    one("Schedule", Content::Fields(&[one("Frequency", Content::Choice(&["Daily", "Weekly"]))])),
];

const INVENTORY_FIELDS: &[&str] = &[
    "Size",
    "LastModifiedDate",
    "StorageClass",
    "ETag",
    "IsMultipartUploaded",
    "ReplicationStatus",
    "EncryptionStatus",
    "ObjectLockRetainUntilDate",
    "ObjectLockMode",
    "ObjectLockLegalHoldStatus",
    "IntelligentTieringAccessTier",
    "BucketKeyStatus",
    "ChecksumAlgorithm",
    "ObjectAccessControlList",
    "ObjectOwner",
    "LifecycleExpirationDate",
];

const METRICS: &[Field] = &[one("Id", Content::Text), optional("Filter", METRICS_FILTER)];

impl ListedKind {
    /// The outermost element of a document.
    pub(crate) const fn root(self) -> &'static str {
        match self {
            Self::Analytics => "AnalyticsConfiguration",
            Self::IntelligentTiering => "IntelligentTieringConfiguration",
            Self::Inventory => "InventoryConfiguration",
            Self::Metrics => "MetricsConfiguration",
        }
    }

    /// The outermost element of a listing.
    pub(crate) const fn list_root(self) -> &'static str {
        match self {
            Self::Analytics => "ListBucketAnalyticsConfigurationResult",
            Self::IntelligentTiering => "ListBucketIntelligentTieringConfigurationsOutput",
            Self::Inventory => "ListInventoryConfigurationsResult",
            Self::Metrics => "ListMetricsConfigurationsResult",
        }
    }

    const fn read_action(self) -> &'static str {
        match self {
            Self::Analytics => "s3:GetAnalyticsConfiguration",
            Self::IntelligentTiering => "s3:GetIntelligentTieringConfiguration",
            Self::Inventory => "s3:GetInventoryConfiguration",
            Self::Metrics => "s3:GetMetricsConfiguration",
        }
    }

    const fn write_action(self) -> &'static str {
        match self {
            Self::Analytics => "s3:PutAnalyticsConfiguration",
            Self::IntelligentTiering => "s3:PutIntelligentTieringConfiguration",
            Self::Inventory => "s3:PutInventoryConfiguration",
            Self::Metrics => "s3:PutMetricsConfiguration",
        }
    }

    const fn schema(self) -> Content {
        Content::Fields(match self {
            Self::Analytics => ANALYTICS,
            Self::IntelligentTiering => INTELLIGENT_TIERING,
            Self::Inventory => INVENTORY,
            Self::Metrics => METRICS,
        })
    }

    /// Reads a document that is to be stored under an id.
    pub(crate) fn parse(self, body: &[u8], id: &str) -> Result<Element, AwsError> {
        let root = Element::parse(body, self.root())?;
        self.schema().check(&root)?;
        let is_id = (1..=ID_LENGTH_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_id {
            return Err(AwsError::invalid_configuration_id());
        }
        if root.required_value("Id")? != id {
            return Err(match self {
                Self::Inventory => AwsError::configuration_id_mismatch(),
                Self::Analytics | Self::IntelligentTiering | Self::Metrics => AwsError::malformed_xml(),
            });
        }
        if self == Self::Inventory {
            let destination = root.required("Destination")?.required("S3BucketDestination")?;
            if !destination.required_value("Bucket")?.starts_with("arn:aws:s3:::") {
                return Err(AwsError::invalid_destination_bucket());
            }
        }
        Ok(root)
    }
}

/// Which configuration of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct ListedRef {
    pub(crate) bucket: String,
    pub(crate) id: String,
}

/// The kind of a configuration as a type, so that each operation on it has its own name.
pub(crate) trait Listed: std::fmt::Debug {
    const KIND: ListedKind;
    const GET: Op;
    const PUT: Op;
    const DELETE: Op;
    const LIST: Op;
}

macro_rules! listed {
    ($($name:ident: $get:ident $put:ident $delete:ident $list:ident;)*) => {
        $(
            #[derive(Debug)]
            pub(crate) struct $name;

            impl Listed for $name {
                const KIND: ListedKind = ListedKind::$name;
                const GET: Op = Op::$get;
                const PUT: Op = Op::$put;
                const DELETE: Op = Op::$delete;
                const LIST: Op = Op::$list;
            }
        )*
    };
}

listed! {
    Analytics: GetBucketAnalyticsConfiguration PutBucketAnalyticsConfiguration
        DeleteBucketAnalyticsConfiguration ListBucketAnalyticsConfigurations;
    IntelligentTiering: GetBucketIntelligentTieringConfiguration PutBucketIntelligentTieringConfiguration
        DeleteBucketIntelligentTieringConfiguration ListBucketIntelligentTieringConfigurations;
    Inventory: GetBucketInventoryConfiguration PutBucketInventoryConfiguration
        DeleteBucketInventoryConfiguration ListBucketInventoryConfigurations;
    Metrics: GetBucketMetricsConfiguration PutBucketMetricsConfiguration
        DeleteBucketMetricsConfiguration ListBucketMetricsConfigurations;
}

/// Reads one.
#[derive(Debug)]
pub(crate) struct GetListed<L> {
    pub(crate) of: ListedRef,
    pub(crate) kind: PhantomData<L>,
}

/// Replaces one.
#[derive(Debug)]
pub(crate) struct PutListed<L> {
    pub(crate) of: ListedRef,
    pub(crate) kind: PhantomData<L>,
    /// The document, or what is wrong with it.
    pub(crate) document: Result<Element, AwsError>,
}

/// Deletes one.
#[derive(Debug)]
pub(crate) struct DeleteListed<L> {
    pub(crate) of: ListedRef,
    pub(crate) kind: PhantomData<L>,
}

/// Lists those of a kind.
#[derive(Debug)]
pub(crate) struct ListListed<L> {
    pub(crate) bucket: String,
    /// The id after which to go on.
    pub(crate) after: Option<String>,
    pub(crate) kind: PhantomData<L>,
}

/// A page of configurations, in the order of their ids.
#[derive(Debug)]
pub(crate) struct ListedPage {
    pub(crate) documents: Vec<Element>,
    /// The id after which the next page begins.
    pub(crate) next: Option<String>,
}

fn require(world: &World, action: &'static str, bucket: &str) -> Result<Vec<Requirement>, AwsError> {
    world.bucket(bucket)?;
    Ok(vec![Requirement::on_bucket(action, bucket)])
}

impl<L: Listed> Operation for GetListed<L> {
    type Output = Element;
    const OP: Op = L::GET;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.of.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        require(world, L::KIND.read_action(), &self.of.bucket)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Element, AwsError> {
        let ListedRef { bucket, id } = authorized.into_operation().of;
        let found = world.bucket(&bucket)?.settings.listed.get(&(L::KIND, id)).cloned();
        found.ok_or_else(AwsError::no_such_configuration)
    }
}

impl<L: Listed> Operation for PutListed<L> {
    type Output = ();
    const OP: Op = L::PUT;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.of.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        require(world, L::KIND.write_action(), &self.of.bucket)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let Self { of: ListedRef { bucket, id }, document, .. } = authorized.into_operation();
        let document = document?;
        let listed = &mut world.bucket_mut(&bucket)?.settings.listed;
        let name = (L::KIND, id);
        let count = listed.keys().filter(|(kind, _)| *kind == L::KIND).count();
        if count >= COUNT_MAX && !listed.contains_key(&name) {
            return Err(AwsError::too_many_configurations());
        }
        listed.insert(name, document);
        Ok(())
    }
}

impl<L: Listed> Operation for DeleteListed<L> {
    type Output = ();
    const OP: Op = L::DELETE;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.of.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        require(world, L::KIND.write_action(), &self.of.bucket)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let ListedRef { bucket, id } = authorized.into_operation().of;
        let removed = world.bucket_mut(&bucket)?.settings.listed.remove(&(L::KIND, id));
        removed.map(|_| ()).ok_or_else(AwsError::no_such_configuration)
    }
}

impl<L: Listed> Operation for ListListed<L> {
    type Output = ListedPage;
    const OP: Op = L::LIST;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        require(world, L::KIND.read_action(), &self.bucket)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<ListedPage, AwsError> {
        let Self { bucket, after, .. } = authorized.into_operation();
        let listed = &world.bucket(&bucket)?.settings.listed;
        let mut found = listed
            .iter()
            .filter(|((kind, id), _)| *kind == L::KIND && after.as_ref().is_none_or(|after| id > after));
        let page: Vec<_> = found.by_ref().take(PAGE_SIZE).collect();
        let next = found.next().and_then(|_| page.last().map(|((_, id), _)| id.clone()));
        Ok(ListedPage { documents: page.into_iter().map(|(_, document)| document.clone()).collect(), next })
    }
}
