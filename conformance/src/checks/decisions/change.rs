//! What must make a row of a decision table fail.

use std::fmt;

/// A change to what the core is asked, under which its answer must be another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionChange {
    /// Statements with the effect Deny are taken away.
    DeniesIgnored,
    /// Statements with the effect Allow, grants of ACLs and grants on keys are taken away.
    AllowsIgnored,
    /// The request is nobody's, and there are no policies.
    CallerIgnored,
    /// The request is that of a user of the owner, and every policy allows everything.
    PoliciesIgnored,
    /// The conditions of statements are taken away.
    ConditionsIgnored,
}

impl fmt::Display for DecisionChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::DeniesIgnored => "statements that deny are ignored",
            Self::AllowsIgnored => "statements, ACLs and grants that allow are ignored",
            Self::CallerIgnored => "the request is anonymous and nothing allows it",
            Self::PoliciesIgnored => "a user of the owner asks whom every policy allows everything",
            Self::ConditionsIgnored => "the conditions of statements are ignored",
        })
    }
}
