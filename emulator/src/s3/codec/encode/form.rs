//! Answers to uploads by form.

use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::encryption_headers;
use crate::exchange::Address;
use crate::head::{Head, encode};
use crate::s3::document::Element;
use crate::s3::object::Written;
use crate::s3::post::{Form, Success, location};
use crate::state::Content;

pub(in crate::s3::codec) fn post_object(head: &Head, form: &Form, written: &Written) -> Response<Content> {
    let bucket = Address::of(head).bucket.unwrap_or_default();
    let (key, etag) = (form.key(), format!("\"{}\"", written.etag));
    let location = location(head, key);
    let mut response = Response::new(Content::default());
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    set("etag", &etag);
    set("location", &location);
    for (name, value) in encryption_headers(head, &written.attributes.encryption) {
        set(name, &value);
    }
    if let Some(expiration) = &written.expiration {
        set("x-amz-expiration", expiration);
    }
    if let Some(checksum) = &written.checksum {
        let algorithm = checksum.algorithm.name().to_ascii_lowercase();
        if let (Ok(name), Ok(value)) = (
            format!("x-amz-checksum-{algorithm}").parse::<HeaderName>(),
            HeaderValue::from_str(&checksum.value),
        ) {
            response.headers_mut().insert(name, value);
        }
        let kind = HeaderValue::from_static(checksum.kind.name());
        response.headers_mut().insert("x-amz-checksum-type", kind);
    }
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    if let Some(version) = &written.version {
        set("x-amz-version-id", version.as_str());
    }
    match form.success() {
        Success::Ok => {}
        Success::NoContent => *response.status_mut() = StatusCode::NO_CONTENT,
        Success::Redirect(url) => {
            let joint = if url.contains('?') { '&' } else { '?' };
            let (bucket, key, etag) = (encode(&bucket), encode(key), encode(&etag));
            set("location", &format!("{url}{joint}bucket={bucket}&key={key}&etag={etag}"));
            *response.status_mut() = StatusCode::SEE_OTHER;
        }
        Success::Created => {
            set("content-type", "application/xml");
            let document = Element::new("PostResponse")
                .with_text("Location", location)
                .with_text("Bucket", bucket)
                .with_text("Key", key)
                .with_text("ETag", etag);
            *response.status_mut() = StatusCode::CREATED;
            *response.body_mut() = Content::from(bytes::Bytes::from(document.plain_document()));
        }
    }
    response
}
