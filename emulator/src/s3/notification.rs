//! The notification configuration of a bucket: read, checked and stored.
//!
//! A destination must be there, in the region of the bucket, and let S3 in; unless the request skips that check. How
//! events are told stands in `event.rs`. Functions do not exist in the emulator, so they are refused as on AWS.
//!
//! Source: S3 User Guide "Amazon S3 Event Notifications", and recorded refusals.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bucketproof_authz::Arn;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::configuration::Configuration;
use super::document::{Document, Element};
use crate::delivery::ask_for_bucket;
use crate::error::AwsError;
use crate::operation::Op;
use crate::state::{Announcement, Bucket, World};

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
pub(crate) struct Rule {
    destination: Destination,
    id: String,
    arn: String,
    events: Vec<String>,
    prefix: Option<String>,
    suffix: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Destination {
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
    /// Rules that did not come as a document: each with its ARN, events, prefix and suffix, and perhaps an id.
    pub(crate) fn of_rules(rules: Vec<NewRule>) -> Result<Self, AwsError> {
        let rules = rules.into_iter().map(Rule::of).collect::<Result<_, _>>()?;
        let notifications = Self { rules, skips_destinations: false };
        notifications.check_overlap()?;
        Ok(notifications)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules, as [`Notifications::of_rules`] takes them.
    pub(crate) fn rules(&self) -> impl Iterator<Item = NewRule> {
        self.rules.iter().map(|rule| NewRule {
            id: Some(rule.id.clone()),
            arn: rule.arn.clone(),
            events: rule.events.clone(),
            prefix: rule.prefix.clone(),
            suffix: rule.suffix.clone(),
        })
    }

    /// The rules for an event, by its name without `s3:`, of a key.
    pub(crate) fn matching<'a>(&'a self, event: &str, key: &str) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.is_for(event, key))
    }

    /// Where tests are sent, each once.
    fn destinations(&self) -> Vec<String> {
        let rules = self.rules.iter().filter(|rule| rule.destination != Destination::Function);
        let mut arns: Vec<String> = rules.map(|rule| rule.arn.clone()).collect();
        arns.sort();
        arns.dedup();
        arns
    }

    /// The same without a look at the destinations.
    pub(crate) fn skipping_destinations(self) -> Self {
        Self { skips_destinations: true, ..self }
    }

    /// Two rules may not be about one event of one key, nor have one name. What AWS says of names is reported, not
    /// recorded.
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
        let mut ids: Vec<&str> = self.rules.iter().map(|rule| rule.id.as_str()).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair.first() == pair.last()) {
            let text = "Same ID used for multiple configurations. IDs must be unique";
            return Err(AwsError::new(http::StatusCode::BAD_REQUEST, "InvalidArgument", text));
        }
        Ok(())
    }

    /// The destinations that cannot be used, each with the reason.
    pub(crate) fn check_destinations(&self, bucket: &Bucket, world: &World) -> Result<(), AwsError> {
        if self.skips_destinations {
            return Ok(());
        }
        let defects: Vec<_> = self.rules.iter().filter_map(|rule| rule.defect(bucket, world)).collect();
        if defects.is_empty() {
            return Ok(());
        }
        let text = "Unable to validate the following destination configurations";
        let error = AwsError::new(http::StatusCode::BAD_REQUEST, "InvalidArgument", text);
        Err(defects.into_iter().enumerate().fold(error, |error, (index, (name, reason))| {
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

/// A rule as it is told.
#[derive(Clone, Debug)]
pub(crate) struct NewRule {
    pub(crate) id: Option<String>,
    pub(crate) arn: String,
    pub(crate) events: Vec<String>,
    pub(crate) prefix: Option<String>,
    pub(crate) suffix: Option<String>,
}

impl Rule {
    fn of(new: NewRule) -> Result<Self, AwsError> {
        let NewRule { id, arn, events, prefix, suffix } = new;
        let service = Arn::new(&arn).map(|arn| arn.service().to_owned()).unwrap_or_default();
        let Some(destination) = Destination::ALL.into_iter().find(|one| one.service() == service) else {
            let text = "The ARN could not be parsed";
            return Err(AwsError::invalid_argument(text, "Arn", &arn));
        };
        check_events(&events)?;
        let mut rule = Self { destination, id: String::new(), arn, events, prefix, suffix };
        rule.id = id.unwrap_or_else(|| rule.generated_id());
        Ok(rule)
    }

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
        check_events(&events)?;
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

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }

    fn is_for(&self, event: &str, key: &str) -> bool {
        let is_kind = self.events.iter().any(|own| {
            let own = own.strip_prefix("s3:").unwrap_or(own);
            own.strip_suffix('*').map_or(own == event, |start| event.starts_with(start))
        });
        is_kind
            && self.prefix.as_deref().is_none_or(|prefix| key.starts_with(prefix))
            && self.suffix.as_deref().is_none_or(|suffix| key.ends_with(suffix))
    }

    /// How AWS names a destination that cannot be used, and the reason.
    fn defect(&self, bucket: &Bucket, world: &World) -> Option<(String, String)> {
        let arn = &self.arn;
        let what = match self.destination {
            Destination::Function => {
                return Some((format!("{arn}, null"), format!("Not authorized to invoke function [{arn}]")));
            }
            Destination::Topic => "topic",
            Destination::Queue => "queue",
        };
        // One in another region is not found from here.
        let is_here = Arn::new(arn).is_ok_and(|arn| arn.region() == bucket.region);
        let asked = ask_for_bucket(arn, &bucket.name, &bucket.owner, world);
        let Some(asked) = asked.filter(|_| is_here) else {
            return Some((arn.clone(), format!("The destination {what} does not exist")));
        };
        let is_allowed = asked.is_allowed();
        world.decided.lock().extend(asked.decided);
        (!is_allowed).then(|| {
            let text = format!(
                "Permissions on the destination {what} do not allow S3 to publish notifications from this bucket"
            );
            (arn.clone(), text)
        })
    }
}

fn check_events(events: &[String]) -> Result<(), AwsError> {
    let known = |event: &String| event.strip_prefix("s3:").is_some_and(|event| EVENTS.contains(&event));
    match events.iter().find(|event| !known(event)) {
        None => Ok(()),
        Some(event) => {
            let text = "The event is not supported for notifications";
            Err(AwsError::invalid_argument(text, "Event", event))
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

    fn check(&self, bucket: &Bucket, world: &World) -> Result<(), AwsError> {
        self.check_destinations(bucket, world)
    }

    fn announce(&self, bucket: &str) -> Option<Announcement> {
        if self.skips_destinations {
            return None;
        }
        let destinations = self.destinations();
        Some(Announcement::Configured { bucket: bucket.to_owned(), destinations })
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.settings.notifications = self;
    }
}
