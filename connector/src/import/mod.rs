//! The other direction: files from a customer's bucket into tables, and a truthful report of every row.
//!
//! Files are found by listing and by signed messages of SNS, read once per version, checked exactly, and stored with their status in one transaction.
//! Reports are written at least once, never overwritten and never read back: the owner of the bucket grants reading of
//! the data and writing of the reports, no more.

mod calls;
mod catalogue;
mod cells;
mod check;
mod codec;
mod config;
mod connections;
mod discover;
mod doctor;
mod documents;
mod endpoint_config;
mod engine;
mod entries;
mod event;
mod goal;
mod inbox;
mod json;
mod lzo;
mod lzo_pages;
mod memory;
mod metrics;
mod profile;
mod queue;
mod report;
mod rows;
mod schema;
mod sns;
mod status_form;
mod steps;
mod store;
mod target_config;

pub use catalogue::{
    Catalogue, CatalogueConfig, CatalogueConnection, CatalogueError, CatalogueFormat, CatalogueProfile,
    CsvDialect, Partition, PartitionType, TableOutcome, TableView,
};
pub use check::check_file;
pub use config::{ImportConfig, InboundConnection};
pub use connections::ConnectionView;
pub use doctor::{TopicDocuments, examine_import};
pub use documents::DocumentsError;
pub use endpoint_config::{EndpointConfig, StandIn};
pub use engine::{ImportError, ImportSummary, Importer};
pub use goal::{Reporting, ReportingState};
pub use inbox::{Access, Inbox, Subscription};
pub use memory::{FileCounts, TargetError};
pub use metrics::ImportMetrics;
pub use profile::{
    ImportCodes, ImportColumn, ImportGrant, ImportProfile, ImportRule, ImportType, StatusForm,
};
pub use queue::{AnnouncementQueue, QueueError, QueuedMessage};
pub use report::{FileStatus, ReportError, StatusEntry, StatusReport, StatusSummary};
pub use sns::{Endpoint, EndpointError, Refusal};
pub use status_form::{DetailsKey, FileName, GoneFiles, StatusChoices};
pub use steps::{ImportStep, ImportSteps};
pub use store::{FileRef, FoundFile, FoundPage, InboundStore, NewOutcome};
pub use target_config::{ServerPlace, TargetConfig};
