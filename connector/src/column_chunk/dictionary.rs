//! The distinct values of a column chunk, numbered as they come.

/// Places of a new table; a power of two. Most columns have few values, and small tables stay near.
const SLOTS_MIN: usize = 256;
/// Places looked at before a table is called bad. Values chosen to meet at one place would make every look long.
const LOOKS_MAX: usize = 128;

/// Odd numbers with as many ones as zeros in no pattern: halves of the golden ratio and of pi.
const MIX: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0x2436_A885_A308_D313];

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Half of the hash of the value that is here.
    tag: u32,
    /// Its number and one; 0 if none is here.
    number: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    start: u32,
    length: u32,
}

impl Entry {
    fn within(self, page: &[u8]) -> &[u8] {
        let start = self.start as usize;
        page.get(start..start + self.length as usize).unwrap_or_default()
    }
}

/// A table of values, each with its number.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// The values as the dictionary page has them: length, then bytes.
    page: Vec<u8>,
    entries: Vec<Entry>,
    slots: Vec<Slot>,
}

impl Dictionary {
    pub(super) fn clear(&mut self) {
        self.page.clear();
        self.entries.clear();
        self.slots.clear();
        self.slots.resize(SLOTS_MIN, Slot::default());
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn page(&self) -> &[u8] {
        &self.page
    }

    /// The values in the order of their numbers.
    pub(super) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(|entry| entry.within(&self.page))
    }

    /// The value of a number.
    pub(super) fn value(&self, number: u32) -> &[u8] {
        self.entries.get(number as usize).map_or(&[], |entry| entry.within(&self.page))
    }

    /// The number of a value, which is added if it is new. `None` if too many values meet at one place.
    #[inline]
    pub(super) fn number(&mut self, value: &[u8]) -> Option<u32> {
        let hash = hash(value);
        let (tag, mask) = (tag_of(hash), self.slots.len().wrapping_sub(1));
        let mut at = place_of(hash) & mask;
        for _ in 0..LOOKS_MAX {
            let slot = *self.slots.get(at)?;
            let Some(number) = slot.number.checked_sub(1) else {
                return self.add(value, hash, at);
            };
            if slot.tag == tag && same(self.value(number), value) {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
        None
    }

    fn add(&mut self, value: &[u8], hash: u64, at: usize) -> Option<u32> {
        let number = u32::try_from(self.entries.len()).ok()?;
        let length = u32::try_from(value.len()).ok()?;
        let start = u32::try_from(self.page.len() + size_of::<u32>()).ok()?;
        self.page.extend_from_slice(&length.to_le_bytes());
        self.page.extend_from_slice(value);
        self.entries.push(Entry { hash, start, length });
        *self.slots.get_mut(at)? = Slot { tag: tag_of(hash), number: number.checked_add(1)? };
        if self.entries.len() * 2 > self.slots.len() {
            self.grow();
        }
        Some(number)
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 4;
        self.slots.clear();
        self.slots.resize(size, Slot::default());
        for (number, entry) in (1..).zip(&self.entries) {
            let mut at = place_of(entry.hash) & (size - 1);
            while let Some(slot) = self.slots.get_mut(at) {
                if slot.number == 0 {
                    *slot = Slot { tag: tag_of(entry.hash), number };
                    break;
                }
                at = (at + 1) & (size - 1);
            }
        }
    }
}

fn place_of(hash: u64) -> usize {
    usize::try_from(hash & u64::from(u32::MAX)).unwrap_or_default()
}

fn tag_of(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or_default()
}

/// A value's hash; the same in every run, so that files are. Sixteen bytes take one step; the last sixteen are taken
/// together, some of them for the second time if there is no other way.
#[inline]
fn hash(value: &[u8]) -> u64 {
    let [first, second] = MIX;
    let seed = first ^ value.len() as u64;
    let step = |hash: u64, [low, high]: [u64; 2]| mixed(hash ^ low, second ^ high);
    let Some(last) = value.last_chunk::<16>() else { return step(seed, few(value)) };
    let (pairs, rest) = value.as_chunks::<16>();
    // What is whole sixteens has its last one taken as such.
    let before = pairs.len() - usize::from(rest.is_empty());
    step(pairs.iter().take(before).fold(seed, |hash, pair| step(hash, pair_of(pair))), pair_of(last))
}

fn pair_of(bytes: &[u8; 16]) -> [u64; 2] {
    let [low, high] = [bytes.first_chunk::<8>(), bytes.last_chunk::<8>()];
    [low, high].map(|word| word.map_or(0, |word| u64::from_le_bytes(*word)))
}

/// Fewer than sixteen bytes, no two of one length alike.
#[inline]
fn few(bytes: &[u8]) -> [u64; 2] {
    if let (Some(low), Some(high)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return [u64::from_le_bytes(*low), u64::from_le_bytes(*high)];
    }
    if let (Some(low), Some(high)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return [u64::from(u32::from_le_bytes(*low)), u64::from(u32::from_le_bytes(*high))];
    }
    [short(bytes), 0]
}

fn short(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn mixed(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let low = u64::try_from(product & u128::from(u64::MAX)).unwrap_or_default();
    let high = u64::try_from(product >> 64).unwrap_or_default();
    low ^ high
}

/// Whether two values are equal. Most are short: a call costs more than the comparison.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    a_words.iter().zip(b_words).all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b))
        && match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
            (Some(a), Some(b)) => u64::from_le_bytes(*a) == u64::from_le_bytes(*b),
            _ => short(a_rest) == short(b_rest),
        }
}
