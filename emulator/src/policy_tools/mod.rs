//! What a journal says about policies.

mod generate;
mod record;

#[cfg(test)]
mod tests;

pub(crate) use generate::generate;
pub(crate) use record::read;
