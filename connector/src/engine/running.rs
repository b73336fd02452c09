//! What running needs of a connection: pause and resume, its schedule, what waits, and the record of runs.

use bucketproof_clock::{Clock, Entropy};
use jiff::Timestamp;

use super::{Connection, destination};
use crate::config::Config;
use crate::profile::{Dataset, Mode, VendorProfile};
use crate::schedule::Schedule;
use crate::source;
use crate::state::{Circuit, GapReason, LastRun, State, StateError};
use crate::steps::Unwatched;

/// Pauses the connection that `config` describes; works beside a running `run` or `sync`, which stops after the
/// batch it is at. Returns since when it is paused.
pub fn pause(
    config: &Config,
    profile: &VendorProfile,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<String, StateError> {
    open(config, profile, entropy)?.pause(clock.now())
}

/// Ends the pause of the connection that `config` describes. Returns since when it was paused; `None` if it was not.
/// The next sync exports everything that the sources got in between.
pub fn resume(
    config: &Config,
    profile: &VendorProfile,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<Option<String>, StateError> {
    open(config, profile, entropy)?.resume(clock.now(), GapReason::Paused)
}

fn open(config: &Config, profile: &VendorProfile, entropy: &Entropy) -> Result<State, StateError> {
    let destination = destination(config, profile);
    if let Some(state) = State::open_beside(&config.state_dir, &destination)? {
        return Ok(state);
    }
    State::open(&config.state_dir, &destination, entropy, std::sync::Arc::new(Unwatched))
}

impl Connection {
    /// When the connection runs: as the configuration says, else as the vendor does.
    pub fn schedule(&self) -> Schedule {
        self.config.schedule.unwrap_or_else(|| Schedule::of(self.profile.cadence()))
    }

    /// Makes the state if there is none.
    pub(crate) fn prepare_state(&self) -> Result<(), StateError> {
        let state = self.beside()?;
        if state.fact("enabled_since")?.is_none() {
            state.set_fact("enabled_since", &self.clock.now().to_string())?;
        }
        Ok(())
    }

    /// Bytes that wait in the files of selected datasets; what tables have is not known before they are asked.
    pub(crate) fn waiting_bytes(&self) -> Result<u64, StateError> {
        let state = self.beside()?;
        let mut bytes = 0_u64;
        for source in &self.config.sources {
            for (path, _) in source::files(&source.place).unwrap_or_default() {
                let path = path.display().to_string();
                bytes = bytes.saturating_add(match state.known_source(&source.dataset, &path)? {
                    Some(record) => {
                        let mode = self.profile.dataset(&source.dataset).map_or(Mode::Append, Dataset::mode);
                        source::waiting_bytes(&record, mode)
                    }
                    None => std::fs::metadata(&path).map_or(0, |file| file.len()),
                });
            }
        }
        Ok(bytes)
    }

    /// When the last run by schedule began.
    pub(crate) fn last_run_started(&self) -> Result<Option<Timestamp>, StateError> {
        let state = self.beside()?;
        let last = state.fact("last_tick")?;
        Ok(last.and_then(|at| at.parse().ok()))
    }

    pub(crate) fn record_run(&self, run: &LastRun, circuit: &Circuit) -> Result<(), StateError> {
        let state = self.beside()?;
        state.set_fact("last_tick", &run.started_at)?;
        state.set_last_run(run)?;
        state.set_circuit(circuit)
    }

    pub(crate) fn record_tick(&self, now: Timestamp) -> Result<(), StateError> {
        self.beside()?.set_fact("last_tick", &now.to_string())
    }

    pub(crate) fn record_next(&self, next: Option<Timestamp>) -> Result<(), StateError> {
        self.beside()?.set_next_run(next)
    }

    fn beside(&self) -> Result<State, StateError> {
        open(&self.config, &self.profile, &self.entropy)
    }
}
