use std::io;

use super::step;
use crate::outcome::{Breakage, Conclusion, Outcome, Stop};

#[derive(Debug, thiserror::Error)]
#[error("cannot read the answer")]
struct Outer(#[source] io::Error);

fn check(conclusion: Conclusion, expected: &str, actual: &str) {
    let Outcome::Failed(failure) = conclusion.into() else { panic!("the step fails") };
    assert_eq!((failure.step.as_str(), failure.expected.as_str()), ("look", expected));
    assert_eq!(failure.actual, actual);
}

#[test]
fn a_step_that_holds_goes_on() {
    assert_eq!(step("look").equal(&412, &412), Ok(()));
    assert_eq!(step("look").contains("a 412 b", "412"), Ok(()));
    assert_eq!(step("look").some("a number", Some(1)), Ok(1));
    assert_eq!(step("look").succeeds("an answer", Ok::<_, io::Error>(1)), Ok(1));
    assert_eq!(step("look").refuses("a refusal", Err::<(), _>(412)), Ok(412));
    assert_eq!(step("look").works(Ok::<_, io::Error>(1)), Ok(1));
}

#[test]
fn a_step_that_does_not_hold_says_what_came() {
    check(step("look").equal("a", "b"), "\"a\"", "\"b\"");
    check(step("look").contains("b", "a"), "a text with `a`", "`b`");
    check(step("look").some("a number", None::<()>), "a number", "nothing");
    let error = Outer(io::Error::other("connection reset"));
    check(
        step("look").succeeds("an answer", Err::<(), _>(error)),
        "an answer",
        "cannot read the answer: connection reset",
    );
    check(step("look").refuses("a 412", Ok::<_, ()>(200)), "a 412", "success: 200");
}

#[test]
fn an_error_of_the_harness_is_no_failure_of_the_target() {
    let stop = step("look").works(Err::<(), _>(io::Error::other("disk full"))).unwrap_err();
    assert_eq!(stop, Stop::Errored(Breakage { step: Some("look".into()), message: "disk full".into() }));
}
