//! Headers as the journal keeps them.

use std::fmt;

/// The headers of a request or an answer in their order, without secrets: what stood for one is `[redacted]`.
///
/// They are kept as one text, a line for each: of a test's requests few are ever looked at.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    text: Box<str>,
}

impl Headers {
    /// The names, lower-case, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text.lines().filter_map(|line| line.split_once(": "))
    }

    /// The first value of a header; its name in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }
}

/// As pairs, for assertions to show.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Writes [`Headers`]; neither names nor values of HTTP have line breaks.
#[derive(Debug)]
pub(super) struct Writer(String);

impl Writer {
    /// With room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        for part in [name, ": ", value, "\n"] {
            self.0.push_str(part);
        }
    }

    pub(super) fn finish(self) -> Headers {
        Headers { text: self.0.into_boxed_str() }
    }
}
