use proptest::prelude::*;

use super::{Glob, compile, compile_parts, display, matches};

fn check(pattern: &str, text: &str, expected: bool) {
    assert_eq!(matches(&compile(pattern), text.as_bytes()), expected, "pattern `{pattern}` on `{text}`");
    assert_eq!(
        Glob::new(compile(pattern)).matches(text.as_bytes()),
        expected,
        "glob `{pattern}` on `{text}`"
    );
}

fn check_parts(pattern: &str, text: &str, expected: bool) {
    let compiled = compile_parts(pattern);
    assert_eq!(matches(&compiled, text.as_bytes()), expected, "parts `{pattern}` on `{text}`");
    assert_eq!(display(&compiled), pattern);
}

#[test]
fn wildcards_keep_to_their_part_of_an_arn() {
    check_parts("a*b:c", "axxb:c", true);
    check_parts("a*b:c", "ax:b:c", false);
    check_parts("a?:c", "ab:c", true);
    check_parts("a?c", "a:c", false);
    check_parts("a*b*c:d", "a1b2c:d", true);
    check_parts("a*b:c*d:e", "aXbYb:cd:e", true);
    check_parts("a*b:c*d:e", "ab:cd:ed:e", false);
}

#[test]
fn a_star_that_ends_a_part_runs_on_beyond_the_colon() {
    check_parts("arn:aws:sqs:*", "arn:aws:sqs:eu-west-1:111111111111:queue", true);
    check_parts("a:*:d", "a:b:c:d", true);
    check_parts("a:*:d", "a:b:c:e", false);
    check_parts("a:*:x*y:d", "a:1:xy:2:xzy:d", true);
    check_parts("a:x*:d", "a:x1:2:d", true);
    check_parts("a:*x:d", "a:b:x:d", false);
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
    check("*?b", "😀😀b", true);
    check("*??b", "😀b", false);
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
    check(&format!("*{}b", "a".repeat(10_000)), &"a".repeat(100_000), false);
    check(&format!("*{}?", "a?".repeat(200)), &format!("{}b", "a".repeat(5_000)), true);
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

/// The same for the parts of an ARN, where a `*` before a colon or the end crosses colons and no other wildcard does.
fn parts_by_definition(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((&'*', rest)), _) => {
            let crosses = matches!(rest.first(), None | Some(':'));
            let reach = text.iter().position(|c| *c == ':' && !crosses).unwrap_or(text.len());
            (0..=reach).any(|skip| parts_by_definition(rest, &text[skip..]))
        }
        (Some((&'?', rest)), Some((found, tail))) => *found != ':' && parts_by_definition(rest, tail),
        (Some((expected, rest)), Some((found, tail))) => expected == found && parts_by_definition(rest, tail),
        _ => false,
    }
}

proptest! {
    #[test]
    fn agrees_with_the_definition(pattern in "[aé😀*?]{0,7}", text in "[aé😀b]{0,9}") {
        let expected = by_definition(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
        prop_assert_eq!(matches(&compile(&pattern), text.as_bytes()), expected);
    }

    #[test]
    fn parts_agree_with_their_definition(pattern in "[aé😀:*?]{0,8}", text in "[aé😀:]{0,10}") {
        let expected =
            parts_by_definition(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
        prop_assert_eq!(matches(&compile_parts(&pattern), text.as_bytes()), expected);
    }
}
