//! Places of secrets, and the refusal of secrets written inline.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// In an environment variable of this name.
    Environment(String),
    /// In a file; white space around it is cut.
    File(PathBuf),
    /// What a program prints, such as one that decrypts a file; white space around it is cut.
    Command {
        /// The program with its arguments.
        words: Vec<String>,
        /// Where it runs.
        directory: PathBuf,
    },
    /// In the configuration itself; for access key ids, which are no secrets.
    Inline(String),
    /// In the file of credentials that AWS offers when an access key is made.
    Csv {
        /// The file.
        path: PathBuf,
        /// Which of its columns.
        column: CsvColumn,
    },
}

/// The columns of AWS's file of credentials that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvColumn {
    /// `Access key ID`.
    AccessKeyId,
    /// `Secret access key`.
    SecretAccessKey,
}

impl CsvColumn {
    fn title(self) -> &'static str {
        match self {
            Self::AccessKeyId => "Access key ID",
            Self::SecretAccessKey => "Secret access key",
        }
    }
}

/// Why a secret could not be had. The secret itself is in none of the messages.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set or empty.
    #[error("environment variable `{0}` is not set or empty")]
    NoVariable(String),
    /// What should be an access key id is none; it may be the secret, so it is not repeated.
    #[error("the access key id in {0} is no access key id (it is not shown)")]
    NoKeyId(String),
    /// The file cannot be read or is empty.
    #[error("secret file `{path}` cannot be read: {problem}")]
    NoFile {
        /// The file.
        path: String,
        /// The cause.
        problem: String,
    },
    /// The program gives none. What it printed is not repeated.
    #[error("the program `{program}` that is to print a secret {problem}")]
    NoOutput {
        /// The program.
        program: String,
        /// The cause.
        problem: String,
    },
}

impl SecretError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoVariable(_) => "set the variable, or name another one in `[auth]`",
            Self::NoKeyId(_) => "an access key id has letters and digits only; are id and secret exchanged?",
            Self::NoFile { .. } => "check the path in `[auth]` and the file's permissions",
            Self::NoOutput { .. } => {
                "run it by hand in the configuration's directory, without a terminal: it is to print the secret alone"
            }
        }
    }
}

impl SecretPlace {
    /// Reads the secret; `environment` looks a variable up.
    pub fn read(&self, environment: impl Fn(&str) -> Option<String>) -> Result<String, SecretError> {
        match self {
            Self::Inline(text) => Ok(text.clone()),
            Self::Environment(name) => environment(name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| SecretError::NoVariable(name.clone())),
            Self::File(path) => {
                let no_file =
                    |problem: String| SecretError::NoFile { path: path.display().to_string(), problem };
                let text = std::fs::read_to_string(path).map_err(|error| no_file(error.to_string()))?;
                let text = text.trim();
                if text.is_empty() { Err(no_file("it is empty".to_owned())) } else { Ok(text.to_owned()) }
            }
            Self::Command { words, directory } => printed(words, directory),
            Self::Csv { path, column } => {
                let no_file =
                    |problem: String| SecretError::NoFile { path: path.display().to_string(), problem };
                let bytes = std::fs::read(path).map_err(|error| no_file(error.to_string()))?;
                csv_value(&bytes, *column).map_err(no_file)
            }
        }
    }

    /// Reads an access key id. Messages name the id, so a secret in its place must not pass as one.
    pub(super) fn read_key_id(
        &self,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<String, SecretError> {
        let id = self.read(environment)?;
        if is_word(&id) {
            return Ok(id);
        }
        Err(SecretError::NoKeyId(match self {
            Self::Environment(name) => format!("environment variable `{name}`"),
            Self::File(path) | Self::Csv { path, .. } => format!("file `{}`", path.display()),
            Self::Command { words, .. } => {
                format!("the output of `{}`", words.first().map_or("", String::as_str))
            }
            Self::Inline(_) => "the configuration".to_owned(),
        }))
    }

    /// The place with a relative file path started at `directory`.
    pub(super) fn below(self, directory: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(directory.join(path)),
            Self::Csv { path, column } => Self::Csv { path: directory.join(path), column },
            Self::Command { words, .. } => Self::Command { words, directory: directory.to_path_buf() },
            place => place,
        }
    }
}

/// What a program prints to its standard output. It has no input to wait for, and nothing that it says is repeated.
fn printed(words: &[String], directory: &Path) -> Result<String, SecretError> {
    let (program, arguments) =
        words.split_first().map_or(("", words), |(first, rest)| (first.as_str(), rest));
    let failed = |problem: String| SecretError::NoOutput { program: program.to_owned(), problem };
    // An empty path means here.
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("failed: {}", output.status)));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| failed("printed something else than text".to_owned()))?;
    let text = text.trim();
    if text.is_empty() { Err(failed("printed nothing".to_owned())) } else { Ok(text.to_owned()) }
}

/// The value of a column in the one row of AWS's file of credentials; titles in any case, whatever other columns there
/// are. What is in the file is in no message.
fn csv_value(bytes: &[u8], column: CsvColumn) -> Result<String, String> {
    // AWS writes a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let unreadable = |_| "it is no file of comma-separated values".to_owned();
    let titles = reader.headers().map_err(unreadable)?.clone();
    let at = titles.iter().position(|title| title.eq_ignore_ascii_case(column.title()));
    let at = at.ok_or_else(|| format!("it has no column `{}`", column.title()))?;
    let mut rows = reader.records();
    let row = rows.next().ok_or_else(|| "it has no row".to_owned())?.map_err(unreadable)?;
    if rows.next().is_some() {
        return Err("it has several rows, of which none is chosen".to_owned());
    }
    let value = row.get(at).unwrap_or_default();
    if value.is_empty() { Err(format!("its `{}` is empty", column.title())) } else { Ok(value.to_owned()) }
}

/// Letters, digits and `_`: what access key ids and names of variables are made of, and most secrets are not.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `{ env = "NAME" }`, `{ file = "path" }` or `{ command = ["program", "argument"] }`; a text is refused without being repeated.
pub(crate) struct RawSecret(pub(super) SecretPlace);

impl RawSecret {
    /// The place, its relative path started at `directory`.
    pub(crate) fn below(self, directory: &Path) -> SecretPlace {
        self.0.below(directory)
    }
}

/// As [`RawSecret`], or the text itself.
pub(super) struct RawKeyId(pub(super) SecretPlace);

struct PlaceVisitor {
    inline: Inline,
}

enum Inline {
    Accepted,
    Refused,
}

impl<'de> Visitor<'de> for PlaceVisitor {
    type Value = SecretPlace;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "`{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
        )
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretPlace, E> {
        match self.inline {
            Inline::Accepted if is_word(text) => Ok(SecretPlace::Inline(text.to_owned())),
            Inline::Accepted => Err(E::custom("an access key id has letters and digits only")),
            Inline::Refused => Err(E::custom("secrets are not written into the configuration")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretPlace, A::Error> {
        let Some(place) = map.next_key::<String>()? else {
            return Err(A::Error::custom("no place is named, expected `env`, `file` or `command`"));
        };
        let place = match place.as_str() {
            "env" => {
                let name: String = map.next_value()?;
                if !is_word(&name) {
                    let problem = "the name of an environment variable has letters, digits and `_` only";
                    return Err(A::Error::custom(problem));
                }
                SecretPlace::Environment(name)
            }
            "file" => SecretPlace::File(PathBuf::from(map.next_value::<String>()?)),
            "command" => {
                let Words(words) = map.next_value()?;
                if words.first().is_none_or(String::is_empty) {
                    return Err(A::Error::custom("the command names no program"));
                }
                SecretPlace::Command { words, directory: PathBuf::new() }
            }
            other => {
                let problem = format!("unknown field `{other}`, expected `env`, `file` or `command`");
                return Err(A::Error::custom(problem));
            }
        };
        if let Some((extra, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
            return Err(A::Error::custom(format!("unknown field `{extra}`, one place is enough")));
        }
        Ok(place)
    }
}

/// A program with its arguments. What stands there instead may be the secret, so it is not repeated.
struct Words(Vec<String>);

struct WordsVisitor;

impl<'de> Visitor<'de> for WordsVisitor {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of a program and its arguments")
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Words, E> {
        Err(E::custom("a command is a list of a program and its arguments"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element()? {
            words.push(word);
        }
        Ok(Words(words))
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordsVisitor)
    }
}

impl<'de> Deserialize<'de> for RawSecret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlaceVisitor { inline: Inline::Refused }).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawKeyId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlaceVisitor { inline: Inline::Accepted }).map(Self)
    }
}
