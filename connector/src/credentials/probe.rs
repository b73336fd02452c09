//! The negative test of a trust policy: a role that anybody of the vendor's account may assume guards nothing.

use super::{CredentialSource, Provider, sts_error};
use crate::store::StoreError;

impl Provider {
    /// Assumes the role without the external id; `None` if no role is used.
    pub(crate) async fn assume_without_external_id(&self) -> Option<Result<(), StoreError>> {
        let CredentialSource::Role { role_arn, .. } = &self.shared.source else { return None };
        let sts = self.shared.sts.as_ref()?;
        let call = sts.assume_role().role_arn(role_arn).role_session_name("bucketproof-doctor");
        let answer = call.duration_seconds(900).send().await;
        Some(match answer {
            Ok(_) => Ok(()),
            Err(error) => Err(sts_error(&error, role_arn, &self.base_key_id().await, &self.shared.place)),
        })
    }
}
