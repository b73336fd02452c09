use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_select::interleave::interleave_record_batch;
use proptest::prelude::*;

use super::{ChangeSet, Merge, merge};
use crate::parquet_file::encode;
use crate::profile::{Dataset, VendorProfile};
use crate::rows::{LinesOrigin, decode_ndjson};

/// One version of one row: key, version and content are small numbers, so that they collide.
type Version = (u8, u8, u8);

fn profile() -> VendorProfile {
    VendorProfile::named("suprsend_s3_v2").unwrap()
}

fn messages() -> Dataset {
    profile().datasets().iter().find(|dataset| dataset.name().as_str() == "messages").unwrap().clone()
}

/// Even keys have a message id, odd ones the longer natural key with nulls in it.
fn line((key, version, content): Version) -> String {
    let identity = if key % 2 == 0 {
        format!("\"message_id\":\"m-{key}\"")
    } else {
        format!("\"wf_execution_id\":\"w-{}\",\"node_id\":null,\"vendor_fallback_level\":{key}", key % 3)
    };
    format!(
        "{{{identity},\"created_at\":\"2025-01-15T14:{:02}:00Z\",\"updated_at\":\"2025-01-15T15:00:{version:02}Z\",\
         \"status\":\"s-{content}\",\"webhook_data\":{{\"c\":{content}}}}}\n",
        (key * 7) % 60
    )
}

fn batch(dataset: &Dataset, versions: &[Version]) -> RecordBatch {
    let lines: String = versions.iter().copied().map(line).collect();
    let origin = LinesOrigin { source: "", lines_before: 0, bytes_before: 0 };
    let decoded = decode_ndjson(dataset, lines.as_bytes(), origin).unwrap();
    assert_eq!(decoded.dead_letters, []);
    decoded.batch
}

fn changes(dataset: &Dataset, versions: &[Version]) -> ChangeSet {
    ChangeSet { rows: batch(dataset, versions), sequences: (0..versions.len() as u64).collect() }
}

/// The object after `changes`, and how many rows were written.
fn apply(dataset: &Dataset, base: &[RecordBatch], changes: &ChangeSet) -> (Vec<RecordBatch>, u64) {
    match merge(dataset, base, changes, 4).unwrap() {
        Merge::Changed(merged) => {
            assert_eq!(merged.written + merged.deduplicated, changes.rows.num_rows() as u64);
            assert_eq!(
                merged.object_rows,
                merged.batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>()
            );
            (merged.batches, merged.written)
        }
        Merge::Unchanged { deduplicated } => {
            assert_eq!(deduplicated, changes.rows.num_rows() as u64);
            (base.to_vec(), 0)
        }
    }
}

fn bytes(dataset: &Dataset, batches: &[RecordBatch]) -> bytes::Bytes {
    encode(dataset, profile().encoding(), batches).unwrap()
}

/// The reference: a fold over versions in order.
fn fold(versions: &[Version]) -> BTreeMap<u8, (u8, u8)> {
    let mut state: BTreeMap<u8, (u8, u8)> = BTreeMap::new();
    for (key, version, content) in versions {
        let known = state.entry(*key).or_insert((*version, *content));
        if *version >= known.0 {
            *known = (*version, *content);
        }
    }
    state
}

fn versions(max: usize) -> impl Strategy<Value = Vec<Version>> {
    prop::collection::vec((0_u8..8, 0_u8..4, 0_u8..3), 1..max)
}

proptest! {
    #[test]
    fn the_latest_version_of_each_key_wins(all in versions(40)) {
        let dataset = messages();
        let (merged, _) = apply(&dataset, &[], &changes(&dataset, &all));
        let winners: Vec<Version> = fold(&all).into_iter().map(|(key, (version, content))| (key, version, content)).collect();
        let (expected, _) = apply(&dataset, &[], &changes(&dataset, &winners));
        prop_assert_eq!(bytes(&dataset, &merged), bytes(&dataset, &expected));
    }

    #[test]
    fn the_order_in_which_rows_are_given_does_not_matter(all in versions(30), seed in any::<u64>()) {
        let dataset = messages();
        let given = changes(&dataset, &all);
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let picks: Vec<(usize, usize)> = order.iter().map(|at| (0, *at)).collect();
        let shuffled = ChangeSet {
            rows: interleave_record_batch(&[&given.rows], &picks).unwrap(),
            sequences: order.iter().map(|at| given.sequences[*at]).collect(),
        };
        let (left, left_written) = apply(&dataset, &[], &given);
        let (right, right_written) = apply(&dataset, &[], &shuffled);
        prop_assert_eq!(bytes(&dataset, &left), bytes(&dataset, &right));
        prop_assert_eq!(left_written, right_written);
    }

    #[test]
    fn the_same_rows_again_change_nothing(all in versions(30)) {
        let dataset = messages();
        let given = changes(&dataset, &all);
        let (once, _) = apply(&dataset, &[], &given);
        let unchanged = matches!(merge(&dataset, &once, &given, 4).unwrap(), Merge::Unchanged { .. });
        prop_assert!(unchanged);
    }

    #[test]
    fn cutting_the_input_anywhere_gives_the_same_object(all in versions(40), cut in 0_usize..40) {
        let dataset = messages();
        let cut = cut.min(all.len());
        let (whole, _) = apply(&dataset, &[], &changes(&dataset, &all));
        let mut parts: Vec<RecordBatch> = Vec::new();
        for part in [&all[..cut], &all[cut..]] {
            if !part.is_empty() {
                parts = apply(&dataset, &parts, &changes(&dataset, part)).0;
            }
        }
        prop_assert_eq!(bytes(&dataset, &whole), bytes(&dataset, &parts));
    }

    #[test]
    fn replaying_any_suffix_gives_the_same_object(all in versions(30), cut in 0_usize..30) {
        let dataset = messages();
        let cut = cut.min(all.len() - 1);
        let (once, _) = apply(&dataset, &[], &changes(&dataset, &all));
        let (again, _) = apply(&dataset, &once, &changes(&dataset, &all[cut..]));
        prop_assert_eq!(bytes(&dataset, &once), bytes(&dataset, &again));
    }
}

#[test]
fn rows_of_the_object_that_nobody_changed_stay() {
    let dataset = messages();
    let (base, _) = apply(&dataset, &[], &changes(&dataset, &[(0, 1, 0), (1, 1, 0), (2, 1, 0)]));
    let (next, written) = apply(&dataset, &base, &changes(&dataset, &[(1, 2, 1), (2, 0, 2), (4, 0, 0)]));
    assert_eq!(written, 2);
    let (expected, _) =
        apply(&dataset, &[], &changes(&dataset, &[(0, 1, 0), (1, 2, 1), (2, 1, 0), (4, 0, 0)]));
    assert_eq!(bytes(&dataset, &next), bytes(&dataset, &expected));
}

#[test]
fn equal_versions_with_other_content_go_to_the_later_row() {
    let dataset = messages();
    let (base, _) = apply(&dataset, &[], &changes(&dataset, &[(0, 1, 0)]));
    let (next, written) = apply(&dataset, &base, &changes(&dataset, &[(0, 1, 1), (0, 1, 2)]));
    assert_eq!(written, 1);
    assert_eq!(
        bytes(&dataset, &next),
        bytes(&dataset, &apply(&dataset, &[], &changes(&dataset, &[(0, 1, 2)])).0)
    );
}

#[test]
fn keys_that_share_bytes_across_columns_stay_apart() {
    let dataset = messages();
    let lines = [
        r#"{"wf_execution_id":"a","node_id":"b","created_at":"2025-01-15T14:00:00Z","updated_at":"2025-01-15T14:00:00Z"}"#,
        r#"{"wf_execution_id":"ab","node_id":"","created_at":"2025-01-15T14:00:00Z","updated_at":"2025-01-15T14:00:00Z"}"#,
        r#"{"wf_execution_id":"a","node_id":null,"recipient_distinct_id":"b","created_at":"2025-01-15T14:00:00Z","updated_at":"2025-01-15T14:00:00Z"}"#,
        r#"{"wf_execution_id":"a\u0000","node_id":"b","created_at":"2025-01-15T14:00:00Z","updated_at":"2025-01-15T14:00:00Z"}"#,
        r#"{"broadcast_execution_id":"a","node_id":"b","created_at":"2025-01-15T14:00:00Z","updated_at":"2025-01-15T14:00:00Z"}"#,
        r#"{"message_id":"a","created_at":"2025-01-15T14:00:00Z","updated_at":"2025-01-15T14:00:00Z"}"#,
    ]
    .join("\n");
    let origin = LinesOrigin { source: "", lines_before: 0, bytes_before: 0 };
    let rows = decode_ndjson(&dataset, lines.as_bytes(), origin).unwrap().batch;
    let (merged, written) = apply(&dataset, &[], &ChangeSet { rows, sequences: (0..6).collect() });
    assert_eq!((written, merged.iter().map(RecordBatch::num_rows).sum::<usize>()), (6, 6));
}
