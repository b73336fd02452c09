//! An answer that refuses, in AWS's own words.
//!
//! Every refusal in the emulator is an [`AwsError`]: status, code, message and the extra elements that AWS adds
//! for that code, in AWS's order. It becomes bytes in exactly one place per protocol (`render`).

mod catalogue;
mod render;
mod settings;

use std::borrow::Cow;

use http::StatusCode;

pub(crate) use render::Protocol;

/// A refusal before it is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    /// Elements between Message and RequestId, in wire order.
    pub(crate) details: Vec<(Cow<'static, str>, String)>,
    /// Response headers that belong to the refusal, such as `x-amz-bucket-region`.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl AwsError {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into(), details: Vec::new(), headers: Vec::new() }
    }

    pub(crate) fn with(mut self, element: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.details.push((element.into(), value.into()));
        self
    }

    /// An element that stands before the others.
    pub(crate) fn with_first(
        mut self,
        element: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Self {
        self.details.insert(0, (element.into(), value.into()));
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
