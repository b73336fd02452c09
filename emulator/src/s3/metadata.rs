//! User metadata with characters that a header cannot carry.
//!
//! AWS answers a value that is not ASCII as an encoded word of RFC 2047, and takes such a word for what it encodes.
//! Source: S3 User Guide "Working with object metadata", and recorded answers.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The value as it is stored: an encoded word is taken apart, anything else is what it says.
pub(crate) fn decode(value: &str) -> String {
    decode_word(value).unwrap_or_else(|| value.to_owned())
}

/// The value as a header: what a header can carry as it is, else one encoded word.
///
/// The word is of the kind that is shorter to read: quoted while most units of UTF-16 are plain, else base64.
pub(crate) fn encode(value: &str) -> Cow<'_, str> {
    let all = value.encode_utf16().count();
    let plain = value.bytes().filter(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')).count();
    // A break would end the header, and comes in no value that was one.
    if plain == all && !value.contains(['\r', '\n']) {
        return Cow::Borrowed(value);
    }
    if plain * 2 <= all {
        return Cow::Owned(format!("=?UTF-8?B?{}?=", STANDARD.encode(value)));
    }
    let mut word = String::from("=?UTF-8?Q?");
    for byte in value.bytes() {
        match byte {
            b' ' => word.push('_'),
            b'=' | b'_' | b'?' | 0..b' ' | 0x7F.. => {
                let _infallible = write!(word, "={byte:02X}");
            }
            other => word.push(char::from(other)),
        }
    }
    word.push_str("?=");
    Cow::Owned(word)
}

fn decode_word(value: &str) -> Option<String> {
    let (charset, rest) = value.strip_prefix("=?")?.strip_suffix("?=")?.split_once('?')?;
    let (kind, text) = rest.split_once('?')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let bytes = match kind {
        "B" | "b" => STANDARD.decode(text).ok()?,
        "Q" | "q" => decode_quoted(text)?,
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

fn decode_quoted(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?
            }
            other => other,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    /// Values that AWS returned.
    #[test]
    fn words_are_those_of_aws() {
        let check = |value: &str, header: &str| {
            assert_eq!(encode(value), header);
            assert_eq!(decode(header), value);
        };
        check(
            "test_—_file%E2%80%94_é_2?.pdf",
            "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?=",
        );
        check("ÄMÄZÕÑ S3", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=");
        check(
            "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}",
            "=?UTF-8?B?77+977+977+977+977+977+977+9?=",
        );
        check("\0\u{1}\u{2}\u{3}", "=?UTF-8?B?AAECAw==?=");
        check("a\tb", "a\tb");
        check("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
        assert_eq!(decode("=?UTF-8?B?YWJj?="), "abc");
        for unreadable in ["=?UTF-8?B?%?=", "=?UTF-8?Q?=4?=", "=?UTF-8?Q?=é9?=", "=?x?=", "=?latin-1?Q?a?="]
        {
            assert_eq!(decode(unreadable), unreadable);
        }
    }
}
