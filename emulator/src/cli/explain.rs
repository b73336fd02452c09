//! `explain`.

use std::fs;
use std::path::{Path, PathBuf};

use bucketproof_authz::{
    AccountId, Arn, Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Request,
    Resource, decide,
};

use super::{Exit, complain, say};

/// One question; exits 0 if the answer is yes, 1 if it is no.
#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// Who asks: the ARN of a user, a role session or a root user, or `anonymous`.
    #[arg(long, value_name = "ARN")]
    principal: String,
    /// The ARN of the role, with its path, if the principal is a session.
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// What is to be done, such as `s3:GetObject`.
    #[arg(long)]
    action: String,
    /// The ARN it is to be done to, or `*`.
    #[arg(long, default_value = "*")]
    resource: String,
    /// The account that owns the resource; S3 ARNs do not say.
    #[arg(long, value_name = "ACCOUNT")]
    owner: Option<String>,
    /// A condition key of the request, as `key=value`.
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    /// A policy of the principal.
    #[arg(long, value_name = "FILE")]
    identity_policy: Vec<PathBuf>,
    /// The policy of the resource.
    #[arg(long, value_name = "FILE")]
    resource_policy: Option<PathBuf>,
    /// The principal's permissions boundary.
    #[arg(long, value_name = "FILE")]
    boundary: Option<PathBuf>,
    /// The policy of the session.
    #[arg(long, value_name = "FILE")]
    session_policy: Option<PathBuf>,
}

/// What is wrong with the question, and what to do.
type Complaint = (String, String);

impl Explain {
    pub(super) fn run(self) -> Exit {
        match self.decide() {
            Ok((true, text)) => say(&text, Exit::Done),
            Ok((false, text)) => say(&text, Exit::No),
            Err((message, help)) => {
                complain(&message, &help);
                Exit::Usage
            }
        }
    }

    fn decide(&self) -> Result<(bool, String), Complaint> {
        let mut context = Context::new();
        for pair in &self.context {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| (format!("`{pair}` has no `=`"), "write `--context key=value`".to_owned()))?;
            context.set(key, value);
        }
        let principal = self.parse_principal()?;
        if let Some(arn) = principal.arn()
            && context.get("aws:PrincipalArn").is_none()
        {
            context.set("aws:PrincipalArn", self.role.as_deref().unwrap_or(arn));
        }
        if !self.action.contains(':') && self.action != "*" {
            let help = "write the service too, such as `s3:GetObject`".to_owned();
            return Err((format!("`--action`: `{}` names no service", self.action), help));
        }
        if self.resource != "*" && Arn::new(&self.resource).is_err() {
            let help = "give an ARN such as `arn:aws:s3:::bucket/key`, or `*`".to_owned();
            return Err((format!("`--resource`: `{}` is no ARN", self.resource), help));
        }
        let account = self.owner.as_deref().map(AccountId::new).transpose().map_err(|error| {
            (format!("`--owner`: {error}"), "give the 12 digits of an account".to_owned())
        })?;
        let identity = self
            .identity_policy
            .iter()
            .map(|path| read(path, PolicyKind::Identity))
            .collect::<Result<Vec<_>, _>>()?;
        let resource_kind = match self.resource.split(':').nth(2) {
            Some("iam") => PolicyKind::Trust,
            Some("kms") => PolicyKind::Key,
            Some("sns") => PolicyKind::Topic,
            Some("sqs") => PolicyKind::Queue,
            _ => PolicyKind::Bucket,
        };
        let one = |path: &Option<PathBuf>, kind| path.as_ref().map(|path| read(path, kind)).transpose();
        let resource_policy = one(&self.resource_policy, resource_kind)?;
        let boundary = one(&self.boundary, PolicyKind::Boundary)?;
        let session = one(&self.session_policy, PolicyKind::Session)?;
        let request = Request {
            principal,
            ids: PrincipalIds::default(),
            action: self.action.clone(),
            resource: Resource { arn: self.resource.clone(), account },
            context,
        };
        let decision = decide(
            &request,
            &Policies {
                identity: &identity,
                boundary: boundary.as_ref().map(std::slice::from_ref),
                session: session.as_ref().map(std::slice::from_ref),
                resource: resource_policy.as_ref(),
                ..Policies::default()
            },
        );
        Ok((decision.is_allowed(), decision.explain()))
    }

    fn parse_principal(&self) -> Result<Principal, Complaint> {
        if self.principal == "anonymous" {
            return Ok(Principal::Anonymous);
        }
        let bad = |text: String| {
            (text, "give the ARN of a user, a role session or a root user, or `anonymous`".to_owned())
        };
        let arn = Arn::new(&self.principal).map_err(|error| bad(format!("`--principal`: {error}")))?;
        let account = arn.account().ok_or_else(|| bad(format!("`--principal`: `{arn}` names no account")))?;
        match (arn.service(), arn.resource()) {
            ("iam", "root") => Ok(Principal::Root { arn, account }),
            ("iam", resource) if resource.starts_with("user/") => Ok(Principal::User { arn, account }),
            ("sts", resource) if resource.starts_with("assumed-role/") => {
                let name = resource.split('/').nth(1).unwrap_or_default();
                let role = self.role.clone().unwrap_or_else(|| format!("arn:aws:iam::{account}:role/{name}"));
                let role_arn = Arn::new(role).map_err(|error| bad(format!("`--role`: {error}")))?;
                Ok(Principal::AssumedRole { session_arn: arn, role_arn, account })
            }
            _ => Err(bad(format!("`--principal`: `{arn}` is no principal"))),
        }
    }
}

fn read(path: &Path, kind: PolicyKind) -> Result<Policy, Complaint> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|error| (format!("`{file}` cannot be read: {error}"), "check the path".to_owned()))?;
    let name = path.file_stem().map_or_else(|| file.clone(), |stem| stem.to_string_lossy().into_owned());
    Policy::parse(&text, PolicySource::new(kind, name).with_file(&file)).map_err(|error| {
        (format!("{file}:{}:{}: {}", error.line(), error.column(), error.message()), error.help().to_owned())
    })
}
