//! The headers that ask for an encryption, or bring a key.

use super::text;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::s3::customer_key::GivenKey;
use crate::s3::encryption::{RequestedEncryption, Requester};

/// What the headers of a write ask for.
pub(super) fn requested_encryption(x: &Exchange, head: &Head) -> RequestedEncryption {
    let header = |suffix: &str| text(head, &format!("x-amz-server-side-encryption{suffix}"));
    RequestedEncryption {
        method: header(""),
        key: header("-aws-kms-key-id"),
        context: header("-context"),
        bucket_key: header("-bucket-key-enabled"),
        customer_algorithm: header("-customer-algorithm"),
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
    given_key(head, "x-amz-server-side-encryption")
}

/// The key of the source of a copy.
pub(super) fn source_customer_key(head: &Head) -> GivenKey {
    given_key(head, "x-amz-copy-source-server-side-encryption")
}

fn given_key(head: &Head, prefix: &str) -> GivenKey {
    let header = |suffix: &str| head.header(&format!("{prefix}-customer-{suffix}"));
    GivenKey::parse(header("algorithm"), header("key"), header("key-md5"))
}
