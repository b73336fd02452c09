use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::{AuthConfig, BaseConfig, Config, CsvColumn, OnReplaced, SecretPlace, SourcePlace, SyncToggle};
use crate::credentials::{AmbientSource, BaseCredentials, CredentialSource};
use crate::store::{Addressing, Encryption, Transport};

/// Every field of a configuration.
const ROLE: &str = r#"profile = "suprsend_s3_v2"
enabled = true
datasets = ["requests", "messages"]
encryption = "aws:kms"
kms_key_id = "alias/exports"

[bucket]
name = "notification-logs"
region = "eu-central-1"
prefix = "exports/logs/"
endpoint = "http://127.0.0.1:4566"
sts_endpoint = "https://sts.example"
allow_http = true
path_style = true

[auth]
mode = "assume_role"
role_arn = "arn:aws:iam::111122223333:role/export"
external_id = "5d1f-Ab"
session_seconds = 900
access_key_id = "AKIDEXAMPLE"
secret_access_key = { env = "EXPORT_SECRET" }

[state]
dir = "state"
batch_mib = 8

[[source]]
dataset = "messages"
path = "messages.ndjson"
on_replaced = "restart"

[[source]]
dataset = "requests"
stdin = true
"#;

const KEYS: &str = r#"profile_path = "vendor.toml"
enabled = false
datasets = ["messages"]
[bucket]
name = "notification-logs"
region = "eu-central-1"
[auth]
mode = "static_keys"
access_key_id = { env = "EXPORT_KEY_ID" }
secret_access_key = { file = "secret" }
key_created = "2025-10-01"
[state]
dir = "/var/lib/state"
"#;

#[test]
fn a_full_configuration_is_read() {
    let config = Config::parse(ROLE, "conf/connector.toml").unwrap();
    assert_eq!(config.toggle, SyncToggle::On);
    assert_eq!(config.encryption, Encryption::SseKms { key_id: Some("alias/exports".to_owned()) });
    assert_eq!(config.bucket.prefix.as_str(), "exports/logs/");
    assert_eq!((config.bucket.addressing, config.bucket.transport), (Addressing::Path, Transport::AllowHttp));
    assert_eq!(config.state_dir, Path::new("conf/state"));
    assert_eq!(config.batch_bytes, 8 * 1024 * 1024);
    assert_eq!(
        config.sources[0].place,
        SourcePlace::File { path: "conf/messages.ndjson".into(), on_replaced: OnReplaced::Restart }
    );
    assert_eq!(config.sources[1].place, SourcePlace::Stdin);
    let CredentialSource::Role { base, session, .. } = config.credentials(|_| Some("s".to_owned())).unwrap()
    else {
        panic!("not a role");
    };
    let BaseCredentials::Key(base) = base else { panic!("no keys") };
    assert_eq!(
        (base.id.as_str(), base.secret.expose(), session),
        ("AKIDEXAMPLE", "s", Duration::from_mins(15))
    );
}

#[test]
fn defaults_are_tls_sse_s3_and_the_root_of_the_bucket() {
    let config = Config::parse(KEYS, "conf/connector.toml").unwrap();
    assert_eq!(config.encryption, Encryption::SseS3);
    assert_eq!(config.bucket.prefix.as_str(), "");
    assert_eq!(
        (config.bucket.addressing, config.bucket.transport),
        (Addressing::VirtualHost, Transport::TlsOnly)
    );
    assert_eq!(config.state_dir, Path::new("/var/lib/state"));
    let AuthConfig::StaticKeys { key, created } = &config.auth else { panic!("not keys") };
    assert_eq!(key.secret, SecretPlace::File("conf/secret".into()));
    assert_eq!(created.unwrap().to_string(), "2025-10-01");
}

#[test]
fn a_secret_that_is_not_there_is_named_by_its_place() {
    let config = Config::parse(KEYS, "/nowhere/connector.toml").unwrap();
    let error = config.credentials(|_| None).unwrap_err();
    assert_eq!(error.to_string(), "environment variable `EXPORT_KEY_ID` is not set or empty");
    let error = config.credentials(|_| Some("AKID".to_owned())).unwrap_err();
    assert!(error.to_string().starts_with("secret file `/nowhere/secret` cannot be read"), "{error}");
}

/// Messages name the access key id, so a secret in its place would be told.
#[test]
fn exchanged_id_and_secret_are_told_without_either() {
    let config = Config::parse(&KEYS.replace("{ file = \"secret\" }", "{ env = \"S\" }"), "c.toml").unwrap();
    let error = config.credentials(|_| Some("hunter2/hunter2".to_owned())).unwrap_err();
    insta::assert_snapshot!(format!("{error}\nhelp: {}", error.help()), @r"
    the access key id in environment variable `EXPORT_KEY_ID` is no access key id (it is not shown)
    help: an access key id has letters and digits only; are id and secret exchanged?
    ");
}

fn with_auth(auth: &str) -> String {
    let (head, rest) = KEYS.split_once("[auth]\n").unwrap();
    let (_, rest) = rest.split_once("[state]\n").unwrap();
    format!("{head}[auth]\n{auth}[state]\n{rest}")
}

/// The ways to authenticate that need no keys in the configuration.
#[test]
fn the_machine_may_be_who_exports_or_who_assumes_the_role() {
    let auth = |text: &str| Config::parse(&with_auth(text), "c.toml").unwrap().auth;
    let AuthConfig::Ambient(source) = auth("mode = \"ambient\"\n") else { panic!("not the machine") };
    assert_eq!(source.profile, None);
    let AuthConfig::Ambient(source) = auth("mode = \"ambient\"\naws_profile = \"p\"\n") else {
        panic!("not the machine")
    };
    assert_eq!(source.profile.as_deref(), Some("p"));
    let role = "mode = \"assume_role\"\nrole_arn = \"arn:aws:iam::111122223333:role/r\"\n";
    let AuthConfig::AssumeRole { external_id, base, .. } = auth(role) else { panic!("no role") };
    assert_eq!((external_id, base), (None, BaseConfig::Ambient(AmbientSource::default())));
    let AuthConfig::StaticKeys { key, .. } = auth("mode = \"static_keys\"\ncredentials_csv = \"c.csv\"\n")
    else {
        panic!("no keys")
    };
    let place = SecretPlace::Csv { path: "c.csv".into(), column: CsvColumn::SecretAccessKey };
    assert_eq!(key.secret, place);
}

/// Each broken configuration with the message it must give.
#[test]
fn configuration_errors_name_file_line_column_field_value_and_next_step() {
    let mutations = [
        ("unknown field", ROLE.replace("path_style = true", "pathstyle = true")),
        ("missing field", ROLE.replace("region = \"eu-central-1\"\n", "")),
        ("wrong type", ROLE.replace("enabled = true", "enabled = \"yes\"")),
        ("no dataset", ROLE.replace("[\"requests\", \"messages\"]", "[]")),
        ("dataset twice", ROLE.replace("\"requests\", \"messages\"]", "\"messages\", \"messages\"]")),
        ("leading slash", ROLE.replace("exports/logs/", "/exports")),
        ("double slash", ROLE.replace("exports/logs/", "exports//logs")),
        ("plain http", ROLE.replace("allow_http = true\n", "")),
        ("no URL", ROLE.replace("http://127.0.0.1:4566", "127.0.0.1:4566")),
        ("endpoint with a path", ROLE.replace("127.0.0.1:4566", "127.0.0.1:4566/bucket")),
        ("external id with a space", ROLE.replace("5d1f-Ab", "5d1f-Ab ")),
        ("external id with a tab", ROLE.replace("5d1f-Ab", "5d1f\\tAb")),
        ("no role", ROLE.replace("role_arn", "# role_arn")),
        ("keys of a machine", KEYS.replace("static_keys", "ambient").replace("key_created", "# ")),
        ("age of a machine", "mode = \"ambient\"\nkey_created = \"2025-10-01\"\n".to_owned()),
        (
            "role of a machine",
            "mode = \"ambient\"\nrole_arn = \"arn:aws:iam::111122223333:role/r\"\n".to_owned(),
        ),
        ("no keys", "mode = \"static_keys\"\n".to_owned()),
        ("id without secret", "mode = \"static_keys\"\naccess_key_id = \"AKID\"\n".to_owned()),
        ("secret without id", "mode = \"static_keys\"\nsecret_access_key = { env = \"S\" }\n".to_owned()),
        ("token alone", "mode = \"static_keys\"\nsession_token = { env = \"S\" }\n".to_owned()),
        ("profile with keys", KEYS.replace("key_created", "aws_profile = \"p\"\nkey_created")),
        ("file and keys", KEYS.replace("key_created", "credentials_csv = \"c.csv\"\nkey_created")),
        ("profile without keys", "mode = \"static_keys\"\naws_profile = \"p\"\n".to_owned()),
        ("profile without a name", "mode = \"ambient\"\naws_profile = \" \"\n".to_owned()),
        ("not a role", ROLE.replace(":role/export", ":user/export")),
        ("short session", ROLE.replace("session_seconds = 900", "session_seconds = 60")),
        ("role fields with keys", KEYS.replace("key_created", "external_id = \"abc\"\nkey_created")),
        (
            "key age of a role",
            ROLE.replace("session_seconds", "key_created = \"2025-01-01\"\nsession_seconds"),
        ),
        ("inline secret", ROLE.replace("{ env = \"EXPORT_SECRET\" }", "\"hunter2hunter2\"")),
        ("secret in an unknown place", ROLE.replace("{ env =", "{ vault =")),
        ("secret for the variable's name", ROLE.replace("\"EXPORT_SECRET\"", "\"hunter2/hunter2\"")),
        ("secret for the id", ROLE.replace("\"AKIDEXAMPLE\"", "\"hunter2/hunter2\"")),
        (
            "secret for the name of the id's variable",
            ROLE.replace("\"AKIDEXAMPLE\"", "{ env = \"hunter2/hunter2\" }"),
        ),
        ("KMS key without KMS", ROLE.replace("\"aws:kms\"", "\"sse-s3\"")),
        ("unknown encryption", ROLE.replace("\"aws:kms\"", "\"rot13\"")),
        (
            "source of another dataset",
            ROLE.replace("dataset = \"messages\"", "dataset = \"workflow_executions\""),
        ),
        ("source without a place", ROLE.replace("stdin = true", "")),
        ("source with two places", ROLE.replace("stdin = true", "stdin = true\npath = \"x\"")),
        ("huge batch", ROLE.replace("batch_mib = 8", "batch_mib = 4096")),
        ("two profiles", ROLE.replace("enabled", "profile_path = \"x\"\nenabled")),
        ("no profile", KEYS.replace("profile_path = \"vendor.toml\"\n", "")),
        ("not a date", KEYS.replace("2025-10-01", "last week")),
        ("not a bucket", ROLE.replace("\"notification-logs\"", "\"notification logs\"")),
        ("syntax", ROLE.replace("[bucket]", "[bucket")),
    ];
    let mut shown = String::new();
    for (case, broken) in mutations {
        assert!(broken != ROLE && broken != KEYS, "{case} mutates nothing");
        // A case that is nothing but a way to authenticate takes the place of the keys'.
        let broken = if broken.starts_with("mode =") { with_auth(&broken) } else { broken };
        let error = Config::parse(&broken, "connector.toml").unwrap_err();
        writeln!(shown, "{case}\n  error: {error}\n  help: {}", error.help()).unwrap();
    }
    assert!(!shown.contains("hunter2"), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn the_example_in_the_documentation_is_a_configuration() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let config = Config::parse(example, "connector.toml").unwrap();
    assert_eq!(config.datasets.len(), 3);
    assert_eq!(config.sources.len(), 2);
    let (_, import) = readme.split_once("## Import").unwrap();
    let (_, rest) = import.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let import = crate::import::ImportConfig::parse(example, "import.toml").unwrap();
    assert_eq!(import.connections[0].status_folder, "my_statuses");
}

/// Claims ADA-Q14.
#[test]
fn a_folder_is_a_prefix_by_another_name() {
    let config = Config::parse(&ROLE.replace("prefix = ", "folder = "), "connector.toml").unwrap();
    assert_eq!(config.bucket.prefix.as_str(), "exports/logs/");
    let twice = ROLE.replace("prefix = ", "folder = \"exports\"\nprefix = ");
    assert!(Config::parse(&twice, "connector.toml").is_err(), "one of the two names");
}

#[test]
fn chosen_rows_are_read_as_they_stand() {
    let rows = "[[rows]]\ndataset = \"messages\"\nescape_formulas = true\n\
                keep = [{ column = \"properties\", path = \"/a\", is = [\"x\", 7, false], absent = true }]\n";
    let config =
        Config::parse(&ROLE.replacen("[[source]]", &format!("{rows}[[source]]"), 1), "c.toml").unwrap();
    let [choice] = config.rows.as_slice() else { panic!("{:?}", config.rows) };
    assert_eq!(
        (choice.dataset.as_str(), choice.escape_formulas, choice.kinds.is_none()),
        ("messages", true, true)
    );
    let keep = &choice.keep[0];
    assert_eq!((keep.column.as_str(), keep.path.as_deref(), keep.absent), ("properties", Some("/a"), true));
    assert_eq!(keep.is, [serde_json::json!("x"), serde_json::json!(7), serde_json::json!(false)]);
    assert!(Config::parse(ROLE, "c.toml").unwrap().rows.is_empty());
}
