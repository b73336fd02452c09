//! What is known of each connection, without a call, also while an import runs.

use serde::Serialize;

use super::config::{ImportConfig, InboundConnection};
use super::inbox::{Access, Inbox, Subscription};
use crate::config::AuthConfig;
use crate::state::StateError;

/// A connection, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConnectionView {
    /// Name.
    pub name: String,
    /// Bucket.
    pub bucket: String,
    /// Whether it is imported from.
    pub enabled: bool,
    /// How it fares.
    pub access: Access,
    /// The URL to subscribe to the topic.
    pub endpoint_url: Option<String>,
    /// What is known of that subscription.
    pub subscription: Option<Subscription>,
    /// Whom the bucket's policy names.
    pub role_arn: Option<String>,
}

impl InboundConnection {
    /// Whom policies of the bucket and of keys must name, as far as the configuration says it.
    pub(crate) fn principal<'a>(&'a self, config: &'a ImportConfig) -> Option<&'a str> {
        match &self.auth {
            AuthConfig::AssumeRole { role_arn, .. } => Some(role_arn),
            AuthConfig::StaticKeys { .. } | AuthConfig::Ambient(_) => config.role_arn.as_deref(),
        }
    }
}

impl ImportConfig {
    /// What is known of each connection.
    pub fn connection_views(&self) -> Result<Vec<ConnectionView>, StateError> {
        let inbox = Inbox::look(&self.state_dir)?;
        let urls = self.endpoint_urls();
        let view = |connection: &InboundConnection| {
            let bucket = connection.bucket.name.as_str();
            let access = match &inbox {
                Some(inbox) => inbox.access(&connection.name, bucket)?,
                None => Access::default(),
            };
            let endpoint_url = urls.get(&connection.name).cloned();
            let subscription = match (&endpoint_url, &connection.topic_arn, &inbox) {
                (Some(_), Some(topic), Some(inbox)) => Some(inbox.subscription(&connection.name, topic)?),
                (Some(_), Some(_), None) => Some(Subscription::Pending),
                _ => None,
            };
            Ok(ConnectionView {
                name: connection.name.clone(),
                bucket: bucket.to_owned(),
                enabled: connection.enabled,
                access,
                endpoint_url,
                subscription,
                role_arn: connection.principal(self).map(str::to_owned),
            })
        };
        self.connections.iter().map(view).collect()
    }
}
