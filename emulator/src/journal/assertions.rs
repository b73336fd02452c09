//! What a test says about its journal. Each failure shows the statement or condition that decided, and the next step.
#![expect(clippy::panic, reason = "an assertion fails so")]

use std::fmt::Write as _;

use super::pattern::is_within;
use super::{Entry, Journal, RecordedDecision, Requests};

/// How many requests a failure shows in full.
const SHOWN_MAX: usize = 5;

impl Journal {
    /// Fails the test if anybody was denied anything, or was not recognised.
    ///
    /// # Panics
    /// With the trace of each denial: which statement or condition decided, the request id, and what to do.
    #[track_caller]
    pub fn assert_no_denials(&self) {
        self.requests().assert_no_denials();
    }

    /// Fails the test if a request was about something else than these resources and what is below them.
    ///
    /// # Panics
    /// With the requests that were.
    #[track_caller]
    pub fn assert_no_request_outside<A: AsRef<str>>(&self, arns: impl IntoIterator<Item = A>) {
        self.requests().assert_none_outside(arns);
    }

    /// Fails the test unless an action was denied on a resource or below it; gives the last such denial.
    ///
    /// # Panics
    /// With what was decided instead.
    #[track_caller]
    pub fn assert_denied(&self, action: &str, arn: &str) -> RecordedDecision {
        self.requests().assert_denied(action, arn)
    }
}

impl Requests {
    /// Fails the test if any of these was denied, or came from a caller who was not recognised.
    ///
    /// # Panics
    /// With the trace of each denial: which statement or condition decided, the request id, and what to do.
    #[track_caller]
    pub fn assert_no_denials(&self) {
        self.assert_complete();
        let denied = self.clone().denied();
        if denied.is_empty() {
            return;
        }
        let mut text =
            format!("{} of {} requests were denied, and none should be\n", denied.len(), self.len());
        show(&mut text, &denied, |entry| {
            let traces: Vec<String> =
                entry.decisions.iter().filter(|one| one.is_denied()).map(RecordedDecision::explain).collect();
            if traces.is_empty() { format!("{}\n", entry.summary()) } else { traces.join("\n") }
        });
        text.push_str(
            "next step: allow it where the trace says what is missing, or expect it with `assert_denied`; a caller \
             who was not recognised has a wrong key, signature or token",
        );
        panic!("{text}");
    }

    /// Fails the test if one of these was about something else than these resources and what is below them: a bucket
    /// stands for its objects, a prefix that ends in `/` for its keys, `*` for any text.
    ///
    /// # Panics
    /// With the requests that were.
    #[track_caller]
    pub fn assert_none_outside<A: AsRef<str>>(&self, arns: impl IntoIterator<Item = A>) {
        self.assert_complete();
        let arns: Vec<String> = arns.into_iter().map(|arn| arn.as_ref().to_owned()).collect();
        let strays = |entry: &Entry| -> Vec<String> {
            let all = resources(entry).into_iter();
            all.filter(|resource| !arns.iter().any(|arn| is_within(arn, resource))).collect()
        };
        let outside = Self::new(
            self.iter().filter(|entry| !strays(entry).is_empty()).cloned().collect(),
            self.forgotten(),
        );
        if outside.is_empty() {
            return;
        }
        let mut text =
            format!("{} of {} requests went outside of `{}`\n", outside.len(), self.len(), arns.join("`, `"));
        show(&mut text, &outside, |entry| {
            let mut text = format!("{}\n", entry.summary());
            for stray in strays(entry) {
                let decided = entry.decisions.iter().find(|one| one.resource == stray);
                match decided {
                    Some(decided) => text.push_str(&decided.explain()),
                    None => {
                        let _infallible = writeln!(text, "  on {stray}");
                    }
                }
            }
            text
        });
        text.push_str("next step: name the resource in the assertion if the request is meant");
        panic!("{text}");
    }

    /// Fails the test unless there are so many.
    ///
    /// # Panics
    /// With the requests there are.
    #[track_caller]
    pub fn assert_count(&self, count: usize) {
        self.assert_complete();
        if self.len() == count {
            return;
        }
        let mut text = format!("{} requests, and there should be {count}\n", self.len());
        for entry in self.iter().take(20) {
            let _infallible = writeln!(text, "  {}", entry.summary());
        }
        if self.len() > 20 {
            let _infallible = writeln!(text, "  and {} more", self.len() - 20);
        }
        text.push_str("next step: `explain` of the decisions of a request tells why it was refused");
        panic!("{text}");
    }

    /// Fails the test unless an action was denied on a resource or below it; gives the last such denial.
    ///
    /// # Panics
    /// With what was decided instead: the statement that allowed it, or what was asked for.
    #[track_caller]
    pub fn assert_denied(&self, action: &str, arn: &str) -> RecordedDecision {
        self.assert_complete();
        let asked = self.decisions().action(action).on(arn);
        if let Some(denied) = asked.clone().denied().last() {
            return denied.clone();
        }
        let mut text = format!("`{action}` on `{arn}` should have been denied, ");
        if let Some(allowed) = asked.last() {
            let _infallible = writeln!(text, "and was allowed\n{}", allowed.explain());
            text.push_str("next step: take it out of the statement that allows, or deny it");
            panic!("{text}");
        }
        text.push_str("and nobody asked for it\n");
        let mut others: Vec<String> = Vec::new();
        for decided in &self.decisions() {
            let other = format!("  {} on {}\n", decided.action, decided.resource);
            if !others.contains(&other) {
                others.push(other);
            }
        }
        text.extend(others.iter().take(20).map(String::as_str));
        for entry in self.iter().filter(|entry| entry.is_refused_undecided()).take(SHOWN_MAX) {
            let _infallible = writeln!(text, "  {}", entry.summary());
        }
        text.push_str("next step: does the test ask for it, and as a caller who is recognised?");
        panic!("{text}");
    }

    /// What was forgotten cannot be asserted on.
    #[track_caller]
    fn assert_complete(&self) {
        assert!(
            self.forgotten() == 0,
            "the journal has forgotten {} requests, so nothing can be said of all; next step: raise \
             `Builder::journal_limit`, or clear the journal between the parts of the test",
            self.forgotten()
        );
    }
}

fn show(text: &mut String, requests: &Requests, what: impl Fn(&Entry) -> String) {
    for entry in requests.iter().take(SHOWN_MAX) {
        let _infallible = write!(text, "\n{}", what(entry));
    }
    if requests.len() > SHOWN_MAX {
        let _infallible = writeln!(text, "\nand {} more", requests.len() - SHOWN_MAX);
    }
    text.push('\n');
}

/// What a request was about: as it was decided, or by its address if it was refused before that.
fn resources(entry: &Entry) -> Vec<String> {
    if !entry.decisions.is_empty() {
        return entry.decisions.iter().map(|decided| decided.resource.clone()).collect();
    }
    vec![match (&entry.bucket, &entry.key) {
        (Some(bucket), Some(key)) => format!("arn:aws:s3:::{bucket}/{key}"),
        (Some(bucket), None) => format!("arn:aws:s3:::{bucket}"),
        _ => "*".to_owned(),
    }]
}
