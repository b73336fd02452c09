//! From the TOML form to a checked profile; each refusal names its place and the next step.

use std::time::Duration;

use jiff::Timestamp;
use toml::Spanned;

use super::columns::{KeyPositions, schema_of};
use super::raw::{RawColumn, RawDataset, RawDoctor, RawEncode, RawExample, RawProfile, RawStatement};
use super::{
    Alignment, AuthMode, Cadence, Column, ColumnType, Dataset, DatasetPartition, DoctorMessage, Encoding,
    Example, Layout, PolicyStatement, Trust, VendorProfile,
};
use crate::document::{Document, DocumentError};
use crate::names::{DatasetName, ObjectKey, ProfileId};

const ROW_GROUP_ROWS_MAX: u64 = 1_048_576;
const PLACEHOLDERS: [&str; 7] =
    ["bucket", "region", "actual_region", "action", "resource", "role_arn", "access_key_id"];

pub(super) fn profile(text: &str, file_name: &str) -> Result<VendorProfile, DocumentError> {
    let document = Document::new(file_name, text);
    let raw: RawProfile = document
        .parse("compare with a known profile: `bucketproof-connector profile list`, then `profile show`")?;
    let head = raw.profile;

    let id = ProfileId::new(head.id.get_ref().as_str()).map_err(|error| {
        document.error(head.id.span(), error.to_string(), "use a name such as `vendor_s3`")
    })?;
    let layout = Layout::parse(head.layout.get_ref()).map_err(|error| {
        document.error(
            head.layout.span(),
            error.to_string(),
            "placeholders are {t:%Y}, {t:%m}, {t:%d}, {t:%H} and {dataset}; all five are needed",
        )
    })?;
    if head.partition.zone.get_ref() != "UTC" {
        return Err(document.error(
            head.partition.zone.span(),
            "partitions in a zone other than UTC are not supported yet",
            "set `zone = \"UTC\"`",
        ));
    }
    if raw.auth.modes.is_empty() {
        return Err(document.error(
            0..0,
            "`auth.modes` is empty",
            "list `assume_role`, `static_keys` or both",
        ));
    }
    if raw.auth.modes.contains(&AuthMode::AssumeRole) && raw.auth.trust.is_none() {
        return Err(document.error(
            0..0,
            "`auth.modes` has `assume_role` but there is no `[auth.trust]`",
            "add `[auth.trust]` with `principal` and `external_id`",
        ));
    }
    if raw.dataset.is_empty() {
        return Err(document.error(0..0, "the profile has no dataset", "add a `[[dataset]]`"));
    }
    let mut datasets: Vec<Dataset> = Vec::with_capacity(raw.dataset.len());
    for dataset in raw.dataset {
        let checked = self::dataset(&document, dataset, &head.partition.time_column, &datasets)?;
        datasets.push(checked);
    }
    let examples = raw
        .example
        .into_iter()
        .map(|example| self::example(&document, example, &datasets))
        .collect::<Result<Vec<_>, _>>()?;

    Ok(VendorProfile {
        id,
        title: head.title,
        source: head.source,
        direction: head.direction,
        mode: head.mode,
        partition_unit: head.partition.unit,
        cadence: cadence(&document, &head.cadence.every, head.cadence.align)?,
        layout,
        encoding: encoding(&document, &head.encode, head.partition.time_column.get_ref())?,
        auth_modes: raw.auth.modes,
        key_rotation: raw.auth.key_rotation,
        trust: raw
            .auth
            .trust
            .map(|trust| Trust { principal: trust.principal, external_id: trust.external_id }),
        statements: raw
            .policy
            .statement
            .into_iter()
            .map(|statement| self::statement(&document, statement))
            .collect::<Result<Vec<_>, _>>()?,
        datasets,
        doctor: raw
            .doctor
            .into_iter()
            .map(|message| doctor(&document, message))
            .collect::<Result<Vec<_>, _>>()?,
        examples,
    })
}

fn cadence(document: &Document<'_>, every: &Spanned<String>, align: bool) -> Result<Cadence, DocumentError> {
    let text = every.get_ref();
    let seconds = text
        .strip_suffix('m')
        .map(|number| (number, 60))
        .or_else(|| text.strip_suffix('h').map(|number| (number, 3_600)))
        .or_else(|| text.strip_suffix('s').map(|number| (number, 1)))
        .and_then(|(number, unit)| number.parse::<u64>().ok()?.checked_mul(unit))
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| {
            document.error(
                every.span(),
                "not a length of time",
                "write a whole number and `s`, `m` or `h`: `5m`",
            )
        })?;
    let aligned = if align { Alignment::Aligned } else { Alignment::Free };
    Ok(Cadence { every: Duration::from_secs(seconds), aligned })
}

fn encoding(document: &Document<'_>, raw: &RawEncode, time_column: &str) -> Result<Encoding, DocumentError> {
    if raw.sort.get_ref().as_slice() != [time_column, "$key"] {
        return Err(document.error(
            raw.sort.span(),
            "this sort order is not supported yet",
            format!("write `sort = [\"{time_column}\", \"$key\"]`"),
        ));
    }
    let rows = *raw.row_group_rows.get_ref();
    let row_group_rows =
        usize::try_from(rows).ok().filter(|_| (1..=ROW_GROUP_ROWS_MAX).contains(&rows)).ok_or_else(|| {
            document.error(
                raw.row_group_rows.span(),
                format!("a row group has 1 to {ROW_GROUP_ROWS_MAX} rows"),
                "16384 is a good value for wide tables",
            )
        })?;
    Ok(Encoding { format: raw.format, compression: raw.compression, row_group_rows })
}

fn dataset(
    document: &Document<'_>,
    raw: RawDataset,
    time_column: &Spanned<String>,
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
    let instant = |wanted: &Spanned<String>, role: &str| {
        columns
            .iter()
            .position(|column| &column.name == wanted.get_ref())
            .filter(|at| {
                columns.get(*at).is_some_and(|column| column.kind == ColumnType::Datetime && !column.nullable)
            })
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
    let version_position = instant(&raw.version, "version column")?;
    let time_position = instant(time_column, "time column")?;

    let key_span = raw.key.span();
    let keys = raw.key.into_inner();
    if keys.is_empty() {
        return Err(document.error(key_span, "the dataset has no key", "list at least one key alternative"));
    }
    let position = |wanted: &String| {
        columns
            .iter()
            .position(|column| &column.name == wanted)
            .filter(|at| columns.get(*at).is_some_and(|column| column.kind.can_be_key()))
            .ok_or_else(|| {
                document.error(
                    key_span.clone(),
                    format!("key column `{wanted}` of dataset `{name}` does not exist or is a list or JSON"),
                    "key columns are string, integer, boolean or datetime columns of the dataset",
                )
            })
    };
    let mut key_positions = Vec::with_capacity(keys.len());
    for key in &keys {
        if key.columns.is_empty() || !key.present.iter().all(|column| key.columns.contains(column)) {
            return Err(document.error(
                key_span.clone(),
                format!(
                    "a key of dataset `{name}` has no columns, or a `present` column that is not one of them"
                ),
                "every `present` column belongs to `columns` as well",
            ));
        }
        key_positions.push(KeyPositions {
            present: key.present.iter().map(position).collect::<Result<_, _>>()?,
            columns: key.columns.iter().map(position).collect::<Result<_, _>>()?,
        });
    }
    let schema = schema_of(&columns);
    Ok(Dataset { name, columns, keys, key_positions, version_position, time_position, schema })
}

fn column(document: &Document<'_>, raw: RawColumn, known: &[Column]) -> Result<Column, DocumentError> {
    let span = raw.name.span();
    let name = raw.name.into_inner();
    if name.is_empty() {
        return Err(document.error(span, "the column has no name", "name it"));
    }
    if known.iter().any(|column| column.name == name) {
        return Err(document.error(span, "the column is defined twice", "remove one of the two"));
    }
    if raw.doc.trim().is_empty() {
        return Err(document.error(span, "the column has no `doc`", "say in one line what it holds"));
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
    Ok(Column { name, kind: raw.kind, nullable: raw.nullable, doc: raw.doc, values })
}

fn statement(document: &Document<'_>, raw: RawStatement) -> Result<PolicyStatement, DocumentError> {
    if raw.actions.get_ref().is_empty() || raw.actions.get_ref().iter().any(|action| !action.contains(':')) {
        return Err(document.error(
            raw.actions.span(),
            "actions are a non-empty list of `service:Action`",
            "write actions such as `s3:PutObject`",
        ));
    }
    if raw.resources.get_ref().is_empty()
        || raw.resources.get_ref().iter().any(|arn| !arn.starts_with("arn:") || !braces_known(arn))
    {
        return Err(document.error(
            raw.resources.span(),
            "resources are a non-empty list of ARNs whose only placeholder is `{bucket}`",
            "write resources such as `arn:aws:s3:::{bucket}/*`",
        ));
    }
    Ok(PolicyStatement {
        sid: raw.sid,
        effect: raw.effect,
        actions: raw.actions.into_inner(),
        resources: raw.resources.into_inner(),
    })
}

fn braces_known(arn: &str) -> bool {
    !arn.replace("{bucket}", "").contains(['{', '}'])
}

fn doctor(document: &Document<'_>, raw: RawDoctor) -> Result<DoctorMessage, DocumentError> {
    for text in [&raw.say, &raw.help] {
        let mut rest = text.get_ref().clone();
        for name in PLACEHOLDERS {
            rest = rest.replace(&format!("{{{name}}}"), "");
        }
        if rest.contains(['{', '}']) {
            return Err(document.error(
                text.span(),
                "the message has an unknown placeholder",
                format!("placeholders are {}", PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(", ")),
            ));
        }
    }
    Ok(DoctorMessage {
        when: raw.when,
        requirement: raw.id,
        say: raw.say.into_inner(),
        help: raw.help.into_inner(),
    })
}

fn example(document: &Document<'_>, raw: RawExample, datasets: &[Dataset]) -> Result<Example, DocumentError> {
    let dataset = datasets
        .iter()
        .find(|dataset| dataset.name().as_str() == raw.given.dataset.get_ref())
        .ok_or_else(|| {
            document.error(
                raw.given.dataset.span(),
                "the profile has no such dataset",
                "name one of its datasets",
            )
        })?;
    let instant: Timestamp = raw.given.created_at.get_ref().parse().map_err(|error| {
        document.error(
            raw.given.created_at.span(),
            format!("not an instant: {error}"),
            "write it as in RFC 3339",
        )
    })?;
    let partition = DatasetPartition::of(dataset.name().clone(), instant);
    let wanted = ObjectKey::new(raw.key.get_ref().as_str())
        .map_err(|error| document.error(raw.key.span(), error.to_string(), "write the documented key"))?;
    Ok(Example { source: raw.source, partition, key: wanted })
}
