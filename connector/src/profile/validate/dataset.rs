//! A `[[dataset]]` table.

use std::ops::Range;

use toml::Spanned;

use super::{LAYOUT_HELP, head};
use crate::document::{Document, DocumentError};
use crate::names::DatasetName;
use crate::profile::columns::{KeyPositions, schema_of};
use crate::profile::raw::{RawColumn, RawDataset, RawPartition};
use crate::profile::{
    Column, ColumnType, Dataset, KeyColumns, Layout, LayoutError, Mode, PartitionBy, PartitionUnit,
    Partitioning,
};
use crate::row_rules::{RowKinds, RowRules};

/// What holds of a dataset that says nothing else.
pub(super) struct Defaults<'a> {
    pub(super) mode: Mode,
    pub(super) layout: &'a Layout,
    pub(super) layout_span: Range<usize>,
    pub(super) partition: &'a RawPartition,
}

pub(super) fn dataset(
    document: &Document<'_>,
    raw: RawDataset,
    defaults: &Defaults<'_>,
    known: &[Dataset],
) -> Result<Dataset, DocumentError> {
    let name = DatasetName::new(raw.name.get_ref().as_str()).map_err(|error| {
        document.error(raw.name.span(), error.to_string(), "use a name such as `messages`")
    })?;
    if known.iter().any(|dataset| dataset.name() == &name) {
        return Err(document.error(raw.name.span(), "the dataset is defined twice", "give it another name"));
    }
    let mut columns: Vec<Column> = Vec::with_capacity(raw.columns.len());
    for column in raw.columns {
        let checked = self::column(document, column, &columns)?;
        columns.push(checked);
    }
    if columns.is_empty() {
        return Err(document.error(raw.name.span(), "the dataset has no column", "add one to `columns`"));
    }
    let mode = raw.mode.as_ref().map_or(defaults.mode, |mode| *mode.get_ref());
    let partition = raw.partition.as_ref().unwrap_or(defaults.partition);
    let partitioning = partitioning(document, partition, mode)?;
    let (layout, layout_span) = match &raw.layout {
        Some(own) => (head::layout(document, own)?, own.span()),
        None => (defaults.layout.clone(), defaults.layout_span.clone()),
    };
    let misfit = |error: LayoutError| document.error(layout_span.clone(), error.to_string(), LAYOUT_HELP);
    layout.check_unit(partitioning.unit).map_err(misfit)?;
    layout.check_batches(mode == Mode::Append).map_err(misfit)?;

    let instant = |wanted: &Spanned<String>, role: &str| {
        columns
            .iter()
            .position(|column| &column.name == wanted.get_ref())
            .filter(|at| columns.get(*at).is_some_and(|column| column.kind.is_instant() && !column.nullable))
            .ok_or_else(|| {
                document.error(
                    wanted.span(),
                    format!(
                        "dataset `{name}` has no required datetime column of this name to serve as {role}"
                    ),
                    "name a column with `type = \"datetime\"` and `nullable = false`",
                )
            })
    };
    let version_position =
        raw.version.as_ref().map(|version| instant(version, "version column")).transpose()?;
    let time_position =
        partition.time_column.as_ref().map(|time| instant(time, "time column")).transpose()?;
    let needs = |what: &str, help: &str| {
        document.error(raw.name.span(), format!("dataset `{name}` has no {what}, which its mode needs"), help)
    };
    if time_position.is_none()
        && partitioning.unit != PartitionUnit::None
        && partitioning.by == PartitionBy::Row
    {
        return Err(needs("time column", "add `time_column` to `partition`, or set `by = \"batch\"`"));
    }
    if mode == Mode::Replace && version_position.is_none() {
        return Err(needs("version column", "add `version` with a required datetime column"));
    }
    let key_span = raw.key.as_ref().map_or_else(|| raw.name.span(), Spanned::span);
    let keys = raw.key.map(Spanned::into_inner).unwrap_or_default();
    if mode == Mode::Replace && keys.is_empty() {
        return Err(document.error(key_span, "the dataset has no key", "list at least one key alternative"));
    }
    if mode != Mode::Replace && !(keys.is_empty() && version_position.is_none()) {
        return Err(document.error(
            key_span,
            format!("dataset `{name}` has a key or a version, which mean nothing unless rows are replaced"),
            "remove `key` and `version`, or set `mode = \"replace\"`",
        ));
    }
    let key_positions = key_positions(document, &keys, key_span, &columns, &name)?;
    let mut all = columns.clone();
    for optional in raw.optional_columns {
        let checked = column(document, optional, &all)?;
        all.push(checked);
    }
    let optional_columns = all.split_off(columns.len());
    let kinds = raw.kinds.map(|kinds| self::kinds(document, kinds, &columns)).transpose()?;
    let schema = schema_of(&columns);
    Ok(Dataset {
        name,
        columns,
        keys,
        key_positions,
        version_position,
        time_position,
        schema,
        mode,
        layout,
        partitioning,
        optional_columns,
        kinds,
        rules: RowRules::default(),
    })
}

fn kinds(
    document: &Document<'_>,
    raw: Spanned<RowKinds>,
    columns: &[Column],
) -> Result<RowKinds, DocumentError> {
    let kinds = raw.get_ref();
    let is_text = |column: &Column| column.name == kinds.column && column.kind == ColumnType::String;
    if !columns.iter().any(is_text) {
        return Err(document.error(
            raw.span(),
            format!("kinds of rows are told apart by a column of texts, and `{}` is none", kinds.column),
            "name a column of the dataset with `type = \"string\"`",
        ));
    }
    match kinds.problem() {
        Some(problem) => Err(document.error(
            raw.span(),
            problem,
            "give each kind a name of its own and at least one value",
        )),
        None => Ok(raw.into_inner()),
    }
}

fn partitioning(
    document: &Document<'_>,
    raw: &RawPartition,
    mode: Mode,
) -> Result<Partitioning, DocumentError> {
    if raw.zone.get_ref() != "UTC" {
        return Err(document.error(
            raw.zone.span(),
            "partitions in a zone other than UTC are not supported yet",
            "set `zone = \"UTC\"`",
        ));
    }
    let unit = *raw.unit.get_ref();
    let refused = |problem: &str, help: &str| Err(document.error(raw.unit.span(), problem, help));
    match mode {
        Mode::Snapshot if unit != PartitionUnit::None => {
            refused("a snapshot has no partitions", "set `unit = \"none\"`")
        }
        Mode::Replace | Mode::Period if unit == PartitionUnit::None => {
            refused("this mode needs partitions", "set `unit` to `hour` or `day`")
        }
        Mode::Replace | Mode::Period if raw.by == PartitionBy::Batch => {
            refused("only appended objects lie in the partition of their batch", "remove `by`")
        }
        _ => Ok(Partitioning { unit, by: raw.by }),
    }
}

fn key_positions(
    document: &Document<'_>,
    keys: &[KeyColumns],
    span: Range<usize>,
    columns: &[Column],
    name: &DatasetName,
) -> Result<Vec<KeyPositions>, DocumentError> {
    let position = |wanted: &String| {
        columns
            .iter()
            .position(|column| &column.name == wanted)
            .filter(|at| columns.get(*at).is_some_and(|column| column.kind.can_be_key()))
            .ok_or_else(|| {
                document.error(
                    span.clone(),
                    format!("key column `{wanted}` of dataset `{name}` does not exist or is a list or JSON"),
                    "key columns are string, integer, boolean or datetime columns of the dataset",
                )
            })
    };
    let mut positions = Vec::with_capacity(keys.len());
    for key in keys {
        if key.columns.is_empty() || !key.present.iter().all(|column| key.columns.contains(column)) {
            return Err(document.error(
                span.clone(),
                format!(
                    "a key of dataset `{name}` has no columns, or a `present` column that is not one of them"
                ),
                "every `present` column belongs to `columns` as well",
            ));
        }
        positions.push(KeyPositions {
            present: key.present.iter().map(position).collect::<Result<_, _>>()?,
            columns: key.columns.iter().map(position).collect::<Result<_, _>>()?,
        });
    }
    Ok(positions)
}

fn column(document: &Document<'_>, raw: RawColumn, known: &[Column]) -> Result<Column, DocumentError> {
    let span = raw.name.span();
    let name = raw.name.into_inner();
    if name.is_empty() {
        return Err(document.error(span.clone(), "the column has no name", "name it"));
    }
    if known.iter().any(|column| column.name == name) {
        return Err(document.error(span.clone(), "the column is defined twice", "remove one of the two"));
    }
    if raw.doc.trim().is_empty() {
        return Err(document.error(span.clone(), "the column has no `doc`", "say in one line what it holds"));
    }
    let values = match raw.values {
        None => None,
        Some(values) if raw.kind == ColumnType::String && !values.get_ref().is_empty() => {
            Some(values.into_inner())
        }
        Some(values) => {
            return Err(document.error(
                values.span(),
                "a closed list of values needs a string column and at least one value",
                "remove `values` or make the column a string",
            ));
        }
    };
    if let Some(form) = &raw.form
        && raw.kind != ColumnType::String
    {
        return Err(document.error(
            form.span(),
            "only texts have a form",
            "remove `form` or make the column a string",
        ));
    }
    let form = raw.form.map(Spanned::into_inner);
    let nested = matches!(raw.kind, ColumnType::Struct | ColumnType::StructArray);
    let mut fields: Vec<Column> = Vec::new();
    for field in raw.fields.into_iter().flatten() {
        if !nested {
            return Err(document.error(
                field.name.span(),
                "only structs have fields",
                "remove `fields`, or make the column a `struct` or a `struct_array`",
            ));
        }
        let checked = column(document, field, &fields)?;
        fields.push(checked);
    }
    if nested && fields.is_empty() {
        return Err(document.error(
            span,
            "the struct has no field",
            "add `fields`, or make the column an `object`",
        ));
    }
    Ok(Column { name, kind: raw.kind, nullable: raw.nullable, doc: raw.doc, values, form, fields })
}
