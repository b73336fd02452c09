//! The scripts of the tables: requests as a client writes them, and below each what must come back.
//!
//! ```text
//! stranger PUT /{other}/k?acl          who asks (the first account unless it is said), the method, the target
//! x-amz-acl: private                   a header; of the services of forms, a parameter
//! > text                               a line of the body
//! = 403 AccessDenied Access Denied     the status, the code, the whole message; without such a line any 2xx
//! = header etag: "x"                   a header, an element, a value in JSON, or that there is none
//! = no xml VersionId
//! = json /KeyMetadata/Enabled: true
//! = count /Messages: 2
//! = has text                           what the body has or lacks
//! = signed Message MessageId Type      of a message that was received: signed by SNS over these fields
//! save version header x-amz-version-id
//! ```
//!
//! The headers `sign-region` and `sign-service` are not sent: the signature is for them. `unsigned x-amz-meta-a: 1` is added
//! when everything else is signed.
//!
//! `KMS Encrypt`, `SQS CreateQueue`, `SNS Subscribe`, `IAM CreateUser` and `STS AssumeRole` are requests of these services,
//! `FORM /{bucket}` is one of a browser. `wait 11d` lets time pass, `receive {queue}` delivers what is due and takes what
//! came, and behind `finally` stands what cleans up, whatever came before.

use std::time::Duration;

/// A script that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, `{text}`: {message}")]
pub(super) struct BrokenScript {
    line: usize,
    text: String,
    message: &'static str,
}

/// What is done, and then what takes away what was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    pub(super) finally: Vec<Step>,
}

/// An action with what must come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) demands: Vec<Demand>,
    pub(super) saved: Vec<(String, Part)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Ask(Ask),
    Wait(Duration),
    /// Takes messages out of a queue: at least that many are waited for.
    Receive {
        queue: String,
        count: usize,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    /// The line as it stands, for reports.
    pub(super) line: String,
    pub(super) who: Who,
    pub(super) verb: Verb,
    /// Headers, parameters or fields of a form.
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The account that does everything.
    First,
    /// The other account.
    Stranger,
    /// Nobody signs.
    Nobody,
    /// Credentials that were saved under this name.
    Saved(String),
    /// A user of the suite's scenario.
    User(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// A request to S3.
    S3 { method: String, target: String },
    /// An HTML form for this target.
    Form { target: String },
    /// An action of a service whose requests are forms or JSON.
    Action { service: Service, action: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Iam,
    Kms,
    Sns,
    Sqs,
    Sts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    Status {
        status: u16,
        code: Option<String>,
        message: Option<String>,
    },
    Equals(Part, String),
    Differs(Part, String),
    Absent(Part),
    Present(Part),
    Count(String, usize),
    Has(String),
    Lacks(String),
    Empty,
    /// The first message is signed by SNS over these fields.
    Signed(Vec<String>),
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Header(String),
    Element(String),
    Pointer(String),
}

impl Script {
    /// One script and then the other; what cleans up goes the other way around.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.steps.extend(other.steps);
        let finally = std::mem::replace(&mut self.finally, other.finally);
        self.finally.extend(finally);
        self
    }

    /// Whether a step says this.
    pub(super) fn mentions(&self, text: &str) -> bool {
        let in_ask = |ask: &Ask| {
            let in_fields = ask.fields.iter().any(|(_, value)| value.contains(text));
            ask.line.contains(text) || in_fields || ask.body.iter().any(|line| line.contains(text))
        };
        self.steps.iter().any(|step| matches!(&step.action, Action::Ask(ask) if in_ask(ask)))
    }
}

impl Step {
    /// What it does and demands, in a line for whoever asks what the check does.
    pub(super) fn shown(&self) -> String {
        let action = match &self.action {
            Action::Ask(ask) => format!("`{}`", ask.line),
            Action::Wait(length) => format!("{} h pass", length.as_secs() / 3600),
            Action::Receive { queue, .. } => format!("receive from {queue}"),
        };
        let demands: Vec<String> = self.demands.iter().map(Demand::shown).collect();
        if demands.is_empty() { action } else { format!("{action}: {}", demands.join("; ")) }
    }
}

impl Part {
    /// How reports name it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Header(name) => format!("header {name}"),
            Self::Element(name) => format!("element {name}"),
            Self::Pointer(pointer) => format!("value {pointer}"),
        }
    }
}

impl Demand {
    fn shown(&self) -> String {
        match self {
            Self::Status { status, code, .. } => {
                code.as_ref().map_or_else(|| status.to_string(), |code| format!("{status} {code}"))
            }
            Self::Equals(part, value) => format!("{} is `{value}`", part.shown()),
            Self::Differs(part, value) => format!("{} is not `{value}`", part.shown()),
            Self::Absent(part) => format!("no {}", part.shown()),
            Self::Present(part) => format!("a {}", part.shown()),
            Self::Count(pointer, count) if pointer.is_empty() => format!("{count} messages"),
            Self::Count(pointer, count) => format!("{count} values at {pointer}"),
            Self::Has(text) => format!("has `{text}`"),
            Self::Lacks(text) => format!("lacks `{text}`"),
            Self::Empty => "nothing in the body".to_owned(),
            Self::Signed(fields) => format!("signed over {}", fields.join(", ")),
        }
    }
}

const METHODS: [&str; 6] = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"];

/// Reads a script.
pub(super) fn parse(text: &str) -> Result<Script, BrokenScript> {
    let mut script = Script::default();
    let mut is_finally = false;
    for (number, line) in text.lines().enumerate() {
        let broken = |message| BrokenScript { line: number + 1, text: line.to_owned(), message };
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "finally" {
            is_finally = true;
            continue;
        }
        let steps = if is_finally { &mut script.finally } else { &mut script.steps };
        let is_more = ["> ", "= ", "save "].iter().any(|start| line.starts_with(start));
        if !is_more && let Some(action) = action(line).map_err(broken)? {
            steps.push(Step { action, demands: Vec::new(), saved: Vec::new() });
            continue;
        }
        let step = steps.last_mut().ok_or_else(|| broken("there is no request above it"))?;
        if let Some(demanded) = line.strip_prefix("= ") {
            step.demands.push(demand(demanded).ok_or_else(|| broken("it is no demand"))?);
        } else if let Some(saved) = line.strip_prefix("save ") {
            let (name, from) = saved.split_once(' ').ok_or_else(|| broken("it saves nothing"))?;
            step.saved
                .push((name.to_owned(), part(from).ok_or_else(|| broken("it is no part of an answer"))?));
        } else if let Action::Ask(ask) = &mut step.action {
            if let Some(body) = line.strip_prefix("> ") {
                ask.body.push(body.to_owned());
            } else {
                let field = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")));
                let (name, value) = field.ok_or_else(|| broken("it is neither a header nor a demand"))?;
                ask.fields.push((name.to_owned(), value.to_owned()));
            }
        } else {
            return Err(broken("it belongs to no request"));
        }
    }
    Ok(script)
}

/// The action that a line begins, if it begins one.
fn action(line: &str) -> Result<Option<Action>, &'static str> {
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["wait", length] => length
            .parse::<jiff::SignedDuration>()
            .ok()
            .or_else(|| days(length))
            .and_then(|length| Duration::try_from(length).ok())
            .map(|length| Some(Action::Wait(length)))
            .ok_or("it is no length of time"),
        ["receive", queue] => Ok(Some(Action::Receive { queue: (*queue).to_owned(), count: 1 })),
        ["receive", queue, count] => {
            let count = count.parse().map_err(|_| "it is no number of messages")?;
            Ok(Some(Action::Receive { queue: (*queue).to_owned(), count }))
        }
        [first, second] => Ok(verb(first, second).map(|verb| ask(line, Who::First, verb))),
        [first, second, third] => {
            let Some(verb) = verb(second, third) else { return Ok(None) };
            let who = match *first {
                "nobody" => Who::Nobody,
                "stranger" => Who::Stranger,
                other => match other.strip_prefix('@') {
                    Some(saved) => Who::Saved(saved.to_owned()),
                    None => Who::User(other.to_owned()),
                },
            };
            Ok(Some(ask(line, who, verb)))
        }
        _ => Ok(None),
    }
}

fn days(length: &str) -> Option<jiff::SignedDuration> {
    let days: i64 = length.strip_suffix('d')?.parse().ok()?;
    Some(jiff::SignedDuration::from_hours(days.checked_mul(24)?))
}

fn ask(line: &str, who: Who, verb: Verb) -> Action {
    Action::Ask(Ask { line: line.to_owned(), who, verb, fields: Vec::new(), body: Vec::new() })
}

fn verb(first: &str, second: &str) -> Option<Verb> {
    let service = match first {
        "IAM" => Service::Iam,
        "KMS" => Service::Kms,
        "SNS" => Service::Sns,
        "SQS" => Service::Sqs,
        "STS" => Service::Sts,
        "FORM" => return Some(Verb::Form { target: second.to_owned() }),
        method if METHODS.contains(&method) && second.starts_with('/') => {
            return Some(Verb::S3 { method: method.to_owned(), target: second.to_owned() });
        }
        _ => return None,
    };
    Some(Verb::Action { service, action: second.to_owned() })
}

fn demand(text: &str) -> Option<Demand> {
    if text == "empty" {
        return Some(Demand::Empty);
    }
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    if let Ok(status) = first.parse() {
        let (code, message) =
            rest.split_once(' ').map_or((rest, None), |(code, message)| (code, Some(message)));
        let code = (!code.is_empty()).then(|| code.to_owned());
        return Some(Demand::Status { status, code, message: message.map(str::to_owned) });
    }
    match first {
        "no" => Some(Demand::Absent(part(rest)?)),
        "some" => Some(Demand::Present(part(rest)?)),
        "not" => match demand(rest)? {
            Demand::Equals(part, value) => Some(Demand::Differs(part, value)),
            _ => None,
        },
        "has" => Some(Demand::Has(rest.to_owned())),
        "lacks" => Some(Demand::Lacks(rest.to_owned())),
        "signed" => Some(Demand::Signed(rest.split(' ').map(str::to_owned).collect())),
        "count" => {
            let (pointer, count) = rest.split_once(": ")?;
            let pointer = if pointer == "/" { "" } else { pointer };
            Some(Demand::Count(pointer.to_owned(), count.parse().ok()?))
        }
        _ => {
            let (named, value) = text.split_once(": ").or_else(|| Some((text.strip_suffix(':')?, "")))?;
            Some(Demand::Equals(part(named)?, value.to_owned()))
        }
    }
}

fn part(text: &str) -> Option<Part> {
    let (kind, name) = text.split_once(' ')?;
    let name = name.to_owned();
    match kind {
        "header" => Some(Part::Header(name)),
        "xml" => Some(Part::Element(name)),
        "json" => Some(Part::Pointer(name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
