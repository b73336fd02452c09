//! The headers that ask for an encryption, or bring a key.

use super::text;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::customer_key::GivenKey;
use crate::s3::encryption::{RequestedEncryption, Requester};

/// Algorithm, key and its MD5.
const CUSTOMER_KEY: [&str; 3] = [
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
];
const SOURCE_CUSTOMER_KEY: [&str; 3] = [
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
];

/// What the headers of a write ask for.
pub(super) fn requested_encryption(x: &Exchange, head: &Head) -> RequestedEncryption {
    RequestedEncryption {
        method: text(head, "x-amz-server-side-encryption"),
        key: text(head, "x-amz-server-side-encryption-aws-kms-key-id"),
        context: text(head, "x-amz-server-side-encryption-context"),
        bucket_key: text(head, "x-amz-server-side-encryption-bucket-key-enabled"),
        customer_algorithm: text(head, CUSTOMER_KEY[0]),
        customer_key: customer_key(head),
        requester: requester(x),
    }
}

/// On whose behalf S3 uses KMS keys in this request.
pub(super) fn requester(x: &Exchange) -> Requester {
    let signed = x.authenticated.carrier.is_some_and(|carrier| !carrier.is_version_2());
    let identity = x.authenticated.caller.identity().filter(|_| signed);
    let account = identity.and_then(|identity| identity.principal.account());
    account.map_or(Requester::Unfit, |account| Requester::Fit(account.clone()))
}

/// The key of the object that a request names.
pub(super) fn customer_key(head: &Head) -> GivenKey {
    given_key(head, &CUSTOMER_KEY)
}

/// The key of the source of a copy.
pub(super) fn source_customer_key(head: &Head) -> GivenKey {
    given_key(head, &SOURCE_CUSTOMER_KEY)
}

fn given_key(head: &Head, [algorithm, key, md5]: &[&str; 3]) -> GivenKey {
    GivenKey::parse(head.header(algorithm), head.header(key), head.header(md5))
}
