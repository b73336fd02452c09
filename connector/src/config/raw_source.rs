//! The TOML form of sources: `path`, `parquet`, `directory`, `stdin`, `postgres` or `sqlite`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::raw_schedule::length;
use super::secrets::RawSecret;
use super::{OnReplaced, PostgresPlace, SourceConfig, SourcePlace, SqlitePlace, TablePlace};
use crate::document::{Document, DocumentError};
use crate::names::DatasetName;

/// How far before the greatest time rows are looked at again, if nothing is said.
const OVERLAP_DEFAULT: Duration = Duration::from_mins(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    dataset: Spanned<String>,
    path: Option<Spanned<PathBuf>>,
    parquet: Option<Spanned<PathBuf>>,
    directory: Option<Spanned<PathBuf>>,
    stdin: Option<Spanned<bool>>,
    postgres: Option<Spanned<RawPostgres>>,
    sqlite: Option<Spanned<RawSqlite>>,
    on_replaced: Option<Spanned<OnReplaced>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPostgres {
    url: RawSecret,
    table: Spanned<String>,
    updated_at: Option<String>,
    overlap: Option<Spanned<String>>,
    root_certificate: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSqlite {
    path: PathBuf,
    table: Spanned<String>,
    updated_at: Option<String>,
    overlap: Option<Spanned<String>>,
}

pub(super) fn sources(
    document: &Document<'_>,
    raw: Vec<RawSource>,
    datasets: &[DatasetName],
    directory: &Path,
) -> Result<Vec<SourceConfig>, DocumentError> {
    let mut sources: Vec<SourceConfig> = Vec::with_capacity(raw.len());
    for source in raw {
        let at = source.dataset.span();
        let dataset = DatasetName::new(source.dataset.get_ref().as_str()).map_err(|error| {
            document.error(at.clone(), error.to_string(), "name a dataset of the profile")
        })?;
        if !datasets.contains(&dataset) {
            return Err(document.error(
                at,
                "the source's dataset is not selected",
                "add it to `datasets`, or remove the source",
            ));
        }
        let place = place(document, source, directory)?;
        let clashes = sources.iter().any(|known| match (&known.place, &place) {
            (SourcePlace::Stdin, SourcePlace::Stdin) => true,
            _ => known.dataset == dataset && place_of(&known.place) == place_of(&place),
        });
        if clashes {
            return Err(document.error(at, "the source is given twice", "remove one of the two"));
        }
        sources.push(SourceConfig { dataset, place });
    }
    Ok(sources)
}

/// What tells two places of one dataset apart.
fn place_of(place: &SourcePlace) -> (&str, Option<&Path>, Option<&str>) {
    match place {
        SourcePlace::File { path, .. } => ("file", Some(path), None),
        SourcePlace::Parquet { path, .. } => ("parquet", Some(path), None),
        SourcePlace::Directory { path } => ("directory", Some(path), None),
        SourcePlace::Stdin => ("stdin", None, None),
        SourcePlace::Postgres(place) => ("postgres", None, Some(&place.table.name)),
        SourcePlace::Sqlite(place) => ("sqlite", Some(&place.path), Some(&place.table.name)),
    }
}

fn place(document: &Document<'_>, raw: RawSource, directory: &Path) -> Result<SourcePlace, DocumentError> {
    let RawSource { dataset, path, parquet, directory: folder, stdin, postgres, sqlite, on_replaced } = raw;
    let given = [
        path.as_ref().map(|field| (field.span(), "path")),
        parquet.as_ref().map(|field| (field.span(), "parquet")),
        folder.as_ref().map(|field| (field.span(), "directory")),
        stdin.as_ref().map(|field| (field.span(), "stdin")),
        postgres.as_ref().map(|field| (field.span(), "postgres")),
        sqlite.as_ref().map(|field| (field.span(), "sqlite")),
    ];
    let mut given = given.into_iter().flatten();
    let Some((span, first)) = given.next() else {
        let problem =
            "the source has none of `path`, `parquet`, `directory`, `stdin`, `postgres` and `sqlite`";
        return Err(document.error(
            dataset.span(),
            problem,
            "add `path = \"rows.ndjson\"` or `stdin = true`",
        ));
    };
    if let Some((_, second)) = given.next() {
        return Err(document.error(
            span,
            format!("both `{first}` and `{second}` are given"),
            "keep one of the two",
        ));
    }
    if let Some(field) = on_replaced.as_ref().filter(|_| path.is_none() && parquet.is_none()) {
        let problem =
            if stdin.is_some() { "standard input is never replaced" } else { "only a file is replaced" };
        return Err(document.error(field.span(), problem, "remove the field"));
    }
    if let Some(path) = path {
        let on_replaced = on_replaced.map_or(OnReplaced::Fail, Spanned::into_inner);
        return Ok(SourcePlace::File { path: directory.join(path.into_inner()), on_replaced });
    }
    if let Some(path) = parquet {
        let on_replaced = on_replaced.map_or(OnReplaced::Fail, Spanned::into_inner);
        return Ok(SourcePlace::Parquet { path: directory.join(path.into_inner()), on_replaced });
    }
    if let Some(folder) = folder {
        return Ok(SourcePlace::Directory { path: directory.join(folder.into_inner()) });
    }
    if let Some(postgres) = postgres {
        let RawPostgres { url, table, updated_at, overlap, root_certificate } = postgres.into_inner();
        return Ok(SourcePlace::Postgres(Box::new(PostgresPlace {
            url: url.0.below(directory),
            table: self::table(document, table, updated_at, overlap)?,
            root_certificate: root_certificate.map(|path| directory.join(path)),
        })));
    }
    if let Some(sqlite) = sqlite {
        let RawSqlite { path, table, updated_at, overlap } = sqlite.into_inner();
        let table = self::table(document, table, updated_at, overlap)?;
        return Ok(SourcePlace::Sqlite(SqlitePlace { path: directory.join(path), table }));
    }
    match stdin {
        Some(stdin) if *stdin.get_ref() => Ok(SourcePlace::Stdin),
        _ => Err(document.error(span, "not a source", "remove the source or set `stdin = true`")),
    }
}

fn table(
    document: &Document<'_>,
    name: Spanned<String>,
    updated_at: Option<String>,
    overlap: Option<Spanned<String>>,
) -> Result<TablePlace, DocumentError> {
    if name.get_ref().trim().is_empty() {
        return Err(document.error(name.span(), "the table has no name", "write it as `schema.table`"));
    }
    let overlap = overlap.map(|text| length(document, &text)).transpose()?.unwrap_or(OVERLAP_DEFAULT);
    Ok(TablePlace { name: name.into_inner(), updated_at, overlap })
}
