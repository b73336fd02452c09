use super::{Checkpoint, Snapshot};

fn snapshot(oldest_running: u64, next: u64, began: i64) -> Snapshot {
    Snapshot { oldest_running, next, began }
}

#[test]
fn the_floor_waits_for_the_oldest_transaction_that_runs() {
    let first = Checkpoint::after(None, snapshot(100, 100, 1_000));
    assert_eq!(first.floor(10), Some(990), "all that comes was written after the first snapshot");
    // Transaction 100 goes on while others come and go.
    let second = Checkpoint::after(Some(&first), snapshot(100, 120, 2_000));
    let third = Checkpoint::after(Some(&second), snapshot(100, 150, 3_000));
    assert_eq!(third.floor(10), Some(990));
    // It ends; 130 was begun between the second and the third snapshot.
    let fourth = Checkpoint::after(Some(&third), snapshot(130, 160, 4_000));
    assert_eq!(fourth.floor(10), Some(1_990));
    let fifth = Checkpoint::after(Some(&fourth), snapshot(170, 170, 5_000));
    assert_eq!((fifth.floor(10), fifth.trail.len()), (Some(4_990), 1));
}

#[test]
fn without_an_earlier_snapshot_there_is_no_floor() {
    // Transaction 90 was running before the first look.
    let first = Checkpoint::after(None, snapshot(90, 100, 1_000));
    assert_eq!(first.floor(10), None);
    let second = Checkpoint::after(Some(&first), snapshot(90, 110, 2_000));
    assert_eq!(second.floor(10), None);
}

#[test]
fn a_long_trail_forgets_no_earliest_snapshot() {
    let mut known = Checkpoint::after(None, snapshot(100, 100, 0));
    for step in 1..2_000 {
        let next = 100 + u64::from(step == 1);
        known = Checkpoint::after(Some(&known), snapshot(100, next + 1, i64::from(step)));
    }
    assert!(known.trail.len() <= super::TRAIL_MAX + 1);
    assert_eq!(known.floor(0), Some(0));
}
