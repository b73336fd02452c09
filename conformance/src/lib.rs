//! The suite that proves an S3 endpoint and a connector, each check with its source.
//!
//! An emulator that nobody checks drifts from what it emulates, and a suite that cannot fail proves nothing. So a
//! check here is data before it is code: what it demands ([`check::Check::title`]), who says so
//! ([`check::Source`]), what it needs, and the change that must make it fail ([`falsifier::Falsifier`]).
//!
//! One direction: [`inventory::Inventory`] -> [`selection::select`] -> [`runner::run`] -> [`runner::Event`] ->
//! [`report::Report`] -> [`render`]. The renderers know the report and nothing else; the report knows nothing of how
//! the checks were run. Unknown is never passed: a check that did not run names the capability that was missing, and
//! a run that concluded nothing has an exit status of its own ([`exit::ExitStatus`]).

pub mod baseline;
mod cast;
pub mod check;
mod checks;
pub mod cli;
pub mod connector_command;
pub mod context;
pub mod exit;
pub mod falsifier;
pub mod inventory;
pub mod outcome;
pub mod render;
pub mod report;
pub mod runner;
pub mod selection;
mod stage;
pub mod step;
pub mod target;
pub mod verify;
mod wire;

#[cfg(test)]
mod sample;
