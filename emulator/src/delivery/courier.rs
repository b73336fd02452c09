//! Who carries the errands of the outbox out.

use std::sync::Arc;

use bucketproof_clock::Entropy;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use super::astray::Led;
use super::http_client::HttpClient;
use super::http_message::{self, Links, Outgoing};
use super::log::{Delivery, DeliveryOutcome};
use super::queue_message;
use super::service::{Asked, Handed};
use super::signer::{Digest, Signer};
use crate::exchange::Ground;
use crate::fault::Faults;
use crate::ids::RequestIds;
use crate::journal::{Entry, Journal};
use crate::operation::Op;
use crate::state::{
    Announcement, Confirmation, Errand, EventKind, Happening, Message, Protocol, Sent, Subscription, What,
    World,
};

/// Carries errands out; clones share all they have.
#[derive(Clone, Debug)]
pub(crate) struct Courier {
    ground: Ground,
    entropy: Entropy,
    journal: Journal,
    client: HttpClient,
}

/// What is to be sent over the network, and how often it may be tried.
#[derive(Debug)]
struct Job {
    id: u64,
    endpoint: String,
    outgoing: Outgoing,
    attempts: u64,
    subscription: Option<String>,
    message: Option<Box<Message>>,
}

impl Courier {
    pub(crate) fn new(ground: Ground, entropy: Entropy, journal: Journal) -> Self {
        Self { ground, entropy, journal, client: HttpClient::default() }
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.ground.faults
    }

    pub(super) fn note(&self, delivery: Delivery) {
        self.ground.deliveries.note(delivery);
    }

    /// Tells where subscribers find the emulator.
    pub(crate) fn set_base_url(&self, url: String) {
        let _first_wins = self.ground.base_url.set(url);
    }

    /// Carries out all that is due now, and what follows from it at once; what is to be tried again later stays.
    pub(crate) async fn deliver(&self) {
        self.pass_time();
        loop {
            let (jobs, progressed) = self.dispatch();
            if !progressed {
                return;
            }
            let mut running = JoinSet::new();
            for job in jobs {
                let courier = self.clone();
                running.spawn(async move { courier.send(job).await });
            }
            while running.join_next().await.is_some() {}
        }
    }

    /// Delivers whenever something is due, each receiver by itself, for as long as it is polled.
    pub(crate) async fn run(self) {
        let mut running = JoinSet::new();
        loop {
            let (jobs, progressed) = self.dispatch();
            for job in jobs {
                let courier = self.clone();
                running.spawn(async move { courier.send(job).await });
            }
            if progressed {
                continue;
            }
            let due = self.ground.world.lock().outbox.next_due();
            let wait = due.map(|due| due.duration_since(self.ground.clock.now()));
            tokio::select! {
                () = self.ground.wake.notified() => {}
                Some(_) = running.join_next() => {}
                () = self.pause(wait) => {}
            }
        }
    }

    /// Waits until something is due; for ever if nothing is, or if time does not pass by itself.
    async fn pause(&self, wait: Option<SignedDuration>) {
        match wait {
            Some(wait) if !self.ground.clock.is_manual() => {
                let wait = wait.max(SignedDuration::from_millis(1));
                self.ground.clock.sleep(wait.unsigned_abs()).await;
            }
            _ => std::future::pending().await,
        }
    }

    /// Lets happen what time alone makes happen, so that it is delivered too.
    fn pass_time(&self) {
        let mut world = self.ground.world.lock();
        world.pass_time(self.ground.clock.now());
        world.tell(None);
        self.keep(&mut world);
    }

    /// Does what needs no network and answers what does; and whether there was anything.
    fn dispatch(&self) -> (Vec<Job>, bool) {
        let now = self.ground.clock.now();
        let mut jobs = Vec::new();
        let mut entries = Vec::new();
        let world = self.ground.world.lock();
        if world.outbox.next_due().is_none_or(|due| due > now) {
            return (jobs, false);
        }
        let seed = world.topics.signing_seed();
        drop(world);
        // To make the key takes a while, and nobody is to wait for the state meanwhile.
        let _made = seed.map(|seed| self.ground.certificates.signer(seed));
        let mut world = self.ground.world.lock();
        world.pass_time(now);
        world.tell(None);
        let due = world.outbox.take_due(now);
        for Led { id, errand, faults } in self.lead_astray(&mut world, due, now) {
            let attempts = errand.attempts;
            match self.carry(&mut world, errand, now) {
                Carried::Done(entry) => {
                    world.outbox.finish(id);
                    entries.extend(entry.map(|entry| Entry { faults, ..*entry }));
                }
                Carried::Send(job) => jobs.push(Job { id, attempts, ..*job }),
            }
        }
        self.keep(&mut world);
        drop(world);
        for entry in entries {
            self.journal.add(entry);
        }
        (jobs, true)
    }

    fn keep(&self, world: &mut World) {
        match &self.ground.data_dir {
            // Whoever fails to write says so at the next request.
            Some(data_dir) => drop(data_dir.note(world)),
            None => world.forget_changes(),
        }
    }

    fn carry(&self, world: &mut World, errand: Errand, now: Timestamp) -> Carried {
        match errand.what {
            What::Event { destination, bucket, owner, body } => {
                let handed = world.hand_event(&destination, &bucket, &owner, body);
                self.note_handed("event", &bucket, &destination, &handed, now);
                Carried::Done(self.entry(handed, "s3.amazonaws.com", now))
            }
            What::Happening(happening) => {
                if still_holds(world, &happening, errand.due) {
                    world.announcements.push(Announcement::Happening(*happening));
                    world.tell(None);
                }
                Carried::Done(None)
            }
            What::Notification { subscription, message } => self.notify(world, &subscription, message, now),
            What::Confirmation(confirmation) => self.ask(world, &confirmation, now),
        }
    }

    fn notify(&self, world: &mut World, arn: &str, message: Box<Message>, now: Timestamp) -> Carried {
        // A subscription that was ended meanwhile gets nothing more.
        let Some(subscription) = world.topics.subscription(arn).cloned() else { return Carried::Done(None) };
        let topic = world.topics.get(&subscription.topic);
        let policy = topic.and_then(|topic| topic.attribute("DeliveryPolicy")).map(str::to_owned);
        let digest = digest_of(world, &subscription.topic);
        let document = |signer: &Signer, base: &str| {
            http_message::notification(&subscription, &message, signer, digest, &Links { base })
        };
        if subscription.protocol == Protocol::Sqs {
            let text = match (subscription.is_raw(), self.signer(world)) {
                (true, _) => String::new(),
                (false, Some(signer)) => document(&signer, &self.base(&subscription.topic)),
                (false, None) => return Carried::Done(None),
            };
            let sent = queue_message::sent(&subscription, &message, text);
            let handed = world.hand_notification(&subscription, sent);
            self.note_handed("notification", &subscription.topic, &subscription.endpoint, &handed, now);
            let is_lost = !matches!(handed, Handed::Over(_));
            let entry = self.entry(handed, "sns.amazonaws.com", now);
            if is_lost {
                bury(world, &subscription, &message);
            }
            return Carried::Done(entry);
        }
        let Some(signer) = self.signer(world) else { return Carried::Done(None) };
        let content_type = subscription.request_policy(policy.as_deref()).content_type;
        let base = self.base(&subscription.topic);
        let outgoing =
            http_message::outgoing(&subscription, &message, content_type, || document(&signer, &base));
        Carried::Send(Box::new(Job {
            id: 0,
            attempts: 0,
            endpoint: subscription.endpoint.clone(),
            outgoing,
            subscription: Some(subscription.arn.clone()),
            message: Some(message),
        }))
    }

    fn ask(&self, world: &mut World, confirmation: &Confirmation, now: Timestamp) -> Carried {
        let Some(signer) = self.signer(world) else { return Carried::Done(None) };
        let digest = digest_of(world, &confirmation.topic);
        let base = self.base(&confirmation.topic);
        let (kind, body) = http_message::confirmation(confirmation, &signer, digest, &Links { base: &base });
        if confirmation.endpoint.starts_with("arn:") {
            let sent = Sent { body, ..Sent::default() };
            let handed = world.hand_from_topic(&confirmation.topic, &confirmation.endpoint, sent);
            self.note_handed("confirmation", &confirmation.topic, &confirmation.endpoint, &handed, now);
            return Carried::Done(self.entry(handed, "sns.amazonaws.com", now));
        }
        let outgoing = Outgoing {
            kind,
            message_id: confirmation.message_id.clone(),
            topic: confirmation.topic.clone(),
            subscription: confirmation.is_farewell.then(|| confirmation.subscription.clone()),
            content_type: "text/plain; charset=UTF-8".to_owned(),
            is_raw: false,
            body,
        };
        Carried::Send(Box::new(Job {
            id: 0,
            attempts: 0,
            endpoint: confirmation.endpoint.clone(),
            outgoing,
            subscription: None,
            message: None,
        }))
    }

    fn signer(&self, world: &World) -> Option<Arc<Signer>> {
        self.ground.certificates.signer(world.topics.signing_seed()?).ok()
    }

    fn base(&self, topic: &str) -> String {
        self.ground.base_url.get().cloned().unwrap_or_else(|| {
            let region = topic.split(':').nth(3).unwrap_or("us-east-1");
            format!("https://sns.{region}.amazonaws.com")
        })
    }

    /// Sends one message, and plans the next try if the receiver did not take it.
    async fn send(&self, job: Job) {
        let answer = self.client.post(&job.endpoint, &job.outgoing).await;
        // What the receiver refuses as wrong is not tried again; what it could not do is.
        let fails_for_now = answer.as_ref().map_or(true, http::StatusCode::is_server_error);
        let is_taken = answer.as_ref().is_ok_and(http::StatusCode::is_success);
        let now = self.ground.clock.now();
        let mut outcome = if is_taken { DeliveryOutcome::Delivered } else { DeliveryOutcome::Failed };
        let mut world = self.ground.world.lock();
        world.pass_time(now);
        if is_taken {
            world.outbox.finish(job.id);
        } else {
            let subscription =
                job.subscription.as_deref().and_then(|arn| world.topics.subscription(arn)).cloned();
            let policy = subscription.as_ref().map(|subscription| {
                let topic = world.topics.get(&subscription.topic);
                subscription.retry_policy(topic.and_then(|topic| topic.attribute("DeliveryPolicy")))
            });
            let delay = policy.unwrap_or_default().delay(job.attempts).filter(|_| fails_for_now);
            if let Some(delay) = delay {
                let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::ZERO);
                world.outbox.postpone(job.id, now.saturating_add(delay).unwrap_or(now));
                outcome = DeliveryOutcome::Postponed;
            } else {
                world.outbox.finish(job.id);
                if let (Some(subscription), Some(message)) = (&subscription, &job.message) {
                    bury(&mut world, subscription, message);
                }
            }
        }
        self.keep(&mut world);
        drop(world);
        self.ground.deliveries.note(Delivery {
            at: now,
            kind: if job.message.is_some() { "notification" } else { "confirmation" },
            from: job.outgoing.topic.clone(),
            to: job.endpoint.clone(),
            outcome,
            attempt: job.attempts + 1,
            answer: Some(answer.map_or_else(|error| error, |status| status.as_u16().to_string())),
        });
    }

    /// Notes what became of a delivery within the emulator.
    fn note_handed(&self, kind: &'static str, from: &str, to: &str, handed: &Handed, now: Timestamp) {
        let outcome = match handed {
            Handed::Over(_) => DeliveryOutcome::Delivered,
            Handed::Refused(_) => DeliveryOutcome::Refused,
            Handed::Nowhere => DeliveryOutcome::NoReceiver,
        };
        let answer = match handed {
            Handed::Refused(asked) => asked.defect.clone(),
            _ => None,
        };
        let (from, to) = (from.to_owned(), to.to_owned());
        self.ground.deliveries.note(Delivery { at: now, kind, from, to, outcome, attempt: 1, answer });
    }

    /// The entry of the journal about what a service did or was not let do.
    fn entry(&self, handed: Handed, service: &str, now: Timestamp) -> Option<Box<Entry>> {
        let (asked, status): (Asked, u16) = match handed {
            Handed::Over(asked) => (asked, 200),
            Handed::Refused(asked) => (asked, 403),
            Handed::Nowhere => return None,
        };
        let ids = RequestIds::draw(&self.entropy);
        let is_topic = asked.decided.first().is_some_and(|decided| decided.action == "SNS:Publish");
        let mut entry = Entry {
            request_id: ids.request_id,
            received_at: now,
            answered_at: now,
            service: if is_topic { "sns" } else { "sqs" }.to_owned(),
            operation: Some(if is_topic { Op::Publish } else { Op::SendMessage }),
            method: "POST".to_owned(),
            path: "/".to_owned(),
            principal: Some(service.to_owned()),
            status,
            code: (status == 403).then(|| "AuthorizationError".to_owned()),
            ..Entry::default()
        };
        entry.record(asked.decided, now);
        Some(Box::new(entry))
    }
}

/// What became of an errand.
enum Carried {
    Done(Option<Box<Entry>>),
    Send(Box<Job>),
}

fn digest_of(world: &World, topic: &str) -> Digest {
    match world.topics.get(topic) {
        Some(topic) if topic.signs_with_sha256() => Digest::Sha256,
        _ => Digest::Sha1,
    }
}

/// Puts what could not be delivered into the dead-letter queue of the subscription, if it has one.
fn bury(world: &mut World, subscription: &Subscription, message: &Message) {
    let Some(queue) = subscription.dead_letter_queue() else { return };
    let sent = Sent { body: message.text.clone(), attributes: message.attributes.clone(), ..Sent::default() };
    let _handed = world.hand_from_topic(&subscription.topic, &queue, sent);
}

/// Whether what was planned for an object is still so when its time comes.
fn still_holds(world: &World, happening: &Happening, due: Timestamp) -> bool {
    let Some(bucket) = world.buckets.get(&happening.bucket) else { return false };
    let Ok(object) = bucket.object(&happening.key, happening.version.as_deref()) else { return false };
    object.attributes.restored.is_some_and(|copy| match happening.kind {
        EventKind::RestoreCompleted => copy.ready_at == due,
        _ => copy.expires_at == due,
    })
}
