//! What Adapty's page on Amazon S3 says.

use super::particulars::{
    Columns, Diagnosed, Examples, Form, FormKind, Header, Keys, Refused, Taken, Vendor, Wrong,
};
use crate::stage::Element;

pub(super) const EVENTS: Vendor = Vendor {
    name: "vendor.adapty",
    profile: "adapty_s3",
    policy: r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "AllowListObjectsInBucket", "Effect": "Allow", "Action": ["s3:ListBucket"],
         "Resource": ["arn:aws:s3:::customer-exports"]},
        {"Sid": "AllowAllObjectActions", "Effect": "Allow", "Action": ["s3:*Object"],
         "Resource": ["arn:aws:s3:::customer-exports/*", "arn:aws:s3:::customer-exports"]},
        {"Sid": "AllowBucketLocation", "Effect": "Allow", "Action": ["s3:GetBucketLocation"],
         "Resource": ["arn:aws:s3:::customer-exports"]}]}"#,
    policy_ids: &["ADA-11", "ADA-Q15"],
    sufficient_ids: &["ADA-11", "ADA-12"],
    writes_by: "s3:*Object",
    elements: &[
        Taken {
            id: "list-bucket",
            name: "action s3:ListBucket",
            element: Element::Action("s3:ListBucket"),
            stops: true,
            named: &["s3:ListBucket"],
            ids: &["ADA-11"],
        },
        Taken {
            id: "all-object",
            name: "action s3:*Object",
            element: Element::Action("s3:*Object"),
            stops: true,
            named: &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            ids: &["ADA-11", "ADA-12"],
        },
        Taken {
            id: "get-bucket-location",
            name: "action s3:GetBucketLocation",
            element: Element::Action("s3:GetBucketLocation"),
            stops: false,
            named: &["s3:GetBucketLocation"],
            ids: &["ADA-11"],
        },
        Taken::objects(&["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], &["ADA-11"]),
        Taken::bucket(true, &["s3:ListBucket", "s3:GetBucketLocation"], &["ADA-11"]),
    ],
    keys: &[
        Keys {
            id: "layout.key",
            title: "each table has a file for the day before, named by it, below the folder",
            ids: &["ADA-02", "ADA-03", "ADA-05", "ADA-08", "ADA-Q03"],
            prefix: "exports/",
            head: "",
            patterns: &["exports/events/2026-03-07.csv", "exports/paywall_visits/2026-03-07.csv"],
            broken_by: ("{t:%Y}-{t:%m}", "{t:%Y}/{t:%m}"),
        },
        Keys {
            id: "layout.no-folder",
            title: "without a folder the files lie in the bucket itself",
            ids: &["ADA-08"],
            prefix: "",
            head: "",
            patterns: &["events/2026-03-07.csv", "paywall_visits/2026-03-07.csv"],
            broken_by: ("{dataset}/{t:%Y}", "{dataset}-{t:%Y}"),
        },
    ],
    columns: &[
        Columns {
            dataset: "events",
            ids: &["ADA-16", "ADA-15", "ADA-18", "ADA-Q01", "ADA-Q02"],
            list: "profile_id:string event_type:string event_datetime:instant transaction_id:string \
                      original_transaction_id:string subscription_expires_at:instant environment:string \
                      revenue_usd:number proceeds_usd:number net_revenue_usd:number tax_amount_usd:number \
                      revenue_local:number proceeds_local:number net_revenue_local:number \
                      tax_amount_local:number customer_user_id:string store:string product_id:string \
                      base_plan_id:string developer_id:string ab_test_name:string ab_test_revision:number \
                      paywall_name:string paywall_revision:number profile_county:string install_date:instant \
                      idfv:string idfa:string advertising_id:string ip_address:string \
                      cancellation_reason:string android_app_set_id:string android_id:string device:string \
                      currency:string store_country:string attribution_source:string \
                      attribution_network_user_id:string attribution_status:string \
                      attribution_channel:string attribution_campaign:string attribution_ad_group:string \
                      attribution_ad_set:string attribution_creative:string",
            key_part: "/events/",
            broken_by: ("name = \"profile_county\"", "name = \"profile_land\""),
        },
        Columns {
            dataset: "paywall_visits",
            ids: &["ADA-29", "ADA-30", "ADA-Q02"],
            list: "profile_id:string customer_user_id:string profile_country:string install_date:instant \
                      store:string paywall_showed_at:instant developer_id:string ab_test_name:string \
                      ab_test_revision:number paywall_name:string paywall_revision:number",
            key_part: "/paywall_visits/",
            broken_by: ("name = \"profile_country\"", "name = \"profile_land\""),
        },
    ],
    forms: &[Form {
        id: "csv",
        ids: &["ADA-04", "ADA-Q05"],
        head: "",
        suffix: ".csv",
        kind: FormKind::Csv { packed: false },
        broken_by: ("format = \"csv\"", "format = \"ndjson\""),
    }],
    examples: Examples {
        ids: &["ADA-16", "ADA-20", "ADA-21", "ADA-29", "ADA-Q05", "ADA-Q07", "ADA-Q08"],
        now: "2026-03-08T04:00:00Z",
        head: "",
        csv: true,
        broken_by: ("events", "9.90", "9.91"),
        refused: Some((&["ADA-17", "ADA-26"], ("events", "\"Trial_Started\"", "\"trial_started\""))),
    },
    headers: &[Header::sse_s3(
        "every write asks for SSE-S3, so that a bucket which insists on it takes the export",
        &["ENG-08"],
    )],
    diagnoses: &[
        Diagnosed { kind: Wrong::Bucket, id: "ADA-06", ids: &["ADA-06"] },
        Diagnosed { kind: Wrong::Region, id: "ADA-34", ids: &["ADA-34"] },
        Diagnosed { kind: Wrong::Key, id: "ADA-10", ids: &["ADA-06"] },
        Diagnosed { kind: Wrong::Secret, id: "ADA-10", ids: &["ADA-06"] },
    ],
    refusals: &[
        Refused::without_secret(&["ADA-06"]),
        Refused {
            id: "no-bucket",
            title: "a configuration without a bucket's name is refused",
            ids: &["ADA-06"],
            edit: ("name = \"customer-exports\"", "name = \"\""),
            says: "bucket",
        },
    ],
    kms: None,
    inert_ids: &["ADA-09"],
    retry_ids: &["ADA-32", "ENG-01"],
    required: ("events", "\"profile_id\""),
};
