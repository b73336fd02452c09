//! Requests about Object Lock.

use jiff::Timestamp;
use s3s::dto;

use super::{Decoded, claims, instant};
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::checksum::DigestForm;
use crate::s3::configuration::{GetConfiguration, PutConfiguration};
use crate::s3::object_lock::{
    GetObjectLegalHold, GetObjectRetention, LockHeaders, PutObjectLegalHold, PutObjectRetention,
    RetentionChange, remaining_days,
};
use crate::s3::version_ref::VersionRef;
use crate::state::{DefaultRetention, ObjectLockConfiguration, Retention, RetentionMode, RetentionPeriod};

/// The longest default retention: a hundred years.
const DAYS_MAX: i32 = 36_500;
const YEARS_MAX: i32 = 100;

pub(in crate::s3::codec) fn get_object_lock_configuration(
    _: &Exchange,
    _: &Head,
    input: dto::GetObjectLockConfigurationInput,
) -> GetConfiguration<ObjectLockConfiguration> {
    GetConfiguration::of(input.bucket)
}

pub(in crate::s3::codec) fn put_object_lock_configuration(
    x: &Exchange,
    head: &Head,
    input: dto::PutObjectLockConfigurationInput,
) -> Decoded<PutConfiguration<ObjectLockConfiguration>> {
    claims(x, head)?.check(x.body.clone(), DigestForm::Hex)?;
    let configuration = input.object_lock_configuration.ok_or_else(AwsError::malformed_xml);
    Ok(PutConfiguration::of(input.bucket, configuration.and_then(configuration_of)))
}

fn configuration_of(xml: dto::ObjectLockConfiguration) -> Decoded<ObjectLockConfiguration> {
    let malformed = AwsError::malformed_xml;
    if xml.object_lock_enabled.as_ref().is_none_or(|enabled| enabled.as_str() != "Enabled") {
        return Err(malformed());
    }
    let Some(rule) = xml.rule else { return Ok(ObjectLockConfiguration::default()) };
    let default = rule.default_retention.ok_or_else(malformed)?;
    let mode = default.mode.and_then(|mode| RetentionMode::parse(mode.as_str())).ok_or_else(malformed)?;
    let period = match (default.days, default.years) {
        (Some(days), None) => check_period(days, DAYS_MAX, "days").map(RetentionPeriod::Days)?,
        (None, Some(years)) => check_period(years, YEARS_MAX, "years").map(RetentionPeriod::Years)?,
        _ => return Err(malformed()),
    };
    Ok(ObjectLockConfiguration { default_retention: Some(DefaultRetention { mode, period }) })
}

/// Both texts are those that other implementations took over; AWS's own were not recorded.
fn check_period(length: i32, max: i32, unit: &str) -> Decoded<i32> {
    let refuse = |text: String| Err(AwsError::new(http::StatusCode::BAD_REQUEST, "InvalidArgument", text));
    match length {
        ..=0 => refuse("Default retention period must be a positive integer value".to_owned()),
        length if length > max => refuse(format!("Default retention period too large: at most {max} {unit}")),
        length => Ok(length),
    }
}

pub(in crate::s3::codec) fn get_object_retention(
    _: &Exchange,
    _: &Head,
    input: dto::GetObjectRetentionInput,
) -> GetObjectRetention {
    let (bucket, key, version_id) = (input.bucket, input.key, input.version_id);
    GetObjectRetention(VersionRef { bucket, key, version_id })
}

pub(in crate::s3::codec) fn put_object_retention(
    x: &Exchange,
    head: &Head,
    input: dto::PutObjectRetentionInput,
) -> Decoded<PutObjectRetention> {
    claims(x, head)?.check(x.body.clone(), DigestForm::Hex)?;
    let retention = input.retention.ok_or_else(AwsError::malformed_xml).and_then(retention_of);
    let described = retention.as_ref().ok().copied().flatten();
    let described = described.map(|new| described_as(new, x.clock.now())).unwrap_or_default();
    let (bucket, key, version_id) = (input.bucket, input.key, input.version_id);
    Ok(PutObjectRetention {
        version: VersionRef { bucket, key, version_id },
        retention,
        described,
        bypass: bypass(head),
    })
}

/// Without mode and date a retention is taken off; one alone says nothing.
fn retention_of(xml: dto::ObjectLockRetention) -> Decoded<RetentionChange> {
    match (xml.mode, xml.retain_until_date) {
        (None, None) => Ok(None),
        (Some(mode), Some(until)) => {
            let mode = RetentionMode::parse(mode.as_str()).ok_or_else(AwsError::malformed_xml)?;
            Ok(Some(Retention { mode, until: instant(&until)? }))
        }
        _ => Err(AwsError::malformed_xml()),
    }
}

fn described_as(retention: Retention, now: Timestamp) -> LockHeaders {
    LockHeaders {
        mode: Some(retention.mode.name().to_owned()),
        until: Some(crate::instant::extended(retention.until)),
        legal_hold: None,
        remaining_days: Some(remaining_days(retention.until, now)),
    }
}

pub(in crate::s3::codec) fn get_object_legal_hold(
    _: &Exchange,
    _: &Head,
    input: dto::GetObjectLegalHoldInput,
) -> GetObjectLegalHold {
    let (bucket, key, version_id) = (input.bucket, input.key, input.version_id);
    GetObjectLegalHold(VersionRef { bucket, key, version_id })
}

pub(in crate::s3::codec) fn put_object_legal_hold(
    x: &Exchange,
    head: &Head,
    input: dto::PutObjectLegalHoldInput,
) -> Decoded<PutObjectLegalHold> {
    claims(x, head)?.check(x.body.clone(), DigestForm::Hex)?;
    let status = input.legal_hold.and_then(|hold| hold.status);
    let on = match status.as_ref().map(dto::ObjectLockLegalHoldStatus::as_str) {
        Some("ON") => Ok(true),
        Some("OFF") => Ok(false),
        _ => Err(AwsError::malformed_xml()),
    };
    let (bucket, key, version_id) = (input.bucket, input.key, input.version_id);
    Ok(PutObjectLegalHold { version: VersionRef { bucket, key, version_id }, on })
}

/// The wish to set governance aside; absent if the header was not sent.
pub(super) fn bypass(head: &Head) -> Option<bool> {
    head.header("x-amz-bypass-governance-retention").map(|value| value.eq_ignore_ascii_case("true"))
}
