//! What an import would say of a file, without importing it.

use std::fs::File;

use jiff::Timestamp;

use super::codec::UnwrapError;
use super::config::{ImportConfig, InboundConnection};
use super::engine::unwrapped;
use super::entries::{Entries, Entry, Finding};
use super::report::StatusEntry;
use super::rows::RowReader;

/// The entries that a report would have of a file of that connection; nothing is stored.
///
/// `created` is when the file was made, which entries repeat; an error is one of this machine.
pub fn check_file(
    mut file: File,
    config: &ImportConfig,
    connection: &InboundConnection,
    created: Timestamp,
    now: Timestamp,
) -> std::io::Result<Vec<StatusEntry>> {
    let bytes = file.metadata()?.len();
    let entries = match unwrapped(&mut file, bytes, config.unpacked_bytes_max) {
        Ok(plain) => checked(plain, config, connection, now),
        Err(UnwrapError::File(detail)) => Err(detail),
        Err(UnwrapError::Machine(error)) => return Err(error),
    };
    let entries = entries.unwrap_or_else(|detail| {
        Entries::of_file(Finding { code: config.profile.codes.schema.clone(), detail })
    });
    Ok(entries.iter().map(|entry| StatusEntry::new(created.as_millisecond(), entry)).collect())
}

fn checked(
    plain: File,
    config: &ImportConfig,
    connection: &InboundConnection,
    now: Timestamp,
) -> Result<Vec<Entry>, String> {
    let mut reader = RowReader::open(plain, config, &connection.environments, now)?;
    let mut entries = Entries::default();
    while let Some(rows) = reader.next_rows() {
        let rows = rows?;
        entries.add(rows.stored.len(), rows.wrong);
    }
    Ok(entries.into_list())
}
