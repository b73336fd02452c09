use super::{Template, Wildcards};
use crate::context::Context;
use crate::policy::document::Version;
use crate::wildcard;

fn context() -> Context {
    let mut context = Context::new();
    context
        .set("aws:PrincipalTag/cost center", "42")
        .set("aws:PrincipalTag/empty", "")
        .set("aws:username", "bob")
        .set("aws:PrincipalTag/Team", "a*")
        .set_many("aws:TagKeys", ["one"]);
    context
}

fn check(text: &str, version: Version, expected: Option<&str>) {
    let template = Template::parse(text, Wildcards::Active, version);
    assert_eq!(template.resolved_text(&context()).as_deref(), expected, "{text}");
    assert_eq!(template.source(), text);
}

#[test]
fn variables_take_the_value_of_their_key() {
    check("home/${aws:username}/*", Version::V2012, Some("home/bob/*"));
    check("${AWS:UserName}", Version::V2012, Some("bob"));
    check("${aws:principaltag/team}", Version::V2012, Some("a*"));
    check("${aws:userid}", Version::V2012, None);
    check("${aws:userid, 'nobody'}/x", Version::V2012, Some("nobody/x"));
    check("${aws:username, 'nobody'}", Version::V2012, Some("bob"));
    check("${aws:TagKeys}", Version::V2012, None);
    check("${*}${?}${$}{x}", Version::V2012, Some("*?${x}"));
    check("${unclosed", Version::V2012, Some("${unclosed"));
    check("${notakey}", Version::V2012, Some("${notakey}"));
    check("${aws:username}", Version::V2008, Some("${aws:username}"));
    check("${aws:PrincipalTag/Cost Center}/x", Version::V2012, Some("42/x"));
    check("${aws:PrincipalTag/unit, 'a, b'}", Version::V2012, Some("a, b"));
    check("${aws:PrincipalTag/unit,'{none}'}!", Version::V2012, Some("{none}!"));
    check("${aws:PrincipalTag/unit, ''}x", Version::V2012, Some("x"));
    check("${aws:PrincipalTag/unit, none}", Version::V2012, Some("${aws:PrincipalTag/unit, none}"));
    check("${aws:PrincipalTag/empty}x", Version::V2012, Some("x"));
    check("${aws:${aws:username}}", Version::V2012, None);
    check("$${aws:username}$", Version::V2012, Some("$bob$"));
    check("${it's}${aws:username}", Version::V2012, Some("${it's}bob"));
    check("", Version::V2012, Some(""));
}

#[test]
fn values_and_escapes_are_literal() {
    let matches = |text: &str, value: &str| {
        let template = Template::parse(text, Wildcards::Active, Version::V2012);
        wildcard::matches(&template.resolve(&context()).expect("resolved"), value.as_bytes())
    };
    assert!(matches("${aws:PrincipalTag/Team}", "a*"));
    assert!(!matches("${aws:PrincipalTag/Team}", "abc"));
    assert!(matches("x${*}", "x*"));
    assert!(!matches("x${*}", "xy"));
    assert!(matches("x*", "xy"));
}
