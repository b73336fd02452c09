//! One run of the encoding path as a process of its own, to stand beside other programs in one table.
//!
//! `ndjson_to_parquet INPUT OUTPUT [snappy|zstd|none]` reads NDJSON of SuprSend's messages in blocks of lines, writes a
//! Parquet file in the order of the input, and prints the number of rows.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program of one purpose, for people at a terminal"
)]

use std::fs::File;
use std::io::{BufWriter, Read as _};

use bucketproof_connector::names::DatasetName;
use bucketproof_connector::parquet_file::encode_to;
use bucketproof_connector::profile::{Compression, VendorProfile};
use bucketproof_connector::rows::{LinesOrigin, decode_ndjson};

const BLOCK: usize = 1 << 20;
const ORIGIN: LinesOrigin<'_> = LinesOrigin { source: "input", lines_before: 0, bytes_before: 0 };

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().unwrap_or_else(|| panic!("{what} is missing"));
    let mut input = File::open(next("INPUT")).expect("the input opens");
    let output = BufWriter::new(File::create(next("OUTPUT")).expect("the output opens"));
    let profile = VendorProfile::named("suprsend_s3_v2").expect("the embedded profile");
    let dataset = profile.dataset(&DatasetName::new("messages").expect("a name")).expect("the dataset");
    let mut encoding = profile.encoding().clone();
    encoding.compression = match arguments.next().as_deref() {
        None | Some("snappy") => Compression::Snappy,
        Some("zstd") => Compression::Zstd,
        Some(_) => Compression::None,
    };
    let (mut block, mut held, mut rows) = (vec![0; BLOCK], 0, 0);
    let blocks = std::iter::from_fn(|| {
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
            return Some(decoded.map(|decoded| {
                rows += decoded.batch.num_rows();
                decoded.batch
            }));
        }
    });
    encode_to(output, dataset, &encoding, blocks).expect("the rows encode");
    println!("{{\"rows\":{rows}}}");
}
