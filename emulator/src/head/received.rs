//! The headers of a request, most of which are asked for and absent.

use std::ops::Deref;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers that can tell of most names at a glance that they are not there.
///
/// A request is asked for some hundred headers and has ten: each answer of the map would take a hash.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReceivedHeaders {
    map: HeaderMap,
    /// A bit for the shape of each name that is there, or was.
    shapes: u64,
}

impl ReceivedHeaders {
    /// The first value of a header; its name in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&HeaderValue> {
        if self.shapes & bit(name) == 0 { None } else { self.map.get(name) }
    }

    pub(crate) fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        self.shapes |= bit(name.as_str());
        self.map.insert(name, value);
    }

    pub(crate) fn insert_if_absent(&mut self, name: HeaderName, value: HeaderValue) {
        self.shapes |= bit(name.as_str());
        self.map.entry(name).or_insert(value);
    }

    pub(crate) fn append(&mut self, name: HeaderName, value: HeaderValue) {
        self.shapes |= bit(name.as_str());
        self.map.append(name, value);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.map.remove(name);
    }
}

impl From<HeaderMap> for ReceivedHeaders {
    fn from(map: HeaderMap) -> Self {
        let shapes = map.keys().fold(0, |shapes, name| shapes | bit(name.as_str()));
        Self { map, shapes }
    }
}

impl Deref for ReceivedHeaders {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        &self.map
    }
}

fn bit(name: &str) -> u64 {
    1 << shape(name)
}

/// How many shapes names have.
pub(crate) const SHAPES: usize = 64;

/// The shape of a name in any case, a number below [`SHAPES`]: by its length and a few of its bytes.
pub(crate) fn shape(name: &str) -> usize {
    let bytes = name.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default() | 0x20;
    let (last, middle) = (byte(bytes.len().wrapping_sub(1)), byte(bytes.len() / 2));
    let mixed = (bytes.len() as u64).wrapping_mul(11) ^ u64::from(last).wrapping_mul(5) ^ u64::from(middle);
    usize::try_from(mixed).unwrap_or_default() % SHAPES
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::ReceivedHeaders;

    #[test]
    fn what_is_there_is_found() {
        let names = ["host", "x-amz-date", "x-amz-meta-a", "content-length", "etag"];
        let value = HeaderValue::from_static("v");
        let mut map = HeaderMap::new();
        map.insert("host", value.clone());
        let mut headers = ReceivedHeaders::from(map);
        for name in names {
            headers.insert_if_absent(name.parse().unwrap(), value.clone());
        }
        headers.append("a".parse().unwrap(), value.clone());
        headers.insert("b".parse().unwrap(), value.clone());
        for name in names.into_iter().chain(["a", "b"]) {
            assert_eq!(headers.get(name), Some(&value), "{name}");
        }
        headers.remove("a");
        assert_eq!((headers.get("a"), headers.get("absent"), headers.get("")), (None, None, None));
    }
}
