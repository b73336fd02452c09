//! The bucket: an emulator in a process of its own, which is told over standard input what to put and asked what it was asked.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use arrow_array::builder::{MapBuilder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use bucketproof_clock::Clock;
use bucketproof_emulator::{Emulator, Op, Scenario};
use parquet::arrow::ArrowWriter;

use crate::NOW;

/// The argument that makes a process the bucket's.
pub(crate) const SERVE: &str = "--serve";

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

/// What was asked of the bucket so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Requests {
    pub(crate) gets: usize,
    pub(crate) listings: usize,
}

/// The process with the bucket; it ends with this one.
#[derive(Debug)]
pub(crate) struct Bucket {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub(crate) url: String,
    pub(crate) file_bytes: usize,
}

impl Bucket {
    pub(crate) fn start(rows: usize) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([SERVE, &rows.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().ok_or("no output")?);
        let mut bucket = Self { process, orders, answers, url: String::new(), file_bytes: 0 };
        let hello = bucket.answer()?;
        let (url, bytes) = hello.split_once(' ').ok_or("no address")?;
        (bucket.url, bucket.file_bytes) = (url.to_owned(), bytes.parse()?);
        Ok(bucket)
    }

    /// Has so many files in the bucket.
    pub(crate) fn put(&mut self, files: usize) -> Result<(), Box<dyn Error>> {
        self.order(&format!("put {files}")).map(drop)
    }

    pub(crate) fn requests(&mut self) -> Result<Requests, Box<dyn Error>> {
        let answer = self.order("count")?;
        let (gets, listings) = answer.split_once(' ').ok_or("no counts")?;
        Ok(Requests { gets: gets.parse()?, listings: listings.parse()? })
    }

    fn order(&mut self, order: &str) -> Result<String, Box<dyn Error>> {
        let orders = self.orders.as_mut().ok_or("it has ended")?;
        writeln!(orders, "{order}")?;
        orders.flush()?;
        self.answer()
    }

    fn answer(&mut self) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the process with the bucket has ended".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.orders = None;
        let _ended = self.process.wait();
    }
}

/// Is the bucket, until standard input ends.
#[expect(clippy::print_stdout, reason = "its parent reads it")]
pub(crate) async fn serve(rows: usize) -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder()
        .scenario(Scenario::from_toml(SCENARIO)?)
        .clock(Clock::manual(NOW.parse()?))
        .seed(1)
        .journal_limit(usize::MAX)
        .listen("127.0.0.1:0".parse()?)
        .start()
        .await?;
    let body = bytes::Bytes::from(file(rows)?);
    println!("{} {}", emulator.endpoint_url(), body.len());
    let s3 = emulator.s3("importer");
    let (sender, mut orders) = tokio::sync::mpsc::unbounded_channel();
    // Reading blocks, and requests are to be answered meanwhile.
    let _reader = std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let mut number = 0;
    while let Some(order) = orders.recv().await {
        if let Some(files) = order.strip_prefix("put ") {
            let files: usize = files.parse()?;
            while number < files {
                number += 1;
                let put = s3.put_object().bucket("customer-events");
                put.key(format!("events/{number:06}.parquet")).body(body.clone().into()).send().await?;
            }
            println!("done");
        } else {
            let counts = emulator.requests().counts();
            let of = |op: Op| counts.get(&op).copied().unwrap_or_default();
            println!("{} {}", of(Op::GetObject), of(Op::ListObjectsV2));
        }
    }
    Ok(())
}

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
