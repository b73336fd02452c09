//! The action of a row as a request.

use bucketproof_emulator::Op;

use super::super::row::Row;
use super::given::Given;
use super::text::{encoded, renamed};
use crate::check::Capability;

const TAGGING: &str = "> <Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
const CHECKED: &str = "x-amz-checksum-sha256: auto";
const PRIVATE: &str = "x-amz-acl: private";

/// An operation that asks for an action, and the request for it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) op: Op,
    /// Method and target, or service and action.
    pub(super) line: String,
    /// Headers or parameters, and the body.
    pub(super) fields: Vec<String>,
    /// What an endpoint must offer beside policies.
    pub(super) need: Option<Capability>,
    /// The code of a refusal.
    pub(super) refusal: &'static str,
    /// Whether it reads an object that is not there.
    pub(super) is_of_nothing: bool,
}

impl Asked {
    /// Absent if no request of the suite asks for it.
    pub(super) fn of(row: &Row, given: &Given) -> Option<Self> {
        let asked = match row.service().as_str() {
            "s3" => of_s3(row, given),
            "sts" => of_sts(row),
            "sns" => of_sns(row),
            _ => None,
        };
        let mut asked = asked?;
        asked.fields.splice(0..0, given.fields.iter().cloned());
        Some(asked)
    }

    fn with(self, fields: &[&str]) -> Self {
        Self { fields: fields.iter().map(|field| (*field).to_owned()).collect(), ..self }
    }

    fn needing(self, need: Capability) -> Self {
        Self { need: Some(need), ..self }
    }
}

fn plain(op: Op, line: String) -> Asked {
    Asked { op, line, fields: Vec::new(), need: None, refusal: "AccessDenied", is_of_nothing: false }
}

fn of_s3(row: &Row, given: &Given) -> Option<Asked> {
    let action = row.action.to_lowercase();
    if action == "s3:listallmybuckets" {
        return Some(plain(Op::ListBuckets, "GET /".to_owned()));
    }
    if row.resource == "arn:aws:s3:::b" {
        return of_bucket(row, &action, given);
    }
    let key = row.resource.strip_prefix("arn:aws:s3:::b/")?;
    let on = |op, method: &str, query: &str| plain(op, format!("{method} /{{other}}/{}{query}", path(key)));
    let is_missing = row.has_acls() && row.object_acl.is_none();
    let asked = match action.as_str() {
        "s3:getobject" => Asked { is_of_nothing: is_missing, ..on(Op::GetObject, "GET", "") },
        "s3:putobject" => on(Op::PutObject, "PUT", "").with(&["> data"]),
        // Who writes an object with an ACL asks for both.
        "s3:putobjectacl" if is_missing => on(Op::PutObject, "PUT", "").with(&[PRIVATE, "> data"]),
        "s3:deleteobject" => on(Op::DeleteObject, "DELETE", ""),
        _ if is_missing => return None,
        "s3:getobjectversion" => on(Op::GetObject, "GET", "?versionId=null"),
        "s3:deleteobjectversion" => on(Op::DeleteObject, "DELETE", "?versionId=null"),
        "s3:getobjectattributes" => on(Op::GetObjectAttributes, "GET", "?attributes")
            .with(&["x-amz-object-attributes: ETag"])
            .needing(Capability::Attributes),
        "s3:getobjectacl" => on(Op::GetObjectAcl, "GET", "?acl").needing(Capability::Acl),
        "s3:putobjectacl" => on(Op::PutObjectAcl, "PUT", "?acl").with(&[PRIVATE]).needing(Capability::Acl),
        "s3:putobjectversionacl" => {
            on(Op::PutObjectAcl, "PUT", "?acl&versionId=null").with(&[PRIVATE]).needing(Capability::Acl)
        }
        "s3:getobjecttagging" => on(Op::GetObjectTagging, "GET", "?tagging").needing(Capability::Tagging),
        "s3:putobjecttagging" => {
            on(Op::PutObjectTagging, "PUT", "?tagging").with(&[CHECKED, TAGGING]).needing(Capability::Tagging)
        }
        _ => return None,
    };
    Some(asked)
}

fn of_bucket(row: &Row, action: &str, given: &Given) -> Option<Asked> {
    let on = |op, method: &str, query: &str| plain(op, format!("{method} /{{other}}{query}"));
    let asked = match action {
        "s3:listbucket" => on(Op::ListObjectsV2, "GET", &format!("?list-type=2{}", given.query)),
        "s3:listbucketversions" => {
            on(Op::ListObjectVersions, "GET", "?versions").needing(Capability::Versioning)
        }
        "s3:listbucketmultipartuploads" => {
            on(Op::ListMultipartUploads, "GET", "?uploads").needing(Capability::UploadListing)
        }
        "s3:getbucketacl" => on(Op::GetBucketAcl, "GET", "?acl").needing(Capability::Acl),
        "s3:putbucketacl" => on(Op::PutBucketAcl, "PUT", "?acl").with(&[PRIVATE]).needing(Capability::Acl),
        "s3:getbucketpolicy" => on(Op::GetBucketPolicy, "GET", "?policy"),
        "s3:deletebucketpolicy" if row.resource_policy.is_some() => {
            on(Op::DeleteBucketPolicy, "DELETE", "?policy")
        }
        _ => return None,
    };
    Some(asked)
}

fn of_sts(row: &Row) -> Option<Asked> {
    let action = row.action.to_lowercase();
    if action == "sts:getcalleridentity" && row.resource_policy.is_none() {
        return Some(plain(Op::GetCallerIdentity, "STS GetCallerIdentity".to_owned()));
    }
    // The role that is assumed is another than the caller's.
    if row.resource != "arn:aws:iam::111111111111:role/vendor" || row.resource_policy.is_none() {
        return None;
    }
    let assumed = plain(Op::AssumeRole, "STS AssumeRole".to_owned());
    let (role, called) = ("RoleArn: {vendor}", "RoleSessionName: job-8");
    match action.as_str() {
        "sts:assumerole" => Some(assumed.with(&[role, called])),
        "sts:tagsession" => {
            Some(assumed.with(&[role, called, "Tags.member.1.Key: team", "Tags.member.1.Value: data"]))
        }
        _ => None,
    }
}

fn of_sns(row: &Row) -> Option<Asked> {
    let is_topic = row.resource == "arn:aws:sns:eu-west-1:111111111111:events";
    // Without a policy of its own a topic lets its whole account publish.
    let is_the_default = row.resource_policy.is_none() && !row.caller.starts_with("partner-");
    if row.action.to_lowercase() != "sns:publish" || !is_topic || is_the_default && row.expect != "Allowed" {
        return None;
    }
    let asked = plain(Op::Publish, "SNS Publish".to_owned()).with(&["TopicArn: {topic}", "Message: m"]);
    Some(Asked { refusal: "AuthorizationError", need: Some(Capability::Sns), ..asked })
}

/// A key in a target, with the name that the caller has in this run.
pub(super) fn path(key: &str) -> String {
    let parts: Vec<String> = key.split('/').map(encoded).collect();
    renamed(&parts.join("/"))
}
