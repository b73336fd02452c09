//! `profile list|show|lint`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Complaint, Exit, print};
use crate::profile::VendorProfile;

#[derive(Debug, Args)]
pub(super) struct ProfileArguments {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// List the profiles that come with the program.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print a profile's text.
    Show {
        /// The profile's id.
        id: String,
    },
    /// Check a profile file and run its examples.
    Lint {
        /// The file; without one, the profiles that come with the program.
        file: Option<PathBuf>,
    },
}

impl ProfileArguments {
    pub(super) fn wants_json(&self) -> bool {
        matches!(self.command, ProfileCommand::List { json: true })
    }
}

pub(super) fn run(arguments: &ProfileArguments) -> Result<(), Complaint> {
    match &arguments.command {
        ProfileCommand::List { json } => list(*json),
        ProfileCommand::Show { id } => {
            let complaint =
                || VendorProfile::named(id).err().map(|error| Complaint::usage(&error, error.help()));
            match VendorProfile::embedded().find(|(known, _)| known == id) {
                Some((_, text)) => print(text),
                None => complaint().map_or(Ok(()), Err),
            }
        }
        ProfileCommand::Lint { file: Some(file) } => lint(file),
        ProfileCommand::Lint { file: None } => VendorProfile::embedded().try_for_each(|(id, _)| {
            let profile = VendorProfile::named(id).map_err(|error| Complaint::usage(&error, error.help()))?;
            examples(&profile, id)
        }),
    }
}

fn list(json: bool) -> Result<(), Complaint> {
    let (mut listed, mut text) = (Vec::new(), String::new());
    for (id, _) in VendorProfile::embedded() {
        let profile = VendorProfile::named(id).map_err(|error| Complaint::usage(&error, error.help()))?;
        let datasets: Vec<&str> = profile.datasets().iter().map(|dataset| dataset.name().as_str()).collect();
        if json {
            listed.push(serde_json::json!({ "id": id, "title": profile.title(), "datasets": datasets }));
        } else {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{id}  {}  ({})", profile.title(), datasets.join(", "));
        }
    }
    if json { super::print_json(&listed) } else { print(&text) }
}

fn lint(file: &Path) -> Result<(), Complaint> {
    let profile = VendorProfile::load(file).map_err(|error| Complaint::usage(&error, error.help()))?;
    examples(&profile, &file.display().to_string())
}

fn examples(profile: &VendorProfile, name: &str) -> Result<(), Complaint> {
    let failing = profile.failing_examples();
    if failing.is_empty() {
        return print(&format!(
            "{name}: fine, {} examples\n",
            profile.examples().len() + profile.row_examples().len()
        ));
    }
    let lines: Vec<String> = failing
        .iter()
        .map(|failure| {
            format!(
                "{name}: example of `{}` gives `{}`, not `{}`",
                failure.source, failure.found, failure.expected
            )
        })
        .collect();
    Err(Complaint {
        exit: Exit::No,
        message: lines.join("\nerror: "),
        help: "correct the layout or the examples".to_owned(),
        diagnosis: None,
    })
}
