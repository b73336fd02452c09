//! Wildcard matching without backtracking beyond the last `*`.
//!
//! A pattern is bytes in which two values that never occur in UTF-8 stand for the wildcards, so that a literal `*`
//! (from `${*}` or from the value of a policy variable) cannot be mistaken for one.

/// Any run of characters, also none.
pub(crate) const MANY: u8 = 0xFF;
/// Exactly one character.
pub(crate) const ONE: u8 = 0xFE;

/// The pattern bytes of a text whose `*` and `?` are wildcards.
pub(crate) fn compile(text: &str) -> Box<[u8]> {
    text.bytes()
        .map(|byte| match byte {
            b'*' => MANY,
            b'?' => ONE,
            other => other,
        })
        .collect()
}

/// Whether the whole text matches the pattern. `*` crosses every separator and newlines; time is bounded by the
/// product of the two lengths, and by their sum when the pattern has one `*`.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut resume: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at), text.get(seen)) {
            (Some(&MANY), _) => {
                at += 1;
                if at == pattern.len() {
                    return true;
                }
                resume = Some((at, seen));
            }
            (Some(&ONE), Some(&lead)) => {
                at += 1;
                seen += char_bytes(lead);
            }
            (Some(expected), Some(found)) if expected == found => {
                at += 1;
                seen += 1;
            }
            (None, None) => return true,
            _ => {
                let Some((after_star, from)) = resume else { return false };
                let Some(&lead) = text.get(from) else { return false };
                let next = from + char_bytes(lead);
                resume = Some((after_star, next));
                at = after_star;
                seen = next;
            }
        }
    }
}

/// How many bytes the UTF-8 character has that starts with `lead`.
fn char_bytes(lead: u8) -> usize {
    match lead {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
