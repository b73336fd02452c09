use proptest::prelude::*;

use super::{compile, matches};

fn check(pattern: &str, text: &str, expected: bool) {
    assert_eq!(matches(&compile(pattern), text.as_bytes()), expected, "pattern `{pattern}` on `{text}`");
}

#[test]
fn wildcards_match_whole_texts() {
    check("", "", true);
    check("", "a", false);
    check("*", "", true);
    check("*", "a/b\nc", true);
    check("a*c", "abbbc", true);
    check("a*c", "abbbcd", false);
    check("a*c*e", "a-c-c-e", true);
    check("?", "", false);
    check("?", "é", true);
    check("??", "é", false);
    check("日?語", "日本語", true);
    check("*語", "日本語", true);
    check("*?", "日", true);
    check("a.c", "abc", false);
    check("[ab]", "a", false);
    check("**a", "bca", true);
    check("a**", "a", true);
    check("*aab", "aaaab", true);
}

#[test]
fn hostile_patterns_stay_bounded() {
    let pattern = "a*".repeat(500) + "b";
    check(&pattern, &"a".repeat(5_000), false);
}

/// The definition, exponential and obviously right: what the fast matcher must agree with.
fn by_definition(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((&'*', rest)), _) => (0..=text.len()).any(|skip| by_definition(rest, &text[skip..])),
        (Some((&'?', rest)), Some((_, tail))) => by_definition(rest, tail),
        (Some((expected, rest)), Some((found, tail))) => expected == found && by_definition(rest, tail),
        _ => false,
    }
}

proptest! {
    #[test]
    fn agrees_with_the_definition(pattern in "[aé*?]{0,7}", text in "[aéb]{0,9}") {
        let expected = by_definition(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
        prop_assert_eq!(matches(&compile(&pattern), text.as_bytes()), expected);
    }
}
