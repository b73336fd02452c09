//! The inputs that fuzzing kept, and some random ones.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken promise fails its test"
)]

use std::path::Path;

use proptest::prelude::*;

#[path = "../fuzz/targets/mod.rs"]
mod targets;

/// Every file below `fuzz/corpus/<target>`; its name says what it is when a test fails.
#[test]
fn kept_inputs_hold() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for targets::Target { name, run } in targets::TARGETS {
        let mut count = 0;
        for file in std::fs::read_dir(corpus.join(name)).expect("a corpus for each target") {
            let path = file.expect("a file").path();
            let input = std::fs::read(&path).expect("an input");
            let held = std::panic::catch_unwind(|| run(&input));
            assert!(held.is_ok(), "{}", path.display());
            count += 1;
        }
        assert!(count >= 10, "{name} has only {count} inputs");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn decisions_agree_with_the_reference(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        targets::decision::run(&bytes);
    }

    #[test]
    fn patterns_agree_with_their_definition(input in "[ab:*?é]{0,12}\n[ab:é*]{0,14}") {
        targets::wildcard::run(input.as_bytes());
    }

    #[test]
    fn arns_agree_with_their_definition(input in "([ab*?]{1,2}:){1,5}[ab*?:]{1,6}\n([ab]{1,2}:){4,5}[ab:]{1,6}") {
        targets::wildcard::run(input.as_bytes());
    }
}
