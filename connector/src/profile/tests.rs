use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{ColumnType, DatasetPartition, KeyPrefix, Layout, ObjectNames, PartitionUnit, VendorProfile};
use crate::datetime::parse_micros;
use crate::names::{DatasetName, ObjectKey};

fn suprsend() -> VendorProfile {
    VendorProfile::named("suprsend_s3_v2").unwrap()
}

fn text() -> &'static str {
    VendorProfile::embedded().next().unwrap().1
}

fn name(text: &str) -> DatasetName {
    DatasetName::new(text).unwrap()
}

#[test]
fn the_documented_examples_hold() {
    for (id, _) in VendorProfile::embedded() {
        let profile = VendorProfile::named(id).unwrap();
        assert!(!profile.examples().is_empty(), "{id} has no example");
        assert_eq!(profile.failing_examples(), [], "{id}");
    }
}

#[test]
fn an_example_that_the_layout_contradicts_is_found() {
    let broken = text().replace("month={t:%m}", "m={t:%m}");
    let profile = VendorProfile::parse(&broken, "broken.toml").unwrap();
    assert_eq!(profile.failing_examples().len(), profile.examples().len());
}

#[test]
fn the_three_datasets_have_the_documented_number_of_columns() {
    let profile = suprsend();
    let counts: Vec<(&str, usize)> =
        profile.datasets().iter().map(|dataset| (dataset.name().as_str(), dataset.columns().len())).collect();
    assert_eq!(counts, [("requests", 14), ("workflow_executions", 17), ("messages", 36)]);
}

#[test]
fn natural_key_columns_that_may_be_absent_stay_nullable() {
    let profile = suprsend();
    let messages = profile.schema(&name("messages")).unwrap();
    for column in
        ["message_id", "wf_execution_id", "broadcast_execution_id", "node_id", "vendor_fallback_level"]
    {
        assert!(messages.field_with_name(column).unwrap().is_nullable(), "{column}");
    }
    for column in ["created_at", "updated_at"] {
        assert!(!messages.field_with_name(column).unwrap().is_nullable(), "{column}");
    }
}

/// Each broken profile with the message it must give.
#[test]
fn profile_errors_name_file_line_column_field_value_and_next_step() {
    let mutations = [
        ("unknown field of a column", text().replacen("nullable = false, doc", "nulable = false, doc", 1)),
        ("unknown field", text().replace("direction = \"export\"", "direction = \"export\"\nspeed = 9")),
        ("unknown type", text().replacen("type = \"array_json\"", "type = \"array_jsn\"", 1)),
        ("unknown placeholder", text().replace("{t:%H}", "{t:%k}")),
        ("ambiguous layout", text().replace("hour={t:%H}/", "")),
        (
            "unknown version column",
            text().replacen("version = \"updated_at\"", "version = \"changed_at\"", 1),
        ),
        (
            "unknown key column",
            text().replace("columns = [\"message_id\"]", "columns = [\"message_id\", \"nope\"]"),
        ),
        ("list as a key", text().replace("\"api_name\", \"created_at\"", "\"errors\", \"created_at\"")),
        ("bad cadence", text().replace("every = \"5m\"", "every = \"often\"")),
        ("other zone", text().replace("zone = \"UTC\"", "zone = \"CET\"")),
        ("unknown diagnosis", text().replace("when = \"wrong_region\"", "when = \"wrong_planet\"")),
        ("unknown mode", text().replace("mode = \"replace\"", "mode = \"apend\"")),
        ("key without meaning", text().replace("mode = \"replace\"", "mode = \"period\"")),
        ("append without batches in keys", text().replace("mode = \"replace\"", "mode = \"append\"")),
        (
            "text replaced",
            text().replace(
                "format = \"parquet\", compression = \"snappy\", row_group_rows = 16384",
                "format = \"ndjson\", compression = \"gzip\"",
            ),
        ),
        ("policy that cannot read", text().replace("\"s3:GetObject\"", "\"s3:GetObjectTagging\"")),
        ("unknown acl", text().replace("direction = \"export\"", "direction = \"export\"\nacl = \"owner\"")),
        ("twice", text().replacen("name = \"actor\"", "name = \"api_type\"", 1)),
        ("syntax", text().replace("id = \"suprsend_s3_v2\"", "id = suprsend")),
    ];
    let mut shown = String::new();
    for (case, broken) in mutations {
        assert_ne!(broken, text(), "{case} mutates nothing");
        let error = VendorProfile::parse(&broken, "vendor.toml").unwrap_err();
        writeln!(shown, "{case}\n  error: {error}\n  help: {}", error.help()).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn prefixes_that_make_bad_keys_are_refused() {
    for bad in ["/", "/a", "a//b", "a//", "a/../b", "./a", "a\u{7}"] {
        assert!(KeyPrefix::new(bad).is_err(), "{bad}");
    }
    assert_eq!(KeyPrefix::new("a/b").unwrap(), KeyPrefix::new("a/b/").unwrap());
    assert_eq!(KeyPrefix::new("").unwrap().as_str(), "");
}

/// Hours since the epoch of 2000-01-01 and 2101-01-01.
const HOURS: std::ops::Range<i64> = 262_968..1_148_328;

#[test]
fn every_hour_from_2000_to_2100_has_its_own_key_and_comes_back_from_it() {
    let layout = suprsend().datasets()[0].layout().clone();
    let prefix = KeyPrefix::new("exports/logs").unwrap();
    let mut keys = BTreeSet::new();
    for hour in HOURS {
        let partition = DatasetPartition::at(name("messages"), PartitionUnit::Hour, hour);
        let key = layout.key(&prefix, &partition, &ObjectNames::default()).unwrap();
        assert_eq!(layout.partition_of(&prefix, &key), Some(partition), "{key}");
        keys.insert(key);
    }
    assert_eq!(i64::try_from(keys.len()).unwrap(), HOURS.end - HOURS.start);
    assert_eq!(
        keys.first().unwrap().as_str(),
        "exports/logs/year=2000/month=01/day=01/hour=00/messages.parquet"
    );
    assert_eq!(
        keys.last().unwrap().as_str(),
        "exports/logs/year=2100/month=12/day=31/hour=23/messages.parquet"
    );
}

#[test]
fn leap_days_exist_where_the_calendar_has_them() {
    let layout = suprsend().datasets()[0].layout().clone();
    let key = |instant: &str| {
        let partition = DatasetPartition::of(name("requests"), instant.parse().unwrap());
        layout.key(&KeyPrefix::default(), &partition, &ObjectNames::default()).unwrap().to_string()
    };
    assert_eq!(key("2000-02-29T23:59:59Z"), "year=2000/month=02/day=29/hour=23/requests.parquet");
    assert_eq!(key("2024-02-29T00:00:00Z"), "year=2024/month=02/day=29/hour=00/requests.parquet");
    assert_eq!(key("2100-02-28T23:30:00-01:00"), "year=2100/month=03/day=01/hour=00/requests.parquet");
    for absent in ["year=2100/month=02/day=29", "year=2023/month=02/day=29", "year=2023/month=13/day=01"] {
        let key = ObjectKey::new(format!("{absent}/hour=00/requests.parquet")).unwrap();
        assert_eq!(layout.partition_of(&KeyPrefix::default(), &key), None, "{absent}");
    }
}

#[test]
fn keys_of_other_makers_are_no_partitions() {
    let layout = suprsend().datasets()[0].layout().clone();
    for other in [
        "year=2025/month=1/day=15/hour=14/messages.parquet",
        "year=2025/month=01/day=15/hour=14/messages.parquet.tmp",
        "x/year=2025/month=01/day=15/hour=14/messages.parquet",
        "year=2025/month=01/day=15/hour=14/Messages.parquet",
        "year=2025/month=01/day=15/hour=24/messages.parquet",
        "year=+025/month=01/day=15/hour=14/messages.parquet",
    ] {
        assert_eq!(
            layout.partition_of(&KeyPrefix::default(), &ObjectKey::new(other).unwrap()),
            None,
            "{other}"
        );
    }
}

#[test]
fn a_layout_may_repeat_a_placeholder_but_not_contradict_itself() {
    let layout = Layout::parse("{t:%Y}/{t:%m}/{t:%d}/{t:%H}/{dataset}-{t:%Y}.parquet").unwrap();
    let partition = DatasetPartition::of(name("a"), "2025-01-15T14:00:00Z".parse().unwrap());
    let key = layout.key(&KeyPrefix::default(), &partition, &ObjectNames::default()).unwrap();
    assert_eq!(layout.partition_of(&KeyPrefix::default(), &key), Some(partition));
    let contradicting = ObjectKey::new("2025/01/15/14/a-2024.parquet").unwrap();
    assert_eq!(layout.partition_of(&KeyPrefix::default(), &contradicting), None);
}

proptest! {
    /// One instant written with any offset is of one hour, that of UTC.
    #[test]
    fn offsets_do_not_move_rows(second in HOURS.start * 3_600..HOURS.end * 3_600, offset in -1_439_i64..=1_439) {
        let instant = Timestamp::from_second(second).unwrap();
        let shown = Timestamp::from_second(second + offset * 60).unwrap().to_string();
        let sign = if offset < 0 { '-' } else { '+' };
        let local = shown.trim_end_matches('Z');
        let written = format!("{local}{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60);
        let micros = parse_micros(&written).unwrap();
        prop_assert_eq!(PartitionUnit::Hour.slot_of_micros(micros), DatasetPartition::of(name("a"), instant).slot());
    }

    #[test]
    fn every_instant_lies_in_the_hour_of_its_partition(micros in -62_135_596_800_000_000_i64..253_402_207_200_000_000) {
        let partition = DatasetPartition::of(name("a"), Timestamp::from_microsecond(micros).unwrap());
        let start = partition.start().unwrap().as_microsecond();
        prop_assert!((start..start + 3_600_000_000).contains(&micros));
    }
}

#[test]
fn column_types_are_those_of_the_requirements() {
    let profile = suprsend();
    let requests = profile.dataset(&name("requests")).unwrap();
    let of = |wanted| {
        let mut names: Vec<&str> = Vec::new();
        names.extend(
            requests
                .columns()
                .iter()
                .filter(|column| column.kind == wanted)
                .map(|column| column.name.as_str()),
        );
        names
    };
    assert_eq!(of(ColumnType::ArrayJson), ["errors", "executions"]);
    assert_eq!(of(ColumnType::Array), ["distinct_id_list"]);
    assert_eq!(of(ColumnType::Json), ["payload", "response", "metadata"]);
    assert_eq!(of(ColumnType::Datetime), ["created_at", "updated_at"]);
}
