//! Which kinds of resources a pattern can cover.

use crate::actions::catalogue::Target;
use crate::arn;

/// Whether a resource pattern covers some resource of the kind that an action of the service has. When in doubt it
/// does: a finding must be certain.
pub(super) fn reaches(pattern: &str, target: Target, action_service: &str) -> bool {
    let Some([_, _, service, region, account, path]) = arn::segments(pattern) else {
        // `*`, or an incomplete ARN that AWS fills up.
        return true;
    };
    // An access point stands for its bucket and the objects in it.
    if may_be(service, "s3") && path.starts_with("accesspoint/") {
        return matches!(target, Target::Bucket | Target::Object | Target::Other);
    }
    match target {
        Target::Bucket => is_s3(service, region, account) && !path.contains('/'),
        Target::Object => is_s3(service, region, account) && (path.contains('/') || is_open(path)),
        Target::Key => may_be(service, "kms") && may_start(path, "key/"),
        Target::Topic => may_be(service, "sns"),
        Target::Role => may_be(service, "iam") && may_start(path, "role/"),
        // AWS's own examples grant actions without a resource on `arn:aws:s3:::*`.
        Target::Nothing => path == "*",
        // Roles, root users and sessions belong to IAM and STS.
        Target::Other if action_service == "sts" => may_be(service, "sts") || may_be(service, "iam"),
        Target::Other => may_be(service, action_service),
    }
}

/// Buckets and objects have neither region nor account.
fn is_s3(service: &str, region: &str, account: &str) -> bool {
    may_be(service, "s3") && may_be(region, "") && may_be(account, "")
}

fn may_be(part: &str, expected: &str) -> bool {
    part == expected || is_open(part)
}

fn may_start(path: &str, start: &str) -> bool {
    path.starts_with(start) || is_open(path.get(..start.len()).unwrap_or(path))
}

/// A wildcard or a variable may stand for what is not written.
fn is_open(text: &str) -> bool {
    text.contains(['*', '?', '$'])
}
