//! Why a request was answered as it was, as text.

use std::fmt::Write as _;

use super::{Entry, RecordedDecision};

impl Entry {
    /// Why the request was answered so: the trace of each decision that refused it, or of all if none did, and the
    /// operation that asked. What was refused before anything was decided has no trace; what to look at is said then.
    pub fn explain(&self) -> String {
        if self.decisions.is_empty() {
            return self.explain_undecided();
        }
        let denied: Vec<&RecordedDecision> = self.decisions.iter().filter(|one| one.is_denied()).collect();
        let told = if denied.is_empty() { self.decisions.iter().collect() } else { denied };
        let mut text = told.iter().map(|one| one.explain()).collect::<Vec<_>>().join("\n");
        let _infallible = writeln!(text, "  {}", self.answered());
        for fault in &self.faults {
            let _infallible = writeln!(text, "  under the fault `{fault}`");
        }
        text
    }

    /// What was called, and how it ended: a call of S3 can be refused for a permission on a key.
    fn answered(&self) -> String {
        let what = self.operation.map_or_else(|| "a request".to_owned(), |op| op.to_string());
        let code = self.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        format!("asked by {what} ({} {}), answered {}{code}", self.method, self.path, self.status)
    }

    fn explain_undecided(&self) -> String {
        let Self { request_id, status, .. } = self;
        let code = self.code.as_deref().unwrap_or("without an error");
        let mut text =
            format!("request `{request_id}` was answered {status} ({code}) before anything was decided\n");
        let _infallible = writeln!(text, "  {}", self.answered());
        let hint = match code {
            "InvalidAccessKeyId" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
                Some("nobody has this access key: the scenario names the keys that there are".to_owned())
            }
            "SignatureDoesNotMatch" | "InvalidSignatureException" => Some(
                "the secret key is another one, or the request was changed on its way: the answer has what was signed \
                 here"
                    .to_owned(),
            ),
            "ExpiredToken" | "ExpiredTokenException" => {
                Some(format!("the session had ended: the emulator's clock showed {}", self.received_at))
            }
            "RequestTimeTooSkewed" | "RequestExpired" => {
                Some(format!("the client's time is another one: the emulator's clock showed {}", self.received_at))
            }
            _ => None,
        };
        if let Some(hint) = hint {
            let _infallible = writeln!(text, "  {hint}");
        }
        for fault in &self.faults {
            let _infallible = writeln!(text, "  under the fault `{fault}`");
        }
        text
    }
}
