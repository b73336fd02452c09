//! Ids and secrets in the shapes that AWS gives them, drawn from the emulator's entropy.

use bucketproof_clock::Entropy;

use crate::state::random_uuid;

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

/// A random UUID, as messages and subscriptions have for ids.
pub(crate) fn uuid(entropy: &Entropy) -> String {
    let number = (u128::from(entropy.next_u64()) << 64) | u128::from(entropy.next_u64());
    random_uuid(number)
}

/// What confirms a subscription: 280 hexadecimal digits (recorded).
pub(crate) fn confirmation_token(entropy: &Entropy) -> String {
    entropy.text(HEX, 280)
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

/// The length of a version id.
const VERSION_ID_LENGTH: usize = 32;
/// How many of its characters are drawn; then come its order, hidden by them, and a seal on both.
const VERSION_ID_DRAWN: usize = 21;
const VERSION_ID_ORDER: usize = 7;
const VERSION_ID_SEAL: usize = 4;
/// What seven characters can hold.
const ORDER_MASK: u64 = (1 << (6 * VERSION_ID_ORDER)) - 1;

/// The id of an object's version: 32 characters that carry, hidden, when it came among the versions of its bucket.
///
/// AWS's ids tell the same to AWS: a listing goes on behind a version that is gone, and an id that AWS did not make is
/// none.
pub(crate) fn version_id(entropy: &Entropy, order: u64) -> String {
    let drawn = entropy.text(URL_SAFE, VERSION_ID_DRAWN);
    let order = order & ORDER_MASK;
    let digits =
        |value: u64, length: usize| (0..length).rev().map(move |place| digit(URL_SAFE, value, place));
    let hidden = digits(order ^ fingerprint(drawn.as_bytes()), VERSION_ID_ORDER);
    let seal = digits(version_seal(&drawn, order), VERSION_ID_SEAL);
    drawn.chars().chain(hidden).chain(seal).collect()
}

/// The order that a version id carries; absent if it is not one that [`version_id`] made.
pub(crate) fn version_order(id: &str) -> Option<u64> {
    let (drawn, rest) = id.split_at_checked(VERSION_ID_DRAWN).filter(|_| id.len() == VERSION_ID_LENGTH)?;
    let (hidden, seal) = rest.split_at_checked(VERSION_ID_ORDER)?;
    let order = (number(URL_SAFE, hidden)? ^ fingerprint(drawn.as_bytes())) & ORDER_MASK;
    (number(URL_SAFE, seal)? == version_seal(drawn, order)).then_some(order)
}

fn version_seal(drawn: &str, order: u64) -> u64 {
    let bits = 6 * VERSION_ID_SEAL;
    (fingerprint(drawn.as_bytes()) ^ fingerprint(&order.to_le_bytes())).rotate_left(17) & ((1 << bits) - 1)
}

/// In the order of their bytes, for ids that sort by what they carry.
const SORTED: &[u8] = b".0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
/// How many characters carry 64 bits.
const NUMBER_LENGTH: usize = 11;

/// A multipart upload id: uploads of one key sort by it as they were begun, and it belongs to that key alone.
pub(crate) fn upload_id(entropy: &Entropy, key: &str, order: u64) -> String {
    let number = |value: u64| (0..NUMBER_LENGTH).rev().map(move |place| digit(SORTED, value, place));
    let drawn = entropy.text(URL_SAFE, 96 - 2 * NUMBER_LENGTH);
    let seal = fingerprint(format!("{order} {drawn} {key}").as_bytes());
    number(order).chain(drawn.chars()).chain(number(seal)).collect()
}

/// Whether an upload id was made for this key, be the upload still there or not.
pub(crate) fn is_upload_id_of(id: &str, key: &str) -> bool {
    let parse = || {
        let (order, rest) = id.split_at_checked(NUMBER_LENGTH)?;
        let (drawn, seal) = rest.split_at_checked(rest.len().checked_sub(NUMBER_LENGTH)?)?;
        let order = number(SORTED, order)?;
        Some(number(SORTED, seal)? == fingerprint(format!("{order} {drawn} {key}").as_bytes()))
    };
    parse().unwrap_or(false)
}

/// The digit of a number to the base 64 at a place, the lowest being 0.
fn digit(digits: &[u8], value: u64, place: usize) -> char {
    let index = value.checked_shr(u32::try_from(place * 6).unwrap_or(u32::MAX)).unwrap_or_default() & 63;
    digits.get(usize::try_from(index).unwrap_or_default()).copied().map_or('0', char::from)
}

fn number(digits: &[u8], text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |value, byte| {
        let index = digits.iter().position(|digit| *digit == byte)?;
        value.checked_mul(64)?.checked_add(u64::try_from(index).ok()?)
    })
}

/// A number that looks unlike what it is made from; it guards against mistakes, not against anybody.
fn fingerprint(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash ^ (hash >> 31)
}

/// The unique id of a user, group, role, policy or instance profile: `AIDA`, `AGPA`, `AROA`, `ANPA`, `AIPA` and 17
/// more characters.
pub(crate) fn entity_id(entropy: &Entropy, prefix: &str) -> String {
    format!("{prefix}{}", entropy.text(BASE32, 17))
}

#[cfg(test)]
mod tests {
    use bucketproof_clock::Entropy;

    use super::{is_upload_id_of, upload_id, version_id, version_order};

    #[test]
    fn version_ids_carry_their_order_and_cannot_be_made_up() {
        let entropy = Entropy::seeded(7);
        for order in [0, 1, 63, 64, 1_000_000, (1 << 42) - 1] {
            let id = version_id(&entropy, order);
            assert_eq!((id.len(), version_order(&id)), (32, Some(order)));
            assert_eq!(version_order(&format!("{}ABCD", &id[..28])), None, "as recorded");
        }
        for other in ["", "null", "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD", "éééééééééééééééé"] {
            assert_eq!(version_order(other), None, "{other}");
        }
    }

    #[test]
    fn upload_ids_sort_as_they_were_begun_and_know_their_key() {
        let entropy = Entropy::seeded(7);
        let ids: Vec<String> =
            [0, 1, 9, 10, 64, 1 << 30, u64::MAX].map(|order| upload_id(&entropy, "k", order)).into();
        assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 96 && is_upload_id_of(id, "k")));
        assert!(
            !is_upload_id_of(&ids[0], "other") && !is_upload_id_of("", "k") && !is_upload_id_of("é", "k")
        );
    }
}
