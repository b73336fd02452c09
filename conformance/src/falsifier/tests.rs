use std::time::Duration;

use bucketproof_emulator::{Fault, Op};

use super::{Falsifier, TextEdit};

#[test]
fn an_edit_changes_the_text_or_is_refused() {
    let edit = TextEdit::new("\"s3:GetObject\"", "\"s3:GetObjectAcl\"");
    assert_eq!(edit.apply("[\"s3:GetObject\"]").unwrap(), "[\"s3:GetObjectAcl\"]");
    let refused = edit.apply("[]").unwrap_err();
    assert_eq!(refused.to_string(), "`\"s3:GetObject\"` does not occur in the text to edit");
    assert!(TextEdit::new("a", "a").apply("a").is_err(), "an edit to the same text");
    assert!(TextEdit::new("", "a").apply("a").is_err(), "an edit of nothing");
}

#[test]
fn every_falsifier_reads_as_a_sentence() {
    let all = [
        Falsifier::Fault(Fault::on(Op::PutObject).ignore_header("if-match")),
        Falsifier::Fault(Fault::on(Op::GetObject).corrupt_body()),
        Falsifier::ScenarioEdit(TextEdit::new("logs", "other")),
        Falsifier::PolicyEdit { file: "policies/a.json".into(), edit: TextEdit::new("s3:PutObject", "") },
        Falsifier::ProfileEdit(TextEdit::new("hour={t:%H}", "hour={t:%I}")),
        Falsifier::ConfigEdit(TextEdit::new("enabled = true", "enabled = false")),
        Falsifier::InputEdit { dataset: "messages".into(), edit: TextEdit::new("14:59", "15:00") },
        Falsifier::RowGroupLost,
        Falsifier::ClockStands,
        Falsifier::ClockAhead(Duration::from_mins(16)),
    ];
    let text: Vec<String> = all.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
}
