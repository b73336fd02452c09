//! XML documents of requests and answers, as trees.
//!
//! `s3s` routes the requests that set something of a bucket or object, but drops elements that it does not know. What is
//! to be stored and told again is therefore read here: an element that the schema does not have is refused.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::error::AwsError;
use crate::xml::escape_text;

/// How deep the elements of a document may lie; no schema of S3 goes further.
const DEPTH_MAX: usize = 16;
/// The name space of S3's documents.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// What travels as an XML document.
pub(crate) trait Document: Sized {
    /// The name of the outermost element.
    const ROOT: &'static str;

    /// Reads what stands in the outermost element.
    fn read(root: &Element) -> Result<Self, AwsError>;

    /// Writes it as the outermost element.
    fn write(&self) -> Element;

    /// Reads a whole body.
    fn parse(body: &[u8]) -> Result<Self, AwsError> {
        Self::read(&Element::parse(body, Self::ROOT)?)
    }
}

/// An element with its children, or with its text.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Element {
    /// Without the prefix of a name space.
    name: String,
    /// The value of `xsi:type`, by which grantees tell what they are.
    kind: Option<String>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// An element that holds a text.
    pub(crate) fn of_text(name: &str, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::new(name) }
    }

    /// Reads a document, whatever it is.
    pub(crate) fn parse_any(body: &[u8]) -> Result<Self, AwsError> {
        let text = std::str::from_utf8(body).map_err(|_| AwsError::malformed_xml())?;
        read_tree(text).ok_or_else(AwsError::malformed_xml)
    }

    /// Reads a document; its outermost element must be called `root`.
    pub(crate) fn parse(body: &[u8], root: &str) -> Result<Self, AwsError> {
        let element = Self::parse_any(body)?;
        if element.name == root { Ok(element) } else { Err(AwsError::malformed_xml()) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn children(&self) -> &[Self] {
        &self.children
    }

    /// The value of `xsi:type`.
    pub(crate) fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// Refuses children that are not called one of `names`, and text beside children.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), AwsError> {
        let known = self.children.iter().all(|child| names.contains(&child.name.as_str()));
        let bare = self.text.chars().all(char::is_whitespace);
        if known && bare { Ok(()) } else { Err(AwsError::malformed_xml()) }
    }

    /// The child of that name, of which there may be one.
    pub(crate) fn child(&self, name: &str) -> Result<Option<&Self>, AwsError> {
        let mut found = self.all(name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(AwsError::malformed_xml()),
            (child, None) => Ok(child),
        }
    }

    /// The child of that name, of which there must be one.
    pub(crate) fn required(&self, name: &str) -> Result<&Self, AwsError> {
        self.child(name)?.ok_or_else(AwsError::malformed_xml)
    }

    /// All children of that name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of an element that has no children.
    pub(crate) fn leaf(&self) -> Result<&str, AwsError> {
        if self.children.is_empty() { Ok(&self.text) } else { Err(AwsError::malformed_xml()) }
    }

    /// The text of the child of that name, of which there may be one.
    pub(crate) fn value(&self, name: &str) -> Result<Option<&str>, AwsError> {
        self.child(name)?.map(Self::leaf).transpose()
    }

    /// The text of the child of that name, of which there must be one.
    pub(crate) fn required_value(&self, name: &str) -> Result<&str, AwsError> {
        self.required(name)?.leaf()
    }

    /// The texts of all children of that name.
    pub(crate) fn values(&self, name: &str) -> Result<Vec<String>, AwsError> {
        self.all(name).map(|child| child.leaf().map(str::to_owned)).collect()
    }

    /// Says what a grantee is, in `xsi:type`.
    pub(crate) fn with_kind(mut self, kind: &str) -> Self {
        self.kind = Some(kind.to_owned());
        self
    }

    /// Adds a child.
    pub(crate) fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Adds children.
    pub(crate) fn with_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Adds a child that holds a text.
    pub(crate) fn with_text(self, name: &str, text: impl Into<String>) -> Self {
        self.with(Self::of_text(name, text))
    }

    /// Adds a child that holds a text, if there is one.
    pub(crate) fn with_some(self, name: &str, text: Option<impl Into<String>>) -> Self {
        match text {
            Some(text) => self.with_text(name, text),
            None => self,
        }
    }

    /// The document as bytes, as AWS writes it: one line after the declaration.
    pub(crate) fn document(&self) -> String {
        self.document_in(NAMESPACE)
    }

    /// The same in the name space of another service.
    pub(crate) fn document_in(&self, namespace: &str) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.push(&mut xml, Some(namespace));
        xml
    }

    /// The document without a name space.
    pub(crate) fn plain_document(&self) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.push(&mut xml, None);
        xml
    }

    fn push(&self, xml: &mut String, namespace: Option<&str>) {
        xml.push('<');
        xml.push_str(&self.name);
        if let Some(namespace) = namespace {
            let _infallible = write!(xml, " xmlns=\"{namespace}\"");
        }
        if let Some(kind) = &self.kind {
            let instance = "http://www.w3.org/2001/XMLSchema-instance";
            let kind = escape_text(kind);
            let _infallible = write!(xml, " xmlns:xsi=\"{instance}\" xsi:type=\"{kind}\"");
        }
        if self.children.is_empty() && self.text.is_empty() {
            xml.push_str("/>");
            return;
        }
        xml.push('>');
        xml.push_str(&escape_text(if self.children.is_empty() { &self.text } else { "" }));
        for child in &self.children {
            child.push(xml, None);
        }
        xml.push_str("</");
        xml.push_str(&self.name);
        xml.push('>');
    }
}

/// Reads the one outermost element; absent if the text is not well-formed or holds a document type.
fn read_tree(text: &str) -> Option<Element> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let closed = match reader.read_event().ok()? {
            Event::Start(start) => {
                if root.is_some() || open.len() >= DEPTH_MAX {
                    return None;
                }
                open.push(begin(&start)?);
                continue;
            }
            Event::Empty(start) => {
                if root.is_some() || open.len() >= DEPTH_MAX {
                    return None;
                }
                begin(&start)?
            }
            Event::End(_) => open.pop()?,
            Event::Text(text) => {
                add_text(&mut open, &text.decode().ok()?)?;
                continue;
            }
            Event::CData(data) => {
                add_text(&mut open, &data.decode().ok()?)?;
                continue;
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().ok()?;
                let text = quick_xml::escape::unescape(&format!("&{name};")).ok()?.into_owned();
                add_text(&mut open, &text)?;
                continue;
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => continue,
            Event::DocType(_) => return None,
            Event::Eof => break,
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => root = Some(closed),
        }
    }
    root.filter(|_| open.is_empty())
}

fn begin(start: &BytesStart<'_>) -> Option<Element> {
    let name = std::str::from_utf8(start.local_name().into_inner()).ok()?.to_owned();
    let mut element = Element { name, ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        if attribute.key.local_name().into_inner() == b"type" {
            let raw = std::str::from_utf8(&attribute.value).ok()?;
            element.kind = Some(quick_xml::escape::unescape(raw).ok()?.into_owned());
        }
    }
    Some(element)
}

/// Outside of all elements only white space may stand.
fn add_text(open: &mut [Element], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.chars().all(char::is_whitespace) => {}
        None => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn a_document_is_read_and_written() {
        let text = "<?xml version=\"1.0\"?>\n<a:Tags xmlns:a=\"x\"><Tag><Key> a&amp;b &#x41;</Key></Tag><Tag/></a:Tags>\n";
        let element = Element::parse(text.as_bytes(), "Tags").unwrap();
        assert_eq!(element.all("Tag").count(), 2);
        assert_eq!(element.children()[0].required_value("Key").unwrap(), " a&b A");
        assert!(element.required("Tag").is_err(), "two where one is expected");
        assert!(element.only(&["Key"]).is_err());
        assert_eq!(
            element.document(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Tags xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Tag><Key> a&amp;b A</Key></Tag><Tag/></Tags>"
        );
    }

    #[test]
    fn what_is_not_a_document_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(17), "</a>".repeat(17));
        let refused = [
            "",
            "a",
            "<a>",
            "<a></b>",
            "<a/><a/>",
            "<a/>text",
            "<!DOCTYPE a><a/>",
            "<a>&x;</a>",
            "<b/>",
            &deep,
        ];
        for text in refused {
            assert!(Element::parse(text.as_bytes(), "a").is_err(), "{text}");
        }
    }
}
