//! Values of any Parquet type as JSON, lists, structures and maps included.
//!
//! What JSON's numbers cannot hold is text: decimals, NaN and infinities. Times are RFC 3339, bytes hexadecimal.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, civil};
use serde_json::{Map, Value};

/// Whether values of a type become JSON.
pub(crate) fn is_supported(kind: &DataType) -> bool {
    match kind {
        DataType::Null
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float16
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::Binary
        | DataType::FixedSizeBinary(_)
        | DataType::Date32
        | DataType::Time32(TimeUnit::Millisecond)
        | DataType::Time64(TimeUnit::Microsecond | TimeUnit::Nanosecond)
        | DataType::Timestamp(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => true,
        DataType::List(field) | DataType::Map(field, _) => is_supported(field.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| is_supported(field.data_type())),
        _ => false,
    }
}

/// The value at a place of an array; null also for what [`is_supported`] denies.
pub(crate) fn value(array: &ArrayRef, place: usize) -> Value {
    if array.is_null(place) {
        return Value::Null;
    }
    let found = match array.data_type() {
        DataType::Boolean => array.as_boolean_opt().map(|flags| flags.value(place).into()),
        DataType::Int8 => number::<Int8Type>(array, place),
        DataType::Int16 => number::<Int16Type>(array, place),
        DataType::Int32 => number::<Int32Type>(array, place),
        DataType::Int64 => number::<Int64Type>(array, place),
        DataType::UInt8 => number::<UInt8Type>(array, place),
        DataType::UInt16 => number::<UInt16Type>(array, place),
        DataType::UInt32 => number::<UInt32Type>(array, place),
        DataType::UInt64 => number::<UInt64Type>(array, place),
        DataType::Float16 => {
            array.as_primitive_opt::<Float16Type>().map(|numbers| real(numbers.value(place).into()))
        }
        DataType::Float32 => {
            array.as_primitive_opt::<Float32Type>().map(|numbers| real(numbers.value(place).into()))
        }
        DataType::Float64 => {
            array.as_primitive_opt::<Float64Type>().map(|numbers| real(numbers.value(place)))
        }
        DataType::Utf8 => array.as_string_opt::<i32>().map(|texts| texts.value(place).into()),
        DataType::Binary => array.as_binary_opt::<i32>().map(|bytes| hex::encode(bytes.value(place)).into()),
        DataType::FixedSizeBinary(_) => {
            array.as_fixed_size_binary_opt().map(|bytes| hex::encode(bytes.value(place)).into())
        }
        DataType::Date32 => array.as_primitive_opt::<Date32Type>().map(|days| {
            let days = days.value(place);
            let date = civil::date(1970, 1, 1).checked_add(i64::from(days).days());
            date.map_or_else(|_| days.to_string(), |date| date.to_string()).into()
        }),
        DataType::Time32(_) => array
            .as_primitive_opt::<Time32MillisecondType>()
            .map(|times| time(i64::from(times.value(place)).saturating_mul(1_000_000))),
        DataType::Time64(TimeUnit::Microsecond) => array
            .as_primitive_opt::<Time64MicrosecondType>()
            .map(|times| time(times.value(place).saturating_mul(1_000))),
        DataType::Time64(_) => {
            array.as_primitive_opt::<Time64NanosecondType>().map(|times| time(times.value(place)))
        }
        DataType::Timestamp(unit, zone) => match unit {
            TimeUnit::Second => stamp::<TimestampSecondType>(array, place, 1_000_000_000, zone.is_some()),
            TimeUnit::Millisecond => {
                stamp::<TimestampMillisecondType>(array, place, 1_000_000, zone.is_some())
            }
            TimeUnit::Microsecond => stamp::<TimestampMicrosecondType>(array, place, 1_000, zone.is_some()),
            TimeUnit::Nanosecond => stamp::<TimestampNanosecondType>(array, place, 1, zone.is_some()),
        },
        DataType::Decimal128(..) => {
            array.as_primitive_opt::<Decimal128Type>().map(|numbers| numbers.value_as_string(place).into())
        }
        DataType::Decimal256(..) => {
            array.as_primitive_opt::<Decimal256Type>().map(|numbers| numbers.value_as_string(place).into())
        }
        DataType::List(_) => array.as_list_opt::<i32>().map(|lists| {
            let list = lists.value(place);
            Value::Array((0..list.len()).map(|place| value(&list, place)).collect())
        }),
        DataType::Struct(_) => array.as_struct_opt().map(|parts| {
            let names = parts.column_names().into_iter().map(str::to_owned);
            let values = parts.columns().iter().map(|part| value(part, place));
            Value::Object(names.zip(values).collect())
        }),
        DataType::Map(..) => map(array, place),
        _ => None,
    };
    found.unwrap_or(Value::Null)
}

/// An object where keys are texts, otherwise pairs.
fn map(array: &ArrayRef, place: usize) -> Option<Value> {
    let entries = array.as_map_opt()?.value(place);
    let (keys, values) = (entries.columns().first()?, entries.columns().get(1)?);
    let places = 0..entries.len();
    if let Some(names) = keys.as_string_opt::<i32>() {
        let members = places.map(|place| (names.value(place).to_owned(), value(values, place)));
        return Some(Value::Object(members.collect::<Map<_, _>>()));
    }
    let pairs = places.map(|place| Value::Array(vec![value(keys, place), value(values, place)]));
    Some(Value::Array(pairs.collect()))
}

fn number<T: ArrowPrimitiveType>(array: &ArrayRef, place: usize) -> Option<Value>
where
    T::Native: Into<serde_json::Number>,
{
    Some(Value::Number(array.as_primitive_opt::<T>()?.value(place).into()))
}

fn real(number: f64) -> Value {
    serde_json::Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)
}

fn time(nanoseconds: i64) -> Value {
    let time = civil::time(0, 0, 0, 0).checked_add(nanoseconds.nanoseconds());
    time.map_or_else(|_| nanoseconds.to_string(), |time| time.to_string()).into()
}

fn stamp<T: ArrowPrimitiveType<Native = i64>>(
    array: &ArrayRef,
    place: usize,
    nanoseconds: i128,
    is_utc: bool,
) -> Option<Value> {
    let count = array.as_primitive_opt::<T>()?.value(place);
    // Of a time beyond the year 9999 the number is kept.
    let Ok(time) = Timestamp::from_nanosecond(i128::from(count) * nanoseconds) else {
        return Some(count.to_string().into());
    };
    let text = if is_utc { time.to_string() } else { time.to_zoned(TimeZone::UTC).datetime().to_string() };
    Some(text.into())
}
