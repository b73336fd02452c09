use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::schema::printer::print_schema;

use super::{DecodeError, decode, encode, encode_deferred_to, encode_to};
use crate::profile::{Compression, Dataset, Encoding, VendorProfile};
use crate::rows::{LinesOrigin, decode_ndjson};

fn profile() -> VendorProfile {
    VendorProfile::named("suprsend_s3_v2").unwrap()
}

fn dataset(name: &str) -> Dataset {
    profile().datasets().iter().find(|dataset| dataset.name().as_str() == name).unwrap().clone()
}

fn messages(rows: usize) -> RecordBatch {
    let line = |row: usize| {
        format!(
            "{{\"message_id\":\"m-{row}\",\"created_at\":\"2025-01-15T14:00:00Z\",\
             \"updated_at\":\"2025-01-15T14:00:{:02}Z\",\"webhook_data\":{{\"row\": {row}}}}}\n",
            row % 60
        )
    };
    let lines: Vec<String> = (0..rows).map(line).collect();
    let lines = lines.concat();
    let origin = LinesOrigin { source: "", lines_before: 0, bytes_before: 0 };
    decode_ndjson(&dataset("messages"), lines.as_bytes(), origin).unwrap().batch
}

fn schema_text(name: &str) -> String {
    let dataset = dataset(name);
    let empty = RecordBatch::new_empty(dataset.schema());
    let file = SerializedFileReader::new(encode(&dataset, profile().encoding(), &[empty]).unwrap()).unwrap();
    let mut text = Vec::new();
    print_schema(&mut text, file.metadata().file_metadata().schema());
    String::from_utf8(text).unwrap()
}

#[test]
fn golden_schema_of_requests() {
    insta::assert_snapshot!(schema_text("requests"));
}

#[test]
fn golden_schema_of_workflow_executions() {
    insta::assert_snapshot!(schema_text("workflow_executions"));
}

#[test]
fn golden_schema_of_messages() {
    insta::assert_snapshot!(schema_text("messages"));
}

#[test]
fn the_same_rows_give_the_same_bytes_and_come_back_as_they_were() {
    let dataset = dataset("messages");
    let rows = messages(100);
    let first = encode(&dataset, profile().encoding(), std::slice::from_ref(&rows)).unwrap();
    // Cutting the rows into batches must not show in the file.
    let second = encode(&dataset, profile().encoding(), &[rows.slice(0, 33), rows.slice(33, 67)]).unwrap();
    assert_eq!(first, second);
    assert_eq!(decode(&dataset, first).unwrap(), [rows]);
}

#[test]
fn versions_have_statistics_in_each_row_group_and_pages_an_index() {
    let dataset = dataset("messages");
    let mut encoding = profile().encoding().clone();
    encoding.row_group_rows = 10;
    let body = encode(&dataset, &encoding, &[messages(25)]).unwrap();
    let file = SerializedFileReader::new(body).unwrap();
    assert_eq!(file.metadata().num_row_groups(), 3);
    for group in file.metadata().row_groups() {
        for column in group.columns() {
            let has_bounds = column.statistics().is_some_and(|bounds| bounds.min_bytes_opt().is_some());
            match column.column_path().string().as_str() {
                "created_at" | "updated_at" => {
                    assert!(has_bounds);
                    assert!(column.column_index_offset().is_some(), "no page index");
                }
                "webhook_data" => assert!(!has_bounds, "JSON text needs no bounds"),
                _ => {}
            }
        }
        assert_eq!(group.sorting_columns().unwrap().len(), 1);
    }
}

fn foreign(fields: Vec<(&str, ArrayRef)>) -> Bytes {
    let schema = Schema::new(
        fields
            .iter()
            .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
            .collect::<Vec<_>>(),
    );
    let columns = fields.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    Bytes::from(writer.into_inner().unwrap())
}

#[test]
fn objects_of_other_makers_are_refused_by_name() {
    let dataset = dataset("messages");
    let strange = foreign(vec![("mood", Arc::new(StringArray::from(vec!["good"])))]);
    assert!(
        matches!(decode(&dataset, strange), Err(DecodeError::ForeignColumn { column, .. }) if column == "mood")
    );
    let retyped = foreign(vec![("status", Arc::new(Int64Array::from(vec![1])))]);
    assert!(
        matches!(decode(&dataset, retyped), Err(DecodeError::ForeignType { column, .. }) if column == "status")
    );
    let lacking = foreign(vec![("status", Arc::new(StringArray::from(vec!["a"])))]);
    assert!(matches!(decode(&dataset, lacking), Err(DecodeError::Rows(_))), "required columns are absent");
    assert!(matches!(decode(&dataset, Bytes::from_static(b"PAR1 no")), Err(DecodeError::Parquet(_))));
}

#[test]
fn an_older_object_without_a_later_column_is_read_with_nulls() {
    let dataset = dataset("messages");
    let rows = messages(3);
    let without = rows.project(&(0..35).collect::<Vec<_>>()).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), without.schema(), None).unwrap();
    writer.write(&without).unwrap();
    let read = decode(&dataset, Bytes::from(writer.into_inner().unwrap())).unwrap();
    assert_eq!(read[0].schema(), dataset.schema());
    assert_eq!(read[0].column(35).null_count(), 3);
    assert_eq!(read[0].column(2).as_string::<i32>().value(2), "m-2");
    assert_eq!(*read[0].column(35).data_type(), DataType::Utf8);
}

/// Any number of threads and any cut into batches give the same bytes, and the rows come back.
#[test]
fn neither_threads_nor_batches_show_in_a_file_of_many_row_groups() {
    let dataset = dataset("messages");
    let rows = messages(2_000);
    for compression in [Compression::Snappy, Compression::Zstd, Compression::Gzip, Compression::None] {
        let encoding = Encoding { row_group_rows: 300, compression, ..profile().encoding().clone() };
        let encoded = |threads: usize, cut: usize| {
            let batches = (0..2_000).step_by(cut).map(|from| Ok(rows.slice(from, cut.min(2_000 - from))));
            encode_to(Vec::new(), &dataset, &encoding, threads, batches).unwrap()
        };
        let first = encoded(1, 2_000);
        let deferred = |threads: usize, cut: usize| {
            let rows = &rows;
            let batches = (0..2_000).step_by(cut).map(|from| {
                // The first ones take the longest, so that later ones are made before them.
                let detours = (2_000 - from) / cut;
                move || {
                    let again = |rows: RecordBatch, _| concat_batches(&rows.schema(), [&rows]).unwrap();
                    Ok((0..detours).fold(rows.slice(from, cut.min(2_000 - from)), again))
                }
            });
            encode_deferred_to(Vec::new(), &dataset, &encoding, threads, batches).unwrap()
        };
        for (threads, cut) in [(1, 7), (2, 300), (2, 1_999), (3, 301), (4, 2_000)] {
            assert_eq!(first, encoded(threads, cut), "{threads} threads, batches of {cut}");
            assert_eq!(first, deferred(threads, cut), "{threads} threads make batches of {cut}");
        }
        let read = decode(&dataset, Bytes::from(first)).unwrap();
        assert_eq!(concat_batches(&dataset.schema(), &read).unwrap(), rows);
    }
}

/// A batch that cannot be read ends the file on any number of threads.
#[test]
fn an_error_among_the_batches_is_the_outcome() {
    let dataset = dataset("messages");
    let encoding = Encoding { row_group_rows: 100, ..profile().encoding().clone() };
    for threads in [1, 2, 4] {
        let batches = (0..30).map(|at| match at {
            29 => Err(ArrowError::ComputeError("torn".to_owned())),
            _ => Ok(messages(110)),
        });
        let error = encode_to(Vec::new(), &dataset, &encoding, threads, batches).unwrap_err();
        assert!(error.to_string().contains("torn"), "{error}");
        let batches = (0..30).map(|at| {
            move || match at {
                29 => Err(ArrowError::ComputeError("torn".to_owned())),
                _ => Ok(messages(110)),
            }
        });
        let error = encode_deferred_to(Vec::new(), &dataset, &encoding, threads, batches).unwrap_err();
        assert!(error.to_string().contains("torn"), "{error}");
    }
}
