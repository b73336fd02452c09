//! The answers of the policy tools for people.

use std::fmt::Write as _;

use super::coverage::Coverage;
use super::diff::Difference;
use super::generate::Generated;
use super::mutate::Mutation;

/// An answer as text.
pub(crate) trait Report {
    fn text(&self) -> String;
}

/// `3 requests`, `1 request`.
fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

impl Report for Difference {
    fn text(&self) -> String {
        let mut text = format!("{} of {} change\n", self.changed.len(), counted(self.decisions, "decision"));
        for changed in &self.changed {
            let _infallible = write!(
                text,
                "\n{} -> {}  {} on {}, request {}\n{}",
                changed.before,
                changed.after,
                changed.action,
                changed.resource,
                changed.request_id,
                changed.explanation
            );
        }
        text
    }
}

impl Report for Mutation {
    fn text(&self) -> String {
        let mut text = format!(
            "{}: {} noticed, {} that AWS would not store, {} unnoticed\n",
            counted(self.mutants, "mistake"),
            self.noticed,
            self.refused,
            self.survivors.len()
        );
        let mut document = "";
        for survivor in &self.survivors {
            if survivor.document != document {
                document = &survivor.document;
                let _infallible = writeln!(text, "\n{document}");
            }
            let name = match &survivor.sid {
                Some(sid) => format!("statement `{sid}`"),
                None => format!("statement {}", survivor.statement),
            };
            let _infallible = writeln!(text, "  {name}: {}", survivor.change);
            let _infallible = writeln!(text, "      why:       {}", survivor.why);
            let notice = survivor.to_notice.as_deref();
            let notice = notice.unwrap_or("no request like those of the journal tells the two apart");
            let _infallible = writeln!(text, "      to notice: {notice}");
        }
        text
    }
}

impl Report for Coverage {
    fn text(&self) -> String {
        let mut text = format!("{} of {} used\n", self.used, counted(self.parts, "part"));
        for document in &self.documents {
            let unused: Vec<_> = document.parts.iter().filter(|part| !part.is_used()).collect();
            let decisions = counted(document.decisions, "decision");
            let _infallible = writeln!(
                text,
                "\n{}, in force for {decisions}: {} of {} used",
                document.document,
                document.parts.len() - unused.len(),
                counted(document.parts.len(), "part")
            );
            for part in unused {
                let name = match &part.sid {
                    Some(sid) => format!("statement `{sid}`"),
                    None => format!("statement {}", part.statement),
                };
                let _infallible =
                    writeln!(text, "  {name}, {} `{}`: {}", part.element, part.value, part.missing());
            }
        }
        text
    }
}

impl Report for Vec<Generated> {
    fn text(&self) -> String {
        let mut text = String::new();
        for (index, generated) in self.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            let _infallible = writeln!(text, "{} policy of {}", generated.kind, generated.owner);
            let _infallible = writeln!(text, "{:#}", generated.document);
            for because in &generated.because {
                let _infallible = writeln!(
                    text,
                    "  statement {}, {} `{}`: {}, first {}",
                    because.statement,
                    because.element,
                    because.value,
                    counted(because.requests, "request"),
                    because.request_id
                );
            }
            for note in &generated.notes {
                let _infallible = writeln!(text, "  note: {note}");
            }
        }
        text
    }
}
