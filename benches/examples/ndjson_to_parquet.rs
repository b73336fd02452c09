//! One run of the encoding path as a process of its own, to stand beside other programs in one table.
//!
//! `ndjson_to_parquet INPUT OUTPUT [snappy|zstd|none] [THREADS]` reads NDJSON of SuprSend's messages in blocks of lines,
//! writes a Parquet file in the order of the input, and prints the number of rows. With two threads one reads and decodes
//! while the other encodes, and both encode what is left; the bytes are the same.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program of one purpose, for people at a terminal"
)]

use std::fs::File;
use std::io::{BufWriter, Read};

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use bucketproof_connector::names::DatasetName;
use bucketproof_connector::parquet_file::encode_to;
use bucketproof_connector::profile::{Compression, Dataset, VendorProfile};
use bucketproof_connector::rows::{LinesOrigin, decode_ndjson};

const BLOCK: usize = 1 << 20;
const ORIGIN: LinesOrigin<'_> = LinesOrigin { source: "input", lines_before: 0, bytes_before: 0 };

type Block = Result<RecordBatch, ArrowError>;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().unwrap_or_else(|| panic!("{what} is missing"));
    let input = File::open(next("INPUT")).expect("the input opens");
    let output = BufWriter::with_capacity(BLOCK, File::create(next("OUTPUT")).expect("the output opens"));
    let profile = VendorProfile::named("suprsend_s3_v2").expect("the embedded profile");
    let dataset = profile.dataset(&DatasetName::new("messages").expect("a name")).expect("the dataset");
    let mut encoding = profile.encoding().clone();
    encoding.compression = match arguments.next().as_deref() {
        None | Some("snappy") => Compression::Snappy,
        Some("zstd") => Compression::Zstd,
        Some(_) => Compression::None,
    };
    let threads: usize = arguments.next().map_or(1, |text| text.parse().expect("a number of threads"));
    let mut rows = 0;
    let count = |block: Block| block.inspect(|batch| rows += batch.num_rows());
    encode_to(output, dataset, &encoding, threads, blocks(input, dataset).map(count))
        .expect("the rows encode");
    println!("{{\"rows\":{rows}}}");
}

/// The rows of the input, a block of whole lines at a time.
fn blocks(mut input: impl Read, dataset: &Dataset) -> impl Iterator<Item = Block> {
    let (mut block, mut held) = (vec![0; BLOCK], 0);
    std::iter::from_fn(move || {
        loop {
            let read = input.read(block.get_mut(held..)?).expect("the input reads");
            held += read;
            if held < block.len() && read > 0 {
                continue;
            }
            let whole = memchr::memrchr(b'\n', block.get(..held)?).map_or(held, |at| at + 1);
            if whole == 0 {
                return None;
            }
            let decoded = decode_ndjson(dataset, block.get(..whole)?, ORIGIN);
            block.copy_within(whole..held, 0);
            held -= whole;
            return Some(decoded.map(|decoded| decoded.batch));
        }
    })
}
