//! What a vendor's page shows, as something that runs.

use jiff::Timestamp;
use toml::Spanned;

use super::raw::{RawExample, RawGiven, RawRowExample};
use super::vocabulary::PARQUET;
use super::{
    BatchNames, Compression, Dataset, DatasetPartition, Encoding, Format, KeyPrefix, ObjectNames,
    VendorProfile,
};
use crate::document::{Document, DocumentError};
use crate::names::{DatasetName, ObjectKey};
use crate::object_file;
use crate::rows::{LinesOrigin, decode_ndjson};

/// An object of this dataset, time and name belongs under this key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Where it is from.
    pub source: String,
    /// The partition of the object.
    pub partition: DatasetPartition,
    /// The configured prefix.
    pub prefix: KeyPrefix,
    /// What the key says besides.
    pub names: ObjectNames,
    /// The documented key.
    pub key: ObjectKey,
}

/// A source row, and the text it becomes or the reason why it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowExample {
    /// Where it is from.
    pub source: String,
    /// The dataset.
    pub dataset: DatasetName,
    /// The source row, one JSON object.
    pub row: String,
    /// The format of the text.
    pub format: Format,
    /// The documented text, or the reason of the refusal.
    pub outcome: Result<String, String>,
}

/// An example that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleFailure {
    /// Where the example is from.
    pub source: String,
    /// What the page says.
    pub expected: String,
    /// What the profile makes of it.
    pub found: String,
}

pub(super) fn key_example(
    document: &Document<'_>,
    raw: RawExample,
    datasets: &[Dataset],
) -> Result<Example, DocumentError> {
    let RawGiven { dataset, time, prefix, extension, batch, first_ms, worker } = raw.given;
    let dataset = known(document, &dataset, datasets)?;
    let instant = match &time {
        None => Timestamp::UNIX_EPOCH,
        Some(time) => time.get_ref().parse().map_err(|error| {
            document.error(time.span(), format!("not an instant: {error}"), "write it as in RFC 3339")
        })?,
    };
    let prefix = match &prefix {
        None => KeyPrefix::default(),
        Some(prefix) => KeyPrefix::new(prefix.get_ref())
            .map_err(|error| document.error(prefix.span(), error.to_string(), "write folders alone"))?,
    };
    let key = ObjectKey::new(raw.key.get_ref().as_str())
        .map_err(|error| document.error(raw.key.span(), error.to_string(), "write the documented key"))?;
    let batch =
        BatchNames::of(&batch.unwrap_or_default(), first_ms.unwrap_or(0), &worker.unwrap_or_default());
    Ok(Example {
        source: raw.source,
        partition: DatasetPartition::within(dataset.name().clone(), dataset.partitioning().unit, instant),
        prefix,
        names: ObjectNames { extension: extension.unwrap_or_default(), batch },
        key,
    })
}

pub(super) fn row_example(
    document: &Document<'_>,
    raw: RawRowExample,
    datasets: &[Dataset],
) -> Result<RowExample, DocumentError> {
    let dataset = known(document, &raw.dataset, datasets)?;
    let outcome = match (raw.becomes, raw.refused) {
        (Some(text), None) => Ok(text.into_inner()),
        (None, Some(reason)) => Err(reason.into_inner()),
        _ => {
            return Err(document.error(
                raw.dataset.span(),
                "an example of a row either becomes something or is refused",
                "give one of `becomes` and `refused`",
            ));
        }
    };
    Ok(RowExample {
        source: raw.source,
        dataset: dataset.name().clone(),
        row: raw.row,
        format: raw.format,
        outcome,
    })
}

fn known<'a>(
    document: &Document<'_>,
    wanted: &Spanned<String>,
    datasets: &'a [Dataset],
) -> Result<&'a Dataset, DocumentError> {
    let found = datasets.iter().find(|dataset| dataset.name().as_str() == wanted.get_ref());
    found.ok_or_else(|| {
        document.error(wanted.span(), "the profile has no such dataset", "name one of its datasets")
    })
}

impl VendorProfile {
    /// Runs the examples: each one that the profile contradicts, with what the profile gives instead.
    pub fn failing_examples(&self) -> Vec<ExampleFailure> {
        let keys = self.examples().iter().filter_map(|example| {
            let layout = self.dataset(example.partition.dataset())?.layout();
            let mut names = example.names.clone();
            if names.extension.is_empty() {
                names.extension.clone_from(&self.encoding().extension);
            }
            let prefix = self.prefix_of(&example.prefix);
            let found = match layout.key(&prefix, &example.partition, &names) {
                Ok(key) if key == example.key => return None,
                Ok(key) => key.to_string(),
                Err(error) => error.to_string(),
            };
            let (source, expected) = (example.source.clone(), example.key.to_string());
            Some(ExampleFailure { source, expected, found })
        });
        let rows = self.row_examples().iter().filter_map(|example| {
            let found = made_of(self.dataset(&example.dataset)?, example);
            (found != example.outcome).then(|| ExampleFailure {
                source: example.source.clone(),
                expected: example.outcome.clone().unwrap_or_else(|reason| format!("refused: {reason}")),
                found: found.unwrap_or_else(|reason| format!("refused: {reason}")),
            })
        });
        keys.chain(rows).collect()
    }
}

/// The text that the row becomes, without its last line end, or why it is refused.
fn made_of(dataset: &Dataset, example: &RowExample) -> Result<String, String> {
    let origin = LinesOrigin { source: "example", lines_before: 0, bytes_before: 0 };
    let row = example.row.lines().map(str::trim).collect::<String>();
    let rows = decode_ndjson(dataset, row.as_bytes(), origin).map_err(|error| error.to_string())?;
    if let Some(letter) = rows.dead_letters.first() {
        return Err(letter.problem.to_string());
    }
    let encoding = Encoding { format: example.format, compression: Compression::None, ..PARQUET.clone() };
    let body = object_file::encode(dataset, &encoding, &[rows.batch]).map_err(|error| error.to_string())?;
    let text = String::from_utf8(body.to_vec()).map_err(|error| error.to_string())?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}
