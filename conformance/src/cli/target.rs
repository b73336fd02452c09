//! `--target` and what belongs to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use serde::Deserialize;

use super::arguments::TargetArguments;
use super::usage::UsageError;
use super::{CommandError, EMULATOR};
use crate::target::{Endpoint, EndpointSettings, EndpointUrl, LocalReference};

const LOCAL: &str = "s3s-fs";

/// What is checked, set up and reached.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: String,
    /// Absent for the emulator.
    pub(super) endpoint: Option<Arc<Endpoint>>,
    /// Keeps a server of ours alive.
    _local: Option<LocalReference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accounts {
    account: Vec<Account>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl TargetArguments {
    /// What can be said about the target before anything is reached.
    pub(super) fn check(&self) -> Result<(), UsageError> {
        if [EMULATOR, LOCAL].contains(&self.target.as_str()) {
            return Ok(());
        }
        let url = EndpointUrl::parse(&self.target).map_err(UsageError::Url)?;
        if url.is_aws() && !self.real_aws {
            return Err(UsageError::RealAws { url: url.to_string() });
        }
        self.credentials().map(drop)
    }

    fn credentials(&self) -> Result<Vec<Credentials>, UsageError> {
        if let Some(path) = &self.accounts {
            return accounts(path);
        }
        let mut accounts = vec![credentials_of_the_environment(&self.target)?];
        accounts.extend(credentials_of([
            "SECOND_AWS_ACCESS_KEY_ID",
            "SECOND_AWS_SECRET_ACCESS_KEY",
            "SECOND_AWS_SESSION_TOKEN",
        ]));
        Ok(accounts)
    }

    /// Starts or reaches the target, and finds out what it offers.
    pub(super) async fn reach(&self) -> Result<Target, CommandError> {
        if self.target == EMULATOR {
            let name = self.target_name.clone().unwrap_or_else(|| EMULATOR.to_owned());
            return Ok(Target { name, endpoint: None, _local: None });
        }
        let local = if self.target == LOCAL {
            let started = LocalReference::start().await;
            Some(started.map_err(|error| CommandError::Broken(error.to_string()))?)
        } else {
            None
        };
        let (text, accounts) = match &local {
            Some(local) => (local.url(), vec![LocalReference::credentials()]),
            None => (self.target.clone(), self.credentials()?),
        };
        let url = EndpointUrl::parse(&text).map_err(UsageError::Url)?;
        let own = if local.is_some() { LOCAL } else { url.authority() };
        let name = self.target_name.clone().unwrap_or_else(|| own.to_owned());
        let timeout = Duration::from_secs(u64::try_from(self.timeout.get()).unwrap_or(u64::MAX));
        let settings =
            EndpointSettings { name: name.clone(), url, region: self.region.clone(), accounts, timeout };
        let endpoint = Endpoint::reach(settings).await.map_err(CommandError::Target)?;
        Ok(Target { name, endpoint: Some(Arc::new(endpoint)), _local: local })
    }
}

/// What the standard variables say.
pub(super) fn credentials_of_the_environment(target: &str) -> Result<Credentials, UsageError> {
    let found = credentials_of(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]);
    found.ok_or_else(|| UsageError::NoCredentials { target: target.to_owned() })
}

/// What these variables say: the key's id, its secret, and the token of a session.
fn credentials_of([id, secret, token]: [&str; 3]) -> Option<Credentials> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(Credentials::new(variable(id)?, variable(secret)?, variable(token), None, "environment"))
}

fn accounts(path: &Path) -> Result<Vec<Credentials>, UsageError> {
    let broken = |why: String| UsageError::Accounts { path: PathBuf::from(path), why };
    let text = fs::read_to_string(path).map_err(|error| broken(error.to_string()))?;
    // The text itself holds secrets, so an error shows its place and nothing of it.
    let read: Result<Accounts, toml::de::Error> = toml::from_str(&text);
    let accounts = read.map_err(|error| {
        let line =
            error.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.lines().count());
        broken(format!("{} (line {line})", error.message()))
    })?;
    if accounts.account.is_empty() {
        return Err(broken("it has no `[[account]]`".to_owned()));
    }
    let credentials = accounts.account.into_iter().map(|account| {
        let Account { access_key_id, secret_access_key, session_token } = account;
        Credentials::new(access_key_id, secret_access_key, session_token, None, "accounts")
    });
    Ok(credentials.collect())
}
