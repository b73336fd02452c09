//! Decisions, narrowed down.

use super::pattern::{is_within, matches};
use super::{Entry, RecordedDecision};

/// Decisions of a journal at one moment, oldest first. Each method that takes it narrows it down.
///
/// ```
/// # use bucketproof_emulator::{Emulator, Scenario};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let scenario = Scenario::from_toml(r#"
/// #     [[account]]
/// #     id = "111122223333"
/// #     name = "owner"
/// #     [[account.bucket]]
/// #     name = "logs"
/// #     [[account.user]]
/// #     name = "reader"
/// #     [[account.user.access_key]]
/// #     id = "AKIAREADERUSEREXAMPL"
/// #     secret = "reader"
/// # "#)?;
/// let emulator = Emulator::builder().scenario(scenario).start().await?;
/// emulator.s3("reader").get_object().bucket("logs").key("a").send().await.unwrap_err();
/// let decisions = emulator.decisions().denied();
/// let denied = decisions.last().expect("one request was denied");
/// assert_eq!(denied.action, "s3:GetObject");
/// assert!(denied.explain().contains("identity policies"), "{}", denied.explain());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Decisions {
    all: Vec<RecordedDecision>,
}

impl Decisions {
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        Self { all: entries.flat_map(|entry| entry.decisions.iter().cloned()).collect() }
    }

    fn only(mut self, keep: impl Fn(&RecordedDecision) -> bool) -> Self {
        self.all.retain(keep);
        self
    }

    /// Only those that refused.
    #[must_use]
    pub fn denied(self) -> Self {
        self.only(RecordedDecision::is_denied)
    }

    /// Only those that allowed.
    #[must_use]
    pub fn allowed(self) -> Self {
        self.only(|recorded| recorded.decision.is_allowed())
    }

    /// Only those on an action, such as `s3:PutObject` or `kms:*`.
    #[must_use]
    pub fn action(self, pattern: &str) -> Self {
        let pattern = pattern.to_ascii_lowercase();
        self.only(|recorded| matches(&pattern, &recorded.action.to_ascii_lowercase()))
    }

    /// Only those on a resource and what is below it: a bucket stands for its objects too, `*` for any text.
    #[must_use]
    pub fn on(self, arn: &str) -> Self {
        self.only(|recorded| is_within(arn, &recorded.resource))
    }

    /// Only those of a caller, by ARN; `*` stands for any text.
    #[must_use]
    pub fn by(self, principal: &str) -> Self {
        self.only(|recorded| matches(principal, recorded.decision.request().principal.display_name()))
    }

    /// The newest.
    pub fn last(&self) -> Option<&RecordedDecision> {
        self.all.last()
    }

    /// The oldest.
    pub fn first(&self) -> Option<&RecordedDecision> {
        self.all.first()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, RecordedDecision> {
        self.all.iter()
    }

    /// All traces as text, an empty line between them.
    pub fn explain(&self) -> String {
        self.all.iter().map(RecordedDecision::explain).collect::<Vec<_>>().join("\n")
    }
}

impl<'a> IntoIterator for &'a Decisions {
    type Item = &'a RecordedDecision;
    type IntoIter = std::slice::Iter<'a, RecordedDecision>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Decisions {
    type Item = RecordedDecision;
    type IntoIter = std::vec::IntoIter<RecordedDecision>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}
