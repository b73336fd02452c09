use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array as _, RecordBatch};
use std::fmt::Write as _;

use super::{DecodedRows, LinesOrigin, NESTING_DEPTH_MAX, decode_ndjson};
use crate::profile::{Dataset, VendorProfile};

fn dataset(name: &str) -> Dataset {
    let profile = VendorProfile::named("suprsend_s3_v2").unwrap();
    profile.datasets().iter().find(|dataset| dataset.name().as_str() == name).unwrap().clone()
}

fn decode(name: &str, lines: &[u8]) -> DecodedRows {
    let origin = LinesOrigin { source: "rows.ndjson", lines_before: 10, bytes_before: 1_000 };
    decode_ndjson(&dataset(name), lines, origin).unwrap()
}

const AT: &str = r#""created_at":"2025-01-15T14:05:00Z","updated_at":"2025-01-15T14:06:00.5Z""#;

fn message(fields: &str) -> String {
    format!("{{\"message_id\":\"m-1\",{AT}{}{fields}}}", if fields.is_empty() { "" } else { "," })
}

fn request(fields: &str) -> String {
    format!(
        "{{\"api_type\":\"event\",\"api_name\":\"n\",\"tenant_id\":\"t\",\"idempotency_key\":\"k\",{AT},{fields}}}"
    )
}

fn text<'a>(batch: &'a RecordBatch, column: &str) -> Option<&'a str> {
    let array = batch.column_by_name(column).unwrap().as_string::<i32>();
    (!array.is_null(0)).then(|| array.value(0))
}

/// The reason of the only dead letter.
fn reason(name: &str, line: &[u8]) -> String {
    let decoded = decode(name, line);
    assert_eq!(
        (decoded.batch.num_rows(), decoded.dead_letters.len()),
        (0, 1),
        "{}",
        String::from_utf8_lossy(line)
    );
    decoded.dead_letters[0].problem.to_string()
}

#[test]
fn values_arrive_in_their_columns_with_their_types() {
    let line = message(
        r#""vendor_fallback_level":0,"is_smart":true,"status":"caf\u00e9 \"\ud83d\ude00\"","webhook_data":{ "b":1.0 , "a":[1e3,"é"]},"seen_at":null"#,
    );
    let batch = decode("messages", line.as_bytes()).batch;
    assert_eq!(text(&batch, "status"), Some("café \"😀\""));
    assert_eq!(text(&batch, "webhook_data"), Some("{ \"b\":1.0 , \"a\":[1e3,\"é\"]}"));
    let level = batch.column_by_name("vendor_fallback_level").unwrap().as_primitive::<Int64Type>();
    assert_eq!(level.value(0), 0);
    assert!(batch.column_by_name("is_smart").unwrap().as_boolean().value(0));
    let seen = batch.column_by_name("seen_at").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert!(seen.is_null(0));
    let updated = batch.column_by_name("updated_at").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(updated.value(0), 1_736_949_960_500_000);
    assert_eq!(text(&batch, "tenant_id"), None);
}

#[test]
fn lists_keep_json_elements_verbatim() {
    let line = request(
        r#""distinct_id_list":["u-1","obj/\u0032"],"errors":[{"message": "x", "severity":"error"},3],"executions":[]"#,
    );
    let batch = decode("requests", line.as_bytes()).batch;
    let elements = |column: &str| {
        let list = batch.column_by_name(column).unwrap().as_list::<i32>().value(0);
        list.as_string::<i32>().iter().map(|element| element.unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(elements("distinct_id_list"), ["u-1", "obj/2"]);
    assert_eq!(elements("errors"), [r#"{"message": "x", "severity":"error"}"#, "3"]);
    assert_eq!(elements("executions"), [""; 0]);
}

#[test]
fn rows_that_break_the_schema_say_why() {
    let mut shown = String::new();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("unknown field", message(r#""mood":"good""#).into_bytes()),
        ("duplicate field", message(r#""status":"a","status":"b""#).into_bytes()),
        ("duplicate null field", message(r#""status":null,"status":"b""#).into_bytes()),
        ("duplicate escaped field", message(r#""status":"a","st\u0061tus":"b""#).into_bytes()),
        ("required absent", br#"{"message_id":"m","created_at":"2025-01-15T14:05:00Z"}"#.to_vec()),
        ("required null", message("").replace(r#""2025-01-15T14:05:00Z""#, "null").into_bytes()),
        ("no key", message("").replace("message_id", "node_id").into_bytes()),
        ("number as string", message(r#""status":3"#).into_bytes()),
        ("string as integer", message(r#""vendor_fallback_level":"3""#).into_bytes()),
        ("fraction as integer", message(r#""vendor_fallback_level":3.0"#).into_bytes()),
        ("integer too large", message(r#""vendor_fallback_level":9223372036854775808"#).into_bytes()),
        ("text as boolean", message(r#""is_smart":"true""#).into_bytes()),
        ("bad datetime", message(r#""seen_at":"yesterday""#).into_bytes()),
        ("number as datetime", message(r#""seen_at":1736949900"#).into_bytes()),
        ("lone surrogate", message(r#""status":"\ud800""#).into_bytes()),
        ("raw control character", message("\"status\":\"a\tb\"").into_bytes()),
        ("not UTF-8", [b"{\"message_id\":\"\xff\"".as_slice(), b"}"].concat()),
        ("truncated", br#"{"message_id":"m","created_at":"2025"#.to_vec()),
        ("two objects", format!("{} {}", message(""), message("")).into_bytes()),
        ("text behind", format!("{}x", message("")).into_bytes()),
        ("byte order mark", format!("\u{feff}{}", message("")).into_bytes()),
        ("not an object", b"[1,2]".to_vec()),
        ("a word", b"hello".to_vec()),
        ("trailing comma", message("").replace(".5Z\"}", ".5Z\",}").into_bytes()),
        ("empty object", b"{}".to_vec()),
    ];
    for (case, line) in cases {
        writeln!(shown, "{case}: {}", reason("messages", &line)).unwrap();
    }
    for (case, fields) in [
        ("unknown value", r#""status":"finished""#),
        ("list of numbers", r#""distinct_id_list":["a",1]"#),
        ("list of null", r#""distinct_id_list":[null]"#),
        ("text as list", r#""errors":"none""#),
    ] {
        writeln!(shown, "{case}: {}", reason("requests", request(fields).as_bytes())).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_hostile_depth_is_refused_before_it_reaches_a_recursive_parser() {
    let nested =
        |depth: usize| message(&format!("\"webhook_data\":{}{}", "[".repeat(depth), "]".repeat(depth)));
    let deepest = nested(NESTING_DEPTH_MAX - 1);
    // A quarter of the stack that a worker thread has.
    let small = std::thread::Builder::new().stack_size(512 * 1024);
    let rows =
        small.spawn(move || decode("messages", deepest.as_bytes()).batch.num_rows()).unwrap().join().unwrap();
    assert_eq!(rows, 1);
    assert!(reason("messages", nested(1_000_000).as_bytes()).contains("nested deeper"));
    let flat = message(&format!("\"webhook_data\":[{}1]", "[],".repeat(10_000)));
    assert_eq!(decode("messages", flat.as_bytes()).batch.num_rows(), 1);
    let quoted = message(&format!("\"status\":\"\\\"{}\"", "[".repeat(10_000)));
    assert_eq!(decode("messages", quoted.as_bytes()).batch.num_rows(), 1);
}

#[test]
fn a_bad_row_leaves_no_trace_in_the_columns_and_letters_carry_the_position() {
    let good = message("");
    let bad = message(r#""seen_at":"2025-01-15T14:05:00Z","is_smart":3"#);
    let lines = format!("{good}\n\n{bad}\r\n{good}");
    let decoded = decode("messages", lines.as_bytes());
    assert_eq!((decoded.batch.num_rows(), decoded.rows_read()), (2, 3));
    assert_eq!(decoded.batch.column_by_name("seen_at").unwrap().null_count(), 2);
    let letter = &decoded.dead_letters[0];
    assert_eq!((letter.line, letter.byte_offset), (13, 1_000 + good.len() as u64 + 2));
    assert_eq!(letter.raw, bad.as_bytes());
    let json: serde_json::Value = serde_json::from_str(&letter.to_json_line()).unwrap();
    assert_eq!(json["column"], "is_smart");
    assert_eq!(json["source"], "rows.ndjson");
    assert_eq!(json["raw"], bad.as_str());
}

#[test]
fn a_row_that_is_not_utf8_is_kept_as_hex() {
    let decoded = decode("messages", b"{\"a\":\"\xfe\"}");
    let json: serde_json::Value = serde_json::from_str(&decoded.dead_letters[0].to_json_line()).unwrap();
    assert_eq!(json["raw_hex"], "7b2261223a22fe227d");
    assert!(json.get("raw").is_none());
}
