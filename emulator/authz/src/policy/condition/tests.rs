use super::super::document::Version;
use super::super::json::Position;
use super::super::operator::Operator;
use super::{Condition, ConditionMatch};
use crate::context::Context;

fn condition(operator: &str, values: &[&str]) -> Condition {
    let parsed = Operator::parse(operator).expect(operator);
    let texts = values.iter().map(|value| (*value).into()).collect();
    Condition::compile(parsed, operator, "test:Key", texts, Version::V2012, Position::START)
}

/// One value of the key, or none.
fn check(operator: &str, values: &[&str], found: Option<&str>, expected: bool) {
    let mut context = Context::new();
    context.set("aws:username", "bob");
    if let Some(found) = found {
        context.set("TEST:key", found);
    }
    let result = condition(operator, values).check(&context);
    assert_eq!(result.is_met(), expected, "{operator} {values:?} on {found:?}: {result:?}");
}

/// A list-valued key.
fn check_list(operator: &str, values: &[&str], found: &[&str], expected: bool) {
    let mut context = Context::new();
    context.set_many("test:key", found.iter().copied());
    let result = condition(operator, values).check(&context);
    assert_eq!(result.is_met(), expected, "{operator} {values:?} on {found:?}: {result:?}");
}

#[test]
fn strings() {
    check("StringEquals", &["a", "b"], Some("b"), true);
    check("StringEquals", &["a"], Some("A"), false);
    check("StringEquals", &["a*"], Some("ab"), false);
    check("StringEquals", &["a*"], Some("a*"), true);
    check("StringEquals", &["${aws:username}"], Some("bob"), true);
    check("StringEquals", &["${aws:userid}"], Some("${aws:userid}"), false);
    check("StringEquals", &[], Some("a"), false);
    check("StringNotEquals", &["a", "b"], Some("b"), false);
    check("StringNotEquals", &["a", "b"], Some("c"), true);
    check("StringNotEquals", &["${aws:userid}"], Some("x"), true);
    check("StringEqualsIgnoreCase", &["straße"], Some("STRAßE"), true);
    check("StringNotEqualsIgnoreCase", &["A"], Some("a"), false);
    check("StringLike", &["a?c*"], Some("abc/d\ne"), true);
    check("StringLike", &[""], Some(""), true);
    check("StringLike", &["?"], Some(""), false);
    check("StringNotLike", &["a*"], Some("abc"), false);
}

#[test]
fn absent_keys() {
    for operator in
        ["StringEquals", "NumericLessThan", "DateEquals", "Bool", "BinaryEquals", "IpAddress", "ArnLike"]
    {
        check(operator, &["1"], None, false);
        check(&format!("{operator}IfExists"), &["1"], None, true);
        check(&format!("ForAllValues:{operator}"), &["1"], None, true);
        check(&format!("ForAnyValue:{operator}"), &["1"], None, false);
        check(&format!("ForAnyValue:{operator}IfExists"), &["1"], None, false);
    }
    for operator in [
        "StringNotEquals",
        "StringNotLike",
        "NumericNotEquals",
        "DateNotEquals",
        "NotIpAddress",
        "ArnNotLike",
    ] {
        check(operator, &["1"], None, true);
        check(&format!("ForAnyValue:{operator}"), &["1"], None, false);
    }
}

#[test]
fn numbers_and_dates() {
    check("NumericEquals", &["10"], Some("10.0"), true);
    check("NumericLessThan", &["9"], Some("10"), false);
    check("NumericLessThanEquals", &["10"], Some("10"), true);
    check("NumericGreaterThan", &["10"], Some("11"), true);
    check("NumericGreaterThanEquals", &["x"], Some("11"), false);
    check("NumericNotEquals", &["10"], Some("x"), true);
    check("NumericLessThan", &["1", "20"], Some("10"), true);
    check("DateLessThan", &["2026-07-01"], Some("2026-06-30T23:59:59Z"), true);
    check("DateGreaterThan", &["1782907200"], Some("2026-07-01T12:00:01Z"), true);
    check("DateEquals", &["2026-07-01T14:00:00+02:00"], Some("2026-07-01T12:00:00Z"), true);
    check("DateNotEquals", &["2026-07-01T12:00:00Z"], Some("1782907200"), false);
    check("DateLessThanEquals", &["soon"], Some("2026-07-01"), false);
    check("DateGreaterThanEquals", &["2026"], Some("2026-01-01"), true);
}

#[test]
fn other_types() {
    check("Bool", &["true"], Some("TRUE"), true);
    check("Bool", &["false"], Some("true"), false);
    check("BinaryEquals", &["QUJD"], Some("QUJD"), true);
    check("BinaryEquals", &["QUJD"], Some("QUJE"), false);
    check("BinaryEquals", &["!"], Some("!"), false);
    check("IpAddress", &["203.0.113.0/24"], Some("203.0.113.9"), true);
    check("NotIpAddress", &["203.0.113.0/24"], Some("2001:db8::1"), true);
    check("NotIpAddress", &["203.0.113.0/24"], Some("203.0.113.9"), false);
    check("IpAddress", &["203.0.113.0/24"], Some("elsewhere"), false);
    check("ArnLike", &["arn:aws:s3:*:*:b"], Some("arn:aws:s3:::b"), true);
    check("ArnEquals", &["arn:aws:iam::*:user/${aws:username}"], Some("arn:aws:iam::1:user/bob"), true);
    check("ArnLike", &["arn:aws:sns:*:1:x"], Some("arn:aws:sns:a:b:1:x"), false);
    check("ArnLike", &["arn:aws:s3:*"], Some("arn:aws:s3:::b"), false);
    check("ArnLike", &["*"], Some("arn:aws:s3:::b"), true);
    check("ArnLike", &["*"], Some("no arn"), false);
    check("ArnNotEquals", &["arn:aws:s3:::b"], Some("arn:aws:s3:::B"), true);
}

#[test]
fn null_tests_presence() {
    check("Null", &["true"], None, true);
    check("Null", &["true"], Some(""), false);
    check("Null", &["false"], Some("x"), true);
    check("Null", &["false"], None, false);
    check_list("Null", &["true"], &[], true);
    assert_eq!(Operator::parse("NullIfExists"), None);
}

#[test]
fn sets() {
    check_list("ForAllValues:StringEquals", &["a", "b"], &["a"], true);
    check_list("ForAllValues:StringEquals", &["a", "b"], &["a", "c"], false);
    check_list("ForAllValues:StringEquals", &["a"], &[], true);
    check_list("ForAllValues:StringEquals", &["a"], &[""], true);
    check_list("ForAllValues:StringNotEquals", &["a"], &["b", "c"], true);
    check_list("ForAllValues:StringNotEquals", &["a"], &["b", "a"], false);
    check_list("ForAnyValue:StringEquals", &["a", "b"], &["c", "b"], true);
    check_list("ForAnyValue:StringEquals", &["a"], &[], false);
    check_list("ForAnyValue:StringNotEquals", &["a"], &["a", "b"], true);
    check_list("ForAnyValue:StringNotEquals", &["a"], &["a"], false);
    check_list("ForAnyValue:StringNotEquals", &["a"], &[], false);
    check_list("StringEquals", &["a"], &["a"], false);
    check_list("StringNotEquals", &["a"], &["b"], false);
    check("ForAnyValue:StringEquals", &["a"], Some("a"), true);
}

#[test]
fn a_list_without_a_set_operator_is_named() {
    let mut context = Context::new();
    context.set_many("test:key", ["a"]);
    assert_eq!(condition("StringEquals", &["a"]).check(&context), ConditionMatch::ListNeedsQuantifier);
}

#[test]
fn operators_that_do_not_exist() {
    for name in ["StringEqual", "stringequals", "ForAllValue:StringEquals", "BoolNotEquals", "IfExists", ""] {
        assert_eq!(Operator::parse(name), None, "{name}");
    }
}
