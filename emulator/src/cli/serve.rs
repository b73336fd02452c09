//! `serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bucketproof_clock::Clock;
use jiff::Timestamp;

use super::why::ADMIN_TOKEN_VARIABLE;
use super::{Exit, complain, say};
use crate::{AdminToken, Emulator, Scenario, StartError, Tls};

/// Listens until it is interrupted.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// The address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4566")]
    listen: SocketAddr,
    /// Accounts, users, policies and buckets to begin with (TOML).
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Make the days of lifecycle rules this long instead of waiting for midnights.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    lifecycle_day: Option<u32>,
    /// Begin new buckets as AWS did before April 2023: ACLs count and Block Public Access is off.
    #[arg(long)]
    legacy_defaults: bool,
    /// Keep the state in this folder; what is in it goes on, and the scenario counts only for a new one.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Begin at this time instead of now; the clock then runs on.
    #[arg(long, value_name = "RFC3339")]
    clock: Option<Timestamp>,
    /// Take BUCKET.DOMAIN for the address of a bucket, as BUCKET.localhost is anyway; may be repeated.
    #[arg(long, value_name = "DOMAIN")]
    domain: Vec<String>,
    /// Where those who get notifications find this endpoint, for `SubscribeURL` and the like; its own address if
    /// absent.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Let callers from anywhere use the admin API with the token in this file, and nobody without it; or set
    /// BUCKETPROOF_ADMIN_TOKEN. Without either it is for callers on loopback alone.
    #[arg(long, value_name = "FILE")]
    admin_token_file: Option<PathBuf>,
    #[command(flatten)]
    tls: TlsOptions,
}

/// HTTPS instead of HTTP.
#[derive(Debug, clap::Args)]
struct TlsOptions {
    /// Speak TLS, with a certificate made for this run.
    #[arg(long)]
    tls: bool,
    /// Speak TLS with this certificate chain (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Write the authority of the made certificate to this file, for `AWS_CA_BUNDLE`.
    #[arg(long, value_name = "FILE", requires = "tls", conflicts_with = "tls_certificate")]
    tls_ca: Option<PathBuf>,
}

impl TlsOptions {
    /// The certificate to use, if any; or what is wrong and what to do about it.
    fn load(&self, domains: &[String]) -> Result<Option<Tls>, (String, String)> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| {
                (
                    format!("cannot read `{}`: {error}", path.display()),
                    "give the path of a PEM file".to_owned(),
                )
            })
        };
        let tls = match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Tls::from_pem(&read(certificate)?, &read(key)?).map_err(|error| {
                    (
                        format!("`{}` with `{}`: {error}", certificate.display(), key.display()),
                        "give a certificate and its own key, both PEM".to_owned(),
                    )
                })?
            }
            _ if self.tls => Tls::generated(domains)
                .map_err(|error| (error.to_string(), "give `--domain` a host name".to_owned()))?,
            _ => return Ok(None),
        };
        if let Some(path) = &self.tls_ca {
            std::fs::write(path, tls.trusted_pem()).map_err(|error| {
                (
                    format!("cannot write `{}`: {error}", path.display()),
                    "give a path that can be written to".to_owned(),
                )
            })?;
        }
        Ok(Some(tls))
    }
}

/// The token of the admin API, if there is one; or what is wrong and what to do about it. The token is never told.
fn admin_token(file: Option<&Path>) -> Result<Option<AdminToken>, (String, String)> {
    let (place, text) = match file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                let help = "give `--admin-token-file` the path of a file with the token".to_owned();
                (format!("cannot read `{}`: {error}", path.display()), help)
            })?;
            (format!("`{}`", path.display()), text)
        }
        None => match std::env::var(ADMIN_TOKEN_VARIABLE) {
            Ok(text) => (format!("`{ADMIN_TOKEN_VARIABLE}`"), text),
            Err(std::env::VarError::NotPresent) => return Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err((format!("`{ADMIN_TOKEN_VARIABLE}` is not UTF-8"), "set it anew".to_owned()));
            }
        },
    };
    let token = AdminToken::new(&text);
    token.map(Some).map_err(|error| (format!("{place}: {error}"), error.help().to_owned()))
}

impl Serve {
    pub(super) fn run(self) -> Exit {
        let mut builder = Emulator::builder().listen(self.listen).deliver_by_itself();
        if let Some(url) = self.public_url {
            builder = builder.public_url(url.trim_end_matches('/'));
        }
        if let Some(seconds) = self.lifecycle_day {
            builder = builder.lifecycle_day(std::time::Duration::from_secs(seconds.into()));
        }
        match self.tls.load(&self.domain) {
            Ok(None) => {}
            Ok(Some(tls)) => builder = builder.tls(tls),
            Err((message, help)) => {
                complain(&message, &help);
                return Exit::Usage;
            }
        }
        match admin_token(self.admin_token_file.as_deref()) {
            Ok(None) => {}
            Ok(Some(token)) => builder = builder.admin_token(token),
            Err((message, help)) => {
                complain(&message, &help);
                return Exit::Usage;
            }
        }
        for domain in self.domain {
            builder = builder.domain(domain);
        }
        if self.legacy_defaults {
            builder = builder.legacy_defaults();
        }
        if let Some(start) = self.clock {
            builder = builder.clock(Clock::system_from(start));
        }
        if let Some(path) = self.data_dir {
            builder = builder.data_dir(path);
        }
        let own_administrator = self.scenario.is_none();
        if let Some(path) = self.scenario {
            match Scenario::from_file(&path) {
                Ok(scenario) => builder = builder.scenario(scenario),
                Err(error) => {
                    complain(&error.to_string(), error.help());
                    return Exit::Usage;
                }
            }
        }
        let runtime = match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime,
            Err(error) => {
                complain(&format!("the runtime does not start: {error}"), "");
                return Exit::Broken;
            }
        };
        runtime.block_on(async {
            let emulator = match builder.start().await {
                Ok(emulator) => emulator,
                Err(StartError::Scenario(error)) => {
                    complain(&error.to_string(), error.help());
                    return Exit::Usage;
                }
                Err(StartError::DataDir(error)) => {
                    complain(&error.to_string(), error.help());
                    return Exit::Usage;
                }
                Err(error @ StartError::Listen { .. }) => {
                    complain(&error.to_string(), "choose another `--listen` address, or port 0");
                    return Exit::Usage;
                }
            };
            let administrator = emulator.credentials("administrator").filter(|_| own_administrator);
            let keys = administrator.map(|key| {
                format!(
                    "account 123456789012, user administrator\nAWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
                    key.access_key_id(),
                    key.secret_access_key()
                )
            });
            let url = emulator.endpoint_url();
            let text = format!(
                "{}listening on {url}\nconsole at {url}/_bucketproof/console\n",
                keys.unwrap_or_default()
            );
            // Who cannot be told the address cannot use the endpoint.
            if say(&text, Exit::Done) != Exit::Done {
                return Exit::Broken;
            }
            match tokio::signal::ctrl_c().await {
                Ok(()) => Exit::Done,
                Err(error) => {
                    complain(&format!("cannot wait for an interrupt: {error}"), "");
                    Exit::Broken
                }
            }
        })
    }
}
