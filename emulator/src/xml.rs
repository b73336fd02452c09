//! Text in XML, also text that XML cannot hold.
//!
//! An object key may hold any character. Those that XML forbids are written as numeric entities, as AWS does; strict
//! parsers refuse them, which is why listings offer `encoding-type=url`.

use std::fmt::Write as _;

use bytes::Bytes;

/// A text as the content of an element; like AWS, with apostrophes as they are.
pub(crate) fn escape_text(text: &str) -> String {
    escape_controls(&quick_xml::escape::partial_escape(text).replace('"', "&quot;"))
}

/// A document whose text may hold control characters that its writer let pass.
pub(crate) fn escape_document(xml: Bytes) -> Bytes {
    match std::str::from_utf8(&xml) {
        Ok(text) if text.contains(is_forbidden) => Bytes::from(escape_controls(text)),
        _ => xml,
    }
}

fn escape_controls(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_forbidden(character) {
            let _infallible = write!(escaped, "&#x{:X};", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Not allowed, or, like a carriage return, turned into something else by every parser.
fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests {
    use super::{escape_document, escape_text};

    #[test]
    fn what_xml_cannot_hold_becomes_an_entity() {
        assert_eq!(escape_text("a\u{1}b\r<&>'\"\t\n"), "a&#x1;b&#xD;&lt;&amp;&gt;'&quot;\t\n");
        assert_eq!(escape_document("<a>\u{0}</a>".into()), "<a>&#x0;</a>");
        assert_eq!(escape_document("<a>é</a>".into()), "<a>é</a>");
    }
}
