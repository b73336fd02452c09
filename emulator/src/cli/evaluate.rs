//! `evaluate`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;

use bucketproof_authz::evaluate::evaluate_line;

use super::{Exit, complain};

/// JSON lines in, JSON lines out, in order.
#[derive(Debug, clap::Args)]
pub(super) struct Evaluate {
    /// The file to read; standard input if absent or `-`.
    file: Option<PathBuf>,
}

impl Evaluate {
    pub(super) fn run(self) -> Exit {
        let input: Box<dyn BufRead> = match &self.file {
            Some(path) if path.as_os_str() != "-" => match File::open(path) {
                Ok(file) => Box::new(BufReader::new(file)),
                Err(error) => {
                    complain(&format!("`{}` cannot be read: {error}", path.display()), "check the path");
                    return Exit::Usage;
                }
            },
            _ => Box::new(BufReader::new(io::stdin())),
        };
        match answer(input, BufWriter::new(io::stdout().lock())) {
            Ok(()) => Exit::Done,
            // The reader has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Err(error) => {
                complain(&format!("reading or writing failed: {error}"), "");
                Exit::Broken
            }
        }
    }
}

/// Answers each line; a bad one gets an error and the rest goes on.
fn answer(mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            writeln!(output, "{}", evaluate_line(&text))?;
        }
        line.clear();
    }
    output.flush()
}
