//! What Permutive's page on AWS S3 says of its two kinds of routing.

use super::particulars::{
    Columns, Diagnosed, Examples, Form, FormKind, Header, Keys, Kms, Refused, Taken, Vendor, Wrong,
};
use crate::stage::Element;

const DIAGNOSES: &[Diagnosed] = &[
    Diagnosed { kind: Wrong::Bucket, id: "PER-40", ids: &["PER-44"] },
    Diagnosed { kind: Wrong::Region, id: "PER-49", ids: &["PER-49"] },
    Diagnosed { kind: Wrong::Key, id: "PER-47", ids: &["PER-47"] },
    Diagnosed { kind: Wrong::Secret, id: "PER-47", ids: &["PER-47"] },
];

const HEADERS: &[Header] = &[
    Header::full_control(&["PER-46"]),
    Header::sse_s3("a bucket that insists on SSE-S3 takes the export", &["PER-55", "ENG-08"]),
];

const REFUSALS: &[Refused] = &[
    Refused::in_no_region("a region that is not a specific one is refused", &["PER-21", "PER-Q17"]),
    Refused {
        id: "leading-slash",
        title: "a prefix with a leading slash is refused",
        ids: &["PER-48", "PER-Q18"],
        edit: ("prefix = \"exports/\"", "prefix = \"/permutive/\""),
        says: "/permutive/",
    },
    Refused {
        id: "prefix-with-bucket",
        title: "a prefix that names scheme and bucket is refused",
        ids: &["PER-48"],
        edit: ("prefix = \"exports/\"", "prefix = \"s3://bucket/permutive/\""),
        says: "s3://bucket/permutive/",
    },
    Refused {
        id: "bucket-with-scheme",
        title: "a bucket's name with `s3://` is refused",
        ids: &["PER-48"],
        edit: ("name = \"customer-exports\"", "name = \"s3://customer-exports\""),
        says: "s3://customer-exports",
    },
];

pub(super) const STREAM: Vendor = Vendor {
    name: "vendor.permutive",
    profile: "permutive_stream",
    policy: r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:List*", "s3:Get*", "s3:Delete*", "s3:Put*"],
         "Resource": ["arn:aws:s3:::customer-exports/*", "arn:aws:s3:::customer-exports"]}]}"#,
    policy_ids: &["PER-20", "PER-45", "PER-Q14"],
    sufficient_ids: &["PER-20"],
    writes_by: "s3:Put*",
    elements: &[
        Taken {
            id: "list",
            name: "action s3:List*",
            element: Element::Action("s3:List*"),
            stops: true,
            named: &["s3:ListBucket"],
            ids: &["PER-20", "PER-44"],
        },
        Taken {
            id: "get",
            name: "action s3:Get*",
            element: Element::Action("s3:Get*"),
            stops: true,
            named: &["s3:GetBucketLocation", "s3:GetObject"],
            ids: &["PER-20", "PER-44"],
        },
        Taken {
            id: "delete",
            name: "action s3:Delete*",
            element: Element::Action("s3:Delete*"),
            stops: false,
            named: &["s3:DeleteObject"],
            ids: &["PER-20", "PER-44"],
        },
        Taken {
            id: "put",
            name: "action s3:Put*",
            element: Element::Action("s3:Put*"),
            stops: true,
            named: &["s3:PutObject", "s3:PutObjectAcl"],
            ids: &["PER-20", "PER-44"],
        },
        Taken::objects(&["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject"], &["PER-45"]),
        Taken::bucket(true, &["s3:ListBucket", "s3:GetBucketLocation"], &["PER-45"]),
    ],
    keys: &[Keys {
        id: "layout.key",
        title: "streams lie under type and padded hour, by time, hash and worker; segments under their type alone",
        ids: &["PER-03", "PER-06", "PER-07", "PER-08", "PER-10", "PER-Q03", "PER-Q04", "PER-Q08"],
        prefix: "exports/",
        head: "",
        patterns: &[
            "exports/type=events/year=2026/month=03/day=08/hour=04/#############-~~~~~~~~~~~~~~~~-*.jsonl.gz",
            "exports/type=sync_aliases/year=2026/month=03/day=08/hour=04/#############-~~~~~~~~~~~~~~~~-*.jsonl.gz",
            "exports/type=segment/part-00000.jsonl.gz",
        ],
        broken_by: ("month={t:%m}", "month={t:%-m}"),
    }],
    columns: &[
        Columns {
            dataset: "events",
            ids: &["PER-12", "PER-13"],
            list: "time:digits event_id:string user_id:string event_name:string organization_id:string \
                      project_id:string session_id:string view_id:string source_url:string segments:array \
                      properties:object",
            key_part: "/type=events/",
            broken_by: ("name = \"event_name\"", "name = \"event\""),
        },
        Columns {
            dataset: "sync_aliases",
            ids: &["PER-15"],
            list: "time:digits user_id:string organization_id:string project_id:string aliases:array",
            key_part: "/type=sync_aliases/",
            broken_by: ("name = \"aliases\"", "name = \"others\""),
        },
        Columns {
            dataset: "segment",
            ids: &["PER-16", "PER-18", "PER-Q09"],
            list: "id:string code:number name:string tags:array metadata:object workspace:string \
                      ancestors:array workspaceState:string deleted:boolean",
            key_part: "/type=segment/",
            broken_by: ("name = \"workspaceState\"", "name = \"workspace_state\""),
        },
    ],
    forms: &[Form {
        id: "jsonl-gz",
        ids: &["PER-05", "PER-Q02"],
        head: "",
        suffix: ".jsonl.gz",
        kind: FormKind::JsonLines { packed: true },
        broken_by: ("compression = \"gzip\"", "compression = \"none\""),
    }],
    examples: Examples {
        ids: &["PER-12", "PER-14", "PER-15", "PER-16"],
        now: "2026-01-15T14:31:00Z",
        head: "",
        csv: false,
        broken_by: ("segment", "\"High Value Users\"", "\"Low Value Users\""),
        refused: Some((
            &["PER-13", "PER-52"],
            ("events", "{\"time\":1665851625945", "{\"time\":\"1665851625945\""),
        )),
    },
    headers: HEADERS,
    diagnoses: DIAGNOSES,
    refusals: REFUSALS,
    kms: Some(Kms { ids: &["PER-54"], id: "PER-54", key_policy: false }),
    inert_ids: &[],
    retry_ids: &["ENG-01", "PER-08"],
    required: ("events", "\"event_id\""),
};

pub(super) const BATCH: Vendor = Vendor {
    name: "vendor.permutive",
    profile: "permutive_batch",
    policy: r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow",
         "Action": ["s3:PutObject", "s3:PutObjectAcl"],
         "Resource": ["arn:aws:s3:::customer-exports/*"],
         "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}},
        {"Effect": "Allow",
         "Action": ["s3:GetObject", "s3:DeleteObject", "s3:ListBucket"],
         "Resource": ["arn:aws:s3:::customer-exports/*", "arn:aws:s3:::customer-exports"]}]}"#,
    policy_ids: &["PER-35", "PER-44", "PER-45", "PER-46"],
    sufficient_ids: &["PER-35", "PER-44"],
    writes_by: "s3:PutObject",
    elements: &[
        Taken {
            id: "put-object",
            name: "action s3:PutObject",
            element: Element::Action("s3:PutObject"),
            stops: true,
            named: &["s3:PutObject"],
            ids: &["PER-44"],
        },
        Taken {
            id: "put-object-acl",
            name: "action s3:PutObjectAcl",
            element: Element::Action("s3:PutObjectAcl"),
            stops: true,
            named: &["s3:PutObjectAcl"],
            ids: &["PER-46"],
        },
        Taken {
            id: "get-object",
            name: "action s3:GetObject",
            element: Element::Action("s3:GetObject"),
            stops: true,
            named: &["s3:GetObject"],
            ids: &["PER-44"],
        },
        Taken {
            id: "delete-object",
            name: "action s3:DeleteObject",
            element: Element::Action("s3:DeleteObject"),
            stops: false,
            named: &["s3:DeleteObject"],
            ids: &["PER-44"],
        },
        Taken {
            id: "list-bucket",
            name: "action s3:ListBucket",
            element: Element::Action("s3:ListBucket"),
            stops: true,
            named: &["s3:ListBucket"],
            ids: &["PER-44"],
        },
        Taken {
            id: "objects",
            name: "resource BUCKET/*",
            element: Element::Resource("/*"),
            stops: true,
            // Both permissions of a write are missing then; what the write is refused for is the one of its header.
            named: &["s3:GetObject", "s3:PutObjectAcl", "s3:DeleteObject"],
            ids: &["PER-45"],
        },
        Taken::bucket(true, &["s3:ListBucket"], &["PER-45"]),
    ],
    keys: &[Keys {
        id: "layout.key",
        title: "tables lie under `data/` and their day without leading zeros; snapshots have one fixed name",
        ids: &["PER-03", "PER-24", "PER-26", "PER-Q01", "PER-Q06", "PER-Q07", "PER-Q12", "PER-Q13"],
        prefix: "exports/",
        head: "",
        patterns: &[
            "exports/data/aliases/year=2026/month=3/day=7/part-00000.snappy.parquet",
            "exports/data/domains/part-00000.snappy.parquet",
            "exports/data/pageview_events/year=2026/month=3/day=7/part-00000.snappy.parquet",
            "exports/data/segment_metadata/part-00000.snappy.parquet",
            "exports/data/videoview_events/year=2026/month=3/day=7/part-00000.snappy.parquet",
        ],
        broken_by: ("month={t:%-m}", "month={t:%m}"),
    }],
    columns: &[
        Columns {
            dataset: "pageview_events",
            ids: &["PER-28", "PER-32"],
            list: "time:instant event_id:string user_id:string session_id:string view_id:string \
                      workspace_id:string segments:integers cohorts:strings properties:struct",
            key_part: "/pageview_events/",
            broken_by: ("name = \"cohorts\", type = \"array\"", "name = \"cohorts\", type = \"string\""),
        },
        Columns {
            dataset: "aliases",
            ids: &["PER-29"],
            list: "time:instant event_type:string permutive_id:string id:string tag:string \
                      workspace_id:string",
            key_part: "/aliases/",
            broken_by: ("name = \"permutive_id\"", "name = \"user_id\""),
        },
        Columns {
            dataset: "domains",
            ids: &["PER-30", "PER-27"],
            list: "name:string workspace_id:string",
            key_part: "/domains/",
            broken_by: (
                "doc = \"The domain\"",
                "doc = \"The domain\" }, { name = \"x\", type = \"string\", nullable = true, doc = \"x\"",
            ),
        },
        Columns {
            dataset: "segment_metadata",
            ids: &["PER-31", "PER-Q09"],
            list: "number:number name:string tags:strings metadata:string workspace_id:string",
            key_part: "/segment_metadata/",
            broken_by: ("name = \"number\", type = \"integer\"", "name = \"number\", type = \"string\""),
        },
    ],
    forms: &[
        Form {
            id: "snappy-parquet",
            ids: &["PER-23"],
            head: "",
            suffix: ".snappy.parquet",
            kind: FormKind::Parquet("SNAPPY"),
            broken_by: ("compression = \"snappy\"", "compression = \"zstd\""),
        },
        Form {
            id: "json-gz",
            ids: &["PER-23", "PER-Q02"],
            head: "format = \"ndjson\"\ncompression = \"gzip\"",
            suffix: ".json.gz",
            kind: FormKind::JsonLines { packed: true },
            broken_by: ("extension = \"json.gz\"", "extension = \"jsonl.gz\""),
        },
    ],
    examples: Examples {
        ids: &["PER-28", "PER-29", "PER-30", "PER-31", "PER-33"],
        now: "2026-01-16T03:30:00Z",
        head: "format = \"ndjson\"\ncompression = \"gzip\"",
        csv: false,
        broken_by: ("domains", "\"example.com\"", "\"example.net\""),
        refused: Some((&["PER-53"], ("pageview_events", "\"browser\":\"x\"", "\"type\":\"x\""))),
    },
    headers: HEADERS,
    diagnoses: DIAGNOSES,
    refusals: REFUSALS,
    kms: Some(Kms { ids: &["PER-54"], id: "PER-54", key_policy: true }),
    inert_ids: &[],
    retry_ids: &["ENG-01"],
    required: ("aliases", "\"permutive_id\""),
};
