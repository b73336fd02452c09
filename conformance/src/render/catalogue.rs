//! Checks as text, without running them.

use std::sync::Arc;

use super::source_line;
use crate::check::{Area, Check};

/// One line per check: id, area, level, title, sources.
pub fn list(checks: &[Arc<Check>]) -> String {
    let widest = |text: fn(&Check) -> &str| {
        checks.iter().map(|check| text(check).chars().count()).max().unwrap_or_default()
    };
    let id_width = widest(|check| check.id.as_str());
    let area_width = widest(|check| check.area.name());
    let lines: Vec<String> = checks
        .iter()
        .map(|check| {
            let Check { id, area, level, title, .. } = check.as_ref();
            let sources = source_line(&check.sources);
            format!("{id:<id_width$}  {area:<area_width$}  {level:<6}  {title}  [{sources}]\n")
        })
        .collect();
    lines.concat()
}

/// The page of every check: a table per area.
pub fn page(checks: &[Arc<Check>]) -> String {
    let mut areas: Vec<Area> = checks.iter().map(|check| check.area).collect();
    areas.sort();
    areas.dedup();
    let of = |area: Area| checks.iter().filter(move |check| check.area == area);
    let mut lines = vec![
        "# The checks".to_owned(),
        String::new(),
        format!("{} checks, made from the suite by `bucketproof-conformance list --markdown`.", checks.len()),
        "`bucketproof-conformance explain ID` tells more of each, and what must make it fail.".to_owned(),
        String::new(),
        "| area | checks | why |".to_owned(),
        "| --- | ---: | --- |".to_owned(),
    ];
    for area in &areas {
        let anchor = area.name().replace('.', "");
        lines.push(format!("| [{area}](#{anchor}) | {} | {} |", of(*area).count(), area.why()));
    }
    for area in areas {
        lines.push(format!("\n## {area}\n"));
        lines.push("| id | level | demand | source |".to_owned());
        lines.push("| --- | --- | --- | --- |".to_owned());
        for check in of(area) {
            let (title, sources) = (cell(&check.title), cell(&source_line(&check.sources)));
            lines.push(format!("| `{}` | {} | {title} | {sources} |", check.id, check.level));
        }
    }
    lines.join("\n") + "\n"
}

/// Text that does not end a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;")
}

/// Everything that a check says about itself.
pub fn explain(check: &Check) -> String {
    let mut lines = vec![
        check.id.to_string(),
        format!("  {}", check.title),
        String::new(),
        format!("  level         {}", check.level),
        format!("  area          {}", check.area),
    ];
    for source in &check.sources {
        lines.push(format!("  source        {source}"));
    }
    let needs: Vec<String> = check.needs.iter().map(ToString::to_string).collect();
    let needs =
        if needs.is_empty() { "nothing beyond the target itself".to_owned() } else { needs.join(", ") };
    lines.push(format!("  needs         {needs}"));
    lines.push(format!("  why           {}", check.area.why()));
    for fact in &check.detail {
        lines.push(format!("  what          {fact}"));
    }
    lines.push(format!("  falsified by  {}", check.falsified_by));
    lines.push(format!("  again         bucketproof-conformance run {}", check.id));
    lines.join("\n") + "\n"
}
