//! The lock that a write asks for in its headers.

use jiff::Timestamp;

use super::{check_future, remaining_days};
use crate::error::AwsError;
use crate::operation::Requirement;
use crate::state::{Bucket, Lock, Retention, RetentionMode};

const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
const LEGAL_HOLD: &str = "x-amz-object-lock-legal-hold";

/// The headers of PutObject, CopyObject and CreateMultipartUpload as they were sent; policies see them so.
#[derive(Clone, Debug, Default)]
pub(crate) struct LockHeaders {
    pub(crate) mode: Option<String>,
    pub(crate) until: Option<String>,
    pub(crate) legal_hold: Option<String>,
    /// From when the request came to `until`, for policies.
    pub(crate) remaining_days: Option<i64>,
}

impl LockHeaders {
    pub(crate) fn of(header: impl Fn(&str) -> Option<String>, now: Timestamp) -> Self {
        let until = header(UNTIL);
        let instant = until.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
        Self {
            mode: header(MODE),
            legal_hold: header(LEGAL_HOLD),
            remaining_days: instant.map(|instant| remaining_days(instant, now)),
            until,
        }
    }

    /// Adds the headers to what policies see of a write.
    pub(crate) fn describe(&self, requirement: Requirement) -> Requirement {
        let days = self.remaining_days.map(|days| days.to_string());
        requirement
            .with_some("s3:object-lock-mode", self.mode.as_deref())
            .with_some("s3:object-lock-retain-until-date", self.until.as_deref())
            .with_some("s3:object-lock-remaining-retention-days", days.as_deref())
            .with_some("s3:object-lock-legal-hold", self.legal_hold.as_deref())
    }

    /// To lock takes permissions of its own.
    pub(crate) fn requirements(&self, bucket: &str, key: &str) -> Vec<Requirement> {
        let retention = (self.mode.is_some() || self.until.is_some()).then_some("s3:PutObjectRetention");
        let legal_hold = self.legal_hold.as_ref().map(|_| "s3:PutObjectLegalHold");
        let actions = retention.into_iter().chain(legal_hold);
        actions.map(|action| self.describe(Requirement::on_object(action, bucket, key))).collect()
    }

    /// The lock of the new version: what was asked for, else the bucket's default.
    pub(crate) fn resolve(&self, bucket: &Bucket, now: Timestamp) -> Result<Lock, AwsError> {
        let retention = self.retention(now)?;
        let legal_hold = match self.legal_hold.as_deref() {
            None => None,
            Some("ON") => Some(true),
            Some("OFF") => Some(false),
            // The text is that of other implementations; AWS's was not seen.
            Some(other) => {
                let text = "Legal Hold must be either of 'ON' or 'OFF'";
                return Err(AwsError::invalid_argument(text, LEGAL_HOLD, other));
            }
        };
        let Some(configuration) = bucket.object_lock else {
            let asked = retention.is_some() || legal_hold.is_some();
            return if asked { Err(AwsError::lock_headers_without_lock()) } else { Ok(Lock::default()) };
        };
        let default = || configuration.default_retention.map(|default| default.from(now));
        Ok(Lock { retention: retention.or_else(default), legal_hold })
    }

    fn retention(&self, now: Timestamp) -> Result<Option<Retention>, AwsError> {
        let missing = |argument: &'static str| {
            let text = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
            AwsError::new(http::StatusCode::BAD_REQUEST, "InvalidArgument", text)
                .with("ArgumentName", argument)
        };
        let (mode, until) = match (&self.mode, &self.until) {
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(missing(UNTIL)),
            (None, Some(_)) => return Err(missing(MODE)),
            (Some(mode), Some(until)) => (mode, until),
        };
        let mode = RetentionMode::parse(mode)
            .ok_or_else(|| AwsError::invalid_argument("Unknown wormMode directive.", MODE, mode.as_str()))?;
        let until = until.parse::<Timestamp>().map_err(|_| {
            let text = "The retain until date must be provided in ISO 8601 format";
            AwsError::invalid_argument(text, UNTIL, until.as_str())
        })?;
        check_future(until, now, UNTIL)?;
        Ok(Some(Retention { mode, until }))
    }
}
