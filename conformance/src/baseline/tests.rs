use std::path::Path;

use super::{Baseline, Difference};
use crate::inventory::Inventory;
use crate::sample::{self, ERRORED, FAILED, PANICKED, PASSED, SKIPPED};

fn baseline(text: &str) -> Baseline {
    Baseline::parse(Path::new("b.toml"), &format!("schema = \"bucketproof-baseline/1\"\n{text}")).unwrap()
}

fn refusal(text: &str) -> String {
    let read = Baseline::parse(Path::new("b.toml"), text);
    let inventory = Inventory::new(sample::checks()).unwrap();
    let known = |baseline: Baseline| {
        baseline.known(Path::new("b.toml"), &inventory)?;
        baseline.lists(Path::new("b.toml"), "emulator")
    };
    let error = read.and_then(known).unwrap_err();
    format!("{error}\n{}", error.help())
}

#[test]
fn what_is_new_and_what_is_gone_differs_and_breakage_always_does() {
    let none = baseline("[[target]]\nname = \"emulator\"\n");
    let skipped = Difference::NewlySkipped { id: SKIPPED.to_owned(), missing: "virtual-clock".to_owned() };
    assert_eq!(
        none.differences(&sample::report()),
        [
            skipped,
            Difference::Broke(ERRORED.to_owned()),
            Difference::Broke(PANICKED.to_owned()),
            Difference::NewFailure(FAILED.to_owned()),
        ]
    );
    let known = baseline(&format!(
        "[[target]]\nname = \"emulator\"\nlacks = [\"virtual-clock\"]\n[target.fails]\n\"{FAILED}\" = \"known\"\n"
    ));
    assert_eq!(known.differences(&sample::report_of(&[FAILED])).len(), 1, "the clock is offered there");
    assert_eq!(
        known.differences(&sample::report_of(&[FAILED])),
        [Difference::Offered("virtual-clock".to_owned())]
    );
    let stale = baseline(&format!(
        "[[target]]\nname = \"emulator\"\n[target.fails]\n\"{PASSED}\" = \"once\"\n\"{SKIPPED}\" = \"once\"\n"
    ));
    assert_eq!(
        stale.differences(&sample::report_of(&[PASSED, SKIPPED])),
        [Difference::UnexpectedPass(PASSED.to_owned()), Difference::NotRun(SKIPPED.to_owned())]
    );
}

#[test]
fn an_outcome_that_is_written_is_the_one_that_holds() {
    let inventory = Inventory::new(sample::checks()).unwrap();
    let other = "[[target]]\nname = \"moto\"\n[target.fails]\n\"s3.sample.passes\" = \"it \\\"lies\\\"\"\n\"s3.gone\" = \"x\"\n";
    let written = baseline(other).with(&sample::report_of(&[PASSED, FAILED]), &inventory).text();
    assert!(written.contains("it \\\"lies\\\"") || written.contains("'it \"lies\"'"), "{written}");
    assert!(!written.contains("s3.gone"), "{written}");
    let read = Baseline::parse(Path::new("b.toml"), &written).unwrap();
    read.known(Path::new("b.toml"), &inventory).unwrap();
    assert_eq!(read.differences(&sample::report_of(&[PASSED, FAILED])), []);
}

#[test]
fn a_baseline_that_cannot_be_used_says_why() {
    let all = [
        refusal("target = 1"),
        refusal("schema = \"bucketproof-baseline/9\""),
        refusal(
            "schema = \"bucketproof-baseline/1\"\n[[target]]\nname = \"emulator\"\n[target.fails]\n\"s3.sample.pases\" = \"typo\"\n",
        ),
        refusal(
            "schema = \"bucketproof-baseline/1\"\n[[target]]\nname = \"emulator\"\n[target.fails]\n\"s3.sample.passes\" = \"\"\n",
        ),
        refusal("schema = \"bucketproof-baseline/1\"\n[[target]]\nname = \"emulator\"\nlacks = [\"luck\"]\n"),
        refusal("schema = \"bucketproof-baseline/1\"\n[[target]]\nname = \"moto\"\n"),
        refusal("schema = \"bucketproof-baseline/1\"\n[[target]]\nname = \"a\"\n[[target]]\nname = \"a\"\n"),
    ];
    insta::assert_snapshot!(all.join("\n\n"));
}
