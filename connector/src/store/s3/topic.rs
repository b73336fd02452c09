//! A topic of SNS, as far as an examination looks at one; nothing is changed.

use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bucketproof_clock::Clock;

use super::{ClockTime, S3Settings, network, provider, timeouts};
use crate::credentials::Provider;
use crate::store::transport_message;

/// What SNS lists in place of the ARN of a subscription that nobody has confirmed.
const PENDING: &str = "PendingConfirmation";

/// A topic, asked as the bucket is.
#[derive(Debug)]
pub struct SnsTopic {
    client: aws_sdk_sns::Client,
    provider: Provider,
    arn: String,
    place: String,
}

/// Why a topic could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{action}` on the topic `{topic}`: {message}")]
pub(crate) struct TopicError {
    pub(crate) action: &'static str,
    pub(crate) topic: String,
    pub(crate) message: String,
    /// Whether the service said no, rather than nothing.
    pub(crate) is_denied: bool,
    /// Whether there is no such topic.
    pub(crate) is_missing: bool,
}

/// What a topic is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TopicView {
    pub(crate) policy: Option<String>,
    pub(crate) is_fifo: bool,
    /// The key of KMS that its messages are encrypted with.
    pub(crate) key: Option<String>,
}

/// What a subscription is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubscriptionView {
    /// `None` until somebody confirms it.
    pub(crate) arn: Option<String>,
    /// Which messages it is sent, if not all.
    pub(crate) filter: Option<String>,
    /// Whether messages come without an envelope, and so without a signature.
    pub(crate) is_raw: bool,
}

impl SnsTopic {
    /// Sets a topic up; no request is made. It is in the region of its ARN, at the endpoint of the bucket if that has one.
    pub fn new(
        settings: &S3Settings,
        arn: &str,
        clock: &Clock,
        http_client: Option<SharedHttpClient>,
    ) -> Self {
        let http_client = http_client.unwrap_or_else(network);
        let time = ClockTime(clock.clone());
        let timeouts = timeouts(clock);
        let region = Region::new(arn.split(':').nth(3).unwrap_or(&settings.region).to_owned());
        let provider = provider(settings, clock, (&time, &timeouts), &http_client);
        let place = settings.endpoint.clone();
        let mut config = aws_sdk_sns::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(region.clone())
            .credentials_provider(provider.clone())
            .identity_cache(IdentityCache::no_cache())
            .time_source(time.clone())
            .sleep_impl(time)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(http_client);
        config.set_endpoint_url(place.clone());
        let place = place.unwrap_or_else(|| format!("SNS in {region}"));
        Self { client: aws_sdk_sns::Client::from_conf(config.build()), provider, arn: arn.to_owned(), place }
    }

    fn failed<E>(&self, action: &'static str, error: &SdkError<E, HttpResponse>) -> TopicError
    where
        E: ProvideErrorMetadata + std::fmt::Debug,
    {
        let (message, code) = match error {
            SdkError::ServiceError(service) => {
                let meta = service.err().meta();
                let code = meta.code().unwrap_or("an unknown error");
                (meta.message().map_or_else(|| code.to_owned(), |text| format!("{code}: {text}")), code)
            }
            _ => (transport_message(error, &self.place), ""),
        };
        let (is_denied, is_missing) = (code.starts_with("AuthorizationError"), code.starts_with("NotFound"));
        TopicError { action, topic: self.arn.clone(), message, is_denied, is_missing }
    }

    async fn session(&self, action: &'static str) -> Result<(), TopicError> {
        self.provider.fresh().await.map(drop).map_err(|error| TopicError {
            action,
            topic: self.arn.clone(),
            message: error.to_string(),
            is_denied: false,
            is_missing: false,
        })
    }

    /// The topic itself.
    pub(crate) async fn view(&self) -> Result<TopicView, TopicError> {
        let action = "SNS:GetTopicAttributes";
        self.session(action).await?;
        let answer = self.client.get_topic_attributes().topic_arn(&self.arn).send().await;
        let answer = answer.map_err(|error| self.failed(action, &error))?;
        let of = |name: &str| answer.attributes().and_then(|attributes| attributes.get(name)).cloned();
        Ok(TopicView {
            policy: of("Policy"),
            is_fifo: of("FifoTopic").is_some_and(|value| value == "true"),
            key: of("KmsMasterKeyId").filter(|key| !key.is_empty()),
        })
    }

    /// The subscription of an endpoint, if there is one; one that is confirmed comes first.
    pub(crate) async fn subscription(&self, endpoint: &str) -> Result<Option<SubscriptionView>, TopicError> {
        let action = "SNS:ListSubscriptionsByTopic";
        self.session(action).await?;
        let mut next: Option<String> = None;
        let mut found: Option<Option<String>> = None;
        loop {
            let call = self.client.list_subscriptions_by_topic().topic_arn(&self.arn);
            let answer = call.set_next_token(next).send().await;
            let answer = answer.map_err(|error| self.failed(action, &error))?;
            let own = answer.subscriptions().iter().filter(|own| own.endpoint() == Some(endpoint));
            for own in own {
                let arn = own.subscription_arn().filter(|arn| *arn != PENDING && arn.contains(':'));
                if found.as_ref().is_none_or(Option::is_none) {
                    found = Some(arn.map(str::to_owned));
                }
            }
            next = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        let Some(arn) = found else { return Ok(None) };
        let Some(arn) = arn else {
            return Ok(Some(SubscriptionView { arn: None, filter: None, is_raw: false }));
        };
        let action = "SNS:GetSubscriptionAttributes";
        // No policy of a topic can grant this: who is not of its account sees the subscription alone.
        let answer = match self.client.get_subscription_attributes().subscription_arn(&arn).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = self.failed(action, &error);
                tracing::debug!(%error, "the attributes of the subscription are not seen");
                return Ok(Some(SubscriptionView { arn: Some(arn), filter: None, is_raw: false }));
            }
        };
        let of = |name: &str| answer.attributes().and_then(|attributes| attributes.get(name)).cloned();
        let filter = of("FilterPolicy").filter(|policy| !policy.is_empty() && policy != "{}");
        let is_raw = of("RawMessageDelivery").is_some_and(|value| value == "true");
        Ok(Some(SubscriptionView { arn: Some(arn), filter, is_raw }))
    }
}
