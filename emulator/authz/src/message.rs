//! The sentence AWS answers with.
//!
//! Texts from recorded answers. S3 says why only to callers of the bucket owner's account or organization; to all
//! others it says `Access Denied` (S3 User Guide, "Troubleshoot access denied"). It quotes the resource ARN, which no other service does.

use crate::context::Context;
use crate::decide::{self, Facts};
use crate::decision::{Decision, Outcome};
use crate::policy::PolicyClass;
use crate::principal::Principal;
use crate::reason::Reason;
use crate::request::Relation;

pub(crate) fn render(decision: &Decision) -> String {
    if decision.outcome() == Outcome::Allowed {
        return String::new();
    }
    let request = decision.request();
    let service = request.service();
    let same_account = request.relation() == Relation::SameAccount;
    if let Principal::Federated { .. } = request.principal {
        // The answer to AssumeRoleWithWebIdentity; unverified for SAML.
        return format!("Not authorized to perform {}", request.action);
    }
    let Some(caller) = request.principal.arn() else {
        return plain(&service, request.principal.display_name(), &request.action);
    };
    if service == "s3" && !same_account && !is_same_organization(&request.context) {
        return "Access Denied".to_owned();
    }
    if *decision.reason() == Reason::RootMayNotAssumeRoles {
        return "Roles may not be assumed by root accounts.".to_owned();
    }
    let action = &request.action;
    let resource = &request.resource.arn;
    let user = format!("User: {caller} is not authorized to perform: {action}");
    if service == "sts" {
        // One text for every cause, so that nobody can probe for roles or external ids; a deny among the caller's own
        // policies gives nothing away.
        let own_deny = own_deny(decision.reason()).map(|deny| format!(" {deny}")).unwrap_or_default();
        return format!("{user} on resource: {resource}{own_deny}");
    }
    if service == "kms" && !same_account && !is_own_fault(decision) {
        return format!(
            "{user} on this resource because the resource does not exist in this Region, no resource-based policies \
             allow access, or a resource-based policy explicitly denies access"
        );
    }
    let on = match (resource.as_str(), service.as_str()) {
        ("*", _) => String::new(),
        (arn, "s3") => format!(" on resource: \"{arn}\""),
        (arn, _) => format!(" on resource: {arn}"),
    };
    format!("{user}{on} {}", because(decision.reason(), action))
}

/// Whether the caller's own account stands in the way, and the key's account has nothing to hide from it. Unverified
/// for callers of whom neither account knows anything.
fn is_own_fault(decision: &Decision) -> bool {
    match decision.reason() {
        Reason::ExplicitDeny { .. } => own_deny(decision.reason()).is_some(),
        Reason::NoServiceControlAllow { .. } => true,
        Reason::NoAllow { class } if *class != PolicyClass::Resource => {
            let policies = decision.policies();
            let subject = decide::subject(decision.request(), &policies);
            Facts::gather(&subject, &policies).resource().is_given()
        }
        _ => false,
    }
}

/// The end of the sentence about a deny that does not stand in the policy of the resource.
fn own_deny(reason: &Reason) -> Option<String> {
    match reason {
        Reason::ExplicitDeny { statement } if !statement.policy().kind().is_resource_policy() => {
            Some(because(reason, ""))
        }
        _ => None,
    }
}

/// The caller and the resource belong to one organization, as far as the request says it.
fn is_same_organization(context: &Context) -> bool {
    match (context.get("aws:PrincipalOrgID"), context.get("aws:ResourceOrgID")) {
        (Some(caller), Some(owner)) => caller == owner,
        _ => false,
    }
}

fn plain(service: &str, caller: &str, action: &str) -> String {
    if service == "s3" {
        "Access Denied".to_owned()
    } else {
        format!("User: {caller} is not authorized to perform: {action}")
    }
}

fn because(reason: &Reason, action: &str) -> String {
    let no_allow = |class: PolicyClass| format!("because no {} allows the {action} action", class.aws_name());
    match reason {
        Reason::ExplicitDeny { statement } => {
            let source = statement.policy().source();
            let article = match source.kind.class() {
                PolicyClass::Identity => "an",
                _ => "a",
            };
            let deny = format!("with an explicit deny in {article} {}", source.kind.class().aws_name());
            match &source.arn {
                Some(arn) => format!("{deny}: {arn}"),
                None => deny,
            }
        }
        Reason::PublicAccessRestricted => "with an explicit deny in a resource-based policy".to_owned(),
        Reason::NoAllow { class } => no_allow(*class),
        Reason::NoServiceControlAllow { .. } => no_allow(PolicyClass::ServiceControl),
        Reason::NotAcrossAccounts => no_allow(PolicyClass::Resource),
        Reason::AllowedBy { .. }
        | Reason::RootOfOwner
        | Reason::RootManagesBucketPolicy
        | Reason::CallerIdentity
        | Reason::RootMayNotAssumeRoles => no_allow(PolicyClass::Identity),
    }
}
