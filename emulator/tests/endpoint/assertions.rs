//! What a test can say about its journal, and what it is shown when that does not hold.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bucketproof_emulator::{Emulator, Fault, Op};
use http::StatusCode;

use crate::fixture::{ADMIN, EXTERNAL_ID, ROLE_ARN, WRITER, emulator, listening, new_year, scenario};
use crate::wire::{Ask, Key};

/// The text of the panic, with the ids of requests replaced.
fn failure(emulator: &Emulator, assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion fails");
    let mut text = panic.downcast_ref::<String>().expect("a text").clone();
    for (number, entry) in emulator.journal().entries().iter().enumerate() {
        text = text.replace(&entry.request_id, &format!("[request {}]", number + 1));
    }
    text
}

#[tokio::test]
async fn a_journal_without_denials_passes_and_one_with_them_shows_what_decided() {
    let (emulator, wire) = listening().await;
    wire.send_as(ADMIN, &Ask::new("PUT", "/logs/closed").body("data")).await;
    emulator.assert_no_denials();
    assert_eq!(wire.send_as(ADMIN, &Ask::new("GET", "/logs/missing")).await.status, 404);
    emulator.assert_no_denials();
    wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    wire.send_as(Key::new("AKIAUNKNOWNEXAMPLE00", "x"), &Ask::new("GET", "/logs/key")).await;
    let text = failure(&emulator, || emulator.assert_no_denials());
    insta::assert_snapshot!("denials", text);
}

#[tokio::test]
async fn what_was_asked_for_outside_is_shown_with_its_decision() {
    let (emulator, wire) = listening().await;
    wire.send_as(ADMIN, &Ask::new("PUT", "/logs/raw/a").body("data")).await;
    emulator.assert_no_request_outside(["arn:aws:s3:::logs/raw/"]);
    emulator.assert_no_request_outside(["arn:aws:s3:::logs"]);
    wire.send_as(WRITER, &Ask::new("GET", "/logs/rawer")).await;
    wire.send_as(Key::new("AKIAUNKNOWNEXAMPLE00", "x"), &Ask::new("GET", "/archive/key")).await;
    emulator.assert_no_request_outside(["arn:aws:s3:::logs", "arn:aws:s3:::archive"]);
    let text = failure(&emulator, || emulator.assert_no_request_outside(["arn:aws:s3:::logs/raw/"]));
    assert!(text.starts_with("2 of 3 requests went outside of `arn:aws:s3:::logs/raw/`\n"), "{text}");
    assert!(text.contains("  on arn:aws:s3:::archive/key\n"), "{text}");
    assert!(
        text.contains(
            "request [request 2]: GetObject (GET /logs/rawer) by arn:aws:iam::111122223333:user/writer"
        ),
        "{text}"
    );
    assert!(
        text.contains("resource   fails     arn:aws:s3:::logs/rawer is not arn:aws:s3:::logs/open/*"),
        "{text}"
    );
}

#[tokio::test]
async fn an_expected_denial_is_given_back() {
    let (emulator, wire) = listening().await;
    wire.send_as(WRITER, &Ask::new("GET", "/logs/closed")).await;
    wire.send_as(WRITER, &Ask::new("PUT", "/logs/open/a").body("data")).await;
    let denied = emulator.assert_denied("s3:GetObject", "arn:aws:s3:::logs");
    assert_eq!(denied.resource, "arn:aws:s3:::logs/closed");
    emulator.assert_denied("s3:get*", "arn:aws:s3:::logs/clo*");
    let allowed = failure(&emulator, || drop(emulator.assert_denied("s3:PutObject", "arn:aws:s3:::logs")));
    assert!(allowed.starts_with("`s3:PutObject` on `arn:aws:s3:::logs` should have been denied, and was allowed\nALLOWED  s3:PutObject"), "{allowed}");
    assert!(allowed.contains("allows    statement 1"), "{allowed}");
    let unasked = failure(&emulator, || drop(emulator.assert_denied("s3:DeleteObject", "arn:aws:s3:::logs")));
    assert!(
        unasked.contains("and nobody asked for it\n  s3:GetObject on arn:aws:s3:::logs/closed\n"),
        "{unasked}"
    );
}

#[tokio::test]
async fn requests_and_decisions_are_narrowed_down() {
    let (emulator, wire) = listening().await;
    for key in ["a", "b"] {
        wire.send_as(ADMIN, &Ask::new("PUT", &format!("/logs/{key}")).body("12345")).await;
    }
    wire.send_as(WRITER, &Ask::new("GET", "/logs/a")).await;
    wire.send_as(ADMIN, &Ask::new("GET", "/logs/a")).await;
    wire.send(&Ask::new("PATCH", "/")).await;
    let session = emulator.actor("vendor").assume(ROLE_ARN, EXTERNAL_ID).await.unwrap();
    session.s3().put_object().bucket("logs").key("c").send().await.unwrap();

    let requests = emulator.requests();
    let counts: Vec<_> = requests.counts().into_iter().collect();
    assert_eq!(counts, [(Op::GetObject, 2), (Op::PutObject, 3), (Op::AssumeRole, 1)]);
    assert_eq!(requests.clone().op(Op::PutObject).by("*:user/admin").len(), 2);
    assert_eq!(requests.clone().key_prefix("a").len(), 3);
    assert_eq!(requests.clone().bucket("logs").refused().len(), 1);
    assert_eq!(requests.clone().service("sts").len(), 1);
    assert_eq!(requests.clone().code("AccessDenied").denied().len(), 1);
    assert_eq!(requests.clone().refused_undecided().first().unwrap().status, 501);
    assert!(requests.clone().with_faults().is_empty());
    assert_eq!(requests.clone().op(Op::PutObject).by("*:user/admin").bytes(), (10, 0));
    let decisions = emulator.decisions();
    assert_eq!(decisions.clone().denied().last().unwrap().action, "s3:GetObject");
    assert_eq!(decisions.clone().allowed().action("sts:*").len(), 1);
    assert_eq!(decisions.clone().by("*assumed-role/exporter/*").first().unwrap().action, "s3:PutObject");
    assert_eq!(decisions.on("arn:aws:s3:::logs/a").len(), 3);
    let text = failure(&emulator, || emulator.requests().op(Op::GetObject).assert_count(1));
    assert!(
        text.starts_with("2 requests, and there should be 1\n  request [request 3]: GetObject (GET /logs/a)"),
        "{text}"
    );
    assert!(text.contains("was answered 403 AccessDenied\n"), "{text}");
}

#[tokio::test]
async fn a_fault_and_the_attempts_behind_it_are_in_the_text() {
    let emulator = emulator().await;
    let fault = Fault::on(Op::ListBuckets).times(1).refuse(StatusCode::FORBIDDEN, "AccessDenied", "no");
    let _refused = emulator.inject(fault);
    emulator.s3("admin").list_buckets().send().await.unwrap_err();
    let text = failure(&emulator, || emulator.assert_no_denials());
    assert!(text.contains("under the fault `ListBuckets: refused with 403 AccessDenied`"), "{text}");
    emulator.journal().clear();
    let _slow = emulator.inject(Fault::on(Op::ListBuckets).times(1).slow_down());
    emulator.s3("admin").list_buckets().send().await.unwrap();
    let attempts: Vec<_> = emulator.requests().iter().map(|entry| entry.attempt).collect();
    assert_eq!(attempts, [Some(1), Some(2)]);
    emulator.assert_no_denials();
}

#[tokio::test]
async fn what_was_forgotten_cannot_be_asserted_on() {
    let builder = Emulator::builder().scenario(scenario()).clock(new_year()).seed(7).journal_limit(2);
    let emulator = builder.start().await.unwrap();
    for _ in 0..3 {
        emulator.s3("admin").list_buckets().send().await.unwrap();
    }
    assert_eq!((emulator.journal().entries().len(), emulator.journal().forgotten()), (2, 1));
    let text = failure(&emulator, || emulator.assert_no_denials());
    assert!(
        text.starts_with("the journal has forgotten 1 requests") && text.contains("`Builder::journal_limit`"),
        "{text}"
    );
    emulator.journal().clear();
    emulator.assert_no_denials();
    let fork = emulator.fork();
    for _ in 0..3 {
        fork.s3("admin").list_buckets().send().await.unwrap();
    }
    assert_eq!(fork.journal().entries().len(), 2, "a fork keeps as many");
}
