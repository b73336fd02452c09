//! The tables in `fixtures/authz`: every row is decided and compared with its outcome and its reason.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken fixture fails its test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bucketproof_authz::{
    AccountId, Acl, AclGrant, AclGroup, AclPermission, Acls, Arn, Context, EncryptionContext, Grantee,
    KmsGrant, KmsGrantConstraints, KmsGrantOperation, KmsGrants, ObjectOwnership, Outcome, Policies, Policy,
    PolicyKind, PolicySource, Principal, PrincipalIds, PublicAccessBlock, Reason, Request, Resource,
    ResourceAllow, UniqueId, decide,
};
use serde::Deserialize;

const OWNER: &str = "111111111111";
const PARTNER: &str = "222222222222";
const THIRD: &str = "333333333333";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    decision: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    source: String,
    caller: String,
    #[serde(default = "default_action")]
    action: String,
    #[serde(default = "default_resource")]
    resource: String,
    #[serde(default = "default_version")]
    version: String,
    #[serde(default)]
    identity: Vec<String>,
    boundary: Option<Vec<String>>,
    session: Option<Vec<String>>,
    #[serde(default)]
    scp: Vec<Vec<String>>,
    resource_policy: Option<Vec<String>>,
    #[serde(default)]
    restrict_public_buckets: bool,
    condition: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, toml::Value>,
    canonical_user: Option<String>,
    unique_id: Option<String>,
    /// The unique ids that names in the resource policy had when it was stored.
    #[serde(default)]
    bound: BTreeMap<String, String>,
    #[serde(default)]
    ownership: ObjectOwnership,
    bucket_acl: Option<Vec<String>>,
    object_owner: Option<String>,
    object_acl: Option<Vec<String>>,
    #[serde(default)]
    ignore_public_acls: bool,
    #[serde(default)]
    grant: Vec<Grant>,
    #[serde(default)]
    encryption_context: EncryptionContext,
    expect: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    grantee: String,
    retiring: Option<String>,
    operations: Vec<KmsGrantOperation>,
    equals: Option<EncryptionContext>,
    subset: Option<EncryptionContext>,
}

impl Grant {
    fn read(&self) -> KmsGrant {
        KmsGrant {
            id: "g".to_owned(),
            grantee: self.grantee.parse().expect("a grantee"),
            retiring: self.retiring.as_ref().map(|text| text.parse().expect("a principal")),
            operations: self.operations.clone(),
            constraints: KmsGrantConstraints {
                encryption_context_equals: self.equals.clone(),
                encryption_context_subset: self.subset.clone(),
            },
        }
    }
}

/// `READ partner`, `WRITE AllUsers`.
fn acl_grant(text: &str) -> AclGrant {
    let (permission, grantee) = text.split_once(' ').expect("a permission and a grantee");
    let group = AclGroup::ALL.into_iter().find(|group| format!("{group:?}") == grantee);
    AclGrant {
        grantee: group.map_or_else(|| Grantee::CanonicalUser(grantee.into()), Grantee::Group),
        permission: AclPermission::parse(permission).expect("a permission"),
    }
}

fn acl(owner: &str, grants: &[String]) -> Acl {
    Acl { owner: owner.into(), grants: grants.iter().map(|text| acl_grant(text)).collect() }
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

fn principal(caller: &str) -> Principal {
    let id = match account_of(caller) {
        "partner" => PARTNER,
        "third" => THIRD,
        _ => OWNER,
    };
    let account = AccountId::new(id).expect("an account id");
    let arn = |text: String| Arn::new(text).expect("an ARN");
    match caller.trim_start_matches("partner-").trim_start_matches("third-") {
        "user" => Principal::User { arn: arn(format!("arn:aws:iam::{id}:user/eng/alice")), account },
        "session" => Principal::AssumedRole {
            session_arn: arn(format!("arn:aws:sts::{id}:assumed-role/loader/job-7")),
            role_arn: arn(format!("arn:aws:iam::{id}:role/svc/loader")),
            account,
        },
        "federated" => Principal::AssumedRole {
            session_arn: arn(format!("arn:aws:sts::{id}:federated-user/bob")),
            role_arn: arn(format!("arn:aws:iam::{id}:user/eng/alice")),
            account,
        },
        "service-linked" => Principal::AssumedRole {
            session_arn: arn(format!("arn:aws:sts::{id}:assumed-role/AWSServiceRoleForBackup/run-1")),
            role_arn: arn(format!(
                "arn:aws:iam::{id}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"
            )),
            account,
        },
        "root" => Principal::Root { arn: arn(format!("arn:aws:iam::{id}:root")), account },
        "service" => Principal::Service { name: "cloudtrail.amazonaws.com".to_owned() },
        "log-delivery" => Principal::Service { name: "logging.s3.amazonaws.com".to_owned() },
        "provider" => Principal::Federated { provider: "accounts.example.com".to_owned() },
        "anonymous" => Principal::Anonymous,
        other => panic!("unknown caller `{other}`"),
    }
}

impl Row {
    fn policy(&self, kind: PolicyKind, statements: &[String]) -> Policy {
        let version = match self.version.as_str() {
            "" => String::new(),
            version => format!(r#""Version":"{version}","#),
        };
        let text = format!(r#"{{{version}"Statement":[{}]}}"#, statements.join(","));
        Policy::parse(&text, PolicySource::new(kind, "p"))
            .unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }

    /// One policy, or none without statements: a list that is there and empty.
    fn list(&self, kind: PolicyKind, statements: &[String]) -> Vec<Policy> {
        if statements.is_empty() { Vec::new() } else { vec![self.policy(kind, statements)] }
    }

    fn request(&self) -> Request {
        let mut context = Context::new();
        for (key, value) in &self.context {
            match value {
                toml::Value::String(text) => context.set(key, text),
                toml::Value::Array(values) => {
                    context.set_many(key, values.iter().filter_map(toml::Value::as_str))
                }
                other => panic!("{}: `{key}` holds {other}", self.id),
            };
        }
        let ids = PrincipalIds {
            canonical_user: Some(self.canonical_user.as_deref().unwrap_or(account_of(&self.caller)).into()),
            unique: self.unique_id.as_ref().map(|id| UniqueId::new(id).expect("a unique id")),
        };
        let resource = Resource { arn: self.resource.clone(), account: AccountId::new(OWNER).ok() };
        Request { principal: principal(&self.caller), ids, action: self.action.clone(), resource, context }
    }

    fn resource_kind(&self) -> PolicyKind {
        match self.action.to_lowercase().split(':').next() {
            Some("sts") => PolicyKind::Trust,
            Some("kms") => PolicyKind::Key,
            Some("sns") => PolicyKind::Topic,
            Some("sqs") => PolicyKind::Queue,
            _ => PolicyKind::Bucket,
        }
    }

    fn check(&self) {
        let list = |kind, statements: &Option<Vec<String>>| {
            statements.as_ref().map(|statements| self.list(kind, statements))
        };
        let conditional = self.condition.as_ref().map(|condition| {
            format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#)
        });
        let identity: Vec<Policy> = self
            .identity
            .iter()
            .chain(&conditional)
            .map(|one| self.policy(PolicyKind::Identity, std::slice::from_ref(one)))
            .collect();
        let boundary = list(PolicyKind::Boundary, &self.boundary);
        let session = list(PolicyKind::Session, &self.session);
        let resource =
            self.resource_policy.as_ref().map(|statements| self.policy(self.resource_kind(), statements));
        let resource = resource.map(|policy| {
            policy.bind(|arn| self.bound.get(arn.as_str()).map(|id| UniqueId::new(id).expect("a unique id")))
        });
        let bucket_acl = self.bucket_acl.as_ref().map(|grants| acl("owner", grants));
        let object_owner = self.object_owner.as_deref().unwrap_or("owner");
        let object_acl = self.object_acl.as_ref().map(|grants| acl(object_owner, grants));
        let private = Acl::private(&"owner".into());
        let acls = (bucket_acl.is_some() || object_acl.is_some()).then(|| Acls {
            ownership: self.ownership,
            bucket: bucket_acl.as_ref().unwrap_or(&private),
            object: object_acl.as_ref(),
        });
        let grants: Vec<KmsGrant> = self.grant.iter().map(Grant::read).collect();
        let service_control: Vec<Vec<Policy>> =
            self.scp.iter().map(|level| self.list(PolicyKind::ServiceControl, level)).collect();
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
        let decision = decide(&self.request(), &policies);
        let explained = decision.explain();
        assert_eq!(decision.outcome().as_str(), self.expect, "{} ({})\n{explained}", self.id, self.source);
        assert_eq!(reason(decision.reason()), self.reason, "{} ({})\n{explained}", self.id, self.source);
        assert_eq!(decision.outcome() == Outcome::Allowed, decision.aws_message().is_empty(), "{}", self.id);
    }
}

/// The reason as the table writes it: the stable name of the rule, and which policy settled it.
fn reason(reason: &Reason) -> String {
    let json = serde_json::to_value(reason).expect("a reason is JSON");
    let kind = json["kind"].as_str().expect("a kind");
    let detail = match reason {
        Reason::AllowedBy { identity, resource } => match (identity, resource) {
            (Some(_), None) => " identity".to_owned(),
            (None, Some(ResourceAllow::Statement(_))) => " resource".to_owned(),
            (Some(_), Some(ResourceAllow::Statement(_))) => " both".to_owned(),
            (None, Some(ResourceAllow::Acl(found))) => format!(" {} acl", found.acl.as_str()),
            (Some(_), Some(ResourceAllow::Acl(found))) => format!(" identity and {} acl", found.acl.as_str()),
            (None, Some(ResourceAllow::KmsGrant(_))) => " kms grant".to_owned(),
            (Some(_), Some(ResourceAllow::KmsGrant(_))) => " identity and kms grant".to_owned(),
            (None, None) => " nothing".to_owned(),
        },
        Reason::ExplicitDeny { .. } => {
            format!(" {}", json["statement"]["policy_kind"].as_str().expect("a policy kind"))
        }
        Reason::NoAllow { .. } => format!(" {}", json["class"].as_str().expect("a class")),
        Reason::NoServiceControlAllow { level } => format!(" {level}"),
        _ => String::new(),
    };
    format!("{kind}{detail}")
}

#[test]
fn every_row_is_decided_as_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/authz");
    let mut ids = BTreeSet::new();
    for file in std::fs::read_dir(&folder).expect("the tables") {
        let path = file.expect("a file").path();
        // The operators have a table of another form, see `operators.rs`.
        if path.file_stem().is_some_and(|stem| stem == "operators") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a text");
        let table: Table =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for row in table.decision {
            row.check();
            assert!(ids.insert(row.id.clone()), "the id `{}` occurs twice", row.id);
        }
    }
    assert!(ids.len() >= 600, "only {} rows", ids.len());
}
