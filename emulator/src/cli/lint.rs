//! `lint`.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bucketproof_authz::{
    DocumentKind, InlineOwner, Policy, PolicyError, PolicyKind, PolicySource, guess_kind, lint,
};
use serde_json::{Value, json};

use super::{Exit, complain, say};

/// Finds mistakes in policy files; exits 0 if there are none, 1 if there are, 2 if a file cannot be read.
#[derive(Debug, clap::Args)]
pub(super) struct Lint {
    /// The files to read; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the policies are for; told from each document if absent.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Prints one JSON object per finding.
    #[arg(long)]
    json: bool,
}

/// What a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// The policy of a bucket.
    Bucket,
    /// A policy of a user, group or role.
    Identity,
    /// The trust policy of a role.
    Trust,
    /// The policy of a KMS key.
    Key,
    /// The policy of an SNS topic.
    Topic,
    /// A session policy.
    Session,
    /// A permissions boundary.
    Boundary,
    /// A service control policy.
    Scp,
}

impl From<Kind> for PolicyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Bucket => Self::Bucket,
            Kind::Identity => Self::Identity,
            Kind::Trust => Self::Trust,
            Kind::Key => Self::Key,
            Kind::Topic => Self::Topic,
            Kind::Session => Self::Session,
            Kind::Boundary => Self::Boundary,
            Kind::Scp => Self::ServiceControl,
        }
    }
}

/// A finding in a file, or the reason why AWS refuses the whole document.
struct Found {
    file: String,
    line: u32,
    column: u32,
    message: String,
    help: String,
    /// The kind of a finding, or the answer of AWS.
    detail: Value,
}

impl Lint {
    pub(super) fn run(self) -> Exit {
        let mut found = Vec::new();
        let mut unread = false;
        for path in &self.files {
            let file = path.display().to_string();
            match read(path) {
                Ok(text) => found.extend(self.check(&file, &text)),
                Err(error) => {
                    complain(&format!("`{file}` cannot be read: {error}"), "check the path");
                    unread = true;
                }
            }
        }
        let text: String = found.iter().map(|one| if self.json { one.json() } else { one.text() }).collect();
        let exit = match (unread, found.is_empty()) {
            (true, _) => Exit::Usage,
            (false, false) => Exit::No,
            (false, true) => Exit::Done,
        };
        say(&text, exit)
    }

    fn check(&self, file: &str, text: &str) -> Vec<Found> {
        let kind = self.kind.map_or_else(|| guess_kind(text), PolicyKind::from);
        match parse(text, PolicySource::new(kind, file).with_file(file)) {
            Ok(policy) => lint(&policy)
                .into_iter()
                .map(|finding| Found {
                    file: file.to_owned(),
                    line: finding.line,
                    column: finding.column,
                    message: finding.message,
                    help: finding.help,
                    detail: json!({"kind": finding.kind}),
                })
                .collect(),
            Err(error) => vec![Found {
                file: file.to_owned(),
                line: error.line(),
                column: error.column(),
                message: error.message().to_owned(),
                help: error.help().to_owned(),
                detail: json!({
                    "kind": "refused",
                    "aws_code": error.aws_code(),
                    "aws_message": error.aws_message(),
                }),
            }],
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        return io::stdin().read_to_string(&mut text).map(|_| text);
    }
    fs::read_to_string(path)
}

/// Parses by the rules of the operation that takes such a document, as far as the document alone tells them: what a
/// bucket policy is for is the bucket that it names first.
fn parse(text: &str, source: PolicySource) -> Result<Policy, PolicyError> {
    let document = match source.kind {
        // The largest of what a policy of an identity may be.
        PolicyKind::Identity => DocumentKind::Inline { owner: InlineOwner::Role, name: "", other_chars: 0 },
        PolicyKind::Boundary => DocumentKind::Managed,
        PolicyKind::Session => DocumentKind::Session,
        PolicyKind::Trust => DocumentKind::Trust,
        PolicyKind::Key => DocumentKind::Key,
        PolicyKind::Topic => DocumentKind::Topic,
        PolicyKind::Queue => DocumentKind::Queue,
        PolicyKind::ServiceControl => return Policy::parse(text, source),
        PolicyKind::Bucket => {
            let policy = Policy::parse(text, source.clone())?;
            let Some(name) = policy.bucket_name() else { return Ok(policy) };
            return Policy::parse_valid(text, source, DocumentKind::Bucket { name });
        }
    };
    let kind = source.kind;
    let policy = Policy::parse_valid(text, source.clone(), document)?;
    // A boundary is stored as a managed policy, and is judged as what it limits.
    if policy.kind() == kind { Ok(policy) } else { Policy::parse(text, source) }
}

impl Found {
    fn text(&self) -> String {
        let Self { file, line, column, message, help, detail } = self;
        let aws =
            detail["aws_message"].as_str().map(|text| format!("  AWS says: {text}\n")).unwrap_or_default();
        format!("{file}:{line}:{column}: {message}\n  help: {help}\n{aws}")
    }

    fn json(&self) -> String {
        let mut line = json!({
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "help": self.help,
        });
        if let (Some(line), Some(detail)) = (line.as_object_mut(), self.detail.as_object()) {
            line.extend(detail.clone());
        }
        format!("{line}\n")
    }
}
