//! The emulator from outside: through the AWS SDK in memory, as bytes over a socket, and as a program.
//!
//! One program holds all areas, because each would have to link the SDK anew.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod archive;
#[cfg(test)]
mod assertions;
#[cfg(test)]
mod authentication;
#[cfg(test)]
mod bucket_events;
#[cfg(test)]
mod buckets;
#[cfg(test)]
mod checksums;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod conditions;
#[cfg(test)]
mod copies;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod data_dir;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod display_names;
#[cfg(test)]
mod encrypted_messages;
#[cfg(test)]
mod encryption;
#[cfg(test)]
mod event_faults;
#[cfg(test)]
mod event_kinds;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod fault_matrix;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod iam;
#[cfg(test)]
mod iam_policies;
#[cfg(test)]
mod iam_recorded;
#[cfg(test)]
mod iam_roles;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod kms;
#[cfg(test)]
mod kms_access;
#[cfg(test)]
mod kms_grants;
#[cfg(test)]
mod kms_objects;
#[cfg(test)]
mod kms_recorded;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
#[cfg(feature = "cli")]
mod lint;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod missing_keys;
#[cfg(test)]
mod model;
#[cfg(test)]
mod multipart;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod object_lock;
#[cfg(test)]
mod objects;
#[cfg(test)]
#[cfg(feature = "cli")]
mod policy_tools;
#[cfg(test)]
#[cfg(feature = "cli")]
mod program;
#[cfg(test)]
mod query;
#[cfg(test)]
mod races;
#[cfg(test)]
mod recorded_errors;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod situations;
#[cfg(test)]
mod sns;
#[cfg(test)]
mod sns_recorded;
#[cfg(test)]
mod sqs;
#[cfg(test)]
mod sts;
#[cfg(test)]
mod sts_sessions;
#[cfg(test)]
mod tagging;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod versions_recorded;
#[cfg(test)]
mod website;
#[cfg(test)]
mod why;
#[cfg(test)]
mod wire;
