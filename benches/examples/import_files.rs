//! How fast files are imported, how much memory that takes, and that a second listing reads nothing.
//!
//! `cargo run --release -p bucketproof-benches --example import_files -- [files] [rows of each] [sqlite|parquet|URL]`; 100 and
//! 100000 and SQLite if nothing is said; a URL is that of a PostgreSQL on this machine. Many small files: `-- 100000 1`. The bucket
//! is the emulator's, in the same process, so its memory is counted, too: what matters is that it does not grow from tenth to tenth.
//! The requests are those of the emulator's journal of this process.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::builder::{MapBuilder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use bucketproof_clock::{Clock, Entropy, Stopwatch};
use bucketproof_connector::import::{ImportConfig, Importer, InboundStore};
use bucketproof_connector::store::S3Store;
use bucketproof_emulator::{Emulator, Scenario};
use parquet::arrow::ArrowWriter;

const CONFIG: &str = r#"
profile = "split_events_import"
[state]
dir = "state"
[[connection]]
name = "events"
data_prefix = "events/"
status_folder = "my_statuses"
environments = ["prod"]
[connection.bucket]
name = "customer-events"
region = "us-east-1"
[connection.auth]
mode = "static_keys"
access_key_id = "AKIAIMPORTEREXAMPLE0"
secret_access_key = { env = "IMPORT_SECRET" }
"#;

const SCENARIO: &str = r#"
[[account]]
id = "111122223333"
name = "customer"
[[account.user]]
name = "importer"
policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}']
[[account.user.access_key]]
id = "AKIAIMPORTEREXAMPLE0"
secret = "importerSecret"
[[account.bucket]]
name = "customer-events"
"#;

fn file(rows: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; rows])) };
    let mut properties = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for _ in 0..rows {
        properties.keys().append_value("plan");
        properties.values().append_value("pro");
        properties.append(true)?;
    }
    let keys: StringArray = (0..rows).map(|row| Some(format!("user-{row}"))).collect();
    let batch = RecordBatch::try_from_iter(vec![
        ("environmentId", text("prod")),
        ("trafficTypeId", text("user")),
        ("eventTypeId", text("page.load")),
        ("key", Arc::new(keys) as ArrayRef),
        ("timestamp", Arc::new(Int64Array::from(vec![1_767_225_600_000; rows]))),
        ("value", Arc::new(Float64Array::from(vec![1.5; rows]))),
        ("properties", Arc::new(properties.finish())),
    ])?;
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None)?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

/// Resident memory in MiB, now and at its most, as Linux tells.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib =
            line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok());
        kib.unwrap_or_default() / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "it reports to who started it")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: usize| arguments.next().map_or(Ok(usual), |argument| argument.parse());
    let (files, rows) = (number(100)?, number(100_000)?);
    let target = arguments.next().unwrap_or_else(|| "sqlite".to_owned());
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("import.toml");
    let target = match target.as_str() {
        "sqlite" => String::new(),
        "parquet" => "[target.parquet]\ndirectory = \"events\"\n".to_owned(),
        url => {
            std::fs::write(directory.path().join("url"), url)?;
            "[target.postgres]\nurl = { file = \"url\" }\nschema = \"import_files\"\n".to_owned()
        }
    };
    let text = CONFIG.replacen("[state]", &format!("{target}[state]"), 1);
    let config = ImportConfig::parse(&text, &path.to_string_lossy())?;
    let clock = Clock::manual("2026-01-02T00:00:00Z".parse()?);
    let scenario = Scenario::from_toml(SCENARIO)?;
    let emulator = Emulator::builder().scenario(scenario).clock(clock.clone()).seed(1).start().await?;
    let body = bytes::Bytes::from(file(rows)?);
    let s3 = emulator.s3("importer");
    let mut number = 0_u64;
    let start = Stopwatch::start();
    let connection = config.connections.first().ok_or("a connection")?;
    let settings = connection.store_settings(|_| Some("importerSecret".to_owned()))?;
    let store: Arc<dyn InboundStore> =
        Arc::new(S3Store::new(settings, &clock, Some(emulator.http_client()))?);
    let mut importer = Importer::new(
        config.clone(),
        [("events".to_owned(), store)].into(),
        clock.clone(),
        Entropy::seeded(1),
    )?;
    let (mut stored, mut spent) = (0_u64, Duration::ZERO);
    // In tenths, so that memory can be seen to stay.
    for tenth in 0..10 {
        for _ in 0..files / 10 {
            number += 1;
            let put = s3.put_object().bucket("customer-events").key(format!("events/{number:06}.parquet"));
            put.body(body.clone().into()).send().await?;
        }
        let begin = start.elapsed();
        stored += importer.once().await?.rows_stored;
        spent += start.elapsed().saturating_sub(begin);
        let (now, most) = memory();
        println!("after {} tenths: {stored} rows, resident {now} MiB, at most {most} MiB", tenth + 1);
    }
    let begin = start.elapsed();
    let again = importer.once().await?;
    let listing = start.elapsed().saturating_sub(begin);
    let speed = u128::from(stored) * 1000 / spent.as_millis().max(1);
    println!("{files} files of {rows} rows: {stored} rows in {spent:.1?}, {speed} rows/s");
    println!("listed again in {listing:.2?}: {} files found, {} read", again.files_found, again.files_read);
    for (operation, count) in emulator.requests().counts() {
        println!("{operation}: {count} requests");
    }
    Ok(())
}
