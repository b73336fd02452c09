//! A decision as a question that [`evaluate_line`](super::evaluate_line) answers in the same way again.

use serde_json::{Map, Value, json};

use crate::acl::{Acl, Grantee};
use crate::decide::Policies;
use crate::decision::Decision;
use crate::kms_grant::{EncryptionContext, KmsGrant};
use crate::policy::Policy;
use crate::principal::Principal;
use crate::public_access::PublicAccessBlock;
use crate::request::Request;

/// The question behind a decision: the request with its condition keys, the policies that were in force, as they
/// were written, and the settings of the bucket.
///
/// A policy that was bound to a user or role which is gone names it by its unique id where its ARN would mean the
/// caller.
pub fn question_of(decision: &Decision) -> Value {
    let policies = decision.policies();
    let mut question = json!({
        "request": request(decision.request(), policies.kms_grants.encryption_context),
        "policies": all(decision.request(), &policies),
    });
    let settings = settings(&policies);
    if let (Some(question), false) = (question.as_object_mut(), settings.is_empty()) {
        question.insert("settings".to_owned(), settings.into());
    }
    question
}

fn request(request: &Request, encryption_context: Option<&EncryptionContext>) -> Value {
    let mut resource = json!({ "arn": request.resource.arn });
    if let (Some(resource), Some(account)) = (resource.as_object_mut(), &request.resource.account) {
        resource.insert("account".to_owned(), account.as_str().into());
    }
    let mut question = json!({
        "principal": principal(request),
        "action": request.action,
        "resource": resource,
        "context": request.context,
    });
    if let (Some(question), Some(context)) = (question.as_object_mut(), encryption_context) {
        question.insert("encryptionContext".to_owned(), json!(context));
    }
    question
}

fn principal(request: &Request) -> Value {
    let mut principal = match &request.principal {
        Principal::User { arn, account } => {
            json!({ "type": "User", "arn": arn.as_str(), "account": account.as_str() })
        }
        Principal::AssumedRole { session_arn, role_arn, account } => json!({
            "type": "AssumedRole",
            "arn": session_arn.as_str(),
            "roleArn": role_arn.as_str(),
            "account": account.as_str(),
        }),
        Principal::Root { arn, account } => {
            json!({ "type": "Root", "arn": arn.as_str(), "account": account.as_str() })
        }
        Principal::Service { name } => json!({ "type": "Service", "service": name }),
        Principal::Federated { provider } => json!({ "type": "Federated", "provider": provider }),
        Principal::Anonymous => json!({ "type": "Anonymous" }),
    };
    if let Some(principal) = principal.as_object_mut() {
        if let Some(id) = &request.ids.canonical_user {
            principal.insert("canonicalUserId".to_owned(), id.as_str().into());
        }
        if let Some(id) = &request.ids.unique {
            principal.insert("uniqueId".to_owned(), id.as_str().into());
        }
    }
    principal
}

fn all(request: &Request, policies: &Policies<'_>) -> Value {
    let text = |policy: &Policy| policy.text_for(request, policies).into_owned();
    let texts = |list: &[Policy]| list.iter().map(text).collect::<Vec<_>>();
    let titles = |list: &[Policy]| list.iter().map(|policy| policy.source().name.clone()).collect::<Vec<_>>();
    let mut all = Map::new();
    let mut names = Map::new();
    let lists = [
        ("identity", Some(policies.identity)),
        ("permissionsBoundary", policies.boundary),
        ("session", policies.session),
    ];
    for (field, list) in lists {
        let Some(list) = list else { continue };
        all.insert(field.to_owned(), texts(list).into());
        names.insert(field.to_owned(), titles(list).into());
    }
    if !policies.service_control.is_empty() {
        let levels: Vec<_> = policies.service_control.iter().map(|level| texts(level)).collect();
        all.insert("scps".to_owned(), levels.into());
    }
    if let Some(policy) = policies.resource {
        all.insert("resource".to_owned(), text(policy).into());
        names.insert("resource".to_owned(), policy.source().name.clone().into());
    }
    if let Some(acls) = policies.acls {
        all.insert("bucketAcl".to_owned(), acl(acls.bucket));
        if let Some(object) = acls.object {
            all.insert("objectAcl".to_owned(), acl(object));
        }
    }
    if !policies.kms_grants.list.is_empty() {
        all.insert("grants".to_owned(), policies.kms_grants.list.iter().map(grant).collect());
    }
    all.insert("names".to_owned(), names.into());
    all.into()
}

fn acl(acl: &Acl) -> Value {
    let grants: Vec<Value> = acl
        .grants
        .iter()
        .map(|grant| {
            let permission = grant.permission.as_str();
            match &grant.grantee {
                Grantee::CanonicalUser(id) => {
                    json!({ "canonicalUser": id.as_str(), "permission": permission })
                }
                Grantee::Group(group) => json!({ "group": group.uri(), "permission": permission }),
            }
        })
        .collect();
    json!({ "owner": acl.owner.as_str(), "grants": grants })
}

fn grant(grant: &KmsGrant) -> Value {
    let operations: Vec<_> = grant.operations.iter().map(|operation| operation.as_str()).collect();
    let mut constraints = Map::new();
    let both = [
        ("encryptionContextEquals", &grant.constraints.encryption_context_equals),
        ("encryptionContextSubset", &grant.constraints.encryption_context_subset),
    ];
    for (field, context) in both {
        if let Some(context) = context {
            constraints.insert(field.to_owned(), json!(context));
        }
    }
    let mut written = json!({
        "grantId": grant.id,
        "granteePrincipal": grant.grantee.as_str(),
        "operations": operations,
        "constraints": constraints,
    });
    if let (Some(written), Some(retiring)) = (written.as_object_mut(), &grant.retiring) {
        written.insert("retiringPrincipal".to_owned(), retiring.as_str().into());
    }
    written
}

fn settings(policies: &Policies<'_>) -> Map<String, Value> {
    let mut settings = Map::new();
    if let Some(acls) = policies.acls {
        settings.insert("objectOwnership".to_owned(), acls.ownership.as_str().into());
    }
    let PublicAccessBlock {
        block_public_acls,
        ignore_public_acls,
        block_public_policy,
        restrict_public_buckets,
    } = policies.public_access_block;
    let flags = [
        ("blockPublicAcls", block_public_acls),
        ("ignorePublicAcls", ignore_public_acls),
        ("blockPublicPolicy", block_public_policy),
        ("restrictPublicBuckets", restrict_public_buckets),
    ];
    settings.extend(
        flags.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| (name.to_owned(), true.into())),
    );
    settings
}
