//! What stands behind an emulator: its state and clock, and the ways to start it over, keep it and copy it.

use std::fmt;
use std::sync::Arc;

use bucketproof_clock::{Clock, Entropy};
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::admin::Worlds;
use crate::delivery::Deliveries;
use crate::exchange::Ground;
use crate::fault::Faults;
use crate::journal::Journal;
use crate::pipeline::Network;
use crate::scenario::{self, Scenario, ScenarioError};
use crate::state::World;

/// The whole state of an emulator at one moment; keeping one copies no object.
#[derive(Clone)]
pub struct Snapshot {
    world: Arc<World>,
    entropy: Entropy,
    taken_at: Timestamp,
}

impl Snapshot {
    /// What the emulator's clock showed.
    pub fn taken_at(&self) -> Timestamp {
        self.taken_at
    }
}

/// Shows when it was taken; not what it holds, which may be large or secret.
impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("taken_at", &self.taken_at).finish_non_exhaustive()
    }
}

/// A state that was not put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// What is on disk would not follow.
    #[error(
        "an emulator with a data directory cannot go back: what is on disk would not follow; use one without"
    )]
    Kept,
}

/// The parts of an emulator that requests, tests and the admin API share.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    pub(crate) ground: Ground,
    pub(crate) entropy: Entropy,
    pub(crate) journal: Journal,
    pub(crate) network: Network,
    /// What callers of the admin API have asked to be kept.
    pub(crate) worlds: Arc<Worlds>,
    /// The state that [`Control::reset`] goes back to.
    start: Arc<Mutex<Snapshot>>,
}

impl Control {
    pub(crate) fn new(ground: Ground, entropy: Entropy, network: Network, journal: Journal) -> Self {
        let start = Arc::new(Mutex::new(take(&ground, &entropy)));
        Self { ground, entropy, journal, network, worlds: Arc::default(), start }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.ground.clock
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        take(&self.ground, &self.entropy)
    }

    /// Puts a state back, with its time if the clock stands and with the ids that were to come then.
    pub(crate) fn restore(&self, snapshot: &Snapshot) -> Result<(), RestoreError> {
        if self.ground.data_dir.is_some() {
            return Err(RestoreError::Kept);
        }
        let mut world = self.ground.world.lock();
        self.entropy.follow(&snapshot.entropy);
        *world = snapshot.world.fork(self.entropy.clone());
        if self.ground.clock.is_manual() {
            self.ground.clock.set(snapshot.taken_at);
        }
        Ok(())
    }

    /// Begins again: the state of the start, an empty journal, no faults but those of the scenario.
    pub(crate) fn reset(&self) -> Result<(), RestoreError> {
        let start = self.start.lock().clone();
        self.restore(&start)?;
        self.journal.clear();
        self.ground.deliveries.clear();
        self.ground.faults.reset();
        Ok(())
    }

    /// Begins anew with another scenario, at the time that it is; a reset comes back to this.
    ///
    /// The outer error is the scenario's, the inner one that of an emulator that cannot go back.
    pub(crate) fn replace(&self, scenario: &Scenario) -> Result<Result<(), RestoreError>, ScenarioError> {
        if self.ground.data_dir.is_some() {
            return Ok(Err(RestoreError::Kept));
        }
        let faults = scenario::faults(scenario)?;
        let mut fresh = scenario::build(scenario, self.entropy.clone(), self.clock().now())?;
        {
            let mut world = self.ground.world.lock();
            fresh.lifecycle = world.lifecycle.anew();
            *world = fresh;
        }
        *self.start.lock() = self.snapshot();
        self.journal.clear();
        self.ground.deliveries.clear();
        self.ground.faults.give(faults);
        Ok(Ok(()))
    }

    /// A copy that goes its own way: same state, same time, same ids to come; an empty journal and no faults.
    pub(crate) fn fork(&self) -> Self {
        let entropy = self.entropy.fork();
        let world = self.ground.world.lock().fork(entropy.clone());
        let ground = Ground {
            world: Arc::new(Mutex::new(world)),
            data_dir: None,
            clock: self.ground.clock.fork(),
            faults: Faults::new(self.ground.faults.seed()),
            wake: Arc::default(),
            certificates: self.ground.certificates.clone(),
            base_url: Arc::default(),
            deliveries: Deliveries::default(),
        };
        Self::new(ground, entropy, self.network.clone(), self.journal.anew())
    }
}

fn take(ground: &Ground, entropy: &Entropy) -> Snapshot {
    let world = ground.world.lock();
    let entropy = entropy.fork();
    Snapshot { world: Arc::new(world.fork(entropy.clone())), entropy, taken_at: ground.clock.now() }
}
