//! The TOML form of how the engine works: memory, conditional writes, epochs, tails.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::raw_schedule::length;
use super::{TailConfig, Writes};
use crate::document::{Document, DocumentError};
use crate::names::DatasetName;

const MIB: u64 = 1024 * 1024;
const MEMORY_MIB_DEFAULT: u64 = 512;
const MEMORY_MIB: std::ops::RangeInclusive<u64> = 128..=65_536;
const BATCH_MIB_MAX: u64 = 512;
/// A batch is held as text, as columns and as the bytes of its objects.
const BATCHES_IN_MEMORY: u64 = 8;
/// How long nothing changes an hour before its tail is merged into it, if nothing is said.
const QUIET_DEFAULT: Duration = Duration::from_mins(30);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTail {
    datasets: Vec<Spanned<String>>,
    quiet: Option<Spanned<String>>,
}

/// The budget, and the source text that one batch takes at most: an eighth of it, unless less is asked for.
pub(super) fn memory(
    document: &Document<'_>,
    memory: Option<&Spanned<u64>>,
    batch: Option<&Spanned<u64>>,
) -> Result<(u64, u64), DocumentError> {
    let budget = memory.map_or(MEMORY_MIB_DEFAULT, |mib| *mib.get_ref());
    if let Some(memory) = memory.filter(|_| !MEMORY_MIB.contains(&budget)) {
        return Err(document.error(
            memory.span(),
            format!("the memory budget is {} to {} MiB", MEMORY_MIB.start(), MEMORY_MIB.end()),
            format!("{MEMORY_MIB_DEFAULT} is a good value"),
        ));
    }
    let share = (budget / BATCHES_IN_MEMORY).min(BATCH_MIB_MAX);
    let Some(batch) = batch else { return Ok((budget * MIB, share * MIB)) };
    let size = *batch.get_ref();
    if !(1..=BATCH_MIB_MAX).contains(&size) {
        return Err(document.error(
            batch.span(),
            format!("a batch takes 1 to {BATCH_MIB_MAX} MiB"),
            format!("{} is a good value", MEMORY_MIB_DEFAULT / BATCHES_IN_MEMORY),
        ));
    }
    if memory.is_some() && size > share {
        return Err(document.error(
            batch.span(),
            format!("a batch takes at most an eighth of `memory_mib`, which is {share} MiB"),
            "leave `batch_mib` out, or raise `memory_mib`",
        ));
    }
    Ok((budget.max(size * BATCHES_IN_MEMORY) * MIB, size * MIB))
}

/// What is known of the store's conditions.
pub(super) fn writes(
    document: &Document<'_>,
    raw: Option<&Spanned<String>>,
) -> Result<Writes, DocumentError> {
    let Some(raw) = raw else { return Ok(Writes::Conditional) };
    match raw.get_ref().as_str() {
        "conditional" => Ok(Writes::Conditional),
        "at_least_once_single_writer" => Ok(Writes::AtLeastOnceSingleWriter),
        _ => Err(document.error(
            raw.span(),
            "no way to write",
            "write `conditional`, or `at_least_once_single_writer` for a store without conditional writes",
        )),
    }
}

/// The writer's epoch.
pub(super) fn epoch(document: &Document<'_>, raw: Option<&Spanned<u64>>) -> Result<u64, DocumentError> {
    let Some(raw) = raw else { return Ok(0) };
    if i64::try_from(*raw.get_ref()).is_err() {
        return Err(document.error(raw.span(), "the epoch is too large", "count from 1"));
    }
    Ok(*raw.get_ref())
}

/// Which datasets have tails.
pub(super) fn tail(
    document: &Document<'_>,
    raw: Option<RawTail>,
    selected: &[DatasetName],
) -> Result<Option<TailConfig>, DocumentError> {
    let Some(raw) = raw else { return Ok(None) };
    let mut datasets = Vec::with_capacity(raw.datasets.len());
    for name in raw.datasets {
        let found = selected.iter().find(|known| known.as_str() == name.get_ref());
        let Some(found) = found else {
            return Err(document.error(
                name.span(),
                "the dataset is not selected",
                "name one of `datasets`, whose changed rows are to go to a tail",
            ));
        };
        datasets.push(found.clone());
    }
    let quiet = raw.quiet.map(|text| length(document, &text)).transpose()?.unwrap_or(QUIET_DEFAULT);
    Ok(Some(TailConfig { datasets, quiet }))
}
