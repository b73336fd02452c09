//! NDJSON lines to Arrow columns.
//!
//! Each line is walked once: field values stay slices of the input until they enter a column builder, and JSON
//! columns keep their source text. A line that breaks the schema becomes a dead letter and leaves no trace in the
//! columns. Blank lines are no rows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use bumpalo::Bump;
use sonic_rs::LazyValue;

use crate::dead_letter::{DeadLetter, RowProblem};
use crate::profile::{Column, ColumnType, Dataset};

mod builder;
mod quick;
mod value;

use builder::Builder;
use quick::{Pattern, Scanner, Token};
use value::check_value;

/// Levels of nesting that a row may have. Parsers recurse; a hostile row must not end the process.
pub const NESTING_DEPTH_MAX: usize = 128;

/// Lines whose cells wait to enter the columns together. A column that takes many in a row is quicker than many columns
/// that take one each, as long as the cells are few enough to stay near.
const WAITING_LINES: usize = 32;
const _: () = assert!(WAITING_LINES <= builder::ROWS_AT_ONCE);

/// Columns that the name of the next field is compared with before it is looked up.
const LIKELY_FIELDS: usize = 6;

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
    let width = dataset.columns().len();
    let mut arena = Bump::new();
    let mut dead_letters = Vec::new();
    let mut row_lines = Vec::new();
    // Where one is not UTF-8, each is looked at by itself.
    let mut scanner = simdutf8::basic::from_utf8(lines).ok().map(Scanner::new);
    let mut line_numbers = origin.lines_before.saturating_add(1)..;
    let mut start = 0;
    while start < lines.len() {
        let mut waiting = Vec::with_capacity(width * WAITING_LINES);
        for _ in 0..WAITING_LINES {
            if start >= lines.len() {
                break;
            }
            let (line, offset) = (lines.get(start..).unwrap_or_default(), start);
            let line_number = line_numbers.next().unwrap_or(u64::MAX);
            let before = waiting.len();
            waiting.resize(before + width, Cell::Absent);
            let cells = waiting.get_mut(before..).unwrap_or_default();
            let (end, checked) = decoder.line(scanner.as_mut(), line, start, &arena, cells);
            start = end + 1;
            match checked {
                Ok(true) => row_lines.push(line_number),
                Ok(false) => waiting.truncate(before),
                Err(problem) => {
                    waiting.truncate(before);
                    let line = lines.get(offset..end).unwrap_or_default();
                    dead_letters.push(DeadLetter {
                        source: origin.source.to_owned(),
                        line: line_number,
                        byte_offset: origin.bytes_before + offset as u64,
                        problem,
                        raw: line.strip_suffix(b"\r").unwrap_or(line).to_vec(),
                    });
                }
            }
        }
        decoder.enter(&waiting, start.min(lines.len()));
        drop(waiting);
        arena.reset();
    }
    Ok(DecodedRows { batch: decoder.finish()?, row_lines, dead_letters })
}

/// A checked value, not yet in a column. It borrows from its line, and from an arena what the line does not have as such:
/// so it is small, and there is nothing to free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell<'a> {
    Absent,
    Null,
    Text(&'a str),
    Number(i64),
    Truth(bool),
    List(&'a [&'a str]),
    Numbers(&'a [i64]),
    Struct(&'a [Self]),
    Structs(&'a [&'a [Self]]),
}

impl Cell<'_> {
    fn is_null(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }

    fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// How the quick walk takes a column's value.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Any text as it is.
    Text,
    Instant,
    Checked,
}

impl Way {
    fn of(column: &Column) -> Self {
        match column.kind {
            ColumnType::String if column.values.is_none() && column.form.is_none() => Self::Text,
            ColumnType::Datetime => Self::Instant,
            _ => Self::Checked,
        }
    }
}

struct Decoder<'d> {
    dataset: &'d Dataset,
    positions: BTreeMap<&'d str, usize>,
    fields: Vec<(Pattern, Way)>,
    /// The columns that no row may lack.
    required: Vec<usize>,
    input_bytes: usize,
    /// None before the first rows, which tell how much room there should be.
    builders: Vec<Builder>,
}

impl<'d> Decoder<'d> {
    fn new(dataset: &'d Dataset, input_bytes: usize) -> Self {
        let columns = dataset.columns();
        let positions = columns.iter().enumerate().map(|(at, column)| (column.name.as_str(), at)).collect();
        let fields = columns.iter().map(|column| (Pattern::new(&column.name), Way::of(column))).collect();
        let required = columns.iter().enumerate().filter(|(_, column)| !column.nullable);
        let required = required.map(|(at, _)| at).collect();
        Self { dataset, positions, fields, required, input_bytes, builders: Vec::new() }
    }

    /// Checks the first of `lines`, which is at `start` of what the scanner has, if there is one, whole before any of it
    /// waits to enter a column. Tells where it ends, and whether it is a row or blank.
    fn line<'a, 'l: 'a>(
        &self,
        scanner: Option<&mut Scanner<'l>>,
        lines: &'a [u8],
        start: usize,
        arena: &'a Bump,
        cells: &mut [Cell<'a>],
    ) -> (usize, Result<bool, RowProblem>) {
        let is_alone = scanner.is_none();
        if let Some(end) = scanner.and_then(|scanner| self.walk_quickly(scanner, start, arena, cells)) {
            return (end, self.check_row(cells).map(|()| true));
        }
        let (length, checked) = self.line_by_itself(lines, is_alone, arena, cells);
        (start + length, checked)
    }

    /// Checks the first of `lines`, quickly if that is worth a try: its length, and whether it is a row or blank.
    #[inline(never)]
    fn line_by_itself<'a>(
        &self,
        lines: &'a [u8],
        quickly: bool,
        arena: &'a Bump,
        cells: &mut [Cell<'a>],
    ) -> (usize, Result<bool, RowProblem>) {
        let length = memchr::memchr(b'\n', lines).unwrap_or(lines.len());
        let row = lines.get(..length).unwrap_or_default().trim_ascii();
        if row.is_empty() {
            return (length, Ok(false));
        }
        let text = simdutf8::basic::from_utf8(row).ok().filter(|_| quickly);
        let walked = match text.and_then(|text| self.walk_quickly(&mut Scanner::new(text), 0, arena, cells)) {
            Some(_) => Ok(()),
            None => self.walk(row, arena, cells),
        };
        (length, walked.and_then(|()| self.check_row(cells)).map(|()| true))
    }

    /// Adds the rows that waited to the columns, which is what the first `consumed` bytes came to if nothing has entered.
    fn enter(&mut self, waiting: &[Cell<'_>], consumed: usize) {
        let width = self.fields.len();
        if self.builders.is_empty() && !waiting.is_empty() {
            // If the input goes on as it began. Never much more room than the input itself takes.
            let scaled = |part: usize| {
                let whole = part.saturating_mul(self.input_bytes) / consumed.max(1);
                (whole + whole / 8).clamp(part, self.input_bytes.max(part) + 64)
            };
            let rows = scaled(waiting.len() / width.max(1));
            let builders = self.dataset.columns().iter().enumerate().map(|(at, column)| {
                let cells = waiting.iter().skip(at).step_by(width);
                let bytes = cells.map(|cell| if let Cell::Text(text) = cell { text.len() } else { 0 }).sum();
                Builder::new(column, rows, scaled(bytes))
            });
            self.builders = builders.collect();
        }
        for (at, builder) in self.builders.iter_mut().enumerate() {
            builder.extend(waiting.iter().skip(at).step_by(width));
        }
    }

    /// The cells of the line at a place, and where it ends, if it is written as usual. `None` leaves the line, good or bad,
    /// to the plain walk.
    #[inline]
    fn walk_quickly<'a, 'l: 'a>(
        &self,
        scanner: &mut Scanner<'l>,
        start: usize,
        arena: &'a Bump,
        cells: &mut [Cell<'a>],
    ) -> Option<usize> {
        scanner.enter(start)?;
        let mut expected = 0;
        loop {
            // Producers write fields in one order; the next column is the likely one.
            let is_next = self.fields.get(expected).is_some_and(|(next, _)| scanner.take_pattern(next));
            let at = if is_next { expected } else { self.other_field(scanner, expected)? };
            expected = at + 1;
            let ((_, way), cell) = (self.fields.get(at)?, cells.get_mut(at)?);
            if !matches!(cell, Cell::Absent) {
                return None;
            }
            match (scanner.value()?, way) {
                (Token::Null, _) => *cell = Cell::Null,
                (Token::Plain(text), Way::Text) => *cell = Cell::Text(text),
                (Token::Plain(text), Way::Instant) => *cell = Cell::Number(scanner.instant(text)?),
                (token, _) => {
                    let raw = match token {
                        Token::Plain(text) => scanner.quoted(text)?,
                        Token::Raw(raw) => raw,
                        Token::Truth(true) => "true",
                        Token::Truth(false) => "false",
                        Token::Null => "null",
                    };
                    *cell = check_value(self.dataset.columns().get(at)?, raw, arena).ok()?;
                }
            }
            if !scanner.more()? {
                return scanner.line_end();
            }
        }
    }

    /// Takes the name of a field that is not the expected one, or stands behind spaces: likely one soon after it, as some
    /// producers leave nulls out.
    #[inline(never)]
    fn other_field(&self, scanner: &mut Scanner<'_>, expected: usize) -> Option<usize> {
        scanner.skip_spaces();
        let mut likely = self.fields.iter().enumerate().skip(expected).take(LIKELY_FIELDS);
        match likely.find(|(_, (pattern, _))| scanner.take_pattern(pattern)) {
            Some((at, _)) => Some(at),
            None => self.positions.get(scanner.name()?).copied(),
        }
    }

    /// The cells of any line, or what is wrong with it.
    fn walk<'a>(&self, line: &'a [u8], arena: &'a Bump, cells: &mut [Cell<'a>]) -> Result<(), RowProblem> {
        let text =
            std::str::from_utf8(line).map_err(|error| RowProblem::NotUtf8 { at: error.valid_up_to() })?;
        if text.starts_with('\u{feff}') {
            return Err(RowProblem::NotAnObject { detail: "it begins with a byte order mark".to_owned() });
        }
        check_depth(line)?;
        // What the quick walk left.
        cells.fill(Cell::Absent);
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
            *cell = check_value(column, raw, arena)?;
        }
        // The walk ends at the closing brace; anything behind it makes the line something else.
        if rest.map(str::trim_ascii) != Some("}") {
            return Err(RowProblem::NotAnObject { detail: "there is text after the object".to_owned() });
        }
        Ok(())
    }

    fn check_row(&self, cells: &[Cell<'_>]) -> Result<(), RowProblem> {
        let is_missing = |at: &&usize| cells.get(**at).is_none_or(Cell::is_null);
        if let Some(missing) = self.required.iter().find(is_missing) {
            let column = self.dataset.columns().get(*missing).map(|column| column.name.clone());
            return Err(RowProblem::Missing { column: column.unwrap_or_default() });
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

    fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        if self.builders.is_empty() {
            let columns = self.dataset.columns().iter();
            self.builders = columns.map(|column| Builder::new(column, 0, 0)).collect();
        }
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

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
