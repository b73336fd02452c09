//! Checked columns as values of rows, for targets that take rows: nothing is copied, and maps become JSON.

use std::borrow::Cow;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array as _, Float64Array, Int64Array, MapArray, StringArray};

use super::profile::{ImportColumn, ImportType};
use super::rows::CheckedRows;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Text(&'a str),
    /// A JSON object.
    Json(Cow<'a, str>),
    Long(i64),
    Double(f64),
}

/// A column whose type has been checked.
pub(crate) enum Cells<'a> {
    Text(&'a StringArray),
    Long(&'a Int64Array),
    Double(&'a Float64Array),
    Map {
        map: &'a MapArray,
        keys: &'a StringArray,
        values: &'a StringArray,
    },
    /// Objects of JSON that are texts already.
    Json(&'a StringArray),
}

/// The columns of rows, what is rescued last; a column that is not of its type is named.
pub(crate) fn cells<'a>(rows: &'a CheckedRows, columns: &[ImportColumn]) -> Result<Vec<Cells<'a>>, String> {
    let mut cells = Vec::with_capacity(columns.len() + 1);
    for (column, array) in columns.iter().zip(&rows.columns) {
        let found = match column.kind {
            ImportType::String => array.as_string_opt::<i32>().map(Cells::Text),
            ImportType::Long => array.as_primitive_opt::<Int64Type>().map(Cells::Long),
            ImportType::Double => array.as_primitive_opt::<Float64Type>().map(Cells::Double),
            ImportType::Map => array.as_map_opt().and_then(|map| {
                let keys = map.keys().as_string_opt::<i32>()?;
                Some(Cells::Map { map, keys, values: map.values().as_string_opt::<i32>()? })
            }),
        };
        cells.push(found.ok_or_else(|| {
            format!("column `{}` is {}, which is not its type", column.name, array.data_type())
        })?);
    }
    cells.extend(rows.rescued.as_ref().map(Cells::Json));
    Ok(cells)
}

impl<'a> Cells<'a> {
    /// The value of a row.
    pub(crate) fn get(&self, place: usize) -> Cell<'a> {
        match self {
            Self::Text(texts) if texts.is_valid(place) => Cell::Text(texts.value(place)),
            Self::Json(texts) if texts.is_valid(place) => Cell::Json(Cow::Borrowed(texts.value(place))),
            Self::Long(longs) if longs.is_valid(place) => Cell::Long(longs.value(place)),
            Self::Double(doubles) if doubles.is_valid(place) => Cell::Double(doubles.value(place)),
            Self::Map { map, keys, values } if map.is_valid(place) => {
                Cell::Json(Cow::Owned(object(map, keys, values, place)))
            }
            _ => Cell::Null,
        }
    }
}

/// A map as a JSON object, its members in order of their names; of several with one name the last counts.
fn object(map: &MapArray, keys: &StringArray, values: &StringArray, place: usize) -> String {
    let offset = |place: usize| {
        map.value_offsets().get(place).map_or(0, |offset| usize::try_from(*offset).unwrap_or_default())
    };
    let (from, to) = (offset(place), offset(place + 1));
    let mut members: Vec<(&str, usize)> = (from..to).map(|member| (keys.value(member), member)).collect();
    members.sort_by_key(|(name, _)| *name);
    let mut text = String::from("{");
    let mut rest = members.iter().peekable();
    while let Some((name, member)) = rest.next() {
        if rest.peek().is_some_and(|(next, _)| next == name) {
            continue;
        }
        if text.len() > 1 {
            text.push(',');
        }
        quote(&mut text, name);
        text.push(':');
        if values.is_valid(*member) {
            quote(&mut text, values.value(*member));
        } else {
            text.push_str("null");
        }
    }
    text.push('}');
    text
}

/// A JSON string.
fn quote(text: &mut String, plain: &str) {
    let is_plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    if plain.as_bytes().iter().all(is_plain) {
        text.push('"');
        text.push_str(plain);
        text.push('"');
    } else {
        text.push_str(&serde_json::Value::from(plain).to_string());
    }
}
