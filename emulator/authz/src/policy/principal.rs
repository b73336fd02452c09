//! `Principal` and `NotPrincipal`.

use crate::arn::{self, AccountId, Arn};
use crate::ids::UniqueId;
use crate::principal::Principal;
use crate::subject::{Bounded, Subject};

use super::document::Effect;
use super::json::Position;

/// One principal as a policy names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedPrincipal {
    /// `*`: everybody, the anonymous included.
    Anyone,
    /// A 12-digit account id or the root ARN of an account: all of the account, by delegation.
    Account(AccountId),
    /// A user, role, role session or federated user ARN, exact.
    Arn(String),
    /// An AWS service.
    Service(String),
    /// The canonical user id of an account.
    CanonicalUser(String),
    /// The unique id (`AIDA…`, `AROA…`) that stays when a named user or role was deleted.
    UniqueId(String),
    /// An identity provider.
    Federated(String),
    /// A text of no known form, which matches nobody.
    Unknown(String),
}

/// A named principal and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalEntry {
    /// What is named.
    pub principal: NamedPrincipal,
    /// The text as written.
    pub text: String,
    /// Where it stands.
    pub at: Position,
    /// The unique id of the user or role that the ARN named when the policy was stored.
    pub(crate) bound_to: Option<UniqueId>,
    /// The bytes of the text in its document, quotes included.
    pub(crate) span: (usize, usize),
}

/// How a matching statement names the caller; it decides what else must allow (IAM User Guide, "Evaluation logic").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// Policies without principals speak of whoever they are attached to.
    Unnamed,
    /// The whole account: a delegation to its identity policies.
    Account,
    /// The role whose session asks.
    Role,
    /// The user, the session, the root user, the service, everybody, or all but some.
    Direct,
}

/// How the principal element of a statement fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrincipalMatch {
    /// The statement has no principal element.
    Absent,
    /// `Principal` names the caller at this index.
    Named(usize, Naming),
    /// `Principal` does not name the caller.
    NotNamed,
    /// `NotPrincipal` does not exempt the caller.
    NotExempt,
    /// `NotPrincipal` exempts the caller.
    Exempt,
    /// `NotPrincipal` with `Deny` hits every caller that has a permissions boundary.
    BoundaryNotExempt,
}

impl PrincipalMatch {
    /// How the statement applies to the caller, if it does.
    pub(crate) fn naming(self) -> Option<Naming> {
        match self {
            Self::Absent => Some(Naming::Unnamed),
            Self::Named(_, naming) => Some(naming),
            Self::NotExempt | Self::BoundaryNotExempt => Some(Naming::Direct),
            Self::NotNamed | Self::Exempt => None,
        }
    }
}

/// A `Principal` or `NotPrincipal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrincipalElement {
    pub(crate) negated: bool,
    pub(crate) entries: Box<[PrincipalEntry]>,
    pub(crate) at: Position,
}

impl NamedPrincipal {
    /// What a text under `"AWS"` names.
    pub(crate) fn parse_aws(text: &str) -> Self {
        if text == "*" {
            return Self::Anyone;
        }
        if let Ok(account) = AccountId::new(text) {
            return Self::Account(account);
        }
        if UniqueId::new(text).is_ok() {
            return Self::UniqueId(text.to_owned());
        }
        let Some(["arn", partition, service @ ("iam" | "sts"), "", account, resource]) = arn::segments(text)
        else {
            return Self::Unknown(text.to_owned());
        };
        // CloudFront's origin access identities stand for the account in their ARN (CloudFront Developer Guide).
        if service == "iam"
            && account == "cloudfront"
            && resource.strip_prefix("user/CloudFront Origin Access Identity ").is_some_and(is_plain_name)
        {
            return Self::Arn(text.to_owned());
        }
        if !partition.is_empty()
            && let Ok(account) = AccountId::new(account)
        {
            if service == "iam" && resource == "root" {
                return Self::Account(account);
            }
            let named = ["user/", "role/", "assumed-role/", "federated-user/"]
                .iter()
                .any(|prefix| resource.strip_prefix(prefix).is_some_and(|name| !name.is_empty()));
            if named && !resource.contains(['*', '?']) {
                return Self::Arn(text.to_owned());
            }
        }
        Self::Unknown(text.to_owned())
    }

    pub(crate) fn names(&self, subject: &Subject<'_>) -> Option<Naming> {
        let principal = subject.principal();
        match self {
            Self::Anyone => Some(Naming::Direct),
            Self::Account(account) => {
                let naming = if matches!(principal, Principal::Root { .. }) {
                    Naming::Direct
                } else {
                    Naming::Account
                };
                (principal.account() == Some(account)).then_some(naming)
            }
            Self::Arn(named) => match principal {
                Principal::User { arn, .. } => (arn.as_str() == named).then_some(Naming::Direct),
                Principal::AssumedRole { session_arn, role_arn, .. } => {
                    if session_arn.as_str() == named {
                        Some(Naming::Direct)
                    } else {
                        (role_arn.as_str() == named).then_some(Naming::Role)
                    }
                }
                Principal::Root { .. }
                | Principal::Service { .. }
                | Principal::Federated { .. }
                | Principal::Anonymous => None,
            },
            Self::Service(named) => match principal {
                Principal::Service { name } => (name == named).then_some(Naming::Direct),
                _ => None,
            },
            Self::CanonicalUser(id) => {
                principal.account()?;
                let own = subject.request.ids.canonical_user.as_ref();
                own.is_some_and(|own| own.as_str() == id).then_some(Naming::Account)
            }
            Self::UniqueId(id) => is_user_or_role(subject, id),
            Self::Federated(named) => match principal {
                Principal::Federated { provider } => (provider == named).then_some(Naming::Direct),
                _ => None,
            },
            Self::Unknown(_) => None,
        }
    }
}

fn is_plain_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether the caller is the user of a unique id, or a session of the role of one.
fn is_user_or_role(subject: &Subject<'_>, id: &str) -> Option<Naming> {
    if subject.unique_id() != Some(id) {
        return None;
    }
    match subject.principal() {
        Principal::User { .. } => Some(Naming::Direct),
        Principal::AssumedRole { .. } => Some(Naming::Role),
        _ => None,
    }
}

impl PrincipalEntry {
    /// How the entry names the caller. A bound ARN stands for the user or role it named when it was stored, whatever
    /// is called so now.
    pub(crate) fn names(&self, subject: &Subject<'_>) -> Option<Naming> {
        match &self.bound_to {
            Some(id) => is_user_or_role(subject, id.as_str()),
            None => self.principal.names(subject),
        }
    }

    /// The ARN of a user or role, which AWS replaces by a unique id when it stores the policy. Sessions have none of
    /// their own; unverified: whether AWS binds the role in the ARN of a session.
    pub(crate) fn bindable(&self) -> Option<Arn> {
        let NamedPrincipal::Arn(text) = &self.principal else { return None };
        let arn = Arn::new(text).ok()?;
        arn.account().filter(|_| arn.service() == "iam").map(|_| arn)
    }
}

impl PrincipalElement {
    pub(crate) fn check(&self, subject: &Subject<'_>, effect: Effect) -> PrincipalMatch {
        if self.negated { self.check_negated(subject, effect) } else { self.check_named(subject) }
    }

    /// The strongest way in which the list names the caller.
    fn check_named(&self, subject: &Subject<'_>) -> PrincipalMatch {
        let mut best = None;
        for (index, entry) in self.entries.iter().enumerate() {
            if let Some(naming) = entry.names(subject)
                && best.is_none_or(|(_, known)| naming > known)
            {
                best = Some((index, naming));
            }
        }
        best.map_or(PrincipalMatch::NotNamed, |(index, naming)| PrincipalMatch::Named(index, naming))
    }

    /// Only the exact ARN is exempt from a `Deny`, and only if its account, and for a session its role, is listed as
    /// well (IAM User Guide, "NotPrincipal"). An `Allow` with `NotPrincipal` leaves out whoever is listed in any way.
    fn check_negated(&self, subject: &Subject<'_>, effect: Effect) -> PrincipalMatch {
        if effect == Effect::Deny && subject.bounded == Bounded::Yes {
            return PrincipalMatch::BoundaryNotExempt;
        }
        let lists = |wanted: &dyn Fn(&PrincipalEntry) -> bool| self.entries.iter().any(wanted);
        let lists_arn = |arn: &Arn| {
            lists(&|entry| match &entry.bound_to {
                None => matches!(&entry.principal, NamedPrincipal::Arn(text) if text == arn.as_str()),
                Some(_) => false,
            })
        };
        let lists_identity = |arn: &Arn| {
            lists_arn(arn)
                || lists(&|entry| {
                    let named_by_id =
                        entry.bound_to.is_some() || matches!(entry.principal, NamedPrincipal::UniqueId(_));
                    named_by_id && entry.names(subject).is_some()
                })
        };
        let lists_account = |account: &AccountId| {
            lists(&|entry| match &entry.principal {
                NamedPrincipal::Account(id) => id == account,
                NamedPrincipal::CanonicalUser(_) => entry.names(subject).is_some(),
                _ => false,
            })
        };
        let exempt = if lists(&|entry| entry.principal == NamedPrincipal::Anyone) {
            true
        } else if effect == Effect::Allow {
            lists(&|entry| entry.names(subject).is_some())
        } else {
            match subject.principal() {
                Principal::User { arn, account } => lists_identity(arn) && lists_account(account),
                Principal::AssumedRole { session_arn, role_arn, account } => {
                    lists_arn(session_arn) && lists_identity(role_arn) && lists_account(account)
                }
                Principal::Root { account, .. } => lists_account(account),
                Principal::Service { .. } | Principal::Federated { .. } => {
                    lists(&|entry| entry.names(subject).is_some())
                }
                Principal::Anonymous => false,
            }
        };
        if exempt { PrincipalMatch::Exempt } else { PrincipalMatch::NotExempt }
    }
}
