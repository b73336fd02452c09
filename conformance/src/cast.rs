//! What a scenario must have for the vendor's checks: the principals, the role and the bucket that they play with.
//!
//! Without one of them every check would fail for a reason that is the scenario's and not the target's, so the run is
//! refused before it begins.

use bucketproof_fixtures::scenario::{
    ADMINISTRATOR, CONNECTOR_USER, EXPORTER, SUPRSEND_BUCKET, SUPRSEND_ROLE_ARN,
};
use toml::{Table, Value};

/// Something that the vendor's checks play with and a scenario does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{scenario}: the scenario has no {what}, which the checks of the vendor play with")]
pub(crate) struct Missing {
    scenario: String,
    what: String,
}

/// Looks for the whole cast in the text of a scenario, which is called `name` in messages.
pub(crate) fn complete(name: &str, text: &str) -> Result<(), Missing> {
    // What is no TOML, the emulator has refused with line and column.
    let document: Table = text.parse().unwrap_or_default();
    let accounts = tables(&document, "account");
    let missing = |what: String| Missing { scenario: name.to_owned(), what };
    let users = || accounts.iter().flat_map(|account| tables(account, "user"));
    for key in [ADMINISTRATOR, EXPORTER] {
        let is_user = |user: &&Table| text_of(user, "name") == key.principal;
        if !users().any(|user| is_user(&user) && !tables(user, "access_key").is_empty()) {
            return Err(missing(format!("user `{}` with an access key", key.principal)));
        }
    }
    for key in [EXPORTER, CONNECTOR_USER] {
        let has_key =
            |user: &Table| tables(user, "access_key").iter().any(|own| text_of(own, "id") == key.id);
        if !users().any(has_key) {
            return Err(missing(format!("access key `{}` of a user such as `{}`", key.id, key.principal)));
        }
    }
    let arns = accounts.iter().flat_map(|account| {
        tables(account, "role").into_iter().map(|role| {
            let path = role.get("path").and_then(Value::as_str).unwrap_or("/");
            format!("arn:aws:iam::{}:role{path}{}", text_of(account, "id"), text_of(role, "name"))
        })
    });
    if !arns.into_iter().any(|arn| arn == SUPRSEND_ROLE_ARN) {
        return Err(missing(format!("role `{SUPRSEND_ROLE_ARN}`")));
    }
    let mut buckets = accounts.iter().flat_map(|account| tables(account, "bucket"));
    if !buckets.any(|bucket| text_of(bucket, "name") == SUPRSEND_BUCKET) {
        return Err(missing(format!("bucket `{SUPRSEND_BUCKET}`")));
    }
    Ok(())
}

/// The tables of the array at `key`; none if there is no such array.
fn tables<'t>(table: &'t Table, key: &str) -> Vec<&'t Table> {
    let entries = table.get(key).and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(Value::as_table).collect()
}

fn text_of<'t>(table: &'t Table, key: &str) -> &'t str {
    table.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
