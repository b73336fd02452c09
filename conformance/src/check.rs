//! What a check is.

mod area;
mod capability;
mod id;
mod source;

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;

use serde::Serialize;

pub use area::Area;
pub use capability::Capability;
pub use id::CheckId;
pub use source::Source;

use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::Conclusion;

/// One promise: data about it, and one function of named steps that puts it to the proof.
///
/// ```
/// use bucketproof_conformance::check::{Area, Capability, Check, Level, Run, Source};
/// use bucketproof_conformance::context::CheckContext;
/// use bucketproof_conformance::falsifier::Falsifier;
/// use bucketproof_conformance::outcome::Conclusion;
/// use bucketproof_conformance::step::step;
/// use bucketproof_emulator::{Fault, Op};
///
/// async fn second_put_is_refused(_cx: CheckContext) -> Conclusion {
///     let status = 412; // what the endpoint answered
///     step("put the same key again").equal(&412, &status)
/// }
///
/// let check = Check {
///     id: "s3.put-object.if-none-match.existing-key".into(),
///     title: "PutObject with If-None-Match: * on an existing key is refused".into(),
///     level: Level::Must,
///     area: Area::S3Condition,
///     sources: vec![Source::aws("S3 User Guide, conditional writes", "2026-08-22"), Source::requirement("ENG-03")],
///     needs: vec![Capability::ConditionalWrite],
///     detail: Vec::new(),
///     proves: None,
///     falsified_by: Falsifier::Fault(Fault::on(Op::PutObject).ignore_header("if-none-match")),
///     run: Run::new(second_put_is_refused),
/// };
/// assert!(check.id.is_slug());
/// ```
#[derive(Debug)]
pub struct Check {
    /// The permanent slug: never changed, never given to another check.
    pub id: CheckId,
    /// The demand, as one sentence without a full stop.
    pub title: Cow<'static, str>,
    /// How strongly the sources demand it.
    pub level: Level,
    /// The group it is reported in.
    pub area: Area,
    /// Who demands it; at least one.
    pub sources: Vec<Source>,
    /// What the target must offer; without it the check is skipped.
    pub needs: Vec<Capability>,
    /// What exactly is put to the proof, a line a fact, where the title does not say it all.
    pub detail: Vec<String>,
    /// What the check proves of a documented policy, if it is about one.
    pub proves: Option<PolicyProof>,
    /// The change under which this check must fail.
    pub falsified_by: Falsifier,
    /// The steps.
    pub run: Run,
}

/// What a check proves of a policy that a vendor documents. A policy is proved both ways: all of it suffices, and none of
/// it can be left out without the export failing and the connector naming what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PolicyProof {
    /// `the policy` as a whole, or an element of it such as `action s3:PutObject`.
    pub element: &'static str,
    /// Which way.
    pub way: ProofWay,
}

/// Which way a policy is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofWay {
    /// With it everything works, and nothing more is used.
    Sufficient,
    /// Without it something fails.
    Necessary,
    /// Without it everything works all the same: the page documents more than is needed.
    BeyondNeed,
    /// Without it the connector names it.
    Diagnosed,
}

/// How strongly a demand is made. A failed check of either level makes the answer of a run "no".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The source states it, or a stated requirement cannot hold without it.
    Must,
    /// The source recommends it.
    Should,
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Must => "must",
            Self::Should => "should",
        })
    }
}

type Running = Pin<Box<dyn Future<Output = Conclusion> + Send>>;

/// The function of a check. A closure may carry a row of data, so that one function serves many checks.
pub struct Run {
    function: Box<dyn Fn(CheckContext) -> Running + Send + Sync>,
    needs_scenario: bool,
}

impl Run {
    /// Wraps an asynchronous function.
    pub fn new<F, R>(function: F) -> Self
    where
        F: Fn(CheckContext) -> R + Send + Sync + 'static,
        R: Future<Output = Conclusion> + Send + 'static,
    {
        Self { function: Box::new(move |context| Box::pin(function(context))), needs_scenario: true }
    }

    /// The same function, which does with S3 alone.
    #[must_use]
    pub(crate) fn without_scenario(self) -> Self {
        Self { needs_scenario: false, ..self }
    }

    /// Whether the function plays in accounts and policies of the suite's own.
    pub(crate) const fn needs_scenario(&self) -> bool {
        self.needs_scenario
    }

    /// Runs the steps to the first that does not hold.
    pub async fn call(&self, context: CheckContext) -> Conclusion {
        (self.function)(context).await
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Run")
    }
}
