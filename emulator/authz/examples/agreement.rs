//! Measures how far the decision core agrees with a file of judged cases.
//!
//! `cargo run -p bucketproof-authz --example agreement -- FILE…` reads JSON lines. A line with `request` is decided and
//! compared with its `expected` outcome; a line with `policy` and `bucket` is validated as a bucket policy and
//! compared with `expect`. Every disagreement is printed with the explanation.

#![expect(clippy::print_stdout, reason = "an example that reports on the terminal")]

use std::process::ExitCode;

use bucketproof_authz::evaluate::evaluate_line;
use bucketproof_authz::{DocumentKind, Policy, PolicyKind, PolicySource};
use serde_json::Value;

fn main() -> ExitCode {
    let (mut agreed, mut total) = (0_u32, 0_u32);
    for path in std::env::args().skip(1) {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                println!("cannot read `{path}`: {error}");
                return ExitCode::from(2);
            }
        };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let Ok(case) = serde_json::from_str::<Value>(line) else { continue };
            let verdict = if case.get("request").is_some() { decided(line, &case) } else { validated(&case) };
            total += 1;
            match verdict {
                Ok(()) => agreed += 1,
                Err(difference) => println!("{}: {difference}", text_at(&case, "id")),
            }
        }
    }
    println!("{agreed} of {total} agree");
    if agreed == total { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn text_at<'a>(case: &'a Value, key: &str) -> &'a str {
    case.get(key).and_then(Value::as_str).unwrap_or("")
}

fn decided(line: &str, case: &Value) -> Result<(), String> {
    let answer = evaluate_line(line);
    let expected = text_at(case, "expected");
    let found = text_at(&answer, "decision");
    let same = if text_at(case, "compare") == "allow-deny" {
        (expected == "Allowed") == (found == "Allowed") && !found.is_empty()
    } else {
        expected == found
    };
    if same {
        Ok(())
    } else {
        Err(format!("expected {expected} ({}), answered {answer:#}", text_at(case, "why")))
    }
}

fn validated(case: &Value) -> Result<(), String> {
    let bucket = text_at(case, "bucket");
    let source = PolicySource::new(PolicyKind::Bucket, bucket);
    let checked = Policy::parse_valid(text_at(case, "policy"), source, DocumentKind::Bucket { name: bucket });
    let expected = case.pointer("/expect/message").and_then(Value::as_str);
    let blocked = case.pointer("/publicAccessBlock/BlockPublicPolicy").and_then(Value::as_bool) == Some(true);
    match (checked, expected) {
        (Ok(policy), None) if policy.is_public() && blocked => Ok(()),
        (Ok(_), None) if !blocked => Ok(()),
        (Err(error), Some(message)) if error.aws_message() == message => Ok(()),
        (Ok(_), expected) => Err(format!("accepted, expected {expected:?}")),
        (Err(error), expected) => {
            Err(format!("refused with `{}` ({error}), expected {expected:?}", error.aws_message()))
        }
    }
}
