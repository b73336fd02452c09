//! Benches, one file per question, in `benches/`. This library is empty: a package needs a target.
//!
//! - `decide`: what does a decision cost, and how does it grow.
//! - `encode`: how fast do NDJSON lines become a Parquet file, and its two halves alone.
//! - `start`: how long does an emulator take to start in-process.
//! - `request`: what does one request cost with policies enforced, beside `s3s-fs` without any.
//!
//! Run one with `cargo bench -p bucketproof-benches --bench encode`. No figure is a test: machines differ, and two
//! commits are compared in one run.
