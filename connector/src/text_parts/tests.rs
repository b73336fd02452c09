use std::io::{self, Write};

use proptest::prelude::*;

use super::{PART_BYTES, STEP_BYTES, TextError, TextParts};

/// Keeps what it gets, and the length of the longest part.
#[derive(Default)]
struct Sink {
    text: Vec<u8>,
    longest: usize,
}

impl Write for Sink {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(part);
        self.longest = self.longest.max(part.len());
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is pushed: a text, and in which of the ways.
fn push() -> impl Strategy<Value = (Vec<u8>, u8)> {
    let text = prop_oneof![
        8 => prop::collection::vec(prop::sample::select(b"ab\"c".to_vec()), 0..100),
        1 => (0..3 * PART_BYTES).prop_map(|length| b"ab\"\"c".iter().copied().cycle().take(length).collect()),
    ];
    (text, 0..4_u8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever way texts take, and wherever parts end, the sink gets them as they are and in parts that do not grow.
    #[test]
    fn parts_are_the_text(pushes in prop::collection::vec(push(), 0..60)) {
        let (mut sink, mut expected) = (Sink::default(), Vec::new());
        let mut parts = TextParts::new(&mut sink);
        for (text, way) in &pushes {
            match way {
                0 => {
                    parts.push(text);
                    expected.extend_from_slice(text);
                }
                1 => {
                    // From a place in a longer text, which ends soon behind it or does not.
                    let around = [b"x".as_slice(), text, &vec![b'y'; text.len()]].concat();
                    parts.push_from(&around, 1, text.len());
                    expected.extend_from_slice(text);
                }
                2 => {
                    parts.push_doubling_quotes(text);
                    let text = String::from_utf8(text.clone()).unwrap();
                    expected.extend_from_slice(text.replace('"', "\"\"").as_bytes());
                }
                _ => {
                    for byte in text {
                        parts.push_byte(*byte);
                    }
                    expected.extend_from_slice(text);
                }
            }
        }
        parts.finish().unwrap();
        prop_assert!(sink.text == expected);
        prop_assert!(sink.longest <= PART_BYTES + STEP_BYTES);
    }
}

/// A sink that is full after some bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(part.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_is_heard_of_in_the_middle_and_at_the_end() {
    let is_full = |error: &TextError| matches!(error, TextError::Sink(error) if error.kind() == io::ErrorKind::StorageFull);
    let mut sink = Full(0);
    let mut parts = TextParts::new(&mut sink);
    parts.push(b"a");
    parts.check().unwrap();
    assert!(is_full(&parts.finish().unwrap_err()));
    let mut sink = Full(PART_BYTES);
    let mut parts = TextParts::new(&mut sink);
    parts.push(&vec![b'a'; 3 * PART_BYTES]);
    assert!(is_full(&parts.check().unwrap_err()));
}
