//! Two records: what was committed, and what was asked.

use serde_json::Value;

/// Entries with a growing `sequence` that clearing does not reset.
#[derive(Default)]
pub struct Record {
    entries: Vec<Value>,
    last: u64,
}

impl Record {
    /// Adds an entry and returns its sequence number.
    pub fn push(&mut self, mut entry: Value) -> u64 {
        self.last += 1;
        entry["sequence"] = self.last.into();
        self.entries.push(entry);
        self.last
    }

    /// Sets a member of an entry that may have been cleared meanwhile.
    pub fn set(&mut self, sequence: u64, name: &str, value: Value) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry["sequence"] == sequence) {
            entry[name] = value;
        }
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Those whose members equal every pair of the query; `since` is a sequence number, exclusive.
    pub fn find(&self, query: &[(String, String)]) -> Vec<Value> {
        let has = |entry: &Value, name: &str, wanted: &str| {
            if name == "since" {
                return entry["sequence"].as_u64() > wanted.parse().ok();
            }
            entry[name].as_str().map_or_else(|| entry[name].to_string(), str::to_owned) == wanted
        };
        let matches = |entry: &&Value| query.iter().all(|(name, wanted)| has(entry, name, wanted));
        self.entries.iter().filter(matches).cloned().collect()
    }
}
