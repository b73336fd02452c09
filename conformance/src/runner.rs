//! Runs checks and says what happens.

use std::any::Any;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bucketproof_clock::Stopwatch;
use tokio::task::{JoinError, JoinSet};

use crate::check::{Capability, Check, CheckId};
use crate::context::CheckContext;
use crate::outcome::{Breakage, Outcome};
use crate::target::within;

/// No check takes a tenth of this.
const CHECK_TIMEOUT: Duration = Duration::from_mins(2);

/// What happened during a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// The number of selected checks.
        checks: usize,
    },
    /// A check begins. A skipped check never does.
    CheckStarted {
        /// Which one.
        id: CheckId,
    },
    /// A check has ended; checks end in no order.
    CheckFinished {
        /// Which one.
        id: CheckId,
        /// How.
        outcome: Outcome,
        /// Real time that it took.
        duration: Duration,
    },
    /// The run is over.
    RunFinished {
        /// Real time that it took.
        duration: Duration,
    },
}

/// How to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the target offers.
    pub capabilities: BTreeSet<Capability>,
    /// The number of checks that run at a time.
    pub concurrency: NonZeroUsize,
    /// The longest real time that a check may take.
    pub timeout: Duration,
}

impl Default for Settings {
    /// A target that offers everything, two checks at a time.
    fn default() -> Self {
        Self {
            capabilities: Capability::all(),
            concurrency: NonZeroUsize::MIN.saturating_add(1),
            timeout: CHECK_TIMEOUT,
        }
    }
}

/// Runs `checks`, each in the context that `contexts` makes for it, and tells `on_event` what happens.
///
/// A check that panics ends as errored under its own name; the others go on. Must be called within a tokio runtime.
pub async fn run(
    checks: &[Arc<Check>],
    contexts: impl Fn(&Check) -> CheckContext,
    settings: &Settings,
    mut on_event: impl FnMut(Event),
) {
    let watch = Stopwatch::start();
    on_event(Event::RunStarted { checks: checks.len() });
    let mut waiting = checks.iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < settings.concurrency.get() {
            let Some(check) = waiting.next() else { break };
            let id = check.id.clone();
            if let Some(missing) = check.needs.iter().find(|need| !settings.capabilities.contains(need)) {
                let outcome = Outcome::Skipped { missing: *missing };
                on_event(Event::CheckFinished { id, outcome, duration: Duration::ZERO });
                continue;
            }
            on_event(Event::CheckStarted { id });
            running.spawn(conclude(Arc::clone(check), contexts(check), settings.timeout));
        }
        match running.join_next().await {
            None => break,
            Some(Ok((id, outcome, duration))) => on_event(Event::CheckFinished { id, outcome, duration }),
            // Only a runtime that shuts down ends this task early; the report then knows of no outcome.
            Some(Err(_)) => {}
        }
    }
    on_event(Event::RunFinished { duration: watch.elapsed() });
}

/// Runs one check in a task of its own, so that a panic ends that task alone.
async fn conclude(check: Arc<Check>, context: CheckContext, limit: Duration) -> (CheckId, Outcome, Duration) {
    let watch = Stopwatch::start();
    let id = check.id.clone();
    let called = tokio::spawn(async move { within(limit, check.run.call(context)).await });
    let outcome = match called.await {
        Ok(Some(conclusion)) => conclusion.into(),
        Ok(None) => Outcome::Errored(Breakage {
            step: None,
            message: format!("the check did not end within {} s", limit.as_secs()),
        }),
        Err(error) => Outcome::Errored(Breakage { step: None, message: abort_text(error) }),
    };
    (id, outcome, watch.elapsed())
}

fn abort_text(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => format!("the check panicked: {}", panic_text(payload.as_ref())),
        Err(error) => format!("the check was stopped: {error}"),
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
pub(crate) mod tests;
