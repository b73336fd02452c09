//! Event notifications: from what happened to the messages that tell it.
//!
//! Source: S3 User Guide, "Event message structure", and recorded messages.

use std::net::IpAddr;

use bucketproof_authz::AccountId;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::authenticate::Caller;
use crate::ids::RequestIds;
use crate::state::{Announcement, EventKind, Happening, What, World};

/// A key as a form would send it: `/` and a few others stay, a space becomes `+` afterwards.
const FORM: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/').remove(b' ');
/// Who does what S3 does by itself. The words are unverified.
const S3: &str = "s3.amazonaws.com";

/// The request behind an event.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// `AWS:AIDA…`, `AWS:AROA…:session`, or the customer id of an account.
    principal: String,
    source: String,
    request_id: String,
    host_id: String,
    /// Whether the object came as a form.
    by_form: bool,
}

impl Origin {
    pub(crate) fn of_request(
        caller: &Caller,
        source_ip: IpAddr,
        ids: &RequestIds,
        by_form: bool,
        world: &World,
    ) -> Self {
        let principal = match caller.identity() {
            None => "AWS:ANONYMOUS".to_owned(),
            // The id of a root user is that of its account, which events do not tell.
            Some(identity) => match identity.principal.account() {
                Some(account) if identity.user_id == account.as_str() => customer_id(world, account),
                _ => format!("AWS:{}", identity.user_id),
            },
        };
        Self {
            principal,
            source: source_ip.to_string(),
            request_id: ids.request_id.clone(),
            host_id: ids.host_id.clone(),
            by_form,
        }
    }

    /// S3 itself, within a request or without one.
    fn of_s3(world: &World) -> Self {
        let ids = RequestIds::draw(&world.entropy);
        Self {
            principal: S3.to_owned(),
            source: S3.to_owned(),
            request_id: ids.request_id,
            host_id: ids.host_id,
            by_form: false,
        }
    }
}

/// An account as events name it: 14 characters that are not its canonical id.
fn customer_id(world: &World, account: &AccountId) -> String {
    let canonical = world.canonical_id(account);
    let digest = Sha256::digest(canonical.as_str().as_bytes());
    let letters = digest.iter().take(13).map(|byte| {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        letters.get(usize::from(byte % 32)).copied().map_or('A', char::from)
    });
    std::iter::once('A').chain(letters).collect()
}

impl World {
    /// Turns what was announced into messages for the destinations of the buckets.
    ///
    /// `origin` is the request that did it; absent for what time alone did.
    pub(crate) fn tell(&mut self, origin: Option<&Origin>) {
        for announcement in std::mem::take(&mut self.announcements) {
            match announcement {
                Announcement::Happening(happening) => self.tell_happening(&happening, origin),
                Announcement::Configured { bucket, destinations } => {
                    for destination in destinations {
                        self.tell_test(&bucket, destination, origin);
                    }
                }
            }
        }
    }

    /// Notes what an operation did to an object.
    pub(crate) fn announce(&mut self, happening: Happening) {
        self.announcements.push(Announcement::Happening(happening));
    }

    fn tell_happening(&mut self, happening: &Happening, origin: Option<&Origin>) {
        let Some(bucket) = self.buckets.get(&happening.bucket) else { return };
        let of_s3;
        let origin = if let Some(origin) = origin.filter(|_| !happening.kind.is_of_s3()) {
            origin
        } else {
            of_s3 = Origin::of_s3(self);
            &of_s3
        };
        let mut happening = happening.clone();
        if happening.kind == EventKind::Put && origin.by_form {
            happening.kind = EventKind::Post;
        }
        let (name, region, owner) = (bucket.name.clone(), bucket.region.clone(), bucket.owner.clone());
        let rules = bucket.settings.notifications.clone();
        let now = self.now;
        for rule in rules.matching(happening.kind.name(), &happening.key) {
            let owner_id = customer_id(self, &owner);
            let record = self.record(&happening, rule.id(), origin, &region, &owner_id);
            let what = What::Event {
                destination: rule.arn().to_owned(),
                bucket: name.clone(),
                owner: owner.clone(),
                body: json!({ "Records": [record] }).to_string(),
            };
            self.outbox.add(now, what);
        }
    }

    fn record(
        &mut self,
        happening: &Happening,
        rule: &str,
        origin: &Origin,
        region: &str,
        owner_id: &str,
    ) -> Value {
        let now = self.now;
        let kind = happening.kind;
        let mut object = Map::new();
        object.insert("key".to_owned(), form_encoded(&happening.key).into());
        let size = happening.size.map(Value::from);
        let etag = happening.etag.clone().map(Value::from);
        let version = happening.version.clone().map(Value::from);
        let sequencer = kind.has_sequencer().then(|| self.outbox.draw_sequencer(now).into());
        for (name, value) in
            [("size", size), ("eTag", etag), ("versionId", version), ("sequencer", sequencer)]
        {
            object.extend(value.map(|value| (name.to_owned(), value)));
        }
        let mut record = json!({
            "eventVersion": kind.message_version(),
            "eventSource": "aws:s3",
            "awsRegion": region,
            "eventTime": milliseconds(now),
            "eventName": kind.name(),
            "userIdentity": { "principalId": origin.principal },
            "requestParameters": { "sourceIPAddress": origin.source },
            "responseElements": { "x-amz-request-id": origin.request_id, "x-amz-id-2": origin.host_id },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": rule,
                "bucket": {
                    "name": happening.bucket,
                    "ownerIdentity": { "principalId": owner_id },
                    "arn": format!("arn:aws:s3:::{}", happening.bucket),
                },
                "object": object,
            },
        });
        if let (Some(record), Some((name, data))) = (record.as_object_mut(), more_data(happening)) {
            record.insert(name.to_owned(), data);
        }
        record
    }

    /// The message that shows a destination to be reachable.
    fn tell_test(&mut self, bucket: &str, destination: String, origin: Option<&Origin>) {
        let Some(found) = self.buckets.get(bucket) else { return };
        let owner = found.owner.clone();
        let (request_id, host_id) =
            origin.map(|origin| (origin.request_id.clone(), origin.host_id.clone())).unwrap_or_default();
        let body = json!({
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": milliseconds(self.now),
            "Bucket": bucket,
            "RequestId": request_id,
            "HostId": host_id,
        });
        let what = What::Event { destination, bucket: bucket.to_owned(), owner, body: body.to_string() };
        let now = self.now;
        self.outbox.add(now, what);
    }
}

/// What some events tell beside the usual.
fn more_data(happening: &Happening) -> Option<(&'static str, Value)> {
    match happening.kind {
        EventKind::RestoreCompleted => Some((
            "glacierEventData",
            json!({ "restoreEventData": {
                "lifecycleRestorationExpiryTime": milliseconds(happening.expires_at?),
                "lifecycleRestoreStorageClass": happening.storage_class.as_deref()?,
            }}),
        )),
        EventKind::LifecycleTransition => Some((
            "lifecycleEventData",
            json!({ "transitionEventData": { "destinationStorageClass": happening.storage_class.as_deref()? }}),
        )),
        _ => None,
    }
}

/// `2026-01-01T00:00:00.000Z`.
pub(crate) fn milliseconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn form_encoded(key: &str) -> String {
    utf8_percent_encode(key, FORM).to_string().replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::form_encoded;

    #[test]
    fn keys_are_encoded_as_forms_are() {
        assert_eq!(form_encoded("a@b/red flower+1.jpg"), "a%40b/red+flower%2B1.jpg");
        assert_eq!(form_encoded("é=&%"), "%C3%A9%3D%26%25");
    }
}
