//! A decision as text for people. Not a stable format: programs read the JSON of the trace.

use std::fmt;

use crate::but_for::ButFor;
use crate::decision::{Decision, Outcome};
use crate::policy::{Effect, PolicyClass, PolicySource};
use crate::trace::{AclTrace, Element, PolicyTrace, StatementTrace, Trace, Verdict};

/// Spaces between the longest name and the next column.
const GAP: usize = 6;

/// Renders a decision; made by [`Decision::explain_as`].
#[derive(Debug, Clone, Copy)]
pub struct Explanation<'a> {
    decision: &'a Decision,
    request_id: Option<&'a str>,
    time: Option<&'a str>,
}

impl<'a> Explanation<'a> {
    pub(crate) fn new(decision: &'a Decision, request_id: Option<&'a str>, time: Option<&'a str>) -> Self {
        Self { decision, request_id, time }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace = self.decision.trace();
        let headline = match trace.outcome {
            Outcome::Allowed => "ALLOWED",
            Outcome::ExplicitlyDenied => "DENIED (explicit)",
            Outcome::ImplicitlyDenied => "DENIED (implicit)",
        };
        writeln!(f, "{headline}  {} on {}", trace.action, trace.resource)?;
        write!(f, "  by {}", trace.principal)?;
        if let Some(id) = self.request_id {
            write!(f, ", request {id}")?;
        }
        if let Some(time) = self.time {
            write!(f, ", {time}")?;
        }
        writeln!(f)?;
        write_policies(f, trace, self.decision)?;
        writeln!(f, "  {}", trace.rule)?;
        write_but_for(f, &trace.but_for)?;
        if trace.outcome != Outcome::Allowed {
            writeln!(f, "  AWS would say: {}", self.decision.aws_message())?;
        }
        Ok(())
    }
}

fn write_policies(f: &mut fmt::Formatter<'_>, trace: &Trace, decision: &Decision) -> fmt::Result {
    let mut rows: Vec<(String, Option<&PolicyTrace>)> =
        trace.policies.iter().map(|policy| (label(policy), Some(policy))).collect();
    let policies = decision.policies();
    let binds_own = crate::decide::binds(&decision.request().principal, PolicyClass::Identity);
    if policies.identity.is_empty() && binds_own {
        rows.insert(0, ("identity policies".to_owned(), None));
    }
    for (limit, name) in [(policies.boundary, "permissions boundary"), (policies.session, "session policy")] {
        if limit.is_some_and(<[_]>::is_empty) && binds_own {
            rows.push((name.to_owned(), None));
        }
    }
    if policies.resource.is_none()
        && let Some(name) = absent_resource_policy(decision)
    {
        rows.push((name.to_owned(), None));
    }
    let acl = trace.acl.as_ref().map(|acl| (format!("ACL of the {}", acl.acl.as_str()), acl));
    let grants: Vec<_> = trace.kms_grants.iter().map(|grant| (grant.grant.to_string(), grant)).collect();
    let labels = rows
        .iter()
        .map(|(label, _)| label)
        .chain(acl.iter().map(|(label, _)| label))
        .chain(grants.iter().map(|(label, _)| label));
    let width = labels.map(|label| label.chars().count()).max().unwrap_or(0) + GAP;
    for (label, policy) in rows {
        match policy {
            None => writeln!(f, "  {label:<width$}none")?,
            Some(policy) => write_policy(f, &label, width, policy)?,
        }
    }
    if let Some((label, acl)) = &acl {
        write_acl(f, label, width, acl)?;
    }
    for (label, grant) in grants {
        let word = if grant.applies { "allows" } else { "no match" };
        writeln!(f, "  {label:<width$}{word:<10}{}", grant.text)?;
    }
    Ok(())
}

fn write_acl(f: &mut fmt::Formatter<'_>, label: &str, width: usize, acl: &AclTrace) -> fmt::Result {
    write!(f, "  {label:<width$}")?;
    if let Some(note) = acl.note {
        return writeln!(f, "not asked {note}");
    }
    if let Some(grant) = acl.grants.iter().find(|grant| grant.applies) {
        return writeln!(f, "{:<10}{}", "allows", grant.text);
    }
    let wanted = acl.permission.unwrap_or_default();
    writeln!(f, "{:<10}nothing grants {wanted} to the caller; the owner is {}", "no match", acl.owner)?;
    for grant in &acl.grants {
        writeln!(f, "      {}", grant.text)?;
    }
    Ok(())
}

fn absent_resource_policy(decision: &Decision) -> Option<&'static str> {
    if decision.request().resource.arn == "*" {
        return None;
    }
    match decision.request().service().as_str() {
        "s3" => Some("bucket policy"),
        "sts" => Some("trust policy"),
        "kms" => Some("key policy"),
        "sns" => Some("topic policy"),
        "sqs" => Some("queue policy"),
        _ => None,
    }
}

fn label(policy: &PolicyTrace) -> String {
    let source = PolicySource::new(policy.kind, policy.name.clone()).to_string();
    match policy.level {
        Some(level) => format!("{source} (level {level})"),
        None => source,
    }
}

fn write_policy(f: &mut fmt::Formatter<'_>, label: &str, width: usize, policy: &PolicyTrace) -> fmt::Result {
    write!(f, "  {label:<width$}")?;
    let first = |effect: Effect| {
        policy.statements.iter().find(|statement| statement.applies && statement.effect == effect)
    };
    let (word, statement) = match policy.verdict {
        Verdict::NotApplicable => return writeln!(f, "not asked {}", policy.note.unwrap_or_default()),
        Verdict::Denies => ("denies", first(Effect::Deny)),
        Verdict::Allows => ("allows", first(Effect::Allow)),
        Verdict::NoMatch => match policy.note {
            Some(note) => return writeln!(f, "{:<10}{note}", "no match"),
            None => ("no match", nearest(policy)),
        },
    };
    let Some(statement) = statement else {
        let count = policy.statements.len();
        return writeln!(f, "{word:<10}none of its {count} statements speaks of this action");
    };
    writeln!(f, "{word:<10}{}", statement_label(policy, statement))?;
    // An allow needs no proof where it stands; what denies or falls short does.
    if policy.verdict != Verdict::Allows {
        write_elements(f, statement)?;
    }
    Ok(())
}

/// The statement that came closest: an allow about this action that fails in the fewest elements.
fn nearest(policy: &PolicyTrace) -> Option<&StatementTrace> {
    let failures =
        |statement: &StatementTrace| statement.elements.iter().filter(|element| !element.matches).count();
    policy
        .statements
        .iter()
        .filter(|statement| {
            statement.effect == Effect::Allow
                && statement
                    .elements
                    .iter()
                    .any(|element| element.element == Element::Action && element.matches)
        })
        .min_by_key(|statement| failures(statement))
        .or(match policy.statements.as_slice() {
            [only] => Some(only),
            _ => None,
        })
}

fn statement_label(policy: &PolicyTrace, statement: &StatementTrace) -> String {
    let name = match &statement.sid {
        Some(sid) => format!("statement `{sid}`"),
        None => format!("statement {}", statement.number),
    };
    match &policy.file {
        Some(file) => format!("{name} ({file}:{})", statement.line),
        None => format!("{name} (line {})", statement.line),
    }
}

fn write_elements(f: &mut fmt::Formatter<'_>, statement: &StatementTrace) -> fmt::Result {
    for element in &statement.elements {
        // The headline names the action already.
        if element.element == Element::Action && element.matches {
            continue;
        }
        let word = if element.matches { "matches" } else { "fails" };
        writeln!(f, "      {:<11}{word:<10}{}", element.element.as_str(), element.text)?;
    }
    Ok(())
}

fn write_but_for(f: &mut fmt::Formatter<'_>, but_for: &[ButFor]) -> fmt::Result {
    if but_for.is_empty() {
        return Ok(());
    }
    let (joint, texts): (&str, Vec<String>) = match but_for {
        [ButFor::Missing { .. }, ..] => (" or ", but_for.iter().map(ToString::to_string).collect()),
        [ButFor::Deny { .. } | ButFor::PublicAccessRestriction, ..] => {
            (" and ", but_for.iter().map(ToString::to_string).collect())
        }
        [only] => ("", vec![only.to_string()]),
        several => (
            " or ",
            several
                .iter()
                .map(|one| match one {
                    ButFor::Element { statement, element: Element::Condition, .. } => {
                        format!("{one} of {statement}")
                    }
                    other => other.to_string(),
                })
                .collect(),
        ),
    };
    writeln!(f, "  would be allowed but for: {}", texts.join(joint))
}
