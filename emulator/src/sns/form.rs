//! The parameters of SNS actions.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bucketproof_authz::Arn;
use http::StatusCode;

use super::action::Who;
use crate::error::AwsError;
use crate::query::{Fields, Parameters};

/// How many entries a page of a list has.
const PAGE: usize = 100;

/// The parameters of one call, with the caller.
pub(super) struct Form<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) who: &'a Who,
}

/// Which page of a list is asked for: what stands before it.
#[derive(Clone, Debug)]
pub(super) struct Page {
    after: Option<String>,
}

impl Form<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)
    }

    pub(super) fn required(&self, name: &str) -> Result<String, AwsError> {
        self.get(name).map(str::to_owned).ok_or_else(|| AwsError::sns_no_value(name))
    }

    /// The ARN of a topic at this endpoint, of whatever account.
    pub(super) fn topic(&self, name: &str) -> Result<Arn, AwsError> {
        let text = self.get(name).ok_or_else(|| AwsError::sns_no_value(name))?;
        let arn = arn(name, text)?;
        let is_here = self.who.region.as_deref().is_none_or(|region| region == arn.region());
        if arn.service() != "sns"
            || !is_here
            || arn.account().is_none()
            || arn.resource().contains([':', '/'])
        {
            return Err(AwsError::sns_invalid(name));
        }
        Ok(arn)
    }

    /// The ARN of a subscription: that of its topic with an id behind it.
    pub(super) fn subscription(&self) -> Result<String, AwsError> {
        let name = "SubscriptionArn";
        let text = self.get(name).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| AwsError::sns_no_value(name))?;
        let parsed = arn(name, text)?;
        if parsed.service() != "sns" || !parsed.resource().contains(':') {
            return Err(AwsError::sns_invalid("SubscriptionId"));
        }
        Ok(text.to_owned())
    }

    /// A map such as `Attributes.entry.1.key`.
    pub(super) fn map(&self, name: &str) -> BTreeMap<String, String> {
        let entry = |prefix: String| {
            let key = self.get(&format!("{prefix}.key"))?.to_owned();
            Some((key, self.get(&format!("{prefix}.value")).unwrap_or_default().to_owned()))
        };
        self.parameters.entries(name).into_iter().filter_map(entry).collect()
    }

    pub(super) fn tags(&self) -> Result<BTreeMap<String, String>, AwsError> {
        let mut tags = BTreeMap::new();
        for prefix in self.parameters.members("Tags") {
            let get = |name: &str| self.get(&format!("{prefix}.{name}")).unwrap_or_default().to_owned();
            let (key, value) = (get("Key"), get("Value"));
            if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
                return Err(AwsError::sns_invalid(
                    "Tags Reason: a key has 1 to 128 characters, a value at most 256",
                ));
            }
            if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
                return Err(AwsError::sns_invalid("Tags Reason: keys must not begin with aws:"));
            }
            if tags.insert(key, value).is_some() {
                return Err(AwsError::sns_invalid("Duplicated keys are not allowed."));
            }
        }
        Ok(tags)
    }

    pub(super) fn page(&self) -> Result<Page, AwsError> {
        let Some(token) = self.get("NextToken").filter(|token| !token.is_empty()) else {
            return Ok(Page { after: None });
        };
        let decoded = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let after = decoded.ok_or_else(|| AwsError::sns_invalid("NextToken"))?;
        Ok(Page { after: Some(after) })
    }
}

impl Page {
    /// A page of a list in the order of its keys.
    pub(super) fn list<'k>(
        &self,
        name: &'static str,
        list: impl Iterator<Item = (&'k str, Fields)>,
    ) -> Fields {
        let mut rest = list.filter(|(key, _)| self.after.as_deref().is_none_or(|after| *key > after));
        let mut end = None;
        let entries: Vec<Fields> = rest
            .by_ref()
            .take(PAGE)
            .map(|(key, fields)| {
                end = Some(key);
                fields
            })
            .collect();
        let next = rest.next().and(end).map(|end| URL_SAFE_NO_PAD.encode(end));
        Fields::new().list(name, entries).some("NextToken", next)
    }
}

/// Reads an ARN; SNS counts its elements first.
pub(super) fn arn(name: &str, text: &str) -> Result<Arn, AwsError> {
    let elements = text.split(':').count();
    if elements < 6 {
        let text = format!("{name} Reason: An ARN must have at least 6 elements, not {elements}");
        return Err(AwsError::sns_invalid(text));
    }
    Arn::new(text).map_err(|_| AwsError::sns_invalid(name))
}

/// A constraint of the interface that a member breaks by being absent.
pub(super) fn null(member: &str) -> AwsError {
    let text = format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    );
    AwsError::new(StatusCode::BAD_REQUEST, "ValidationError", text)
}
