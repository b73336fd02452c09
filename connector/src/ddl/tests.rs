use std::fmt::Write as _;

use super::{Dialect, table};
use crate::profile::VendorProfile;

/// Claims DAT-04, PER-Q01: integer projection with two digits where folders are padded, without digits where they are not.
#[test]
fn tables_of_the_vendors() {
    let mut shown = String::new();
    for (id, dataset, dialect) in [
        ("suprsend_s3_v2", "workflow_executions", Dialect::Athena),
        ("datafly_s3", "events", Dialect::Athena),
        ("permutive_stream", "sync_aliases", Dialect::Athena),
        ("permutive_stream", "segment", Dialect::Trino),
        ("permutive_batch", "pageview_events", Dialect::Athena),
        ("permutive_batch", "pageview_events", Dialect::Trino),
        ("adapty_s3", "paywall_visits", Dialect::Athena),
        ("adapty_s3", "paywall_visits", Dialect::Trino),
        ("split_impressions_export", "impressions", Dialect::Trino),
    ] {
        let profile = VendorProfile::named(id).unwrap();
        let dataset = profile.datasets().iter().find(|known| known.name().as_str() == dataset).unwrap();
        let text = table(&profile, dataset, profile.encoding(), (dialect, "s3://my-bucket/exports/"));
        writeln!(shown, "-- {id} {dialect:?}\n{text}").unwrap();
    }
    insta::assert_snapshot!(shown);
}

/// Every dataset in every format has a table in both dialects, with each of its columns once.
#[test]
fn every_dataset_has_its_tables() {
    for (id, _) in VendorProfile::embedded() {
        let profile = VendorProfile::named(id).unwrap();
        for dataset in profile.datasets() {
            for encoding in profile.encodings() {
                for (dialect, quote) in [(Dialect::Athena, '`'), (Dialect::Trino, '"')] {
                    let text = table(&profile, dataset, encoding, (dialect, "s3://b/"));
                    for column in dataset.columns() {
                        let name = format!("\n  {quote}{}{quote} ", column.name);
                        assert_eq!(text.matches(&name).count(), 1, "{id} {} {name}:\n{text}", dataset.name());
                    }
                    assert!(!text.contains("{t:") && !text.contains("{dataset}"), "{text}");
                }
            }
        }
    }
}
