//! What a bucket is set to beside its tags, policy and versioning.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::s3::{
    Acceleration, Cors, Element, ListedKind, Logging, Notifications, Payer, Replication, Website,
};

/// Settings that are put as documents; all absent in a new bucket.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Settings {
    pub(crate) acceleration: Acceleration,
    pub(crate) cors: Option<Cors>,
    /// Inventory, analytics and the like, of which a bucket has several by id.
    #[serde(with = "super::as_list")]
    pub(crate) listed: BTreeMap<(ListedKind, String), Element>,
    pub(crate) logging: Logging,
    pub(crate) notifications: Notifications,
    pub(crate) payer: Payer,
    pub(crate) replication: Option<Replication>,
    pub(crate) website: Option<Website>,
}
