//! One signal that many may wait for.

use tokio::sync::watch;

/// A request to stop, given once; clones share it.
#[derive(Clone, Debug)]
pub struct StopSignal {
    sender: watch::Sender<bool>,
}

impl Default for StopSignal {
    fn default() -> Self {
        Self::new()
    }
}

impl StopSignal {
    /// A signal that was not given.
    pub fn new() -> Self {
        Self { sender: watch::Sender::new(false) }
    }

    /// Gives the signal.
    pub fn give(&self) {
        self.sender.send_replace(true);
    }

    /// Whether it was given.
    pub fn is_given(&self) -> bool {
        *self.sender.borrow()
    }

    /// Returns once it is given.
    pub async fn given(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`.
        let _given = receiver.wait_for(|given| *given).await;
    }
}
