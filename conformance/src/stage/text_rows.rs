//! What a reader of an exported text sees: lines of JSON or CSV, packed or not.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

/// More than this does not come out of one object.
const UNPACKED_BYTES_MAX: u64 = 4 << 30;
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];

/// An object read as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextTable {
    /// The names of a header, where the format has one.
    pub(crate) header: Option<Vec<String>>,
    /// Rows with their members in the order of the text; values of CSV are texts or null.
    pub(crate) rows: Vec<Map<String, Value>>,
    /// Whether it was packed with gzip.
    pub(crate) is_packed: bool,
}

/// Why an object is no such text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TextError {
    #[error("the gzip stream is broken: {0}")]
    Packed(std::io::Error),
    #[error("it unpacks to more than {UNPACKED_BYTES_MAX} bytes")]
    TooLarge,
    #[error("it is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    #[error("line {line} is no JSON object: {message}")]
    Line { line: usize, message: String },
    #[error("the last line has no end")]
    NoLineEnd,
    #[error("there is no header")]
    NoHeader,
    #[error("record {record} has {found} fields, the header {expected}")]
    Fields { record: usize, found: usize, expected: usize },
    #[error("record {record}: {message}")]
    Quotes { record: usize, message: &'static str },
}

/// The text of an object, and whether it was packed.
fn unpacked(body: &[u8]) -> Result<(String, bool), TextError> {
    let is_packed = body.starts_with(&GZIP_MAGIC);
    let mut bytes = Vec::new();
    if is_packed {
        let read = MultiGzDecoder::new(body).take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut bytes);
        if read.map_err(TextError::Packed)? as u64 > UNPACKED_BYTES_MAX {
            return Err(TextError::TooLarge);
        }
    } else {
        bytes.extend_from_slice(body);
    }
    let text =
        String::from_utf8(bytes).map_err(|error| TextError::NotUtf8(error.utf8_error().valid_up_to()))?;
    Ok((text, is_packed))
}

/// The text of an object, unpacked if it is packed.
pub(crate) fn unpacked_text(body: &[u8]) -> Result<String, TextError> {
    unpacked(body).map(|(text, _)| text)
}

/// Reads an object of one JSON object a line.
pub(crate) fn read_json_lines(body: &[u8]) -> Result<TextTable, TextError> {
    let (text, is_packed) = unpacked(body)?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(TextError::NoLineEnd);
    }
    let row = |(at, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|error| TextError::Line { line: at + 1, message: error.to_string() })
    };
    let rows = text.lines().enumerate().map(row).collect::<Result<_, _>>()?;
    Ok(TextTable { header: None, rows, is_packed })
}

/// Reads an object of comma-separated values with a header, as RFC 4180 has them; a field without quotes that is empty
/// is null.
pub(crate) fn read_csv(body: &[u8]) -> Result<TextTable, TextError> {
    let (text, is_packed) = unpacked(body)?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(TextError::NoLineEnd);
    }
    let mut records = records(&text)?.into_iter();
    let header: Vec<String> =
        records.next().ok_or(TextError::NoHeader)?.into_iter().map(Option::unwrap_or_default).collect();
    let mut rows = Vec::new();
    for (at, record) in records.enumerate() {
        if record.len() != header.len() {
            return Err(TextError::Fields { record: at + 1, found: record.len(), expected: header.len() });
        }
        rows.push(header.iter().cloned().zip(record.into_iter().map(Value::from)).collect());
    }
    Ok(TextTable { header: Some(header), rows, is_packed })
}

/// A field: null is nothing at all, the empty text stands in quotes.
type Field = Option<String>;

fn records(text: &str) -> Result<Vec<Vec<Field>>, TextError> {
    let (mut records, mut record) = (Vec::new(), Vec::new());
    let mut rest = text.chars().peekable();
    while rest.peek().is_some() {
        let wrong = |message| TextError::Quotes { record: records.len(), message };
        let mut field: Field = None;
        if rest.next_if_eq(&'"').is_some() {
            let mut value = String::new();
            loop {
                match rest.next() {
                    None => return Err(wrong("a quote is not closed")),
                    Some('"') if rest.next_if_eq(&'"').is_some() => value.push('"'),
                    Some('"') => break,
                    Some(other) => value.push(other),
                }
            }
            field = Some(value);
        } else {
            while let Some(next) = rest.next_if(|next| !matches!(next, ',' | '\n' | '\r')) {
                if next == '"' {
                    return Err(wrong("a quote stands within a field that is not quoted"));
                }
                field.get_or_insert_default().push(next);
            }
        }
        let end = match rest.next() {
            Some('\r') if rest.peek() == Some(&'\n') => rest.next(),
            end => end,
        };
        match end {
            Some(',') => record.push(field),
            Some('\n') | None => {
                record.push(field);
                records.push(std::mem::take(&mut record));
            }
            Some(_) => return Err(wrong("something stands behind a closing quote")),
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests;
