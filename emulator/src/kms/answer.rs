//! The answer of an operation.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::word::refuse;
use crate::error::AwsError;

/// The members of an answer; many operations answer nothing at all.
///
/// Not shown by `Debug`: a plaintext may be among them.
#[derive(Default)]
pub(super) struct Answer(Option<Map<String, Value>>);

impl Answer {
    pub(super) fn empty() -> Self {
        Self(None)
    }

    pub(super) fn new() -> Self {
        Self(Some(Map::new()))
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.get_or_insert_default().insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn with_blob(self, name: &str, bytes: &[u8]) -> Self {
        self.with(name, STANDARD.encode(bytes))
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.0.map_or_else(Bytes::new, |members| Bytes::from(Value::Object(members).to_string()))
    }
}

impl From<Answer> for Value {
    fn from(answer: Answer) -> Self {
        Self::Object(answer.0.unwrap_or_default())
    }
}

/// An instant in seconds, with milliseconds behind the point.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of any year are far below 2^53")]
pub(super) fn epoch_seconds(instant: Timestamp) -> f64 {
    instant.as_millisecond() as f64 / 1000.0
}

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    next: Option<String>,
}

/// Which page is asked for.
#[derive(Debug)]
pub(super) struct PageRequest {
    pub(super) limit: usize,
    pub(super) marker: Option<String>,
}

impl PageRequest {
    /// Cuts a page out of `items`, which are in the order of their `name`s.
    ///
    /// A marker holds the name of the last item shown, so a list may change between two pages.
    pub(super) fn page<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        name: impl Fn(&T) -> String,
    ) -> Result<Page<T>, AwsError> {
        let after = self.marker.as_deref().map(read_marker).transpose()?;
        let mut rest =
            items.into_iter().filter(|item| after.as_ref().is_none_or(|after| name(item) > *after));
        let page: Vec<T> = rest.by_ref().take(self.limit).collect();
        let next = rest.next().and_then(|_| page.last()).map(|last| STANDARD.encode(name(last)));
        Ok(Page { items: page, next })
    }
}

/// What this says of a marker that no page gave is unverified.
fn read_marker(marker: &str) -> Result<String, AwsError> {
    STANDARD
        .decode(marker)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| refuse("InvalidMarkerException", "The marker is not valid."))
}

impl<T> Page<T> {
    /// The answer that shows this page under `name`.
    pub(super) fn answer(self, name: &str, show: impl Fn(T) -> Value) -> Answer {
        let items: Vec<Value> = self.items.into_iter().map(show).collect();
        let answer = Answer::new().with(name, items).with("Truncated", self.next.is_some());
        match self.next {
            Some(marker) => answer.with("NextMarker", marker),
            None => answer,
        }
    }
}
