//! Conditional requests.
//!
//! Source: S3 User Guide "Conditional requests", and recorded answers for the exact codes.

use jiff::Timestamp;

use crate::error::AwsError;
use crate::operation::Requirement;
use crate::state::Object;

/// The condition of a write or a delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    #[default]
    None,
    /// `If-None-Match: *`: the key must be free.
    Absent,
    /// `If-Match: *`: there must be an object; only deletes take it.
    Present,
    /// `If-Match: "etag"`: the object must be this one.
    Match(String),
}

/// The conditions of a read, or of the source of a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadConditions {
    /// `If-Match`, a list of entity tags.
    pub(crate) matching: Option<String>,
    /// `If-None-Match`.
    pub(crate) not_matching: Option<String>,
    /// `If-Modified-Since`.
    pub(crate) modified_since: Option<Timestamp>,
    /// `If-Unmodified-Since`.
    pub(crate) unmodified_since: Option<Timestamp>,
}

impl WriteCondition {
    /// From the raw headers; AWS takes only these two forms for writes.
    pub(crate) fn parse(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Self, AwsError> {
        match (if_match, if_none_match) {
            (None, None) => Ok(Self::None),
            (Some(_), Some(_)) => Err(AwsError::header_not_implemented("If-Match,If-None-Match")
                .with("additionalMessage", "Multiple conditional request headers present in the request")),
            (None, Some("*")) => Ok(Self::Absent),
            (None, Some(_)) => Err(unacceptable("If-None-Match")),
            (Some("*"), None) => Err(unacceptable("If-Match")),
            (Some(etag), None) => Ok(Self::Match(unquoted(etag).to_owned())),
        }
    }

    /// From the entity tag that a delete names, or `*`.
    pub(crate) fn of_delete(etag: Option<&str>) -> Self {
        match etag {
            None => Self::None,
            Some("*") => Self::Present,
            Some(etag) => Self::Match(unquoted(etag).to_owned()),
        }
    }

    /// Adds the condition to what policies see of `requirement`, which it guards.
    ///
    /// To tell whether an entity tag is the object's is to read the object, so that takes `s3:GetObject` too.
    pub(crate) fn require(&self, requirement: Requirement, bucket: &str, key: &str) -> Vec<Requirement> {
        match self {
            Self::None => vec![requirement],
            Self::Absent => vec![requirement.with("s3:if-none-match", "*")],
            Self::Present => vec![requirement.with("s3:if-match", "*")],
            Self::Match(etag) => vec![
                requirement.with("s3:if-match", etag),
                Requirement::on_object("s3:GetObject", bucket, key),
            ],
        }
    }

    /// Holds the condition against what stands under the key.
    pub(crate) fn check(&self, key: &str, current: Option<&Object>) -> Result<(), AwsError> {
        match (self, current) {
            (Self::None, _) | (Self::Absent, None) | (Self::Present, Some(_)) => Ok(()),
            (Self::Absent, Some(_)) => Err(AwsError::precondition_failed("If-None-Match")),
            (Self::Match(_) | Self::Present, None) => Err(AwsError::no_such_key(key)),
            (Self::Match(etag), Some(object)) if object.etag == *etag => Ok(()),
            (Self::Match(_), Some(_)) => Err(AwsError::precondition_failed("If-Match")),
        }
    }

    /// The header of the condition, as it stands in `Condition` elements.
    pub(crate) fn header(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Absent => Some("If-None-Match"),
            Self::Match(_) | Self::Present => Some("If-Match"),
        }
    }
}

fn unacceptable(header: &'static str) -> AwsError {
    let text = format!("We don't accept the provided value of {header} header for this API");
    AwsError::header_not_implemented(header).with("additionalMessage", text)
}

impl ReadConditions {
    /// For GET and HEAD: 412 where the client insists, 304 where its copy is good.
    pub(crate) fn check_read(&self, object: &Object, now: Timestamp) -> Result<(), AwsError> {
        let not_modified =
            || Err(AwsError::not_modified().with_header("etag", format!("\"{}\"", object.etag)));
        match (&self.matching, self.unmodified_since) {
            (Some(list), _) if !matches(list, object) => {
                return Err(AwsError::precondition_failed("If-Match"));
            }
            (None, Some(instant)) if modified_after(object, instant) => {
                return Err(AwsError::precondition_failed("If-Unmodified-Since"));
            }
            _ => {}
        }
        match (&self.not_matching, self.modified_since) {
            (Some(list), _) if matches(list, object) => not_modified(),
            (None, Some(instant)) if is_unchanged(object, instant, now) => not_modified(),
            _ => Ok(()),
        }
    }

    /// For the source of a copy: every failure is 412.
    pub(crate) fn check_copy(&self, object: &Object, now: Timestamp) -> Result<(), AwsError> {
        let fail = |condition| Err(AwsError::precondition_failed(condition));
        if self.matching.as_ref().is_some_and(|list| !matches(list, object)) {
            return fail("x-amz-copy-source-If-Match");
        }
        if self.matching.is_none() && self.unmodified_since.is_some_and(|i| modified_after(object, i)) {
            return fail("x-amz-copy-source-If-Unmodified-Since");
        }
        if self.not_matching.as_ref().is_some_and(|list| matches(list, object)) {
            return fail("x-amz-copy-source-If-None-Match");
        }
        if self.modified_since.is_some_and(|i| is_unchanged(object, i, now)) {
            return fail("x-amz-copy-source-If-Modified-Since");
        }
        Ok(())
    }
}

/// HTTP dates have whole seconds.
fn modified_after(object: &Object, instant: Timestamp) -> bool {
    object.last_modified.as_second() > instant.as_second()
}

/// Whether the object is still as it was at `instant`; AWS ignores a date in the future.
fn is_unchanged(object: &Object, instant: Timestamp, now: Timestamp) -> bool {
    instant <= now && !modified_after(object, instant)
}

/// Whether a list of entity tags, or `*`, covers the object.
fn matches(list: &str, object: &Object) -> bool {
    list.split(',').map(str::trim).any(|tag| tag == "*" || unquoted(tag) == object.etag)
}

/// An entity tag without quotes; AWS takes them with and without.
pub(crate) fn unquoted(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(etag)
}

#[cfg(test)]
mod tests {
    use super::WriteCondition;

    #[test]
    fn only_the_two_forms_that_aws_takes_are_taken() {
        let code = |if_match, if_none_match| {
            WriteCondition::parse(if_match, if_none_match).map_err(|error| {
                (error.status.as_u16(), error.details.first().map(|(_, value)| value.clone()))
            })
        };
        assert_eq!(code(None, None), Ok(WriteCondition::None));
        assert_eq!(code(None, Some("*")), Ok(WriteCondition::Absent));
        assert_eq!(code(Some("\"abc\""), None), Ok(WriteCondition::Match("abc".into())));
        assert_eq!(code(Some("abc"), None), Ok(WriteCondition::Match("abc".into())));
        assert_eq!(code(Some("*"), None), Err((501, Some("If-Match".into()))));
        assert_eq!(code(None, Some("\"abc\"")), Err((501, Some("If-None-Match".into()))));
        assert_eq!(code(Some("abc"), Some("*")), Err((501, Some("If-Match,If-None-Match".into()))));
    }
}
