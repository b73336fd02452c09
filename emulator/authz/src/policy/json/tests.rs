use proptest::prelude::*;

use super::{Node, Value, parse};

fn rejected(text: &str, expected: &str) {
    let error = parse(text).expect_err(text);
    assert_eq!(error.to_string(), expected, "{text}");
}

#[test]
fn positions_are_lines_and_characters() {
    let node = parse("{\n  \"é\": [1,\n    {\"x\": true}]\n}").expect("valid");
    let members = node.members().expect("an object");
    assert_eq!((members[0].at.line, members[0].at.column), (2, 3));
    let items = members[0].node.one_or_many();
    assert_eq!((items[0].at.line, items[0].at.column), (2, 9));
    assert_eq!((items[1].at.line, items[1].at.column), (3, 5));
}

#[test]
fn strings_keep_escapes_and_surrogates() {
    let node = parse(r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#).expect("valid");
    assert_eq!(node.value, Value::Text("a\"\\/\u{8}\u{C}\n\r\té😀".to_owned()));
}

#[test]
fn numbers_keep_their_text() {
    for text in ["0", "-0", "10", "1.50", "1e3", "-2.5E-7"] {
        assert_eq!(parse(text).expect(text).scalar_text(), Some(text));
    }
}

#[test]
fn mistakes_name_their_place() {
    rejected("", "expected a value, found the end of the text at line 1, column 1");
    rejected("{\"a\":1,\n\"a\":2}", "the key `a` occurs twice at line 2, column 1");
    rejected("[1,]", "expected a value, found `]` at line 1, column 4");
    rejected("{} x", "text after the end of the document at line 1, column 4");
    rejected("\"\\ud800\"", "unpaired surrogate escape at line 1, column 2");
    rejected("\"\\udc00\"", "unpaired surrogate escape at line 1, column 2");
    rejected("\"a\nb\"", "control character U+000A in a string at line 1, column 3");
    rejected("01", "text after the end of the document at line 1, column 2");
    rejected("tru", "expected a value at line 1, column 1");
    rejected(&"[".repeat(100), "nested deeper than 64 levels at line 1, column 65");
}

fn as_serde(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(text) => serde_json::from_str(text).expect("a number"),
        Value::Text(text) => text.clone().into(),
        Value::List(items) => items.iter().map(as_serde).collect::<Vec<_>>().into(),
        Value::Object(members) => serde_json::Value::Object(
            members.iter().map(|member| (member.key.clone(), as_serde(&member.node))).collect(),
        ),
    }
}

proptest! {
    #[test]
    fn agrees_with_serde_json(text in r#"[\[\]{},:"a1.e\\un0 \-tf]{0,16}"#) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        match (parse(&text), theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(as_serde(&ours), theirs),
            (Err(error), Ok(_)) => prop_assert!(error.message.contains("occurs twice"), "{}", error),
            // The other side refuses numbers beyond its range; we keep their text.
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{}", error),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,40}") {
        let _answer = parse(&text);
    }
}
