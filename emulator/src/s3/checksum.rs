//! Checksums and digests of bodies.
//!
//! Source: S3 User Guide "Checking object integrity", and recorded answers for the texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::error::AwsError;
use crate::state::Content;

/// The algorithms that AWS offers.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum ChecksumAlgorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

/// Whether a multipart checksum covers the object or the checksums of its parts.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum ChecksumKind {
    FullObject,
    Composite,
}

/// A checksum as it stands on the wire.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Checksum {
    pub(crate) algorithm: ChecksumAlgorithm,
    pub(crate) kind: ChecksumKind,
    /// Base64, with `-N` behind a composite of N parts.
    pub(crate) value: String,
}

/// The body of an upload, digested before any lock is taken.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) content: Content,
    pub(crate) md5: [u8; 16],
    pub(crate) checksum: Checksum,
}

/// What a client claims about a body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    pub(crate) content_md5: Option<String>,
    /// At most one is allowed.
    pub(crate) checksums: Vec<(ChecksumAlgorithm, String)>,
}

/// Which operation's form of the `BadDigest` answer applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestForm {
    /// PutObject shows the expected digest in hexadecimal.
    Hex,
    /// UploadPart shows it in base64.
    Base64,
}

impl Claims {
    /// Whether the client vouches for the body at all.
    pub(crate) fn is_any(&self) -> bool {
        self.content_md5.is_some() || !self.checksums.is_empty()
    }
}

impl ChecksumAlgorithm {
    pub(crate) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64nvme, Self::Sha1, Self::Sha256];

    /// `CRC32C`, as in `x-amz-checksum-algorithm`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that carries it.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// Takes names in any case, as AWS does.
    pub(crate) fn parse(name: &str) -> Result<Self, AwsError> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
            AwsError::invalid_request(
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
                 [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
            )
        })
    }

    /// The length of the raw checksum in bytes.
    fn raw_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The kind of a multipart checksum for which no type was asked.
    pub(crate) fn default_kind(self) -> ChecksumKind {
        match self {
            Self::Crc64nvme => ChecksumKind::FullObject,
            _ => ChecksumKind::Composite,
        }
    }

    /// Whether AWS offers this kind with this algorithm.
    pub(crate) fn check_kind(self, kind: ChecksumKind) -> Result<(), AwsError> {
        let allowed = match self {
            Self::Crc32 | Self::Crc32c => true,
            Self::Crc64nvme => kind == ChecksumKind::FullObject,
            Self::Sha1 | Self::Sha256 => kind == ChecksumKind::Composite,
        };
        if allowed {
            return Ok(());
        }
        let (kind, name) = (kind.name(), self.name().to_ascii_lowercase());
        Err(AwsError::invalid_request(format!(
            "The {kind} checksum type cannot be used with the {name} checksum algorithm."
        )))
    }

    /// The raw checksum over all pieces.
    pub(crate) fn compute<'a>(self, pieces: impl Iterator<Item = &'a Bytes>) -> Vec<u8> {
        match self {
            Self::Crc32 => self.crc_bytes(crc(CrcAlgorithm::Crc32IsoHdlc, pieces)),
            Self::Crc32c => self.crc_bytes(crc(CrcAlgorithm::Crc32Iscsi, pieces)),
            Self::Crc64nvme => self.crc_bytes(crc(CrcAlgorithm::Crc64Nvme, pieces)),
            Self::Sha1 => digest::<Sha1>(pieces),
            Self::Sha256 => digest::<Sha256>(pieces),
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// The bytes of a CRC, most significant first.
    fn crc_bytes(self, value: u64) -> Vec<u8> {
        let bytes = value.to_be_bytes();
        bytes.into_iter().skip(bytes.len().saturating_sub(self.raw_bytes())).collect()
    }
}

impl ChecksumKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }
}

impl Checksum {
    /// The checksum of a whole body.
    pub(crate) fn of(algorithm: ChecksumAlgorithm, content: &Content) -> Self {
        let value = STANDARD.encode(algorithm.compute(content.pieces()));
        Self { algorithm, kind: ChecksumKind::FullObject, value }
    }

    /// The checksum of a body that is made of parts, from theirs; only for CRCs.
    ///
    /// `parts` are the checksum and the length in bytes of each part, in order.
    pub(crate) fn combined<'a>(
        algorithm: ChecksumAlgorithm,
        parts: impl Iterator<Item = (&'a Self, u64)>,
    ) -> Option<Self> {
        let crc = algorithm.crc()?;
        let mut whole = crc_fast::checksum(crc, &[]);
        for (part, bytes) in parts {
            let raw = STANDARD.decode(&part.value).ok().filter(|_| part.algorithm == algorithm)?;
            let value = raw.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte));
            whole = crc_fast::checksum_combine(crc, whole, value, bytes);
        }
        let value = STANDARD.encode(algorithm.crc_bytes(whole));
        Some(Self { algorithm, kind: ChecksumKind::FullObject, value })
    }

    /// The value without the number of parts.
    pub(crate) fn bare_value(&self) -> &str {
        self.value.split('-').next().unwrap_or_default()
    }

    /// The checksum of the parts' checksums.
    pub(crate) fn composite(algorithm: ChecksumAlgorithm, parts: &[&Self]) -> Self {
        let raw: Vec<Bytes> =
            parts.iter().map(|part| STANDARD.decode(&part.value).unwrap_or_default().into()).collect();
        let value = format!("{}-{}", STANDARD.encode(algorithm.compute(raw.iter())), parts.len());
        Self { algorithm, kind: ChecksumKind::Composite, value }
    }
}

impl Claims {
    /// Digests a body and holds it against what the client claimed.
    ///
    /// Without a claim, AWS stores a CRC64NVME of its own.
    pub(crate) fn check(&self, body: Bytes, form: DigestForm) -> Result<Upload, AwsError> {
        let content = Content::from(body);
        let md5 = md5(content.pieces());
        if let Some(claimed) = &self.content_md5 {
            let raw = STANDARD.decode(claimed).ok().filter(|raw| raw.len() == 16);
            let raw = raw.ok_or_else(|| AwsError::invalid_content_md5(claimed))?;
            if raw != md5 {
                let expected = match form {
                    DigestForm::Hex => hex::encode(&raw),
                    DigestForm::Base64 => claimed.clone(),
                };
                return Err(AwsError::bad_content_md5(&expected, &STANDARD.encode(md5)));
            }
        }
        let checksum = match self.checksums.as_slice() {
            [] => Checksum::of(ChecksumAlgorithm::Crc64nvme, &content),
            [(algorithm, claimed)] => {
                check_shape(*algorithm, claimed)?;
                let computed = Checksum::of(*algorithm, &content);
                if computed.value != *claimed {
                    return Err(AwsError::bad_checksum(algorithm.name()));
                }
                computed
            }
            _ => {
                return Err(AwsError::invalid_request(
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
                ));
            }
        };
        Ok(Upload { content, md5, checksum })
    }
}

/// A claimed checksum must be base64 of the right length.
fn check_shape(algorithm: ChecksumAlgorithm, claimed: &str) -> Result<(), AwsError> {
    let raw = STANDARD.decode(claimed).ok();
    if raw.is_some_and(|raw| raw.len() == algorithm.raw_bytes()) {
        return Ok(());
    }
    Err(AwsError::invalid_request(format!("Value for {} header is invalid.", algorithm.header())))
}

/// The MD5 of all pieces.
pub(crate) fn md5<'a>(pieces: impl Iterator<Item = &'a Bytes>) -> [u8; 16] {
    let mut hasher = Md5::new();
    pieces.for_each(|piece| hasher.update(piece));
    hasher.finalize().into()
}

fn crc<'a>(algorithm: CrcAlgorithm, pieces: impl Iterator<Item = &'a Bytes>) -> u64 {
    let mut hasher = crc_fast::Digest::new(algorithm);
    pieces.for_each(|piece| hasher.update(piece));
    hasher.finalize()
}

fn digest<'a, D: Digest>(pieces: impl Iterator<Item = &'a Bytes>) -> Vec<u8> {
    let mut hasher = D::new();
    pieces.for_each(|piece| hasher.update(piece));
    hasher.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that AWS returned for these bodies.
    #[test]
    fn checksums_match_recorded_values() {
        let check = |algorithm, body: &'static str, expected: &str| {
            let content = Content::from(Bytes::from_static(body.as_bytes()));
            assert_eq!(Checksum::of(algorithm, &content).value, expected, "{algorithm:?} of {body:?}");
        };
        check(ChecksumAlgorithm::Crc32, "test-sse", "KHcEKQ==");
        check(ChecksumAlgorithm::Crc32, "", "AAAAAA==");
        check(ChecksumAlgorithm::Crc64nvme, "test data..", "qUVrWYOrIAM=");
        check(ChecksumAlgorithm::Crc64nvme, "aaaaaaaaaa", "DBqAA21lxVU=");
        check(ChecksumAlgorithm::Crc64nvme, "", "AAAAAAAAAAA=");
        check(ChecksumAlgorithm::Crc64nvme, "test-sse", "Kr7StX/uFlQ=");
    }

    #[test]
    fn checksums_of_parts_make_that_of_the_whole() {
        let parts = ["", "a", "data", "aaaaaaaaaa", "data of the last part"];
        let whole = Content::from(Bytes::from(parts.concat()));
        for algorithm in ChecksumAlgorithm::ALL {
            let of_parts = parts.map(|part| {
                let content = Content::from(Bytes::from_static(part.as_bytes()));
                (Checksum::of(algorithm, &content), content.len())
            });
            let combined =
                Checksum::combined(algorithm, of_parts.iter().map(|(checksum, bytes)| (checksum, *bytes)));
            let expected = algorithm.crc().map(|_| Checksum::of(algorithm, &whole));
            assert_eq!(combined, expected, "{algorithm:?}");
        }
        let other = Checksum::of(ChecksumAlgorithm::Crc32, &whole);
        assert_eq!(Checksum::combined(ChecksumAlgorithm::Crc32c, [(&other, 1)].into_iter()), None);
    }

    #[test]
    fn a_wrong_claim_is_refused_in_the_form_of_the_operation() {
        let claims = Claims { content_md5: Some(STANDARD.encode([7_u8; 16])), checksums: Vec::new() };
        let body = Bytes::from_static(b"body");
        let hex = claims.check(body.clone(), DigestForm::Hex).unwrap_err();
        assert_eq!(hex.details[0].1, "07".repeat(16));
        let base64 = claims.check(body.clone(), DigestForm::Base64).unwrap_err();
        assert_eq!(base64.details[0].1, STANDARD.encode([7_u8; 16]));

        let both = Claims {
            content_md5: None,
            checksums: vec![
                (ChecksumAlgorithm::Crc32, "AAAAAA==".into()),
                (ChecksumAlgorithm::Sha1, "x".into()),
            ],
        };
        assert_eq!(both.check(body, DigestForm::Hex).unwrap_err().code, "InvalidRequest");
    }
}
