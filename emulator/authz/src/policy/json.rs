//! JSON with positions.
//!
//! Every explanation names the line of the statement it speaks of, and a duplicate key in a policy is a mistake that
//! must not pass, so the policy reader needs positions and every member: `serde_json` gives neither.

use std::collections::BTreeSet;

/// Deeper nesting than any policy has; it bounds the recursion.
const DEPTH_MAX: usize = 64;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {}, column {}", at.line, at.column)]
pub(crate) struct JsonError {
    pub(crate) message: String,
    pub(crate) at: Position,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: Position,
    /// Byte offsets of the value in the text.
    pub(crate) span: (usize, usize),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As written: policies compare text, and `10` must not become `10.0`.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) at: Position,
    pub(crate) node: Node,
}

impl Node {
    /// What the value is, in a word, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// The text of a string, number or boolean: condition values may be written as any of them.
    pub(crate) fn scalar_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }

    pub(crate) fn members(&self) -> Option<&[Member]> {
        if let Value::Object(members) = &self.value { Some(members) } else { None }
    }

    /// The items of a list, or the value itself: most policy elements take one value or a list.
    pub(crate) fn one_or_many(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { std::slice::from_ref(self) }
    }
}

/// Parses one JSON document (RFC 8259) that fills the whole text.
pub(crate) fn parse(text: &str) -> Result<Node, JsonError> {
    let mut reader = Reader { rest: text, total_bytes: text.len(), at: Position::START, depth: 0 };
    reader.skip_space();
    let node = reader.value()?;
    reader.skip_space();
    if reader.rest.is_empty() { Ok(node) } else { Err(reader.error("text after the end of the document")) }
}

struct Reader<'a> {
    rest: &'a str,
    total_bytes: usize,
    at: Position,
    depth: usize,
}

impl Reader<'_> {
    fn offset(&self) -> usize {
        self.total_bytes - self.rest.len()
    }

    fn error(&self, message: impl Into<String>) -> JsonError {
        JsonError { message: message.into(), at: self.at }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let found = chars.next()?;
        self.rest = chars.as_str();
        if found == '\n' {
            self.at = Position { line: self.at.line.saturating_add(1), column: 1 };
        } else {
            self.at.column = self.at.column.saturating_add(1);
        }
        Some(found)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.next();
        }
    }

    fn expect(&mut self, expected: char) -> Result<(), JsonError> {
        match self.peek() {
            Some(found) if found == expected => {
                self.next();
                Ok(())
            }
            Some(found) => Err(self.error(format!("expected `{expected}`, found `{found}`"))),
            None => Err(self.error(format!("expected `{expected}`, found the end of the text"))),
        }
    }

    fn value(&mut self) -> Result<Node, JsonError> {
        let (at, start) = (self.at, self.offset());
        let value = match self.peek() {
            Some('{') => self.nested(Self::object)?,
            Some('[') => self.nested(Self::list)?,
            Some('"') => Value::Text(self.string()?),
            Some('-' | '0'..='9') => Value::Number(self.number()?),
            Some('t') => self.word("true", Value::Bool(true))?,
            Some('f') => self.word("false", Value::Bool(false))?,
            Some('n') => self.word("null", Value::Null)?,
            Some(found) => return Err(self.error(format!("expected a value, found `{found}`"))),
            None => return Err(self.error("expected a value, found the end of the text")),
        };
        Ok(Node { value, at, span: (start, self.offset()) })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, JsonError>) -> Result<Value, JsonError> {
        if self.depth == DEPTH_MAX {
            return Err(self.error(format!("nested deeper than {DEPTH_MAX} levels")));
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.rest.starts_with(word) {
            return Err(self.error("expected a value"));
        }
        for _ in word.chars() {
            self.next();
        }
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, JsonError> {
        self.expect('{')?;
        let mut members = Vec::new();
        let mut keys = BTreeSet::new();
        self.skip_space();
        if self.peek() == Some('}') {
            self.next();
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let at = self.at;
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                return Err(JsonError { message: format!("the key `{key}` occurs twice"), at });
            }
            self.skip_space();
            self.expect(':')?;
            self.skip_space();
            let node = self.value()?;
            members.push(Member { key, at, node });
            self.skip_space();
            if self.peek() == Some(',') {
                self.next();
            } else {
                self.expect('}')?;
                return Ok(Value::Object(members));
            }
        }
    }

    fn list(&mut self) -> Result<Value, JsonError> {
        self.expect('[')?;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(']') {
            self.next();
            return Ok(Value::List(items));
        }
        loop {
            self.skip_space();
            items.push(self.value()?);
            self.skip_space();
            if self.peek() == Some(',') {
                self.next();
            } else {
                self.expect(']')?;
                return Ok(Value::List(items));
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape(at)?),
                Some(control @ '\0'..='\x1F') => {
                    let message = format!("control character U+{:04X} in a string", u32::from(control));
                    return Err(JsonError { message, at });
                }
                Some(other) => text.push(other),
                None => return Err(self.error("string without an end")),
            }
        }
    }

    fn escape(&mut self, at: Position) -> Result<char, JsonError> {
        let Some(kind) = self.next() else { return Err(self.error("string without an end")) };
        Ok(match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\u{8}',
            'f' => '\u{C}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode_escape(at),
            other => return Err(JsonError { message: format!("unknown escape `\\{other}`"), at }),
        })
    }

    fn unicode_escape(&mut self, at: Position) -> Result<char, JsonError> {
        let unpaired = || JsonError { message: "unpaired surrogate escape".to_owned(), at };
        let first = self.four_digits(at)?;
        let code = if (0xD800..0xDC00).contains(&first) {
            if self.next() != Some('\\') || self.next() != Some('u') {
                return Err(unpaired());
            }
            let second = self.four_digits(at)?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(unpaired());
            }
            0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(unpaired)
    }

    fn four_digits(&mut self, at: Position) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|digit| digit.to_digit(16));
            let Some(digit) = digit else {
                return Err(JsonError { message: "`\\u` needs four hexadecimal digits".to_owned(), at });
            };
            code = code * 16 + digit;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<String, JsonError> {
        let mut text = String::new();
        self.take_if(&mut text, |c| c == '-');
        if self.peek() == Some('0') {
            self.take_if(&mut text, |c| c == '0');
        } else {
            self.digits(&mut text)?;
        }
        if self.take_if(&mut text, |c| c == '.') {
            self.digits(&mut text)?;
        }
        if self.take_if(&mut text, |c| matches!(c, 'e' | 'E')) {
            self.take_if(&mut text, |c| matches!(c, '+' | '-'));
            self.digits(&mut text)?;
        }
        Ok(text)
    }

    fn digits(&mut self, text: &mut String) -> Result<(), JsonError> {
        if !self.take_if(text, |c| c.is_ascii_digit()) {
            return Err(self.error("expected a digit"));
        }
        while self.take_if(text, |c| c.is_ascii_digit()) {}
        Ok(())
    }

    fn take_if(&mut self, text: &mut String, wanted: impl Fn(char) -> bool) -> bool {
        match self.peek() {
            Some(found) if wanted(found) => {
                text.push(found);
                self.next();
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
