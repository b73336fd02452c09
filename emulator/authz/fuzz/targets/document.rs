//! Any text as a policy of any kind.

use std::sync::LazyLock;

use bucketproof_authz::{
    AccountId, Arn, Context, DocumentKind, InlineOwner, Policies, Policy, PolicyKind, PolicySource,
    Principal, PrincipalIds, Request, Resource, decide, lint, policy_chars,
};

const KINDS: [PolicyKind; 8] = [
    PolicyKind::Identity,
    PolicyKind::Boundary,
    PolicyKind::Session,
    PolicyKind::ServiceControl,
    PolicyKind::Bucket,
    PolicyKind::Trust,
    PolicyKind::Key,
    PolicyKind::Topic,
];

const DOCUMENTS: [DocumentKind<'static>; 7] = [
    DocumentKind::Managed,
    DocumentKind::Inline { owner: InlineOwner::Role, name: "r", other_chars: 0 },
    DocumentKind::Session,
    DocumentKind::Trust,
    DocumentKind::Bucket { name: "b" },
    DocumentKind::Key,
    DocumentKind::Topic,
];

static REQUEST: LazyLock<Request> = LazyLock::new(|| {
    let account = AccountId::new("111122223333").expect("an account id");
    let mut context = Context::new();
    context
        .set("aws:username", "alice")
        .set("aws:SourceIp", "192.0.2.1")
        .set("aws:CurrentTime", "2026-07-01T00:00:00Z")
        .set("aws:SecureTransport", "true")
        .set("s3:max-keys", "10")
        .set_many("aws:TagKeys", ["a", "b"]);
    Request {
        principal: Principal::User {
            arn: Arn::new("arn:aws:iam::111122223333:user/alice").expect("an ARN"),
            account: account.clone(),
        },
        ids: PrincipalIds::default(),
        action: "s3:GetObject".to_owned(),
        resource: Resource { arn: "arn:aws:s3:::b/alice/x".to_owned(), account: Some(account) },
        context,
    }
});

/// Nothing panics; what is taken is JSON, keeps its text, and is decided and explained; what is refused says why and
/// where.
pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lines = text.split('\n').count();
    for kind in KINDS {
        match Policy::parse(text, PolicySource::new(kind, "p")) {
            Ok(policy) => taken(text, lines, &policy),
            Err(error) => {
                let line = usize::try_from(error.line()).expect("few lines");
                assert!((1..=lines).contains(&line) && error.column() >= 1, "{error}");
                assert!(!error.help().is_empty());
                assert!(!error.aws_code().is_empty() && !error.aws_message().is_empty());
            }
        }
    }
    for document in DOCUMENTS {
        let source = PolicySource::new(PolicyKind::Identity, "p");
        if let Ok(policy) = Policy::parse_valid(text, source, document) {
            assert_eq!((policy.text(), policy.kind()), (text, document.policy_kind()));
            assert!(Policy::parse(text, PolicySource::new(policy.kind(), "p")).is_ok());
        }
    }
    assert!(policy_chars(text) <= text.len());
}

fn taken(text: &str, lines: usize, policy: &Policy) {
    serde_json::from_str::<serde_json::Value>(text).expect("what is taken is JSON");
    assert_eq!(policy.text(), text);
    for finding in lint(policy) {
        assert!((1..=lines).contains(&usize::try_from(finding.line).expect("few lines")), "{finding}");
    }
    let own = [policy.clone()];
    let policies = if policy.kind().is_resource_policy() {
        Policies { resource: Some(policy), ..Policies::default() }
    } else {
        Policies { identity: &own, boundary: Some(&own), ..Policies::default() }
    };
    let decision = decide(&REQUEST, &policies);
    assert_eq!(decision.trace().outcome, decision.outcome());
    assert!(!decision.explain().is_empty());
    assert_eq!(decision.is_allowed(), decision.aws_message().is_empty());
}
