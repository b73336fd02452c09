//! What a journal says about policies: the least that it needs, what other documents would change, which mistakes in them
//! nobody would notice, and which of their parts nothing ever used.
//!
//! All of them decide again: a line of the journal carries each question with the policies that were in force.

mod coverage;
mod diff;
mod document;
mod generate;
mod journal;
mod least;
mod mutant;
mod mutate;
mod probe;
mod render;

#[cfg(test)]
mod tests;

pub(crate) use coverage::coverage;
pub(crate) use diff::{Change, diff};
pub(crate) use document::Selector;
pub(crate) use generate::generate;
pub(crate) use journal::Recorded;
pub(crate) use mutate::mutate;
pub(crate) use render::Report;
