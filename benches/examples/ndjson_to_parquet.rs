//! One run of the encoding path as a process of its own, to stand beside other programs in one table.
//!
//! `ndjson_to_parquet INPUT OUTPUT [snappy|zstd|none] [THREADS]` reads NDJSON of SuprSend's messages in blocks of lines,
//! writes a Parquet file in the order of the input, and prints the number of rows. With two threads both decode and encode
//! what comes next; the bytes are the same.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program of one purpose, for people at a terminal"
)]

use std::fs::File;
use std::io::{BufWriter, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use bucketproof_connector::names::DatasetName;
use bucketproof_connector::parquet_file::encode_deferred_to;
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
    let rows = AtomicUsize::new(0);
    encode_deferred_to(output, dataset, &encoding, threads, blocks(input, dataset, &rows))
        .expect("the rows encode");
    println!("{{\"rows\":{}}}", rows.into_inner());
}

/// The rows of the input, a block of whole lines at a time, to be decoded on any thread; `rows` counts them.
fn blocks<'d>(
    mut input: impl Read,
    dataset: &'d Dataset,
    rows: &'d AtomicUsize,
) -> impl Iterator<Item = impl FnOnce() -> Block + Send + 'd> {
    // Blocks come back when they are decoded, and serve again.
    let (give_back, free) = channel::<Vec<u8>>();
    let mut begun = vec![0; BLOCK];
    let mut held = 0;
    std::iter::from_fn(move || {
        loop {
            let read = input.read(begun.get_mut(held..)?).expect("the input reads");
            held += read;
            if held < begun.len() && read > 0 {
                continue;
            }
            let whole = memchr::memrchr(b'\n', begun.get(..held)?).map_or(held, |at| at + 1);
            if whole == 0 {
                return None;
            }
            let mut next = free.try_recv().unwrap_or_else(|_| vec![0; BLOCK]);
            next.get_mut(..held - whole)?.copy_from_slice(begun.get(whole..held)?);
            let block = std::mem::replace(&mut begun, next);
            held -= whole;
            let give_back = give_back.clone();
            return Some(move || {
                let decoded = decode_ndjson(dataset, block.get(..whole).unwrap_or_default(), ORIGIN)?.batch;
                rows.fetch_add(decoded.num_rows(), Ordering::Relaxed);
                // The reader may have ended.
                let _unheard = give_back.send(block);
                Ok(decoded)
            });
        }
    })
}
