use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Event, Settings, run};
use crate::check::{Check, Run};
use crate::context::{CheckContext, ScenarioSource};
use crate::inventory::Inventory;
use crate::outcome::{Outcome, Stop};
use crate::sample::{self, FAILED, LACKING, PANICKED, PASSED, SKIPPED};

pub(crate) fn context() -> impl Fn(&Check) -> CheckContext {
    let scenario = Arc::new(ScenarioSource::embedded());
    move |_| CheckContext::new(Arc::clone(&scenario))
}

async fn events(checks: Vec<Check>, settings: &Settings) -> Vec<Event> {
    let inventory = Inventory::new(checks).unwrap();
    let mut events = Vec::new();
    run(inventory.checks(), context(), settings, |event| events.push(event)).await;
    events
}

fn outcome<'a>(events: &'a [Event], wanted: &str) -> &'a Outcome {
    events
        .iter()
        .find_map(|event| match event {
            Event::CheckFinished { id, outcome, .. } if id.as_str() == wanted => Some(outcome),
            _ => None,
        })
        .unwrap_or_else(|| panic!("`{wanted}` finished"))
}

#[tokio::test]
async fn every_check_ends_once_between_start_and_end_of_the_run() {
    let events = events(sample::checks(), &sample::settings()).await;
    assert_eq!(events.first(), Some(&Event::RunStarted { checks: 5 }));
    assert!(matches!(events.last(), Some(Event::RunFinished { .. })));
    for check in sample::checks() {
        let position = |wanted: &dyn Fn(&Event) -> bool| {
            let found: Vec<usize> =
                events.iter().enumerate().filter(|(_, event)| wanted(event)).map(|(at, _)| at).collect();
            assert!(found.len() <= 1);
            found.first().copied()
        };
        let started = position(&|event| matches!(event, Event::CheckStarted { id } if *id == check.id));
        let finished = position(&|event| matches!(event, Event::CheckFinished { id, .. } if *id == check.id));
        assert!(finished.is_some());
        assert_eq!(started.is_none(), check.id.as_str() == SKIPPED);
        assert!(started < finished);
    }
}

#[tokio::test]
async fn outcomes_are_told_apart() {
    let events = events(sample::checks(), &sample::settings()).await;
    assert_eq!(*outcome(&events, PASSED), Outcome::Passed);
    assert_eq!(*outcome(&events, SKIPPED), Outcome::Skipped { missing: LACKING });
    assert!(
        matches!(outcome(&events, FAILED), Outcome::Failed(failure) if failure.step == "export the first hour")
    );
    let Outcome::Errored(breakage) = outcome(&events, PANICKED) else {
        panic!("a panic is an error of the check")
    };
    assert_eq!(breakage.message, "the check panicked: index out of bounds: the len is 0 but the index is 0");
}

#[tokio::test]
async fn a_skipped_check_does_not_run() {
    let calls = Arc::new(AtomicUsize::new(0));
    let mut checks = sample::checks();
    for check in &mut checks {
        let calls = Arc::clone(&calls);
        check.needs = vec![LACKING];
        check.run = Run::new(move |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            async { Err(Stop::Skipped { missing: LACKING }) }
        });
    }
    events(checks, &sample::settings()).await;
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_most_two_checks_run_at_a_time_and_two_do() {
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let mut checks = Vec::new();
    for round in 0..4 {
        for mut check in sample::checks() {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            check.id = format!("round{round}.{}", check.id).into();
            check.needs.clear();
            check.run = Run::new(move |_| {
                let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                async move {
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    for _ in 0..100 {
                        tokio::task::yield_now().await;
                    }
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                }
            });
            checks.push(check);
        }
    }
    events(checks, &Settings::default()).await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
}
