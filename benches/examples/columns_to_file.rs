//! The writers alone as a process of its own, to stand beside other programs in one table.
//!
//! `columns_to_file INPUT OUTPUT snappy|zstd|ndjson.gz|csv [THREADS]` reads one of our Parquet files of SuprSend's messages
//! into memory, writes its rows in another form, and prints what the writing took: CPU seconds of the process in steps of
//! 10 ms, and wall seconds. Threads matter for Parquet only.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program of one purpose, for people at a terminal"
)]

use std::fs::File;
use std::io::BufWriter;

use bucketproof_clock::Stopwatch;
use bucketproof_connector::names::DatasetName;
use bucketproof_connector::object_file::encode_text_to;
use bucketproof_connector::parquet_file::{decode, encode_to};
use bucketproof_connector::profile::{Compression, Format, VendorProfile};

/// Ticks of 10 ms that the process has run.
fn cpu_ticks() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("the kernel accounts for processes");
    let (_, behind_name) = text.rsplit_once(')').expect("a name in brackets");
    let fields = behind_name.split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<u64>().expect("a count of ticks")).sum()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().unwrap_or_else(|| panic!("{what} is missing"));
    let input = std::fs::read(next("INPUT")).expect("the input reads");
    let (output, form) = (next("OUTPUT"), next("the form"));
    let threads: usize = arguments.next().map_or(1, |text| text.parse().expect("a number of threads"));
    let profile = VendorProfile::named("suprsend_s3_v2").expect("the embedded profile");
    let dataset = profile.dataset(&DatasetName::new("messages").expect("a name")).expect("the dataset");
    let mut encoding = profile.encoding().clone();
    (encoding.format, encoding.compression) = match form.as_str() {
        "snappy" => (Format::Parquet, Compression::Snappy),
        "zstd" => (Format::Parquet, Compression::Zstd),
        "ndjson.gz" => (Format::Ndjson, Compression::Gzip),
        "csv" => (Format::Csv, Compression::None),
        other => panic!("`{other}` is no form"),
    };
    let batches = decode(dataset, bytes::Bytes::from(input)).expect("one of our files");
    let (watch, ticks) = (Stopwatch::start(), cpu_ticks());
    let mut sink = File::create(output).expect("the output opens");
    if encoding.format == Format::Parquet {
        let batches = batches.iter().map(|batch| Ok(batch.clone()));
        let sink = BufWriter::with_capacity(1 << 20, sink);
        let sink = encode_to(sink, dataset, &encoding, threads, batches).expect("the rows encode");
        drop(sink.into_inner().expect("the output is written"));
    } else {
        encode_text_to(&mut sink, dataset, &encoding, &batches).expect("the rows encode");
        drop(sink);
    }
    let (wall, ticks) = (watch.elapsed().as_secs_f64(), cpu_ticks() - ticks);
    println!("{{\"cpu\":{}.{:02},\"wall\":{wall:.4}}}", ticks / 100, ticks % 100);
}
