//! Counts in the text format of Prometheus.
//!
//! Source: Prometheus documentation, "Exposition formats", text format 0.0.4.

use std::fmt::Write as _;

use http::StatusCode;

use super::{Answer, Call, typed};

pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page under way.
#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _infallible = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let _infallible = write!(self.0, "{open}{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _infallible = writeln!(self.0, " {value}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

/// A value of a label between its quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[expect(clippy::cast_precision_loss, reason = "the format has floating point numbers alone")]
fn number(count: u64) -> f64 {
    count as f64
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let control = call.control;
    let tally = control.journal.tally();
    let mut page = Page::default();
    page.family("bucketproof_build_info", "gauge", "The version of the emulator.");
    page.sample("bucketproof_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);

    page.family("bucketproof_requests_total", "counter", "Requests by service, operation and HTTP status.");
    for ((service, operation, status), count) in &tally.requests {
        let status = status.to_string();
        let operation = operation.map_or_else(|| "unknown".to_owned(), |op| op.to_string());
        let labels = [("service", *service), ("operation", &operation), ("status", &status)];
        page.sample("bucketproof_requests_total", &labels, number(*count));
    }
    page.family("bucketproof_decisions_total", "counter", "Decisions by service of the action and outcome.");
    for ((service, outcome), count) in &tally.decisions {
        let labels = [("service", *service), ("outcome", *outcome)];
        page.sample("bucketproof_decisions_total", &labels, number(*count));
    }
    let request_help = "Bytes of the bodies received.";
    page.single("bucketproof_request_bytes_total", "counter", request_help, number(tally.request_bytes));
    let response_help = "Bytes of the bodies answered.";
    page.single("bucketproof_response_bytes_total", "counter", response_help, number(tally.response_bytes));
    let hits_help = "How often a fault acted on a request, of those in force and those ended.";
    page.single("bucketproof_fault_hits_total", "counter", hits_help, number(tally.faults));

    page.family("bucketproof_fault_hits", "gauge", "How often each fault in force has acted.");
    for fault in control.ground.faults.views() {
        let id = fault.id.to_string();
        let labels = [("id", id.as_str()), ("name", fault.name.as_deref().unwrap_or_default())];
        page.sample("bucketproof_fault_hits", &labels, number(fault.hits));
    }
    page.family(
        "bucketproof_deliveries_total",
        "counter",
        "Deliveries of events and notifications by outcome.",
    );
    for (outcome, count) in control.ground.deliveries.counts() {
        page.sample("bucketproof_deliveries_total", &[("outcome", outcome)], number(count));
    }
    let (buckets, waiting) = {
        let world = control.ground.world.lock();
        (world.buckets.iter().count() as u64, world.outbox.len() as u64)
    };
    let (snapshots, forks) = control.worlds.counts();
    let now_ms = control.clock().now().as_millisecond();
    let gauges = [
        (
            "bucketproof_deliveries_waiting",
            "Events and notifications that are still to be delivered.",
            waiting,
        ),
        ("bucketproof_buckets", "Buckets.", buckets),
        ("bucketproof_journal_entries", "Requests that the journal keeps.", control.journal.len() as u64),
        ("bucketproof_snapshots", "Snapshots that the admin API keeps.", snapshots as u64),
        ("bucketproof_forks", "Forks that the admin API runs.", forks as u64),
    ];
    for (name, help, value) in gauges {
        page.single(name, "gauge", help, number(value));
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of any year fit well")]
    let seconds = now_ms as f64 / 1000.0;
    page.single(
        "bucketproof_clock_seconds",
        "gauge",
        "The emulator's clock, in seconds since 1970.",
        seconds,
    );
    Ok(typed(StatusCode::OK, MEDIA_TYPE, page.0.into()))
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn values_of_labels_cannot_break_out() {
        let mut page = Page::default();
        page.sample("name", &[("a", "x\"} 1\nevil{b=\"\\")], 2.0);
        page.sample("name", &[], 0.5);
        assert_eq!(page.0, "name{a=\"x\\\"} 1\\nevil{b=\\\"\\\\\"} 2\nname 0.5\n");
    }
}
