//! The rules by which AWS combines policies.
//!
//! Two steps: [`Facts::gather`] asks every statement once, [`conclude`] applies the rules to what was found. The
//! second is a pure function of the first, so that a trace can ask "and if this policy had allowed?".
//!
//! Source of the rules: IAM User Guide, "Policy evaluation logic" and the pages it links; KMS Developer Guide, "Key
//! policies" and "Grants"; S3 User Guide, "Blocking public access", "Controlling ownership of objects" and "How Amazon
//! S3 authorizes a request". Where AWS is silent the code says so.

use crate::decision::{Decision, Outcome};
use crate::kms_grant::KmsGrants;
use crate::policy::{Policy, PolicyClass};
use crate::principal::Principal;
use crate::public_access::PublicAccessBlock;
use crate::request::Request;
use crate::subject::{Bounded, Ruler, Subject};

pub(crate) mod acl;
mod facts;
pub(crate) mod kms;
mod rules;

pub use acl::{AclResource, Acls};
pub(crate) use facts::{Facts, Found, Grant, Limit};
pub(crate) use rules::{Conclusion, conclude, resource_policy_is_mandatory};

/// The policies that rule over one request.
///
/// `None` and an empty slice differ for boundary and session: a boundary that is present and allows nothing limits the
/// caller to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'a> {
    /// The policies of the user and its groups, or of the role.
    pub identity: &'a [Policy],
    /// The permissions boundary of the user or role.
    pub boundary: Option<&'a [Policy]>,
    /// The session policies given to AssumeRole.
    pub session: Option<&'a [Policy]>,
    /// The service control policies of the caller's account, a list per level of the organization; empty if the
    /// account is in none.
    pub service_control: &'a [Vec<Policy>],
    /// The policy of the resource.
    pub resource: Option<&'a Policy>,
    /// The ACLs of the bucket and the object; `None` for what has none.
    pub acls: Option<Acls<'a>>,
    /// Block Public Access as it is in force: the settings of the bucket or those of its owner's account.
    pub public_access_block: PublicAccessBlock,
    /// The grants on the KMS key.
    pub kms_grants: KmsGrants<'a>,
}

/// Decides a request under the given policies.
///
/// Every request has an answer, and the answer carries its reasons. Nothing is read but the arguments.
///
/// The decision keeps a copy of the request for its trace; [`decide_owned`] takes the request instead.
#[must_use]
pub fn decide(request: &Request, policies: &Policies<'_>) -> Decision {
    decide_owned(request.clone(), policies)
}

/// [`decide`] for a caller who is done with the request: nothing of it is copied.
#[must_use]
pub fn decide_owned(request: Request, policies: &Policies<'_>) -> Decision {
    let conclusion = settle(&request, policies);
    Decision::new(request, policies, conclusion)
}

/// The outcome alone, for a caller who needs no reasons: nothing is kept, and without service control policies nothing
/// is allocated but what policy variables and typed condition values need.
#[must_use]
pub fn outcome(request: &Request, policies: &Policies<'_>) -> Outcome {
    settle(request, policies).outcome
}

fn settle(request: &Request, policies: &Policies<'_>) -> Conclusion {
    let subject = subject(request, policies);
    let facts = Facts::gather(&subject, policies);
    conclude(&subject, &facts)
}

pub(crate) fn subject<'a>(request: &'a Request, policies: &Policies<'_>) -> Subject<'a> {
    let bounded = if policies.boundary.is_some() && binds(&request.principal, PolicyClass::Boundary) {
        Bounded::Yes
    } else {
        Bounded::No
    };
    let mut subject = Subject::new(request, bounded);
    if let Some(relation) = policies.acls.as_ref().and_then(|acls| acls.relation_to_object_owner(&subject)) {
        subject.relation = relation;
        subject.ruler = Ruler::ObjectOwner;
    }
    subject
}

/// Whether policies of a class have a say about this caller at all.
pub(crate) fn binds(principal: &Principal, class: PolicyClass) -> bool {
    match principal {
        // Roles that a service made for itself stand outside service control policies.
        Principal::AssumedRole { role_arn, .. } if class == PolicyClass::ServiceControl => {
            !role_arn.resource().starts_with("role/aws-service-role/")
        }
        Principal::User { .. } | Principal::AssumedRole { .. } => true,
        // No policy can be attached to a root user, but service control policies bind it.
        Principal::Root { .. } => matches!(class, PolicyClass::ServiceControl | PolicyClass::Resource),
        Principal::Service { .. } | Principal::Federated { .. } | Principal::Anonymous => {
            class == PolicyClass::Resource
        }
    }
}
