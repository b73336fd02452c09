//! What Datafly's page on Amazon S3 says.

use super::particulars::{
    Broken, Columns, Diagnosed, Examples, Form, FormKind, Header, Keys, Kms, Refused, Taken, Vendor, Wrong,
};
use crate::stage::Element;

pub(super) const EVENTS: Vendor = Vendor {
    name: "vendor.datafly",
    profile: "datafly_s3",
    policy: r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::customer-exports/*"]},
        {"Effect": "Allow", "Action": ["s3:GetBucketLocation"], "Resource": ["arn:aws:s3:::customer-exports"]}]}"#,
    policy_ids: &["DAT-15"],
    sufficient_ids: &["DAT-15", "DAT-16"],
    writes_by: "s3:PutObject",
    elements: &[
        Taken {
            id: "put-object",
            name: "action s3:PutObject",
            element: Element::Action("s3:PutObject"),
            stops: true,
            named: &["s3:PutObject"],
            ids: &["DAT-15", "DAT-26"],
        },
        Taken {
            id: "get-bucket-location",
            name: "action s3:GetBucketLocation",
            element: Element::Action("s3:GetBucketLocation"),
            stops: false,
            named: &["s3:GetBucketLocation"],
            ids: &["DAT-15"],
        },
        Taken::objects(&["s3:PutObject"], &["DAT-15", "DAT-26"]),
        Taken::bucket(false, &["s3:GetBucketLocation"], &["DAT-15"]),
    ],
    keys: &[
        Keys {
            id: "layout.key",
            title: "a batch lies under its hour, by a UUID that follows from what it holds",
            ids: &["DAT-03", "DAT-11", "DAT-Q01", "DAT-Q08"],
            prefix: "exports/",
            head: "",
            patterns: &["exports/2026/03/08/04/~~~~~~~~-~~~~-5~~~-~~~~-~~~~~~~~~~~~.json.gz"],
            broken_by: ("{t:%Y}/{t:%m}", "{t:%Y}-{t:%m}"),
        },
        Keys {
            id: "layout.no-prefix",
            title: "without a prefix keys begin with the year",
            ids: &["DAT-11"],
            prefix: "",
            head: "",
            patterns: &["2026/03/08/04/~~~~~~~~-~~~~-5~~~-~~~~-~~~~~~~~~~~~.json.gz"],
            broken_by: ("{t:%Y}/{t:%m}", "x/{t:%Y}/{t:%m}"),
        },
        Keys {
            id: "layout.literal-prefix",
            title: "a prefix without its slash is put before keys as it is",
            ids: &["DAT-Q03"],
            prefix: "events-",
            head: "",
            patterns: &["events-2026/03/08/04/~~~~~~~~-~~~~-5~~~-~~~~-~~~~~~~~~~~~.json.gz"],
            broken_by: ("prefix = \"literal\"", "prefix = \"folder\""),
        },
    ],
    columns: &[Columns {
        dataset: "events",
        ids: &["DAT-05", "DAT-06", "DAT-Q09"],
        list: "event_id:string type:string event:string anonymous_id:string user_id:string timestamp:instant \
                  received_at:instant sent_at:instant context:object properties:object traits:object \
                  source_id:string integration_id:string",
        key_part: "/",
        broken_by: ("name = \"anonymous_id\"", "name = \"anonymousId\""),
    }],
    forms: &[Form {
        id: "json-gz",
        ids: &["DAT-01", "DAT-02"],
        head: "",
        suffix: ".json.gz",
        kind: FormKind::JsonLines { packed: true },
        broken_by: ("compression = \"gzip\"", "compression = \"none\""),
    }],
    examples: Examples {
        ids: &["DAT-05", "DAT-06", "DAT-Q09"],
        now: "2026-05-12T10:05:00Z",
        head: "",
        csv: false,
        broken_by: ("events", "\"consent\"", "\"agreed\""),
        refused: Some((&["DAT-05"], ("events", "\"properties\":[1]", "\"properties\":{}"))),
    },
    headers: &[
        Header::sse_s3("every write asks for SSE-S3 where it is chosen", &["DAT-13", "ENG-08"]),
        Header {
            id: "storage-class",
            title: "every write asks for the storage class that is chosen",
            ids: &["DAT-12", "ENG-08"],
            head: "storage_class = \"STANDARD_IA\"",
            insists: ("s3:x-amz-storage-class", "STANDARD_IA"),
            broken_by: Broken::Config("storage_class = \"STANDARD_IA\"", ""),
        },
    ],
    diagnoses: &[
        Diagnosed { kind: Wrong::Bucket, id: "DAT-27", ids: &["DAT-25", "DAT-27"] },
        Diagnosed { kind: Wrong::Region, id: "DAT-31", ids: &["DAT-25", "DAT-31"] },
        Diagnosed { kind: Wrong::Key, id: "DAT-28", ids: &["DAT-28"] },
        Diagnosed { kind: Wrong::Secret, id: "DAT-29", ids: &["DAT-29"] },
    ],
    refusals: &[
        Refused {
            id: "two-buckets",
            title: "a bucket that is named twice is refused",
            ids: &["DAT-07"],
            edit: ("name = \"customer-exports\"", "name = \"customer-exports\"\nbucket_name = \"another\""),
            says: "duplicate field",
        },
        Refused::in_no_region("a region that does not exist is refused", &["DAT-08"]),
        Refused::without_secret(&["DAT-09"]),
        Refused {
            id: "key-without-kms",
            title: "a KMS key is refused where the encryption is another",
            ids: &["DAT-Q06"],
            edit: (
                "enabled = true",
                "enabled = true\nencryption = \"sse-s3\"\nkms_key_id = \"arn:aws:kms:us-east-1:111122223333:key/a\"",
            ),
            says: "a KMS key is given",
        },
        Refused {
            id: "archive-class",
            title: "a storage class of archives is refused unless it is allowed by name",
            ids: &["DAT-Q07"],
            edit: ("enabled = true", "enabled = true\nstorage_class = \"DEEP_ARCHIVE\""),
            says: "DEEP_ARCHIVE",
        },
    ],
    kms: Some(Kms { ids: &["DAT-13", "DAT-14", "DAT-Q05"], id: "DAT-14", key_policy: false }),
    inert_ids: &[],
    retry_ids: &["DAT-32", "ENG-01"],
    required: ("events", "\"event_id\""),
};
