use std::borrow::Cow;
use std::sync::Arc;

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
    let entry = |text: &str| {
        let own = text.to_owned();
        Entry::new(LowerKey::with_hash(7, text), own.clone().into(), Values::One(own))
    };
    let mut entries = Entries::default();
    for text in ["b", "a", "c"] {
        entries.insert(entry(text));
    }
    for text in ["a", "b", "c"] {
        assert_eq!(entries.find(&entry(text).lower_key), Some(&*entry(text)));
    }
    assert_eq!(entries.find(&entry("d").lower_key), None);
}

#[test]
fn what_is_alike_is_shared_and_what_is_not_is_as_set() {
    let mut earlier = Context::new();
    earlier.set("aws:SourceIp", "1").set("AWS:Referer", "a").set_many("aws:TagKeys", ["x"]);
    let (mut plain, mut sharing) = (Context::new(), Context::new());
    let given = [("aws:SourceIp", "1"), ("aws:Referer", "a"), ("aws:TagKeys", "x"), ("aws:UserAgent", "u")];
    for (key, value) in given.into_iter().chain([("aws:UserAgent", "v")]) {
        plain.set(key, value);
        sharing.set_as_in(&earlier, key, value);
    }
    assert_eq!(sharing, plain);
    assert!(sharing.iter().eq(plain.iter()), "as written, too");
    let is_shared = |key: &str| {
        let of = |context: &Context| context.entries.shared(&LowerKey::new(key)).cloned();
        of(&sharing).zip(of(&earlier)).is_some_and(|(own, other)| Arc::ptr_eq(&own, &other))
    };
    assert_eq!(given.map(|(key, _)| is_shared(key)), [true, false, false, false]);
}

#[test]
fn documented_names_and_others_are_alike() {
    for name in ["aws:SourceIp", "AWS:sourceip", "s3:x-amz-acl", "x:Own", "aws:PrincipalTag/Ärger", ""] {
        let (lower, written) = LowerKey::named(name);
        assert_eq!((lower.as_str(), &*written), (name.to_lowercase().as_str(), name));
        assert!(lower.is(&LowerKey::new(&name.to_lowercase())) && !lower.is(&LowerKey::new("aws:userid")));
    }
    for key in crate::condition_keys() {
        let (lower, written) = LowerKey::named(key.name);
        assert!(matches!(written, Cow::Borrowed(_)), "{}", key.name);
        assert_eq!(lower.as_str(), key.name.to_lowercase());
    }
}

/// The values of a key, of which a typed one is asked for before and after they change.
#[test]
fn typed_values_follow_the_texts() {
    let key = LowerKey::new("aws:x");
    let address = |context: &Context, index| context.find(&key).and_then(|entry| entry.address(index));
    let instant = |context: &Context, index| context.find(&key).and_then(|entry| entry.instant(index));
    let mut context = Context::new();
    context.set("aws:X", "192.0.2.1");
    for _ in 0..2 {
        assert_eq!(address(&context, 0), Some([192, 0, 2, 1].into()));
    }
    let copy = context.clone();
    context.set("aws:X", "1970");
    assert_eq!((address(&context, 0), instant(&context, 0)), (None, Some(0)));
    context.set_many("aws:X", ["192.0.2.2", "1971"]);
    assert_eq!((address(&context, 0), address(&context, 1)), (Some([192, 0, 2, 2].into()), None));
    assert_eq!((instant(&context, 1), instant(&context, 2)), (Some(365 * 86_400 * 1_000_000_000), None));
    assert_eq!(address(&copy, 0), Some([192, 0, 2, 1].into()));
    // What was computed is no part of the value.
    let mut fresh = Context::new();
    fresh.set("aws:X", "192.0.2.1");
    assert_eq!(fresh, copy);
}

/// More keys than slots, so that many share one.
#[test]
fn every_key_is_found_among_many() {
    let mut context = Context::new();
    for number in 0..500 {
        context.set(format!("aws:RequestTag/{number}"), number.to_string());
        // What is asked for in between must not be remembered.
        assert_eq!(context.get(&format!("aws:RequestTag/{}", number + 1)), None);
    }
    for number in (0..500).step_by(2) {
        context.remove(&format!("aws:requesttag/{number}"));
        assert_eq!(context.get(&format!("aws:RequestTag/{number}")), None);
    }
    for number in 0..500 {
        let expected = (number % 2 == 1).then(|| Values::One(number.to_string()));
        assert_eq!(context.get(&format!("aws:RequestTag/{number}")), expected.as_ref());
    }
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
