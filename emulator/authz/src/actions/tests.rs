use super::{
    BUCKET_ACTIONS, KEYS, KeyScope, OBJECT_ACTIONS, OTHER_ACTIONS, S3ResourceType, key_scope,
    s3_action_resource_type,
};

#[test]
fn actions_have_one_type() {
    let mut all: Vec<&str> = [&BUCKET_ACTIONS[..], &OBJECT_ACTIONS, &OTHER_ACTIONS].concat();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn lookup_ignores_case_and_prefix() {
    assert_eq!(s3_action_resource_type("s3:GetObject"), Some(S3ResourceType::Object));
    assert_eq!(s3_action_resource_type("S3:LISTBUCKET"), Some(S3ResourceType::Bucket));
    assert_eq!(s3_action_resource_type("ListAllMyBuckets"), Some(S3ResourceType::Other));
    assert_eq!(s3_action_resource_type("s3:HeadObject"), None);
    assert_eq!(s3_action_resource_type("é"), None);
}

#[test]
fn condition_keys_name_known_actions() {
    for (keys, actions) in KEYS {
        assert!(!keys.is_empty() && !actions.is_empty());
        for action in actions {
            assert!(s3_action_resource_type(action).is_some(), "{action}");
        }
    }
}

#[test]
fn condition_keys_have_a_scope() {
    assert_eq!(key_scope("aws:sourceip"), KeyScope::Every);
    assert_eq!(key_scope("s3:tlsversion"), KeyScope::Every);
    assert_eq!(key_scope("s3:prefix"), KeyScope::Only(&["ListBucket", "ListBucketVersions"]));
    assert!(
        matches!(key_scope("s3:existingobjecttag/team"), KeyScope::Only(actions) if actions.contains(&"GetObject"))
    );
    assert_eq!(key_scope("s3:prefixes"), KeyScope::Unknown);
}
