//! What faults do to events on their way: lose them, double them, hold them back, shuffle them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::courier::Courier;
use super::log::{Delivery, DeliveryOutcome};
use crate::fault::{Astray, Effect, Parcel};
use crate::state::{Errand, What, World};

/// What is to be carried out now, and which faults it met.
#[derive(Clone, Debug)]
pub(super) struct Led {
    pub(super) id: u64,
    pub(super) errand: Errand,
    pub(super) faults: Vec<String>,
}

impl Courier {
    /// Lets the faults at what is due; what is lost or held back is not among the answers.
    pub(super) fn lead_astray(&self, world: &mut World, due: Vec<(u64, Errand)>, now: Timestamp) -> Vec<Led> {
        let mut led: Vec<Led> = Vec::new();
        let mut shuffled = Vec::new();
        for (id, errand) in due {
            let mut faults = Vec::new();
            let mut is_shuffled = world.outbox.met(id).unwrap_or(false);
            if world.outbox.met(id).is_none() && errand.attempts == 0 {
                let (mut later, mut is_lost) = (None, false);
                for (effect, fault) in self.met(world, &errand, now) {
                    match effect {
                        Astray::Lost => is_lost = true,
                        Astray::Twice => world.outbox.add_unharmed(errand.due, errand.what.clone()),
                        Astray::Late(length) => later = later.max(now.checked_add(length).ok()),
                        Astray::Shuffled(window) => {
                            is_shuffled = true;
                            later = later.max(end_of(window, now));
                        }
                    }
                    faults.push(fault);
                }
                if is_lost {
                    world.outbox.finish(id);
                    self.note_lost(world, &errand, now);
                    continue;
                }
                if let Some(later) = later.filter(|later| *later > now) {
                    world.outbox.hold(id, later, is_shuffled);
                    continue;
                }
            }
            if is_shuffled {
                shuffled.push(led.len());
            }
            led.push(Led { id, errand, faults });
        }
        self.reorder(&mut led, &shuffled);
        led
    }

    /// The effects of all faults that meet an errand.
    fn met(&self, world: &World, errand: &Errand, now: Timestamp) -> Vec<(Astray, String)> {
        let parcel = match &errand.what {
            What::Event { destination, bucket, body, .. } => Parcel::from_bucket(destination, bucket, body),
            What::Notification { subscription, message } => {
                let subscription = world.topics.subscription(subscription);
                subscription.map(|subscription| Parcel::from_topic(&subscription.endpoint, &message.text))
            }
            What::Happening(_) | What::Confirmation(_) => None,
        };
        let matched = parcel.map(|parcel| self.faults().matching_parcel(&parcel, now)).unwrap_or_default();
        let effects = matched.into_iter().flat_map(|fault| {
            let description = fault.description;
            fault.effects.into_iter().filter_map(move |effect| match effect {
                Effect::Delivery(astray) => Some((astray, description.clone())),
                _ => None,
            })
        });
        effects.collect()
    }

    /// Puts those at these places in another order, for each receiver; the others keep theirs.
    fn reorder(&self, led: &mut [Led], shuffled: &[usize]) {
        let mut by_receiver: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for place in shuffled {
            let receiver = led.get(*place).and_then(|led| match &led.errand.what {
                What::Event { destination, .. } => Some(destination),
                What::Notification { subscription, .. } => Some(subscription),
                What::Happening(_) | What::Confirmation(_) => None,
            });
            by_receiver.entry(receiver.cloned().unwrap_or_default()).or_default().push(*place);
        }
        for places in by_receiver.values() {
            let before: Vec<Led> = places.iter().filter_map(|place| led.get(*place).cloned()).collect();
            for (place, from) in places.iter().zip(self.faults().shuffle(places.len())) {
                if let (Some(slot), Some(moved)) = (led.get_mut(*place), before.get(from)) {
                    *slot = moved.clone();
                }
            }
        }
    }

    fn note_lost(&self, world: &World, errand: &Errand, now: Timestamp) {
        let (kind, from, to) = match &errand.what {
            What::Event { destination, bucket, .. } => ("event", bucket.clone(), destination.clone()),
            What::Notification { subscription, .. } => {
                let Some(subscription) = world.topics.subscription(subscription) else { return };
                ("notification", subscription.topic.clone(), subscription.endpoint.clone())
            }
            What::Happening(_) | What::Confirmation(_) => return,
        };
        self.note(Delivery {
            at: now,
            kind,
            from,
            to,
            outcome: DeliveryOutcome::Lost,
            attempt: 1,
            answer: None,
        });
    }
}

/// When the present span of that length ends, counted from the beginning of time; absent for an empty one.
fn end_of(window: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    let length = i64::try_from(window.as_millis()).ok().filter(|length| *length > 0)?;
    let past = now.as_millisecond().rem_euclid(length);
    now.checked_add(SignedDuration::from_millis(length - past)).ok()
}
