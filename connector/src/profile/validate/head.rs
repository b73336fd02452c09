//! The `[profile]` table.

use std::time::Duration;

use jiff::civil::Time;
use toml::Spanned;

use super::LAYOUT_HELP;
use crate::document::{Document, DocumentError};
use crate::profile::raw::{RawBatch, RawCadence, RawEncode, RawPeriod};
use crate::profile::vocabulary::PARQUET;
use crate::profile::{BatchLimits, Cadence, Dataset, Encoding, Format, Layout, Mode, PeriodRules};

const ROW_GROUP_ROWS_MAX: u64 = 1_048_576;
const BATCH_ROWS_MAX: u64 = 10_000_000;
const BATCH_MIB_MAX: u64 = 4_096;
const STREAMING_MIB_MAX: u64 = 4_096;
/// The canned ACLs of objects (S3 User Guide, "Canned ACL").
const CANNED_ACLS: [&str; 7] = [
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

pub(super) fn layout(document: &Document<'_>, raw: &Spanned<String>) -> Result<Layout, DocumentError> {
    Layout::parse(raw.get_ref()).map_err(|error| document.error(raw.span(), error.to_string(), LAYOUT_HELP))
}

pub(super) fn cadence(document: &Document<'_>, raw: Spanned<RawCadence>) -> Result<Cadence, DocumentError> {
    let span = raw.span();
    match raw.into_inner() {
        RawCadence { every: Some(every), align, at: None, streaming_mib: None, age: None } => {
            let every = length(document, &every)?;
            Ok(if align == Some(true) { Cadence::Aligned { every } } else { Cadence::After { every } })
        }
        RawCadence { every: None, align: None, at: Some(at), streaming_mib: None, age: None } => {
            let time: Result<Time, _> = at.get_ref().parse();
            let at =
                time.map_err(|_| document.error(at.span(), "not a time of day", "write it as `04:00`, UTC"))?;
            Ok(Cadence::Daily { at })
        }
        RawCadence { every: None, align: None, at: None, streaming_mib: Some(mib), age: Some(age) } => {
            if !(1..=STREAMING_MIB_MAX).contains(mib.get_ref()) {
                return Err(document.error(
                    mib.span(),
                    format!("a stream is flushed at 1 to {STREAMING_MIB_MAX} MiB"),
                    "16 is a good value",
                ));
            }
            let age = length(document, &age)?;
            Ok(Cadence::Streaming { bytes: mib.get_ref() * 1024 * 1024, age })
        }
        _ => Err(document.error(
            span,
            "not one of the three cadences",
            "write `{ every = \"5m\", align = true }`, `{ at = \"04:00\" }` or `{ streaming_mib = 16, age = \"5m\" }`",
        )),
    }
}

fn length(document: &Document<'_>, text: &Spanned<String>) -> Result<Duration, DocumentError> {
    let seconds = text
        .get_ref()
        .strip_suffix('m')
        .map(|number| (number, 60))
        .or_else(|| text.get_ref().strip_suffix('h').map(|number| (number, 3_600)))
        .or_else(|| text.get_ref().strip_suffix('s').map(|number| (number, 1)))
        .and_then(|(number, unit)| number.parse::<u64>().ok()?.checked_mul(unit))
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| {
            document.error(
                text.span(),
                "not a length of time",
                "write a whole number and `s`, `m` or `h`: `5m`",
            )
        })?;
    Ok(Duration::from_secs(seconds))
}

pub(super) fn batch(
    document: &Document<'_>,
    raw: Option<RawBatch>,
    appends: bool,
) -> Result<BatchLimits, DocumentError> {
    let Some(raw) = raw else {
        return if appends {
            Err(document.error(
                0..0,
                "a dataset is appended to, but `profile.batch` does not say when an object is full",
                "add `batch = { rows = 10000, mib = 16 }`",
            ))
        } else {
            Ok(BatchLimits { rows: u64::MAX, bytes: u64::MAX })
        };
    };
    if !appends {
        return Err(document.error(
            raw.rows.span(),
            "`profile.batch` means nothing unless objects are appended",
            "remove it, or set `mode = \"append\"`",
        ));
    }
    if !(1..=BATCH_ROWS_MAX).contains(raw.rows.get_ref()) {
        return Err(document.error(
            raw.rows.span(),
            format!("an object takes 1 to {BATCH_ROWS_MAX} rows"),
            "10000 is a good value",
        ));
    }
    if !(1..=BATCH_MIB_MAX).contains(raw.mib.get_ref()) {
        return Err(document.error(
            raw.mib.span(),
            format!("an object takes 1 to {BATCH_MIB_MAX} MiB"),
            "16 is a good value",
        ));
    }
    Ok(BatchLimits { rows: raw.rows.into_inner(), bytes: raw.mib.into_inner() * 1024 * 1024 })
}

pub(super) fn period(
    document: &Document<'_>,
    raw: Option<RawPeriod>,
    has_periods: bool,
) -> Result<PeriodRules, DocumentError> {
    match (raw, has_periods) {
        (Some(raw), true) => Ok(PeriodRules { late_days: raw.late_days, empty: raw.empty }),
        (None, false) => Ok(PeriodRules::default()),
        (Some(_), false) => Err(document.error(
            0..0,
            "`profile.period` means nothing unless a dataset has periods",
            "remove it, or set `mode = \"period\"`",
        )),
        (None, true) => Err(document.error(
            0..0,
            "a dataset has periods, but `profile.period` does not say how they end",
            "add `period = { late_days = 3, empty = \"skip\" }`",
        )),
    }
}

/// The template of keys of chosen ranges: of datasets with periods, and different for each dataset and range.
pub(super) fn manual(
    document: &Document<'_>,
    raw: Option<Spanned<String>>,
    datasets: &[Dataset],
) -> Result<Option<String>, DocumentError> {
    let Some(raw) = raw else { return Ok(None) };
    if !datasets.iter().any(|dataset| dataset.mode() == Mode::Period) {
        return Err(document.error(
            raw.span(),
            "`profile.manual` means nothing unless a dataset has periods",
            "remove it, or set `mode = \"period\"`",
        ));
    }
    let template = raw.get_ref();
    let mut rest = template.replace("{ext}", "");
    for name in ["{dataset}", "{from}", "{to}"] {
        if !rest.contains(name) {
            return Err(document.error(
                raw.span(),
                format!("the template lacks the placeholder `{name}`"),
                "write it as `{dataset}/manual/{from}_{to}.csv`",
            ));
        }
        rest = rest.replace(name, "");
    }
    if rest.contains(['{', '}']) || template.starts_with('/') || template.contains("//") {
        return Err(document.error(
            raw.span(),
            "not a template of keys",
            "placeholders are {dataset}, {from}, {to} and {ext}; folders are divided by one `/`",
        ));
    }
    Ok(Some(raw.into_inner()))
}

pub(super) fn acl(
    document: &Document<'_>,
    raw: Option<Spanned<String>>,
) -> Result<Option<String>, DocumentError> {
    match raw {
        Some(acl) if !CANNED_ACLS.contains(&acl.get_ref().as_str()) => Err(document.error(
            acl.span(),
            "not a canned ACL",
            format!("canned ACLs are {}", CANNED_ACLS.join(", ")),
        )),
        acl => Ok(acl.map(Spanned::into_inner)),
    }
}

pub(super) fn encodings(
    document: &Document<'_>,
    one: Option<Spanned<RawEncode>>,
    several: Option<Spanned<Vec<RawEncode>>>,
    datasets: &[Dataset],
) -> Result<Vec<Encoding>, DocumentError> {
    let several = match (one, several) {
        (Some(one), None) => vec![one.into_inner()],
        (None, Some(several)) if !several.get_ref().is_empty() => several.into_inner(),
        (Some(_), Some(several)) => {
            return Err(document.error(
                several.span(),
                "both `encode` and `encodings` are given",
                "keep one of the two",
            ));
        }
        (None, several) => {
            return Err(document.error(
                several.map_or(0..0, |several| several.span()),
                "the profile has no encoding",
                "add `encode = { format = \"parquet\", compression = \"snappy\", row_group_rows = 16384 }`",
            ));
        }
    };
    let mut encodings: Vec<Encoding> = Vec::new();
    for raw in several {
        let span = raw.format.span();
        let encoding = encoding(document, raw, datasets)?;
        let twice =
            |known: &Encoding| known.format == encoding.format && known.compression == encoding.compression;
        if encodings.iter().any(twice) {
            return Err(document.error(span, "the encoding is given twice", "remove one of the two"));
        }
        encodings.push(encoding);
    }
    Ok(encodings)
}

fn encoding(
    document: &Document<'_>,
    raw: RawEncode,
    datasets: &[Dataset],
) -> Result<Encoding, DocumentError> {
    let format = *raw.format.get_ref();
    let compression = *raw.compression.get_ref();
    if !format.takes(compression) {
        return Err(document.error(
            raw.compression.span(),
            "the format cannot be compressed that way",
            "text takes `gzip` or `none`",
        ));
    }
    if format != Format::Parquet && datasets.iter().any(|dataset| dataset.mode() == Mode::Replace) {
        return Err(document.error(
            raw.format.span(),
            "objects of this format are not replaced row by row",
            "use `format = \"parquet\"`, or another mode",
        ));
    }
    check_sort(document, raw.sort, datasets)?;
    let row_group_rows = match (raw.row_group_rows, format) {
        (None, _) => PARQUET.row_group_rows,
        (Some(rows), Format::Parquet) => usize::try_from(*rows.get_ref())
            .ok()
            .filter(|_| (1..=ROW_GROUP_ROWS_MAX).contains(rows.get_ref()))
            .ok_or_else(|| {
                document.error(
                    rows.span(),
                    format!("a row group has 1 to {ROW_GROUP_ROWS_MAX} rows"),
                    "16384 is a good value for wide tables",
                )
            })?,
        (Some(rows), _) => {
            return Err(document.error(rows.span(), "text has no row groups", "remove the field"));
        }
    };
    if let Some(extension) = &raw.extension
        && (extension.get_ref().is_empty()
            || extension.get_ref().starts_with('.')
            || extension.get_ref().contains('/'))
    {
        return Err(document.error(
            extension.span(),
            "not an extension",
            "write it without its dot: `json.gz`",
        ));
    }
    Ok(Encoding {
        format,
        compression,
        row_group_rows,
        extension: raw.extension.map(Spanned::into_inner).unwrap_or_default(),
    })
}

/// The order of rows follows from the mode; a profile may say it, but not otherwise.
fn check_sort(
    document: &Document<'_>,
    sort: Option<Spanned<Vec<String>>>,
    datasets: &[Dataset],
) -> Result<(), DocumentError> {
    let Some(sort) = sort else { return Ok(()) };
    for dataset in datasets {
        let time = dataset.time_column().unwrap_or_default();
        let order: Vec<&str> = match dataset.mode() {
            Mode::Replace => vec![time, "$key"],
            Mode::Period => vec![time],
            Mode::Append | Mode::Snapshot => Vec::new(),
        };
        if sort.get_ref().as_slice() != order {
            return Err(document.error(
                sort.span(),
                format!("this sort order is not that of dataset `{}`", dataset.name()),
                format!("write `sort = {order:?}`, or leave it out"),
            ));
        }
    }
    Ok(())
}
