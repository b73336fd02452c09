//! The least and the greatest value of a column chunk, as far as readers are told.

use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

/// Bytes of a bound, at most; a longer one is shortened to what still bounds.
const BOUND_BYTES: usize = 64;

/// The least and the greatest of the values seen.
#[derive(Debug, Default)]
pub(super) struct Bounds(Option<(Bound, Bound)>);

/// A value, and its first eight bytes as a number: they decide nearly always.
#[derive(Clone, Debug)]
struct Bound {
    prefix: u64,
    value: Vec<u8>,
}

impl Bounds {
    #[inline]
    pub(super) fn widen(&mut self, value: &[u8]) {
        let prefix = prefix(value);
        let Some((least, greatest)) = &mut self.0 else {
            let bound = Bound { prefix, value: value.to_vec() };
            self.0 = Some((bound.clone(), bound));
            return;
        };
        if (prefix, value) < (least.prefix, &least.value) {
            least.set(prefix, value);
        } else if (prefix, value) > (greatest.prefix, &greatest.value) {
            greatest.set(prefix, value);
        }
    }

    pub(super) fn statistics(&self, nulls: usize) -> Statistics {
        let nulls = Some(nulls as u64);
        let Some((least, greatest)) = &self.0 else {
            return Statistics::ByteArray(ValueStatistics::new(None, None, None, nulls, false));
        };
        let (least, greatest) = (&least.value, &greatest.value);
        let (min, max) = (shortened(least), raised(greatest));
        let (min_is_exact, max_is_exact) = (min.len() == least.len(), max == *greatest);
        let (min, max) = (Some(ByteArray::from(min.to_vec())), Some(ByteArray::from(max)));
        let statistics = ValueStatistics::new(min, max, None, nulls, false);
        Statistics::ByteArray(statistics.with_min_is_exact(min_is_exact).with_max_is_exact(max_is_exact))
    }
}

impl Bound {
    fn set(&mut self, prefix: u64, value: &[u8]) {
        self.prefix = prefix;
        self.value.clear();
        self.value.extend_from_slice(value);
    }
}

#[inline]
fn prefix(value: &[u8]) -> u64 {
    if let Some(word) = value.first_chunk::<8>() {
        return u64::from_be_bytes(*word);
    }
    let word = value.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    word.checked_shl(u32::try_from(8 * (8 - value.len())).unwrap_or_default()).unwrap_or_default()
}

/// A text not above `least`, of few bytes.
pub(super) fn shortened(least: &[u8]) -> &[u8] {
    let text = std::str::from_utf8(least).unwrap_or_default();
    text.get(..text.floor_char_boundary(BOUND_BYTES)).unwrap_or_default().as_bytes()
}

/// A text not below `greatest`, of few bytes if there is one.
pub(super) fn raised(greatest: &[u8]) -> Vec<u8> {
    if greatest.len() <= BOUND_BYTES {
        return greatest.to_vec();
    }
    let mut text = String::from_utf8_lossy(shortened(greatest)).into_owned();
    while let Some(last) = text.pop() {
        // The gap of the surrogates is no place for a character, and the last one has no next.
        if let Some(next) = char::from_u32(u32::from(last) + 1) {
            text.push(next);
            return text.into_bytes();
        }
    }
    greatest.to_vec()
}
