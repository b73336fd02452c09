use bucketproof_authz::{AccountId, Arn};
use bucketproof_clock::Entropy;
use jiff::{SignedDuration, Timestamp};

use super::{Queue, Sent};

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn at(secs: i64) -> Timestamp {
    START + SignedDuration::from_secs(secs)
}

fn queue() -> Queue {
    let arn = Arn::new("arn:aws:sqs:us-east-1:111122223333:q").unwrap();
    Queue::new(arn, AccountId::new("111122223333").unwrap(), START)
}

fn sent(body: &str) -> Sent {
    Sent { body: body.to_owned(), ..Sent::default() }
}

#[test]
fn a_received_message_is_hidden_until_its_time_is_up_or_it_is_deleted() {
    let (mut queue, entropy) = (queue(), Entropy::seeded(1));
    queue.send(sent("a"), &entropy, at(0));
    let first = queue.receive(10, 30, &entropy, at(1));
    assert_eq!((first.len(), queue.counts(at(1))), (1, (0, 1, 0)));
    assert!(queue.receive(10, 30, &entropy, at(30)).is_empty());
    let second = queue.receive(10, 30, &entropy, at(31));
    assert_eq!(second[0].receive_count, 2);
    assert_ne!(first[0].receipt(), second[0].receipt());
    queue.delete(first[0].receipt());
    assert_eq!(queue.counts(at(100)), (0, 0, 0));
}

#[test]
fn messages_grow_old_and_delays_pass() {
    let (mut queue, entropy) = (queue(), Entropy::seeded(1));
    queue.send(Sent { delay_secs: Some(5), ..sent("a") }, &entropy, at(0));
    assert_eq!((queue.has_visible(at(4)), queue.has_visible(at(5))), (false, true));
    assert_eq!((queue.counts(at(345_599)).0, queue.counts(at(345_600)).0), (1, 0));
    assert!(queue.receive(1, 30, &entropy, at(345_600)).is_empty());
}
