//! What is said of the rows of a file: rows with the same outcome are one entry.

use std::collections::{BTreeMap, HashMap};

/// What is wrong with a row, or with a whole file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Finding {
    /// The vendor's code.
    pub(crate) code: String,
    /// What a person needs to act.
    pub(crate) detail: String,
}

/// Rows of one file with the same outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// From 1 within the file, in the order of appearance.
    pub(crate) id: u32,
    /// Rows.
    pub(crate) rows: u64,
    /// What is wrong with them; nothing, and they are stored.
    pub(crate) findings: Vec<Finding>,
}

/// Gathers the outcomes of the rows of one file.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    list: Vec<Entry>,
    places: HashMap<Vec<Finding>, usize>,
}

impl Entries {
    /// So many rows more, of which these have something wrong.
    pub(crate) fn add(&mut self, count: usize, wrong: BTreeMap<usize, Vec<Finding>>) {
        let mut next = 0;
        for (place, findings) in wrong {
            self.count(Vec::new(), place.saturating_sub(next));
            self.count(findings, 1);
            next = place + 1;
        }
        self.count(Vec::new(), count.saturating_sub(next));
    }

    fn count(&mut self, findings: Vec<Finding>, rows: usize) {
        if rows == 0 {
            return;
        }
        if let Some(entry) = self.places.get(&findings).and_then(|place| self.list.get_mut(*place)) {
            entry.rows += rows as u64;
            return;
        }
        let id = u32::try_from(self.list.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.places.insert(findings.clone(), self.list.len());
        self.list.push(Entry { id, rows: rows as u64, findings });
    }

    /// The only entry of a file that is wrong as a whole: how many rows it has is not known, and 1 is said.
    pub(crate) fn of_file(finding: Finding) -> Vec<Entry> {
        vec![Entry { id: 1, rows: 1, findings: vec![finding] }]
    }

    /// A file without rows is said to have been stored, with none.
    pub(crate) fn into_list(mut self) -> Vec<Entry> {
        if self.list.is_empty() {
            self.list.push(Entry { id: 1, rows: 0, findings: Vec::new() });
        }
        self.list
    }
}
