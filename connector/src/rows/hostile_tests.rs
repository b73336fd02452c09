//! Rows that try to break a decoder: whichever walk reads them, the outcome is that of the plain one.

use bumpalo::Bump;
use proptest::prelude::*;

use super::{Cell, Decoder, LinesOrigin, NESTING_DEPTH_MAX, Scanner, decode_ndjson};
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
    let width = decoder.dataset.columns().len();
    let (mut cells, mut plain) = (vec![Cell::Absent; width], vec![Cell::Absent; width]);
    let mut scanner = std::str::from_utf8(line).ok().map(Scanner::new);
    let (end, found) = decoder.line(scanner.as_mut(), line, 0, &arena, &mut cells);
    let line = line[..end].trim_ascii();
    if found == Ok(false) {
        assert!(line.is_empty());
        return Ok(());
    }
    let found = found.map(|_| ());
    let plainly = decoder.walk(line, &arena, &mut plain).and_then(|()| decoder.check_row(&plain));
    let shown = || String::from_utf8_lossy(&line[..line.len().min(300)]).into_owned();
    assert!(found == plainly, "{}: {found:?}, plainly {plainly:?}", shown());
    if found.is_ok() {
        assert!(cells == plain, "{}", shown());
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

/// A line, sometimes with one byte replaced, which may end it in its middle or make it no UTF-8.
fn line() -> impl Strategy<Value = Vec<u8>> {
    (
        prop::collection::vec((name(), value()), 0..4),
        prop::sample::select(vec!["}", "} ", "}\r", "}}", "", "}{}", "},", "}\u{feff}"]),
        prop::sample::select(vec!["", "", "", "\u{feff}", "[", "\u{0}", " "]),
        prop::option::of((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(b'\n')])),
    )
        .prop_map(|(fields, behind, before, broken)| {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
            let mut line = format!("{before}{HEAD}{}{behind}", fields.concat()).into_bytes();
            if let Some((at, byte)) = broken {
                let at = at.index(line.len());
                line[at] = byte;
            }
            line
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn hostile_rows_have_the_outcome_of_the_plain_walk(line in line()) {
        let (dataset, _) = messages();
        let _either = outcome(&Decoder::new(&dataset, 0), &line);
    }

    /// Among others a line has the outcome that it has alone: no walk goes from one into the next.
    #[test]
    fn lines_among_others_are_what_they_are_alone(
        lines in prop::collection::vec(prop_oneof![
            3 => line(), 3 => Just([HEAD, "}"].concat().into_bytes()), 1 => Just(b" \r".to_vec()),
        ], 0..12),
        ends in any::<bool>(),
    ) {
        let (dataset, _) = messages();
        let mut text = lines.join(&b'\n');
        if ends {
            text.push(b'\n');
        }
        let origin = LinesOrigin { source: "", lines_before: 0, bytes_before: 0 };
        let all = decode_ndjson(&dataset, &text, origin).unwrap();
        let (mut rows, mut letters, mut offset) = (Vec::new(), Vec::new(), 0);
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            let alone = decode_ndjson(&dataset, line, origin).unwrap();
            if alone.batch.num_rows() > 0 {
                prop_assert!(all.batch.slice(rows.len(), 1) == alone.batch);
                rows.push(number);
            }
            letters.extend(alone.dead_letters.into_iter().map(|letter| (number, offset, letter.problem, letter.raw)));
            offset += line.len() as u64 + 1;
        }
        let found = all.dead_letters.into_iter();
        let found: Vec<_> =
            found.map(|letter| (letter.line, letter.byte_offset, letter.problem, letter.raw)).collect();
        prop_assert_eq!(found, letters);
        prop_assert_eq!(all.row_lines, rows);
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
