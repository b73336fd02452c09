use std::path::Path;

use super::{Limits, Next, SourceError, read_again, read_next};
use crate::state::{SourceKind, SourceRecord};

fn limits(bytes: u64) -> Limits {
    Limits { bytes, lines: u64::MAX, line_bytes: 1_000_000 }
}

fn record(path: &Path, kind: SourceKind) -> SourceRecord {
    SourceRecord {
        id: 1,
        path: path.display().to_string(),
        kind,
        byte_offset: 0,
        lines: 0,
        fingerprint: String::new(),
    }
}

/// All chunks of a file read with a budget, as text.
fn chunks(path: &Path, kind: SourceKind, budget: u64) -> (Vec<String>, u64) {
    let mut record = record(path, kind);
    let mut read = Vec::new();
    loop {
        match read_next(&record, limits(budget)).unwrap() {
            Next::Nothing { pending_bytes } => return (read, pending_bytes),
            Next::Lines(chunk) => {
                assert_eq!(read_again(&chunk.range, 1_000_000).unwrap().bytes, chunk.bytes);
                record.byte_offset = chunk.range.bytes.end;
                record.lines = chunk.range.lines.end;
                record.fingerprint = chunk.range.fingerprint;
                read.push(String::from_utf8(chunk.bytes).unwrap());
            }
        }
    }
}

#[test]
fn chunks_are_whole_lines_about_the_size_of_the_budget() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.ndjson");
    std::fs::write(&path, "1\n22\n333\na line longer than the budget\n5\nhalf").unwrap();
    let (read, pending) = chunks(&path, SourceKind::File, 6);
    assert_eq!(read, ["1\n22\n", "333\n", "a line longer than the budget\n5\n"]);
    assert_eq!(pending, 4);
    let (read, pending) = chunks(&path, SourceKind::Spool, 6);
    assert_eq!(read.concat(), std::fs::read_to_string(&path).unwrap());
    assert_eq!(pending, 0);
}

#[test]
fn lines_are_counted_over_chunks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.ndjson");
    std::fs::write(&path, "1\n\n3\n4").unwrap();
    let Next::Lines(chunk) = read_next(&record(&path, SourceKind::Spool), limits(100)).unwrap() else {
        panic!("no lines")
    };
    assert_eq!(chunk.range.lines, 0..4);
    assert!(chunk.range.is_last);
    let Next::Lines(chunk) = read_next(&record(&path, SourceKind::File), limits(100)).unwrap() else {
        panic!("no lines")
    };
    assert_eq!(chunk.range.lines, 0..3);
}

#[test]
fn a_change_before_the_checkpoint_is_noticed_at_the_file_s_ends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.ndjson");
    let original = "x".repeat(3_000) + "\n";
    std::fs::write(&path, &original).unwrap();
    let Next::Lines(chunk) = read_next(&record(&path, SourceKind::File), limits(10_000)).unwrap() else {
        panic!("no lines")
    };
    let mut known = record(&path, SourceKind::File);
    known.byte_offset = chunk.range.bytes.end;
    known.fingerprint.clone_from(&chunk.range.fingerprint);
    let replaced = |text: &str| {
        std::fs::write(&path, text).unwrap();
        matches!(read_next(&known, limits(100)), Err(SourceError::Replaced { .. }))
    };
    assert!(replaced(&original.replacen('x', "y", 1)), "first byte");
    assert!(replaced(&original.replace("x\n", "y\n")), "last byte");
    assert!(replaced("x\n"), "shorter");
    assert!(!replaced(&(original.clone() + "more")), "grown");
    // In the middle only a sealed range is watched, by its whole digest.
    let middle = original.replacen("xx", "yy", 1).replace("yyx", "xxx").replacen(
        &"x".repeat(1_500),
        &("x".repeat(1_499) + "z"),
        1,
    );
    assert!(!replaced(&middle));
    assert!(matches!(read_again(&chunk.range, 1_000_000), Err(SourceError::SealedRangeChanged { .. })));
}

#[test]
fn an_absent_file_is_named() {
    let error = read_next(&record(Path::new("/nowhere/a.ndjson"), SourceKind::File), limits(10)).unwrap_err();
    assert!(error.to_string().contains("/nowhere/a.ndjson"), "{error}");
}

#[test]
fn what_is_no_regular_file_is_refused_before_it_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path(), Path::new("/dev/null")] {
        let error = read_next(&record(path, SourceKind::File), limits(10)).unwrap_err();
        assert!(matches!(error, SourceError::NotAFile { .. }), "{error}");
    }
}

/// A line beyond the limit is gone through in one piece with its digest; what is before and behind it is read as ever.
#[test]
fn a_line_beyond_the_limit_is_gone_through_without_being_held() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.ndjson");
    let long = "x".repeat(3_000_000);
    let limits = Limits { bytes: 600, lines: u64::MAX, line_bytes: 2_000 };
    for (ending, kind) in [("\n", SourceKind::File), ("", SourceKind::Spool)] {
        std::fs::write(&path, format!("1\n{long}\n3\n{}\n{long}{ending}", "y".repeat(1_999))).unwrap();
        let mut record = record(&path, kind);
        let mut found = Vec::new();
        while let Next::Lines(chunk) = read_next(&record, limits).unwrap() {
            let again = read_again(&chunk.range, limits.line_bytes).unwrap();
            assert_eq!((&again.bytes, again.is_too_long), (&chunk.bytes, chunk.is_too_long));
            assert!(chunk.bytes.len() <= 2_000 && chunk.bytes.capacity() <= 2_000);
            assert_eq!(chunk.range.lines.start, record.lines);
            record.byte_offset = chunk.range.bytes.end;
            record.lines = chunk.range.lines.end;
            record.fingerprint.clone_from(&chunk.range.fingerprint);
            found.push((chunk.range.bytes.end - chunk.range.bytes.start, chunk.is_too_long));
        }
        let last = 3_000_000 + ending.len() as u64;
        assert_eq!(
            found,
            [(2, false), (3_000_001, true), (2, false), (2_000, false), (last, true)],
            "{kind:?}"
        );
        assert_eq!(record.lines, 5);
        let Next::Nothing { pending_bytes: 0 } = read_next(&record, limits).unwrap() else { panic!("more") };
    }
    // Somebody may still be writing it.
    std::fs::write(&path, &long).unwrap();
    let Next::Nothing { pending_bytes } = read_next(&record(&path, SourceKind::File), limits).unwrap() else {
        panic!("no line has ended")
    };
    assert_eq!(pending_bytes, 3_000_000);
    std::fs::write(&path, format!("{long}\n")).unwrap();
    let Next::Lines(chunk) = read_next(&record(&path, SourceKind::File), limits).unwrap() else {
        panic!("the line has ended")
    };
    std::fs::write(&path, format!("{long}\n").replacen("xx", "xy", 1)).unwrap();
    let error = read_again(&chunk.range, limits.line_bytes).unwrap_err();
    assert!(matches!(error, SourceError::SealedRangeChanged { .. }), "{error}");
}
