//! The Key Management Service: symmetric keys, their policies and grants, and what they encrypt.
//!
//! JSON 1.1: every request is a POST to `/` whose `X-Amz-Target` names the operation. Other kinds of keys
//! (asymmetric, HMAC, multi-Region, imported, in custom stores) are refused by name.
//!
//! Source: KMS API reference 2014-11-01, KMS Developer Guide, and recorded answers.

mod alias;
mod answer;
mod create_key;
mod crypto;
mod data_key;
mod describe;
mod grant;
mod grant_list;
mod input;
mod lifecycle;
mod policy;
mod re_encrypt;
mod requirement;
mod rotation;
mod tag;
#[cfg(test)]
mod tests;
mod word;

use bytes::Bytes;
use http::{HeaderValue, Response};

use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::operation::Operation;
use crate::state::KeyScope;
use answer::Answer;
use input::Input;

pub(crate) use create_key::{default_policy_text, random_key_id};
pub(crate) use requirement::on_behalf;
pub(crate) use requirement::{KeyAccess, key_context};
pub(crate) use tag::check_tags;
pub(crate) use word::word;

/// The service in `X-Amz-Target`.
pub(crate) const TARGET: &str = "TrentService";

/// An operation of this service: read from JSON, answered in JSON.
trait KmsOperation: Operation<Output = Answer> {
    /// Reads the members of a request whose caller names keys within `scope`.
    ///
    /// What breaks a constraint of the API is noted in `input` and refused all at once afterwards.
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError>;
}

/// Answers one request.
pub(crate) fn answer(exchange: &Exchange) -> Result<Response<Bytes>, AwsError> {
    let target = exchange.head.header("x-amz-target").unwrap_or_default();
    let name = target.strip_prefix(TARGET).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    let answer = match name {
        "CancelKeyDeletion" => run::<lifecycle::CancelKeyDeletion>(exchange),
        "CreateAlias" => run::<alias::CreateAlias>(exchange),
        "CreateGrant" => run::<grant::CreateGrant>(exchange),
        "CreateKey" => run::<create_key::CreateKey>(exchange),
        "Decrypt" => run::<crypto::Decrypt>(exchange),
        "DeleteAlias" => run::<alias::DeleteAlias>(exchange),
        "DescribeKey" => run::<describe::DescribeKey>(exchange),
        "DisableKey" => run::<lifecycle::DisableKey>(exchange),
        "DisableKeyRotation" => run::<rotation::DisableKeyRotation>(exchange),
        "EnableKey" => run::<lifecycle::EnableKey>(exchange),
        "EnableKeyRotation" => run::<rotation::EnableKeyRotation>(exchange),
        "Encrypt" => run::<crypto::Encrypt>(exchange),
        "GenerateDataKey" => run::<data_key::GenerateDataKey>(exchange),
        "GenerateDataKeyWithoutPlaintext" => run::<data_key::GenerateDataKeyWithoutPlaintext>(exchange),
        "GenerateRandom" => run::<data_key::GenerateRandom>(exchange),
        "GetKeyPolicy" => run::<policy::GetKeyPolicy>(exchange),
        "GetKeyRotationStatus" => run::<rotation::GetKeyRotationStatus>(exchange),
        "ListAliases" => run::<alias::ListAliases>(exchange),
        "ListGrants" => run::<grant_list::ListGrants>(exchange),
        "ListKeyPolicies" => run::<policy::ListKeyPolicies>(exchange),
        "ListKeyRotations" => run::<rotation::ListKeyRotations>(exchange),
        "ListKeys" => run::<describe::ListKeys>(exchange),
        "ListResourceTags" => run::<tag::ListResourceTags>(exchange),
        "ListRetirableGrants" => run::<grant_list::ListRetirableGrants>(exchange),
        "PutKeyPolicy" => run::<policy::PutKeyPolicy>(exchange),
        "ReEncrypt" => run::<re_encrypt::ReEncrypt>(exchange),
        "RetireGrant" => run::<grant::RetireGrant>(exchange),
        "RevokeGrant" => run::<grant::RevokeGrant>(exchange),
        "RotateKeyOnDemand" => run::<rotation::RotateKeyOnDemand>(exchange),
        "ScheduleKeyDeletion" => run::<lifecycle::ScheduleKeyDeletion>(exchange),
        "TagResource" => run::<tag::TagResource>(exchange),
        "UntagResource" => run::<tag::UntagResource>(exchange),
        "UpdateAlias" => run::<alias::UpdateAlias>(exchange),
        "UpdateKeyDescription" => run::<lifecycle::UpdateKeyDescription>(exchange),
        _ => Err(word::unsupported(name)),
    }?;
    let mut response = Response::new(answer.into_bytes());
    let content_type = HeaderValue::from_static("application/x-amz-json-1.1");
    response.headers_mut().insert(http::header::CONTENT_TYPE, content_type);
    Ok(response)
}

fn run<O: KmsOperation>(exchange: &Exchange) -> Result<Answer, AwsError> {
    let head = exchange.begin(O::OP)?;
    let mut input = Input::read(&exchange.body)?;
    let operation = O::decode(&mut input, scope(exchange)?)?;
    input.finish()?;
    exchange.perform(&head, operation)
}

/// The caller's account, and the region whose endpoint the caller means: that of the signature.
fn scope(exchange: &Exchange) -> Result<KeyScope, AwsError> {
    let authenticated = &exchange.authenticated;
    let identity = authenticated.caller.identity().ok_or_else(AwsError::sts_missing_authentication)?;
    let account = identity.principal.account().ok_or_else(AwsError::internal)?.clone();
    Ok(KeyScope::new(account, authenticated.region.as_deref().unwrap_or("us-east-1")))
}
