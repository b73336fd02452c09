//! Answers about Object Lock.

use s3s::dto;

use super::exact_time;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::state::{ObjectLockConfiguration, Retention, RetentionPeriod};

pub(in crate::s3::codec) fn get_object_lock_configuration(
    _: &Exchange,
    _: &Head,
    configuration: ObjectLockConfiguration,
) -> dto::GetObjectLockConfigurationOutput {
    let rule = configuration.default_retention.map(|default| {
        let (days, years) = match default.period {
            RetentionPeriod::Days(days) => (Some(days), None),
            RetentionPeriod::Years(years) => (None, Some(years)),
        };
        let mode = Some(dto::ObjectLockRetentionMode::from_static(default.mode.name()));
        dto::ObjectLockRule { default_retention: Some(dto::DefaultRetention { days, mode, years }) }
    });
    let enabled = dto::ObjectLockEnabled::from_static(dto::ObjectLockEnabled::ENABLED);
    let configuration = dto::ObjectLockConfiguration { object_lock_enabled: Some(enabled), rule };
    dto::GetObjectLockConfigurationOutput { object_lock_configuration: Some(configuration) }
}

pub(in crate::s3::codec) fn put_object_lock_configuration(
    _: &Exchange,
    _: &Head,
    (): (),
) -> dto::PutObjectLockConfigurationOutput {
    dto::PutObjectLockConfigurationOutput::default()
}

pub(in crate::s3::codec) fn get_object_retention(
    _: &Exchange,
    _: &Head,
    retention: Retention,
) -> dto::GetObjectRetentionOutput {
    let mode = Some(dto::ObjectLockRetentionMode::from_static(retention.mode.name()));
    let retain_until_date = Some(exact_time(retention.until));
    dto::GetObjectRetentionOutput { retention: Some(dto::ObjectLockRetention { mode, retain_until_date }) }
}

pub(in crate::s3::codec) fn put_object_retention(
    _: &Exchange,
    _: &Head,
    (): (),
) -> dto::PutObjectRetentionOutput {
    dto::PutObjectRetentionOutput::default()
}

pub(in crate::s3::codec) fn get_object_legal_hold(
    _: &Exchange,
    _: &Head,
    on: bool,
) -> dto::GetObjectLegalHoldOutput {
    let status = if on { dto::ObjectLockLegalHoldStatus::ON } else { dto::ObjectLockLegalHoldStatus::OFF };
    let status = Some(dto::ObjectLockLegalHoldStatus::from_static(status));
    dto::GetObjectLegalHoldOutput { legal_hold: Some(dto::ObjectLockLegalHold { status }) }
}

pub(in crate::s3::codec) fn put_object_legal_hold(
    _: &Exchange,
    _: &Head,
    (): (),
) -> dto::PutObjectLegalHoldOutput {
    dto::PutObjectLegalHoldOutput::default()
}
