//! `GetCallerIdentity` and `GetAccessKeyInfo`: whose credentials are these.

use jiff::Timestamp;

use super::Call;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::query::{Fields, Reader, Text};
use crate::state::{Holder, World};

const ACCESS_KEY_ID: Text = Text::of(16, 128).matching("", "[\\w]*");

/// Who am I.
#[derive(Debug)]
pub(super) struct GetCallerIdentity;

/// In which account is this access key.
#[derive(Debug)]
pub(super) struct GetAccessKeyInfo {
    access_key_id: String,
}

impl Call for GetCallerIdentity {
    fn read(_: &mut Reader<'_>, _: &Exchange) -> Result<Self, AwsError> {
        Ok(Self)
    }
}

impl Operation for GetCallerIdentity {
    type Output = Fields;
    const OP: Op = Op::GetCallerIdentity;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    /// The decision core allows it to everyone who is authenticated: no policy can deny it.
    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new("sts:GetCallerIdentity", RequiredResource::Any)])
    }

    fn apply(authorized: Authorized<Self>, _: &mut World, _: Timestamp) -> Result<Fields, AwsError> {
        let identity = authorized.caller().identity().ok_or_else(AwsError::sts_missing_authentication)?;
        let account = identity.principal.account().map(ToString::to_string).unwrap_or_default();
        Ok(Fields::new()
            .text("Arn", identity.principal.arn().unwrap_or_default())
            .text("UserId", &identity.user_id)
            .text("Account", account))
    }
}

impl Call for GetAccessKeyInfo {
    fn read(reader: &mut Reader<'_>, _: &Exchange) -> Result<Self, AwsError> {
        Ok(Self { access_key_id: reader.required("AccessKeyId", ACCESS_KEY_ID) })
    }
}

impl Operation for GetAccessKeyInfo {
    type Output = Fields;
    const OP: Op = Op::GetAccessKeyInfo;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new("sts:GetAccessKeyInfo", RequiredResource::Any)])
    }

    /// AWS reads the account out of the id itself, so it answers for keys of any account. What it says of an id that
    /// it never gave out is unverified.
    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Fields, AwsError> {
        let id = &authorized.operation().access_key_id;
        let key = world.accounts.access_key(id);
        let key = key.ok_or_else(|| AwsError::validation(format!("{id} is not a valid access key id")))?;
        let account = match &key.holder {
            Holder::Root { account } | Holder::User { account, .. } => account,
            Holder::Session(session) => &session.account,
        };
        Ok(Fields::new().text("Account", account))
    }
}
