use super::{KeyAge, StateFacts, connection_state};
use crate::config::SyncToggle;
use crate::report::{ConnectionState, SetupCheck};

/// Claims SUP-62, SUP-71, PER-47: the truth table of the state, all 96 rows against the rule in words.
#[test]
fn the_state_follows_from_its_facts_in_every_combination() {
    let mut rows = 0;
    for toggle in [SyncToggle::Off, SyncToggle::On] {
        for datasets in [0, 1] {
            for paused in [false, true] {
                for setup in [SetupCheck::NotChecked, SetupCheck::Failed, SetupCheck::Passed] {
                    for credentials_rejected in [false, true] {
                        for failed in [false, true] {
                            let facts =
                                StateFacts { toggle, datasets, paused, setup, credentials_rejected, failed };
                            let state = connection_state(facts);
                            let on = toggle == SyncToggle::On && datasets == 1;
                            let goes = on && !paused;
                            assert_eq!(
                                state == ConnectionState::Disabled,
                                toggle == SyncToggle::Off,
                                "{facts:?}"
                            );
                            assert_eq!(state == ConnectionState::Paused, on && paused, "{facts:?}");
                            let broken = setup == SetupCheck::Failed;
                            let rejected = goes && broken && credentials_rejected;
                            assert_eq!(state == ConnectionState::CredentialsRejected, rejected, "{facts:?}");
                            let other = goes && broken && !credentials_rejected;
                            assert_eq!(state == ConnectionState::SetupFailed, other, "{facts:?}");
                            assert_eq!(
                                state == ConnectionState::Failed,
                                goes && !broken && failed,
                                "{facts:?}"
                            );
                            let well = goes && !failed;
                            let waits = well && setup == SetupCheck::NotChecked;
                            assert_eq!(state == ConnectionState::WaitingForFirstSync, waits, "{facts:?}");
                            let active = well && setup == SetupCheck::Passed;
                            assert_eq!(state == ConnectionState::Active, active, "{facts:?}");
                            rows += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(rows, 96);
}

/// Claims SUP-58.
#[test]
fn key_age_counts_whole_days() {
    let created = "2025-10-01".parse().unwrap();
    let days = |now: &str| KeyAge::at(now.parse().unwrap(), created).days;
    assert_eq!(days("2025-10-01T23:59:59Z"), 0);
    assert_eq!(days("2025-12-29T23:59:59Z"), 89);
    assert_eq!(days("2025-12-30T00:00:00Z"), 90);
}
