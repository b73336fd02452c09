//! The default encryption of a bucket in a scenario.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::build::Builder;
use super::{ScenarioError, document};
use crate::state::{BucketEncryption, CustomerKeys, DefaultEncryption, KmsMethod, Origin};

/// `"AES256"`, `"aws:kms"` or `"aws:kms:dsse"`; or a table that says more.
#[derive(Clone, Debug, Default)]
pub(super) struct Encryption {
    algorithm: Option<String>,
    /// An id, an alias or an ARN; the key that AWS manages if absent.
    kms_key: Option<String>,
    bucket_key: Option<bool>,
    /// `["NONE"]` or `["SSE-C"]`, as in the requests that set it.
    blocked_encryption_types: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    algorithm: Option<String>,
    kms_key: Option<String>,
    bucket_key: Option<bool>,
    blocked_encryption_types: Option<Vec<String>>,
}

impl<'de> Deserialize<'de> for Encryption {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;

        impl<'de> Visitor<'de> for TextOrTable {
            type Value = Encryption;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an algorithm such as \"aws:kms\", or a table")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Encryption, E> {
                Ok(Encryption { algorithm: Some(text.to_owned()), ..Encryption::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Encryption, A::Error> {
                let Table { algorithm, kms_key, bucket_key, blocked_encryption_types } =
                    Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Encryption { algorithm, kms_key, bucket_key, blocked_encryption_types })
            }
        }

        deserializer.deserialize_any(TextOrTable)
    }
}

impl Builder<'_> {
    /// The setting as it would be put; objects of the scenario were there before it and are not touched by it.
    pub(super) fn encryption(
        &self,
        bucket: &document::Bucket,
        of_new_buckets: BucketEncryption,
    ) -> Result<BucketEncryption, ScenarioError> {
        let Some(given) = &bucket.encryption else { return Ok(of_new_buckets) };
        let asked = given.get_ref();
        let refuse = |field: &str, value: &str, help: &str| {
            let name = bucket.name.get_ref();
            Err(self.error(given, format!("field `{field}` of the bucket `{name}` is `{value}`"), help))
        };
        let default = match (asked.algorithm.as_deref(), asked.kms_key.as_deref()) {
            (None | Some("AES256"), None) => DefaultEncryption::S3,
            (None | Some("AES256"), Some(key)) => {
                return refuse("kms_key", key, "a key goes with `algorithm = \"aws:kms\"`");
            }
            (Some(name), key) => match KmsMethod::parse(name) {
                Some(method) => DefaultEncryption::Kms { method, key: key.map(str::to_owned) },
                None => return refuse("encryption", name, "use `AES256`, `aws:kms` or `aws:kms:dsse`"),
            },
        };
        let blocked = asked.blocked_encryption_types.as_deref().unwrap_or_default();
        let customer_keys = match blocked {
            [] => of_new_buckets.customer_keys,
            [only] if only == "NONE" => CustomerKeys::Allowed,
            [only] if only == "SSE-C" => CustomerKeys::Blocked,
            types => {
                let help = "use `[\"NONE\"]` or `[\"SSE-C\"]`";
                return refuse("blocked_encryption_types", &types.join(", "), help);
            }
        };
        let bucket_key = asked.bucket_key.unwrap_or_default();
        Ok(BucketEncryption { default, bucket_key, customer_keys, origin: Origin::Put })
    }
}
