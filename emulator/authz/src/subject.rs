//! A request made ready for matching: what every statement asks for, computed once.

use crate::arn;
use crate::policy::PolicyKind;
use crate::principal::Principal;
use crate::request::Request;

/// Whether a permissions boundary is attached to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bounded {
    Yes,
    No,
}

/// The request as the statements see it.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) request: &'a Request,
    /// `service:action`, lower-case, since actions compare without regard to case.
    pub(crate) lower_action: String,
    /// `None` when the request has no resource ARN (`*`).
    pub(crate) resource: Option<[&'a str; 6]>,
    pub(crate) bounded: Bounded,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(request: &'a Request, bounded: Bounded) -> Self {
        Self {
            request,
            lower_action: request.action.to_lowercase(),
            resource: arn::segments(&request.resource.arn),
            bounded,
        }
    }

    pub(crate) fn service(&self) -> &str {
        self.lower_action.split(':').next().unwrap_or("")
    }

    pub(crate) fn principal(&self) -> &Principal {
        &self.request.principal
    }

    /// The kind of resource policy that rules over this request, if its service has one that we know.
    pub(crate) fn resource_policy_kind(&self) -> Option<PolicyKind> {
        match self.service() {
            "s3" => Some(PolicyKind::Bucket),
            "sts" => Some(PolicyKind::Trust),
            "kms" => Some(PolicyKind::Key),
            "sns" => Some(PolicyKind::Topic),
            _ => None,
        }
    }
}
