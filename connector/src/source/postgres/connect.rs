//! Connections to PostgreSQL, under TLS unless the server is on this machine.

use std::path::Path;

use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, NoTls};

use super::tls;
use crate::config::SecretPlace;

/// A connection and the task that drives it; or what is wrong, and what to do.
pub(crate) async fn connect(
    url: &SecretPlace,
    root_certificate: Option<&Path>,
) -> Result<(Client, tokio::task::JoinHandle<()>), (String, &'static str)> {
    let url = url
        .read(|name| std::env::var(name).ok())
        .map_err(|error| (error.to_string(), "put the connection's URL there"))?;
    // The parser's words may repeat a part of the URL, and so of a password.
    let mut config: tokio_postgres::Config = url.parse().map_err(|_| {
        (
            "the URL is not one of PostgreSQL (it is not shown)".to_owned(),
            "write it as `postgresql://user:password@host:5432/database`",
        )
    })?;
    let help = "check host, port, user, password and database in the URL, and `pg_hba.conf`";
    if config.get_ssl_mode() != SslMode::Require && config.get_hosts().iter().all(is_loopback) {
        let (client, connection) = config.connect(NoTls).await.map_err(|error| (words(&error), help))?;
        return Ok((client, tokio::spawn(async move { drop(connection.await) })));
    }
    config.ssl_mode(SslMode::Require);
    let tls = tls::connector(root_certificate)
        .map_err(|error| (error, "check `root_certificate`, a file of PEM certificates"))?;
    let help = "the server must offer TLS with a certificate for its host's name that is signed by a known authority; \
                name another one in `root_certificate`";
    let (client, connection) = config.connect(tls).await.map_err(|error| (words(&error), help))?;
    Ok((client, tokio::spawn(async move { drop(connection.await) })))
}

fn is_loopback(host: &Host) -> bool {
    match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    }
}

/// An error with its causes, as the database's client says little by itself.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
