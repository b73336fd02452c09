//! The default encryption of a bucket.

use http::StatusCode;

use super::configuration::{Configuration, Removable};
use super::document::{Document, Element};
use crate::error::AwsError;
use crate::operation::Op;
use crate::state::{Bucket, BucketEncryption, CustomerKeys, DefaultEncryption, KmsMethod, Origin, World};

/// A setting as a request puts it: what is left out keeps its value.
///
/// That a request which does not speak of blocked types leaves them as they are was seen on AWS.
#[derive(Clone, Debug)]
pub(crate) struct EncryptionSetting {
    pub(crate) default: DefaultEncryption,
    pub(crate) bucket_key: bool,
    pub(crate) customer_keys: Option<CustomerKeys>,
}

impl Configuration for EncryptionSetting {
    const GET: Op = Op::GetBucketEncryption;
    const PUT: Op = Op::PutBucketEncryption;
    const GET_ACTION: &'static str = "s3:GetEncryptionConfiguration";
    const PUT_ACTION: &'static str = "s3:PutEncryptionConfiguration";

    /// Every bucket has a default since 2023.
    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        let BucketEncryption { default, bucket_key, customer_keys, .. } = bucket.encryption.clone();
        Ok(Self { default, bucket_key, customer_keys: Some(customer_keys) })
    }

    /// AWS does not look whether there is such a key.
    fn check(&self, _: &Bucket, _: &World) -> Result<(), AwsError> {
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        let customer_keys = self.customer_keys.unwrap_or(bucket.encryption.customer_keys);
        bucket.encryption = BucketEncryption {
            default: self.default,
            bucket_key: self.bucket_key,
            customer_keys,
            origin: Origin::Put,
        };
    }
}

impl Removable for EncryptionSetting {
    const DELETE: Op = Op::DeleteBucketEncryption;
    const DELETE_ACTION: &'static str = "s3:PutEncryptionConfiguration";

    /// Goes back to SSE-S3; what becomes of blocked types is not documented, and they stay as they are.
    fn remove(bucket: &mut Bucket) {
        let customer_keys = bucket.encryption.customer_keys;
        bucket.encryption = BucketEncryption { customer_keys, ..BucketEncryption::default() };
    }
}

impl Document for EncryptionSetting {
    const ROOT: &'static str = "ServerSideEncryptionConfiguration";

    /// Exactly one rule; what it leaves out of the default is SSE-S3.
    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&["Rule"])?;
        let rule = root.required("Rule")?;
        rule.only(&["ApplyServerSideEncryptionByDefault", "BlockedEncryptionTypes", "BucketKeyEnabled"])?;
        let bucket_key = match rule.value("BucketKeyEnabled")? {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(AwsError::malformed_xml()),
        };
        let default = rule.child("ApplyServerSideEncryptionByDefault")?;
        Ok(Self {
            default: default.map_or(Ok(DefaultEncryption::S3), read_default)?,
            bucket_key,
            customer_keys: rule.child("BlockedEncryptionTypes")?.map(read_blocked).transpose()?,
        })
    }

    /// Blocked types are always told, in this order of elements (seen on AWS).
    fn write(&self) -> Element {
        let default = Element::new("ApplyServerSideEncryptionByDefault");
        let default = match &self.default {
            DefaultEncryption::S3 => default.with_text("SSEAlgorithm", "AES256"),
            DefaultEncryption::Kms { method, key } => {
                default.with_text("SSEAlgorithm", method.name()).with_some("KMSMasterKeyID", key.as_deref())
            }
        };
        let blocked = match self.customer_keys.unwrap_or_default() {
            CustomerKeys::Allowed => "NONE",
            CustomerKeys::Blocked => "SSE-C",
        };
        let rule = Element::new("Rule")
            .with_text("BucketKeyEnabled", self.bucket_key.to_string())
            .with(default)
            .with(Element::new("BlockedEncryptionTypes").with_text("EncryptionType", blocked));
        Element::new(Self::ROOT).with(rule)
    }
}

fn read_default(element: &Element) -> Result<DefaultEncryption, AwsError> {
    element.only(&["SSEAlgorithm", "KMSMasterKeyID"])?;
    let algorithm = element.required_value("SSEAlgorithm")?;
    let key = element.value("KMSMasterKeyID")?.filter(|key| !key.is_empty()).map(str::to_owned);
    match (algorithm, KmsMethod::parse(algorithm), key) {
        (_, Some(method), key) => Ok(DefaultEncryption::Kms { method, key }),
        ("AES256", None, None) => Ok(DefaultEncryption::S3),
        ("AES256", None, Some(_)) => {
            let text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or \
                        aws:kms:dsse";
            Err(AwsError::new(StatusCode::BAD_REQUEST, "InvalidArgument", text)
                .with("ArgumentName", "ApplyServerSideEncryptionByDefault"))
        }
        _ => Err(AwsError::malformed_xml()),
    }
}

/// `NONE` takes every block away; the only type that can be blocked is SSE-C.
fn read_blocked(element: &Element) -> Result<CustomerKeys, AwsError> {
    element.only(&["EncryptionType"])?;
    match element.values("EncryptionType")?.as_slice() {
        [name] if name == "NONE" => Ok(CustomerKeys::Allowed),
        [name] if name == "SSE-C" => Ok(CustomerKeys::Blocked),
        _ => Err(AwsError::malformed_xml()),
    }
}

#[cfg(test)]
mod tests {
    use super::{CustomerKeys, DefaultEncryption, Document, EncryptionSetting, KmsMethod};

    fn read(rules: &str) -> Result<(DefaultEncryption, bool, Option<CustomerKeys>), String> {
        let document = format!(
            "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}\
             </ServerSideEncryptionConfiguration>"
        );
        let read = EncryptionSetting::parse(document.as_bytes()).map_err(|error| error.code.into_owned())?;
        Ok((read.default, read.bucket_key, read.customer_keys))
    }

    #[test]
    fn a_rule_is_read_whole() {
        let kms = "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>alias/k\
                   </KMSMasterKeyID></ApplyServerSideEncryptionByDefault>";
        let default = DefaultEncryption::Kms { method: KmsMethod::Single, key: Some("alias/k".to_owned()) };
        let rule = format!("<Rule>{kms}<BucketKeyEnabled>true</BucketKeyEnabled></Rule>");
        assert_eq!(read(&rule), Ok((default, true, None)));
        let unblock = "<Rule><BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType>\
                       </BlockedEncryptionTypes></Rule>";
        assert_eq!(read(unblock), Ok((DefaultEncryption::S3, false, Some(CustomerKeys::Allowed))));
        let aes = kms.replace("aws:kms", "AES256");
        assert_eq!(read(&format!("<Rule>{aes}</Rule>")), Err("InvalidArgument".to_owned()));
    }

    #[test]
    fn what_is_not_of_the_schema_is_malformed() {
        let unknown = "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aes256</SSEAlgorithm>\
                       </ApplyServerSideEncryptionByDefault></Rule>";
        let blocked = |name: &str| {
            format!(
                "<Rule><BlockedEncryptionTypes><EncryptionType>{name}</EncryptionType>\
                 </BlockedEncryptionTypes></Rule>"
            )
        };
        let cases = [
            String::new(),
            "<Rule/><Rule/>".to_owned(),
            "<Rule><BucketKeyEnabled>yes</BucketKeyEnabled></Rule>".to_owned(),
            "<Rule><Other/></Rule>".to_owned(),
            "<Rule><ApplyServerSideEncryptionByDefault/></Rule>".to_owned(),
            unknown.to_owned(),
            blocked("SSE-S3"),
            "<Rule><BlockedEncryptionTypes/></Rule>".to_owned(),
        ];
        for case in cases {
            assert_eq!(read(&case), Err("MalformedXML".to_owned()), "{case}");
        }
        assert!(EncryptionSetting::parse(b"<Rule/>").is_err());
    }
}
