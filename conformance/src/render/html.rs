//! The report as one HTML file: nothing is loaded, nothing runs, and it reads on paper and by a screen reader.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::source_line;
use super::terminal::facts;
use crate::check::Area;
use crate::report::{CheckReport, PolicyProved, PolicyRow, Report, Status};

const STYLE: &str = include_str!("report.css");
const STATUSES: [Status; 4] = [Status::Passed, Status::Failed, Status::Errored, Status::Skipped];

/// The report as an HTML document.
pub fn html(report: &Report) -> String {
    let mut page = Page::default();
    let verdict = verdict(report);
    page.line(&format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{verdict}: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>",
        escaped(&report.target)
    ));
    page.line("<a class=\"skip\" href=\"#failures\">To what went wrong</a>\n<header>");
    page.line(&format!("<h1>Conformance of {}</h1>", escaped(&report.target)));
    page.line(&format!("<p class=\"verdict {}\">{verdict}</p>", class(worst(report))));
    page.head(report);
    page.line("</header>\n<main>");
    // Who opens a report that says no looks for the reasons first.
    page.failures(report);
    page.matrix(report);
    page.policies(report);
    page.findings(report);
    page.skipped(report);
    page.every(report);
    page.line("</main>\n</body>\n</html>");
    page.text
}

/// The document under way.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn head(&mut self, report: &Report) {
        let seconds = format!("{}.{:02} s", report.duration_ms / 1000, report.duration_ms % 1000 / 10);
        let facts = [
            ("Target", escaped(&report.target)),
            ("Set up with", escaped(&report.scenario)),
            ("Checks", report.summary.checks.to_string()),
            ("Seed", report.seed.to_string()),
            ("Took", seconds),
            ("Schema", escaped(report.schema)),
        ];
        self.line("<dl class=\"facts\">");
        for (name, value) in facts {
            self.line(&format!("<div><dt>{name}</dt><dd>{value}</dd></div>"));
        }
        self.line("</dl>");
    }

    /// Areas by outcomes.
    fn matrix(&mut self, report: &Report) {
        let mut areas: BTreeMap<Area, Vec<&CheckReport>> = BTreeMap::new();
        for check in &report.checks {
            areas.entry(check.area.group()).or_default().push(check);
        }
        self.line("<section aria-labelledby=\"matrix\">\n<h2 id=\"matrix\">Areas</h2>\n<table>");
        self.line(
            "<caption>How the checks of each area ended</caption>\n<thead><tr><th scope=\"col\">Area</th>",
        );
        for status in STATUSES {
            self.line(&format!("<th scope=\"col\" class=\"number\">{}</th>", word(status)));
        }
        self.line("</tr></thead>\n<tbody>");
        for (area, checks) in &areas {
            let mut row = format!(
                "<tr><th scope=\"row\" class=\"area\"><a href=\"#{}\">{}</a></th>",
                anchor(area.name()),
                // A narrow page breaks names where they have parts.
                escaped(area.name()).replace('.', ".<wbr>")
            );
            for status in STATUSES {
                let number = checks.iter().filter(|check| check.status == status).count();
                let look = if number == 0 { "none" } else { class(status) };
                let _ = write!(row, "<td class=\"number {look}\">{number}</td>");
            }
            self.line(&(row + "</tr>"));
        }
        let summary = report.summary;
        self.line(&format!(
            "</tbody>\n<tfoot><tr><th scope=\"row\">All</th><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td></tr></tfoot>\n</table>\n</section>",
            summary.passed, summary.failed, summary.errored, summary.skipped
        ));
    }

    /// Documented policies, proved both ways.
    fn policies(&mut self, report: &Report) {
        if report.policies.is_empty() {
            return;
        }
        self.line(
            "<section aria-labelledby=\"policies\">\n<h2 id=\"policies\">Documented policies, proved both ways</h2>\n\
             <table>\n<caption>All of a policy suffices; without an element of it the export fails, unless the page documents \
             more than is needed, and the connector names what is missing</caption>\n<thead><tr><th scope=\"col\">Profile</th><th scope=\"col\">Element</th>\
             <th scope=\"col\">Sufficient</th><th scope=\"col\">Necessary</th><th scope=\"col\">Named when missing</th>\
             </tr></thead>\n<tbody>",
        );
        for PolicyRow { profile, element, sufficient, necessary, beyond_need, diagnosed } in &report.policies
        {
            let mut row = format!(
                "<tr><th scope=\"row\">{}</th><td><code>{}</code></td>",
                escaped(profile),
                escaped(element)
            );
            row.push_str(&proved(sufficient.as_ref(), None));
            row.push_str(&proved(necessary.as_ref().or(beyond_need.as_ref()), beyond_need.as_ref()));
            row.push_str(&proved(diagnosed.as_ref(), None));
            self.line(&(row + "</tr>"));
        }
        self.line("</tbody>\n</table>\n</section>");
    }

    fn failures(&mut self, report: &Report) {
        self.line("<section aria-labelledby=\"failures\">\n<h2 id=\"failures\">What went wrong</h2>");
        let wrong: Vec<&CheckReport> = report
            .checks
            .iter()
            .filter(|check| matches!(check.status, Status::Failed | Status::Errored))
            .collect();
        if wrong.is_empty() {
            self.line("<p>Nothing.</p>");
        }
        for check in wrong {
            self.line(&format!(
                "<article class=\"{}\">\n<h3>{} <span class=\"tag\">{}, {}</span></h3>\n<p><code>{}</code></p>",
                class(check.status),
                escaped(&check.title),
                word(check.status),
                check.level,
                escaped(check.id.as_str())
            ));
            self.line("<dl class=\"what\">");
            for (label, value) in facts(report, check) {
                self.line(&format!("<div><dt>{label}</dt><dd>{}</dd></div>", escaped(&value)));
            }
            self.line("</dl>\n</article>");
        }
        self.line("</section>");
    }

    fn findings(&mut self, report: &Report) {
        if report.findings.is_empty() {
            return;
        }
        self.line(
            "<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">Mistakes in policies</h2>\n<ul>",
        );
        for finding in &report.findings {
            self.line(&format!(
                "<li><code>{}:{}:{}</code> {}; {}</li>",
                escaped(&finding.file),
                finding.line,
                finding.column,
                escaped(&finding.message),
                escaped(&finding.help)
            ));
        }
        self.line("</ul>\n</section>");
    }

    fn skipped(&mut self, report: &Report) {
        let mut lacking: BTreeMap<&str, usize> = BTreeMap::new();
        for missing in report.checks.iter().filter_map(|check| check.missing_capability) {
            *lacking.entry(missing.name()).or_default() += 1;
        }
        if lacking.is_empty() {
            return;
        }
        self.line(
            "<section aria-labelledby=\"skipped\">\n<h2 id=\"skipped\">What the target does not offer</h2>\n<table>\n\
             <caption>Checks that did not run, by what is missing</caption>\n<thead><tr><th scope=\"col\">Capability</th>\
             <th scope=\"col\" class=\"number\">Skipped</th></tr></thead>\n<tbody>",
        );
        for (name, number) in lacking {
            self.line(&format!("<tr><th scope=\"row\">{name}</th><td class=\"number\">{number}</td></tr>"));
        }
        self.line("</tbody>\n</table>\n</section>");
    }

    fn every(&mut self, report: &Report) {
        self.line("<section aria-labelledby=\"every\">\n<h2 id=\"every\">Every check</h2>");
        let mut areas: BTreeMap<Area, Vec<&CheckReport>> = BTreeMap::new();
        for check in &report.checks {
            areas.entry(check.area.group()).or_default().push(check);
        }
        for (area, checks) in areas {
            self.line(&format!(
                "<details>\n<summary>{area} ({})</summary>\n<p id=\"{}\">{}</p>\n<table>\n<caption>Checks of {area}</caption>\n\
                 <thead><tr><th scope=\"col\">Outcome</th><th scope=\"col\">Check</th><th scope=\"col\">Source</th>\
                 </tr></thead>\n<tbody>",
                checks.len(),
                // A link to what is inside opens it; a link to itself would not.
                anchor(area.name()),
                escaped(area.why())
            ));
            for check in checks {
                let missing = check.missing_capability.map(|missing| format!(": lacks {missing}"));
                self.line(&format!(
                    "<tr><td class=\"{}\">{}{}</td><td>{}<br><code>{}</code></td><td>{}</td></tr>",
                    class(check.status),
                    word(check.status),
                    missing.unwrap_or_default(),
                    escaped(&check.title),
                    escaped(check.id.as_str()),
                    escaped(&source_line(&check.sources))
                ));
            }
            self.line("</tbody>\n</table>\n</details>");
        }
        self.line("</section>");
    }
}

fn verdict(report: &Report) -> String {
    let summary = report.summary;
    match worst(report) {
        Status::Failed => format!("{} of {} checks failed", summary.failed, summary.checks),
        Status::Errored => format!("{} of {} checks broke", summary.errored, summary.checks),
        Status::Passed if summary.skipped > 0 => {
            format!("{} checks passed, {} were skipped", summary.passed, summary.skipped)
        }
        Status::Passed => format!("All {} checks passed", summary.passed),
        Status::Skipped => "Nothing is proved".to_owned(),
    }
}

/// The outcome that decides on the whole.
fn worst(report: &Report) -> Status {
    let has = |status| report.checks.iter().any(|check| check.status == status);
    [Status::Failed, Status::Errored, Status::Passed]
        .into_iter()
        .find(|status| has(*status))
        .unwrap_or(Status::Skipped)
}

/// A cell of the matrix of policies; what is documented beyond need says so where it holds.
fn proved(cell: Option<&PolicyProved>, beyond_need: Option<&PolicyProved>) -> String {
    let Some(PolicyProved { check, status }) = cell else {
        return "<td class=\"none\">\u{2013}</td>".to_owned();
    };
    let is_spare = beyond_need.is_some() && *status == Status::Passed;
    let text = if is_spare { "not needed" } else { word(*status) };
    format!("<td class=\"{}\" title=\"{}\">{text}</td>", class(*status), escaped(check.as_str()))
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed => "failed",
        Status::Errored => "broke",
        Status::Skipped => "skipped",
    }
}

const fn class(status: Status) -> &'static str {
    match status {
        Status::Passed => "good",
        Status::Failed => "bad",
        Status::Errored => "broken",
        Status::Skipped => "open",
    }
}

fn anchor(name: &str) -> String {
    format!("area-{}", name.replace('.', "-"))
}

/// Text as HTML text and as the value of an attribute. What no document may hold is shown as what it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(letter),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
