//! S3 over the AWS SDK.
//!
//! Retries are the engine's business, so the SDK's are off; its time, its sleep and its credentials come from the
//! injected clock. TLS is rustls, which speaks TLS 1.2 and 1.3 and nothing older; plain `http` needs
//! `allow_http` in the configuration.

mod body;
mod inbound;
mod notification;
mod probe;
mod queue;
mod topic;

use std::time::Duration;

use async_trait::async_trait;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig};
use aws_sdk_s3::types::{ObjectCannedAcl, ServerSideEncryption, StorageClass};
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bucketproof_clock::Clock;

use body::{gathered, stream_of};
pub(crate) use notification::NotificationRule;
pub(crate) use probe::Probed;
pub use queue::SqsQueue;
pub use topic::SnsTopic;
pub(crate) use topic::{SubscriptionView, TopicError, TopicView};

use super::{
    Condition, EPOCH_METADATA, Effect, GENERATION_METADATA, INTENT_METADATA, ObjectHead, Operation,
    PUT_BYTES_MAX, PutOutcome, PutRequest, Store, StoreError, StoredObject,
};
use crate::content::{Content, Room};
use crate::credentials::{Ambient, BaseCredentials, CredentialSource, Provider};
use crate::names::{BucketName, ETag, IntentId, ObjectKey};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(5);

/// Encryption at rest that each write asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// No header: the bucket's default applies.
    BucketDefault,
    /// SSE-S3: `x-amz-server-side-encryption: AES256`.
    #[default]
    SseS3,
    /// SSE-KMS with a key of the customer; without one, the account's default key.
    SseKms {
        /// Key id or ARN.
        key_id: Option<String>,
    },
}

/// Where a bucket is and how to talk to it.
#[derive(Clone, Debug)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: BucketName,
    /// Its region.
    pub region: String,
    /// Another endpoint than AWS's own.
    pub endpoint: Option<String>,
    /// Endpoint of STS; `endpoint` if not given.
    pub sts_endpoint: Option<String>,
    /// How requests address the bucket.
    pub addressing: Addressing,
    /// Which transports are allowed.
    pub transport: Transport,
    /// Encryption of writes.
    pub encryption: Encryption,
    /// Storage class of writes, if not the bucket's usual one.
    pub storage_class: Option<String>,
    /// Who we are.
    pub credentials: CredentialSource,
}

/// How requests address the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// `https://bucket.host/key`.
    VirtualHost,
    /// `https://host/bucket/key`.
    Path,
}

/// Which transports are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TLS 1.2 or newer.
    TlsOnly,
    /// Plain HTTP as well; for emulators and tests.
    AllowHttp,
}

/// Why a store cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum S3StoreError {
    /// Data would travel in the clear.
    #[error("endpoint `{endpoint}` is not https")]
    PlainHttp {
        /// The endpoint.
        endpoint: String,
    },
}

impl S3Settings {
    /// Where requests to S3 go, for messages.
    fn s3_place(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| format!("S3 in {}", self.region))
    }

    /// Where requests to STS go, for messages.
    fn sts_place(&self) -> String {
        let endpoint = self.sts_endpoint.as_ref().or(self.endpoint.as_ref());
        endpoint.cloned().unwrap_or_else(|| format!("STS in {}", self.region))
    }
}

impl S3StoreError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::PlainHttp { .. } => {
                "use an https endpoint, or set `bucket.allow_http = true` for an emulator"
            }
        }
    }
}

/// A bucket on S3 or on a service that speaks its API.
#[derive(Debug)]
pub struct S3Store {
    client: aws_sdk_s3::Client,
    provider: Provider,
    bucket: BucketName,
    region: String,
    /// Where requests go, for messages.
    place: String,
    encryption: Encryption,
    storage_class: Option<String>,
}

#[derive(Clone, Debug)]
struct ClockTime(Clock);

impl TimeSource for ClockTime {
    fn now(&self) -> std::time::SystemTime {
        self.0.system_time()
    }
}

impl AsyncSleep for ClockTime {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.0.clone();
        Sleep::new(async move { clock.sleep(duration).await })
    }
}

/// The network, with TLS.
fn network() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https()
}

fn timeouts(clock: &Clock) -> TimeoutConfig {
    // A manual clock sleeps in no time, so a timeout on it would fire at once.
    if clock.is_manual() {
        return TimeoutConfig::disabled();
    }
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}

impl S3Store {
    /// Sets a store up; no request is made. `http_client` replaces the network, for in-memory transports.
    pub fn new(
        settings: S3Settings,
        clock: &Clock,
        http_client: Option<SharedHttpClient>,
    ) -> Result<Self, S3StoreError> {
        for endpoint in settings.endpoint.iter().chain(&settings.sts_endpoint) {
            let is_https = endpoint.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
            if !is_https && settings.transport == Transport::TlsOnly {
                return Err(S3StoreError::PlainHttp { endpoint: endpoint.clone() });
            }
        }
        let http_client = http_client.unwrap_or_else(network);
        let time = ClockTime(clock.clone());
        let timeouts = timeouts(clock);
        let region = Region::new(settings.region.clone());
        let place = settings.s3_place();
        let provider = provider(&settings, clock, (&time, &timeouts), &http_client);
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(region)
            .credentials_provider(provider.clone())
            .identity_cache(IdentityCache::no_cache())
            .time_source(time.clone())
            .sleep_impl(time)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .force_path_style(settings.addressing == Addressing::Path)
            .http_client(http_client);
        if let Some(endpoint) = settings.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Ok(Self {
            client: aws_sdk_s3::Client::from_conf(config.build()),
            provider,
            bucket: settings.bucket,
            region: settings.region,
            place,
            encryption: settings.encryption,
            storage_class: settings.storage_class,
        })
    }

    async fn error<E>(
        &self,
        operation: Operation,
        key: Option<&ObjectKey>,
        error: SdkError<E, HttpResponse>,
    ) -> StoreError
    where
        E: ProvideErrorMetadata + std::fmt::Debug,
    {
        let SdkError::ServiceError(service) = &error else {
            let effect = if matches!(error, SdkError::ConstructionFailure(_)) {
                Effect::None
            } else {
                Effect::Unknown
            };
            let message = transport_message(&error, &self.place);
            return StoreError::Unavailable { operation, message, effect };
        };
        let raw = service.raw();
        let status = raw.status().as_u16();
        let region_header = raw.headers().get("x-amz-bucket-region").map(str::to_owned);
        let meta = service.err().meta();
        let (code, message) = (meta.code().unwrap_or_default(), meta.message().unwrap_or_default());
        let moved = region_header.as_ref().is_some_and(|actual| *actual != self.region);
        if status == 301
            || matches!(
                code,
                "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"
            )
            || (moved && matches!(status, 307 | 400))
        {
            let actual = region_header.or_else(|| quoted_after(message, "expecting '"));
            return StoreError::WrongRegion {
                operation,
                bucket: self.bucket.clone(),
                configured: self.region.clone(),
                actual,
            };
        }
        match code {
            "NoSuchBucket" => StoreError::NoSuchBucket { operation, bucket: self.bucket.clone() },
            "InvalidAccessKeyId" => {
                StoreError::UnknownAccessKey { operation, access_key_id: self.provider.access_key_id().await }
            }
            "SignatureDoesNotMatch" => StoreError::SignatureMismatch {
                operation,
                access_key_id: self.provider.access_key_id().await,
            },
            "AccessDenied" | "AllAccessDisabled" => self.denied(operation, key, message),
            // A refused HEAD has no body, hence neither code nor message.
            "" | "Forbidden" if status == 403 && operation == Operation::Head => {
                self.denied(operation, key, message)
            }
            _ => service_error(operation, status, code, message, &self.place),
        }
    }

    /// Across accounts AWS does not say which action is missing, and a write with an ACL needs two. Such a write without the
    /// ACL, which cannot take effect, needs one of them; unless the policy refuses every write without the ACL: then only
    /// the ACL alone tells. Where both are missing, the one that all writes need is named.
    async fn told_apart(&self, request: &PutRequest, error: StoreError) -> StoreError {
        match error {
            StoreError::Denied { operation, action, resource, message }
                if request.acl.is_some()
                    && action == operation.action()
                    && !message.contains("is not authorized to perform: ") =>
            {
                let lacks_acl = matches!(self.probe_blind_put(&request.key).await, Probed::Allowed(_))
                    || (request.acl_is_required
                        && matches!(
                            self.probe_acl(&request.key).await,
                            Probed::Refused(StoreError::Denied { .. })
                        ));
                let action = if lacks_acl { "s3:PutObjectAcl".to_owned() } else { action };
                StoreError::Denied { operation, action, resource, message }
            }
            error => error,
        }
    }

    fn denied(&self, operation: Operation, key: Option<&ObjectKey>, message: &str) -> StoreError {
        let (action, resource) = denied_parts(message);
        let action = action.unwrap_or_else(|| operation.action().to_owned());
        // Of a key in another account the service names no ARN: it is the one that writes ask for.
        let key_id = match &self.encryption {
            Encryption::SseKms { key_id } if action.starts_with("kms:") => key_id.clone(),
            _ => None,
        };
        let resource = resource.or(key_id).unwrap_or_else(|| operation.resource(&self.bucket, key));
        StoreError::Denied {
            operation,
            action,
            resource,
            message: if message.is_empty() { "access denied".to_owned() } else { message.to_owned() },
        }
    }
}

/// Who the settings say that we are.
fn provider(
    settings: &S3Settings,
    clock: &Clock,
    times: (&ClockTime, &TimeoutConfig),
    http_client: &SharedHttpClient,
) -> Provider {
    let ambient = settings.credentials.ambient().map(|source| {
        Ambient::new(source.clone(), settings.region.clone(), http_client.clone(), clock.clone())
    });
    let sts = sts_client(settings, ambient.as_ref(), times, http_client);
    Provider::new(settings.credentials.clone(), (sts, ambient), settings.sts_place(), clock.clone())
}

fn sts_client(
    settings: &S3Settings,
    ambient: Option<&Ambient>,
    (time, timeouts): (&ClockTime, &TimeoutConfig),
    http_client: &SharedHttpClient,
) -> Option<aws_sdk_sts::Client> {
    let CredentialSource::Role { base, .. } = &settings.credentials else { return None };
    let base = match (base, ambient) {
        (BaseCredentials::Key(key), _) => SharedCredentialsProvider::new(key.to_sdk(None)),
        (BaseCredentials::Ambient(_), Some(ambient)) => SharedCredentialsProvider::new(ambient.clone()),
        (BaseCredentials::Ambient(_), None) => return None,
    };
    let mut config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(base)
        .identity_cache(IdentityCache::no_cache())
        .time_source(time.clone())
        .sleep_impl(time.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.clone())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http_client.clone());
    if let Some(endpoint) = settings.sts_endpoint.as_ref().or(settings.endpoint.as_ref()) {
        config = config.endpoint_url(endpoint);
    }
    Some(aws_sdk_sts::Client::from_conf(config.build()))
}

/// What a failure below the service says, with its causes.
pub(crate) fn transport_message<E: std::fmt::Debug>(
    error: &SdkError<E, HttpResponse>,
    place: &str,
) -> String {
    let mut cause: Option<&dyn std::error::Error> = match error {
        SdkError::DispatchFailure(failure) => failure.as_connector_error().map(|error| error as _),
        _ => None,
    };
    let mut message = match error {
        SdkError::TimeoutError(_) => format!("the request to `{place}` timed out"),
        SdkError::DispatchFailure(_) => {
            format!("the request to `{place}` could not be sent or its answer was lost")
        }
        SdkError::ResponseError(_) => format!("the answer of `{place}` could not be read"),
        SdkError::ConstructionFailure(_) => "the request could not be built".to_owned(),
        _ => format!("the request to `{place}` failed"),
    };
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    message
}

/// The error for codes that need no more than themselves to be told apart.
pub(crate) fn service_error(
    operation: Operation,
    status: u16,
    code: &str,
    message: &str,
    place: &str,
) -> StoreError {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            StoreError::Expired { operation }
        }
        "SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => {
            StoreError::Unavailable { operation, message: named(code, message), effect: Effect::None }
        }
        "RequestTimeout" => {
            StoreError::Unavailable { operation, message: named(code, message), effect: Effect::Unknown }
        }
        "" if status >= 500 || status == 429 => StoreError::Unavailable {
            operation,
            message: format!("status {status} and no S3 error from `{place}`"),
            effect: Effect::Unknown,
        },
        "" if operation != Operation::Head => {
            StoreError::NotS3 { operation, status, endpoint: place.to_owned() }
        }
        _ if status >= 500 || status == 429 => {
            StoreError::Unavailable { operation, message: named(code, message), effect: Effect::Unknown }
        }
        _ => StoreError::Rejected { operation, status, code: code.to_owned(), message: message.to_owned() },
    }
}

fn named(code: &str, message: &str) -> String {
    if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") }
}

/// Action and resource of `User: .. is not authorized to perform: ACTION on resource: "ARN" because ..`.
fn denied_parts(message: &str) -> (Option<String>, Option<String>) {
    let Some((_, rest)) = message.split_once("is not authorized to perform: ") else { return (None, None) };
    let action = rest.split_whitespace().next().map(str::to_owned);
    let resource = rest.split_once("on resource: ").and_then(|(_, rest)| match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map(|(arn, _)| arn.to_owned()),
        None => rest.split_whitespace().next().map(str::to_owned),
    });
    (action, resource)
}

fn quoted_after(message: &str, before: &str) -> Option<String> {
    let (_, rest) = message.split_once(before)?;
    rest.split_once('\'').map(|(quoted, _)| quoted.to_owned())
}

fn head_of(
    etag: Option<&str>,
    metadata: Option<&std::collections::HashMap<String, String>>,
    operation: Operation,
) -> Result<ObjectHead, StoreError> {
    let etag = etag.and_then(|etag| ETag::new(etag).ok()).ok_or_else(|| no_etag(operation))?;
    let of = |name: &str| metadata.and_then(|metadata| metadata.get(name));
    Ok(ObjectHead {
        etag,
        intent: of(INTENT_METADATA).and_then(|id| IntentId::new(id.as_str()).ok()),
        generation: of(GENERATION_METADATA).and_then(|number| number.parse().ok()).unwrap_or(0),
        epoch: of(EPOCH_METADATA).and_then(|number| number.parse().ok()).unwrap_or(0),
    })
}

fn no_etag(operation: Operation) -> StoreError {
    StoreError::Rejected {
        operation,
        status: 200,
        code: String::new(),
        message: "the answer has no ETag, which conditional writes need".to_owned(),
    }
}

#[async_trait]
impl Store for S3Store {
    fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    async fn list_probe(&self, prefix: &str) -> Result<(), StoreError> {
        self.provider.fresh().await?;
        let call = self
            .client
            .list_objects_v2()
            .bucket(self.bucket.as_str())
            .max_keys(1)
            .set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.error(Operation::List, None, error).await),
        }
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<StoredObject>, StoreError> {
        let Some((head, body)) = self.get_within(key, &Room::unbounded()).await? else { return Ok(None) };
        let body = body
            .to_bytes()
            .map_err(|error| StoreError::NoRoom { operation: Operation::Get, message: error.to_string() })?;
        Ok(Some(StoredObject { head, body }))
    }

    async fn get_within(
        &self,
        key: &ObjectKey,
        room: &Room,
    ) -> Result<Option<(ObjectHead, Content)>, StoreError> {
        self.provider.fresh().await?;
        let answer =
            match self.client.get_object().bucket(self.bucket.as_str()).key(key.as_str()).send().await {
                Ok(answer) => answer,
                Err(error) if is_code(&error, "NoSuchKey") => return Ok(None),
                Err(error) => return Err(self.error(Operation::Get, Some(key), error).await),
            };
        let head = head_of(answer.e_tag(), answer.metadata(), Operation::Get)?;
        Ok(Some((head, gathered(answer.content_length(), answer.body, room).await?)))
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, StoreError> {
        self.provider.fresh().await?;
        match self.client.head_object().bucket(self.bucket.as_str()).key(key.as_str()).send().await {
            Ok(answer) => head_of(answer.e_tag(), answer.metadata(), Operation::Head).map(Some),
            Err(error) if is_code(&error, "NotFound") => Ok(None),
            Err(error) => Err(self.error(Operation::Head, Some(key), error).await),
        }
    }

    async fn put(&self, request: &PutRequest) -> Result<PutOutcome, StoreError> {
        let bytes = request.body.len();
        if bytes > PUT_BYTES_MAX {
            return Err(StoreError::TooLarge { key: request.key.clone(), bytes });
        }
        self.provider.fresh().await?;
        let mut call = self
            .client
            .put_object()
            .bucket(self.bucket.as_str())
            .key(request.key.as_str())
            .content_type(request.content_type)
            .metadata(INTENT_METADATA, request.intent.as_str())
            .metadata(GENERATION_METADATA, request.generation.to_string())
            .body(stream_of(&request.body).await?);
        if request.epoch > 0 {
            call = call.metadata(EPOCH_METADATA, request.epoch.to_string());
        }
        if let Some(acl) = &request.acl {
            call = call.acl(ObjectCannedAcl::from(acl.as_str()));
        }
        if let Some(class) = &self.storage_class {
            call = call.storage_class(StorageClass::from(class.as_str()));
        }
        call = match &request.condition {
            Condition::Absent => call.if_none_match("*"),
            Condition::Matches(etag) => call.if_match(etag.as_str()),
            Condition::Anyway => call,
        };
        call = match &self.encryption {
            Encryption::BucketDefault => call,
            Encryption::SseS3 => call.server_side_encryption(ServerSideEncryption::Aes256),
            Encryption::SseKms { key_id } => {
                call.server_side_encryption(ServerSideEncryption::AwsKms).set_ssekms_key_id(key_id.clone())
            }
        };
        match call.send().await {
            Ok(answer) => {
                let etag = answer.e_tag().and_then(|etag| ETag::new(etag).ok());
                Ok(PutOutcome::Written(etag.ok_or_else(|| no_etag(Operation::Put))?))
            }
            Err(error) if is_code(&error, "PreconditionFailed") => Ok(PutOutcome::PreconditionFailed),
            Err(error) if is_code(&error, "ConditionalRequestConflict") => Ok(PutOutcome::Conflict),
            Err(error) if is_code(&error, "NoSuchKey") => Ok(PutOutcome::BaseMissing),
            Err(error) => {
                let error = self.error(Operation::Put, Some(&request.key), error).await;
                Err(self.told_apart(request, error).await)
            }
        }
    }

    async fn refresh_credentials(&self) {
        self.provider.forget().await;
    }
}

fn is_code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, code: &str) -> bool {
    matches!(error, SdkError::ServiceError(service) if service.err().meta().code() == Some(code))
}

#[cfg(test)]
mod tests;
