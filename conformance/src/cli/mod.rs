//! The command line.

mod arguments;
mod gate;
mod report_files;
mod run;
mod target;
mod usage;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser as _;

use crate::exit::ExitStatus;
use crate::inventory::Inventory;
use crate::render;
use crate::selection::{self, Filter};
use crate::target::TargetError;
use crate::verify::PlaceError;
use arguments::{Arguments, Command, ListArguments};
use usage::UsageError;

/// The target that needs no URL and is the default.
const EMULATOR: &str = "emulator";

/// Runs the program over the suite's own inventory.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitStatus {
    match Inventory::collect() {
        Ok(inventory) => main_over(&inventory, arguments, out, err),
        Err(error) => end(Err(CommandError::Broken(error.to_string())), err),
    }
}

/// Runs the program over `inventory`. Answers go to `out`, complaints to `err`.
pub fn main_over(
    inventory: &Inventory,
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitStatus {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let told = write!(err, "{}", error.render());
            return if told.is_ok() { ExitStatus::Usage } else { ExitStatus::Broken };
        }
        // Asking for help or the version is no error.
        Err(answer) => return end(print(out, &answer.render().to_string()), err),
    };
    let ended = match arguments.command {
        None => run::run(inventory, arguments.run, out, err),
        Some(Command::Run(arguments)) => run::run(inventory, arguments, out, err),
        Some(Command::List(arguments)) => list(inventory, arguments, out, err),
        Some(Command::Explain { id }) => explain(inventory, &id, out),
        Some(Command::Gate(arguments)) => gate::gate(inventory, arguments, out, err),
        Some(Command::Verify(arguments)) => verify::verify(arguments, out),
    };
    end(ended, err)
}

/// Why a command has no answer.
#[derive(Debug)]
enum CommandError {
    /// Its user can mend it.
    Usage(UsageError),
    /// The target cannot be checked.
    Target(TargetError),
    /// What is to be verified cannot be read.
    Place(PlaceError),
    /// Nobody can, from outside.
    Broken(String),
}

impl From<UsageError> for CommandError {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

impl From<selection::UnknownName> for CommandError {
    fn from(error: selection::UnknownName) -> Self {
        Self::Usage(UsageError::UnknownName(error))
    }
}

type Ended = Result<ExitStatus, CommandError>;

fn end(ended: Ended, err: &mut dyn Write) -> ExitStatus {
    let (status, told) = match ended {
        Ok(status) => return status,
        Err(CommandError::Usage(error)) => {
            (ExitStatus::Usage, write!(err, "error: {error}\n\nhelp: {}\n", error.help()))
        }
        Err(CommandError::Target(error)) => {
            let status = if error.is_usage() { ExitStatus::Usage } else { ExitStatus::Broken };
            (status, write!(err, "error: {error}\n\nhelp: {}\n", error.help()))
        }
        Err(CommandError::Place(error)) => {
            let status = if error.is_usage() { ExitStatus::Usage } else { ExitStatus::Broken };
            (status, write!(err, "error: {error}\n\nhelp: {}\n", error.help()))
        }
        Err(CommandError::Broken(message)) => (ExitStatus::Broken, writeln!(err, "error: {message}")),
    };
    if told.is_ok() { status } else { ExitStatus::Broken }
}

/// Writes an answer. A reader that has seen enough and closed the pipe is no error.
fn print(out: &mut dyn Write, text: &str) -> Ended {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(ExitStatus::Done),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitStatus::Done),
        Err(error) => Err(CommandError::Broken(format!("cannot write the answer: {error}"))),
    }
}

fn list(inventory: &Inventory, arguments: ListArguments, out: &mut dyn Write, err: &mut dyn Write) -> Ended {
    let selected = selection::select(inventory, &arguments.filter.into())?;
    if selected.is_empty() {
        return nothing_selected(err);
    }
    let text = if arguments.markdown { render::page(&selected) } else { render::list(&selected) };
    print(out, &text)
}

fn nothing_selected(err: &mut dyn Write) -> Ended {
    writeln!(err, "no check is selected, so nothing is proved")
        .map_err(|error| CommandError::Broken(format!("cannot write a message: {error}")))?;
    Ok(ExitStatus::NothingSelected)
}

/// Explains one check, or every check that `id` selects: the beginning of ids, or a requirement.
fn explain(inventory: &Inventory, id: &str, out: &mut dyn Write) -> Ended {
    if let Some(check) = inventory.check(id) {
        return print(out, &render::explain(check));
    }
    let filter = Filter { ids: vec![id.to_owned()], ..Filter::default() };
    let selected = selection::select(inventory, &filter)?;
    let texts: Vec<String> = selected.iter().map(|check| render::explain(check)).collect();
    print(out, &texts.join("\n"))
}

#[cfg(test)]
mod tests;
