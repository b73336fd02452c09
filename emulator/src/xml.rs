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

/// How every document of AWS begins: the root stands on a line of its own.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// The documents that `s3s` writes without their name space.
const WITHOUT_NAMESPACE: [&str; 5] =
    ["CopyObjectResult", "CopyPartResult", "LegalHold", "ObjectLockConfiguration", "Retention"];

/// A document as AWS writes it, from one without a break after its declaration, whose text may hold control characters.
pub(crate) fn finish_document(xml: Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(&xml) else { return xml };
    let root = text.strip_prefix(DECLARATION).filter(|root| !root.starts_with('\n'));
    match root {
        None if !has_forbidden(text) => xml,
        None => Bytes::from(escape_controls(text)),
        Some(root) => {
            let mut finished = String::with_capacity(text.len() + 1);
            finished.push_str(DECLARATION);
            finished.push('\n');
            let bare = WITHOUT_NAMESPACE.iter().find_map(|name| {
                let rest = root.strip_prefix('<')?.strip_prefix(name)?.strip_prefix('>')?;
                Some((name, rest))
            });
            let root = bare.map_or(root, |(name, rest)| {
                let _infallible =
                    write!(finished, "<{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
                rest
            });
            if has_forbidden(root) {
                finished.push_str(&escape_controls(root));
            } else {
                finished.push_str(root);
            }
            Bytes::from(finished)
        }
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

/// Whether there is something to escape; nearly always there is not, which blocks of bytes tell at once.
fn has_forbidden(text: &str) -> bool {
    // The two characters beyond ASCII begin with this byte.
    let may_be = |byte: &u8| (*byte < b' ' && !matches!(byte, b'\t' | b'\n')) || *byte == 0xEF;
    let any = |block: &[u8]| block.iter().fold(false, |found, byte| found | may_be(byte));
    let (blocks, rest) = text.as_bytes().as_chunks::<64>();
    (blocks.iter().any(|block| any(block)) || any(rest)) && text.contains(is_forbidden)
}

/// Not allowed, or, like a carriage return, turned into something else by every parser.
fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests {
    use super::{escape_text, finish_document};

    #[test]
    fn what_xml_cannot_hold_becomes_an_entity() {
        assert_eq!(escape_text("a\u{1}b\r<&>'\"\t\n"), "a&#x1;b&#xD;&lt;&amp;&gt;'&quot;\t\n");
        assert_eq!(finish_document("<a>\u{0}</a>".into()), "<a>&#x0;</a>");
        assert_eq!(finish_document("<a>é\u{FFFD}</a>".into()), "<a>é\u{FFFD}</a>");
        let long = format!("<a>{}\u{FFFE}\r</a>", "k".repeat(200));
        assert!(finish_document(long.into()).ends_with(b"k&#xFFFE;&#xD;</a>"));
    }

    #[test]
    fn the_root_stands_on_a_line_of_its_own() {
        let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        let namespaced =
            "<CopyPartResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><a/></CopyPartResult>";
        for (given, root) in [
            ("<a/>", "<a/>"),
            ("\n<a/>", "<a/>"),
            ("<a>\u{0}</a>", "<a>&#x0;</a>"),
            ("<CopyPartResult><a/></CopyPartResult>", namespaced),
        ] {
            let finished = finish_document(format!("{declaration}{given}").into());
            assert_eq!(finished, format!("{declaration}\n{root}"));
        }
    }
}
