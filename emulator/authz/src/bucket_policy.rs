//! The checks of PutBucketPolicy that need to know the bucket.

use crate::actions::{KeyScope, S3ResourceType, covered, key_scope};
use crate::arn;
use crate::policy::pattern::{ActionElement, ResourcePattern};
use crate::policy::{Policy, PolicyError, PolicyErrorKind, PolicyKind, Position, Statement};
use crate::wildcard;

/// Checks a parsed bucket policy against its bucket, as PutBucketPolicy does: every resource belongs to the bucket,
/// every action is one of S3's and applies to a resource of its statement, every condition key exists for the actions.
///
/// Whether the principals exist and whether BlockPublicPolicy refuses the policy is for the caller to check, with
/// [`Policy::principals`] and [`Policy::is_public`].
///
/// # Errors
/// The first mistake, in the order of the document.
pub fn validate_bucket_policy(policy: &Policy, bucket_name: &str) -> Result<(), PolicyError> {
    policy.statements().iter().try_for_each(|statement| check_statement(statement, bucket_name))
}

fn error(kind: PolicyErrorKind, at: Position, message: String, help: impl Into<String>) -> PolicyError {
    PolicyError::new(PolicyKind::Bucket, kind, at, message, help)
}

fn check_statement(statement: &Statement, bucket: &str) -> Result<(), PolicyError> {
    if statement.principal.is_none() {
        return Err(error(
            PolicyErrorKind::MissingElement("Principal"),
            statement.at,
            "the statement has no `Principal`".to_owned(),
            "add `Principal` to the statement",
        ));
    }
    let action = &statement.action;
    check_actions(action)?;
    let Some(resource) = &statement.resource else { return Ok(()) };
    let mut types = Vec::new();
    for pattern in &resource.patterns {
        types.extend(covered_types(pattern, bucket)?);
    }
    if !action.negated && !resource.negated {
        check_combination(action, &types)?;
    }
    check_condition_keys(statement)
}

fn check_actions(action: &ActionElement) -> Result<(), PolicyError> {
    for pattern in &action.patterns {
        if covered(pattern).is_empty() {
            return Err(error(
                PolicyErrorKind::InvalidAction(pattern.text.to_string()),
                pattern.at,
                format!("`{}` covers no action of S3", pattern.text),
                "see the list of S3 actions; operations and actions differ (HeadObject needs `s3:GetObject`)",
            ));
        }
    }
    Ok(())
}

/// The types of resources of this bucket that a pattern can cover.
fn covered_types(pattern: &ResourcePattern, bucket: &str) -> Result<Vec<S3ResourceType>, PolicyError> {
    let foreign = || {
        error(
            PolicyErrorKind::InvalidResource(pattern.text.to_string()),
            pattern.at,
            format!("`{}` is not a resource of the bucket `{bucket}`", pattern.text),
            format!(
                "write `arn:aws:s3:::{bucket}` for the bucket or `arn:aws:s3:::{bucket}/*` for its objects"
            ),
        )
    };
    let Some(["arn", _, "s3", "", "", path]) = arn::segments(&pattern.text) else { return Err(foreign()) };
    // `arn:aws:s3:::*` is taken too, as the S3 compatibility suite of Ceph expects of AWS; unverified otherwise.
    // What stands before the first slash must cover the bucket; what follows a wildcard there may be an object.
    let (name, object) = path.split_once('/').map_or((path, false), |(name, _)| (name, true));
    if !wildcard::matches(&wildcard::compile(name), bucket.as_bytes()) {
        return Err(foreign());
    }
    Ok(match (object, name.ends_with('*')) {
        (true, _) => vec![S3ResourceType::Object],
        (false, false) => vec![S3ResourceType::Bucket],
        (false, true) => vec![S3ResourceType::Bucket, S3ResourceType::Object],
    })
}

fn check_combination(action: &ActionElement, types: &[S3ResourceType]) -> Result<(), PolicyError> {
    for pattern in &action.patterns {
        if !covered(pattern).iter().any(|(_, kind)| types.contains(kind)) {
            return Err(error(
                PolicyErrorKind::ActionWithoutResource(pattern.text.to_string()),
                pattern.at,
                format!("`{}` applies to no resource of the statement", pattern.text),
                "bucket actions need `arn:aws:s3:::bucket`, object actions `arn:aws:s3:::bucket/*`",
            ));
        }
    }
    Ok(())
}

/// An action named in full must have the key; of a pattern one action suffices.
fn check_condition_keys(statement: &Statement) -> Result<(), PolicyError> {
    for condition in &statement.conditions {
        let actions = match key_scope(condition.lower_key.as_str()) {
            KeyScope::Every => continue,
            KeyScope::Only(actions) => actions,
            KeyScope::Unknown => {
                return Err(error(
                    PolicyErrorKind::InvalidConditionKey(condition.key.to_string()),
                    condition.at,
                    format!("S3 has no condition key `{}`", condition.key),
                    "see the list of S3 condition keys",
                ));
            }
        };
        if statement.action.negated {
            continue;
        }
        for pattern in &statement.action.patterns {
            if !covered(pattern).iter().any(|(name, _)| actions.contains(name)) {
                return Err(error(
                    PolicyErrorKind::ConditionDoesNotApply {
                        key: condition.key.to_string(),
                        action: pattern.text.to_string(),
                    },
                    condition.at,
                    format!(
                        "requests for `{}` never have the condition key `{}`",
                        pattern.text, condition.key
                    ),
                    "put the actions that have the key into a statement of their own",
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
