use super::{bucket_policy, identity_policy, key_policy, trust_policy};
use crate::names::BucketName;
use crate::profile::{KeyPrefix, VendorProfile};

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

/// The documents of the page, as they are printed there, with its placeholders replaced by ours.
const DOCUMENTED_BUCKET: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::444455556666:role/vendor" },
      "Action": ["s3:ListBucket"],
      "Resource": ["arn:aws:s3:::impressions-1"]
    },
    {
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::444455556666:role/vendor" },
      "Action": ["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject"],
      "Resource": ["arn:aws:s3:::impressions-1/split/out/*"]
    }
  ]
}"#;
const DOCUMENTED_KEY: &str = r#"{
  "Version": "2012-10-17",
  "Id": "cross-account-policy",
  "Statement": [
    {
      "Sid": "KMSOwner",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
      "Action": "kms:*",
      "Resource": "*"
    },
    {
      "Sid": "KMSCrossAccount",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::444455556666:role/vendor" },
      "Action": ["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"],
      "Resource": "*"
    }
  ]
}"#;

/// Claims SPL-59, SPL-60, SPL-62, SPL-Q20.
#[test]
fn policies_of_buckets_and_keys_are_those_of_the_page() {
    let profile = VendorProfile::named("split_impressions_export").unwrap();
    let bucket = BucketName::new("impressions-1").unwrap();
    let vendor = "arn:aws:iam::444455556666:role/vendor";
    let printed = |prefix: &str| {
        json(&bucket_policy(&profile, &bucket, &KeyPrefix::new(prefix).unwrap(), vendor).unwrap())
    };
    assert_eq!(printed("split/out"), json(DOCUMENTED_BUCKET));
    let blank = DOCUMENTED_BUCKET.replace("/split/out/*", "/*");
    assert_eq!(printed(""), json(&blank), "a blank write location is the whole bucket");
    assert_eq!(json(&key_policy(&profile, "111122223333", vendor).unwrap()), json(DOCUMENTED_KEY));
    let other = VendorProfile::named("suprsend_s3_v2").unwrap();
    let error = bucket_policy(&other, &bucket, &KeyPrefix::default(), vendor).unwrap_err();
    assert_eq!(error.to_string(), "profile `suprsend_s3_v2` has no bucket policy");
    let error = key_policy(&other, "111122223333", vendor).unwrap_err();
    assert_eq!(error.to_string(), "profile `suprsend_s3_v2` has no key policy");
}

/// Claims DAT-15, ADA-11, PER-20: the statements of the pages.
#[test]
fn identity_policies_are_those_of_the_pages() {
    let bucket = BucketName::new("b-1").unwrap();
    let statements = |id: &str| {
        let profile = VendorProfile::named(id).unwrap();
        json(&identity_policy(&profile, &bucket))["Statement"].clone()
    };
    assert_eq!(
        statements("datafly_s3"),
        serde_json::json!([
            { "Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::b-1/*"] },
            { "Effect": "Allow", "Action": ["s3:GetBucketLocation"], "Resource": ["arn:aws:s3:::b-1"] },
        ])
    );
    assert_eq!(
        statements("adapty_s3"),
        serde_json::json!([
            {
                "Sid": "AllowListObjectsInBucket", "Effect": "Allow",
                "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::b-1"]
            },
            {
                "Sid": "AllowAllObjectActions", "Effect": "Allow",
                "Action": ["s3:*Object"], "Resource": ["arn:aws:s3:::b-1/*", "arn:aws:s3:::b-1"]
            },
            {
                "Sid": "AllowBucketLocation", "Effect": "Allow",
                "Action": ["s3:GetBucketLocation"], "Resource": ["arn:aws:s3:::b-1"]
            },
        ])
    );
    assert_eq!(
        statements("permutive_stream"),
        serde_json::json!([{
            "Effect": "Allow",
            "Action": ["s3:List*", "s3:Get*", "s3:Delete*", "s3:Put*"],
            "Resource": ["arn:aws:s3:::b-1/*", "arn:aws:s3:::b-1"]
        }])
    );
}
