use super::{Effect, Operation, StoreError, denied_parts, quoted_after, service_error};

#[test]
fn the_missing_action_and_resource_are_read_off_the_message() {
    let quoted = "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: s3:PutObject on \
                  resource: \"arn:aws:s3:::b/a b.parquet\" because no identity-based policy allows the s3:PutObject action";
    assert_eq!(
        denied_parts(quoted),
        (Some("s3:PutObject".to_owned()), Some("arn:aws:s3:::b/a b.parquet".to_owned()))
    );
    let unquoted = "User: u is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-central-1:1:key/k because x";
    assert_eq!(
        denied_parts(unquoted),
        (Some("kms:GenerateDataKey".to_owned()), Some("arn:aws:kms:eu-central-1:1:key/k".to_owned()))
    );
    let without = "User: u is not authorized to perform: s3:ListAllMyBuckets because x";
    assert_eq!(denied_parts(without), (Some("s3:ListAllMyBuckets".to_owned()), None));
    assert_eq!(denied_parts("Access Denied"), (None, None));
}

#[test]
fn the_region_is_read_off_a_malformed_authorization() {
    let message =
        "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'";
    assert_eq!(quoted_after(message, "expecting '"), Some("eu-west-1".to_owned()));
}

#[test]
fn codes_are_classed() {
    let of = |status, code| service_error(Operation::Put, status, code, "m", "https://s3.example");
    assert!(matches!(of(400, "ExpiredToken"), StoreError::Expired { .. }));
    assert!(matches!(of(503, "SlowDown"), StoreError::Unavailable { effect: Effect::None, .. }));
    assert!(matches!(of(500, "InternalError"), StoreError::Unavailable { effect: Effect::Unknown, .. }));
    assert!(matches!(of(400, "RequestTimeout"), StoreError::Unavailable { effect: Effect::Unknown, .. }));
    assert!(matches!(of(400, "InvalidRequest"), StoreError::Rejected { .. }));
    assert!(matches!(of(503, ""), StoreError::Unavailable { effect: Effect::Unknown, .. }));
    assert!(matches!(of(200, ""), StoreError::NotS3 { status: 200, .. }));
}
