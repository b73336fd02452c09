//! A production S3 export and import engine in which vendors are data.
//!
//! Why: a vendor's export connector is tested against buckets that allow everything, and then meets a customer's
//! bucket that allows three actions. This engine runs with exactly the policy its vendor documents, survives a crash
//! at any point without losing or doubling a row, and says in words what a refusal means.
//!
//! How: rows flow from a [`config::SourceConfig`] through [`rows`] (validated, as Arrow columns) and [`merge`]
//! (latest version per key) into one Parquet object per dataset and hour ([`parquet_file`]), which is replaced by
//! compare-and-swap through a [`store::Store`]. Layout, columns, keys and messages come from a
//! [`profile::VendorProfile`]. [`engine::Connection`] ties them together:
//!
//! ```
//! use std::sync::Arc;
//! use bucketproof_clock::{Clock, Entropy};
//! use bucketproof_connector::config::Config;
//! use bucketproof_connector::engine::Connection;
//! use bucketproof_connector::store::MemoryStore;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # let directory = tempfile::tempdir()?;
//! std::fs::write(directory.path().join("requests.ndjson"), concat!(
//!     r#"{"api_type":"event","api_name":"signup","tenant_id":"acme","idempotency_key":"k-1","#,
//!     r#""created_at":"2025-01-15T14:05:00Z","updated_at":"2025-01-15T14:05:01Z","status":"completed"}"#, "\n",
//! ))?;
//! let config = Config::parse(r#"
//!     profile = "suprsend_s3_v2"
//!     enabled = true
//!     datasets = ["requests"]
//!     [bucket]
//!     name = "notification-logs"
//!     region = "eu-central-1"
//!     [auth]
//!     mode = "static_keys"
//!     access_key_id = { env = "EXPORT_KEY_ID" }
//!     secret_access_key = { env = "EXPORT_SECRET" }
//!     [state]
//!     dir = "state"
//!     [[source]]
//!     dataset = "requests"
//!     path = "requests.ndjson"
//! "#, directory.path().join("connector.toml").to_str().unwrap())?;
//! let store = Arc::new(MemoryStore::new(config.bucket.name.clone()));
//! let profile = config.load_profile()?;
//! let connection = Connection::new(config, profile, store.clone(), Clock::system(), Entropy::machine())?;
//! let report = runtime.block_on(connection.sync())?;
//! assert_eq!(report.datasets[0].rows_written, 1);
//! assert_eq!(
//!     store.objects().keys().next().unwrap().as_str(),
//!     "year=2025/month=01/day=15/hour=14/requests.parquet",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod column_chunk;
mod column_encoding;
mod column_view;
pub mod config;
pub mod content;
pub mod credentials;
mod csv_file;
pub mod datetime;
pub mod ddl;
pub mod dead_letter;
pub mod doctor;
mod document;
pub mod engine;
mod exposition;
pub mod guide;
pub mod import;
pub mod install;
mod json_lines;
mod lock_file;
pub mod merge;
pub mod metrics;
pub mod names;
pub mod object_file;
pub mod parquet_file;
pub mod policy;
pub mod profile;
pub mod report;
pub mod row_rules;
pub mod rows;
pub mod runner;
pub mod schedule;
pub mod secret;
mod serving;
pub mod source;
pub mod splice;
mod state;
pub mod steps;
pub mod store;
mod text_cells;
mod text_parts;
pub mod verify_layout;

#[cfg(feature = "cli")]
pub mod cli;

pub use document::DocumentError;
pub use serving::TlsError;
pub use state::{Circuit, CircuitState, Gap, GapReason, IntentMode, LastRun, RunFailure, StateError};
