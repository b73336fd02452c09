use std::collections::BTreeSet;

use super::*;
use crate::actions::{KeyScope, key_scope, s3_keys};

#[test]
fn names_are_unique_and_found_in_any_case() {
    let mut names = BTreeSet::new();
    for key in condition_keys() {
        assert!(names.insert(key.name.to_lowercase()), "{}", key.name);
        assert!(!key.holds.is_empty() && !key.holds.ends_with('.'), "{}", key.name);
        let name =
            if key.name.ends_with(['/', ':']) { format!("{}x", key.name) } else { key.name.to_owned() };
        assert_eq!(condition_key(&name.to_uppercase()), Some(key));
    }
    for name in
        ["aws:Nothing", "kms:EncryptionContext:", "aws:PrincipalTag/", "aws:PrincipalTag", "s3:prefi", ""]
    {
        assert_eq!(condition_key(name), None, "{name}");
    }
}

#[test]
fn keys_of_s3_are_those_that_bucket_policies_may_have() {
    let typed: BTreeSet<String> =
        condition_keys().map(|key| key.name.to_lowercase()).filter(|name| name.starts_with("s3:")).collect();
    let scoped: BTreeSet<String> =
        s3_keys().filter(|name| name.starts_with("s3:")).map(str::to_owned).collect();
    assert!(scoped.is_subset(&typed));
    // Batch jobs and access grants are no matter of bucket policies.
    for name in typed.difference(&scoped) {
        assert!(name.contains("job") || name.starts_with("s3:accessgrant"), "{name}");
        assert_eq!(key_scope(name), KeyScope::Unknown, "{name}");
    }
}

#[test]
fn keys_of_kms_have_their_types() {
    let typed = |name| condition_key(name).map(|key| (key.value_type, key.is_list));
    assert_eq!(typed("kms:GrantIsForAWSResource"), Some((Bool, false)));
    assert_eq!(typed("kms:ViaService"), Some((Text, false)));
    assert_eq!(typed("kms:CallerAccount"), Some((Text, false)));
    assert_eq!(typed("kms:EncryptionContext:aws:s3:arn"), Some((Text, false)));
    assert_eq!(typed("kms:EncryptionContextKeys"), Some((Text, true)));
    assert_eq!(typed("kms:GrantOperations"), Some((Text, true)));
    assert_eq!(typed("aws:SourceIp"), Some((Ip, false)));
    assert_eq!(typed("aws:TokenIssueTime"), Some((Date, false)));
}
