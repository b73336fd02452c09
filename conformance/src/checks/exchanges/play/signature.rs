//! The signature of a message of SNS, by the certificate that the message names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};

use super::super::script::Part;
use super::answer::Answer;
use crate::outcome::Conclusion;
use crate::stage::Ground;
use crate::step::step;

/// The object identifier of RSA's keys as a certificate has it, and the tag of the bit string that follows.
const RSA_KEY: [u8; 15] =
    [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82];

/// Demands that the first message is signed over these fields, in this order.
pub(super) async fn verify(ground: &Ground, answer: &Answer, fields: &[String]) -> Conclusion {
    let read = step("read the message");
    let field = |name: &str| answer.part(&Part::Pointer(format!("/0/{name}")));
    let mut text = String::new();
    for name in fields {
        let value = read.some(&format!("a field `{name}`"), field(name))?;
        text = format!("{text}{name}\n{value}\n");
    }
    let signature = read.some("a signature", field("Signature"))?;
    let signature = read.succeeds("a signature in Base64", STANDARD.decode(signature))?;
    let url = read.some("the URL of a certificate", field("SigningCertURL"))?;
    // The certificate is looked for at the endpoint, whatever host the message names.
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
    let path = read.some("a URL with a path", path)?;
    let request =
        step("make the request").works(Request::get(ground.url(&format!("/{path}"))).body(Bytes::new()))?;
    let certificate = ground.send("fetch the certificate", request).await?;
    let pem = String::from_utf8_lossy(certificate.body()).into_owned();
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = step("read the certificate").succeeds("a certificate", STANDARD.decode(base64))?;
    let key = step("read the certificate").some("a key of RSA", public_key(&der))?;
    let algorithm = match field("SignatureVersion").as_deref() {
        Some("2") => &RSA_PKCS1_2048_8192_SHA256,
        _ => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
    };
    let verified = UnparsedPublicKey::new(algorithm, key).verify(text.as_bytes(), &signature).is_ok();
    step(format!("the signature is over {}", fields.join(", "))).equal(&true, &verified)
}

/// The public key within a certificate.
fn public_key(der: &[u8]) -> Option<&[u8]> {
    let at = der.windows(RSA_KEY.len()).position(|window| window == RSA_KEY)?;
    let behind = der.get(at + RSA_KEY.len()..)?;
    let [high, low, _unused_bits, key @ ..] = behind else { return None };
    let length = usize::from(*high) * 256 + usize::from(*low);
    key.get(..length.checked_sub(1)?)
}
