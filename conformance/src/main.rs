//! The program `bucketproof-conformance`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The streams stay unlocked: a check that panics writes its message to the error stream from its own thread.
    bucketproof_conformance::cli::main(std::env::args_os(), &mut std::io::stdout(), &mut std::io::stderr())
        .into()
}
