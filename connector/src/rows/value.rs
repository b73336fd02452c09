//! One value of a line: its column's type, checked.

use bumpalo::Bump;

use super::{Cell, not_an_object, raw_text};
use crate::datetime::parse_micros;
use crate::dead_letter::RowProblem;
use crate::profile::{Column, ColumnType};

/// Microseconds of 9999-12-30T22:00:00Z, where the calendar library ends.
const MICROS_END: i64 = 253_402_207_200_000_000;

/// The cell of a value of `column` that is written as `raw`.
pub(super) fn check_value<'a>(
    column: &Column,
    raw: &'a str,
    arena: &'a Bump,
) -> Result<Cell<'a>, RowProblem> {
    if raw == "null" {
        return Ok(Cell::Null);
    }
    let wrong =
        |expected, detail: String| RowProblem::WrongType { column: column.name.clone(), expected, detail };
    match column.kind {
        ColumnType::Json => Ok(Cell::Text(raw)),
        ColumnType::Object if raw.starts_with('{') => Ok(Cell::Text(raw)),
        ColumnType::Object => Err(wrong("an object", found(raw))),
        ColumnType::Millis => {
            let expected = "milliseconds since 1970 as a text of digits";
            let text = string(raw, arena).map_err(|detail| wrong(expected, detail))?;
            millis(text).map(Cell::Number).ok_or_else(|| wrong(expected, found(raw)))
        }
        ColumnType::Decimal => {
            let text = if raw.starts_with('"') { string(raw, arena) } else { Ok(raw) };
            match text {
                Ok(text) if is_decimal(text) => Ok(Cell::Text(text)),
                _ => Err(wrong("a decimal number without an exponent", found(raw))),
            }
        }
        ColumnType::IntegerArray => numbers(column, raw, arena),
        ColumnType::Struct => structure(column, raw, &column.name, arena).map(Cell::Struct),
        ColumnType::StructArray => structures(column, raw, arena),
        ColumnType::String => {
            let text = string(raw, arena).map_err(|detail| wrong("a string", detail))?;
            if column.values.as_ref().is_some_and(|values| !values.iter().any(|value| value == text)) {
                return Err(RowProblem::UnknownValue { column: column.name.clone(), value: shorten(text) });
            }
            if let Some(form) = column.form.filter(|form| !form.accepts(text)) {
                return Err(wrong(form.expected(), found(raw)));
            }
            Ok(Cell::Text(text))
        }
        ColumnType::Datetime => {
            let text = string(raw, arena).map_err(|detail| wrong("a date and time", detail))?;
            let micros = parse_micros(text)
                .map_err(|error| wrong("a date and time", format!("`{}` is {error}", shorten(text))))?;
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
        ColumnType::Array | ColumnType::ArrayJson => list(column, raw, arena),
    }
}

fn list<'a>(column: &Column, raw: &'a str, arena: &'a Bump) -> Result<Cell<'a>, RowProblem> {
    let expected = if column.kind == ColumnType::Array { "a list of strings" } else { "a list" };
    let wrong = |detail: String| RowProblem::WrongType { column: column.name.clone(), expected, detail };
    if !raw.starts_with('[') {
        return Err(wrong(found(raw)));
    }
    let mut elements = Vec::new();
    for element in sonic_rs::to_array_iter(raw) {
        let element = raw_text(&element.map_err(|error| not_an_object(&error))?)?;
        elements.push(match column.kind {
            ColumnType::ArrayJson => element,
            _ => string(element, arena).map_err(wrong)?,
        });
    }
    Ok(Cell::List(arena.alloc_slice_copy(&elements)))
}

/// The fields of an object; `path` names it in problems.
fn structure<'a>(
    column: &Column,
    raw: &'a str,
    path: &str,
    arena: &'a Bump,
) -> Result<&'a [Cell<'a>], RowProblem> {
    if !raw.starts_with('{') {
        let (column, detail) = (path.to_owned(), found(raw));
        return Err(RowProblem::WrongType { column, expected: "an object", detail });
    }
    let cells = arena.alloc_slice_fill_copy(column.fields.len(), Cell::Absent);
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
            ColumnType::Struct if raw != "null" => Cell::Struct(structure(field, raw, &here, arena)?),
            _ => check_value(field, raw, arena).map_err(|problem| problem.within(path))?,
        };
    }
    for (field, cell) in column.fields.iter().zip(&*cells) {
        if !field.nullable && cell.is_null() {
            return Err(RowProblem::Missing { column: format!("{path}.{}", field.name) });
        }
    }
    Ok(cells)
}

fn structures<'a>(column: &Column, raw: &'a str, arena: &'a Bump) -> Result<Cell<'a>, RowProblem> {
    if !raw.starts_with('[') {
        let (column, detail) = (column.name.clone(), found(raw));
        return Err(RowProblem::WrongType { column, expected: "a list of objects", detail });
    }
    let mut elements = Vec::new();
    for element in sonic_rs::to_array_iter(raw) {
        let element = raw_text(&element.map_err(|error| not_an_object(&error))?)?;
        elements.push(structure(column, element, &column.name, arena)?);
    }
    Ok(Cell::Structs(arena.alloc_slice_copy(&elements)))
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

fn numbers<'a>(column: &Column, raw: &str, arena: &'a Bump) -> Result<Cell<'a>, RowProblem> {
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
    Ok(Cell::Numbers(arena.alloc_slice_copy(&elements)))
}

/// The content of a JSON string; escapes are resolved, lone surrogates refused.
fn string<'a>(raw: &'a str, arena: &'a Bump) -> Result<&'a str, String> {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(|| found(raw))?;
    if inner.bytes().any(|byte| byte < 0x20) {
        return Err("a control character is not escaped".to_owned());
    }
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(inner);
    }
    sonic_rs::from_str::<String>(raw)
        .map(|text| &*arena.alloc_str(&text))
        .map_err(|_| "a bad escape".to_owned())
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
