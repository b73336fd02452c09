use std::io::Write as _;

use serde_json::json;

use super::{TextError, read_csv, read_json_lines};

#[test]
fn lines_and_fields_are_read_as_they_were_written() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(b"{\"b\":1,\"a\":null}\n").unwrap();
    let lines = read_json_lines(&packed.finish().unwrap()).unwrap();
    assert!(lines.is_packed);
    assert_eq!(lines.rows[0].keys().collect::<Vec<_>>(), ["b", "a"]);
    for end in ["\n", "\r\n"] {
        let text = ["a,b,c", "1,,\"\"", "\"x,\"\"y\"\"\nz\",é,"].map(|line| line.to_owned() + end).concat();
        let table = read_csv(text.as_bytes()).unwrap();
        assert_eq!(table.header.unwrap(), ["a", "b", "c"]);
        assert_eq!(json!(table.rows[0]), json!({ "a": "1", "b": null, "c": "" }));
        assert_eq!(table.rows[1]["b"], "é");
        assert_eq!(table.rows[1]["a"], "x,\"y\"\nz");
    }
    assert_eq!(read_json_lines(b"").unwrap().rows.len(), 0);
}

#[test]
fn broken_texts_say_where() {
    let wrong: [(&[u8], bool, &str); 8] = [
        (b"{\"a\":1}\n[1]\n", false, "line 2 is no JSON object: "),
        (b"{\"a\":1}", false, "the last line has no end"),
        (b"\xFF\n", false, "it is not UTF-8 from byte 0 on"),
        (b"\x1F\x8B\x08", false, "the gzip stream is broken: "),
        (b"", true, "there is no header"),
        (b"a,b\n1\n", true, "record 1 has 1 fields, the header 2"),
        (b"a\nx\"y\n", true, "record 1: a quote stands within a field that is not quoted"),
        (b"a\n\"x\"y\n", true, "record 1: something stands behind a closing quote"),
    ];
    for (body, is_csv, message) in wrong {
        let read: Result<_, TextError> = if is_csv { read_csv(body) } else { read_json_lines(body) };
        let found = read.unwrap_err().to_string();
        assert!(found.starts_with(message), "{found}");
    }
}
