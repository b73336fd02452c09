//! Headers that a presigned URL carries as query parameters.
//!
//! Some SDKs put the headers of an upload into the URL they sign, so that whoever uses the URL need not know them. Source:
//! recorded answers to such URLs: storage class, metadata, encryption and conditions count; checksums do not.

use http::{HeaderName, HeaderValue};

use crate::error::AwsError;
use crate::head::Head;

/// Parameters that look like headers and are none: the signature, and what describes a body that is not yet there.
const NOT_HEADERS: [&str; 11] = [
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expires",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-trailer",
];

/// Headers of HTTP that count as parameters too.
const CONDITIONS: [&str; 4] = ["if-match", "if-modified-since", "if-none-match", "if-unmodified-since"];

/// Takes over, before the signature is checked, the parameters that the URL lists among its signed headers.
pub(crate) fn adopt_signed(head: &mut Head) -> Result<(), AwsError> {
    if !head.query.iter().any(|(parameter, _)| is_header(parameter)) {
        return Ok(());
    }
    let Some(signed) = head.parameter("X-Amz-SignedHeaders").map(super::split_headers) else { return Ok(()) };
    adopt(head, |name| signed.iter().any(|signed| signed == name))
}

/// Takes over, once the signature is found right, all others.
pub(crate) fn adopt_all(head: &mut Head) -> Result<(), AwsError> {
    adopt(head, |_| true)
}

/// A header that was sent wins over a parameter of its name.
fn adopt(head: &mut Head, wanted: impl Fn(&str) -> bool) -> Result<(), AwsError> {
    let headers = &mut head.headers;
    for (parameter, text) in head.query.iter().filter(|(parameter, _)| is_header(parameter)) {
        let name = parameter.to_ascii_lowercase();
        if !wanted(&name) {
            continue;
        }
        let (Ok(header), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(text.as_bytes()))
        else {
            let message = "Header value cannot be represented using ISO-8859-1.";
            return Err(AwsError::invalid_argument(message, name, text));
        };
        headers.insert_if_absent(header, value);
    }
    Ok(())
}

/// Whether a parameter, in any case, is a header.
fn is_header(name: &str) -> bool {
    let begins =
        |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let is_one_of = |names: &[&str]| names.iter().any(|own| own.eq_ignore_ascii_case(name));
    is_one_of(&CONDITIONS) || begins("x-amz-") && !begins("x-amz-checksum-") && !is_one_of(&NOT_HEADERS)
}

#[cfg(test)]
mod tests {
    use super::{adopt_all, adopt_signed};
    use crate::addressing::Domains;
    use crate::head::Head;

    fn head(target: &str) -> Head {
        let request = http::Request::put(target).header("x-amz-acl", "private").body(()).unwrap();
        Head::new(request.into_parts().0, std::net::Ipv4Addr::LOCALHOST.into(), &Domains::default())
    }

    #[test]
    fn signed_parameters_come_first() {
        let target = "/b/k?X-Amz-SignedHeaders=host%3Bx-amz-server-side-encryption&x-amz-server-side-encryption=AES256\
                      &x-amz-acl=public-read&x-amz-meta-a=b&X-Amz-Date=20260101T000000Z&x-amz-checksum-crc32=AAAAAA%3D%3D";
        let mut head = head(target);
        adopt_signed(&mut head).unwrap();
        assert_eq!(head.header("x-amz-server-side-encryption"), Some("AES256"));
        assert_eq!(head.header("x-amz-meta-a"), None);
        adopt_all(&mut head).unwrap();
        assert_eq!(head.header("x-amz-meta-a"), Some("b"));
        assert_eq!(head.header("x-amz-acl"), Some("private"), "a header wins");
        assert_eq!(head.header("x-amz-date"), None);
        assert_eq!(head.header("x-amz-checksum-crc32"), None);
    }

    #[test]
    fn what_no_header_can_hold_is_refused() {
        let refusal = adopt_all(&mut head("/b/k?x-amz-meta-a=b%0Ac")).unwrap_err();
        assert_eq!(refusal.code, "InvalidArgument");
    }
}
