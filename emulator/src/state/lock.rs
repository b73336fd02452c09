//! Object Lock: what protects a version from deletion, and what a bucket gives its new versions.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How strongly a retention holds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum RetentionMode {
    /// Whoever has `s3:BypassGovernanceRetention` may say that it does not hold.
    Governance,
    /// Nobody may, not even the account's root user.
    Compliance,
}

/// A version is kept until an instant.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Retention {
    pub(crate) mode: RetentionMode,
    pub(crate) until: Timestamp,
}

/// The lock of one version. A legal hold that was never set is not the same as one that was taken off.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Lock {
    pub(crate) retention: Option<Retention>,
    /// Whether the hold is on; absent if it was never set.
    pub(crate) legal_hold: Option<bool>,
}

/// The Object Lock configuration of a bucket that has one.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct ObjectLockConfiguration {
    pub(crate) default_retention: Option<DefaultRetention>,
}

/// The retention of versions whose writer asks for none.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct DefaultRetention {
    pub(crate) mode: RetentionMode,
    pub(crate) period: RetentionPeriod,
}

/// How long, as it was put.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum RetentionPeriod {
    Days(i32),
    Years(i32),
}

impl RetentionMode {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "GOVERNANCE" => Some(Self::Governance),
            "COMPLIANCE" => Some(Self::Compliance),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

impl Retention {
    /// Whether it still holds.
    pub(crate) fn is_active(&self, now: Timestamp) -> bool {
        self.until > now
    }
}

impl DefaultRetention {
    /// The retention of a version written at `now`. A year is counted as 365 days; AWS does not say.
    pub(crate) fn from(&self, now: Timestamp) -> Retention {
        let days = match self.period {
            RetentionPeriod::Days(days) => i64::from(days),
            RetentionPeriod::Years(years) => i64::from(years) * 365,
        };
        let length = SignedDuration::from_hours(days.saturating_mul(24));
        let until = now.saturating_add(length).unwrap_or(Timestamp::MAX);
        Retention { mode: self.mode, until }
    }
}

impl Lock {
    /// Whether the version may not be deleted for good. `bypass`: the caller may and does set governance aside.
    pub(crate) fn protects(&self, now: Timestamp, bypass: bool) -> bool {
        let retained = self.retention.filter(|retention| retention.is_active(now)).is_some_and(|retention| {
            match retention.mode {
                RetentionMode::Compliance => true,
                RetentionMode::Governance => !bypass,
            }
        });
        retained || self.legal_hold == Some(true)
    }
}
