//! What is fuzzed, and what must hold for every input.
//!
//! Each target takes bytes and panics where a promise is broken. The fuzzer (`fuzz/`) feeds them new inputs, the test
//! `tests/fuzz.rs` those that were kept.

pub(crate) mod decision;
pub(crate) mod document;
pub(crate) mod glob;
pub(crate) mod model;
pub(crate) mod reference;
pub(crate) mod wildcard;

/// A promise and the name by which it is fuzzed.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&[u8]),
}

pub(crate) const TARGETS: [Target; 3] = [
    Target { name: "document", run: document::run },
    Target { name: "wildcard", run: wildcard::run },
    Target { name: "decision", run: decision::run },
];
