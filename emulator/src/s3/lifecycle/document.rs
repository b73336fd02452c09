//! `LifecycleConfiguration` as a document.

use jiff::Timestamp;

use super::check;
use crate::error::AwsError;
use crate::s3::document::{Document, Element};
use crate::state::{
    Expiration, Filter, LifecycleConfiguration, LifecycleRule, MinimumSize, Noncurrent, NoncurrentTransition,
    Scope, Tags, Transition, When,
};

/// The classes that objects may be moved to.
const STORAGE_CLASSES: [&str; 6] =
    ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"];

/// Reads and checks a configuration. `minimum_size` is the header that belongs to it.
pub(crate) fn parse(body: &[u8], minimum_size: Option<&str>) -> Result<LifecycleConfiguration, AwsError> {
    let minimum_size = match minimum_size {
        None => MinimumSize::default(),
        Some(text) => MinimumSize::parse(text).ok_or_else(|| {
            AwsError::invalid_request(format!("Invalid TransitionDefaultMinimumObjectSize found: {text}"))
        })?,
    };
    let configuration = LifecycleConfiguration::parse(body)?;
    Ok(LifecycleConfiguration { minimum_size, ..configuration })
}

impl Document for LifecycleConfiguration {
    const ROOT: &'static str = "LifecycleConfiguration";

    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&["Rule"])?;
        let mut rules = root.all("Rule").map(read_rule).collect::<Result<Vec<_>, _>>()?;
        check::check(&rules)?;
        check::name(&mut rules);
        Ok(Self { rules, minimum_size: MinimumSize::default() })
    }

    fn write(&self) -> Element {
        Element::new(Self::ROOT).with_all(self.rules.iter().map(write_rule))
    }
}

fn read_rule(rule: &Element) -> Result<LifecycleRule, AwsError> {
    rule.only(&[
        "ID",
        "Prefix",
        "Filter",
        "Status",
        "Expiration",
        "Transition",
        "NoncurrentVersionExpiration",
        "NoncurrentVersionTransition",
        "AbortIncompleteMultipartUpload",
    ])?;
    let is_enabled = match rule.required_value("Status")? {
        "Enabled" => true,
        "Disabled" => false,
        _ => return Err(AwsError::malformed_xml()),
    };
    let abort = rule.child("AbortIncompleteMultipartUpload")?.map(|abort| {
        abort.only(&["DaysAfterInitiation"])?;
        number::<i32>(abort, "DaysAfterInitiation")?.ok_or_else(AwsError::malformed_xml)
    });
    let transitions = rule.all("NoncurrentVersionTransition").map(|transition| {
        let storage_class = storage_class(transition)?;
        Ok(NoncurrentTransition { of: read_noncurrent(transition, &["StorageClass"])?, storage_class })
    });
    Ok(LifecycleRule {
        id: rule.value("ID")?.unwrap_or_default().to_owned(),
        is_enabled,
        scope: read_scope(rule)?,
        expiration: rule.child("Expiration")?.map(read_expiration).transpose()?,
        transitions: rule.all("Transition").map(read_transition).collect::<Result<_, _>>()?,
        noncurrent_expiration: rule
            .child("NoncurrentVersionExpiration")?
            .map(|expiration| read_noncurrent(expiration, &[]))
            .transpose()?,
        noncurrent_transitions: transitions.collect::<Result<_, AwsError>>()?,
        abort_after_days: abort.transpose()?,
    })
}

fn read_scope(rule: &Element) -> Result<Scope, AwsError> {
    match (rule.child("Filter")?, rule.value("Prefix")?) {
        (Some(filter), None) => read_filter(filter).map(Scope::Filter),
        (None, Some(prefix)) => Ok(Scope::Prefix(prefix.to_owned())),
        (Some(_), Some(_)) => Err(AwsError::invalid_request(
            "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.",
        )),
        (None, None) => Err(AwsError::malformed_xml()),
    }
}

/// One condition, or several in an `And`.
fn read_filter(filter: &Element) -> Result<Filter, AwsError> {
    filter.only(&["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And"])?;
    match (filter.child("And")?, filter.children().len()) {
        (_, 0) => Ok(Filter::default()),
        (None, 1) => read_conditions(filter),
        (Some(and), 1) => {
            and.only(&["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"])?;
            Ok(Filter { is_and: true, ..read_conditions(and)? })
        }
        _ => Err(AwsError::malformed_xml()),
    }
}

fn read_conditions(element: &Element) -> Result<Filter, AwsError> {
    let mut tags = Tags::default();
    for tag in element.all("Tag") {
        tag.only(&["Key", "Value"])?;
        let (key, value) = (tag.required_value("Key")?, tag.required_value("Value")?);
        if tags.contains_key(key) {
            return Err(AwsError::invalid_request("Duplicate Tag Keys are not allowed."));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(Filter {
        prefix: element.value("Prefix")?.map(str::to_owned),
        tags,
        larger_than: size(element, "ObjectSizeGreaterThan", 0)?,
        smaller_than: size(element, "ObjectSizeLessThan", 1)?,
        is_and: false,
    })
}

/// A size in bytes, up to a thousand tebibytes.
fn size(element: &Element, name: &str, min: i64) -> Result<Option<u64>, AwsError> {
    const MAX: i64 = 1_099_511_627_776_000;
    let Some(bytes) = number::<i64>(element, name)? else { return Ok(None) };
    match u64::try_from(bytes) {
        Ok(size) if (min..=MAX).contains(&bytes) => Ok(Some(size)),
        _ => Err(AwsError::invalid_request(format!("'{name}' should be between {min} and {MAX}."))),
    }
}

fn read_expiration(expiration: &Element) -> Result<Expiration, AwsError> {
    expiration.only(&["Date", "Days", "ExpiredObjectDeleteMarker"])?;
    match expiration.value("ExpiredObjectDeleteMarker")? {
        None => read_when(expiration).map(Expiration::At),
        Some(_) if expiration.children().len() > 1 => Err(AwsError::malformed_xml()),
        Some("true") => Ok(Expiration::DeleteMarker(true)),
        Some("false") => Ok(Expiration::DeleteMarker(false)),
        Some(_) => Err(AwsError::malformed_xml()),
    }
}

fn read_transition(transition: &Element) -> Result<Transition, AwsError> {
    transition.only(&["Date", "Days", "StorageClass"])?;
    Ok(Transition { storage_class: storage_class(transition)?, when: read_when(transition)? })
}

fn read_when(element: &Element) -> Result<When, AwsError> {
    match (number::<i32>(element, "Days")?, element.value("Date")?) {
        (Some(days), None) => Ok(When::Days(days)),
        (None, Some(date)) => {
            date.parse::<Timestamp>().map(When::Date).map_err(|_| AwsError::malformed_xml())
        }
        _ => Err(AwsError::malformed_xml()),
    }
}

/// Without `NoncurrentDays` AWS finds it malformed, whatever else it says.
fn read_noncurrent(element: &Element, others: &[&str]) -> Result<Noncurrent, AwsError> {
    element.only(&[&["NoncurrentDays", "NewerNoncurrentVersions"], others].concat())?;
    let days = number(element, "NoncurrentDays")?.ok_or_else(AwsError::malformed_xml)?;
    let newer = match number::<i64>(element, "NewerNoncurrentVersions")? {
        None => None,
        Some(newer) => Some(u32::try_from(newer).ok().filter(|newer| *newer > 0).ok_or_else(|| {
            check::invalid_argument("'NewerNoncurrentVersions' must be a positive integer")
        })?),
    };
    Ok(Noncurrent { days, newer })
}

fn storage_class(element: &Element) -> Result<String, AwsError> {
    let class = element.required_value("StorageClass")?;
    if STORAGE_CLASSES.contains(&class) { Ok(class.to_owned()) } else { Err(AwsError::malformed_xml()) }
}

fn number<N: std::str::FromStr>(element: &Element, name: &str) -> Result<Option<N>, AwsError> {
    element.value(name)?.map(|text| text.trim().parse().map_err(|_| AwsError::malformed_xml())).transpose()
}

fn write_rule(rule: &LifecycleRule) -> Element {
    let mut element = Element::new("Rule").with_text("ID", rule.id.as_str());
    element = match &rule.scope {
        Scope::Prefix(prefix) => element.with_text("Prefix", prefix.as_str()),
        Scope::Filter(filter) => element.with(write_filter(filter)),
    };
    element = element.with_text("Status", if rule.is_enabled { "Enabled" } else { "Disabled" });
    if let Some(expiration) = rule.expiration {
        let inner = Element::new("Expiration");
        element = element.with(match expiration {
            Expiration::At(when) => write_when(inner, when),
            Expiration::DeleteMarker(goes) => inner.with_text("ExpiredObjectDeleteMarker", goes.to_string()),
        });
    }
    let transitions = rule.transitions.iter().map(|transition| {
        write_when(Element::new("Transition"), transition.when)
            .with_text("StorageClass", transition.storage_class.as_str())
    });
    element = element.with_all(transitions);
    if let Some(of) = rule.noncurrent_expiration {
        element = element.with(write_noncurrent("NoncurrentVersionExpiration", of));
    }
    let transitions = rule.noncurrent_transitions.iter().map(|transition| {
        write_noncurrent("NoncurrentVersionTransition", transition.of)
            .with_text("StorageClass", transition.storage_class.as_str())
    });
    element = element.with_all(transitions);
    if let Some(days) = rule.abort_after_days {
        let abort = Element::new("AbortIncompleteMultipartUpload");
        element = element.with(abort.with_text("DaysAfterInitiation", days.to_string()));
    }
    element
}

fn write_filter(filter: &Filter) -> Element {
    let write = |element: Element| {
        let tags = filter
            .tags
            .iter()
            .map(|(key, value)| Element::new("Tag").with_text("Key", key).with_text("Value", value));
        element
            .with_some("Prefix", filter.prefix.as_deref())
            .with_all(tags)
            .with_some("ObjectSizeGreaterThan", filter.larger_than.map(|bytes| bytes.to_string()))
            .with_some("ObjectSizeLessThan", filter.smaller_than.map(|bytes| bytes.to_string()))
    };
    let element = Element::new("Filter");
    if filter.is_and { element.with(write(Element::new("And"))) } else { write(element) }
}

fn write_when(element: Element, when: When) -> Element {
    match when {
        When::Days(days) => element.with_text("Days", days.to_string()),
        When::Date(date) => element.with_text("Date", crate::instant::with_zero_millis(date)),
    }
}

fn write_noncurrent(name: &str, of: Noncurrent) -> Element {
    Element::new(name)
        .with_text("NoncurrentDays", of.days.to_string())
        .with_some("NewerNoncurrentVersions", of.newer.map(|newer| newer.to_string()))
}
