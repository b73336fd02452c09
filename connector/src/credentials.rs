//! Who the connector is: static keys, or a role assumed with an external id.
//!
//! A role's session is cached on the injected clock and renewed five minutes before it ends, so that no request
//! starts with credentials about to expire. The SDK's own identity cache is off.

mod probe;

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bucketproof_clock::Clock;
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::secret::Secret;
use crate::store::{Effect, Operation, StoreError};

/// Time before a session's end from which it is not used any more.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

/// An access key with its secret.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// The access key id; not a secret.
    pub id: String,
    /// The secret access key.
    pub secret: Secret,
    /// The session token of temporary credentials.
    pub session_token: Option<Secret>,
}

impl AccessKey {
    pub(crate) fn to_sdk(&self, expiry: Option<std::time::SystemTime>) -> Credentials {
        let token = self.session_token.as_ref().map(|token| token.expose().to_owned());
        Credentials::new(&self.id, self.secret.expose(), token, expiry, "bucketproof")
    }
}

/// Where credentials come from.
#[derive(Clone, Debug)]
pub enum CredentialSource {
    /// Keys that do not change.
    Static(AccessKey),
    /// A role, assumed with base credentials.
    Role {
        /// The role.
        role_arn: String,
        /// The external id that the trust policy asks for.
        external_id: Secret,
        /// Who assumes it.
        base: AccessKey,
        /// Length of a session.
        session: Duration,
    },
}

/// A session of a role.
#[derive(Clone, Debug)]
struct Session {
    key: AccessKey,
    expires: Timestamp,
}

/// Provides credentials to the SDK; clones share the session.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    source: CredentialSource,
    sts: Option<aws_sdk_sts::Client>,
    /// Where requests to STS go, for messages.
    place: String,
    clock: Clock,
    session: Mutex<Option<Session>>,
}

impl Provider {
    /// `sts` is needed for a role only; `place` is where it is, for messages.
    pub(crate) fn new(
        source: CredentialSource,
        sts: Option<aws_sdk_sts::Client>,
        place: String,
        clock: Clock,
    ) -> Self {
        Self { shared: Arc::new(Shared { source, sts, place, clock, session: Mutex::new(None) }) }
    }

    /// The access key id that requests are signed with; for messages.
    pub(crate) async fn access_key_id(&self) -> String {
        match &self.shared.source {
            CredentialSource::Static(key) => key.id.clone(),
            CredentialSource::Role { base, .. } => self
                .shared
                .session
                .lock()
                .await
                .as_ref()
                .map_or_else(|| base.id.clone(), |live| live.key.id.clone()),
        }
    }

    /// Credentials that last for the next minutes, fetched if need be.
    pub(crate) async fn fresh(&self) -> Result<Credentials, StoreError> {
        let CredentialSource::Role { role_arn, external_id, base, session: length } = &self.shared.source
        else {
            let CredentialSource::Static(key) = &self.shared.source else { return Err(no_sts()) };
            return Ok(key.to_sdk(None));
        };
        let mut session = self.shared.session.lock().await;
        let now = self.shared.clock.now();
        if let Some(live) = session.as_ref()
            && now.saturating_add(RENEW_BEFORE).is_ok_and(|soon| soon < live.expires)
        {
            return Ok(live.key.to_sdk(Some(live.expires.into())));
        }
        let sts = self.shared.sts.as_ref().ok_or_else(no_sts)?;
        let answer = sts
            .assume_role()
            .role_arn(role_arn)
            .role_session_name("bucketproof-connector")
            .external_id(external_id.expose())
            .duration_seconds(i32::try_from(length.as_secs()).unwrap_or(3_600))
            .send()
            .await
            .map_err(|error| sts_error(&error, role_arn, &base.id, &self.shared.place))?;
        let given = answer.credentials().ok_or_else(no_sts)?;
        let expires = Timestamp::from_second(given.expiration().secs()).unwrap_or(now);
        let live = Session {
            key: AccessKey {
                id: given.access_key_id().to_owned(),
                secret: Secret::new(given.secret_access_key()),
                session_token: Some(Secret::new(given.session_token())),
            },
            expires,
        };
        tracing::info!(role_arn, expires = %expires, "role assumed");
        let credentials = live.key.to_sdk(Some(expires.into()));
        *session = Some(live);
        Ok(credentials)
    }

    /// Forgets the session.
    pub(crate) async fn forget(&self) {
        *self.shared.session.lock().await = None;
    }
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            self.fresh().await.map_err(CredentialsError::provider_error)
        })
    }
}

fn no_sts() -> StoreError {
    StoreError::Rejected {
        operation: Operation::AssumeRole,
        status: 0,
        code: String::new(),
        message: "STS gave no credentials".to_owned(),
    }
}

fn sts_error<E: ProvideErrorMetadata + std::fmt::Debug>(
    error: &SdkError<E, HttpResponse>,
    role_arn: &str,
    access_key_id: &str,
    place: &str,
) -> StoreError {
    let operation = Operation::AssumeRole;
    let SdkError::ServiceError(service) = error else {
        return StoreError::Unavailable {
            operation,
            message: crate::store::transport_message(error, place),
            effect: Effect::None,
        };
    };
    let meta = service.err().meta();
    let (code, message) = (meta.code().unwrap_or_default(), meta.message().unwrap_or_default());
    match code {
        "AccessDenied" => {
            StoreError::RoleDenied { role_arn: role_arn.to_owned(), message: message.to_owned() }
        }
        "InvalidClientTokenId" => {
            StoreError::UnknownAccessKey { operation, access_key_id: access_key_id.to_owned() }
        }
        "SignatureDoesNotMatch" => {
            StoreError::SignatureMismatch { operation, access_key_id: access_key_id.to_owned() }
        }
        _ => crate::store::service_error(operation, service.raw().status().as_u16(), code, message, place),
    }
}
