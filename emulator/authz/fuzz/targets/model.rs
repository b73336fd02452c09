//! Questions and policies as plain data, made from bytes: the reference reads the data, the crate the documents that
//! are written from it.

use bucketproof_authz::Effect;
use serde_json::{Value, json};

pub(crate) const OWNER: &str = "111111111111";
pub(crate) const PARTNER: &str = "222222222222";

/// Bytes as a source of choices; nothing left means the first choice.
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl Choices<'_> {
    fn number(&mut self, below: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % below
    }

    /// Once in `of` times.
    fn once(&mut self, of: usize) -> bool {
        self.number(of) == of - 1
    }

    fn of(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.number(texts.len())]
    }

    fn some(&mut self, texts: &[&'static str], max: usize) -> Vec<&'static str> {
        (0..=self.number(max)).map(|_| self.of(texts)).collect()
    }
}

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    Bucket,
    Key,
    Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    User(&'static str),
    Session(&'static str),
    Root(&'static str),
    Service,
    Anonymous,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Everyone,
    Account(&'static str),
    Arn(&'static str),
    Service,
}

#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// Empty, `ForAllValues:` or `ForAnyValue:`.
    pub(crate) set: &'static str,
    pub(crate) operator: &'static str,
    pub(crate) if_exists: bool,
    pub(crate) key: &'static str,
    pub(crate) values: Vec<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) effect: Effect,
    pub(crate) not_action: bool,
    pub(crate) actions: Vec<&'static str>,
    pub(crate) not_resource: bool,
    pub(crate) resources: Vec<&'static str>,
    pub(crate) not_principal: bool,
    pub(crate) principals: Vec<Named>,
    pub(crate) conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// Version 2012-10-17, which has variables.
    pub(crate) current: bool,
    pub(crate) statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) ground: Ground,
    pub(crate) caller: Caller,
    pub(crate) action: &'static str,
    pub(crate) resource: &'static str,
    /// Keys with their values, and whether the key is a list.
    pub(crate) context: Vec<(&'static str, Vec<&'static str>, bool)>,
    pub(crate) identity: Vec<Policy>,
    pub(crate) boundary: Option<Policy>,
    pub(crate) session: Option<Policy>,
    pub(crate) service_control: Vec<Policy>,
    pub(crate) of_resource: Option<Policy>,
}

const USERS: [&str; 2] = ["arn:aws:iam::111111111111:user/alice", "arn:aws:iam::222222222222:user/alice"];
const ROLES: [&str; 2] =
    ["arn:aws:iam::111111111111:role/a/loader", "arn:aws:iam::222222222222:role/a/loader"];
const SESSIONS: [&str; 2] = [
    "arn:aws:sts::111111111111:assumed-role/loader/job",
    "arn:aws:sts::222222222222:assumed-role/loader/job",
];

/// The ARNs of a caller: its own, and for a session that of its role.
pub(crate) fn arns(caller: Caller) -> (Option<&'static str>, Option<&'static str>) {
    let place = |account: &str| usize::from(account == PARTNER);
    match caller {
        Caller::User(account) => (Some(USERS[place(account)]), None),
        Caller::Session(account) => (Some(SESSIONS[place(account)]), Some(ROLES[place(account)])),
        Caller::Root(_) | Caller::Service | Caller::Anonymous => (None, None),
    }
}

const KEYS: [&str; 7] = [
    "aws:username",
    "s3:prefix",
    "aws:SourceIp",
    "aws:CurrentTime",
    "s3:max-keys",
    "aws:SecureTransport",
    "aws:TagKeys",
];
const TEXTS: [&str; 7] = ["alice", "Alice", "a*", "?lice", "${aws:username}", "${aws:x, 'alice'}", "a${*}"];
const NUMBERS: [&str; 5] = ["1", "10", "010.0", "-2", "x"];
pub(crate) const INSTANTS: [(&str, i64); 5] = [
    ("2026-01-01T00:00:00Z", 1_767_225_600),
    ("1767225600", 1_767_225_600),
    ("2026-01-01T02:00:00+01:00", 1_767_229_200),
    ("2025-06-01", 1_748_736_000),
    ("2027", 1_798_761_600),
];
const DATES: [&str; 6] =
    ["2026-01-01T00:00:00Z", "1767225600", "2026-01-01T02:00:00+01:00", "2025-06-01", "2027", "soon"];
const NETWORKS: [&str; 5] = ["192.0.2.0/24", "10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "home"];
const ADDRESSES: [&str; 4] = ["192.0.2.7", "10.1.2.3", "2001:db8::1", "home"];
const BOOLEANS: [&str; 4] = ["true", "false", "TRUE", "maybe"];

impl World {
    pub(crate) fn new(choices: &mut Choices<'_>) -> Self {
        let ground = [Ground::Bucket, Ground::Key, Ground::Role][choices.number(3)];
        let account = [OWNER, PARTNER][choices.number(2)];
        let caller = [
            Caller::User(account),
            Caller::Session(account),
            Caller::Root(account),
            Caller::Service,
            Caller::Anonymous,
        ][choices.number(5)];
        let (action, resource) = match ground {
            Ground::Bucket => (
                choices.of(&["s3:GetObject", "s3:PutObject", "S3:getobject", "s3:PutBucketPolicy"]),
                choices.of(&["arn:aws:s3:::b/alice/x", "arn:aws:s3:::b/x", "arn:aws:s3:::b"]),
            ),
            Ground::Key => {
                (choices.of(&["kms:Decrypt", "kms:PutKeyPolicy"]), "arn:aws:kms:eu-west-1:111111111111:key/1")
            }
            Ground::Role => (
                choices.of(&["sts:AssumeRole", "sts:TagSession", "sts:GetCallerIdentity"]),
                "arn:aws:iam::111111111111:role/target",
            ),
        };
        let context = context(choices);
        let list = |choices: &mut Choices<'_>| Policy::new(choices, ground, Side::Caller);
        Self {
            ground,
            caller,
            action,
            resource,
            context,
            identity: (0..choices.number(3)).map(|_| list(choices)).collect(),
            boundary: choices.once(4).then(|| list(choices)),
            session: choices.once(4).then(|| list(choices)),
            service_control: (0..choices.number(4) / 2).map(|_| list(choices)).collect(),
            of_resource: (!choices.once(3)).then(|| Policy::new(choices, ground, Side::Resource)),
        }
    }
}

fn context(choices: &mut Choices<'_>) -> Vec<(&'static str, Vec<&'static str>, bool)> {
    let mut context = Vec::new();
    for key in KEYS {
        if choices.once(2) {
            continue;
        }
        let values: &[&str] = match key {
            "aws:SourceIp" => &ADDRESSES,
            "aws:CurrentTime" => &DATES,
            "s3:max-keys" => &NUMBERS,
            "aws:SecureTransport" => &BOOLEANS,
            _ => &["alice", "Alice", "a*", "bob"],
        };
        if key == "aws:TagKeys" {
            let count = choices.number(3);
            context.push((key, (0..count).map(|_| choices.of(values)).collect(), true));
        } else {
            context.push((key, vec![choices.of(values)], false));
        }
    }
    context
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Caller,
    Resource,
}

impl Policy {
    fn new(choices: &mut Choices<'_>, ground: Ground, side: Side) -> Self {
        let current = !choices.once(4);
        let statements = (0..=choices.number(3)).map(|_| Statement::new(choices, ground, side)).collect();
        Self { current, statements }
    }

    pub(crate) fn document(&self) -> String {
        let version = if self.current { "2012-10-17" } else { "2008-10-17" };
        let statements: Vec<Value> = self.statements.iter().map(Statement::json).collect();
        json!({"Version": version, "Statement": statements}).to_string()
    }
}

impl Statement {
    fn new(choices: &mut Choices<'_>, ground: Ground, side: Side) -> Self {
        let (actions, resources): (&[&str], &[&str]) = match ground {
            Ground::Bucket => (
                &["s3:GetObject", "*", "s3:*", "s3:Get*", "S3:?UTobject", "kms:*", "s3:PutBucketPolicy"],
                &[
                    "arn:aws:s3:::b/*",
                    "arn:aws:s3:::b",
                    "*",
                    "arn:aws:s3:::b/${aws:username}/*",
                    "arn:aws:s3:::b/${aws:x, 'alice'}/?",
                    "arn:aws:s3:::*x",
                    "arn:*:s3:::b*",
                ],
            ),
            Ground::Key => (
                &["kms:*", "kms:Decrypt", "*", "kms:Put*", "s3:*"],
                &["*", "arn:aws:kms:*:111111111111:key/*", "arn:aws:kms:eu-west-1:111111111111:alias/a"],
            ),
            Ground::Role => (
                &["sts:AssumeRole", "sts:*", "sts:TagSession", "*"],
                &[
                    "*",
                    "arn:aws:iam::111111111111:role/*",
                    "arn:aws:iam::*:role/t*t",
                    "arn:aws:iam::111111111111:user/*",
                ],
            ),
        };
        let named = |choices: &mut Choices<'_>| match choices.number(9) {
            0 => Named::Everyone,
            1 | 2 => Named::Account([OWNER, PARTNER][choices.number(2)]),
            3 => Named::Service,
            other => Named::Arn([USERS, ROLES, SESSIONS][other % 3][choices.number(2)]),
        };
        let has_resource = side == Side::Caller || ground != Ground::Role;
        Self {
            effect: if choices.once(4) { Effect::Deny } else { Effect::Allow },
            not_action: choices.once(6),
            actions: choices.some(actions, 2),
            not_resource: choices.once(6),
            resources: if has_resource { choices.some(resources, 2) } else { Vec::new() },
            not_principal: choices.once(6),
            principals: match side {
                Side::Caller => Vec::new(),
                Side::Resource => (0..=choices.number(4)).map(|_| named(choices)).collect(),
            },
            conditions: (0..choices.number(4) / 2).map(|_| Condition::new(choices)).collect(),
        }
    }

    fn json(&self) -> Value {
        let mut statement = json!({"Effect": if self.effect == Effect::Allow { "Allow" } else { "Deny" }});
        statement[if self.not_action { "NotAction" } else { "Action" }] = json!(self.actions);
        if !self.resources.is_empty() {
            statement[if self.not_resource { "NotResource" } else { "Resource" }] = json!(self.resources);
        }
        if !self.principals.is_empty() {
            let (mut aws, mut service) = (Vec::new(), Vec::new());
            for named in &self.principals {
                match named {
                    Named::Everyone => aws.push("*"),
                    Named::Account(text) | Named::Arn(text) => aws.push(text),
                    Named::Service => service.push("cloudtrail.amazonaws.com"),
                }
            }
            let mut principal = json!({});
            for (kind, list) in [("AWS", aws), ("Service", service)] {
                if !list.is_empty() {
                    principal[kind] = json!(list);
                }
            }
            statement[if self.not_principal { "NotPrincipal" } else { "Principal" }] = principal;
        }
        for condition in &self.conditions {
            let operator = condition.name();
            if statement["Condition"][&operator].get(condition.key).is_none() {
                statement["Condition"][&operator][condition.key] = json!(condition.values);
            }
        }
        statement
    }
}

impl Condition {
    fn new(choices: &mut Choices<'_>) -> Self {
        let key = choices.of(&KEYS);
        let (operators, values): (&[&str], &[&str]) = match key {
            "aws:SourceIp" => (&["IpAddress", "NotIpAddress", "StringLike"], &NETWORKS),
            "aws:CurrentTime" => (
                &[
                    "DateLessThan",
                    "DateLessThanEquals",
                    "DateGreaterThan",
                    "DateGreaterThanEquals",
                    "DateEquals",
                    "DateNotEquals",
                ],
                &DATES,
            ),
            "s3:max-keys" => (
                &[
                    "NumericLessThan",
                    "NumericLessThanEquals",
                    "NumericGreaterThan",
                    "NumericGreaterThanEquals",
                    "NumericEquals",
                    "NumericNotEquals",
                ],
                &NUMBERS,
            ),
            "aws:SecureTransport" => (&["Bool", "Null", "StringEquals"], &BOOLEANS),
            _ => (
                &[
                    "StringEquals",
                    "StringNotEquals",
                    "StringLike",
                    "StringNotLike",
                    "StringEqualsIgnoreCase",
                    "StringNotEqualsIgnoreCase",
                    "Null",
                ],
                &TEXTS,
            ),
        };
        let operator = choices.of(operators);
        Self {
            set: choices.of(&["", "", "ForAllValues:", "ForAnyValue:"]),
            operator,
            if_exists: operator != "Null" && choices.once(4),
            key,
            values: choices.some(if operator == "Null" { &BOOLEANS } else { values }, 3),
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{}{}{}", self.set, self.operator, if self.if_exists { "IfExists" } else { "" })
    }
}
