//! A row of the tables, and what a request can express of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aws_credential_types::Credentials;
use serde::Deserialize;
use serde_json::Value;

use crate::wire::Ask;

/// The fields that say what a request needs; those of other services are not read.
#[derive(Clone, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) caller: String,
    #[serde(default = "default_action")]
    pub(super) action: String,
    #[serde(default = "default_resource")]
    pub(super) resource: String,
    pub(super) version: Option<String>,
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
    pub(super) unique_id: Option<String>,
    #[serde(default)]
    pub(super) bound: BTreeMap<String, String>,
    pub(super) ownership: Option<String>,
    pub(super) bucket_acl: Option<Vec<String>>,
    pub(super) object_owner: Option<String>,
    pub(super) object_acl: Option<Vec<String>>,
    #[serde(default)]
    pub(super) ignore_public_acls: bool,
    pub(super) expect: String,
}

fn default_action() -> String {
    "s3:GetObject".to_owned()
}

fn default_resource() -> String {
    "arn:aws:s3:::b/k".to_owned()
}

/// Why a row cannot be run.
pub(super) type Unfit = &'static str;

/// An account of the tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: &'static str,
    pub(super) digit: char,
}

pub(super) const ACCOUNTS: [Account; 3] = [
    Account { name: "owner", digit: '1' },
    Account { name: "partner", digit: '2' },
    Account { name: "third", digit: '3' },
];

impl Account {
    pub(super) fn named(name: &str) -> Option<Self> {
        ACCOUNTS.into_iter().find(|account| account.name == name)
    }

    pub(super) fn id(self) -> String {
        self.digit.to_string().repeat(12)
    }

    pub(super) fn canonical_id(self) -> String {
        self.digit.to_string().repeat(64)
    }

    pub(super) fn key(self, whose: &str) -> Credentials {
        Credentials::new(
            format!("AKIA{}{}KEYOFTHETABLES", whose.to_uppercase(), self.digit),
            "secret",
            None,
            None,
            "",
        )
    }
}

/// A caller of the tables: account and kind.
pub(super) struct Caller {
    pub(super) account: Account,
    pub(super) kind: String,
}

impl Row {
    pub(super) fn caller(&self) -> Caller {
        let named = self.caller.split_once('-').and_then(|(name, kind)| Some((Account::named(name)?, kind)));
        let (account, kind) = named.unwrap_or((ACCOUNTS[0], self.caller.as_str()));
        Caller { account, kind: kind.to_owned() }
    }

    /// Statements as the text of a policy for the bucket, which needs a longer name than `b`.
    pub(super) fn policy<'a>(&self, statements: impl IntoIterator<Item = &'a String>) -> String {
        let version = match self.version.as_deref() {
            Some("") => String::new(),
            version => format!(r#""Version":"{}","#, version.unwrap_or("2012-10-17")),
        };
        let statements: Vec<&str> = statements.into_iter().map(String::as_str).collect();
        renamed(&format!(r#"{{{version}"Statement":[{}]}}"#, statements.join(",")))
    }

    pub(super) fn identity(&self) -> Vec<String> {
        let conditional = self.condition.as_ref().map(|condition| {
            format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#)
        });
        self.identity.iter().chain(&conditional).map(|one| self.policy([one])).collect()
    }

    /// Whether a row speaks of ACLs, which takes a bucket that has them.
    pub(super) fn has_acls(&self) -> bool {
        self.ownership.is_some() || self.bucket_acl.is_some() || self.object_acl.is_some()
    }

    /// Every condition key that a policy of the row names, in conditions and variables, in lower case.
    fn mentioned_keys(&self) -> BTreeSet<String> {
        let lists = [&self.boundary, &self.session, &self.resource_policy];
        let listed = lists.into_iter().flatten().flatten().map(|one| self.policy([one]));
        let mut keys = BTreeSet::new();
        for text in self.identity().into_iter().chain(listed) {
            for part in text.split("${").skip(1) {
                let key = part.split(['}', ',']).next().unwrap_or_default().trim();
                keys.insert(key.to_lowercase());
            }
            let document: Value = serde_json::from_str(&text).unwrap_or_default();
            for statement in document["Statement"].as_array().into_iter().flatten() {
                let operators =
                    statement["Condition"].as_object().into_iter().flat_map(serde_json::Map::values);
                let named = operators.filter_map(Value::as_object).flat_map(serde_json::Map::keys);
                keys.extend(named.map(|key| key.to_lowercase()));
            }
        }
        keys
    }

    /// The value of a key that every request of this caller has.
    fn own_value(&self, key: &str) -> Option<String> {
        let Caller { account, kind } = self.caller();
        let id = account.id();
        let arn = match kind.as_str() {
            "user" | "federated" => format!("arn:aws:iam::{id}:user/eng/alice"),
            "session" => format!("arn:aws:iam::{id}:role/svc/loader"),
            _ => format!("arn:aws:iam::{id}:root"),
        };
        match key {
            "aws:username" if kind == "user" => Some("alice".to_owned()),
            "aws:principalarn" if kind != "anonymous" => Some(arn),
            "aws:principalaccount" if kind != "anonymous" => Some(id),
            "aws:resourceaccount" | "s3:resourceaccount" => Some(ACCOUNTS[0].id()),
            "aws:securetransport" => Some("true".to_owned()),
            "aws:requestedregion" => Some("us-east-1".to_owned()),
            "aws:sourceip" => Some("127.0.0.1".to_owned()),
            _ => None,
        }
    }

    /// Whether every request of this caller has the key, with a value that the table does not know.
    fn is_always_there(&self, key: &str) -> bool {
        let kind = self.caller().kind;
        let of_session = matches!(key, "aws:tokenissuetime" | "aws:multifactorauthpresent");
        let of_list = key == "s3:max-keys" && self.action == "s3:ListBucket";
        let of_known = matches!(key, "aws:userid" | "aws:principaltype" | "aws:principalisawsservice");
        self.own_value(key).is_some()
            || of_list
            || of_known && kind != "anonymous"
            || of_session && kind == "session"
            || matches!(
                key,
                "aws:currenttime"
                    | "aws:epochtime"
                    | "aws:viaawsservice"
                    | "s3:tlsversion"
                    | "s3:x-amz-content-sha256"
                    | "s3:authtype"
                    | "s3:signatureversion"
                    | "s3:signatureage"
            )
    }

    /// The tags of the caller, and the query that its context asks for; or why no request has such a context.
    pub(super) fn expressed(&self) -> Result<(BTreeMap<String, String>, String), Unfit> {
        let kind = self.caller().kind;
        let mentioned = self.mentioned_keys();
        let given: BTreeMap<String, &toml::Value> =
            self.context.iter().map(|(key, value)| (key.to_lowercase(), value)).collect();
        if mentioned.iter().any(|key| self.is_always_there(key) && !given.contains_key(key)) {
            return Err("the row has no value for a key that every request has");
        }
        let (mut tags, mut query) = (BTreeMap::new(), String::new());
        for (key, value) in &self.context {
            let lower = key.to_lowercase();
            let Some(text) = value.as_str() else {
                if mentioned.contains(&lower) {
                    return Err("a list that no request of S3 sends");
                }
                continue;
            };
            if let Some(name) = key.strip_prefix("aws:PrincipalTag/") {
                if !matches!(kind.as_str(), "user" | "session") {
                    return Err("a tag of a caller that has none");
                }
                tags.insert(name.to_owned(), text.to_owned());
            } else if matches!(key.as_str(), "s3:prefix" | "s3:max-keys") && self.action == "s3:ListBucket" {
                let name = key.trim_start_matches("s3:");
                let _ = write!(query, "&{name}={}", encoded(text));
            } else if mentioned.contains(&lower) && self.own_value(&lower).as_deref() != Some(text) {
                return Err("a value that the request itself does not decide, or a key of other services");
            }
        }
        Ok((tags, query))
    }

    /// The request that asks for the action of the row.
    pub(super) fn ask(&self, query: &str) -> Result<Ask, Unfit> {
        let path = renamed(&self.resource);
        let Some(path) = path.strip_prefix("arn:aws:s3:::").or(path.strip_prefix('*')) else {
            return Err("a resource of another service or partition");
        };
        let (bucket, key) = path.split_once('/').unzip();
        let (bucket, key) = (bucket.unwrap_or(path), key.unwrap_or_default());
        let object = (!key.is_empty()).then(|| format!("/{bucket}/{}", encoded(key)));
        let on_object = |method: &str, query: &str| {
            let object = object.as_ref().ok_or("an action on objects of something that is none")?;
            Ok(Ask::new(method, &format!("{object}{query}")))
        };
        let on_bucket = |method: &str, query: &str| {
            if key.is_empty() && !bucket.is_empty() {
                Ok(Ask::new(method, &format!("/{bucket}{query}")))
            } else {
                Err("an action on buckets of something that is none")
            }
        };
        let private = |ask: Result<Ask, Unfit>| ask.map(|ask| ask.header("x-amz-acl", "private"));
        let tagging = "<Tagging><TagSet/></Tagging>";
        match self.action.to_lowercase().as_str() {
            "s3:getobject" => on_object("GET", ""),
            "s3:getobjectversion" => on_object("GET", "?versionId=null"),
            "s3:getobjectacl" => on_object("GET", "?acl"),
            "s3:getobjecttagging" => on_object("GET", "?tagging"),
            "s3:putobject" => on_object("PUT", ""),
            "s3:putobjectacl" => private(on_object("PUT", "?acl")),
            "s3:putobjectversionacl" => private(on_object("PUT", "?acl&versionId=null")),
            "s3:putobjecttagging" => on_object("PUT", "?tagging").map(|ask| ask.body(tagging)),
            "s3:deleteobject" => on_object("DELETE", ""),
            "s3:deleteobjectversion" => on_object("DELETE", "?versionId=null"),
            "s3:listbucket" => on_bucket("GET", &format!("?list-type=2{query}")),
            "s3:listbucketversions" => on_bucket("GET", "?versions"),
            "s3:listbucketmultipartuploads" => on_bucket("GET", "?uploads"),
            "s3:getbucketacl" => on_bucket("GET", "?acl"),
            "s3:putbucketacl" => private(on_bucket("PUT", "?acl")),
            "s3:getbucketpolicy" => on_bucket("GET", "?policy"),
            "s3:putbucketpolicy" => on_bucket("PUT", "?policy").map(|ask| ask.body("{}")),
            "s3:deletebucketpolicy" => on_bucket("DELETE", "?policy"),
            "s3:putbuckettagging" => on_bucket("PUT", "?tagging").map(|ask| ask.body(tagging)),
            "s3:listallmybuckets" => Ok(Ask::new("GET", "/")),
            action if action.starts_with("s3:") => Err("an operation that is not supported yet"),
            _ => Err("an action of another service"),
        }
    }

    /// What no request has, whatever the context.
    pub(super) fn check(&self) -> Result<(), Unfit> {
        let kind = self.caller().kind;
        if !matches!(kind.as_str(), "user" | "session" | "federated" | "root" | "anonymous") {
            return Err("a caller that sends no requests: a service or a provider");
        }
        if !self.scp.is_empty() {
            return Err("service control policies, which a scenario does not have");
        }
        if self.unique_id.is_some() || !self.bound.is_empty() {
            return Err("a principal that was made again");
        }
        if self.canonical_user.is_some() {
            return Err("a canonical user id by another name");
        }
        let is_empty = |list: &Option<Vec<String>>| list.as_ref().is_some_and(Vec::is_empty);
        if is_empty(&self.boundary) || is_empty(&self.session) {
            return Err("an empty list of policies, which is no document");
        }
        let in_session = matches!(kind.as_str(), "session" | "federated");
        if self.session.is_some() != in_session && (self.session.is_some() || kind == "federated") {
            return Err("a session policy without a session, or a federated user without one");
        }
        if self.boundary.is_some() && !matches!(kind.as_str(), "user" | "session" | "federated") {
            return Err("a boundary of a caller that can have none");
        }
        Ok(())
    }
}

/// `b` is too short for the name of a bucket; `b*` matches the longer name as well.
pub(super) fn renamed(text: &str) -> String {
    let marked = format!("{text}\"");
    let renamed = ["/", "\""]
        .iter()
        .fold(marked, |text, end| text.replace(&format!(":::b{end}"), &format!(":::bkt{end}")));
    renamed.strip_suffix('"').unwrap_or_default().to_owned()
}

pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        encoded
    })
}
