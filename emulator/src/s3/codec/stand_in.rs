//! Documents that we read ourselves, because the parser of `s3s` refuses what it does not know.

use http::Method;

use crate::head::Head;

/// What the parser is given in place of the body of this request, so that it lets the request pass.
pub(crate) fn stand_in(head: &Head) -> Option<&'static str> {
    let is_put = |parameter: &str| head.method == Method::PUT && head.parameter(parameter).is_some();
    // It does not know blocked encryption types.
    is_put("encryption")
        .then_some("<ServerSideEncryptionConfiguration><Rule></Rule></ServerSideEncryptionConfiguration>")
}
