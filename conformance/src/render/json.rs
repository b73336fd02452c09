//! The contract form.

use crate::report::Report;

/// The report as pretty-printed JSON, ended by a line feed; the schema is named in its first field.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}
