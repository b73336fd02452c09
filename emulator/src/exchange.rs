//! One request on its way through the pipeline, and what was found out about it.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bucketproof_clock::Clock;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::authenticate::{Authenticated, Carrier, Decoded, version_2_is_taken_in};
use crate::authorize::{Decided, authorize, would_allow};
use crate::data_dir::{DataDir, Ticket};
use crate::delivery::{Deliveries, SigningCertificates};
use crate::error::AwsError;
use crate::fault::{Effect, Faults, Matched};
use crate::head::{Head, decode};
use crate::ids::RequestIds;
use crate::operation::{Op, Operation};
use crate::s3::{EventOrigin, Form, Payer, is_control, with_display_names};
use crate::state::{Bucket, Content, World};

/// What every request stands on.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) data_dir: Option<Arc<DataDir>>,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    /// Rung when something is to be delivered.
    pub(crate) wake: Arc<Notify>,
    pub(crate) certificates: SigningCertificates,
    /// The URL under which others find the emulator; absent without a socket.
    pub(crate) base_url: Arc<OnceLock<String>>,
    /// What became of events and notifications.
    pub(crate) deliveries: Deliveries,
}

/// An authenticated request with its body, and the places where its answer collects.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) head: Head,
    pub(crate) authenticated: Authenticated,
    /// The body without framing.
    pub(crate) body: Bytes,
    /// What trailed the body.
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    /// The form that an upload came as.
    pub(crate) form: Option<Form>,
    /// Whether this only asks, before the client sends its body, if the upload would be refused.
    rehearsal: bool,
    /// The ids that the answer will have.
    pub(crate) ids: Option<Arc<RequestIds>>,
    wake: Arc<Notify>,
    base_url: Arc<OnceLock<String>>,
    world: Arc<Mutex<World>>,
    data_dir: Option<Arc<DataDir>>,
    outcome: Mutex<Outcome>,
}

/// What the operation left behind, beside its typed answer.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) op: Option<Op>,
    pub(crate) decided: Vec<Decided>,
    pub(crate) refusal: Option<AwsError>,
    /// What a rehearsal found the upload to be refused with.
    pub(crate) foreseen: Option<AwsError>,
    /// The body of a read, shared with the state.
    pub(crate) content: Option<Content>,
    pub(crate) headers: HeaderMap,
    /// The code of a refusal that was answered as a page.
    pub(crate) code: Option<String>,
    /// The status, where the codec knows only the usual one.
    pub(crate) status: Option<StatusCode>,
    pub(crate) matched: Vec<Matched>,
    /// What has to be on disk before the answer is given; or why it cannot be.
    pub(crate) tickets: Vec<Result<Ticket, String>>,
}

/// The bucket and key that a request names, by path or host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
}

impl Address {
    pub(crate) fn of(head: &Head) -> Self {
        if is_control(head) {
            return Self::default();
        }
        let path = decode(head.uri.path());
        let path = path.strip_prefix('/').unwrap_or(&path);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        match &head.bucket_in_host {
            Some(bucket) => Self { bucket: Some(bucket.clone()), key: some(path) },
            None => match path.split_once('/') {
                Some((bucket, key)) => Self { bucket: some(bucket), key: some(key) },
                None => Self { bucket: some(path), key: None },
            },
        }
    }
}

impl Exchange {
    pub(crate) fn new(head: Head, authenticated: Authenticated, body: Decoded, ground: &Ground) -> Self {
        let Decoded { body, trailers } = body;
        let Ground { world, data_dir, clock, faults, wake, base_url, .. } = ground.clone();
        let outcome = Mutex::default();
        Self {
            head,
            authenticated,
            body,
            trailers,
            clock,
            faults,
            form: None,
            rehearsal: false,
            ids: None,
            wake,
            base_url,
            world,
            data_dir,
            outcome,
        }
    }

    /// Of an upload whose body is still to come: it is decided on, and nothing happens.
    pub(crate) fn rehearsal(head: Head, authenticated: Authenticated, ground: &Ground) -> Self {
        let body = Decoded { body: Bytes::new(), trailers: Vec::new() };
        Self { rehearsal: true, ..Self::new(head, authenticated, body, ground) }
    }

    /// Notes which operation this is and lets faults at it: the head as the operation is to see it.
    pub(crate) fn begin(&self, op: Op) -> Result<Cow<'_, Head>, AwsError> {
        let mut head = Cow::Borrowed(&self.head);
        if self.rehearsal || self.faults.are_none() {
            self.outcome.lock().op = Some(op);
            return Ok(head);
        }
        let address = Address::of(&self.head);
        let identity = self.authenticated.caller.identity();
        let principal = identity.and_then(|identity| identity.principal.arn());
        let matched = self.faults.matching(op, &address, principal, self.clock.now());
        let mut refusal = None;
        for effect in matched.iter().flat_map(|fault| &fault.effects) {
            match effect {
                Effect::Refuse(error) => refusal = refusal.or_else(|| Some(error.clone())),
                Effect::IgnoreHeader(name) => {
                    head.to_mut().headers.remove(name.as_str());
                }
                Effect::ExpireToken => refusal = refusal.or_else(|| self.expired_session()),
                _ => {}
            }
        }
        let mut outcome = self.outcome.lock();
        outcome.op = Some(op);
        outcome.matched = matched;
        refusal.map_or(Ok(head), Err)
    }

    /// What a caller with temporary credentials hears once they have expired.
    fn expired_session(&self) -> Option<AwsError> {
        let token = self.head.header("x-amz-security-token");
        let token = token.or_else(|| self.head.parameter("X-Amz-Security-Token"))?;
        Some(AwsError::expired_token(token))
    }

    /// Why a fault does not let a key of many be deleted.
    pub(crate) fn failing_key(&self, key: &str) -> Option<AwsError> {
        self.outcome.lock().matched.iter().find_map(|fault| fault.failing_key(key))
    }

    /// Requirements, decision, effect: one step under the lock.
    pub(crate) fn perform<O: Operation>(&self, head: &Head, operation: O) -> Result<O::Output, AwsError> {
        let now = self.clock.now();
        let mut decided = Vec::new();
        let mut world = self.world.lock();
        world.pass_time(now);
        let bucket = operation.target().bucket().and_then(|name| world.buckets.get(name));
        let region = bucket.map(|bucket| bucket.region.clone());
        let result = self.check_bucket(head, &operation, &world).and_then(|()| {
            let authorized = authorize(operation, &self.authenticated, head, &world, now, &mut decided)?;
            if self.rehearsal {
                return Err(AwsError::internal());
            }
            O::apply(authorized, &mut world, now)
        });
        if self.rehearsal {
            let mut outcome = self.outcome.lock();
            outcome.decided.extend(decided);
            // What an upload needs stands in its head; of other operations the body may tell.
            if matches!(O::OP, Op::PutObject | Op::UploadPart) {
                outcome.foreseen =
                    result.as_ref().err().filter(|error| error.status.is_client_error()).cloned();
            }
            return result;
        }
        decided.append(&mut world.decided.lock());
        self.tell(head, &mut world);
        let ticket = self.note_changes(&mut world);
        if world.outbox.next_due().is_some_and(|due| due <= now) {
            self.wake.notify_one();
        }
        drop(world);
        let result = result.map_err(|refusal| match refusal.status {
            StatusCode::METHOD_NOT_ALLOWED => refusal.with_first("Method", head.method.as_str()),
            _ => refusal,
        });
        // Whoever is refused still learns where the bucket is; clients find regions that way.
        let result = match (result, region) {
            (Err(refusal), Some(region))
                if O::OP == Op::HeadBucket && refusal.status == StatusCode::FORBIDDEN =>
            {
                Err(refusal.with_header("x-amz-bucket-region", region))
            }
            (result, _) => result,
        };
        let mut outcome = self.outcome.lock();
        outcome.decided.extend(decided);
        outcome.tickets.extend(ticket);
        result
    }

    /// The URL under which clients find a service of the emulator; that of AWS without a socket.
    pub(crate) fn base_url(&self, service: &str, region: &str) -> String {
        let own = self.base_url.get().cloned();
        own.unwrap_or_else(|| format!("https://{service}.{region}.amazonaws.com"))
    }

    /// Turns what the operation announced into messages.
    fn tell(&self, head: &Head, world: &mut World) {
        if world.announcements.is_empty() {
            return;
        }
        let origin = self.ids.as_ref().map(|ids| {
            let caller = &self.authenticated.caller;
            EventOrigin::of_request(caller, head.source_ip, ids, self.form.is_some(), world)
        });
        world.tell(origin.as_ref());
    }

    /// Hands what changed to the data directory, if there is one.
    fn note_changes(&self, world: &mut World) -> Option<Result<Ticket, String>> {
        let Some(data_dir) = &self.data_dir else {
            world.forget_changes();
            return None;
        };
        data_dir.note(world).transpose()
    }

    /// Lets an operation look at the state before it is performed, to do the costly part of its work without the lock.
    ///
    /// Absent if the operation would be refused now: then nobody is to work for it.
    pub(crate) fn preview<O: Operation, T>(
        &self,
        head: &Head,
        operation: &O,
        look: impl FnOnce(&O, &World, Timestamp) -> Option<T>,
    ) -> Option<T> {
        if self.rehearsal {
            return None;
        }
        let now = self.clock.now();
        let world = self.world.lock();
        self.check_bucket(head, operation, &world).ok()?;
        would_allow(operation, &self.authenticated, head, &world, now)
            .then(|| look(operation, &world, now))?
    }

    /// Is this the endpoint of the bucket's region, and is the bucket whose the client thinks it is.
    fn check_bucket<O: Operation>(&self, head: &Head, operation: &O, world: &World) -> Result<(), AwsError> {
        let Some(bucket) = operation.target().bucket().and_then(|name| world.buckets.get(name)) else {
            return Ok(());
        };
        // A bucket tells its location everywhere.
        let elsewhere = self.authenticated.region.as_ref().is_some_and(|region| *region != bucket.region);
        if elsewhere && O::OP != Op::GetBucketLocation {
            return Err(AwsError::permanent_redirect(&bucket.name, &bucket.region));
        }
        let version_2 = self.authenticated.carrier.is_some_and(Carrier::is_version_2);
        if version_2 && !version_2_is_taken_in(&bucket.region) {
            return Err(AwsError::unsupported_authorization());
        }
        head.header("x-amz-expected-bucket-owner").map_or(Ok(()), |expected| bucket.check_owner(expected))?;
        self.check_payer(head, bucket)
    }

    /// Where the requester pays, others than the owner must say that they know; nobody cannot pay.
    fn check_payer(&self, head: &Head, bucket: &Bucket) -> Result<(), AwsError> {
        let account = self.authenticated.caller.identity().and_then(|identity| identity.principal.account());
        if bucket.settings.payer == Payer::BucketOwner || account == Some(&bucket.owner) {
            return Ok(());
        }
        let name = "x-amz-request-payer";
        let agreed = head.header(name).or_else(|| head.parameter(name)) == Some("requester");
        if !agreed || account.is_none() {
            return Err(AwsError::access_denied("Access Denied"));
        }
        self.answer_header("x-amz-request-charged", "requester");
        Ok(())
    }

    /// A header of the request or of its trailer.
    pub(crate) fn header_or_trailer<'a>(&'a self, head: &'a Head, name: &str) -> Option<&'a str> {
        head.header(name).or_else(|| {
            self.trailers.iter().find(|(trailer, _)| trailer == name).map(|(_, value)| value.as_str())
        })
    }

    pub(crate) fn refuse(&self, error: AwsError) {
        self.outcome.lock().refusal = Some(error);
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.outcome.lock().refusal.is_some()
    }

    pub(crate) fn answer_content(&self, content: Content) {
        self.outcome.lock().content = Some(content);
    }

    /// A document that the codec's library does not write.
    pub(crate) fn answer_document(&self, document: Bytes) {
        let document = with_display_names(document, &self.world.lock());
        self.answer_content(Content::from(document));
    }

    pub(crate) fn answer_status(&self, status: StatusCode) {
        self.outcome.lock().status = Some(status);
    }

    pub(crate) fn answer_header(&self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
        {
            self.outcome.lock().headers.insert(name, value);
        }
    }

    pub(crate) fn with_outcome(&self, work: impl FnOnce(&mut Outcome)) {
        work(&mut self.outcome.lock());
    }

    pub(crate) fn take_outcome(&self) -> Outcome {
        std::mem::take(&mut self.outcome.lock())
    }
}
