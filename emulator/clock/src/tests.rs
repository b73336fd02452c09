use std::time::Duration;

use super::{Clock, Entropy, Pace};

#[test]
fn a_manual_clock_moves_only_when_told_and_clones_share_it() {
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let other = clock.clone();
    assert_eq!(clock.now(), clock.now());
    other.advance(Duration::from_secs(61));
    assert_eq!(clock.now().to_string(), "2026-01-01T00:01:01Z");
    other.set("2025-06-01T00:00:00Z".parse().unwrap());
    assert_eq!(clock.now().to_string(), "2025-06-01T00:00:00Z");
}

#[test]
fn a_shifted_system_clock_keeps_its_shift() {
    let clock = Clock::system_from("2040-01-01T00:00:00Z".parse().unwrap());
    clock.advance(Duration::from_hours(1));
    let seconds = clock.now().duration_since("2040-01-01T01:00:00Z".parse().unwrap()).as_secs();
    assert!((0..60).contains(&seconds), "{seconds} s after the shifted start");
}

#[tokio::test]
async fn sleeping_on_a_manual_clock_advances_it_at_once() {
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    clock.sleep(Duration::from_hours(24)).await;
    assert_eq!(clock.now().to_string(), "2026-01-02T00:00:00Z");
}

#[test]
fn seeded_entropy_repeats_and_machine_entropy_does_not() {
    let text = |entropy: Entropy| entropy.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16);
    assert_eq!(text(Entropy::seeded(7)), text(Entropy::seeded(7)));
    assert_ne!(text(Entropy::seeded(7)), text(Entropy::seeded(8)));
    assert_ne!(text(Entropy::machine()), text(Entropy::machine()));
    assert_eq!(Entropy::seeded(1).text(b"", 4), "");
}

#[tokio::test]
async fn a_frozen_clock_stands_also_for_those_who_wait() {
    let clock = Clock::frozen("2026-01-01T00:00:00Z".parse().unwrap());
    clock.sleep(Duration::from_hours(24)).await;
    assert_eq!(clock.now().to_string(), "2026-01-01T00:00:00Z");
    clock.advance(Duration::from_secs(1));
    assert_eq!(clock.now().to_string(), "2026-01-01T00:00:01Z");
    clock.set_pace(Pace::Manual);
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(clock.now().to_string(), "2026-01-01T00:00:02Z");
}

#[test]
fn forks_of_clock_and_entropy_go_their_own_way() {
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let fork = clock.fork();
    fork.advance(Duration::from_secs(1));
    assert_eq!(clock.now().to_string(), "2026-01-01T00:00:00Z");
    let entropy = Entropy::seeded(7);
    entropy.next_u64();
    let fork = entropy.fork();
    let drawn = entropy.next_u64();
    assert_eq!(fork.next_u64(), drawn);
    entropy.next_u64();
    entropy.follow(&fork);
    assert_eq!(entropy.next_u64(), fork.next_u64());
}
