//! Checks as text, without running them.

use std::sync::Arc;

use super::source_line;
use crate::check::Check;

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
    lines.push(format!("  falsified by  {}", check.falsified_by));
    lines.join("\n") + "\n"
}
