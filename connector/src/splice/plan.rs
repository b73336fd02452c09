//! What has to happen to which row group.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use foldhash::quality::RandomState;

use super::ReplaceError;
use super::base::{Base, is_text};
use crate::column_view::ColumnView;
use crate::merge::{ChangeSet, MergeError, append_row_key};
use crate::profile::Dataset;

/// What happens to one stretch of the object.
#[derive(Debug)]
pub(super) enum Segment {
    /// A row group stays as it is.
    Copy(usize),
    /// Rows of a row group change in their places: row of the group and row of the batch.
    Patch { group: usize, updates: Vec<(usize, usize)> },
    /// Row groups side by side lose rows and get others.
    Build { groups: Range<usize>, removals: BTreeMap<usize, Vec<usize>>, changes: Vec<usize>, rows: usize },
}

/// The segments of an object's next content, in its order.
#[derive(Debug)]
pub(super) struct Edits {
    pub(super) segments: Vec<Segment>,
    pub(super) written: u64,
    pub(super) object_rows: u64,
}

/// What becomes of an object.
pub(super) enum Plan {
    /// Nothing changes.
    Unchanged,
    /// Splicing wins nothing, or the object is not as it should be.
    Rewrite,
    /// Segments are copied and encoded.
    Splice(Edits),
}

/// How much of an object may be taken up at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// All of it; where more than half is to be built again, a rewrite is cheaper.
    AtOnce,
    /// A few row groups, whatever it costs.
    Gradual,
}

/// Row groups that are built again together, where an object is gone through gradually.
const STRETCH: usize = 4;

/// The winning row of a key among the changes.
struct Winner {
    row: usize,
    sequence: u64,
    version: i64,
    time: i64,
    alternative: usize,
    found: Option<Found>,
}

/// By their keys. Every key of an object may be looked up among them, so the hash is a quick one, seeded at random.
type Winners = HashMap<Vec<u8>, Winner, RandomState>;

/// Where the object holds a version of a key.
#[derive(Clone, Copy)]
struct Found {
    group: usize,
    row: usize,
    version: i64,
    time: i64,
}

/// What happens to one row group.
#[derive(Clone, Debug, Default)]
struct GroupEdit {
    updates: Vec<(usize, usize)>,
    removals: Vec<usize>,
    insertions: Vec<usize>,
    is_built: bool,
}

impl Plan {
    pub(super) fn of(
        base: &Base,
        dataset: &Dataset,
        changes: &ChangeSet,
        pace: Pace,
    ) -> Result<Self, ReplaceError> {
        let schema_error = || MergeError::Schema { dataset: dataset.name().to_string() };
        let mut winners = winners(dataset, changes).ok_or_else(schema_error)?;
        if !find(base, dataset, changes, &mut winners, pace)? {
            return Ok(Self::Rewrite);
        }
        let mut winners: Vec<Winner> = winners.into_values().collect();
        winners.retain(|winner| winner.found.is_none_or(|found| found.version <= winner.version));
        let equal = equal_rows(base, changes, &winners)?;
        winners.retain(|winner| !equal.contains(&winner.row));
        if winners.is_empty() {
            return Ok(Self::Unchanged);
        }
        winners.sort_unstable_by_key(|winner| winner.row);
        Ok(edits(base, &winners, pace).map_or(Self::Rewrite, Self::Splice))
    }
}

/// The winning row of each key among the changes.
fn winners(dataset: &Dataset, changes: &ChangeSet) -> Option<Winners> {
    let views = ColumnView::all(&changes.rows)?;
    let wanted = vec![true; dataset.key_positions().len()];
    let versions = instants(&changes.rows, dataset.version_position()?)?;
    let times = instants(&changes.rows, dataset.time_position()?)?;
    let mut winners = Winners::with_capacity_and_hasher(changes.rows.num_rows(), RandomState::default());
    for row in 0..changes.rows.num_rows() {
        let mut key = Vec::new();
        let alternative = append_row_key(dataset, |at| views.get(at), &wanted, row, &mut key)?;
        let sequence = *changes.sequences.get(row)?;
        let version = *versions.get(row)?;
        let winner = Winner { row, sequence, version, time: *times.get(row)?, alternative, found: None };
        let known = winners.entry(key);
        let known = known.or_insert(Winner { ..winner });
        if (known.version, known.sequence) <= (version, sequence) {
            *known = winner;
        }
    }
    Some(winners)
}

fn instants(rows: &RecordBatch, column: usize) -> Option<&[i64]> {
    let times = rows.columns().get(column)?.as_primitive_opt::<TimestampMicrosecondType>()?;
    Some(times.values())
}

/// Notes where the object holds the winners' keys. `false` if it holds one twice, or as soon as it is plain that more than
/// half of the rows lie in row groups that get others between theirs: then a rewrite is cheaper.
fn find(
    base: &Base,
    dataset: &Dataset,
    changes: &ChangeSet,
    winners: &mut Winners,
    pace: Pace,
) -> Result<bool, ReplaceError> {
    let mut times: Vec<i64> = winners.values().map(|winner| winner.time).collect();
    times.sort_unstable();
    let used: Vec<bool> = (0..dataset.key_positions().len())
        .map(|alternative| winners.values().any(|winner| winner.alternative == alternative))
        .collect();
    // A key that holds the time is found where the time is; others may lie anywhere.
    let anywhere: Vec<Probe> = dataset
        .key_positions()
        .iter()
        .zip(&used)
        .enumerate()
        .filter(|(_, (key, is_used))| {
            **is_used && !dataset.time_position().is_some_and(|time| key.columns.contains(&time))
        })
        .map(|(alternative, _)| Probe::of(dataset, changes, winners, alternative))
        .collect();
    let mut built = 0;
    // The rows of the row group before are held until those of the next are read: memory that is given back whole is taken back
    // by the system, and costs as much again.
    let mut before = None;
    for (group, bounds) in base.groups.iter().enumerate() {
        let from = times.partition_point(|time| *time < bounds.first);
        let is_in_time = times.get(from).is_some_and(|time| *time <= bounds.last);
        let wanted: Vec<bool> = if is_in_time {
            used.clone()
        } else {
            let mut wanted = vec![false; used.len()];
            for probe in anywhere.iter().filter(|probe| probe.may_be_in(base, group)) {
                if let Some(is_wanted) = wanted.get_mut(probe.alternative) {
                    *is_wanted = true;
                }
            }
            wanted
        };
        let found = scan(base, dataset, group, &wanted, winners, &mut before)?;
        let Some(found) = found else { return Ok(false) };
        // At its borders a time may be another row group's.
        let up_to = |end: i64| times.partition_point(|time| *time < end);
        let within = up_to(bounds.last).saturating_sub(up_to(bounds.first.saturating_add(1)));
        built += if within > found { bounds.rows } else { 0 };
        if built * 2 > base.rows() && pace == Pace::AtOnce {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A key that may lie in any row group, and the values of its first text.
struct Probe {
    alternative: usize,
    column: Option<usize>,
    values: Vec<Vec<u8>>,
}

impl Probe {
    fn of(dataset: &Dataset, changes: &ChangeSet, winners: &Winners, alternative: usize) -> Self {
        let key = dataset.key_positions().get(alternative);
        let column = key.and_then(|key| {
            let is_sure = |at: &&usize| key.present.contains(at) && is_text(dataset, **at);
            key.columns.iter().find(is_sure).copied()
        });
        let texts = column.and_then(|at| changes.rows.columns().get(at)?.as_string_opt::<i32>());
        let mut values: Vec<Vec<u8>> = Vec::new();
        for winner in winners.values().filter(|winner| winner.alternative == alternative) {
            values.extend(texts.map(|texts| texts.value(winner.row).as_bytes().to_vec()));
        }
        values.sort_unstable();
        Self { alternative, column: column.filter(|_| texts.is_some()), values }
    }

    /// Whether a row group may hold one of the keys, as far as statistics tell.
    fn may_be_in(&self, base: &Base, group: usize) -> bool {
        let Some((least, greatest)) = self.column.and_then(|column| base.text_bounds(group, column)) else {
            return true;
        };
        let from = self.values.partition_point(|value| value.as_slice() < least);
        self.values.get(from).is_some_and(|value| value.as_slice() <= greatest)
    }
}

/// Looks for the winners' keys in one row group; how many it holds. `None` if one was found before.
fn scan(
    base: &Base,
    dataset: &Dataset,
    group: usize,
    wanted: &[bool],
    winners: &mut Winners,
    before: &mut Option<RecordBatch>,
) -> Result<Option<usize>, ReplaceError> {
    let Some(last) = wanted.iter().rposition(|is_wanted| *is_wanted) else { return Ok(Some(0)) };
    let wanted = wanted.get(..=last).unwrap_or_default();
    let mut columns: BTreeSet<usize> = BTreeSet::new();
    for (key, is_wanted) in dataset.key_positions().iter().zip(wanted) {
        columns.extend(&key.present);
        columns.extend(key.columns.iter().filter(|_| *is_wanted));
    }
    let columns: Vec<usize> = columns.into_iter().collect();
    let rows = base.read(group, &columns, None)?;
    let schema_error = || MergeError::Schema { dataset: dataset.name().to_string() };
    let mut views: Vec<Option<ColumnView<'_>>> = Vec::new();
    views.resize_with(base.schema.fields().len(), || None);
    for (at, view) in columns.iter().zip(ColumnView::all(&rows).ok_or_else(schema_error)?) {
        if let Some(place) = views.get_mut(*at) {
            *place = Some(view);
        }
    }
    let (mut key, mut hits, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows.num_rows() {
        key.clear();
        let column = |at: usize| views.get(at)?.as_ref();
        let is_wanted = append_row_key(dataset, column, wanted, row, &mut key).is_some();
        if is_wanted && winners.contains_key(&key) {
            hits.push(row);
            keys.push(key.clone());
        }
    }
    drop(views);
    *before = Some(rows);
    note(base, dataset, (group, &hits), &keys, winners)
}

/// Notes version and time of the rows that have the winners' keys; how many there are. `None` if one was found before.
fn note(
    base: &Base,
    dataset: &Dataset,
    (group, rows): (usize, &[usize]),
    keys: &[Vec<u8>],
    winners: &mut Winners,
) -> Result<Option<usize>, ReplaceError> {
    if rows.is_empty() {
        return Ok(Some(0));
    }
    let schema_error = || MergeError::Schema { dataset: dataset.name().to_string() };
    let columns: BTreeSet<usize> =
        dataset.version_position().into_iter().chain(dataset.time_position()).collect();
    let columns: Vec<usize> = columns.into_iter().collect();
    let read = base.read(group, &columns, Some(rows))?;
    let of = |position: Option<usize>| {
        instants(&read, columns.iter().position(|column| Some(*column) == position)?)
    };
    let versions = of(dataset.version_position()).ok_or_else(schema_error)?;
    let times = of(dataset.time_position()).ok_or_else(schema_error)?;
    for ((row, key), (version, time)) in rows.iter().zip(keys).zip(versions.iter().zip(times)) {
        let Some(winner) = winners.get_mut(key) else { continue };
        if winner.found.is_some() {
            return Ok(None);
        }
        winner.found = Some(Found { group, row: *row, version: *version, time: *time });
    }
    Ok(Some(rows.len()))
}

/// Rows of the batch that the object holds already, content and version.
fn equal_rows(base: &Base, changes: &ChangeSet, winners: &[Winner]) -> Result<BTreeSet<usize>, ReplaceError> {
    let mut same_version: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for winner in winners {
        if let Some(found) = winner.found.filter(|found| found.version == winner.version) {
            same_version.entry(found.group).or_default().push((found.row, winner.row));
        }
    }
    let mut equal = BTreeSet::new();
    for (group, mut pairs) in same_version {
        pairs.sort_unstable();
        let rows: Vec<usize> = pairs.iter().map(|(row, _)| *row).collect();
        let kept = base.read(group, &base.all_columns(), Some(&rows))?;
        for (at, (_, row)) in pairs.into_iter().enumerate() {
            if kept.slice(at, 1) == changes.rows.slice(row, 1) {
                equal.insert(row);
            }
        }
    }
    Ok(equal)
}

/// The edits; `None` if a rewrite is cheaper.
fn edits(base: &Base, winners: &[Winner], pace: Pace) -> Option<Edits> {
    let full = base.row_group_rows;
    let count = base.groups.len();
    // The last one stands for what comes after all row groups.
    let mut groups: Vec<GroupEdit> = vec![GroupEdit::default(); count + 1];
    for winner in winners {
        match winner.found {
            Some(found) if found.time == winner.time => {
                groups.get_mut(found.group)?.updates.push((found.row, winner.row));
                continue;
            }
            Some(found) => groups.get_mut(found.group)?.removals.push(found.row),
            None => {}
        }
        let (from, to) = place(base, winner.time);
        for group in groups.get_mut(from..=to)? {
            group.is_built = true;
        }
        groups.get_mut(from)?.insertions.push(winner.row);
    }
    for (edit, group) in groups.iter_mut().zip(&base.groups) {
        edit.is_built |= !edit.removals.is_empty() || edit.updates.len() * 4 > group.rows;
    }
    let segments = segments(base, &groups, pace)?;
    // Row groups that have become too many are built again, all of them.
    let rows_of = |segments: &[Segment]| segments.iter().map(|segment| rows_in(base, segment)).sum::<usize>();
    let are_too_many = |segments: &[Segment]| segments.len() > rows_of(segments).div_ceil(full) * 4 + 4;
    let segments = if pace == Pace::Gradual && are_too_many(&segments) {
        groups.iter_mut().take(count).for_each(|group| group.is_built = true);
        self::segments(base, &groups, pace)?
    } else {
        segments
    };
    let built = |segment: &Segment| match segment {
        Segment::Build { groups, .. } => base.groups.get(groups.clone()).unwrap_or_default(),
        _ => &[],
    };
    let built: usize = segments.iter().flat_map(built).map(|group| group.rows).sum();
    if pace == Pace::AtOnce && (built * 2 > base.rows() || are_too_many(&segments)) {
        return None;
    }
    let object_rows = rows_of(&segments) as u64;
    Some(Edits { segments, written: winners.len() as u64, object_rows })
}

fn rows_in(base: &Base, segment: &Segment) -> usize {
    match segment {
        Segment::Copy(group) | Segment::Patch { group, .. } => {
            base.groups.get(*group).map_or(0, |group| group.rows)
        }
        Segment::Build { rows, .. } => *rows,
    }
}

fn segments(base: &Base, groups: &[GroupEdit], pace: Pace) -> Option<Vec<Segment>> {
    let (full, count) = (base.row_group_rows, base.groups.len());
    let mut segments = Vec::new();
    let mut next = 0;
    while next <= count {
        let edit = groups.get(next)?;
        if !edit.is_built {
            if next < count {
                segments.push(if edit.updates.is_empty() {
                    Segment::Copy(next)
                } else {
                    let mut updates = edit.updates.clone();
                    updates.sort_unstable();
                    Segment::Patch { group: next, updates }
                });
            }
            next += 1;
            continue;
        }
        let mut end = next + 1;
        let may_grow =
            |end: usize| pace == Pace::AtOnce || end - next < STRETCH || base.shares_time_with_next(end - 1);
        while groups.get(end).is_some_and(|edit| edit.is_built) && may_grow(end) {
            end += 1;
        }
        // What is left of a row group should not stay a small one.
        while rows_after(base, groups.get(next..end)?, next) * 4 < full && end < count {
            end += 1;
        }
        segments.push(build(base, groups.get(next..end)?, next));
        next = end;
    }
    Some(segments)
}

/// The row groups between which a row of `time` belongs: all that hold its time, or one beside its place.
fn place(base: &Base, time: i64) -> (usize, usize) {
    let from = base.groups.partition_point(|group| group.last < time);
    let end = base.groups.partition_point(|group| group.first <= time);
    if from < end {
        return (from, end - 1);
    }
    let rows = |group: usize| base.groups.get(group).map_or(usize::MAX, |group| group.rows);
    let before = from.checked_sub(1).filter(|before| rows(*before) < base.row_group_rows);
    let place = match before {
        Some(before) if from == base.groups.len() || rows(before) <= rows(from) => before,
        _ => from,
    };
    (place, place)
}

fn rows_after(base: &Base, edits: &[GroupEdit], first: usize) -> usize {
    let kept: usize = base.groups.iter().skip(first).take(edits.len()).map(|group| group.rows).sum();
    let removed: usize = edits.iter().map(|edit| edit.removals.len()).sum();
    let inserted: usize = edits.iter().map(|edit| edit.insertions.len()).sum();
    kept - removed + inserted
}

fn build(base: &Base, edits: &[GroupEdit], first: usize) -> Segment {
    let mut removals = BTreeMap::new();
    let mut changes = Vec::new();
    for (group, edit) in (first..).zip(edits) {
        if !edit.removals.is_empty() {
            let mut rows = edit.removals.clone();
            rows.sort_unstable();
            removals.insert(group, rows);
        }
        changes.extend(edit.updates.iter().map(|(_, row)| *row));
        changes.extend(&edit.insertions);
    }
    changes.sort_unstable();
    let rows = rows_after(base, edits, first);
    let groups = first..(first + edits.len()).min(base.groups.len());
    Segment::Build { groups, removals, changes, rows }
}
