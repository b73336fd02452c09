//! Documents that `s3s` gets in place of those that came: its parser refuses what it does not know, knows neither
//! prefixes nor `CDATA`, and does not look behind the end.

use std::borrow::Cow;

use http::Method;

use crate::head::Head;
use crate::s3::Element;

/// What the parser is given in place of the body of this request, so that it lets the request pass.
pub(crate) fn stand_in(head: &Head, body: &[u8]) -> Option<Cow<'static, str>> {
    let is_put = |parameter: &str| head.method == Method::PUT && head.parameter(parameter).is_some();
    let is_posted = |parameter: &str| head.method == Method::POST && head.parameter(parameter).is_some();
    if is_put("encryption") {
        // It does not know blocked encryption types.
        let text = "<ServerSideEncryptionConfiguration><Rule></Rule></ServerSideEncryptionConfiguration>";
        return Some(text.into());
    }
    if is_put("tagging") {
        // It asks for the set, which may be missing.
        return Some("<Tagging><TagSet></TagSet></Tagging>".into());
    }
    let completes = is_posted("uploadId");
    if body.is_empty() {
        // A completion without a document is one without parts, which is refused later than a malformed one.
        return completes.then(|| "<CompleteMultipartUpload></CompleteMultipartUpload>".into());
    }
    let is_document = completes
        || ["delete", "restore"].into_iter().any(is_posted)
        || ["versioning", "object-lock", "retention", "legal-hold"].into_iter().any(is_put);
    is_document.then(|| match Element::parse_any(body) {
        Ok(element) => element.document().into(),
        // Refused as malformed, in its turn.
        Err(_) => "<".into(),
    })
}
