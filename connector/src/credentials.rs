//! Who the connector is: static keys, what the machine has, or a role that is assumed with either.
//!
//! A role's session is cached on the injected clock and renewed five minutes before it ends, so that no request
//! starts with credentials about to expire. The SDK's own identity cache is off.

mod ambient;
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

pub(crate) use ambient::Ambient;

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

/// What the machine has: the environment, a profile of the AWS files (keys, a process, a role), a web identity token, the
/// container's or the instance's role, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AmbientSource {
    /// A profile of the AWS files, instead of that of `AWS_PROFILE`.
    pub profile: Option<String>,
}

/// Who assumes a role.
#[derive(Clone, Debug)]
pub enum BaseCredentials {
    /// Somebody with keys.
    Key(AccessKey),
    /// Whoever the machine is.
    Ambient(AmbientSource),
}

/// Where credentials come from.
#[derive(Clone, Debug)]
pub enum CredentialSource {
    /// Keys that do not change.
    Static(AccessKey),
    /// What the machine has.
    Ambient(AmbientSource),
    /// A role, assumed with base credentials.
    Role {
        /// The role.
        role_arn: String,
        /// The external id, if the trust policy asks for one.
        external_id: Option<Secret>,
        /// Who assumes it.
        base: BaseCredentials,
        /// Length of a session.
        session: Duration,
    },
}

impl CredentialSource {
    /// What of the machine is asked for, if something is.
    pub(crate) fn ambient(&self) -> Option<&AmbientSource> {
        match self {
            Self::Ambient(ambient) | Self::Role { base: BaseCredentials::Ambient(ambient), .. } => {
                Some(ambient)
            }
            Self::Static(_) | Self::Role { base: BaseCredentials::Key(_), .. } => None,
        }
    }
}

/// A session of a role, or what the machine had when it was last asked.
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
    ambient: Option<Ambient>,
    /// Where requests to STS go, for messages.
    place: String,
    clock: Clock,
    session: Mutex<Option<Session>>,
}

impl Provider {
    /// `sts` is needed for a role only, `ambient` where the machine is asked; `place` is where STS is, for messages.
    pub(crate) fn new(
        source: CredentialSource,
        (sts, ambient): (Option<aws_sdk_sts::Client>, Option<Ambient>),
        place: String,
        clock: Clock,
    ) -> Self {
        Self { shared: Arc::new(Shared { source, sts, ambient, place, clock, session: Mutex::new(None) }) }
    }

    /// The access key id that requests are signed with; for messages.
    pub(crate) async fn access_key_id(&self) -> String {
        match &self.shared.source {
            CredentialSource::Static(key) => key.id.clone(),
            CredentialSource::Ambient(_) => self.base_key_id().await,
            CredentialSource::Role { .. } => match self.shared.session.lock().await.as_ref() {
                Some(live) => live.key.id.clone(),
                None => self.base_key_id().await,
            },
        }
    }

    /// The access key id of who assumes the role, or of the machine.
    async fn base_key_id(&self) -> String {
        match (&self.shared.source, &self.shared.ambient) {
            (CredentialSource::Role { base: BaseCredentials::Key(key), .. }, _) => key.id.clone(),
            (_, Some(ambient)) => ambient.access_key_id().await,
            _ => String::new(),
        }
    }

    /// Credentials that last for the next minutes, fetched if need be.
    pub(crate) async fn fresh(&self) -> Result<Credentials, StoreError> {
        // What the machine lacks is found out before STS is asked: an error of STS would hide it.
        let ambient = match &self.shared.ambient {
            Some(ambient) => Some(ambient.fresh().await?),
            None => None,
        };
        let (role_arn, external_id, length) = match &self.shared.source {
            CredentialSource::Static(key) => return Ok(key.to_sdk(None)),
            CredentialSource::Ambient(_) => return ambient.ok_or_else(no_sts),
            CredentialSource::Role { role_arn, external_id, session, .. } => {
                (role_arn, external_id.as_ref(), session)
            }
        };
        let mut session = self.shared.session.lock().await;
        let now = self.shared.clock.now();
        if let Some(live) = session.as_ref()
            && now.saturating_add(RENEW_BEFORE).is_ok_and(|soon| soon < live.expires)
        {
            return Ok(live.key.to_sdk(Some(live.expires.into())));
        }
        let sts = self.shared.sts.as_ref().ok_or_else(no_sts)?;
        let base_id = self.base_key_id().await;
        let answer = sts
            .assume_role()
            .role_arn(role_arn)
            .role_session_name("bucketproof-connector")
            .set_external_id(external_id.map(|id| id.expose().to_owned()))
            .duration_seconds(i32::try_from(length.as_secs()).unwrap_or(3_600))
            .send()
            .await
            .map_err(|error| sts_error(&error, role_arn, &base_id, &self.shared.place))?;
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
        if let Some(ambient) = &self.shared.ambient {
            ambient.forget().await;
        }
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
