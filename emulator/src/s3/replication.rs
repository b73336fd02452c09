//! The replication configuration of a bucket: checked, stored and returned.
//!
//! Nothing is replicated, and no object shows a replication status. Source: the API model of S3 and recorded refusals.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::configuration::{Configuration, Removable};
use super::document::{Document, Element};
use super::schema::{Content, Field, any, one, optional, some};
use crate::error::AwsError;
use crate::operation::Op;
use crate::state::{Bucket, Versioning, World};
use serde::{Deserialize, Serialize};

/// The rules, as they were put.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Replication(Element);

/// The most rules.
const RULES_MAX: usize = 1000;

const STATUS: Content = Content::Choice(&["Enabled", "Disabled"]);
const TAG: Content = Content::Fields(&[one("Key", Content::Text), one("Value", Content::Text)]);
const MINUTES: Content = Content::Fields(&[optional("Minutes", Content::Number)]);

const DESTINATION: &[Field] = &[
    one("Bucket", Content::Text),
    optional("Account", Content::Text),
    optional("StorageClass", Content::Text),
    optional("AccessControlTranslation", Content::Fields(&[one("Owner", Content::Choice(&["Destination"]))])),
    optional("EncryptionConfiguration", Content::Fields(&[optional("ReplicaKmsKeyID", Content::Text)])),
    optional("ReplicationTime", Content::Fields(&[one("Status", STATUS), one("Time", MINUTES)])),
    optional("Metrics", Content::Fields(&[one("Status", STATUS), optional("EventThreshold", MINUTES)])),
];

const RULE: &[Field] = &[
    optional("ID", Content::Text),
    optional("Priority", Content::Number),
    optional("Prefix", Content::Text),
    optional(
        "Filter",
        Content::OneOf(&[
            optional("Prefix", Content::Text),
            optional("Tag", TAG),
            optional("And", Content::Fields(&[optional("Prefix", Content::Text), any("Tag", TAG)])),
        ]),
    ),
    one("Status", STATUS),
    optional(
        "SourceSelectionCriteria",
        Content::Fields(&[
            optional("SseKmsEncryptedObjects", Content::Fields(&[one("Status", STATUS)])),
            optional("ReplicaModifications", Content::Fields(&[one("Status", STATUS)])),
        ]),
    ),
    optional("ExistingObjectReplication", Content::Fields(&[one("Status", STATUS)])),
    one("Destination", Content::Fields(DESTINATION)),
    optional("DeleteMarkerReplication", Content::Fields(&[optional("Status", STATUS)])),
];

const CONFIGURATION: Content =
    Content::Fields(&[one("Role", Content::Text), some("Rule", Content::Fields(RULE))]);

impl Document for Replication {
    const ROOT: &'static str = "ReplicationConfiguration";

    fn read(root: &Element) -> Result<Self, AwsError> {
        CONFIGURATION.check(root)?;
        if root.all("Rule").count() > RULES_MAX {
            return Err(AwsError::malformed_xml());
        }
        let named = root.children().iter().map(|child| match child.child("ID") {
            Ok(None) if child.name() == "Rule" => {
                let id = Element::of_text("ID", generated_id(child));
                Element::new("Rule").with(id).with_all(child.children().iter().cloned())
            }
            _ => child.clone(),
        });
        Ok(Self(Element::new(Self::ROOT).with_all(named)))
    }

    fn write(&self) -> Element {
        self.0.clone()
    }
}

/// AWS makes one up for a rule without, of this form; here it is a function of the rule.
fn generated_id(rule: &Element) -> String {
    let digest = Sha256::digest(rule.plain_document());
    STANDARD.encode(hex::encode(digest).get(..36).unwrap_or_default())
}

impl Configuration for Replication {
    const GET: Op = Op::GetBucketReplication;
    const PUT: Op = Op::PutBucketReplication;
    const GET_ACTION: &'static str = "s3:GetReplicationConfiguration";
    const PUT_ACTION: &'static str = "s3:PutReplicationConfiguration";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        bucket.settings.replication.clone().ok_or_else(|| AwsError::no_such_replication(&bucket.name))
    }

    fn check(&self, bucket: &Bucket, world: &World) -> Result<(), AwsError> {
        if bucket.versioning != Versioning::Enabled {
            let text = "Versioning must be 'Enabled' on the bucket to apply a replication configuration";
            return Err(AwsError::invalid_request(text));
        }
        for rule in self.0.all("Rule") {
            let arn = rule.required("Destination")?.required_value("Bucket")?;
            let target = arn.strip_prefix("arn:aws:s3:::").and_then(|name| world.buckets.get(name));
            if target.is_none_or(|target| target.versioning != Versioning::Enabled) {
                return Err(AwsError::invalid_request("Destination bucket must have versioning enabled."));
            }
        }
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.settings.replication = Some(self);
    }
}

impl Removable for Replication {
    const DELETE: Op = Op::DeleteBucketReplication;
    const DELETE_ACTION: &'static str = "s3:PutReplicationConfiguration";

    fn remove(bucket: &mut Bucket) {
        bucket.settings.replication = None;
    }
}
