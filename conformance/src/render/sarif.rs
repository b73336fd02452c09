//! SARIF 2.1.0, which code hosts show beside the policy files: what is wrong with a policy, and what failed checks were
//! denied.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::source_line;
use crate::report::Report;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const DENIED: &str = "missing-permission";

/// The policy findings of a report.
pub fn sarif(report: &Report) -> Result<String, serde_json::Error> {
    let mut rules: BTreeMap<&str, &str> = BTreeMap::new();
    let mut results = Vec::new();
    for finding in &report.findings {
        rules.insert(&finding.rule, "A part of a policy has no effect, or far more than its words say.");
        let region = json!({"startLine": finding.line, "startColumn": finding.column});
        results.push(result(
            &finding.rule,
            "warning",
            &format!("{}; {}", finding.message, finding.help),
            &beside(&report.scenario, &finding.file),
            Some(region),
        ));
    }
    for check in &report.checks {
        let Some(failure) = &check.failure else { continue };
        for permission in &failure.missing {
            rules.insert(DENIED, "A check needs an action that the policies do not allow.");
            let (action, resource) = (&permission.action, &permission.resource);
            let text = format!(
                "`{action}` on `{resource}` is not allowed, and `{}` needs it ({})",
                check.id,
                source_line(&check.sources)
            );
            let mut denied = result(DENIED, "error", &text, &report.scenario, None);
            if let Some(trace) = &failure.trace {
                merge(&mut denied, "properties", json!({"trace": trace}));
            }
            // The same permission of the same check is the same finding in every run.
            let print = format!("{}/{action}/{resource}", check.id);
            merge(&mut denied, "partialFingerprints", json!({"permission/v1": print}));
            results.push(denied);
        }
    }
    let rules: Vec<Value> =
        rules.into_iter().map(|(id, text)| json!({"id": id, "shortDescription": {"text": text}})).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "bucketproof-conformance",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn result(rule: &str, level: &str, text: &str, file: &str, region: Option<Value>) -> Value {
    let mut place = json!({"artifactLocation": {"uri": file.replace(' ', "%20")}});
    if let Some(region) = region {
        merge(&mut place, "region", region);
    }
    json!({
        "ruleId": rule,
        "level": level,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    })
}

fn merge(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// A file that a scenario refers to, as seen from where the scenario is.
fn beside(scenario: &str, file: &str) -> String {
    match scenario.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{file}"),
        None => file.to_owned(),
    }
}
