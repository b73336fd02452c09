//! What lies below a schema prefix: tables, their partitions with the types of these, their files.

use std::collections::BTreeMap;

use jiff::civil::Date;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::config::CatalogueConnection;
use crate::import::store::FoundFile;

/// How query engines write that a partition's value is null.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// The type of a partition's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionType {
    /// Whole numbers.
    Int,
    /// Days, as in `2026-01-31`.
    Date,
    /// Texts.
    String,
}

impl PartitionType {
    fn holds(self, value: &str) -> bool {
        match self {
            Self::Int => value.parse::<i64>().is_ok(),
            Self::Date => value.len() == 10 && value.parse::<Date>().is_ok(),
            Self::String => true,
        }
    }

    /// The narrowest that holds all values.
    fn of<'a>(values: &(impl Iterator<Item = &'a str> + Clone)) -> Self {
        let mut narrowest = [Self::Int, Self::Date].into_iter();
        narrowest.find(|kind| values.clone().all(|value| kind.holds(value))).unwrap_or(Self::String)
    }
}

/// A partition column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Partition {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: PartitionType,
}

/// A table as it lies in the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableView {
    /// The folder.
    pub name: String,
    /// Partition columns, from the outermost folder inwards.
    pub partitions: Vec<Partition>,
    /// How many files it has.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Why it cannot be imported.
    pub problem: Option<String>,
}

/// A file of a table, with the values of its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableFile {
    pub(super) found: FoundFile,
    pub(super) values: Vec<Option<String>>,
}

/// A table with its files.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) view: TableView,
    pub(super) files: Vec<TableFile>,
    names: Option<Vec<String>>,
}

/// Tables by name, and how many objects are none of theirs.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) passed_over: u64,
}

impl Tree {
    /// Takes in an object.
    pub(super) fn add(&mut self, connection: &CatalogueConnection, suffixes: &[String], found: FoundFile) {
        let Some(path) = found.key.strip_prefix(&connection.schema_prefix) else { return };
        let mut folders: Vec<&str> = path.split('/').collect();
        let name = folders.pop().unwrap_or_default();
        // Markers of folders, and what tools leave beside data.
        let is_hidden = |part: &str| part.is_empty() || part.starts_with(['_', '.']);
        let is_file = suffixes.iter().any(|suffix| name.ends_with(suffix.as_str()));
        let Some((table, partitions)) = folders.split_first() else {
            self.passed_over += 1;
            return;
        };
        let is_partition = |part: &str| part.contains('=');
        if is_hidden(name) || !is_file || folders.iter().any(|part| is_hidden(part) && !is_partition(part)) {
            self.passed_over += 1;
            return;
        }
        let key = found.key.clone();
        let own = self.tables.entry((*table).to_owned()).or_default();
        (*table).clone_into(&mut own.view.name);
        own.view.files += 1;
        own.view.bytes += found.bytes;
        match values(partitions, connection.is_partitioned) {
            Err(reason) => own.fails(format!("`{key}` {reason}")),
            Ok((names, values)) => {
                match &own.names {
                    Some(known) if *known != names => {
                        let known = known.join(", ");
                        own.fails(format!(
                            "`{key}` is partitioned by {}, other files by {known}",
                            names.join(", ")
                        ));
                    }
                    _ => own.names = Some(names),
                }
                own.files.push(TableFile { found, values });
            }
        }
    }

    /// Ends the tree: types of partitions are those of all values.
    pub(super) fn finish(&mut self, connection: &CatalogueConnection) {
        for table in self.tables.values_mut() {
            let mut partitions = Vec::new();
            for (place, name) in table.names.clone().unwrap_or_default().into_iter().enumerate() {
                let values: Vec<&str> =
                    table.files.iter().filter_map(|file| file.values.get(place)?.as_deref()).collect();
                let kind = match connection.partition_types.get(&name) {
                    None => PartitionType::of(&values.iter().copied()),
                    Some(kind) => {
                        if let Some(wrong) = values.iter().find(|value| !kind.holds(value)) {
                            let wrong = (*wrong).to_owned();
                            table.fails(format!(
                                "`{name}={wrong}` is not of the type that `partition_types` names"
                            ));
                        }
                        *kind
                    }
                };
                partitions.push(Partition { name, kind });
            }
            table.view.partitions = partitions;
        }
    }
}

impl Table {
    /// The first problem is the one to mend.
    fn fails(&mut self, problem: String) {
        self.view.problem.get_or_insert(problem);
    }
}

type Values = (Vec<String>, Vec<Option<String>>);

/// Names and values of folders such as `day=2026-01-31`.
fn values(folders: &[&str], is_partitioned: bool) -> Result<Values, String> {
    match (folders.is_empty(), is_partitioned) {
        (true, true) => {
            return Err("lies in no folder of a partition, as in `<table>/<partition>=<value>/`".to_owned());
        }
        (false, false) => {
            return Err(
                "lies in a folder of the table, whose connection says that tables are not partitioned"
                    .to_owned(),
            );
        }
        _ => {}
    }
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for folder in folders {
        let pair = folder.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) =
            pair.ok_or_else(|| format!("lies in `{folder}`, which is no `<partition>=<value>`"))?;
        if names.iter().any(|own: &String| own == name) {
            return Err(format!("has the partition `{name}` twice"));
        }
        let value = percent_decode_str(value)
            .decode_utf8()
            .map_err(|_| format!("lies in `{folder}`, which is no encoded UTF-8"))?;
        names.push(name.to_owned());
        values.push((value != NULL_PARTITION).then(|| value.into_owned()));
    }
    Ok((names, values))
}
