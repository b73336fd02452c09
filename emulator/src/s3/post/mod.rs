//! Uploads by an HTML form: `POST` of `multipart/form-data` to a bucket.
//!
//! The fields of a form say what headers say in a `PUT`, so a form becomes the head of one. What the form may say is held
//! against its policy first. Source: S3 API Reference "Browser-based uploads using POST", and recorded answers.

mod multipart;
mod policy;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;

use super::codec::names_subresource;
use super::document::Element;
use super::tagging::{Tagged, read_tags};
use crate::error::AwsError;
use crate::exchange::Address;
use crate::head::{Head, ReceivedHeaders, encode_path};
use crate::state::Tags;

/// Fields that become headers of the same name.
const HEADERS: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];
/// Fields that carry a signature and say nothing about the object.
const ABOUT_SIGNATURE: [&str; 5] =
    ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"];

/// A form with its file.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// Names in lower case, in the order received; the file is not among them.
    fields: Vec<(String, String)>,
    file: Bytes,
}

/// Whether a request is an upload by form, or would be one if it had the right content type.
pub(crate) fn is_form_post(head: &Head) -> bool {
    head.method == Method::POST && !names_subresource(head) && {
        let address = Address::of(head);
        address.bucket.is_some() && address.key.is_none()
    }
}

impl Form {
    /// Refuses what cannot be a form before its body is read.
    pub(crate) fn check_head(head: &Head) -> Result<(), AwsError> {
        let content_type = head.header("content-type").unwrap_or_default();
        if !content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
            return Err(AwsError::post_is_no_form());
        }
        if head.header("x-amz-security-token").is_some() {
            return Err(AwsError::access_denied("No AWSAccessKey was presented."));
        }
        Ok(())
    }

    /// Reads a body; what follows the file is ignored.
    pub(crate) fn parse(head: &Head, body: &Bytes) -> Result<Self, AwsError> {
        let content_type = head.header("content-type").unwrap_or_default();
        let boundary = multipart::boundary(content_type).ok_or_else(AwsError::malformed_post)?;
        let (fields, file) = multipart::parse(body, &boundary)?;
        let Some(file) = file else {
            let text = "POST requires exactly one file upload per request.";
            return Err(AwsError::invalid_argument(text, "file", "0"));
        };
        let mut form = Self { fields, file: file.content };
        if form.field("key").is_none_or(str::is_empty) {
            return Err(AwsError::missing_form_field("key"));
        }
        if let Some(name) = file.name {
            let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
            for (_, value) in &mut form.fields {
                *value = value.replace("${filename}", name);
            }
        }
        Ok(form)
    }

    /// The first field of a name, which is given in lower case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn key(&self) -> &str {
        self.field("key").unwrap_or_default()
    }

    pub(crate) fn file(&self) -> Bytes {
        self.file.clone()
    }

    /// Holds the form against the policy that came with it; whoever signed wants no other form sent.
    pub(crate) fn check_policy(&self, head: &Head, now: Timestamp) -> Result<(), AwsError> {
        let Some(text) = self.field("policy") else { return Ok(()) };
        let bucket = Address::of(head).bucket.unwrap_or_default();
        policy::Policy::parse(text)?.check(self, &bucket, now)
    }

    /// The head of a `PUT` that says the same; the headers of the request count only where they are about the client.
    pub(crate) fn head(&self, posted: &Head) -> Head {
        let mut head = posted.clone();
        let about_client = |name: &HeaderName| {
            !name.as_str().starts_with("x-amz-")
                && !HEADERS.contains(&name.as_str())
                && !matches!(name.as_str(), "content-length" | "content-md5" | "authorization")
        };
        head.headers = ReceivedHeaders::default();
        let about_client = posted
            .headers
            .iter()
            .filter(|(name, _)| about_client(name) || name.as_str() == "x-amz-expected-bucket-owner");
        for (name, value) in about_client {
            head.headers.append(name.clone(), value.clone());
        }
        for (name, value) in &self.fields {
            let header = match name.as_str() {
                "acl" => "x-amz-acl",
                name if HEADERS.contains(&name) || name == "content-md5" => name,
                name if name.starts_with("x-amz-") && !ABOUT_SIGNATURE.contains(&name) => name,
                _ => continue,
            };
            if let (Ok(header), Ok(value)) =
                (HeaderName::try_from(header), HeaderValue::from_bytes(value.trim().as_bytes()))
            {
                head.headers.insert(header, value);
            }
        }
        head
    }

    /// The tags of the field `tagging`, a document; one of another kind brings none.
    pub(crate) fn tags(&self) -> Option<Result<Tags, AwsError>> {
        let text = self.field("tagging")?;
        Some(Element::parse_any(text.as_bytes()).and_then(|root| {
            if root.name() != "Tagging" {
                return Ok(Tags::default());
            }
            read_tags(root.required("TagSet")?, Tagged::Object)
        }))
    }

    /// What the client wants to be told.
    pub(crate) fn success(&self) -> Success<'_> {
        let redirect = self.field("success_action_redirect").or_else(|| self.field("redirect"));
        let is_url = |url: &&str| url.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some());
        match (redirect.filter(is_url), self.field("success_action_status")) {
            (Some(url), _) => Success::Redirect(url),
            (None, Some("200")) => Success::Ok,
            (None, Some("201")) => Success::Created,
            // Any other status is answered like none.
            (None, _) => Success::NoContent,
        }
    }
}

/// How a form wants to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Success<'a> {
    NoContent,
    Ok,
    /// With a document.
    Created,
    /// To a URL that is told the object.
    Redirect(&'a str),
}

/// Where the object is, for the answer to a form.
pub(crate) fn location(head: &Head, key: &str) -> String {
    let bucket = match &head.bucket_in_host {
        Some(_) => String::new(),
        None => format!("/{}", Address::of(head).bucket.unwrap_or_default()),
    };
    format!("{}://{}{bucket}/{}", head.scheme(), head.host(), encode_path(key))
}
