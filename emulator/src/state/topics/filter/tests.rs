use std::collections::BTreeMap;

use super::{FilterError, FilterPolicy, FilterScope};
use crate::state::{Message, MessageAttribute};

fn refusal(text: &str) -> String {
    match FilterPolicy::parse(text, FilterScope::Attributes).unwrap_err() {
        FilterError::Policy(text) | FilterError::Request(text) => text,
    }
}

fn message(text: &str, attributes: &[(&str, &str, &str)]) -> Message {
    let attributes: BTreeMap<_, _> = attributes
        .iter()
        .map(|(name, data_type, value)| {
            let attribute =
                MessageAttribute { data_type: (*data_type).to_owned(), value: (*value).to_owned() };
            ((*name).to_owned(), attribute)
        })
        .collect();
    Message {
        id: String::new(),
        topic: String::new(),
        subject: None,
        text: text.to_owned(),
        texts: BTreeMap::new(),
        attributes,
        published_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// The texts and columns were recorded.
#[test]
fn refusals_tell_how_far_the_parser_had_come() {
    for (policy, text, column) in [
        (r#"{"key":{"not-an-operator":"value"}}"#, "\"not-an-operator\" must be an object or an array", 28),
        (r#"{"key_a":"value_one"}"#, "\"key_a\" must be an object or an array", 11),
        (r#"{"key":[]}"#, "Empty arrays are not allowed", 10),
        (r#"{"key":[["value"]]}"#, "Match value must be String, number, true, false, or null", 10),
        (r#"{"key":[{"suffix":"value","prefix":"value2"}]}"#, "Only one key allowed in match expression", 37),
        (r#"{"key":[{"wrong-operator":true}]}"#, "Unrecognized match type wrong-operator", 31),
        (r#"{"key":[{"numeric":[">=",1,">",2]}]}"#, "Bad numeric range operator: >", 31),
        (r#"{"key":[{"numeric":[">",20,"test"]}]}"#, "Bad numeric range operator: test", 34),
        (r#"{"key":[{"numeric":[">",20,30]}]}"#, "Bad value in numeric range: 30", 30),
        (r#"{"key":[{"numeric":[">",3,"<",1]}]}"#, "Bottom must be less than top", 33),
        (r#"{"key":[{"numeric":[1,"<="]}]}"#, "Invalid member in numeric match: 1", 22),
        (r#"{"key":[{"numeric":[]}]}"#, "Invalid member in numeric match: ]", 22),
        (r#"{"key":[{"numeric":["<",100,">",10]}]}"#, "Too many elements in numeric expression", 30),
        (r#"{"key":[{"numeric":[">",20,"<",30,"<",50]}]}"#, "Too many terms in numeric range expression", 36),
        (r#"{"key":[{"numeric":["operator"]}]}"#, "Unrecognized numeric range operator: operator", 32),
        (r#"{"key":[{"numeric":[">",20,"<","30"]}]}"#, "Value of < must be numeric", 33),
        (r#"{"key":[{"numeric":[">",20,"<="]}]}"#, "Value of <= must be numeric", 33),
        (r#"{"key":[{"numeric":[">=" ]}]}"#, "Value of >= must be numeric", 26),
        (r#"{"key":[{"numeric":["=","000"]}]}"#, "Value of equals must be numeric", 26),
        (r#"{"key":[{"exists":"no"}]}"#, "exists match pattern must be either true or false.", 20),
        (r#"{"key":[{"exists":null}]}"#, "exists match pattern must be either true or false.", 23),
        (r#"{"key":[{"anything-but":{"exists":false}}]}"#, "Unsupported anything-but pattern: exists", 40),
        (r#"{"key":[{"anything-but":{"suffix":"test"}}]}"#, "Unsupported anything-but pattern: suffix", 36),
        (r#"{"key":[{"anything-but":{"prefix":false}}]}"#, "prefix match pattern must be a string", 40),
        (r#"{"key":[{"cidr":["bad-filter"]}]}"#, "prefix match pattern must be a string", 18),
        (r#"{"key":[{"suffix":100}]}"#, "suffix match pattern must be a string", 22),
        (r#"{"key":[{"suffix":["test","test2"]}]}"#, "suffix match pattern must be a string", 20),
    ] {
        let source: serde_json::Value = serde_json::from_str(policy).unwrap();
        let expected = format!("{text}\n at [Source: (String)\"{source}\"; line: 1, column: {column}]");
        assert_eq!(refusal(policy), expected);
    }
    assert_eq!(refusal(r#"{"k":[{"cidr":"bad-filter"}]}"#), "Malformed CIDR, one '/' required");
    assert_eq!(refusal(r#"{"k":[{"cidr":"xx.11.xx/8"}]}"#), "Nonstandard IP address: xx.11.xx");
    assert_eq!(refusal(r#"{"k":[{"cidr":"10.0.0.0/x"}]}"#), "Malformed CIDR, mask bits must be an integer");
    let six = r#"{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}"#;
    assert_eq!(refusal(six), "Filter policy can not have more than 5 keys");
    let many: Vec<String> = (0..151).map(|n| format!("\"{n}\"")).collect();
    assert_eq!(refusal(&format!("{{\"a\":[{}]}}", many.join(","))), "Filter policy is too complex");
    assert!(refusal("{invalid}").starts_with(
        "failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to start field name"
    ));
}

#[test]
fn conditions_hold_for_attributes_as_documented() {
    let store = &[
        ("store", "String", "example_corp"),
        ("price", "Number", "100.5"),
        ("interests", "String.Array", r#"["soccer","rugby"]"#),
        ("address", "String", "10.0.0.255"),
    ];
    for (policy, admits) in [
        (r#"{"store":["example_corp"]}"#, true),
        (r#"{"store":["other"]}"#, false),
        (r#"{"store":["other","example_corp"],"price":[{"numeric":["=",100.5]}]}"#, true),
        (r#"{"store":[{"anything-but":["example_corp"]}]}"#, false),
        (r#"{"store":[{"anything-but":"x"}]}"#, true),
        (r#"{"gone":[{"anything-but":"x"}]}"#, false),
        (r#"{"store":[{"prefix":"example"}]}"#, true),
        (r#"{"store":[{"suffix":"corp"}]}"#, true),
        (r#"{"store":[{"equals-ignore-case":"EXAMPLE_CORP"}]}"#, true),
        (r#"{"store":[{"anything-but":{"prefix":"example"}}]}"#, false),
        (r#"{"store":[{"exists":true}]}"#, true),
        (r#"{"gone":[{"exists":false}]}"#, true),
        (r#"{"store":[{"exists":false}]}"#, false),
        (r#"{"price":[{"numeric":[">",100,"<=",101]}]}"#, true),
        (r#"{"price":[{"numeric":["<",100]}]}"#, false),
        (r#"{"interests":["rugby"]}"#, true),
        (r#"{"interests":["tennis"]}"#, false),
        (r#"{"interests":[{"anything-but":["rugby"]}]}"#, false),
        (r#"{"address":[{"cidr":"10.0.0.0/24"}]}"#, true),
        (r#"{"address":[{"cidr":"10.0.1.0/24"}]}"#, false),
        (r#"{"$or":[{"store":["x"]},{"price":[100.5]}]}"#, true),
        (r#"{"$or":[{"store":["x"]},{"price":[1]}]}"#, false),
    ] {
        let filter = FilterPolicy::parse(policy, FilterScope::Attributes).unwrap();
        assert_eq!(filter.admits(&message("m", store)), admits, "{policy}");
    }
}

#[test]
fn a_body_is_looked_into() {
    let filter = FilterPolicy::parse(
        r#"{"Records":{"s3":{"object":{"key":[{"prefix":"raw/"}]}}}}"#,
        FilterScope::Body,
    );
    let filter = filter.unwrap();
    assert!(filter.admits(&message(r#"{"Records":[{"s3":{"object":{"key":"raw/a"}}}]}"#, &[])));
    assert!(!filter.admits(&message(r#"{"Records":[{"s3":{"object":{"key":"b"}}}]}"#, &[])));
    assert!(!filter.admits(&message("no JSON", &[])));
    let nested = FilterPolicy::parse(r#"{"a":{"b":["c"]}}"#, FilterScope::Attributes).unwrap_err();
    let text = "Filter policy scope MessageAttributes does not support nested filter policy";
    assert_eq!(nested, FilterError::Request(text.to_owned()));
}
