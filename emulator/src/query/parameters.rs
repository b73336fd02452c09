//! The parameters of a request.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use bytes::Bytes;

use crate::head::{Head, Query};

/// What a request gives, by name; the first of two with one name wins.
#[derive(Debug)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Those of the URL, then those of the body.
    pub(crate) fn of(head: &Head, body: &Bytes) -> Self {
        let mut all = BTreeMap::new();
        let of_body = Query::parse(&String::from_utf8_lossy(body));
        for (name, value) in head.query.iter().chain(of_body.iter()) {
            all.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        Self(all)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether the list, or the structure, of this name has any entry.
    pub(crate) fn has_list(&self, name: &str) -> bool {
        let prefix = format!("{name}.");
        self.under(&prefix).next().is_some()
    }

    /// The values of a list such as `PolicyNames.member.1`, in the order of their numbers.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.members(name).iter().filter_map(|prefix| self.get(prefix)).collect()
    }

    /// The prefixes of a list's entries, such as `Tags.member.1`, in the order of their numbers.
    pub(crate) fn members(&self, name: &str) -> Vec<String> {
        self.numbered(&format!("{name}.member."))
    }

    /// The prefixes of a map's entries, such as `Attributes.entry.1`, in the order of their numbers.
    pub(crate) fn entries(&self, name: &str) -> Vec<String> {
        self.numbered(&format!("{name}.entry."))
    }

    fn numbered(&self, prefix: &str) -> Vec<String> {
        let numbers: BTreeSet<u32> = self
            .under(prefix)
            .filter_map(|rest| rest.split('.').next().and_then(|number| number.parse().ok()))
            .collect();
        numbers.iter().map(|number| format!("{prefix}{number}")).collect()
    }

    /// What follows `prefix` in the names that begin with it.
    fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .map_while(move |(name, _)| name.strip_prefix(prefix))
    }
}
