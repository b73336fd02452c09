//! Lists in pages: `MaxItems`, `Marker`, `IsTruncated`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::AwsError;
use crate::query::{Fields, Reader, Text};

const MAX_ITEMS: i64 = 1000;
const MAX_ITEMS_DEFAULT: usize = 100;

/// Which page of a list is asked for.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// The key of the last entry of the page before.
    after: Option<String>,
    max: usize,
}

impl Page {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let max = reader.number("MaxItems", 1, MAX_ITEMS).and_then(|max| usize::try_from(max).ok());
        let marker = reader.optional("Marker", Text::of(1, 320));
        let decode = |marker: &String| String::from_utf8(URL_SAFE_NO_PAD.decode(marker).ok()?).ok();
        let after = marker.as_ref().and_then(decode);
        if marker.is_some() && after.is_none() {
            // The text is unverified.
            reader.refuse(AwsError::validation("Invalid Marker."));
        }
        Self { after, max: max.unwrap_or(MAX_ITEMS_DEFAULT) }
    }

    /// The entries of this page, of a list in the order of its keys; the marker of the next page, if there is one.
    pub(super) fn of<T>(&self, all: impl Iterator<Item = (String, T)>) -> (Vec<T>, Option<String>) {
        let mut entries = Vec::new();
        let mut last = None;
        for (key, entry) in all {
            if self.after.as_ref().is_some_and(|after| key <= *after) {
                continue;
            }
            if entries.len() == self.max {
                return (entries, last.map(|last: String| URL_SAFE_NO_PAD.encode(last)));
            }
            entries.push(entry);
            last = Some(key);
        }
        (entries, None)
    }

    /// A page of structures as it is answered.
    pub(super) fn list(&self, name: &'static str, list: impl Iterator<Item = (String, Fields)>) -> Fields {
        let (entries, marker) = self.of(list);
        Self::ends(Fields::new().list(name, entries), marker)
    }

    /// A page of names as it is answered.
    pub(super) fn names<'n>(&self, name: &'static str, list: impl Iterator<Item = &'n str>) -> Fields {
        let (entries, marker) = self.of(list.map(|name| (name.to_owned(), name)));
        Self::ends(Fields::new().texts(name, entries), marker)
    }

    pub(super) fn ends(fields: Fields, marker: Option<String>) -> Fields {
        fields.text("IsTruncated", marker.is_some()).some("Marker", marker)
    }
}
