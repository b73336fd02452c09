//! An S3 endpoint that says no where AWS says no, and tells why.
//!
//! A connector that was only ever tested against an endpoint which allows everything fails at the customer's bucket:
//! a missing permission, a wrong external id, a 403 where it expected a 404. This emulator runs inside the test
//! process, or behind a socket for any SDK, and has no mode without authorization: each request is authenticated on
//! the emulator's own clock and decided by [`bucketproof_authz`] under the policies that the scenario declares.
//!
//! - [`Emulator`] starts one in well under a millisecond; one per test is normal.
//! - [`Scenario`] declares accounts, users, roles, policies and buckets.
//! - [`Journal`] records every request with its decisions, and [`RecordedDecision::explain`] tells why.
//! - [`Fault`] makes the endpoint or the wire go wrong on purpose.
//!
//! What is not supported is refused by name (`NotImplemented`), never approximated.

mod actor;
mod addressing;
mod admin;
mod authenticate;
mod authorize;
mod control;
mod data_dir;
mod delivery;
mod emulator;
mod error;
mod exchange;
mod fault;
mod front;
mod head;
mod iam;
mod ids;
mod instant;
mod journal;
mod kms;
mod listener;
mod operation;
mod pipeline;
#[cfg(feature = "cli")]
mod policy_tools;
mod query;
mod s3;
mod scenario;
mod service;
mod sns;
mod sqs;
mod state;
mod sts;
mod tls;
mod transport;
mod wire_body;
mod xml;

#[cfg(feature = "cli")]
pub mod cli;

pub use actor::Actor;
pub use admin::{AdminToken, AdminTokenError};
pub use control::{RestoreError, Snapshot};
pub use data_dir::DataDirError;
pub use emulator::{Builder, Emulator, StartError};
pub use fault::{AnswerLost, Fault, FaultGuard};
pub use journal::{Decisions, Entry, Headers, Journal, RecordedDecision, Requests};
pub use operation::{Op, UnknownOp};
pub use scenario::{Scenario, ScenarioError};
pub use tls::{Tls, TlsError};

/// The examples of the guide for tests in Rust, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/rust-tests.md")]
struct Guide;

/// The example of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
