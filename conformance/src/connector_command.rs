//! Somebody else's connector: a command that is run against a fresh emulator per scenario, and judged by the journal and by
//! what lies in the bucket.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bucketproof_clock::{Clock, Stopwatch};
use bucketproof_emulator::{Emulator, Fault, FaultGuard, Scenario};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde_json::json;
use tempfile::TempDir;

use crate::context::CheckContext;
use crate::outcome::{Failure, Stop};
use crate::stage::read_table;
use crate::step::step;

/// The bucket that the command exports into, and the prefix.
pub(crate) const BUCKET: &str = "connector-export";
pub(crate) const PREFIX: &str = "export/";
/// An object of somebody else, which must stay as it is.
pub(crate) const OTHERS: &str = "others/canary.txt";
const CANARY: &str = "not yours";

const KEY_ID: &str = "AKIACOMMANDUNDERTEST";
/// Looked for in what the command says.
pub(crate) const SECRET: &str = "commandSecret/forTests/0000000000EXAMPLE";
const ROWS: usize = 50;
/// How often a running command is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The command and what it may do.
#[derive(Clone, Debug)]
pub struct ConnectorCommand {
    /// For `sh -c`.
    pub command: String,
    /// The actions that its documentation asks for.
    pub actions: Vec<String>,
    /// The longest time that it may take.
    pub timeout: Duration,
}

/// A command in a scenario of its own.
#[derive(Debug)]
pub(crate) struct Play {
    pub(crate) emulator: Emulator,
    command: Arc<ConnectorCommand>,
    folder: TempDir,
    ids: Vec<String>,
}

/// How the command ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// Absent if a signal or the time ended it.
    pub(crate) code: Option<i32>,
    /// What it said on both streams.
    pub(crate) said: String,
}

impl Play {
    /// An emulator on a socket, where the command may do what `actions` says on the bucket and its objects.
    pub(crate) async fn open(context: &CheckContext, actions: Option<&[String]>) -> Result<Self, Stop> {
        let command = step("the command").some("a connector command", context.command().cloned())?;
        let actions = actions.map_or_else(|| vec!["s3:*".to_owned()], <[String]>::to_vec);
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Action": actions,
            "Resource": [format!("arn:aws:s3:::{BUCKET}"), format!("arn:aws:s3:::{BUCKET}/*")],
        }]});
        let everything = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}
        ]});
        let text = format!(
            "[[account]]\nid = \"111122223333\"\nname = \"customer\"\n\
             [[account.user]]\nname = \"administrator\"\npolicies = ['{everything}']\n\
             [[account.user.access_key]]\nid = \"AKIACOMMANDSADMINEXA\"\nsecret = \"administratorSecret/forTests/000EXAMPLE\"\n\
             [[account.user]]\nname = \"connector\"\npolicies = ['{policy}']\n\
             [[account.user.access_key]]\nid = \"{KEY_ID}\"\nsecret = \"{SECRET}\"\n\
             [[account.bucket]]\nname = \"{BUCKET}\"\nregion = \"us-east-1\"\n\
             objects = [{{ key = \"{OTHERS}\", text = \"{CANARY}\" }}]\n"
        );
        let scenario = step("make the scenario").works(Scenario::from_toml(&text))?;
        let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let emulator = Emulator::builder().scenario(scenario).seed(context.seed()).listen(loopback);
        let emulator = step("start the emulator").works(emulator.start().await)?;
        let folder = step("make a folder").works(TempDir::new())?;
        let ids: Vec<String> = (0..ROWS).map(|number| format!("row-{number:04}-of-the-input")).collect();
        let rows = ids.iter().enumerate().map(|(number, id)| {
            let row = json!({
                "id": id,
                "created_at": format!("2025-01-15T14:{number:02}:00.000000Z"),
                "value": number,
            });
            format!("{row}\n")
        });
        let input: String = rows.collect();
        step("write the input").works(fs::write(folder.path().join("input.ndjson"), input))?;
        Ok(Self { emulator, command, folder, ids })
    }

    /// What the command must cope with.
    pub(crate) fn inject(&self, fault: Fault) -> FaultGuard {
        self.emulator.inject(fault)
    }

    /// Runs the command to its end, or to the end of its time.
    pub(crate) async fn run(&self) -> Result<Ended, Stop> {
        let named = step("run the command");
        let said = self.folder.path().join("said");
        let out = named.works(File::create(&said))?;
        let err = named.works(out.try_clone())?;
        let port = self.emulator.address().map(|address| address.port()).unwrap_or_default();
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.command.command).stdin(Stdio::null()).stdout(out).stderr(err);
        for name in ["AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SECURITY_TOKEN"] {
            command.env_remove(name);
        }
        command
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .env("AWS_ACCESS_KEY_ID", KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("BUCKETPROOF_BUCKET", BUCKET)
            .env("BUCKETPROOF_PREFIX", PREFIX)
            .env("BUCKETPROOF_INPUT", self.folder.path().join("input.ndjson"))
            // A group of its own, so that its time can end for all that it started.
            .process_group(0);
        let mut child = named.works(command.spawn())?;
        let (watch, clock) = (Stopwatch::start(), Clock::system());
        let status = loop {
            if let Some(status) = named.works(child.try_wait())? {
                break Some(status);
            }
            if watch.elapsed() > self.command.timeout {
                let group = format!("-{}", child.id());
                // It may have ended just now.
                let _killed = Command::new("kill").args(["-KILL", "--", &group]).status();
                named.works(child.wait())?;
                break None;
            }
            clock.sleep(LOOK).await;
        };
        let said = String::from_utf8_lossy(&named.works(fs::read(&said))?).into_owned();
        let Some(status) = status else {
            let limit = self.command.timeout.as_secs();
            let failure = named.failure(format!("an end within {limit} s"), last_words(&said));
            return Err(failure.into());
        };
        Ok(Ended { code: status.code(), said })
    }

    /// Runs the command, which must say that it succeeded.
    pub(crate) async fn succeeds(&self) -> Result<Ended, Stop> {
        let ended = self.run().await?;
        if ended.code == Some(0) {
            return Ok(ended);
        }
        let failure = step("run the command").failure("exit status 0", status_of(&ended));
        Err(self.explain(failure).into())
    }

    /// Every object, read by the customer.
    pub(crate) async fn objects(&self) -> Result<BTreeMap<String, Bytes>, Stop> {
        let s3 = self.emulator.s3("administrator");
        let listed = step("list the bucket").works(s3.list_objects_v2().bucket(BUCKET).send().await)?;
        let mut objects = BTreeMap::new();
        for key in listed.contents().iter().filter_map(|object| object.key()) {
            let got = step("read an object").works(s3.get_object().bucket(BUCKET).key(key).send().await)?;
            let body = step("read an object").works(got.body.collect().await)?;
            objects.insert(key.to_owned(), body.into_bytes());
        }
        Ok(objects)
    }

    /// Every row of the input must be in the bucket, once.
    pub(crate) async fn holds_every_row(&self) -> Result<(), Stop> {
        let objects = self.objects().await?;
        let texts: Vec<String> =
            objects.iter().filter(|(key, _)| key.as_str() != OTHERS).map(|(_, body)| text_of(body)).collect();
        let named = step("look for every row of the input below the prefix");
        let (mut missing, mut twice) = (Vec::new(), Vec::new());
        for id in &self.ids {
            match texts.iter().map(|text| text.matches(id.as_str()).count()).sum() {
                0 => missing.push(id.as_str()),
                1 => {}
                _ => twice.push(id.as_str()),
            }
        }
        if let Some(first) = missing.first() {
            let keys: Vec<&str> = objects.keys().map(String::as_str).collect();
            let actual =
                format!("{} rows are missing, the first is `{first}`; objects: {keys:?}", missing.len());
            return Err(named.failure(format!("all {ROWS} rows"), actual).into());
        }
        if let Some(first) = twice.first() {
            let actual = format!("{} rows are there more than once, the first is `{first}`", twice.len());
            return Err(named.failure("each row once", actual).into());
        }
        Ok(())
    }

    /// Adds what was denied: the missing permissions and the trace of the last denial.
    pub(crate) fn explain(&self, mut failure: Failure) -> Failure {
        let denied = self.emulator.journal().denied();
        for decision in &denied {
            failure = failure.missing(decision.action.as_str(), decision.resource.as_str());
        }
        match denied.last() {
            Some(last) => failure.trace(last.explain()),
            None => failure,
        }
    }
}

/// `exit status 1, and says: ...`
pub(crate) fn status_of(ended: &Ended) -> String {
    let status = ended.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit status {code}"));
    format!("{status}, and says: {}", last_words(&ended.said))
}

/// The end of what a command said, without its secret.
fn last_words(said: &str) -> String {
    let said = said.replace(SECRET, "(the secret)");
    let lines: Vec<&str> = said.lines().collect();
    let from = lines.len().saturating_sub(8);
    let words = lines.get(from..).unwrap_or_default().join("\n");
    if words.is_empty() { "nothing".to_owned() } else { words }
}

/// The text in an object: as it is, unpacked, or the rows of a Parquet file.
fn text_of(body: &Bytes) -> String {
    if body.starts_with(b"PAR1")
        && let Ok(table) = read_table(body)
    {
        return table.rows.iter().map(ToString::to_string).collect();
    }
    let mut unpacked = Vec::new();
    if body.starts_with(&[0x1f, 0x8b]) && MultiGzDecoder::new(&body[..]).read_to_end(&mut unpacked).is_ok() {
        return String::from_utf8_lossy(&unpacked).into_owned();
    }
    String::from_utf8_lossy(body).into_owned()
}

/// Whether the object of somebody else is as it was.
pub(crate) fn others_are_untouched(objects: &BTreeMap<String, Bytes>) -> bool {
    objects.get(OTHERS).is_some_and(|body| body[..] == *CANARY.as_bytes())
}
