//! From a refusal to bytes, once per protocol.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};

use super::AwsError;
use crate::ids::RequestIds;
use crate::xml;

/// How a service words its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// S3: `<Error>` without indentation.
    RestXml,
    /// S3 Control: an `<Error>` as S3 words it, within `<ErrorResponse>`.
    S3Control,
    /// STS and IAM: `<ErrorResponse>`, indented.
    Query {
        /// The XML name space of the service's own errors.
        namespace: &'static str,
    },
    /// KMS: JSON 1.1.
    Json,
    /// SQS: JSON 1.0, with the code of the older query protocol in a header.
    QueueJson,
}

impl AwsError {
    /// The response for a request made with `method`; HEAD answers and 304 have no body.
    pub(crate) fn render(&self, protocol: Protocol, method: &Method, ids: &RequestIds) -> Response<Bytes> {
        let bodiless = *method == Method::HEAD || self.status == StatusCode::NOT_MODIFIED;
        let (content_type, body) = match protocol {
            Protocol::RestXml => ("application/xml", self.rest_xml(ids)),
            Protocol::S3Control => ("application/xml", self.control_xml(ids)),
            Protocol::Query { namespace } => ("text/xml", self.query_xml(namespace, ids)),
            Protocol::Json => ("application/x-amz-json-1.1", self.json()),
            Protocol::QueueJson => ("application/x-amz-json-1.0", self.queue_json()),
        };
        let mut response = Response::new(if bodiless { Bytes::new() } else { Bytes::from(body) });
        *response.status_mut() = self.status;
        if self.status != StatusCode::NOT_MODIFIED {
            response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if protocol == Protocol::QueueJson
            && let Ok(code) = HeaderValue::from_str(&format!("{};Sender", self.code))
        {
            response.headers_mut().insert("x-amzn-query-error", code);
        }
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(*name, value);
            }
        }
        response
    }

    /// The page of the website endpoint, as AWS writes it; `custom` tells why the site's own page is not shown.
    pub(crate) fn html(&self, custom: Option<&Self>, ids: &RequestIds) -> String {
        let title = format!("{} {}", self.status.as_u16(), self.status.canonical_reason().unwrap_or("Error"));
        let items = |error: &Self| {
            let mut html = String::new();
            let named = [("Code", error.code.as_ref()), ("Message", error.message.as_str())];
            let details = error.details.iter().map(|(name, value)| (name.as_ref(), value.as_str()));
            for (name, value) in named.into_iter().chain(details) {
                push_item(&mut html, name, value);
            }
            html
        };
        let mut html = format!(
            "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n{}",
            items(self)
        );
        push_item(&mut html, "RequestId", &ids.request_id);
        push_item(&mut html, "HostId", &ids.host_id);
        html.push_str("</ul>\n");
        if let Some(custom) = custom {
            html.push_str(
                "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n",
            );
            html.push_str(&items(custom));
            html.push_str("</ul>\n");
        }
        html.push_str("<hr/>\n</body>\n</html>\n");
        html
    }

    fn rest_xml(&self, ids: &RequestIds) -> String {
        let mut xml = String::with_capacity(512);
        xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        self.push_elements(&mut xml);
        push_ids(&mut xml, ids);
        xml.push_str("</Error>");
        xml
    }

    fn control_xml(&self, ids: &RequestIds) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ErrorResponse><Error>");
        self.push_elements(&mut xml);
        xml.push_str("</Error>");
        push_ids(&mut xml, ids);
        xml.push_str("</ErrorResponse>");
        xml
    }

    fn push_elements(&self, xml: &mut String) {
        push_element(xml, "Code", &self.code);
        push_element(xml, "Message", &self.message);
        for (name, value) in &self.details {
            push_element(xml, name, value);
        }
    }

    fn query_xml(&self, namespace: &str, ids: &RequestIds) -> String {
        let party = if self.status.is_server_error() { "Receiver" } else { "Sender" };
        format!(
            "<ErrorResponse xmlns=\"{namespace}\">\n  <Error>\n    <Type>{party}</Type>\n    <Code>{}</Code>\n    \
             <Message>{}</Message>\n  </Error>\n  <RequestId>{}</RequestId>\n</ErrorResponse>\n",
            xml::escape_text(&self.code),
            xml::escape_text(&self.message),
            ids.uuid,
        )
    }

    fn queue_json(&self) -> String {
        let shape = crate::sqs::shape_of(&self.code);
        serde_json::json!({ "__type": format!("com.amazonaws.sqs#{shape}"), "message": self.message })
            .to_string()
    }

    fn json(&self) -> String {
        let mut members = serde_json::json!({ "__type": self.code });
        // Recorded: an exception without words has no such member.
        if let Some(members) = members.as_object_mut().filter(|_| !self.message.is_empty()) {
            members.insert("message".to_owned(), self.message.as_str().into());
        }
        members.to_string()
    }
}

fn push_ids(xml: &mut String, ids: &RequestIds) {
    push_element(xml, "RequestId", &ids.request_id);
    push_element(xml, "HostId", &ids.host_id);
}

fn push_element(xml: &mut String, name: &str, value: &str) {
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    xml.push_str(&xml::escape_text(value));
    xml.push_str("</");
    xml.push_str(name);
    xml.push('>');
}

fn push_item(html: &mut String, name: &str, value: &str) {
    html.push_str("<li>");
    html.push_str(&xml::escape_text(name));
    html.push_str(": ");
    html.push_str(&xml::escape_text(value));
    html.push_str("</li>\n");
}
