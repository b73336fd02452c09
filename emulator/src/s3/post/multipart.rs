//! The parts of a `multipart/form-data` body.

use bytes::Bytes;

use crate::error::AwsError;

/// The most bytes of the fields before the file.
const FIELDS_BYTES_MAX: usize = 20 * 1024;

/// The part called `file`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    /// The name that the client knows it by; absent if it came as a plain field.
    pub(super) name: Option<String>,
    pub(super) content: Bytes,
}

/// The boundary that a content type announces.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        let value = value.trim_matches('"');
        (name.eq_ignore_ascii_case("boundary") && !value.is_empty()).then(|| value.to_owned())
    })
}

/// The fields up to the file, with lower-case names, and the file.
#[expect(clippy::type_complexity, reason = "the two results of one reading, taken apart at once")]
pub(super) fn parse(body: &Bytes, boundary: &str) -> Result<(Vec<(String, String)>, Option<File>), AwsError> {
    let first = format!("--{boundary}");
    let delimiter = format!("\r\n--{boundary}");
    let start = find(body, first.as_bytes()).ok_or_else(AwsError::malformed_post)?;
    let mut rest = body.slice(start + first.len()..);
    let mut fields = Vec::new();
    let mut fields_bytes = 0;
    loop {
        if rest.starts_with(b"--") {
            return Ok((fields, None));
        }
        let head_start = if rest.starts_with(b"\r\n") { 2 } else { return Err(AwsError::malformed_post()) };
        let head_end = find(&rest, b"\r\n\r\n").ok_or_else(AwsError::malformed_post)?;
        let head = rest.get(head_start..head_end).ok_or_else(AwsError::malformed_post)?;
        let (name, file_name) = disposition(head).ok_or_else(AwsError::malformed_post)?;
        let content = rest.slice(head_end + 4..);
        let end = find(&content, delimiter.as_bytes()).ok_or_else(AwsError::malformed_post)?;
        if name == "file" {
            return Ok((fields, Some(File { name: file_name, content: content.slice(..end) })));
        }
        fields_bytes += head_end + end;
        if fields_bytes > FIELDS_BYTES_MAX {
            return Err(AwsError::post_fields_too_large(FIELDS_BYTES_MAX));
        }
        let value = std::str::from_utf8(content.get(..end).unwrap_or_default())
            .map_err(|_| AwsError::malformed_post())?;
        fields.push((name, value.to_owned()));
        rest = content.slice(end + delimiter.len()..);
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(offset) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        let at = from + offset;
        if bytes.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// The names in the `Content-Disposition` of a part: that of the field, in lower case, and that of the file.
fn disposition(head: &[u8]) -> Option<(String, Option<String>)> {
    let head = std::str::from_utf8(head).ok()?;
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let parameter = |wanted: &str| {
        parameters(line)
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
    };
    Some((parameter("name")?.to_ascii_lowercase(), parameter("filename")))
}

/// `; name="value"` pairs; a value in quotes may hold semicolons and escaped quotes.
fn parameters(line: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((_, after)) = rest.split_once(';') {
        let Some((name, value)) = after.split_once('=') else { break };
        let (value, remainder) = match value.strip_prefix('"') {
            None => {
                let end = value.find(';').unwrap_or(value.len());
                let (value, remainder) = value.split_at(end);
                (value.trim().to_owned(), remainder)
            }
            Some(quoted) => {
                let end = quoted
                    .char_indices()
                    .scan(false, |escaped, (at, character)| {
                        let ends = character == '"' && !*escaped;
                        *escaped = character == '\\' && !*escaped;
                        Some((at, ends))
                    })
                    .find_map(|(at, ends)| ends.then_some(at));
                let Some(end) = end else { break };
                let (value, remainder) = quoted.split_at(end);
                (value.replace("\\\"", "\""), remainder)
            }
        };
        found.push((name.trim().to_owned(), value));
        rest = remainder;
    }
    found
}
