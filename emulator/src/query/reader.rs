//! Parameters held to their constraints, with the violations in AWS's words.

use http::StatusCode;

use super::Parameters;
use crate::error::AwsError;

/// Whether a violation repeats the value that violates. STS does, IAM does not (both recorded).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    Value,
    Nothing,
}

/// What a text may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) min: usize,
    pub(crate) max: usize,
    /// The characters allowed beside letters, digits and `_`, and the pattern as AWS shows it.
    pub(crate) pattern: Option<(&'static str, &'static str)>,
}

impl Text {
    pub(crate) const fn of(min: usize, max: usize) -> Self {
        Self { min, max, pattern: None }
    }

    pub(crate) const fn matching(mut self, also: &'static str, pattern: &'static str) -> Self {
        self.pattern = Some((also, pattern));
        self
    }

    fn violation(&self, value: &str) -> Option<String> {
        let length = value.chars().count();
        if length < self.min {
            return Some(format!("Member must have length greater than or equal to {}", self.min));
        }
        if length > self.max {
            return Some(format!("Member must have length less than or equal to {}", self.max));
        }
        let (also, pattern) = self.pattern?;
        let matches = value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || also.contains(c));
        (!matches).then(|| format!("Member must satisfy regular expression pattern: {pattern}"))
    }
}

/// Reads parameters and collects what is wrong with them; what it returns holds only after [`Reader::finish`].
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    parameters: &'a Parameters,
    echo: Echo,
    violations: Vec<String>,
    refusal: Option<AwsError>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(parameters: &'a Parameters, echo: Echo) -> Self {
        Self { parameters, echo, violations: Vec::new(), refusal: None }
    }

    pub(crate) fn parameters(&self) -> &'a Parameters {
        self.parameters
    }

    pub(crate) fn required(&mut self, name: &str, text: Text) -> String {
        if self.parameters.get(name).is_none() {
            self.missing(name);
        }
        self.optional(name, text).unwrap_or_default()
    }

    pub(crate) fn optional(&mut self, name: &str, text: Text) -> Option<String> {
        let value = self.parameters.get(name)?;
        self.check(&member(name), value, text);
        Some(value.to_owned())
    }

    pub(crate) fn number(&mut self, name: &str, min: i64, max: i64) -> Option<i64> {
        let value = self.parameters.get(name)?;
        let Ok(number) = value.parse::<i64>() else {
            let text = format!("Invalid integer for {name}");
            self.refuse(AwsError::new(StatusCode::BAD_REQUEST, "MalformedInput", text));
            return None;
        };
        if number < min {
            self.violate(
                &member(name),
                value,
                &format!("Member must have value greater than or equal to {min}"),
            );
        } else if number > max {
            self.violate(
                &member(name),
                value,
                &format!("Member must have value less than or equal to {max}"),
            );
        }
        Some(number)
    }

    /// `true` or `false`, in any case.
    pub(crate) fn switch(&mut self, name: &str) -> Option<bool> {
        let value = self.parameters.get(name)?;
        if value.eq_ignore_ascii_case("true") {
            return Some(true);
        }
        if !value.eq_ignore_ascii_case("false") {
            let text = format!("Invalid boolean for {name}");
            self.refuse(AwsError::new(StatusCode::BAD_REQUEST, "MalformedInput", text));
        }
        Some(false)
    }

    /// One of a few words.
    pub(crate) fn choice(&mut self, name: &str, words: &[&str]) -> Option<String> {
        let value = self.parameters.get(name)?;
        if !words.contains(&value) {
            self.violate(&member(name), value, "Member must satisfy enum value set");
        }
        Some(value.to_owned())
    }

    /// Holds a value found elsewhere to a constraint.
    pub(crate) fn check(&mut self, member: &str, value: &str, text: Text) {
        if let Some(must) = text.violation(value) {
            self.violate(member, value, &must);
        }
    }

    pub(crate) fn missing(&mut self, name: &str) {
        let value = if self.echo == Echo::Value { "Value null" } else { "Value" };
        self.violations.push(format!(
            "{value} at '{}' failed to satisfy constraint: Member must not be null",
            member(name)
        ));
    }

    pub(crate) fn violate(&mut self, member: &str, value: &str, must: &str) {
        let value = match self.echo {
            Echo::Value => format!("Value '{value}'"),
            Echo::Nothing => "Value".to_owned(),
        };
        self.violations.push(format!("{value} at '{member}' failed to satisfy constraint: {must}"));
    }

    /// Refuses for a reason of its own; the first one counts, after the violations.
    pub(crate) fn refuse(&mut self, refusal: AwsError) {
        self.refusal.get_or_insert(refusal);
    }

    /// Refuses the request if anything was wrong.
    pub(crate) fn finish(self) -> Result<(), AwsError> {
        let count = self.violations.len();
        if count == 0 {
            return self.refusal.map_or(Ok(()), Err);
        }
        let errors = if count == 1 { "error" } else { "errors" };
        Err(AwsError::validation(format!(
            "{count} validation {errors} detected: {}",
            self.violations.join("; ")
        )))
    }
}

/// The name of a parameter as violations have it: `roleArn`.
fn member(parameter: &str) -> String {
    let mut characters = parameter.chars();
    let first = characters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}
