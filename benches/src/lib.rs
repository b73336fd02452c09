//! Benches, one file per question, in `benches/`. This library is empty: a package needs a target.
//!
//! - `decision`: what does a decision cost, and how does it grow.
//! - `encode`: how fast do NDJSON lines become a Parquet file, and its halves alone.
//! - `fork`: how long does it take to copy a prepared world.
//! - `list`: what does a page of a listing cost, and does it grow with the bucket.
//! - `replace`: what does it cost to change a part of an hour.
//! - `request`: what does one request cost with policies enforced, beside `s3s-fs` without any.
//! - `startup`: how long does an emulator take to start in-process.
//! - `throughput`: how much does one client move over a socket, beside `s3s-fs`.
//!
//! Run one with `cargo bench -p bucketproof-benches --bench encode`. No figure is a test: machines differ, and two
//! commits are compared in one run. `README.md` tells how peers are measured, and what was found.
