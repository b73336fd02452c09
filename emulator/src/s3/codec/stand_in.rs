//! Documents that we read ourselves, because the parser of `s3s` refuses what it does not know.

use http::Method;

use crate::head::Head;

/// What the parser is given in place of the body of this request, so that it lets the request pass.
pub(crate) fn stand_in(head: &Head, body: &[u8]) -> Option<&'static str> {
    let is_put = |parameter: &str| head.method == Method::PUT && head.parameter(parameter).is_some();
    if is_put("encryption") {
        // It does not know blocked encryption types.
        return Some("<ServerSideEncryptionConfiguration><Rule></Rule></ServerSideEncryptionConfiguration>");
    }
    if is_put("tagging") {
        // It asks for the set, which may be missing.
        return Some("<Tagging><TagSet></TagSet></Tagging>");
    }
    let completes = head.method == Method::POST && head.parameter("uploadId").is_some();
    // A completion without a document is one without parts, which is refused later than a malformed one.
    (completes && body.is_empty()).then_some("<CompleteMultipartUpload></CompleteMultipartUpload>")
}
