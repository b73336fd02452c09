//! The answer, which never travels without its reasons.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::acl::Acl;
use crate::decide::{Acls, Conclusion, Policies};
use crate::explain::Explanation;
use crate::kms_grant::{EncryptionContext, KmsGrant, KmsGrants};
use crate::message;
use crate::ownership::ObjectOwnership;
use crate::policy::Policy;
use crate::public_access::PublicAccessBlock;
use crate::reason::Reason;
use crate::request::Request;
use crate::trace::{self, Trace};

/// What was decided, in the words of IAM's simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Outcome {
    /// The request may proceed.
    Allowed,
    /// A statement forbids it.
    ExplicitlyDenied,
    /// Nothing allows it.
    ImplicitlyDenied,
}

impl Outcome {
    /// `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "Allowed",
            Self::ExplicitlyDenied => "ExplicitlyDenied",
            Self::ImplicitlyDenied => "ImplicitlyDenied",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A decided request.
///
/// It keeps the request and shares the policies, so that its trace and its texts are made only when somebody asks,
/// from the very policies that were in force. Clones are cheap.
#[derive(Clone)]
pub struct Decision {
    inner: Arc<Inner>,
}

struct Inner {
    request: Request,
    policies: OwnedPolicies,
    outcome: Outcome,
    reason: Reason,
    trace: OnceLock<Trace>,
}

/// [`Policies`] that own their share.
#[derive(Debug)]
struct OwnedPolicies {
    identity: Vec<Policy>,
    boundary: Option<Vec<Policy>>,
    session: Option<Vec<Policy>>,
    service_control: Vec<Vec<Policy>>,
    resource: Option<Policy>,
    acls: Option<Box<OwnedAcls>>,
    public_access_block: PublicAccessBlock,
    kms_grants: Vec<KmsGrant>,
    encryption_context: Option<EncryptionContext>,
}

/// [`Acls`] that own their share.
#[derive(Debug)]
struct OwnedAcls {
    ownership: ObjectOwnership,
    bucket: Acl,
    object: Option<Acl>,
}

impl OwnedPolicies {
    fn new(policies: &Policies<'_>) -> Self {
        Self {
            identity: policies.identity.to_vec(),
            boundary: policies.boundary.map(<[Policy]>::to_vec),
            session: policies.session.map(<[Policy]>::to_vec),
            service_control: policies.service_control.to_vec(),
            resource: policies.resource.cloned(),
            acls: policies.acls.map(|acls| {
                Box::new(OwnedAcls {
                    ownership: acls.ownership,
                    bucket: acls.bucket.clone(),
                    object: acls.object.cloned(),
                })
            }),
            public_access_block: policies.public_access_block,
            kms_grants: policies.kms_grants.list.to_vec(),
            encryption_context: policies.kms_grants.encryption_context.cloned(),
        }
    }

    fn borrow(&self) -> Policies<'_> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            session: self.session.as_deref(),
            service_control: &self.service_control,
            resource: self.resource.as_ref(),
            acls: self.acls.as_ref().map(|acls| Acls {
                ownership: acls.ownership,
                bucket: &acls.bucket,
                object: acls.object.as_ref(),
            }),
            public_access_block: self.public_access_block,
            kms_grants: KmsGrants {
                list: &self.kms_grants,
                encryption_context: self.encryption_context.as_ref(),
            },
        }
    }
}

impl Decision {
    pub(crate) fn new(request: Request, policies: &Policies<'_>, conclusion: Conclusion) -> Self {
        let policies = OwnedPolicies::new(policies);
        let Conclusion { outcome, reason } = conclusion;
        let inner = Inner { request, policies, outcome, reason, trace: OnceLock::new() };
        Self { inner: Arc::new(inner) }
    }

    /// What was decided.
    pub fn outcome(&self) -> Outcome {
        self.inner.outcome
    }

    /// Whether the request may proceed.
    pub fn is_allowed(&self) -> bool {
        self.inner.outcome == Outcome::Allowed
    }

    /// The rule that settled it.
    pub fn reason(&self) -> &Reason {
        &self.inner.reason
    }

    /// The request that was decided.
    pub fn request(&self) -> &Request {
        &self.inner.request
    }

    /// The policies that were in force.
    pub fn policies(&self) -> Policies<'_> {
        self.inner.policies.borrow()
    }

    /// Every policy and statement with what matched and what did not. Made on the first call.
    pub fn trace(&self) -> &Trace {
        self.inner.trace.get_or_init(|| trace::build(self))
    }

    /// The explanation for people, without request id and time.
    pub fn explain(&self) -> String {
        self.explain_as(None, None).to_string()
    }

    /// The explanation for people; `request_id` and `time` are shown as given.
    pub fn explain_as<'a>(&'a self, request_id: Option<&'a str>, time: Option<&'a str>) -> Explanation<'a> {
        Explanation::new(self, request_id, time)
    }

    /// The sentence that AWS puts on the wire for a denial; empty for an allowed request.
    pub fn aws_message(&self) -> String {
        message::render(self)
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decision")
            .field("request", &self.inner.request)
            .field("outcome", &self.inner.outcome)
            .field("reason", &self.inner.reason)
            .finish_non_exhaustive()
    }
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut state = serializer.serialize_struct("Decision", 4)?;
        state.serialize_field("decision", &self.outcome())?;
        state.serialize_field("reason", &self.reason().to_string())?;
        state.serialize_field("settled_by", self.reason())?;
        state.serialize_field("trace", self.trace())?;
        state.end()
    }
}
