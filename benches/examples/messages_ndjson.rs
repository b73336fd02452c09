//! `messages_ndjson ROWS` writes at least so many rows of SuprSend's messages as NDJSON, the same ones every time.
#![expect(clippy::expect_used, reason = "a program of one purpose, for people at a terminal")]

use std::io::{BufWriter, Write as _, stdout};

use bucketproof_fixtures::suprsend::Traffic;

/// Requests drawn at a time, so that memory does not grow with the number of rows.
const REQUESTS: usize = 5_000;

fn main() {
    let rows = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let rows: usize = rows.expect("the first argument is a number of rows");
    let mut output = BufWriter::new(stdout().lock());
    let mut written = 0;
    for seed in 0.. {
        if written >= rows {
            break;
        }
        let lines = Traffic::new(seed).requests(REQUESTS).generate().messages.ndjson();
        output.write_all(lines.as_bytes()).expect("the output takes the rows");
        written += lines.lines().count();
    }
    output.flush().expect("the output takes the rows");
}
