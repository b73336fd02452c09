//! A queue of SQS.

use async_trait::async_trait;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bucketproof_clock::Clock;

use super::{ClockTime, S3Settings, S3StoreError, Transport, network, provider, timeouts};
use crate::credentials::Provider;
use crate::import::{AnnouncementQueue, QueueError, QueuedMessage};
use crate::store::transport_message;

/// The most that one call receives.
const RECEIVED_MAX: i32 = 10;

/// A queue, asked as the bucket is.
#[derive(Debug)]
pub struct SqsQueue {
    client: aws_sdk_sqs::Client,
    provider: Provider,
    url: String,
    place: String,
}

impl SqsQueue {
    /// Sets a queue up; no request is made. It is where its URL says, in the region of the bucket.
    pub fn new(
        settings: &S3Settings,
        url: &str,
        clock: &Clock,
        http_client: Option<SharedHttpClient>,
    ) -> Result<Self, S3StoreError> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let place = format!("{scheme}://{}", rest.split('/').next().unwrap_or_default());
        if scheme != "https" && settings.transport == Transport::TlsOnly {
            return Err(S3StoreError::PlainHttp { endpoint: place });
        }
        let http_client = http_client.unwrap_or_else(network);
        let time = ClockTime(clock.clone());
        let timeouts = timeouts(clock);
        let region = Region::new(settings.region.clone());
        let provider = provider(settings, clock, (&time, &timeouts), &http_client);
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(region)
            .credentials_provider(provider.clone())
            .identity_cache(IdentityCache::no_cache())
            .time_source(time.clone())
            .sleep_impl(time)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(http_client)
            .endpoint_url(&place)
            .build();
        Ok(Self { client: aws_sdk_sqs::Client::from_conf(config), provider, url: url.to_owned(), place })
    }

    fn failed<E>(&self, action: &'static str, error: &SdkError<E, HttpResponse>) -> QueueError
    where
        E: ProvideErrorMetadata + std::fmt::Debug,
    {
        let message = match error {
            SdkError::ServiceError(service) => {
                let meta = service.err().meta();
                let code = meta.code().unwrap_or("an unknown error");
                meta.message().map_or_else(|| code.to_owned(), |message| format!("{code}: {message}"))
            }
            _ => transport_message(error, &self.place),
        };
        QueueError { action, url: self.url.clone(), message }
    }

    async fn session(&self, action: &'static str) -> Result<(), QueueError> {
        let fresh = self.provider.fresh().await;
        fresh.map(drop).map_err(|error| QueueError {
            action,
            url: self.url.clone(),
            message: error.to_string(),
        })
    }
}

#[async_trait]
impl AnnouncementQueue for SqsQueue {
    async fn receive(&self) -> Result<Vec<QueuedMessage>, QueueError> {
        let action = "sqs:ReceiveMessage";
        self.session(action).await?;
        let call = self.client.receive_message().queue_url(&self.url).max_number_of_messages(RECEIVED_MAX);
        let answer = call.send().await.map_err(|error| self.failed(action, &error))?;
        let messages = answer.messages().iter().filter_map(|message| {
            Some(QueuedMessage {
                id: message.message_id()?.to_owned(),
                receipt: message.receipt_handle()?.to_owned(),
                body: message.body().unwrap_or_default().to_owned(),
            })
        });
        Ok(messages.collect())
    }

    async fn delete(&self, receipt: &str) -> Result<(), QueueError> {
        let action = "sqs:DeleteMessage";
        self.session(action).await?;
        let call = self.client.delete_message().queue_url(&self.url).receipt_handle(receipt);
        call.send().await.map(drop).map_err(|error| self.failed(action, &error))
    }
}
