//! Ids and secrets in the shapes that AWS gives them, drawn from the emulator's entropy.

use bucketproof_clock::Entropy;

const UPPER_ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
const HEX: &[u8] = b"0123456789abcdef";

/// The ids of one request, as AWS returns them in headers and error bodies.
#[derive(Clone, Debug)]
pub(crate) struct RequestIds {
    /// 16 characters of `[0-9A-Z]`.
    pub(crate) request_id: String,
    /// The extended id, 76 characters of the base64 alphabet.
    pub(crate) host_id: String,
    /// The form that the query services use.
    pub(crate) uuid: String,
}

impl RequestIds {
    pub(crate) fn draw(entropy: &Entropy) -> Self {
        // One number from the shared source, the rest from a stream of its own: cheap, and still reproducible.
        let entropy = Entropy::seeded(entropy.next_u64());
        let hex = entropy.text(HEX, 32);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        Self {
            request_id: entropy.text(UPPER_ALPHANUMERIC, 16),
            host_id: entropy.text(BASE64, 75) + "=",
            uuid: [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"),
        }
    }
}

/// The id of an access key with its type prefix: `AKIA` long-lived, `ASIA` temporary.
pub(crate) fn access_key_id(entropy: &Entropy, prefix: &str) -> String {
    format!("{prefix}{}", entropy.text(BASE32, 16))
}

/// A secret access key: 40 characters.
pub(crate) fn secret_access_key(entropy: &Entropy) -> String {
    entropy.text(BASE64, 40)
}

/// A session token; opaque, long enough that clients cannot assume a short one.
pub(crate) fn session_token(entropy: &Entropy) -> String {
    format!("IQoJb3JpZ2luX2Vj{}", entropy.text(BASE64, 344))
}

/// A canonical user id: 64 hexadecimal digits.
pub(crate) fn canonical_user_id(entropy: &Entropy) -> String {
    entropy.text(HEX, 64)
}

/// The id of an object's version: 32 characters.
pub(crate) fn version_id(entropy: &Entropy) -> String {
    entropy.text(URL_SAFE, 32)
}

/// A multipart upload id.
pub(crate) fn upload_id(entropy: &Entropy) -> String {
    entropy.text(URL_SAFE, 96)
}

/// The unique id of a user, group, role, policy or instance profile: `AIDA`, `AGPA`, `AROA`, `ANPA`, `AIPA` and 17
/// more characters.
pub(crate) fn entity_id(entropy: &Entropy, prefix: &str) -> String {
    format!("{prefix}{}", entropy.text(BASE32, 17))
}
