//! The names of accounts in answers, as before November 2025.
//!
//! AWS showed a `DisplayName` beside the canonical id of every owner and grantee, and has ended it. Software that was
//! written for that time gets the account's name of the scenario, under `legacy-defaults` only.

use bytes::Bytes;

use crate::state::{Defaults, World};
use crate::xml;

/// What stands before the id of somebody who had a name.
const BEFORE_ID: [&str; 2] = ["<Owner><ID>", "xsi:type=\"CanonicalUser\"><ID>"];

/// The document with names where it had them then.
pub(crate) fn with_display_names(body: Bytes, world: &World) -> Bytes {
    if world.beyond_buckets.defaults == Defaults::Modern {
        return body;
    }
    let Ok(text) = std::str::from_utf8(&body) else { return body };
    let mut named = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("</ID>") {
        named.push_str(before);
        named.push_str("</ID>");
        rest = after;
        let id = BEFORE_ID.iter().find_map(|start| before.rsplit_once(start)).map(|(_, id)| id);
        let account = id.and_then(|id| world.accounts.iter().find(|account| account.canonical_id == id));
        if let Some(name) = account.and_then(|account| account.name.as_deref()) {
            named.push_str("<DisplayName>");
            named.push_str(&xml::escape_text(name));
            named.push_str("</DisplayName>");
        }
    }
    named.push_str(rest);
    Bytes::from(named)
}
