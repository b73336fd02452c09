//! The replacement of an hour as a process of its own, to stand beside other programs in one table.
//!
//! `hour_replace prepare ROWS BASE RECENT SCATTERED` writes an hour of SuprSend's messages as Parquet, and two sets of
//! changes to one row in a hundred of it as NDJSON. `hour_replace apply BASE CHANGES OUTPUT` reads an hour and its changes
//! and writes the hour as it is then.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program of one purpose, for people at a terminal"
)]

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use bucketproof_connector::content::{Content, Room};
use bucketproof_connector::merge::ChangeSet;
use bucketproof_connector::names::DatasetName;
use bucketproof_connector::object_file::encode_text_to;
use bucketproof_connector::parquet_file::encode;
use bucketproof_connector::profile::{Compression, Encoding, Format, VendorProfile};
use bucketproof_connector::rows::{LinesOrigin, decode_ndjson};
use bucketproof_connector::splice::{Replaced, replace_within};

#[path = "../shared/hour.rs"]
mod hour;

use hour::Hour;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().unwrap_or_else(|| panic!("{what} is missing"));
    let profile = VendorProfile::named("suprsend_s3_v2").expect("the embedded profile");
    let dataset = profile.dataset(&DatasetName::new("messages").expect("a name")).expect("the dataset");
    if next("what to do") == "prepare" {
        let hour = Hour::new(dataset, next("ROWS").parse().expect("a number of rows"));
        let base = encode(dataset, profile.encoding(), &hour.batches).expect("the rows encode");
        std::fs::write(next("BASE"), base).expect("the base is written");
        let lines =
            Encoding { format: Format::Ndjson, compression: Compression::None, ..profile.encoding().clone() };
        let write = |path: String, rows: RecordBatch| {
            let mut sink = File::create(path).expect("the output opens");
            encode_text_to(&mut sink, dataset, &lines, &[rows]).expect("the rows are written");
        };
        write(next("RECENT"), hour.recent());
        write(next("SCATTERED"), hour.scattered());
        return;
    }
    let base = Content::of_file(PathBuf::from(next("BASE"))).expect("the base is there");
    let lines = std::fs::read(next("CHANGES")).expect("the changes read");
    let origin = LinesOrigin { source: "changes", lines_before: 0, bytes_before: 0 };
    let rows = decode_ndjson(dataset, &lines, origin).expect("the lines fit").batch;
    let changes = ChangeSet { sequences: (0..rows.num_rows() as u64).collect(), rows };
    let output = PathBuf::from(next("OUTPUT"));
    // What is made goes to a file at once, as the engine has it where memory is short, and that file is the output.
    let room = Room::new(0, output.parent().unwrap_or_else(|| Path::new(".")).to_owned());
    match replace_within(dataset, profile.encoding(), Some(base), &changes, &room).expect("the rows merge") {
        Replaced::Unchanged { .. } => panic!("the changes change nothing"),
        Replaced::Changed(hour) => {
            match hour.body.path() {
                Some(made) => std::fs::rename(made, output).expect("the output is renamed"),
                // Rewritten whole.
                None => std::fs::write(output, hour.body.to_bytes().expect("bytes"))
                    .expect("the output is written"),
            }
            println!("{{\"rows\":{}}}", hour.object_rows);
        }
    }
}
