//! What a target may offer.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

/// Something that a check needs and that not every target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// `If-Match` and `If-None-Match` on writes.
    ConditionalWrite,
    /// Requests are decided by policies.
    PolicyEnforcement,
    /// The suite may write accounts, principals and policies of its own.
    Scenario,
    /// Roles can be assumed.
    Sts,
    /// Multipart uploads.
    Multipart,
    /// Presigned URLs are verified.
    PresignedUrl,
    /// Requests and decisions can be read back.
    Journal,
    /// The target's clock can be moved.
    VirtualClock,
    /// Its decision core can be asked without a request.
    DecisionCore,
}

impl Capability {
    /// Every capability; the emulator offers them all.
    pub fn all() -> BTreeSet<Self> {
        BTreeSet::from([
            Self::ConditionalWrite,
            Self::PolicyEnforcement,
            Self::Scenario,
            Self::Sts,
            Self::Multipart,
            Self::PresignedUrl,
            Self::Journal,
            Self::VirtualClock,
            Self::DecisionCore,
        ])
    }

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConditionalWrite => "conditional-write",
            Self::PolicyEnforcement => "policy-enforcement",
            Self::Scenario => "scenario",
            Self::Sts => "sts",
            Self::Multipart => "multipart",
            Self::PresignedUrl => "presigned-url",
            Self::Journal => "journal",
            Self::VirtualClock => "virtual-clock",
            Self::DecisionCore => "decision-core",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
