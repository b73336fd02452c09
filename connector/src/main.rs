//! The connector's command line; see the library's `cli` module.

use std::process::ExitCode;

fn main() -> ExitCode {
    bucketproof_connector::cli::run()
}
