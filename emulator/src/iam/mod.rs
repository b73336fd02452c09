//! Identity and Access Management: who is in an account, and what they may do.
//!
//! Source: IAM API reference 2010-05-08, and recorded answers. The interface is global: a signature for any region is
//! taken, since clients of a custom endpoint sign for the region that they are set to.

mod absent;
mod access_keys;
mod account;
mod action;
mod attached;
mod error;
mod form;
mod groups;
mod inline;
mod instance_profiles;
mod page;
mod policies;
mod policy_versions;
mod providers;
mod refused;
mod roles;
mod show;
mod simulate;
mod simulated_policies;
mod tags;
mod things;
mod users;

use bytes::Bytes;
use http::Response;

use crate::authenticate::Identity;
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::ids::RequestIds;
use crate::operation::Op;
use crate::query::{self, Echo, Fields, Parameters, Reader};
use crate::state::{Holder, SessionSource};
use action::{Action, Call};
use form::Form;
use refused::REFUSED;
use things::{OfGroup, OfPolicy, OfProfile, OfRole, OfUser};

/// The name space of all answers.
pub(crate) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
/// The version of the interface.
pub(crate) const VERSION: &str = "2010-05-08";

type Perform = fn(&Exchange, &Parameters) -> Result<Option<Fields>, AwsError>;

/// An action by its name.
struct Entry {
    op: Op,
    perform: Perform,
}

const fn entry<A: Action>() -> Entry {
    Entry { op: A::OP, perform: perform::<A> }
}

/// Every action that is done.
const ACTIONS: &[Entry] = &[
    entry::<users::CreateUser>(),
    entry::<users::DeleteUser>(),
    entry::<users::GetUser>(),
    entry::<users::ListUsers>(),
    entry::<users::UpdateUser>(),
    entry::<access_keys::CreateAccessKey>(),
    entry::<access_keys::DeleteAccessKey>(),
    entry::<access_keys::GetAccessKeyLastUsed>(),
    entry::<access_keys::ListAccessKeys>(),
    entry::<access_keys::UpdateAccessKey>(),
    entry::<groups::AddUserToGroup>(),
    entry::<groups::CreateGroup>(),
    entry::<groups::DeleteGroup>(),
    entry::<groups::GetGroup>(),
    entry::<groups::ListGroups>(),
    entry::<groups::ListGroupsForUser>(),
    entry::<groups::RemoveUserFromGroup>(),
    entry::<groups::UpdateGroup>(),
    entry::<roles::CreateRole>(),
    entry::<roles::DeleteRole>(),
    entry::<roles::GetRole>(),
    entry::<roles::ListRoles>(),
    entry::<roles::UpdateAssumeRolePolicy>(),
    entry::<roles::UpdateRole>(),
    entry::<roles::UpdateRoleDescription>(),
    entry::<policies::CreatePolicy>(),
    entry::<policies::DeletePolicy>(),
    entry::<policies::GetPolicy>(),
    entry::<policies::ListEntitiesForPolicy>(),
    entry::<policies::ListPolicies>(),
    entry::<policy_versions::CreatePolicyVersion>(),
    entry::<policy_versions::DeletePolicyVersion>(),
    entry::<policy_versions::GetPolicyVersion>(),
    entry::<policy_versions::ListPolicyVersions>(),
    entry::<policy_versions::SetDefaultPolicyVersion>(),
    entry::<inline::DeletePolicy<OfGroup>>(),
    entry::<inline::GetPolicy<OfGroup>>(),
    entry::<inline::ListPolicies<OfGroup>>(),
    entry::<inline::PutPolicy<OfGroup>>(),
    entry::<inline::DeletePolicy<OfRole>>(),
    entry::<inline::GetPolicy<OfRole>>(),
    entry::<inline::ListPolicies<OfRole>>(),
    entry::<inline::PutPolicy<OfRole>>(),
    entry::<inline::DeletePolicy<OfUser>>(),
    entry::<inline::GetPolicy<OfUser>>(),
    entry::<inline::ListPolicies<OfUser>>(),
    entry::<inline::PutPolicy<OfUser>>(),
    entry::<attached::Attach<OfGroup>>(),
    entry::<attached::Detach<OfGroup>>(),
    entry::<attached::ListAttached<OfGroup>>(),
    entry::<attached::Attach<OfRole>>(),
    entry::<attached::Detach<OfRole>>(),
    entry::<attached::ListAttached<OfRole>>(),
    entry::<attached::Attach<OfUser>>(),
    entry::<attached::Detach<OfUser>>(),
    entry::<attached::ListAttached<OfUser>>(),
    entry::<attached::DeleteBoundary<OfRole>>(),
    entry::<attached::PutBoundary<OfRole>>(),
    entry::<attached::DeleteBoundary<OfUser>>(),
    entry::<attached::PutBoundary<OfUser>>(),
    entry::<tags::ListTags<OfPolicy>>(),
    entry::<tags::Tag<OfPolicy>>(),
    entry::<tags::Untag<OfPolicy>>(),
    entry::<tags::ListTags<OfProfile>>(),
    entry::<tags::Tag<OfProfile>>(),
    entry::<tags::Untag<OfProfile>>(),
    entry::<tags::ListTags<OfRole>>(),
    entry::<tags::Tag<OfRole>>(),
    entry::<tags::Untag<OfRole>>(),
    entry::<tags::ListTags<OfUser>>(),
    entry::<tags::Tag<OfUser>>(),
    entry::<tags::Untag<OfUser>>(),
    entry::<instance_profiles::AddRoleToInstanceProfile>(),
    entry::<instance_profiles::CreateInstanceProfile>(),
    entry::<instance_profiles::DeleteInstanceProfile>(),
    entry::<instance_profiles::GetInstanceProfile>(),
    entry::<instance_profiles::ListInstanceProfiles>(),
    entry::<instance_profiles::ListInstanceProfilesForRole>(),
    entry::<instance_profiles::RemoveRoleFromInstanceProfile>(),
    entry::<providers::AddClientIDToOpenIDConnectProvider>(),
    entry::<providers::CreateOpenIDConnectProvider>(),
    entry::<providers::DeleteOpenIDConnectProvider>(),
    entry::<providers::GetOpenIDConnectProvider>(),
    entry::<providers::ListOpenIDConnectProviderTags>(),
    entry::<providers::ListOpenIDConnectProviders>(),
    entry::<providers::RemoveClientIDFromOpenIDConnectProvider>(),
    entry::<providers::TagOpenIDConnectProvider>(),
    entry::<providers::UntagOpenIDConnectProvider>(),
    entry::<providers::UpdateOpenIDConnectProviderThumbprint>(),
    entry::<account::CreateAccountAlias>(),
    entry::<account::DeleteAccountAlias>(),
    entry::<account::GetAccountAuthorizationDetails>(),
    entry::<account::GetAccountSummary>(),
    entry::<account::ListAccountAliases>(),
    entry::<simulate::GetContextKeysForCustomPolicy>(),
    entry::<simulate::GetContextKeysForPrincipalPolicy>(),
    entry::<simulate::SimulateCustomPolicy>(),
    entry::<simulate::SimulatePrincipalPolicy>(),
    entry::<absent::DeleteLoginProfile>(),
    entry::<absent::GetAccountPasswordPolicy>(),
    entry::<absent::GetLoginProfile>(),
    entry::<absent::ListOfUser<absent::ListMFADevices>>(),
    entry::<absent::ListOfUser<absent::ListSSHPublicKeys>>(),
    entry::<absent::ListOfUser<absent::ListServiceSpecificCredentials>>(),
    entry::<absent::ListOfUser<absent::ListSigningCertificates>>(),
    entry::<absent::ListOfAccount<absent::ListSAMLProviders>>(),
    entry::<absent::ListOfAccount<absent::ListServerCertificates>>(),
    entry::<absent::ListOfAccount<absent::ListVirtualMFADevices>>(),
];

/// Answers one request.
pub(crate) fn answer(exchange: &Exchange, ids: &RequestIds) -> Result<Response<Bytes>, AwsError> {
    let parameters = Parameters::of(&exchange.head, &exchange.body);
    let name = parameters.get("Action").unwrap_or_default();
    if let Some(entry) = ACTIONS.iter().find(|entry| entry.op.name() == name) {
        let fields = (entry.perform)(exchange, &parameters)?;
        return Ok(query::answer(entry.op, NAMESPACE, fields, ids));
    }
    if REFUSED.contains(&name) {
        return Err(AwsError::not_implemented(format!("the IAM action `{name}`")));
    }
    Err(query::no_such_action(&parameters, VERSION))
}

fn perform<A: Action>(exchange: &Exchange, parameters: &Parameters) -> Result<Option<Fields>, AwsError> {
    let head = exchange.begin(A::OP)?;
    let caller = exchange.authenticated.caller.identity().ok_or_else(AwsError::sts_missing_authentication)?;
    check_caller(caller)?;
    let mut form = Form { reader: Reader::new(parameters, Echo::Nothing), caller };
    let action = A::read(&mut form);
    form.reader.finish()?;
    let account = caller.principal.account().ok_or_else(AwsError::internal)?.clone();
    exchange.perform(&head, Call { action, account })
}

/// Without a second factor, credentials of GetSessionToken and GetFederationToken do not reach IAM (STS API
/// reference). The words are those of an unknown token.
fn check_caller(caller: &Identity) -> Result<(), AwsError> {
    match &caller.holder {
        Holder::Session(session) if !matches!(session.source, SessionSource::Role { .. }) => {
            Err(AwsError::sts_invalid_client_token())
        }
        Holder::Session(_) | Holder::User { .. } | Holder::Root { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ACTIONS, REFUSED};
    use crate::operation::Op;

    #[test]
    fn every_operation_has_its_action() {
        let declared: BTreeSet<Op> = Op::ALL.iter().copied().filter(|op| op.service() == "iam").collect();
        let done: BTreeSet<Op> = ACTIONS.iter().map(|entry| entry.op).collect();
        assert_eq!(done, declared);
        assert_eq!(ACTIONS.len(), done.len(), "no action stands twice");
        assert!(done.iter().all(|op| !REFUSED.contains(&op.name())));
    }
}
