//! The request, checked field by field; every problem is told, none with a secret's value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::config::Config;
use crate::profile::{InstallField, InstallRules, InstallTarget, VendorProfile};

/// Characters of a name.
const NAME_CHARS_MAX: usize = 128;
const MEMBERS: [&str; 4] = ["name", "variant", "config", "delivery_mode"];

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// Its dotted path in the request.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub help: String,
}

impl FieldProblem {
    fn new(field: impl Into<String>, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into(), help: help.into() }
    }
}

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallRefusal {
    /// The body is no JSON object.
    #[error("the body is no JSON object: {reason}")]
    Malformed {
        /// Where, and what.
        reason: String,
    },
    /// Fields are missing or wrong.
    #[error("{} fields are missing or wrong", problems.len())]
    Invalid {
        /// Each of them.
        problems: Vec<FieldProblem>,
    },
    /// The name is taken by another installation.
    #[error("`{name}` is installed already, with another configuration")]
    Conflict {
        /// The name.
        name: String,
    },
    /// The directory cannot be written.
    #[error("`{path}` cannot be written: {source}")]
    Storage {
        /// The file or directory.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
}

/// A request in which everything fits.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) variant: String,
    pub(super) delivery_mode: String,
    /// What is set, by target; secrets among them.
    values: BTreeMap<&'static str, (InstallTarget, String)>,
    /// The fields as they were given, without what is secret.
    pub(super) shown: Map<String, Value>,
}

impl Checked {
    /// Checks a request's body.
    pub(super) fn of(
        profile: &VendorProfile,
        rules: &InstallRules,
        body: &[u8],
    ) -> Result<Self, InstallRefusal> {
        let value: Value = serde_json::from_slice(body).map_err(|error| InstallRefusal::Malformed {
            // The category and the place: the text itself may hold a secret.
            reason: format!(
                "{:?} error at line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            )
            .to_lowercase(),
        })?;
        let Value::Object(members) = value else {
            return Err(InstallRefusal::Malformed { reason: "it is another kind of value".to_owned() });
        };
        let mut problems = Vec::new();
        for unknown in members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
            let help = format!("the fields are {}", MEMBERS.join(", "));
            problems.push(FieldProblem::new(shown_name(unknown), "there is no such field", help));
        }
        let name = text(&members, "name", &mut problems).unwrap_or_default();
        if members.contains_key("name") && !(1..=NAME_CHARS_MAX).contains(&name.trim().chars().count()) {
            let problem = format!("a name has 1 to {NAME_CHARS_MAX} characters");
            problems.push(FieldProblem::new("name", problem, "give the integration a name"));
        }
        let variant = one_of(&members, "variant", &rules.variants, &mut problems);
        let delivery_mode = one_of(&members, "delivery_mode", &rules.delivery_modes, &mut problems);
        let mut checked = Self { name, variant, delivery_mode, values: BTreeMap::new(), shown: Map::new() };
        match members.get("config") {
            Some(Value::Object(fields)) => checked.take(rules, fields, &mut problems),
            Some(_) => {
                problems.push(FieldProblem::new("config", "it is no object", "give the fields as an object"));
            }
            None => problems.push(FieldProblem::new("config", "the field is missing", "add it")),
        }
        // What cannot be read off single fields is for the configuration to say.
        if problems.is_empty()
            && let Err(problem) = checked.fits(profile, rules)
        {
            problems.push(problem);
        }
        if problems.is_empty() { Ok(checked) } else { Err(InstallRefusal::Invalid { problems }) }
    }

    /// The value of a target.
    pub(super) fn value(&self, target: InstallTarget) -> Option<&str> {
        self.values.values().find(|(known, _)| *known == target).map(|(_, value)| value.as_str())
    }

    fn take(&mut self, rules: &InstallRules, fields: &Map<String, Value>, problems: &mut Vec<FieldProblem>) {
        for name in fields.keys().filter(|name| rules.field(name).is_none()) {
            let known: Vec<&str> = rules.fields.iter().map(|field| field.name.as_str()).collect();
            let help = format!("the fields are {}", known.join(", "));
            problems.push(FieldProblem::new(path(&shown_name(name)), "there is no such field", help));
        }
        for field in &rules.fields {
            if let Some(value) = given(field, fields, problems) {
                if !field.sets.is_secret() {
                    self.shown.insert(field.name.clone(), Value::from(value.as_str()));
                }
                self.values.insert(word(field.sets), (field.sets, value));
            }
        }
        let (encryption, key) =
            (self.value(InstallTarget::Encryption), self.value(InstallTarget::KmsKeyId).is_some());
        let name_of = |target| {
            let field = rules.fields.iter().find(|field| field.sets == target);
            field.map(|field| path(&field.name)).unwrap_or_default()
        };
        let (encryption_field, key_field) =
            (name_of(InstallTarget::Encryption), name_of(InstallTarget::KmsKeyId));
        match (encryption, key) {
            (None | Some("AES256"), false) | (Some("aws:kms"), true) => {}
            (Some("aws:kms"), false) => problems.push(FieldProblem::new(
                key_field,
                format!("it is required where `{encryption_field}` is `aws:kms`"),
                "give the key's ARN",
            )),
            (None | Some("AES256"), true) => problems.push(FieldProblem::new(
                key_field,
                format!("it means nothing unless `{encryption_field}` is `aws:kms`"),
                "remove it, or choose `aws:kms`",
            )),
            (Some(other), _) => problems.push(FieldProblem::new(
                encryption_field,
                format!("`{other}` is no algorithm"),
                "choose `AES256` or `aws:kms`",
            )),
        }
        let access_key = self.value(InstallTarget::AccessKeyId).unwrap_or("key");
        if !access_key.chars().all(|c| c.is_ascii_alphanumeric()) {
            problems.push(FieldProblem::new(
                name_of(InstallTarget::AccessKeyId),
                "it is no access key id (it is not shown)",
                "an access key id has letters and digits only; are id and secret exchanged?",
            ));
        }
    }

    /// The configuration that the request amounts to. Secrets are in files beside it.
    pub(super) fn configuration(&self, profile: &VendorProfile, rules: &InstallRules) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let line = |name: &str, target: InstallTarget| {
            self.value(target).map(|value| format!("{name} = {}\n", quoted(value))).unwrap_or_default()
        };
        let encryption = match self.value(InstallTarget::Encryption) {
            None => "encryption = \"none\"\n",
            Some("AES256") => "encryption = \"sse-s3\"\n",
            Some(_) => "encryption = \"aws:kms\"\n",
        };
        let datasets: Vec<String> = rules.forwards.iter().map(|name| quoted(name)).collect();
        let token = match self.value(InstallTarget::SessionToken) {
            Some(_) => format!("session_token = {{ file = \"{}\" }}\n", file_of(InstallTarget::SessionToken)),
            None => String::new(),
        };
        let mut text = format!(
            "# {} by way of its installation API.\nprofile = {}\nenabled = true\ndatasets = [{}]\n{encryption}{}{}\n[bucket]\n{}{}{}\n[auth]\n\
             mode = \"static_keys\"\naccess_key_id = {{ file = \"{}\" }}\nsecret_access_key = {{ file = \"{}\" }}\n{token}\n\
             [state]\ndir = \"state\"\n",
            quoted(&self.name).replace('\n', " "),
            quoted(profile.id().as_str()),
            datasets.join(", "),
            line("kms_key_id", InstallTarget::KmsKeyId),
            line("storage_class", InstallTarget::StorageClass),
            line("name", InstallTarget::Bucket),
            line("region", InstallTarget::Region),
            line("prefix", InstallTarget::Prefix),
            file_of(InstallTarget::AccessKeyId),
            file_of(InstallTarget::SecretAccessKey),
        );
        for name in &rules.forwards {
            let incoming = quoted(&format!("incoming/{name}"));
            // Writing to a `String` cannot fail.
            let _ = write!(text, "\n[[source]]\ndataset = {}\ndirectory = {incoming}\n", quoted(name));
        }
        text
    }

    /// The files of secrets: name and content.
    pub(super) fn secrets(&self) -> Vec<(&'static str, &str)> {
        let secrets = self.values.values().filter(|(target, _)| target.is_secret());
        secrets.map(|(target, value)| (file_of(*target), value.as_str())).collect()
    }

    fn fits(&self, profile: &VendorProfile, rules: &InstallRules) -> Result<(), FieldProblem> {
        let text = self.configuration(profile, rules);
        let Err(error) = Config::parse(&text, "connector.toml") else { return Ok(()) };
        let target = match error.field() {
            "bucket.name" => InstallTarget::Bucket,
            "bucket.region" => InstallTarget::Region,
            "bucket.prefix" => InstallTarget::Prefix,
            "storage_class" => InstallTarget::StorageClass,
            "kms_key_id" => InstallTarget::KmsKeyId,
            _ => InstallTarget::Encryption,
        };
        let field = rules.fields.iter().find(|field| field.sets == target);
        let field = field.map(|field| path(&field.name)).unwrap_or_default();
        let given = self.value(target).unwrap_or_default();
        Err(FieldProblem::new(field, format!("`{given}`: {}", error.problem()), error.help()))
    }
}

/// The value of a field; its alias counts as much, and both together if they agree.
fn given(
    field: &InstallField,
    fields: &Map<String, Value>,
    problems: &mut Vec<FieldProblem>,
) -> Option<String> {
    let mut found: Option<String> = None;
    for name in [Some(&field.name), field.alias.as_ref()].into_iter().flatten() {
        match fields.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.trim().is_empty() => {
                if field.required {
                    problems.push(FieldProblem::new(path(name), "it is empty", "give a value"));
                    return None;
                }
            }
            Some(Value::String(text)) => {
                if found.as_ref().is_some_and(|known| known != text) {
                    let problem = format!("it says something else than `{}`", path(&field.name));
                    problems.push(FieldProblem::new(path(name), problem, "keep one of the two"));
                    return None;
                }
                if field.sets.is_secret() && text.trim() != text {
                    let problem = "it begins or ends with white space (it is not shown)";
                    problems.push(FieldProblem::new(path(name), problem, "copy it without the white space"));
                    return None;
                }
                found = Some(text.clone());
            }
            Some(_) => {
                problems.push(FieldProblem::new(path(name), "it is no text", "write the value in quotes"));
                return None;
            }
        }
    }
    if found.is_none() && field.required {
        problems.push(FieldProblem::new(path(&field.name), "the field is missing", "add it"));
    }
    found
}

fn text(members: &Map<String, Value>, name: &str, problems: &mut Vec<FieldProblem>) -> Option<String> {
    match members.get(name) {
        Some(Value::String(text)) => Some(text.trim().to_owned()),
        Some(_) => {
            problems.push(FieldProblem::new(name, "it is no text", "write the value in quotes"));
            None
        }
        None => {
            problems.push(FieldProblem::new(name, "the field is missing", "add it"));
            None
        }
    }
}

/// One of a few words; the first of them if nothing is said.
fn one_of(
    members: &Map<String, Value>,
    name: &str,
    known: &[String],
    problems: &mut Vec<FieldProblem>,
) -> String {
    let first = known.first().cloned().unwrap_or_default();
    if !members.contains_key(name) {
        return first;
    }
    let Some(word) = text(members, name, problems) else { return first };
    if !known.contains(&word) {
        let problem = format!("`{}` is none of those that there are", shown_name(&word));
        problems.push(FieldProblem::new(name, problem, format!("choose one of: {}", known.join(", "))));
    }
    word
}

fn path(name: &str) -> String {
    format!("config.{name}")
}

/// A stranger's name, shortened and without control characters.
fn shown_name(name: &str) -> String {
    name.chars().take(60).flat_map(char::escape_debug).collect()
}

/// The file of a secret.
fn file_of(target: InstallTarget) -> &'static str {
    match target {
        InstallTarget::AccessKeyId => "access-key-id",
        InstallTarget::SessionToken => "session-token",
        _ => "secret-access-key",
    }
}

fn word(target: InstallTarget) -> &'static str {
    match target {
        InstallTarget::Bucket => "bucket",
        InstallTarget::Region => "region",
        InstallTarget::Prefix => "prefix",
        InstallTarget::AccessKeyId => "access_key_id",
        InstallTarget::SecretAccessKey => "secret_access_key",
        InstallTarget::SessionToken => "session_token",
        InstallTarget::StorageClass => "storage_class",
        InstallTarget::Encryption => "encryption",
        InstallTarget::KmsKeyId => "kms_key_id",
    }
}
