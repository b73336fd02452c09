//! Wildcard matching that hostile patterns cannot slow down.
//!
//! A pattern is bytes in which values that never occur in UTF-8 stand for the wildcards, so that a literal `*` (from
//! `${*}` or from the value of a policy variable) cannot be mistaken for one.

use memchr::memmem;

/// Any run of characters, also none.
pub(crate) const MANY: u8 = 0xFF;
/// Exactly one character.
pub(crate) const ONE: u8 = 0xFE;
/// Any run of characters but colons: a `*` inside a part of an ARN.
const MANY_IN_PART: u8 = 0xFD;
/// Exactly one character but a colon.
const ONE_IN_PART: u8 = 0xFC;

/// The pattern bytes of a text whose `*` and `?` are wildcards.
pub(crate) fn compile(text: &str) -> Box<[u8]> {
    text.bytes()
        .map(|byte| match byte {
            b'*' => MANY,
            b'?' => ONE,
            other => other,
        })
        .collect()
}

/// The pattern bytes of the parts of an ARN. A wildcard keeps to its part, except that a `*` at the end of a part may
/// run on beyond the colon (IAM User Guide, "Resource").
pub(crate) fn compile_parts(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes().peekable();
    let mut pattern = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        pattern.push(match byte {
            b'*' if matches!(bytes.peek(), None | Some(b':')) => MANY,
            b'*' => MANY_IN_PART,
            b'?' => ONE_IN_PART,
            other => other,
        });
    }
    pattern
}

/// Pattern bytes as a person writes them.
pub(crate) fn display(pattern: &[u8]) -> String {
    let text: Vec<u8> = pattern
        .iter()
        .map(|byte| match *byte {
            MANY | MANY_IN_PART => b'*',
            ONE | ONE_IN_PART => b'?',
            other => other,
        })
        .collect();
    String::from_utf8_lossy(&text).into_owned()
}

/// A pattern that knows how far it is literal, so that most texts are refused by one comparison of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    pattern: Box<[u8]>,
    literal_bytes: usize,
    /// The last eight bytes before the first wildcard: ARNs begin alike and differ there. `None` if they are fewer.
    literal_end: Option<u64>,
}

impl Glob {
    pub(crate) fn new(pattern: impl Into<Box<[u8]>>) -> Self {
        let pattern = pattern.into();
        let literal_bytes = literal_start(&pattern).len();
        let literal_end = word_before(&pattern, literal_bytes);
        Self { pattern, literal_bytes, literal_end }
    }

    pub(crate) fn pattern(&self) -> &[u8] {
        &self.pattern
    }

    /// What stands before the first wildcard.
    pub(crate) fn literal(&self) -> &[u8] {
        self.pattern.get(..self.literal_bytes).unwrap_or_default()
    }

    /// Whether every text matches that starts with [`Self::literal`].
    pub(crate) fn is_prefix(&self) -> bool {
        matches!(self.pattern.get(self.literal_bytes..), Some([MANY]))
    }

    /// Whether the whole text matches.
    #[inline]
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        if self.literal_end.is_some() && word_before(text, self.literal_bytes) != self.literal_end {
            return false;
        }
        self.matches_all(text)
    }

    #[inline]
    fn matches_all(&self, text: &[u8]) -> bool {
        let Some((literal, rest)) = self.pattern.split_at_checked(self.literal_bytes) else { return false };
        let Some((start, text)) = text.split_at_checked(self.literal_bytes) else { return false };
        if !same(start, literal) {
            return false;
        }
        match rest {
            [] => text.is_empty(),
            [MANY] => true,
            _ => matches(rest, text),
        }
    }
}

/// Whether two short texts are equal, word by word: a call of `memcmp` costs more than the comparison.
#[inline]
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    let ((left_words, left_rest), (right_words, right_rest)) = (left.as_chunks(), right.as_chunks());
    left.len() == right.len()
        && left_words.iter().zip(right_words).all(|(left, right)| word(*left) == word(*right))
        && left_rest.iter().zip(right_rest).all(|(left, right)| left == right)
}

/// What stands before the first wildcard.
pub(crate) fn literal_start(pattern: &[u8]) -> &[u8] {
    let length = pattern.iter().position(|byte| is_wildcard(*byte)).unwrap_or(pattern.len());
    pattern.get(..length).unwrap_or_default()
}

fn word(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes)
}

/// The eight bytes before an offset as one word.
#[inline]
pub(crate) fn word_before(text: &[u8], end: usize) -> Option<u64> {
    let bytes = text.get(end.checked_sub(size_of::<u64>())?..end)?;
    bytes.try_into().ok().map(word)
}

/// The first eight bytes of a text as one word, zeros behind its end.
pub(crate) fn first_word(text: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (target, byte) in bytes.iter_mut().zip(text) {
        *target = *byte;
    }
    u64::from_le_bytes(bytes)
}

fn is_wildcard(byte: u8) -> bool {
    byte >= ONE_IN_PART
}

/// Whether the whole text matches the pattern.
///
/// `*` crosses every separator and newlines. Time is linear in the two lengths if the pattern has no wildcards but
/// `*`; otherwise it is bounded by their product.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    if pattern.iter().any(|byte| is_wildcard(*byte) && *byte != MANY) {
        matches_any(pattern, text)
    } else {
        matches_runs(pattern, text)
    }
}

/// Each literal run between two `*` at its first place: a later one leaves less for the rest.
fn matches_runs(pattern: &[u8], text: &[u8]) -> bool {
    let mut runs = pattern.split(|byte| *byte == MANY);
    let first = runs.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = runs.next_back() else { return rest.is_empty() };
    let Some(middle) = rest.strip_suffix(last) else { return false };
    rest = middle;
    for run in runs.filter(|run| !run.is_empty()) {
        let Some(behind) = memmem::find(rest, run).and_then(|at| rest.get(at + run.len()..)) else {
            return false;
        };
        rest = behind;
    }
    true
}

/// A place to go on from when what follows a `*` did not match: in the pattern, and in the text.
type Resume = Option<(usize, usize)>;

/// Character by character, with two places to return to: the last `*` of this part, and before it the last one that
/// crosses colons. Older ones need no retry: a part ends at its first colon, whatever its wildcards took, and a `*`
/// that crosses colons can take up whatever an earlier one leaves.
fn matches_any(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut anywhere: Resume = None;
    let mut in_part: Resume = None;
    loop {
        match (pattern.get(at), text.get(seen)) {
            (Some(&MANY), _) => {
                at += 1;
                if at == pattern.len() {
                    return true;
                }
                anywhere = Some((at, seen));
                in_part = None;
            }
            (Some(&MANY_IN_PART), _) => {
                at += 1;
                in_part = Some((at, seen));
            }
            (Some(&wildcard @ (ONE | ONE_IN_PART)), Some(&lead)) if wildcard == ONE || lead != b':' => {
                at += 1;
                seen += char_bytes(lead);
            }
            (Some(expected), Some(found)) if expected == found => {
                at += 1;
                seen += 1;
            }
            (None, None) => return true,
            // The rest of the pattern needs more than is left, and a later start leaves less.
            (Some(_), None) => return false,
            _ => {
                let retry = widen(in_part, text).filter(|(_, lead, _)| *lead != b':');
                if let Some((after_star, _, next)) = retry {
                    in_part = Some((after_star, next));
                    (at, seen) = (after_star, next);
                } else if let Some((after_star, _, next)) = widen(anywhere, text) {
                    in_part = None;
                    anywhere = Some((after_star, next));
                    (at, seen) = (after_star, next);
                } else {
                    return false;
                }
            }
        }
    }
}

/// One more character for a `*`: where the pattern goes on, the character, and where the text goes on.
fn widen(resume: Resume, text: &[u8]) -> Option<(usize, u8, usize)> {
    let (after_star, from) = resume?;
    let lead = *text.get(from)?;
    Some((after_star, lead, from + char_bytes(lead)))
}

/// How many bytes the UTF-8 character has that starts with `lead`.
fn char_bytes(lead: u8) -> usize {
    match lead {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
