//! Wildcards by their definition: every way to take characters is tried, and remembered.

/// One step of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Exactly(char),
    /// One character.
    One {
        colon: bool,
    },
    /// Any run of characters.
    Run {
        colon: bool,
    },
}

/// Whether the whole text matches a pattern in which `*` and `?` take any characters.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let steps = pattern.chars().map(|c| match c {
        '*' => Step::Run { colon: true },
        '?' => Step::One { colon: true },
        other => Step::Exactly(other),
    });
    takes(&steps.collect::<Vec<_>>(), text)
}

/// Whether an ARN matches a pattern of an ARN. In the first five parts of the pattern a wildcard takes no colon, but
/// for a `*` that ends its part; in the sixth it takes anything.
pub(crate) fn matches_arn(pattern: &str, text: &str) -> bool {
    let chars: Vec<char> = pattern.chars().collect();
    let mut colons = 0;
    let mut steps = Vec::new();
    for (index, c) in chars.iter().enumerate() {
        let is_last_part = colons >= 5;
        let ends_part = matches!(chars.get(index + 1), None | Some(':'));
        steps.push(match c {
            '*' => Step::Run { colon: is_last_part || ends_part },
            '?' => Step::One { colon: is_last_part },
            other => Step::Exactly(*other),
        });
        colons += usize::from(*c == ':');
    }
    takes(&steps, text)
}

/// Row by row: which numbers of steps can have been taken after each character.
fn takes(steps: &[Step], text: &str) -> bool {
    let mut reached = vec![false; steps.len() + 1];
    reached[0] = true;
    skip_runs(steps, &mut reached);
    for c in text.chars() {
        let mut next = vec![false; steps.len() + 1];
        for (index, step) in steps.iter().enumerate() {
            if !reached[index] {
                continue;
            }
            match step {
                Step::Exactly(expected) => next[index + 1] |= c == *expected,
                Step::One { colon } => next[index + 1] |= *colon || c != ':',
                Step::Run { colon } => next[index] |= *colon || c != ':',
            }
        }
        skip_runs(steps, &mut next);
        reached = next;
    }
    reached[steps.len()]
}

/// A run may be empty.
fn skip_runs(steps: &[Step], reached: &mut [bool]) {
    for (index, step) in steps.iter().enumerate() {
        if matches!(step, Step::Run { .. }) && reached[index] {
            reached[index + 1] = true;
        }
    }
}
