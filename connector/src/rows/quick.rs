//! A quick walk over lines that are as producers write them.
//!
//! It takes a strict part of what the plain walk takes: one object on the line, names without escapes, whole numbers,
//! no control characters, no surrogates by escape. Whatever else it meets, good or bad, it leaves to the plain walk,
//! which alone decides what is wrong with a line. So the outcome never depends on which of the two read a line; a
//! property test holds them against each other.

use wide::u8x32;

use super::NESTING_DEPTH_MAX;
use crate::datetime::InstantReader;

/// Lines with a place in them.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    instants: InstantReader,
}

/// A value within a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Truth(bool),
    /// A string without escapes: what stands between its quotes.
    Plain(&'a str),
    /// Any other value, as it is written.
    Raw(&'a str),
}

/// The last of the characters that JSON takes escaped only.
const LAST_CONTROL: u8 = 0x1f;

/// Bytes that are looked at together.
const SPAN: usize = 32;

/// The name of a column as a producer writes it before a value: `"name":`.
#[derive(Debug)]
pub(super) struct Pattern {
    text: Vec<u8>,
    /// Spans of the text, and which bits of them count.
    spans: Vec<(u8x32, u8x32)>,
}

impl Pattern {
    pub(super) fn new(name: &str) -> Self {
        let text = format!("\"{name}\":").into_bytes();
        let span = |chunk: &[u8]| {
            let span = |byte: fn(u8) -> u8| {
                let mut span = [0; SPAN];
                for (to, from) in span.iter_mut().zip(chunk) {
                    *to = byte(*from);
                }
                u8x32::new(span)
            };
            (span(|byte| byte), span(|_| u8::MAX))
        };
        let spans = text.chunks(SPAN).map(span).collect();
        Self { text, spans }
    }

    #[inline]
    fn begins(&self, rest: &[u8]) -> bool {
        let mut behind = rest;
        for (expected, counts) in &self.spans {
            let Some((span, more)) = behind.split_first_chunk::<SPAN>() else {
                // Near the end of the text.
                return rest.starts_with(&self.text);
            };
            if (u8x32::new(*span) & *counts).simd_eq(*expected).to_bitmask() != u32::MAX {
                return false;
            }
            behind = more;
        }
        true
    }
}

/// Which bytes of a span may not stand in a string as they are, or end it: quotes, backslashes and control characters, a bit
/// for each, beginning with the lowest.
#[inline]
fn stops(span: &[u8; SPAN]) -> u32 {
    let span = u8x32::new(*span);
    let controls = span.min(u8x32::splat(LAST_CONTROL)).simd_eq(span);
    (controls | span.simd_eq(u8x32::splat(b'"')) | span.simd_eq(u8x32::splat(b'\\'))).to_bitmask()
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, instants: InstantReader::default() }
    }

    /// Enters the object of the line that begins at a place, if it is one that this walk takes.
    pub(super) fn enter(&mut self, line: usize) -> Option<()> {
        self.at = line;
        self.take(b'{')
    }

    /// Where the line ends, if nothing more stands on it.
    #[inline]
    pub(super) fn line_end(&mut self) -> Option<usize> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
        matches!(self.peek(), None | Some(b'\n')).then_some(self.at)
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
    pub(super) fn skip_spaces(&mut self) {
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
        self.text.get(start..end)
    }

    /// Whether another field follows a value; `None` if the object neither ends nor goes on.
    #[inline]
    pub(super) fn more(&mut self) -> Option<bool> {
        if self.peek() == Some(b' ') {
            self.skip_spaces();
        }
        let is_followed = match self.peek()? {
            b',' => true,
            b'}' => false,
            _ => return None,
        };
        self.at += 1;
        Some(is_followed)
    }

    /// The value that stands here.
    #[inline]
    pub(super) fn value(&mut self) -> Option<Token<'a>> {
        if self.peek() == Some(b' ') {
            self.skip_spaces();
        }
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
            b't' => {
                self.word("true")?;
                return Some(Token::Truth(true));
            }
            b'f' => {
                self.word("false")?;
                return Some(Token::Truth(false));
            }
            _ => self.skip_value()?,
        }
        self.text.get(start..self.at).map(Token::Raw)
    }

    /// The instant that a text names.
    #[inline]
    pub(super) fn instant(&mut self, text: &str) -> Option<i64> {
        self.instants.micros(text).ok()
    }

    /// The plain string that was taken last, with its quotes.
    pub(super) fn quoted(&self, plain: &str) -> Option<&'a str> {
        let end = self.at;
        self.text.get(end.checked_sub(plain.len() + 2)?..end)
    }

    /// The closing quote of a string that has no escape, from behind its opening quote.
    #[inline]
    fn plain_end(&self, start: usize) -> Option<usize> {
        let stop = self.stop(start)?;
        (self.text.as_bytes().get(stop) == Some(&b'"')).then_some(stop)
    }

    /// Where the characters that stand for themselves end.
    #[inline]
    fn stop(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = start;
        loop {
            let rest = bytes.get(at..)?;
            let Some(span) = rest.first_chunk::<SPAN>() else {
                let stop = |byte: &u8| *byte <= LAST_CONTROL || matches!(byte, b'"' | b'\\');
                return rest.iter().position(stop).map(|stop| at + stop);
            };
            let stops = stops(span);
            if stops != 0 {
                return Some(at + stops.trailing_zeros() as usize);
            }
            at += SPAN;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.rest().starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    /// A string with its quotes; escapes that need more than a look are left to the plain walk.
    fn string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            let stop = self.stop(self.at)?;
            self.at = stop + 1;
            match self.text.as_bytes().get(stop..)? {
                [b'"', ..] => return Some(()),
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 1,
                [b'\\', b'u', rest @ ..] => {
                    let digits = rest.get(..4)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) || matches!(digits, [b'd' | b'D', ..]) {
                        return None;
                    }
                    self.at += 5;
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

#[cfg(test)]
mod tests;
