//! `profile list|show|lint`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Complaint, Exit, print};
use crate::ddl::{Dialect, table};
use crate::profile::{Compression, Format, KeyPrefix, SCHEMA, VendorProfile};

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
    /// Print a profile's text, or what follows from it.
    Show(ShowArguments),
    /// Print the JSON Schema of profiles, for editors.
    Schema,
    /// Check a profile file and run its examples.
    Lint {
        /// The file; without one, the profiles that come with the program.
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// The profile's id, or the path of a profile file.
    profile: String,
    /// Print table definitions of its datasets for query engines instead.
    #[arg(long)]
    ddl: bool,
    /// Print what the vendor's page says of things that go wrong, each with what answers it here.
    #[arg(long, conflicts_with = "ddl")]
    troubleshooting: bool,
    /// Whose SQL.
    #[arg(long, value_enum, default_value_t = DialectName::Athena, requires = "ddl")]
    dialect: DialectName,
    /// The bucket that tables are of.
    #[arg(long, value_name = "NAME", requires = "ddl", default_value = "BUCKET")]
    bucket: String,
    /// Where objects go below its root.
    #[arg(long, value_name = "FOLDERS", requires = "ddl")]
    prefix: Option<String>,
    /// The format that is exported, where the vendor writes several.
    #[arg(long, requires = "ddl")]
    format: Option<String>,
    /// The compression that is exported, where the vendor writes several.
    #[arg(long, requires = "ddl")]
    compression: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum DialectName {
    Athena,
    Trino,
}

impl ProfileArguments {
    pub(super) fn wants_json(&self) -> bool {
        matches!(self.command, ProfileCommand::List { json: true })
    }
}

pub(super) fn run(arguments: &ProfileArguments) -> Result<(), Complaint> {
    match &arguments.command {
        ProfileCommand::List { json } => list(*json),
        ProfileCommand::Show(arguments) if arguments.ddl => tables(arguments),
        ProfileCommand::Show(arguments) if arguments.troubleshooting => {
            print(&troubleshooting(&profile_of(&arguments.profile)?))
        }
        ProfileCommand::Show(ShowArguments { profile: id, .. }) => {
            match VendorProfile::embedded().find(|(known, _)| known == id) {
                Some((_, text)) => print(text),
                None => named(id).map(|_| ()),
            }
        }
        ProfileCommand::Schema => print(SCHEMA),
        ProfileCommand::Lint { file: Some(file) } => lint(file),
        ProfileCommand::Lint { file: None } => VendorProfile::embedded().try_for_each(|(id, _)| {
            let profile = VendorProfile::named(id).map_err(|error| Complaint::usage(&error, error.help()))?;
            examples(&profile, id)
        }),
    }
}

fn named(id: &str) -> Result<VendorProfile, Complaint> {
    VendorProfile::named(id).map_err(|error| Complaint::usage(&error, error.help()))
}

/// The profile of that id, or in that file.
fn profile_of(name: &str) -> Result<VendorProfile, Complaint> {
    let path = Path::new(name);
    if path.extension().is_some_and(|extension| extension == "toml") {
        return VendorProfile::load(path).map_err(|error| Complaint::usage(&error, error.help()));
    }
    named(name)
}

/// Each entry of the page, and what answers it.
fn troubleshooting(profile: &VendorProfile) -> String {
    let mut text = format!("{}\n({})\n", profile.title(), profile.source());
    for entry in profile.troubleshooting() {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "\n{}", entry.entry);
        if let Some(id) = &entry.id {
            let _ = write!(text, " [{id}]");
        }
        text.push('\n');
        for message in entry.when.iter().filter_map(|kind| profile.doctor_message(*kind)) {
            let _ = writeln!(text, "  doctor, sync: {}\n    help: {}", message.say, message.help);
        }
        for ask in &entry.ask {
            let _ = writeln!(text, "  {}: {}", ask.command(), entry.say.as_deref().unwrap_or_default());
        }
    }
    text
}

fn tables(arguments: &ShowArguments) -> Result<(), Complaint> {
    let profile = profile_of(&arguments.profile)?;
    let format = word::<Format>("format", arguments.format.as_deref())?;
    let compression = word::<Compression>("compression", arguments.compression.as_deref())?;
    let encoding = profile.encoding_for(format, compression).ok_or_else(|| {
        Complaint::usage(
            "the vendor does not write that format and compression",
            "`profile show` prints its encodings",
        )
    })?;
    let prefix = KeyPrefix::new(arguments.prefix.as_deref().unwrap_or_default())
        .map_err(|error| Complaint::usage(error, "write the folders alone: `exports/notifications`"))?;
    let root = format!("s3://{}/{}", arguments.bucket, profile.prefix_of(&prefix).as_str());
    let dialect = match arguments.dialect {
        DialectName::Athena => Dialect::Athena,
        DialectName::Trino => Dialect::Trino,
    };
    let tables: Vec<String> = profile
        .datasets()
        .iter()
        .map(|dataset| table(&profile, dataset, encoding, (dialect, &root)))
        .collect();
    print(&tables.join("\n"))
}

/// A word of the profile language.
fn word<T: serde::de::DeserializeOwned>(field: &str, text: Option<&str>) -> Result<Option<T>, Complaint> {
    text.map(|text| serde_json::from_value(serde_json::Value::from(text)))
        .transpose()
        .map_err(|error| Complaint::usage(format!("`--{field}`: {error}"), "choose one of the listed words"))
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
