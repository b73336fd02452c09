//! Rows that try to break a decoder: whichever walk reads them, the outcome is that of the plain one.

use bumpalo::Bump;
use proptest::prelude::*;

use super::{Cell, Decoder, LinesOrigin, NESTING_DEPTH_MAX, decode_ndjson};
use crate::dead_letter::RowProblem;
use crate::object_file::encode;
use crate::parquet_file;
use crate::profile::{Compression, Dataset, Encoding, Format, VendorProfile};

fn messages() -> (Dataset, Encoding) {
    let profile = VendorProfile::named("suprsend_s3_v2").unwrap();
    let found = profile.datasets().iter().find(|dataset| dataset.name().as_str() == "messages").unwrap();
    (found.clone(), profile.encoding().clone())
}

/// The outcome of a line as it is decoded, after a look whether the plain walk alone has the same.
fn outcome(decoder: &Decoder<'_>, line: &[u8]) -> Result<(), RowProblem> {
    let arena = Bump::new();
    let mut cells = Vec::new();
    let found = decoder.line(line, &arena, &mut cells);
    let mut plain = vec![Cell::Absent; decoder.dataset.columns().len()];
    let plainly = decoder.walk(line, &arena, &mut plain).and_then(|()| decoder.check_row(&plain));
    let shown = || String::from_utf8_lossy(&line[..line.len().min(300)]).into_owned();
    assert!(found == plainly, "{}: {found:?}, plainly {plainly:?}", shown());
    if found.is_ok() {
        assert!(cells == plain, "{}", shown());
    } else {
        assert!(cells.is_empty(), "a bad row leaves cells: {}", shown());
    }
    found
}

const HEAD: &str =
    r#"{"message_id":"m-1","created_at":"2025-01-15T14:05:00Z","updated_at":"2025-01-15T14:06:00.5Z""#;

/// A value that is awkward in one way; some are no JSON.
fn value() -> impl Strategy<Value = String> {
    let nested =
        |levels: usize, open: &str, close: &str| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    let around = NESTING_DEPTH_MAX - 3..NESTING_DEPTH_MAX + 3;
    prop_oneof![
        // Surrogates: alone, in pairs, the wrong way round, cut off, in either case.
        prop::collection::vec(
            prop::sample::select(vec![
                "\\ud83d", "\\uDE00", "\\uD800", "\\udfff", "x", "\\u00e9", "\\", "\\u12"
            ]),
            0..5
        )
        .prop_map(|parts| format!("\"{}\"", parts.concat())),
        around.clone().prop_map(move |levels| nested(levels, "[", "]")),
        around.clone().prop_map(move |levels| nested(levels, "{\"a\":", "}")),
        around.prop_map(move |levels| format!(
            "[{},{}]",
            nested(levels, "[", "]"),
            nested(levels, "{\"\":", "}")
        )),
        (1..3_usize).prop_map(move |size| nested(size * 50_000, "[", "]")),
        (1..3_usize).prop_map(|size| "[".repeat(size * 50_000)),
        // Objects with the same member twice: as a column's value they are text, and stay.
        Just(r#"{"a":1,"a":2,"\u0061":3}"#.to_owned()),
        // Numbers beyond every type.
        prop::sample::select(vec![
            "1e999",
            "-1e-999",
            "0.1e",
            "00",
            "-",
            "+1",
            "NaN",
            "Infinity",
            "9223372036854775808",
            "-9223372036854775809",
            "1.0"
        ])
        .prop_map(str::to_owned),
        (1..2_000_usize).prop_map(|digits| "9".repeat(digits)),
        // Lengths around those that are looked at together.
        (
            0..140_usize,
            prop::sample::select(vec!["", "\\\"", "\\\\", "\u{1}", "\u{7f}", "é", "\u{0}", "\u{10ffff}"])
        )
            .prop_map(|(length, end)| format!("\"{}{end}\"", "x".repeat(length))),
        prop::sample::select(vec![
            "\"",
            "\"\\\"",
            "nul",
            "nulll",
            "true",
            "\"a\"\"b\"",
            "{\"a\" 1}",
            "{\"a\":1,}",
            "{,}",
            "[,]",
            "{]",
            "{\"a\":1}}",
            "\"\u{2028}\"",
            ""
        ])
        .prop_map(str::to_owned),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "status",
        "webhook_data",
        "is_smart",
        "vendor_fallback_level",
        "seen_at",
        "message_id",
        "st\\u0061tus",
        "mood",
        "",
        "\\ud800",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn hostile_rows_have_the_outcome_of_the_plain_walk(
        fields in prop::collection::vec((name(), value()), 0..4),
        behind in prop::sample::select(vec!["}", "} ", "}}", "", "}{}", "},", "}\u{feff}"]),
        before in prop::sample::select(vec!["", "", "", "\u{feff}", "[", "\u{0}"]),
        broken in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let (dataset, _) = messages();
        let decoder = Decoder::new(&dataset, 0);
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        let fields = fields.concat();
        let mut line = format!("{before}{HEAD}{fields}{behind}").into_bytes();
        if let Some((at, byte)) = broken {
            let at = at.index(line.len());
            line[at] = byte;
        }
        let _either = outcome(&decoder, &line);
    }
}

/// A value of many bytes goes through every writer, and every other outcome beside it stays what it is.
#[test]
fn rows_of_ten_megabytes_are_rows_like_others() {
    let (dataset, encoding) = messages();
    let decoder = Decoder::new(&dataset, 0);
    // The others are as awkward and shorter: tests are not optimised.
    let (large, long) = (10 << 20, 1 << 20);
    let texts =
        ["x".repeat(large), "\u{10ffff}".repeat(long / 4), "\\\"".repeat(long / 2), "a,\\n".repeat(long / 4)];
    let mut lines = String::new();
    for (at, text) in texts.iter().enumerate() {
        let line = format!("{HEAD},\"status\":\"{text}\",\"webhook_data\":{{\"a\":\"{text}\"}}}}")
            .replace("m-1", &format!("m-{at}"));
        assert_eq!(outcome(&decoder, line.as_bytes()), Ok(()));
        let cut = &line.as_bytes()[..line.len() - 2];
        assert!(matches!(outcome(&decoder, cut), Err(RowProblem::NotAnObject { .. })));
        let surrogate =
            line.replacen("\"}}", "\\ud800\"}}", 1).replacen("\"status\":\"", "\"status\":\"\\ud800", 1);
        assert!(outcome(&decoder, surrogate.as_bytes()).is_err());
        let twice = line.replacen("\"webhook_data\"", "\"status\"", 1);
        assert!(outcome(&decoder, twice.as_bytes()).is_err());
        lines += &line;
        lines.push('\n');
    }
    let origin = LinesOrigin { source: "", lines_before: 0, bytes_before: 0 };
    let rows = decode_ndjson(&dataset, lines.as_bytes(), origin).unwrap();
    assert_eq!((rows.batch.num_rows(), rows.dead_letters.len()), (texts.len(), 0));
    let batches = std::slice::from_ref(&rows.batch);
    for compression in [Compression::Snappy, Compression::Zstd] {
        let encoding = Encoding { compression, ..encoding.clone() };
        let file = encode(&dataset, &encoding, batches).unwrap();
        assert!(parquet_file::decode(&dataset, file).unwrap()[0] == rows.batch);
    }
    let encoding = Encoding { format: Format::Ndjson, compression: Compression::None, ..encoding };
    let text = encode(&dataset, &encoding, batches).unwrap();
    assert!(decode_ndjson(&dataset, &text, origin).unwrap().batch == rows.batch);
}
