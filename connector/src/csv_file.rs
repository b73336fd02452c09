//! Rows as CSV by RFC 4180: a header row always, commas, one line feed per line, UTF-8 without a byte order mark.
//!
//! A field is quoted only where it must be. Null is an empty field and the empty text is `""`, so that the two stay
//! apart. Lists and JSON are their JSON text.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use crate::datetime::Fraction;
use crate::json_lines::write_value;
use crate::profile::Dataset;
use crate::text_cells::{Cells, Field};
use crate::text_parts::{TextError, TextParts, equal};

/// Writes the file.
pub(crate) fn write(
    sink: &mut dyn Write,
    dataset: &Dataset,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<(), TextError> {
    let mut text = TextParts::new(sink);
    for (at, column) in dataset.columns().iter().enumerate() {
        if at > 0 {
            text.push_byte(b',');
        }
        push_field(&mut text, column.name.as_bytes());
    }
    text.push_byte(b'\n');
    let mut numbers = itoa::Buffer::new();
    let mut json = Vec::new();
    // Without a way out: so many bytes are looked at together.
    let special = |byte: u8| {
        u8::from(byte == b',') | u8::from(byte == b'"') | u8::from(byte == b'\n') | u8::from(byte == b'\r')
    };
    for batch in batches {
        let batch = batch?;
        let mut fields = Field::all(dataset, &batch, special, Fraction::Micros).ok_or(TextError::Schema)?;
        for row in 0..batch.num_rows() {
            for (at, field) in fields.iter_mut().enumerate() {
                if at > 0 {
                    text.push_byte(b',');
                }
                if field.is_null(row) {
                    continue;
                }
                match &mut field.cells {
                    Cells::Text(texts) if texts.is_plain => match texts.place(row) {
                        (_, _, 0) => text.push(br#""""#),
                        (bytes, start, length) => text.push_from(bytes, start, length),
                    },
                    Cells::Text(texts) => push_field(&mut text, texts.text(row)),
                    Cells::Instants(instants, writer) => {
                        let micros = instants.get(row).ok_or(TextError::Schema)?;
                        let (shown, length) = writer.text(*micros).ok_or(TextError::Schema)?;
                        text.push_step(&shown, length);
                    }
                    Cells::Millis(instants) => {
                        let micros = instants.get(row).ok_or(TextError::Schema)?;
                        text.push(numbers.format(micros.div_euclid(1_000)).as_bytes());
                    }
                    Cells::Numbers(values) => {
                        let value = values.get(row).ok_or(TextError::Schema)?;
                        text.push(numbers.format(*value).as_bytes());
                    }
                    Cells::Truths(values) => {
                        text.push(if values.value(row) { b"true" } else { b"false" });
                    }
                    Cells::Nested => {
                        json.clear();
                        write_value(&mut json, &field.view, field.column, row).ok_or(TextError::Schema)?;
                        push_field(&mut text, &json);
                    }
                }
            }
            text.push_byte(b'\n');
        }
        text.check()?;
    }
    text.finish()
}

fn push_field(text: &mut TextParts<'_>, value: &[u8]) {
    if !value.is_empty() && !needs_quotes(value) {
        text.push(value);
        return;
    }
    text.push_byte(b'"');
    text.push_doubling_quotes(value);
    text.push_byte(b'"');
}

/// Whether a value holds a byte that means something in CSV. JSON mostly does within its first eight bytes.
#[inline]
fn needs_quotes(value: &[u8]) -> bool {
    let (words, rest) = value.as_chunks::<8>();
    let special =
        |word: u64| (equal(word, b',') | equal(word, b'"') | equal(word, b'\n') | equal(word, b'\r')) != 0;
    words.iter().any(|word| special(u64::from_le_bytes(*word)))
        || rest.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
}
