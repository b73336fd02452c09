//! `run`

use std::net::SocketAddr;
use std::path::PathBuf;

use bucketproof_clock::{Clock, Entropy};
use clap::Args;

use super::{Complaint, Exit, block_on};
use crate::metrics::Metrics;
use crate::runner::{ConfigLoader, RunError, Runner, StopSignal};

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The connection's configuration; it and its secret files are loaded anew whenever they change.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Serve `/metrics` (Prometheus) and `/health` here, such as `127.0.0.1:9187`.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

pub(super) fn run(arguments: &RunArguments) -> Result<(), Complaint> {
    let clock = Clock::system();
    let stop = StopSignal::new();
    let metrics = Metrics::new();
    let listen = arguments.listen;
    let runner = Runner::new(
        ConfigLoader::new(&arguments.config, clock.clone()),
        clock,
        Entropy::machine(),
        stop.clone(),
    );
    let runner = runner.with_observer(metrics.clone());
    block_on(async move {
        if let Some(address) = listen {
            let listener = Metrics::bind(address).await.map_err(|error| {
                Complaint::usage(
                    format!("cannot listen at `{address}`: {error}"),
                    "choose another `--listen` address",
                )
            })?;
            if let Ok(bound) = listener.local_addr() {
                super::print(&format!("metrics at http://{bound}/metrics\n"))?;
            }
            tokio::spawn(metrics.serve(listener, stop.clone()));
        }
        tokio::spawn(stop_on_signals(stop));
        runner.run().await.map_err(|error| complaint(&error))
    })?
}

fn complaint(error: &RunError) -> Complaint {
    let exit = match error {
        RunError::Load(_) => Exit::Usage,
        RunError::Lease(_) => Exit::No,
        RunError::State(_) => Exit::Broken,
    };
    Complaint { exit, message: error.to_string(), help: error.help().to_owned(), diagnosis: None }
}

/// The first interrupt or termination lets the batch that is under way finish; a second one ends the process, which
/// the next run repairs like any crash.
pub(super) async fn stop_on_signals(stop: StopSignal) {
    while let Ok(()) = any_signal().await {
        if stop.is_given() {
            std::process::exit(130);
        }
        tracing::warn!("stopping after the batch that is under way; a second signal ends at once");
        stop.give();
    }
}

#[cfg(unix)]
async fn any_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut termination = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome,
        _ = termination.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn any_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
