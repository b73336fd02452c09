//! A bucket as a website: its configuration. What the website endpoint answers stands in `website_endpoint.rs`.
//!
//! Source: S3 User Guide "Hosting a static website", and recorded refusals. Unverified: the sentences about codes.

use super::configuration::{Configuration, Removable};
use super::document::{Document, Element};
use crate::error::AwsError;
use crate::operation::Op;
use crate::state::{Bucket, World};
use serde::{Deserialize, Serialize};

/// How a bucket answers as a website.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Website {
    /// Every request is sent elsewhere.
    RedirectAll { host: String, protocol: Option<String> },
    Pages {
        /// What stands for a folder.
        index: String,
        /// The key of the page for what went wrong.
        error: Option<String>,
        rules: Vec<RoutingRule>,
    },
}

/// Sends some requests elsewhere.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct RoutingRule {
    pub(crate) condition: Option<RoutingCondition>,
    pub(crate) redirect: Redirect,
}

/// All that is said must hold.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct RoutingCondition {
    pub(crate) error_code: Option<u16>,
    pub(crate) key_prefix: Option<String>,
}

/// Where to; what is not said stays as it was.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Redirect {
    pub(crate) host: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) protocol: Option<String>,
    pub(crate) key: Option<ReplacedKey>,
}

/// What becomes of the key.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum ReplacedKey {
    Whole(String),
    /// The prefix of the rule's condition.
    Prefix(String),
}

impl Document for Website {
    const ROOT: &'static str = "WebsiteConfiguration";

    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&["RedirectAllRequestsTo", "IndexDocument", "ErrorDocument", "RoutingRules"])?;
        if let Some(redirect) = root.child("RedirectAllRequestsTo")? {
            redirect.only(&["HostName", "Protocol"])?;
            if root.children().len() > 1 {
                let text =
                    "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.";
                return Err(AwsError::invalid_argument(text, "RedirectAllRequestsTo", "not null"));
            }
            return Ok(Self::RedirectAll {
                host: redirect.required_value("HostName")?.to_owned(),
                protocol: protocol(redirect)?,
            });
        }
        let Some(index) = root.child("IndexDocument")? else {
            let text = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty";
            return Err(AwsError::invalid_argument(text, "IndexDocument", "null"));
        };
        index.only(&["Suffix"])?;
        let index = index.required_value("Suffix")?;
        if index.is_empty() || index.contains('/') {
            let text = "The IndexDocument Suffix is not well formed";
            return Err(AwsError::invalid_argument(text, "IndexDocument", index));
        }
        let error = match root.child("ErrorDocument")? {
            None => None,
            Some(error) => {
                error.only(&["Key"])?;
                Some(error.required_value("Key")?.to_owned())
            }
        };
        let rules = match root.child("RoutingRules")? {
            None => Vec::new(),
            Some(rules) => {
                rules.only(&["RoutingRule"])?;
                rules.all("RoutingRule").map(RoutingRule::read).collect::<Result<Vec<_>, _>>()?
            }
        };
        if error.as_deref() == Some("") || (rules.is_empty() && root.child("RoutingRules")?.is_some()) {
            return Err(AwsError::malformed_xml());
        }
        Ok(Self::Pages { index: index.to_owned(), error, rules })
    }

    fn write(&self) -> Element {
        let root = Element::new(Self::ROOT);
        match self {
            Self::RedirectAll { host, protocol } => root.with(
                Element::new("RedirectAllRequestsTo")
                    .with_text("HostName", host)
                    .with_some("Protocol", protocol.as_deref()),
            ),
            Self::Pages { index, error, rules } => {
                let root = root.with(Element::new("IndexDocument").with_text("Suffix", index));
                let error = error.as_deref().map(|key| Element::new("ErrorDocument").with_text("Key", key));
                let list = Element::new("RoutingRules").with_all(rules.iter().map(RoutingRule::write));
                root.with_all(error).with_all((!rules.is_empty()).then_some(list))
            }
        }
    }
}

fn protocol(element: &Element) -> Result<Option<String>, AwsError> {
    match element.value("Protocol")? {
        None => Ok(None),
        Some(protocol @ ("http" | "https")) => Ok(Some(protocol.to_owned())),
        Some(_) => Err(AwsError::invalid_request(
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected \
             automatically.",
        )),
    }
}

impl RoutingRule {
    fn read(element: &Element) -> Result<Self, AwsError> {
        element.only(&["Condition", "Redirect"])?;
        let condition = element.child("Condition")?.map(RoutingCondition::read).transpose()?;
        let redirect = element.required("Redirect")?;
        redirect.only(&[
            "HostName",
            "HttpRedirectCode",
            "Protocol",
            "ReplaceKeyPrefixWith",
            "ReplaceKeyWith",
        ])?;
        let whole = redirect.value("ReplaceKeyWith")?;
        let key = match (whole, redirect.value("ReplaceKeyPrefixWith")?) {
            (Some(_), Some(_)) => {
                let text = "You can only define ReplaceKeyPrefix or ReplaceKey but not both.";
                return Err(AwsError::invalid_request(text));
            }
            (Some(key), None) => Some(ReplacedKey::Whole(key.to_owned())),
            (None, prefix) => prefix.map(|prefix| ReplacedKey::Prefix(prefix.to_owned())),
        };
        let status = redirect.value("HttpRedirectCode")?.map(|text| {
            let code = text.parse::<u16>().ok().filter(|code| (301..400).contains(code));
            code.ok_or_else(|| {
                AwsError::invalid_request(format!(
                    "The provided HTTP redirect code ({text}) is not valid. Valid codes are 3XX except 300."
                ))
            })
        });
        let redirect = Redirect {
            host: redirect.value("HostName")?.map(str::to_owned),
            status: status.transpose()?,
            protocol: protocol(redirect)?,
            key,
        };
        if redirect == Redirect::default() {
            return Err(AwsError::malformed_xml());
        }
        Ok(Self { condition, redirect })
    }

    fn write(&self) -> Element {
        let condition = self.condition.as_ref().map(|condition| {
            Element::new("Condition")
                .with_some("HttpErrorCodeReturnedEquals", condition.error_code.map(|code| code.to_string()))
                .with_some("KeyPrefixEquals", condition.key_prefix.as_deref())
        });
        let Redirect { host, status, protocol, key } = &self.redirect;
        let (whole, prefix) = match key {
            None => (None, None),
            Some(ReplacedKey::Whole(key)) => (Some(key), None),
            Some(ReplacedKey::Prefix(prefix)) => (None, Some(prefix)),
        };
        let redirect = Element::new("Redirect")
            .with_some("Protocol", protocol.as_deref())
            .with_some("HostName", host.as_deref())
            .with_some("ReplaceKeyPrefixWith", prefix)
            .with_some("ReplaceKeyWith", whole)
            .with_some("HttpRedirectCode", status.map(|code| code.to_string()));
        Element::new("RoutingRule").with_all(condition).with(redirect)
    }
}

impl RoutingCondition {
    fn read(element: &Element) -> Result<Self, AwsError> {
        element.only(&["HttpErrorCodeReturnedEquals", "KeyPrefixEquals"])?;
        if element.children().is_empty() {
            return Err(AwsError::invalid_request(
                "Condition cannot be empty. To redirect all requests without a condition, the condition element \
                 shouldn't be present.",
            ));
        }
        let error_code = element.value("HttpErrorCodeReturnedEquals")?.map(|text| {
            let code = text.parse::<u16>().ok().filter(|code| (400..600).contains(code));
            code.ok_or_else(|| {
                AwsError::invalid_request(format!(
                    "The provided HTTP error code ({text}) is not valid. Valid codes are 4XX or 5XX."
                ))
            })
        });
        Ok(Self {
            error_code: error_code.transpose()?,
            key_prefix: element.value("KeyPrefixEquals")?.map(str::to_owned),
        })
    }
}

impl Configuration for Website {
    const GET: Op = Op::GetBucketWebsite;
    const PUT: Op = Op::PutBucketWebsite;
    const GET_ACTION: &'static str = "s3:GetBucketWebsite";
    const PUT_ACTION: &'static str = "s3:PutBucketWebsite";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        bucket.settings.website.clone().ok_or_else(|| AwsError::no_such_website(&bucket.name))
    }

    fn check(&self, _: &Bucket, _: &World) -> Result<(), AwsError> {
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.settings.website = Some(self);
    }
}

impl Removable for Website {
    const DELETE: Op = Op::DeleteBucketWebsite;
    const DELETE_ACTION: &'static str = "s3:DeleteBucketWebsite";

    fn remove(bucket: &mut Bucket) {
        bucket.settings.website = None;
    }
}
