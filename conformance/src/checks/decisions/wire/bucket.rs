//! The bucket of a row and its object: owners, ACLs, Object Ownership, Block Public Access and policy, in an order in
//! which AWS takes them.

use bucketproof_authz::ObjectOwnership;
use serde_json::Value;

use super::super::row::Row;
use super::asked::{Asked, path};
use super::{Script, text};

const CHECKED: &str = "x-amz-checksum-sha256: auto";

/// Whether the bucket cannot be made so by requests, or could not be taken away again.
pub(super) fn is_beyond_requests(row: &Row) -> bool {
    let is_enforced = row.ownership == ObjectOwnership::BucketOwnerEnforced;
    // ACLs are switched off only where the bucket's own grants nothing to others.
    let is_refused = is_enforced && row.bucket_acl.iter().flatten().any(|grant| !grant.ends_with(" owner"));
    // What the tables and requests have no name for.
    let is_unknown = row.grants().any(|grant| {
        !["owner", "partner", "AllUsers", "AuthenticatedUsers"].iter().any(|name| grant.ends_with(name))
    });
    let is_unknown = is_unknown || row.object_owner.as_deref().is_some_and(|owner| owner != "partner");
    is_refused || is_unknown || row.resource_policy.iter().flatten().any(|statement| locks_out(statement))
}

/// Whether a statement of the bucket's policy keeps whoever put it from taking it away.
fn locks_out(statement: &str) -> bool {
    let document: Value = serde_json::from_str(statement).unwrap_or_default();
    let denies = document.get("Effect").and_then(Value::as_str) == Some("Deny");
    let resources = document.get("Resource").map(Value::to_string).unwrap_or_default();
    let hits_bucket = resources.contains(":::b\"") || resources.contains("\"*\"") || resources.is_empty();
    let principal = document.get("Principal").map(Value::to_string).unwrap_or_default();
    let is_for_others = principal.contains("222222222222") && !principal.contains("111111111111")
        || principal.contains("user/eng/") && !principal.contains(":root");
    denies && hits_bucket && !is_for_others
}

/// Makes it; absent if the row has no such bucket.
pub(super) fn make(script: &mut Script, row: &Row, asked: &Asked) -> Option<()> {
    script.step(&["PUT /{other}"]);
    if row.has_acls() {
        script.step(&["x-amz-object-ownership: ObjectWriter"]);
    }
    if row.has_acls() || row.resource_policy.is_some() {
        script.step(&["DELETE /{other}?publicAccessBlock", "= 204"]);
    }
    make_object(script, row, asked)?;
    if let Some(grants) = &row.bucket_acl {
        script.step(&["PUT /{other}?acl", CHECKED, &acl("mine", grants)?]);
    }
    if row.has_acls() && row.ownership != ObjectOwnership::ObjectWriter {
        let ownership = match row.ownership {
            ObjectOwnership::BucketOwnerEnforced => "BucketOwnerEnforced",
            _ => "BucketOwnerPreferred",
        };
        script.step(&[
            "PUT /{other}?ownershipControls",
            CHECKED,
            &format!(
                "> <OwnershipControls><Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule></OwnershipControls>"
            ),
        ]);
    }
    if let Some(statements) = &row.resource_policy {
        script.step(&["PUT /{other}?policy", &format!("> {}", text::document(row, statements))]);
    }
    if row.ignore_public_acls || row.restrict_public_buckets {
        script.step(&[
            "PUT /{other}?publicAccessBlock",
            CHECKED,
            &format!(
                "> <PublicAccessBlockConfiguration><IgnorePublicAcls>{}</IgnorePublicAcls><RestrictPublicBuckets>{}\
                 </RestrictPublicBuckets></PublicAccessBlockConfiguration>",
                row.ignore_public_acls, row.restrict_public_buckets
            ),
        ]);
    }
    Some(())
}

fn make_object(script: &mut Script, row: &Row, asked: &Asked) -> Option<()> {
    let key = row.resource.strip_prefix("arn:aws:s3:::b/").map_or_else(|| "k".to_owned(), path);
    let object = format!("/{{other}}/{key}");
    if row.has_acls() && row.object_acl.is_none() {
        // In such rows there is none, or it does not matter.
        return Some(());
    }
    if row.object_owner.is_none() {
        script.step(&[&format!("PUT {object}"), "> data"]);
        if let Some(grants) = &row.object_acl {
            script.step(&[&format!("PUT {object}?acl"), CHECKED, &acl("mine", grants)?]);
        }
        return Some(());
    }
    // The other account is let in for a moment.
    script.step(&[
        "PUT /{other}?policy",
        "> {\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\
         \"arn:aws:iam::{their-account}:root\"},\"Action\":[\"s3:PutObject\",\"s3:PutObjectAcl\"],\
         \"Resource\":\"arn:aws:s3:::{other}/*\"}]}",
        &format!("stranger PUT {object}"),
        "> data",
    ]);
    if let Some(grants) = &row.object_acl {
        script.step(&[&format!("stranger PUT {object}?acl"), CHECKED, &acl("theirs", grants)?]);
    }
    let is_asked = asked.line == "DELETE /{other}?policy";
    if row.resource_policy.is_none() && !is_asked {
        script.step(&["DELETE /{other}?policy", "= 204"]);
    }
    Some(())
}

/// `READ partner`, `WRITE AllUsers` as the body of a request.
fn acl(owner: &str, grants: &[String]) -> Option<String> {
    let mut list = String::new();
    for grant in grants {
        let (permission, grantee) = grant.split_once(' ')?;
        let (kind, name) = match grantee {
            "owner" => ("CanonicalUser", "<ID>{mine}</ID>".to_owned()),
            "partner" => ("CanonicalUser", "<ID>{theirs}</ID>".to_owned()),
            group => ("Group", format!("<URI>http://acs.amazonaws.com/groups/global/{group}</URI>")),
        };
        list = format!(
            "{list}<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{kind}\">{name}\
             </Grantee><Permission>{permission}</Permission></Grant>"
        );
    }
    Some(format!(
        "> <AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>{{{owner}}}</ID></Owner>\
         <AccessControlList>{list}</AccessControlList></AccessControlPolicy>"
    ))
}
