//! Who asks: a user or a role that the script makes, in one of two accounts, or nobody.

use super::super::row::{OWNER, PARTNER, Row};
use super::given::Given;
use super::{Script, text};

/// A caller as far as requests can make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) kind: Kind,
    pub(super) is_partner: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Anonymous,
    User,
    Session,
}

impl Caller {
    /// Where a row has a third account and speaks of no second one, the second one serves.
    pub(super) fn of(row: &Row) -> Option<Self> {
        let (account, kind) = row.caller.split_once('-').unwrap_or(("owner", &row.caller));
        let is_partner = match account {
            "owner" => false,
            "partner" => true,
            "third" if !speaks_of_two_others(row) => true,
            _ => return None,
        };
        let kind = match kind {
            "anonymous" => Kind::Anonymous,
            "user" => Kind::User,
            "session" => Kind::Session,
            _ => return None,
        };
        Some(Self { kind, is_partner })
    }

    /// The number that the tables give to its account.
    pub(super) const fn account(self) -> &'static str {
        if self.is_partner { PARTNER } else { OWNER }
    }

    /// What `aws:PrincipalArn` is.
    pub(super) fn arn(self) -> Option<String> {
        let account = self.account();
        match self.kind {
            Kind::Anonymous => None,
            Kind::User => Some(format!("arn:aws:iam::{account}:user/eng/alice")),
            Kind::Session => Some(format!("arn:aws:iam::{account}:role/svc/loader")),
        }
    }

    /// The administrator of its account, in a script.
    const fn administrator(self) -> &'static str {
        if self.is_partner { "stranger " } else { "" }
    }

    /// It as who asks, in a script.
    pub(super) const fn asks(self) -> &'static str {
        match self.kind {
            Kind::Anonymous => "nobody ",
            Kind::User => "@user ",
            Kind::Session => "@session ",
        }
    }

    /// The user, and the role that it assumes.
    pub(super) fn make(self, script: &mut Script, row: &Row, given: &Given) {
        if self.kind == Kind::Anonymous {
            return;
        }
        let whose = self.administrator();
        script.step(&[&format!("{whose}IAM CreateUser"), "UserName: {name}", "Path: /eng/"]);
        let tags = given.tags();
        if self.kind == Kind::User {
            script.steps.push_str(&tags);
        }
        script.step(&[
            "save user-arn xml Arn",
            &format!("{whose}IAM CreateAccessKey"),
            "UserName: {name}",
            "save user.id xml AccessKeyId",
            "save user.secret xml SecretAccessKey",
        ]);
        script.finally(&[
            &format!("{whose}IAM DeleteAccessKey"),
            "UserName: {name}",
            "AccessKeyId: {user.id}",
            &format!("{whose}IAM DeleteUser"),
            "UserName: {name}",
        ]);
        if row.statements().any(|statement| statement.contains("user/eng/bob")) {
            script.step(&[&format!("{whose}IAM CreateUser"), "UserName: {name}-bob", "Path: /eng/"]);
            script.finally(&[&format!("{whose}IAM DeleteUser"), "UserName: {name}-bob"]);
        }
        if self.kind == Kind::User {
            self.attach(script, row, "User", "{name}");
            return;
        }
        let trust = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\
                     {\"AWS\":\"{user-arn}\"},\"Action\":\"sts:AssumeRole\"}]}";
        script.step(&[
            &format!("{whose}IAM CreateRole"),
            "RoleName: {name}-role",
            "Path: /svc/",
            &format!("AssumeRolePolicyDocument: {trust}"),
        ]);
        script.steps.push_str(&tags);
        script.step(&["save role xml Arn"]);
        script.finally(&[&format!("{whose}IAM DeleteRole"), "RoleName: {name}-role"]);
        self.attach(script, row, "Role", "{name}-role");
    }

    /// Policies and boundary of a user or role.
    fn attach(self, script: &mut Script, row: &Row, kind: &str, name: &str) {
        let whose = self.administrator();
        let conditional = row.condition.as_ref().map(|condition| {
            format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#)
        });
        for (number, statement) in row.identity.iter().chain(&conditional).enumerate() {
            let policy = text::document(row, [statement]);
            let (of, called) = (format!("{kind}Name: {name}"), format!("PolicyName: own-{number}"));
            script.step(&[
                &format!("{whose}IAM Put{kind}Policy"),
                &of,
                &called,
                &format!("PolicyDocument: {policy}"),
            ]);
            script.finally(&[&format!("{whose}IAM Delete{kind}Policy"), &of, &called]);
        }
        if let Some(statements) = &row.boundary {
            let policy = text::document(row, statements);
            let of = format!("{kind}Name: {name}");
            script.step(&[
                &format!("{whose}IAM CreatePolicy"),
                "PolicyName: {name}-boundary",
                &format!("PolicyDocument: {policy}"),
                "save boundary xml Arn",
                &format!("{whose}IAM Put{kind}PermissionsBoundary"),
                &of,
                "PermissionsBoundary: {boundary}",
            ]);
            script.finally(&[
                &format!("{whose}IAM Delete{kind}PermissionsBoundary"),
                &of,
                &format!("{whose}IAM DeletePolicy"),
                "PolicyArn: {boundary}",
            ]);
        }
    }

    /// The session of the role, with its own policy.
    pub(super) fn begin_session(self, script: &mut Script, row: &Row) {
        if self.kind != Kind::Session {
            return;
        }
        script.step(&["@user STS AssumeRole", "RoleArn: {role}", "RoleSessionName: job-7"]);
        if let Some(statements) = &row.session {
            script.step(&[&format!("Policy: {}", text::document(row, statements))]);
        }
        script.step(&[
            "save session.id xml AccessKeyId",
            "save session.secret xml SecretAccessKey",
            "save session.token xml SessionToken",
        ]);
    }
}

fn speaks_of_two_others(row: &Row) -> bool {
    row.statements().any(|statement| statement.contains(PARTNER))
        || row.grants().any(|grant| grant.ends_with(" partner"))
        || row.object_owner.is_some()
}
