//! Which AWS service a request is for.
//!
//! One port serves them all, so the request itself has to say: by a host of AWS, by the service in its credential scope,
//! else by `X-Amz-Target`, an `Action` parameter, or another host. What says nothing is S3.

use crate::authenticate::Credential;
use crate::error::{AwsError, Protocol};
use crate::head::Head;
use crate::{iam, kms, sns, sqs, sts};

/// A service by its signing name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    Sts,
    Iam,
    Kms,
    Sns,
    Sqs,
    /// A service that is known by name only; its requests are refused.
    Other(String),
}

impl Service {
    /// Classifies a request by its head.
    pub(crate) fn of(head: &Head) -> Self {
        let scope = crate::addressing::service_in_host(head.host()).or_else(|| scope_service(head));
        if let Some((service, _)) = head.header("x-amz-target").and_then(|target| target.split_once('.')) {
            if service == kms::TARGET {
                return Self::Kms;
            }
            if service == sqs::TARGET {
                return Self::Sqs;
            }
            return Self::Other(scope.unwrap_or(service).to_owned());
        }
        let is_form = head
            .header("content-type")
            .is_some_and(|content_type| content_type.starts_with("application/x-www-form-urlencoded"));
        let at_root = head.uri.path() == "/" && head.bucket_in_host.is_none();
        let speaks_query = at_root && (head.parameter("Action").is_some() || is_form);
        match scope {
            // The query services have one path, so elsewhere the scope is wrong, which S3 says.
            Some("sts") if at_root => Self::Sts,
            Some("iam") if at_root => Self::Iam,
            Some("kms") if at_root => Self::Kms,
            Some("sns") if at_root => Self::Sns,
            // The path of the query protocol is that of the queue.
            Some("sqs") => Self::Sqs,
            None if speaks_query && sns::is_for_sns(head) => Self::Sns,
            None if head.host().starts_with("iam.") || speaks_query && is_of_iam(head) => Self::Iam,
            Some("s3") | None if speaks_query || head.host().starts_with("sts.") => Self::Sts,
            Some("s3" | "sts" | "iam") | None => Self::S3,
            Some(other) => Self::Other(other.to_owned()),
        }
    }

    /// The signing name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::S3 => "s3",
            Self::Sts => "sts",
            Self::Kms => "kms",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
            Self::Iam => "iam",
            Self::Other(name) => name,
        }
    }

    /// How this service words this refusal.
    pub(crate) fn protocol(&self, refusal: &AwsError) -> Protocol {
        // What does not reach an action is refused before the service speaks.
        let undispatched = matches!(&*refusal.code, "InvalidAction" | "MissingAction");
        match self {
            Self::S3 => Protocol::RestXml,
            Self::Sts if !undispatched => Protocol::Query { namespace: sts::NAMESPACE },
            Self::Iam if !undispatched => Protocol::Query { namespace: iam::NAMESPACE },
            Self::Sns if !undispatched => Protocol::Query { namespace: sns::NAMESPACE },
            Self::Kms => Protocol::Json,
            Self::Sqs => Protocol::QueueJson,
            Self::Sts | Self::Iam | Self::Sns | Self::Other(_) => {
                Protocol::Query { namespace: "http://webservices.amazon.com/AWSFault/2005-15-09" }
            }
        }
    }

    /// The refusal as this service words it: what several services refuse goes by another name in each.
    pub(crate) fn word(&self, refusal: AwsError) -> AwsError {
        match self {
            Self::Kms => kms::word(refusal),
            Self::Sns => sns::word(refusal),
            Self::Sqs => sqs::word(refusal),
            Self::S3 | Self::Sts | Self::Iam | Self::Other(_) => refusal,
        }
    }

    /// Whether it speaks the query protocol: parameters in, XML out.
    pub(crate) fn speaks_query(&self) -> bool {
        matches!(self, Self::Sts | Self::Iam | Self::Sns)
    }

    /// The refusal of a service that the emulator does not speak.
    pub(crate) fn refusal(name: &str) -> AwsError {
        AwsError::not_implemented(format!("the service `{name}`"))
    }
}

/// Whether an unsigned request names the version of the IAM interface; its body is not looked at.
fn is_of_iam(head: &Head) -> bool {
    head.parameter("Version") == Some(iam::VERSION)
}

/// The service in the credential scope of a header or a presigned query.
fn scope_service(head: &Head) -> Option<&str> {
    let credential = match head.header("authorization") {
        Some(text) => text.split_once("Credential=")?.1.split([',', ' ']).next()?,
        None => head.parameter("X-Amz-Credential")?,
    };
    Credential::service_in(credential)
}
