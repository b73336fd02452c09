//! Checks as tables of exchanges: a row is a script of requests with what must come back, and the fault under which that
//! must fail. They play on the emulator and on every endpoint that has what they need.

mod fault;
mod play;
mod script;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

pub(super) use self::play::encoded;
use self::script::{Script, parse};
use super::READ_ON;
use crate::check::{Area, Capability, Check, Level, Run, Source};
use crate::falsifier::Falsifier;
use crate::inventory::InvalidInventory;
use crate::stage::on_ground;
use crate::step::step;

/// The tables, by file.
const TABLES: [(&str, &str); 10] = [
    ("accounts.toml", include_str!("accounts.toml")),
    ("auth.toml", include_str!("auth.toml")),
    ("cors.toml", include_str!("cors.toml")),
    ("encryption.toml", include_str!("encryption.toml")),
    ("events.toml", include_str!("events.toml")),
    ("lifecycle.toml", include_str!("lifecycle.toml")),
    ("lock.toml", include_str!("lock.toml")),
    ("post.toml", include_str!("post.toml")),
    ("services.toml", include_str!("services.toml")),
    ("sns.toml", include_str!("sns.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// What every row of the table needs.
    #[serde(default)]
    needs: Vec<String>,
    /// Beginnings that several rows share, by name.
    #[serde(default)]
    before: BTreeMap<String, String>,
    check: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    area: String,
    title: String,
    #[serde(default)]
    level: RowLevel,
    /// A page of AWS.
    source: Option<String>,
    /// A recorded answer of AWS.
    recorded: Option<String>,
    /// Requirements by their ids.
    #[serde(default)]
    requirements: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    fault: String,
    /// The beginning that stands before the steps.
    before: Option<String>,
    steps: String,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RowLevel {
    #[default]
    Must,
    Should,
}

/// The tables as they were read; their texts live as long as the program, as faults want it.
static READ: LazyLock<Vec<(&str, Result<Table, String>)>> = LazyLock::new(|| {
    TABLES
        .iter()
        .map(|(file, text)| (*file, toml::from_str(text).map_err(|error| error.to_string())))
        .collect()
});

/// A check per row of every table.
pub(super) fn checks() -> Result<Vec<Check>, InvalidInventory> {
    let mut checks = Vec::new();
    for (file, table) in READ.iter() {
        let broken = |message: String| InvalidInventory::BrokenTable { file: (*file).to_owned(), message };
        let table = table.as_ref().map_err(|message| broken(message.clone()))?;
        for row in &table.check {
            let check = check(row, table);
            checks.push(check.map_err(|message| broken(format!("`{}`: {message}", row.id)))?);
        }
    }
    Ok(checks)
}

/// A script that is made and not read from a table.
pub(super) fn scripted(text: String) -> Run {
    let text = Arc::new(text);
    on_ground(move |ground| {
        let text = Arc::clone(&text);
        async move {
            let script = step("read the requests").works(parse(&text))?;
            play::play(&ground, &script).await
        }
    })
}

fn check(row: &'static Row, table: &'static Table) -> Result<Check, String> {
    let before = row.before.as_ref().map(|name| {
        table.before.get(name).ok_or_else(|| format!("there is no beginning `{name}` in the table"))
    });
    let before = before.transpose()?.map_or("", String::as_str);
    let start = Arc::new(parse(before).map_err(|error| error.to_string())?);
    let steps = parse(&row.steps).map_err(|error| error.to_string())?;
    let script = Arc::new(Script::clone(&start).then(steps));
    let area = area(&row.area).ok_or_else(|| format!("`{}` is no area of these tables", row.area))?;
    let mut needs = Vec::new();
    for name in table.needs.iter().chain(&row.needs) {
        let found = Capability::ALL.into_iter().find(|capability| capability.name() == name);
        needs.push(found.ok_or_else(|| format!("`{name}` is no capability"))?);
    }
    let detail = script.steps.iter().map(script::Step::shown).collect();
    Ok(Check {
        id: row.id.as_str().into(),
        title: row.title.as_str().into(),
        level: match row.level {
            RowLevel::Must => Level::Must,
            RowLevel::Should => Level::Should,
        },
        area,
        sources: sources(row),
        needs,
        detail,
        proves: None,
        falsified_by: fault::parse(&row.fault)?,
        run: on_ground(move |ground| {
            let (script, start) = (Arc::clone(&script), Arc::clone(&start));
            async move {
                match ground.falsifier() {
                    Some(Falsifier::RequestEdit(edit)) => {
                        let edited = step("falsify the requests").works(edit.apply(&row.steps))?;
                        let edited = step("read the requests").works(parse(&edited))?;
                        play::play(&ground, &Script::clone(&start).then(edited)).await
                    }
                    _ => play::play(&ground, &script).await,
                }
            }
        }),
    })
}

fn sources(row: &'static Row) -> Vec<Source> {
    let page = row.source.iter().map(|page| Source::aws(page.as_str(), READ_ON));
    let recorded = row.recorded.iter().map(|sample| Source::recorded(format!("recorded: {sample}")));
    let requirements = row.requirements.iter().map(|id| Source::requirement(id.as_str()));
    page.chain(recorded).chain(requirements).collect()
}

fn area(name: &str) -> Option<Area> {
    let areas = [
        Area::Auth,
        Area::S3Acl,
        Area::S3Policy,
        Area::S3Cors,
        Area::S3Encryption,
        Area::S3Lifecycle,
        Area::S3Lock,
        Area::S3Post,
        Area::Events,
        Area::Iam,
        Area::Kms,
        Area::Sns,
        Area::Sts,
    ];
    areas.into_iter().find(|area| area.name() == name)
}
