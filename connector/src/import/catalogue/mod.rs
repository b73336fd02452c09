//! Tables that lie in a customer's bucket: a folder each, in folders of partitions or not, as Parquet or CSV.
//!
//! What is stored is what lies there: a file that was replaced replaces its rows, one that is gone takes them along.

mod book;
mod config;
mod engine;
mod profile;
mod read;
mod tree;

pub use config::{CatalogueConfig, CatalogueConnection, CsvDialect};
pub use engine::{Catalogue, CatalogueError, TableOutcome};
pub use profile::{CatalogueFormat, CatalogueProfile};
pub use tree::{Partition, PartitionType, TableView};
