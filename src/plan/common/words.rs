//! Wording that several messages share.

/// The first few ids, for people.
pub fn quoted<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    ids.take(5).map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ")
}
