use bumpalo::Bump;
use proptest::prelude::*;

use super::super::{Cell, Decoder};
use super::Scanner;
use crate::profile::{Dataset, VendorProfile};

fn dataset(name: &str) -> Dataset {
    let profile = VendorProfile::named("suprsend_s3_v2").unwrap();
    profile.datasets().iter().find(|dataset| dataset.name().as_str() == name).unwrap().clone()
}

/// Whether the quick walk took the line; where it did, the plain walk found the same.
fn quick(decoder: &Decoder<'_>, line: &[u8]) -> bool {
    let arena = Bump::new();
    let width = decoder.dataset.columns().len();
    let (mut quickly, mut plainly) = (vec![Cell::Absent; width], vec![Cell::Absent; width]);
    let mut scanner = std::str::from_utf8(line).ok().map(Scanner::new);
    let end = scanner.as_mut().and_then(|scanner| decoder.walk_quickly(scanner, 0, &arena, &mut quickly));
    let taken = end.is_some_and(|end| end == line.len());
    if taken {
        let shown = String::from_utf8_lossy(line);
        decoder.walk(line, &arena, &mut plainly).unwrap_or_else(|problem| panic!("{shown}: {problem}"));
        assert_eq!(quickly, plainly, "{shown}");
    }
    taken
}

fn json() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("-0".to_owned()),
        Just("01".to_owned()),
        Just("-1.50e+07".to_owned()),
        Just("1.".to_owned()),
        Just(".5".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("9223372036854775808".to_owned()),
        Just("\"2025-01-15T14:05:00.123Z\"".to_owned()),
        Just("\"completed\"".to_owned()),
        Just("\"a\\n\\u00e9\\\"\\/\"".to_owned()),
        Just("\"\\ud83d\\ude00\"".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        Just("\"\\x\"".to_owned()),
        "\"[a-zé{}\\[\\]:, ]{0,20}\"",
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    word.prop_recursive(4, 24, 4, |inner| {
        let gap = prop_oneof![Just(""), Just(" "), Just("  "), Just("\t")];
        let list = (prop::collection::vec(inner.clone(), 0..4), gap.clone())
            .prop_map(|(values, gap)| format!("[{gap}{}{gap}]", values.join(&format!("{gap},"))));
        let object = (prop::collection::vec(("[a-c]{0,2}", inner), 0..4), gap).prop_map(|(members, gap)| {
            let members: Vec<_> =
                members.iter().map(|(name, value)| format!("\"{name}\"{gap}:{value}")).collect();
            format!("{{{}{gap}}}", members.join(","))
        });
        prop_oneof![list, object]
    })
}

fn line(columns: Vec<String>) -> impl Strategy<Value = String> {
    let field = (prop::sample::select(columns), json());
    let gap = prop_oneof![4 => Just(""), 1 => Just(" ")];
    (prop::collection::vec(field, 0..8), gap).prop_map(|(fields, gap)| {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| format!("{gap}\"{name}\":{gap}{value}")).collect();
        format!("{{{}{gap}}}", fields.join(","))
    })
}

fn names(dataset: &Dataset) -> Vec<String> {
    let known = dataset.columns().iter().map(|column| column.name.clone());
    known.chain(["mood".to_owned(), "st\\u0061tus".to_owned()]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_the_quick_walk_takes_the_plain_walk_takes_alike(
        (lines, cut, byte) in prop::sample::select(vec!["messages", "requests"])
            .prop_flat_map(|name| (Just(name), line(names(&dataset(name)))))
            .prop_flat_map(|(name, line)| (Just((name, line.clone())), 0..=line.len(), any::<u8>()))
    ) {
        let (name, line) = lines;
        let dataset = dataset(name);
        let decoder = Decoder::new(&dataset, 0);
        quick(&decoder, line.as_bytes());
        // And the same line broken at one place, in three ways.
        let (head, tail) = line.as_bytes().split_at(cut);
        quick(&decoder, head);
        quick(&decoder, &[head, &[byte], tail].concat());
        quick(&decoder, &[head, tail.get(1..).unwrap_or_default()].concat());
    }
}

#[test]
fn lines_as_producers_write_them_are_walked_quickly() {
    let traffic = bucketproof_fixtures::suprsend::Traffic::new(3).requests(200).generate();
    for (name, lines) in [("messages", traffic.messages.ndjson()), ("requests", traffic.requests.ndjson())] {
        let dataset = dataset(name);
        let decoder = Decoder::new(&dataset, 0);
        let (mut taken, mut all) = (0, 0);
        for line in lines.lines() {
            // As they are; and as others write them, with spaces, and without nulls.
            let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
            let fields = row.iter().filter(|(_, value)| !value.is_null());
            let fields: Vec<String> = fields.map(|(name, value)| format!("\"{name}\": {value}")).collect();
            let spaced = format!("{{{}}}", fields.join(", "));
            for line in [line, spaced.as_str()] {
                taken += usize::from(quick(&decoder, line.as_bytes()));
                all += 1;
            }
        }
        assert!(taken * 20 > all * 19, "{name}: only {taken} of {all} lines are walked quickly");
    }
}

#[test]
fn what_needs_a_closer_look_is_left_to_the_plain_walk() {
    let dataset = dataset("messages");
    let decoder = Decoder::new(&dataset, 0);
    let nested = |levels: usize| format!("{{\"webhook_data\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(quick(&decoder, nested(super::NESTING_DEPTH_MAX - 1).as_bytes()));
    for left in [
        nested(super::NESTING_DEPTH_MAX).as_str(),
        "{}",
        "{\"status\":\"a\tb\"}",
        "{\"status\":\"a\"} x",
        "{\"status\":\"a\",\"status\":\"b\"}",
        "{\"status\":\"a\",}",
        "{\"st\\u0061tus\":\"a\"}",
        "{\"webhook_data\":\"\\ud83d\\ude00\"}",
        "{\"webhook_data\":{\"a\":}}",
        "{\"webhook_data\":[1,]}",
        "{\"vendor_fallback_level\":01}",
    ] {
        assert!(!quick(&decoder, left.as_bytes()), "{left}");
    }
    // A surrogate within a JSON column is text that stays as it is: whoever walks, the outcome is the same.
    assert!(quick(&decoder, b"{\"webhook_data\":{\"a\":[1,{\"b\":null}],\"c\":\"\\n\"},\"is_smart\":true}"));
}
