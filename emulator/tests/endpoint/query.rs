//! Signed requests to the query services, IAM and STS.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::wire::{Answer, Ask, Key, Signing, Wire};

/// One caller of IAM and STS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) key: Key<'a>,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(wire: &'a Wire, key: Key<'a>) -> Self {
        Self { wire, key }
    }

    /// One call of IAM.
    pub(crate) async fn iam(self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.call("iam", "2010-05-08", action, parameters).await
    }

    /// One call of IAM that must succeed.
    pub(crate) async fn iam_ok(self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        let answer = self.iam(action, parameters).await;
        assert_eq!(answer.status, 200, "{action}: {}", answer.text());
        answer
    }

    /// One call of STS.
    pub(crate) async fn sts(self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.call("sts", "2011-06-15", action, parameters).await
    }

    async fn call(self, service: &str, version: &str, action: &str, parameters: &[(&str, &str)]) -> Answer {
        let encode = |value: &str| utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
        let mut form = format!("Action={action}&Version={version}");
        for (name, value) in parameters {
            form.extend(["&", name, "=", &encode(value)]);
        }
        let ask =
            Ask::new("POST", "/").header("content-type", "application/x-www-form-urlencoded").body(form);
        self.wire.send(&self.wire.sign(&ask, &Signing { service, ..Signing::with(self.key) })).await
    }
}

/// Status, code and message of a refusal.
pub(crate) fn refused(answer: &Answer) -> (u16, String, String) {
    let (status, code) = answer.outcome();
    (status, code, answer.element("Message").unwrap_or_default())
}

/// The texts of all elements of a name, in order.
pub(crate) fn elements(answer: &Answer, name: &str) -> Vec<String> {
    let text = answer.text();
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    text.split(&open).skip(1).filter_map(|rest| Some(rest.split_once(&close)?.0.to_owned())).collect()
}

/// A text as it stood before it was percent-encoded.
pub(crate) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}
