//! The contract form.

use serde_json::Value;

use crate::report::Report;

/// The JSON Schema of the report, as it is published in `conformance/report.schema.json`.
const JSON_SCHEMA: &str = include_str!("../../report.schema.json");

/// The report as pretty-printed JSON, ended by a line feed; the schema is named in its first field.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}

/// The JSON Schema that every report of this version obeys.
pub fn json_schema() -> Result<Value, serde_json::Error> {
    serde_json::from_str(JSON_SCHEMA)
}
