//! `run`: syncs by schedule until told to stop.
//!
//! Between two runs the runner looks every few seconds whether the configuration or a secret file changed (a changed
//! one is loaded and tried at once, so keys rotate without a restart), whether a pause began or ended, and, for a
//! streaming schedule, how much waits. A failed run does not end it: what a service did badly is tried again after an
//! exponential pause with full jitter, what people must mend at the next scheduled run. The state tells which.

mod lease;
mod loader;
mod stop;

use std::sync::Arc;
use std::time::Duration;

use bucketproof_clock::{Clock, Entropy};
use jiff::{SignedDuration, Timestamp};

pub use lease::{LeaseError, RunLease};
pub use loader::{ConfigLoader, Loader};
pub use stop::StopSignal;

use crate::engine::{Connection, FailureKind, SyncError};
use crate::report::{Outcome, SyncReport};
use crate::schedule::Schedule;
use crate::state::{Circuit, CircuitState, LastRun, RunFailure, StateError};
use crate::store::ErrorClass;

/// How often the runner looks around while it waits.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Longest pause after the first failed run; doubles with each further one.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause after any failed run.
const RETRY_PAUSE_MAX: Duration = Duration::from_mins(5);

/// What a runner tells those who watch it: progress, metrics, tests.
pub trait RunObserver: Send + Sync {
    /// A connection was loaded, for the first time or anew.
    fn loaded(&self, _connection: &Connection) {}
    /// A run is about to begin; `missed` scheduled runs lie between the last one and now.
    fn begins(&self, _now: Timestamp, _missed: u64) {}
    /// A run ended.
    fn ended(&self, _outcome: Result<&SyncReport, &SyncError>) {}
    /// The runner waits; this is what the circuit is and when the next run is due by the clock.
    fn waits(&self, _circuit: &Circuit, _next: Option<Timestamp>) {}
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl RunObserver for Unobserved {}

/// Runs one connection by its schedule.
pub struct Runner {
    loader: Box<dyn Loader>,
    clock: Clock,
    entropy: Entropy,
    stop: StopSignal,
    observer: Arc<dyn RunObserver>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("stop", &self.stop).finish_non_exhaustive()
    }
}

/// Why the runner goes on.
enum Wake {
    Due,
    Changed,
    Stop,
}

impl Runner {
    /// A runner that begins with nothing loaded.
    pub fn new(loader: impl Loader + 'static, clock: Clock, entropy: Entropy, stop: StopSignal) -> Self {
        Self { loader: Box::new(loader), clock, entropy, stop, observer: Arc::new(Unobserved) }
    }

    /// Has the runs watched.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn RunObserver>) -> Self {
        self.observer = observer;
        self
    }

    /// Syncs by schedule until the stop signal is given; then the batch that is under way is finished first. Ends
    /// with an error only if the first configuration cannot be loaded or the state cannot be used.
    pub async fn run(self) -> Result<(), RunError> {
        let mut seen = self.loader.fingerprint();
        let mut connection = self.loader.load(&self.stop).map_err(RunError::Load)?;
        let _lease = RunLease::take(&connection.config().state_dir)?;
        connection.prepare_state()?;
        self.observer.loaded(&connection);
        let mut circuit = Circuit::default();
        let mut try_now = false;
        loop {
            if !try_now {
                match self.wait(&connection, &circuit, &seen).await? {
                    Wake::Stop => return Ok(()),
                    Wake::Due => {}
                    Wake::Changed => {
                        seen = self.loader.fingerprint();
                        match self.loader.load(&self.stop) {
                            Ok(changed) => {
                                tracing::info!("the configuration or a secret changed and was loaded");
                                connection = changed;
                                connection.prepare_state()?;
                                self.observer.loaded(&connection);
                                // What people mended is tried at once.
                                try_now = circuit.state == CircuitState::Blocked;
                            }
                            Err(problem) => {
                                tracing::error!(
                                    problem,
                                    "the changed configuration cannot be used; going on with the former"
                                );
                            }
                        }
                        continue;
                    }
                }
            }
            try_now = false;
            circuit = self.run_once(&connection, circuit).await?;
            if self.stop.is_given() {
                return Ok(());
            }
        }
    }

    /// One run and what it means for the next.
    async fn run_once(&self, connection: &Connection, circuit: Circuit) -> Result<Circuit, RunError> {
        let started = self.clock.now();
        let missed = connection.schedule().missed(connection.last_run_started()?, started).saturating_sub(1);
        if missed > 0 {
            tracing::warn!(missed, "scheduled runs were missed; this run catches up");
        }
        self.observer.begins(started, missed);
        let outcome = connection.sync().await;
        self.observer.ended(outcome.as_ref());
        let failure = outcome.as_ref().err().map(|error| {
            tracing::error!(%error, help = error.help(), "the run failed");
            RunFailure {
                message: error.to_string(),
                help: error.help(),
                credentials: error.diagnosis().is_some_and(|diagnosis| diagnosis.kind.is_of_credentials()),
            }
        });
        let circuit = match &outcome {
            Ok(report) => {
                tracing::info!(outcome = ?report.outcome, "the run ended");
                Circuit::default()
            }
            Err(error) => self.after_failure(error, &circuit),
        };
        let ran =
            !matches!(&outcome, Ok(report) if matches!(report.outcome, Outcome::Disabled | Outcome::Paused));
        if ran {
            let finished_at = self.clock.now().to_string();
            let run = LastRun { started_at: started.to_string(), finished_at, failure };
            connection.record_run(&run, &circuit)?;
        } else {
            // Nothing ran, but the tick is over.
            connection.record_tick(started)?;
        }
        Ok(circuit)
    }

    fn after_failure(&self, error: &SyncError, circuit: &Circuit) -> Circuit {
        let failures = circuit.failures.saturating_add(1);
        let retryable = matches!(error, SyncError::Contended { .. })
            || matches!(error, SyncError::Store { source, .. } if source.class() != ErrorClass::Fatal)
            || error.kind() == FailureKind::Broken;
        if !retryable {
            return Circuit { state: CircuitState::Blocked, failures, next_attempt_at: None };
        }
        let doubled = RETRY_PAUSE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        let longest = u64::try_from(doubled.min(RETRY_PAUSE_MAX).as_millis()).unwrap_or(u64::MAX);
        let pause = self.entropy.next_u64() % longest.saturating_add(1);
        let pause = SignedDuration::from_millis(i64::try_from(pause).unwrap_or(i64::MAX));
        let next = self.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
        Circuit { state: CircuitState::Open, failures, next_attempt_at: Some(next.to_string()) }
    }

    /// Waits until a run is due, something changed or the stop signal is given.
    async fn wait(&self, connection: &Connection, circuit: &Circuit, seen: &str) -> Result<Wake, RunError> {
        let schedule = connection.schedule();
        let last = connection.last_run_started()?;
        let began = self.clock.now();
        let attempt: Option<Timestamp> = circuit.next_attempt_at.as_deref().and_then(|at| at.parse().ok());
        let by_clock =
            if schedule.missed(last, began) > 0 { Some(began) } else { schedule.next(last, began) };
        // After a failure of the service the circuit decides alone; it never waits beyond the schedule.
        let due = match (circuit.state, attempt) {
            (CircuitState::Open, Some(attempt)) => {
                let scheduled = schedule.next(last, began).unwrap_or(attempt);
                Some(attempt.min(scheduled.max(began)))
            }
            _ => by_clock,
        };
        connection.record_next(due)?;
        self.observer.waits(circuit, due);
        let mut waiting_since: Option<Timestamp> = None;
        loop {
            if self.stop.is_given() {
                return Ok(Wake::Stop);
            }
            let now = self.clock.now();
            if due.is_some_and(|due| due <= now) {
                return Ok(Wake::Due);
            }
            if self.loader.fingerprint() != seen {
                return Ok(Wake::Changed);
            }
            if let Schedule::Streaming { bytes, age } = schedule
                && due.is_none()
            {
                let waiting = connection.waiting_bytes()?;
                if waiting == 0 {
                    waiting_since = None;
                } else {
                    let since = *waiting_since.get_or_insert(now);
                    let aged = now.duration_since(since)
                        >= SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
                    if waiting >= bytes || aged {
                        return Ok(Wake::Due);
                    }
                }
            }
            let left = due.map_or(LOOK_EVERY, |due| {
                Duration::try_from(due.duration_since(now)).unwrap_or(Duration::ZERO).min(LOOK_EVERY)
            });
            tokio::select! {
                () = self.clock.sleep(left) => {}
                () = self.stop.given() => return Ok(Wake::Stop),
            }
        }
    }
}

/// Why `run` cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The configuration cannot be used.
    #[error("{0}")]
    Load(String),
    /// Another `run` works for the same connection.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The state cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl RunError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Load(_) => "correct the configuration and start again",
            Self::Lease(error) => error.help(),
            Self::State(error) => error.help(),
        }
    }
}
