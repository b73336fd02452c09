//! Answers as trees of named values, and their XML.

use bytes::Bytes;
use http::{HeaderValue, Response};
use jiff::Timestamp;

use crate::ids::RequestIds;
use crate::operation::Op;
use crate::xml::escape_text;

/// Named values in wire order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(&'static str, Value)>);

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Fields(Fields),
    List(Vec<Value>),
    Map(Vec<(String, String)>),
}

impl Fields {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers hand in what they have just made, too")]
    pub(crate) fn text(mut self, name: &'static str, value: impl ToString) -> Self {
        self.0.push((name, Value::Text(value.to_string())));
        self
    }

    pub(crate) fn some(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// An instant without its fraction: `2026-01-01T00:00:00Z`.
    pub(crate) fn time(self, name: &'static str, instant: Timestamp) -> Self {
        self.text(name, crate::instant::extended(instant))
    }

    pub(crate) fn fields(mut self, name: &'static str, value: Fields) -> Self {
        self.0.push((name, Value::Fields(value)));
        self
    }

    /// A list of structures.
    pub(crate) fn list(mut self, name: &'static str, members: impl IntoIterator<Item = Fields>) -> Self {
        self.0.push((name, Value::List(members.into_iter().map(Value::Fields).collect())));
        self
    }

    /// A list of texts.
    pub(crate) fn texts(
        mut self,
        name: &'static str,
        members: impl IntoIterator<Item = impl ToString>,
    ) -> Self {
        let members = members.into_iter().map(|member| Value::Text(member.to_string())).collect();
        self.0.push((name, Value::List(members)));
        self
    }

    /// A map, as entries of key and value.
    pub(crate) fn map(
        mut self,
        name: &'static str,
        entries: impl IntoIterator<Item = (impl Into<String>, String)>,
    ) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        self.0.push((name, Value::Map(entries)));
        self
    }

    /// These fields, then those of `more`.
    pub(crate) fn and(mut self, more: Fields) -> Self {
        self.0.extend(more.0);
        self
    }

    fn write(&self, xml: &mut String, depth: usize) {
        for (name, value) in &self.0 {
            value.write(xml, depth, name);
        }
    }
}

impl Value {
    fn write(&self, xml: &mut String, depth: usize, name: &str) {
        let indent = "  ".repeat(depth);
        let open = |xml: &mut String| xml.extend([indent.as_str(), "<", name, ">\n"]);
        let close = |xml: &mut String| xml.extend([indent.as_str(), "</", name, ">\n"]);
        match self {
            Self::Text(text) => {
                xml.extend([indent.as_str(), "<", name, ">", &escape_text(text), "</", name, ">\n"]);
            }
            _ if self.is_empty() => xml.extend([indent.as_str(), "<", name, "/>\n"]),
            Self::Fields(fields) => {
                open(xml);
                fields.write(xml, depth + 1);
                close(xml);
            }
            Self::List(members) => {
                open(xml);
                for member in members {
                    member.write(xml, depth + 1, "member");
                }
                close(xml);
            }
            Self::Map(entries) => {
                open(xml);
                for (key, value) in entries {
                    let entry = Fields::new().text("key", key).text("value", value);
                    Self::Fields(entry).write(xml, depth + 1, "entry");
                }
                close(xml);
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Fields(fields) => fields.0.is_empty(),
            Self::List(members) => members.is_empty(),
            Self::Map(entries) => entries.is_empty(),
        }
    }
}

/// The answer of an operation; without a result only the id of the request is told.
pub(crate) fn answer(op: Op, namespace: &str, result: Option<Fields>, ids: &RequestIds) -> Response<Bytes> {
    let name = op.name();
    let mut xml = format!("<{name}Response xmlns=\"{namespace}\">\n");
    if let Some(result) = result {
        Value::Fields(result).write(&mut xml, 1, &format!("{name}Result"));
    }
    let id = Fields::new().text("RequestId", &ids.uuid);
    Value::Fields(id).write(&mut xml, 1, "ResponseMetadata");
    xml.extend(["</", name, "Response>\n"]);
    let mut response = Response::new(Bytes::from(xml));
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}
