//! How fast files are imported, how much memory that takes, and that no file is read twice.
//!
//! `cargo run --release -p bucketproof-benches --example import_files -- [files] [rows] [target] [steps]`: so many files of so many
//! rows each, put and imported in so many steps; 100, 100000, `sqlite` and 10 if nothing is said. The target is `sqlite`,
//! `parquet`, `postgres` (a server of its own from `/usr/lib/postgresql`, for as long as it takes) or the URL of a PostgreSQL on
//! loopback. Many small files in one pass: `-- 100000 1 sqlite 1`.
//!
//! The bucket is an emulator in a process of its own, so the memory that is told is the importer's alone. GETs and listings are
//! those in the emulator's journal, which keeps all of them here.

mod bucket;
mod server;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bucket::{Bucket, Requests};
use bucketproof_clock::{Clock, Entropy, Stopwatch};
use bucketproof_connector::import::{ImportConfig, Importer, InboundStore};
use bucketproof_connector::store::S3Store;
use server::Server;

/// When all of it plays.
const NOW: &str = "2026-01-02T00:00:00Z";

const CONFIG: &str = r#"
profile = "split_events_import"
{target}
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
endpoint = "{endpoint}"
allow_http = true
path_style = true
[connection.auth]
mode = "static_keys"
access_key_id = "AKIAIMPORTEREXAMPLE0"
secret_access_key = { env = "IMPORT_SECRET" }
"#;

/// Resident memory of this process in MiB, now and at its most, as Linux tells.
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

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if arguments.peek().is_some_and(|first| first == bucket::SERVE) {
        let rows = arguments.nth(1).ok_or("rows")?.parse()?;
        return runtime.block_on(bucket::serve(rows));
    }
    let mut number = |usual: usize| arguments.next().map_or(Ok(usual), |argument| argument.parse());
    let (files, rows) = (number(100)?, number(100_000)?);
    let target = arguments.next().unwrap_or_else(|| "sqlite".to_owned());
    let steps = arguments.next().map_or(Ok(10), |argument| argument.parse::<usize>())?.clamp(1, files.max(1));
    runtime.block_on(measure(files, rows, &target, steps))
}

#[expect(clippy::print_stdout, reason = "it reports to who started it")]
async fn measure(files: usize, rows: usize, target: &str, steps: usize) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let server = if target == "postgres" { Some(Server::start()?) } else { None };
    let lines = match target {
        "sqlite" => String::new(),
        "parquet" => "[target.parquet]\ndirectory = \"events\"".to_owned(),
        url => {
            let url = server.as_ref().map_or_else(|| url.to_owned(), Server::url);
            std::fs::write(directory.path().join("url"), url)?;
            "[target.postgres]\nurl = { file = \"url\" }\nschema = \"import_files\"".to_owned()
        }
    };
    let mut bucket = Bucket::start(rows)?;
    let text = CONFIG.replace("{target}", &lines).replace("{endpoint}", &bucket.url);
    let config = ImportConfig::parse(&text, &directory.path().join("import.toml").to_string_lossy())?;
    let clock = Clock::manual(NOW.parse()?);
    let connection = config.connections.first().ok_or("a connection")?;
    let settings = connection.store_settings(|_| Some("importerSecret".to_owned()))?;
    let store: Arc<dyn InboundStore> = Arc::new(S3Store::new(settings, &clock, None)?);
    let buckets = [("events".to_owned(), store)].into();
    let mut importer = Importer::new(config.clone(), buckets, clock.clone(), Entropy::seeded(1))?;
    let start = Stopwatch::start();
    let (mut stored, mut spent, mut before) = (0_u64, Duration::ZERO, Requests::default());
    println!("{files} files of {rows} rows ({} bytes each) into {target}", bucket.file_bytes);
    println!("   files        rows  resident MiB  at most MiB    rows/s   GETs  listings");
    for step in 1..=steps {
        bucket.put(files * step / steps)?;
        let begin = start.elapsed();
        let summary = importer.once().await?;
        let took = start.elapsed().saturating_sub(begin);
        stored += summary.rows_stored;
        spent += took;
        let (now, most) = memory();
        let requests = bucket.requests()?;
        println!(
            "{:8} {stored:11} {now:13} {most:12} {:9} {:6} {:9}",
            files * step / steps,
            speed(summary.rows_stored, took),
            requests.gets - before.gets,
            requests.listings - before.listings
        );
        before = requests;
    }
    println!("{stored} rows in {spent:.1?}: {} rows/s; {} GETs", speed(stored, spent), before.gets);
    let begin = start.elapsed();
    let again = importer.once().await?;
    let took = start.elapsed().saturating_sub(begin);
    let requests = bucket.requests()?;
    println!(
        "reconciled again in {took:.2?}: {} files found, {} read; {} GETs, {} listings",
        again.files_found,
        again.files_read,
        requests.gets - before.gets,
        requests.listings - before.listings
    );
    Ok(())
}

fn speed(rows: u64, took: Duration) -> u128 {
    u128::from(rows) * 1000 / took.as_millis().max(1)
}
