use std::path::Path;

use super::{Next, SourceError, read_again, read_next};
use crate::state::{SourceKind, SourceRecord};

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
        match read_next(&record, budget, u64::MAX).unwrap() {
            Next::Nothing { pending_bytes } => return (read, pending_bytes),
            Next::Lines(chunk) => {
                assert_eq!(read_again(&chunk.range).unwrap().bytes, chunk.bytes);
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
    let Next::Lines(chunk) = read_next(&record(&path, SourceKind::Spool), 100, u64::MAX).unwrap() else {
        panic!("no lines")
    };
    assert_eq!(chunk.range.lines, 0..4);
    assert!(chunk.range.is_last);
    let Next::Lines(chunk) = read_next(&record(&path, SourceKind::File), 100, u64::MAX).unwrap() else {
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
    let Next::Lines(chunk) = read_next(&record(&path, SourceKind::File), 10_000, u64::MAX).unwrap() else {
        panic!("no lines")
    };
    let mut known = record(&path, SourceKind::File);
    known.byte_offset = chunk.range.bytes.end;
    known.fingerprint.clone_from(&chunk.range.fingerprint);
    let replaced = |text: &str| {
        std::fs::write(&path, text).unwrap();
        matches!(read_next(&known, 100, u64::MAX), Err(SourceError::Replaced { .. }))
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
    assert!(matches!(read_again(&chunk.range), Err(SourceError::SealedRangeChanged { .. })));
}

#[test]
fn an_absent_file_is_named() {
    let error =
        read_next(&record(Path::new("/nowhere/a.ndjson"), SourceKind::File), 10, u64::MAX).unwrap_err();
    assert!(error.to_string().contains("/nowhere/a.ndjson"), "{error}");
}

#[test]
fn what_is_no_regular_file_is_refused_before_it_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path(), Path::new("/dev/null")] {
        let error = read_next(&record(path, SourceKind::File), 10, u64::MAX).unwrap_err();
        assert!(matches!(error, SourceError::NotAFile { .. }), "{error}");
    }
}
