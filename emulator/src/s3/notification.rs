//! The notification configuration of a bucket: read, checked and stored.
//!
//! Source: S3 User Guide "Amazon S3 Event Notifications", and recorded refusals. No destination exists in the emulator
//! yet, so a configuration that names one is refused as on AWS, unless the request skips that check.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bucketproof_authz::Arn;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::configuration::Configuration;
use super::document::{Document, Element};
use crate::error::AwsError;
use crate::operation::Op;
use crate::state::{Bucket, World};

/// The types of events, without `s3:`; a `*` stands for all that begin so.
const EVENTS: [&str; 31] = [
    "ReducedRedundancyLostObject",
    "ObjectCreated:*",
    "ObjectCreated:Put",
    "ObjectCreated:Post",
    "ObjectCreated:Copy",
    "ObjectCreated:CompleteMultipartUpload",
    "ObjectRemoved:*",
    "ObjectRemoved:Delete",
    "ObjectRemoved:DeleteMarkerCreated",
    "ObjectRestore:*",
    "ObjectRestore:Post",
    "ObjectRestore:Completed",
    "ObjectRestore:Delete",
    "Replication:*",
    "Replication:OperationFailedReplication",
    "Replication:OperationNotTracked",
    "Replication:OperationMissedThreshold",
    "Replication:OperationReplicatedAfterThreshold",
    "LifecycleTransition",
    "IntelligentTiering",
    "ObjectAcl:Put",
    "LifecycleExpiration:*",
    "LifecycleExpiration:Delete",
    "LifecycleExpiration:DeleteMarkerCreated",
    "ObjectTagging:*",
    "ObjectTagging:Put",
    "ObjectTagging:Delete",
    "ObjectAnnotation:*",
    "ObjectAnnotation:Put",
    "ObjectAnnotation:Delete",
    "ObjectRetention:Put",
];

/// Where events go, and which.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Notifications {
    rules: Vec<Rule>,
    /// The request did not want the destinations looked at.
    skips_destinations: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Rule {
    destination: Destination,
    id: String,
    arn: String,
    events: Vec<String>,
    prefix: Option<String>,
    suffix: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) enum Destination {
    Topic,
    Queue,
    Function,
}

impl Destination {
    const ALL: [Self; 3] = [Self::Topic, Self::Queue, Self::Function];

    /// The element of the rule.
    const fn rule(self) -> &'static str {
        match self {
            Self::Topic => "TopicConfiguration",
            Self::Queue => "QueueConfiguration",
            Self::Function => "CloudFunctionConfiguration",
        }
    }

    /// The element of the ARN.
    const fn element(self) -> &'static str {
        match self {
            Self::Topic => "Topic",
            Self::Queue => "Queue",
            Self::Function => "CloudFunction",
        }
    }

    const fn service(self) -> &'static str {
        match self {
            Self::Topic => "sns",
            Self::Queue => "sqs",
            Self::Function => "lambda",
        }
    }
}

impl Notifications {
    /// The same without a look at the destinations.
    pub(crate) fn skipping_destinations(self) -> Self {
        Self { skips_destinations: true, ..self }
    }

    /// Two rules may not be about one event of one key.
    fn check_overlap(&self) -> Result<(), AwsError> {
        for (index, rule) in self.rules.iter().enumerate() {
            if self.rules.iter().skip(index + 1).any(|other| rule.overlaps(other)) {
                return Err(AwsError::new(
                    http::StatusCode::BAD_REQUEST,
                    "InvalidArgument",
                    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the \
                     prefixes are overlapping for the same event type.",
                ));
            }
        }
        Ok(())
    }

    /// The destinations that cannot be used, each with the reason.
    fn check_destinations(&self) -> Result<(), AwsError> {
        if self.skips_destinations || self.rules.is_empty() {
            return Ok(());
        }
        let text = "Unable to validate the following destination configurations";
        let error = AwsError::new(http::StatusCode::BAD_REQUEST, "InvalidArgument", text);
        let defects = self.rules.iter().map(Rule::missing_destination).enumerate();
        Err(defects.fold(error, |error, (index, (name, reason))| {
            let number = index + 1;
            error.with(format!("ArgumentName{number}"), name).with(format!("ArgumentValue{number}"), reason)
        }))
    }
}

impl Document for Notifications {
    const ROOT: &'static str = "NotificationConfiguration";

    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&[
            "TopicConfiguration",
            "QueueConfiguration",
            "CloudFunctionConfiguration",
            "EventBridgeConfiguration",
        ])?;
        if root.child("EventBridgeConfiguration")?.is_some() {
            return Err(AwsError::not_implemented("the delivery of events to EventBridge"));
        }
        let mut rules = Vec::new();
        for destination in Destination::ALL {
            for element in root.all(destination.rule()) {
                rules.push(Rule::read(element, destination)?);
            }
        }
        let notifications = Self { rules, skips_destinations: false };
        notifications.check_overlap()?;
        Ok(notifications)
    }

    fn write(&self) -> Element {
        Element::new(Self::ROOT).with_all(self.rules.iter().map(Rule::write))
    }
}

impl Rule {
    fn read(element: &Element, destination: Destination) -> Result<Self, AwsError> {
        element.only(&["Id", destination.element(), "Event", "Filter"])?;
        let arn = element.required_value(destination.element())?;
        if !Arn::new(arn).is_ok_and(|parsed| parsed.service() == destination.service()) {
            let text = "The ARN could not be parsed";
            return Err(AwsError::invalid_argument(text, destination.element(), arn));
        }
        let events = element.values("Event")?;
        if events.is_empty() {
            return Err(AwsError::malformed_xml());
        }
        let known = |event: &String| event.strip_prefix("s3:").is_some_and(|event| EVENTS.contains(&event));
        if let Some(event) = events.iter().find(|event| !known(event)) {
            let text = "The event is not supported for notifications";
            return Err(AwsError::invalid_argument(text, "Event", event));
        }
        let (prefix, suffix) = match element.child("Filter")? {
            None => (None, None),
            Some(filter) => read_filter(filter)?,
        };
        let id = element.value("Id")?.filter(|id| !id.is_empty()).map(str::to_owned);
        let mut rule = Self { destination, id: String::new(), arn: arn.to_owned(), events, prefix, suffix };
        rule.id = id.unwrap_or_else(|| rule.generated_id());
        Ok(rule)
    }

    /// AWS makes one up, of this form; here it is a function of the rule.
    fn generated_id(&self) -> String {
        let digest = Sha256::digest(format!("{self:?}"));
        STANDARD.encode(hex::encode(digest).get(..36).unwrap_or_default())
    }

    fn write(&self) -> Element {
        let filters =
            [("Prefix", &self.prefix), ("Suffix", &self.suffix)].into_iter().filter_map(|(name, value)| {
                let rule = Element::new("FilterRule").with_text("Name", name);
                Some(rule.with_text("Value", value.as_deref()?))
            });
        let filters: Vec<Element> = filters.collect();
        let filter = (!filters.is_empty())
            .then(|| Element::new("Filter").with(Element::new("S3Key").with_all(filters)));
        Element::new(self.destination.rule())
            .with_text("Id", &self.id)
            .with_text(self.destination.element(), &self.arn)
            .with_all(self.events.iter().map(|event| Element::of_text("Event", event)))
            .with_all(filter)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let text = |filter: &Option<String>| filter.clone().unwrap_or_default();
        let (prefix, other_prefix) = (text(&self.prefix), text(&other.prefix));
        let (suffix, other_suffix) = (text(&self.suffix), text(&other.suffix));
        let prefixes = prefix.starts_with(&other_prefix) || other_prefix.starts_with(&prefix);
        let suffixes = suffix.ends_with(&other_suffix) || other_suffix.ends_with(&suffix);
        let covers = |pattern: &str, event: &str| {
            pattern.strip_suffix('*').map_or(pattern == event, |start| event.starts_with(start))
        };
        let events = self
            .events
            .iter()
            .any(|event| other.events.iter().any(|other| covers(event, other) || covers(other, event)));
        prefixes && suffixes && events
    }

    /// How AWS names a destination that is not there, and the reason.
    fn missing_destination(&self) -> (String, String) {
        let arn = &self.arn;
        match self.destination {
            Destination::Topic => (arn.clone(), "The destination topic does not exist".to_owned()),
            Destination::Queue => (arn.clone(), "The destination queue does not exist".to_owned()),
            Destination::Function => {
                (format!("{arn}, null"), format!("Not authorized to invoke function [{arn}]"))
            }
        }
    }
}

/// The prefix and the suffix of a filter.
fn read_filter(filter: &Element) -> Result<(Option<String>, Option<String>), AwsError> {
    filter.only(&["S3Key"])?;
    let mut found = (None, None);
    let Some(key) = filter.child("S3Key")? else { return Ok(found) };
    key.only(&["FilterRule"])?;
    for rule in key.all("FilterRule") {
        rule.only(&["Name", "Value"])?;
        let (name, value) = (rule.required_value("Name")?, rule.required_value("Value")?);
        let place = match name.to_ascii_lowercase().as_str() {
            "prefix" => &mut found.0,
            "suffix" => &mut found.1,
            _ => {
                let text = "filter rule name must be either prefix or suffix";
                return Err(AwsError::invalid_argument(text, "FilterRule.Name", name));
            }
        };
        if place.replace(value.to_owned()).is_some() {
            let text = "Cannot specify more than one prefix/suffix rule in a filter.";
            return Err(AwsError::invalid_argument(text, "FilterRule.Name", name));
        }
    }
    Ok(found)
}

impl Configuration for Notifications {
    const GET: Op = Op::GetBucketNotificationConfiguration;
    const PUT: Op = Op::PutBucketNotificationConfiguration;
    const GET_ACTION: &'static str = "s3:GetBucketNotification";
    const PUT_ACTION: &'static str = "s3:PutBucketNotification";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        Ok(bucket.settings.notifications.clone())
    }

    fn check(&self, _: &Bucket, _: &World) -> Result<(), AwsError> {
        self.check_destinations()
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.settings.notifications = self;
    }
}
