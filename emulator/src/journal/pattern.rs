//! Patterns in which `*` stands for any text, and ARNs that stand for what is below them.

/// Whether `text` is what `pattern` says; `*` stands for any text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

/// Whether a resource is `arn` or below it: an object of the bucket, or a key that begins with a prefix which ends in
/// `/`. A pattern with `*` is held against the whole.
pub(super) fn is_within(arn: &str, resource: &str) -> bool {
    if arn.contains('*') {
        return matches(arn, resource);
    }
    let Some(rest) = resource.strip_prefix(arn) else { return false };
    rest.is_empty() || rest.starts_with('/') || arn.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::{is_within, matches};

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("", "", true),
            ("*", "", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "ab", false),
            ("a*a", "a", false),
            ("*b*b*", "abb", true),
            ("*b*b*", "ab", false),
            ("s3:*Object", "s3:PutObject", true),
            ("s3:*Object", "s3:PutObjectAcl", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_bucket_holds_its_objects_and_no_other_bucket() {
        let bucket = "arn:aws:s3:::logs";
        for (arn, resource, expected) in [
            (bucket, bucket, true),
            (bucket, "arn:aws:s3:::logs/a", true),
            (bucket, "arn:aws:s3:::logs-of-others/a", false),
            ("arn:aws:s3:::logs/raw/", "arn:aws:s3:::logs/raw/a", true),
            ("arn:aws:s3:::logs/raw", "arn:aws:s3:::logs/rawer", false),
            ("arn:aws:s3:::logs/*.csv", "arn:aws:s3:::logs/a/b.csv", true),
            ("*", "*", true),
            (bucket, "*", false),
        ] {
            assert_eq!(is_within(arn, resource), expected, "{arn} {resource}");
        }
    }
}
