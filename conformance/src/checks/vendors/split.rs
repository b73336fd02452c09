//! What Split's page on Amazon S3 says of outbound impressions.

use super::particulars::{
    Columns, Diagnosed, Examples, Form, FormKind, Header, Ids, Keys, Kms, Refused, Taken, Vendor, Wrong,
};
use crate::stage::Element;

const FORMS: Ids = &["SPL-56", "SPL-57", "SPL-Q18"];

pub(super) const IMPRESSIONS: Vendor = Vendor {
    name: "vendor.split",
    profile: "split_impressions_export",
    policy: r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::customer-exports"]},
        {"Effect": "Allow",
         "Action": ["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject"],
         "Resource": ["arn:aws:s3:::customer-exports/exports/*"]}]}"#,
    policy_ids: &["SPL-59"],
    sufficient_ids: &["SPL-59", "SPL-63"],
    writes_by: "s3:PutObject",
    elements: &[
        Taken {
            id: "list-bucket",
            name: "action s3:ListBucket",
            element: Element::Action("s3:ListBucket"),
            stops: true,
            named: &["s3:ListBucket"],
            ids: &["SPL-59"],
        },
        Taken {
            id: "get-object",
            name: "action s3:GetObject",
            element: Element::Action("s3:GetObject"),
            stops: false,
            named: &["s3:GetObject"],
            ids: &["SPL-59"],
        },
        Taken {
            id: "put-object",
            name: "action s3:PutObject",
            element: Element::Action("s3:PutObject"),
            stops: true,
            named: &["s3:PutObject"],
            ids: &["SPL-59"],
        },
        Taken {
            id: "put-object-acl",
            name: "action s3:PutObjectAcl",
            element: Element::Action("s3:PutObjectAcl"),
            stops: true,
            named: &["s3:PutObjectAcl"],
            ids: &["SPL-59", "SPL-Q21"],
        },
        Taken {
            id: "delete-object",
            name: "action s3:DeleteObject",
            element: Element::Action("s3:DeleteObject"),
            stops: false,
            named: &["s3:DeleteObject"],
            ids: &["SPL-59"],
        },
        Taken {
            id: "objects",
            name: "resource BUCKET/PREFIX/*",
            element: Element::Resource("/exports/*"),
            stops: true,
            named: &["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject"],
            ids: &["SPL-59"],
        },
        Taken::bucket(true, &["s3:ListBucket"], &["SPL-59"]),
    ],
    keys: &[
        Keys {
            id: "layout.key",
            title: "impressions lie under `schema-v1` and the hour, by a UUID that follows from what they are",
            ids: &["SPL-Q18"],
            prefix: "exports/",
            head: "",
            patterns: &[
                "exports/schema-v1/2026/03/08/04/~~~~~~~~-~~~~-5~~~-~~~~-~~~~~~~~~~~~.snappy.parquet",
            ],
            broken_by: ("schema-v1/", "schema-v2/"),
        },
        Keys {
            id: "layout.no-prefix",
            title: "with a blank prefix they lie in the bucket itself, and the policy is for all of its objects",
            ids: &["SPL-56", "SPL-60"],
            prefix: "",
            head: "",
            patterns: &["schema-v1/2026/03/08/04/~~~~~~~~-~~~~-5~~~-~~~~-~~~~~~~~~~~~.snappy.parquet"],
            broken_by: ("schema-v1/{t:%Y}/", "schema-v1/{t:%Y}-"),
        },
    ],
    columns: &[Columns {
        dataset: "impressions",
        ids: &["SPL-64"],
        list: "key:string label:string treatment:string splitName:string splitVersion:number \
                  environmentId:string trafficTypeId:string sdk:string sdkVersion:string timestamp:number \
                  receptionTimestamp:number",
        key_part: "/schema-v1/",
        broken_by: ("name = \"splitName\"", "name = \"split\""),
    }],
    forms: &[
        Form {
            id: "parquet-snappy",
            ids: FORMS,
            head: "format = \"parquet\"\ncompression = \"snappy\"",
            suffix: ".snappy.parquet",
            kind: FormKind::Parquet("SNAPPY"),
            broken_by: ("extension = \"snappy.parquet\"", "extension = \"parquet.snappy\""),
        },
        Form {
            id: "parquet-gzip",
            ids: FORMS,
            head: "format = \"parquet\"\ncompression = \"gzip\"",
            suffix: ".gz.parquet",
            kind: FormKind::Parquet("GZIP"),
            broken_by: ("extension = \"gz.parquet\"", "extension = \"parquet.gz\""),
        },
        Form {
            id: "parquet-zstd",
            ids: FORMS,
            head: "format = \"parquet\"\ncompression = \"zstd\"",
            suffix: ".zstd.parquet",
            kind: FormKind::Parquet("ZSTD"),
            broken_by: ("extension = \"zstd.parquet\"", "extension = \"parquet.zstd\""),
        },
        Form {
            id: "parquet-none",
            ids: FORMS,
            head: "format = \"parquet\"\ncompression = \"none\"",
            suffix: ".parquet",
            kind: FormKind::Parquet("UNCOMPRESSED"),
            broken_by: ("extension = \"parquet\"", "extension = \"pq\""),
        },
        Form {
            id: "json-gzip",
            ids: FORMS,
            head: "format = \"ndjson\"\ncompression = \"gzip\"",
            suffix: ".json.gz",
            kind: FormKind::JsonLines { packed: true },
            broken_by: ("extension = \"json.gz\"", "extension = \"jsonl.gz\""),
        },
        Form {
            id: "json-none",
            ids: FORMS,
            head: "format = \"ndjson\"\ncompression = \"none\"",
            suffix: ".json",
            kind: FormKind::JsonLines { packed: false },
            broken_by: ("extension = \"json\"", "extension = \"jsonl\""),
        },
        Form {
            id: "csv-gzip",
            ids: FORMS,
            head: "format = \"csv\"\ncompression = \"gzip\"",
            suffix: ".csv.gz",
            kind: FormKind::Csv { packed: true },
            broken_by: ("extension = \"csv.gz\"", "extension = \"gz.csv\""),
        },
        Form {
            id: "csv-none",
            ids: FORMS,
            head: "format = \"csv\"\ncompression = \"none\"",
            suffix: ".csv",
            kind: FormKind::Csv { packed: false },
            broken_by: ("extension = \"csv\"", "extension = \"txt\""),
        },
    ],
    examples: Examples {
        ids: &["SPL-64"],
        now: "2026-03-08T04:30:00Z",
        head: "format = \"csv\"\ncompression = \"none\"",
        csv: true,
        broken_by: ("impressions", "\"default rule\"", "\"another rule\""),
        refused: None,
    },
    headers: &[
        Header::full_control(&["SPL-Q21"]),
        Header::sse_s3(
            "a bucket that insists on SSE-S3 takes the export without any policy of a key",
            &["SPL-63", "ENG-08"],
        ),
    ],
    diagnoses: &[
        Diagnosed { kind: Wrong::Bucket, id: "SPL-54", ids: &["SPL-54"] },
        Diagnosed { kind: Wrong::Region, id: "SPL-54", ids: &["SPL-54"] },
    ],
    refusals: &[Refused {
        id: "format-and-compression",
        title: "a compression that does not go with the format is refused",
        ids: &["SPL-57"],
        edit: ("enabled = true", "enabled = true\nformat = \"csv\"\ncompression = \"snappy\""),
        says: "does not write the `format` and `compression`",
    }],
    kms: Some(Kms { ids: &["SPL-62"], id: "SPL-62", key_policy: true }),
    inert_ids: &[],
    retry_ids: &["ENG-01"],
    required: ("impressions", "\"treatment\""),
};
