//! The headers that tell how an object is encrypted.

use crate::exchange::Exchange;
use crate::head::Head;
use crate::state::Encryption;

/// The headers that all answers about objects share.
pub(super) fn encryption_headers(head: &Head, encryption: &Encryption) -> Vec<(&'static str, String)> {
    match encryption {
        Encryption::S3 => vec![("x-amz-server-side-encryption", "AES256".to_owned())],
        Encryption::Kms(kms) => {
            let mut headers = vec![
                ("x-amz-server-side-encryption", kms.method.name().to_owned()),
                ("x-amz-server-side-encryption-aws-kms-key-id", kms.key.arn.as_str().to_owned()),
            ];
            if kms.bucket_key {
                headers.push(("x-amz-server-side-encryption-bucket-key-enabled", "true".to_owned()));
            }
            headers
        }
        // Of the key there is nothing to tell but what the request said.
        Encryption::Customer(_) => [
            "x-amz-server-side-encryption-customer-algorithm",
            "x-amz-server-side-encryption-customer-key-md5",
        ]
        .into_iter()
        .filter_map(|name| Some((name, head.header(name)?.to_owned())))
        .collect(),
    }
}

/// Tells how an object is encrypted.
pub(super) fn answer_encryption(x: &Exchange, head: &Head, encryption: &Encryption) {
    for (name, value) in encryption_headers(head, encryption) {
        x.answer_header(name, &value);
    }
}

/// The same for a request that said how to encrypt: it alone is told its context again (API reference).
pub(super) fn answer_requested_encryption(x: &Exchange, head: &Head, encryption: &Encryption) {
    answer_encryption(x, head, encryption);
    let name = "x-amz-server-side-encryption-context";
    if let (Encryption::Kms(_), Some(context)) = (encryption, head.header(name)) {
        x.answer_header(name, context);
    }
}
