//! A quick walk over a line that is as producers write it.
//!
//! It takes a strict part of what the plain walk takes: one object on the line, names without escapes, whole numbers,
//! no control characters, no surrogates by escape. Whatever else it meets, good or bad, it leaves to the plain walk,
//! which alone decides what is wrong with a line. So the outcome never depends on which of the two read a line; a
//! property test holds them against each other.

use super::NESTING_DEPTH_MAX;

/// A line with a place in it.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Whether a backslash stands anywhere in the line.
    escapes: bool,
}

/// A value within the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `null`.
    Null,
    /// A string without escapes: what stands between its quotes.
    Plain(&'a str),
    /// Any other value, as it is written.
    Raw(&'a str),
}

/// The name of a column as a producer writes it before a value: `"name":`.
#[derive(Debug)]
pub(super) struct Pattern {
    text: Vec<u8>,
    /// Eight bytes at a time, and which bits of them count.
    words: Vec<(u64, u64)>,
}

impl Pattern {
    pub(super) fn new(name: &str) -> Self {
        let text = format!("\"{name}\":").into_bytes();
        let word = |chunk: &[u8]| {
            let bits = |byte: fn(u8) -> u8| {
                chunk.iter().rev().fold(0_u64, |word, at| word << 8 | u64::from(byte(*at)))
            };
            (bits(|byte| byte), bits(|_| u8::MAX))
        };
        let words = text.chunks(8).map(word).collect();
        Self { text, words }
    }

    #[inline]
    fn begins(&self, rest: &[u8]) -> bool {
        let mut rest_words = rest;
        for (word, mask) in &self.words {
            let Some((chunk, behind)) = rest_words.split_first_chunk::<8>() else {
                // Near the end of the line.
                return rest.starts_with(&self.text);
            };
            if u64::from_le_bytes(*chunk) & mask != *word {
                return false;
            }
            rest_words = behind;
        }
        true
    }
}

/// `"` in each of eight bytes, and so on: one comparison looks at eight bytes.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of the lowest byte that equals `byte` is set; bits above that one mean nothing.
#[inline]
const fn equal(word: u64, byte: u8) -> u64 {
    let differs = word ^ (ONES * byte as u64);
    differs.wrapping_sub(ONES) & !differs & HIGHS
}

impl<'a> Scanner<'a> {
    /// Begins at the object of the line, if it is one that this walk takes.
    pub(super) fn new(line: &'a [u8]) -> Option<Self> {
        let escapes = special(line)?;
        let text = simdutf8::basic::from_utf8(line).ok()?;
        text.starts_with('{').then_some(Self { text, at: 1, escapes })
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    #[inline]
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    /// Takes the name of the likely next field, if it stands here.
    #[inline]
    pub(super) fn take_pattern(&mut self, pattern: &Pattern) -> bool {
        let stands = pattern.begins(self.rest());
        if stands {
            self.at += pattern.text.len();
            self.skip_spaces();
        }
        stands
    }

    /// The name of the next field, and the place behind its colon.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        self.skip_spaces();
        self.take(b'"')?;
        let start = self.at;
        let end = self.plain_end(start)?;
        self.at = end + 1;
        self.skip_spaces();
        self.take(b':')?;
        self.skip_spaces();
        self.text.get(start..end)
    }

    /// Whether another field follows a value; `None` if the object does not end or something stands behind it.
    #[inline]
    pub(super) fn more(&mut self) -> Option<bool> {
        self.skip_spaces();
        if self.take(b',').is_some() {
            self.skip_spaces();
            return Some(true);
        }
        self.take(b'}')?;
        (self.at == self.text.len()).then_some(false)
    }

    /// The value that stands here.
    #[inline]
    pub(super) fn value(&mut self) -> Option<Token<'a>> {
        let start = self.at;
        match self.peek()? {
            b'"' => {
                if let Some(end) = self.plain_end(start + 1) {
                    self.at = end + 1;
                    return self.text.get(start + 1..end).map(Token::Plain);
                }
                self.string()?;
            }
            b'n' => {
                self.word("null")?;
                return Some(Token::Null);
            }
            _ => self.skip_value()?,
        }
        self.text.get(start..self.at).map(Token::Raw)
    }

    /// A plain string of this line with its quotes.
    pub(super) fn quoted(&self, plain: &str) -> Option<&'a str> {
        let end = self.at;
        self.text.get(end.checked_sub(plain.len() + 2)?..end)
    }

    /// The closing quote of a string that has no escape, from behind its opening quote.
    #[inline]
    fn plain_end(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = start;
        let stop = loop {
            let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) else {
                let rest = bytes.get(at..)?;
                break at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            };
            let word = u64::from_le_bytes(*chunk);
            let mut found = equal(word, b'"');
            if self.escapes {
                found |= equal(word, b'\\');
            }
            if found != 0 {
                break at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        };
        (bytes.get(stop) == Some(&b'"')).then_some(stop)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.rest().starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    /// A string with its quotes; escapes that need more than a look are left to the plain walk.
    fn string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            if let Some(end) = self.plain_end(self.at) {
                self.at = end + 1;
                return Some(());
            }
            let rest = self.rest();
            let escape = rest.iter().position(|byte| *byte == b'\\')?;
            match rest.get(escape + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += escape + 2,
                b'u' => {
                    let digits = rest.get(escape + 2..escape + 6)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) || matches!(digits, [b'd' | b'D', ..]) {
                        return None;
                    }
                    self.at += escape + 6;
                }
                _ => return None,
            }
        }
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let _sign = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        // `01` is no number.
        (!self.peek().is_some_and(|byte| byte.is_ascii_digit())).then_some(())
    }

    /// Any value but a string at the top: objects and lists without recursion, the kind of each open one in a bit.
    fn skip_value(&mut self) -> Option<()> {
        let (mut objects, mut depth) = (0_u128, 0_usize);
        loop {
            match self.peek()? {
                open @ (b'{' | b'[') => {
                    self.at += 1;
                    // The row is the first level.
                    depth += 1;
                    if depth >= NESTING_DEPTH_MAX {
                        return None;
                    }
                    objects = objects << 1 | u128::from(open == b'{');
                    self.skip_spaces();
                    if self.take(if open == b'{' { b'}' } else { b']' }).is_none() {
                        if open == b'{' {
                            self.member()?;
                        }
                        continue;
                    }
                    objects >>= 1;
                    depth -= 1;
                }
                b'"' => self.string()?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
            }
            // A value ended: so may what it stands in.
            loop {
                if depth == 0 {
                    return Some(());
                }
                let in_object = objects & 1 == 1;
                self.skip_spaces();
                if self.take(b',').is_some() {
                    self.skip_spaces();
                    if in_object {
                        self.member()?;
                    }
                    break;
                }
                self.take(if in_object { b'}' } else { b']' })?;
                objects >>= 1;
                depth -= 1;
            }
        }
    }

    /// The name of a member of a nested object, and its colon.
    fn member(&mut self) -> Option<()> {
        self.string()?;
        self.skip_spaces();
        self.take(b':')?;
        self.skip_spaces();
        Some(())
    }
}

/// Whether a backslash stands in the line; `None` if a control character does. The line is looked at as a whole: without a
/// way out of it, the loop takes many bytes at a time.
fn special(line: &[u8]) -> Option<bool> {
    let (least, escapes) = line
        .iter()
        .fold((u8::MAX, 0), |(least, escapes), byte| (least.min(*byte), escapes | u8::from(*byte == b'\\')));
    (least >= b' ').then_some(escapes != 0)
}

#[cfg(test)]
mod tests;
