//! Where a bucket sends its events.

use aws_sdk_s3::types::{FilterRule, NotificationConfigurationFilter, S3KeyFilter};

use super::S3Store;
use crate::store::{Operation, StoreError};

/// A rule of a bucket's notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotificationRule {
    /// The ARN of a topic, a queue or a function.
    pub(crate) target: String,
    /// As in `s3:ObjectCreated:*`.
    pub(crate) events: Vec<String>,
    pub(crate) prefix: String,
    pub(crate) suffix: String,
}

impl NotificationRule {
    /// Whether an object of that key is told of.
    pub(crate) fn matches(&self, key: &str) -> bool {
        key.starts_with(&self.prefix) && key.ends_with(&self.suffix)
    }
}

impl S3Store {
    /// The rules of the bucket's notification.
    pub(crate) async fn notification_rules(&self) -> Result<Vec<NotificationRule>, StoreError> {
        self.provider.fresh().await?;
        let call = self.client.get_bucket_notification_configuration().bucket(self.bucket.as_str());
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                return Err(match self.error(Operation::List, None, error).await {
                    StoreError::Denied { operation, resource, message, .. } => {
                        let action = "s3:GetBucketNotification".to_owned();
                        StoreError::Denied { operation, action, resource, message }
                    }
                    other => other,
                });
            }
        };
        let mut rules = Vec::new();
        let mut add = |target: &str, events: &[aws_sdk_s3::types::Event], filter: Option<&_>| {
            let (prefix, suffix) = parts(filter);
            let events = events.iter().map(|event| event.as_str().to_owned()).collect();
            rules.push(NotificationRule { target: target.to_owned(), events, prefix, suffix });
        };
        for rule in answer.topic_configurations() {
            add(rule.topic_arn(), rule.events(), rule.filter());
        }
        for rule in answer.queue_configurations() {
            add(rule.queue_arn(), rule.events(), rule.filter());
        }
        for rule in answer.lambda_function_configurations() {
            add(rule.lambda_function_arn(), rule.events(), rule.filter());
        }
        Ok(rules)
    }
}

fn parts(filter: Option<&NotificationConfigurationFilter>) -> (String, String) {
    let rules = filter.and_then(|filter| filter.key()).map(S3KeyFilter::filter_rules).unwrap_or_default();
    let value = |name: &str| {
        let named =
            |rule: &&FilterRule| rule.name().is_some_and(|own| own.as_str().eq_ignore_ascii_case(name));
        rules.iter().find(named).and_then(|rule| rule.value()).unwrap_or_default().to_owned()
    };
    (value("prefix"), value("suffix"))
}
