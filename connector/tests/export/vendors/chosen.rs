//! Rows and columns that a connection chooses, through the whole export.

use bucketproof_clock::Clock;
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::Connection;
use bucketproof_connector::profile::VendorProfile;
use flate2::read::GzDecoder;
use std::io::Read as _;

use super::killed::Bench;

fn bench(profile: &str, rows: &'static str) -> Bench {
    let text = VendorProfile::embedded().find(|(known, _)| *known == profile).unwrap().1;
    let mut bench = Bench::new(text);
    bench.rows = rows;
    bench
}

fn event(id: &str, analytics: &str) -> String {
    format!(
        "{{\"event_id\":\"{id}\",\"type\":\"track\",\"timestamp\":\"2026-03-08T00:00:00Z\",\
         \"received_at\":\"2026-03-08T00:00:00Z\",\"context\":{{\"consent\":{{\"analytics\":{analytics}}}}}}}\n"
    )
}

/// Claims DAT-22.
#[tokio::test]
async fn two_connections_route_events_by_their_consent() {
    let agreed = "[[rows]]\ndataset = \"events\"\nkeep = [{ column = \"context\", path = \"/consent/analytics\", is = [true] }]\n";
    let others = "[[rows]]\ndataset = \"events\"\nkeep = [{ column = \"context\", path = \"/consent/analytics\", is = [false], absent = true }]\n";
    let mut keys = std::collections::BTreeSet::new();
    for (rows, ids) in [(agreed, ["e-1", "e-4"]), (others, ["e-2", "e-3"])] {
        let bench = bench("datafly_s3", rows);
        bench.write(
            &(event("e-1", "true") + &event("e-2", "false") + &event("e-3", "null") + &event("e-4", "true")),
        );
        let report = bench.connection().sync().await.unwrap();
        let counts = report.dataset("events").unwrap();
        assert_eq!((counts.rows_read, counts.rows_written, counts.rows_left_out), (2, 2, 2));
        assert!(counts.reconciles());
        let objects = bench.objects();
        keys.extend(objects.keys().cloned());
        let mut text = String::new();
        GzDecoder::new(objects.values().next().unwrap().as_ref()).read_to_string(&mut text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((objects.len(), lines.len()), (1, 2));
        for (line, id) in lines.iter().zip(ids) {
            assert!(line.contains(&format!("\"event_id\":\"{id}\"")), "{line}");
        }
    }
    assert_eq!(keys.len(), 2, "other rows of the same lines are another object");
    let nobody = "[[rows]]\ndataset = \"events\"\nkeep = [{ column = \"type\", is = [\"page\"] }]\n";
    let bench = bench("datafly_s3", nobody);
    bench.write(&event("e-1", "true"));
    let report = bench.connection().sync().await.unwrap();
    assert_eq!(report.dataset("events").unwrap().rows_left_out, 1);
    assert_eq!(bench.objects().len(), 0, "a batch without rows makes no object");
    let again = bench.connection().sync().await.unwrap();
    assert_eq!(again.dataset("events").unwrap().rows_left_out, 0, "what was left out is not read again");
}

/// Claims ADA-31, ADA-35, ADA-Q06, ADA-Q13.
#[tokio::test]
async fn kinds_optional_columns_and_escaped_formulas_reach_the_file() {
    let rows = "[[rows]]\ndataset = \"events\"\nkinds = [\"purchases_and_refunds\"]\n\
                columns = [\"attributes\"]\nescape_formulas = true\n";
    let mut bench = bench("adapty_s3", rows);
    bench.clock = Clock::manual("2026-03-08T04:00:00Z".parse().unwrap());
    let event = |kind: &str, more: &str| {
        format!(
            "{{\"profile_id\":\"=p\",\"event_type\":\"{kind}\",\"event_datetime\":\"2026-03-07T00:00:00Z\"{more}}}\n"
        )
    };
    bench.write(
        &(event("trial_started", "") + &event("subscription_refunded", ",\"attributes\":{\"plan\":\"a\"}")),
    );
    let report = bench.connection().sync().await.unwrap();
    assert_eq!(report.dataset("events").unwrap().rows_left_out, 1);
    let objects = bench.objects();
    let text = String::from_utf8(objects["events/2026-03-07.csv"].to_vec()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with(",attribution_creative,attributes"), "{}", lines[0]);
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[1].starts_with("'=p,subscription_refunded,"), "{}", lines[1]);
    assert!(lines[1].ends_with(",\"{\"\"plan\"\":\"\"a\"\"}\""), "{}", lines[1]);
}

fn refusal(profile: &str, rows: &str) -> String {
    let text = format!(
        "profile = \"{profile}\"\nenabled = true\ndatasets = [\"events\"]\n\
         [bucket]\nname = \"b-1\"\nregion = \"us-east-1\"\n\
         [auth]\nmode = \"static_keys\"\naccess_key_id = \"AKIDEXAMPLE\"\nsecret_access_key = {{ env = \"SECRET\" }}\n\
         [state]\ndir = \"state\"\n{rows}[[source]]\ndataset = \"events\"\npath = \"events.ndjson\"\n"
    );
    let config = match Config::parse(&text, "connector.toml") {
        Ok(config) => config,
        Err(error) => return error.to_string(),
    };
    let profile = config.load_profile().unwrap();
    let store = Bench::new(VendorProfile::embedded().next().unwrap().1).bucket;
    let entropy = bucketproof_clock::Entropy::seeded(7);
    Connection::new(config, profile, store, Clock::system(), entropy).unwrap_err().to_string()
}

#[test]
fn choices_that_do_not_fit_are_refused_by_name() {
    let of = |more: &str| format!("[[rows]]\ndataset = \"events\"\n{more}\n");
    for (profile, rows, says) in [
        ("adapty_s3", of("kinds = [\"trials\"]"), "it has no rows of a kind `trials`"),
        ("adapty_s3", of("kinds = []"), "no kind of rows is chosen"),
        ("adapty_s3", of("columns = [\"colour\"]"), "it has no column `colour` to ask for"),
        ("datafly_s3", of("escape_formulas = true"), "`escape_formulas` is for CSV"),
        (
            "datafly_s3",
            of("keep = [{ column = \"type\", is = [] }]"),
            "rows are kept by the texts, integers or booleans",
        ),
        (
            "datafly_s3",
            of("keep = [{ column = \"context\", path = \"consent\", is = [true] }]"),
            "`consent` is no JSON pointer",
        ),
        ("datafly_s3", "[[rows]]\ndataset = \"visits\"\n".to_owned(), "dataset `visits` is not selected"),
        ("datafly_s3", of("") + &of(""), "the rows of dataset `events` are chosen twice"),
    ] {
        let found = refusal(profile, &rows);
        assert!(found.contains(says), "{rows}: {found}");
    }
}

/// Claims PER-25: the export is of all workspaces of an organisation, and one of them can be chosen.
#[tokio::test]
async fn rows_of_every_workspace_are_exported_unless_one_is_chosen() {
    let one =
        "[[rows]]\ndataset = \"pageview_events\"\nkeep = [{ column = \"workspace_id\", is = [\"w-1\"] }]\n";
    for (rows, exported) in [("", 2), (one, 1)] {
        let bench = bench("permutive_batch", rows);
        let event = |workspace: &str| {
            format!(
                "{{\"time\":\"2026-03-07T00:00:00Z\",\"event_id\":\"e\",\"user_id\":\"u\",\"view_id\":\"v\",\
                 \"workspace_id\":\"{workspace}\"}}\n"
            )
        };
        std::fs::write(bench.folder().join("pageview_events.ndjson"), event("w-1") + &event("w-2")).unwrap();
        let report = bench.connection().sync().await.unwrap();
        let counts = report.dataset("pageview_events").unwrap();
        assert_eq!((counts.rows_read, counts.rows_left_out), (exported, 2 - exported));
        assert_eq!(counts.rows_dead_lettered, 0);
    }
}

/// Rows with a key are replaced: one that is left out later would stay as it was.
#[tokio::test]
async fn rows_that_are_replaced_are_not_left_out() {
    let text = VendorProfile::embedded().find(|(known, _)| *known == "suprsend_s3_v2").unwrap().1;
    let bench = Bench::new(text);
    let config = bench.config_text().replace(
        "[[source]]\ndataset = \"requests\"",
        "[[rows]]\ndataset = \"requests\"\nkeep = [{ column = \"status\", is = [\"failure\"] }]\n[[source]]\ndataset = \"requests\"",
    );
    let config = Config::parse(&config, bench.folder().join("c.toml").to_str().unwrap()).unwrap();
    let profile = config.load_profile().unwrap();
    let refused = Connection::new(
        config,
        profile,
        bench.bucket.clone(),
        Clock::system(),
        bucketproof_clock::Entropy::seeded(7),
    );
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("it replaces what it wrote"), "{refused}");
}
