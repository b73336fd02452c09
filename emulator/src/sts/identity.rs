//! `GetCallerIdentity`.

use jiff::Timestamp;

use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::World;
use crate::xml::escape_text;

/// Who am I.
#[derive(Debug)]
pub(super) struct GetCallerIdentity;

/// The answer.
#[derive(Debug)]
pub(super) struct CallerIdentity {
    arn: String,
    user_id: String,
    account: String,
}

impl CallerIdentity {
    pub(super) fn xml(&self) -> (&'static str, String) {
        let Self { arn, user_id, account } = self;
        let body = format!(
            "    <Arn>{}</Arn>\n    <UserId>{}</UserId>\n    <Account>{account}</Account>\n",
            escape_text(arn),
            escape_text(user_id)
        );
        ("GetCallerIdentity", body)
    }
}

impl Operation for GetCallerIdentity {
    type Output = CallerIdentity;
    const OP: Op = Op::GetCallerIdentity;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    /// The decision core allows it to everyone who is authenticated: no policy can deny it.
    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new("sts:GetCallerIdentity", RequiredResource::Any)])
    }

    fn apply(authorized: Authorized<Self>, _: &mut World, _: Timestamp) -> Result<CallerIdentity, AwsError> {
        let identity = authorized.caller().identity().ok_or_else(AwsError::sts_missing_authentication)?;
        Ok(CallerIdentity {
            arn: identity.principal.arn().unwrap_or_default().to_owned(),
            user_id: identity.user_id.clone(),
            account: identity.principal.account().map(ToString::to_string).unwrap_or_default(),
        })
    }
}
