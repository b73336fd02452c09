use super::{identity_policy, trust_policy};
use crate::names::BucketName;
use crate::profile::VendorProfile;

/// The documents of the vendor's page, with its placeholders replaced by ours.
const DOCUMENTED_IDENTITY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [{
    "Sid": "SuprSendS3ExportAccess",
    "Effect": "Allow",
    "Action": ["s3:PutObject", "s3:ListBucket", "s3:GetObject"],
    "Resource": [
      "arn:aws:s3:::notification-logs/*",
      "arn:aws:s3:::notification-logs"
    ]
  }]
}"#;
const DOCUMENTED_TRUST: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": { "AWS": "arn:aws:iam::924219879248:root" },
    "Action": "sts:AssumeRole",
    "Condition": { "StringEquals": { "sts:ExternalId": "d3b0-Ab" }}
  }]
}"#;

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn policies_are_those_of_the_page() {
    let profile = VendorProfile::named("suprsend_s3_v2").unwrap();
    let identity = identity_policy(&profile, &BucketName::new("notification-logs").unwrap());
    assert_eq!(json(&identity), json(DOCUMENTED_IDENTITY));
    assert_eq!(json(&trust_policy(&profile, "d3b0-Ab").unwrap()), json(DOCUMENTED_TRUST));
    insta::assert_snapshot!(identity);
}
