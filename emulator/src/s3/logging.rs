//! Server access logging: where the log of a bucket goes.
//!
//! Source: recorded answers of AWS. Whether the target takes the logs is decided when they are delivered, not here.

use super::configuration::Configuration;
use super::document::{Document, Element};
use super::schema::{Content, Field, any, one, optional};
use crate::error::AwsError;
use crate::operation::Op;
use crate::state::{Bucket, World};
use serde::{Deserialize, Serialize};

/// The setting; absent while nothing is logged.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Logging(Option<LogTarget>);

/// Where logs go.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct LogTarget {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    /// Who else may read them, as it was put.
    grants: Option<Element>,
    /// The form of the keys, as it was put.
    key_format: Option<Element>,
}

const GRANTEE: Content = Content::Fields(&[
    optional("ID", Content::Text),
    optional("URI", Content::Text),
    optional("EmailAddress", Content::Text),
    optional("DisplayName", Content::Text),
    optional("Type", Content::Text),
]);

const PERMISSION: Content = Content::Choice(&["FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"]);

const ENABLED: &[Field] = &[
    one("TargetBucket", Content::Text),
    optional(
        "TargetGrants",
        Content::Fields(&[any(
            "Grant",
            Content::Fields(&[optional("Grantee", GRANTEE), optional("Permission", PERMISSION)]),
        )]),
    ),
    one("TargetPrefix", Content::Text),
    optional(
        "TargetObjectKeyFormat",
        Content::OneOf(&[
            optional("SimplePrefix", Content::Fields(&[])),
            optional(
                "PartitionedPrefix",
                Content::Fields(&[optional(
                    "PartitionDateSource",
                    Content::Choice(&["EventTime", "DeliveryTime"]),
                )]),
            ),
        ]),
    ),
];

impl Logging {
    pub(crate) fn target(&self) -> Option<&LogTarget> {
        self.0.as_ref()
    }
}

impl Document for Logging {
    const ROOT: &'static str = "BucketLoggingStatus";

    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&["LoggingEnabled"])?;
        let Some(enabled) = root.child("LoggingEnabled")? else { return Ok(Self(None)) };
        Content::Fields(ENABLED).check(enabled)?;
        Ok(Self(Some(LogTarget {
            bucket: enabled.required_value("TargetBucket")?.to_owned(),
            prefix: enabled.required_value("TargetPrefix")?.to_owned(),
            grants: enabled.child("TargetGrants")?.filter(|grants| !grants.children().is_empty()).cloned(),
            key_format: enabled.child("TargetObjectKeyFormat")?.cloned(),
        })))
    }

    fn write(&self) -> Element {
        let enabled = self.0.as_ref().map(|target| {
            Element::new("LoggingEnabled")
                .with_text("TargetBucket", &target.bucket)
                .with_text("TargetPrefix", &target.prefix)
                .with_all(target.grants.clone())
                .with_all(target.key_format.clone())
        });
        Element::new(Self::ROOT).with_all(enabled)
    }
}

impl Configuration for Logging {
    const GET: Op = Op::GetBucketLogging;
    const PUT: Op = Op::PutBucketLogging;
    const GET_ACTION: &'static str = "s3:GetBucketLogging";
    const PUT_ACTION: &'static str = "s3:PutBucketLogging";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        Ok(bucket.settings.logging.clone())
    }

    /// The target must be a bucket of the same owner in the same region.
    fn check(&self, bucket: &Bucket, world: &World) -> Result<(), AwsError> {
        let Some(target) = self.target() else { return Ok(()) };
        let refusal = || AwsError::invalid_log_target(&target.bucket);
        let found = world.buckets.get(&target.bucket).ok_or_else(refusal)?;
        if found.owner != bucket.owner {
            let text = "The owner for the bucket to be logged and the target bucket must be the same.";
            return Err(AwsError { message: text.to_owned(), ..refusal() });
        }
        if found.region != bucket.region {
            return Err(AwsError::cross_location_logging(&bucket.region, &found.region));
        }
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.settings.logging = self;
    }
}
