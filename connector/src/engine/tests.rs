use super::{KeyAge, connection_state};
use crate::config::SyncToggle;
use crate::report::{ConnectionState, SetupCheck};

#[test]
fn active_needs_toggle_check_and_dataset() {
    for toggle in [SyncToggle::Off, SyncToggle::On] {
        for setup in [SetupCheck::Failed, SetupCheck::Passed] {
            for datasets in [0, 1] {
                let all = (toggle, setup, datasets) == (SyncToggle::On, SetupCheck::Passed, 1);
                let state = connection_state(toggle, setup, datasets);
                assert_eq!(state == ConnectionState::Active, all, "{toggle:?} {setup:?} {datasets}");
            }
        }
    }
    let waiting = connection_state(SyncToggle::On, SetupCheck::NotChecked, 1);
    assert_eq!(waiting, ConnectionState::WaitingForFirstSync);
}

#[test]
fn key_age_counts_whole_days() {
    let created = "2025-10-01".parse().unwrap();
    let days = |now: &str| KeyAge::at(now.parse().unwrap(), created).days;
    assert_eq!(days("2025-10-01T23:59:59Z"), 0);
    assert_eq!(days("2025-12-29T23:59:59Z"), 89);
    assert_eq!(days("2025-12-30T00:00:00Z"), 90);
}
