use proptest::prelude::*;

use super::{Context, Entries, Entry, LowerKey, Values};

#[test]
fn keys_ignore_case_and_keep_their_spelling() {
    let mut context = Context::new();
    context
        .set("s3:Prefix", "b")
        .set("AWS:SourceIp", "1")
        .set_many("aws:TagKeys", ["x"])
        .set("S3:prefix", "a");
    let all: Vec<_> = context.iter().map(|(key, values)| (key, values.as_slice().len())).collect();
    assert_eq!(all, [("AWS:SourceIp", 1), ("aws:TagKeys", 1), ("S3:prefix", 1)]);
    assert_eq!(context.get("s3:PREFIX"), Some(&Values::One("a".to_owned())));
    context.remove("aws:tagkeys").remove("absent");
    assert_eq!(context.get("aws:TagKeys"), None);
}

#[test]
fn equal_hashes_do_not_confuse_keys() {
    let entry = |text: &str| Entry {
        lower_key: LowerKey { hash: 7, text: text.into() },
        key: text.into(),
        values: Values::One(text.to_owned()),
    };
    let mut entries = Entries::default();
    for text in ["b", "a", "c"] {
        entries.insert(entry(text));
    }
    for text in ["a", "b", "c"] {
        assert_eq!(entries.find(&entry(text).lower_key), Some(&entry(text)));
    }
    assert_eq!(entries.find(&entry("d").lower_key), None);
}

proptest! {
    #[test]
    fn agrees_with_a_map(steps in proptest::collection::vec(("[a-cA-C]{1,2}", any::<bool>()), 0..30)) {
        let mut context = Context::new();
        let mut map = std::collections::BTreeMap::new();
        for (number, (key, keeps)) in steps.iter().enumerate() {
            if *keeps {
                context.set(key.as_str(), number.to_string());
                map.insert(key.to_lowercase(), (key.clone(), number.to_string()));
            } else {
                context.remove(key);
                map.remove(&key.to_lowercase());
            }
        }
        let found: Vec<_> = context.iter().map(|(key, values)| (key.to_owned(), values.clone())).collect();
        let expected: Vec<_> = map.into_values().map(|(key, value)| (key, Values::One(value))).collect();
        prop_assert_eq!(&found, &expected);
        for (key, values) in &expected {
            prop_assert_eq!(context.get(key), Some(values));
        }
    }
}
