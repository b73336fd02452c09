//! The program itself, killed with signal 9 in the midst of its requests and started again, until it gets through.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use bucketproof_clock::Clock;
use jiff::{SignedDuration, Timestamp};

use super::place::{Place, SECRET, all_profiles};

/// Started anew at most so many times.
const KILLS_MAX: usize = 40;

fn start(place: &Place) -> Child {
    Command::new(env!("CARGO_BIN_EXE_bucketproof-connector"))
        .args(["sync", "--config", "c.toml"])
        .current_dir(place.path())
        .env_clear()
        .env("SECRET", SECRET)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the emulator has answered `requests` more requests, or until the program ends. On this one thread the
/// emulator works, too, whenever this yields.
async fn until(place: &Place, program: &mut Child, requests: usize) -> bool {
    let before = place.emulator.journal().entries().len();
    loop {
        if let Some(status) = program.try_wait().unwrap() {
            let mut said = String::new();
            std::io::Read::read_to_string(&mut program.stderr.take().unwrap(), &mut said).unwrap();
            assert!(status.success(), "{said}");
            return true;
        }
        if place.emulator.journal().entries().len() >= before + requests {
            program.kill().unwrap();
            program.wait().unwrap();
            return false;
        }
        tokio::task::yield_now().await;
    }
}

async fn objects(place: &Place) -> BTreeMap<String, bytes::Bytes> {
    let objects = place.objects().await;
    assert!(objects.values().all(|body| !body.is_empty()));
    objects
}

/// The hour that an appended object is named after.
fn hour(now: Timestamp) -> i64 {
    now.as_second() / 3_600
}

/// Claims ENG-01, ENG-02, ENG-05, SUP-07, DAT-32.
#[tokio::test]
async fn killed_with_signal_nine_until_it_gets_through_it_ends_with_the_same_bytes() {
    let clock = Clock::system();
    for (text, profile) in all_profiles() {
        let place = Place::served(&text).await;
        std::fs::write(place.path().join("c.toml"), place.config_text()).unwrap();
        let began = hour(clock.now());
        // Hours of the day before yesterday, which is over by every schedule.
        let day = SignedDuration::from_hours(24);
        let from = Timestamp::from_second(began * 3_600).unwrap() - 2 * day;
        for back in [SignedDuration::ZERO, SignedDuration::from_hours(1), SignedDuration::from_hours(2)] {
            place.write_rows_from(0..5, from - back);
        }
        let mut program = start(&place);
        assert!(until(&place, &mut program, usize::MAX / 2).await);
        let requests = place.emulator.journal().entries().len();
        let undisturbed = objects(&place).await;
        assert!(undisturbed.len() >= profile.datasets().len(), "{}: {undisturbed:?}", profile.id());

        place.emulator.reset().unwrap();
        std::fs::remove_dir_all(place.path().join("state")).unwrap();
        let mut kills = 0;
        for wanted in 0..KILLS_MAX {
            let mut program = start(&place);
            if until(&place, &mut program, wanted).await {
                break;
            }
            kills += 1;
        }
        // One of the requests asks whether the store keeps conditions; a refused write is an answer, too.
        assert!(kills >= requests.min(3), "{}: {kills} kills of a run of {requests} requests", profile.id());
        let mut program = start(&place);
        assert!(until(&place, &mut program, usize::MAX / 2).await, "{}", profile.id());
        let found = objects(&place).await;
        if hour(clock.now()) == began {
            assert_eq!(found, undisturbed, "{} after {kills} kills", profile.id());
        }
        let bodies = |objects: BTreeMap<String, bytes::Bytes>| {
            let mut bodies: Vec<bytes::Bytes> = objects.into_values().collect();
            bodies.sort();
            bodies
        };
        assert!(bodies(found) == bodies(undisturbed), "{} after {kills} kills", profile.id());
    }
}
