//! The other direction: files from a customer's bucket into tables, and a truthful report of every row.
//!
//! Files are found by listing, read once per version, checked exactly, and stored with their status in one transaction.
//! Reports are written at least once, never overwritten and never read back: the owner of the bucket grants reading of
//! the data and writing of the reports, no more.

mod codec;
mod config;
mod engine;
mod entries;
mod lzo;
mod memory;
mod profile;
mod report;
mod rows;
mod schema;
mod store;

pub use config::{ImportConfig, InboundConnection};
pub use engine::{ImportError, ImportSummary, Importer};
pub use memory::FileCounts;
pub use profile::{
    ImportCodes, ImportColumn, ImportGrant, ImportProfile, ImportRule, ImportType, StatusForm,
};
pub use report::{FileStatus, ReportError, StatusEntry, StatusReport, StatusSummary};
pub use store::{FoundFile, FoundPage, InboundStore, NewOutcome};
