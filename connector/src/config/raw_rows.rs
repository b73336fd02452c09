//! The TOML form of the choice of rows.

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::document::{Document, DocumentError};
use crate::names::DatasetName;
use crate::row_rules::{Keep, RowChoice};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRows {
    dataset: Spanned<String>,
    kinds: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    keep: Vec<RawKeep>,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    escape_formulas: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKeep {
    column: String,
    path: Option<Spanned<String>>,
    is: Spanned<Vec<Value>>,
    #[serde(default)]
    absent: bool,
}

/// One choice a dataset at the most.
pub(super) fn rows(
    document: &Document<'_>,
    raw: Vec<RawRows>,
    datasets: &[DatasetName],
) -> Result<Vec<RowChoice>, DocumentError> {
    let mut choices: Vec<RowChoice> = Vec::with_capacity(raw.len());
    for one in raw {
        let span = one.dataset.span();
        let wanted = one.dataset.into_inner();
        let Some(dataset) = datasets.iter().find(|known| known.as_str() == wanted) else {
            return Err(document.error(
                span,
                format!("dataset `{wanted}` is not selected"),
                "name one of `datasets`",
            ));
        };
        if choices.iter().any(|known| known.dataset == *dataset) {
            return Err(document.error(
                span,
                format!("the rows of dataset `{wanted}` are chosen twice"),
                "put both choices into one `[[rows]]`",
            ));
        }
        if let Some(kinds) = one.kinds.as_ref().filter(|kinds| kinds.get_ref().is_empty()) {
            return Err(document.error(
                kinds.span(),
                "no kind of rows is chosen",
                "name at least one, or take the dataset out of `datasets`",
            ));
        }
        let keep = one.keep.into_iter().map(|keep| self::keep(document, keep)).collect::<Result<_, _>>()?;
        choices.push(RowChoice {
            dataset: dataset.clone(),
            kinds: one.kinds.map(Spanned::into_inner),
            keep,
            columns: one.columns,
            escape_formulas: one.escape_formulas,
        });
    }
    Ok(choices)
}

fn keep(document: &Document<'_>, raw: RawKeep) -> Result<Keep, DocumentError> {
    let is_scalar = |value: &Value| value.is_string() || value.is_boolean() || value.is_i64();
    if raw.is.get_ref().is_empty() || !raw.is.get_ref().iter().all(is_scalar) {
        return Err(document.error(
            raw.is.span(),
            "rows are kept by the texts, integers or booleans that a column has",
            "write such as `is = [\"page\"]` or `is = [true]`",
        ));
    }
    let path = match raw.path {
        Some(path) if !path.get_ref().starts_with('/') => {
            return Err(document.error(
                path.span(),
                format!("`{}` is no JSON pointer", path.get_ref()),
                "begin each name with `/`, as in `/consent/analytics`",
            ));
        }
        path => path.map(Spanned::into_inner),
    };
    Ok(Keep { column: raw.column, path, is: raw.is.into_inner(), absent: raw.absent })
}
