//! What is known of each connection, without a call, also while an import runs.

use jiff::Timestamp;
use serde::Serialize;

use super::config::{ImportConfig, InboundConnection};
use super::goal::Reporting;
use super::inbox::{Access, Inbox, Subscription};
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
    /// Whether its reports come in time.
    pub reporting: Reporting,
}

impl InboundConnection {
    /// Whom policies of the bucket and of keys must name, as far as the configuration says it.
    pub(crate) fn principal<'a>(&'a self, config: &'a ImportConfig) -> Option<&'a str> {
        self.auth.role_arn().or(config.role_arn.as_deref())
    }
}

impl ImportConfig {
    /// What is known of each connection at `now`.
    pub fn connection_views(&self, now: Timestamp) -> Result<Vec<ConnectionView>, StateError> {
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
            let minutes = self.alarm_after_minutes();
            let reporting = match &inbox {
                Some(inbox) => inbox.reporting(&connection.name, bucket, minutes, now)?,
                None => Reporting { alarm_after_minutes: minutes, ..Reporting::default() },
            };
            Ok(ConnectionView {
                reporting,
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
