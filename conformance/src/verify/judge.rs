//! The judgement of a place, object by object.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use bucketproof_connector::names::ObjectKey;
use bucketproof_connector::profile::{
    Dataset, Format, KeyPrefix, Mode, PartitionBy, PartitionUnit, VendorProfile,
};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::place::{Found, Named, Place, PlaceError, Readers};
use super::rows::{RowKey, columns, key_of, strange_values, text_columns, time_of, whole_of};
use super::{Topic, VerifyReport, VerifySettings};
use crate::stage::{read_csv, read_json_lines, read_table};

/// Gaps that are told one by one.
const GAPS_MAX: usize = 48;

/// Rows that are remembered to find them again; more are compared only with those that are near.
const SEEN_MAX: usize = 2_000_000;

/// What is kept while the objects go by: bounded, however many there are.
#[derive(Default)]
struct Judgement {
    slots: BTreeMap<String, (PartitionUnit, BTreeSet<i64>)>,
    seen: HashMap<(usize, RowKey), Arc<str>, BuildHasherDefault<DefaultHasher>>,
    newest: Option<(Timestamp, String)>,
    /// The bucket's owner, where the profile gives him control by an ACL.
    owner: Option<String>,
}

/// The rows of an object, and what is wrong with its columns.
struct Rows {
    rows: Vec<Value>,
    wrong: Vec<String>,
}

pub(super) async fn judge(
    profile: &VendorProfile,
    place: &Place,
    settings: &VerifySettings,
) -> Result<VerifyReport, PlaceError> {
    let mut report = VerifyReport::new(profile, place);
    let mut judgement = Judgement::default();
    if profile.acl() == Some("bucket-owner-full-control") && matches!(place, Place::Bucket { .. }) {
        judgement.owner = place.owner().await;
        if judgement.owner.is_none() {
            report.not_judged(
                "the control of the bucket's owner: these credentials may not read the bucket's ACL",
            );
        }
    }
    let mut listing = place.listing();
    while let Some(page) = listing.next_page().await? {
        for object in page {
            report.objects += 1;
            if report.objects > settings.objects_max {
                return Err(PlaceError::TooMany { place: place.to_string(), max: settings.objects_max });
            }
            judgement.object(&mut report, profile, place, &object, settings).await?;
        }
    }
    gaps(&mut report, &judgement.slots);
    freshness(&mut report, judgement.newest, settings);
    if matches!(place, Place::Folder(_)) {
        report.not_judged("encryption and access, which a folder does not have");
    }
    Ok(report)
}

impl Judgement {
    async fn object(
        &mut self,
        report: &mut VerifyReport,
        profile: &VendorProfile,
        place: &Place,
        object: &Named,
        settings: &VerifySettings,
    ) -> Result<(), PlaceError> {
        report.bytes = report.bytes.saturating_add(object.bytes);
        if let Some(modified) = object.modified
            && self.newest.as_ref().is_none_or(|(newest, _)| modified > *newest)
        {
            self.newest = Some((modified, object.key.clone()));
        }
        let prefix = KeyPrefix::new(place.prefix()).unwrap_or_default();
        let Some((number, dataset, start, format)) = owner(profile, &prefix, object) else {
            report.find(Topic::Layout, &object.key, "no dataset of the profile has a key of this form");
            return Ok(());
        };
        let unit = dataset.partitioning().unit;
        if let Some(start) = start {
            let known = self.slots.entry(dataset.name().to_string());
            known.or_insert_with(|| (unit, BTreeSet::new())).1.insert(unit.slot_of(start));
        }
        if object.is_archived {
            report.find(
                Topic::Archived,
                &object.key,
                "its storage class keeps it in an archive; it was not read",
            );
            return Ok(());
        }
        let Found { body, encryption, content_type } = place.read(&object.key).await?;
        self.access(report, place, object, encryption.as_deref(), settings).await;
        if let Some(found) = content_type.filter(|found| found != format.content_type()) {
            let message = format!("its content type is `{found}`, not `{}`", format.content_type());
            report.find(Topic::ContentType, &object.key, message);
        }
        let Rows { rows, wrong } = match rows_of(dataset, format, &body) {
            Ok(rows) => rows,
            Err(message) => {
                report.find(Topic::Content, &object.key, message);
                return Ok(());
            }
        };
        report.rows += rows.len();
        for wrong in wrong {
            report.find(Topic::Schema, &object.key, wrong);
        }
        // A day without rows has a file with a header alone, where the vendor wants one.
        if rows.is_empty() && !(format == Format::Csv && dataset.mode() == Mode::Period) {
            report.find(Topic::Content, &object.key, "there is no row in it");
        }
        for ((column, value), number) in strange_values(dataset, &rows) {
            let message = format!("`{column}` is `{value}` in {number} rows, which is not documented");
            report.find(Topic::Value, &object.key, message);
        }
        // Where the time of the writing decides, the rows' own says nothing.
        let by_row = dataset.partitioning().by == PartitionBy::Row;
        let is_elsewhere = |row: &&Value| {
            let of = start.zip(time_of(dataset, row)).filter(|_| by_row);
            of.is_some_and(|(start, time)| unit.slot_of(time) != unit.slot_of(start))
        };
        let elsewhere = rows.iter().filter(is_elsewhere).count();
        if elsewhere > 0 {
            let message = format!("{elsewhere} rows belong to another partition");
            report.find(Topic::Partition, &object.key, message);
        }
        self.repeats(report, &object.key, (number, dataset), &rows);
        Ok(())
    }

    async fn access(
        &self,
        report: &mut VerifyReport,
        place: &Place,
        object: &Named,
        encryption: Option<&str>,
        settings: &VerifySettings,
    ) {
        if matches!(place, Place::Folder(_)) {
            return;
        }
        match (encryption, settings.encryption.as_deref()) {
            (None, _) => {
                report.find(Topic::Encryption, &object.key, "the answer names no encryption at rest");
            }
            (Some(found), Some(wanted)) if found != wanted => {
                let message = format!("it is encrypted with `{found}`, not `{wanted}`");
                report.find(Topic::Encryption, &object.key, message);
            }
            _ => {}
        }
        match place.readers(&object.key, self.owner.as_deref()).await {
            Readers::Some { owner_controls: Some(false) } => {
                report.find(
                    Topic::Ownership,
                    &object.key,
                    "its ACL does not give the bucket's owner full control",
                );
            }
            Readers::Some { .. } => {}
            Readers::Everybody(group) => {
                report.find(Topic::Access, &object.key, format!("its ACL grants something to `{group}`"));
            }
            Readers::Unknown => report.not_judged("ACLs, which these credentials may not read"),
        }
    }

    /// Rows that were there before: by their key, or as a whole where the vendor names no key.
    fn repeats(
        &mut self,
        report: &mut VerifyReport,
        key: &str,
        (number, dataset): (usize, &Dataset),
        rows: &[Value],
    ) {
        let name: Arc<str> = key.into();
        for row in rows {
            let (identity, topic) = match key_of(dataset, row) {
                Some(identity) => (identity, Topic::Duplicate),
                None => (whole_of(row), Topic::Repeat),
            };
            if self.seen.len() >= SEEN_MAX {
                self.seen.clear();
                report.not_judged("rows that stand twice, but millions of rows apart");
            }
            if let Some(first) = self.seen.insert((number, identity), Arc::clone(&name)) {
                let message = if *first == *key {
                    "a row stands twice in it".to_owned()
                } else {
                    format!("a row stands in `{first}` as well")
                };
                report.find(topic, key, message);
            }
        }
    }
}

/// Reads an object by its format.
fn rows_of(dataset: &Dataset, format: Format, body: &Bytes) -> Result<Rows, String> {
    let is_csv = match format {
        Format::Parquet => {
            let table = read_table(body).map_err(|error| error.to_string())?;
            let dataset = &dataset.with_optional(|name| table.schema.field_with_name(name).is_ok());
            return Ok(Rows { wrong: columns(&table.schema, dataset), rows: table.rows });
        }
        Format::Csv => true,
        Format::Ndjson => false,
    };
    let read = if is_csv { read_csv(body) } else { read_json_lines(body) };
    let table = read.map_err(|error| error.to_string())?;
    // Optional columns are documented as well, where they are there.
    let is_there = |name: &str| {
        let is_in_header = table.header.iter().flatten().any(|column| column == name);
        is_in_header || table.rows.iter().any(|row| row.contains_key(name))
    };
    let dataset = &dataset.with_optional(is_there);
    let rows: Vec<Value> = table.rows.into_iter().map(Value::Object).collect();
    let mut wrong = text_columns(&rows, dataset, is_csv);
    if let Some(header) = table.header.filter(|_| rows.is_empty())
        && !header.iter().eq(dataset.columns().iter().map(|column| &column.name))
    {
        wrong.push("the header does not have the documented columns in order".to_owned());
    }
    Ok(Rows { rows, wrong })
}

/// The dataset that an object belongs to with its number, the beginning of its partition, and its format.
fn owner<'p>(
    profile: &'p VendorProfile,
    prefix: &KeyPrefix,
    object: &Named,
) -> Option<(usize, &'p Dataset, Option<Timestamp>, Format)> {
    let key = ObjectKey::new(object.key.as_str()).ok()?;
    profile.datasets().iter().enumerate().find_map(|(number, dataset)| {
        let parts = dataset.layout().parts_of(&profile.prefix_of(prefix), &key)?;
        let is_named = parts.dataset.as_deref().is_none_or(|name| name == dataset.name().as_str());
        let format = match &parts.extension {
            None => profile.encoding().format,
            Some(extension) => profile.encodings().iter().find(|one| one.extension == *extension)?.format,
        };
        is_named.then_some((number, dataset, parts.start, format))
    })
}

/// Partitions that are missing between the first and the last of a dataset.
fn gaps(report: &mut VerifyReport, slots: &BTreeMap<String, (PartitionUnit, BTreeSet<i64>)>) {
    for (dataset, (unit, slots)) in slots {
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else { continue };
        let missing = last - first + 1 - i64::try_from(slots.len()).unwrap_or(i64::MAX);
        let absent = (*first..=*last).filter(|slot| !slots.contains(slot));
        for slot in absent.take(GAPS_MAX) {
            let start = unit.start_of(slot).map_or_else(|| slot.to_string(), |start| start.to_string());
            report.find(
                Topic::Gap,
                dataset,
                format!("there is no object for the partition that begins at {start}"),
            );
        }
        let told = i64::try_from(GAPS_MAX).unwrap_or(i64::MAX);
        if missing > told {
            report.find(Topic::Gap, dataset, format!("{} partitions more are missing", missing - told));
        }
    }
}

fn freshness(report: &mut VerifyReport, newest: Option<(Timestamp, String)>, settings: &VerifySettings) {
    let Some(within) = settings.fresh_within else {
        report.not_judged("freshness, unless `--fresh-within` says how old the newest object may be");
        return;
    };
    if let Some((modified, key)) = newest
        && settings.now.duration_since(modified) > within
    {
        report.find(Topic::Freshness, key, format!("the newest object was written at {modified}"));
    }
}
