//! The judgement of a place, object by object.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;

use bucketproof_connector::names::ObjectKey;
use bucketproof_connector::profile::{Dataset, Format, KeyPrefix, PartitionUnit, VendorProfile};
use jiff::Timestamp;

use super::place::{Named, Place, PlaceError, Readers};
use super::rows::{RowKey, columns, key_of, strange_values, time_of};
use super::{Topic, VerifyReport, VerifySettings};
use crate::stage::read_table;

/// Gaps that are told one by one.
const GAPS_MAX: usize = 48;

type Seen<'p> =
    HashMap<(&'p str, RowKey), String, BuildHasherDefault<std::collections::hash_map::DefaultHasher>>;

pub(super) async fn judge(
    profile: &VendorProfile,
    place: &Place,
    settings: &VerifySettings,
) -> Result<VerifyReport, PlaceError> {
    let mut report = VerifyReport::new(profile, place);
    let objects = place.list(settings.objects_max).await?;
    report.objects = objects.len();
    let prefix = KeyPrefix::new(place.prefix()).unwrap_or_default();
    let mut slots: BTreeMap<&str, (PartitionUnit, BTreeSet<i64>)> = BTreeMap::new();
    let mut seen: Seen<'_> = HashMap::default();
    for object in &objects {
        report.bytes = report.bytes.saturating_add(object.bytes);
        let Some((dataset, start, format)) = owner(profile, &prefix, object) else {
            report.find(Topic::Layout, &object.key, "no dataset of the profile has a key of this form");
            continue;
        };
        let unit = dataset.partitioning().unit;
        if let Some(start) = start {
            let known = slots.entry(dataset.name().as_str()).or_insert_with(|| (unit, BTreeSet::new()));
            known.1.insert(unit.slot_of(start));
        }
        let (body, encryption) = place.read(&object.key).await?;
        access(&mut report, place, object, encryption.as_deref()).await;
        if format != Format::Parquet {
            report.not_judged("the rows of objects that are not Parquet");
            continue;
        }
        let table = match read_table(&body) {
            Ok(table) => table,
            Err(error) => {
                report.find(Topic::Content, &object.key, error.to_string());
                continue;
            }
        };
        report.rows += table.rows.len();
        for wrong in columns(&table.schema, dataset) {
            report.find(Topic::Schema, &object.key, wrong);
        }
        if table.rows.is_empty() {
            report.find(Topic::Content, &object.key, "there is no row in it");
        }
        for ((column, value), number) in strange_values(dataset, &table.rows) {
            let message = format!("`{column}` is `{value}` in {number} rows, which is not documented");
            report.find(Topic::Value, &object.key, message);
        }
        let mut elsewhere = 0;
        for row in &table.rows {
            if let (Some(start), Some(time)) = (start, time_of(dataset, row)) {
                elsewhere += usize::from(unit.slot_of(time) != unit.slot_of(start));
            }
            if let Some(key) = key_of(dataset, row)
                && let Some(first) = seen.insert((dataset.name().as_str(), key), object.key.clone())
            {
                let message = if first == object.key {
                    "a row stands twice in it".to_owned()
                } else {
                    format!("a row stands in `{first}` as well")
                };
                report.find(Topic::Duplicate, &object.key, message);
            }
        }
        if elsewhere > 0 {
            report.find(
                Topic::Partition,
                &object.key,
                format!("{elsewhere} rows belong to another partition"),
            );
        }
    }
    gaps(&mut report, &slots);
    freshness(&mut report, &objects, settings);
    if matches!(place, Place::Folder(_)) {
        report.not_judged("encryption and access, which a folder does not have");
    }
    Ok(report)
}

/// The dataset that an object belongs to, the beginning of its partition, and its format.
fn owner<'p>(
    profile: &'p VendorProfile,
    prefix: &KeyPrefix,
    object: &Named,
) -> Option<(&'p Dataset, Option<Timestamp>, Format)> {
    let key = ObjectKey::new(object.key.as_str()).ok()?;
    profile.datasets().iter().find_map(|dataset| {
        let parts = dataset.layout().parts_of(&profile.prefix_of(prefix), &key)?;
        let is_named = parts.dataset.as_deref().is_none_or(|name| name == dataset.name().as_str());
        let format = match &parts.extension {
            None => profile.encoding().format,
            Some(extension) => profile.encodings().iter().find(|one| one.extension == *extension)?.format,
        };
        is_named.then_some((dataset, parts.start, format))
    })
}

async fn access(report: &mut VerifyReport, place: &Place, object: &Named, encryption: Option<&str>) {
    if matches!(place, Place::Folder(_)) {
        return;
    }
    if encryption.is_none() {
        report.find(Topic::Encryption, &object.key, "the answer names no encryption at rest");
    }
    match place.readers(&object.key).await {
        Readers::Some => {}
        Readers::Everybody(group) => {
            report.find(Topic::Access, &object.key, format!("its ACL grants something to `{group}`"));
        }
        Readers::Unknown => report.not_judged("ACLs, which these credentials may not read"),
    }
}

/// Partitions that are missing between the first and the last of a dataset.
fn gaps(report: &mut VerifyReport, slots: &BTreeMap<&str, (PartitionUnit, BTreeSet<i64>)>) {
    for (dataset, (unit, slots)) in slots {
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else { continue };
        let missing = last - first + 1 - i64::try_from(slots.len()).unwrap_or(i64::MAX);
        let absent = (*first..=*last).filter(|slot| !slots.contains(slot));
        for slot in absent.take(GAPS_MAX) {
            let start = unit.start_of(slot).map_or_else(|| slot.to_string(), |start| start.to_string());
            report.find(
                Topic::Gap,
                *dataset,
                format!("there is no object for the partition that begins at {start}"),
            );
        }
        let told = i64::try_from(GAPS_MAX).unwrap_or(i64::MAX);
        if missing > told {
            report.find(Topic::Gap, *dataset, format!("{} partitions more are missing", missing - told));
        }
    }
}

fn freshness(report: &mut VerifyReport, objects: &[Named], settings: &VerifySettings) {
    let Some(within) = settings.fresh_within else {
        report.not_judged("freshness, unless `--fresh-within` says how old the newest object may be");
        return;
    };
    let newest = objects.iter().filter_map(|object| Some((object.modified?, &object.key))).max();
    if let Some((modified, key)) = newest
        && settings.now.duration_since(modified) > within
    {
        report.find(Topic::Freshness, key, format!("the newest object was written at {modified}"));
    }
}
