//! The journal as an emulator hands it out.

use super::{Decisions, RecordedDecision, Requests};
use crate::Emulator;

impl Emulator {
    /// All requests so far, to be narrowed down, counted and asserted on: `emulator.requests().op(Op::PutObject)`.
    pub fn requests(&self) -> Requests {
        self.journal().requests()
    }

    /// All decisions so far, to be narrowed down and explained: `emulator.decisions().denied().last()`.
    pub fn decisions(&self) -> Decisions {
        self.journal().decisions()
    }

    /// Fails the test if anybody was denied anything, or was not recognised: see [`Journal::assert_no_denials`](crate::Journal::assert_no_denials).
    ///
    /// ```should_panic
    /// # use bucketproof_emulator::Emulator;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let emulator = Emulator::builder().start().await.unwrap();
    /// emulator.s3("administrator").list_buckets().send().await.unwrap();
    /// emulator.assert_no_denials();
    /// let stranger = aws_credential_types::Credentials::new("AKIANOBODYUSEREXAMPL", "x", None, None, "test");
    /// emulator.s3_with(stranger).list_buckets().send().await.unwrap_err();
    /// emulator.assert_no_denials(); // fails: `InvalidAccessKeyId` before anything was decided
    /// # });
    /// ```
    ///
    /// # Panics
    /// With the trace of each denial: which statement or condition decided, the request id, and what to do.
    #[track_caller]
    pub fn assert_no_denials(&self) {
        self.journal().assert_no_denials();
    }

    /// Fails the test if a request was about something else than these resources and what is below them: see
    /// [`Requests::assert_none_outside`].
    ///
    /// ```
    /// # use bucketproof_emulator::Emulator;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let emulator = Emulator::builder().start().await.unwrap();
    /// let s3 = emulator.s3("administrator");
    /// s3.create_bucket().bucket("logs").send().await.unwrap();
    /// s3.put_object().bucket("logs").key("raw/a").send().await.unwrap();
    /// emulator.assert_no_request_outside(["arn:aws:s3:::logs"]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// With the requests that were.
    #[track_caller]
    pub fn assert_no_request_outside<A: AsRef<str>>(&self, arns: impl IntoIterator<Item = A>) {
        self.journal().assert_no_request_outside(arns);
    }

    /// Fails the test unless an action was denied on a resource or below it; gives the last such denial.
    ///
    /// # Panics
    /// With what was decided instead.
    #[track_caller]
    pub fn assert_denied(&self, action: &str, arn: &str) -> RecordedDecision {
        self.journal().assert_denied(action, arn)
    }
}
