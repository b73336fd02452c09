//! The Security Token Service: temporary credentials, and who am I.
//!
//! Source: STS API reference 2011-06-15, and recorded answers.

mod assume_role;
mod credentials;
mod identity;
mod session_request;
mod session_token;

use bytes::Bytes;
use http::Response;

use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::ids::RequestIds;
use crate::operation::{Op, Operation};
use crate::query::{self, Echo, Fields, Parameters, Reader};
use assume_role::AssumeRole;
use identity::{GetAccessKeyInfo, GetCallerIdentity};
use session_token::{GetFederationToken, GetSessionToken};

/// The name space of all answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The version of the interface.
const VERSION: &str = "2011-06-15";

/// A call that is read from parameters and answered with fields.
trait Call: Operation<Output = Fields> {
    fn read(reader: &mut Reader<'_>, exchange: &Exchange) -> Result<Self, AwsError>;
}

/// Answers one request.
pub(crate) fn answer(exchange: &Exchange, ids: &RequestIds) -> Result<Response<Bytes>, AwsError> {
    let parameters = Parameters::of(&exchange.head, &exchange.body);
    let (op, fields) = match parameters.get("Action") {
        Some("AssumeRole") => perform::<AssumeRole>(exchange, &parameters)?,
        Some("GetAccessKeyInfo") => perform::<GetAccessKeyInfo>(exchange, &parameters)?,
        Some("GetCallerIdentity") => perform::<GetCallerIdentity>(exchange, &parameters)?,
        Some("GetFederationToken") => perform::<GetFederationToken>(exchange, &parameters)?,
        Some("GetSessionToken") => perform::<GetSessionToken>(exchange, &parameters)?,
        Some(
            action @ ("AssumeRoleWithSAML"
            | "AssumeRoleWithWebIdentity"
            | "AssumeRoot"
            | "DecodeAuthorizationMessage"
            | "GetDelegatedAccessToken"
            | "GetWebIdentityToken"),
        ) => return Err(AwsError::not_implemented(format!("the STS action `{action}`"))),
        _ => return Err(query::no_such_action(&parameters, VERSION)),
    };
    Ok(query::answer(op, NAMESPACE, Some(fields), ids))
}

/// Refuses by name the actions that clients do not sign: the lack of a signature would say nothing to them.
pub(crate) fn check_unsigned(head: &Head, body: &Bytes) -> Result<(), AwsError> {
    match Parameters::of(head, body).get("Action") {
        Some(action @ ("AssumeRoleWithSAML" | "AssumeRoleWithWebIdentity")) => {
            Err(AwsError::not_implemented(format!("the STS action `{action}`")))
        }
        _ => Ok(()),
    }
}

fn perform<C: Call>(exchange: &Exchange, parameters: &Parameters) -> Result<(Op, Fields), AwsError> {
    let head = exchange.begin(C::OP)?;
    let mut reader = Reader::new(parameters, Echo::Value);
    let call = C::read(&mut reader, exchange)?;
    reader.finish()?;
    Ok((C::OP, exchange.perform(&head, call)?))
}
