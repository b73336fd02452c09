//! NDJSON lines to Arrow columns.
//!
//! Each line is walked once: field values stay slices of the input until they enter a column builder, and JSON
//! columns keep their source text. A line that breaks the schema becomes a dead letter and leaves no trace in the
//! columns. Blank lines are no rows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use sonic_rs::LazyValue;

use crate::datetime::parse_micros;
use crate::dead_letter::{DeadLetter, RowProblem};
use crate::profile::{Column, ColumnType, Dataset};

mod builder;
mod quick;

use builder::Builder;
use quick::{Pattern, Scanner, Token};

/// Levels of nesting that a row may have. Parsers recurse; a hostile row must not end the process.
pub const NESTING_DEPTH_MAX: usize = 128;

/// Microseconds of 9999-12-30T22:00:00Z, where the calendar library ends.
const MICROS_END: i64 = 253_402_207_200_000_000;

/// Where lines come from, for dead letters.
#[derive(Clone, Copy, Debug)]
pub struct LinesOrigin<'a> {
    /// Path of the source.
    pub source: &'a str,
    /// Lines before the first one given.
    pub lines_before: u64,
    /// Bytes before the first one given.
    pub bytes_before: u64,
}

/// Rows as columns, and what could not become one.
#[derive(Debug)]
pub struct DecodedRows {
    /// Valid rows in the order of the input.
    pub batch: RecordBatch,
    /// The line of each valid row, from 1.
    pub row_lines: Vec<u64>,
    /// Invalid rows in the order of the input.
    pub dead_letters: Vec<DeadLetter>,
}

impl DecodedRows {
    /// Valid and invalid rows together.
    pub fn rows_read(&self) -> u64 {
        self.batch.num_rows() as u64 + self.dead_letters.len() as u64
    }
}

/// Decodes complete NDJSON lines of `dataset`. Fails only if a column grows beyond 2 GiB.
pub fn decode_ndjson(
    dataset: &Dataset,
    lines: &[u8],
    origin: LinesOrigin<'_>,
) -> Result<DecodedRows, ArrowError> {
    let mut decoder = Decoder::new(dataset, lines.len());
    let mut cells: Vec<Cell<'_>> = Vec::with_capacity(dataset.columns().len());
    let mut dead_letters = Vec::new();
    let mut row_lines = Vec::new();
    let mut start = 0;
    let line_ends = memchr::memchr_iter(b'\n', lines).chain(std::iter::once(lines.len()));
    for (end, line_number) in line_ends.zip(origin.lines_before.saturating_add(1)..) {
        let line = lines.get(start..end).unwrap_or_default();
        let offset = start;
        start = end + 1;
        let row = line.trim_ascii();
        if row.is_empty() {
            continue;
        }
        if let Err(problem) = decoder.line(row, &mut cells) {
            dead_letters.push(DeadLetter {
                source: origin.source.to_owned(),
                line: line_number,
                byte_offset: origin.bytes_before + offset as u64,
                problem,
                raw: line.strip_suffix(b"\r").unwrap_or(line).to_vec(),
            });
        } else {
            row_lines.push(line_number);
        }
    }
    Ok(DecodedRows { batch: decoder.finish()?, row_lines, dead_letters })
}

/// A checked value, not yet in a column.
#[derive(Debug, PartialEq, Eq)]
enum Cell<'a> {
    Absent,
    Null,
    Text(Cow<'a, str>),
    Number(i64),
    Truth(bool),
    List(Vec<Cow<'a, str>>),
    Numbers(Vec<i64>),
    Struct(Vec<Self>),
    Structs(Vec<Vec<Self>>),
}

impl Cell<'_> {
    fn is_null(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }
}

struct Decoder<'d> {
    dataset: &'d Dataset,
    positions: BTreeMap<&'d str, usize>,
    patterns: Vec<Pattern>,
    builders: Vec<Builder>,
}

impl<'d> Decoder<'d> {
    fn new(dataset: &'d Dataset, input_bytes: usize) -> Self {
        let columns = dataset.columns();
        let rows = input_bytes / 1024 + 1;
        let builders = columns.iter().map(|column| Builder::new(column, rows)).collect();
        let positions = columns.iter().enumerate().map(|(at, column)| (column.name.as_str(), at)).collect();
        let patterns = columns.iter().map(|column| Pattern::new(&column.name)).collect();
        Self { dataset, positions, patterns, builders }
    }

    /// Checks one line whole before any of it enters a column.
    fn line<'a>(&mut self, line: &'a [u8], cells: &mut Vec<Cell<'a>>) -> Result<(), RowProblem> {
        if self.walk_quickly(line, cells).is_none() {
            self.walk(line, cells)?;
        }
        self.check_row(cells)?;
        for (builder, cell) in self.builders.iter_mut().zip(cells.drain(..)) {
            builder.append(cell);
        }
        Ok(())
    }

    /// The cells of a line that is written as usual. `None` leaves the line, good or bad, to the plain walk.
    fn walk_quickly<'a>(&self, line: &'a [u8], cells: &mut Vec<Cell<'a>>) -> Option<()> {
        let columns = self.dataset.columns();
        let mut scanner = Scanner::new(line)?;
        cells.clear();
        cells.resize_with(columns.len(), || Cell::Absent);
        let mut expected = 0;
        loop {
            let likely = self.patterns.get(expected).is_some_and(|pattern| scanner.take_pattern(pattern));
            let at = if likely { expected } else { *self.positions.get(scanner.name()?)? };
            expected = at + 1;
            let (column, cell) = (columns.get(at)?, cells.get_mut(at)?);
            if !matches!(cell, Cell::Absent) {
                return None;
            }
            *cell = match (scanner.value()?, column.kind) {
                (Token::Null, _) => Cell::Null,
                (Token::Plain(text), ColumnType::String)
                    if column.values.is_none() && column.form.is_none() =>
                {
                    Cell::Text(Cow::Borrowed(text))
                }
                (Token::Plain(text), ColumnType::Datetime) => Cell::Number(parse_micros(text).ok()?),
                (Token::Plain(text), _) => check_value(column, scanner.quoted(text)?).ok()?,
                (Token::Raw(raw), _) => check_value(column, raw).ok()?,
            };
            if !scanner.more()? {
                return Some(());
            }
        }
    }

    /// The cells of any line, or what is wrong with it.
    fn walk<'a>(&self, line: &'a [u8], cells: &mut Vec<Cell<'a>>) -> Result<(), RowProblem> {
        let text =
            std::str::from_utf8(line).map_err(|error| RowProblem::NotUtf8 { at: error.valid_up_to() })?;
        if text.starts_with('\u{feff}') {
            return Err(RowProblem::NotAnObject { detail: "it begins with a byte order mark".to_owned() });
        }
        check_depth(line)?;
        cells.clear();
        cells.resize_with(self.builders.len(), || Cell::Absent);
        let mut expected = 0;
        let mut rest = text.strip_prefix('{');
        for entry in sonic_rs::to_object_iter(text) {
            let (name, value) = entry.map_err(|error| not_an_object(&error))?;
            // Producers write fields in one order; the next column is the likely one.
            let at = match self.dataset.columns().get(expected) {
                Some(column) if column.name == name => expected,
                _ => *self
                    .positions
                    .get(&*name)
                    .ok_or_else(|| RowProblem::UnknownField { column: name.to_string() })?,
            };
            expected = at + 1;
            let (Some(column), Some(cell)) = (self.dataset.columns().get(at), cells.get_mut(at)) else {
                continue;
            };
            if !matches!(cell, Cell::Absent) {
                return Err(RowProblem::DuplicateField { column: name.into_owned() });
            }
            let raw = raw_text(&value)?;
            rest = end_of(text, raw);
            *cell = check_value(column, raw)?;
        }
        // The walk ends at the closing brace; anything behind it makes the line something else.
        if rest.map(str::trim_ascii) != Some("}") {
            return Err(RowProblem::NotAnObject { detail: "there is text after the object".to_owned() });
        }
        Ok(())
    }

    fn check_row(&self, cells: &[Cell<'_>]) -> Result<(), RowProblem> {
        for (column, cell) in self.dataset.columns().iter().zip(cells) {
            if !column.nullable && cell.is_null() {
                return Err(RowProblem::Missing { column: column.name.clone() });
            }
        }
        let is_present = |at: &usize| cells.get(*at).is_some_and(|cell| !cell.is_null());
        let keys = self.dataset.key_positions();
        if keys.is_empty() || keys.iter().any(|key| key.present.iter().all(is_present)) {
            return Ok(());
        }
        let alternatives: Vec<String> =
            self.dataset.keys().iter().map(|key| format!("`{}`", key.present.join("` + `"))).collect();
        Err(RowProblem::NoKey { alternatives: alternatives.join(", ") })
    }

    fn finish(self) -> Result<RecordBatch, ArrowError> {
        let columns = self.dataset.columns().iter().zip(self.builders);
        let columns: Vec<ArrayRef> =
            columns.map(|(column, builder)| builder.finish(column)).collect::<Result<_, _>>()?;
        RecordBatch::try_new(self.dataset.schema(), columns)
    }
}

/// The value's source text, a slice of the line.
fn raw_text<'a>(value: &LazyValue<'a>) -> Result<&'a str, RowProblem> {
    match value.as_raw_cow() {
        Cow::Borrowed(raw) => Ok(raw),
        Cow::Owned(_) => {
            Err(RowProblem::NotAnObject { detail: "a value is not a slice of the line".to_owned() })
        }
    }
}

/// What of `text` lies behind `part`, which is a slice of it.
fn end_of<'a>(text: &'a str, part: &str) -> Option<&'a str> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    text.get(start + part.len()..)
}

fn not_an_object(error: &sonic_rs::Error) -> RowProblem {
    // The parser's message quotes the input over several lines; the letter carries the input already.
    // It counts within the row, whose own line the letter gives.
    let detail =
        error.to_string().lines().next().unwrap_or_default().replace(" at line 1 column ", " at column ");
    RowProblem::NotAnObject { detail }
}

/// Refuses lines that nest too deep, before a recursive parser sees them.
fn check_depth(line: &[u8]) -> Result<(), RowProblem> {
    let openers = line.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    if openers <= NESTING_DEPTH_MAX {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in line {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_DEPTH_MAX {
            return Err(RowProblem::TooDeep { max: NESTING_DEPTH_MAX });
        }
    }
    Ok(())
}

fn check_value<'a>(column: &Column, raw: &'a str) -> Result<Cell<'a>, RowProblem> {
    if raw == "null" {
        return Ok(Cell::Null);
    }
    let wrong =
        |expected, detail: String| RowProblem::WrongType { column: column.name.clone(), expected, detail };
    match column.kind {
        ColumnType::Json => Ok(Cell::Text(Cow::Borrowed(raw))),
        ColumnType::Object if raw.starts_with('{') => Ok(Cell::Text(Cow::Borrowed(raw))),
        ColumnType::Object => Err(wrong("an object", found(raw))),
        ColumnType::Millis => {
            let expected = "milliseconds since 1970 as a text of digits";
            let text = string(raw).map_err(|detail| wrong(expected, detail))?;
            millis(&text).map(Cell::Number).ok_or_else(|| wrong(expected, found(raw)))
        }
        ColumnType::Decimal => {
            let text = if raw.starts_with('"') { string(raw) } else { Ok(Cow::Borrowed(raw)) };
            match text {
                Ok(text) if is_decimal(&text) => Ok(Cell::Text(text)),
                _ => Err(wrong("a decimal number without an exponent", found(raw))),
            }
        }
        ColumnType::IntegerArray => numbers(column, raw),
        ColumnType::Struct => structure(column, raw, &column.name).map(Cell::Struct),
        ColumnType::StructArray => structures(column, raw),
        ColumnType::String => {
            let text = string(raw).map_err(|detail| wrong("a string", detail))?;
            if column.values.as_ref().is_some_and(|values| !values.iter().any(|value| *value == text)) {
                return Err(RowProblem::UnknownValue { column: column.name.clone(), value: shorten(&text) });
            }
            if let Some(form) = column.form.filter(|form| !form.accepts(&text)) {
                return Err(wrong(form.expected(), found(raw)));
            }
            Ok(Cell::Text(text))
        }
        ColumnType::Datetime => {
            let text = string(raw).map_err(|detail| wrong("a date and time", detail))?;
            let micros = parse_micros(&text)
                .map_err(|error| wrong("a date and time", format!("`{}` is {error}", shorten(&text))))?;
            Ok(Cell::Number(micros))
        }
        ColumnType::Boolean => match raw {
            "true" => Ok(Cell::Truth(true)),
            "false" => Ok(Cell::Truth(false)),
            other => Err(wrong("true or false", found(other))),
        },
        ColumnType::Integer => match raw.parse() {
            // `+1`, which Rust takes, is no JSON and never arrives here.
            Ok(number) => Ok(Cell::Number(number)),
            Err(_) => Err(wrong("an integer of 64 bits", found(raw))),
        },
        ColumnType::Array | ColumnType::ArrayJson => list(column, raw),
    }
}

fn list<'a>(column: &Column, raw: &'a str) -> Result<Cell<'a>, RowProblem> {
    let expected = if column.kind == ColumnType::Array { "a list of strings" } else { "a list" };
    let wrong = |detail: String| RowProblem::WrongType { column: column.name.clone(), expected, detail };
    if !raw.starts_with('[') {
        return Err(wrong(found(raw)));
    }
    let mut elements = Vec::new();
    for element in sonic_rs::to_array_iter(raw) {
        let element = raw_text(&element.map_err(|error| not_an_object(&error))?)?;
        elements.push(match column.kind {
            ColumnType::ArrayJson => Cow::Borrowed(element),
            _ => string(element).map_err(wrong)?,
        });
    }
    Ok(Cell::List(elements))
}

/// The fields of an object; `path` names it in problems.
fn structure<'a>(column: &Column, raw: &'a str, path: &str) -> Result<Vec<Cell<'a>>, RowProblem> {
    if !raw.starts_with('{') {
        let (column, detail) = (path.to_owned(), found(raw));
        return Err(RowProblem::WrongType { column, expected: "an object", detail });
    }
    let mut cells: Vec<Cell<'a>> = Vec::new();
    cells.resize_with(column.fields.len(), || Cell::Absent);
    for entry in sonic_rs::to_object_iter(raw) {
        let (name, value) = entry.map_err(|error| not_an_object(&error))?;
        let at = column.fields.iter().position(|field| field.name == name);
        let here = format!("{path}.{name}");
        let Some((field, cell)) = at.and_then(|at| Some((column.fields.get(at)?, cells.get_mut(at)?))) else {
            return Err(RowProblem::UnknownField { column: here });
        };
        if !matches!(cell, Cell::Absent) {
            return Err(RowProblem::DuplicateField { column: here });
        }
        let raw = raw_text(&value)?;
        *cell = match field.kind {
            ColumnType::Struct if raw != "null" => Cell::Struct(structure(field, raw, &here)?),
            _ => check_value(field, raw).map_err(|problem| problem.within(path))?,
        };
    }
    for (field, cell) in column.fields.iter().zip(&cells) {
        if !field.nullable && cell.is_null() {
            return Err(RowProblem::Missing { column: format!("{path}.{}", field.name) });
        }
    }
    Ok(cells)
}

fn structures<'a>(column: &Column, raw: &'a str) -> Result<Cell<'a>, RowProblem> {
    if !raw.starts_with('[') {
        let (column, detail) = (column.name.clone(), found(raw));
        return Err(RowProblem::WrongType { column, expected: "a list of objects", detail });
    }
    let mut elements = Vec::new();
    for element in sonic_rs::to_array_iter(raw) {
        let element = raw_text(&element.map_err(|error| not_an_object(&error))?)?;
        elements.push(structure(column, element, &column.name)?);
    }
    Ok(Cell::Structs(elements))
}

/// Whether a text is a number of JSON without an exponent.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        None => (digits, None),
        Some((whole, fraction)) => (whole, Some(fraction)),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(all_digits)
}

/// Microseconds of a text of milliseconds, written without sign or leading zeros; years 1970 to 9999.
fn millis(text: &str) -> Option<i64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let number: i64 = text.parse().ok().filter(|_| is_plain)?;
    number.checked_mul(1_000).filter(|micros| *micros < MICROS_END)
}

fn numbers<'a>(column: &Column, raw: &str) -> Result<Cell<'a>, RowProblem> {
    let wrong = |detail: String| RowProblem::WrongType {
        column: column.name.clone(),
        expected: "a list of integers of 64 bits",
        detail,
    };
    if !raw.starts_with('[') {
        return Err(wrong(found(raw)));
    }
    let mut elements = Vec::new();
    for element in sonic_rs::to_array_iter(raw) {
        let element = raw_text(&element.map_err(|error| not_an_object(&error))?)?;
        elements.push(element.parse().map_err(|_| wrong(found(element)))?);
    }
    Ok(Cell::Numbers(elements))
}

/// The content of a JSON string; escapes are resolved, lone surrogates refused.
fn string(raw: &str) -> Result<Cow<'_, str>, String> {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(|| found(raw))?;
    if inner.bytes().any(|byte| byte < 0x20) {
        return Err("a control character is not escaped".to_owned());
    }
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(inner));
    }
    sonic_rs::from_str::<String>(raw).map(Cow::Owned).map_err(|_| "a bad escape".to_owned())
}

fn found(raw: &str) -> String {
    format!("found `{}`", shorten(raw))
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 60 {
        text.to_owned()
    } else {
        text.chars().take(60).chain("...".chars()).collect()
    }
}

#[cfg(test)]
mod tests;
