//! What came back, and its parts.

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::super::script::{Demand, Part};
use super::Names;
use crate::outcome::Conclusion;
use crate::step::{Step, step};

/// An answer with its body as text.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: String,
    json: Option<Value>,
}

impl Answer {
    pub(super) fn of(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let body = String::from_utf8_lossy(&body).into_owned();
        let json = serde_json::from_str(&body).ok();
        Self { status: parts.status.as_u16(), headers: parts.headers, body, json }
    }

    pub(super) fn of_json(value: Value) -> Self {
        Self { status: 200, headers: http::HeaderMap::new(), body: value.to_string(), json: Some(value) }
    }

    pub(super) fn json(&self) -> Option<&Value> {
        self.json.as_ref()
    }

    /// A part as text; absent if the answer has none.
    pub(super) fn part(&self, part: &Part) -> Option<String> {
        match part {
            Part::Header(name) => Some(self.headers.get(name)?.to_str().ok()?.to_owned()),
            Part::Element(name) => element(&self.body, name),
            Part::Pointer(pointer) => Some(match self.json.as_ref()?.pointer(pointer)? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
        }
    }

    /// The error's code, as each protocol tells it.
    fn code(&self) -> Option<String> {
        let of_json = || {
            let kind = self.part(&Part::Pointer("/__type".to_owned()))?;
            Some(kind.rsplit('#').next().unwrap_or_default().to_owned())
        };
        element(&self.body, "Code").or_else(of_json)
    }

    fn message(&self) -> Option<String> {
        element(&self.body, "Message")
            .or_else(|| self.part(&Part::Pointer("/message".to_owned())))
            .or_else(|| self.part(&Part::Pointer("/Message".to_owned())))
    }

    /// `403 AccessDenied: Access Denied`, for reports.
    fn summary(&self) -> String {
        let mut text = self.status.to_string();
        if let Some(code) = self.code() {
            text = format!("{text} {code}");
        }
        match self.message() {
            Some(message) => format!("{text} {message}"),
            None => text,
        }
    }

    /// Holds the answer against every demand; without one of the status, any success will do.
    pub(super) fn meets(&self, name: &str, demands: &[Demand], names: &Names) -> Conclusion {
        let asked = step(format!("`{name}`"));
        if !demands.iter().any(|demand| matches!(demand, Demand::Status { .. }))
            && !(200..300).contains(&self.status)
        {
            return Err(asked.failure("success", self.summary()).into());
        }
        demands.iter().try_for_each(|demand| self.meet(&asked, demand, names))
    }

    fn meet(&self, asked: &Step, demand: &Demand, names: &Names) -> Conclusion {
        let shown = || self.body.chars().take(1200).collect::<String>();
        match demand {
            Demand::Status { status, code, message } => {
                let message = message.as_deref().map(|message| names.fill(message));
                let as_said = |message: &String| {
                    let found = self.message().unwrap_or_default();
                    message.strip_suffix('*').map_or(*message == found, |start| found.starts_with(start))
                };
                let is_met = *status == self.status
                    && code.as_ref().is_none_or(|code| self.code().as_ref() == Some(code))
                    && message.as_ref().is_none_or(as_said);
                if is_met {
                    return Ok(());
                }
                let parts = [Some(status.to_string()), code.clone(), message];
                let expected = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
                Err(asked.failure(expected, self.summary()).into())
            }
            Demand::Equals(part, value) => {
                let expected = format!("{} `{}`", part.shown(), names.fill(value));
                let found = self.part(part).map_or_else(
                    || format!("no {} in `{}`", part.shown(), shown()),
                    |found| format!("{} `{found}`", part.shown()),
                );
                if expected == found { Ok(()) } else { Err(asked.failure(expected, found).into()) }
            }
            Demand::Differs(part, value) => {
                let value = names.fill(value);
                match self.part(part) {
                    Some(found) if found != value => Ok(()),
                    found => {
                        let expected = format!("a {} that is not `{value}`", part.shown());
                        Err(asked.failure(expected, found.unwrap_or_else(|| "nothing".to_owned())).into())
                    }
                }
            }
            Demand::Absent(part) => match self.part(part) {
                None => Ok(()),
                Some(found) => {
                    Err(asked.failure(format!("no {}", part.shown()), format!("`{found}`")).into())
                }
            },
            Demand::Present(part) => asked.some(&part.shown(), self.part(part)).map(drop),
            Demand::Count(pointer, count) => {
                let found = self.json.as_ref().and_then(|json| json.pointer(pointer));
                let found = found.and_then(Value::as_array).map_or(0, Vec::len);
                if found == *count {
                    return Ok(());
                }
                let actual = format!("{found} in `{}`", shown());
                Err(asked.failure(format!("{count} at `{pointer}`"), actual).into())
            }
            Demand::Has(text) => asked.contains(&self.body, &names.fill(text)),
            Demand::Lacks(text) => {
                let text = names.fill(text);
                if self.body.contains(&text) {
                    return Err(asked.failure(format!("nothing like `{text}`"), shown()).into());
                }
                Ok(())
            }
            // Who plays the script has looked at the certificate.
            Demand::Signed(_) => Ok(()),
            Demand::Empty if self.body.is_empty() => Ok(()),
            Demand::Empty => Err(asked.failure("an empty body", shown()).into()),
        }
    }
}

/// The text of the first element of that name.
fn element(body: &str, name: &str) -> Option<String> {
    let mut rest = body;
    loop {
        let (_, after) = rest.split_once(&format!("<{name}"))?;
        if after.starts_with("/>") {
            return Some(String::new());
        }
        if after.starts_with(['>', ' ']) {
            let (head, content) = after.split_once('>')?;
            if head.ends_with('/') {
                return Some(String::new());
            }
            let (text, _) = content.split_once(&format!("</{name}>"))?;
            return Some(unescaped(text));
        }
        rest = after;
    }
}

fn unescaped(text: &str) -> String {
    let entities =
        [("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">")];
    let text = entities.iter().fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign));
    text.replace("&amp;", "&")
}
