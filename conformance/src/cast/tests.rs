use bucketproof_fixtures::scenario;

use super::complete;

#[test]
fn the_built_in_scenario_has_the_whole_cast() {
    let scenario = scenario::suprsend();
    complete(scenario.path, scenario.text).unwrap();
}

#[test]
fn whoever_is_missing_is_named() {
    let text = scenario::suprsend().text;
    let cases = [
        ("name = \"administrator\"", "name = \"admin\"", "user `administrator` with an access key"),
        ("name = \"exporter\"", "name = \"exportr\"", "user `exporter` with an access key"),
        ("AKIAEXPORTERXEXAMPLE", "AKIAEXPORTERYEXAMPLE", "access key `AKIAEXPORTERXEXAMPLE`"),
        ("AKIACONNECTOREXAMPLE", "AKIACONNECTORYXAMPLE", "access key `AKIACONNECTOREXAMPLE`"),
        ("suprsend_s3_role\"", "suprsend_role\"", "role `arn:aws:iam::111122223333:role/suprsend_s3_role`"),
        ("suprsend-logs-production", "suprsend-logs", "bucket `suprsend-logs-production`"),
    ];
    for (find, replace, what) in cases {
        assert!(text.contains(find), "{find}");
        let error = complete("mine.toml", &text.replace(find, replace)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("mine.toml: the scenario has no {what}")), "{error}");
    }
    complete("empty.toml", "").unwrap_err();
}
