//! Object Lock: the configuration of a bucket, retention and legal hold of a version, and what they forbid.
//!
//! Source: S3 User Guide "Locking objects with Object Lock", and recorded answers for codes and texts.

mod configuration;
mod headers;
mod version;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use headers::LockHeaders;
pub(crate) use version::{
    GetObjectLegalHold, GetObjectRetention, PutObjectLegalHold, PutObjectRetention, RetentionChange,
};

use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::Requirement;
use crate::state::{Bucket, Lock, Object};

/// The permission to set a governance retention aside; a request that asks to needs it, needed or not.
pub(crate) const BYPASS: &str = "s3:BypassGovernanceRetention";

/// Refuses to delete a version that is protected.
pub(crate) fn check_removal(object: &Object, now: Timestamp, bypass: bool) -> Result<(), AwsError> {
    if object.attributes.lock.protects(now, bypass) { Err(AwsError::object_locked()) } else { Ok(()) }
}

/// Only a bucket with Object Lock takes the header, whatever it says.
pub(crate) fn check_bypass(bucket: &Bucket, bypass: Option<bool>) -> Result<(), AwsError> {
    match bypass {
        Some(_) if bucket.object_lock.is_none() => Err(AwsError::bypass_without_lock()),
        _ => Ok(()),
    }
}

/// What else a read asks about, so as to tell of the lock only those who may know of it.
pub(crate) fn read_requirements(bucket: &str, key: &str, lock: &Lock) -> Vec<Requirement> {
    let retention = lock.retention.map(|_| "s3:GetObjectRetention");
    let legal_hold = lock.legal_hold.map(|_| "s3:GetObjectLegalHold");
    let actions = retention.into_iter().chain(legal_hold);
    actions.map(|action| Requirement::on_object(action, bucket, key).optional()).collect()
}

/// The headers by which a read tells of the lock, as far as the caller may know.
pub(crate) fn read_headers<O>(authorized: &Authorized<O>, lock: &Lock) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    if let Some(retention) = lock.retention.filter(|_| authorized.may("s3:GetObjectRetention")) {
        headers.push(("x-amz-object-lock-mode", retention.mode.name().to_owned()));
        headers.push(("x-amz-object-lock-retain-until-date", iso_8601(retention.until)));
    }
    if let Some(on) = lock.legal_hold.filter(|_| authorized.may("s3:GetObjectLegalHold")) {
        headers.push(("x-amz-object-lock-legal-hold", if on { "ON" } else { "OFF" }.to_owned()));
    }
    headers
}

/// An instant as headers have it, with milliseconds only where there are some.
fn iso_8601(instant: Timestamp) -> String {
    let format =
        if instant.subsec_millisecond() == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S.%3fZ" };
    instant.strftime(format).to_string()
}

/// Retention is told in whole days; a part of a day counts as one. AWS does not say how it rounds.
pub(crate) fn remaining_days(until: Timestamp, now: Timestamp) -> i64 {
    let seconds = until.duration_since(now).as_secs();
    seconds.div_euclid(86_400) + i64::from(seconds.rem_euclid(86_400) > 0)
}

/// The date of a refusal, which AWS writes as Java does, in the time of its own west coast.
fn in_pacific_time(instant: Timestamp) -> String {
    let zone = TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").unwrap_or(TimeZone::UTC);
    instant.to_zoned(zone).strftime("%a %b %d %H:%M:%S %Z %Y").to_string()
}

/// Refuses an end of retention that has passed.
fn check_future(until: Timestamp, now: Timestamp, argument: &'static str) -> Result<(), AwsError> {
    if until > now {
        return Ok(());
    }
    let text = "The retain until date must be in the future!";
    Err(AwsError::invalid_argument(text, argument, in_pacific_time(until)))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{in_pacific_time, iso_8601, remaining_days};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn dates_are_written_as_aws_writes_them() {
        assert_eq!(in_pacific_time(at("2020-01-01T00:00:00Z")), "Tue Dec 31 16:00:00 PST 2019");
        assert_eq!(in_pacific_time(at("2020-07-01T00:00:00Z")), "Tue Jun 30 17:00:00 PDT 2020");
        assert_eq!(iso_8601(at("2030-01-01T00:00:00Z")), "2030-01-01T00:00:00Z");
        assert_eq!(iso_8601(at("2030-01-01T00:00:00.25Z")), "2030-01-01T00:00:00.250Z");
    }

    #[test]
    fn a_begun_day_of_retention_counts() {
        let now = at("2026-01-01T00:00:00Z");
        assert_eq!(remaining_days(at("2026-01-11T00:00:00Z"), now), 10);
        assert_eq!(remaining_days(at("2026-01-11T00:00:01Z"), now), 11);
        assert_eq!(remaining_days(at("2025-12-31T00:00:00Z"), now), -1);
    }
}
