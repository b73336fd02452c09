//! What a document is for, told from the document.

use crate::policy::PolicyKind;
use crate::policy::json::{self, Member, Node};

/// The kind of policy that a document most likely is. Policies of identities, boundaries, session policies and service
/// control policies look alike and are taken for the first; a document that cannot be read is as well.
///
/// ```
/// use bucketproof_authz::{PolicyKind, guess_kind};
///
/// let text = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}}"#;
/// assert_eq!(guess_kind(text), PolicyKind::Topic);
/// ```
pub fn guess_kind(text: &str) -> PolicyKind {
    let Ok(root) = json::parse(text) else { return PolicyKind::Identity };
    let Some(statement) = root.members().and_then(|members| find(members, &["Statement"])) else {
        return PolicyKind::Identity;
    };
    let statements: Vec<&[Member]> = statement.one_or_many().iter().filter_map(Node::members).collect();
    if !statements.iter().any(|members| find(members, &["Principal", "NotPrincipal"]).is_some()) {
        return PolicyKind::Identity;
    }
    let texts = |elements: [&'static str; 2]| {
        statements
            .iter()
            .filter_map(move |members| find(members, &elements))
            .flat_map(Node::one_or_many)
            .filter_map(Node::scalar_text)
    };
    let services = texts(["Action", "NotAction"])
        .filter_map(|action| action.split_once(':'))
        .map(|(service, _)| service.to_ascii_lowercase())
        .chain(texts(["Resource", "NotResource"]).filter_map(|arn| arn.split(':').nth(2)).map(str::to_owned));
    for service in services {
        match service.as_str() {
            "s3" => return PolicyKind::Bucket,
            "kms" => return PolicyKind::Key,
            "sns" => return PolicyKind::Topic,
            "sqs" => return PolicyKind::Queue,
            "sts" => return PolicyKind::Trust,
            _ => {}
        }
    }
    PolicyKind::Bucket
}

fn find<'a>(members: &'a [Member], names: &[&str]) -> Option<&'a Node> {
    members.iter().find(|member| names.contains(&member.key.as_str())).map(|member| &member.node)
}
