//! The program `bucketproof-emulator`.

fn main() -> std::process::ExitCode {
    bucketproof_emulator::cli::main()
}
