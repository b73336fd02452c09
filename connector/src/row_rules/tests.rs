use super::*;
use crate::profile::VendorProfile;
use crate::rows::{LinesOrigin, decode_ndjson};

fn choice(dataset: &str) -> RowChoice {
    RowChoice {
        dataset: DatasetName::new(dataset).unwrap(),
        kinds: None,
        keep: Vec::new(),
        columns: Vec::new(),
        escape_formulas: false,
    }
}

/// The first column of the rows of a profile that are exported, and how many are not.
fn exported(profile: &str, lines: &str, choice: &RowChoice) -> (Vec<String>, u64) {
    let profile = VendorProfile::named(profile).unwrap();
    let dataset = profile.dataset(&choice.dataset).unwrap();
    let origin = LinesOrigin { source: "test", lines_before: 0, bytes_before: 0 };
    let batch = decode_ndjson(dataset, lines.as_bytes(), origin).unwrap().batch;
    let rules = RowRules::new(choice, dataset.columns(), dataset.kinds()).unwrap();
    let (batch, left_out) = rules.apply(batch).unwrap();
    let ids = batch.columns()[0].as_string::<i32>().iter().map(|id| id.unwrap().to_owned());
    (ids.collect(), left_out)
}

fn event(id: &str, context: &str) -> String {
    format!(
        "{{\"event_id\":\"{id}\",\"type\":\"track\",\"timestamp\":\"2026-05-12T10:00:00Z\",\
         \"received_at\":\"2026-05-12T10:00:01Z\",\"context\":{context}}}\n"
    )
}

/// Claims DAT-22.
#[test]
fn events_are_chosen_by_the_consent_in_their_context() {
    let lines = event("yes", r#"{"consent":{"analytics":true,"regions":["eu"]}}"#)
        + &event("no", r#"{"consent":{"analytics":false}}"#)
        + &event("text", r#"{"consent":{"analytics":"true"}}"#)
        + &event("unsaid", r#"{"consent":{}}"#)
        + &event("null", r#"{"consent":{"analytics":null}}"#)
        + &event("without", "null");
    let keep = Keep {
        column: "context".to_owned(),
        path: Some("/consent/analytics".to_owned()),
        is: vec![Value::from(true)],
        absent: false,
    };
    let strict = RowChoice { keep: vec![keep.clone()], ..choice("events") };
    assert_eq!(exported("datafly_s3", &lines, &strict), (vec!["yes".to_owned()], 5));
    let lenient = RowChoice { keep: vec![Keep { absent: true, ..keep.clone() }], ..choice("events") };
    assert_eq!(exported("datafly_s3", &lines, &lenient).0, ["yes", "unsaid", "null", "without"]);
    let types = Keep { column: "type".to_owned(), path: None, is: vec!["page".into()], absent: false };
    let both = RowChoice { keep: vec![keep, types], ..choice("events") };
    assert_eq!(exported("datafly_s3", &lines, &both), (Vec::new(), 6), "every condition must hold");
}

/// Claims ADA-31, ADA-Q13.
#[test]
fn each_kind_of_events_can_be_switched_on_by_itself() {
    let types = [
        "subscription_started",
        "subscription_refunded",
        "trial_converted",
        "non_subscription_purchase",
        "entered_grace_period",
        "access_level_updated",
        "something_new",
    ];
    let lines: Vec<String> = types
        .iter()
        .map(|kind| {
            format!("{{\"profile_id\":\"{kind}\",\"event_type\":\"{kind}\",\"event_datetime\":\"2026-03-07T00:00:00Z\"}}\n")
        })
        .collect();
    let lines = lines.concat();
    let of = |kinds: &[&str]| {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        exported("adapty_s3", &lines, &RowChoice { kinds: Some(kinds), ..choice("events") }).0
    };
    let subscriptions = of(&["subscriptions_and_trials"]);
    assert_eq!(subscriptions, ["subscription_started", "trial_converted", "entered_grace_period"]);
    let purchases = of(&["purchases_and_refunds"]);
    assert_eq!(purchases, ["subscription_refunded", "non_subscription_purchase"]);
    let others = of(&["access_and_others"]);
    assert_eq!(others, ["access_level_updated", "something_new"], "what no kind has is of the rest");
    assert_eq!(
        of(&["access_and_others", "purchases_and_refunds", "subscriptions_and_trials"]).len(),
        types.len()
    );
    assert_eq!(exported("adapty_s3", &lines, &choice("events")).0.len(), types.len(), "nothing said is all");
}

/// Claims ADA-Q06.
#[test]
fn texts_that_are_formulas_are_escaped_where_that_is_asked_for() {
    let ids = ["=1+1", "+49", "-2", "@sum", "a=b", "", "'=1"];
    let lines: Vec<String> = ids
        .iter()
        .map(|id| {
            format!("{{\"profile_id\":\"{id}\",\"event_type\":\"x\",\"event_datetime\":\"2026-03-07T00:00:00Z\",\"revenue_usd\":-1.5}}\n")
        })
        .collect();
    let lines = lines.concat();
    assert_eq!(exported("adapty_s3", &lines, &choice("events")).0, ids, "nobody asked");
    let safe = RowChoice { escape_formulas: true, ..choice("events") };
    let (found, left_out) = exported("adapty_s3", &lines, &safe);
    assert_eq!(found, ["'=1+1", "'+49", "'-2", "'@sum", "a=b", "", "'=1"]);
    assert_eq!(left_out, 0);

    let profile = VendorProfile::named("adapty_s3").unwrap();
    let dataset = profile.dataset(&safe.dataset).unwrap();
    let origin = LinesOrigin { source: "test", lines_before: 0, bytes_before: 0 };
    let batch = decode_ndjson(dataset, lines.as_bytes(), origin).unwrap().batch;
    let rules = RowRules::new(&safe, dataset.columns(), dataset.kinds()).unwrap();
    let revenue = rules.apply(batch).unwrap().0.column_by_name("revenue_usd").unwrap().clone();
    assert_eq!(revenue.as_string::<i32>().value(0), "-1.5", "numbers stay numbers");
}

#[test]
fn what_a_dataset_does_not_have_is_refused() {
    let profile = VendorProfile::named("datafly_s3").unwrap();
    let dataset = profile.dataset(&DatasetName::new("events").unwrap()).unwrap();
    let refused =
        |choice: RowChoice| RowRules::new(&choice, dataset.columns(), dataset.kinds()).unwrap_err().problem;
    let keep = |column: &str, path: Option<&str>| {
        let one = Keep {
            column: column.to_owned(),
            path: path.map(str::to_owned),
            is: vec![Value::from("x")],
            absent: false,
        };
        RowChoice { keep: vec![one], ..choice("events") }
    };
    let kinds = RowChoice { kinds: Some(vec!["any".to_owned()]), ..choice("events") };
    assert_eq!(refused(kinds), "the profile tells no kinds of its rows apart");
    assert_eq!(refused(keep("contxt", None)), "it has no column `contxt`");
    assert_eq!(refused(keep("type", Some("/a"))), "column `type` is no JSON, in which `path` could point");
    assert_eq!(refused(keep("context", None)), "values of column `context` cannot be compared as they are");
}

#[test]
fn patterns_stand_for_whole_texts() {
    let kinds = |pattern: &str| RowKinds {
        column: "c".to_owned(),
        of: vec![RowKind { name: "hit".to_owned(), values: vec![pattern.to_owned()] }],
        rest: "miss".to_owned(),
    };
    for (pattern, text, is_hit) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a*", "a", true),
        ("a*", "ba", false),
        ("*b", "ab", true),
        ("*b", "ba", false),
        ("a*b", "ab", true),
        ("a*b", "a", false),
        ("ab*ba", "aba", false),
        ("*refund*", "subscription_refunded", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abde", false),
        ("*", "", true),
    ] {
        assert_eq!(kinds(pattern).kind_of(text) == "hit", is_hit, "`{pattern}` on `{text}`");
    }
}
