//! What the vendors' pages say of columns, names and settings, transcribed and held against the profiles.

use std::collections::BTreeSet;

use bucketproof_connector::config::Config;
use bucketproof_connector::profile::{
    BatchNames, Column, ColumnType, Dataset, DatasetPartition, KeyPrefix, ObjectNames, VendorProfile,
};
use jiff::Timestamp;
use proptest::prelude::*;

use super::killed::Bench;

fn profile(id: &str) -> VendorProfile {
    VendorProfile::named(id).unwrap()
}

fn dataset<'a>(profile: &'a VendorProfile, name: &str) -> &'a Dataset {
    profile.datasets().iter().find(|dataset| dataset.name().as_str() == name).unwrap()
}

/// A column as the tables below write it: name, type where it is no text, and `!` where it is required.
fn written(column: &Column) -> String {
    let kind = match column.kind {
        ColumnType::String => "",
        ColumnType::Integer => ":int",
        ColumnType::Boolean => ":bool",
        ColumnType::Datetime => ":time",
        ColumnType::Millis => ":millis",
        ColumnType::Decimal => ":decimal",
        ColumnType::Object => ":object",
        ColumnType::Struct => ":struct",
        ColumnType::StructArray => ":structs",
        ColumnType::Array => ":texts",
        ColumnType::IntegerArray => ":ints",
        ColumnType::Json | ColumnType::ArrayJson => ":json",
    };
    format!("{}{kind}{}", column.name, if column.nullable { "" } else { "!" })
}

/// By profile: each table with its columns in their order.
const PAGES: [(&str, &[(&str, &str)]); 5] = [
    (
        "permutive_stream",
        &[
            (
                "events",
                "time:millis! event_id! user_id! event_name! organization_id! project_id! session_id view_id source_url \
                 segments:ints properties:object",
            ),
            ("sync_aliases", "time:millis! user_id! organization_id! project_id! aliases:structs!"),
            (
                "segment",
                "id! code:int! name! tags:texts metadata:object workspace! ancestors:texts workspaceState deleted:bool",
            ),
        ],
    ),
    (
        "permutive_batch",
        &[
            (
                "pageview_events",
                "time:time! event_id user_id session_id view_id workspace_id segments:ints cohorts:texts properties:struct",
            ),
            (
                "videoview_events",
                "time:time! event_id user_id session_id view_id workspace_id segments:ints cohorts:texts properties:object",
            ),
            ("aliases", "time:time! event_type permutive_id! id! tag! workspace_id"),
            ("domains", "name! workspace_id"),
            ("segment_metadata", "number:int! name! tags:texts metadata workspace_id"),
        ],
    ),
    (
        "datafly_s3",
        &[(
            "events",
            "event_id! type! event anonymous_id user_id timestamp:time! received_at:time! sent_at:time context:object \
             properties:object traits:object source_id integration_id",
        )],
    ),
    (
        "adapty_s3",
        &[
            (
                "events",
                "profile_id! event_type! event_datetime:time! transaction_id original_transaction_id \
                 subscription_expires_at:time environment revenue_usd:decimal proceeds_usd:decimal net_revenue_usd:decimal \
                 tax_amount_usd:decimal revenue_local:decimal proceeds_local:decimal net_revenue_local:decimal \
                 tax_amount_local:decimal customer_user_id store product_id base_plan_id developer_id ab_test_name \
                 ab_test_revision:int paywall_name paywall_revision:int profile_county install_date:time idfv idfa \
                 advertising_id ip_address cancellation_reason android_app_set_id android_id device currency store_country \
                 attribution_source attribution_network_user_id attribution_status attribution_channel attribution_campaign \
                 attribution_ad_group attribution_ad_set attribution_creative",
            ),
            (
                "paywall_visits",
                "profile_id! customer_user_id profile_country install_date:time store paywall_showed_at:time! developer_id \
                 ab_test_name ab_test_revision:int paywall_name paywall_revision:int",
            ),
        ],
    ),
    (
        "split_impressions_export",
        &[(
            "impressions",
            "key! label treatment! splitName! splitVersion:int environmentId trafficTypeId sdk sdkVersion timestamp:int! \
             receptionTimestamp:int!",
        )],
    ),
];

/// Claims PER-03, PER-10, PER-12, PER-15, PER-16, PER-26, PER-28, PER-29, PER-30, PER-31, PER-Q09, DAT-05, ADA-05, ADA-16,
/// ADA-29, ADA-Q01, SPL-64.
#[test]
fn tables_and_columns_are_those_of_the_pages_in_their_order() {
    for (id, tables) in PAGES {
        let profile = profile(id);
        let names: Vec<&str> = profile.datasets().iter().map(|dataset| dataset.name().as_str()).collect();
        assert_eq!(names, tables.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{id}");
        for (name, columns) in tables {
            let found: Vec<String> = dataset(&profile, name).columns().iter().map(written).collect();
            assert_eq!(
                found.join(" "),
                columns.split_whitespace().collect::<Vec<_>>().join(" "),
                "{id} {name}"
            );
        }
    }
    let stream = profile("permutive_stream");
    let aliases: Vec<String> =
        dataset(&stream, "sync_aliases").columns()[4].fields.iter().map(written).collect();
    assert_eq!(aliases, ["id", "tag"]);
    assert_eq!(PAGES[3].1[0].1.split_whitespace().count(), 44);
    assert_eq!(PAGES[3].1[1].1.split_whitespace().count(), 11);
    assert_eq!(PAGES[2].1[0].1.split_whitespace().count(), 13);
}

fn key(
    profile: &VendorProfile,
    table: &str,
    at: Timestamp,
    prefix: &str,
    extension: &str,
    batch: &BatchNames,
) -> String {
    let dataset = dataset(profile, table);
    let unit = dataset.partitioning().unit;
    let partition = DatasetPartition::at(dataset.name().clone(), unit, unit.slot_of(at));
    let names = ObjectNames { extension: extension.to_owned(), batch: batch.clone() };
    let prefix = profile.prefix_of(&KeyPrefix::new(prefix).unwrap());
    dataset.layout().key(&prefix, &partition, &names).unwrap().to_string()
}

proptest! {
    /// Claims PER-06, PER-07, PER-08, PER-24, PER-Q02, PER-Q03, PER-Q04, PER-Q07, PER-Q08, PER-Q13, DAT-03, DAT-11, DAT-Q03,
    /// DAT-Q08, ADA-08, ADA-Q03.
    #[test]
    fn keys_are_those_of_the_pages(
        second in 1_735_689_600_i64..1_798_761_600,
        identity in "[a-z]{1,8}",
        first_ms in 0_i64..2_000_000_000_000,
        worker in "[a-z0-9-]{1,8}",
    ) {
        let at = Timestamp::from_second(second).unwrap();
        let utc = at.to_zoned(jiff::tz::TimeZone::UTC);
        let (year, month, day, hour) = (utc.year(), utc.month(), utc.day(), utc.hour());
        let batch = BatchNames::of(&identity, first_ms, &worker);
        let padded = format!("year={year}/month={month:02}/day={day:02}/hour={hour:02}");
        let stream = profile("permutive_stream");
        for (prefix, front) in [("", ""), ("permutive/", "permutive/"), ("permutive", "permutive/")] {
            for table in ["events", "sync_aliases"] {
                prop_assert_eq!(
                    key(&stream, table, at, prefix, "", &batch),
                    format!("{front}type={table}/{padded}/{first_ms}-{}-{worker}.jsonl.gz", batch.hash)
                );
            }
            prop_assert_eq!(key(&stream, "segment", at, prefix, "", &batch), format!("{front}type=segment/part-00000.jsonl.gz"));
            let batches = profile("permutive_batch");
            for extension in ["json.gz", "snappy.parquet"] {
                prop_assert_eq!(
                    key(&batches, "pageview_events", at, prefix, extension, &batch),
                    format!("{front}data/pageview_events/year={year}/month={month}/day={day}/part-00000.{extension}")
                );
                prop_assert_eq!(
                    key(&batches, "domains", at, prefix, extension, &batch),
                    format!("{front}data/domains/part-00000.{extension}")
                );
            }
            prop_assert_eq!(
                key(&profile("adapty_s3"), "paywall_visits", at, prefix, "csv", &batch),
                format!("{front}paywall_visits/{year}-{month:02}-{day:02}.csv")
            );
        }
        for prefix in ["", "a/b/", "literally"] {
            prop_assert_eq!(
                key(&profile("datafly_s3"), "events", at, prefix, "json.gz", &batch),
                format!("{prefix}{year}/{month:02}/{day:02}/{hour:02}/{}.json.gz", batch.uuid)
            );
        }
        prop_assert_eq!(batch.hash.len(), 16);
        prop_assert_eq!(batch.uuid.as_bytes()[14], b'5', "a UUID of version 5");
        // The same batch has the same name whenever it is tried, another batch or worker another one.
        prop_assert_eq!(&BatchNames::of(&identity, first_ms, &worker), &batch);
        let other = BatchNames::of(&format!("{identity}."), first_ms, &worker);
        prop_assert!(other.uuid != batch.uuid && other.hash != batch.hash);
    }
}

fn config(profile: &str, change: impl FnOnce(String) -> String) -> Result<Config, String> {
    let table = PAGES.iter().find(|(id, _)| *id == profile).unwrap().1[0].0;
    let text = format!(
        "profile = \"{profile}\"\nenabled = true\ndatasets = [\"{table}\"]\n\
         [bucket]\nname = \"customer-exports\"\nregion = \"eu-central-1\"\nprefix = \"\"\n\
         [auth]\nmode = \"static_keys\"\naccess_key_id = \"AKIDEXAMPLE\"\nsecret_access_key = {{ env = \"SECRET\" }}\n\
         [state]\ndir = \"state\"\n"
    );
    Config::parse(&change(text), "c.toml").map_err(|error| format!("{error}\n{}", error.help()))
}

/// Claims PER-09, PER-21, PER-48, PER-Q17, PER-Q18, DAT-08, DAT-09, DAT-Q06, DAT-Q07, ADA-06.
#[test]
fn settings_that_the_pages_rule_out_are_refused_with_a_next_step() {
    for (id, _) in PAGES {
        config(id, |text| text).unwrap();
        let refused = |what: &str, from: &str, to: &str, words: &str| {
            let error = config(id, |text| {
                assert!(text.contains(from), "{from}");
                text.replace(from, to)
            });
            let error = error.expect_err(what);
            assert!(error.contains(words), "{id}, {what}: {error}");
            assert!(error.starts_with("c.toml:"), "{error}");
        };
        refused("a layout of one's own", "[state]", "[layout]\nkey = \"x\"\n[state]", "layout");
        refused("a continent", "eu-central-1", "EU", "EU");
        refused("no region", "region = \"eu-central-1\"\n", "", "region");
        refused("a slash in front", "prefix = \"\"", "prefix = \"/permutive/\"", "allow_leading_slash");
        refused("a URL", "prefix = \"\"", "prefix = \"s3://bucket/permutive/\"", "without `s3://`");
        refused("a secret", "{ env = \"SECRET\" }", "\"hunter2hunter2\"", "env");
        refused("no secret", "secret_access_key = { env = \"SECRET\" }\n", "", "secret_access_key");
        refused("no key", "access_key_id = \"AKIDEXAMPLE\"\n", "", "access_key_id");
        refused("no bucket", "name = \"customer-exports\"\n", "", "name");
        refused(
            "a key without KMS",
            "enabled",
            "encryption = \"sse-s3\"\nkms_key_id = \"k\"\nenabled",
            "is not `aws:kms`",
        );
        refused(
            "a class that must be restored",
            "enabled",
            "storage_class = \"GLACIER\"\nenabled",
            "allow_archive_class",
        );
        refused("a class that there is not", "enabled", "storage_class = \"COLD\"\nenabled", "STANDARD_IA");
    }
    let slash =
        |text: String| text.replace("prefix = \"\"", "prefix = \"/permutive/\"\nallow_leading_slash = true");
    assert!(config("permutive_stream", slash).is_ok());
}

/// Claims PER-23, SPL-56, SPL-57: formats with the compressions that they can have, and no others.
#[test]
fn formats_and_compressions_are_those_of_the_pages() {
    let offered = |id: &str| -> BTreeSet<String> {
        let encodings = profile(id).encodings().to_vec();
        let shown = |encoding: &bucketproof_connector::profile::Encoding| {
            format!("{:?} {:?} {}", encoding.format, encoding.compression, encoding.extension).to_lowercase()
        };
        encodings.iter().map(shown).collect()
    };
    let of = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(offered("permutive_batch"), of(&["ndjson gzip json.gz", "parquet snappy snappy.parquet"]));
    assert_eq!(
        offered("split_impressions_export"),
        of(&[
            "parquet snappy snappy.parquet",
            "parquet gzip gz.parquet",
            "parquet zstd zstd.parquet",
            "parquet none parquet",
            "ndjson gzip json.gz",
            "ndjson none json",
            "csv gzip csv.gz",
            "csv none csv",
        ])
    );
}

/// Which column sent a row of Adapty's events to the dead letters; `None` if none did.
async fn judged(column: &str, value: &str) -> Option<String> {
    let text = VendorProfile::embedded().find(|(id, _)| *id == "adapty_s3").unwrap().1;
    let bench = Bench::new(text);
    let mut row = serde_json::json!({
        "profile_id": "p", "event_type": "trial_started", "event_datetime": "2026-03-07T10:00:00Z",
    });
    row[column] = serde_json::from_str(value).unwrap();
    bench.replace("events", &format!("{row}\n"));
    let report = bench.connection().sync().await.unwrap();
    if report.datasets[0].rows_dead_lettered == 0 {
        return None;
    }
    let letters = std::fs::read_to_string(report.datasets[0].dead_letter_file.as_ref().unwrap()).unwrap();
    let letter: serde_json::Value = serde_json::from_str(letters.lines().next().unwrap()).unwrap();
    Some(letter.to_string())
}

/// Claims ADA-17, ADA-18, ADA-19, ADA-20, ADA-21, ADA-22, ADA-23, ADA-24, ADA-25, ADA-26, ADA-27, ADA-28, ADA-Q10.
#[tokio::test]
async fn adaptys_columns_take_what_the_page_says_and_nothing_else() {
    let reasons = [
        "voluntarily_cancelled",
        "billing_error",
        "refund",
        "price_increase",
        "product_was_not_available",
        "unknown",
        "upgraded",
        "new_subscription_replace",
        "cancelled_by_developer",
    ];
    let mut good: Vec<(&str, String)> = vec![
        ("event_datetime", "\"2026-03-07T10:00:00.5+01:00\"".to_owned()),
        ("install_date", "\"2025-12-31T23:59:59Z\"".to_owned()),
        ("subscription_expires_at", "null".to_owned()),
        ("environment", "\"Sandbox\"".to_owned()),
        ("environment", "\"Production\"".to_owned()),
        ("revenue_usd", "null".to_owned()),
        ("tax_amount_local", "\"0.10\"".to_owned()),
        ("proceeds_usd", "9.99".to_owned()),
        ("customer_user_id", "null".to_owned()),
        ("store", "\"play_store\"".to_owned()),
        ("store", "\"stripe\"".to_owned()),
        ("product_id", "\"price_1N\"".to_owned()),
        ("ip_address", "\"192.0.2.1\"".to_owned()),
        ("ip_address", "\"2001:db8::1\"".to_owned()),
        ("android_id", "\"ffffffffffffffff\"".to_owned()),
        ("currency", "\"EUR\"".to_owned()),
    ];
    good.extend(reasons.iter().map(|reason| ("cancellation_reason", format!("\"{reason}\""))));
    good.extend(
        ["organic", "non_organic", "unknown"].map(|status| ("attribution_status", format!("\"{status}\""))),
    );
    for (column, value) in good {
        assert_eq!(judged(column, &value).await, None, "{column} {value}");
    }
    let bad = [
        ("event_type", "\"Trial_Started\""),
        ("event_datetime", "\"7 March 2026\""),
        ("install_date", "1772841600"),
        ("subscription_expires_at", "\"never\""),
        ("environment", "\"Staging\""),
        ("revenue_usd", "\"1e3\""),
        ("tax_amount_local", "\"much\""),
        ("customer_user_id", "7"),
        ("ip_address", "\"192.0.2.256\""),
        ("cancellation_reason", "\"bored\""),
        ("android_id", "\"xyz\""),
        ("android_id", "12"),
        ("currency", "\"eur\""),
        ("currency", "\"EURO\""),
        ("attribution_status", "\"maybe\""),
    ];
    for (column, value) in bad {
        let letter = judged(column, value).await;
        assert!(
            letter.as_ref().is_some_and(|letter| letter.contains(column)),
            "{column} {value}: {letter:?}"
        );
    }
}

/// Claims ADA-04, ADA-07, ADA-15, ADA-Q05, ADA-Q07, ADA-Q08, ADA-Q11.
#[tokio::test]
async fn adaptys_file_is_csv_by_the_rfc_below_both_folders() {
    let text = VendorProfile::embedded().find(|(id, _)| *id == "adapty_s3").unwrap().1;
    let bench = Bench::new(text);
    bench.replace(
        "events",
        concat!(
            r#"{"profile_id":"p,\"1\"","event_type":"trial_started","event_datetime":"2026-03-07T10:00:00.250Z","revenue_usd":"10.00","#,
            r#""customer_user_id":"","device":"é\nlines","product_id":null}"#, "\n",
        ),
    );
    bench.connection().sync().await.unwrap();
    let objects = bench.objects();
    let body = std::str::from_utf8(&objects["events/2026-03-07.csv"]).unwrap();
    let (header, rows) = body.split_once('\n').unwrap();
    let names: Vec<&str> =
        dataset(&bench.profile, "events").columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(header, names.join(","));
    assert!(
        rows.starts_with(
            "\"p,\"\"1\"\"\",trial_started,2026-03-07T10:00:00.250000Z,,,,,10.00,,,,,,,,\"\",,,"
        ),
        "{rows}"
    );
    assert!(rows.contains("\"é\nlines\"") && rows.ends_with('\n') && !rows.contains('\r'), "{rows}");

    let nested = config("adapty_s3", |text| {
        text.replace("\"customer-exports\"", "\"adapty-events/com.sample-app\"")
            .replace("prefix = \"\"", "prefix = \"daily\"")
    });
    let nested = nested.unwrap();
    assert_eq!(nested.bucket.name.as_str(), "adapty-events");
    assert_eq!(profile("adapty_s3").prefix_of(&nested.bucket.prefix).as_str(), "com.sample-app/daily/");
}

/// Claims DAT-06, DAT-21, DAT-Q09: all events are forwarded, times are of UTC, and all 13 members stand in each line.
#[tokio::test]
async fn dataflys_lines_are_whole_envelopes_of_all_events() {
    use std::io::Read as _;
    let text = VendorProfile::embedded().find(|(id, _)| *id == "datafly_s3").unwrap().1;
    let bench = Bench::new(text);
    let kinds = ["track", "page", "identify", "group", "screen", "alias", "of their own"];
    let line = |kind: &&str| {
        format!(
            "{{\"received_at\":\"2026-05-12T12:00:00+02:00\",\"timestamp\":\"2026-05-12T10:00:00Z\",\"type\":\"{kind}\",\
             \"event_id\":\"{kind}\"}}\n"
        )
    };
    bench.replace("events", &kinds.iter().map(line).collect::<String>());
    bench.connection().sync().await.unwrap();
    let objects = bench.objects();
    let mut lines = String::new();
    let body = objects.values().next().unwrap();
    flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut lines).unwrap();
    assert_eq!(lines.lines().count(), kinds.len());
    for (line, kind) in lines.lines().zip(kinds) {
        assert_eq!(
            line,
            format!(
                "{{\"event_id\":\"{kind}\",\"type\":\"{kind}\",\"event\":null,\"anonymous_id\":null,\"user_id\":null,\
                 \"timestamp\":\"2026-05-12T10:00:00Z\",\"received_at\":\"2026-05-12T10:00:00Z\",\"sent_at\":null,\
                 \"context\":null,\"properties\":null,\"traits\":null,\"source_id\":null,\"integration_id\":null}}"
            )
        );
    }
}
