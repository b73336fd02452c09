//! Documented policies, proved both ways: a row an element, made from the checks that prove something of it.

use serde::Serialize;

use super::{CheckReport, Status};
use crate::check::{CheckId, ProofWay};

/// What was proved of an element of a documented policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyRow {
    /// The profile whose page documents it.
    pub profile: String,
    /// `the policy` as a whole, or an element of it such as `action s3:PutObject`.
    pub element: String,
    /// That everything works with it.
    pub sufficient: Option<PolicyProved>,
    /// That something stops without it.
    pub necessary: Option<PolicyProved>,
    /// That nothing stops without it.
    pub beyond_need: Option<PolicyProved>,
    /// That the connector names it when it is missing.
    pub diagnosed: Option<PolicyProved>,
}

/// The check that proves it, and how that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyProved {
    /// The check.
    pub check: CheckId,
    /// How it ended.
    pub status: Status,
}

/// The rows, in the order in which the checks name elements first.
pub(super) fn rows(checks: &[CheckReport]) -> Vec<PolicyRow> {
    let mut rows: Vec<PolicyRow> = Vec::new();
    for check in checks {
        let (Some(proof), Some(profile)) = (check.proves, check.area.profile()) else { continue };
        let known = rows.iter().position(|row| row.profile == profile && row.element == proof.element);
        let at = known.unwrap_or_else(|| {
            rows.push(PolicyRow {
                profile: profile.to_owned(),
                element: proof.element.to_owned(),
                sufficient: None,
                necessary: None,
                beyond_need: None,
                diagnosed: None,
            });
            rows.len() - 1
        });
        let Some(row) = rows.get_mut(at) else { continue };
        let place = match proof.way {
            ProofWay::Sufficient => &mut row.sufficient,
            ProofWay::Necessary => &mut row.necessary,
            ProofWay::BeyondNeed => &mut row.beyond_need,
            ProofWay::Diagnosed => &mut row.diagnosed,
        };
        *place = Some(PolicyProved { check: check.id.clone(), status: check.status });
    }
    rows
}
