//! A row of a decision table: who asks for what under which policies, and the answer.

use std::collections::BTreeMap;

use bucketproof_authz::{
    AccountId, Acl, AclGrant, AclGroup, AclPermission, Acls, Arn, Context, Decision, EncryptionContext,
    Grantee, KmsGrant, KmsGrantConstraints, KmsGrantOperation, KmsGrants, ObjectOwnership, Policies, Policy,
    PolicyKind, PolicySource, Principal, PrincipalIds, PublicAccessBlock, Request, Resource, UniqueId,
    decide,
};
use serde::Deserialize;
use serde_json::Value;

use super::change::DecisionChange;

pub(super) const OWNER: &str = "111111111111";
pub(super) const PARTNER: &str = "222222222222";
const THIRD: &str = "333333333333";

/// A statement that matches everything, for a policy of a principal and for one of a resource.
const EVERYTHING: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const EVERYBODY: &str = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
const EVERYBODY_TRUSTED: &str = r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:*"}"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) decision: Vec<Row>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) caller: String,
    #[serde(default = "default_action")]
    pub(super) action: String,
    #[serde(default = "default_resource")]
    pub(super) resource: String,
    #[serde(default = "default_version")]
    pub(super) version: String,
    #[serde(default)]
    pub(super) identity: Vec<String>,
    pub(super) boundary: Option<Vec<String>>,
    pub(super) session: Option<Vec<String>>,
    #[serde(default)]
    pub(super) scp: Vec<Vec<String>>,
    pub(super) resource_policy: Option<Vec<String>>,
    #[serde(default)]
    pub(super) restrict_public_buckets: bool,
    pub(super) condition: Option<String>,
    #[serde(default)]
    pub(super) context: BTreeMap<String, toml::Value>,
    pub(super) canonical_user: Option<String>,
    unique_id: Option<String>,
    /// The unique ids that names in the resource policy had when it was stored.
    #[serde(default)]
    bound: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) ownership: ObjectOwnership,
    pub(super) bucket_acl: Option<Vec<String>>,
    pub(super) object_owner: Option<String>,
    pub(super) object_acl: Option<Vec<String>>,
    #[serde(default)]
    pub(super) ignore_public_acls: bool,
    #[serde(default)]
    grant: Vec<Grant>,
    #[serde(default)]
    encryption_context: EncryptionContext,
    pub(super) expect: String,
    pub(super) reason: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    grantee: String,
    retiring: Option<String>,
    operations: Vec<KmsGrantOperation>,
    equals: Option<EncryptionContext>,
    subset: Option<EncryptionContext>,
}

/// A row that does not say what it must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row `{row}` of the decision tables has no usable {what}: {message}")]
pub(super) struct BrokenRow {
    row: String,
    what: &'static str,
    message: String,
}

fn default_action() -> String {
    "s3:GetObject".to_owned()
}

fn default_resource() -> String {
    "arn:aws:s3:::b/k".to_owned()
}

fn default_version() -> String {
    "2012-10-17".to_owned()
}

/// The account of a caller, which is its canonical user id as well.
fn account_of(caller: &str) -> &str {
    match caller.split_once('-') {
        Some((account @ ("partner" | "third"), _)) => account,
        _ => "owner",
    }
}

impl Row {
    /// Asks the core.
    pub(super) fn decide(&self) -> Result<Decision, BrokenRow> {
        let list = |kind, statements: &Option<Vec<String>>| {
            statements.as_ref().map(|statements| self.list(kind, statements)).transpose()
        };
        let conditional = self.condition.as_ref().map(|condition| {
            format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#)
        });
        let identity = self.identity.iter().chain(&conditional);
        let identity = identity
            .map(|one| self.policy(PolicyKind::Identity, std::slice::from_ref(one)))
            .collect::<Result<Vec<_>, _>>()?;
        let boundary = list(PolicyKind::Boundary, &self.boundary)?;
        let session = list(PolicyKind::Session, &self.session)?;
        let resource = match &self.resource_policy {
            Some(statements) => Some(self.bound(&self.policy(self.resource_kind(), statements)?)?),
            None => None,
        };
        let bucket_acl = self.bucket_acl.as_ref().map(|grants| self.acl("owner", grants)).transpose()?;
        let object_owner = self.object_owner.as_deref().unwrap_or("owner");
        let object_acl = self.object_acl.as_ref().map(|grants| self.acl(object_owner, grants)).transpose()?;
        let private = Acl::private(&"owner".into());
        let acls = (bucket_acl.is_some() || object_acl.is_some()).then(|| Acls {
            ownership: self.ownership,
            bucket: bucket_acl.as_ref().unwrap_or(&private),
            object: object_acl.as_ref(),
        });
        let grants = self.grant.iter().map(|grant| self.kms_grant(grant)).collect::<Result<Vec<_>, _>>()?;
        let levels = self.scp.iter().map(|level| self.list(PolicyKind::ServiceControl, level));
        let service_control = levels.collect::<Result<Vec<_>, _>>()?;
        let policies = Policies {
            identity: &identity,
            boundary: boundary.as_deref(),
            session: session.as_deref(),
            service_control: &service_control,
            resource: resource.as_ref(),
            public_access_block: PublicAccessBlock {
                restrict_public_buckets: self.restrict_public_buckets,
                ignore_public_acls: self.ignore_public_acls,
                ..PublicAccessBlock::NONE
            },
            acls,
            kms_grants: KmsGrants { list: &grants, encryption_context: Some(&self.encryption_context) },
        };
        Ok(decide(&self.request()?, &policies))
    }

    /// The row with a falsifier's change.
    pub(super) fn changed(&self, change: DecisionChange) -> Self {
        let mut row = self.clone();
        match change {
            DecisionChange::DeniesIgnored => row.drop_statements("Deny"),
            DecisionChange::AllowsIgnored => {
                row.drop_statements("Allow");
                row.condition = None;
                row.grant.clear();
                row.bucket_acl = row.bucket_acl.map(|_| Vec::new());
                row.object_acl = row.object_acl.map(|_| Vec::new());
            }
            DecisionChange::CallerIgnored => {
                "anonymous".clone_into(&mut row.caller);
                default_action().clone_into(&mut row.action);
                row.identity.clear();
                row.resource_policy = None;
                row.bucket_acl = None;
                row.object_acl = None;
                row.condition = None;
            }
            DecisionChange::PoliciesIgnored => {
                "user".clone_into(&mut row.caller);
                row.identity = vec![EVERYTHING.to_owned()];
                row.resource_policy = match row.resource_kind() {
                    // A trust policy and a key's belong to the resource itself.
                    PolicyKind::Trust => Some(vec![EVERYBODY_TRUSTED.to_owned()]),
                    PolicyKind::Key => Some(vec![EVERYBODY.to_owned()]),
                    _ => row.resource_policy.map(|_| vec![EVERYBODY.to_owned()]),
                };
                row.bucket_acl = None;
                row.object_acl = None;
                row.boundary = None;
                row.session = None;
                row.scp.clear();
                row.restrict_public_buckets = false;
                row.condition = None;
                row.object_owner = None;
            }
            DecisionChange::ConditionsIgnored => {
                row.each_list(|statements| {
                    for statement in statements {
                        if let Ok(Value::Object(mut document)) = serde_json::from_str(statement) {
                            document.remove("Condition");
                            *statement = Value::Object(document).to_string();
                        }
                    }
                });
            }
        }
        row
    }

    fn drop_statements(&mut self, effect: &str) {
        self.each_list(|statements| {
            statements.retain(|statement| {
                let document: Value = serde_json::from_str(statement).unwrap_or_default();
                document.get("Effect").and_then(Value::as_str) != Some(effect)
            });
        });
    }

    fn each_list(&mut self, mut change: impl FnMut(&mut Vec<String>)) {
        change(&mut self.identity);
        for list in [&mut self.boundary, &mut self.session, &mut self.resource_policy].into_iter().flatten() {
            change(list);
        }
        for level in &mut self.scp {
            change(level);
        }
        if self.resource_policy.as_ref().is_some_and(Vec::is_empty) {
            self.resource_policy = None;
        }
    }

    /// Every statement of a policy that the row has.
    pub(super) fn statements(&self) -> impl Iterator<Item = &String> {
        let lists = [&self.boundary, &self.session, &self.resource_policy];
        self.identity.iter().chain(lists.into_iter().flatten().flatten())
    }

    /// Whether the row has ids of principals, or what belongs to keys.
    pub(super) fn speaks_of_more_than_policies(&self) -> bool {
        self.unique_id.is_some()
            || !self.bound.is_empty()
            || !self.grant.is_empty()
            || !self.encryption_context.is_empty()
    }

    /// Every grant of an ACL that the row has.
    pub(super) fn grants(&self) -> impl Iterator<Item = &String> {
        self.bucket_acl.iter().chain(&self.object_acl).flatten()
    }

    /// Whether a policy of a resource has a say.
    pub(super) fn has_resource_policy(&self) -> bool {
        self.resource_policy.is_some()
    }

    /// Whether ACLs have a say.
    pub(super) fn has_acls(&self) -> bool {
        self.bucket_acl.is_some() || self.object_acl.is_some()
    }

    /// What the core is asked, a line a fact.
    pub(super) fn facts(&self) -> Vec<String> {
        let mut facts = vec![format!("{} asks for {} on {}", self.caller, self.action, self.resource)];
        let mut list = |name: &str, statements: &[String]| {
            facts.extend(statements.iter().map(|statement| format!("{name}: {statement}")));
        };
        list("identity policy", &self.identity);
        for (name, statements) in [
            ("boundary", &self.boundary),
            ("session policy", &self.session),
            ("resource policy", &self.resource_policy),
            ("bucket ACL", &self.bucket_acl),
            ("object ACL", &self.object_acl),
        ] {
            list(name, statements.as_deref().unwrap_or_default());
        }
        for (number, level) in self.scp.iter().enumerate() {
            list(&format!("service control policy, level {}", number + 1), level);
        }
        list("condition of an identity policy", self.condition.as_slice());
        facts.extend(self.grant.iter().map(|grant| format!("grant on the key to {}", grant.grantee)));
        facts.extend(self.context.iter().map(|(key, value)| format!("request has {key} = {value}")));
        facts
    }

    fn broken(&self, what: &'static str, message: &dyn std::fmt::Display) -> BrokenRow {
        BrokenRow { row: self.id.clone(), what, message: message.to_string() }
    }

    fn policy(&self, kind: PolicyKind, statements: &[String]) -> Result<Policy, BrokenRow> {
        let version = match self.version.as_str() {
            "" => String::new(),
            version => format!(r#""Version":"{version}","#),
        };
        let text = format!(r#"{{{version}"Statement":[{}]}}"#, statements.join(","));
        Policy::parse(&text, PolicySource::new(kind, "p")).map_err(|error| self.broken("policy", &error))
    }

    /// One policy, or none without statements: a list that is there and empty.
    fn list(&self, kind: PolicyKind, statements: &[String]) -> Result<Vec<Policy>, BrokenRow> {
        if statements.is_empty() { Ok(Vec::new()) } else { Ok(vec![self.policy(kind, statements)?]) }
    }

    fn bound(&self, policy: &Policy) -> Result<Policy, BrokenRow> {
        let mut ids = BTreeMap::new();
        for (arn, id) in &self.bound {
            let id = UniqueId::new(id).map_err(|error| self.broken("unique id", &error))?;
            ids.insert(arn.as_str(), id);
        }
        Ok(policy.bind(|arn| ids.get(arn.as_str()).cloned()))
    }

    fn resource_kind(&self) -> PolicyKind {
        match self.service().as_str() {
            "sts" => PolicyKind::Trust,
            "kms" => PolicyKind::Key,
            "sns" => PolicyKind::Topic,
            _ => PolicyKind::Bucket,
        }
    }

    /// The service of the action, in lower case.
    pub(super) fn service(&self) -> String {
        self.action.split(':').next().unwrap_or_default().to_lowercase()
    }

    fn request(&self) -> Result<Request, BrokenRow> {
        let mut context = Context::new();
        for (key, value) in &self.context {
            match value {
                toml::Value::String(text) => context.set(key, text),
                toml::Value::Array(values) => {
                    context.set_many(key, values.iter().filter_map(toml::Value::as_str))
                }
                other => return Err(self.broken("context", &format!("`{key}` holds `{other}`"))),
            };
        }
        let unique = match &self.unique_id {
            Some(id) => Some(UniqueId::new(id).map_err(|error| self.broken("unique id", &error))?),
            None => None,
        };
        let ids = PrincipalIds {
            canonical_user: Some(self.canonical_user.as_deref().unwrap_or(account_of(&self.caller)).into()),
            unique,
        };
        let resource = Resource { arn: self.resource.clone(), account: AccountId::new(OWNER).ok() };
        Ok(Request { principal: self.principal()?, ids, action: self.action.clone(), resource, context })
    }

    fn principal(&self) -> Result<Principal, BrokenRow> {
        let id = match account_of(&self.caller) {
            "partner" => PARTNER,
            "third" => THIRD,
            _ => OWNER,
        };
        let account = AccountId::new(id).map_err(|error| self.broken("account", &error))?;
        let arn = |text: String| Arn::new(text).map_err(|error| self.broken("ARN", &error));
        let session = |session: &str, of: &str| {
            Ok(Principal::AssumedRole {
                session_arn: arn(format!("arn:aws:sts::{id}:{session}"))?,
                role_arn: arn(format!("arn:aws:iam::{id}:{of}"))?,
                account: account.clone(),
            })
        };
        match self.caller.trim_start_matches("partner-").trim_start_matches("third-") {
            "user" => Ok(Principal::User { arn: arn(format!("arn:aws:iam::{id}:user/eng/alice"))?, account }),
            "session" => session("assumed-role/loader/job-7", "role/svc/loader"),
            "federated" => session("federated-user/bob", "user/eng/alice"),
            "service-linked" => session(
                "assumed-role/AWSServiceRoleForBackup/run-1",
                "role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup",
            ),
            "root" => Ok(Principal::Root { arn: arn(format!("arn:aws:iam::{id}:root"))?, account }),
            "service" => Ok(Principal::Service { name: "cloudtrail.amazonaws.com".to_owned() }),
            "log-delivery" => Ok(Principal::Service { name: "logging.s3.amazonaws.com".to_owned() }),
            "provider" => Ok(Principal::Federated { provider: "accounts.example.com".to_owned() }),
            "anonymous" => Ok(Principal::Anonymous),
            other => Err(self.broken("caller", &format!("`{other}` is no caller"))),
        }
    }

    fn kms_grant(&self, grant: &Grant) -> Result<KmsGrant, BrokenRow> {
        let retiring = match &grant.retiring {
            Some(text) => Some(text.parse().map_err(|error| self.broken("retiring principal", &error))?),
            None => None,
        };
        Ok(KmsGrant {
            id: "g".to_owned(),
            grantee: grant.grantee.parse().map_err(|error| self.broken("grantee", &error))?,
            retiring,
            operations: grant.operations.clone(),
            constraints: KmsGrantConstraints {
                encryption_context_equals: grant.equals.clone(),
                encryption_context_subset: grant.subset.clone(),
            },
        })
    }

    fn acl(&self, owner: &str, grants: &[String]) -> Result<Acl, BrokenRow> {
        let grants = grants.iter().map(|text| self.acl_grant(text)).collect::<Result<_, _>>()?;
        Ok(Acl { owner: owner.into(), grants })
    }

    /// `READ partner`, `WRITE AllUsers`.
    fn acl_grant(&self, text: &str) -> Result<AclGrant, BrokenRow> {
        let broken = || self.broken("ACL grant", &format!("`{text}`"));
        let (permission, grantee) = text.split_once(' ').ok_or_else(broken)?;
        let group = AclGroup::ALL.into_iter().find(|group| format!("{group:?}") == grantee);
        Ok(AclGrant {
            grantee: group.map_or_else(|| Grantee::CanonicalUser(grantee.into()), Grantee::Group),
            permission: AclPermission::parse(permission).ok_or_else(broken)?,
        })
    }
}
