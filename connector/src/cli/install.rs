//! `install`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::run::stop_on_signals;
use super::{Complaint, block_on, print};
use crate::install::{InstallFront, InstallFrontError, InstallToken, Installer};
use crate::profile::VendorProfile;
use crate::runner::StopSignal;

#[derive(Debug, Args)]
pub(super) struct InstallArguments {
    /// The profile whose vendor installs exports over HTTP.
    #[arg(long, value_name = "ID")]
    profile: String,
    /// Where installations go: a directory for each, with its configuration and secrets.
    #[arg(long, value_name = "DIRECTORY")]
    dir: PathBuf,
    /// Where to listen; other addresses than those of this machine alone need TLS.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8084")]
    listen: SocketAddr,
    /// A file with the token that callers show.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// The chain of certificates for TLS, as PEM.
    #[arg(long, value_name = "FILE", requires = "private_key")]
    certificate: Option<PathBuf>,
    /// Its private key, as PEM.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    private_key: Option<PathBuf>,
}

pub(super) fn run(arguments: &InstallArguments) -> Result<(), Complaint> {
    let profile =
        VendorProfile::named(&arguments.profile).map_err(|error| Complaint::usage(&error, error.help()))?;
    let id = profile.id().clone();
    let installer = Installer::new(profile, arguments.dir.clone()).ok_or_else(|| {
        let able = VendorProfile::embedded()
            .filter(|(id, _)| VendorProfile::named(id).is_ok_and(|profile| profile.install().is_some()));
        let able: Vec<&str> = able.map(|(id, _)| id).collect();
        let message = format!("the vendor of profile `{id}` has no installation over HTTP");
        Complaint::usage(message, format!("profiles that have one: {}", able.join(", ")))
    })?;
    std::fs::create_dir_all(&arguments.dir).map_err(|error| {
        let message = format!("`{}` cannot be made: {error}", arguments.dir.display());
        Complaint::usage(message, "choose another `--dir`")
    })?;
    let complaint = |error: InstallFrontError| Complaint::usage(&error, error.help());
    let token = InstallToken::read(&arguments.token_file).map_err(complaint)?;
    let tls = arguments.certificate.as_deref().zip(arguments.private_key.as_deref());
    let front = Arc::new(InstallFront::new(installer, token, tls).map_err(complaint)?);
    let address = arguments.listen;
    block_on(async move {
        let stop = StopSignal::new();
        let listener = front.bind(address).await.map_err(complaint)?;
        let bound = listener.local_addr().unwrap_or(address);
        print(&format!("installing by POST {}\n", front.url(bound)))?;
        tokio::spawn(stop_on_signals(stop.clone()));
        front.serve(listener, stop).await;
        Ok(())
    })?
}
